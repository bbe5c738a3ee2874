"""How a mock galaxy is seen: pixels, bands, distance, PSFs, noise and what stands in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..bands.registry import BANDS, INPUT_BANDS, MODEL_BANDS, get_band
from ..constants import PC_PER_MPC_ARCSEC
from ..cosmology import angular_diameter_distance_mpc
from ..data import ranges
from ..data.setting import Range, Unit
from ..exceptions import InputError

UGRIZ = ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z")
MAX_REDSHIFT = 0.5
"""Where the tables end."""
MAX_DISTANCE = angular_diameter_distance_mpc(MAX_REDSHIFT)
"""Largest angular-diameter distance in Mpc: 1298, by the Hubble flow."""
FARTHEST_DRAWN = 650.0
"""Largest angular-diameter distance in Mpc that is drawn where none is given: redshift 0.18."""
_TIMES = Range(0, 1e4)
RANGES: Mapping[str, Range] = {
    "size": Range(8, 16384, Unit("pixels")),
    "pixel_arcsec": replace(ranges.PIXEL, most=100),
    "distance_mpc": replace(ranges.DISTANCE, most=MAX_DISTANCE),
    "redshift": replace(ranges.REDSHIFT, least=0, most=MAX_REDSHIFT),
    "seeing": Range(0.01, 100),
    "noise": _TIMES,
    "sky": _TIMES,
    "ebv": ranges.EBV,
    "stars": Range(0, 1e4, Unit("per arcmin2")),
    "neighbours": Range(0, 1e4, Unit("per arcmin2")),
}
"""Between which values the numbers of a view can lie."""
LOG_MASS = Range(8.3, 11.7)
"""log10 of the stellar masses for which the relations hold, Msun."""
INCLINATION = Range(0, 90, ranges.DEGREES)


@dataclass(frozen=True)
class View:
    """How a galaxy is seen.

    Attributes
    ----------
    size : int
        Pixels along each side.
    pixel_arcsec : float
    bands : tuple of str
    distance_mpc : float or None
        Angular-diameter distance; None: such that the galaxy fills the image well.
    redshift : float or None
        None: that of the Hubble flow at the distance.
    seeing : float
        By which the bands' FWHM are multiplied.
    fwhm : mapping of str to float
        FWHM in arcsec of single bands, in place of the survey's.
    truth_fwhm : float or None
        FWHM in arcsec of the true maps; None: the widest of the bands up to 22 micron.
    noise : float
        By which the surveys' noise is multiplied; 0: none.
    sky : float
        Size of what sky subtraction left, a level and a slope, in units of the noise.
    ebv : float
        E(B-V) of the Milky Way in mag, which dims the galaxy.
    stars : float
        Stars of the Milky Way per arcmin2 down to G = 21.
    neighbours : float
        Galaxies in the background per arcmin2.
    """

    size: int = 128
    pixel_arcsec: float = 0.396
    bands: tuple[str, ...] = UGRIZ
    distance_mpc: float | None = None
    redshift: float | None = None
    seeing: float = 1.0
    fwhm: Mapping[str, float] = field(default_factory=dict)
    truth_fwhm: float | None = None
    noise: float = 1.0
    sky: float = 0.0
    ebv: float = 0.0
    stars: float = 0.0
    neighbours: float = 0.0

    @property
    def kpc_per_arcsec(self) -> float:
        """Length in kpc that one arcsec spans at the galaxy; NaN without a distance."""
        distance = float("nan") if self.distance_mpc is None else self.distance_mpc
        return distance * PC_PER_MPC_ARCSEC / 1e3

    def fwhm_of(self, band: str) -> float:
        """FWHM of a band, arcsec."""
        return float(self.fwhm.get(band, get_band(band).fwhm)) * self.seeing

    @property
    def fwhm_of_truth(self) -> float:
        """FWHM of the true maps, arcsec."""
        if self.truth_fwhm is not None:
            return self.truth_fwhm
        return max(
            self.fwhm_of(band)
            for band in ([b for b in self.bands if b in INPUT_BANDS] or self.bands)
        )

    def check(self) -> None:
        """Raise `RecipeError` for a number out of range, `InputError` for an unknown band."""
        for name, limits in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                limits.check(value, f"A mock's {name}")
        unknown = [band for band in self.bands if band not in MODEL_BANDS]
        if not unknown and self.bands:
            return
        mocks = f"the bands are {', '.join(MODEL_BANDS)}"
        if unknown and set(unknown) <= set(BANDS):
            raise InputError(
                f"A mock galaxy has no image in {', '.join(unknown)}, which the model spectra "
                f"lack; {mocks}."
            )
        raise InputError(f"There is no band called {', '.join(unknown) or 'nothing'}; {mocks}.")
