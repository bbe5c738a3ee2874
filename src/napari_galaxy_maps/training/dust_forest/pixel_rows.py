"""Pixels of mock galaxies as rows to fit a pixel part to: features, what the members say, and how
far that is from the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...bands.registry import INPUT_BANDS
from ...mocks.population import EARLY
from ...models.dust_forest.features import UNKNOWN_SCALE, Spectra, normalise, select
from ...models.dust_forest.model import DustForest, log_lsun_kpc2_per_mjy_sr
from ...models.dust_forest.pixel_part import Surroundings
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.galaxy_pixels import GalaxyPixels
from ..datasets.mock_pixels import make_mock_pixels, whole_mock
from .degraded_galaxies import Degradation, degrade
from .pool import OF_TARGETS, PER_W1

_DUST = np.array([0, 1, 2])
SHOWN, FIT_SHOWN = 0.2, 0.02
"""MJy/sr in SPIRE 250 from which a pixel's dust is scored, about the noise of a pixel of 18 arcsec
(Clark+ 2018); a tenth of it is fitted to, as pixels that show less tell of nothing that is seen."""
_UNKNOWN = 0.3
"""Share of the degraded copies of which the scale is kept back."""
_DEGRADATION = Degradation(noise=0.3)


def spire_250(truth: np.ndarray) -> np.ndarray:
    """Surface brightness at 250 micron in MJy/sr of dust of a mass and a temperature.

    Parameters
    ----------
    truth : ndarray, shape (n, 7)
        `QUANTITIES`.
    """
    from astropy import units as u
    from astropy.modeling.physical_models import BlackBody

    mass = 10 ** truth[:, QUANTITIES.index("LOG_SIGMA_MD")].astype(float) * u.Msun / u.kpc**2
    opacity = 5.9 * u.cm**2 / u.g  # THEMIS's at 250 micron
    black = BlackBody(truth[:, QUANTITIES.index("T_DUST")].astype(float) * u.K)(250 * u.micron)
    return np.asarray((mass * opacity * black).to_value(u.MJy / u.sr, u.dimensionless_angles()))


@dataclass(frozen=True)
class PixelRows:
    """Spectra of n pixels with what is known of them.

    Attributes
    ----------
    features : ndarray of float32, shape (n, n_features)
    about : Surroundings
        Its scale is unknown where it is kept back.
    mean, targets : ndarray, shape (n, 5)
        What the members say, and the truth (`training.datasets.galaxies.TARGETS`), NaN where
        unknown or where no far infrared would show the dust.
    sigma : ndarray, shape (n, 7)
        As the members say.
    snr : ndarray, shape (n,)
        Of the normalising band.
    pixel : ndarray of int, shape (n,)
        Which of the `GalaxyPixels` it is.
    degraded : ndarray of bool, shape (n,)
        Whether bands were taken from it.
    """

    features: np.ndarray
    about: Surroundings
    mean: np.ndarray
    targets: np.ndarray
    sigma: np.ndarray
    snr: np.ndarray
    pixel: np.ndarray
    degraded: np.ndarray


def zero_points(model: DustForest, mocks: int, seed: int, processes: int = 2) -> np.ndarray:
    """What the members say of whole mock galaxies minus their truth: the median over late types,
    shape (5,).

    The members are calibrated on real galaxies, the mocks are not: what they teach is by how much
    pixels differ from their galaxies. Added to the mocks' truth, it takes their own zero points
    out.
    """
    wholes = make_mock_pixels(mocks, seed, processes, whole_mock)
    late = ~np.isin(np.array(wholes.kinds)[wholes.galaxy], EARLY)
    rows = rows_of(model, wholes.select(late), np.zeros(5))
    return np.asarray(np.nanmedian(rows.mean - rows.targets, axis=0))


def rows_of(
    model: DustForest, pixels: GalaxyPixels, zero: np.ndarray, seed: int | None = None
) -> PixelRows:
    """Pixels as they are, without IRAC, which few galaxies have; or, with a seed, a copy of each
    with bands left out or noise added, of some of which the scale is kept back.

    Parameters
    ----------
    model : DustForest
    pixels : GalaxyPixels
    zero : ndarray, shape (5,)
        Added to the truth (`zero_points`).
    seed : int, optional
    """
    values, errors = pixels.values.astype(float), pixels.errors.astype(float)
    scale = pixels.scale_pc.astype(float)
    if seed is None:
        values[[band.startswith("Spitzer") for band in pixels.bands]] = np.nan
    else:
        rng = np.random.default_rng([seed, 0x9A7])
        assert pixels.bands == INPUT_BANDS
        values, errors = degrade(values, errors, _DEGRADATION, model.colour_term, rng)
        scale = np.where(rng.random(len(scale)) < _UNKNOWN, UNKNOWN_SCALE, scale)
    spectra = normalise(
        values, errors, pixels.bands, model.colour_term, model.columns, scale_pc=scale
    )
    keep = np.flatnonzero(spectra.usable)
    some = select(spectra, keep)
    matrix, unusual, mean, sigma = model.of_galaxies(some)
    targets = targets_of(pixels.truth[keep], some) + zero
    return PixelRows(
        matrix, Surroundings(unusual, some.scale_pc, some.normal), mean, targets, sigma,
        some.normal / some.normal_error, keep, np.full(len(keep), seed is not None),
    )  # fmt: skip


def targets_of(truth: np.ndarray, spectra: Spectra) -> np.ndarray:
    """`training.datasets.galaxies.TARGETS` from the seven quantities, for the WISE 3.4 that was
    seen.
    """
    brightness = np.log10(spectra.normal) + log_lsun_kpc2_per_mjy_sr(spectra.columns.pivot_um)
    targets = truth[:, OF_TARGETS].astype(float) - brightness[:, None] * PER_W1
    targets[np.ix_(~(spire_250(truth) > FIT_SHOWN), _DUST)] = np.nan
    return np.asarray(targets)


def joined_rows(parts: list[PixelRows]) -> PixelRows:
    """Rows behind one another."""
    abouts = [part.about for part in parts]
    about = Surroundings(
        *(np.concatenate([getattr(a, f.name) for a in abouts]) for f in fields(Surroundings))
    )
    names = [f.name for f in fields(PixelRows) if f.name != "about"]
    return PixelRows(
        about=about, **{n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
    )


def residuals(mean: np.ndarray, rows: PixelRows) -> np.ndarray:
    """Prediction minus truth of the seven quantities, shape (n, 7)."""
    return quantities_of(mean - rows.targets)
