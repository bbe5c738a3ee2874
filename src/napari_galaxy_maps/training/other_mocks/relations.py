"""Published relations that the second recipe draws from; masses and rates are Chabrier's."""

from __future__ import annotations

import numpy as np

Values = np.ndarray | float
SOLAR_OXYGEN, SOLAR_METALS = 8.69, 0.0142
"""Of the Sun (Asplund+ 2009, Table 4: of the proto-Sun)."""


def main_sequence(log_mass: Values) -> np.ndarray:
    """log10 of the star formation rate in Msun/yr (Saintonge+ 2016, eq. 5)."""
    x = np.asarray(log_mass)
    return np.asarray(-2.332 * x + 0.4156 * x**2 - 0.01828 * x**3)


def late_radius(log_mass: Values) -> np.ndarray:
    """Half-light radius in kpc along the major axis (van der Wel+ 2014, Table 1, z = 0.25)."""
    return np.asarray(10 ** (0.86 + 0.25 * (np.asarray(log_mass) - 10.7)))


def early_radius(log_mass: Values) -> np.ndarray:
    """The same of early types, held at its value at 2e10 Msun below, where the relation flattens
    (van der Wel+ 2014, Table 1 and Fig. 8).
    """
    return np.asarray(10 ** (0.60 + 0.75 * (np.maximum(log_mass, 10.3) - 10.7)))


def gas_oxygen(log_mass: Values) -> np.ndarray:
    """12 + log(O/H) by the direct method (Andrews & Martini 2013, eq. 5 and Table 4)."""
    return np.asarray(8.798 - np.log10(1 + 10 ** (0.640 * (8.901 - np.asarray(log_mass)))))


OXYGEN_GRADIENT = (-0.39, 0.18)
"""dex per R25, and its scatter (Ho+ 2015)."""


def stellar_metals(log_mass: Values) -> np.ndarray:
    """log10 of Z/0.02 of the stars: the line of Kirby+ (2013, eq. 4) for dwarfs, which meets that
    of massive galaxies (their Fig. 9).
    """
    return np.asarray(-1.69 + 0.30 * (np.asarray(log_mass) - 6.0))


def dust_to_gas(oxygen: Values) -> np.ndarray:
    """Mass of Draine & Li's dust over that of gas (Leroy+ 2011, eq. 6)."""
    return np.asarray(10 ** -(9.4 - 0.85 * np.asarray(oxygen)))


def schmidt_gas(sfr_kpc2: np.ndarray) -> np.ndarray:
    """Gas in Msun/kpc2 that forms stars at some rate in Msun/yr/kpc2 (Kennicutt 1998, eq. 4, whose
    rates are Salpeter's and whose gas is hydrogen).
    """
    salpeter, with_helium = 1.58, 1.36
    return np.asarray(with_helium * 1e6 * (salpeter * sfr_kpc2 / 2.5e-4) ** (1 / 1.4))


def pah_percent(oxygen: Values) -> np.ndarray:
    """Mass fraction of PAHs in percent: medians 1.0 and 3.55 below and above 12 + log(O/H) = 8.1
    (Draine+ 2007, Sect. 9.1, with a step 0.1 dex wide).
    """
    return np.asarray(1.0 + 2.55 / (1 + np.exp(-(np.asarray(oxygen) - 8.1) / 0.1)))


DUST_OF_EARLY = {"elliptical": (-4.7, 0.6), "lenticular": (-3.87, 0.5)}
"""log10 of dust over stellar mass and its scatter (Smith+ 2012, Table 3; detected and not)."""

OPACITY_V = 6.1e-6
"""Optical depth at V per Msun/kpc2 of Draine & Li's dust: A_V / N_H = 5.3e-22 cm2 and a dust mass
of 0.0101 per hydrogen (Draine & Li 2007, Table 3).
"""
CLUMPED = (-0.43, 0.12)
"""log10 of the factor by which it takes light, and its scatter: Planck (2016, XXIX) find about
half of what the model's mass should take.
"""
