"""The constants are those of astropy, and those of different units agree."""

from __future__ import annotations

import math

import pytest
from astropy import constants as nature
from astropy import units as u

from napari_galaxy_maps import constants


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("SPEED_OF_LIGHT_KM_S", nature.c.to(u.km / u.s)),
        ("SPEED_OF_LIGHT_MICRON_S", nature.c.to(u.micron / u.s)),
        ("SPEED_OF_LIGHT_ANGSTROM_S", nature.c.to(u.Angstrom / u.s)),
        ("LSUN_W", nature.L_sun.to(u.W)),
        ("LSUN_ERG_S", nature.L_sun.to(u.erg / u.s)),
        ("PC_M", (1 * u.pc).to(u.m)),
        ("KPC_M", (1 * u.kpc).to(u.m)),
        ("MPC_M", (1 * u.Mpc).to(u.m)),
        ("KPC2_M2", (1 * u.kpc**2).to(u.m**2)),
        ("SR_PER_ARCSEC2", (1 * u.arcsec**2).to(u.sr)),
        ("PC_PER_MPC_ARCSEC", (1 * u.Mpc * u.arcsec.to(u.rad)).to(u.pc)),
        ("ZERO_AB_MJY_SR", (3631 * u.Jy / u.arcsec**2).to(u.MJy / u.sr)),
    ],
)
def test_exact_constants_are_astropys(name, quantity):
    assert getattr(constants, name) == pytest.approx(quantity.value, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "quantity", "rounding"),
    [
        ("PLANCK_CONSTANT_ERG_S", nature.h.to(u.erg * u.s), 3e-8),
        ("SECOND_RADIATION_CONSTANT_MICRON_K",
            (nature.h * nature.c / nature.k_B).to(u.micron * u.K), 1e-7),
        ("MSUN_KG", nature.M_sun.to(u.kg), 1e-6),
        ("MSUN_G", nature.M_sun.to(u.g), 1e-6),
        ("ZERO_AB_JY", (0 * u.ABmag).to(u.Jy), 3e-4),
    ],
)  # fmt: skip
def test_rounded_constants_are_astropys(name, quantity, rounding):
    assert getattr(constants, name) == pytest.approx(quantity.value, rel=rounding)


def test_light_of_a_surface_is_what_a_distant_detector_counts():
    """A kpc2 of 1 Lsun/Hz at 10 Mpc: its flux over its solid angle."""
    distance = 10 * u.Mpc
    flux = u.Lsun / u.Hz / (4 * math.pi * distance**2)
    solid_angle = (u.kpc**2 / distance**2).to(u.dimensionless_unscaled) * u.sr
    brightness = (flux / solid_angle).to(u.MJy / u.sr).value
    assert pytest.approx(brightness, rel=1e-10) == constants.MJY_SR_PER_LSUN_HZ_KPC2
    assert pytest.approx(1 / brightness, rel=1e-10) == constants.LSUN_HZ_KPC2_PER_MJY_SR
