"""Constants of nature and of units, each in one place: the name ends with the unit."""

from __future__ import annotations

import math

# The speed of light in vacuum is exact by the definition of the metre (SI).
SPEED_OF_LIGHT_KM_S = 299792.458
SPEED_OF_LIGHT_MICRON_S = 2.99792458e14
SPEED_OF_LIGHT_ANGSTROM_S = 2.99792458e18

# CODATA 2018, rounded: the tables of spectra that ship with the package were made with this value.
PLANCK_CONSTANT_ERG_S = 6.62607e-27

# h c / k (CODATA 2018), of a black body's exponent.
SECOND_RADIATION_CONSTANT_MICRON_K = 14387.77

# Nominal solar luminosity (IAU 2015 Resolution B3).
LSUN_W = 3.828e26
LSUN_ERG_S = 3.828e33

# IAU 2015 Resolution B3's GM of the Sun over the G of CODATA 2018.
MSUN_KG = 1.98841e30
MSUN_G = 1.98841e33

# 648000 / pi astronomical units (IAU 2015 Resolution B2).
PC_M = 3.0856775815e16
KPC_M = 3.0856775815e19
MPC_M = 3.0856775815e22
KPC2_M2 = KPC_M**2

# Flux density of magnitude zero in the AB system (Oke & Gunn 1983, -48.60 in erg/s/cm2/Hz).
ZERO_AB_JY = 3631.0

SR_PER_ARCSEC2 = (math.pi / 180 / 3600) ** 2
"""Solid angle in sr of a square of 1 arcsec."""

PC_PER_MPC_ARCSEC = 1e6 * math.pi / 180 / 3600
"""Length in parsec that one arcsec spans at 1 Mpc."""

ZERO_AB_MJY_SR = ZERO_AB_JY * 1e-6 / SR_PER_ARCSEC2
"""Surface brightness in MJy/sr of 0 AB mag/arcsec2."""

# 1 MJy/sr is 1e-20 W/m2/Hz/sr; light that shines to all sides fills 4 pi sr.
LSUN_HZ_KPC2_PER_MJY_SR = 4 * math.pi * 1e-20 * KPC2_M2 / LSUN_W
"""Luminosity in Lsun/Hz of 1 kpc2 that shines with 1 MJy/sr to all sides."""

MJY_SR_PER_LSUN_HZ_KPC2 = 1 / LSUN_HZ_KPC2_PER_MJY_SR
"""Surface brightness in MJy/sr of 1 Lsun/Hz per kpc2 that shines to all sides."""

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Of a Gaussian."""
