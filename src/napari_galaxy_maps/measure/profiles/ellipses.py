"""Ellipses that profiles follow: D25, an isophote's, and the size that holds half of a map."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, InputError
from ...fits_io.galaxies import d25_ellipse
from ...progress import Progress, Steps, run_to_end
from ..apertures.overlap import linear_frame, pixel_ellipse
from ..apertures.quantities import linear

if TYPE_CHECKING:
    from astropy.wcs import WCS

_MOST_TURNS = 15
_STARS = "LOG_SIGMA_STAR"


def recipe_ellipse(provenance: Mapping[str, Any]) -> Ellipse | None:
    """The D25 ellipse of the recipe that a result carries in its provenance, or None."""
    try:
        return d25_ellipse(Recipe.from_toml(str(provenance.get("recipe", ""))).galaxy)
    except GalaxyMapsError:
        return None


def fit_isophote(
    plane: np.ndarray, wcs: WCS, start: Ellipse, fixed_centre: bool = False
) -> Ellipse:
    """The ellipse of the isophote at a semi-major axis (photutils.isophote; Jedrzejewski 1987).

    `fit_isophote_steps` does the same, yielding a `Progress` at every try.

    Parameters
    ----------
    plane : ndarray, shape (ny, nx)
        Surface brightness or density, linear, falling outwards; NaN where blank.
    wcs : astropy.wcs.WCS
    start : Ellipse
        Where to begin; its semi-major axis is kept, or shrunk to 0.8 or 0.6 of it where that
        isophote cannot be fitted.
    fixed_centre : bool
        Whether the centre is kept.

    Returns
    -------
    Ellipse
        With the semi-major axis of `start`, and the isophote's centre, axis ratio and position
        angle.

    Raises
    ------
    InputError
        When no isophote can be fitted there.
    """
    return run_to_end(fit_isophote_steps(plane, wcs, start, fixed_centre))


def fit_isophote_steps(
    plane: np.ndarray, wcs: WCS, start: Ellipse, fixed_centre: bool = False
) -> Steps[Ellipse]:
    """`fit_isophote`, yielding a `Progress` at every try."""
    from photutils.isophote import Ellipse as Fitter
    from photutils.isophote import EllipseGeometry

    centre, jacobian = linear_frame(np.array([[start.ra, start.dec]]), wcs, plane.shape)
    failed = InputError(
        f"No isophote can be fitted {start.a:.1f} arcsec from RA {start.ra:.5f}, Dec "
        f"{start.dec:.5f}: the map does not fall "
        "outwards there, or too much of it is blank; choose another radius, or give the ellipse."
    )
    x, y = centre[0]
    if not (np.isfinite(jacobian).all() and 0 <= x < plane.shape[1] and 0 <= y < plane.shape[0]):
        raise failed
    light = _Pixels(_filled(plane))
    # The fit wanders off where it begins far from the truth: the moments of the light are the
    # better beginning.
    guesses = [start]
    with contextlib.suppress(InputError):
        guesses = [
            *(
                fit_moments(plane, wcs, replace(start, a=n * start.a, b=n * start.b))
                for n in (1, 1.5)
            ),
            start,
        ]
    # First as strict as photutils is by itself; then with the arms clipped and a gradient as
    # uncertain as it is steep.
    settings = [{"maxgerr": 0.5, "n_clip": 0}, {"maxgerr": 1.0, "n_clip": 3}]
    for shrink, strictness, guess in product((1.0, 0.8, 0.6), settings, guesses):
        size = start.a * shrink
        yield Progress("isophote", 0, 0, f"an isophote at {size:.3g}″")
        a, b, theta = pixel_ellipse(replace(guess, a=size, b=size * guess.b / guess.a), jacobian[0])
        eps = float(np.clip(1 - b / a, 0.05, 0.95))
        geometry = EllipseGeometry(
            float(x), float(y), a, eps=eps, pa=theta % np.pi, fix_center=fixed_centre
        )
        try:
            with _quiet():
                found = Fitter(light, geometry=geometry).fit_isophote(a, **strictness)
        except (
            Exception
        ):  # it fails in many ways (empty samples, singular matrices) without a common base
            continue
        moved = np.hypot(found.x0 - x, found.y0 - y)
        if (
            found.stop_code == 0
            and 0 <= found.eps < 0.98
            and moved < a / 2
            and np.isfinite(found.pa)
        ):
            return _on_sky(start, found.x0, found.y0, 1 - found.eps, found.pa, jacobian[0], wcs)
    raise failed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The fitter warns at each try that fails, by warnings and in astropy's log; one message at the
    end is enough.
    """
    from astropy import log

    level = log.level
    log.setLevel("ERROR")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


class _Pixels:
    """A map whose pixels are read one by one, as photutils reads them, tens of millions of times in
    a large map: from lists, of which that costs a tenth of what it costs of masked arrays.
    """

    def __init__(self, plane: np.ndarray):
        self._plane, self.shape = plane, plane.shape
        self._rows = np.asarray(plane).tolist()
        for y, x in np.argwhere(np.ma.getmaskarray(plane)).tolist():
            self._rows[y][x] = np.ma.masked

    def __getitem__(self, key: Any) -> Any:
        """A row, or whatever else an array gives."""
        return self._rows[key] if isinstance(key, int) else self._plane[key]


def _filled(plane: np.ndarray) -> np.ndarray:
    """A map with small holes filled from around them; larger ones stay masked."""
    from scipy.ndimage import gaussian_filter

    valid = np.isfinite(plane)
    if valid.all():
        return plane.astype(float)
    near = gaussian_filter(valid.astype(float), 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        around = gaussian_filter(np.where(valid, plane, 0.0), 2) / near
    filled = np.where(valid, plane, np.where(near > 0.1, around, np.nan)).astype(float)
    return filled if np.isfinite(filled).all() else np.ma.masked_invalid(filled)


def _on_sky(
    start: Ellipse, x: float, y: float, ratio: float, theta: float, jacobian: np.ndarray, wcs: WCS
) -> Ellipse:
    """An ellipse of pixels on the sky, with the semi-major axis of `start`."""
    back = np.linalg.inv(jacobian)  # arcsec (east, north) per pixel
    axes = back @ np.array(
        [[np.cos(theta), -ratio * np.sin(theta)], [np.sin(theta), ratio * np.cos(theta)]]
    )
    u, s, _ = np.linalg.svd(axes)
    centre = wcs.pixel_to_world(x, y).icrs
    pa = float(np.degrees(np.arctan2(u[0, 0], u[1, 0]))) % 180
    return Ellipse(
        float(centre.ra.deg), float(centre.dec.deg), start.a, start.a * float(s[1] / s[0]), pa
    )


def fit_moments(plane: np.ndarray, wcs: WCS, start: Ellipse) -> Ellipse:
    """The ellipse of the second moments of a map inside `start`, with the semi-major axis of
    `start`.

    For maps that are too sparse for isophotes, such as truths made of simulation particles.

    Raises
    ------
    InputError
        When the map is empty there, or has light in so few pixels that they have no shape.
    """
    from photutils.morphology import data_properties

    inside = start.radius(wcs, plane.shape) < 1
    light = np.where(inside & np.isfinite(plane), plane, 0.0)
    if not light.sum() > 0:
        raise InputError(
            f"The map is empty within {start.a:.1f} arcsec of RA {start.ra:.5f}, Dec "
            f"{start.dec:.5f}."
        )
    found = data_properties(light.astype(float))
    _, jacobian = linear_frame(np.array([[start.ra, start.dec]]), wcs, plane.shape)
    ratio = float(found.semiminor_axis.value / found.semimajor_axis.value)
    theta = float(found.orientation.to_value("rad"))
    if not (np.isfinite([ratio, theta]).all() and ratio > 0):
        raise InputError(
            f"The pixels within {start.a:.1f} arcsec of RA {start.ra:.5f}, Dec {start.dec:.5f} are "
            "too few for a shape."
        )
    return _on_sky(
        start, float(found.x_centroid), float(found.y_centroid), ratio, theta, jacobian[0], wcs
    )


def _shaped(plane: np.ndarray, wcs: WCS, start: Ellipse) -> Ellipse:
    """The ellipse of the moments; `start` where too few pixels have light for a shape."""
    try:
        return fit_moments(plane, wcs, start)
    except InputError:
        return start


def _is_sparse(plane: np.ndarray, wcs: WCS, ellipse: Ellipse) -> bool:
    """Whether most pixels of a map inside an ellipse are empty."""
    with np.errstate(invalid="ignore"):
        light = plane[ellipse.radius(wcs, plane.shape) < 1] > 0
    return bool(light.size and light.mean() < 0.5)


def half_radius(plane: np.ndarray, wcs: WCS, ellipse: Ellipse) -> float:
    """Semi-major axis in arcsec of the ellipse that holds half of a map's total (R_half, PICASSO
    Sect. 4).

    Parameters
    ----------
    plane : ndarray, shape (ny, nx)
        Linear; NaN counts as empty.
    wcs : astropy.wcs.WCS
    ellipse : Ellipse
        Its centre, axis ratio and position angle are used; its size is not.

    Raises
    ------
    InputError
        When the map holds nothing.
    """
    radius = ellipse.radius(wcs, plane.shape).ravel()
    amount = np.nan_to_num(plane.astype(float)).ravel()
    order = np.argsort(radius)
    grown = np.cumsum(amount[order])
    if not grown.size or not grown[-1] > 0:
        raise InputError("The map that R_half is to be measured on is empty; choose another one.")
    # The sum inside a pixel's radius holds half of that pixel, on average.
    middle = grown - amount[order] / 2
    first = int(np.argmax(middle >= grown[-1] / 2))
    low = max(first - 1, 0)
    share = np.interp(grown[-1] / 2, middle[[low, first]], radius[order][[low, first]])
    return float(share) * ellipse.a


def stellar_half_radius(maps: object, ellipse: Ellipse) -> float | None:
    """R_half in arcsec of a galaxy's stellar mass on ellipses of this shape; None where there is no
    such map, or nothing in it.
    """
    if not isinstance(maps, PropertyMaps) or _STARS not in maps.values:
        return None
    try:
        return half_radius(linear(maps.values[_STARS], True), maps.wcs, ellipse)
    except InputError:
        return None


def half_mass_ellipse_steps(
    maps: PropertyMaps, start: Ellipse, name: str = _STARS
) -> Steps[Ellipse]:
    """`half_mass_ellipse`, yielding a `Progress` at every try of an isophote."""
    if name not in maps.values:
        there = [other for other in maps.values if PROPERTIES[other].additive]
        raise InputError(
            f"R_half needs the map {name}; the file has "
            f"{', '.join(there) or 'no map that adds up'}."
        )
    plane = linear(maps.values[name], True)
    return (yield from _ellipse_of_half_steps(plane, maps.wcs, start, True))[0]


def half_mass_ellipse(maps: PropertyMaps, start: Ellipse, name: str = _STARS) -> Ellipse:
    """The ellipse that holds half of a galaxy's stars: its shape that of the map's isophote (or
    moments), its size R_half.

    PICASSO Sect. 4: fitted to the stellar mass map, and then used for all maps.

    Raises
    ------
    InputError
        When the map is not there or is empty, or no ellipse fits.
    """
    return run_to_end(half_mass_ellipse_steps(maps, start, name))


def ellipse_of_half(
    plane: np.ndarray, wcs: WCS, start: Ellipse, isophotes: bool = True
) -> tuple[Ellipse, Literal["isophote", "moments"]]:
    """The ellipse that holds half of a map, and what its shape was taken from.

    Parameters
    ----------
    plane : ndarray, shape (ny, nx)
        Linear; NaN counts as empty.
    wcs : astropy.wcs.WCS
    start : Ellipse
        Where to begin.
    isophotes : bool
        Whether an isophote is tried before the moments inside 2 R_half, which always work and are
        the quicker. None is where most pixels are empty, as in maps of simulation particles: a
        fit to what is left goes astray.

    Raises
    ------
    InputError
        When the map is empty.
    """
    return run_to_end(_ellipse_of_half_steps(plane, wcs, start, isophotes))


def _ellipse_of_half_steps(
    plane: np.ndarray, wcs: WCS, start: Ellipse, isophotes: bool
) -> Steps[tuple[Ellipse, Literal["isophote", "moments"]]]:
    found = start
    way: Literal["isophote", "moments"] = "moments"
    for turn in range(_MOST_TURNS):  # the shape at R_half, and R_half with that shape
        size = half_radius(plane, wcs, found)
        before = found.b / found.a
        found = replace(found, a=size, b=size * found.b / found.a)
        wide = replace(found, a=2 * found.a, b=2 * found.b)
        try:
            if not isophotes or _is_sparse(plane, wcs, found):
                raise InputError("No isophote is wanted.")
            fitted, way = (yield from fit_isophote_steps(plane, wcs, found)), "isophote"
        except InputError:
            fitted, way = _shaped(plane, wcs, wide), "moments"
        found = replace(fitted, a=size, b=size * fitted.b / fitted.a)
        # Moments in an ellipse draw near to the map's shape by a part of the way each time;
        # isophotes are there at once.
        if turn > 1 and (way == "isophote" or abs(found.b / found.a - before) < 0.003):
            break
    size = half_radius(plane, wcs, found)
    return replace(found, a=size, b=size * found.b / found.a), way
