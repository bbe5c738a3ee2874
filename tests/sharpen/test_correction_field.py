"""The prior has the variance that it is given, and what is drawn from it has it, too."""

import numpy as np
import pytest

from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sharpen.coarse_view import CoarseView
from napari_galaxy_maps.sharpen.correction_field import (
    Coarse,
    Prior,
    most_likely_steps,
    scatter_steps,
)
from tests.sharpen.scene import COARSE_FWHM, COARSE_PIXEL, FWHM, PIXEL, SIZE, grid

SCALES = ((1.5, 0.5), (4.0, 0.5))


def test_the_covariance_has_the_variance_on_its_diagonal():
    local = np.linspace(0.1, 0.5, 30 * 40).reshape(30, 40)
    prior = Prior(local, np.full((30, 40), 0.2), SCALES)
    for at in ((0, 0), (15, 20), (29, 39)):
        plane = np.zeros((30, 40))
        plane[at] = 1
        assert prior.times(plane)[at] == pytest.approx(local[at] ** 2 + 0.2**2, rel=1e-6)


def test_the_covariance_falls_as_its_gaussians():
    prior = Prior(np.ones((41, 41)), np.zeros((41, 41)), ((3.0, 1.0),))
    plane = np.zeros((41, 41))
    plane[20, 20] = 1
    row = prior.times(plane)[20]
    away = np.arange(41) - 20
    np.testing.assert_allclose(row, np.exp(-(away**2) / 2 / 3.0**2), atol=1e-4)


def test_fields_that_are_drawn_have_the_covariance():
    prior = Prior(np.full((20, 20), 0.3), np.full((20, 20), 0.2), SCALES)
    rng = np.random.default_rng(5)
    drawn = np.array([prior.draw(rng) for _ in range(2000)])
    unit = np.zeros((20, 20))
    unit[10, 10] = 1
    expected = prior.times(unit)[10]
    measured = (drawn[:, 10, 10, None] * drawn[:, 10]).mean(axis=0)
    np.testing.assert_allclose(measured, expected, atol=0.015)


def test_of_uniform_light_the_answer_is_the_weighted_mean():
    """One shared factor, seen by n pixels of known noise: Bayes' rule has one line."""
    shape = (SIZE, SIZE)
    view = CoarseView(
        (grid(SIZE, PIXEL), shape), (grid(12, COARSE_PIXEL), (12, 12)), (FWHM, COARSE_FWHM),
        np.ones(shape, bool),
    )  # fmt: skip
    n, sigma, spread = int(view.seen.sum()), 0.2, 0.05
    prior = Prior(np.zeros(shape), np.full(shape, spread), SCALES)
    value = np.full(n, 1.1)
    coarse = Coarse(view, value, np.full(n, sigma))
    light = np.ones(shape)
    log = run_to_end(most_likely_steps(light, coarse, prior))
    found = log[0, 0]
    assert np.ptp(log) < 1e-12
    # The most likely factor f: (1.1 - f) f n / sigma^2 = ln f / spread^2.
    assert (1.1 - np.exp(found)) * np.exp(found) * n / sigma**2 == pytest.approx(
        found / spread**2, rel=0.02
    )
    error, of_sum = run_to_end(scatter_steps(light, log, coarse, prior, 400, 2.0))
    expected = 1 / np.sqrt(n * np.exp(found) ** 2 / sigma**2 + 1 / spread**2)
    assert error[30, 30] == pytest.approx(expected, rel=0.1)
    assert of_sum == pytest.approx(expected, rel=0.1)
