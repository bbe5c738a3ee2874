"""Measures on held-out galaxies by what a network's values and sigmas must be corrected (`models.calibration`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..measure.stellar_scores import EDGES, INSIDE, galaxy_sums, half_radius
from ..models.calibration import N_BANDS, Calibration
from ..models.stellar_inputs import UGRIZ
from ..models.stellar_maps import STELLAR_PROPERTIES, TARGETS
from .mock_cubes import noisy_cube, true_maps

if TYPE_CHECKING:
    from ..models.stellar_unet import StellarUNet
    from .pairs import Pairs

ORDER = "rgiuz"
"""Bands in the order in which people have them: the first n stand for any n."""
_OUT = EDGES[-1]
_EACH = (64, 24)
"""Pixels of a galaxy inside `INSIDE` and beyond it, so that each has one vote: sigma is to be right where the galaxy is, first."""
_KNOTS = 5
_FEW = 40 * _KNOTS


def calibrate(model: StellarUNet, held: Sequence[Pairs], galaxies: int = 400, all_counts: bool = True) -> Calibration:
    """Shift of the values, and corrections of sigma, for each number of bands and each of some sets of galaxies.

    The shift takes the mean error of the sums inside 2 R_half away: the network says medians, and a sum is of means. Sigma is
    made to hold 68.3 % of the pixels inside 2 R_half, and of fewer from there to 5 R_half, and 95 % within 1.96 sigma, or to come
    as near to both as one number can, in each of five parts of its range. Galaxies have one vote each.

    Parameters
    ----------
    model : StellarUNet
        Whose calibration changes nothing.
    held : sequence of Pairs
        Never trained on; each of one pixel size.
    galaxies : int
        At most so many of each.
    all_counts : bool
        Whether to measure with fewer bands, too; else all bands that there are stand for any number.
    """
    sharpness = np.array([np.log2(max(np.median(pairs.table["fwhm_pixels"]), 1e-3)) for pairs in held])
    by_size = []
    for i in np.argsort(sharpness):
        counts = range(1, N_BANDS + 1) if all_counts else (N_BANDS,)
        found = [_measured(model, held[i], [f"SDSS_{b}" for b in ORDER[:n]], galaxies) for n in counts]
        by_size.append(found if all_counts else found * N_BANDS)
    shift, raw, correction = (
        np.stack([np.stack([found[n][part] for found in by_size]) for n in range(N_BANDS)]) for part in range(3)
    )
    return Calibration(np.sort(sharpness), shift, raw, correction)


def _measured(
    model: StellarUNet, held: Pairs, bands: Sequence[str], galaxies: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shift, shape (7,), and knots of ln sigma with their corrections, each of shape (7, n_knots)."""
    sums: list[list[float]] = [[] for _ in STELLAR_PROPERTIES]
    pixels: list[list[np.ndarray]] = [[] for _ in STELLAR_PROPERTIES]
    rng = np.random.default_rng(0)
    ordered = [band for band in UGRIZ if band in bands]
    for row in range(min(galaxies, len(held))):
        maps, truth = model.predict(noisy_cube(held, row, ordered), "cpu"), true_maps(held, row)
        away, told = half_radius({"LOG_SIGMA_STAR": truth["LOG_SIGMA_STAR"]}, isophotes=False)
        table = galaxy_sums(maps.values, truth, radius=(away, told), edges=(0.0, INSIDE))
        delta = {str(r["property"]): float(r["delta"]) for r in table if r["region"] == "sum"}
        for k, (name, target) in enumerate(TARGETS.items()):
            if name not in delta:
                continue
            if np.isfinite(delta[name]):
                sums[k].append(delta[name])
            value, sigma = target.in_dex(maps.values[name], maps.errors[name])
            with np.errstate(invalid="ignore", divide="ignore"):
                true = target.from_map(truth[name])
            for here, count in zip((away < INSIDE, (away >= INSIDE) & (away < _OUT)), _EACH, strict=True):
                good = np.flatnonzero(here & np.isfinite(value - true) & (sigma > 0))
                if len(good) >= 8:
                    good = rng.choice(good, count)  # the same number of each galaxy
                    pixels[k].append(np.stack([(value - true).ravel()[good], sigma.ravel()[good]]))
    shift, raw, correction = np.zeros(len(pixels)), *np.zeros((2, len(pixels), _KNOTS))
    for k, parts in enumerate(pixels):
        raw[k] = np.linspace(-6, 1, _KNOTS)
        if parts and sums[k]:
            shift[k] = float(np.mean(sums[k]))
            miss, sigma = np.concatenate(parts, axis=1)
            if len(miss) >= _FEW:
                raw[k], correction[k] = _knots(np.abs(miss + shift[k]), sigma)
    return shift, raw, correction


def _knots(miss: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln sigma in the middle of each fifth of the pixels, in the order of sigma, and what is to be added to it."""
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
