"""Shapes on the sky: circles and polygons of right ascension and declination as a napari Shapes
layer in arcsec, and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import Ellipse
from .layer_specs import AXIS_LABELS, UNITS
from .sky_plane import Reference, offsets, position_at

if TYPE_CHECKING:
    from napari.layers import Shapes


@dataclass(frozen=True)
class Outline:
    """One shape as it is drawn.

    Attributes
    ----------
    kind : str
        ``"ellipse"`` or ``"polygon"``.
    corners : ndarray, shape (n, 2)
        North and west offset in arcsec: of an ellipse the four corners of its box, of a polygon its
        own.
    colour : tuple of float
        Red, green, blue, alpha.
    pixels : float
        Width of the line on the screen.
    """

    kind: str
    corners: np.ndarray
    colour: tuple[float, float, float, float]
    pixels: float = 1.5


def circle_corners(place: Reference, radius: float, reference: Reference) -> np.ndarray:
    """Corners of the box of a circle, shape (4, 2): north and west offset in arcsec on the plane
    tangent at `reference`.

    Parameters
    ----------
    place : tuple of float
        ICRS degrees of the centre.
    radius : float
        Arcsec.
    reference : tuple of float
        ICRS degrees where the plane touches.
    """
    east, north = offsets(np.array(place[0]), np.array(place[1]), reference)
    return box_corners(np.array([float(north), -float(east)]), radius)


def box_corners(centre: np.ndarray, radius: float) -> np.ndarray:
    """Corners of a square box about a centre on the plane."""
    return centre + radius * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])


def circle_of(corners: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius, on the plane, of the circle that an ellipse with these corners is to be:
    its mean semi-axis.
    """
    corners = np.asarray(corners, float)
    sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    return corners.mean(axis=0), float(sum(sides) / 4)


def sky_position(point: Sequence[float] | np.ndarray, reference: Reference) -> Reference:
    """ICRS degrees of a point on the plane: north and west offset in arcsec."""
    return position_at(-float(point[1]), float(point[0]), reference)


def polygon_corners(vertices: np.ndarray, reference: Reference) -> np.ndarray:
    """North and west offsets, shape (n, 2), of positions in ICRS degrees, shape (n, 2)."""
    ra, dec = np.asarray(vertices, float).T
    east, north = offsets(ra, dec, reference)
    return np.column_stack([north, -east])


def polygon_vertices(corners: np.ndarray, reference: Reference) -> np.ndarray:
    """The reverse of `polygon_corners`."""
    return np.array([sky_position(point, reference) for point in np.asarray(corners, float)])


def ellipse_corners(ellipse: Ellipse, reference: Reference) -> np.ndarray:
    """Corners of the box about an ellipse, shape (4, 2): north and west offset in arcsec on the
    plane tangent at `reference`.

    The two sides that follow the first corner are the minor and the major axis.
    """
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    centre = SkyCoord(ellipse.ra, ellipse.dec, unit="deg")
    angles = (ellipse.pa + np.array([0, 90])) * u.deg
    ends = centre.directional_offset_by(angles, np.array([ellipse.a, ellipse.b]) * u.arcsec)
    east, north = offsets(
        np.append(ends.ra.deg, ellipse.ra), np.append(ends.dec.deg, ellipse.dec), reference
    )
    *tips, middle = np.column_stack([north, -east])
    major, minor = (tip - middle for tip in tips)
    return middle + np.array([-major - minor, -major + minor, major + minor, major - minor])


def ellipse_of(corners: np.ndarray, reference: Reference) -> Ellipse:
    """The reverse of `ellipse_corners`, whichever of the sides is the longer."""
    from astropy.coordinates import SkyCoord

    corners = np.asarray(corners, float)
    middle = corners.mean(axis=0)
    tips = [middle, *((corners[i] + corners[i + 1]) / 2 for i in (0, 1))]
    centre, *ends = (SkyCoord(*sky_position(tip, reference), unit="deg") for tip in tips)
    a, b = sorted(
        ((centre.separation(end).arcsec, centre.position_angle(end).deg) for end in ends),
        reverse=True,
    )
    return Ellipse(
        float(centre.ra.deg), float(centre.dec.deg), float(a[0]), float(b[0]), float(a[1]) % 180
    )


def make_layer(
    outlines: Sequence[Outline], arcsec_per_pixel: float, name: str, colour: np.ndarray
) -> Shapes:
    """A Shapes layer on the sky, with lines as wide on the screen as the outlines say.

    Parameters
    ----------
    outlines : sequence of Outline
        What it shows.
    arcsec_per_pixel : float
        On the screen.
    name : str
        Of the layer.
    colour : ndarray, shape (3,)
        Of shapes that a person draws.
    """
    from napari.layers import Shapes

    layer = Shapes(
        ndim=2,
        name=name,
        units=UNITS,
        axis_labels=AXIS_LABELS,
        edge_color=colour,
        face_color="transparent",
        edge_width=1.5 * arcsec_per_pixel,
        opacity=1.0,
    )
    add_outlines(layer, outlines, arcsec_per_pixel)
    return layer


def add_outlines(layer: Shapes, outlines: Sequence[Outline], arcsec_per_pixel: float) -> None:
    """Draw more shapes, all at once."""
    if outlines:
        layer.add(
            [outline.corners for outline in outlines],
            shape_type=[outline.kind for outline in outlines],
            edge_color=np.array([outline.colour for outline in outlines]),
            face_color="transparent",
            edge_width=[outline.pixels * arcsec_per_pixel for outline in outlines],
        )


def redraw(layer: Shapes, outlines: dict[int, Outline], arcsec_per_pixel: float) -> None:
    """Draw some of a layer's shapes anew, by their numbers, and leave the others alone.

    napari offers no public way to change one shape of many; to set all costs a hundred times as
    much.
    """
    view = layer._data_view
    with view.batched_updates():
        for number, outline in outlines.items():
            kind = outline.kind if view.shapes[number].name != outline.kind else None
            view.edit(number, outline.corners, edge_color=np.array(outline.colour), new_type=kind)
            width = outline.pixels * arcsec_per_pixel
            if view.shapes[number].edge_width != width:
                view.update_edge_width(number, width)
    layer.refresh()


def set_line_widths(layer: Shapes, pixels: Sequence[float], arcsec_per_pixel: float) -> None:
    """Lines of these widths on the screen, after the camera has come closer or gone away."""
    layer.edge_width = [width * arcsec_per_pixel for width in pixels]
    layer.current_edge_width = 1.5 * arcsec_per_pixel
    layer.refresh(extent=False, thumbnail=False)


def reselect(layer: Shapes, numbers: set[int]) -> None:
    """Select shapes, and draw napari's box about them where they are now."""
    layer.selected_data = set()
    layer.selected_data = numbers
