"""Settings of stars: a result that is older than one of them keeps its numbers."""

import pytest

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.star_settings import StarSettings


def test_a_stored_recipe_from_before_the_contrast_holds_circles_as_they_were():
    text = Recipe().to_toml()
    old = "\n".join(line for line in text.splitlines() if not line.startswith("contrast"))
    assert old != text.rstrip()
    assert Recipe.from_toml(old).stars.contrast == 0
    assert Recipe.from_toml(text).stars.contrast == StarSettings().contrast > 0


@pytest.mark.parametrize("tree", [{}, {"leak": 0.02, "find": True}])
def test_a_recipe_in_which_a_person_names_some_settings_has_the_usual_contrast(tree):
    settings = StarSettings.model_validate(tree)
    assert settings.contrast == StarSettings().contrast
    settings.depth = 2.0
    assert settings.contrast == StarSettings().contrast


def test_a_result_of_before_stars_were_subtracted_masks_them():
    tree = StarSettings().model_dump()
    older = {name: value for name, value in tree.items() if name != "subtract"}
    assert StarSettings.model_validate(older).subtract is False
    assert StarSettings.model_validate(older).contrast == StarSettings().contrast
    assert StarSettings.model_validate({"depth": 2.0}).subtract is True
