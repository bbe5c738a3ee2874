"""Results say how they were made, whatever they were made of, and what has changed since."""

import numpy as np
import pytest
from astropy.table import QTable

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.open_fits import sha256
from napari_galaxy_maps.fits_io.recipe_files import read_provenance, read_recipe
from napari_galaxy_maps.models.registry import SHIPPED, load_card, load_model, model_hash
from napari_galaxy_maps.provenance import changed_since, step_versions, versions
from tests.conftest import write_galaxy

BANDS = {
    "SDSS_r": 3.0, "2MASS_J": 5.0, "WISE_3.4": 4.0, "PACS_100": 40.0, "PACS_160": 50.0,
    "SPIRE_250": 30.0,
}  # fmt: skip
GALAXY = [
    "--ra", "150", "--dec", "2", "--d25", "2.5", "--axis-ratio", "0.9", "--distance", "10",
    "--resolution", "SPIRE_250", "--ebv", "0.03", "--quiet",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a galaxy's images and its cube."""
    folder = write_galaxy(tmp_path_factory.mktemp("galaxies") / "galaxy", BANDS)
    cube = folder.parent / "cube.fits"
    assert main(["prepare", str(folder), "--out", str(cube), *GALAXY]) == 0
    return folder, cube


@pytest.mark.slow
def test_what_is_made_of_a_cube_says_how_the_cube_was_made(made, tmp_path):
    _, cube = made
    maps, truth = tmp_path / "maps.fits", tmp_path / "truth.fits"
    assert main(["predict", str(cube), "--out", str(maps), "--quiet"]) == 0
    few = ["--set", "sed.n_models=300", "--redshift", "0.002"]
    assert main(["truth", str(cube), "--out", str(truth), "--quiet", *few]) == 0
    of_cube, own = read_provenance(cube), read_recipe(cube)
    assert own.reddening.ebv == 0.03 and own.psf.target == "SPIRE_250"
    for path in (maps, truth):
        found = read_provenance(path)
        assert found["object"] == of_cube["object"] and found["versions"] == versions()
        assert found["steps"] == step_versions()
        assert found["note"][: len(of_cube["note"])] == of_cube["note"]
        assert found["inputs"]["cube"] == f"cube.fits sha256 {sha256(cube)}"
        assert {b: found["inputs"][b] for b in of_cube["inputs"]} == of_cube["inputs"]
    assert read_recipe(maps) == own
    true = read_recipe(truth)
    assert (true.sed.n_models, true.galaxy.redshift) == (300, 0.002)
    assert true.model_copy(update={"sed": own.sed, "galaxy": own.galaxy}) == own


@pytest.mark.slow
def test_a_result_of_a_cube_is_run_again_from_the_images(made, tmp_path):
    folder, cube = made
    first, again = tmp_path / "first.fits", tmp_path / "again.fits"
    assert main(["predict", str(cube), "--out", str(first), "--quiet"]) == 0
    options = ["--recipe", str(first), "--out", str(again), "--quiet"]
    assert main(["predict", str(folder), *options]) == 0
    assert read_recipe(again) == read_recipe(first)
    assert set(read_maps(again).values) == set(read_maps(first).values)


@pytest.mark.slow
def test_tables_say_what_they_were_made_from(made, tmp_path):
    _, cube = made
    maps = tmp_path / "maps.fits"
    assert main(["predict", str(cube), "--out", str(maps), "--quiet"]) == 0
    ellipse = ["--ellipse", "150,2,60,50,0"]
    for number, (source, command) in enumerate(
        [(maps, ["measure", "--total"]), (cube, ["measure", *ellipse]), (maps, ["profile"])]
    ):
        out = tmp_path / f"{number}.ecsv"
        assert main([*command[:1], str(source), "--out", str(out), "--quiet", *command[1:]]) == 0
        made_from = QTable.read(out).meta["made_from"]
        if command[0] == "profile":
            made_from = made_from["measured"]
        assert Recipe.from_toml("\n".join(made_from["recipe"])) == read_recipe(cube)
        assert "SDSS_r" in made_from["inputs"] and made_from["versions"] == versions()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--ebv", "0.1", "--stars", "nothing.csv"], "--ebv and --stars would have no effect"),
        (["--band", "x=y"], "--band"), (["--unit", "x=y"], "--unit"), (["--psf", "x=3"], "--psf"),
        (["--name", "NGC 1"], "--name"), (["--ra", "3"], "--ra"), (["--dec", "3"], "--dec"),
        (["--distance", "3"], "--distance"), (["--redshift", "0.1"], "--redshift"),
        (["--set", "galaxy.redshift=0.1"], "galaxy.redshift"),
        (["--d25", "3"], "--d25"), (["--axis-ratio", "0.3"], "--axis-ratio"),
        (["--position-angle", "3"], "--position-angle"), (["--table", "x.csv"], "--table"),
        (["--reddening-map", "x.fits"], "--reddening-map"), (["--mask", "x.reg"], "--mask"),
        (["--resolution", "12"], "--resolution"), (["--kernel", "a=b"], "--kernel"),
        (["--pixel", "3"], "--pixel"), (["--pixel-pc", "300"], "--pixel-pc"),
        (["--recipe", "x.toml"], "--recipe"), (["--set", "sky.model=plane"], "sky.model=plane"),
    ],
)  # fmt: skip
def test_what_has_no_effect_on_a_cube_is_refused(made, tmp_path, capsys, options, named):
    out = tmp_path / "maps.fits"
    assert main(["predict", str(made[1]), "--out", str(out), *options]) == 2
    message = capsys.readouterr().err
    assert named in message and "is a prepared cube" in message and message.count("\n") == 1
    assert not out.exists()


@pytest.mark.slow
def test_what_changed_since_a_result_was_made_is_said(made, tmp_path, capsys, monkeypatch):
    recipe = Recipe()
    before = {
        "model": "dust-forest", "model_hash": model_hash("dust-forest"), "steps": step_versions(),
    }  # fmt: skip
    assert changed_since(before, recipe) == []
    [other] = changed_since({**before, "model_hash": "0123456789abcdef"}, recipe)
    assert "dust-forest@0123456789ab" in other and model_hash("dust-forest")[:12] in other
    [step] = changed_since({**before, "steps": {**step_versions(), "sky": "0"}}, recipe)
    assert "The step sky was version 0 then and is 3 now" in step
    stellar = recipe.with_values(["model.name=stellar-unet"])
    assert changed_since({**before, "model_hash": "0"}, stellar) == []
    assert changed_since({}, recipe) == []

    folder, cube = made
    monkeypatch.setattr(
        "napari_galaxy_maps.provenance.step_versions", lambda: {**step_versions(), "sky": "4"}
    )
    out = tmp_path / "again.fits"
    assert main(["prepare", str(folder), "--recipe", str(cube), "--out", str(out)]) == 0
    assert f"{cube}: The step sky was version 3 then and is 4 now" in capsys.readouterr().err


def test_a_model_can_be_asked_for_by_its_weights():
    weights = model_hash("dust-forest")
    assert load_model(f"dust-forest@{weights[:10]}").weights_hash == weights
    assert load_card(f"dust-forest@{weights}").name == load_card("dust-forest").name
    with pytest.raises(ModelError, match=rf"this version has dust-forest@{weights[:12]}"):
        load_model("dust-forest@0123456789")
    with pytest.raises(ModelError, match="no model called"):
        load_model("dust-forest@new")


def test_the_weights_of_all_models_are_small():
    files = [path for path in SHIPPED.rglob("*") if path.is_file() and path.suffix != ".py"]
    assert 1e6 < sum(path.stat().st_size for path in files) < 60e6


@pytest.mark.slow
def test_a_distance_in_kpc_is_refused_and_an_absurd_mass_said(made, tmp_path, capsys):
    folder, _ = made
    out = tmp_path / "maps.fits"
    far = [*GALAXY[:-1], "--distance", "25000"]
    assert main(["predict", str(folder), "--out", str(out), *far]) == 2
    assert "if it is in kpc, give 25" in capsys.readouterr().err and not out.exists()
    far[-1] = "4000"
    assert main(["predict", str(folder), "--out", str(out), *far]) == 0
    assert "more than any galaxy has" in capsys.readouterr().out
    assert any("more than any galaxy has" in note for note in read_provenance(out)["note"])
    assert np.isfinite(read_maps(out).values["LOG_SIGMA_STAR"]).any()
