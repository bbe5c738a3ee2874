"""The march through a disc meets the integrals that are known in closed form."""

import numpy as np
import pytest

from napari_galaxy_maps.mocks.layers import ADDITIVE, LAYERS, N_RADII, Disc, sersic
from napari_galaxy_maps.mocks.rays import march

BAND, STAR, GAS = 0, 1, 1 + ADDITIVE.index("gas")
FLAT = np.ones((16, 16, len(LAYERS)), np.float32)


def disc(r_max=20.0, scale=2.0, height=0.2, tau=0.0, dust_height=None, flat=False):
    """Old stars of unit central density, exponential or flat, and dust of optical depth `tau` in
    the molecular layer.
    """
    radius = r_max * np.linspace(0, 1, N_RADII) ** 2
    profile = np.ones(N_RADII) if flat else np.exp(-radius / scale)
    table = np.zeros((N_RADII, len(LAYERS), 1 + len(ADDITIVE) + 1), np.float32)
    table[:, 0, BAND] = table[:, 0, STAR] = profile
    table[:, 4, GAS] = profile
    table[:, 4, -1] = tau
    heights = np.full(len(LAYERS), height)
    heights[4] = height if dust_height is None else dust_height
    return Disc(r_max, table, heights, np.array([1.0]))


def seen(what, x, y, inclination):
    return march(
        what,
        FLAT,
        30.0,
        np.atleast_1d(np.asarray(x, float)),
        np.atleast_1d(np.asarray(y, float)),
        inclination,
        1,
    )


def test_from_above_it_is_the_surface_density():
    x = np.linspace(0.1, 12, 40)
    found = seen(disc(), x, 0 * x, 0)
    np.testing.assert_allclose(found[:, STAR], np.exp(-x / 2), rtol=0.01)
    np.testing.assert_allclose(found[:, GAS], np.exp(-x / 2), rtol=0.01)


def test_edge_on_it_is_the_bessel_function():
    """An exponential disc seen edge-on: rho0 * 2 x K1(x / scale) sech2(z / h) (van der Kruit &
    Searle 1981, eq. 5).
    """
    from scipy.special import k1

    x = np.linspace(0.5, 8, 12)
    for z in (0.0, 0.2, 0.4):
        expected = 2 * x * k1(x / 2) / (2 * 0.2) / np.cosh(z / 0.2) ** 2
        np.testing.assert_allclose(
            seen(disc(), x, np.full_like(x, z), 90)[:, STAR], expected, rtol=0.05
        )


@pytest.mark.parametrize(
    "inclination",
    [0, 60, 90, *(pytest.param(degrees, marks=pytest.mark.slow) for degrees in (30, 75, 85))],
)
def test_mass_is_kept_at_every_inclination(inclination):
    side = (np.arange(300) - 149.5) * 0.1
    x, y = np.meshgrid(side, side)
    total = seen(disc(), x.ravel(), y.ravel(), inclination)[:, STAR].sum() * 0.1**2
    assert total == pytest.approx(2 * np.pi * 2.0**2, rel=0.015)


@pytest.mark.parametrize("tau", [0.1, 1.0, 5.0])
def test_stars_mixed_with_dust(tau):
    """Stars and dust of one height seen from above: (1 - exp(-tau)) / tau passes (Disney+ 1989, eq.
    1).
    """
    found = seen(disc(flat=True, tau=tau), 1.0, 1.0, 0)[0]
    assert found[BAND] / found[STAR] == pytest.approx((1 - np.exp(-tau)) / tau, rel=0.03)


@pytest.mark.parametrize("tau", [0.5, 3.0, 20.0])
def test_dust_in_a_thinner_layer_than_the_stars(tau):
    """Seen from above, stars at height z shine through what dust lies above them; half of them lie
    before it all.
    """
    z = np.linspace(-2, 2, 8001)
    stars = 1 / (2 * 0.2) / np.cosh(z / 0.2) ** 2
    expected = np.trapezoid(stars * np.exp(-tau / 2 * (1 - np.tanh(z / 0.05))), z)
    found = seen(disc(flat=True, tau=tau, dust_height=0.05), 1.0, 1.0, 0)[0]
    assert found[BAND] / found[STAR] == pytest.approx(expected, rel=0.05)


def test_dust_hides_more_of_an_inclined_disc():
    through = []
    for inclination in (0, 40, 60, 75):
        found = seen(disc(flat=True, tau=0.5), 1.0, 0.1, inclination)[0]
        through.append(found[BAND] / found[STAR])
    assert np.all(np.diff(through) < 0)
    depth = 0.5 / np.cos(np.radians(60))
    assert through[2] == pytest.approx((1 - np.exp(-depth)) / depth, rel=0.03)


def test_a_sersic_profile_holds_its_light():
    radius = np.geomspace(1e-5, 400, 40000)
    for n in (0.8, 1, 2.5, 4, 6):
        light = sersic(radius, 1.0, n) * 2 * np.pi * radius
        whole = np.trapezoid(light, radius)
        assert whole == pytest.approx(1, abs=0.02)
        inner = radius < 1
        assert np.trapezoid(light[inner], radius[inner]) / whole == pytest.approx(0.5, abs=0.02)
