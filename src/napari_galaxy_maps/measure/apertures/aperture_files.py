"""Apertures to and from DS9 region files, and tables to ECSV or CSV."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from ...fits_io.ds9_regions import because_of, read_shapes
from ...fits_io.safe_writing import write_text, written_whole
from .aperture import Aperture

if TYPE_CHECKING:
    from astropy.table import Table
    from astropy.wcs import WCS


def read_apertures(
    path: str | Path, wcs: WCS | None = None, left_out: list[str] | None = None
) -> list[Aperture]:
    """Circles, ellipses, rings, boxes and polygons of a DS9 region file, named by their text or
    numbered.

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
    found = []
    for number, shape in enumerate(read_shapes(path, wcs, notes), 1):
        if shape.in_pixels:
            raise InputError(
                f"{path} is in pixels of an image; save the regions in DS9 as FK5 or ICRS."
            )
        name = str(shape.region.meta.get("text", "") or number)
        make = _MAKERS.get(shape.kind)
        aperture = make(shape.region, name) if make is not None else None
        if aperture is None:
            notes.append(
                f"{Path(path).name}: {shape.kind.lower()} {name!r} left out; "
                "it is no circle, ellipse, ring, box or polygon."
            )
        else:
            found.append(aperture)
    if not found:
        raise InputError(
            f"{path} holds no aperture{because_of(notes[before:])}; "
            "draw circles, ellipses, rings, boxes or polygons in DS9."
        )
    return found


def write_apertures(
    path: str | Path, apertures: Sequence[Aperture], overwrite: bool = False
) -> None:
    """Write apertures as DS9 regions (ICRS); a ring of a polygon is written without its hole.

    Raises
    ------
    InputError
        When the file is there and `overwrite` is off, or cannot be written.
    """
    from regions import Regions

    text = Regions([_region(aperture) for aperture in apertures]).serialize(
        format="ds9", precision=9
    )
    write_text(path, text, overwrite)


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
    centre = centre.icrs
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
    inner = float((region.inner_width / region.outer_width).to_value(""))
    if not np.isclose(
        inner, float((region.inner_height / region.outer_height).to_value("")), rtol=1e-3
    ):
        return None  # its edges have different shapes
    return Aperture(
        _ellipse(region.center, region.outer_width, region.outer_height, region.angle), name, inner
    )


def _from_box(region: Any, name: str) -> Aperture:
    from astropy import units as u

    middle, corners = region.center.icrs, []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        dx, dy = x * region.width / 2, y * region.height / 2
        # The angle of the width is from west towards north: the direction (dx, dy) has this
        # position angle.
        angle = region.angle - 90 * u.deg + np.arctan2(dy, dx)
        corner = middle.directional_offset_by(angle, np.hypot(dx, dy))
        corners.append((float(corner.ra.deg), float(corner.dec.deg)))
    return Aperture(tuple(corners), name)


def _from_polygon(region: Any, name: str) -> Aperture:
    corners = region.vertices.icrs
    return Aperture(
        tuple(
            (float(ra), float(dec)) for ra, dec in zip(corners.ra.deg, corners.dec.deg, strict=True)
        ),
        name,
    )


def _right_angle() -> Any:
    from astropy import units as u

    return 90 * u.deg


_MAKERS = {
    "Circle": _from_circle,
    "CircleAnnulus": _from_ring,
    "Ellipse": _from_ellipse,
    "EllipseAnnulus": _from_elliptical_ring,
    "Rectangle": _from_box,
    "Polygon": _from_polygon,
}
