"""Bands go by all the names they are met under, and every unit becomes the surface brightness that
arithmetic gives.
"""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.bands.registry import find_band, get_band
from napari_galaxy_maps.bands.units import canonical_unit, surface_brightness_factor
from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.exceptions import InputError, UnresolvedError


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
     ("counts s-1", "counts/s"), ("nanomaggies", "nanomaggy"), ("mJy/beam", "mJy/beam"),
     ("Jy/arcsec^2", "Jy/arcsec2"),
     ("mag", None), ("K", None), ("Jy", None), ("gibberish", None)],
)  # fmt: skip
def test_units_are_understood_as_they_are_spelled_or_not_at_all(text, unit):
    assert canonical_unit(text) == unit


@given(pixel=st.floats(0.1, 60), flux=st.floats(1e-6, 1e3))
def test_a_flux_per_pixel_keeps_its_flux(pixel, flux):
    pixel_sr = pixel**2 * SR_PER_ARCSEC2
    for unit, in_jy in (("Jy/pix", 1), ("mJy/pix", 1e-3), ("nanomaggy", 3.631e-6)):
        factor, _ = surface_brightness_factor(unit, get_band("SDSS_r"), pixel_sr, {})
        assert flux * factor * 1e6 * pixel_sr == pytest.approx(flux * in_jy)


def test_surface_brightness_units_agree_with_astropy():
    for text, unit in (
        ("Jy/arcsec2", u.Jy / u.arcsec**2),
        ("W/m2/Hz/sr", u.W / u.m**2 / u.Hz / u.sr),
        ("Jy/sr", u.Jy / u.sr),
    ):
        factor, _ = surface_brightness_factor(text, get_band("WISE_12"), 1e-10, {})
        assert factor == pytest.approx(unit.to(u.MJy / u.sr))


def test_counts_need_a_zero_point_and_say_which_one_they_took():
    pixel_sr = SR_PER_ARCSEC2
    factor, note = surface_brightness_factor("DN", get_band("2MASS_Ks"), pixel_sr, {"MAGZP": 20.0})
    assert factor * 1e6 * pixel_sr == pytest.approx(666.7e-8) and "Vega" in note and "MAGZP" in note
    factor, note = surface_brightness_factor("DN", get_band("SDSS_r"), pixel_sr, {"MAGZP": 22.5})
    assert factor * 1e6 * pixel_sr == pytest.approx(3.631e-6) and "AB" in note
    with pytest.raises(UnresolvedError, match="zero point"):
        surface_brightness_factor("DN", get_band("2MASS_Ks"), pixel_sr, {})


@pytest.mark.parametrize(
    "band, system, jy",
    [("2MASS_J", "Vega", 1594.0), ("UKIRT_K", "Vega", None), ("VISTA_J", "Vega", None),
     ("Johnson_V", "Vega", 3636.0), ("PS1_r", "AB", 3631.0), ("WFC3_F160W", "AB", 3631.0),
     ("SDSS_u", "AB", 3631.0)],
)  # fmt: skip
def test_a_zero_point_counts_in_the_surveys_own_system(band, system, jy):
    """Vega's flux is known in PS1's r as well, and its magnitudes are AB all the same."""
    band = get_band(band)
    jy = band.vega_jy if jy is None else jy
    factor, note = surface_brightness_factor("DN", band, SR_PER_ARCSEC2, {"MAGZP": 20.0})
    assert factor * 1e6 * SR_PER_ARCSEC2 == pytest.approx(jy * 1e-8)
    assert note.endswith(f"(MAGZP, {system})") and band.vega_jy != 3631.0


def test_galex_count_rates_have_the_zero_points_of_morrissey_2007():
    factor, _ = surface_brightness_factor("counts/s", get_band("GALEX_NUV"), SR_PER_ARCSEC2, {})
    magnitude = -2.5 * np.log10(factor * 1e6 * SR_PER_ARCSEC2 / 3631)
    assert magnitude == pytest.approx(20.08)


def test_jy_per_beam_takes_the_headers_beam_before_the_bands():
    arcsec2 = np.pi / (4 * np.log(2)) * 18 * 20
    factor, note = surface_brightness_factor(
        "Jy/beam", get_band("SPIRE_250"), 1e-10, {"BMAJ": 20 / 3600, "BMIN": 18 / 3600}
    )
    assert factor == pytest.approx(1e-6 / (arcsec2 * SR_PER_ARCSEC2)) and "BMAJ" in note
    factor, note = surface_brightness_factor("Jy/beam", get_band("SPIRE_250"), 1e-10, {})
    assert factor == pytest.approx(1e-6 / (469.35 * SR_PER_ARCSEC2)) and "SPIRE_250" in note
