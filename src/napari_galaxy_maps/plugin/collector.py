"""Keeps full garbage collections, which stop the window for 80 to 250 ms, out of moments that matter."""

from __future__ import annotations

import gc

_USUAL = gc.get_threshold()
_NEVER = 100_000
_holders: set[str] = set()


def hold(who: str) -> None:
    """No full collections until `who` lets go; young garbage is collected as ever."""
    _holders.add(who)
    gc.set_threshold(_USUAL[0], _USUAL[1], _NEVER)


def let_go(who: str) -> None:
    """The reverse of `hold`, once nobody holds any more."""
    _holders.discard(who)
    if not _holders:
        gc.set_threshold(*_USUAL)


def set_aside() -> None:
    """Take all that is there by now out of full collections for good; the garbage goes first, it would stay as well."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def set_aside_for_now() -> None:
    """The same in no time, garbage included; `set_aside` has to follow."""
    gc.freeze()
