"""Sums of predictions and truths inside ellipses of the stellar mass, and their bias and scatter
over galaxies (PICASSO Sect. 4).

PICASSO is Buck & Wolf 2021, arXiv:2111.01154. An ellipse is fitted to the true stellar mass map and
kept for all maps of that galaxy; what counts are the sums inside 2 R_half, and those of annuli 0.5
R_half wide out to 5 R_half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...data.galaxy import Ellipse
from ...data.properties import EMPTY_LOG, PROPERTIES
from ...exceptions import InputError
from ..apertures.planes import maps_distance, pixel_arcsec
from ..apertures.quantities import linear, quantity_of
from ..profiles.ellipses import ellipse_of_half, recipe_ellipse

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

    from .comparison import Comparison


STARS = ("LOG_SIGMA_STAR", "LOG_SIGMA_LSTAR")
"""Maps whose half R_half is, the first that is there: where there is no mass, the stars' light is
the next best.
"""
INSIDE = 2.0
"""Semi-major axis of the ellipse that the sums are taken in, in R_half."""
EDGES = tuple(np.arange(0, 5.01, 0.5).tolist())
"""Of the annuli, in R_half."""
N_BOOTSTRAP = 500
_NO_DISTANCE = (
    "The distance is not known: sums are as if each pixel were 1 kpc2, which is nothing to their "
    "differences in dex."
)


def galaxy_sums(
    predicted: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    pixel_kpc2: float = 1.0,
    *,
    in_log: bool = True,
    wcs: WCS | None = None,
    ellipse: Ellipse | None = None,
    isophotes: bool = True,
    radius: tuple[np.ndarray, dict[str, Any]] | None = None,
    edges: Sequence[float] = EDGES,
    inside: float = INSIDE,
    name: str = "",
) -> QTable:
    """One galaxy's predicted and true sums inside the ellipse and the annuli of its stars.

    Parameters
    ----------
    predicted, truth : mapping of str to ndarray, each of shape (ny, nx)
        Maps by the names of `maps.PROPERTIES`. Those that both have are summed; the truth needs one
        of `STARS`.
    pixel_kpc2 : float
        Area of a pixel: sums are of values per kpc2 times this. Of values per pixel it is 1;
        differences in dex do not depend on it.
    in_log : bool
        Whether maps of logarithms (all but ages and temperatures) hold logarithms; if not, what
        they are the logarithms of.
    wcs : astropy.wcs.WCS, optional
        Of both; without it pixels are square.
    ellipse : Ellipse, optional
        Where the search for the galaxy begins (its D25 ellipse); without it at the brightest place
        of the middle half of the map of stars.
    isophotes : bool
        Whether the ellipse is an isophote's. Where none can be fitted, as on the sparse maps of
        simulations, and if this is off, it has the second moments of the map inside 2 R_half.
    radius : tuple of ndarray and dict, optional
        What `radius_in_r_half` gave for this truth before, so that the ellipse is not fitted again.
    edges : sequence of float
        Of the annuli, in R_half.
    inside : float
        Semi-major axis of the ellipse, in R_half.
    name : str
        Of the galaxy.

    Returns
    -------
    astropy.table.QTable
        A row for each property, for the ellipse and each annulus: ``galaxy property region inner
        outer n_pixels n_empty true predicted delta unit``. `region` is ``sum`` or ``annulus``,
        `inner` and `outer` are in R_half, `delta` is log10 true - log10 predicted, `n_empty` the
        pixels left out because the truth is empty there. Of ages, temperatures and ratios, `true`
        and `predicted` are means weighted by the quantity in their denominator (of the same galaxy,
        true or predicted; by area where it has none). A region without a pixel, and one whose
        prediction is not positive, has NaN. ``meta`` has ``r_half`` (kpc; the root of a pixel's
        area if `pixel_kpc2` is 1), ``axis_ratio``, ``shape_from`` (``isophote`` or ``moments``),
        ``stars`` (the map that was fitted), and ``notes``.

    Raises
    ------
    InputError
        When the maps have no property in common or not the same shape, or the truth has no map of
        stars, or it is empty.
    """
    from astropy.table import QTable

    planes = [_linear(maps, in_log) for maps in (predicted, truth)]
    shared = [key for key in planes[1] if key in planes[0]]
    which = f" of {name}" if name else ""
    if not shared:
        raise InputError(
            f"Prediction and truth{which} have no property in common that could be summed."
        )
    shapes = {plane.shape for maps in planes for plane in maps.values()}
    if len(shapes) > 1:
        raise InputError(
            f"The maps{which} are not all of one shape: "
            f"{', '.join(str(s) for s in sorted(shapes))}."
        )
    away, outline = radius or radius_in_r_half(
        truth, in_log=in_log, wcs=wcs, ellipse=ellipse, isophotes=isophotes, name=name
    )
    outline = {**outline, "r_half": outline["r_half"] * float(np.sqrt(pixel_kpc2))}
    regions = [("sum", 0.0, inside), *(("annulus", low, high) for low, high in pairwise(edges))]
    rows: list[dict[str, Any]] = []
    for key in shared:
        mine, true = planes[0][key], planes[1][key]
        full = np.isfinite(true) & (true > 0)
        both = full & np.isfinite(mine)
        prop = PROPERTIES[key]
        for region, low, high in regions:
            here = (away >= low) & (away < high)
            used = here & both
            values = [_value(maps, key, used, pixel_kpc2) for maps in planes]
            good = values[0] > 0 and values[1] > 0
            rows.append(
                {
                    "galaxy": name, "property": key, "region": region, "inner": low, "outer": high,
                    "n_pixels": int(used.sum()), "n_empty": int((here & ~full).sum()),
                    "true": values[1],
                    "predicted": values[0],
                    "delta": float(np.log10(values[1] / values[0])) if good else np.nan,
                    "unit": quantity_of(prop).sum_unit or prop.unit.replace("dex", ""),
                }
            )  # fmt: skip
    return QTable(rows, meta={"galaxy": name, **outline})


def radius_in_r_half(
    truth: Mapping[str, np.ndarray],
    *,
    in_log: bool = True,
    wcs: WCS | None = None,
    ellipse: Ellipse | None = None,
    isophotes: bool = True,
    name: str = "",
) -> tuple[np.ndarray, dict[str, Any]]:
    """Elliptical radius of every pixel in R_half of the true stars, and the ellipse's size, shape
    and origin.

    Parameters are those of `galaxy_sums`.

    Returns
    -------
    radius : ndarray, shape (ny, nx)
    outline : dict
        ``r_half`` in pixels, ``axis_ratio``, ``shape_from``, ``stars`` (the map that was fitted)
        and ``notes``.

    Raises
    ------
    InputError
        When the truth has no map of stars, or it is empty.
    """
    which = f" of {name}" if name else ""
    stars = next((key for key in STARS if key in truth), None)
    if stars is None:
        raise InputError(
            f"The truth{which} has no map of stars ({' or '.join(STARS)}), which R_half is "
            "measured on."
        )
    away, outline = _radius(
        _linear({stars: truth[stars]}, in_log)[stars], wcs, ellipse, isophotes, which
    )
    return away, {**outline, "stars": stars}


def comparison_sums(comparison: Comparison, ellipse: Ellipse | None = None) -> QTable:
    """`galaxy_sums` of a prediction and a truth that have been brought to one grid.

    Parameters
    ----------
    comparison : Comparison
    ellipse : Ellipse, optional
        Where the search for the galaxy begins; without it the D25 ellipse of the recipe, if there
        is one.

    Raises
    ------
    InputError
        As `galaxy_sums`.
    """
    maps, truth = comparison.maps, comparison.truth
    distance = maps_distance(maps) or maps_distance(truth)
    kpc = pixel_arcsec(maps.wcs) * distance * PC_PER_MPC_ARCSEC / 1000 if distance else 1.0
    found = galaxy_sums(
        maps.values, truth.values, kpc**2, wcs=maps.wcs,
        ellipse=ellipse or recipe_ellipse(maps.provenance),
        name=comparison.name,
    )  # fmt: skip
    if not distance:
        found.meta["notes"] = [*found.meta["notes"], _NO_DISTANCE]
    return found


def summarise(tables: Iterable[QTable], seed: int = 0) -> QTable:
    """Bias and scatter over galaxies of log10 true - log10 predicted.

    Parameters
    ----------
    tables : iterable of QTable
        Of `galaxy_sums`, one a galaxy.
    seed : int
        Of the bootstrap over galaxies, which the errors are from.

    Returns
    -------
    astropy.table.QTable
        A row for each property and region: ``property region inner outer n bias bias_err scatter
        scatter_err median half_width``. `bias` is the mean (positive: predicted too low) and
        `scatter` the standard deviation; `median` and `half_width` (half of the 16th to 84th
        percentile) are the same for whom a few stray galaxies should not count. Regions in which no
        galaxy has a value have n = 0 and NaN.

    Raises
    ------
    InputError
        When there is no galaxy.
    """
    from astropy.table import QTable

    found: dict[tuple[str, str, float, float], list[float]] = {}
    for table in tables:
        columns = (
            table[name].tolist() for name in ("property", "region", "inner", "outer", "delta")
        )
        for key, region, inner, outer, delta in zip(*columns, strict=True):
            found.setdefault((str(key), str(region), inner, outer), []).append(delta)
    if not found:
        raise InputError("There is no galaxy to take bias and scatter of.")
    rng = np.random.default_rng(seed)
    rows = []
    for (key, region, inner, outer), values in found.items():
        scored = _scores(np.array([value for value in values if np.isfinite(value)]), rng)
        rows.append({"property": key, "region": region, "inner": inner, "outer": outer, **scored})
    return QTable(rows)


def _scores(delta: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    n = delta.size
    nothing = float("nan")
    scored = {"n": n} | dict.fromkeys(
        ("bias", "bias_err", "scatter", "scatter_err", "median", "half_width"), nothing
    )
    if n:
        low, middle, high = np.percentile(delta, (16, 50, 84))
        scored |= {"bias": float(delta.mean()), "median": float(middle)}
    if n > 1:
        middle = delta - delta.mean()  # small numbers: the squares lose nothing
        sums = (
            rng.multinomial(n, np.full(n, 1 / n), N_BOOTSTRAP)
            @ np.stack([middle, middle**2], axis=1)
            / n
        )
        scatters = np.sqrt(np.maximum(sums[:, 1] - sums[:, 0] ** 2, 0) * n / (n - 1))
        scored |= {
            "bias_err": float(sums[:, 0].std()), "scatter": float(delta.std(ddof=1)),
            "scatter_err": float(scatters.std()), "half_width": float(high - low) / 2,
        }  # fmt: skip
    return scored


def _linear(maps: Mapping[str, np.ndarray], in_log: bool) -> dict[str, np.ndarray]:
    """Maps as what adds up or is averaged; NaN where there is nothing."""
    found = {}
    for key, plane in maps.items():
        if key not in PROPERTIES:
            continue
        values = np.asarray(plane, float)
        if in_log and PROPERTIES[key].unit == "dex":
            values = linear(np.where(values > EMPTY_LOG, values, np.nan), True).astype(float)
        found[key] = values
    return found


def _value(maps: Mapping[str, np.ndarray], key: str, used: np.ndarray, pixel_kpc2: float) -> float:
    """Sum or weighted mean over the pixels that count; NaN where there are none."""
    values = maps[key][used]
    if not values.size:
        return float("nan")
    if PROPERTIES[key].additive:
        return float(values.sum()) * pixel_kpc2
    by = maps.get(PROPERTIES[key].weight or "")
    weight = np.ones(values.shape) if by is None else np.nan_to_num(by[used])
    return float((values * weight).sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def _radius(
    plane: np.ndarray, wcs: WCS | None, start: Ellipse | None, isophotes: bool, which: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """Elliptical radius of every pixel in R_half, and the ellipse's size, shape and notes."""
    plane = np.where(np.isfinite(plane) & (plane > 0), plane, 0.0)
    if not plane.any():
        raise InputError(f"The true map of stars{which} is empty: there is no R_half.")
    wcs = _square(plane.shape) if wcs is None else wcs
    pixel = pixel_arcsec(wcs)
    found, way = ellipse_of_half(plane, wcs, start or _middle(plane, wcs, pixel), isophotes)
    notes = [
        "No isophote could be fitted to the true map of stars: the ellipse has its second moments."
    ]
    return found.radius(wcs, plane.shape), {
        "r_half": found.a / pixel, "axis_ratio": found.b / found.a, "shape_from": way,
        "notes": notes if isophotes and way == "moments" else [],
    }  # fmt: skip


def _middle(plane: np.ndarray, wcs: WCS, pixel: float) -> Ellipse:
    """A circle to begin with, about the brightest place of the middle half of a map."""
    from scipy.ndimage import gaussian_filter

    ny, nx = plane.shape
    rows, columns = (slice(n // 4, n - n // 4) for n in plane.shape)
    smooth = gaussian_filter(plane, 2)[rows, columns]
    y, x = np.unravel_index(int(smooth.argmax()), smooth.shape)
    sky = wcs.pixel_to_world(x + columns.start, y + rows.start).icrs
    size = min(ny, nx) / 4 * pixel
    return Ellipse(float(sky.ra.deg), float(sky.dec.deg), size, size)


def _square(shape: tuple[int, ...]) -> WCS:
    """Square pixels of 1 arcsec about the equator: for arrays that lie nowhere on the sky."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [180.0, 0.0]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-1 / 3600, 1 / 3600]
    return wcs
