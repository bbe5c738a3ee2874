"""Which stars of a band are subtracted, and how far about them the model is not good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ...data.star_settings import StarSettings
from .star_bands import Field
from .star_fit import Fit, window
from .star_light import StarLight, light_planes

_FAINT = 0.05
"""Of the noise: as far as that a star is subtracted."""
_OTHER_WIDTH, _WIDEST = 0.1, 1.5
"""How much wider or narrower than the band's stars a bright and a faint one may be: what is not as
they are is no star, has a neighbour, or is saturated.
"""
_FEWEST = 8
"""Pixels of a ring that tell something."""
_ROUGH = 1.5
"""Of the scatter around a star: what is left of it may not scatter more."""


def subtracted_lights(
    fields: Mapping[str, Field],
    radii: Sequence[dict[str, float]],
    away: np.ndarray,
    settings: StarSettings,
) -> dict[int, dict[str, StarLight]]:
    """What is subtracted, by star and band.

    Parameters
    ----------
    fields : mapping of str to Field
        By band, fitted.
    radii : sequence of dict
        A star's circles (arcsec) by band; they shrink to what is left to mask.
    away, settings
        As `nucleus` and `settings` of `subtracted`; -inf of what may be no star.
    """
    lights: dict[int, dict[str, StarLight]] = {}
    for name, stars in fields.items():
        circles = np.array([own[name] for own in radii])
        found, left = subtracted(stars, circles, away, settings)
        for i, light in enumerate(found):
            if light is not None:
                lights.setdefault(i, {})[name] = light
                radii[i][name] = float(left[i])
    return lights


def subtracted(
    stars: Field, circles: np.ndarray, nucleus: np.ndarray, settings: StarSettings
) -> tuple[list[StarLight | None], np.ndarray]:
    """What is subtracted of a band's stars, and the circles that are masked then.

    A star is subtracted where its fit is sound and away from the galaxy's nucleus, and where what
    it leaves is below the noise; else it is masked. The circle of a subtracted star covers where
    the doubt of its light is over ``depth`` times the noise and over ``contrast`` times the
    galaxy's light; it has none where that is nowhere.

    Parameters
    ----------
    stars : Field
        Fitted by `fit_field`.
    circles : ndarray, shape (n_stars,)
        Radii (arcsec) of the circles that mask them; 0 where a star is not seen.
    nucleus : ndarray, shape (n_stars,)
        How far (arcsec) they lie outside of what is taken for the galaxy's nucleus.
    settings : StarSettings
        ``depth``, ``contrast``, ``largest`` and ``runaway`` are used.

    Returns
    -------
    lights : list of StarLight or None
    radii : ndarray, shape (n_stars,)
        Of their circles, arcsec; those of `circles` where a star is not subtracted.
    """
    lights = _models(stars, circles, nucleus, settings)
    radii = circles.copy()
    planes = light_planes([x for x in lights if x is not None], stars.image)
    if planes is None:
        return lights, radii
    rest = np.asarray(stars.image.data, float) - planes.light - stars.level
    if stars.image.mask is not None:
        rest[stars.image.mask] = np.nan
    shown = [
        (i, fit, light)
        for i, (fit, light) in enumerate(zip(stars.fits, lights, strict=True))
        if fit is not None and light is not None
    ]
    extra = np.zeros(circles.size)
    for i, fit, light in shown:
        core = core_radius(stars, fit, light, rest, settings)
        # The circle lies about the catalogue's place, and the light where it was fitted.
        shift = np.hypot(fit.x - stars.x[i], fit.y - stars.y[i]) * stars.pixel
        extra[i] = 0.5 * stars.pixel + stars.offset + stars.moved[i] + shift
        radii[i] = min(core + extra[i], circles[i]) if core > 0 else 0.0
    covered = _under_circles(stars, radii)
    rest[covered] = np.nan
    for i, fit, light in shown:
        rough = rough_radius(stars, fit, light, rest, settings)
        if rough > 0:
            radii[i] = min(max(radii[i], rough + extra[i]), circles[i])
        if not np.isfinite(rough):
            lights[i], radii[i] = None, circles[i]
    return lights, radii


def _models(
    stars: Field, circles: np.ndarray, nucleus: np.ndarray, settings: StarSettings
) -> list[StarLight | None]:
    """The light of the stars whose fits are sound."""
    lights: list[StarLight | None] = [None] * len(stars.fits)
    psf = stars.psf
    if psf is None:
        return lights
    sound = {
        i: fit
        for i, fit in enumerate(stars.fits)
        if fit is not None
        and 0 < circles[i] < settings.largest
        and nucleus[i] > 0.5 * stars.fwhm
        and _is_sound(stars, i, fit, min(settings.runaway, _WIDEST))
    }
    if not sound:
        return lights
    x, y = np.array([(fit.x, fit.y) for fit in sound.values()]).T
    sky = stars.image.wcs.pixel_to_world(x, y).icrs
    for (i, fit), ra, dec in zip(sound.items(), sky.ra.deg, sky.dec.deg, strict=True):
        width = fit.fwhm / stars.fwhm_pixels
        reach, seen = (
            width * min(psf.reach, psf.wings.reaching(share * stars.noise / fit.amplitude))
            for share in (_FAINT, 1)
        )
        error = fit.error / fit.amplitude
        lights[i] = StarLight(
            float(ra), float(dec), fit.amplitude, width, error, reach, seen, float(circles[i]), psf
        )
    return lights


def _is_sound(stars: Field, i: int, fit: Fit, widest: float) -> bool:
    """Whether a fit is that of a star at its place."""
    # The width of a faint star is known no better than its peak.
    widest = min(widest, 1 + _OTHER_WIDTH + 3 * fit.error / fit.amplitude)
    return (
        fit.seen
        and not fit.saturated
        and 1 / widest < fit.fwhm / stars.fwhm_pixels < widest
        and bool(np.hypot(fit.x - stars.x[i], fit.y - stars.y[i]) <= stars.fwhm_pixels)
    )


def _rings(rest: np.ndarray, fit: Fit, step: float, radius: float) -> list[np.ndarray]:
    """What is left in rings `step` pixels wide about a star, out to `radius` pixels; without what
    is blank.
    """
    number = int(np.ceil(radius / step))
    box = window(rest.shape, fit.x, fit.y, number * step)
    if box is None:
        return []
    rows, columns = np.mgrid[box]
    ring = np.floor(np.hypot(columns - fit.x, rows - fit.y) / step).astype(int)
    values = rest[box]
    valid = np.isfinite(values) & (ring < number)
    order = np.argsort(ring[valid], kind="stable")
    ends = np.searchsorted(ring[valid][order], np.arange(number + 1))
    return [values[valid][order][a:b] for a, b in pairwise(ends)]


def core_radius(
    stars: Field, fit: Fit, light: StarLight, rest: np.ndarray, settings: StarSettings
) -> float:
    """How far (arcsec) about a star the doubt of its light is over ``depth`` times the noise and
    over ``contrast`` times the galaxy's light; 0 where that is nowhere.

    Parameters
    ----------
    stars : Field
    fit : Fit
        The star's.
    light : StarLight
    rest : ndarray, shape (ny, nx)
        The image without the stars and the sky.
    settings : StarSettings
    """
    step = max(0.25 * stars.fwhm, 0.5 * stars.pixel)
    edges = np.arange(0.0, max(light.reach, light.circle), step)
    # Farther out than it is subtracted all of its light is left.
    left = np.where(edges < light.reach, light.doubt_at(edges), light.at(edges))
    over = left > settings.depth * stars.noise
    if not over.any():
        return 0.0
    last = int(np.flatnonzero(over)[-1])
    if settings.contrast > 0:
        rings = _rings(rest, fit, step / stars.pixel, (last + 1) * step / stars.pixel)
        for k, ring in enumerate(rings[: last + 1]):
            if over[k] and ring.size:
                galaxy = float(np.median(ring))
                over[k] = left[k] > settings.contrast * galaxy
    return float(edges[np.flatnonzero(over)[-1]] + step) if over.any() else 0.0


def _under_circles(stars: Field, radii: np.ndarray) -> np.ndarray:
    """Pixels under the circles of a band's stars."""
    covered = np.zeros(stars.image.shape, bool)
    for fit, radius in zip(stars.fits, radii / stars.pixel, strict=True):
        box = None if fit is None or not radius else window(covered.shape, fit.x, fit.y, radius)
        if fit is not None and box is not None:
            rows, columns = np.mgrid[box]
            covered[box] |= np.hypot(columns - fit.x, rows - fit.y) <= radius
    return covered


def rough_radius(
    stars: Field, fit: Fit, light: StarLight, rest: np.ndarray, settings: StarSettings
) -> float:
    """How far (arcsec) about a star what is left of it differs from its surroundings.

    Within the circle that masks the star where it is not subtracted no ring may be brighter or
    fainter than the surroundings by more than ``depth`` times the noise and than ``contrast``, nor
    more structured. Farther out, where its light stays in the image if it is not subtracted, too
    little taken off does no harm; too much does.

    Parameters
    ----------
    stars, fit, light, settings
        As for `core_radius`.
    rest : ndarray, shape (ny, nx)
        The image without the stars and the sky, NaN under circles.

    Returns
    -------
    float
        0 where nothing differs. Infinite where too much was taken off outside of the whole circle,
        or too little is seen to tell: the star must not be subtracted.
    """
    step = max(0.5 * stars.fwhm, stars.pixel)
    outer = max(light.seen, light.circle) + step
    number, whole = int(np.ceil(outer / step)), int(np.ceil(light.circle / step))
    rings = _rings(rest, fit, step / stars.pixel, (1.5 * outer + 2 * step) / stars.pixel)
    around = np.concatenate([np.zeros(0), *rings[number:]])
    if around.size < _FEWEST:
        return np.inf
    ground = float(np.median(around))
    noise = max(stars.noise, 1.4826 * float(np.median(np.abs(around - ground))))
    usual = max(settings.depth * noise, settings.contrast * abs(ground))
    for k, ring in reversed(list(enumerate(rings[:number]))):
        if ring.size < _FEWEST:
            continue
        level = float(np.median(ring))
        spread = 1.4826 * float(np.median(np.abs(ring - level)))
        chance = 3 / np.sqrt(ring.size)
        limit = usual + 1.25 * chance * noise * stars.correlation
        if k >= whole:
            if level - ground < -limit:
                return np.inf
        elif abs(level - ground) > limit or spread > noise * (_ROUGH + chance):
            return (k + 1) * step
    return 0.0
