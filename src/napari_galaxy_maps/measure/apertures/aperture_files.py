"""Apertures to and from DS9 region files, and tables to ECSV or CSV."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from ...fits_io.region_outlines import corners
from ...fits_io.region_shapes import because_of, read_shapes, region_text
from ...fits_io.safe_writing import write_text, written_whole
from .aperture import Aperture, Vertices

if TYPE_CHECKING:
    from astropy.table import Table
    from astropy.wcs import WCS


def read_apertures(
    path: str | Path, wcs: WCS | None = None, left_out: list[str] | None = None
) -> list[Aperture]:
    """Circles, ellipses, rings, boxes and polygons of a region file, named by their text or
    numbered; what the file excludes is taken out of all of them.

    Parameters
    ----------
    path : str or Path
        The file, in any celestial frame that DS9 knows, or in pixels.
    wcs : WCS, optional
        Of the image that pixel coordinates belong to.
    left_out : list of str, optional
        Sentences about shapes that cannot be used are appended to it.

    Raises
    ------
    InputError
        When the file cannot be read, holds no aperture, or is in pixels and no image is given.
    """
    notes: list[str] = [] if left_out is None else left_out
    before = len(notes)
    found: list[Aperture] = []
    excluded: list[Aperture] = []
    for number, shape in enumerate(read_shapes(path, wcs, notes), 1):
        if shape.in_pixels:
            raise InputError(
                f"{path} is in pixels of an image; save the regions in DS9 as FK5 or ICRS."
            )
        name = shape.name or str(number)
        make = _MAKERS.get(shape.kind)
        aperture = make(shape.region, name) if make is not None else None
        if aperture is None:
            notes.append(
                f"{Path(path).name}: {shape.kind.lower()} {name!r} left out; "
                "it is no circle, ellipse, ring (of one shape inside and outside), box or polygon."
            )
        else:
            (excluded if shape.is_excluded else found).append(aperture)
    if not found:
        what = "only excluded shapes (as -circle)" if excluded else "no aperture"
        raise InputError(
            f"{path} holds {what}{because_of(notes[before:])}; "
            "draw circles, ellipses, rings, boxes or polygons in DS9."
        )
    return [replace(aperture, without=tuple(excluded)) for aperture in found]


def write_apertures(
    path: str | Path, apertures: Sequence[Aperture], overwrite: bool = False
) -> None:
    """Write apertures as DS9 regions (ICRS), and what is taken out of them as excluded ones; a ring
    of a polygon is written without its hole.

    Raises
    ------
    InputError
        When the file is there and `overwrite` is off, or cannot be written.
    """
    excluded = dict.fromkeys(hole for aperture in apertures for hole in aperture.without)
    regions = [_region(aperture) for aperture in apertures]
    for hole in excluded:
        regions.append(_region(hole))
        regions[-1].meta["include"] = 0
    write_text(path, region_text(regions), overwrite)


def write_table(path: str | Path, table: Table, overwrite: bool = False) -> None:
    """Write a table as ECSV, or as CSV where the file's name ends so (units go into the names of
    its columns then).

    Raises
    ------
    InputError
        When the name ends otherwise, or the file is there or cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".ecsv", ".csv"):
        raise InputError(f"{path}: tables are written as .ecsv or .csv; give the file such a name.")
    with written_whole(path, overwrite) as beside, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if ending == ".ecsv":
            table.write(beside, format="ascii.ecsv", overwrite=True)
        else:
            plain = table.copy()
            for column in plain.colnames:
                unit = getattr(plain[column], "unit", None)
                if unit is not None and str(unit):
                    plain.rename_column(column, f"{column} [{unit}]")
            plain.write(beside, format="ascii.csv", overwrite=True)


def _region(aperture: Aperture) -> Any:
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from regions import (
        CircleAnnulusSkyRegion,
        CircleSkyRegion,
        EllipseAnnulusSkyRegion,
        EllipseSkyRegion,
        PolygonSkyRegion,
    )

    shape, meta = (
        aperture.shape,
        {"text": aperture.name.replace("{", "(").replace("}", ")").replace(";", ",")},
    )
    if not isinstance(shape, Ellipse):
        return PolygonSkyRegion(SkyCoord(list(shape), unit="deg"), meta=meta)
    centre, a, b = SkyCoord(shape.ra, shape.dec, unit="deg"), shape.a * u.arcsec, shape.b * u.arcsec
    hole = aperture.inner
    if shape.a == shape.b:
        if hole:
            return CircleAnnulusSkyRegion(centre, a * hole, a, meta=meta)
        return CircleSkyRegion(centre, a, meta=meta)
    angle = (shape.pa + 90) * u.deg  # regions' angle is that of the width, from west towards north
    if hole:
        return EllipseAnnulusSkyRegion(
            centre, 2 * a * hole, 2 * a, 2 * b * hole, 2 * b, angle, meta=meta
        )
    return EllipseSkyRegion(centre, 2 * a, 2 * b, angle, meta=meta)


def _ellipse(centre: Any, width: Any, height: Any, angle: Any) -> Ellipse:
    """An ellipse from its full axes and the angle of the width from west towards north; the major
    axis comes first.
    """
    a, b, pa = (
        float(width.to_value("arcsec")) / 2,
        float(height.to_value("arcsec")) / 2,
        float(angle.to_value("deg")) - 90,
    )
    if b > a:
        a, b, pa = b, a, pa + 90
    return Ellipse(float(centre.ra.deg), float(centre.dec.deg), a, b, pa % 180)


def _from_circle(region: Any, name: str) -> Aperture:
    return Aperture(
        _ellipse(region.center, 2 * region.radius, 2 * region.radius, _right_angle()), name
    )


def _from_ring(region: Any, name: str) -> Aperture:
    width = 2 * region.outer_radius
    inner = float((region.inner_radius / region.outer_radius).to_value(""))
    return Aperture(_ellipse(region.center, width, width, _right_angle()), name, inner)


def _from_ellipse(region: Any, name: str) -> Aperture:
    return Aperture(_ellipse(region.center, region.width, region.height, region.angle), name)


def _from_elliptical_ring(region: Any, name: str) -> Aperture | None:
    inner = _hole(region)
    if inner is None:
        return None
    return Aperture(
        _ellipse(region.center, region.outer_width, region.outer_height, region.angle), name, inner
    )


def _from_corners(region: Any, name: str) -> Aperture:
    return Aperture(_vertices(corners(region)), name)


def _from_box_ring(region: Any, name: str) -> Aperture | None:
    from regions import RectangleSkyRegion

    inner = _hole(region)
    if inner is None:
        return None
    whole = RectangleSkyRegion(region.center, region.outer_width, region.outer_height, region.angle)
    return Aperture(_vertices(corners(whole)), name, inner)


def _hole(region: Any) -> float | None:
    """The inner edge of a ring in units of its outer one; None where they have different shapes."""
    width = float((region.inner_width / region.outer_width).to_value(""))
    height = float((region.inner_height / region.outer_height).to_value(""))
    return width if np.isclose(width, height, rtol=1e-3) else None


def _vertices(places: np.ndarray) -> Vertices:
    return tuple((float(ra), float(dec)) for ra, dec in places)


def _right_angle() -> Any:
    from astropy import units as u

    return 90 * u.deg


_MAKERS = {
    "Circle": _from_circle,
    "CircleAnnulus": _from_ring,
    "Ellipse": _from_ellipse,
    "EllipseAnnulus": _from_elliptical_ring,
    "Rectangle": _from_corners,
    "RectangleAnnulus": _from_box_ring,
    "Polygon": _from_corners,
}
