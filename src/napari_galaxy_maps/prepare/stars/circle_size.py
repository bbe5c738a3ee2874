"""How large a star's circle must be: as far as it counts beside the noise and the galaxy."""

from __future__ import annotations

import numpy as np

from ...data.star_settings import StarSettings
from .star_bands import Field
from .star_fit import Fit, window
from .star_wings import Wings

_SAFETY = 0.6  # the wings are known to some accuracy only


def circle_radius(stars: Field, i: int, ran_away: bool, settings: StarSettings) -> float:
    """Radius (arcsec) of a star's circle in a band; 0 where the star is not seen.

    Large enough that at most ``leak`` of its light lies outside, and that its wings have fallen to
    ``depth`` times the noise around it; but where it reaches the galaxy's ellipse no larger than to
    where they have fallen to ``contrast`` times the light there, or, of a star within the ellipse,
    to ``depth`` times the noise.

    Parameters
    ----------
    stars : Field
        Fitted by `fit_field`.
    i : int
        Which of the stars.
    ran_away : bool
        Whether its fit is wider than a star can be.
    settings : StarSettings
        ``leak``, ``depth``, ``contrast`` and ``largest`` are used.
    """
    fit, wings = stars.fits[i], stars.wings
    if fit is None or wings is None or not (fit.seen or fit.saturated):
        return 0.0
    peak, wider = fit.amplitude, float(np.clip(fit.fwhm / stars.fwhm_pixels, 1.0, 1.5))
    odd = ran_away or fit.saturated
    if odd and np.isfinite(stars.predicted[i]):
        # such a fit's peak and width are no star's: its brightness elsewhere tells how far it
        # reaches
        peak, wider = max(peak, stars.predicted[i]) if fit.saturated else stars.predicted[i], 1.0
    radius = wider * max(
        wings.encircling(_SAFETY * settings.leak),
        wings.reaching(settings.depth * fit.noise / peak) if peak > 0 else 0.0,
    )
    if fit.saturated:
        radius = max(radius, _reach_on_image(stars, fit, settings.depth, settings.largest))
    elif not odd and settings.contrast > 0 and stars.beyond[i] < min(radius, settings.largest):
        # Outside of the ellipse a large circle costs less: there the noise is no limit.
        least = settings.depth * stars.noise if stars.inside[i] else 0.0
        profile = Wings(wider * wings.radius, peak * wings.profile)
        full = min(radius, settings.largest)
        radius = _outshone(stars, fit, profile, settings.contrast, least, full)
    extra = 0.5 * stars.pixel + stars.offset + float(stars.moved[i])
    return min(radius + extra, settings.largest)


def _outshone(
    stars: Field, fit: Fit, profile: Wings, contrast: float, least: float, radius: float
) -> float:
    """Where a star's light has fallen to a share of the galaxy's there, or to `least` (MJy/sr),
    ring by ring, in arcsec; `radius` where it does not before.

    The light of a ring is its median, the star's own included: of a share well under 1 that makes
    no difference, and the wings need not be known better than they are.
    """
    step = max(0.5 * stars.fwhm, stars.pixel)
    box = window(stars.image.shape, fit.x, fit.y, (radius + step) / stars.pixel)
    if box is None:
        return radius
    rows, columns = np.mgrid[box]
    ring = np.floor(np.hypot(columns - fit.x, rows - fit.y) * stars.pixel / step).astype(int)
    values = stars.image.data[box]
    measured = np.isfinite(values)
    if stars.image.mask is not None:
        measured &= ~stars.image.mask[box]
    for number in range(1, int(radius / step) + 1):
        here = values[measured & (ring == number)]
        if not here.size:
            continue
        inner = number * step
        galaxy = float(np.median(here)) - stars.level
        light = float(np.interp(inner, profile.radius, profile.profile))
        if light <= max(contrast * galaxy, least):
            return inner
    return radius


def _reach_on_image(stars: Field, fit: Fit, depth: float, largest: float) -> float:
    """How far a saturated star stands out of its surroundings, ring by ring, in arcsec."""
    pixel = stars.pixel
    box = window(stars.image.shape, fit.x, fit.y, 1.3 * largest / pixel)
    if box is None:
        return 0.0
    rows, columns = np.mgrid[box]
    distance = np.hypot(columns - fit.x, rows - fit.y) * pixel
    values = stars.image.data[box]
    finite = np.isfinite(values)
    ground = values[finite & (distance > 0.8 * distance.max())]
    if not ground.size:
        return largest
    level = float(np.median(ground))
    step = max(stars.fwhm, 2 * pixel)
    for inner in np.arange(step, largest, step):
        ring = values[finite & (distance >= inner) & (distance < inner + step)]
        if ring.size and np.median(ring) - level < depth * stars.noise:
            return float(inner)
    return largest
