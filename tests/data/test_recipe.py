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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("galaxy.distance=25000", "galaxy.distance: 25000 is outside 0.001 to 4000 Mpc"),
        ("galaxy.hubble_stage=11", "galaxy.hubble_stage: 11 is outside -5 to 10"),
        ("galaxy.ra=true", "galaxy.ra: true is no value for it"),
        ("galaxy.dec=north", "galaxy.dec: 'north' is no position; write it like -09:54:50"),
        ("sky.reach=nan", "sky.reach: nan is outside"),
        ("sky.reach=1.1", "exclude, 1.25, is the inner edge"),
        ("sky.enabled=nan", "sky.enabled: nan is not true or false"),
        ("errors.gain.SDSS_r=inf", "errors.gain: SDSS_r: inf is outside"),
        ("input.psf.SDSS_r=1e9", "input.psf: SDSS_r: 1000000000 is outside 0.01 to 3600 arcsec"),
        ("psf.target=inf", "psf.target: inf is outside"),
        ("psf.kernels.SDSS_r=3", "psf.kernels.SDSS_r: 3 is not text"),
        ("grid.pixel=1e9 pc", "grid.pixel: 1000000000 is outside 0.1 to 1e+06 pc"),
        ("sed.seed=" + "9" * 5000, "characters) is not a whole number"),
        ("sed.imf=" + "[" * 5000, "characters) is none of 'salpeter' or 'chabrier'"),
        ("sed.ebv=[0.1, true]", "sed.ebv: true is no value for it"),
        ("impute.n_models=1000.5", "impute.n_models: 1000.5 is not a whole number"),
        ("galaxy.name=" + "x" * 300, "at most 200 characters"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(text, says):
    with pytest.raises(RecipeError) as refused:
        Recipe().with_values([text])
    assert says in str(refused.value) and len(str(refused.value)) < 300


def test_a_position_may_be_written_in_hours_and_degrees(tmp_path):
    recipe = Recipe().with_values(["galaxy.ra=00:56:42.6", "galaxy.dec=-09:54:50"])
    assert recipe.galaxy.ra == pytest.approx(14.1775)
    assert recipe.galaxy.dec == pytest.approx(-9.91389, abs=1e-5)
    (tmp_path / "recipe.toml").write_text("[galaxy]\nra = 00:56:42.6\ndec = '-9d54m50s'\n")
    assert read_recipe(tmp_path / "recipe.toml").galaxy == recipe.galaxy


def test_settings_change_a_copy():
    recipe = Recipe()
    assert recipe.with_values(["sky.model=plane", "galaxy.name=NGC 309"]).sky.model == "plane"
    assert recipe == Recipe()


def test_an_unknown_key_in_a_file_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("[sky]\nmodle = 'plane'\n")
    with pytest.raises(RecipeError, match=r"recipe\.toml: sky\.modle: there is no such setting"):
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


@pytest.mark.parametrize(
    "text", ["a" + ".a" * 5000 + " = 1", "a = " + "[" * 3000 + "]" * 3000, "a = " + "{a=" * 3000]
)
def test_a_recipe_that_is_nested_without_end_is_refused_in_a_sentence(text):
    with pytest.raises(RecipeError, match=r"^r\.toml(: a: there is no| is no)"):
        Recipe.from_toml(text, "r.toml")
