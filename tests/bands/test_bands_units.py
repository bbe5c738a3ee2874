"""Bands go by all the names they are met under, and every unit becomes the surface brightness that
arithmetic gives.
"""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.bands.registry import BANDS, FIR_BANDS, INPUT_BANDS, find_band, get_band
from napari_galaxy_maps.bands.units import (
    ZeroPoint,
    canonical_unit,
    surface_brightness_factor,
    why_not,
)
from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.exceptions import InputError, UnresolvedError


def test_there_are_18_input_and_8_far_infrared_bands_in_order_of_wavelength():
    assert (len(BANDS), len(INPUT_BANDS), len(FIR_BANDS)) == (26, 18, 8)
    pivots = [band.pivot for band in BANDS.values()]
    assert pivots == sorted(pivots)


@pytest.mark.parametrize(
    "name, band",
    [("W1", "WISE_3.4"), ("wisew3", "WISE_12"), ("IRAC1", "Spitzer_3.6"), ("MIPS_24", "Spitzer_24"),
        ("PSW", "SPIRE_250"),
     ("u", "SDSS_u"), ("Ks", "2MASS_Ks"), ("2mass_j", "2MASS_J"), ("galex fuv", "GALEX_FUV"),
     ("pacs_blue", "PACS_70")],
)  # fmt: skip
def test_a_band_is_found_by_its_aliases(name, band):
    assert get_band(name).name == band


def test_one_letter_filters_keep_their_case():
    assert find_band("U") is None and find_band("B") is None and find_band("H").name == "2MASS_H"


def test_an_unknown_band_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match=r"no band called 'X9'.*WISE_3\.4"):
        get_band("X9")


@pytest.mark.parametrize(
    "text, unit",
    [("Jy/pix              / Unit of the map", "Jy/pix"), ("JY/PIXEL", "Jy/pix"),
        ("MJy sr-1", "MJy/sr"), ("adu", "DN"),
     ("MJY/STER", "MJy/sr"), ("Jy/px", "Jy/pix"), ("e-/s", "counts/s"), ("electrons", "DN"),
     ("ELECTRONS/S", "counts/s"), ("cps", "counts/s"), ("counts per second", "counts/s"),
     ("10^-17 erg/s/cm^2/Ang", "1e-17 erg/s/cm2/A/pix"), ("erg/s/cm2/Hz", "1e+23 Jy/pix"),
     ("nmgy/arcsec2", "nanomaggy/arcsec2"), ("AB mag/arcsec^2", "mag/arcsec2"),
     ("mag arcsec-2", "mag/arcsec2"), ("mjy/beam", "mJy/beam"), ("Jy / foo", None),
     ("counts s-1", "counts/s"), ("nanomaggies", "nanomaggy"), ("mJy/beam", "mJy/beam"),
     ("Jy/arcsec^2", "Jy/arcsec2"),
     ("mag", None), ("K", None), ("Jy", "Jy/pix"), ("gibberish", None)],
)  # fmt: skip
def test_units_are_understood_as_they_are_spelled_or_not_at_all(text, unit):
    assert canonical_unit(text) == unit


@given(pixel=st.floats(0.1, 60), flux=st.floats(1e-6, 1e3))
def test_a_flux_per_pixel_keeps_its_flux(pixel, flux):
    pixel_sr = pixel**2 * SR_PER_ARCSEC2
    for unit, in_jy in (("Jy/pix", 1), ("mJy/pix", 1e-3), ("nanomaggy", 3.631e-6)):
        factor, _ = surface_brightness_factor(unit, get_band("SDSS_r"), pixel_sr)
        assert flux * factor * 1e6 * pixel_sr == pytest.approx(flux * in_jy)


def test_surface_brightness_units_agree_with_astropy():
    for text, unit in (
        ("Jy/arcsec2", u.Jy / u.arcsec**2),
        ("W/m2/Hz/sr", u.W / u.m**2 / u.Hz / u.sr),
        ("Jy/sr", u.Jy / u.sr),
    ):
        factor, _ = surface_brightness_factor(text, get_band("WISE_12"), 1e-10)
        assert factor == pytest.approx(unit.to(u.MJy / u.sr))


def test_counts_need_a_zero_point():
    zero = ZeroPoint(666.7e-8, "666.7 Jy x 10^(-0.4 x 20) (MAGZP, Vega)")
    factor, note = surface_brightness_factor("DN", get_band("2MASS_Ks"), SR_PER_ARCSEC2, zero)
    assert factor * 1e6 * SR_PER_ARCSEC2 == pytest.approx(666.7e-8) and "Vega" in note
    with pytest.raises(UnresolvedError, match="zero point"):
        surface_brightness_factor("DN", get_band("2MASS_Ks"), SR_PER_ARCSEC2)


def test_galex_count_rates_have_the_zero_points_of_morrissey_2007():
    for name, zero_point in (("GALEX_FUV", 18.82), ("GALEX_NUV", 20.08)):
        jy = get_band(name).count_rate_jy
        assert -2.5 * np.log10(jy / 3631) == pytest.approx(zero_point)


def test_a_unit_per_beam_needs_the_beams_solid_angle():
    band = get_band("SPIRE_250")
    factor, note = surface_brightness_factor("Jy/beam", band, 1e-10, beam=(469.35, "its beam"))
    assert factor == pytest.approx(1e-6 / (469.35 * SR_PER_ARCSEC2)) and "its beam" in note
    with pytest.raises(UnresolvedError, match="beam's size"):
        surface_brightness_factor("Jy/beam", band, 1e-10)


def test_values_per_old_pixel_are_spread_over_the_old_pixel():
    band, zero = get_band("2MASS_Ks"), ZeroPoint(1e-6, "1 uJy")
    factor, note = surface_brightness_factor(
        "DN/oldpix", band, 36 * SR_PER_ARCSEC2, zero, old_pixel_arcsec=2.0
    )
    assert factor == pytest.approx(1e-12 / (4 * SR_PER_ARCSEC2)) and "2 arcsec" in note
    with pytest.raises(UnresolvedError, match="own images are not known"):
        surface_brightness_factor("DN/oldpix", band, SR_PER_ARCSEC2, zero)


def test_a_flux_per_wavelength_is_taken_at_the_pivot():
    band = get_band("SDSS_r")
    factor, _ = surface_brightness_factor("erg/s/cm2/A", band, SR_PER_ARCSEC2)
    lam = band.pivot * u.um
    jy = (1 * u.erg / u.s / u.cm**2 / u.AA).to(u.Jy, u.spectral_density(lam)).value
    assert factor * 1e6 * SR_PER_ARCSEC2 == pytest.approx(jy)


@pytest.mark.parametrize(
    "unit",
    [
        *(f"{prefix}Jy/{per}" for prefix in ("", "m", "u", "n") for per in ("pix", "beam", "sr")),
        "MJy/sr", "nanomaggy", "nanomaggy/arcsec2", "DN", "counts/s", "DN/oldpix", "mag/arcsec2",
        "erg/s/cm2/A/pix", "1e-17 erg/s/cm2/A/pix", "19.89 MJy/sr",
    ],
)  # fmt: skip
def test_the_spelling_used_here_is_read_as_itself(unit):
    assert canonical_unit(unit) == unit


@pytest.mark.parametrize(
    "unit, printed",
    [
        (u.MJy / u.sr, "MJy/sr"),
        (u.Jy / u.pix, "Jy/pix"),
        (u.Jy / u.beam, "Jy/beam"),
        (u.ct / u.s, "counts/s"),
        (u.electron / u.s, "counts/s"),
        (u.adu, "DN"),
        (u.DN / u.s, "counts/s"),
        (u.nJy, "nJy/pix"),
        (u.uJy / u.arcsec**2, "uJy/arcsec2"),
        (u.nmgy / u.arcsec**2, "nanomaggy/arcsec2"),
        (1e-17 * u.erg / u.s / u.cm**2 / u.AA, "1e-17 erg/s/cm2/A/pix"),
        (u.mag(u.AB / u.arcsec**2), "mag/arcsec2"),
    ],
)
@pytest.mark.parametrize("form", ["generic", "fits"])
def test_what_astropy_prints_is_read_as_meant(unit, printed, form):
    try:
        text = u.Unit(unit).to_string(form) if not isinstance(unit, u.MagUnit) else str(unit)
    except (ValueError, TypeError):
        pytest.skip("astropy does not print it so")
    assert canonical_unit(text) == printed


@pytest.mark.parametrize(
    "text, why",
    [
        ("K", "a temperature"),
        ("W/m2/sr", "whole band"),
        ("mag", "not per square arcsec"),
        ("mag(AB)", "not per square arcsec"),
        ("luptitudes", "asinh"),
        ("mjy/sr", "may mean MJy/sr or mJy/sr"),
        ("MJY/BEAM", "may mean MJy/beam or mJy/beam"),
        ("dex(cm/s2)", "no unit of flux"),
        ("Jy/beam.km/s", "a line"),
        ("nJy / foo", "no unit of flux"),
    ],
)
def test_what_is_no_unit_of_flux_is_refused_with_the_reason(text, why):
    assert canonical_unit(text) is None
    assert why in why_not(text, get_band("WISE_12"))[0]


def test_light_of_the_whole_band_is_suggested_as_nu_times_i_nu():
    (suggested,) = why_not("W/m2/sr", get_band("WISE_12"))[1]
    nu = (12.1 * u.um).to(u.Hz, u.spectral())
    assert u.Unit(suggested).to(u.MJy / u.sr) == pytest.approx(
        (1 * u.W / u.m**2 / u.sr / nu).to(u.MJy / u.sr).value, rel=1e-3
    )
