"""Coverages are shares of residuals within one sigma and within those that should hold 95 %."""

import numpy as np
import pytest

from napari_galaxy_maps.measure.compare.coverage import coverage, within_intervals


def test_a_gaussian_has_the_shares_of_a_gaussian():
    z = np.random.default_rng(0).standard_normal(100_000)
    assert coverage(z) == pytest.approx((0.6827, 0.95), abs=0.004)


def test_a_wider_tail_holds_more_and_changes_nothing_within_one_sigma():
    z = np.array([-2.5, -0.5, 0.9, 2.2])
    assert coverage(z) == (0.5, 0.5)
    assert coverage(z, tail=2.3) == (0.5, 0.75)


def test_what_has_no_sigma_does_not_count():
    z = np.array([np.nan, np.inf, 0.5, -3.0])
    assert coverage(z) == (0.5, 0.5)
    assert np.isnan(coverage(np.array([np.nan]))).all()


def test_each_residual_may_have_a_tail_of_its_own():
    one_sigma, nearly_all = within_intervals(np.array([1.0, 2.2, 2.2]), np.array([1.5, 2.0, 2.4]))
    assert not one_sigma.any()
    np.testing.assert_array_equal(nearly_all, [True, False, True])
