"""Measures on held-out galaxies by what a network's values and sigmas must be corrected (`models.calibration`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..measure.stellar_scores import EDGES, INSIDE, galaxy_sums, half_radius
from ..models.calibration import N_BANDS, Calibration, depth_of
from ..models.stellar_inputs import UGRIZ
from ..models.stellar_maps import STELLAR_PROPERTIES, TARGETS
from .mock_cubes import noisy_cube, true_maps

if TYPE_CHECKING:
    from ..maps import PropertyMaps
    from ..models.stellar_unet import StellarUNet
    from .pairs import Pairs

ORDER = "rgiuz"
"""Bands in the order in which people have them: the first n stand for any n."""
_OUT = EDGES[-1]
_SHARES = ((1.0, 0.683), (1.96, 0.95))
"""Of pixels, by how many sigmas they are to be within."""
_INNER, _OUTER = 64, 32
"""Pixels of a galaxy inside `INSIDE` and beyond it, so that each galaxy has one vote; where more light is, more."""
_DEPTHS, _KNOTS = 6, 4
_FEW = 40 * _KNOTS


def calibrate(model: StellarUNet, held: Sequence[Pairs], all_counts: bool = True) -> Calibration:
    """Shift of the values, and corrections of sigma, for each number of bands and each of some sets of galaxies.

    The shift takes the mean error of the sums inside 2 R_half away: the network says medians, and a sum is of means. Sigma is
    made to hold 68.3 % of the pixels inside 5 R_half, and 95 % within 1.96 sigma, or to come as near to both as one number can, in
    each of six parts of the range of depths (`models.calibration.depth_of`), and of four of sigmas in it. Galaxies have one vote each.

    Parameters
    ----------
    model : StellarUNet
        Whose calibration changes nothing.
    held : sequence of Pairs
        Never trained on; each of one pixel size.
    all_counts : bool
        Whether to measure with fewer bands, too; else all bands that there are stand for any number.
    """
    sharpness = np.array([np.log2(max(np.median(pairs.table["fwhm_pixels"]), 1e-3)) for pairs in held])
    choices = [[f"SDSS_{b}" for b in ORDER[:n]] for n in (range(1, N_BANDS + 1) if all_counts else (N_BANDS,))]
    by_size = []
    for i in np.argsort(sharpness):
        found = [measured.corrections() for measured in _measured(model, held[i], choices)]
        by_size.append(found if all_counts else found * N_BANDS)
    tables = [np.stack([np.stack([found[n][part] for found in by_size]) for n in range(N_BANDS)]) for part in range(4)]
    return Calibration(np.sort(sharpness), *tables)


def _measured(model: StellarUNet, held: Pairs, choices: Sequence[Sequence[str]]) -> list[_Errors]:
    """Errors of predictions from each choice of bands."""
    found = [_Errors() for _ in choices]
    for row in range(len(held)):
        truth = true_maps(held, row)
        radius = half_radius(truth)
        for errors, bands in zip(found, choices, strict=True):
            cube = noisy_cube(held, row, [band for band in UGRIZ if band in bands])
            errors.add(model.predict(cube, "cpu"), truth, radius, depth_of(cube.data, cube.uncertainty))
    return found


class _Errors:
    """Errors of predicted sums and of pixels, galaxy after galaxy."""

    def __init__(self) -> None:
        self._sums: list[list[float]] = [[] for _ in STELLAR_PROPERTIES]
        self._pixels: list[np.ndarray] = []
        self._rng = np.random.default_rng(0)

    def add(
        self,
        maps: PropertyMaps,
        truth: dict[str, np.ndarray],
        radius: tuple[np.ndarray, dict[str, Any]],
        depth: np.ndarray,
    ) -> None:
        """Those of one galaxy, whose `radius` is from `half_radius`."""
        away = radius[0]
        table = galaxy_sums(maps.values, truth, radius=radius, edges=(0.0, INSIDE))
        planes = [depth]
        for k, (name, target) in enumerate(TARGETS.items()):
            if name not in maps.values:
                planes += [np.full(away.shape, np.nan)] * 2
                continue
            delta = table["delta"][(table["property"] == name) & (table["region"] == "sum")]
            self._sums[k] += [float(d) for d in delta if np.isfinite(d)]
            value, sigma = target.in_dex(maps.values[name], maps.errors[name])
            with np.errstate(invalid="ignore", divide="ignore"):
                planes += [value - target.from_map(truth[name]), np.where(sigma > 0, sigma, np.nan)]
        for here, count in ((away < INSIDE, _INNER), ((away >= INSIDE) & (away < _OUT), _OUTER)):
            good = np.flatnonzero(here & np.isfinite(planes[1]))
            if len(good) >= 8:
                good = self._rng.choice(good, count)  # the same number of each galaxy
                self._pixels.append(np.stack([plane.ravel()[good] for plane in planes]).astype(np.float32))

    def corrections(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Shift, shape (7,), depths, shape (n_depths,), and knots of ln sigma with their corrections, each of shape (n_depths, 7, n_knots)."""
        n_maps = len(self._sums)
        shift = np.array([float(np.mean(found)) if found else 0.0 for found in self._sums])
        depth, *rest = np.concatenate(self._pixels, axis=1) if self._pixels else np.zeros((1 + 2 * n_maps, 0))
        miss, sigma = np.array(rest[::2]) + shift[:, None], np.array(rest[1::2])
        depths = np.zeros(_DEPTHS) + 1e-6 * np.arange(_DEPTHS)
        raw = np.tile(np.linspace(-6, 1, _KNOTS), (_DEPTHS, n_maps, 1))
        correction = np.zeros_like(raw)
        if len(depth) >= _DEPTHS * _FEW:
            for row, part in enumerate(np.array_split(np.argsort(depth), _DEPTHS)):
                depths[row] += np.median(depth[part])
                for k in range(n_maps):
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
    """ln of the factor to sigma by which the shares of errors over sigma within 1 and 1.96 come nearest to `_SHARES`: the larger of both misses is least."""
    ratio = np.sort(ratio)
    factors = np.geomspace(np.quantile(ratio, 0.5) + 1e-6, np.quantile(ratio, 0.99) + 2e-6, 400)
    misses = [np.abs(np.searchsorted(ratio, edge * factors) / len(ratio) - share) for edge, share in _SHARES]
    return float(np.log(factors[np.argmin(np.maximum(*misses))]))
