"""Measures on held-out galaxies by what a network's values and sigmas must be corrected (`models.calibration`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..measure.stellar_scores import EDGES, INSIDE, galaxy_sums, half_radius
from ..models.calibration import N_BANDS, Calibration, depth_of
from ..models.stellar_inputs import UGRIZ
from ..models.stellar_maps import STELLAR_PROPERTIES, TARGETS
from .mock_cubes import noisy_cube, true_maps

if TYPE_CHECKING:
    from ..models.stellar_unet import StellarUNet
    from .pairs import Pairs

ORDER = "rgiuz"
"""Bands in the order in which people have them: the first n stand for any n."""
_OUT = EDGES[-1]
_EACH = 64
"""Pixels of a galaxy inside `INSIDE`, and as many beyond it, so that each has one vote."""
_DEPTHS, _KNOTS = 4, 4
_FEW = 40 * _KNOTS
_FEWER = 300


def calibrate(model: StellarUNet, held: Sequence[Pairs], all_counts: bool = True) -> Calibration:
    """Shift of the values, and corrections of sigma, for each number of bands and each of some sets of galaxies.

    The shift takes the mean error of the sums inside 2 R_half away: the network says medians, and a sum is of means. Sigma is
    made to hold 68.3 % of the pixels inside 5 R_half, and 95 % within 1.96 sigma, or to come as near to both as one number can, in
    each of four parts of the range of depths (`models.calibration.depth_of`), and of sigmas in it. Galaxies have one vote each.

    Parameters
    ----------
    model : StellarUNet
        Whose calibration changes nothing.
    held : sequence of Pairs
        Never trained on; each of one pixel size.
    all_counts : bool
        Whether to measure with fewer bands, too, on at most 300 galaxies of each set; else all bands that there are stand for any
        number.
    """
    sharpness = np.array([np.log2(max(np.median(pairs.table["fwhm_pixels"]), 1e-3)) for pairs in held])
    by_size = []
    for i in np.argsort(sharpness):
        counts = range(1, N_BANDS + 1) if all_counts else (N_BANDS,)
        found = [
            _measured(model, held[i], [f"SDSS_{b}" for b in ORDER[:n]], None if n == N_BANDS else _FEWER)
            for n in counts
        ]
        by_size.append(found if all_counts else found * N_BANDS)
    tables = [np.stack([np.stack([found[n][part] for found in by_size]) for n in range(N_BANDS)]) for part in range(4)]
    return Calibration(np.sort(sharpness), *tables)


def _measured(
    model: StellarUNet, held: Pairs, bands: Sequence[str], galaxies: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shift, shape (7,), depths, shape (n_depths,), and knots of ln sigma with their corrections, each of shape (n_depths, 7, n_knots)."""
    sums: list[list[float]] = [[] for _ in STELLAR_PROPERTIES]
    pixels: list[np.ndarray] = []
    rng = np.random.default_rng(0)
    ordered = [band for band in UGRIZ if band in bands]
    for row in range(len(held) if galaxies is None else min(galaxies, len(held))):
        cube, truth = noisy_cube(held, row, ordered), true_maps(held, row)
        maps = model.predict(cube, "cpu")
        away, told = half_radius({"LOG_SIGMA_STAR": truth["LOG_SIGMA_STAR"]}, isophotes=False)
        table = galaxy_sums(maps.values, truth, radius=(away, told), edges=(0.0, INSIDE))
        planes = [depth_of(cube.data, cube.uncertainty)]
        for k, (name, target) in enumerate(TARGETS.items()):
            if name not in maps.values:
                planes += [np.full(away.shape, np.nan)] * 2
                continue
            delta = table["delta"][(table["property"] == name) & (table["region"] == "sum")]
            sums[k] += [float(d) for d in delta if np.isfinite(d)]
            value, sigma = target.in_dex(maps.values[name], maps.errors[name])
            with np.errstate(invalid="ignore", divide="ignore"):
                planes += [value - target.from_map(truth[name]), np.where(sigma > 0, sigma, np.nan)]
        for here in (away < INSIDE, (away >= INSIDE) & (away < _OUT)):
            good = np.flatnonzero(here & np.isfinite(planes[1]))
            if len(good) >= 8:
                good = rng.choice(good, _EACH)  # the same number of each galaxy
                pixels.append(np.stack([plane.ravel()[good] for plane in planes]))
    shift = np.array([float(np.mean(found)) if found else 0.0 for found in sums])
    depth, *rest = np.concatenate(pixels, axis=1) if pixels else np.zeros((1 + 2 * len(sums), 0))
    miss, sigma = np.array(rest[::2]) + shift[:, None], np.array(rest[1::2])
    depths = np.zeros(_DEPTHS) + 1e-6 * np.arange(_DEPTHS)
    raw = np.tile(np.linspace(-6, 1, _KNOTS), (_DEPTHS, len(sums), 1))
    correction = np.zeros_like(raw)
    if len(depth) >= _DEPTHS * _FEW:
        for row, part in enumerate(np.array_split(np.argsort(depth), _DEPTHS)):
            depths[row] += np.median(depth[part])
            for k in range(len(sums)):
                good = part[np.isfinite(miss[k, part] + sigma[k, part])]
                if len(good) >= _FEW:
                    raw[row, k], correction[row, k] = _knots(np.abs(miss[k, good]), sigma[k, good])
    return shift, depths, raw, correction


def _knots(miss: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln sigma in the middle of each part of the pixels, in the order of sigma, and what is to be added to it."""
    order = np.argsort(sigma)
    knots = [float(np.log(np.median(sigma[part]))) for part in np.array_split(order, _KNOTS)]
    added = [_factor(miss[part] / sigma[part]) for part in np.array_split(order, _KNOTS)]
    return np.array(knots) + 1e-6 * np.arange(_KNOTS), np.array(added)


def _factor(ratio: np.ndarray) -> float:
    """ln of the factor to sigma by which 68.3 and 95 % of errors over sigma are within 1 and 1.96, or come nearest to it."""
    ratio = np.sort(ratio)
    factors = np.geomspace(np.quantile(ratio, 0.5) + 1e-6, np.quantile(ratio, 0.99) + 2e-6, 200)
    within, nearly_all = (np.searchsorted(ratio, edge * factors) / len(ratio) for edge in (1.0, 1.96))
    return float(np.log(factors[np.argmin((within - 0.683) ** 2 + (nearly_all - 0.95) ** 2)]))
