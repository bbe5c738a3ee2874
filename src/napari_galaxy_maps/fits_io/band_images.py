"""One image as surface brightness with its uncertainty, and which files make up a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..bands.registry import get_band
from ..bands.units import canonical_unit, is_per_pixel, surface_brightness_factor
from ..data.galaxy import BandImage
from ..exceptions import InputError, UnresolvedError
from .beside_files import blank_flagged, read_beside
from .error_planes import sigma_from_weights
from .image_file import ImageFile
from .no_data import blank_zeros
from .open_fits import sha256
from .pixel_area import pixel_area
from .pixel_scales import MAGGIES, MAGNITUDES, flux_error_from_magnitudes
from .quiet import quiet
from .sky_coordinates import left_over_sip
from .which_role import OF_THE_SKY


@quiet()
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
    magnitudes = image.unit == MAGNITUDES
    factor, note = _factor(image, MAGGIES if magnitudes else image.unit)
    told: list[str] = []
    data = image.load(told)
    if image.divide_by is not None:
        seconds = image.divide_by.load_as_stored()
        data = np.where(seconds > 0, data / np.where(seconds > 0, seconds, 1), np.nan)
        data = data.astype(np.float32)
        told.append(f"divided by the seconds of {image.divide_by.label}")
    if image.stand_in is not None:
        factor = factor * image.stand_in.factor
        told.append(str(image.stand_in))
    weight: np.ndarray | None = None
    told_of_weight: list[str] = []
    if uncertainty is not None and uncertainty.role == "weight":
        weight = uncertainty.load(told_of_weight)
    data, blanked = _without_blanks(image, data, weight, uncertainty)
    error = None
    if uncertainty is not None:
        loaded = None if weight is None else (weight, told_of_weight)
        error, remarks = _read_uncertainty(image, data, uncertainty, factor, loaded)
        note += f"; {uncertainty.role} from {uncertainty.label}"
        blanked = (*blanked, *remarks)
    sip = left_over_sip(image.wcs, image.shape)
    measured = (f"PSF {image.psf}, {image.fwhm:.2f} arcsec wide",) if image.psf else ()
    data = data * np.asarray(factor, np.float32)
    middle = float(np.nanmedian(factor))
    return BandImage(
        data, image.band, image.wcs, uncertainty=error, fwhm=image.fwhm,
        header=image.header, path=image.path, unit=image.unit,
        notes=(note, *image.notes, *told, *blanked, *sip, *measured), psf=image.psf,
        meta={"checksum": sha256(image.path), "label": image.label, "factor": middle},
    )  # fmt: skip


def _factor(image: ImageFile, unit: str) -> tuple[float | np.ndarray, str]:
    """MJy/sr of one unit: a number, or a map where the solid angle of the pixels changes."""
    assert image.band is not None
    area = pixel_area(image.wcs, image.shape)
    middle = float(np.nanmedian(area))
    factor, note = surface_brightness_factor(
        unit, image.band, middle, image.zero_point, image.beam, image.old_pixel, image.label
    )
    if isinstance(area, float) or not is_per_pixel(unit):
        return factor, note
    note += f"; pixels of {np.nanmin(area) / middle:.3g} to {np.nanmax(area) / middle:.3g} times"
    return (factor * middle / area).astype(np.float32), f"{note} their median solid angle"


def _without_blanks(
    image: ImageFile, data: np.ndarray, weight: np.ndarray | None, uncertainty: ImageFile | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """NaN where masks and exposures say that nothing was measured, and in place of zeros that are
    no measurement; with what is said of it.
    """
    beside = read_beside(image, data)
    data, flagged = blank_flagged(data, beside.flagged)
    coverage, name = beside.coverage, beside.coverage_name
    if uncertainty is not None and weight is not None and weight.shape == image.shape:
        if coverage is None:
            own = uncertainty.path == image.path and uncertainty.extension
            coverage, name = weight, f"the plane {own}" if own else uncertainty.label
        else:
            coverage = np.where(weight == 0, np.float32(0), coverage)
    data, zeros = blank_zeros(data, coverage, name)
    if not np.isfinite(data).any():
        raise InputError(f"{image.label} holds no valid pixel: all are blank; leave it out.")
    return data, (*flagged, *zeros, *beside.notes)


def _read_uncertainty(
    image: ImageFile,
    data: np.ndarray,
    uncertainty: ImageFile,
    factor: float | np.ndarray,
    loaded: tuple[np.ndarray, list[str]] | None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """1-sigma errors in MJy/sr, and what is said of them.

    `data` is the image as loaded, in the unit of which `factor` makes MJy/sr; `loaded` are the
    uncertainty's values and notes, where they have been read already.
    """
    if uncertainty.shape != image.shape:
        raise InputError(
            f"{uncertainty.label} is {uncertainty.shape[1]} x {uncertainty.shape[0]} pixels but "
            f"its image {image.label} is "
            f"{image.shape[1]} x {image.shape[0]}; leave it out or cut it alike."
        )
    assert image.unit is not None
    if loaded is None:
        told: list[str] = []
        values = uncertainty.load(told)
    else:
        values, told = loaded
    remarks = tuple(f"{uncertainty.label}: {text}" for text in told)
    role, unit = uncertainty.role, _unit_of_sigma(uncertainty)
    in_magnitudes = image.unit == MAGNITUDES and (unit is None or unit == MAGNITUDES)
    if role == "weight" and not in_magnitudes and unit in (None, image.unit):
        values, doubts = sigma_from_weights(data, values, uncertainty.label)
        remarks += doubts
    elif role != "uncertainty":
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.sqrt(values if role == "variance" else 1 / values)
    if in_magnitudes:
        error = flux_error_from_magnitudes(data, values) * factor
    else:
        # An error image has the unit of its image unless its own header says otherwise.
        if unit not in (None, image.unit):
            own = replace(
                uncertainty,
                band=image.band,
                zero_point=uncertainty.zero_point or image.zero_point,
                beam=uncertainty.beam or image.beam,
                old_pixel=uncertainty.old_pixel or image.old_pixel,
            )
            factor, _ = _factor(own, unit)
        error = np.abs(values) * np.asarray(factor, np.float32)
    error = error.astype(np.float32)
    error[~np.isfinite(error)] = np.nan
    return error, remarks


def _unit_of_sigma(uncertainty: ImageFile) -> str | None:
    """The unit of the 1-sigma error that an image of errors, variances or inverse variances tells;
    None where its header does not tell one.
    """
    if uncertainty.role == "uncertainty":
        return uncertainty.unit
    import astropy.units as u

    text = str(uncertainty.header.get("BUNIT") or "")
    try:
        with quiet():
            unit = u.Unit(text) ** (0.5 if uncertainty.role == "variance" else -0.5)
        return canonical_unit(unit.to_string().replace(" / ", "/")) if text.strip() else None
    except (ValueError, TypeError):
        return None


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
        if image.band is None or image.role not in OF_THE_SKY:
            continue
        store = chosen if image.role == "image" else errors
        other = store.get(image.band.name)
        if other is not None:
            raise InputError(
                f"{image.band.name} is there twice: {other.label} and {image.label}; leave one "
                "out, or say which band it really is.",
                "input.leave_out",
                "input.bands",
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
