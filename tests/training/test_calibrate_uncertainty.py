"""A network that is biased and too sure of itself is found out on held-out galaxies, by bands and
pixel size, and corrected.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from napari_galaxy_maps.models.stellar_unet.calibration import Calibration, depth_of
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.datasets.image_truth_pairs import TABLE, Pairs
from napari_galaxy_maps.training.datasets.mock_cubes import true_maps
from napari_galaxy_maps.training.stellar_unet.calibrate_uncertainty import ORDER, calibrate_steps

pytestmark = pytest.mark.slow

N, SIZE = 60, 24
BIAS, SCATTER, SAID = 0.2, 0.15, 0.05
MAPS = len(STELLAR_PROPERTIES)


def galaxies(fwhm_pixels=3.0, n=N):
    """Round discs of one look; what differs is what the model says of them."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    disc = 8.5 - np.hypot(x, y) / 2.5 / np.log(10)
    maps = np.stack(
        [
            np.full_like(disc, 0.5) if t.logarithm else disc - 3 * (k > 2)
            for k, t in enumerate(TARGETS.values())
        ]
    )
    truth = np.stack([t.scaled(maps[k]) for k, t in enumerate(TARGETS.values())])
    table = {name: np.ones(n) for name in TABLE} | {
        "seed": np.arange(1.0, n + 1),
        "fwhm_pixels": np.full(n, fwhm_pixels),
    }
    images = np.ones((n, 5, SIZE, SIZE), np.float32)
    return Pairs(images, np.tile(truth, (n, 1, 1, 1)).astype(np.float16), table)


def calibrate(model, held, all_counts=True):
    return run_to_end(calibrate_steps(model, held, all_counts))


def calibration(sharpness, shift, depth, raw, correction):
    return Calibration(sharpness, shift, depth, raw, correction, np.full(shift.shape, 1.96))


class Model:
    """The truth plus `BIAS` and noise larger than its sigma; with fewer bands by more."""

    def __init__(self, pairs):
        self.pairs, self.rng = pairs, np.random.default_rng(5)

    def predict(self, cube, device):
        truth = true_maps(self.pairs, int(cube.name.split()[1]) - 1)
        worse = 6 - len(cube.bands)
        values, errors = {}, {}
        for name, target in TARGETS.items():
            miss = BIAS + worse * SCATTER * self.rng.standard_normal((SIZE, SIZE))
            if target.logarithm:
                values[name] = truth[name] * 10**miss
                errors[name] = SAID * np.log(10) * values[name]
            else:
                values[name], errors[name] = truth[name] + miss, np.full((SIZE, SIZE), SAID)
        return SimpleNamespace(values=values, errors=errors)


@pytest.fixture(scope="module")
def steps():
    """The progress of the calibration behind `found`."""
    return []


@pytest.fixture(scope="module")
def found(steps):
    """The calibration of `Model` on held-out galaxies."""
    pairs = galaxies(
        n=2 * N
    )  # a cell of depth and sigma has 480 pixels, of which the quantile is good to 4 %
    return run_to_end(calibrate_steps(Model(pairs), [pairs]), steps.append)


def test_sigma_becomes_the_scatter_for_each_number_of_bands(found):
    for n in range(1, 6):
        _, sigma = found.corrected(
            np.zeros((MAPS, 2, 2)), np.full((MAPS, 2, 2), SAID), np.full((2, 2), 3.0), n, 1.6
        )
        # What is left of the bias after the shift counts, too: the sum of noisy pixels is more than
        # that of the truth.
        left = found.shift[n - 1, 0] + BIAS
        expected = np.hypot((6 - n) * SCATTER, left)
        assert np.allclose(sigma[:, 0, 0], expected, rtol=0.15), (n, sigma[:, 0, 0], expected)
        assert np.mean(sigma[:, 0, 0] / expected) == pytest.approx(1, abs=0.08)


def test_the_shift_makes_sums_right(found):
    pairs = galaxies()
    model = Model(pairs)
    k = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")
    sums = []
    for row in range(N):
        value = model.predict(SimpleNamespace(bands=ORDER, name=f"mock {row + 1}"), "cpu").values[
            "LOG_SIGMA_STAR"
        ]
        corrected = value + found.shift[4, 0, k]
        sums.append(
            np.log10((10**corrected).sum() / (10 ** true_maps(pairs, row)["LOG_SIGMA_STAR"]).sum())
        )
    assert np.mean(sums) == pytest.approx(0, abs=0.01)
    assert found.shift[4, 0, k] == pytest.approx(-BIAS - np.log(10) / 2 * SCATTER**2, abs=0.02)


def test_between_pixel_sizes_it_is_interpolated_and_beyond_them_held():
    shift = np.tile(np.array([0.0, 1.0])[:, None], (5, 1, MAPS))
    correction = np.log(np.tile(np.array([1.0, 4.0])[:, None, None, None], (5, 1, 1, MAPS, 1)))
    c = calibration(
        np.array([0.0, 2.0]), shift, np.zeros((5, 2, 1)), np.zeros_like(correction), correction
    )
    zero, one = np.zeros((MAPS, 3)), np.ones((MAPS, 3))
    for sharpness, added, factor in ((-3, 0, 1), (0, 0, 1), (1, 0.5, 2), (2, 1, 4), (9, 1, 4)):
        value, sigma = c.corrected(zero, one, np.zeros(3), 3, sharpness)
        assert np.allclose(value, added) and np.allclose(sigma, factor)


def test_between_depths_it_is_interpolated_and_beyond_them_held():
    correction = np.log(np.tile(np.array([1.0, 4.0])[:, None, None], (5, 1, 1, MAPS, 1)))
    depth = np.tile(np.log([2.0, 32.0]), (5, 1, 1))
    c = calibration(
        np.zeros(1), np.zeros((5, 1, MAPS)), depth, np.zeros_like(correction), correction
    )
    ratio = np.array([0.1, 2.0, 8.0, 32.0, 500.0])
    _, sigma = c.corrected(np.zeros((MAPS, 5)), np.ones((MAPS, 5)), np.log(ratio), 3, 0.0)
    assert np.allclose(sigma, [1, 1, 2, 4, 4])


def test_faint_and_bright_pixels_of_one_sigma_are_told_apart():
    """A model that says 0.05 everywhere, is right where the galaxy is bright and wrong by 0.3 where
    it is faint.
    """
    pairs = galaxies()
    pairs.images[..., : SIZE // 2] = 1e-3
    model = Model(pairs)
    true_predict = model.predict

    def predict(cube, device):
        maps, truth = true_predict(cube, device), true_maps(pairs, int(cube.name.split()[1]) - 1)
        for name, target in TARGETS.items():
            miss = np.where(np.arange(SIZE) < SIZE // 2, 0.3, 0.05) * model.rng.standard_normal(
                (SIZE, SIZE)
            )
            maps.values[name] = truth[name] * 10**miss if target.logarithm else truth[name] + miss
            maps.errors[name] = (
                np.log(10) * SAID * maps.values[name]
                if target.logarithm
                else np.full((SIZE, SIZE), SAID)
            )
        return maps

    model.predict = predict
    found = calibrate(model, [pairs], all_counts=False)
    k = STELLAR_PROPERTIES.index("LOG_SIGMA_HI")
    _, sigma = found.corrected(
        np.zeros((MAPS, 2)), np.full((MAPS, 2), SAID), np.log([0.1, 40.0]), 5, 1.6
    )
    expected = np.hypot(
        [0.3, 0.05], found.shift[4, 0, k]
    )  # the shift that makes sums right counts, too
    assert sigma[k] == pytest.approx(expected, rel=0.15) and sigma[k, 0] > 3 * sigma[k, 1]


@pytest.mark.parametrize("freedom", [2, 1e6])
def test_how_far_the_tails_of_errors_reach_is_measured(freedom):
    """Of Student's t one sigma becomes what holds 68 %; 95 % are within 2.3 or more of them, of a
    Gaussian within 1.96.
    """
    pairs = galaxies()
    rng, given = np.random.default_rng(3), 0.01

    def predict(cube, device):
        truth = true_maps(pairs, int(cube.name.split()[1]) - 1)
        values, errors = {}, {}
        for name, target in TARGETS.items():
            miss = np.clip(0.03 * rng.standard_t(freedom, (SIZE, SIZE)), -0.5, 0.5)
            values[name] = truth[name] * 10**miss if target.logarithm else truth[name] + miss
            errors[name] = (
                np.log(10) * given * values[name]
                if target.logarithm
                else np.full((SIZE, SIZE), given)
            )
        return SimpleNamespace(values=values, errors=errors)

    found = calibrate(SimpleNamespace(predict=predict), [pairs], all_counts=False)
    k = STELLAR_PROPERTIES.index("LOG_SIGMA_SFR")
    _, sigma = found.corrected(np.zeros((MAPS, 1)), np.full((MAPS, 1), given), np.zeros(1), 5, 1.6)
    law = stats.t(freedom)
    assert 1 - 2 * law.sf(sigma[k, 0] / 0.03) == pytest.approx(0.68, abs=0.02)
    for n in range(1, 6):
        assert found.tails(n, 1.6)[k] == pytest.approx(law.isf(0.025) / law.isf(0.16), rel=0.05)


def test_what_earlier_versions_calibrated_has_a_gaussians_tails(found):
    arrays = found.arrays("calibration.")
    del arrays["calibration.tail"]
    assert (Calibration.from_arrays(arrays, "calibration.").tails(3, 1.0) == 1.96).all()


def test_calibrating_tells_how_far_it_is(found, steps):
    assert len(steps) == 2 * N and steps[0].detail == "uncertainties: galaxy 1 of 120"


def test_depth_is_that_of_the_band_that_stands_out_most():
    data = np.array([[4.0, np.nan, -1.0, np.nan], [1.0, 3.0, -2.0, np.nan]])[:, None]
    depth = depth_of(data, np.ones_like(data))[0]
    assert np.allclose(np.exp(depth), [4, 3, 0.1, 0.1])


def test_it_is_read_as_it_was_written_and_none_changes_nothing(found):
    again = Calibration.from_arrays(found.arrays("calibration."), "calibration.")
    value, sigma = (
        np.linspace(-1, 1, MAPS * 4).reshape(MAPS, 4),
        np.geomspace(0.01, 1, MAPS * 4).reshape(MAPS, 4),
    )
    depth = np.linspace(-2, 5, 4)
    for a, b in zip(
        again.corrected(value, sigma, depth, 2, 0.3),
        found.corrected(value, sigma, depth, 2, 0.3),
        strict=True,
    ):
        assert np.array_equal(a, b)
    same = Calibration.none(MAPS).corrected(value, sigma, depth, 5, 1.0)
    assert np.allclose(same[0], value) and np.allclose(same[1], sigma)
    assert (np.diff(sigma.ravel()) > 0).all() and (
        np.diff(found.corrected(value, sigma, 0 * depth, 5, 1.0)[1][0]) > 0
    ).all()


def test_a_map_that_was_never_taught_says_nothing(found):
    taught = np.arange(MAPS) != 2
    value, sigma = found.only(taught).corrected(
        np.zeros((MAPS, 2)), np.ones((MAPS, 2)), np.zeros(2), 5, 1.0
    )
    assert (
        np.isnan(value[2]).all()
        and np.isnan(sigma[2]).all()
        and np.isfinite(np.delete(value, 2, 0)).all()
    )
    assert np.isfinite(np.delete(sigma, 2, 0)).all()
