"""What a map can show: the registry of properties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import InputError

EMPTY_LOG = -13.0
"""Logarithms up to this are of nothing: PICASSO's truths have -14 or -100 where no particle lies.
"""
GAUSSIAN_95 = 1.96
"""Sigmas within which 95 % of Gaussian errors are."""


@dataclass(frozen=True)
class Property:
    """A physical property that a map can show.

    Attributes
    ----------
    name : str
        EXTNAME in files, e.g. ``"LOG_SMD"``.
    label : str
        What it is, for a person.
    definition : str
        Its definition in full.
    unit : str
        ``"dex"``, ``"mag"``, ``"K"`` or ``"Gyr"``: the unit of the map's values and of residuals.
    log_unit : str
        Of a logarithm, the unit of its argument as FITS spells it; else empty.
    additive : bool
        Whether the quantity (for a logarithm, its argument times the area) adds up over pixels.
    weight : str or None
        For what does not add up, the property by which its mean is weighted: the quantity in its
        denominator.
    above : str
        Of a ratio, the property above its line, whose weight is the one below; else empty.
    colormap : str
        A perceptual colour map known to napari.
    limits : tuple of float
        Usual range of the values, for display.
    possible : tuple of float
        Between which values it lies in any pixel of any galaxy.
    imf : float
        How much of the difference in log mass between two initial mass functions the value has: 1
        for a mass of stars, -1 for what is divided by one, 0 for what knows nothing of it.
    """

    name: str
    label: str
    definition: str
    unit: str = "dex"
    log_unit: str = ""
    additive: bool = False
    weight: str | None = None
    above: str = ""
    colormap: str = "viridis"
    limits: tuple[float, float] = (0.0, 1.0)
    imf: float = 0.0
    possible: tuple[float, float] = (-np.inf, np.inf)

    @property
    def exponent(self) -> float:
        """What adds up, or is averaged, is 10^(exponent x value): 1 of logarithms, -0.4 of
        magnitudes, the share of light that gets through; 0 where it is the value itself.
        """
        return _EXPONENTS.get(self.unit, 0.0)


_EXPONENTS = {"dex": 1.0, "mag": -0.4}

_ALL = (
    Property(
        "LOG_SLD", "specific dust luminosity", "log10(L_dust / L_star), L_star before attenuation",
        weight="LOG_SIGMA_LSTAR", above="LOG_SIGMA_LD", colormap="inferno", limits=(-2.0, 0.2),
        possible=(-6.0, 1.0),
    ),
    Property(
        "LOG_SMD", "specific dust mass", "log10(M_dust / M_star)",
        weight="LOG_SIGMA_STAR", above="LOG_SIGMA_MD", colormap="viridis", limits=(-4.5, -1.5),
        imf=-1.0,
        possible=(-9.0, 0.0),
    ),
    Property(
        "T_DUST", "dust temperature", "temperature of the bulk of the dust", unit="K",
        weight="LOG_SIGMA_MD", colormap="magma", limits=(14.0, 30.0),
        possible=(5.0, 100.0),
    ),
    Property(
        "LOG_SIGMA_LSTAR", "stellar luminosity",
        "log10 of bolometric stellar luminosity, unattenuated, per area",
        log_unit="solLum / kpc2", additive=True, colormap="plasma", limits=(6.0, 10.0),
        possible=(-2.0, 13.0),
    ),
    Property(
        "LOG_SIGMA_LD", "dust luminosity", "log10 of dust luminosity per area",
        log_unit="solLum / kpc2", additive=True, colormap="inferno", limits=(5.0, 9.0),
        possible=(-2.0, 13.0),
    ),
    Property(
        "LOG_SIGMA_STAR", "stellar mass", "log10 of stellar mass per area",
        log_unit="solMass / kpc2", additive=True, colormap="plasma", limits=(5.5, 9.5), imf=1.0,
        possible=(-2.0, 12.0),
    ),
    Property(
        "LOG_SIGMA_MD", "dust mass", "log10 of dust mass per area",
        log_unit="solMass / kpc2", additive=True, colormap="viridis", limits=(3.0, 6.0),
        possible=(-4.0, 10.0),
    ),
    # A rate of Salpeter's is 0.20 dex above one of Chabrier's, a mass 0.24 (Madau & Dickinson 2014,
    # Sect. 3.1, for rates).
    Property(
        "LOG_SIGMA_SFR", "star formation", "log10 of star formation rate over 100 Myr per area",
        log_unit="solMass / (yr kpc2)", additive=True, colormap="magma", limits=(-4.5, 0.0),
        imf=0.85,
        possible=(-12.0, 4.0),
    ),
    Property(
        "LOG_SIGMA_GAS", "gas mass", "log10 of gas mass per area, with helium",
        log_unit="solMass / kpc2", additive=True, colormap="viridis", limits=(5.0, 8.5),
        possible=(-2.0, 11.0),
    ),
    Property(
        "LOG_SIGMA_HI", "HI mass", "log10 of mass of atomic hydrogen per area",
        log_unit="solMass / kpc2", additive=True, colormap="viridis", limits=(5.0, 8.0),
        possible=(-2.0, 11.0),
    ),
    Property(
        "LOG_SIGMA_ZSTAR", "stellar metals", "log10 of mass in metals in stars per area",
        log_unit="solMass / kpc2", additive=True, colormap="cividis", limits=(3.5, 8.0), imf=1.0,
        possible=(-6.0, 11.0),
    ),
    Property(
        "LOG_SIGMA_ZGAS", "gas metals", "log10 of mass in metals in gas per area",
        log_unit="solMass / kpc2", additive=True, colormap="cividis", limits=(3.0, 7.0),
        possible=(-6.0, 10.0),
    ),
    Property(
        "AGE_STAR", "stellar age", "age of the stars, weighted by mass", unit="Gyr",
        weight="LOG_SIGMA_STAR", colormap="plasma", limits=(1.0, 12.0),
        possible=(0.0, 14.0),
    ),
    Property(
        "LOG_SIGMA_FUV", "FUV light without dust",
        "log10 of nu L_nu in the far ultraviolet (FUV) before attenuation, per area",
        log_unit="solLum / kpc2", additive=True, colormap="plasma", limits=(4.5, 9.5),
        possible=(-4.0, 13.0),
    ),
    Property(
        "LOG_SIGMA_V", "V light without dust",
        "log10 of nu L_nu at 0.55 micron before attenuation, per area",
        log_unit="solLum / kpc2", additive=True, colormap="plasma", limits=(5.5, 9.5),
        possible=(-4.0, 13.0),
    ),
    # Of several pixels it is -2.5 log10 of their light over their light without dust.
    Property(
        "A_FUV", "FUV attenuation",
        "magnitudes by which dust dims the light in the far ultraviolet (FUV)", unit="mag",
        weight="LOG_SIGMA_FUV", colormap="inferno", limits=(0.0, 4.0),
        possible=(-0.5, 15.0),
    ),
    Property(
        "A_V", "V attenuation",
        "magnitudes by which dust dims the light at 0.55 micron", unit="mag",
        weight="LOG_SIGMA_V", colormap="inferno", limits=(0.0, 1.5),
        possible=(-0.5, 10.0),
    ),
)  # fmt: skip

ATTENUATION = ("A_FUV", "A_V", "LOG_SIGMA_FUV", "LOG_SIGMA_V")
"""The properties of attenuation: how many magnitudes, and the light without dust by which their
means are weighted.
"""

PROPERTIES: dict[str, Property] = {prop.name: prop for prop in _ALL}
"""All properties by name."""


def get_property(name: str) -> Property:
    """The property called `name`.

    Raises
    ------
    InputError
        When there is none.
    """
    try:
        return PROPERTIES[name.upper()]
    except KeyError:
        raise InputError(
            f"There is no property called {name!r}; there are {', '.join(PROPERTIES)}."
        ) from None
