"""Scores a model of stars and gas on mock galaxies as PICASSO was scored (Buck & Wolf 2021, Sect.
4), and pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...measure.compare.coverage import coverage
from ...measure.compare.stellar_scores import INSIDE, galaxy_sums, summarise
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from ...progress import Progress, Steps, run_to_end
from ..datasets.mock_cubes import noisy_cube, radius_of, true_maps

if TYPE_CHECKING:
    from astropy.table import QTable

    from ...data.maps import PropertyMaps
    from ...models.stellar_unet.model import StellarUNet
    from ..datasets.image_truth_pairs import Pairs


PUBLISHED = {
    "LOG_SIGMA_STAR": 0.09, "LOG_SIGMA_GAS": 0.13, "LOG_SIGMA_ZSTAR": 0.14, "LOG_SIGMA_ZGAS": 0.19,
    "AGE_STAR": 0.09, "LOG_SIGMA_SFR": 0.22,
}  # fmt: skip
"""Scatter in dex of sums inside 2 R_half that PICASSO found for its own simulated galaxies."""


@dataclass(frozen=True)
class StellarScores:
    """How a model does on a set of mocks.

    Attributes
    ----------
    sums : QTable
        `measure.compare.stellar_scores.summarise`: bias and scatter inside 2 R_half and in annuli.
    deltas : dict of str to ndarray, shape (n,)
        log10 true - log10 predicted of each galaxy's sum inside 2 R_half.
    pixels : dict of str to dict
        By property, over pixels inside 2 R_half, one galaxy one vote: ``rmse bias coverage68
        coverage95 chi2 sigma`` (dex).
    outskirts : dict of str to dict
        The same from 2 to 5 R_half.
    flagged : float
        Share of pixels inside 2 R_half that are flagged as unlike the training set.
    """

    sums: QTable
    deltas: dict[str, np.ndarray]
    pixels: dict[str, dict[str, float]]
    outskirts: dict[str, dict[str, float]]
    flagged: float

    def inside(self, name: str) -> dict[str, float]:
        """Bias and scatter of the sum inside 2 R_half of one property."""
        row = self.sums[(self.sums["property"] == name) & (self.sums["region"] == "sum")][0]
        return {
            key: float(row[key])
            for key in ("n", "bias", "bias_err", "scatter", "scatter_err", "median", "half_width")
        }


Radii = list[tuple[np.ndarray, dict[str, Any]]]


def radii_of(mocks: Pairs) -> Radii:
    """The ellipse of each mock's true stars (`radius_of`), for `score_steps`: fitted once for any
    number of scores.
    """
    return [radius_of(mocks, true_maps(mocks, row)) for row in range(len(mocks))]


def score_steps(
    model: StellarUNet,
    mocks: Pairs,
    bands: Sequence[str] = UGRIZ,
    radii: Radii | None = None,
    noise: float = 1.0,
    device: str = "auto",
    redshift: bool = True,
) -> Steps[StellarScores]:
    """Score a model, yielding after every galaxy.

    Parameters
    ----------
    model : StellarUNet
    mocks : Pairs
        Never trained on.
    bands : sequence of str
        That the model is given.
    radii : list, optional
        Of `radii_of`.
    noise : float
        By which SDSS's noise is multiplied.
    device : str
    redshift : bool
        Whether the model is told the distance, and so the redshift.
    """
    from ...data.flags import Flag

    radii = radii or radii_of(mocks)
    tables, flagged = [], []
    near: list[np.ndarray] = []
    far: list[np.ndarray] = []
    for row in range(len(mocks)):
        truth = true_maps(mocks, row)
        cube = noisy_cube(mocks, row, bands, noise)
        cube = cube if redshift else replace(cube, pixel_pc=None, redshift=None)
        maps = run_to_end(model.predict_steps(cube, device))
        area = float(mocks.table["pixel_kpc"][row]) ** 2
        tables.append(
            galaxy_sums(
                maps.values, truth, area, radius=radii[row], name=str(int(mocks.table["seed"][row]))
            )
        )
        away = radii[row][0]
        near.append(pixel_scores(maps, truth, away < INSIDE))
        far.append(pixel_scores(maps, truth, (away >= INSIDE) & (away < 5)))
        flagged.append(float(((maps.flags[away < INSIDE] & Flag.OUT_OF_DISTRIBUTION) != 0).mean()))
        yield Progress("score", row + 1, len(mocks), f"galaxy {row + 1} of {len(mocks)}")
    inside = [table[table["region"] == "sum"] for table in tables]
    deltas = {
        name: np.array([float(t["delta"][t["property"] == name][0]) for t in inside])
        for name in STELLAR_PROPERTIES
    }
    return StellarScores(
        summarise(tables), deltas, _summary(near), _summary(far), float(np.mean(flagged))
    )


def galaxy_scores(
    maps: PropertyMaps, truth: dict[str, np.ndarray], radius: tuple[np.ndarray, dict[str, Any]]
) -> np.ndarray:
    """How a prediction of one galaxy does inside 2 R_half, by `STELLAR_PROPERTIES`.

    Parameters
    ----------
    maps : PropertyMaps
    truth : dict of str to ndarray, shape (ny, nx)
    radius : tuple of ndarray and dict
        As `radius_in_r_half` gives it.

    Returns
    -------
    ndarray, shape (7, 4)
        log10 true - log10 predicted of the sum, mean told sigma of the pixels (dex), and their
        shares within one sigma and within those that should hold 95 %; NaN where truth or
        prediction has no such map.
    """
    sums = galaxy_sums(maps.values, truth, radius=radius, edges=(0.0, INSIDE))
    total = sums[sums["region"] == "sum"]
    deltas = dict(zip(total["property"], total["delta"], strict=True))
    delta = [float(deltas.get(name, np.nan)) for name in STELLAR_PROPERTIES]
    pixels = pixel_scores(maps, truth, radius[0] < INSIDE)
    return np.column_stack([delta, pixels[:, 3:]])


def pixel_scores(maps: PropertyMaps, truth: dict[str, np.ndarray], where: np.ndarray) -> np.ndarray:
    """Means over pixels of one galaxy, shape (7, 6): error, its square, z^2, sigma (dex),
    and the two coverages; NaN where prediction or truth is empty or has no such map.
    """
    found = np.full((len(STELLAR_PROPERTIES), 6), np.nan)
    for k, (name, target) in enumerate(TARGETS.items()):
        if name not in truth or name not in maps.values:
            continue
        value, sigma = target.in_dex(maps.values[name][where], maps.errors[name][where])
        with np.errstate(invalid="ignore", divide="ignore"):
            miss = value - target.from_map(truth[name][where])
            z = miss / sigma
        good = np.isfinite(z)
        if good.any():
            miss, z, sigma = miss[good], z[good], sigma[good]
            means = (float(v.mean()) for v in (miss, miss**2, z**2, sigma))
            found[k] = *means, *coverage(z, maps.tail(name))
    return found


def _summary(galaxies: list[np.ndarray]) -> dict[str, dict[str, float]]:
    mean = np.nanmean(galaxies, axis=0)
    return {
        name: {
            "bias": float(m[0]), "rmse": float(np.sqrt(m[1])), "chi2": float(m[2]),
            "sigma": float(m[3]), "coverage68": 100 * float(m[4]), "coverage95": 100 * float(m[5]),
        }
        for name, m in zip(STELLAR_PROPERTIES, mean, strict=True)
    }  # fmt: skip
