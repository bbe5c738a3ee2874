"""Makes a training set of painted galaxies on disk: images without noise and true maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...cosmology import angular_diameter_distance_mpc
from ...progress import Steps
from ..datasets.image_truth_pairs import TABLE, Pairs
from ..datasets.mock_set import scaled_truth, write_set_steps
from ..processes import in_processes, one_thread, unstopped
from .structures import Structures

if TYPE_CHECKING:
    from .frames import Frame
    from .painting import NoiseBank

USUAL_SHARE = 0.4
"""Of the images, whose galaxies are drawn by the relations of real ones."""
COLUMNS = (*TABLE, "usual", "r_half_pixels")
FIRST_SEED = {"train": 500_000_000, "validation": 600_000_000, "test": 700_000_000}


@lru_cache(maxsize=1)
def _tools(structures: str) -> tuple[Structures, NoiseBank]:
    from .painting import NoiseBank

    return Structures.open(structures), NoiseBank()


def frame_of(seed: int, size: int, structures: str | Path) -> Frame:
    """The image of a seed."""
    from .frames import make_frame

    rng = np.random.default_rng([seed, 0xF4A])
    usual = bool(rng.uniform() < USUAL_SHARE)
    shapes, bank = _tools(str(structures))
    return make_frame(shapes, bank, rng, size, usual)


def true_maps(frame: Frame) -> dict[str, np.ndarray]:
    """The seven maps of a frame, in their units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = {name: plane.astype(np.float64) for name, plane in frame.truth.items()}
        return {
            "LOG_SIGMA_STAR": np.log10(t["star"]), "LOG_SIGMA_ZSTAR": np.log10(t["zstar"]),
            "AGE_STAR": t["age"] / t["star"], "LOG_SIGMA_SFR": np.log10(t["sfr"]),
            "LOG_SIGMA_GAS": np.log10(t["gas"]), "LOG_SIGMA_ZGAS": np.log10(t["zgas"]),
            "LOG_SIGMA_HI": np.log10(t["hi"]),
        }  # fmt: skip


def make_one(job: tuple[int, int, str]) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Images, scaled true maps and `COLUMNS` of a seed, an image size and a folder of shapes."""
    seed, size, structures = job
    frame = frame_of(seed, size, structures)
    traits = frame.traits
    distance = angular_diameter_distance_mpc(max(frame.redshift, 1e-4))
    row = [
        seed, traits.log_mass, np.nan, np.nan, traits.r_half, traits.spheroid, np.nan,
        frame.redshift, distance, frame.pixel_arcsec,
        frame.pixel_arcsec * distance * PC_PER_MPC_ARCSEC / 1e3, frame.fwhm_pixels,
        float(traits.usual), frame.r_half_pixels,
    ]  # fmt: skip
    return frame.images, scaled_truth(true_maps(frame)), row


def make_painted_steps(
    folder: str | Path,
    seeds: Sequence[int],
    size: int,
    structures: str | Path,
    processes: int = 1,
) -> Steps[Pairs]:
    """Paint images and write them to a folder, yielding after each 64.

    Parameters
    ----------
    folder : str or Path
        For the files of `Pairs`; ``set.json`` is written last.
    seeds : sequence of int
    size : int
        Pixels along each side.
    structures : str or Path
        Folder of `Structures`.
    processes : int
    """
    jobs = [((int(seed), size, str(structures)),) for seed in seeds]
    found = in_processes(make_one, jobs, processes, _begin, at_once=16)
    return (yield from write_set_steps(folder, found, seeds, size, "painted", COLUMNS))


def _begin() -> None:
    unstopped()
    one_thread()
