"""Measures on held-out galaxies by what a network's values and sigmas must be corrected
(`models.stellar_unet.calibration`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.properties import GAUSSIAN_95
from ...exceptions import ModelError
from ...measure.compare.stellar_scores import EDGES, INSIDE, galaxy_sums
from ...models.stellar_unet.calibration import N_BANDS, Calibration, depth_of
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from ...progress import Progress, Steps
from ..datasets.mock_cubes import noisy_cube, radius_of, true_maps

if TYPE_CHECKING:
    from ...data.maps import PropertyMaps
    from ...models.stellar_unet.model import StellarUNet
    from ..datasets.image_truth_pairs import Pairs


ORDER = "rgiuz"
"""Bands in the order in which people have them: the first n stand for any n."""
_OUT = EDGES[-1]
_WITHIN, _NEARLY_ALL = 0.68, 0.95
"""Shares of pixels that one sigma and `Calibration.tail` sigmas are to hold."""
_INNER, _OUTER = 64, 32
"""Pixels of a galaxy inside `INSIDE` and beyond it, so that each galaxy has one vote; where more
light is, more.
"""
_DEPTHS, _KNOTS = 6, 4
_FEW = 40 * _KNOTS


def calibrate_steps(
    model: StellarUNet, held: Sequence[Pairs], all_counts: bool = True
) -> Steps[Calibration]:
    """Shift of the values, and corrections of sigma, for each number of bands and each of some sets
    of galaxies; yields after every galaxy.

    The shift takes the median error of the sums inside 2 R_half away: the network says medians, and
    a sum is of means. (Their mean error is that of the few that form next to no stars.)
    Sigma is made to hold 68 % of the pixels inside 5 R_half, in each of six parts
    of the range of depths (`models.stellar_unet.calibration.depth_of`), and of four of sigmas in
    it. Errors have longer tails than a Gaussian's; how many sigmas hold 95 % is measured, too.
    Galaxies have one vote each.

    Parameters
    ----------
    model : StellarUNet
        Whose calibration changes nothing.
    held : sequence of Pairs
        Never trained on; each of one pixel size.
    all_counts : bool
        Whether to measure with fewer bands, too; else all bands that there are stand for any
        number.
    """
    sharpness = np.array(
        [np.log2(max(np.median(pairs.table["fwhm_pixels"]), 1e-3)) for pairs in held]
    )
    choices = [
        [f"SDSS_{b}" for b in ORDER[:n]]
        for n in (range(1, N_BANDS + 1) if all_counts else (N_BANDS,))
    ]
    by_size, done, total = [], 0, sum(map(len, held))
    for i in np.argsort(sharpness):
        errors = [_Errors() for _ in choices]
        for row in range(len(held[i])):
            truth = true_maps(held[i], row)
            radius = radius_of(held[i], truth)
            for of_choice, bands in zip(errors, choices, strict=True):
                cube = noisy_cube(held[i], row, [band for band in UGRIZ if band in bands])
                try:
                    maps = model.predict(cube, "cpu")
                except ModelError:  # hardly more than a point, in these bands
                    continue
                of_choice.add(maps, truth, radius, depth_of(cube.data, cube.uncertainty))
            done += 1
            yield Progress("calibrate", done, total, f"uncertainties: galaxy {done:,} of {total:,}")
        found = [of_choice.corrections() for of_choice in errors]
        by_size.append(found if all_counts else found * N_BANDS)
    return _joined(np.sort(sharpness), by_size)


def _joined(
    sharpness: np.ndarray, by_size: Sequence[Sequence[Mapping[str, np.ndarray]]]
) -> Calibration:
    """A calibration of what `_Errors.corrections` found for each size and, in it, each number of
    bands.
    """
    counts = range(len(by_size[0]))
    return Calibration(
        sharpness,
        **{
            key: np.stack([np.stack([found[n][key] for found in by_size]) for n in counts])
            for key in by_size[0][0]
        },
    )


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
        """Those of one galaxy, whose `radius` is from `radius_in_r_half`."""
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
                self._pixels.append(
                    np.stack([plane.ravel()[good] for plane in planes]).astype(np.float32)
                )

    def corrections(self) -> dict[str, np.ndarray]:
        """`Calibration`'s arrays, without the axes of bands and sizes."""
        n_maps = len(self._sums)
        shift = np.array([float(np.median(found)) if found else 0.0 for found in self._sums])
        depth, *rest = (
            np.concatenate(self._pixels, axis=1) if self._pixels else np.zeros((1 + 2 * n_maps, 0))
        )
        miss, sigma = np.abs(np.array(rest[::2]) + shift[:, None]), np.array(rest[1::2])
        depths = np.zeros(_DEPTHS) + 1e-6 * np.arange(_DEPTHS)
        raw = np.tile(np.linspace(-6, 1, _KNOTS), (_DEPTHS, n_maps, 1))
        found = {"shift": shift, "depth": depths, "raw": raw, "correction": np.zeros_like(raw)}
        found["tail"] = np.full(n_maps, GAUSSIAN_95)
        if len(depth) < _DEPTHS * _FEW:
            return found
        known = np.isfinite(miss + sigma)
        for row, part in enumerate(np.array_split(np.argsort(depth), _DEPTHS)):
            depths[row] += np.median(depth[part])
            for k in range(n_maps):
                good = part[known[k, part]]
                if len(good) >= _FEW:
                    raw[row, k], found["correction"][row, k] = _knots(miss[k, good], sigma[k, good])
        _, corrected = _joined(np.zeros(1), [[found]]).corrected(miss, sigma, depth, 1, 0.0)
        for k in range(n_maps):
            if known[k].sum() >= _FEW:
                found["tail"][k] = np.quantile(
                    miss[k, known[k]] / corrected[k, known[k]], _NEARLY_ALL
                )
        return found


def _knots(miss: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln sigma in the middle of each part of the pixels, in the order of sigma, and what is to be
    added to it.
    """
    parts = np.array_split(np.argsort(sigma), _KNOTS)
    knots = [np.log(np.median(sigma[part])) for part in parts]
    added = [np.log(max(np.quantile(miss[part] / sigma[part], _WITHIN), 1e-6)) for part in parts]
    return np.array(knots) + 1e-6 * np.arange(_KNOTS), np.array(added)
