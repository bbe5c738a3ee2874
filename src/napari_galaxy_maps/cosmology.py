"""Redshift and angular-diameter distance of the Hubble flow, in the one cosmology used here: Planck
2018.

A *distance* is an angular-diameter distance throughout: it turns arcsec into parsec. What a person
gives for a nearby galaxy is often a luminosity distance (from Cepheids, supernovae or the
Tully-Fisher relation), which is longer by (1 + z)^2: 2 % at z = 0.01 and 6 % at z = 0.03, less than
such distances are uncertain by. It is taken as it stands. Surface
densities hardly depend on it.

The parameters are those of astropy's ``Planck18``, whose import takes most of a second; the
distances agree with it to 1e-6 up to redshift 1 (tested).
"""

from __future__ import annotations

import math

import numpy as np

from .constants import SPEED_OF_LIGHT_KM_S

HUBBLE_CONSTANT_KM_S_MPC = 67.66
"""Planck Collaboration 2020 (VI), Table 2, last column, as are the others."""
MATTER = 0.30966
"""Density today of dark matter and baryons, in units of the critical density."""
PHOTONS = 5.402015e-5
"""Density today of a black body of 2.7255 K."""
MASSLESS_NEUTRINOS = 2.0 / 3.0 * 3.046 * 7.0 / 8.0 * (4.0 / 11.0) ** (4.0 / 3.0) * PHOTONS
"""Density today of the two kinds that have no mass, of 3.046 effective kinds in all."""
MASSIVE_NEUTRINOS = 1.414761e-3
"""Density today of the kind of 0.06 eV, which is slow at redshifts under 1 and thins as matter."""
MAX_REDSHIFT = 1.0
"""Highest redshift that a distance is turned into: beyond 1.6 distances shrink again."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def _expansion(redshift: np.ndarray | float) -> np.ndarray | float:
    """Rate of expansion H(z) in units of today's, in a flat universe."""
    slow, fast = MATTER + MASSIVE_NEUTRINOS, PHOTONS + MASSLESS_NEUTRINOS
    stretch = 1 + redshift
    return (slow * stretch**3 + fast * stretch**4 + (1 - slow - fast)) ** 0.5


def angular_diameter_distance_mpc(redshift: float) -> float:
    """Angular-diameter distance by the Hubble flow (Planck 2018), which gives a pixel its size.

    Parameters
    ----------
    redshift : float
        0 or more, good to 1e-6 up to 1 and to 3e-6 up to 10; under 0.003 a galaxy's own motion
        matters more.

    Returns
    -------
    float
        Mpc.
    """
    nodes = redshift * (_NODES + 1) / 2
    integral = redshift / 2 * float(_WEIGHTS @ (1 / _expansion(nodes)))
    return SPEED_OF_LIGHT_KM_S / HUBBLE_CONSTANT_KM_S_MPC * integral / (1 + redshift)


def redshift_at_distance(distance_mpc: float) -> float:
    """Redshift of the Hubble flow (Planck 2018) at an angular-diameter distance: the inverse of
    `angular_diameter_distance_mpc`.

    Parameters
    ----------
    distance_mpc : float
        Mpc; beyond that of `MAX_REDSHIFT` (1698 Mpc), where no galaxy's pixels are resolved, the
        redshift stays there.

    Returns
    -------
    float
        NaN where the distance is not positive: 0 is what is not known, and no redshift.
    """
    if not distance_mpc > 0:
        return math.nan
    if distance_mpc >= angular_diameter_distance_mpc(MAX_REDSHIFT):
        return MAX_REDSHIFT
    hubble_length = SPEED_OF_LIGHT_KM_S / HUBBLE_CONSTANT_KM_S_MPC
    # Newton's method from below: distance grows ever slower with redshift, so that no step goes too
    # far.
    redshift = distance_mpc / hubble_length
    for _ in range(30):
        reached = angular_diameter_distance_mpc(redshift)
        slope = (hubble_length / float(_expansion(redshift)) - reached) / (1 + redshift)
        step = (distance_mpc - reached) / slope
        redshift += step
        if abs(step) <= 1e-12 * redshift:
            break
    return redshift
