"""The fit of one star, beside scipy's of the same cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from napari_galaxy_maps.prepare.stars.tied_gaussian import fit_tied_gaussian

NOTHING = np.zeros(4)


def pixels_of(rng, amplitude, du, dv, sigma, noise, curved=False, radius=9.0):
    """Pixels of a star on a tilted background, with noise."""
    side = int(radius)
    v, u = (plane.astype(float).ravel() for plane in np.mgrid[-side : side + 1, -side : side + 1])
    within = np.hypot(u, v) <= radius
    u, v = u[within], v[within]
    terms = [np.ones_like(u), u / radius, v / radius]
    if curved:
        terms += [(u / radius) ** 2, (v / radius) ** 2, u * v / radius**2]
    ground = np.column_stack(terms)
    level = rng.normal(0, 1, len(terms))
    light = amplitude * np.exp(-0.5 * ((u - du) ** 2 + (v - dv) ** 2) / sigma**2)
    return u, v, light + ground @ level + rng.normal(0, noise, u.size), ground


def residuals(p, u, v, values, ground, means, ties, weight):
    light = np.exp(p[0] - 0.5 * ((u - p[1]) ** 2 + (v - p[2]) ** 2) / np.exp(2 * p[3]))
    of_pixels = (light + ground @ p[4:] - values) * weight
    return np.concatenate([of_pixels, (p[:4] - means) * ties])


def by_scipy(pixels, start, bounds, means, ties, weight):
    """The same cost, by another method and to the last digits."""
    return least_squares(
        residuals,
        start,
        args=(*pixels, means, ties, weight),
        bounds=bounds,
        loss="soft_l1",
        f_scale=2.0,
        x_scale="jac",
        ftol=1e-14,
        xtol=1e-14,
        gtol=1e-14,
        max_nfev=500,
    )


def asked(rng, pixels, noise, sigma, amplitude):
    n = 4 + pixels[3].shape[1]
    start = np.concatenate([[np.log(amplitude), 0, 0, np.log(sigma)], np.zeros(n - 4)])
    low = np.concatenate([start[:4] - [12, 9, 9, 1.5], np.full(n - 4, -np.inf)])
    high = np.concatenate([np.add(start[:4], [6, 9, 9, 3.0]), np.full(n - 4, np.inf)])
    return start, (low, high), start[:4] + rng.normal(0, 0.1, 4), 1 / noise


@given(
    st.integers(0, 10**6),
    st.floats(10, 3000),
    st.floats(1.2, 3.0),
    st.booleans(),
    st.floats(0, 1.5),
    st.sampled_from([0, 3, 200]),
)
@settings(max_examples=60, deadline=None)
def test_the_least_cost_is_scipys(seed, amplitude, sigma, curved, off, outliers):
    rng = np.random.default_rng(seed)
    pixels = pixels_of(rng, amplitude, off, -0.5 * off, sigma, 1.0, curved)
    bright = rng.integers(0, pixels[2].size, outliers // 40)
    pixels[2][bright] += 30.0  # neighbours
    start, bounds, means, weight = asked(rng, pixels, 1.0, 1.1 * sigma, 0.8 * amplitude)
    ties = np.array([0.7, 0.5, 0.5, 4.0]) if outliers else np.array([0.0, 0.5, 0.5, 2.0])
    ours = fit_tied_gaussian(pixels, start, bounds, means, ties, weight)
    theirs = by_scipy(pixels, start, bounds, np.where(ties > 0, means, 0), ties, weight)
    mine = residuals(ours, *pixels, np.where(ties > 0, means, 0), ties, weight)
    cost = 4 * (np.sqrt(1 + (mine / 2) ** 2) - 1).sum()
    assert cost <= theirs.cost * (1 + 1e-9) + 1e-9
    if cost >= theirs.cost * (1 - 1e-9):  # not a better place than scipy has found
        np.testing.assert_allclose(ours, theirs.x, atol=2e-4, rtol=2e-4)


def test_what_runs_away_stops_at_its_bound():
    """A background without a star: the width or the amplitude ends at a bound, and all is
    finite.
    """
    rng = np.random.default_rng(4)
    u, v, _, ground = pixels_of(rng, 1.0, 0, 0, 2.0, 1.0)
    values = 50 + 0.8 * np.hypot(u, v)  # a hole where the star should be
    pixels = (u, v, values, ground)
    start, (low, high), means, _ = asked(rng, pixels, 1.0, 2.0, 5.0)
    found = fit_tied_gaussian(pixels, start, (low, high), means, NOTHING, 1.0)
    assert np.isfinite(found).all() and (found >= low).all() and (found <= high).all()
    assert (found[:4] == low[:4]).any() or (found[:4] == high[:4]).any() or found[0] < 0


@pytest.mark.parametrize("tie", [0.0, 100.0])
def test_ties_hold_what_is_expected(tie):
    rng = np.random.default_rng(5)
    pixels = pixels_of(rng, 100.0, 0.4, 0.0, 2.0, 1.0)
    start, bounds, _, weight = asked(rng, pixels, 1.0, 2.6, 100.0)
    ties = np.array([0.0, 0.0, 0.0, 1000 * tie])  # soft, too: a weaker one gives way
    found = fit_tied_gaussian(pixels, start, bounds, start[:4], ties, weight)
    expected = np.log(2.6 if tie else 2.0)
    assert found[3] == pytest.approx(expected, abs=0.05)
    assert found[1] == pytest.approx(0.4, abs=0.05)
