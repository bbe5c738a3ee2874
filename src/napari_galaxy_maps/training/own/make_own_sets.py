"""Makes training, validation and test sets of a person's own pairs: read once, kept on disk, split
by galaxy and mass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, InputError
from ...fits_io.safe_writing import write_text, written_whole
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...progress import Progress, Steps
from ..datasets.image_truth_pairs import TABLE, Pairs
from ..datasets.stratified_split import Split, stratified_split
from .picasso_zarr import Scale, find_arrays, read_array_pair
from .read_own_pairs import Pair, Source, find_sources, read_pair_steps
from .read_own_truth import TruthOptions

STRIDE = 16
"""Sides of images are multiples of this (`models.stellar_unet.network.STRIDE`, which needs torch).
"""
LARGEST = 256
"""Pixels along each side of the images of a set, unless a person says otherwise."""
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Reading:
    """How pairs are to be read.

    Attributes
    ----------
    recipe : Recipe
        For the preparation of FITS images.
    truth : TruthOptions
    scale : Scale or None
        Of zarr arrays.
    size : int or None
        Pixels along each side; None: the largest image's, at most `LARGEST`.
    seed : int
        Of the split.
    """

    recipe: Recipe
    truth: TruthOptions
    scale: Scale | None = None
    size: int | None = None
    seed: int = 0


def make_own_sets_steps(
    folders: Sequence[Path], out: Path, reading: Reading
) -> Steps[dict[str, Pairs]]:
    """Read all pairs and write the sets ``train``, ``validation`` and ``test`` and ``split.json``,
    yielding after each galaxy.

    A galaxy that was read with the same settings is not read again, nor is a set that is finished.

    Parameters
    ----------
    folders : sequence of Path
        Of FITS pairs (`read_own_pairs.find_sources`) or of zarr arrays, not of both.
    out : Path
        For the sets, and ``read/`` while they are made.
    reading : Reading

    Raises
    ------
    GalaxyMapsError
        When a pair cannot be used, with its name, or there are too few.
    """
    if all((out / part / "set.json").exists() for part in PARTS):
        return {part: Pairs.open(out / part) for part in PARTS}
    jobs = _find_jobs(folders)
    galaxies = [job.galaxy for job in jobs]
    # Too few galaxies are an error before the work.
    stratified_split(galaxies, np.zeros(len(jobs)))
    cache = out / "read"
    with _error_if_unwritable(cache):
        cache.mkdir(parents=True, exist_ok=True)
    files = []
    for number, job in enumerate(jobs):
        files.append((yield from _read_once_steps(job, cache, reading, number)))
        yield Progress("pairs", number + 1, len(jobs), job.name)
    sides, rows = zip(*(_about(path) for path in files), strict=True)
    masses = np.array([row[TABLE.index("log_mass")] for row in rows])
    split = stratified_split(galaxies, masses, reading.seed)
    size = reading.size or min(LARGEST, -(-max(max(side) for side in sides) // STRIDE) * STRIDE)
    cut = sum(max(side) > size for side in sides)
    names = [job.name for job in jobs]
    sets = {}
    for part in PARTS:
        chosen = getattr(split, part)
        with _error_if_unwritable(out):
            _write(out / part, [files[row] for row in chosen], [names[row] for row in chosen], size)
        sets[part] = Pairs.open(out / part)
    split.write(out / "split.json", names, reading.seed)
    for path in cache.iterdir():
        path.unlink()
    cache.rmdir()
    yield Progress("pairs", len(jobs), len(jobs), _summary(split, size, cut), lasting=True)
    return sets


@dataclass(frozen=True)
class _Job:
    """A pair to be read.

    Attributes
    ----------
    name, galaxy : str
        Of the pair, and of the galaxy that it shows: views of one galaxy stay together.
    source : Source, or a tuple of Path
        Of FITS files; or the folder of a pair of zarr arrays, and that by which it is named.
    """

    name: str
    galaxy: str
    source: Source | tuple[Path, Path]


def _find_jobs(folders: Sequence[Path]) -> list[_Job]:
    """All pairs in the folders, of one kind, each with a name of its own."""
    jobs: list[_Job] = []
    for folder in folders:
        arrays = find_arrays(folder) if folder.is_dir() else []
        place = f"{folder.name}/" if len(folders) > 1 else ""
        if arrays:
            jobs += [
                _Job(place + str(array.relative_to(folder)), place + array.name, (array, folder))
                for array in arrays
            ]
        else:
            sources = find_sources(folder)
            jobs += [_Job(place + source.name, place + source.name, source) for source in sources]
    zarr = [not isinstance(job.source, Source) for job in jobs]
    if any(zarr) and not all(zarr):
        raise InputError(
            "Zarr arrays have no noise and FITS images have: train on one kind, then fine-tune on "
            "the other with --start."
        )
    names = [job.name for job in jobs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"The galaxy {twice} is there twice; give each folder and galaxy a name of its own."
        )
    return jobs


def _read_once_steps(job: _Job, cache: Path, reading: Reading, number: int) -> Steps[Path]:
    """The file of a pair in the cache, read and kept there unless it is already."""
    path = cache / f"{_digest(job, reading)}.npz"
    if path.exists():
        return path
    try:
        pair = yield from _read_steps(job.source, reading, number)
    except GalaxyMapsError as error:
        text = str(error)
        named = job.name.rsplit("/", 1)[-1] in text
        raise type(error)(text if named else f"{job.name}: {text}") from None
    _save(path, pair)
    return path


def _summary(split: Split, size: int, cut: int) -> str:
    parts = ", ".join(f"{len(getattr(split, part)):,} for {part}" for part in PARTS)
    cropped = f"; {cut:,} are larger and were cropped" if cut else ""
    return f"pairs of {size} x {size} pixels: {parts}{cropped}"


def _read_steps(source: Source | tuple[Path, Path], reading: Reading, number: int) -> Steps[Pair]:
    if isinstance(source, Source):
        steps = read_pair_steps(source, reading.recipe, reading.truth, number)
        return (yield from _quietly(steps))
    if reading.scale is None:
        raise InputError(
            "Zarr arrays do not say their scale: give --unit, and two of --pixel-arcsec, "
            "--pixel-kpc and --distance (Mpc)."
        )
    return read_array_pair(source[0], reading.scale, number, source[1])


def _quietly(steps: Steps[Pair]) -> Steps[Pair]:
    """Steps whose words are for one galaxy are not worth saying of each of thousands."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as stop:
            pair: Pair = stop.value
            return pair
        yield Progress(progress.step, progress.done, progress.total, progress.detail)


def _digest(job: _Job, reading: Reading) -> str:
    """A name for what is made of a galaxy's files as they are with these settings."""
    source = job.source
    if isinstance(source, Source):
        paths = [*source.images, source.truth, *([source.recipe] if source.recipe else [])]
    else:
        paths = [source[0]]
    stamps = [
        (str(path.resolve()), path.stat().st_mtime_ns if path.exists() else 0) for path in paths
    ]
    text = repr((job.name, stamps, reading.recipe.to_toml(), reading.truth, reading.scale))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _save(path: Path, pair: Pair) -> None:
    arrays: dict[str, Any] = {"images": pair.images, "truth": pair.truth, "row": np.array(pair.row)}
    if pair.sigma is not None:
        arrays["sigma"] = pair.sigma
    with written_whole(path, overwrite=True) as beside:
        np.savez(beside, **arrays)


def _about(path: Path) -> tuple[tuple[int, int], np.ndarray]:
    """Shape of the images and row of the table."""
    with np.load(path) as arrays:
        ny, nx = arrays["truth"].shape[1:]
        return (int(ny), int(nx)), arrays["row"]


def _write(folder: Path, files: Sequence[Path], names: Sequence[str], size: int) -> None:
    """Write a set, each galaxy in the middle of an image of `size` pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(files)
    with np.load(files[0]) as arrays:
        noisy = "sigma" in arrays
    shapes = {"images": (np.float32, 5), "truth": (np.float16, len(STELLAR_PROPERTIES))}
    if noisy:
        shapes["sigma"] = (np.float32, 5)
    planes = {
        key: np.lib.format.open_memmap(folder / f"{key}.npy", "w+", kind, (n, count, size, size))
        for key, (kind, count) in shapes.items()
    }
    table = np.empty((n, len(TABLE)))
    for i, path in enumerate(files):
        with np.load(path) as arrays:
            table[i] = arrays["row"]
            for key, whole in planes.items():
                whole[i] = in_the_middle(arrays[key], size)
    for whole in planes.values():
        whole.flush()
    np.save(folder / "table.npy", table)
    about = {"columns": TABLE, "size": size, "names": list(names)}
    write_text(folder / "set.json", json.dumps(about) + "\n", overwrite=True)


def in_the_middle(planes: np.ndarray, size: int) -> np.ndarray:
    """Planes of shape (n, ny, nx) cropped or padded with NaN about their middle, shape (n, size,
    size).
    """
    result = np.full((len(planes), size, size), np.nan, planes.dtype)
    here, there = [slice(None)], [slice(None)]
    for n in planes.shape[1:]:
        kept = min(n, size)
        here.append(slice((n - kept) // 2, (n - kept) // 2 + kept))
        there.append(slice((size - kept) // 2, (size - kept) // 2 + kept))
    result[tuple(there)] = planes[tuple(here)]
    return result


@contextmanager
def _error_if_unwritable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder, or "
            "free some space."
        ) from None
