"""How dust takes light: curves of optical depth, and geometries of stars and dust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

V_UM = 0.55
CLUMPS = 8.0
"""Mean number of clumps along a line of sight at large through a clumpy screen."""
_LOG_TAU = np.linspace(-9, 3, 1201)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)

# A(lambda) / A(V) of the Small Magellanic Cloud's bar (Gordon+ 2003, Table 4) by inverse wavelength
# in 1/micron. Its near infrared, noisy there, is a power law of -1.6.
_BAR = np.array([
    (1.818, 1.000), (2.273, 1.374), (2.703, 1.672), (3.375, 2.000), (3.625, 2.220), (3.875, 2.428),
    (4.125, 2.661), (4.375, 2.947), (4.625, 3.161), (4.875, 3.293), (5.125, 3.489), (5.375, 3.637),
    (5.625, 3.866), (5.875, 4.013), (6.125, 4.243), (6.375, 4.472), (6.625, 4.776), (6.875, 5.000),
    (7.125, 5.272), (7.375, 5.575), (7.625, 5.795), (7.875, 6.074), (8.125, 6.297), (8.375, 6.436),
])  # fmt: skip


def small_magellanic(micron: np.ndarray) -> np.ndarray:
    """tau(lambda) / tau(V) of the Small Magellanic Cloud's bar (Gordon+ 2003)."""
    inverse = 1 / np.asarray(micron)
    x, y = _BAR.T
    far = y[-1] + (inverse - x[-1]) * (y[-1] - y[-4]) / (x[-1] - x[-4])
    curve = np.where(inverse > x[-1], far, np.interp(inverse, x, y))
    return np.asarray(np.where(inverse < x[0], (inverse / x[0]) ** 1.6, curve))


def modified_calzetti(micron: np.ndarray, slope: float, bump: float) -> np.ndarray:
    """tau(lambda) / tau(V) of Calzetti+ 2000, eq. 4, times a power of wavelength, with a bump at
    0.2175 micron (Noll+ 2009, eqs. 3 and 9; as fitted to galaxies by Salim+ 2018).

    Parameters
    ----------
    micron : ndarray
    slope : float
        Exponent of lambda / 0.55 micron: negative is steeper.
    bump : float
        Height over A_V / R_V; 3 in the Milky Way.
    """
    lam = np.asarray(micron, float)
    blue = 2.659 * (-2.156 + 1.509 / lam - 0.198 / lam**2 + 0.011 / lam**3) + 4.05
    red = 2.659 * (-1.857 + 1.040 / lam) + 4.05
    # the polynomial turns over beyond 0.12 micron and the line ends at 2.2
    at = 2.659 * (-2.156 + 1.509 / 0.12 - 0.198 / 0.12**2 + 0.011 / 0.12**3) + 4.05
    curve = np.where(lam < 0.12, at * (0.12 / lam) ** 0.5, np.where(lam < 0.63, blue, red))
    edge = 1.8
    curve = np.where(
        lam > edge, (2.659 * (-1.857 + 1.040 / edge) + 4.05) * (edge / lam) ** 1.6, curve
    )
    width, centre = 0.035, 0.2175
    drude = bump * (lam * width) ** 2 / ((lam**2 - centre**2) ** 2 + (lam * width) ** 2)
    tilted = (curve + drude) * (lam / V_UM) ** slope
    return np.asarray(tilted / 4.05)


def slab(tau: np.ndarray) -> np.ndarray:
    """Light that leaves where stars and dust are mixed evenly: (1 - exp(-tau)) / tau."""
    return np.asarray(-np.expm1(-tau) / np.maximum(tau, 1e-12))


def clumpy_screen(tau: np.ndarray, clumps: float = CLUMPS) -> np.ndarray:
    """Light behind a screen of clumps, `clumps` of them in the mean along a line of sight (Natta &
    Panagia 1984, eq. 19): greyer than a smooth screen, as Witt & Gordon's (2000) shells.
    """
    return np.asarray(np.exp(clumps * np.expm1(-tau / clumps)))


def sheet(tau: np.ndarray) -> np.ndarray:
    """Light of stars of which half lie behind a thin sheet of dust."""
    return np.asarray((1 + np.exp(-tau)) / 2)


@dataclass(frozen=True)
class Geometry:
    """Where the diffuse dust lies: shares of the starlight, which sum to 1.

    Attributes
    ----------
    mixed, behind, halved : float
        Of light in a `slab`, behind a `clumpy_screen`, about a `sheet`.
    flat : bool
        Whether layers lie in the galaxy's plane, so that they take more at grazing angles; else
        they look the same from everywhere.
    """

    mixed: float
    behind: float
    halved: float
    flat: bool

    def seen(self, tau: np.ndarray) -> np.ndarray:
        """Share of the light that passes dust of an optical depth along the line of sight."""
        return self.mixed * slab(tau) + self.behind * clumpy_screen(tau) + self.halved * sheet(tau)

    def leaving(self, tau: np.ndarray, face_on: float) -> np.ndarray:
        """Share that leaves, averaged over all directions.

        Parameters
        ----------
        tau : ndarray
            Along the line of sight.
        face_on : float
            Cosine of the angle between the line of sight and the axis of the layers.
        """
        if not self.flat:
            return self.seen(tau)
        mu = (_NODES + 1) / 2
        known = (self.seen(10 ** _LOG_TAU[:, None] / mu) * _WEIGHTS / 2).sum(axis=1)
        return np.interp(np.log10(np.maximum(tau * face_on, 1e-12)), _LOG_TAU, known)
