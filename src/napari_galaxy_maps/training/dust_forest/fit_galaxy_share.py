"""Measures on pixels of mock galaxies how much of the squared error of dust-forest all pixels of a
galaxy have in common.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...exceptions import InputError
from ...models.dust_forest.uncertainty import QUANTITIES
from .score_pixels import Judged

FEWEST_PIXELS = 20
BRIGHT = 10.0
"""Sigmas of the normalising band that pixels have at least."""
WELL = 2.0
"""Times the median sigma of bright pixels, the most of a pixel that counts: where hardly any dust
is, as in ellipticals, residuals are ten times as large and would be all that is measured."""
DRAWS = 500


def galaxy_errors(judged: Judged, seed: int = 0) -> tuple[dict[str, list[float]], str]:
    """What a card's `settings["galaxy_errors"]` says.

    Parameters
    ----------
    judged : Judged
        Pixels of mock galaxies that nothing was fitted to; galaxies without enough well measured
        ones do not count, for each quantity by itself.
    seed : int
        Of the bootstrap.

    Returns
    -------
    galaxy_errors : dict of str to [float, float]
        Of each quantity the share, and the sigma of a well measured pixel
        (`models.dust_forest.uncertainty.galaxy_part`).
    note : str
        A sentence for the card.

    Raises
    ------
    InputError
        When fewer than two galaxies have enough pixels.
    """
    bright = judged.snr > BRIGHT
    settings, words = {}, []
    for j, name in enumerate(QUANTITIES):
        off, sigma = judged.own[:, j], judged.own_sigma[:, j]
        most = float(np.median(sigma[bright])) if bright.any() else 0.0
        use = bright & np.isfinite(off) & (sigma <= WELL * most)
        counted = [off[use & (judged.galaxy == k)] for k in np.unique(judged.galaxy)]
        counted = [found for found in counted if len(found) >= FEWEST_PIXELS]
        if len(counted) < 2:
            raise InputError(
                f"{len(counted)} mock galaxies have {FEWEST_PIXELS} pixels with a well measured "
                f"{name}; make more."
            )
        share, error_of_share = shared_part(counted, seed)
        settings[name] = [round(share, 3), round(most, 4)]
        words.append(f"{name} {share:.2f} ± {error_of_share:.2f} ({len(counted)})")
    note = (
        "Of the squared error of well measured pixels so much is common to all pixels of a galaxy, "
        "measured on mock galaxies (in brackets how many; the truth of resolved real ones is not "
        f"known), calibration errors included: {', '.join(words)}. "
        "The part of a map's errors that the galaxy's pixels share follows from it."
    )
    return settings, note


def shared_part(residuals: Sequence[np.ndarray], seed: int = 0) -> tuple[float, float]:
    """The share of the mean squared residual that is common to a galaxy's pixels, by one-way
    analysis of variance about zero; each galaxy counts alike.

    Parameters
    ----------
    residuals : sequence of ndarray
        Of each galaxy's pixels, at least two.
    seed : int
        Of the bootstrap.

    Returns
    -------
    share, error : float
        Between 0 and 1, and its standard deviation over draws of the galaxies.
    """
    offsets = np.array([residual.mean() ** 2 for residual in residuals])
    own = np.array([residual.var(ddof=1) / residual.size for residual in residuals])
    squared = np.array([(residual**2).mean() for residual in residuals])
    common = offsets - own  # an offset of n independent pixels scatters by their variance over n
    drawn = np.random.default_rng([seed, 0xB00]).integers(
        len(residuals), size=(DRAWS, len(residuals))
    )
    shares = np.clip(common[drawn].sum(1) / squared[drawn].sum(1), 0, 1)
    share = float(np.clip(common.sum() / squared.sum(), 0, 1))
    return share, float(shares.std())
