"""Shared by all tests: the real data, where it is, and small made-up images with known content."""

from __future__ import annotations

import os
import signal
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import settings

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
# A loaded machine takes its time: how long an example took says nothing.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
VIRTUAL = "GALAXY_MAPS_VIRTUAL_DISPLAY"
SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "spiral"
ROUNDING = {"rtol": 3e-6, "atol": 3e-6}
"""By the processor, products of matrices of other shapes differ in their last bits."""


def pytest_configure(config: pytest.Config) -> None:
    """Where several processes share the tests in a virtual display, give each but the first one of
    its own.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # Started in the background, as a shell does: what tests start could not be interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = getattr(config, "workerinput", {}).get("workerid", "gw0")
    if worker == "gw0" or VIRTUAL not in os.environ:
        return
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    config.add_cleanup(xvfb.terminate)
    assert xvfb.stdout is not None
    os.environ["DISPLAY"] = f":{int(xvfb.stdout.readline())}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests that open a window go to one process a module, for those of a module share it; so do
    those that read all sources, which are parsed once a process; the others go one by one.

    On a person's own display all windows are one process's: two would take the keyboard from each
    other. (The mark ``xdist_group`` would say all this, but pytest-xdist 3.8 does not see it under
    pytest 9.2.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            if module.endswith("/test_architecture.py"):
                return module
            if "/plugin/" not in module and not module.endswith("/test_demo.py"):
                return nodeid
            return module if VIRTUAL in os.environ else "window"

    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data (../shared/data) is not here")
    return SHARED


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """Folder of the sample spiral."""
    return SAMPLE


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests of a module keep libraries of model spectra, which take seconds to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cached_libraries(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries are kept in `cache`, not in the home of who runs the tests."""
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(cache))


def tan_wcs(
    shape: tuple[int, int], pixel: float, ra: float = 150.0, dec: float = 2.0, rotation: float = 0.0
) -> WCS:
    """A tangential WCS centred on the image; pixel in arcsec, rotation in degrees."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    wcs.wcs.set()
    return wcs


def write_image(path: Path, data: np.ndarray, wcs: WCS | None = None, **header: object) -> Path:
    """Write a FITS image with header keywords."""
    cards = fits.Header() if wcs is None else wcs.to_header()
    for key, value in header.items():
        cards[key] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.PrimaryHDU(data, cards).writeto(path, overwrite=True)
    return path


def write_galaxy(folder: Path, bands: dict[str, float], noise: float = 0.02, seed: int = 1) -> Path:
    """Write a round exponential galaxy in some bands, in MJy/sr, over a sky of 2 MJy/sr.

    Parameters
    ----------
    folder : Path
        Made for it.
    bands : dict
        Brightness at the centre, MJy/sr, by band.
    """
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i, (band, brightness) in enumerate(bands.items()):
        pixel = (1.5, 2.0, 1.375)[i % 3]
        side = int(420 / pixel)
        y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * pixel
        disc = brightness * np.exp(-np.hypot(x, y) / 25)
        data = (disc + 2.0 + rng.normal(0, noise, disc.shape)).astype("f4")
        write_image(
            folder / f"galaxy_{band}.fits",
            data,
            tan_wcs(data.shape, pixel, rotation=20 * i),
            BUNIT="MJy/sr",
        )
    return folder


@pytest.fixture
def galaxy_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes folders of galaxies, as `write_galaxy` does, by name."""

    def make(bands: dict[str, float], name: str = "galaxy", **more: Any) -> Path:
        return write_galaxy(tmp_path / name, bands, **more)

    return make


@pytest.fixture
def starry_folder(galaxy_folder: Callable[..., Path]) -> Path:
    """Three bands with two bright stars, their Gaia-like table, and an H II region that Gaia took
    for a star.
    """
    folder = galaxy_folder({"SDSS_i": 4.0, "2MASS_J": 8.0, "WISE_3.4": 5.0})
    places = [(150.0115, 2.004), (149.993, 1.989)]
    for path in folder.glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            wcs = WCS(hdus[0].header)
            rows, columns = np.mgrid[: hdus[0].shape[0], : hdus[0].shape[1]]
            pixel = np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600
            sigma = (
                {"SDSS_i": 1.3, "2MASS_J": 2.0, "WISE_3.4": 6.1}[path.stem.removeprefix("galaxy_")]
                / 2.3548
                / pixel
            )
            sigma = max(sigma, 0.6)
            for ra, dec in places:
                x, y = wcs.world_to_pixel_values(ra, dec)
                hdus[0].data += (
                    40 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / sigma**2)
                ).astype("f4")
    from astropy.table import Table

    table = Table(
        {"source_id": [1, 2, 3], "ra": [*[p[0] for p in places], 150.0005],
         "dec": [*[p[1] for p in places], 2.004],
         "parallax": [3.0, 5.0, 0.1], "parallax_error": [0.05, 0.05, 0.3], "pmra": [0.0, 0, 0],
         "pmdec": [0.0, 0, 0],
         "phot_g_mean_mag": [14.0, 14.0, 18.0], "ref_epoch": [2016.0] * 3}
    )  # fmt: skip
    table.write(folder / "gaia.ecsv")
    return folder


def ink(figure):
    """Share of a figure's pixels that are not white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return float((np.asarray(canvas.buffer_rgba())[..., :3] < 250).any(axis=2).mean())
