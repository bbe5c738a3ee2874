"""The Milky Way's dust is removed as Schlafly & Finkbeiner (2011) say, from a number, a map or a
header, or it is said that it is not.
"""

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.bands.registry import BANDS, MODEL_BANDS, get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.data.recipe import ErrorSettings, Recipe, ReddeningSettings, SkySettings
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.prepare.errors.error_budget import Background, add_errors
from napari_galaxy_maps.prepare.reddening import Reddening, deredden, find_reddening, from_map
from napari_galaxy_maps.prepare.sky import subtract_sky
from napari_galaxy_maps.prepare.steps import prepare_steps
from tests.conftest import tan_wcs

FIELD = Ellipse(150.0, 2.0, 120, 80, 30)


def image(band="SDSS_r", **more):
    return BandImage(np.full((20, 20), 2.0, "f4"), get_band(band), tan_wcs((20, 20), 5.0), **more)


@pytest.fixture
def gradient_map(tmp_path):
    """A map whose E(B-V) grows by 0.1 a degree northwards, from 0.2 at the galaxy."""
    wcs = tan_wcs((41, 41), 180.0, dec=2.0)
    y, x = np.mgrid[:41, :41]
    dec = wcs.pixel_to_world(x, y).dec.deg
    fits.PrimaryHDU(0.2 + 0.1 * (dec - 2.0), wcs.to_header()).writeto(tmp_path / "ebv.fits")
    return tmp_path / "ebv.fits"


def test_coefficients_fall_with_wavelength_in_the_optical_and_vanish_in_the_far_infrared():
    r = [BANDS[name].reddening for name in MODEL_BANDS]
    assert r == sorted(r, reverse=True)
    assert BANDS["SDSS_r"].reddening == 2.285 and BANDS["SPIRE_250"].reddening == 0


def test_a_number_brightens_the_image_by_r_times_ebv():
    before = image(uncertainty=np.full((20, 20), 0.1, "f4"))
    after = deredden(before, Reddening(0.1, 0.0, "given"))
    factor = 10 ** (0.4 * 2.285 * 0.1)
    np.testing.assert_allclose(after.data, 2 * factor, rtol=1e-6)
    np.testing.assert_allclose(after.uncertainty, 0.1 * factor, rtol=1e-6)
    assert "0.229 mag" in after.notes[-1] or "0.228 mag" in after.notes[-1]
    np.testing.assert_array_equal(before.data, 2)


def test_a_map_gives_mean_and_scatter_over_the_galaxy(gradient_map):
    found = from_map(gradient_map, FIELD)
    assert found.ebv == pytest.approx(0.2, abs=1e-4)
    # the ellipse's extent in declination has an rms of half its semi-axis projected
    north = np.hypot(120 * np.cos(np.radians(30)), 80 * np.sin(np.radians(30))) / 3600 / 2
    assert found.scatter == pytest.approx(0.1 * north, rel=0.05)


def test_the_scatter_enters_the_error(gradient_map):
    red = Reddening(0.2, 0.05, "map")
    dark = deredden(image("GALEX_NUV"), red)
    settings = ErrorSettings(background=False, calibration=False)
    error = add_errors(dark, Background(0.0), settings).uncertainty
    np.testing.assert_allclose(error / dark.data, 0.4 * np.log(10) * 7.06 * 0.05, rtol=1e-5)
    assert (
        add_errors(
            dark, Background(0.0), settings.model_copy(update={"reddening": False})
        ).uncertainty
        == 0
    ).all()


def test_a_header_tells_it_and_a_number_stands_before(gradient_map):
    header = fits.Header({"EBV": 0.031})
    images = {"SDSS_r": image(header=header)}
    assert find_reddening(ReddeningSettings(), images, FIELD).ebv == 0.031
    assert find_reddening(
        ReddeningSettings(map=str(gradient_map)), images, FIELD
    ).ebv == pytest.approx(0.2, abs=1e-4)
    assert find_reddening(ReddeningSettings(ebv=0.5), images, FIELD).ebv == 0.5
    assert find_reddening(ReddeningSettings(), {"SDSS_r": image()}, FIELD) is None


@pytest.mark.parametrize("ebv", [99.0, -1.0])
def test_a_header_that_tells_what_cannot_be_is_refused(ebv):
    images = {"SDSS_r": image(header=fits.Header({"EBV": ebv}))}
    with pytest.raises(RecipeError, match=r"EBV in the header of SDSS_r: .* is outside 0 to 5 mag"):
        find_reddening(ReddeningSettings(), images, FIELD)


def test_a_map_that_does_not_cover_the_galaxy_is_refused(gradient_map):
    with pytest.raises(InputError, match=r"ebv\.fits covers 0% of the galaxy") as refused:
        from_map(gradient_map, Ellipse(10.0, 2.0, 100, 100))
    assert refused.value.settings == ("reddening.map", "reddening.ebv")


def test_what_is_no_map_is_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((5, 5))).writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match="holds no reddening map"):
        from_map(tmp_path / "a.fits", FIELD)
    with pytest.raises(InputError, match="does not exist"):
        find_reddening(ReddeningSettings(map=str(tmp_path / "none.fits")), {}, FIELD)


def test_a_map_by_name_without_dustmaps_says_what_to_do():
    try:
        import dustmaps  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match="need the package dustmaps"):
            find_reddening(ReddeningSettings(map="sfd"), {}, FIELD)


@pytest.mark.slow
def test_the_chain_says_what_it_removed_or_that_it_does_not_know(galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}})
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    notes = [p.detail for p in prepare_steps(galaxy, recipe) if p.step == "reddening"]
    assert len(notes) == 1 and "not known" in notes[0]
    notes = [
        p.detail
        for p in prepare_steps(galaxy, recipe.with_values(["reddening.ebv=0.1"]))
        if p.step == "reddening"
    ]
    assert len(notes) == 3 and all("removed" in t for t in notes)


@pytest.mark.realdata
def test_m51_is_reddened_as_its_map_says(shared_data):
    found = from_map(
        shared_data / "reddening" / "sfd_ebv_m51.fits", Ellipse(202.4696, 47.1952, 330, 200, 163)
    )
    assert found.ebv == pytest.approx(0.035, abs=0.004) and found.scatter < 0.005


@pytest.mark.realdata
def test_the_ultraviolet_flux_of_ngc5584_is_dustpedias_once_reddening_is_removed(shared_data):
    """Within the table's error, for an E(B-V) of 0.0391; table and uncorrected image ask for 0.039
    to 0.048.
    """
    from tests.test_real_data import aperture_jy, dustpedia

    row, ellipse = dustpedia(shared_data, "NGC5584")
    (found,) = find_images([shared_data / "galaxies" / "ngc5584" / "NGC5584_GALEX_NUV.fits.gz"])
    dark = subtract_sky(read_band_image(found), SkySettings(), ellipse)
    flux = aperture_jy(deredden(dark, Reddening(0.0391, 0.0, "given")), ellipse)
    assert abs(flux - row["GALEX_NUV"]) < row["GALEX_NUV_err"]
