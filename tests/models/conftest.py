"""The shipped model, and the real galaxies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.models.registry import load_model

# Surface brightness of a spiral, an early type and a dwarf in MJy/sr: typical, not of any one
# galaxy.
TYPICAL = {
    "GALEX_FUV": (0.011, 0.0004, 0.004),
    "GALEX_NUV": (0.019, 0.001, 0.005),
    "SDSS_u": (0.06, 0.03, 0.009),
    "SDSS_g": (0.19, 0.15, 0.02),
    "SDSS_r": (0.31, 0.32, 0.026),
    "SDSS_i": (0.41, 0.47, 0.030),
    "SDSS_z": (0.49, 0.60, 0.031),
    "2MASS_J": (0.65, 0.80, 0.035),
    "2MASS_H": (0.75, 0.95, 0.035),
    "2MASS_Ks": (0.62, 0.75, 0.027),
    "WISE_3.4": (0.37, 0.36, 0.015),
    "WISE_4.6": (0.22, 0.20, 0.009),
    "WISE_12": (1.0, 0.10, 0.02),
    "WISE_22": (1.4, 0.08, 0.05),
}


@pytest.fixture(scope="session")
def model():
    """The shipped dust-forest."""
    return load_model("dust-forest")


@pytest.fixture
def make_cube():
    """A cube of typical pixels in some bands; `noise` is the error as a fraction of the flux."""

    def make(bands=tuple(TYPICAL), shape=(6, 7), noise=0.05, seed=1, pixel_pc=None) -> BandCube:
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 3, shape)
        data = np.array([np.array(TYPICAL.get(b, (1.0, 1.0, 1.0)))[kind] for b in bands])
        error = noise * data
        data = (data + error * rng.standard_normal(data.shape)).astype("f4")
        return BandCube(
            data, error.astype("f4"), tuple(bands), WCS(naxis=2), 12.0, 4.0, pixel_pc,
            np.zeros(shape, bool), np.zeros(shape, np.int16),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def galaxies(shared_data: Path):
    """The real galaxies of DustPedia, and of H-ATLAS behind them."""
    from napari_galaxy_maps.training.datasets.dustpedia import read_galaxies
    from napari_galaxy_maps.training.datasets.hatlas import read_hatlas

    hatlas = shared_data / "hatlas"
    return read_galaxies(shared_data / "dustpedia", hatlas).joined(read_hatlas(hatlas))
