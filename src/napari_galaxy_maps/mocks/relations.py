"""Published scaling relations of galaxies at redshift zero, as functions of log10 stellar mass in
Msun (Chabrier IMF).
"""

from __future__ import annotations

import numpy as np

Values = np.ndarray | float

SOLAR_OH, SOLAR_Z = 8.69, 0.0134
"""Oxygen and mass fraction of metals of the Sun (Asplund+ 2009), by which O/H becomes a mass
fraction.
"""


def main_sequence(log_mass: Values) -> np.ndarray:
    """log10 of the star formation rate in Msun/yr (Renzini & Peng 2015, eq. 1); scatter 0.3 dex."""
    return 0.76 * np.asarray(log_mass) - 7.64


def quiescent_fraction(log_mass: Values) -> np.ndarray:
    """Share of quiescent galaxies: half at 10^10.55 Msun, a logistic curve of width 0.3 dex (near
    Moustakas+ 2013, z = 0).
    """
    return np.asarray(1 / (1 + np.exp(-(np.asarray(log_mass) - 10.55) / 0.3)))


def late_size(log_mass: Values) -> np.ndarray:
    """Half-light radius of late types in kpc (Shen+ 2003, eq. 18 and Table 1)."""
    mass = 10 ** np.asarray(log_mass)
    return np.asarray(0.10 * mass**0.14 * (1 + mass / 3.98e10) ** 0.25)


def early_size(log_mass: Values) -> np.ndarray:
    """Half-light radius of early types in kpc (Shen+ 2003, eq. 17 and Table 1); held at its value
    at 10^9.7 Msun below.
    """
    return np.asarray(2.88e-6 * 10 ** (0.56 * np.maximum(log_mass, 9.7)))


def size_scatter(log_mass: Values) -> np.ndarray:
    """Scatter of ln radius (Shen+ 2003, eq. 19 and Table 1)."""
    mass = 10 ** np.asarray(log_mass)
    return np.asarray(0.34 + (0.47 - 0.34) / (1 + (mass / 3.98e10) ** 2))


def gas_oxygen(log_mass: Values) -> np.ndarray:
    """12 + log(O/H) (Curti+ 2020, eq. 2 and Table 6); scatter 0.07 dex."""
    return np.asarray(
        8.793 - 0.28 / 1.2 * np.log10(1 + 10 ** (-1.2 * (np.asarray(log_mass) - 10.02)))
    )


def oxygen_gradient(log_mass: Values) -> np.ndarray:
    """Gradient of log(O/H) in dex per effective radius: flat at 10^9 Msun, -0.14 from 10^10.5 on
    (Belfiore+ 2017).
    """
    return np.asarray(-0.14 * np.clip((np.asarray(log_mass) - 9.0) / 1.5, 0, 1))


# log M, median log Z/0.02 (Gallazzi+ 2005, Table 2, with masses for Chabrier's IMF to 0.03 dex),
# and scatter: 0.72 of half of what lies there between the 16th and the 84th percentile, which is
# 0.56 dex at 10^8.9, 0.47 at 10^10.1, 0.31 at 10^10.5 and 0.17 at 10^11.1 and holds the errors of
# measurement: what is left out would be errors of 0.38 dex at 10^9, 0.12 at 10^11.
_STELLAR_METALS = np.array([
    (8.9, -0.60, 0.40), (9.3, -0.65, 0.38), (9.5, -0.61, 0.38), (9.7, -0.52, 0.38),
    (9.9, -0.41, 0.38),
    (10.1, -0.23, 0.34), (10.3, -0.11, 0.27), (10.5, -0.01, 0.21), (10.7, 0.04, 0.17),
    (10.9, 0.07, 0.14),
    (11.1, 0.10, 0.12), (11.5, 0.13, 0.10),
])  # fmt: skip


def stellar_metals(log_mass: Values) -> tuple[np.ndarray, np.ndarray]:
    """log10 of the metallicity of the stars over 0.02 and its scatter in dex (Gallazzi+ 2005, Table
    2).
    """
    mass, median, scatter = _STELLAR_METALS.T
    return np.interp(log_mass, mass, median), np.interp(log_mass, mass, scatter)


HI_EFFICIENCY = -9.57
"""log10 of star formation rate over HI mass in 1/yr, scatter 0.4 dex with its errors (Parkash+
2018).
"""


def hi_mass(log_mass: Values) -> np.ndarray:
    """log10 of the HI mass of galaxies on the main sequence.

    `HI_EFFICIENCY` at 10^10 Msun with a slope of 0.5: between those of HI against stellar mass in
    spirals, 0.35 (Parkash+ 2018), and of the main sequence, 0.76, which a constant efficiency would
    give.
    """
    return 0.5 * (np.asarray(log_mass) - 10) + main_sequence(10.0) - HI_EFFICIENCY


H2_DEPLETION_GYR = 2.2
"""Molecular gas, helium included, over star formation rate (Leroy+ 2013); scatter 0.3 dex between
galaxies.
"""


def hi_radius(log_hi: Values) -> np.ndarray:
    """Radius in kpc at which the HI falls to 1 Msun/pc2 (Wang+ 2016, eq. 2: of the diameter);
    scatter 0.06 dex.
    """
    return np.asarray(10 ** (0.506 * np.asarray(log_hi) - 3.293) / 2)


HI_SATURATION = 9e6
"""Msun/kpc2 above which hydrogen is molecular (Bigiel+ 2008)."""

DUST_TO_METALS = 0.214
"""Dust over all metals of the interstellar medium, in galaxies with THEMIS dust masses (De Vis+
2019, of DustPedia; halved on the whole below 12 + log(O/H) = 8.2).
"""

TAU_V_PER_DUST = 8.3e-6
"""Optical depth at V per Msun/kpc2 of dust: N_H / A_V = 1.87e21 cm-2 (Bohlin+ 1978) with 7.4e-3 of
dust per hydrogen.
"""


def dust_to_gas(oxygen: Values) -> np.ndarray:
    """Dust mass over gas mass (with helium): proportional to the metals above 12 + log(O/H) = 8.1,
    falling with their cube below.

    After Remy-Ruyer+ (2014), Table 1, broken power law.
    """
    metals = SOLAR_Z * 10 ** (np.asarray(oxygen) - SOLAR_OH)
    break_at = 8.10
    return np.asarray(
        DUST_TO_METALS * metals * 10 ** (2.1 * np.minimum(np.asarray(oxygen) - break_at, 0))
    )


def taylor_mass_to_light(g_i: Values) -> np.ndarray:
    """log10 of M_star / L_i in solar units from rest-frame g - i (Taylor+ 2011, eq. 7); scatter 0.1
    dex.
    """
    return 0.70 * np.asarray(g_i) - 0.68
