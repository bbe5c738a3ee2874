"""Computes the numbers of a band that follow from its filter curve: pivot wavelength, reddening by
the Milky Way and flux density of Vega.

    python -m napari_galaxy_maps.training.datasets.band_numbers [sedpy:CURVE | speclite:CURVE ...]

Without a curve, those of all bands are held against the table of bands. Filter curves are those of
astro-sedpy and, of bands that it lacks, speclite's; Vega's spectrum is astro-sedpy's (CALSPEC
alpha_lyr_stis_005; Bohlin 2007). Only this script needs them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...bands.registry import BANDS
from ...constants import SPEED_OF_LIGHT_ANGSTROM_S
from ...exceptions import InputError

EBV = 0.1
"""E(B-V) at which coefficients are computed: the more of it, the smaller those of broad bands."""
ULTRAVIOLET_UM = 0.3
"""Bands of a shorter pivot wavelength see a flat spectrum, others a star's."""
STAR_KELVIN = 7000.0
A_MICRON = 0.78 * 1.32
"""A(1 micron) / E(B-V), E(B-V) as in Schlegel+ 1998 (Schlafly & Finkbeiner 2011, Sect. 5)."""
INFRARED_UM = 1 / 0.3
"""Where the curve of Fitzpatrick 1999 ends (0.3 per micron)."""
INFRARED_SLOPE = 1.84
"""Exponent of the power law beyond (Martin & Whittet 1990)."""

_R_V = 3.1
_SECOND_RADIATION_UM_K = 14387.769
_JY = 1e-23  # erg/s/cm2/Hz
_FINE = 4000  # points across a filter: its curve may be coarser than what the extinction needs


@dataclass(frozen=True)
class Curve:
    """A filter curve.

    Attributes
    ----------
    micron : ndarray, shape (n,)
        Wavelength, ascending.
    response : ndarray, shape (n,)
        Signal per photon, in any unit.
    """

    micron: np.ndarray
    response: np.ndarray

    def mean(self, values: np.ndarray, spectrum: np.ndarray) -> float:
        """Mean of `values` over the photons of a spectrum F_lambda, both at `micron`."""
        photons = self.response * spectrum * self.micron
        return float(
            np.trapezoid(values * photons, self.micron) / np.trapezoid(photons, self.micron)
        )


@cache
def filter_curve(name: str) -> Curve:
    """A filter curve by the table's name for it, e.g. ``"sedpy:decam_g"`` or
    ``"speclite:Euclid-VIS"``.

    Raises
    ------
    InputError
        When there is no such curve, or the package that has it is not installed.
    """
    package, _, key = name.partition(":")
    try:
        if package == "sedpy":
            from sedpy.observate import Filter

            found = Filter(key)
            wavelength, response = found.wavelength, found.transmission
        elif package == "speclite":
            import speclite
            from astropy.table import Table

            path = Path(str(speclite.__file__)).parent / "data" / "filters" / f"{key}.ecsv"
            table = Table.read(path, format="ascii.ecsv")
            wavelength, response = (np.asarray(table[c]) for c in ("wavelength", "response"))
        else:
            raise InputError(f"{name!r} names no filter curve; write sedpy:NAME or speclite:NAME.")
    except ImportError:
        raise InputError(
            f"The filter curve {name} is one of a package that is not installed; "
            f"install {'astro-sedpy' if package == 'sedpy' else 'speclite'}."
        ) from None
    except (ValueError, OSError):
        raise InputError(f"The package {package} has no filter curve {key!r}.") from None
    micron = np.asarray(wavelength, float) / 1e4
    fine = np.union1d(micron, np.linspace(micron[0], micron[-1], _FINE))
    return Curve(fine, np.interp(fine, micron, np.asarray(response, float)))


def pivot_um(curve: Curve) -> float:
    """Pivot wavelength in micron: the root of int T lambda dlambda / int T dlambda / lambda
    (Koornneef+ 1986), T per photon.
    """
    x = curve.micron
    return float(np.sqrt(np.trapezoid(curve.response * x, x) / np.trapezoid(curve.response / x, x)))


@cache
def _knots() -> tuple[np.ndarray, np.ndarray]:
    """The points through which Fitzpatrick's spline goes (1999, Table 3 and Appendix): inverse
    wavelength per micron, A / E(B-V).
    """
    r = _R_V
    x = np.concatenate([[0.0], 1e4 / np.array([26500, 12200, 6000, 5470, 4670, 4110, 2700, 2600])])
    infrared = [0.0, 0.26469 * r / 3.1, 0.82925 * r / 3.1]
    optical = [
        -0.426 + 1.0044 * r,
        -0.050 + 1.0016 * r,
        0.701 + 1.0016 * r,
        1.208 + 1.0032 * r - 0.00033 * r**2,
    ]
    return x, np.concatenate([infrared, optical, _ultraviolet(x[-2:])])


def _ultraviolet(x: np.ndarray) -> np.ndarray:
    """A / E(B-V) short of 2700 Angstrom, x per micron (Fitzpatrick & Massa 1990; Fitzpatrick 1999,
    Sect. 4).
    """
    slope = -0.824 + 4.717 / _R_V
    constant = 2.030 - 3.007 * slope
    bump = x**2 / ((x**2 - 4.596**2) ** 2 + (0.99 * x) ** 2)
    far = np.clip(x - 5.9, 0, None)
    rise = 0.5392 * far**2 + 0.05644 * far**3
    return np.asarray(constant + slope * x + 3.23 * bump + 0.41 * rise + _R_V)


def fitzpatrick(micron: np.ndarray) -> np.ndarray:
    """A(lambda) / E(B-V) of Fitzpatrick 1999 for R_V = 3.1, and a power law beyond 3.3 micron."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(*_knots(), bc_type="natural")
    x = 1 / np.asarray(micron, float)
    inside = np.where(x > 1e4 / 2700, _ultraviolet(x), spline(np.maximum(x, 1 / INFRARED_UM)))
    return np.asarray(inside * np.minimum(x * INFRARED_UM, 1.0) ** INFRARED_SLOPE)


def reddening(curve: Curve) -> float:
    """A_band / E(B-V) by the recipe of Schlafly & Finkbeiner 2011 (Sect. 5): the extinction of a
    source through the filter, E(B-V) on the scale of Schlegel+ 1998.
    """
    x = curve.micron
    if pivot_um(curve) < ULTRAVIOLET_UM:
        spectrum = x**-2  # flat in F_nu
    else:
        spectrum = x**-5 / np.expm1(_SECOND_RADIATION_UM_K / x / STAR_KELVIN)
    extinction = A_MICRON * fitzpatrick(x) / float(fitzpatrick(np.array(1.0)))
    passed = curve.mean(10 ** (-0.4 * EBV * extinction), spectrum)
    return -2.5 * float(np.log10(passed)) / EBV


def vega_jy(curve: Curve) -> float:
    """Flux density in Jy of Vega through a filter: that of magnitude 0 where Vega's is 0.

    Raises
    ------
    InputError
        When astro-sedpy is not installed.
    """
    try:
        from sedpy.reference_spectra import vega
    except ImportError:
        raise InputError("Vega's spectrum is astro-sedpy's; install astro-sedpy.") from None
    x = curve.micron
    own = np.asarray(vega, float)
    inside = own[(own[:, 0] > x[0] * 1e4) & (own[:, 0] < x[-1] * 1e4), 0] / 1e4
    fine = np.union1d(x, inside)
    response = np.interp(fine, x, curve.response)
    flux = np.interp(fine * 1e4, own[:, 0], own[:, 1])  # erg/s/cm2/Angstrom
    # <F_nu> = int F_lambda T lambda dlambda / int c T dlambda / lambda.
    signal = np.trapezoid(flux * response * fine, fine)
    per_jy = np.trapezoid(response / fine, fine) * SPEED_OF_LIGHT_ANGSTROM_S / 1e8 * _JY
    return float(signal / per_jy)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the numbers of filter curves, or all bands' beside those of the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("curves", nargs="*", metavar="CURVE", help="sedpy:NAME or speclite:NAME")
    chosen = parser.parse_args(arguments).curves
    if chosen:
        for name in chosen:
            curve = filter_curve(name)
            print(
                f"{name}: pivot {pivot_um(curve):.4g} um, A / E(B-V) {reddening(curve):.3f}, "
                f"Vega {vega_jy(curve):.4g} Jy"
            )
        return
    print(f"{'band':14}{'pivot':>9}{'table':>9}{'A/E':>8}{'table':>8}{'Vega Jy':>10}{'table':>10}")
    for band in BANDS.values():
        if not band.curve:
            continue
        curve = filter_curve(band.curve)
        print(
            f"{band.name:14}{pivot_um(curve):9.4g}{band.pivot:9.4g}"
            f"{reddening(curve):8.3f}{band.reddening:8.3f}"
            f"{vega_jy(curve):10.4g}{band.vega_jy or float('nan'):10.4g}"
        )


if __name__ == "__main__":
    main()
