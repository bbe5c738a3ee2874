"""From FITS files to images: finding them, saying what each is, and reading one as surface brightness."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands import Band, get_band
from ..exceptions import InputError, UnresolvedError
from ..galaxy import BandImage
from ..maps import PROPERTIES
from ..units import KNOWN_UNITS, canonical_unit, surface_brightness_factor
from .identify import guess_band, guess_role, guess_unit

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS

FITS_ENDINGS = (
    *(f"{ending}{packed}" for ending in (".fits", ".fit", ".fts") for packed in ("", ".gz", ".bz2", ".fz")),
    ".fz",
)

_BROKEN = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


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
        File name, with ``[n]`` where the file holds several images; the key of `--band` and of the recipe.
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
        Of the PSF in arcsec: the header's beam, or the band's usual one; 0 where the band is unknown.
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

    @property
    def pixel_arcsec(self) -> float:
        """Side of a square pixel of the same area, in arcsec."""
        from astropy.wcs.utils import proj_plane_pixel_area

        return float(np.sqrt(proj_plane_pixel_area(self.wcs)) * 3600)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person has to settle before the image can be used, a sentence each."""
        found = []
        if self.band is None:
            likely = f" ({' or '.join(self.band_candidates)}?)" if self.band_candidates else ""
            found.append(f"{self.label}: which band is it{likely}? {_sentence(self.band_reason)}")
        if self.unit is None:
            likely = f" ({self.unit_suggestion}?)" if self.unit_suggestion else ""
            found.append(f"{self.label}: which unit has it{likely}? {_sentence(self.unit_reason)}")
        return tuple(found)

    def load(self) -> np.ndarray:
        """The pixels as float32 in native byte order, NaN where blank, shape (ny, nx), in the file's unit.

        Raises
        ------
        InputError
            When the file is damaged, or holds no valid pixel.
        """
        with opened(self.path) as hdus:
            try:
                data = np.squeeze(np.asarray(hdus[self.hdu].data)).reshape(self.shape).astype(np.float32)
            except _BROKEN as error:
                raise InputError(f"{self.path} is damaged or cut short ({_brief(error)}); fetch it again.") from None
        data[~np.isfinite(data)] = np.nan
        if not np.isfinite(data).any():
            raise InputError(f"{self.label} holds no valid pixel: all are blank; leave it out.")
        return data


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _brief(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


@contextmanager
def opened(path: Path) -> Iterator[HDUList]:
    """The file's extensions; whatever is wrong with the file becomes one sentence."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning
    from astropy.wcs import FITSFixedWarning

    if not path.exists():
        raise InputError(f"{path} does not exist; check the path.")
    try:
        size = path.stat().st_size
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("ignore", FITSFixedWarning)
            warnings.filterwarnings("error", message=".*truncated.*", category=AstropyUserWarning)
            hdus = fits.open(path, memmap=False, lazy_load_hdus=False)
    except PermissionError:
        raise InputError(f"{path} may not be read; check its permissions.") from None
    except AstropyUserWarning:
        raise InputError(f"{path} is cut short: it is smaller than its header says; fetch it again.") from None
    except EOFError:
        raise InputError(f"{path} is cut short: its compressed data end too early; fetch it again.") from None
    except _BROKEN as error:
        what = "is empty" if size == 0 else f"is not a FITS file ({_brief(error)})"
        raise InputError(f"{path} {what}; give FITS images, packed with gzip, bzip2 or fpack or not.") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield hdus
    finally:
        hdus.close()


def image_wcs(header: Header, shape: tuple[int, ...]) -> WCS | None:
    """Two-dimensional celestial WCS, or None."""
    from astropy.wcs import WCS

    try:
        wcs = WCS(header)
        if not wcs.has_celestial:
            return None
        # A plain image keeps its whole WCS: `.celestial` would drop distortion tables.
        return wcs if wcs.naxis == 2 else wcs.celestial
    except Exception:  # wcslib's and astropy's errors for broken headers have no common base
        return None


def _plane_shape(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """(ny, nx) of an image, also of one inside degenerate axes; None for a true cube or a line."""
    squeezed = [n for n in shape[:-2] if n != 1]
    return (shape[-2], shape[-1]) if len(shape) >= 2 and not squeezed else None


def _why_unusable(hdu: Any) -> str | None:
    """What is wrong with an extension as an image, or None."""
    if not getattr(hdu, "is_image", False):
        return "holds a table, not an image"
    shape = hdu.shape
    if not shape:
        return "holds no image"
    if 0 in shape:
        return f"has an image without pixels ({' x '.join(map(str, shape[::-1]))})"
    if _plane_shape(shape) is None:
        sides = " x ".join(map(str, shape[::-1]))
        return (
            f"holds a {'cube' if len(shape) > 2 else 'line'} of {sides} pixels, not an image; extract one plane of it"
        )
    return None


def _read_file(path: Path, skipped: list[str]) -> list[ImageFile]:
    """The images of one file; what cannot be one is told in `skipped`."""
    found: list[ImageFile] = []
    with opened(path) as hdus:
        usable = []
        for number, hdu in enumerate(hdus):
            if number == 0 and not hdu.shape and len(hdus) > 1:
                continue
            why = _why_unusable(hdu)
            if why is None:
                usable.append((number, hdu))
            else:
                place = f"{path.name}[{number}]" if len(hdus) > 1 else str(path)
                skipped.append(f"{place} {why}.")
        first_wcs: dict[tuple[int, int], WCS] = {}
        for number, hdu in usable:
            label = f"{path.name}[{number}]" if len(usable) > 1 else path.name
            shape = _plane_shape(hdu.shape)
            assert shape is not None
            header = hdu.header.copy()
            for card in hdus[0].header.cards if number else ():
                if (
                    card.keyword
                    and card.keyword not in header
                    and not card.keyword.startswith(("NAXIS", "HISTORY", "COMMENT"))
                ):
                    header.append(card, end=True)
            role = guess_role(hdu.name, path.name)
            if role == "other":
                skipped.append(f"{label} is a {hdu.name or 'mask or coverage'} image, which is not used.")
                continue
            wcs = image_wcs(hdu.header, shape) or (first_wcs.get(shape) if role != "image" or number else None)
            if wcs is None:
                skipped.append(
                    f"{path if len(usable) == 1 else label} has no sky coordinates (WCS) in its header; "
                    "add them, e.g. with astrometry.net."
                )
                continue
            first_wcs.setdefault(shape, wcs)
            found.append(_describe(path, number, label, shape, wcs, header, role, several=len(usable) > 1))
    return found


def _describe(
    path: Path, number: int, label: str, shape: tuple[int, int], wcs: WCS, header: Header, role: str, several: bool
) -> ImageFile:
    name = f"{header.get('EXTNAME', '')}.fits" if several and header.get("EXTNAME") else path.name
    guess = guess_band(header, name)
    if guess.band is None and name != path.name and not guess.candidates:
        guess = guess_band(header, path.name)
    unit, unit_reason, suggestion = guess_unit(header, path.name, guess.band)
    image = ImageFile(
        path, number, label, shape, wcs, header, guess.band, guess.reason, guess.candidates, unit, unit_reason, suggestion,
        role, 0.0,
    )  # fmt: skip
    return replace(image, fwhm=_fwhm(header, guess.band))


def _fwhm(header: Header, band: Band | None) -> float:
    """FWHM of the PSF in arcsec: the beam in the header, or the band's."""
    if "BMAJ" in header:
        return float(np.sqrt(header["BMAJ"] * header.get("BMIN", header["BMAJ"])) * 3600)
    if band is None:
        return 0.0
    # WISE's Atlas coadds were convolved with the PSF once more (Lang 2014, Sect. 1); only they have a COADDID.
    return round(band.fwhm * (np.sqrt(2) if band.survey == "WISE" and "COADDID" in header else 1.0), 2)


def find_images(paths: Sequence[str | Path], skipped: list[str] | None = None) -> list[ImageFile]:
    """The images in files and folders.

    Parameters
    ----------
    paths : sequence of path
        FITS files, plain or packed with gzip, bzip2 or fpack, of one or many extensions; folders of them.
    skipped : list of str, optional
        Takes a sentence for each thing in a folder or a multi-extension file that is not an image of the sky.

    Returns
    -------
    list of ImageFile
        In the order of the paths; in a folder, by name.

    Raises
    ------
    InputError
        When a named file is missing, damaged, not FITS, or holds no image of the sky; when a folder holds none.
    """
    skipped = [] if skipped is None else skipped
    found: list[ImageFile] = []
    for path in map(Path, paths):
        if path.is_dir():
            try:
                members = sorted(p for p in path.iterdir() if p.name.lower().endswith(FITS_ENDINGS) and p.is_file())
            except OSError:
                raise InputError(f"The folder {path} may not be read; check its permissions.") from None
            inside: list[ImageFile] = []
            for member in members:
                if is_maps(member):
                    skipped.append(f"{member.name} holds maps, not images; open it by itself.")
                    continue
                try:
                    inside += _read_file(member, skipped)
                except InputError as error:
                    skipped.append(str(error))
            if not inside:
                why = f" ({skipped[0]})" if skipped else ""
                raise InputError(f"The folder {path} holds no FITS image of the sky{why}.")
            found += inside
        else:
            reasons: list[str] = []
            inside = _read_file(path, reasons)
            if not inside:
                raise InputError(_main_reason(path, reasons))
            skipped += reasons
            found += inside
    return _with_unique_labels(found)


def _main_reason(path: Path, reasons: list[str]) -> str:
    """One sentence for a file that holds no image: the first reason that is about an image, else the first."""
    about_images = [r for r in reasons if "table" not in r and "no image" not in r]
    reason = (about_images or reasons or [f"{path} holds no image."])[0]
    return reason if str(path) in reason else f"{path}: {reason}"


def _with_unique_labels(images: list[ImageFile]) -> list[ImageFile]:
    labels = [image.label for image in images]
    return [
        replace(image, label=f"{image.path.parent.name}/{image.label}") if labels.count(image.label) > 1 else image
        for image in images
    ]


def settle(
    image: ImageFile, *, band: str | None = None, unit: str | None = None, fwhm: float | None = None
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
    fwhm : float, optional
        Of its PSF, arcsec.

    Raises
    ------
    InputError
        When there is no such band, the unit is not understood, or the FWHM is not positive.
    """
    if band is not None:
        chosen = get_band(band)
        image = replace(image, band=chosen, band_reason="told", band_candidates=(), fwhm=_fwhm(image.header, chosen))
        if image.unit is None:
            found, reason, suggestion = guess_unit(image.header, image.path.name, chosen)
            image = replace(image, unit=found, unit_reason=reason, unit_suggestion=suggestion)
    if unit is not None:
        canonical = canonical_unit(unit)
        if canonical is None:
            raise InputError(
                f"{image.label}: the unit {unit!r} is not understood; give one such as {', '.join(KNOWN_UNITS)}."
            )
        image = replace(image, unit=canonical, unit_reason="told", unit_suggestion=None)
    if fwhm is not None:
        if not (np.isfinite(fwhm) and fwhm > 0):
            raise InputError(f"{image.label}: a PSF's FWHM is a positive number of arcsec, not {fwhm}.")
        image = replace(image, fwhm=float(fwhm))
    return image


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_band_image(image: ImageFile, uncertainty: ImageFile | None = None) -> BandImage:
    """The image as surface brightness.

    Parameters
    ----------
    image : ImageFile
        With band and unit settled.
    uncertainty : ImageFile, optional
        Its 1-sigma error, variance or inverse variance, of the same shape.

    Returns
    -------
    BandImage
        In MJy/sr.

    Raises
    ------
    UnresolvedError
        When band or unit are not known, or a zero point is missing.
    InputError
        When a file is damaged or blank, or the uncertainty has another shape.
    """
    if image.problems:
        raise UnresolvedError(" ".join(image.problems))
    assert image.band is not None and image.unit is not None
    factor, note = _factor(image, image.unit)
    data = image.load() * np.float32(factor)
    data, blanked = _without_empty_border(data, image)
    error = None
    if uncertainty is not None:
        error = _read_uncertainty(image, uncertainty)
        note += f"; {uncertainty.role} from {uncertainty.label}"
    return BandImage(
        data, image.band, image.wcs, uncertainty=error, fwhm=image.fwhm, header=image.header, path=image.path, unit=image.unit,
        notes=(note, *blanked), meta={"checksum": sha256(image.path), "label": image.label},
    )  # fmt: skip


def _factor(image: ImageFile, unit: str) -> tuple[float, str]:
    from astropy.wcs.utils import proj_plane_pixel_area

    assert image.band is not None
    pixel_sr = float(proj_plane_pixel_area(image.wcs)) * (np.pi / 180) ** 2
    return surface_brightness_factor(unit, image.band, pixel_sr, image.header, image.fwhm, image.label)


def _without_empty_border(data: np.ndarray, image: ImageFile) -> tuple[np.ndarray, tuple[str, ...]]:
    """NaN in place of zeros outside a survey's coverage: those of one piece with the border, where they are many.

    Count images keep theirs, which are measurements.
    """
    zero = data == 0
    if image.header.get("BITPIX", -32) > 0 or image.unit in ("counts/s", "DN") or zero.mean() < 0.01:
        return data, ()
    from scipy import ndimage

    pieces, _ = ndimage.label(zero)
    rim = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    empty = np.isin(pieces, rim[rim > 0])
    if empty.mean() < 0.01 or empty.all():
        return data, ()
    return np.where(empty, np.float32(np.nan), data), (
        f"{empty.mean():.0%} of the pixels, zero at the border, taken as blank",
    )


def _read_uncertainty(image: ImageFile, uncertainty: ImageFile) -> np.ndarray:
    if uncertainty.shape != image.shape:
        raise InputError(
            f"{uncertainty.label} is {uncertainty.shape[1]} x {uncertainty.shape[0]} pixels but its image {image.label} is "
            f"{image.shape[1]} x {image.shape[0]}; leave it out or cut it alike."
        )
    assert image.unit is not None
    values = uncertainty.load()
    if uncertainty.role == "uncertainty":
        # An error image has the unit of its image unless its own header says otherwise.
        unit = uncertainty.unit or image.unit
        factor, _ = _factor(replace(uncertainty, band=image.band, fwhm=image.fwhm), unit)
        return np.abs(values) * np.float32(factor)
    factor, _ = _factor(image, image.unit)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(values if uncertainty.role == "variance" else 1 / values) * np.float32(factor)
    error[~np.isfinite(error)] = np.nan
    return error.astype(np.float32)


def join(images: Sequence[ImageFile]) -> dict[str, tuple[ImageFile, ImageFile | None]]:
    """Each band's image with its uncertainty.

    Returns
    -------
    dict
        (image, uncertainty or None) by band name, in order of wavelength.

    Raises
    ------
    InputError
        When a band is there twice, or an uncertainty has no image.
    """
    chosen: dict[str, ImageFile] = {}
    errors: dict[str, ImageFile] = {}
    for image in images:
        if image.band is None:
            continue
        store = chosen if image.role == "image" else errors
        other = store.get(image.band.name)
        if other is not None:
            raise InputError(
                f"{image.band.name} is there twice: {other.label} and {image.label}; leave one out, or say with "
                "--band FILE=BAND (or in the table) which band it really is."
            )
        store[image.band.name] = image
    for name, error in errors.items():
        if name not in chosen:
            raise InputError(f"{error.label} is the {error.role} of {name}, but the image itself is missing; add it.")
    ordered = sorted(chosen, key=lambda name: get_band(name).pivot)
    return {name: (chosen[name], errors.get(name)) for name in ordered}


def is_maps(path: str | Path) -> bool:
    """Whether a file is FITS and holds maps of properties."""
    try:
        with opened(Path(path)) as hdus:
            return any(hdu.name in PROPERTIES for hdu in hdus)
    except InputError:
        return False
