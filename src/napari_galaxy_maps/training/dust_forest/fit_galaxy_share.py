"""Measures on mock galaxies how much of the squared error of dust-forest all pixels of a galaxy
have in common.

python -m napari_galaxy_maps.training.dust_forest.fit_galaxy_share --mocks 40 --seed 0
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from ...bands.registry import get_band
from ...constants import PC_PER_MPC_ARCSEC
from ...data.cube import BandCube
from ...exceptions import GalaxyMapsError, InputError
from ...measure.compare.residuals import residual_maps
from ...mocks.mock import Mock, make_mock
from ...mocks.view import View
from ...mocks.writing import name_of, truth_maps
from ...models.dust_forest.columns import NORMAL
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES
from ...models.registry import load_model

CASE, POPULATION = "all bands", ">= 3 FIR"
"""The score whose median sigma stands for a well measured galaxy."""
SIZE, PIXEL = 48, 8.0
"""Pixels along each side of a mock, and arcsec of one: as WISE 22 allows."""
MOST_PIXELS = 400
"""Of a galaxy that are predicted, drawn at random."""
FEWEST_PIXELS = 20
BRIGHT = 10.0
"""Sigmas of the normalising band that pixels have at least."""
WELL = 2.0
"""Times the sigma of a well measured galaxy, the most of a pixel that counts: where hardly any dust
is, as in ellipticals, residuals are ten times as large and would be all that is measured."""
DRAWS = 500
_STRIDE = 100_000  # between the mocks of two seeds


def galaxy_errors(
    model: DustForest, mocks: int = 40, seed: int = 0
) -> tuple[dict[str, list[float]], str]:
    """What a card's `settings["galaxy_errors"]` says, measured on mocks.

    Parameters
    ----------
    model : DustForest
        With the scores of its card.
    mocks : int
        Mock galaxies to make; those without enough well measured pixels do not count, for each
        quantity by itself.
    seed : int
        Of the mocks, of their noise and of the bootstrap; the same gives the same.

    Returns
    -------
    galaxy_errors : dict of str to [float, float]
        Of each quantity the share, and the sigma of a well measured galaxy
        (`models.dust_forest.uncertainty.galaxy_part`).
    note : str
        A sentence for the card.

    Raises
    ------
    InputError
        When fewer than two mocks have enough pixels, or the card lacks the score.
    """
    try:
        most = {name: model.card.score(CASE, POPULATION, name).sigma for name in QUANTITIES}
    except KeyError as error:
        raise InputError(f"The card of {model.card.name} has {error.args[0]}.") from None
    limits = {name: WELL * sigma for name, sigma in most.items()}
    residuals = [mock_residuals(model, seed * _STRIDE + k, limits) for k in range(mocks)]
    settings, words = {}, []
    for name in QUANTITIES:
        counted = [found[name] for found in residuals if found[name].size >= FEWEST_PIXELS]
        if len(counted) < 2:
            raise InputError(
                f"{len(counted)} of {mocks} mock galaxies have {FEWEST_PIXELS} pixels with a well "
                f"measured {name}; make more."
            )
        share, error_of_share = shared_part(counted, seed)
        settings[name] = [round(share, 3), round(most[name], 4)]
        words.append(f"{name} {share:.2f} ± {error_of_share:.2f} ({len(counted)})")
    note = (
        "Of the squared error of well measured pixels so much is common to all pixels of a galaxy, "
        "measured on mock galaxies (in brackets how many; the truth of resolved real ones is not "
        f"known), with the mean offset of all mocks and calibration errors: {', '.join(words)}. "
        "The part of a map's errors that the galaxy's pixels share follows from it."
    )
    return settings, note


def mock_residuals(
    model: DustForest, seed: int, limits: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Prediction minus truth on pixels of a mock galaxy whose sigma is within the limits, by
    quantity.
    """
    mock, cube, chosen = bright_pixels(seed, model.card.bands)
    cube.mask.ravel()[:] = True
    cube.mask.ravel()[chosen] = False
    residual = residual_maps(model.predict(cube, "cpu"), truth_maps(mock))
    found = {}
    for name in QUANTITIES:
        off, sigma = (part[name].ravel()[chosen] for part in (residual.values, residual.errors))
        found[name] = off[np.isfinite(off) & (sigma <= limits[name])].astype(float)
    return found


def bright_pixels(
    seed: int, bands: Sequence[str], most: int = MOST_PIXELS
) -> tuple[Mock, BandCube, np.ndarray]:
    """A mock in those of `bands` that are not Spitzer's, as observed, and the places of some of its
    bright pixels, drawn at random.
    """
    bands = tuple(band for band in bands if not band.startswith("Spitzer"))
    # One sharp PSF for all bands: what is compared is single pixels.
    view = View(
        size=SIZE, pixel_arcsec=PIXEL, bands=bands, fwhm=dict.fromkeys(bands, PIXEL),
        truth_fwhm=PIXEL,
    )  # fmt: skip
    mock = make_mock(seed, view)
    rng = np.random.default_rng([seed, 0xE44])
    cube = observed_cube(mock, rng)
    normal = bands.index(NORMAL)
    places = np.flatnonzero(cube.data[normal] > BRIGHT * cube.uncertainty[normal])
    return mock, cube, rng.choice(places, min(places.size, most), replace=False)


def observed_cube(mock: Mock, rng: np.random.Generator) -> BandCube:
    """A mock as the program would have prepared it: each band's calibration is off as surveys' are,
    and the errors say so.
    """
    bands, shape = mock.view.bands, mock.data.shape[1:]
    calibration = np.array([get_band(band).calibration for band in bands], np.float32)
    off = 1 + calibration * rng.standard_normal(len(bands)).astype(np.float32)
    data = mock.data * off[:, None, None]
    error = np.hypot(mock.uncertainty, calibration[:, None, None] * data)
    return BandCube(
        data, error, bands, mock.wcs, mock.view.fwhm_of_truth, mock.view.pixel_arcsec,
        mock.view.pixel_arcsec * float(mock.view.distance_mpc or 0) * PC_PER_MPC_ARCSEC,
        np.zeros(shape, bool), np.zeros(shape, np.int16), name_of(mock),
    )  # fmt: skip


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


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mocks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        model = load_model("dust-forest")
        assert isinstance(model, DustForest)
        settings, note = galaxy_errors(model, options.mocks, options.seed)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(settings, indent=1))
    print(note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
