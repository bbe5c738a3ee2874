"""What each part of dust-forest is worth: the mean fitted again without it, on the same folds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from ...models.card import CardTable
from ...models.dust_forest.uncertainty import QUANTITIES, TO_QUANTITIES
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from .band_sets import ALL_BANDS, BAND_SETS, COLUMNS, WITH_STAGE
from .fit_mean import MeanSettings, fit_mean
from .pool import Pool
from .scoring import ALL, DUST, DUST_PER_W1, HATLAS_ALL, WELL_MEASURED, folds, populations

_CASES = (ALL_BANDS, *BAND_SETS)
_JUDGED = ((WELL_MEASURED, DUST), (ALL, DUST), (HATLAS_ALL, DUST_PER_W1))


def ablation_table(
    galaxies: Galaxies,
    pool: Pool,
    fitted: np.ndarray,
    seed: int,
    settings: MeanSettings | None = None,
) -> CardTable:
    """A table of RMSEs on unseen galaxies, all bands given.

    Parameters
    ----------
    galaxies : Galaxies
    pool : Pool
        Of them.
    fitted : ndarray
        From `fit_features.fitted_features`, of the pool's spectra.
    """
    rows = []
    for name, part, fits, copy in _variants(galaxies, pool, fitted):
        trees, network = _out_of_fold(
            part, fits, copy, galaxies.surveys, seed, settings or MeanSettings()
        )
        both = (trees + network) / 2
        rows.append((name, *_errors(both, galaxies)))
        if name == "all of it":
            rows += [
                ("trees alone", *_errors(trees, galaxies)),
                ("network alone", *_errors(network, galaxies)),
            ]
    head = ("", *(f"{p}: {name}" for p, names in _JUDGED for name in names))
    text = (
        "RMSE on galaxies unseen in training, all bands given, without Hubble stages unless said "
        "otherwise; the mean fitted again without the part, 4 folds, one seed. Differences under "
        "1 % are of the seed's size."
    )
    return CardTable("What each part is worth", text, head, tuple(rows))


def _variants(
    galaxies: Galaxies, pool: Pool, fitted: np.ndarray
) -> Iterator[tuple[str, Pool, np.ndarray, int]]:
    """By name: a pool, the galaxies that may be fitted to, and the copy that is predicted."""
    every = np.ones(len(galaxies), bool)
    yield "all of it", pool, every, 0
    yield "with the Hubble stage", pool, every, _CASES.index(WITH_STAGE)
    yield "no model spectra", _without(pool, "sed "), every, 0
    exact = pool.features.copy()
    places = [i for i, name in enumerate(COLUMNS.features) if name.startswith("sed ")]
    exact[:, :, places] = fitted.reshape(*exact.shape[:2], -1)
    yield "fits of model spectra themselves", replace(pool, features=exact), every, 0
    yield "no signal-to-noise ratios", _without(pool, "snr "), every, 0
    yield "DustPedia alone", pool, galaxies.surveys == DUSTPEDIA, 0


def _without(pool: Pool, start: str) -> Pool:
    features = pool.features.copy()
    places = [i for i, name in enumerate(COLUMNS.features) if name.startswith(start)]
    features[:, :, places] = 0
    return replace(pool, features=features)


def _out_of_fold(
    pool: Pool, fits: np.ndarray, copy: int, surveys: np.ndarray, seed: int, settings: MeanSettings
) -> tuple[np.ndarray, np.ndarray]:
    """What trees and network say of each galaxy, shape (n, 5) both."""
    found = np.full((2, *pool.targets.shape), np.nan)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        jobs = [
            processes.submit(_fold, pool, fit[fits[fit]], test, copy, 10 * seed + k, settings)
            for k, (fit, test) in enumerate(folds(surveys))
        ]
        for job, (_, test) in zip(jobs, folds(surveys), strict=True):
            found[:, test] = job.result()
    return found[0], found[1]


def _fold(
    pool: Pool, fit: np.ndarray, test: np.ndarray, copy: int, seed: int, settings: MeanSettings
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    torch.set_num_threads(1)
    trees, network = fit_mean(pool, fit, settings, seed)
    x = pool.features[copy, test]
    return trees.predict(x), network.predict(x)


def _errors(predicted: np.ndarray, galaxies: Galaxies) -> list[str]:
    residual = (predicted - galaxies.targets) @ TO_QUANTITIES
    members = populations(galaxies)
    return [
        f"{np.sqrt(np.mean(residual[members[p], QUANTITIES.index(name)] ** 2)):.3f}"
        for p, names in _JUDGED
        for name in names
    ]
