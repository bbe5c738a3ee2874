"""By what dust-forest knows that a spectrum is out of distribution: the density of galaxies and of
pixels among spectra, and the limit where errors of galaxies that it did not see double.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...models.dust_forest.colour_model import ColourModel
from ...models.dust_forest.contradiction import Offsets, beside_others
from ...models.dust_forest.density import Density, density_features
from ...models.dust_forest.doubtful_band import SIGMAS
from ...models.dust_forest.features import ColourTerm, Spectra, before_fit, normalise, select
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.packed_forest import PackedForest, from_isolation_forest
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from ..datasets.galaxy_pixels import GalaxyPixels
from ..datasets.mock_pixels import make_mock_pixels
from .add_pixels import FIT, HELD, SETS
from .band_sets import ALL_BANDS, COLUMNS
from .pool import Copies, limited_errors
from .scoring import DUST_PER_W1, N_BOOTSTRAP, SEED, Unseen, folds, predict_unseen

TREES, SAMPLES = 64, 256
"""Of the isolation forest: trees, and spectra that each is grown on."""
MOST_PIXELS = 1.0
"""Pixels per spectrum of a galaxy, at most, that the density is of."""
DOUBLE = 2.0
"""By what errors beyond the limit are larger than within it."""
SHARES = np.linspace(0.02, 0.06, 17)
"""Of the galaxies, beyond the limits that are tried."""
_TAIL_LEVEL, _GAUSSIAN_TAIL = 99.0, 2.576
"""Per cent of the galaxies within a tail, and the sigmas that hold as many of a Gaussian."""
_FEWEST = 50
"""Galaxies of which a tail is measured."""
MOCKS = 150
"""Galaxies of which pixels are taken."""


@dataclass(frozen=True)
class Described:
    """What a density is of and what it compares, of n spectra.

    Attributes
    ----------
    features : ndarray of float32, shape (n, n_factors + 1)
        `density_features`.
    unusual : ndarray, shape (n,)
        Squared Mahalanobis distance from the galaxies' colours per measured band.
    offsets : Offsets
    """

    features: np.ndarray
    unusual: np.ndarray
    offsets: Offsets


def describe(spectra: Spectra, colours: ColourModel) -> Described:
    """What the density sees of usable spectra."""
    seen, unusual = before_fit(spectra, colours)
    spectrum = seen[:, : spectra.ratio.shape[1]]
    features = density_features(spectrum, unusual, colours)
    return Described(features, unusual, beside_others(spectra, colours))


def spectra_of(
    values: np.ndarray, errors: np.ndarray, bands: Sequence[str], term: ColourTerm
) -> tuple[Spectra, np.ndarray]:
    """The usable spectra among values and errors of shape (n_bands, n), and which these are."""
    spectra = normalise(values, errors, bands, term, COLUMNS)
    return select(spectra, spectra.usable), spectra.usable


def fit_isolation(features: np.ndarray, seed: int) -> PackedForest:
    """An isolation forest of `density_features`."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(
        n_estimators=TREES, max_samples=min(SAMPLES, len(features)), random_state=seed
    )
    return from_isolation_forest(forest.fit(features))


def tails_of(offsets: Offsets) -> np.ndarray:
    """`Density.tails`, from galaxies as they were observed."""
    sigmas = np.abs(offsets.offset / offsets.width)
    tails = np.ones(sigmas.shape[1])
    for band, own in enumerate(sigmas.T):
        if np.isfinite(own).sum() >= _FEWEST:
            tails[band] = max(1.0, np.nanpercentile(own, _TAIL_LEVEL) / _GAUSSIAN_TAIL)
    return tails


@dataclass(frozen=True)
class DensityFit:
    """What was measured on galaxies by densities that did not see them.

    Attributes
    ----------
    found : Unseen
        What the members say of them.
    anomaly, contradiction, unusual : ndarray, shape (n,)
        Of `Density`, and the distance from the galaxies' colours; NaN where a galaxy has too few
        bands.
    limits : ndarray, shape (2,)
    share, ratio, ratio_error : float
        Of the galaxies beyond the limit of the anomaly, and the factor by which they err more.
    """

    found: Unseen
    anomaly: np.ndarray
    contradiction: np.ndarray
    unusual: np.ndarray
    limits: np.ndarray
    share: float
    ratio: float
    ratio_error: float

    @property
    def score(self) -> np.ndarray:
        """`Density.score`, shape (n,)."""
        both = np.column_stack([self.anomaly, self.contradiction]) / self.limits
        return np.asarray(both.max(1))


def with_density(
    model: DustForest,
    galaxies: Galaxies,
    copies: Copies,
    pixels: GalaxyPixels | None = None,
    seed: int = 0,
) -> tuple[DustForest, DensityFit]:
    """The model with a density of these galaxies, their degraded copies and pixels.

    The limit is where galaxies that a density did not see (folds as the members') err twice as much
    as the others; where none is, where that comes nearest.

    Parameters
    ----------
    model : DustForest
        Its density does not matter.
    galaxies : Galaxies
    copies : Copies
        Of them.
    pixels : GalaxyPixels, optional
        Of galaxies like those that the model is used on; their truth does not matter.
    """
    known = describe(copies.spectra, model.colours)
    own = _of_pixels(pixels, model, len(known.features), seed)
    observed, usable = spectra_of(galaxies.values, galaxies.errors, INPUT_BANDS, model.colour_term)
    whole = describe(observed, model.colours)
    rows = np.flatnonzero(usable)
    tails = tails_of(_rows(whole.offsets, galaxies.surveys[rows] == DUSTPEDIA))
    limits = np.array([1.0, SIGMAS])
    density = Density(fit_isolation(np.vstack([known.features, own]), seed), tails, limits)
    model = replace(model, density=density)
    found = predict_unseen(model, galaxies, ALL_BANDS)
    anomaly, contradiction, unusual = np.full((3, len(galaxies)), np.nan)
    contradiction[rows], unusual[rows] = density.contradiction(whole.offsets), whole.unusual
    anomaly[rows] = held_out_anomaly(model, galaxies, known, own, whole.features, rows, seed)
    limit, *measured = find_limit(anomaly, squared_errors(found, galaxies))
    limits = np.array([limit, SIGMAS])
    model = replace(model, density=replace(density, limits=limits))
    return model, DensityFit(found, anomaly, contradiction, unusual, limits, *measured)


def held_out_anomaly(
    model: DustForest,
    galaxies: Galaxies,
    known: Described,
    pixels: np.ndarray,
    features: np.ndarray,
    rows: np.ndarray,
    seed: int,
) -> np.ndarray:
    """The anomaly of galaxies `rows`, whose features are given, each by a density of the other
    folds.
    """
    copies = known.features.reshape(-1, len(galaxies), known.features.shape[1])
    anomaly = np.full(len(rows), np.nan)
    for fit, test in folds(galaxies.surveys):
        seen = copies[:, fit].reshape(-1, copies.shape[2])
        density = replace(model.density, forest=fit_isolation(np.vstack([seen, pixels]), seed))
        mine = np.isin(rows, test)
        anomaly[mine] = density.anomaly(features[mine])
    return anomaly


def squared_errors(found: Unseen, galaxies: Galaxies) -> np.ndarray:
    """Squared errors of the dust beyond the truth's own, shape (n, 3); NaN where unknown."""
    own = [QUANTITIES.index(name) for name in DUST_PER_W1]
    off = (found.values - quantities_of(galaxies.targets))[:, own]
    return np.asarray(off**2 - limited_errors(galaxies)[:, own] ** 2)


def error_ratio(
    beyond: np.ndarray, squared: np.ndarray, draws: int = N_BOOTSTRAP
) -> tuple[float, float]:
    """By what factor the errors of those `beyond` are larger, the mean over quantities, and its
    standard deviation over a bootstrap.

    Parameters
    ----------
    beyond : ndarray of bool, shape (n,)
    squared : ndarray, shape (n, n_quantities)
        From `squared_errors`, finite.
    draws : int
        Of the bootstrap; with none the standard deviation is NaN.
    """
    rng = np.random.default_rng(SEED)
    n = len(beyond)
    weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), draws)])
    means = [
        (weights[:, part] @ squared[part]) / np.maximum(weights[:, part].sum(1), 1)[:, None]
        for part in (beyond, ~beyond)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.sqrt(np.maximum(means[0], 0) / means[1]).mean(1)
    return float(ratios[0]), float(np.nanstd(ratios[1:])) if draws else float("nan")


def find_limit(anomaly: np.ndarray, squared: np.ndarray) -> tuple[float, float, float, float]:
    """The anomaly beyond which errors are double, the share of galaxies beyond it, and the factor
    with its error: the limit with the most galaxies beyond it, or where none doubles the errors the
    one that comes nearest.
    """
    fine = np.isfinite(anomaly) & np.isfinite(squared).all(1)
    anomaly, squared = anomaly[fine], squared[fine]
    limits = np.quantile(anomaly, 1 - SHARES)
    ratios = np.array([error_ratio(anomaly > limit, squared, 0)[0] for limit in limits])
    doubled = np.flatnonzero(ratios >= DOUBLE)
    best = doubled[-1] if doubled.size else int(np.argmax(np.nan_to_num(ratios)))
    return float(limits[best]), float(SHARES[best]), *error_ratio(anomaly > limits[best], squared)


def density_pixels(
    seed: int, processes: int = 2, galaxies: int = MOCKS
) -> tuple[GalaxyPixels, GalaxyPixels]:
    """Pixels of mock galaxies for a density, and of others to look at it with."""
    first, second = (
        make_mock_pixels(galaxies, SETS * seed + which, processes) for which in (FIT, HELD)
    )
    return first, second


def _of_pixels(
    pixels: GalaxyPixels | None, model: DustForest, galaxies: int, seed: int
) -> np.ndarray:
    """Features of pixels, not more than there are spectra of galaxies."""
    if pixels is None:
        return np.empty((0, model.colours.loadings.shape[1] + 1), np.float32)
    most = int(MOST_PIXELS * galaxies)
    if len(pixels) > most:
        rng = np.random.default_rng([seed, 0xD15])
        pixels = pixels.select(rng.choice(len(pixels), most, replace=False))
    spectra, _ = spectra_of(
        pixels.values.astype(float), pixels.errors.astype(float), pixels.bands, model.colour_term
    )
    return describe(spectra, model.colours).features


def _rows(offsets: Offsets, keep: np.ndarray) -> Offsets:
    return Offsets(offsets.offset[keep], offsets.width[keep], offsets.chi2[keep])
