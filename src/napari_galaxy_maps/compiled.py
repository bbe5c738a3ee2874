"""Functions compiled by numba, once for all processes where there is a folder to keep them in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

LOGGER = logging.getLogger("napari_galaxy_maps")


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles a function on its first call, and finds it again on disk in the
    next process.

    Where nothing can be kept (no folder that may be written to, a full disk), it is compiled anew
    in every process; that is said once.

    Parameters
    ----------
    **options
        Of `numba.njit`. With ``parallel``, the function has to stand at the top of its module.
    """
    import numba

    def compile_function(function: Callable[..., Any]) -> Any:
        try:
            made = numba.njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            _say_once()
            return numba.njit(**options)(function)
        if hasattr(made, "_cache"):  # not where NUMBA_DISABLE_JIT is set
            _forgive(made._cache)
        return made

    return compile_function


def _forgive(kept: Any) -> None:
    """Go on where the compiled function cannot be written: the disk is full, or the user's share of
    it.
    """
    save = kept.save_overload

    def save_or_say(*arguments: Any) -> None:
        try:
            save(*arguments)
        except OSError:
            _say_once()

    kept.save_overload = save_or_say


@cache
def _say_once() -> None:
    LOGGER.warning(
        "No folder for compiled functions can be written to, so they are compiled anew (some "
        "seconds in every run); name one with the environment variable NUMBA_CACHE_DIR."
    )
