"""The images in FITS files and folders: finding them, and saying of each what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..bands.cameras import CAMERAS
from ..data.recipe import InputSettings
from ..exceptions import InputError, RecipeError
from ..progress import Progress, Steps, run_to_end
from .beside_files import with_beside
from .image_file import ImageFile
from .image_names import names_file
from .images_of_file import Finding, PassedOver, images_of_file, understood
from .map_files import is_maps
from .psf_files import read_stamp
from .quiet import quiet
from .which_role import OF_THE_SKY

FITS_ENDINGS = (
    *(
        f"{ending}{packed}"
        for ending in (".fits", ".fit", ".fts")
        for packed in ("", ".gz", ".bz2", ".fz")
    ),
    ".fz",
)


def is_fits_name(name: str) -> bool:
    """Whether a file of this name in a folder is looked into: it ends as FITS files do, and does
    not begin with a dot, as a killed run's unfinished files and macOS's notes on files do.
    """
    return name.lower().endswith(FITS_ENDINGS) and not name.startswith(".")


def find_images(
    paths: Sequence[str | Path],
    skipped: list[str] | None = None,
    map_files: list[Path] | None = None,
    told: InputSettings | None = None,
    passed: list[PassedOver] | None = None,
) -> list[ImageFile]:
    """The images in files and folders.

    Parameters
    ----------
    paths : sequence of path
        FITS files, plain or packed with gzip, bzip2 or fpack, of one or many extensions; folders of
        them.
    skipped : list of str, optional
        Takes a sentence for each thing in a folder or a multi-extension file that is not an image
        of the sky.
    map_files : list of Path, optional
        Takes the files of maps in a folder; without it, they are passed over with a sentence.
    told : InputSettings, optional
        What a person says of their roles, and which to leave out; the rest is for `settle`.
    passed : list of PassedOver, optional
        Takes the images that are not read, for what they are or because a person leaves them out.

    Returns
    -------
    list of ImageFile
        In the order of the paths; in a folder, by name. Masks and exposure maps are among them, and
        those that lie beside an image by the names of its survey at the end; the images know which
        are theirs, as far as their bands are known.

    Raises
    ------
    InputError
        When a named file is missing, damaged, not FITS, or holds no image; when a folder holds no
        image of the sky.
    RecipeError
        When a person speaks of an image that a file has not.
    """
    return run_to_end(find_images_steps(paths, skipped, map_files, told, passed))


def find_images_steps(
    paths: Sequence[str | Path],
    skipped: list[str] | None = None,
    map_files: list[Path] | None = None,
    told: InputSettings | None = None,
    passed: list[PassedOver] | None = None,
) -> Steps[list[ImageFile]]:
    """`find_images`, yielding before every file."""
    finding = Finding(InputSettings() if told is None else told)
    try:
        with quiet():
            found = yield from _find(paths, finding, map_files)
    finally:
        if skipped is not None:
            skipped += dict.fromkeys(finding.skipped)
        if passed is not None:
            passed += finding.passed
    return with_beside(_with_unique_labels(found))


def _find(
    paths: Sequence[str | Path], finding: Finding, map_files: list[Path] | None
) -> Steps[list[ImageFile]]:
    """The images in files and folders, and those that lie beside them."""
    found: list[ImageFile] = []
    read: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            members = yield from _members(path, finding.skipped, map_files)
            found += yield from _in_folder(path, members, finding)
        else:
            members = [path]
            found += _in_file(path, finding)
        read |= set(members)
    finding.images = found
    again, finding.without_wcs = finding.without_wcs, []
    for path in dict.fromkeys(again):
        finding.skipped = [text for text in finding.skipped if not text.startswith(str(path))]
        finding.passed = [other for other in finding.passed if other.place.path != path]
        there = [image.place for image in found]
        found += [i for i in _if_readable(path, finding) if i.place not in there]
    for path in dict.fromkeys(other for image in found for other in exposures_beside(image.path)):
        if path not in read:
            found += _if_readable(path, finding)
    return found


def _in_folder(folder: Path, members: Sequence[Path], finding: Finding) -> Steps[list[ImageFile]]:
    """The images of the files of a folder, those that are damaged passed over."""
    before = len(finding.skipped)
    inside: list[ImageFile] = []
    for done, member in enumerate(members):
        yield Progress("open", done, len(members), member.name)
        inside += _if_readable(member, finding)
    if not any(image.role in OF_THE_SKY for image in inside):
        reasons = [
            *finding.skipped[before:],
            *(f"{image.label} is a map of the role {image.role!r}" for image in inside),
        ]
        why = f" ({reasons[0].removesuffix('.')})" if reasons else ""
        raise InputError(f"The folder {folder} holds no FITS image of the sky{why}.")
    return inside


def _in_file(path: Path, finding: Finding) -> list[ImageFile]:
    """The images of a named file."""
    before, waiting = len(finding.skipped), len(finding.without_wcs)
    inside = images_of_file(path, finding)
    if not inside and len(finding.without_wcs) == waiting:
        raise InputError(_main_reason(path, finding.skipped[before:]))
    return inside


def _if_readable(path: Path, finding: Finding) -> list[ImageFile]:
    """The images of a file; none, and a sentence, where it is damaged."""
    try:
        return images_of_file(path, finding)
    except InputError as error:
        finding.skipped.append(str(error))
        return []


def exposures_beside(path: Path) -> list[Path]:
    """The exposure map that lies beside an image by the names of its survey's archive."""
    for camera in CAMERAS.values():
        for word, others in camera.exposures.items():
            for other in others:
                name = re.sub(rf"(?<=[-_.]){word}(?=[-_.])", other, path.name)
                if name != path.name and path.with_name(name).is_file():
                    return [path.with_name(name)]
    return []


def _members(folder: Path, skipped: list[str], map_files: list[Path] | None) -> Steps[list[Path]]:
    """The FITS files of a folder, by name, without those of maps."""
    members = _fits_files(folder)
    maps: list[Path] = []
    for member in members:
        yield Progress("open", 0, len(members), f"looking into {member.name}")
        maps += [member] if is_maps(member) else []
    if map_files is None:
        skipped += [f"{path.name} holds maps, not images; open it by itself." for path in maps]
    else:
        map_files += maps
    return [member for member in members if member not in maps]


def _fits_files(folder: Path) -> list[Path]:
    """The FITS files of a folder, by name."""
    try:
        return sorted(p for p in folder.iterdir() if is_fits_name(p.name) and p.is_file())
    except OSError:
        raise InputError(f"The folder {folder} may not be read; check its permissions.") from None


def check_names(paths: Sequence[str | Path], told: InputSettings) -> None:
    """Check that the files are there of which a person tells the role, or that are to be left out.

    Raises
    ------
    RecipeError
        When one is not.
    """
    keys = (*told.roles, *told.leave_out)
    if not keys:
        return
    files: list[Path] = []
    for path in map(Path, paths):
        files += _fits_files(path) if path.is_dir() else [path]
    files += [other for file in files for other in exposures_beside(file)]
    for key in keys:
        if not any(names_file(key, file) for file in files):
            known = ", ".join(f.name for f in files[:20])
            raise RecipeError(
                f"{key!r}, which is to be left out or of which a role is told, is none of the "
                f"files ({known})."
            )


def _main_reason(path: Path, reasons: list[str]) -> str:
    """One sentence for a file that holds no image: the first reason that is about an image, else
    the first.
    """
    about_images = [r for r in reasons if "table" not in r and "no image" not in r]
    reason = (about_images or reasons or [f"{path} holds no image."])[0]
    return reason if str(path) in reason else f"{path}: {reason}"


def _with_unique_labels(images: list[ImageFile]) -> list[ImageFile]:
    labels = [image.label for image in images]
    return [
        replace(image, label=f"{image.path.parent.name}/{image.label}")
        if labels.count(image.label) > 1
        else image
        for image in images
    ]


def settle(
    image: ImageFile,
    *,
    band: str | None = None,
    unit: str | None = None,
    psf: float | str | None = None,
    zero_point: str | None = None,
    beam: float | None = None,
) -> ImageFile:
    """The image with what a person says of it.

    Parameters
    ----------
    image : ImageFile
        As found.
    band : str, optional
        Name or alias of its band.
    unit : str, optional
        Its unit.
    psf : float or str, optional
        FWHM of its PSF in arcsec, or a FITS file with a picture of it.
    zero_point : str, optional
        Magnitude of one count, count per second or maggy, its system and what it is for, as far as
        they have to be told: ``"22.5 AB"``, ``"Vega"``, ``"25 AB per second"``.
    beam : float, optional
        Solid angle of its beam in arcsec2.

    Raises
    ------
    InputError
        When there is no such band, the unit or the zero point is not understood, or the file holds
        no PSF.
    """
    given: dict[str, Any] = {"band": band, "unit": unit, "zero_point": zero_point, "beam": beam}
    if psf is not None:
        given["psf"] = read_stamp(psf) if isinstance(psf, str) else float(psf)
    given = {key: value for key, value in given.items() if value is not None}
    return understood(replace(image, told=replace(image.told, **given))) if given else image
