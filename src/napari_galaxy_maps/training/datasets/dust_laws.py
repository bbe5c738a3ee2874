"""How a mock galaxy's dust may differ from what the mocks assume, so that real galaxies lie inside
the spread of the set.

The mocks have one dust: THEMIS's, whose mass follows from the gas. Real galaxies scatter about it.
Each law changes the additive planes of a rendered mock before its dust shines; the light of the
stars stays as it was. What dust emits stays what it took, but for `DustLaw.light` and `local`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...constants import FWHM_PER_SIGMA
from ...mocks.layers import ADDITIVE

_DUST, _DIFFUSE, _CLOUD = (ADDITIVE.index(name) for name in ("dust", "diffuse", "cloud"))


@dataclass(frozen=True)
class Spread:
    """Of a number of `DustLaw`: its median (a factor) and its scatter in dex."""

    median: float
    scatter: float

    def draw(self, normal: float) -> float:
        """The factor at so many sigmas."""
        return float(self.median * 10 ** (self.scatter * normal))


MASS = Spread(1.0, 0.08)
EARLY_MASS = Spread(2.8, 0.3)
"""Of ellipticals and lenticulars, in place of `MASS`: DustPedia's have more and colder dust than
the mocks give them, and scatter more."""
LIGHT = Spread(1.0, 0.06)
GRAINS = Spread(1.0, 0.12)
HOT = Spread(1.0, 0.25)
SHELLS = Spread(1.0, 0.15)
MASS_GRADIENT, EARLY_GRADIENT = 0.15, 0.5
"""Scatter of its gradient, of late types and of early ones, dex per semi-major axis of D25."""
LOCAL = 0.12
"""Scatter in dex of what dust emits about what the light of its place gives it, and of that from
galaxy to galaxy: light travels, and dust is heated from beside and dimmed light seen beside."""
LOCAL_KPC = 0.7
"""FWHM over which the scatter is alike."""
_SHELL_RATIO = {"WISE_12": 0.10, "WISE_22": 0.055, "Spitzer_8.0": 0.02, "Spitzer_5.8": 0.01}
"""Light of the dust shells of old stars over that of WISE 3.4 beyond what photospheres have there,
in F_nu: quiescent galaxies have F_12 / F_3.4 near 0.2 and F_22 / F_3.4 near 0.1, of which
photospheres are half (Davis+ 2014, Sect. 3.2).
"""


@dataclass(frozen=True)
class DustLaw:
    """A galaxy's dust, as factors of what the mocks assume.

    Attributes
    ----------
    mass : float
        Of the dust's mass at half of R25: of its opacity per mass, or of how much there is for the
        gas.
    mass_gradient : float
        Change of its logarithm per R25, dex.
    light : float
        Of the luminosity: how much the view in this direction differs from the mean of all.
    local : float
        Scatter of the luminosity's logarithm from place to place, dex.
    grains : float
        Of the mass fraction of small grains.
    hot : float
        Of the share of the luminosity that comes from clouds about young stars.
    shells : float
        Of `_SHELL_RATIO`.
    """

    mass: float = 1.0
    mass_gradient: float = 0.0
    light: float = 1.0
    local: float = 0.0
    grains: float = 1.0
    hot: float = 1.0
    shells: float = 1.0


def draw_law(rng: np.random.Generator, early: bool) -> DustLaw:
    """A law out of the spread, of an early type or of a late one."""
    normal = rng.standard_normal(7)
    return DustLaw(
        mass=(EARLY_MASS if early else MASS).draw(normal[0]),
        mass_gradient=float((EARLY_GRADIENT if early else MASS_GRADIENT) * normal[1]),
        light=LIGHT.draw(normal[2]),
        local=abs(float(LOCAL * normal[6])),
        grains=GRAINS.draw(normal[3]),
        hot=HOT.draw(normal[4]),
        shells=SHELLS.draw(normal[5]),
    )


def apply_law(
    planes: np.ndarray, law: DustLaw, radius: np.ndarray, field: np.ndarray | float = 0.0
) -> np.ndarray:
    """The additive planes of a mock with its dust changed.

    Parameters
    ----------
    planes : ndarray, shape (n_additive, ny, nx)
        `mocks.layers.ADDITIVE` per area.
    law : DustLaw
    radius : ndarray, shape (ny, nx)
        In R25.
    field : ndarray, shape (ny, nx)
        Of unit scatter (`local_field`), for `law.local`.

    Returns
    -------
    ndarray
        A copy; but for `law.light` and `law.local` luminosities keep their sum.
    """
    out = planes.copy()
    out[_DUST] *= law.mass * 10 ** (law.mass_gradient * (np.clip(radius, 0, 1.5) - 0.5))
    total = planes[_DIFFUSE] + planes[_CLOUD]
    share = np.divide(planes[_CLOUD], total, out=np.zeros_like(total), where=total > 0)
    # odds, so that the share stays between 0 and 1
    odds = law.hot * share / np.maximum(1 - share, 1e-6)
    share = odds / (1 + odds)
    total = total * (law.light * 10 ** (law.local * field))
    out[_CLOUD], out[_DIFFUSE] = total * share, total * (1 - share)
    return out


def local_field(shape: tuple[int, int], pixel_kpc: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of unit scatter that is alike within `LOCAL_KPC`."""
    from scipy.ndimage import gaussian_filter

    width = LOCAL_KPC / pixel_kpc / FWHM_PER_SIGMA
    field = gaussian_filter(rng.standard_normal(shape), width, mode="wrap")
    return np.asarray(field / field.std(), np.float32)


def shells(normal: np.ndarray, law: DustLaw, bands: tuple[str, ...]) -> np.ndarray:
    """Surface brightness of the dust about old stars.

    Parameters
    ----------
    normal : ndarray, shape (ny, nx)
        Surface brightness of stars in WISE 3.4.
    law : DustLaw
    bands : tuple of str

    Returns
    -------
    ndarray, shape (n_bands, ny, nx)
    """
    ratio = np.array([law.shells * _SHELL_RATIO.get(band, 0.0) for band in bands])
    return np.asarray(ratio[:, None, None] * normal, normal.dtype)
