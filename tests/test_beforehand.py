"""What is known of a prepared cube before a prediction from it."""

from dataclasses import replace

import pytest

from napari_galaxy_maps.beforehand import known_of_cube, remarks_before
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.pipeline import prepare_galaxy_steps
from napari_galaxy_maps.progress import run_to_end


@pytest.fixture
def cube(galaxy_folder):
    folder, recipe = galaxy_folder({"2MASS_J": 20.0, "WISE_3.4": 30.0, "WISE_4.6": 15.0}), Recipe()
    return run_to_end(prepare_galaxy_steps(read_galaxy([folder], recipe), recipe))


def test_of_a_cube_is_known_what_its_galaxy_needs(cube):
    known = known_of_cube(replace(cube, pixel_pc=100.0, redshift=0.01), Recipe())
    assert tuple(known.galaxy.images) == cube.bands and known.galaxy.redshift == 0.01
    assert known.galaxy.distance_mpc == pytest.approx(100 / cube.pixel_arcsec * 0.206265, rel=1e-4)
    assert known.pixel_arcsec == cube.pixel_arcsec and known.cube is not None
    assert set(known.seen) == set(cube.bands)
    assert list(known.remarks) == remarks_before(cube, Recipe())


def test_what_the_recipe_tells_counts_for_a_cube(cube):
    told = Recipe().with_values(["galaxy.redshift=0.02", "model.name=stellar-unet"])
    assert known_of_cube(cube, told).galaxy.redshift == 0.02
