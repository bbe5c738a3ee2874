"""Gives stellar-unet a domain, by which it knows galaxies that are unlike all that it was trained
on (`models.stellar_unet.domain`).

python -m napari_galaxy_maps.training.stellar_unet.fit_domain --model FOLDER --sets FOLDER... --held
FOLDER... --out FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...exceptions import GalaxyMapsError, InputError
from ...models.registry import load_model
from ...models.stellar_unet.calibration import N_BANDS
from ...models.stellar_unet.domain import ASPECTS, BRIGHTNESS, COLOURS, LOOK, Cloud, Domain
from ...models.stellar_unet.inputs import UGRIZ, band_set
from ...models.stellar_unet.model import StellarUNet
from ...progress import Progress, Steps, run_to_end
from ..datasets.image_truth_pairs import Pairs
from ..datasets.mock_cubes import noisy_cube
from ..model_files import write_model
from .domain_scores import measured_steps

if TYPE_CHECKING:
    from ...data.cube import BandCube

SHARE = 0.01
"""Of held-out galaxies, and of their blocks, that are beyond the limits all the same."""
KNOWN, HELD = 3600, 2000
"""Galaxies, each seen in conditions of its own, whose points are kept and that set the limits.
"""
BLOCKS = 4000
"""Of those galaxies, whose points are kept."""
_AXES = {BRIGHTNESS: 12, COLOURS: 24, LOOK: 48}
_LEAST_SPREAD = 1e-3
"""Of an axis, over that of the first: what varies less is rounding errors."""
_FEW = 60
"""Held-out galaxies in a set of bands below which all in as many bands set its limit, and in a
number of bands below which all do.
"""

Vectors = Mapping[str, np.ndarray]


def fit_domain_steps(
    model: StellarUNet,
    sets: Sequence[Pairs],
    held: Sequence[Pairs],
    seed: int = 0,
    known: int = KNOWN,
    held_out: int = HELD,
) -> Steps[Domain]:
    """The domain of a model, yielding after every galaxy.

    Parameters
    ----------
    model : StellarUNet
        With the library that it will have: galaxies are averaged to the size of its mocks.
    sets : sequence of Pairs
        That it was trained on.
    held : sequence of Pairs
        Never trained on.
    seed : int
    known, held_out : int
        Galaxies of each to look at.

    Raises
    ------
    InputError
        When there are fewer than two galaxies of either.
    """
    rng = np.random.default_rng([seed, 0xD0])
    total = known + held_out
    points, blocks, _, _ = yield from _looked_at_steps(model, sets, known, rng, 0, total)
    tests, test_blocks, seen, seen_of = yield from _looked_at_steps(
        model, held, held_out, rng, known, total
    )
    wholes = {name: _cloud(points[name], _AXES[name]) for name in ASPECTS}
    parts = {
        name: _cloud(rng.permutation(blocks[name]), _AXES[name], BLOCKS)
        for name in (BRIGHTNESS, COLOURS)
    }
    return Domain(
        _with_limits(wholes, tests, seen), _with_limits(parts, test_blocks, seen_of), SHARE
    )


def as_trained(pairs: Pairs, row: int, rng: np.random.Generator) -> BandCube:
    """A galaxy in the bands, with the noise, masks and knowledge of its redshift that training
    might have shown it with.
    """
    from .observing_conditions import SUBSETS, ObservingConditions

    seen = ObservingConditions()
    shares = np.array([share for _, share in SUBSETS])
    letters = SUBSETS[rng.choice(len(SUBSETS), p=shares / shares.sum())][0]
    if letters == "any":
        letters = "".join(rng.permutation(list("ugriz"))[: rng.integers(1, N_BANDS + 1)])
    bands = [band for band in UGRIZ if band[-1] in letters]
    cube = noisy_cube(pairs, row, bands, 10 ** rng.uniform(*seen.noise))
    there = np.isfinite(cube.data).any(axis=(1, 2))
    if not there.any():  # of people's own galaxies, that have these bands in none
        cube = noisy_cube(pairs, row)
        there = np.isfinite(cube.data).any(axis=(1, 2))
    if not there.all():
        cube = cube.only([band for band, has in zip(cube.bands, there, strict=True) if has])
    if rng.random() < seen.masked:
        cube = replace(cube, mask=cube.mask | _discs(cube.shape, rng))
    known = np.isfinite(cube.pixel_pc or np.nan) and rng.random() < seen.known_redshift
    return cube if known else replace(cube, pixel_pc=None, redshift=None)


def _discs(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Discs masked as stars are."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    masked = np.zeros(shape, bool)
    for x, y, r in rng.random((int(rng.integers(1, 5)), 3)):
        away = (columns - x * shape[1]) ** 2 + (rows - y * shape[0]) ** 2
        masked |= away < ((0.01 + 0.07 * r**2) * shape[1]) ** 2
    return masked


def _looked_at_steps(
    model: StellarUNet,
    sets: Sequence[Pairs],
    count: int,
    rng: np.random.Generator,
    done: int,
    total: int,
) -> Steps[tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Galaxies of some sets, the same number of each, seen as in training: vectors of the wholes
    and of the blocks, and the set of bands that each was seen in.
    """
    if sum(map(len, sets)) < 2:
        raise InputError("There are fewer than two galaxies in these sets; give more of them.")
    wholes: list[Vectors] = []
    blocks: list[Vectors] = []
    sets_of: list[int] = []
    for number in range(count):
        pairs = sets[number % len(sets)]
        cube = as_trained(pairs, (number // len(sets)) % len(pairs), rng)
        wholes.append(model.vectors(cube))
        blocks.append(model.block_vectors(cube))
        sets_of.append(band_set(cube.bands, model.card.bands))
        yield Progress("domain", done + number + 1, total, f"domain: galaxy {done + number + 1:,}")
    joined = {name: np.stack([w[name] for w in wholes]) for name in ASPECTS}
    n_blocks = [len(b[COLOURS]) for b in blocks]
    set_of_block = np.repeat(sets_of, n_blocks)
    of_blocks = {name: np.concatenate([b[name] for b in blocks]) for name in (BRIGHTNESS, COLOURS)}
    seen = np.isfinite(of_blocks[COLOURS]).all(axis=1)
    of_blocks = {name: rows[seen] for name, rows in of_blocks.items()}
    return joined, of_blocks, np.array(sets_of), set_of_block[seen]


def _cloud(vectors: np.ndarray, axes: int, most: int | None = None) -> Cloud:
    """Points along the first axes of their scatter, without limits."""
    mean = np.nan_to_num(np.nanmean(vectors, axis=0)) if np.isfinite(vectors).any() else 0.0
    beside = np.where(np.isfinite(vectors), vectors - mean, 0.0)
    _, size, turned = np.linalg.svd(beside, full_matrices=False)
    kept = max(1, min(axes, int((size > _LEAST_SPREAD * size[0]).sum())))
    scale = np.maximum(size[:kept], 1e-12) / np.sqrt(len(beside))
    to_axes = (turned[:kept] / scale[:, None]).T.astype(np.float32)
    points = (beside[:most] @ to_axes).astype(np.float16)
    mean = np.broadcast_to(mean, vectors.shape[1:]).astype(np.float32)
    return Cloud(mean, to_axes, points, np.ones(2**N_BANDS, np.float32))


def _with_limits(clouds: Mapping[str, Cloud], tests: Vectors, seen: np.ndarray) -> dict[str, Cloud]:
    """Clouds with limits beyond which `SHARE` of what was held out is in any aspect, for each set
    of bands; `seen` are the sets of `tests`.
    """
    away = {name: cloud.distance(tests[name]) for name, cloud in clouds.items()}
    limits = {name: np.empty(2**N_BANDS, np.float32) for name in clouds}
    for number in range(2**N_BANDS):
        here = _like(number, seen)
        each = {name: max(float(np.quantile(d[here], 1 - SHARE)), 1e-6) for name, d in away.items()}
        worst = np.max([away[name][here] / each[name] for name in clouds], axis=0)
        joint = float(np.quantile(worst, 1 - SHARE))
        for name in clouds:
            limits[name][number] = joint * each[name]
    return {name: replace(cloud, limits=limits[name]) for name, cloud in clouds.items()}


def _like(number: int, seen: np.ndarray) -> np.ndarray:
    """Which of `seen` stand for a set of bands: the same set, as many bands, or all."""
    counts = ((seen[:, None] >> np.arange(N_BANDS)) & 1).sum(axis=1)
    same, as_many = seen == number, counts == number.bit_count()
    return next((here for here in (same, as_many) if here.sum() >= _FEW), np.ones(len(seen), bool))


def fit(
    name: str,
    sets: Sequence[Path],
    held: Sequence[Path],
    out: Path,
    seed: int = 0,
    known: int = KNOWN,
    held_out: int = HELD,
    report: Callable[[str], None] = print,
) -> StellarUNet:
    """Give a model a domain and write it, with what its card says of it.

    Parameters
    ----------
    name : str
        Of the model, or its folder.
    sets, held : sequence of Path
        Folders of sets that it was trained on and that it was not.
    out : Path
        Folder for weights, card and registry.
    seed, known, held_out : int
        As for `fit_domain_steps`.
    report : callable
        Told how far it is.

    Raises
    ------
    GalaxyMapsError
        When a folder holds no set or model, or `out` cannot be written.
    """
    model = load_model(name)
    if not isinstance(model, StellarUNet):
        raise InputError(f"{name} is no stellar-unet; give the name or folder of one.")
    train, tests = ([Pairs.open(folder) for folder in folders] for folders in (sets, held))
    model = replace(
        model, domain=run_to_end(fit_domain_steps(model, train, tests, seed, known, held_out))
    )
    report("limits are set; measuring what is found")
    model = run_to_end(measured_steps(model, tests[0], seed))
    write_model(model, "unet", out)
    report(f"written to {out}")
    return model


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(" (`")[0])
    parser.add_argument("--model", required=True, help="folder of the model, or its name")
    parser.add_argument("--sets", required=True, type=Path, nargs="+", help="it was trained on")
    parser.add_argument("--held", required=True, type=Path, nargs="+", help="it never saw")
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and card")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--known", type=int, default=KNOWN, help="galaxies whose points are kept")
    parser.add_argument("--held-out", type=int, default=HELD, help="galaxies that set the limits")
    given = parser.parse_args(arguments)
    try:
        fit(given.model, given.sets, given.held, given.out, given.seed, given.known, given.held_out)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
