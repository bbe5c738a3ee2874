"""Names the band of a galaxy that the others contradict: a wrong unit, as a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...bands.registry import get_band
from ...data.cube import random_part
from .colour_model import ColourModel
from .columns import NORMAL, STAND_IN, Columns
from .contradiction import Offsets, beside_others
from .features import ColourTerm, normalise, select

if TYPE_CHECKING:
    from ...data.cube import BandCube

SIGMAS = 4.5
"""By at least so many times its width, and its tail's, a band must be off the others: of the real
galaxies 0.7 % have such a one (`training.dust_forest.density_tables`)."""
_LEAST_FACTOR = 1.8
"""By less than this no unit is wrong, and an active nucleus is by as much."""
_REST = 5.0
"""The most of chi2 per band without the named one: the others must agree."""
_FEWEST_BANDS = 5
_RIVAL = 0.85
"""Of the sigmas of the worst band, beyond which another one may be meant as well."""
_BRIGHT = 10.0
"""Sigmas of the normalising band that a galaxy's pixels have at least."""
_COVERED = 0.5
"""Share of the galaxy's pixels in which a band must be, and in which it must be off."""
_MOST_SUMMED, _MOST_PIXELS = 20_000, 2000
"""Of the galaxy's bright pixels, evenly over it, at most so many are summed, and looked at one by
one: an edit of a mask must not wait for millions.
"""
_ALIKE = 0.05
"""Dex by which a factor may differ from the part that it is called."""
_PARTS = {2: "half of", 3: "a third of", 4: "a quarter of", 5: "a fifth of", 10: "a tenth of",
          100: "a hundredth of", 1000: "a thousandth of"}  # fmt: skip


def doubtful_band(
    cube: BandCube,
    term: ColourTerm,
    columns: Columns,
    colours: ColourModel,
    tails: np.ndarray,
) -> list[str]:
    """A sentence on the band that the others contradict, both in the summed light of the galaxy's
    bright pixels and in most of these pixels; none where there is no such band.

    Parameters
    ----------
    cube : BandCube
        With the bands that the model needs.
    term, columns, colours
        Of the model.
    tails : ndarray, shape (n_bands,)
        As `Density.tails`.
    """
    names = [band for band in cube.bands if band in columns.bands]
    rows = [cube.bands.index(band) for band in names]
    standard = NORMAL if NORMAL in names else STAND_IN
    values, errors = bright_pixels(cube, rows, names.index(standard))
    if not values.shape[1]:
        return []
    summed = summed_light(cube, rows, values, errors)
    few = slice(None, None, -(-values.shape[1] // _MOST_PIXELS))
    both = [
        normalise(v, e, names, term, columns) for v, e in (summed, (values[:, few], errors[:, few]))
    ]
    if not both[0].usable[0]:
        return []
    of_sum, of_pixels = (beside_others(select(s, s.usable), colours) for s in both)
    named = contradicted(of_sum, tails)[0]
    if not named or not _everywhere(of_pixels, of_sum, named[0]):
        return []
    # Where another band stands in for the normalising one, it is that one which is meant.
    called = [standard if place == columns.normal else columns.bands[place] for place in named]
    return [in_words(called, 10 ** of_sum.offset[0, list(named)])]


def bright_pixels(cube: BandCube, rows: list[int], normal: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors, each of shape (n_rows, n), of pixels of a galaxy that are bright in the
    normalising band and have all the bands; NaN in bands that are in too few of them.
    """
    at = rows[normal]
    with np.errstate(invalid="ignore"):
        bright = ~cube.mask & (cube.data[at] > _BRIGHT * cube.uncertainty[at])
    places = np.flatnonzero(bright)
    chosen = np.ix_(np.array(rows), places[:: max(1, -(-len(places) // _MOST_SUMMED))])
    values, errors = (
        planes.reshape(len(planes), -1)[chosen] for planes in (cube.data, cube.uncertainty)
    )
    seen = np.isfinite(values)
    counted = seen.mean(1) >= _COVERED if values.shape[1] else np.ones(len(rows), bool)
    whole = seen[counted].all(0)
    values, errors = values[:, whole], errors[:, whole]
    values[~counted] = errors[~counted] = np.nan
    return values, errors


def summed_light(
    cube: BandCube, rows: list[int], values: np.ndarray, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of pixels and its error, each of shape (n_rows, 1): what all pixels of a band have
    in common stays, their noise becomes less.
    """
    n = values.shape[1]
    mean = values.mean(1, dtype=np.float64)
    error = np.empty_like(mean)
    for k, row in enumerate(rows):
        common = (
            get_band(cube.bands[row]).calibration
            if cube.systematic is None
            else float(cube.systematic[row])
        )
        noise = random_part(values[k], errors[k], common).astype(np.float64)
        shared = 1.0 if cube.correlation is None else float(cube.correlation[row])
        error[k] = np.hypot(common * mean[k], np.sqrt(min(shared, n) * (noise**2).sum()) / n)
    return mean[:, None], error[:, None]


def contradicted(offsets: Offsets, tails: np.ndarray) -> list[tuple[int, ...]]:
    """Of each spectrum the band that the others contradict, by its place, and behind it those that
    could be meant as well; empty where there is none.

    A band is named where it is off by much more than its width and by more than any galaxy is, and
    where the others agree with each other. Where the normalising band is off, all others are off
    it, but they agree, so that leaving out the normalising one makes the greatest difference.
    """
    sigmas = np.abs(offsets.sigmas)
    scaled = sigmas / tails
    far = np.abs(np.nan_to_num(offsets.offset)) > np.log10(_LEAST_FACTOR)
    found: list[tuple[int, ...]] = []
    for own, over, enough, chi2, seen in zip(
        sigmas, scaled, far, offsets.chi2, np.isfinite(offsets.offset).sum(1), strict=True
    ):
        order = np.argsort(-over)
        worst = order[0]
        rest = (chi2 - own[worst] ** 2) / max(seen - 2, 1)
        if seen < _FEWEST_BANDS or over[worst] < SIGMAS or not enough[worst] or rest > _REST:
            found.append(())
            continue
        rivals = (over[order] > _RIVAL * over[worst]) & enough[order]
        found.append(tuple(int(place) for place in order[rivals]))
    return found


def _everywhere(pixels: Offsets, whole: Offsets, place: int) -> bool:
    """Whether most of the pixels that have the band are off as their sum is."""
    wanted = whole.offset[0, place]
    own = pixels.offset[:, place]
    own = own[np.isfinite(own)]
    return not own.size or float(np.mean(own / wanted > 0.5)) > _COVERED


def in_words(bands: list[str], factors: np.ndarray) -> str:
    """ "WISE_12 is 10 times what the other bands say; is its unit right?"

    Parameters
    ----------
    bands : list of str
        The band, and behind it those that could be meant as well.
    factors : ndarray
        What each is over what the others say of it.
    """
    said = [f"{band} {_times(factor)}" for band, factor in zip(bands, factors, strict=True)]
    said[0] = said[0].replace(" ", " is ", 1)
    if len(said) == 1:
        return f"{said[0]} what the other bands say; is its unit right?"
    return f"{', or '.join(said)}, what the other bands say; are their units right?"


def _times(factor: float) -> str:
    if factor >= 1:
        return f"{_rounded(factor)} times"
    for part, words in _PARTS.items():
        if abs(np.log10(factor * part)) < _ALIKE:
            return words
    return f"1/{_rounded(1 / factor)} of"


def _rounded(factor: float) -> str:
    return f"{float(f'{factor:.2g}'):,.10g}"
