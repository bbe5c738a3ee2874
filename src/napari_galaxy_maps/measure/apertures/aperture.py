"""Apertures on the sky: circles, ellipses, polygons, rings of these, and what is taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...data.galaxy import Ellipse
from ...exceptions import InputError

Vertices = tuple[tuple[float, float], ...]


_WIDEST = 100
"""Times its aperture, the largest ring for a background."""


@dataclass(frozen=True)
class Aperture:
    """A circle, an ellipse, a polygon, or a ring of these, and what is taken out of it.

    Attributes
    ----------
    shape : Ellipse or tuple of (ra, dec)
        An ellipse (a circle where its axes are equal), or the corners of a polygon in ICRS degrees.
    name : str
        What to call it in tables.
    inner : float
        Size of the hole in units of the shape: 0 without one, 0.5 for a ring from half of the
        ellipse to all of it.
    without : tuple of Aperture
        What is taken out of it, where it lies within.

    Raises
    ------
    InputError
        When its axes or its hole make no sense, or a polygon has fewer than three corners.
    """

    shape: Ellipse | Vertices
    name: str = ""
    inner: float = 0.0
    without: tuple[Aperture, ...] = ()

    def __post_init__(self) -> None:
        called = f"The aperture {self.name!r}" if self.name else "An aperture"
        if isinstance(self.shape, Ellipse):
            numbers = (self.shape.ra, self.shape.dec, self.shape.a, self.shape.b, self.shape.pa)
            if not np.isfinite(numbers).all() or not self.shape.a > 0 or not self.shape.b > 0:
                raise InputError(
                    f"{called} has the semi-axes {self.shape.a:g} and {self.shape.b:g} arcsec at "
                    f"{self.shape.ra:g}, "
                    f"{self.shape.dec:g}; give positive numbers and a position."
                )
        elif len(set(self.shape)) < 3 or not np.isfinite(self.shape).all():
            raise InputError(
                f"{called} is a polygon with {len(set(self.shape))} different corners; a polygon "
                "needs at least three."
            )
        if not 0 <= self.inner < 1:
            raise InputError(
                f"{called} has a hole of {self.inner:g} times its size; the inner edge of a ring "
                "must be smaller than its outer one."
            )

    @property
    def centre(self) -> tuple[float, float]:
        """ICRS right ascension and declination in degrees; of a polygon, the mean direction of its
        corners.
        """
        if isinstance(self.shape, Ellipse):
            return self.shape.ra, self.shape.dec
        mean = unit_vectors(*np.transpose(self.shape)).mean(axis=0)
        return degrees(mean)

    def scaled(self, inner: float, outer: float) -> Aperture:
        """The ring between `inner` and `outer` times this aperture's size (and without its hole),
        about its centre.
        """
        if not 0 <= inner < outer <= _WIDEST:
            raise InputError(
                f"A ring from {inner:g} to {outer:g} times an aperture is none; give a smaller and "
                f"a larger number up to {_WIDEST}, as in 1.5,2."
            )
        if isinstance(self.shape, Ellipse):
            shape: Ellipse | Vertices = replace(
                self.shape, a=self.shape.a * outer, b=self.shape.b * outer
            )
        else:
            shape = scaled_polygon(self.shape, self.centre, outer)
        return Aperture(shape, self.name, inner / outer, self.without)

    @property
    def reach(self) -> float:
        """Arcsec from its centre within which all of it lies."""
        if isinstance(self.shape, Ellipse):
            return max(self.shape.a, self.shape.b)
        middle = unit_vectors(*np.transpose([self.centre]))
        return float(_arcsec_apart(unit_vectors(*np.transpose(self.shape)), middle).max())

    def may_touch(self, other: Aperture) -> bool:
        """Whether the circles around both overlap."""
        places = unit_vectors(*np.transpose([self.centre, other.centre]))
        apart = float(_arcsec_apart(places[:1], places[1:])[0])
        return apart <= self.reach + other.reach


def _arcsec_apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angles between directions of shape (n, 3), good for small ones, too."""
    chord = np.linalg.norm(one - other, axis=1)
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1.0))) * 3600)


def circle(ra: float, dec: float, radius: float, name: str = "") -> Aperture:
    """A circular aperture; position in ICRS degrees, radius in arcsec."""
    return Aperture(Ellipse(ra, dec, radius, radius), name)


def scaled_polygon(vertices: Vertices, centre: tuple[float, float], factor: float) -> Vertices:
    """A polygon with its corners moved along great circles to `factor` times their distance from
    the centre.
    """
    from astropy.coordinates import SkyCoord

    middle, corners = SkyCoord(*centre, unit="deg"), SkyCoord(list(vertices), unit="deg")
    moved = middle.directional_offset_by(
        middle.position_angle(corners), factor * middle.separation(corners)
    )
    return tuple(
        (float(ra), float(dec)) for ra, dec in zip(moved.ra.deg, moved.dec.deg, strict=True)
    )


def unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Directions, shape (n, 3), of positions in degrees."""
    ra, dec = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def degrees(vector: np.ndarray) -> tuple[float, float]:
    """Position in degrees of a direction of shape (3,)."""
    x, y, z = vector
    return float(np.degrees(np.arctan2(y, x)) % 360), float(
        np.degrees(np.arctan2(z, np.hypot(x, y)))
    )
