"""Radial profiles over elliptical annuli, growth curves, and the gradients fitted to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...data.cube import BandCube
from ...data.flags import column_description
from ...data.galaxy import BandImage, Ellipse
from ...data.maps import PropertyMaps
from ...exceptions import InputError
from ..apertures.aperture import Aperture
from ..apertures.photometry import Options, Values, in_unit, values_in, without_value
from ..apertures.planes import Planes, have_ranges, planes_of

if TYPE_CHECKING:
    from astropy.table import QTable


Source = Planes | PropertyMaps | BandCube | BandImage

_MOST_BINS = 2000
_PER = {"r": "arcsec", "r_kpc": "kpc", "r_r25": "R25", "r_rhalf": "R_half"}
"""What gradients are per, by the column of the radius."""
_NEEDED = {"r_kpc": "the distance", "r_r25": "R25", "r_rhalf": "R_half"}
"""What a profile needs to be known for a column of radii."""


def annuli(ellipse: Ellipse, edges: Sequence[float]) -> list[Aperture]:
    """Elliptical annuli between semi-major axes in arcsec, with the shape of `ellipse`; the first
    is a full ellipse at 0.

    Raises
    ------
    InputError
        When the edges do not grow.
    """
    edges = [float(edge) for edge in edges]
    if len(edges) < 2 or edges[0] < 0 or any(after <= before for before, after in pairwise(edges)):
        raise InputError(
            f"The edges of the annuli ({', '.join(f'{e:g}' for e in edges)}) must grow from 0 or "
            "more."
        )
    ratio = ellipse.b / ellipse.a
    return [
        Aperture(replace(ellipse, a=outer, b=outer * ratio), f"{inner:g}-{outer:g}", inner / outer)
        for inner, outer in pairwise(edges)
    ]


def equal_steps(step: float, largest: float) -> list[float]:
    """Edges from 0 to at least `largest` in steps; both in arcsec.

    Raises
    ------
    InputError
        When the step makes no sense.
    """
    if not step > 0 or not largest > 0:
        raise InputError(
            f"A step of {step:g} arcsec out to {largest:g} makes no profile; give positive numbers."
        )
    n = int(np.ceil(largest / step - 1e-9))
    if n > _MOST_BINS:
        raise InputError(
            f"Steps of {step:g} arcsec out to {largest:g} are {n} annuli; choose a larger step."
        )
    return [i * step for i in range(n + 1)]


def radial_profile(
    sources: Source | Mapping[str, Source], ellipse: Ellipse, edges: Sequence[float],
    r25: float | None = None,
    r_half: float | None = None,
) -> QTable:  # fmt: skip
    """Profiles of every map of one or several sources over the same annuli.

    Parameters
    ----------
    sources : Planes, PropertyMaps, BandCube, BandImage, or mapping of str to these
        With a mapping, such as ``{"prediction": maps, "truth": truth}``, the column ``source``
        tells them apart (it is ``measured`` without one); each is measured on its own grid.
    ellipse : Ellipse
        Centre, axis ratio and position angle of the annuli.
    edges : sequence of float
        Semi-major axes in arcsec at which they begin and end.
    r25, r_half : float, optional
        Arcsec; adds the columns ``r_r25`` and ``r_rhalf``.

    Returns
    -------
    astropy.table.QTable
        A row for each source, map and annulus: ``source map r_in r r_out [r_kpc r_r25 r_rhalf] mean
        mean_err mean_err_max median p16 p84 mean_unit weight sum sum_err growth growth_err sum_unit
        area n_pixels n_masked flags``. ``r`` is the mean radius over the annulus' area; ``growth``
        the sum inside ``r_out``; annuli without a value have NaN. The part of the errors that all
        pixels of the galaxy share (`PropertyMaps.galaxy_errors`) is in all errors where it is
        known, and stands in ``mean_err_galaxy``; ``mean_err_max`` is there unless it is known
        everywhere.

    Raises
    ------
    InputError
        When the edges make no sense, or no annulus has a value on any map.
    """
    from astropy import units as u
    from astropy.table import QTable, vstack

    rings = annuli(ellipse, edges)
    named = sources if isinstance(sources, Mapping) else {"measured": sources}
    laid = {
        name: source if isinstance(source, Planes) else planes_of(source)
        for name, source in named.items()
    }
    tables, notes, options = [], [], Options(fill=False)
    for label, planes in laid.items():
        found = values_in(planes, rings, options, (16.0, 50.0, 84.0))
        whole = [ring.scaled(0, 1) for ring in rings]
        grown = values_in(planes, whole, options)
        if not any(np.any(values.n_pixels > 0) for values in found):
            raise InputError(
                f"No annulus about RA {ellipse.ra:.5f}, Dec {ellipse.dec:.5f} out to {edges[-1]:g} "
                "arcsec holds a pixel with a "
                f"value{f' on {label}' if len(laid) > 1 else ''}; check the ellipse, or measure "
                "another file."
            )
        notes += [f"{label}: {note}" if len(laid) > 1 else note for note in planes.notes]
        tables.append(_table(planes, label, found, grown, np.asarray(edges, float)))
    idle = ["mean_err_max"] if not have_ranges(laid.values()) else []
    if not any(planes.in_two_parts.any() for planes in laid.values()):
        idle.append("mean_err_galaxy")
    table = vstack(tables, metadata_conflicts="silent") if len(tables) > 1 else tables[0]
    table = QTable(table)
    table.remove_columns(idle)
    r = np.asarray(table["r"])
    distance = next((planes.distance_mpc for planes in laid.values() if planes.distance_mpc), None)
    if distance:  # one galaxy: a truth without a distance is as far as the prediction
        kpc = r * (distance * PC_PER_MPC_ARCSEC / 1000) * u.kpc
        table.add_column(kpc, name="r_kpc", index=table.colnames.index("r_out") + 1)
    for name, unit in (("r_r25", r25), ("r_rhalf", r_half)):
        if unit:
            table.add_column(r / unit, name=name, index=table.colnames.index("mean"))
    for name in ("r_in", "r", "r_out"):
        table[name] = np.asarray(table[name]) * u.arcsec
    table["area"] = np.asarray(table["area"]) * u.arcsec**2
    table["flags"].info.description = column_description(np.asarray(table["flags"]))
    made_from = {
        label: dict(planes.made_from) for label, planes in laid.items() if planes.made_from
    }
    table.meta = {
        "notes": notes,
        **({"made_from": made_from} if made_from else {}),
        "ellipse": {name: float(getattr(ellipse, name)) for name in ("ra", "dec", "a", "b", "pa")},
        **({"r25_arcsec": float(r25)} if r25 else {}),
        **({"r_half_arcsec": float(r_half)} if r_half else {}),
    }
    return table


def _table(
    planes: Planes, label: str, found: list[Values], grown: list[Values], edges: np.ndarray
) -> QTable:
    from astropy.table import QTable

    inner, outer = edges[:-1], edges[1:]
    # Mean of r over the area between the two.
    middle = 2 / 3 * (outer**3 - inner**3) / (outer**2 - inner**2)
    columns: dict[str, list[np.ndarray]] = {}

    def add(**values: object) -> None:
        for name, value in values.items():
            columns.setdefault(name, []).append(np.broadcast_to(np.asarray(value), middle.shape))

    area = found[0].pixel_arcsec2
    for i, quantity in enumerate(planes.quantities):
        means = np.array(
            [
                in_unit(
                    quantity,
                    *(float(part[i]) for part in (v.mean, v.mean_err, v.mean_err_max)),
                    float(v.mean_err_galaxy[i]),
                )
                for v in found
            ]
        )
        each = planes.per_pixel(quantity, area)

        def total(values: list[Values], name: str, i: int = i, each: float = each) -> np.ndarray:
            return np.array([getattr(v, name)[i] * v.n_pixels[i] * each for v in values])

        pixels = np.array([v.n_pixels[i] for v in found])
        add(source=label, map=quantity.name, r_in=inner, r=middle, r_out=outer)
        add(mean=means[:, 0], mean_err=means[:, 1], mean_err_max=means[:, 2])
        add(mean_err_galaxy=means[:, 3])
        add(
            **{
                name: [v.percentiles[i, k] for v in found]
                for k, name in ((1, "median"), (0, "p16"), (2, "p84"))
            }
        )
        add(mean_unit=quantity.unit, weight=quantity.weight)
        add(sum=total(found, "mean"), sum_err=total(found, "mean_err"))
        add(
            growth=total(grown, "mean"),
            growth_err=total(grown, "mean_err"),
            sum_unit=quantity.sum_unit,
        )
        add(area=pixels * area, n_pixels=pixels, n_masked=[without_value(v)[i] for v in found])
        add(flags=[v.flags for v in found])
    return QTable({name: np.concatenate(parts) for name, parts in columns.items()})


def fit_gradients(
    profile: QTable,
    radius: Literal["r", "r_kpc", "r_r25", "r_rhalf"] = "r_kpc",
    inner: float = 0.0,
    outer: float = np.inf,
) -> QTable:
    """Straight lines fitted to profiles, weighted by the errors of the means.

    What all pixels of the galaxy share moves the means together: it is no part of the weights, and
    enters the errors of the line as far as it tilts and lifts it.

    Parameters
    ----------
    profile : QTable
        Of `radial_profile`.
    radius : str
        The column in whose unit the gradient is: dex/kpc, dex per R25, ...
    inner, outer : float
        Limits of the fit, in that unit.

    Returns
    -------
    astropy.table.QTable
        A row for each source and map: ``source map gradient gradient_err central central_err n chi2
        unit``. Errors are those that the means' errors give, multiplied by the root of chi2 per
        degree of freedom where that exceeds 1, or from the scatter where there are no errors.

    Raises
    ------
    InputError
        When the profile has no such radius, or no map has three annuli within the limits.
    """
    from astropy.table import QTable

    if radius not in profile.colnames:
        need = _NEEDED.get(radius, "another radius")
        raise InputError(f"The profile has no column {radius}: it needs {need}.")
    x = np.asarray(getattr(profile[radius], "value", profile[radius]), float)
    y, error = np.asarray(profile["mean"], float), np.asarray(profile["mean_err"], float)
    shared = np.zeros(y.shape)
    if "mean_err_galaxy" in profile.colnames:
        shared = np.nan_to_num(np.asarray(profile["mean_err_galaxy"], float))
        error = np.sqrt((error**2 - shared**2).clip(min=0))
    usable = np.isfinite(y) & (x >= inner) & (x <= outer)
    rows = []
    for source, name in dict.fromkeys(zip(profile["source"], profile["map"], strict=True)):
        mine = usable & (profile["source"] == source) & (profile["map"] == name)
        if mine.sum() < 3:
            continue
        unit = str(profile["mean_unit"][mine][0])
        unit = "dex" if unit.startswith("dex") else unit
        line = _fit_line(x[mine], y[mine], error[mine], shared[mine])
        row = {"source": str(source), "map": str(name), **line}
        rows.append(row | {"unit": f"{unit}/{_PER[radius]}"})
    if not rows:
        raise InputError(
            "A gradient needs at least three annuli with a value; take smaller steps, or wider "
            "limits."
        )
    return QTable(rows)


def _fit_line(
    x: np.ndarray, y: np.ndarray, error: np.ndarray, shared: np.ndarray
) -> dict[str, float | int]:
    """A straight line with its errors, as `fit_gradients` describes them."""
    have_errors = bool(np.all(error > 0)) and bool(np.isfinite(error).all())
    weights = 1 / error if have_errors else np.ones(x.size)
    (slope, central), covariance = np.polyfit(x, y, 1, w=weights, cov="unscaled")
    residual = (y - central - slope * x) * weights
    chi2 = float((residual**2).sum() / (x.size - 2))
    slope_err, central_err = np.sqrt(
        np.diag(covariance) * (max(chi2, 1.0) if have_errors else chi2)
    )
    tilt, lift = np.polyfit(x, shared, 1, w=weights)  # were all means off by what they share
    return {
        "gradient": float(slope),
        "gradient_err": float(np.hypot(slope_err, tilt)),
        "central": float(central),
        "central_err": float(np.hypot(central_err, lift)),
        "n": int(x.size),
        "chi2": chi2 if have_errors else float("nan"),
    }
