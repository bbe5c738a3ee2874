"""PSFs are matched through the whole chain as asked: with measured PSFs, with ready kernels, turned
with the image, and told.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import map_coordinates

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy, Stamp, pixel_frame
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.cube_files import write_cube
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.psf_files import read_stamp
from napari_galaxy_maps.pipeline import provenance
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.psf.kernels import gaussian_stamp
from napari_galaxy_maps.prepare.psf.matching import CommonPsf, band_kernel
from napari_galaxy_maps.prepare.steps import prepare, prepare_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

QUIET = {"sky": {"enabled": False}, "reddening": {"enabled": False}, "stars": {"enabled": False}}


def write_stamp(path, stamp):
    fits.PrimaryHDU(stamp.data, fits.Header({"PIXSCALE": stamp.pixel_arcsec})).writeto(path)
    return str(path)


def star(stamp, band, pixel, side, rotation=0.0, mirrored=False):
    """A star with that PSF, its light averaged over every pixel, in a little noise."""
    wcs = tan_wcs((side, side), pixel, rotation=rotation)
    if mirrored:
        wcs.wcs.cdelt = [pixel / 3600, pixel / 3600]
    finer = 5
    grid = (np.arange(side * finer) - (side * finer - 1) / 2) / finer
    y, x = np.meshgrid(grid, grid, indexing="ij")
    matrix = np.linalg.inv(stamp.frame) @ pixel_frame(wcs, (side, side))
    u, v = (row[0] * x + row[1] * y + stamp.data.shape[0] // 2 for row in matrix)
    light = (
        map_coordinates(stamp.data, [v, u], order=3)
        .reshape(side, finer, side, finer)
        .mean(axis=(1, 3))
    )
    light *= 1e4 / light.sum() / pixel**2
    light += np.random.default_rng(1).normal(0, 1e-4, light.shape)
    return BandImage(light.astype("f4"), get_band(band), wcs, fwhm=round(stamp.fwhm, 2), psf=stamp)


def encircled(plane, pixel, radii):
    half = plane.shape[0] // 2
    distance = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) * pixel
    light = np.nan_to_num(plane) * pixel**2 / 1e4
    return np.array([light[distance < radius].sum() for radius in radii])


def psf_notes(galaxy, recipe):
    notes = {}
    cube = run_to_end(
        prepare_steps(galaxy, recipe),
        lambda p: notes.update({p.detail.split(":")[0]: p.detail}) if p.step == "psf" else None,
    )
    return cube, notes


@pytest.mark.realdata
@pytest.mark.parametrize("turned", [{}, {"rotation": 35}, {"rotation": -60, "mirrored": True}])
@pytest.mark.parametrize(
    "own, band, pixel", [("sdss_i", "SDSS_i", 0.4), ("2mass_j", "2MASS_J", 1.0)]
)
def test_a_real_star_broadened_by_the_chain_has_the_wider_psf(
    shared_data, own, band, pixel, turned
):
    narrow, wide = (
        read_stamp(shared_data / "psf" / f"psf_emp_{name}.fits.gz") for name in (own, "galex_nuv")
    )
    images = {
        band: star(narrow, band, pixel, int(120 / pixel) | 1, **turned),
        "GALEX_NUV": star(wide, "GALEX_NUV", 1.0, 121),
    }
    galaxy = Galaxy("a star", images, 150.0, 2.0, None, Ellipse(150.0, 2.0, 25, 25))
    recipe = Recipe.from_tree({**QUIET, "psf": {"target": "GALEX_NUV"}, "grid": {"pixel": 1.0}})
    cube, notes = psf_notes(galaxy, recipe)
    radii = np.array([2, 3, 4, 6, 8, 10, 15, 20])
    ours, goal = (
        encircled(cube.data[cube.bands.index(name)], 1.0, radii) for name in (band, "GALEX_NUV")
    )
    assert goal[-1] > 0.9 and np.abs(ours - goal).max() < 0.02
    assert (
        f"made from psf_emp_{own}.fits.gz (sha256" in notes[band] and "negative lobe" in notes[band]
    )
    assert "left at 5.27 arcsec" in notes["GALEX_NUV"]  # the target itself is not touched


def test_an_elongated_psf_is_made_round_on_an_image_that_is_turned_and_mirrored():
    y, x = np.mgrid[-40:41, -40:41] * 0.5
    u, v = x * np.cos(0.5) + y * np.sin(0.5), y * np.cos(0.5) - x * np.sin(0.5)
    data = np.exp(-(u**2 / 2.5**2 + v**2 / 1.5**2) / 2)
    long = Stamp(data / data.sum(), 0.5 * np.eye(2), "long")
    images = {
        "2MASS_J": star(long, "2MASS_J", 1.0, 121, rotation=40, mirrored=True),
        "2MASS_H": star(gaussian_stamp(12.0, 0.5), "2MASS_H", 1.0, 121),
    }
    galaxy = Galaxy("a star", images, 150.0, 2.0, None, Ellipse(150.0, 2.0, 25, 25))
    cube = prepare(
        galaxy, Recipe.from_tree({**QUIET, "psf": {"target": 12.0}, "grid": {"pixel": 1.0}})
    )
    ours, goal = np.nan_to_num(cube.data)
    np.testing.assert_allclose(ours, goal, atol=0.01 * goal.max())
    plain = {**images, "2MASS_J": replace(images["2MASS_J"], psf=None)}
    cube = prepare(
        replace(galaxy, images=plain),
        Recipe.from_tree({**QUIET, "psf": {"target": 12.0}, "grid": {"pixel": 1.0}}),
    )
    assert (
        np.abs(np.nan_to_num(cube.data[0]) - goal).max() > 0.02 * goal.max()
    )  # as a Gaussian it is not


# --- ready kernels --------------------------------------------------------------------------------


@pytest.fixture
def made(galaxy_folder, tmp_path):
    """A galaxy, its recipe, and a function that writes a kernel or PSF file."""
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 9.0}}
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    return (
        galaxy,
        recipe,
        lambda name, fwhm, pixel: write_stamp(tmp_path / name, gaussian_stamp(fwhm, pixel)),
    )


def with_kernel(recipe, band, path):
    return Recipe.from_tree(
        {**recipe.model_dump(), "psf": {"target": 9.0, "kernels": {band: path}}}
    )


def test_a_ready_kernel_does_what_the_gaussian_does_and_says_what_it_is(made):
    galaxy, recipe, write = made
    fwhm = galaxy.images["WISE_3.4"].fwhm
    path = write("Kernel_WISE_3.4_to_9.fits", np.sqrt(81 - fwhm**2), 0.5)
    cube, notes = psf_notes(galaxy, with_kernel(recipe, "W1", path))
    plain = prepare(galaxy, recipe)
    np.testing.assert_allclose(cube.data, plain.data, atol=2e-3 * np.nanmax(plain.data))
    words = notes["WISE_3.4"]
    assert (
        "kernel Kernel_WISE_3.4_to_9.fits (sha256 " in words
        and "resampled from 0.5 to 1.5 arcsec" in words
    )
    assert "made for" not in words and "leads to" not in words


def test_a_kernel_of_other_bands_or_of_another_width_is_told(made):
    galaxy, recipe, write = made
    cube, notes = psf_notes(
        galaxy,
        with_kernel(recipe, "2MASS_J", write("Kernel_LoRes_WISE_4.6_to_SPIRE_350.fits", 20, 1.0)),
    )
    assert (
        "made for WISE_4.6, not 2MASS_J" in notes["2MASS_J"]
        and "leads to a PSF of 20" in notes["2MASS_J"]
    )
    assert cube.bands == ("SDSS_r", "2MASS_J", "WISE_3.4")
    with pytest.raises(
        RecipeError, match=r"A kernel is given for 'WISE_22', which is none of the bands"
    ):
        prepare(galaxy, with_kernel(recipe, "WISE_22", write("another.fits", 5, 1.0)))
    with pytest.raises(InputError, match=r"missing\.fits does not exist"):
        prepare(galaxy, with_kernel(recipe, "2MASS_J", "missing.fits"))


def test_a_kernel_larger_than_the_image_is_told():
    image = star(gaussian_stamp(4.0, 0.5), "2MASS_J", 1.0, 61)
    kernel = band_kernel(replace(image, psf=None), CommonPsf(60.0))
    assert kernel.array.shape[0] > 61 and "larger than the image" in str(kernel)


@pytest.mark.realdata
def test_anianos_kernel_goes_through_the_chain(made, shared_data):
    galaxy, recipe, _ = made
    images = {
        n: image.evolve(band=get_band("WISE_4.6")) if n == "WISE_3.4" else image
        for n, image in galaxy.images.items()
    }
    images["WISE_4.6"] = images.pop("WISE_3.4")
    path = shared_data / "kernels" / "Kernel_LoRes_WISE_4.6_to_SPIRE_350.fits"
    recipe = Recipe.from_tree(
        {**recipe.model_dump(), "psf": {"target": "SPIRE_350", "kernels": {"WISE_4.6": str(path)}}}
    )
    cube, notes = psf_notes(replace(galaxy, images=images), recipe)
    assert np.isfinite(cube.data).any() and "sum of 340.2 made 1" in notes["WISE_4.6"]
    assert (
        "negative lobe 0.5% of the peak" in notes["WISE_4.6"]
        and "leads to" not in notes["WISE_4.6"]
    )


# --- the target, bands too broad, what is not done again ------------------------------------------


@pytest.mark.slow
def test_the_target_may_be_a_measured_psf(made):
    galaxy, recipe, write = made
    path = write("target.fits", 9.0, 0.5)
    cube = prepare(galaxy, Recipe.from_tree({**recipe.model_dump(), "psf": {"target": path}}))
    assert cube.fwhm == pytest.approx(9.0, rel=0.01)
    plain = prepare(galaxy, recipe)
    np.testing.assert_allclose(cube.data, plain.data, atol=0.01 * np.nanmax(plain.data))


def test_a_psf_file_gives_the_band_its_width(made, galaxy_folder):
    _, recipe, write = made
    path = write("psf.fits", 4.0, 0.25)
    given = Recipe.from_tree(
        {**recipe.model_dump(), "input": {"psf": {"2MASS_J": path, "SDSS_r": 1.5}}}
    )
    galaxy = read_galaxy(
        [galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5}, name="other")], given
    )
    assert galaxy.images["2MASS_J"].fwhm == pytest.approx(4.0, rel=0.01)
    assert galaxy.images["2MASS_J"].psf.name == "psf.fits" and galaxy.images["SDSS_r"].psf is None
    assert any("PSF psf.fits (sha256" in note for note in galaxy.images["2MASS_J"].notes)
    named = provenance(galaxy, given)["inputs"]
    assert any(
        key == "psf of 2MASS_J" and "psf.fits sha256 " in text for key, text in named.items()
    )


@pytest.mark.slow
def test_a_band_too_broad_is_kept_where_that_is_asked(galaxy_folder, tmp_path):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SPIRE_250": 20.0})
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 8.0, "broader": "keep"}}
    )
    cube, _ = psf_notes(read_galaxy([folder], recipe), recipe)
    assert cube.bands == ("2MASS_J", "WISE_3.4", "SPIRE_250") and cube.images["SPIRE_250"].fwhm > 17
    assert any(
        "too broad" in note and "kept as asked" in note for note in cube.images["SPIRE_250"].notes
    )
    assert not any("too broad" in note for note in cube.images["WISE_3.4"].notes)
    write_cube(tmp_path / "cube.fits", cube, {})
    assert fits.getdata(tmp_path / "cube.fits", "BANDS")["FWHM"].tolist() == pytest.approx(
        [8, 8, 18]
    )
    assert any(
        "kept as asked" in str(row) for row in fits.getdata(tmp_path / "cube.fits", "RECIPE")
    )


def test_kernels_and_broad_bands_are_not_done_again(made):
    galaxy, recipe, write = made
    recipe = with_kernel(recipe, "2MASS_J", write("Kernel_2MASS_J_to_9.fits", 8.3, 1.0))
    recipe = recipe.with_values(["psf.broader=keep", "psf.target=5.0"])
    memory = PreparationMemory()
    first = {(p.step, p.detail): p.result for p in list(prepare_steps(galaxy, recipe, memory))}
    again = list(prepare_steps(galaxy, recipe, memory))
    assert all(p.result is first[(p.step, p.detail)] for p in again)
