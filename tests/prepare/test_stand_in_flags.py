"""Pixels say where another camera's band stands in: where it has a value, measured or filled in."""

from dataclasses import replace

import numpy as np

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.prepare.masks.mask_set import Masks
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end


def test_a_stand_in_is_flagged_where_it_has_a_value(galaxy_folder):
    folder = galaxy_folder({"DECam_g": 2.0, "WISE_3.4": 5.0})
    tree = {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "impute": {"enabled": False}}
    masks = Masks((Star("a", 150.005, 2.0, 15.0, "hand", {"SDSS_g": 8.0, "DECam_g": 8.0}),))
    flagged = {}
    for allowed in (False, True):
        recipe = Recipe.from_tree({**tree, "input": {"stand_in": allowed}})
        galaxy = read_galaxy([folder], recipe)
        name = "SDSS_g" if allowed else "DECam_g"
        image = galaxy.images[name]
        data = image.data.copy()
        data[: data.shape[0] // 2 - 20] = np.nan
        galaxy = replace(galaxy, images={**galaxy.images, name: image.evolve(data=data)})
        cube = run_to_end(prepare_steps(galaxy, recipe, masks=masks))
        flagged[allowed] = (cube.flags & Flag.STAND_IN) != 0
        has_value = np.isfinite(cube.data[cube.bands.index(name)])
        light = cube.masked_light
        filled = np.isfinite(light.data[cube.bands.index(name)])
        has_value[light.where] |= filled
    assert not flagged[False].any()
    assert filled.any() and 0.1 < has_value.mean() < 0.9
    np.testing.assert_array_equal(flagged[True], has_value)
