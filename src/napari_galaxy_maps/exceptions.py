"""Errors meant for a person: a sentence that says what is wrong, in which file, and what to do."""

from __future__ import annotations

import errno
import os
import traceback
import zlib
from collections.abc import Callable, Sequence

Places = Callable[[Sequence[str]], str]
"""Tells where a person gives settings: from their names, as ``"galaxy.distance"``, the options of a
command line, or the controls of a window; empty where that face has none for them."""


class GalaxyMapsError(Exception):
    """A mistake or an input that the person can put right; the message is shown as it stands,
    without a traceback.

    Parameters
    ----------
    sentence : str
        What is wrong and what to do, without the names of options, controls or arguments: command
        line, window and notebooks have others.
    *settings : str
        What has to be given or changed, so that `in_words` can add where: settings of the recipe,
        as ``"galaxy.distance"``, or what `ASIDE` names.

    Attributes
    ----------
    settings : tuple of str
        The same.
    """

    def __init__(self, sentence: str = "", *settings: str):
        super().__init__(sentence)
        self.settings = settings


ASIDE = ("overwrite", "apertures", "fwhm", "resume")
"""What an error may ask for that is no setting of the recipe: that a file be replaced,
apertures to measure, the PSF of maps, that a training be finished."""


class InputError(GalaxyMapsError):
    """A file or folder that cannot be used as it is."""


class UnresolvedError(InputError):
    """Images of which a person has to tell something before they can be used.

    Parameters
    ----------
    questions : str or sequence of data.question.Question
        What has to be told.

    Attributes
    ----------
    questions : tuple of data.question.Question
        The same; empty where only a sentence says it.
    """

    def __init__(self, questions: str | Sequence[object]):
        asked = () if isinstance(questions, str) else tuple(questions)
        super().__init__(" ".join(map(str, asked)) if asked else str(questions or ""))
        self.questions = asked


class RecipeError(GalaxyMapsError):
    """A setting that does not exist or has a value that makes no sense."""


class ModelError(GalaxyMapsError):
    """A model that is unknown, damaged, or cannot work with what it was given."""


_DAMAGED = (EOFError, UnicodeError, zlib.error)
_DAMAGED_NAMES = ("BadZipFile", "VerifyError")
"""Errors of zipfile, which would be loaded for this alone, and of astropy."""
_WRONG = {
    errno.ENOENT: "does not exist; check the path",
    errno.EACCES: "may not be read or written; check its permissions",
    errno.EPERM: "may not be read or written; check its permissions",
    errno.EISDIR: "is a folder; give the name of a file",
    errno.ENOTDIR: "lies in a file, not a folder; check the path",
    errno.ENAMETOOLONG: "has too long a name; choose a shorter one",
    errno.ELOOP: "is a link that leads to itself; mend the link, or choose another name",
    errno.ENOSPC: "cannot be written: the disk is full; free some space or choose another disk",
    errno.EDQUOT: "cannot be written: your share of the disk is used up; free some space",
    errno.EROFS: "cannot be written: the disk is read-only; choose another folder",
    errno.EMFILE: "cannot be opened: too many files are open; close other programs",
    errno.EIO: "cannot be read or written: the disk reports an error; try another disk",
}
"""What is wrong with a file by the number of the system's error, and what to do."""


def in_words(error: BaseException, places: Places | None = None) -> str | None:
    """What a person can put right, in a sentence; None where the program is at fault.

    Parameters
    ----------
    error : BaseException
        One of this module, or one of the system or a library about a file, the memory or the disk.
        Where it does not tell its file, that is what the innermost function calls ``path``.
    places : callable, optional
        Where the face that shows the sentence takes the settings that the error asks for.
    """
    if isinstance(error, GalaxyMapsError):
        where = places(error.settings) if places is not None and error.settings else ""
        return f"{str(error).removesuffix('.')} ({where})." if where else str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's
        return (
            "There is not enough memory; close other programs, take larger pixels or fewer bands, "
            "or a machine with more memory."
        )
    file = _file_of(error)
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # pathlib's
        return f"{file or 'A path'} begins with a home that is not known; write the whole path."
    of_file = isinstance(error, (OSError, *_DAMAGED)) or type(error).__name__ in _DAMAGED_NAMES
    return about_file(file, error) if file and of_file else None


def about_file(file: str | os.PathLike[str], error: BaseException) -> str:
    """What is wrong with a file that could not be read or written, and what to do."""
    name = os.fspath(file)
    name = name if len(name) <= 200 else f"{name[:200]}..."
    number = error.errno if isinstance(error, OSError) else None
    if "requested and" in str(error):  # how numpy says that a disk is full, and astropy after it
        number = errno.ENOSPC
    if number in _WRONG:
        return f"{name} {_WRONG[number]}."
    return f"{name} cannot be read or written ({brief(error)}); fetch or make it again."


def brief(error: BaseException) -> str:
    """The first line of an error's message, or what it is called, in at most 120 characters."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _file_of(error: BaseException) -> str:
    """The file that an error is about; empty where nothing tells it."""
    file = getattr(error, "filename", None)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        path = frame.f_locals.get("path")
        if isinstance(path, str | os.PathLike) and not getattr(error, "filename", None):
            file = path
    return os.fspath(file) if isinstance(file, str | os.PathLike) else ""
