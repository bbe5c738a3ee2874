"""The photometric bands: names, pivot wavelengths, PSFs, calibration errors and zero points."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..constants import ZERO_AB_JY
from ..exceptions import InputError


@dataclass(frozen=True)
class Band:
    """A photometric band.

    Attributes
    ----------
    name : str
        DustPedia's spelling, e.g. ``"WISE_3.4"``.
    survey : str
        The facility or instrument whose images and headers share conventions: ``"GALEX"``,
        ``"SDSS"``, ``"2MASS"``, ``"WISE"``, ``"IRAC"``, ``"MIPS"``, ``"PACS"`` or ``"SPIRE"``.
    pivot : float
        Pivot wavelength in micron (Dobbels & Baes 2021, Table 1).
    fwhm : float
        Full width at half maximum of the PSF in arcsec (Clark+ 2018, Table 1; Aniano+ 2011).
    calibration : float
        Calibration uncertainty as a fraction (Clark+ 2018, Table 1).
    reddening : float
        A_band / E(B-V), E(B-V) as in Schlegel+ 1998; 0 in the far infrared.
    aliases : tuple of str
        Other spellings met in headers, tables and file names.
    vega_jy : float or None
        Flux density in Jy of a source of zero magnitude in the Vega system, where the survey uses
        it.
    count_rate_jy : float or None
        Flux density in Jy of one count per second, where the survey delivers count rates.
    beam_arcsec2 : float or None
        Solid angle of the beam in arcsec2, by which Jy/beam become surface brightness.
    """

    name: str
    survey: str
    pivot: float
    fwhm: float
    calibration: float
    reddening: float
    aliases: tuple[str, ...] = ()
    vega_jy: float | None = None
    count_rate_jy: float | None = None
    beam_arcsec2: float | None = None

    def __str__(self) -> str:
        return self.name


def _ab_count_rate_jy(zero_point: float) -> float:
    return float(ZERO_AB_JY * 10 ** (-0.4 * zero_point))


# Zero points: GALEX AB 18.82 and 20.08 for 1 count/s (Morrissey+ 2007, eq. 1-2); 2MASS Vega 1594,
# 1024, 666.7 Jy (Cohen+ 2003, Table 2); WISE Vega 309.540, 171.787, 31.674, 8.363 Jy (Jarrett+
# 2011, Table 1). SPIRE beams 469.35, 831.27, 1804.31 arcsec2 (SPIRE Handbook v3.2, Table 5.8,
# pipeline values). A_band/E(B-V): SDSS and 2MASS from Schlafly & Finkbeiner 2011, Table 6, R_V =
# 3.1. The others are their recipe (Fitzpatrick 1999, R_V = 3.1, A(1 um) = 0.78 x 1.32 E(B-V))
# through the filter curves of sedpy, for a flat spectrum in the ultraviolet, a star's of 7000 K
# beyond; it gives their own u to Ks to 0.5 %.
_ALL = (
    Band(
        "GALEX_FUV",
        "GALEX",
        0.153,
        4.3,
        0.045,
        7.100,
        ("FUV", "GALEXFUV"),
        count_rate_jy=_ab_count_rate_jy(18.82),
    ),
    Band(
        "GALEX_NUV",
        "GALEX",
        0.229,
        5.3,
        0.027,
        7.060,
        ("NUV", "GALEXNUV"),
        count_rate_jy=_ab_count_rate_jy(20.08),
    ),
    Band("SDSS_u", "SDSS", 0.355, 1.3, 0.013, 4.239, ("u", "u_prime", "SDSSu")),
    Band("SDSS_g", "SDSS", 0.480, 1.3, 0.008, 3.303, ("g", "g_prime", "SDSSg")),
    Band("SDSS_r", "SDSS", 0.624, 1.3, 0.008, 2.285, ("r", "r_prime", "SDSSr")),
    Band("SDSS_i", "SDSS", 0.766, 1.3, 0.007, 1.698, ("i", "i_prime", "SDSSi")),
    Band("SDSS_z", "SDSS", 0.908, 1.3, 0.008, 1.263, ("z", "z_prime", "SDSSz")),
    Band("2MASS_J", "2MASS", 1.24, 2.0, 0.017, 0.723, ("J", "J_2mass", "2MASSJ"), vega_jy=1594.0),
    Band("2MASS_H", "2MASS", 1.65, 2.0, 0.019, 0.460, ("H", "H_2mass", "2MASSH"), vega_jy=1024.0),
    Band(
        "2MASS_Ks",
        "2MASS",
        2.16,
        2.0,
        0.019,
        0.310,
        ("Ks", "K", "Ks_2mass", "2MASS_K", "2MASSKs"),
        vega_jy=666.7,
    ),
    Band(
        "WISE_3.4",
        "WISE",
        3.37,
        6.1,
        0.029,
        0.176,
        ("W1", "WISE1", "WISEW1", "WISE_W1"),
        vega_jy=309.540,
    ),
    Band(
        "Spitzer_3.6",
        "IRAC",
        3.56,
        1.66,
        0.03,
        0.160,
        ("IRAC1", "IRAC_1", "I1", "IRAC_3.6", "Spitzer3.6"),
    ),
    Band(
        "Spitzer_4.5",
        "IRAC",
        4.50,
        1.72,
        0.03,
        0.105,
        ("IRAC2", "IRAC_2", "I2", "IRAC_4.5", "Spitzer4.5"),
    ),
    Band(
        "WISE_4.6",
        "WISE",
        4.62,
        6.4,
        0.034,
        0.100,
        ("W2", "WISE2", "WISEW2", "WISE_W2"),
        vega_jy=171.787,
    ),
    Band(
        "Spitzer_5.8",
        "IRAC",
        5.75,
        1.88,
        0.03,
        0.068,
        ("IRAC3", "IRAC_3", "I3", "IRAC_5.8", "Spitzer5.8"),
    ),
    Band(
        "Spitzer_8.0",
        "IRAC",
        7.92,
        1.98,
        0.03,
        0.039,
        ("IRAC4", "IRAC_4", "I4", "IRAC_8.0", "Spitzer8.0"),
    ),
    Band(
        "WISE_12",
        "WISE",
        12.1,
        6.5,
        0.046,
        0.023,
        ("W3", "WISE3", "WISEW3", "WISE_W3"),
        vega_jy=31.674,
    ),
    Band(
        "WISE_22",
        "WISE",
        22.2,
        12.0,
        0.056,
        0.006,
        ("W4", "WISE4", "WISEW4", "WISE_W4"),
        vega_jy=8.363,
    ),
    Band("Spitzer_24", "MIPS", 23.6, 6.0, 0.05, 0.000, ("MIPS_24", "MIPS24", "MIPS1", "Spitzer24")),
    Band("PACS_70", "PACS", 70.7, 9.0, 0.07, 0.000, ("PACS70", "PACS_blue")),
    Band(
        "Spitzer_70", "MIPS", 70.9, 18.0, 0.10, 0.000, ("MIPS_70", "MIPS70", "MIPS2", "Spitzer70")
    ),
    Band("PACS_100", "PACS", 101.0, 10.0, 0.07, 0.000, ("PACS100", "PACS_green")),
    Band("PACS_160", "PACS", 161.0, 13.0, 0.07, 0.000, ("PACS160", "PACS_red")),
    Band(
        "SPIRE_250",
        "SPIRE",
        253.0,
        18.0,
        0.055,
        0.000,
        ("SPIRE250", "PSW", "PSW_HIPE"),
        beam_arcsec2=469.35,
    ),
    Band(
        "SPIRE_350",
        "SPIRE",
        354.0,
        25.0,
        0.055,
        0.000,
        ("SPIRE350", "PMW", "PMW_HIPE"),
        beam_arcsec2=831.27,
    ),
    Band(
        "SPIRE_500",
        "SPIRE",
        515.0,
        36.0,
        0.055,
        0.000,
        ("SPIRE500", "PLW", "PLW_HIPE"),
        beam_arcsec2=1804.31,
    ),
)

BANDS: dict[str, Band] = {band.name: band for band in _ALL}
"""All bands by name, in order of wavelength."""

INPUT_BANDS: tuple[str, ...] = tuple(band.name for band in _ALL if band.pivot < 23)
"""The 18 bands, ultraviolet to 22 micron, that a prediction can start from."""

FIR_BANDS: tuple[str, ...] = tuple(band.name for band in _ALL if band.pivot >= 23)
"""The 8 bands, 24 to 500 micron, in which the dust itself is seen: truth, never input."""


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


_BY_ALIAS: dict[str, Band] = {}
for _band in _ALL:
    for _alias in (_band.name, *_band.aliases):
        # One-letter filters keep their case: the u of SDSS is not the U of Johnson, and z is not Z.
        _BY_ALIAS.setdefault(_alias if len(_alias) == 1 else _key(_alias), _band)


def find_band(name: str) -> Band | None:
    """The band that goes by `name` or one of its aliases (case and punctuation do not matter), or
    None.
    """
    text = str(name).strip()
    return _BY_ALIAS.get(text if len(text) == 1 else _key(text))


def get_band(name: str) -> Band:
    """The band that goes by `name`.

    Raises
    ------
    InputError
        When no band has that name or alias.
    """
    band = find_band(name)
    if band is None:
        raise InputError(f"There is no band called {name!r}; the bands are {', '.join(BANDS)}.")
    return band
