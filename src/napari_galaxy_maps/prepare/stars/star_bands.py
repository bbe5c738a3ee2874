"""All stars in one band: where they fall, what is expected of them, and their fits."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...constants import FWHM_PER_SIGMA, SR_PER_ARCSEC2
from ...data.galaxy import BandImage, Ellipse
from ...progress import Progress, Steps
from ..grid.pixel_positions import to_pixels
from .star_fit import Expected, Fit, fit_star, noise_correlation, window
from .star_wings import (
    StarPsf,
    Wings,
    light_of,
    off_by,
    ring_edges,
    stacked_psf,
    with_doubt,
)

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

_G_JY, G_MICRON = 3296.0, 0.62
"""Flux density of G = 0 (G_AB = G + 0.105; Evans+ 2018) and its wavelength."""

CLEAR = 8.0
"""Peak over its error from which a width tells stars from what is none."""

_STAR_KELVIN = 4500.0
_BRIGHT, _STACKED = 30.0, 25
_FEWEST_SHOWN = 3
_OFTEN = 5
"""Stars between two signs of life; a fit takes some 20 ms."""

# Exponents of Moffat profiles with the 1 % radii of the measured PSFs of the library
# empPSFs_GALEXSDSS2MASS (their constant pedestal, a rest of sky, taken off); 2.5 where none was
# measured.
_BETA = {"SDSS": 2.1, "2MASS": 2.8, "WISE": 3.0}
_BETA_OTHER = 2.5


@dataclass
class Field:
    """The stars in one band's image; arrays have one entry a star.

    Attributes
    ----------
    image : BandImage
        The image.
    pixel : float
        Side of its pixels, arcsec.
    noise, level : float
        Rms of an empty pixel, and the sky that is left in it, MJy/sr.
    x, y : ndarray
        Expected position in pixels; NaN off the image.
    beyond : ndarray
        How far (arcsec) outside the galaxy's ellipse the star lies, of `beyond`.
    moved : ndarray
        Distance (arcsec) of its place in this image from its circles' centre: its proper motion
        between two bands.
    fwhm : float
        Of the band's stars, arcsec.
    fits : list of Fit or None
        Filled by `fit_field`.
    psf : StarPsf
        What its stars look like; filled by `fit_field`.
    stacked : int
        From how many of them that is known; 0 where none was bright and alone.
    predicted : ndarray
        Peak (MJy/sr) expected from the band before or from G, on the scale of the band's own stars.
    offset : float
        Median distance (arcsec) between fitted and catalogued positions of bright stars.
    correlation : float
        How much less the noise averages out over a star than that of independent pixels.
    """

    image: BandImage
    pixel: float
    noise: float
    level: float
    x: np.ndarray
    y: np.ndarray
    beyond: np.ndarray
    moved: np.ndarray
    fwhm: float
    predicted: np.ndarray
    fits: list[Fit | None] = field(default_factory=list)
    psf: StarPsf | None = None
    stacked: int = 0
    offset: float = 0.0
    correlation: float = 1.0

    @property
    def fwhm_pixels(self) -> float:
        """FWHM of the band's stars in pixels."""
        return self.fwhm / self.pixel

    @property
    def wings(self) -> Wings | None:
        """How the stars fall off."""
        return None if self.psf is None else self.psf.wings

    @property
    def inside(self) -> np.ndarray:
        """Which stars lie in the galaxy's ellipse."""
        return self.beyond == 0

    @property
    def on_image(self) -> np.ndarray:
        """Which stars lie on the image."""
        return np.isfinite(self.x)


def image_epoch(image: BandImage) -> float:
    """Julian year in which an image was taken: from its header, else the middle of the survey's
    years.
    """
    from astropy.time import Time

    header = image.header if image.header is not None else {}
    for key in ("MJD-OBS", "DATE-OBS", "DATE_OBS", "MIDOBS", "DATEOBS1", "UT_DATE"):
        value = header.get(key)
        if value in (None, ""):
            continue
        try:
            if key == "MJD-OBS":
                year = float(Time(float(value), format="mjd").jyear)
            elif key == "UT_DATE":  # 2MASS: yymmdd
                text = str(value).strip().zfill(6)
                year = float(
                    Time(
                        f"{'19' if text[0] == '9' else '20'}{text[:2]}-{text[2:4]}-{text[4:]}"
                    ).jyear
                )
            else:
                year = float(Time(str(value).strip()).jyear)
        except (ValueError, TypeError):
            continue
        if 1980 < year < 2100:
            return year
    return image.band.epoch


def empty_sky(image: BandImage) -> tuple[float, float]:
    """Level and rms of an empty pixel: what the sky's subtraction left and found, else those of the
    whole image, clipped.
    """
    from astropy.stats import sigma_clipped_stats

    known = float(image.meta.get("sky_rms", np.nan))
    if np.isfinite(known) and known > 0:
        return 0.0, known
    step = max(1, int(np.sqrt(image.data.size / 200_000)))
    values = image.data[::step, ::step]
    values = values[np.isfinite(values)]
    if not values.size:
        return float("nan"), float("nan")
    _, level, rms = sigma_clipped_stats(values, sigma=3, cenfunc="median", stdfunc="mad_std")
    return float(level), float(rms)


def planck_ratio(to_micron: float, from_micron: float, kelvin: float = _STAR_KELVIN) -> float:
    """Ratio of a black body's flux densities (Jy) at two wavelengths."""
    x_to, x_from = (14388.0 / (micron * kelvin) for micron in (to_micron, from_micron))
    return float((from_micron / to_micron) ** 3 * np.expm1(x_from) / np.expm1(x_to))


def peak_to_jy(fwhm: float) -> float:
    """Flux density in Jy of a Gaussian of peak 1 MJy/sr and a FWHM in arcsec."""
    return 2 * np.pi * (fwhm / FWHM_PER_SIGMA) ** 2 * SR_PER_ARCSEC2 * 1e6


def jy_of_magnitude(magnitude: np.ndarray) -> np.ndarray:
    """Flux density (Jy) of Gaia G magnitudes."""
    return np.asarray(_G_JY * 10 ** (-0.4 * magnitude))


def make_field(
    image: BandImage,
    place: SkyCoord,
    centres: tuple[np.ndarray, np.ndarray],
    ellipse: Ellipse | None,
    jy: np.ndarray,
    micron: float,
) -> Field:
    """The stars as they are expected in a band.

    Parameters
    ----------
    image : BandImage
        Of the band.
    place : SkyCoord
        Where the stars were when it was taken.
    centres : tuple of ndarray
        Centres of their circles, ICRS degrees.
    ellipse : Ellipse or None
        The galaxy's.
    jy, micron : ndarray, float
        Flux densities in another band and its wavelength, from which those in this one are
        expected; NaN where unknown.
    """
    from astropy.coordinates import SkyCoord

    x, y = to_pixels(image.wcs, image.shape, place.ra.deg, place.dec.deg)
    # a pixel widens the PSF; an image without a known PSF is taken to be sampled by two pixels
    fwhm = float(np.hypot(image.fwhm or 2 * image.pixel_arcsec, 0.68 * image.pixel_arcsec))
    expected = jy * planck_ratio(image.band.pivot, micron) / peak_to_jy(fwhm)
    level, noise = empty_sky(image)
    moved = place.separation(SkyCoord(*centres, unit="deg")).arcsec
    return Field(
        image,
        image.pixel_arcsec,
        noise,
        level,
        x,
        y,
        beyond(ellipse, *centres),
        moved,
        fwhm,
        expected,
    )


def beyond(ellipse: Ellipse | None, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """How far (arcsec) at least positions (ICRS, degrees) lie outside an ellipse: 0 within it,
    infinite where there is none.
    """
    if ellipse is None:
        return np.full(np.shape(ra), np.inf)
    east, north = offsets(ellipse, ra, dec)
    sin, cos = np.sin(np.radians(ellipse.pa)), np.cos(np.radians(ellipse.pa))
    radius = np.hypot(
        (east * sin + north * cos) / ellipse.a, (east * cos - north * sin) / ellipse.b
    )
    # ellipses of one shape lie nearest to each other along their minor axis
    return np.asarray(ellipse.b * np.maximum(radius - 1, 0.0))


def offsets(ellipse: Ellipse, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets east and north of the ellipse's centre in arcsec."""
    from astropy.coordinates import SkyCoord

    east, north = SkyCoord(ellipse.ra, ellipse.dec, unit="deg").spherical_offsets_to(
        SkyCoord(ra, dec, unit="deg")
    )
    return np.asarray(east.arcsec), np.asarray(north.arcsec)


def fit_field(
    stars: Field,
    ratio: np.ndarray,
    magnitude: np.ndarray,
    sure: np.ndarray,
    colour_error: float,
    seen: float,
    tie: float,
    sign: Progress,
) -> Generator[Progress, None, None]:
    """Fit every star of a band, the brightest first, each taken off before the next.

    Parameters
    ----------
    stars : Field
        Of `make_field`; its ``fits``, ``fwhm``, ``wings``, ``predicted`` and ``offset`` are filled.
    ratio : ndarray
        Width over the PSF's in the band before; 1 where unknown.
    magnitude : ndarray
        G, NaN where unknown: which may be saturated.
    sure : ndarray of bool
        Which are stars without doubt; the widths of others are not tied, since they tell what they
        are.
    colour_error : float
        Standard deviation of ln(flux) about the expected one.
    seen : float
        Amplitude over its error from which a star counts as seen.
    tie : float
        Strength of the ties to the band before: 0 none, 1 as described, larger tighter.
    sign : Progress
        What to yield, with another detail, every few stars.
    """
    name = stars.image.band.name
    there = np.flatnonzero(stars.on_image)
    stars.correlation = noise_correlation(stars.image.data, stars.fwhm_pixels, stars.noise)
    # What is many times brighter than the star can be is not the star: a knot of dust in the far
    # infrared, say.
    excess = float(np.exp(min(3 * colour_error, 50.0)))
    yield from _calibrate(stars, there, seen, excess, sign)
    order = there[np.argsort(-np.nan_to_num(stars.predicted[there], nan=0.0), kind="stable")]
    data = np.array(stars.image.data, float)
    if stars.image.mask is not None:
        data[stars.image.mask] = np.nan
    softer = 1 / max(tie, 1e-3)
    stars.fits = [None] * stars.x.size
    width = stars.fwhm_pixels
    for count, i in enumerate(order):
        expected = Expected(
            float(stars.x[i]),
            float(stars.y[i]),
            width * float(np.clip(ratio[i], 0.8, 1.5)),
            float(stars.predicted[i]),
            0.3 * width * softer,
            (0.15 if sure[i] else 0.6) * softer,
            colour_error * softer,
            float(magnitude[i]),
        )
        fit = fit_star(
            data,
            expected,
            stars.noise,
            seen=seen,
            curved=bool(stars.inside[i]),
            correlation=stars.correlation,
        )
        if fit is not None and fit.amplitude > excess * expected.amplitude:
            fit = replace(fit, seen=False, saturated=False)
        stars.fits[i] = fit
        if fit is not None and fit.seen and not fit.saturated and fit.fwhm < 2 * width:
            _take_off(data, fit)
        if count % _OFTEN == _OFTEN - 1:
            yield Progress(
                sign.step, sign.done, sign.total, f"{name}: star {count + 1} of {order.size}"
            )
    _find_wings(stars)


def _calibrate(
    stars: Field, there: np.ndarray, seen: float, excess: float, sign: Progress
) -> Steps[None]:
    """Width, flux scale and position of the band's stars, from free fits of its brightest."""
    bright = there[np.argsort(-np.nan_to_num(stars.predicted[there], nan=0.0), kind="stable")][:60]
    width = stars.fwhm_pixels
    data = np.asarray(stars.image.data, float)
    found: list[tuple[float, float, float, float]] = []
    for count, i in enumerate(bright):
        if count % _OFTEN == 0:
            words = f"{stars.image.band.name}: the brightest stars"
            yield Progress(sign.step, sign.done, sign.total, words)
        expected = Expected(float(stars.x[i]), float(stars.y[i]), width, np.nan, width, 0.5)
        fit = fit_star(
            data,
            expected,
            stars.noise,
            seen=seen,
            curved=bool(stars.inside[i]),
            correlation=stars.correlation,
        )
        sound = (
            fit is not None and fit.seen and not fit.saturated and fit.amplitude > 15 * fit.error
        )
        if (
            fit is not None
            and sound
            and 0.5 < fit.fwhm / width < 2.2
            and not fit.amplitude > excess * stars.predicted[i]
        ):
            found.append(
                (
                    fit.fwhm,
                    fit.amplitude / stars.predicted[i],
                    fit.x - stars.x[i],
                    fit.y - stars.y[i],
                )
            )
    if len(found) < 5:
        return
    widths, scales, dx, dy = np.array(found).T
    # Not the median: blends and galaxies taken for stars are always wider.
    measured = float(np.percentile(widths, 35))
    scale = float(np.nanmedian(scales)) if np.isfinite(scales).any() else 1.0
    stars.fwhm = measured * stars.pixel
    stars.predicted = stars.predicted * scale
    dx0, dy0 = float(np.median(dx)), float(np.median(dy))
    stars.offset = float(np.hypot(dx0, dy0)) * stars.pixel
    stars.x, stars.y = stars.x + dx0, stars.y + dy0


def _take_off(data: np.ndarray, fit: Fit) -> None:
    box = window(data.shape[:2], fit.x, fit.y, 3 * fit.fwhm)
    if box is not None:
        rows, columns = np.mgrid[box]
        s2 = (fit.fwhm / FWHM_PER_SIGMA) ** 2
        data[box] -= fit.amplitude * np.exp(
            -0.5 * ((columns - fit.x) ** 2 + (rows - fit.y) ** 2) / s2
        )


def _find_wings(stars: Field) -> None:
    """The band's wings from its own bright stars away from the galaxy and each other, else a Moffat
    profile.
    """
    pixel = stars.pixel
    seen = [(i, fit) for i, fit in enumerate(stars.fits) if fit is not None and fit.seen]
    places = np.array([(fit.x, fit.y) for _, fit in seen]).reshape(-1, 2)
    peaks = np.array([fit.amplitude for _, fit in seen])
    reach = float(np.clip(10 * stars.fwhm, 12.0, 45.0))
    chosen: list[tuple[float, Fit]] = []
    for i, fit in seen:
        if not _shows_its_psf(stars, i, fit):
            continue
        apart = np.hypot(places[:, 0] - fit.x, places[:, 1] - fit.y) * pixel
        if not ((apart > 0) & (apart < reach) & (peaks > 0.05 * fit.amplitude)).any():
            chosen.append((fit.amplitude, fit))
    chosen.sort(key=lambda pair: -pair[0])
    best: Sequence[Fit] = [fit for _, fit in chosen[:_STACKED]]
    data = np.asarray(stars.image.data, float)
    usual = StarPsf(stars.fwhm, _BETA.get(stars.image.band.survey, _BETA_OTHER))
    found = stacked_psf(data, best, pixel, stars.fwhm, reach, stars.noise, stars.correlation)
    # a few stars with a neighbour or a sky gradient beside them must not make every circle huge, or
    # too small
    if found is not None:
        psf, number = found
        if 0.65 < psf.wings.encircling(0.01) / usual.wings.encircling(0.01) < 1.35:
            stars.psf, stars.stacked = psf, number
            return
    shown = [fit for i, fit in seen if _shows_its_psf(stars, i, fit)]
    stars.psf, stars.stacked = _with_shown_doubt(stars, usual, shown, reach), 0


def _shows_its_psf(stars: Field, i: int, fit: Fit) -> bool:
    """Whether a star is bright, sound, and off the galaxy."""
    sound = not fit.saturated and 0.75 < fit.fwhm / stars.fwhm_pixels < 1.35
    return bool(sound and fit.amplitude >= _BRIGHT * stars.noise and not stars.inside[i])


def _with_shown_doubt(stars: Field, psf: StarPsf, shown: Sequence[Fit], reach: float) -> StarPsf:
    """A profile that no stars were stacked for, with the doubt that the band's bright stars show
    once all stars are taken off; as it is where they are too few.
    """
    if len(shown) < _FEWEST_SHOWN:
        return psf
    rest = np.array(stars.image.data, float)
    for fit in stars.fits:
        if fit is not None and fit.seen:
            box = window(rest.shape, fit.x, fit.y, 1.3 * reach / stars.pixel)
            if box is not None:
                rest[box] -= _light_in(stars, psf, fit, box)
    edges = ring_edges(stars.fwhm, reach)
    differ = []
    for fit in sorted(shown, key=lambda fit: -fit.amplitude)[:_STACKED]:
        box = window(rest.shape, fit.x, fit.y, 1.3 * reach / stars.pixel)
        if box is not None:
            alone = rest.copy()
            alone[box] += _light_in(stars, psf, fit, box)
            differ.append(off_by(alone, fit, psf.wings, edges, stars.pixel, stars.noise))
    return with_doubt(psf, edges, differ)


def _light_in(stars: Field, psf: StarPsf, fit: Fit, box: tuple[slice, slice]) -> np.ndarray:
    rows, columns = np.mgrid[box]
    distance = np.hypot(columns - fit.x, rows - fit.y) * stars.pixel
    return light_of(fit, psf.wings, distance)


def like_points(fields: Mapping[str, Field], first: str) -> np.ndarray:
    """Which sources are as wide as the PSF where they were found, in the band `first`, and in at
    least half of the bands in which they stand out: a galaxy's knot, or a galaxy far away, is wider
    in some.

    Returns
    -------
    ndarray of bool, shape (n_stars,)
    """
    sharp, clear = [], []
    for name, stars in fields.items():
        least = 0.0 if name == first else CLEAR
        sharp.append([f is not None and 0.6 < f.fwhm / stars.fwhm_pixels < 1.4 for f in stars.fits])
        clear.append(
            [f is not None and f.seen and f.amplitude > least * f.error for f in stars.fits]
        )
    known = np.array(clear)
    found = np.array(sharp) & known
    result: np.ndarray = found[list(fields).index(first)] & (2 * found.sum(0) >= known.sum(0))
    return result
