"""The mock galaxies that look most like a galaxy to the stellar U-Net, made anew with truths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...mocks.mock import make_mock
from ...models.stellar_unet.library import USUAL
from ..datasets.mock_set import training_view

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...mocks.mock import Mock
    from ...models.stellar_unet.model import StellarUNet


@dataclass(frozen=True)
class Neighbour:
    """A mock galaxy and how far it is from the one that was asked about.

    Attributes
    ----------
    mock : Mock
        As it was seen in training, with SDSS's noise.
    distance : float
        In the space of the network's features, in units of their scatter over the training set.
    """

    mock: Mock
    distance: float

    @property
    def words(self) -> str:
        """What it is, in a line."""
        galaxy = self.mock.galaxy
        return f"{galaxy.kind}, 10^{galaxy.log_mass:.1f} Msun, {galaxy.inclination:.0f}°"


def neighbours_of(model: StellarUNet, cube: BandCube, count: int = 3) -> list[Neighbour]:
    """The mocks most like a galaxy, the nearest first.

    Parameters
    ----------
    model : StellarUNet
    cube : BandCube
        With any of ugriz.
    count : int

    Raises
    ------
    ModelError
        When the cube has none of the bands.
    """
    return [
        Neighbour(make_mock(seed, replace(training_view(seed, size), noise=1.0)), distance)
        for seed, size, distance in model.neighbours(cube, count)
    ]


def distance_in_words(model: StellarUNet, nearest: float, galaxy: str) -> str:
    """How far a galaxy is from the mock most like it, and whether that is far for a mock.

    Parameters
    ----------
    model : StellarUNet
    nearest : float
        `Neighbour.distance` of the first of `neighbours_of`.
    galaxy : str
        Its name.
    """
    usual = model.library.usual
    words = f"{galaxy} lies {nearest:.2f} from the nearest mock"
    if np.isnan(usual):
        return f"{words}."
    words += f"; of the mocks {USUAL:.0%} have another one within {usual:.1f}."
    return f"{words} That is far for a mock." if nearest > usual else words


def composite(data: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """A colour picture of optical images (Lupton+ 2004), shape (ny, nx, 3) of uint8; grey where
    there is one band.

    Parameters
    ----------
    data : ndarray, shape (n_bands, ny, nx)
        MJy/sr; NaN where missing.
    bands : tuple of str
    """
    from astropy.visualization import make_lupton_rgb

    there = [band for band in ("SDSS_i", "SDSS_z", "SDSS_r", "SDSS_g", "SDSS_u") if band in bands]
    red, green, blue = there[0], there[len(there) // 2], there[-1]
    # So that a galaxy of average colour is white.
    white = {"SDSS_u": 4.5, "SDSS_g": 1.6, "SDSS_r": 1.0, "SDSS_i": 0.75, "SDSS_z": 0.6}
    planes = [np.nan_to_num(data[bands.index(band)] * white[band]) for band in (red, green, blue)]
    stretch = max(float(np.percentile(planes[1], 99.5)), 1e-6)
    picture: np.ndarray = make_lupton_rgb(*planes, stretch=stretch * 0.3, Q=8)
    return picture
