"""Whole-galaxy values: what maps add up to, beside what the galaxy's integrated fluxes give (DB21
Sect. 3.3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.cube import BandCube
from ...data.galaxy import Ellipse
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from .aperture import Aperture
from .photometry import Options, filled_note, measure_apertures, values_in
from .planes import Planes, planes_of

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

_COVERED = 0.9
"""Share of the pixels that a band must have for its integrated flux to count."""
_FEWER = 0.01
"""Share of the pixels of totals that integrated fluxes may lack without a word."""


def outline(wcs: WCS, shape: tuple[int, int]) -> Aperture:
    """All of an image as an aperture."""
    ny, nx = shape
    corners = wcs.pixel_to_world(
        [-0.5, nx - 0.5, nx - 0.5, -0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5]
    ).icrs
    return Aperture(
        tuple(
            (float(ra), float(dec)) for ra, dec in zip(corners.ra.deg, corners.dec.deg, strict=True)
        ),
        "all",
    )


def galaxy_totals(
    maps: PropertyMaps | Planes, ellipse: Ellipse | None = None,
    global_maps: PropertyMaps | None = None,
    correct_masked: bool = False,
    fill: bool = True,
) -> QTable:  # fmt: skip
    """What maps come to over a galaxy, beside the prediction from its integrated fluxes.

    Parameters
    ----------
    maps : PropertyMaps or Planes
    ellipse : Ellipse, optional
        Of the galaxy; without it all pixels count.
    global_maps : PropertyMaps, optional
        Of one pixel, as `pipeline.predict_global` gives them.
    correct_masked : bool
        Whether totals are scaled to the whole ellipse where pixels of it are blank. The integrated
        fluxes are of the pixels that they count, and are scaled alike.
    fill : bool
        Whether totals count what is thought to lie under masks, where that is known.

    Returns
    -------
    astropy.table.QTable
        A row for each map: ``map what value err err_max filled_share unit log10 log10_err
        log10_err_max weight n_pixels n_masked``, and with `global_maps` ``global global_err
        difference``. Totals of what adds up, weighted means of the rest, which are of measured
        pixels alone; ``filled_share`` is as in `measure_apertures`. The difference is maps minus
        global, in dex (or K, Gyr). ``err_max`` and ``log10_err_max`` hold where all pixels err
        together, and are not there where ``err`` has the part of the errors that they share.

    Raises
    ------
    InputError
        When no pixel has a value there, or the totals need a distance that is not known.
    """
    from astropy.table import QTable

    planes = maps if isinstance(maps, Planes) else planes_of(maps)
    aperture = outline(planes.wcs, planes.shape) if ellipse is None else Aperture(ellipse, "galaxy")
    rows = _summed(planes, aperture, Options(correct_masked=correct_masked, fill=fill))
    table = QTable(rows)
    table.meta["notes"] = [*filled_note(np.asarray(table["filled_share"])), *planes.notes]
    if planes.made_from:
        table.meta["made_from"] = dict(planes.made_from)
    if global_maps is None:
        return table
    single = planes_of(global_maps, distance_mpc=planes.distance_mpc)
    whole = {
        row["map"]: row for row in _summed(single, outline(single.wcs, single.shape), Options())
    }
    found = values_in(planes, [aperture], Options(fill=fill))[0]
    of_fluxes = (float(single.wcs.wcs.cdelt[1]) * 3600) ** 2 / found.pixel_arcsec2  # pixels
    scale = found.n_pixels_all / of_fluxes if correct_masked else 1.0
    left_out = 1 - of_fluxes / float((found.n_pixels + found.n_filled).max())
    if found.n_filled.any() and left_out > _FEWER and not correct_masked:
        table.meta["notes"].append(
            f"The integrated fluxes leave out {left_out:.1%} of the pixels that the totals count: "
            "the cube does not know what lies under its masks. Prepare it anew, or compare without "
            "filled pixels."
        )
    for row in rows:
        other = whole.get(row["map"], {})
        times = scale if PROPERTIES[row["map"]].additive else 1.0
        row["global"], row["global_err"] = (
            times * other.get(key, np.nan) for key in ("value", "err")
        )
        key, add = ("log10", np.log10(times)) if np.isfinite(row["log10"]) else ("value", 0.0)
        row["difference"] = row[key] - other.get(key, np.nan) - add
    return QTable(rows, meta=table.meta)


def _summed(planes: Planes, aperture: Aperture, options: Options) -> list[dict[str, Any]]:
    table = measure_apertures(planes, [aperture], options)
    ends = [end for end in ("err", "err_max") if f"sum_{end}" in table.colnames]
    rows: list[dict[str, Any]] = []
    for row in table:
        prop = PROPERTIES[str(row["map"])]
        kind = "sum" if prop.additive else "mean"
        value = float(row[kind])
        errors = {end: float(row[f"{kind}_{end}"]) for end in ends}
        if prop.additive and not np.isfinite(value):
            raise InputError(
                "Totals need the galaxy's distance; give it in Mpc.", "galaxy.distance"
            )
        log10, in_dex = np.nan, np.nan  # the value, and what makes an error one in dex
        if prop.additive and value > 0:
            log10, in_dex = np.log10(value), 1 / value / np.log(10)
        elif prop.unit == "dex":
            log10, in_dex = value, 1.0
        rows.append(
            {"map": prop.name, "what": prop.label, "value": value, **errors,
             "filled_share": float(row["filled_share"]),
             "unit": str(row["sum_unit"]) or str(row["mean_unit"]), "log10": log10,
             **{f"log10_{end}": error * in_dex for end, error in errors.items()},
             "weight": "" if prop.additive else str(row["weight"]),
             "n_pixels": float(row["n_pixels"]),
             "n_masked": float(row["n_masked"])}
        )  # fmt: skip
    return rows


def integrated_cube(cube: BandCube, ellipse: Ellipse | None = None, fill: bool = True) -> BandCube:
    """A cube of one pixel: the mean surface brightness of a galaxy in every band, over the pixels
    that are masked in none of them, and those where the masked light is known.

    Parameters
    ----------
    cube : BandCube
    ellipse : Ellipse, optional
        Of the galaxy; without it all pixels that are not masked count.
    fill : bool
        Whether what is thought to lie under masks counts, where that is known.

    Returns
    -------
    BandCube
        Its pixel has the area of the pixels that entered; errors are those of means over correlated
        pixels, with the calibration. A band that lacks more than a tenth of the pixels is NaN.

    Raises
    ------
    InputError
        When every pixel there is masked or blank.
    """
    from astropy.wcs import WCS

    planes = planes_of(_alike(cube) if fill else cube.masked_alike())
    aperture = outline(cube.wcs, cube.shape) if ellipse is None else Aperture(ellipse, "galaxy")
    found = values_in(planes, [aperture], Options(fill=fill))[0]
    counted = found.n_pixels + found.n_filled
    pixels = float(counted.max(initial=0))
    if not pixels > 0:
        raise InputError(
            f"{cube.name or 'The cube'} has no pixel inside the ellipse that is not masked; check "
            "the ellipse."
        )
    enough = counted >= _COVERED * pixels
    side = float(np.sqrt(pixels * found.pixel_arcsec2))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.radesys = ["RA---TAN", "DEC--TAN"], "ICRS"
    wcs.wcs.crval, wcs.wcs.crpix = list(aperture.centre), [1, 1]
    wcs.wcs.cdelt, wcs.wcs.cunit = [-side / 3600, side / 3600], ["deg", "deg"]
    wcs.wcs.set()
    data, error = (
        np.where(enough, v / counted.clip(min=1e-9), np.nan).astype(np.float32)[:, None, None]
        for v in found.sums[:2]
    )
    nothing = np.zeros((1, 1), np.int16)
    pixel_pc = None if cube.pixel_pc is None else cube.pixel_pc * side / cube.pixel_arcsec
    return replace(
        cube, data=data, uncertainty=error, wcs=wcs, fwhm=side, pixel_arcsec=side,
        pixel_pc=pixel_pc, mask=nothing.astype(bool),
        flags=nothing, images={}, masks=None, own_masks=None, correlation=None, systematic=None,
        filling=None, masked_light=None,
    )  # fmt: skip


def _alike(cube: BandCube) -> BandCube:
    """The cube with all bands hidden where any is, but for pixels where the light under masks is
    known.
    """
    if cube.masked_light is None or cube.own_masks is None:
        return cube.masked_alike()
    return replace(cube, own_masks=cube.own_masks | cube.unknown)
