"""Makes a training set of mock galaxies on disk: noiseless images and true maps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...exceptions import InputError
from ...fits_io.safe_writing import write_text
from ...mocks.mock import make_mock
from ...mocks.population import draw_galaxy
from ...mocks.view import FARTHEST_DRAWN, UGRIZ, View
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from ...progress import Progress, Steps
from ..processes import in_processes, unstopped
from .image_truth_pairs import TABLE, Pairs

SEED_STRIDE = 10_000_000
FIRST_SEED = {"train": SEED_STRIDE, "validation": 2 * SEED_STRIDE, "test": 3 * SEED_STRIDE}
"""Seeds of galaxies start here, so that no galaxy is in two sets."""
_MATTER = 1e-6
"""Pixels with less of a quantity than this part of its largest are rounding errors of the
convolution.
"""


def training_view(seed: int, size: int) -> View:
    """How a mock of the training set is seen: any pixel size, any resolution, from a part of the
    galaxy to much sky about it.
    """
    rng = np.random.default_rng([seed, 0x7EA])
    pixel = float(10 ** rng.uniform(np.log10(0.25), np.log10(3.0)))
    widths = (
        rng.uniform(1.6, 4.2)
        * pixel
        * (np.ones(5) if rng.uniform() < 0.7 else rng.uniform(0.8, 1.2, 5))
    )
    reach = rng.uniform(1.5, 6.0) * draw_galaxy(seed).r_e
    distance = float(
        np.clip(reach * 1e3 / (size * pixel / 2) / PC_PER_MPC_ARCSEC, 1.0, FARTHEST_DRAWN)
    )
    return View(
        size=size, pixel_arcsec=pixel, bands=UGRIZ, distance_mpc=distance, noise=0.0,
        fwhm=dict(zip(UGRIZ, widths.tolist(), strict=True)), truth_fwhm=float(widths.max()),
        neighbours=float(rng.choice([0.0, 1.0, 4.0])),
    )  # fmt: skip


def sdss_view(seed: int, size: int) -> View:
    """How a mock of the test set is seen: as SDSS sees it, on the same 51 arcsec of sky whatever
    the number of pixels.
    """
    return View(size=size, pixel_arcsec=0.396 * 128 / size, noise=0.0, neighbours=1.0)


VIEWS = {"training": training_view, "sdss": sdss_view}


def make_one(job: tuple[int, int, str]) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """One mock: `job` is its seed, image size and the name of its view in `VIEWS`."""
    seed, size, view = job
    mock = make_mock(seed, VIEWS[view](seed, size))
    galaxy = mock.galaxy
    row = [
        seed,
        galaxy.log_mass,
        galaxy.log_sfr,
        galaxy.inclination,
        galaxy.r_e,
        galaxy.bulge,
        float(galaxy.kind in ("elliptical", "lenticular")),
        mock.redshift,
        float(mock.view.distance_mpc or np.nan),  # make_mock gives every view one
        mock.view.pixel_arcsec,
        mock.pixel_kpc,
        mock.view.fwhm_of_truth / mock.view.pixel_arcsec,
    ]
    return mock.data, scaled_truth(mock.truth), row


def scaled_truth(truth: dict[str, np.ndarray]) -> np.ndarray:
    """True maps as the network is taught them, float16, shape (7, ny, nx): scaled, NaN where there
    is no matter.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = []
        for name in STELLAR_PROPERTIES:
            target = TARGETS[name]
            plane = target.from_map(truth[name])
            carrier = truth["LOG_SIGMA_STAR"] if name == "AGE_STAR" else truth[name]
            empty = ~np.isfinite(plane) | ~(carrier > np.nanmax(carrier) + np.log10(_MATTER))
            scaled.append(np.where(empty, np.nan, target.scaled(plane)))
    return np.stack(scaled).astype(np.float16)


def make_set_steps(
    folder: str | Path, seeds: Sequence[int], size: int, view: str = "training", processes: int = 1
) -> Steps[Pairs]:
    """Make mocks and write them to a folder, yielding after each batch.

    Parameters
    ----------
    folder : str or Path
        For ``images.npy``, ``truth.npy``, ``table.npy`` and ``set.json``, which is written last.
    seeds : sequence of int
    size : int
        Pixels along each side.
    view : str
        One of `VIEWS`.
    processes : int
        That make mocks at the same time.
    """
    jobs = [((int(seed), size, view),) for seed in seeds]
    found = in_processes(make_one, jobs, processes, unstopped, at_once=16)
    return (yield from write_set_steps(folder, found, seeds, size, view, TABLE))


def write_set_steps(
    folder: str | Path,
    found: Iterator[tuple[np.ndarray, np.ndarray, list[float]]],
    seeds: Sequence[int],
    size: int,
    view: str,
    columns: Sequence[str],
) -> Steps[Pairs]:
    """Write galaxies to a folder as they are made, yielding after each 64.

    Parameters
    ----------
    folder : str or Path
        As that of `make_set_steps`.
    found : iterator
        Images, scaled true maps and a row of the table for each seed.
    seeds : sequence of int
    size : int
        Pixels along each side.
    view : str
        How they are seen, for the record.
    columns : sequence of str
        Of the table: `TABLE`, and more.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made ({error.strerror}); choose another folder."
        ) from None
    (folder / "set.json").unlink(missing_ok=True)
    n = len(seeds)
    shape = (n, 5, size, size)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.float32, shape)
    truth = np.lib.format.open_memmap(
        folder / "truth.npy", "w+", np.float16, (n, len(STELLAR_PROPERTIES), size, size)
    )
    table = np.zeros((n, len(columns)))
    for i, (image, planes, row) in enumerate(found):
        images[i], truth[i], table[i] = image, planes, row
        if i % 64 == 63 or i == n - 1:
            yield Progress("mocks", i + 1, n, f"{i + 1:,} of {n:,} mocks of {size} x {size} pixels")
    images.flush()
    truth.flush()
    np.save(folder / "table.npy", table)
    about: dict[str, Any] = {
        "columns": columns,
        "size": size,
        "view": view,
        "seeds": [int(seeds[0]), int(seeds[-1])],
    }
    write_text(folder / "set.json", json.dumps(about) + "\n", overwrite=True)
    return Pairs.open(folder)
