"""The scatter that no model can beat: galaxies that look the same and are not, estimated from the
mocks.

A regression is given the light of a mock in rings of its true ellipse, and is asked for the sums of
galaxies that it was not fitted to. Given the images as a survey sees them, with noise and errors of
calibration, and the redshift, what it leaves is about what a network can reach that sees the same.
Given noiseless images and what no image tells surely (inclination, bulge, kind), it leaves what the
mocks themselves leave open; between the two lies what the survey's noise hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...measure.compare.stellar_scores import INSIDE, galaxy_sums, radius_in_r_half
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ..datasets.mock_cubes import noisy_cube, true_maps

if TYPE_CHECKING:
    from ..datasets.image_truth_pairs import Pairs

_EDGES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
_KNOWN = ("inclination", "bulge", "early")
_BANDS = len(UGRIZ)


@dataclass(frozen=True)
class RingTable:
    """Mocks by their light in rings.

    Attributes
    ----------
    noiseless, seen : ndarray, shape (n, n_rings, 6)
        log10 of the mean brightness of each ring in ugriz, and its scatter in r from pixel to
        pixel; NaN where a ring has no light.
    ellipse_and_redshift : ndarray, shape (n, 3)
        log10 of R_half in kpc, axis ratio, redshift.
    known : ndarray, shape (n, 3)
        Inclination, bulge, whether it is an early type.
    sums : ndarray, shape (n, 7)
        log10 of the true sums inside 2 R_half.
    """

    noiseless: np.ndarray
    seen: np.ndarray
    ellipse_and_redshift: np.ndarray
    known: np.ndarray
    sums: np.ndarray

    def write(self, path: Path) -> None:
        """Write it as NumPy's arrays."""
        np.savez(path, **vars(self))

    @classmethod
    def read(cls, path: Path) -> RingTable:
        """The reverse of `write`."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{part.name: arrays[part.name] for part in fields(cls)})


def ring_table(mocks: Pairs, isophotes: bool = False) -> RingTable:
    """Mocks by their light in rings; `isophotes`: whether ellipses are fitted rather than taken
    from moments.
    """
    noiseless, seen, ellipses, sums = [], [], [], []
    for row in range(len(mocks)):
        truth = true_maps(mocks, row)
        away, ellipse = radius_in_r_half(truth, isophotes=isophotes)
        kpc = float(mocks.table["pixel_kpc"][row])
        table = galaxy_sums(truth, truth, kpc**2, radius=(away, ellipse), edges=(0.0, INSIDE))
        table = table[table["region"] == "sum"]
        sums.append(
            [
                np.log10(float(table["true"][table["property"] == name][0]))
                for name in STELLAR_PROPERTIES
            ]
        )
        noiseless.append(_rings(np.asarray(mocks.images[row], np.float64), away))
        seen.append(_rings(noisy_cube(mocks, row).data.astype(np.float64), away))
        ellipses.append(
            [
                np.log10(ellipse["r_half"] * kpc),
                ellipse["axis_ratio"],
                float(mocks.table["redshift"][row]),
            ]
        )
    known = np.stack([np.asarray(mocks.table[name], np.float64) for name in _KNOWN], 1)
    return RingTable(np.array(noiseless), np.array(seen), np.array(ellipses), known, np.array(sums))


def _rings(image: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Light of an image in rings, shape (n_rings, 6)."""
    found = np.full((len(_EDGES) - 1, _BANDS + 1), np.nan)
    for row, (low, high) in zip(found, pairwise(_EDGES), strict=True):
        ring = (away >= low) & (away < high)
        if ring.any():
            mean = image[:, ring].mean(axis=1)
            row[:_BANDS] = np.log10(mean, where=mean > 0, out=np.full(_BANDS, np.nan))
            row[_BANDS] = np.log10(np.maximum(image[2][ring], 1e-9)).std()
    return found


def least_scatter(
    train: RingTable,
    test: RingTable,
    seen: bool,
    seed: int = 0,
    properties: Sequence[str] = STELLAR_PROPERTIES,
) -> dict[str, dict[str, Any]]:
    """Scatter that the regression leaves in the test set's sums, by property: standard deviation
    and half width in dex.

    Parameters
    ----------
    train, test : RingTable
    seen : bool
        Whether it is given images as a survey sees them; else noiseless ones, and what is known of
        the galaxies.
    seed : int
    properties : sequence of str
        Whose sums are asked for.
    """
    # Trees cut along axes, and colours that tell metals are small beside brightness: they are given
    # principal components.
    light = (train.seen if seen else train.noiseless)[..., :_BANDS].reshape(-1, _BANDS)
    axes = np.linalg.eigh(np.cov(light[np.isfinite(light).all(axis=1)].T))[1]
    inputs = [_inputs(table, seen, axes) for table in (train, test)]
    found = {}
    for name in properties:
        k = STELLAR_PROPERTIES.index(name)
        fit, held = np.isfinite(train.sums[:, k]), np.isfinite(test.sums[:, k])
        predicted = _regression(inputs[0][fit], train.sums[fit, k], inputs[1][held], seed)
        miss = test.sums[held, k] - predicted
        low, high = np.percentile(miss, (16, 84))
        found[name] = {
            "n": int(held.sum()),
            "scatter": float(miss.std(ddof=1)),
            "half_width": float(high - low) / 2,
        }
    return found


def _regression(x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
    """What boosted trees of `y` on `x` say of `asked`: the mean of three fits.

    On one thread: trees of so few galaxies gain little by a second one, and where other programs
    hold the processors, threads wait for each other at every leaf, a hundred times longer than they
    compute.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    fits = [
        HistGradientBoostingRegressor(
            max_iter=400, learning_rate=0.04, max_leaf_nodes=15, min_samples_leaf=20,
            l2_regularization=1.0, max_features=0.5, random_state=seed + i,
        )
        for i in range(3)
    ]  # fmt: skip
    with threadpool_limits(1, "openmp"):
        return np.asarray(np.mean([fit.fit(x, y).predict(asked) for fit in fits], axis=0))


def _inputs(table: RingTable, seen: bool, axes: np.ndarray) -> np.ndarray:
    rings = table.seen if seen else table.noiseless
    flat = np.concatenate([rings[..., :_BANDS] @ axes, rings[..., _BANDS:]], axis=2).reshape(
        len(rings), -1
    )
    return np.hstack(
        [flat, table.ellipse_and_redshift]
        if seen
        else [flat, table.ellipse_and_redshift, table.known]
    )
