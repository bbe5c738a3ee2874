"""Stars of the Milky Way in front of a galaxy: found, fitted band by band, flagged where a person
should look, and masked.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import BandImage, Ellipse
from ...data.star_settings import StarSettings
from ...exceptions import InputError
from ...progress import Progress, Steps, run_to_end
from ..grid.pixel_positions import to_pixels
from .catalogue import at_epoch, milky_way_stars
from .circle_size import circle_radius
from .star_bands import (
    CLEAR,
    G_MICRON,
    Field,
    empty_sky,
    fit_field,
    image_epoch,
    jy_of_magnitude,
    like_points,
    make_field,
    offsets,
    peak_to_jy,
)
from .star_list import Star
from .subtraction import subtracted_lights

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

_START_MICRON = 0.766  # SDSS i
_RAYLEIGH_JEANS = 3.5  # micron
_SURE = 10.0  # parallax or motion over its error
_GALAXY_PART = 0.25


def band_order(images: Mapping[str, BandImage]) -> list[tuple[str, str | None]]:
    """Bands in the order of fitting, each with the one before: from SDSS i, or the nearest,
    outwards in wavelength.
    """
    if not images:
        raise InputError("There is no image to look for stars on; add the galaxy's FITS files.")
    names = sorted(images, key=lambda name: images[name].band.pivot)
    first = min(names, key=lambda name: abs(np.log(images[name].band.pivot / _START_MICRON)))
    start = names.index(first)
    order: list[tuple[str, str | None]] = [(first, None)]
    for side in (names[start + 1 :], names[:start][::-1]):
        before = first
        for name in side:
            order.append((name, before))
            before = name
    return order


def fit_stars(
    images: Mapping[str, BandImage],
    catalogue: QTable,
    ellipse: Ellipse | None,
    settings: StarSettings,
) -> Steps[list[Star]]:
    """Circles for the Milky Way's stars of a catalogue, band by band (Dobbels & Baes 2021, Sect.
    2.1).

    Parameters
    ----------
    images : mapping of str to BandImage
        By band name; with their sky on or off.
    catalogue : QTable
        Of `catalogue.read_catalogue`.
    ellipse : Ellipse or None
        The galaxy's.
    settings : StarSettings
        See there.

    Yields
    ------
    Progress
        ``step`` "stars", after every band and every few stars.

    Returns
    -------
    list of Star
        Those seen in at least one band, the brightest first.

    Raises
    ------
    InputError
        When there is no image, or no star of the catalogue lies on one.
    """
    order = band_order(images)
    skies = {
        name: at_epoch(catalogue, settings.epoch or image_epoch(image))
        for name, image in images.items()
    }
    sky = skies[order[0][0]]
    on_any = np.any(
        [
            np.isfinite(
                to_pixels(images[name].wcs, images[name].shape, place.ra.deg, place.dec.deg)[0]
            )
            for name, place in skies.items()
        ],
        axis=0,
    )
    if not on_any.any():
        raise InputError(_nowhere(catalogue, sky, images[order[0][0]]))
    has_motions = bool(
        catalogue.meta.get("has_parallax", True) or catalogue.meta.get("has_motion", True)
    )
    chosen = on_any.copy()
    if has_motions:
        chosen &= milky_way_stars(catalogue, settings.parallax_snr, settings.motion_snr)
    rows = np.flatnonzero(chosen)
    sure = milky_way_stars(catalogue, _SURE, _SURE)[rows]
    found = _Found(
        [str(name) for name in catalogue["id"][rows]],
        sky.ra.deg[rows],
        sky.dec.deg[rows],
        np.asarray(catalogue["magnitude"], float)[rows],
        "gaia",
        sure,
        {name: place[rows] for name, place in skies.items()},
    )
    fields = yield from _fit_bands(images, order, found, ellipse, settings)
    stars = _judge(found, fields, ellipse, settings, has_motions)
    return sorted(stars, key=lambda star: np.inf if np.isnan(star.magnitude) else star.magnitude)


def find_stars_steps(
    images: Mapping[str, BandImage], ellipse: Ellipse | None, settings: StarSettings
) -> Steps[list[Star]]:
    """Point sources found on the image itself where there is no catalogue; see `find_stars`."""
    order = band_order(images)
    image = images[order[0][0]]
    found = _point_sources(image, settings.threshold)
    if found is None:
        words = f"{image.band}: no point source stands out by {settings.threshold:g} sigma"
        yield Progress("stars", 1, 1, words, lasting=True)
        return []
    fields = yield from _fit_bands(images, order, found, ellipse, settings)
    pointlike = like_points(fields, order[0][0])
    stars = _judge(found, fields, ellipse, settings, has_motions=True, keep=pointlike)
    inside = dict(zip(found.ids, fields[order[0][0]].inside, strict=True))
    return [_doubted(star, bool(inside[star.id])) for star in stars]


def _point_sources(image: BandImage, threshold: float) -> _Found | None:
    """What DAOStarFinder finds on an image, the brightest first; None where that is nothing."""
    from photutils.detection import DAOStarFinder

    _, noise = empty_sky(image)
    if not (np.isfinite(noise) and noise > 0):
        return None
    data = np.array(image.data, float)
    blank = ~np.isfinite(data) if image.mask is None else ~np.isfinite(data) | image.mask
    data[blank] = np.nanmedian(data) if (~blank).any() else 0.0
    pixel = image.pixel_arcsec
    width = max(np.hypot(image.fwhm or 2 * pixel, 0.68 * pixel) / pixel, 1.2)
    finder = DAOStarFinder(
        threshold * noise, width, sharpness_range=(0.2, 1.2), roundness_range=(-0.6, 0.6)
    )
    table = finder(data, mask=blank)
    if table is None or len(table) == 0:
        return None
    table.sort("flux", reverse=True)
    place = image.wcs.pixel_to_world(
        np.asarray(table["x_centroid"]), np.asarray(table["y_centroid"])
    ).icrs
    n = len(table)
    names = [f"{image.band} {i + 1}" for i in range(n)]
    return _Found(
        names, place.ra.deg, place.dec.deg, np.full(n, np.nan), "daofind", np.zeros(n, bool)
    )


def _doubted(star: Star, inside: bool) -> Star:
    """A star that no catalogue knows: flagged, and within the galaxy left unmasked."""
    note = "found without a catalogue"
    if inside:
        note += ": a star or a knot of the galaxy?"
    return replace(
        star, flag="; ".join(filter(None, (note, star.flag))), enabled=star.enabled and not inside
    )


def find_stars(
    images: Mapping[str, BandImage], ellipse: Ellipse | None, settings: StarSettings
) -> list[Star]:
    """Point sources found on the image itself (DAOStarFinder), where there is no catalogue.

    Parameters
    ----------
    images, ellipse, settings
        As for `fit_stars`.

    Returns
    -------
    list of Star
        All flagged; those within the galaxy, where a knot looks like a star, do not mask until a
        person says so.

    Raises
    ------
    InputError
        When there is no image.
    """
    return run_to_end(find_stars_steps(images, ellipse, settings))


@dataclass(frozen=True)
class _Found:
    ids: list[str]
    ra: np.ndarray
    dec: np.ndarray
    magnitude: np.ndarray
    origin: str
    sure: np.ndarray
    places: Mapping[str, SkyCoord] = field(default_factory=dict)
    """Where they were when each band was taken, where that differs."""

    def place(self, band: str) -> SkyCoord:
        from astropy.coordinates import SkyCoord

        return self.places[band] if band in self.places else SkyCoord(self.ra, self.dec, unit="deg")


def _fit_bands(
    images: Mapping[str, BandImage],
    order: Sequence[tuple[str, str | None]],
    found: _Found,
    ellipse: Ellipse | None,
    settings: StarSettings,
) -> Generator[Progress, None, dict[str, Field]]:
    """Fit every band, each tied to the one before in width, brightness and position."""
    fields: dict[str, Field] = {}
    jy: dict[str, np.ndarray] = {}
    ratios: dict[str, np.ndarray] = {}
    for done, (name, before) in enumerate(order):
        image = images[name]
        known = jy_of_magnitude(found.magnitude) if before is None else jy[before]
        micron = G_MICRON if before is None else images[before].band.pivot
        stars = make_field(image, found.place(name), (found.ra, found.dec), ellipse, known, micron)
        ratio = np.ones(found.ra.size) if before is None else ratios[before]
        # colours of stars scatter the more, the further apart the bands are; G is broad; in the
        # infrared they are all alike
        steps = np.log(np.minimum([image.band.pivot, micron], _RAYLEIGH_JEANS))
        scatter = (1.0 if before is None else 0.4) + 1.5 * abs(float(steps[0] - steps[1]))
        yield from fit_field(
            stars,
            ratio,
            found.magnitude,
            found.sure,
            scatter,
            settings.seen,
            settings.tie,
            Progress("stars", done, len(order)),
        )
        fields[name] = stars
        jy[name], ratios[name] = _carried(stars, ratio, settings.runaway)
        yield Progress("stars", done + 1, len(order), _stars_note(stars, settings), image)
    return fields


def _carried(stars: Field, ratio: np.ndarray, runaway: float) -> tuple[np.ndarray, np.ndarray]:
    """What the next band is tied to: fluxes in Jy and widths over the PSF's; where the fit is no
    good, what was expected.
    """
    # stars.predicted is on the scale of the band's fitted stars already
    flux = stars.predicted * peak_to_jy(stars.fwhm)
    width = ratio.copy()
    for i, fit in enumerate(stars.fits):
        if (
            fit is not None
            and fit.seen
            and not fit.saturated
            and fit.fwhm < runaway * stars.fwhm_pixels
        ):
            flux[i] = fit.amplitude * peak_to_jy(fit.fwhm * stars.pixel)
            width[i] = 1 + (fit.fwhm / stars.fwhm_pixels - 1) * min(
                1.0, fit.amplitude / (20 * fit.error)
            )
    return flux, width


def _stars_note(stars: Field, settings: StarSettings) -> str:
    seen = sum(fit is not None and fit.seen for fit in stars.fits)
    assert stars.psf is not None
    known = f"a Moffat profile of exponent {stars.psf.beta:g}"
    if stars.stacked:
        known = f"from {stars.stacked} of its stars"
    text = (
        f"{stars.image.band}: {seen} of {int(stars.on_image.sum())} stars seen; "
        f"{1 - settings.leak:.0%} of a star's light lies within "
        f"{stars.psf.wings.encircling(settings.leak):.1f} arcsec ({known})"
    )
    if stars.offset > 0.5 * stars.fwhm:
        text += (
            f"; the image lies {stars.offset:.1f} arcsec off the catalogue, "
            "check its coordinates or the epoch"
        )
    return text


def _judge(
    found: _Found,
    fields: Mapping[str, Field],
    ellipse: Ellipse | None,
    settings: StarSettings,
    has_motions: bool,
    keep: np.ndarray | None = None,
) -> list[Star]:
    """Circles and flags of all stars; `has_motions` says whether their parallaxes or motions are
    known.
    """
    guarded, distance = _nucleus_guard(found, fields, ellipse, settings, has_motions)
    inside = np.any([stars.inside for stars in fields.values()], axis=0)
    doubtful = inside & has_motions & (found.origin == "gaia") & ~found.sure
    fitted = [_circles(fields, i, settings) for i in range(found.ra.size)]
    # What may be no star is not subtracted.
    stars_indeed = has_motions & (found.origin == "gaia") & ~doubtful & (distance >= guarded)
    away = np.where(stars_indeed, distance - 0.5 * guarded, -np.inf)
    circles = [own for own, _ in fitted]
    lights = subtracted_lights(fields, circles, away, settings) if settings.subtract else {}
    result = []
    for i in range(found.ra.size):
        if keep is not None and not keep[i]:
            continue
        radii, flags = fitted[i]
        own = lights.get(i, {})
        if not any(radii.values()) and not own:
            continue
        enabled = True
        spared = None
        if distance[i] < guarded[i]:
            flags.insert(0, "over the nucleus")
            enabled = False
        elif ellipse is not None:
            near = [
                name for name, radius in radii.items() if radius > distance[i] - 0.5 * guarded[i]
            ]
            if near:
                flags.append(
                    f"its circle reaches the nucleus, which stays free, in {', '.join(near)}"
                )
                spared = (ellipse.ra, ellipse.dec, 0.5 * float(guarded[i]))
            enabled = _near_galaxy(radii, flags, fields, i, distance[i], ellipse, bool(doubtful[i]))
        if not has_motions:
            flags.insert(0, "the catalogue has no parallaxes: a star of the Milky Way?")
            enabled = enabled and not inside[i]
        result.append(
            Star(
                found.ids[i],
                float(found.ra[i]),
                float(found.dec[i]),
                float(found.magnitude[i]),
                found.origin,
                radii,
                "; ".join(flags),
                enabled,
                spared,
                own,
            )
        )
    return result


def _nucleus_guard(
    found: _Found,
    fields: Mapping[str, Field],
    ellipse: Ellipse | None,
    settings: StarSettings,
    has_motions: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """By star, the radius about the galaxy's centre within which it is taken for the nucleus, and
    how far it lies from there, arcsec.
    """
    sharpest = min(stars.fwhm for stars in fields.values())
    # a star whose parallax leaves no doubt may lie nearer to the nucleus than one that may be the
    # nucleus itself
    guarded = np.asarray(
        np.where(
            found.sure & has_motions,
            np.maximum(sharpest, settings.nucleus),
            np.maximum(2 * sharpest, settings.nucleus),
        )
    )
    if ellipse is None:
        return guarded, np.full(found.ra.size, np.inf)
    return guarded, np.hypot(*offsets(ellipse, found.ra, found.dec))


def _circles(
    fields: Mapping[str, Field], i: int, settings: StarSettings
) -> tuple[dict[str, float], list[str]]:
    """Radii of one star by band, and what is odd about its fits."""
    radii: dict[str, float] = {}
    wide: list[str] = []
    moved: list[str] = []
    saturated: list[str] = []
    capped: list[str] = []
    for name, stars in fields.items():
        fit = stars.fits[i]
        width = 1.0 if fit is None else fit.fwhm / stars.fwhm_pixels
        ran_away = fit is not None and fit.seen and width > settings.runaway
        radii[name] = circle_radius(stars, i, ran_away, settings)
        if fit is None or not radii[name]:
            continue
        if fit.saturated:
            saturated.append(name)
        if ran_away:
            wide.append(f"{name} ({width:.1f} PSFs wide)")
        if np.hypot(fit.x - stars.x[i], fit.y - stars.y[i]) > stars.fwhm_pixels:
            moved.append(name)
        if radii[name] >= settings.largest:
            capped.append(name)
    flags = []
    for words, names in (
        ("fit ran away (saturated or blank in the middle) in", saturated),
        ("fit ran away in", wide),
        ("fit moved off its place in", moved),
        ("larger than the largest circle in", capped),
    ):
        if names:
            flags.append(f"{words} {', '.join(names)}")
    return radii, flags


def _near_galaxy(
    radii: dict[str, float],
    flags: list[str],
    fields: Mapping[str, Field],
    i: int,
    distance: float,
    ellipse: Ellipse,
    doubtful: bool,
) -> bool:
    """Say what is odd about a star on the galaxy; whether it may mask."""
    area = ellipse.a * ellipse.b
    large = [
        name
        for name, radius in radii.items()
        if radius**2 > _GALAXY_PART * area and distance < ellipse.a + radius
    ]
    if large:
        part = max(radii[name] for name in large) ** 2 / area
        flags.append(f"its circle is {part:.0%} of the galaxy's area in {', '.join(large)}")
    if not doubtful:
        return True
    wide = [
        name
        for name, stars in fields.items()
        if (fit := stars.fits[i]) is not None
        and fit.seen
        and fit.amplitude > CLEAR * fit.error
        and fit.fwhm > 1.5 * stars.fwhm_pixels
    ]
    looks = f"wider than a star in {', '.join(wide)}, " if wide else ""
    guess = "an H II region" if wide else "a knot of the galaxy"
    flags.append(f"{looks}its parallax and motion barely significant: {guess}?")
    return False


def _nowhere(catalogue: QTable, sky: SkyCoord, image: BandImage) -> str:
    """Why no star lies on an image, in one sentence."""
    from astropy.coordinates import SkyCoord

    path = catalogue.meta.get("path", "The catalogue")
    ny, nx = image.shape
    middle = image.wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2).icrs
    for frame, words in (
        ("galactic", "Galactic longitude and latitude"),
        ("fk4", "B1950 coordinates"),
    ):
        try:
            other = SkyCoord(sky.ra.deg, sky.dec.deg, unit="deg", frame=frame).icrs
        except ValueError:
            continue
        if np.isfinite(
            to_pixels(image.wcs, image.shape, other.ra.deg, other.dec.deg)[0]
        ).sum() >= max(1, 0.2 * len(sky)):
            names = "l and b" if frame == "galactic" else "RAB1950 and DEB1950"
            return (
                f"{path}: none of its {len(sky)} stars lies on the images, "
                f"but as {words} they would; name the columns {names}."
            )
    nearest = float(sky.separation(middle).deg.min())
    return (
        f"{path}: none of its {len(sky)} stars lies on the images "
        f"(the nearest is {nearest:.2g} degrees off); fetch those around RA {middle.ra.deg:.4f}, "
        f"Dec {middle.dec.deg:.4f}."
    )
