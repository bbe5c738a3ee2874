"""Writing a file beside its place and renaming it, so that none is ever half written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..exceptions import InputError


@contextmanager
def written_whole(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` only once the block has ended well.

    Raises
    ------
    InputError
        When the file is there already and may not be replaced, or its folder cannot be written to.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced "
            "(--overwrite)."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another folder."
        ) from None
    beside = Path(name)
    try:
        yield beside
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)  # mkstemp gives 0600
        beside.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); free some space or choose "
            "another folder."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
