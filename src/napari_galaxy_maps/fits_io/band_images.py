"""One image as surface brightness with its uncertainty, and which files make up a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..bands.registry import get_band
from ..bands.units import surface_brightness_factor
from ..data.galaxy import BandImage
from ..exceptions import InputError, UnresolvedError
from .image_files import ImageFile
from .open_fits import sha256


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
        raise UnresolvedError(image.questions)
    assert image.band is not None and image.unit is not None
    factor, note = _factor(image, image.unit)
    data = image.load() * np.float32(factor)
    data, blanked = _without_empty_border(data, image)
    error = None
    if uncertainty is not None:
        error = _read_uncertainty(image, uncertainty)
        note += f"; {uncertainty.role} from {uncertainty.label}"
    measured = (f"PSF {image.psf}, {image.fwhm:.2f} arcsec wide",) if image.psf else ()
    return BandImage(
        data, image.band, image.wcs, uncertainty=error, fwhm=image.fwhm, header=image.header,
        path=image.path, unit=image.unit,
        notes=(note, *image.notes, *blanked, *measured), psf=image.psf,
        meta={"checksum": sha256(image.path), "label": image.label, "factor": factor},
    )  # fmt: skip


def _factor(image: ImageFile, unit: str) -> tuple[float, str]:
    from astropy.wcs.utils import proj_plane_pixel_area

    assert image.band is not None
    pixel_sr = float(proj_plane_pixel_area(image.wcs)) * (np.pi / 180) ** 2
    return surface_brightness_factor(
        unit, image.band, pixel_sr, image.zero_point, image.beam, image.old_pixel, image.label
    )


def _without_empty_border(data: np.ndarray, image: ImageFile) -> tuple[np.ndarray, tuple[str, ...]]:
    """NaN in place of zeros outside a survey's coverage: those of one piece with the border, where
    they are many.

    Count images keep theirs, which are measurements.
    """
    zero = data == 0
    if (
        image.header.get("BITPIX", -32) > 0
        or image.unit in ("counts/s", "DN")
        or zero.mean() < 0.01
    ):
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
            f"{uncertainty.label} is {uncertainty.shape[1]} x {uncertainty.shape[0]} pixels but "
            f"its image {image.label} is "
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
        error = np.sqrt(values if uncertainty.role == "variance" else 1 / values) * np.float32(
            factor
        )
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
                f"{image.band.name} is there twice: {other.label} and {image.label}; leave one "
                "out, or say with "
                "--band FILE=BAND (or in the table) which band it really is."
            )
        store[image.band.name] = image
    for name, error in errors.items():
        if name not in chosen:
            raise InputError(
                f"{error.label} is the {error.role} of {name}, but the image itself is missing; "
                "add it."
            )
    ordered = sorted(chosen, key=lambda name: get_band(name).pivot)
    return {name: (chosen[name], errors.get(name)) for name in ordered}
