"""The images in FITS files and folders: finding them, and saying of each what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import Band, get_band
from ..bands.units import ZeroPoint
from ..constants import SR_PER_ARCSEC2
from ..data.galaxy import Stamp
from ..data.question import BAND, Question
from ..data.recipe import InputSettings
from ..exceptions import GalaxyMapsError, InputError, RecipeError, brief
from .cube_files import holds_cube
from .error_planes import role_of_utype, what_for
from .evidence import KEYWORDS, UNITS, ImageWords, sentence
from .header_words import Words, merged
from .linear_pixels import linear_pixels
from .map_files import is_maps
from .open_fits import BROKEN, opened
from .pixel_area import pixel_area
from .planes import Plane, is_left_out, planes_of
from .psf_files import read_stamp
from .quiet import quiet
from .sky_coordinates import coordinates
from .which_band import BandGuess, bands_in_name, guess_band
from .which_beam import guess_beam
from .which_role import OF_THE_SKY, guess_role
from .which_unit import guess_unit

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

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


_NO_WCS = "has no sky coordinates (WCS) in its header; add them, e.g. with astrometry.net"


@dataclass(frozen=True)
class Told:
    """What a person says of an image; what is None, its words have to say."""

    band: str | None = None
    unit: str | None = None
    zero_point: str | None = None
    beam: float | None = None
    psf: float | Stamp | None = None


@dataclass(frozen=True)
class ImageFile:
    """One image in a file, with what is known of it before its pixels are read.

    Attributes
    ----------
    path : Path
        The file.
    hdu : int
        Number of the extension.
    label : str
        File name, with ``[n]`` where the file holds several images; the key of `--band` and of the
        recipe.
    shape : tuple of int
        (ny, nx).
    wcs : astropy.wcs.WCS
        Two-dimensional celestial coordinates.
    header : astropy.io.fits.Header
        Of the extension.
    band : Band or None
        None where it has to be asked for.
    band_reason, unit_reason : str
        Why, in words.
    band_candidates : tuple of str
        The likely ones where it has to be asked for.
    unit : str or None
        None where it has to be asked for.
    unit_suggestion : str or None
        The likely one then; offered, never used in silence.
    role : str
        ``"image"``, ``"uncertainty"``, ``"variance"`` or ``"weight"`` (inverse variance).
    fwhm : float
        Of the PSF in arcsec: the header's beam, or the band's usual one; 0 where the band is
        unknown.
    psf : Stamp or None
        The measured PSF that a person gave.
    zero_point : ZeroPoint or None
        What one count, count per second or maggy stands for, where the unit needs it.
    beam : (float, str) or None
        Solid angle of the beam in arcsec2 and where it is from, where the unit needs it.
    old_pixel : float or None
        Side in arcsec of the pixels of the survey's own images.
    questions : tuple of Question
        What a person has to settle before the image can be used.
    notes : tuple of str
        What has to be told of how the file was understood.
    words : Words
        Of its headers.
    told : Told
        What a person said of it.
    extension : str
        Name of its extension, where the file holds several images.
    plane : int or None
        Its plane, where the extension is a cube whose planes are bands.
    pixel_arcsec : float
        Side of a square that has the median solid angle of its pixels.
    """

    path: Path
    hdu: int
    label: str
    shape: tuple[int, int]
    wcs: WCS
    header: Header
    band: Band | None
    band_reason: str
    band_candidates: tuple[str, ...]
    unit: str | None
    unit_reason: str
    unit_suggestion: str | None
    role: str
    fwhm: float
    psf: Stamp | None = None
    zero_point: ZeroPoint | None = None
    beam: tuple[float, str] | None = None
    old_pixel: float | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    words: Words = field(default_factory=lambda: Words({}), compare=False, repr=False)
    told: Told = Told()
    extension: str = ""
    plane: int | None = None
    pixel_arcsec: float = 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """The questions as sentences that name the file."""
        return tuple(str(question) for question in self.questions)

    def load(self, notes: list[str] | None = None) -> np.ndarray:
        """The pixels as float32 in native byte order, NaN where blank, shape (ny, nx), in the
        file's unit; linear where the file has them on an asinh scale.

        Values that stand for no data become NaN. An image in magnitudes becomes 10^(-0.4 m); an
        uncertainty in magnitudes stays what it is.

        Parameters
        ----------
        notes : list of str, optional
            Takes a sentence for what was made blank or linear.

        Raises
        ------
        InputError
            When the file is damaged, holds no valid pixel, or has a scale without a way back.
        """
        with opened(self.path) as hdus:
            try:
                data = np.asarray(hdus[self.hdu].data).reshape(-1, *self.shape)[self.plane or 0]
                data = data.astype(np.float64 if data.dtype.itemsize > 4 else np.float32)
                own = hdus[self.hdu].header
            except BROKEN as error:
                raise InputError(
                    f"{self.path} is damaged or cut short ({brief(error)}); fetch it again."
                ) from None
            if self.role != "image" and "BSOFTEN" in self.header and "BSOFTEN" not in own:
                raise InputError(
                    f"{self.label}: its file has an asinh scale (BSOFTEN), and nothing tells "
                    "whether this plane is on it; leave it out."
                )
        data, told = linear_pixels(data, self.header, self.unit, self.role, self.label)
        if notes is not None:
            notes += told
        if not np.isfinite(data).any():
            raise InputError(f"{self.label} holds no valid pixel: all are blank; leave it out.")
        return data


def _read_file(path: Path, skipped: list[str], told: InputSettings) -> list[ImageFile]:
    """The images of one file; what cannot be one is told in `skipped`."""
    found: list[ImageFile] = []
    with opened(path) as hdus:
        if holds_cube(hdus):
            raise InputError(f"{path.name} is a prepared cube; open it by itself.")
        planes = planes_of(hdus, path, skipped)
        wanted = [plane for plane in planes if not is_left_out(plane, path, told.leave_out)]
        skipped += [
            f"{plane.label} is left out, as told." for plane in planes if plane not in wanted
        ]
        first_wcs: dict[tuple[int, int], WCS] = {}
        for plane in wanted:
            role = _role_of(plane, path, told.roles)
            if role not in OF_THE_SKY:
                use = what_for(plane.name) if plane.name else "which is not used"
                skipped.append(f"{plane.label} is a {plane.name or role} image, {use}.")
                continue
            primary = hdus[0].header if plane.number else None
            wcs, why = _coordinates(plane, primary, first_wcs, role)
            if wcs is None:
                place = str(path) if len(planes) == 1 else plane.label
                skipped.append(f"{place} {why or _NO_WCS}.")
                continue
            first_wcs.setdefault(plane.shape, wcs)
            # The unit of a primary image is not that of its uncertainty in an extension.
            without = KEYWORDS[UNITS] if role != "image" else ()
            image = ImageFile(
                path, plane.number, plane.label, plane.shape, wcs, merged(plane.header, primary),
                None, "", (), None, "", None, role, 0.0, plane=plane.index, extension=plane.name,
                words=Words(plane.header, primary, without, plane.words),
                pixel_arcsec=_pixel_arcsec(wcs, plane.shape),
            )  # fmt: skip
            found.append(_understood(image))
    return _with_one_error(found, skipped)


def _pixel_arcsec(wcs: WCS, shape: tuple[int, int]) -> float:
    return float(np.sqrt(np.nanmedian(pixel_area(wcs, shape)) / SR_PER_ARCSEC2))


def _role_of(plane: Plane, path: Path, told: Mapping[str, str]) -> str:
    """What an image is for, as a person, its header or its names say."""
    for key in (plane.label, f"{path.name}[{plane.name}]", path.name, str(path)):
        if key in told:
            return told[key]
    pattern = next((key for key in told if fnmatch(path.name, key)), None)
    if pattern is not None:
        return told[pattern]
    return role_of_utype(plane.header) or guess_role(plane.name, path.name)


def _coordinates(
    plane: Plane, primary: Header | None, first: Mapping[tuple[int, int], WCS], role: str
) -> tuple[WCS | None, str]:
    """The coordinates of an image, its own, the file's, or those of an image of the same shape
    before it; and what is wrong with them.
    """
    wcs, why = coordinates(plane.header, plane.shape)
    if wcs is None and primary is not None and not why:
        wcs, why = coordinates(primary, plane.shape)
    if wcs is None and (role != "image" or (plane.number and not why)):
        wcs = first.get(plane.shape)
    return wcs, why


def _with_one_error(images: list[ImageFile], skipped: list[str]) -> list[ImageFile]:
    """The images of one file without the error planes that tell again, or in part, what another
    one tells: JWST's files hold an error, three parts of its variance and a weight.
    """
    if [image.role for image in images].count("image") != 1:
        return images
    errors = [image for image in images if image.role != "image"]
    for role in ("uncertainty", "variance"):
        best = [image for image in errors if image.role == role]
        if len(best) == 1:
            skipped += [
                f"{image.label} is another error plane than {best[0].label}, which is used."
                for image in errors
                if image is not best[0]
            ]
            return [image for image in images if image.role == "image" or image is best[0]]
    return images


def _read_in_words(path: Path, skipped: list[str], told: InputSettings) -> list[ImageFile]:
    """As `_read_file`; whatever a damaged header leads to becomes a sentence."""
    try:
        return _read_file(path, skipped, told)
    except (GalaxyMapsError, MemoryError):
        raise
    except Exception as error:  # what damaged headers lead to has no common base
        raise InputError(
            f"{path} has a header that cannot be understood ({brief(error)}); mend it, or fetch "
            "the file again."
        ) from error


def _telling_name(image: ImageFile) -> str:
    """The name that tells an image's band: that of its extension, where it tells one; of a plane
    among others the file's name tells nothing.
    """
    if image.extension and bands_in_name(f"{image.extension}.fits"):
        return f"{image.extension}.fits"
    return image.path.name if image.plane is None else ""


def _understood(image: ImageFile) -> ImageFile:
    """The image with what its words, its name and a person say of it, agreed or asked."""
    told, path, pixel = image.told, image.path, image.pixel_arcsec
    if told.band is not None:
        guess = BandGuess(get_band(told.band), "told")
    else:
        guess = guess_band(image.words, _telling_name(image))
    asked = ImageWords(image.words, path.name, image.label, guess.band, pixel)
    questions: list[Question] = []
    if guess.band is None:
        likely = f" ({' or '.join(guess.candidates)}?)" if guess.candidates else ""
        text = f"Which band is it{likely}? {sentence(guess.reason)}"
        questions.append(asked.asks(BAND, text, guess.candidates).question)
    unit = guess_unit(asked, told.unit, told.zero_point)
    stamp = told.psf if isinstance(told.psf, Stamp) else None
    fwhm = round(stamp.fwhm, 2) if stamp is not None else told.psf
    beam = guess_beam(asked, unit.unit, fwhm if isinstance(fwhm, float) else None, told.beam)
    return replace(
        image,
        band=guess.band,
        band_reason=guess.reason,
        band_candidates=guess.candidates,
        unit=unit.unit,
        unit_reason=unit.reason,
        unit_suggestion=unit.suggestion,
        fwhm=beam.fwhm,
        psf=stamp,
        zero_point=unit.zero_point,
        beam=beam.beam,
        old_pixel=unit.old_pixel,
        questions=(*questions, *unit.questions, *beam.questions),
        notes=(*unit.notes, *beam.notes),
    )


@quiet()
def find_images(
    paths: Sequence[str | Path],
    skipped: list[str] | None = None,
    map_files: list[Path] | None = None,
    told: InputSettings | None = None,
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

    Returns
    -------
    list of ImageFile
        In the order of the paths; in a folder, by name.

    Raises
    ------
    InputError
        When a named file is missing, damaged, not FITS, or holds no image of the sky; when a folder
        holds none.
    """
    skipped = [] if skipped is None else skipped
    told = InputSettings() if told is None else told
    found: list[ImageFile] = []
    for path in map(Path, paths):
        if path.is_dir():
            members = _members(path, skipped, map_files)
            inside: list[ImageFile] = []
            for member in members:
                try:
                    inside += _read_in_words(member, skipped, told)
                except InputError as error:
                    skipped.append(str(error))
            if not inside:
                why = f" ({skipped[0]})" if skipped else ""
                raise InputError(f"The folder {path} holds no FITS image of the sky{why}.")
        else:
            reasons: list[str] = []
            inside = _read_in_words(path, reasons, told)
            if not inside:
                raise InputError(_main_reason(path, reasons))
            skipped += reasons
        found += inside
    return _with_unique_labels(found)


def _members(folder: Path, skipped: list[str], map_files: list[Path] | None) -> list[Path]:
    """The FITS files of a folder, by name, without those of maps."""
    members = _fits_files(folder)
    maps = [member for member in members if is_maps(member)]
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
    for key in keys:
        name = re.sub(r"(?<=.)\[[^\[\]]*\]$", "", key)
        if not any(name in (f.name, str(f)) or fnmatch(f.name, key) for f in files):
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
    return _understood(replace(image, told=replace(image.told, **given))) if given else image
