"""Whatever is wrong with a file, reading it ends soon, in a result or in one sentence, and takes no
memory beyond what is there.

`make fuzz` tries more, and others; ``COUNT`` and ``SEED`` tell how many and which.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.cube_files import is_cube, read_cube
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.map_files import is_maps, read_maps
from napari_galaxy_maps.fits_io.psf_files import read_stamp
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.fits_io.source_tables import read_table
from napari_galaxy_maps.fits_io.which_role import OF_THE_SKY
from napari_galaxy_maps.prepare.masks.mask_files import read_masks

from .base_files import foreign_files, own_files, sample_files
from .mutations import packing, plain

COUNT = int(os.environ.get("GALAXY_MAPS_FUZZ", "3000"))
LONGEST = 10.0
"""Seconds of processor time for one file."""
MEMORY, TIMES = 150e6, 4
"""Bytes beyond what there was, and times the file's own size."""

pytestmark = pytest.mark.slow


@cache
def base_files(kind: str) -> dict[str, bytes]:
    """The files of one kind, whole."""
    if kind == "own":
        with TemporaryDirectory() as folder:
            return own_files(Path(folder))
    return sample_files() if kind == "sample" else foreign_files()


def read_all(path: Path) -> None:
    """Read a file in each way in which the program does."""

    def tried(read: Callable[..., object], *given: object) -> None:
        try:
            read(*given)
        except GalaxyMapsError as error:
            assert str(error).strip() and "\n" not in str(error), repr(error)

    skipped: list[str] = []
    found = []
    tried(lambda: found.extend(find_images([path.parent], skipped)))
    for image in found:
        if image.role in OF_THE_SKY and not image.problems:
            tried(read_band_image, image)
    for asked, read in ((is_cube, read_cube), (is_maps, read_maps)):
        tried(lambda asked=asked, read=read: read(path) if asked(path) else None)
    for read in (read_stamp, read_masks, read_recipe):
        tried(read, path)
    tried(read_table, path, "the stars")


def memory(word: str) -> int:
    """A figure of this process's memory by its word in Linux's status, bytes; 0 where the system
    does not tell.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(word)), 0)


def peak(reset: bool = False) -> int:
    """The most memory that this process has had since the last reset, bytes."""
    if reset:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return memory("VmHWM")


@pytest.fixture
def _limited() -> Iterator[None]:
    """A process that may take 4 GB more, so that what would take all is an error and no crash."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = memory("VmSize")
    if now:
        resource.setrlimit(resource.RLIMIT_AS, (now + 4 * 2**30, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


SHARES = {"own": 0.5, "sample": 0.35, "foreign": 0.15}


@pytest.mark.usefixtures("_limited")
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("kind", SHARES)
def test_a_damaged_file_is_read_or_told_in_a_sentence(kind, part):
    names = sorted(base_files(kind))
    if not names:
        pytest.skip("the real data (../shared/data) is not here")

    @settings(
        max_examples=max(1, int(COUNT * SHARES[kind] / 2)), database=None, deadline=None,
        derandomize="GALAXY_MAPS_FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        st.sampled_from(names[part::2] or names), st.lists(plain, min_size=1, max_size=4), packing,
        st.lists(plain, max_size=1),
    )  # fmt: skip
    def read(name, inner, packed, outer):
        ending, pack = packed
        data = base_files(kind)[name]
        for damage in inner:
            data = damage(data)
        there = len(data)
        data = pack(data)
        for damage in outer if ending else ():
            data = damage(data)
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.fits{ending}"
            path.write_bytes(data)
            before, began = peak(reset=True), time.process_time()
            read_all(path)
            assert time.process_time() - began < LONGEST
            assert peak() - before < MEMORY + TIMES * there

    read()
