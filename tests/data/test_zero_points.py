"""Zero points are read as people write them."""

import pytest

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.zero_points import parse_zero_point
from napari_galaxy_maps.exceptions import RecipeError


@pytest.mark.parametrize(
    "text, parts",
    [
        ("22.5", (22.5, "", "")), ("22.5 AB", (22.5, "AB", "")), ("Vega", (None, "Vega", "")),
        ("25 AB per second", (25, "AB", "second")), ("25 vega/s", (25, "Vega", "second")),
        ("per image", (None, "", "image")), ("24 mag", (24, "", "")),
        ("225", None), ("nan", None), ("-1", None), ("", None), ("22.5 bananas", None),
    ],
)  # fmt: skip
def test_zero_points_are_written_as_people_write_them(text, parts):
    found = parse_zero_point(text)
    assert (found and (found.magnitude, found.system, found.per)) == parts


def test_a_recipe_refuses_what_is_no_zero_point():
    with pytest.raises(RecipeError, match="'bright' is no zero point"):
        Recipe.from_tree({"input": {"zero_points": {"a.fits": "bright"}}})
