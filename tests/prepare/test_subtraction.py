"""Stars are subtracted where their light is known, and only the rest of them is masked; edits,
files and regions keep that to the bit.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.star_settings import StarSettings
from napari_galaxy_maps.prepare.masks import mask_edits
from napari_galaxy_maps.prepare.masks.mask_files import (
    mask_hdus,
    masks_from_regions,
    masks_to_regions,
    read_masks,
)
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.psf.kernels import kernel_between
from napari_galaxy_maps.prepare.stars.star_bands import Field
from napari_galaxy_maps.prepare.stars.star_files import psf_numbers
from napari_galaxy_maps.prepare.stars.star_fit import Fit
from napari_galaxy_maps.prepare.stars.star_light import StarLight, light_planes
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.stars.star_wings import StarPsf
from napari_galaxy_maps.prepare.stars.subtraction import subtracted
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

SHAPE, FWHM, NOISE = (121, 131), 4.0, 0.02
KNOWN = StarPsf(
    FWHM, 0.0, (0.0, 3.0, 6.0, 12.0), (1.0, 0.2, 0.02, 0.002), (0.001, 0.002, 0.005, 0.01)
)
BANDS = ("SDSS_i", "2MASS_J")


def frame(**changes):
    wcs = tan_wcs(SHAPE, 1.0, rotation=25)
    data = np.zeros(SHAPE, "f4")
    return BandImage(data, get_band("SDSS_i"), wcs, fwhm=FWHM).evolve(**changes)


def light_at(x, y, psf=KNOWN, peak=20.0, image=None):
    place = (image or frame()).wcs.pixel_to_world(x, y)
    return StarLight(
        float(place.ra.deg), float(place.dec.deg), peak, 1.05, 0.01, 30.0, 9.0, 14.3, psf
    )


def starred(name="1", x=50.0, y=60.0, psf=KNOWN, radius=3.7, **changes):
    light = light_at(x, y, psf)
    lights = {"SDSS_i": light, "2MASS_J": replace(light, peak=light.peak / 3)}
    star = Star(name, light.ra, light.dec, 15.0, "gaia", {"SDSS_i": radius, "2MASS_J": 0.0})
    return replace(star, lights=lights, **changes)


# Light --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("psf", [KNOWN, StarPsf(FWHM, 2.8)])
def test_what_is_subtracted_is_the_profile_at_the_distance_on_the_sky(psf):
    planes = light_planes([light_at(50.3, 60.8, psf)], frame())
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    radius = np.hypot(columns - 50.3, rows - 60.8)
    expected = 20 * np.interp(radius / 1.05, psf.wings.radius, psf.wings.profile)
    within = radius < 29.9
    np.testing.assert_allclose(planes.light[within], expected[within], rtol=2e-4)
    assert not planes.light[radius > 30.1].any()
    share = planes.doubt[within] / planes.light[within]
    told = psf.doubt_at(radius[within] / 1.05)
    np.testing.assert_allclose(share, np.hypot(told, 0.01), rtol=1e-3)


def test_planes_that_follow_edits_are_those_of_a_fresh_start_to_the_last_bit():
    image, known = frame(), {}
    a, b, c = light_at(50, 60), light_at(62, 66), light_at(-5, 20, peak=3.0)
    planes = None
    for lights in ([a, b, c], [b, c], [b, replace(c, peak=9.0)], [a, b], [], [b]):
        planes = light_planes(lights, image, planes, known)
        fresh = light_planes(lights, image)
        if not lights:
            assert planes is fresh is None
            continue
        assert (planes.light == fresh.light).all() and (planes.doubt == fresh.doubt).all()
        assert light_planes(list(lights), image, planes, known) is planes


@pytest.mark.parametrize("target", [9.0, None], ids=["convolved", "at its own PSF"])
def test_an_edit_of_what_is_subtracted_gives_what_a_full_run_gives(target):
    rng = np.random.default_rng(3)
    image = frame(data=rng.normal(2, NOISE, SHAPE).astype("f4"))
    kernel = None if target is None else kernel_between(FWHM, target, image.frame)
    mask = np.zeros(SHAPE, bool)
    mask[55:60, 40:50] = True
    a, b = light_at(50, 60), light_at(80, 30)
    memory = PreparationMemory()
    for lights in ([a, b], [b], [a, b], []):
        ours = memory.match(image, mask, kernel, target or FWHM, 0.5, 0.0, lights)[1]
        fresh = PreparationMemory().match(image, mask, kernel, target or FWHM, 0.5, 0.0, lights)[1]
        np.testing.assert_allclose(ours.data, fresh.data, rtol=1e-6)
        if lights:
            np.testing.assert_allclose(ours.doubt, fresh.doubt, atol=1e-7)
    assert ours.doubt is None or ours.doubt.max() < 1e-7
    without = PreparationMemory().match(image, mask, kernel, target or FWHM, 0.5)[1]
    np.testing.assert_allclose(ours.data, without.data, rtol=1e-6)


# Which stars --------------------------------------------------------------------------------------


def fitted(psf, peak=20.0, told=1.0, galaxy=0.0, width=1.0):
    """One star on a smooth galaxy; `told` times its peak is what the fit says."""
    rng = np.random.default_rng(1)
    image = frame()
    truth = replace(light_at(60.0, 60.0, psf, peak), width=width, reach=1e3)
    data = light_planes([truth], image).light + galaxy + rng.normal(0, NOISE, SHAPE)
    one = np.array([60.0])
    fit = Fit(peak * told, 0.001, 60.0, 60.0, FWHM * width, NOISE, True)
    return Field(
        image.evolve(data=data.astype("f4")), 1.0, NOISE, 0.0, one, one, np.zeros(1), np.zeros(1),
        FWHM, np.array([peak]), [fit], psf,
    )  # fmt: skip


def decide(stars, circle=18.0, away=1e3, **settings):
    lights, radii = subtracted(
        stars, np.array([circle]), np.array([away]), StarSettings(**settings)
    )
    return lights[0], float(radii[0])


def test_a_star_whose_light_is_known_needs_no_circle_and_a_doubtful_one_a_small_one():
    light, radius = decide(fitted(KNOWN, peak=2.0))
    assert light is not None and radius == 0
    doubtful = replace(KNOWN, doubt=(0.2, 0.2, 0.2, 0.2))
    light, radius = decide(fitted(doubtful))
    assert light is not None and light.circle == 18
    edge = np.arange(0, 18, 0.1)
    needed = edge[light.doubt_at(edge) > NOISE].max()
    assert needed <= radius <= needed + 0.25 * FWHM + 1 < 18
    smaller = decide(fitted(doubtful, galaxy=5.0))[1]
    assert smaller < radius  # a tenth of the galaxy's light is over the noise there


@pytest.mark.parametrize("told", [0.6, 1.5])
def test_what_is_left_of_a_wrong_model_is_masked(told):
    light, radius = decide(fitted(KNOWN, told=told))
    needed = KNOWN.wings.reaching(2 * NOISE / (20 * abs(told - 1)))
    assert light is None or radius >= needed
    assert radius > 3


@pytest.mark.parametrize(
    "why", [{"away": 1.0}, {"circle": 90.0}, {"circle": 0.0}], ids=["nucleus", "largest", "unseen"]
)
def test_stars_that_the_fit_says_little_of_are_masked_as_they_were(why):
    light, radius = decide(fitted(KNOWN), **why)
    assert light is None and radius == why.get("circle", 18.0)


@pytest.mark.parametrize("change", [{"saturated": True}, {"fwhm": 2 * FWHM}, {"x": 70.0}])
def test_odd_fits_are_masked_as_they_were(change):
    stars = fitted(KNOWN)
    stars.fits[0] = replace(stars.fits[0], **change)
    assert decide(stars) == (None, 18.0)


# Edits --------------------------------------------------------------------------------------------


def test_a_star_can_be_masked_in_place_of_subtracted_and_a_moved_one_is():
    star = starred()
    whole = mask_edits.masked_whole(star)
    assert not whole.lights and whole.radii == {"SDSS_i": 14.3, "2MASS_J": 14.3}
    one = mask_edits.masked_whole(star, "2MASS_J")
    assert list(one.lights) == ["SDSS_i"] and one.radii["SDSS_i"] == star.radii["SDSS_i"]
    moved = mask_edits.moved(star, star.ra + 0.01, star.dec)
    assert moved.radii == whole.radii and not moved.lights
    assert list(mask_edits.unmasked(star, "2MASS_J").lights) == ["SDSS_i"]
    only = replace(star, radii={"SDSS_i": 0.0}, lights={"SDSS_i": star.lights["SDSS_i"]})
    assert mask_edits.unmasked(only, "2MASS_J") is not None
    assert mask_edits.unmasked(only, "SDSS_i") is None
    assert not mask_edits.alike(Masks((star,)), Masks((one,)))
    assert Masks((replace(star, enabled=False),)).lights_in("SDSS_i") == []


# Files --------------------------------------------------------------------------------------------


def two_stars():
    return Masks((starred(), starred("2", 80.0, 30.0, StarPsf(3.3, 2.5), radius=0.0)))


def test_result_files_hold_what_is_subtracted_to_the_bit(tmp_path):
    masks = two_stars()
    path = tmp_path / "masks.fits"
    fits.HDUList([fits.PrimaryHDU(), *mask_hdus(masks)]).writeto(path)
    assert read_masks(path).stars == masks.stars
    numbers = psf_numbers(star.lights for star in masks.stars)
    assert sorted(numbers.values()) == [1, 2]
    with fits.open(path, mode="update") as hdus:
        del hdus["STARPSF"]
    with pytest.raises(Exception, match="STARS table cannot be read"):
        read_masks(path)


def test_regions_hold_what_is_subtracted_to_the_bit_and_say_what_they_lost(tmp_path):
    masks, path, notes = two_stars(), tmp_path / "stars.reg", []
    masks_to_regions(path, masks)
    back = masks_from_regions(path, BANDS, notes)
    assert [star.lights for star in back.stars] == [star.lights for star in masks.stars]
    radii = [star.radii for star in back.stars]
    assert radii[1] == {"SDSS_i": 0.0, "2MASS_J": 0.0} and radii[0]["2MASS_J"] == 0
    assert radii[0]["SDSS_i"] == pytest.approx(3.7) and not notes
    lines = path.read_text().replace("psf=", "pfs=")
    path.write_text(lines)
    lost = masks_from_regions(path, BANDS, notes)
    assert not any(star.lights for star in lost.stars)
    assert all(star.radii["SDSS_i"] == pytest.approx(14.3) for star in lost.stars)
    assert len(notes) == 1 and "masked in place" in notes[0]
    path.write_text(lines.replace("subtract=", "subtract=x"))
    assert not any(star.lights for star in masks_from_regions(path, BANDS, notes).stars)


# The whole way ------------------------------------------------------------------------------------


def prepared(masks, **stars):
    rng = np.random.default_rng(7)
    images = {}
    for name in BANDS:
        image = replace(frame(), band=get_band(name))
        light = light_planes(two_stars().lights_in(name), image).light
        ellipse = Ellipse(150.0, 2.0, 45, 40, 0)
        disc = 3 * np.exp(-2 * ellipse.radius(image.wcs, SHAPE))
        data = disc + light + rng.normal(0, NOISE, SHAPE)
        images[name] = image.evolve(data=data.astype("f4"))
    galaxy = Galaxy("made up", images, 150.0, 2.0, 20.0, ellipse)
    tree = {
        "psf": {"target": 6.0}, "grid": {"pixel": 2.0}, "sky": {"enabled": False},
        "impute": {"enabled": False}, "stars": stars,
    }  # fmt: skip
    return run_to_end(prepare_steps(galaxy, Recipe.from_tree(tree), masks=masks))


def test_a_subtracted_star_is_gone_from_the_cube_flagged_and_uncertain():
    masks = two_stars()
    stars, bare, none = prepared(masks), prepared(Masks()), prepared(masks, subtract=False)
    where = (stars.flags & Flag.SUBTRACTED) != 0
    assert 0 < where.mean() < 0.5 and not (bare.flags & Flag.SUBTRACTED).any()
    assert not (none.flags & Flag.SUBTRACTED).any()
    assert (none.mask & ~stars.mask).any() and not (stars.mask & ~none.mask).any()
    fine = where & ~stars.own_masks[0] & np.isfinite(stars.data[0])
    assert (stars.data[0][fine] < bare.data[0][fine]).mean() > 0.95
    at = np.nanargmax(np.where(fine, bare.data[0] - stars.data[0], np.nan))
    assert stars.uncertainty[0].flat[at] > 1.1 * np.nanmedian(stars.uncertainty[0][~where])
