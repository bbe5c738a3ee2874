"""Distances are those of astropy's Planck18, and redshifts their inverse."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.cosmology import (
    MAX_REDSHIFT,
    angular_diameter_distance_mpc,
    redshift_at_distance,
)


@pytest.mark.parametrize("redshift", [1e-4, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_distances_are_those_of_planck18(redshift):
    from astropy.cosmology import Planck18

    expected = Planck18.angular_diameter_distance(redshift).to_value("Mpc")
    assert angular_diameter_distance_mpc(redshift) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("redshift", [2.0, 10.0])
def test_distances_far_away(redshift):
    from astropy.cosmology import Planck18

    expected = Planck18.angular_diameter_distance(redshift).to_value("Mpc")
    assert angular_diameter_distance_mpc(redshift) == pytest.approx(expected, rel=5e-6)


@given(st.floats(1e-6, 0.999))
def test_redshift_is_the_inverse_of_distance(redshift):
    distance = angular_diameter_distance_mpc(redshift)
    assert redshift_at_distance(distance) == pytest.approx(redshift, rel=1e-6)


@given(st.floats(1e-3, 1690))
def test_distance_is_the_inverse_of_redshift(distance):
    redshift = redshift_at_distance(distance)
    assert angular_diameter_distance_mpc(redshift) == pytest.approx(distance, rel=1e-6)


def test_distance_grows_with_redshift():
    distances = [angular_diameter_distance_mpc(z) for z in np.linspace(0, MAX_REDSHIFT, 101)]
    assert distances[0] == 0
    assert (np.diff(distances) > 0).all()


def test_nearby_it_is_hubbles_law():
    assert redshift_at_distance(10.0) == pytest.approx(67.66 * 10 / 299792.458, rel=0.003)


def test_ends():
    assert redshift_at_distance(5000.0) == MAX_REDSHIFT
    assert all(math.isnan(redshift_at_distance(d)) for d in (0.0, -3.0, math.nan))


def test_no_slow_library_is_imported():
    code = (
        "import sys; from napari_galaxy_maps.cosmology import redshift_at_distance as at; "
        "at(100.0); "
        "sys.exit(any(name.partition('.')[0] in ('astropy', 'scipy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
