"""What a prediction takes for granted is said before it, and what is as it should be is not."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io.fits import Header

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.question import UNIT, Question
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.pipeline import PredictionMemory
from napari_galaxy_maps.prepare import assumptions as kinds
from napari_galaxy_maps.prepare.assumptions import Known, assumptions, unanswered
from napari_galaxy_maps.prepare.look_ahead import Look, Seen, look_steps, seen_in, seen_in_cube
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.odd_brightness import odd_brightness, usual
from napari_galaxy_maps.prepare.reddening import NOT_KNOWN
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end

from ..conftest import tan_wcs

BANDS = ("SDSS_g", "SDSS_r", "SDSS_i", "2MASS_J", "2MASS_Ks", "WISE_3.4", "WISE_4.6")
SHAPE, PIXEL = (120, 120), 2.0
ELLIPSE = Ellipse(150.0, 2.0, 60.0, 48.0, 0.0)


def image(band="WISE_3.4", level=1.0, noise=0.02, seed=1, **more):
    """A galaxy of 60 arcsec on a sky of 3 MJy/sr."""
    wcs = tan_wcs(SHAPE, PIXEL, ra=150.0, dec=2.0)
    light = 2 * level * np.exp(-2 * ELLIPSE.radius(wcs, SHAPE) ** 2)
    data = 3 + light + np.random.default_rng(seed).normal(0, noise, SHAPE)
    return BandImage(data.astype("f4"), get_band(band), wcs, fwhm=6.0, **more)


def galaxy(bands=BANDS, **more):
    return Galaxy("x", {name: image(name, 10 ** usual(name)) for name in bands}, **more)


KNOWN_ALL = {"redshift": 0.01, "distance_mpc": 40.0, "ellipse": ELLIPSE}
FINE = ["reddening.ebv=0.03", "stars.find=true"]


def said(found, **more):
    return {one.mend: one for one in assumptions(Known(**found, **more))}


def test_nothing_is_said_of_a_galaxy_of_which_all_is_known():
    known = Known(galaxy(**KNOWN_ALL), Recipe().with_values(FINE))
    assert assumptions(known) == []
    look = Look(ELLIPSE, {name: Seen(0.9, 10 ** usual(name)) for name in BANDS})
    assert assumptions(replace(known, look=look)) == []


def test_everything_that_is_assumed_is_said_once_with_what_mends_it():
    found = assumptions(Known(galaxy(), Recipe()))
    assert [one.mend for one in found] == [kinds.REDSHIFT, kinds.STARS, kinds.EBV, kinds.ELLIPSE]
    assert NOT_KNOWN in found[2].text and not any(one.grave for one in found)


@pytest.mark.parametrize(
    ("mended", "kind"),
    [
        (["reddening.ebv=0"], kinds.EBV),
        (["reddening.map=sfd"], kinds.EBV),
        (["stars.find=true"], kinds.STARS),
        (["stars.catalogue=gaia"], kinds.STARS),
    ],
)
def test_what_the_recipe_settles_is_said_no_more(mended, kind):
    assert kind in said({"galaxy": galaxy(), "recipe": Recipe()})
    assert kind not in said({"galaxy": galaxy(), "recipe": Recipe().with_values(mended)})


def test_a_step_that_is_off_is_said():
    off = Recipe().with_values(["reddening.enabled=false", "stars.enabled=false", *FINE])
    found = said({"galaxy": galaxy(**KNOWN_ALL), "recipe": off})
    assert "off" in found[kinds.EBV].text and "off" in found[kinds.STARS].text


def test_masks_by_hand_are_masks_and_none_are_none(star):
    given = {"galaxy": galaxy(), "recipe": Recipe()}
    assert kinds.STARS in said(given, masks=Masks())
    assert kinds.STARS not in said(given, masks=Masks((star,)))


@pytest.fixture
def star():
    from napari_galaxy_maps.prepare.stars.star_list import Star

    return Star("1", 150.0, 2.0, 12.0, "hand", {"WISE_3.4": 5.0})


def test_a_header_that_tells_the_reddening_is_believed():
    one = image(header=Header({"EBV": 0.05}))
    given = galaxy()
    given = replace(given, images={**given.images, "WISE_3.4": one})
    assert kinds.EBV not in said({"galaxy": given, "recipe": Recipe()})


def test_a_redshift_that_tells_no_distance_leaves_the_distance_unknown():
    near = galaxy(redshift=-0.001)
    assert kinds.DISTANCE in said({"galaxy": near, "recipe": Recipe()})
    stellar = Recipe().with_values(["model.name=stellar-unet"])
    found = said({"galaxy": near, "recipe": stellar})
    assert kinds.DISTANCE not in found and kinds.REDSHIFT not in found
    assert kinds.REDSHIFT in said({"galaxy": galaxy(), "recipe": stellar})


def test_a_model_that_cannot_run_is_all_that_is_said_and_another_is_named():
    optical = galaxy(("SDSS_g", "SDSS_r"))
    (one,) = assumptions(Known(optical, Recipe()))
    assert one.impossible and one.mend == kinds.MODEL and one.of == ("stellar-unet",)
    (one,) = assumptions(Known(galaxy(("PACS_70",)), Recipe()))
    assert one.impossible and one.mend == kinds.FILES and one.text.endswith("any other model.")
    far = galaxy(("PACS_70", "PACS_160", "SPIRE_250"))
    (one,) = assumptions(Known(far, Recipe()))
    assert one.impossible and one.text.endswith("but a truth can be fitted to them.")


def test_real_images_are_said_of_the_stellar_model_and_mocks_are_not():
    stellar = Recipe().with_values(["model.name=stellar-unet", *FINE])
    real = galaxy(("SDSS_g",), **KNOWN_ALL)
    (one,) = assumptions(Known(real, stellar))
    assert one.mend == kinds.CARD and "real images" in one.text
    header = Header()
    header["SEED"] = (3, "of the mock galaxy")
    mock = replace(real, images={"SDSS_g": image("SDSS_g", header=header)})
    assert assumptions(Known(mock, stellar)) == []


def test_what_the_model_remarks_is_said_in_short_and_the_redshift_once():
    recipe = Recipe().with_values(["model.name=stellar-unet"])
    bare = galaxy(("SDSS_g",))
    redshift = said({"galaxy": bare, "recipe": recipe})[kinds.REDSHIFT].text
    found = assumptions(Known(bare, recipe, remarks=[redshift, "It is odd. Check: the unit?"]))
    assert [one.text for one in found if one.grave] == ["It is odd."]
    assert found[0].more == "It is odd. Check: the unit?"
    assert sum(one.mend == kinds.REDSHIFT for one in found) == 1


def test_what_is_asked_of_files_is_said():
    asked = [Question(f"{i}.fits", UNIT, "In which unit is it?") for i in range(5)]
    (one,) = unanswered(asked)
    assert one.grave and "0.fits, 1.fits, 2.fits and 2 more are not used" in one.text
    assert unanswered([]) == []


# The look at the images --------------------------------------------------------------------------


def test_a_look_finds_the_ellipse_and_brightness_and_spares_the_preparation_the_sky():
    memory = PredictionMemory()
    given = galaxy(("WISE_3.4", "2MASS_J", "2MASS_Ks"))
    look = run_to_end(look_steps(given, Recipe(), memory))
    assert np.hypot(look.ellipse.ra - 150, look.ellipse.dec - 2) * 3600 < 3
    assert look.ellipse.b / look.ellipse.a == pytest.approx(0.8, abs=0.05)
    assert {step for step, _ in memory.kept} == {"sky", "extent"}
    for name, seen in look.bands.items():
        assert seen.share > 0.9
        # Between the middle of the Gaussian, twice the level, and half the ellipse.
        assert 1.2 < seen.brightness / 10 ** usual(name) < 2


def test_noise_is_no_galaxy_and_a_lone_ellipse_tells_no_noise():
    noise = image(level=1e-6, noise=1.0)
    assert seen_in(noise, ELLIPSE).share < kinds.WEAKEST
    assert seen_in(image(level=1.0, noise=0.1), ELLIPSE).share > 0.5
    wide = replace(ELLIPSE, a=900.0, b=900.0)
    assert np.isnan(seen_in(image(), wide).share)
    blank = image().evolve(data=np.full(SHAPE, np.nan, "f4"))
    found = seen_in(blank, ELLIPSE)
    assert np.isnan(found.share) and np.isnan(found.brightness)


def test_noise_that_pixels_share_is_not_taken_for_light():
    from scipy.ndimage import gaussian_filter

    for seed in range(5):
        smooth = gaussian_filter(np.random.default_rng(seed).normal(0, 1, SHAPE), 2.0)
        shown = image().evolve(data=(3 + smooth).astype("f4"))
        assert seen_in(shown, ELLIPSE).share < kinds.WEAKEST, seed


def test_a_band_that_is_hardly_seen_can_be_left_out_where_the_model_can_do_without():
    recipe = Recipe().with_values(FINE)
    seen = {name: Seen(0.9, 10 ** usual(name)) for name in BANDS}
    weak = Look(ELLIPSE, {**seen, "SDSS_g": Seen(0.01, np.nan)})
    (one,) = assumptions(Known(galaxy(**KNOWN_ALL), recipe, look=weak))
    assert one.mend == kinds.LEAVE_OUT and one.of == ("SDSS_g",)
    normal = Look(ELLIPSE, {**seen, "WISE_3.4": Seen(0.01, np.nan)})
    (one,) = assumptions(Known(galaxy(**KNOWN_ALL), recipe, look=normal))
    assert one.mend == kinds.FILES and one.of == ("WISE_3.4",)
    none = Look(ELLIPSE, {name: Seen(0.0, np.nan) for name in BANDS})
    (one,) = assumptions(Known(galaxy(**KNOWN_ALL), recipe, look=none))
    assert one.grave and "in no band" in one.text
    untold = Look(ELLIPSE, {name: Seen(np.nan, 10 ** usual(name)) for name in BANDS})
    assert assumptions(Known(galaxy(**KNOWN_ALL), recipe, look=untold)) == []


def test_a_prepared_cube_shows_the_galaxy_as_its_images_do_and_noise_as_none():
    given = galaxy(("WISE_3.4", "2MASS_J"), ellipse=ELLIPSE, ra=150.0, dec=2.0)
    noise = image("2MASS_H", level=1e-6, noise=0.3)
    given = replace(given, images={**given.images, "2MASS_H": noise})
    recipe = Recipe()
    look = run_to_end(look_steps(given, recipe, PredictionMemory()))
    cube = run_to_end(prepare_steps(given, recipe))
    seen = seen_in_cube(cube)
    assert seen.keys() == look.bands.keys()
    for name in ("WISE_3.4", "2MASS_J"):
        assert seen[name].share == pytest.approx(look.bands[name].share, abs=0.1)
        assert seen[name].brightness == pytest.approx(look.bands[name].brightness, rel=0.1)
    assert seen["2MASS_H"].share < kinds.WEAKEST
    # Where no pixel is said to be outside, nobody knows where the galaxy ends.
    assert seen_in_cube(replace(cube, flags=np.zeros_like(cube.flags))) == {}
    blank = replace(cube, data=np.full_like(cube.data, np.nan))
    assert all(np.isnan([one.share, one.brightness]).all() for one in seen_in_cube(blank).values())


def test_the_measured_ellipse_is_told():
    look = Look(ELLIPSE, {})
    found = said({"galaxy": galaxy(), "recipe": Recipe()}, look=look)
    assert "2′ long, b/a 0.80, PA 0°" in found[kinds.ELLIPSE].text


# Brightness --------------------------------------------------------------------------------------


def test_colours_of_galaxies_are_not_odd_nor_is_a_factor_of_two():
    light = {name: 0.3 * 10 ** usual(name) for name in BANDS}
    images = galaxy().images
    assert odd_brightness(light, images) == []
    for name in BANDS:
        for factor in (0.5, 2.0):
            assert odd_brightness({**light, name: factor * light[name]}, images) == [], name
    assert odd_brightness({**light, "SDSS_r": np.nan, "SDSS_i": -0.1}, images) == []


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize("name", BANDS)
def test_one_band_in_a_wrong_unit_is_named(name, factor):
    light = {band: 0.3 * 10 ** usual(band) for band in BANDS}
    light[name] *= factor
    (odd,) = odd_brightness(light, galaxy().images)
    assert odd.bands == (name,) and not odd.old_pixel
    assert f"times as {'bright' if factor > 1 else 'faint'}" in odd.text


def test_brightness_of_no_galaxy_is_named_where_there_is_no_other_survey():
    images = galaxy(("SDSS_g", "SDSS_r")).images
    (odd,) = odd_brightness({"SDSS_g": 7e3, "SDSS_r": 1.4e4}, images)
    assert odd.bands == ("SDSS_g", "SDSS_r") and "brighter" in odd.text
    (odd,) = odd_brightness({"SDSS_g": 1e-7, "SDSS_r": 2e-7}, images)
    assert "fainter" in odd.text


@pytest.mark.parametrize("pixel", [1.2, 3.0, 0.1])
def test_values_per_old_pixel_are_known_by_the_other_surveys(pixel):
    sdss = ("SDSS_g", "SDSS_r", "SDSS_i")
    images = dict(galaxy().images)
    for name in sdss:
        wcs = tan_wcs(SHAPE, pixel, ra=150.0, dec=2.0)
        images[name] = replace(images[name], wcs=wcs, unit="nanomaggy/pix")
    light = {name: 0.3 * 10 ** usual(name) for name in BANDS}
    wrong = {name: v * (0.396 / pixel) ** 2 if name in sdss else v for name, v in light.items()}
    (odd,) = odd_brightness(wrong, images)
    assert odd.old_pixel and odd.bands == sdss
    assert odd_brightness(light, images) == []
    (found,) = assumptions(
        Known(
            replace(galaxy(**KNOWN_ALL), images=images),
            Recipe().with_values(FINE),
            look=Look(ELLIPSE, {name: Seen(0.9, value) for name, value in wrong.items()}),
        )
    )
    assert found.mend == kinds.OLD_PIXEL and found.grave


@pytest.mark.parametrize("own", [1.375, 2.75])
def test_of_several_kinds_of_own_pixels_the_one_that_explains_it_is_named(own):
    wise = ("WISE_3.4", "WISE_4.6")
    images = dict(galaxy().images)
    for name in wise:
        wcs = tan_wcs(SHAPE, 8.0, ra=150.0, dec=2.0)
        images[name] = replace(images[name], wcs=wcs, unit="DN/pix")
    light = {name: 0.3 * 10 ** usual(name) for name in BANDS}
    wrong = {name: v * (own / 8.0) ** 2 if name in wise else v for name, v in light.items()}
    (odd,) = odd_brightness(wrong, images)
    assert odd.old_pixel and odd.bands == wise and f"own pixels are {own:g}″" in odd.text
    # One of the survey's own kinds of images was not resampled.
    for name in wise:
        images[name] = replace(images[name], wcs=tan_wcs(SHAPE, 2.75, ra=150.0, dec=2.0))
    assert not any(odd.old_pixel for odd in odd_brightness(wrong, images))
