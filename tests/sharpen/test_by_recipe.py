"""A recipe that names a coarse map sharpens what is predicted, and says so."""

import numpy as np
import pytest

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.fits_io.named_files import files_named_by
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sharpen.by_recipe import sharpen_by_recipe_steps
from tests.sharpen.scene import MD, coarse_map, predicted


def test_the_result_says_what_was_done(tmp_path):
    path = tmp_path / "low.fits"
    write_maps(path, coarse_map(0.02))
    recipe = Recipe.from_tree({"sharpen": {"coarse": str(path), "signal_to_noise": 5}})
    assert files_named_by(recipe)["coarse map"] == path
    maps = predicted()
    made = run_to_end(sharpen_by_recipe_steps(maps, recipe))
    assert Recipe.from_toml(made.provenance["recipe"]).sharpen == recipe.sharpen
    assert "low.fits sha256" in made.provenance["inputs"]["coarse map"]
    assert any("brought to the coarse map" in note for note in made.provenance["note"])
    assert [hdu.name for hdu in made.extensions] == ["LOG_SIGMA_MD_CORRECTION"]
    assert np.abs(made.values[MD] - maps.values[MD]).max() > 0.1
    assert "sharpened" not in maps.provenance
    with pytest.raises(GalaxyMapsError, match="sharpened already"):
        run_to_end(sharpen_by_recipe_steps(made, recipe))


def test_a_file_that_is_missing_is_named():
    recipe = Recipe.from_tree({"sharpen": {"coarse": "nowhere.fits"}})
    with pytest.raises(GalaxyMapsError, match=r"nowhere.fits, the coarse map, is not there"):
        run_to_end(sharpen_by_recipe_steps(predicted(), recipe))
