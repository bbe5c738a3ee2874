"""Between which values the quantities can lie that people give, and how they are usually mistaken:
one table for the recipe, the command line, the window and notebooks.
"""

from __future__ import annotations

from typing import Final

from ..constants import SPEED_OF_LIGHT_KM_S
from .setting import Range, Slip, Unit

ARCSEC: Final = Unit("″", "arcsec")
ARCMIN: Final = Unit("′", "arcmin")
DEGREES: Final = Unit("°", "degrees")
MAG: Final = Unit("mag", "mag")
MYR: Final = Unit("Myr")
SIGMA: Final = Unit("σ", "sigma")

_IN_DEGREES: Final = Slip("in degrees", 3600)

RA: Final = Range(0, 360, DEGREES)
DEC: Final = Range(-90, 90, DEGREES)
POSITION_ANGLE: Final = Range(-360, 360, DEGREES)
DISTANCE: Final = Range(
    0.001, 4000, Unit("Mpc"), (Slip("in kpc", 1e-3), Slip("in pc", 1e-6), Slip("in Gpc", 1e3))
)
# Galaxies that fall towards us through the Virgo cluster do so at up to 750 km/s.
REDSHIFT: Final = Range(-0.003, 0.6, slips=(Slip("a velocity in km/s", 1 / SPEED_OF_LIGHT_KM_S),))
D25: Final = Range(0.01, 1200, ARCMIN, (Slip("in arcsec", 1 / 60), Slip("in degrees", 60)))
HUBBLE_STAGE: Final = Range(-5, 10)
MEMBERS: Final = Range(1, 8)
AXIS_RATIO: Final = Range(0.02, 1, slips=(Slip("a/b", inverse=True),))
EBV: Final = Range(0, 5, MAG, (Slip("A(V)", 1 / 3.1), Slip("in thousandths of a magnitude", 1e-3)))
FWHM: Final = Range(0.01, 3600, ARCSEC, (_IN_DEGREES,))
BEAM: Final = Range(0.01, 1e7, Unit("arcsec²", "arcsec2"))
PIXEL: Final = Range(0.01, 3600, ARCSEC, (_IN_DEGREES,))
PIXEL_PC: Final = Range(0.1, 1e6, Unit("pc"), (Slip("in kpc", 1e3),))
RADIUS: Final = Range(0.01, 72_000, ARCSEC, (_IN_DEGREES,))
FIT_RADIUS: Final = Range(0, 72_000, ARCSEC)
IN_PIXELS: Final = Range(0, 1e5, Unit("pixels"))
"""A number of pixels over which noise is shared."""
