"""Predicted maps made to agree with a coarse one that is trusted more: what adds up is rescaled,
and ratios follow from their parts (DB21 Sect. 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..constants import FWHM_PER_SIGMA
from ..data.maps import PropertyMaps
from ..data.properties import EMPTY_LOG, PROPERTIES
from ..data.recipe import Recipe
from ..data.sharpen_settings import SharpenSettings
from ..exceptions import InputError
from ..fits_io.sky_coordinates import header_of
from ..measure.apertures.planes import maps_distance, pixel_arcsec
from ..measure.compare.averaging import linear_of
from ..measure.compare.grid_and_psf import psf_fwhm
from ..prepare.impute import model_redshift
from ..progress import Progress, Steps
from ..sed.dust_light import brightness_per_mass
from ..sed.tables import T_DUST_BETA
from .coarse_view import CoarseView
from .correction_field import Coarse, Prior, most_likely_steps, scatter_steps
from .trusted import ADD_UP, Trusted

LUMINOSITY, MASS = ADD_UP
FINE_SHARE = {LUMINOSITY: 0.45, MASS: 0.3}
"""Share of the local variance that is alike over the prediction's own PSF. It, `SCALES` and `LOCAL`
follow the errors of dust-forest on mocks that score nothing, and do best on these.
"""
SCALES = ((1.3, 0.43), (3.0, 0.57))
"""Over which lengths the rest is alike: sigmas in those of the coarse PSF, and their shares."""
LOCAL = {LUMINOSITY: 1.0, MASS: 0.6}
"""What pixels of one galaxy miss beside each other, of the error that the prediction tells for
neighbours: for the mass most of it is alike in the whole galaxy, which the coarse map settles.
"""
DRAWS = 16
_NO_ERROR = 0.3
"""Error in dex that is taken of a prediction that tells none."""
_LN10 = float(np.log(10))
_UNLIKELY = 3.0
_SEEN = 0.02


@dataclass(frozen=True, eq=False)
class Sharpened:
    """Sharpened maps, and what was done to them.

    Attributes
    ----------
    maps : PropertyMaps
    corrections : dict of str to ndarray of float32, shape (ny, nx)
        log10 of the factor by property; NaN where there is no map.
    notes : tuple of str
        What a person has to know.
    """

    maps: PropertyMaps
    corrections: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class _Correction:
    """Natural logarithm of a factor, the error of what it corrects, and the part of that which is
    shared.
    """

    log: np.ndarray
    error: np.ndarray
    shared: np.ndarray
    notes: list[str] = field(default_factory=list)


def sharpen_steps(
    maps: PropertyMaps,
    trusted: Sequence[Trusted],
    settings: SharpenSettings,
    fwhm: float | None = None,
) -> Steps[Sharpened]:
    """Make predicted maps agree with coarse ones.

    Parameters
    ----------
    maps : PropertyMaps
        The prediction, with its errors.
    trusted : sequence of Trusted
        Each corrects properties of its own.
    settings : SharpenSettings
    fwhm : float, optional
        Of the PSF of `maps` in arcsec, in place of what they say.

    Returns
    -------
    Sharpened
        `T_DUST`, and all that is not of dust, as predicted.

    Raises
    ------
    InputError
        When a PSF is not known, the coarse map is no coarser, the two do not overlap, or there is
        nothing to correct.
    """
    own = fwhm or psf_fwhm(maps)
    if not own:
        raise InputError(
            f"{maps.provenance.get('file', 'The prediction')} does not say how wide its PSF is, "
            "without which nothing can be compared; tell its FWHM in arcsec.",
            "fwhm",
        )
    corrections: dict[str, _Correction] = {}
    notes: list[str] = []
    for one in trusted:
        names = [name for name in one.applies_to if name in maps]
        if not names:
            continue
        correction = yield from _correction_steps(maps, one, settings, own)
        notes += [*one.notes, *correction.notes]
        for name in names:
            corrections[name] = _with_warmth(maps, one, name, correction)
    if not corrections:
        wanted = " nor ".join(dict.fromkeys(n for one in trusted for n in one.applies_to))
        raise InputError(
            f"{maps.provenance.get('file', 'The prediction')} has no {wanted or 'map of dust'}, "
            "so there is nothing to sharpen; predict with dust-forest."
        )
    done = _applied(maps, corrections)
    notes += _temperature_notes(corrections)
    for note in notes:
        yield Progress("sharpen", 1, 1, note, lasting=True)
    shown = {
        name: np.where(np.isfinite(maps.whole(name)), one.log / _LN10, np.nan).astype(np.float32)
        for name, one in corrections.items()
    }
    return Sharpened(done, shown, tuple(notes))


def correction_hdus(sharpened: Sharpened) -> list[object]:
    """The maps of corrections as extensions of a file, ``NAME_CORRECTION``."""
    from astropy.io import fits

    hdus: list[object] = []
    for name, plane in sharpened.corrections.items():
        hdu = fits.ImageHDU(plane, header_of(sharpened.maps.wcs), name=f"{name}_CORRECTION")
        hdu.header["BUNIT"] = "dex"
        hdu.header["LONGNAME"] = ("correction", "log10 of what the prediction was multiplied by")
        hdus.append(hdu)
    return hdus


def _correction_steps(
    maps: PropertyMaps, one: Trusted, settings: SharpenSettings, fwhm: float
) -> Steps[_Correction]:
    if not one.fwhm > fwhm:
        raise InputError(
            f"The coarse map of {one.what} has a PSF of {one.fwhm:.3g} arcsec and the prediction "
            f"one of {fwhm:.3g}: only a wider one can be made finer. Predict at a finer "
            "resolution, or give a coarser map.",
            "psf.target",
            "sharpen.coarse",
        )
    light, local, shared, notes = _light_and_errors(maps, one)
    view = CoarseView(
        (maps.wcs, maps.shape), (one.wcs, one.value.shape), (fwhm, one.fwhm), np.isfinite(light)
    )
    light = np.nan_to_num(light)
    value, sigma = one.value[view.seen], one.sigma[view.seen]
    measured = np.isfinite(value) & np.isfinite(sigma)
    value, sigma = np.where(measured, value, 0), np.where(measured, sigma, np.inf)
    sure = value > settings.signal_to_noise * sigma
    if not sure.any():
        raise InputError(
            f"No pixel of the coarse map of {one.what} lies on the prediction with a "
            f"signal-to-noise over {settings.signal_to_noise:g}; check that both are of one galaxy."
        )
    pixels = one.fwhm / FWHM_PER_SIGMA / pixel_arcsec(maps.wcs)
    weight = np.ones(maps.shape)
    if settings.beyond == "prediction":
        weight = _trusted_share(view, sure, pixels)
    kind = LUMINOSITY if one.what == LUMINOSITY else MASS  # an image stands for the mass
    fine = FINE_SHARE[kind]
    scales = [(length * pixels, share * (1 - fine)) for length, share in SCALES]
    scales.append((np.sqrt(2) * pixels * fwhm / one.fwhm, fine))
    prior = Prior(LOCAL[kind] * local * weight, shared * weight, scales)
    # What the coarse map sees of light that may not change is nothing to be fitted.
    fixed = view.see(light * (1 - weight))
    coarse = Coarse(view, value, np.where(sure, sigma, np.hypot(sigma, fixed)), one.correlation)
    log = yield from most_likely_steps(light, coarse, prior)
    log = _with_the_sum(log, light, coarse, sure, weight)
    error, alike = yield from scatter_steps(light, log, coarse, prior, DRAWS, pixels / 2)
    # Where the coarse map says nothing the prediction's error stands.
    error = np.sqrt(error**2 + (local**2 + shared**2) * (1 - weight**2))
    notes += _check_notes(one, view, light, log, (value, sigma, sure), np.hypot(local, shared))
    return _Correction(log, error, np.full(maps.shape, alike), notes)


def _trusted_share(view: CoarseView, sure: np.ndarray, width: float) -> np.ndarray:
    """Weight of the fine pixels: 1 where any trusted pixel sees them, and beyond falling as a
    Gaussian of the sigma `width` (pixels), so that no trusted pixel has light that may not change.
    """
    from scipy.ndimage import distance_transform_edt

    near, all_ = view.back(sure.astype(float)), view.back(np.ones(sure.size))
    seen = near > np.maximum(_SEEN * all_, 1e-6 * all_.max())
    away = distance_transform_edt(~seen) / width
    return np.asarray(np.exp(-0.5 * away**2))


def _with_the_sum(
    log: np.ndarray, light: np.ndarray, coarse: Coarse, sure: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """The correction with one factor more, by which the sum over trusted pixels is the coarse
    map's.
    """
    wanted = coarse.value[sure].sum()
    for _ in range(20):
        now = light * np.exp(log)
        left = wanted - coarse.view.see(now)[sure].sum()
        if abs(left) < 1e-6 * wanted:
            break
        log = log + weight * np.clip(left / coarse.view.see(now * weight)[sure].sum(), -1, 1)
    return log


def _light_and_errors(
    maps: PropertyMaps, one: Trusted
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """What the prediction says the coarse plane shows, linear, and its errors as natural
    logarithms: what neighbours share, and what all pixels share.
    """
    name = one.what
    notes: list[str] = []
    if one.is_image:
        name = MASS
        missing = [n for n in (name, "T_DUST") if n not in maps]
        if missing:
            raise InputError(
                f"The prediction has no {' and no '.join(missing)}, by which light in {one.what} "
                "is told; predict with dust-forest, or give coarse maps of dust."
            )
    light = linear_of(maps.whole(name))
    if name in maps.errors:
        error = np.nan_to_num(maps.whole(name, error=True).astype(float)) * _LN10
    else:
        notes.append(f"{name} of the prediction has no errors: {_NO_ERROR} dex were taken.")
        error = np.full(maps.shape, _NO_ERROR * _LN10)
    alike = np.zeros(maps.shape)
    if name in maps.galaxy_errors:
        own = maps.galaxy_errors[name].astype(float)
        usual = np.nanmedian(own) if np.isfinite(own).any() else 0.0
        alike = np.where(np.isfinite(own), own, usual) * _LN10
    if one.is_image:
        redshift, words = _redshift(maps)
        notes.append(f"Light of dust in {one.what}: {words}.")
        kelvin = maps.whole("T_DUST").astype(float)
        bright = brightness_per_mass(kelvin, one.what, redshift)
        light = light * bright
        if "T_DUST" in maps.errors:
            slope = _per_kelvin(kelvin, one.what, redshift)
            of_kelvin = slope * np.nan_to_num(maps.whole("T_DUST", error=True).astype(float))
            error = np.hypot(error, np.nan_to_num(of_kelvin))
    alike = np.minimum(alike, error)
    known = np.isfinite(light)
    local = np.where(known, np.sqrt(error**2 - alike**2), 0)
    return light, local, np.where(known, alike, 0), notes


def _with_warmth(
    maps: PropertyMaps, one: Trusted, name: str, correction: _Correction
) -> _Correction:
    """The correction of one property, with the error that the temperature adds where light of a
    band stands for it; no larger than the prediction's.
    """
    if not one.is_image or "T_DUST" not in maps.errors:
        return correction
    kelvin = maps.whole("T_DUST").astype(float)
    steep = -_per_kelvin(kelvin, one.what, _redshift(maps)[0])
    if name == LUMINOSITY:
        steep = steep + (4 + T_DUST_BETA) / kelvin
    sigma = np.nan_to_num(np.abs(steep) * maps.whole("T_DUST", error=True))
    own = np.nan_to_num(np.abs(steep) * maps.galaxy_errors.get("T_DUST", np.zeros(maps.shape)))
    error = np.hypot(correction.error, sigma)
    if name in maps.errors:
        error = np.fmin(error, maps.whole(name, error=True).astype(float) * _LN10)
    return replace(correction, error=error, shared=np.hypot(correction.shared, own))


def _per_kelvin(kelvin: np.ndarray, band: str, redshift: float) -> np.ndarray:
    """By how much the natural logarithm of light per mass rises with the temperature."""
    cooler, warmer = (brightness_per_mass(kelvin + step, band, redshift) for step in (-0.25, 0.25))
    return np.asarray(2 * np.log(warmer / cooler))


def _redshift(maps: PropertyMaps) -> tuple[float, str]:
    """The redshift by which dust's light is computed, and words for where it is from."""
    text = str(maps.provenance.get("recipe", ""))
    told = Recipe.from_toml(text, "the recipe of the maps").galaxy.redshift if text else None
    return model_redshift(told, maps_distance(maps))


def _applied(maps: PropertyMaps, corrections: dict[str, _Correction]) -> PropertyMaps:
    """The maps with their corrections: ratios with a corrected part follow it."""
    values, errors = dict(maps.values), dict(maps.errors)
    shared = dict(maps.galaxy_errors)
    under = maps.filling
    for name in maps.values:
        source = name if name in corrections else PROPERTIES[name].above
        if source not in corrections:
            continue
        one = corrections[source]
        change = (one.log / _LN10).astype(np.float32)
        error = (one.error / _LN10).astype(np.float32)
        alike = (one.shared / _LN10).astype(np.float32)
        if name != source:
            error, alike = _error_of_ratio(maps, name, error, alike)
        blank = ~np.isfinite(maps.values[name])
        empty = maps.values[name] <= EMPTY_LOG
        values[name] = np.where(empty, maps.values[name], maps.values[name] + change)
        errors[name] = np.where(blank, np.float32(np.nan), error)
        shared[name] = np.where(blank, np.float32(np.nan), np.minimum(alike, error))
        if under is not None and name in under.values:
            under = replace(
                under,
                values={**under.values, name: under.values[name] + change[under.where]},
                errors={**under.errors, name: error[under.where]},
            )
    return replace(maps, values=values, errors=errors, galaxy_errors=shared, filling=under)


def _error_of_ratio(
    maps: PropertyMaps, name: str, above: np.ndarray, alike: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors of a ratio of which the part above the line is known anew: with that below the line,
    and no larger than predicted.
    """
    below = PROPERTIES[name].weight or ""
    if below in maps.errors:
        above = np.hypot(above, maps.whole(below, error=True))
        own = maps.galaxy_errors.get(below)
        alike = alike if own is None else np.hypot(alike, np.nan_to_num(own))
    if name in maps.errors:
        above = np.fmin(above, maps.whole(name, error=True))
    return above.astype(np.float32), alike.astype(np.float32)


def _check_notes(
    one: Trusted, view: CoarseView, light: np.ndarray, log: np.ndarray,
    coarse: tuple[np.ndarray, np.ndarray, np.ndarray], error: np.ndarray,
) -> list[str]:  # fmt: skip
    """How well the result agrees with the coarse map, and what is unlikely about it."""
    value, sigma, sure = coarse
    left = np.abs(view.see(light * np.exp(log)) - value)[sure]
    within = left <= np.maximum(0.01 * np.abs(value[sure]), sigma[sure])
    before = view.see(light)[sure].sum()
    factor = value[sure].sum() / before if before > 0 else np.inf
    notes = [
        f"{one.what} was brought to the coarse map at {one.fwhm:.3g} arcsec: its sum over "
        f"{sure.sum()} trusted pixels was multiplied by {factor:.3g}, and {within.mean():.0%} of "
        "them agree within 1 % or their error."
    ]
    usual = np.median(error[light > 0]) if (light > 0).any() else 0.0
    if usual and abs(np.log(max(factor, 1e-30))) > _UNLIKELY * usual:
        notes.append(
            f"That is {abs(np.log(factor)) / usual:.1f} times the prediction's error in "
            f"{one.what}: check the unit, the distance and the galaxy of the coarse map."
        )
    return notes


def _temperature_notes(corrections: dict[str, _Correction]) -> list[str]:
    """What the corrected light over mass says of the temperature, which stays as predicted."""
    if not {LUMINOSITY, MASS} <= set(corrections):
        return []
    light, mass = corrections[LUMINOSITY], corrections[MASS]
    apart = np.abs(light.log - mass.log)[(light.log != 0) | (mass.log != 0)]
    usual = float(np.median(apart)) / _LN10 if apart.size else 0.0
    if usual < 0.1:
        return []
    return [
        f"The luminosity and the mass of dust were corrected by factors that are {usual:.2f} dex "
        "apart; T_DUST is as predicted, and does not follow them."
    ]
