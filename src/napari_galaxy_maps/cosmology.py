"""Redshift at a distance, for what is faint in colour because it is far."""

from __future__ import annotations

import numpy as np

from .constants import SPEED_OF_LIGHT_KM_S


def redshift_at(distance_mpc: float) -> float:
    """Redshift at an angular-diameter distance in Mpc: flat cosmology, H0 70 km/s/Mpc, matter 0.3;
    up to redshift 0.5.
    """
    z = np.linspace(0, 0.5, 501)
    inverse = 1 / np.sqrt(0.3 * (1 + z) ** 3 + 0.7)
    comoving = (
        SPEED_OF_LIGHT_KM_S
        / 70
        * np.concatenate([[0], np.cumsum((inverse[1:] + inverse[:-1]) / 2 * np.diff(z))])
    )
    return float(np.interp(distance_mpc, comoving / (1 + z), z))
