"""The scatter that no model can beat: galaxies that look the same and are not, estimated from noiseless mocks.

A regression is given what no observer has: noiseless images inside ellipses of the true stars, the distance, the true
inclination, bulge and kind. What it leaves in galaxies that it was not fitted to is an upper limit of the scatter that is
in the mocks themselves; a network that sees noisy images of galaxies at unknown inclination is measured against it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..measure.stellar_scores import INSIDE, galaxy_sums, half_radius
from ..models.stellar_maps import STELLAR_PROPERTIES
from .mock_cubes import true_maps

if TYPE_CHECKING:
    from .pairs import Pairs

_EDGES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
_KNOWN = ("inclination", "bulge", "early", "redshift")


def oracle_table(mocks: Pairs, isophotes: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What the regression is given of each mock, and log10 of the true sums inside 2 R_half.

    Returns
    -------
    features : ndarray, shape (n, n_features)
        log10 of mean brightness in rings by band, its scatter in r from pixel to pixel, R_half in kpc, axis ratio, and what
        is known of the galaxy. NaN where a ring has no light.
    sums : ndarray, shape (n, 7)
    """
    features, sums = [], []
    for row in range(len(mocks)):
        truth = true_maps(mocks, row)
        away, told = half_radius({"LOG_SIGMA_STAR": truth["LOG_SIGMA_STAR"]}, isophotes=isophotes)
        kpc = float(mocks.table["pixel_kpc"][row])
        table = galaxy_sums(truth, truth, kpc**2, radius=(away, told), edges=(0.0, INSIDE))
        table = table[table["region"] == "sum"]
        sums.append([np.log10(float(table["true"][table["property"] == name][0])) for name in STELLAR_PROPERTIES])
        image = np.asarray(mocks.images[row], np.float64)
        rings: list[float] = []
        for low, high in pairwise(_EDGES):
            ring = (away >= low) & (away < high)
            rings += [_log(image[k][ring].mean()) if ring.any() else np.nan for k in range(len(image))]
            bright = np.log10(np.maximum(image[2][ring], 1e-9))
            rings.append(float(bright.std()) if ring.any() else np.nan)
        features.append(
            [*rings, np.log10(told["r_half"] * kpc), told["axis_ratio"], *(float(mocks.table[c][row]) for c in _KNOWN)]
        )
    return np.array(features), np.array(sums)


def _log(value: float) -> float:
    return float(np.log10(value)) if value > 0 else float("nan")


def floor_scatter(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Scatter that the regression leaves in the test set's sums, by property: standard deviation and half width in dex.

    Parameters
    ----------
    train, test : tuple of ndarray
        Of `oracle_table`.
    seed : int
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    found = {}
    for k, name in enumerate(STELLAR_PROPERTIES):
        fit, held = np.isfinite(train[1][:, k]), np.isfinite(test[1][:, k])
        predicted = np.mean(
            [
                HistGradientBoostingRegressor(
                    max_iter=400, learning_rate=0.04, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
                    max_features=0.5, random_state=seed + i,
                ).fit(train[0][fit], train[1][fit, k]).predict(test[0][held])
                for i in range(3)
            ],
            axis=0,
        )  # fmt: skip
        miss = test[1][held, k] - predicted
        low, high = np.percentile(miss, (16, 84))
        found[name] = {"n": int(held.sum()), "scatter": float(miss.std(ddof=1)), "half_width": float(high - low) / 2}
    return found
