"""Galaxies whose mass, metals and ages are those of simulated ones (Illustris, as projected for
PICASSO by Buck & Wolf 2021), read in place; star formation and gas are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...exceptions import InputError
from . import patterns, relations
from .histories import Histories
from .layout import FORMED, Layout
from .traits import Traits

_SMOOTH = 1.5  # pixels: some fifty particles where the galaxy ends
_SIZE = (-0.25, 0.08)
"""log10 of the factor of its size, and its scatter: galaxies of that simulation are twice too large
for their mass (Snyder+ 2015, Sect. 5; Bottrell+ 2017).
"""
_PARTICLE = (0.75e6, 1.26e6)
"""Mass of a particle, Msun, between which the ages leave it open."""


@dataclass(frozen=True, eq=False)
class View:
    """A view of a simulated galaxy.

    Attributes
    ----------
    mass, metals, ages : ndarray, shape (ny, nx)
        Msun/kpc2 of stars and of metals in them, and the sum of particles' ages, Gyr/kpc2.
    pixel : float
        kpc.
    name : str
        Its file's, without the ending.
    """

    mass: np.ndarray
    metals: np.ndarray
    ages: np.ndarray
    pixel: float
    name: str = ""


def read_views(folder: Path) -> list[View]:
    """All views in a folder, smoothed by the size of a few particles, in order of their names.

    Raises
    ------
    InputError
        When there is none.
    """
    from astropy.io import fits
    from scipy.ndimage import gaussian_filter

    views = []
    for path in sorted(folder.glob("*.fits.gz")):
        with fits.open(path) as hdus:
            mass, metals, ages = (
                gaussian_filter(np.asarray(hdus[name].data, float), _SMOOTH)
                for name in ("MASS", "METALS", "AGESUM")
            )
            name = path.name.removesuffix(".fits.gz")
            views.append(View(mass, metals, ages, float(hdus[0].header["PSIZE"]), name))
    if not views:
        raise InputError(f"{folder} has no *.fits.gz; give the folder of data that has simulated/.")
    return views


class SimulatedShape:
    """A view as a galaxy of some traits: mirrored, resized and rescaled in mass.

    Parameters
    ----------
    traits : Traits
        Its `size` and `axis_ratio` are not used: `measured` has the view's own.
    histories : Histories
    view : View
    seed : int
    """

    def __init__(self, traits: Traits, histories: Histories, view: View, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.traits, self.histories = traits, histories
        total = view.mass.sum() * view.pixel**2
        self._factor = 10**traits.log_mass / total
        self._pixel = view.pixel * self._factor**0.3 * 10 ** rng.normal(*_SIZE)
        self._factor *= (view.pixel / self._pixel) ** 2
        self._view = view
        self._mirror = float(rng.choice([-1, 1]))
        particle = rng.uniform(*_PARTICLE)
        self._old = view.ages.sum() * particle / view.mass.sum()
        self._centre, self._turn, self.axis_ratio, half = measured(view.mass)
        self.size = half * self._pixel
        (row, column), (ny, nx) = self._centre, view.mass.shape
        self.known_to = min(row, column, ny - 1 - row, nx - 1 - column) * self._pixel
        self._tile = patterns.Tile(rng, 12 * self.size, -2.2, 0.3)
        self._slope = rng.uniform(0.6, 0.9)
        self._ages = view.ages * particle / np.maximum(view.mass, 1e-12)
        self._rate = self._rates()

    def _rates(self) -> np.ndarray:
        """Star formation per kpc2 on the view's pixels: where there are stars, and young ones."""
        age = np.clip(self._ages - self._old, -4, 4)
        shape = np.maximum(self._view.mass, 1e-3) ** self._slope * 10 ** (-0.2 * age)
        shape[self._view.mass < 1e-4 * self._view.mass.max()] = 0
        return np.asarray(self.traits.sfr * shape / shape.sum() / self._pixel**2)

    def _sampled(self, plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        from scipy.ndimage import map_coordinates

        cos, sin = np.cos(self._turn), np.sin(self._turn)
        u, v = x / self._pixel, self._mirror * y / self._pixel
        row = self._centre[0] + sin * u + cos * v
        column = self._centre[1] + cos * u - sin * v
        return np.asarray(map_coordinates(plane, [row, column], order=1, mode="constant"))

    def at(self, x: np.ndarray, y: np.ndarray) -> Layout:
        """Maps at places in kpc from the centre, x along the major axis."""
        traits, q = self.traits, self.axis_ratio
        radius = np.hypot(x, y / q)
        old = self._sampled(self._view.mass, x, y) * self._factor
        metals = self._sampled(self._view.metals, x, y) * self._factor
        rate = self._sampled(self._rate, x, y)
        noise = self._tile.at(x, y / q)
        reach = radius / (2.2 * self.size)
        oxygen = traits.oxygen + traits.oxygen_gradient * (np.clip(reach, 0, 2) - 0.5)
        gas = relations.schmidt_gas(rate * q) * np.exp(0.5 * noise - 0.125)
        age = np.clip(self._sampled(self._ages, x, y), 2.0, 11.0)
        of_age = self.histories.of_age(age)
        of_rate = self.histories.of_rate(
            np.log10(FORMED * np.maximum(rate, 1e-20) / np.maximum(old, 1e-12))
        )
        return Layout(
            radius=radius,
            old=old,
            # the history has the age of the view, but no more stars of late than form today
            place=np.minimum(of_age, np.maximum(of_rate, 1.0)),
            log_z=np.log10(np.clip(metals / np.maximum(old, 1e-12), 1e-3, 0.05))
            + traits.metals_gradient * (np.clip(radius / self.size, 0, 3) - 1),
            young=rate * np.exp(1.0 * noise - 0.5),
            recent=rate * np.exp(0.5 * noise - 0.125),
            burst=10**traits.log_mass * traits.burst * _middle(radius, self.size, q),
            dust=traits.dust * gas / q * relations.dust_to_gas(oxygen),
            oxygen=oxygen,
        )


def _middle(radius: np.ndarray, size: float, q: float) -> np.ndarray:
    return np.asarray(np.exp(-radius / size) / (2 * np.pi * size**2) / q)


def measured(mass: np.ndarray) -> tuple[tuple[float, float], float, float, float]:
    """Row and column of the peak, angle of the major axis from the rows' direction, axis ratio and
    half-mass radius in pixels, of what lies within three times that radius.
    """
    row, column = np.unravel_index(int(np.argmax(mass)), mass.shape)
    y, x = np.indices(mass.shape, float)
    y, x = y - row, x - column
    radius = np.hypot(x, y)
    order = np.argsort(radius, axis=None)
    grown = np.cumsum(mass.ravel()[order])
    half = float(radius.ravel()[order][np.searchsorted(grown, grown[-1] / 2)])
    weight = np.where(radius < 3 * half, mass * radius, 0)  # so that the disc counts
    xx, yy, xy = ((weight * a).sum() / weight.sum() for a in (x * x, y * y, x * y))
    turn = 0.5 * np.arctan2(2 * xy, xx - yy)
    spread = np.hypot(xx - yy, 2 * xy)
    ratio = np.sqrt((xx + yy - spread) / (xx + yy + spread))
    return (float(row), float(column)), float(turn), float(max(ratio, 0.2)), half
