"""The recipe survives its files, and refuses what it does not know in words that help."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import RecipeError
from napari_galaxy_maps.fits_io.recipe_files import read_recipe


@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20),
    clip=st.floats(1.5, 9),
    target=st.one_of(st.floats(1, 50), st.sampled_from(["auto", "WISE_22"])),
    files=st.dictionaries(
        st.text("abc.é_", min_size=1, max_size=8),
        st.sampled_from(["WISE_3.4", "SDSS_u"]),
        max_size=3,
    ),
)
def test_a_recipe_comes_back_from_toml_as_it_was(name, clip, target, files):
    recipe = Recipe.from_tree(
        {
            "galaxy": {"name": name},
            "sky": {"clip": clip},
            "psf": {"target": target},
            "input": {"bands": files},
        }
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe


@pytest.mark.parametrize(
    "text, says",
    [("sky.model=cube", "constant"), ("sky=3", "STEP.KEY=VALUE"),
     ("sky.nonsense=1", "no setting 'sky.nonsense'"),
     ("grid.pixel=many", "grid.pixel"), ("galaxy.axis_ratio=3", "galaxy.axis_ratio")],
)  # fmt: skip
def test_a_wrong_setting_is_refused_and_named(text, says):
    with pytest.raises(RecipeError, match=says.replace(".", r"\.")):
        Recipe().with_values([text])


def test_settings_change_a_copy():
    recipe = Recipe()
    assert recipe.with_values(["sky.model=plane", "galaxy.name=NGC 309"]).sky.model == "plane"
    assert recipe == Recipe()


def test_an_unknown_key_in_a_file_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("[sky]\nmodle = 'plane'\n")
    with pytest.raises(RecipeError, match=r"recipe\.toml: sky\.modle: no such setting"):
        read_recipe(path)


def test_a_file_that_is_no_recipe_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="is not text in UTF-8"):
        read_recipe(path)


def test_a_table_of_stars_beside_a_recipe_is_found_from_anywhere(tmp_path, monkeypatch):
    folder = tmp_path / "galaxy"
    folder.mkdir()
    (folder / "stars.ecsv").write_text("x")
    (folder / "recipe.toml").write_text(
        '[stars]\ncatalogue = "stars.ecsv"\n[reddening]\nmap = "SFD"\n'
    )
    monkeypatch.chdir(tmp_path)
    recipe = read_recipe("galaxy/recipe.toml")
    assert recipe.stars.catalogue == str(Path("galaxy") / "stars.ecsv")
    assert recipe.reddening.map == "SFD"  # no file: the name of a map stays
    (folder / "other.toml").write_text('[stars]\ncatalogue = "gaia"\n')
    assert read_recipe(folder / "other.toml").stars.catalogue == "gaia"
