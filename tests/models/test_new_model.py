"""A new model is one folder and one row of the registry: a toy that is written here predicts like
any other.

Of `models.base` and `models.registry`.
"""

import hashlib
import json
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

import napari_galaxy_maps.models as rooms
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models import registry
from napari_galaxy_maps.models.band_advice import advice
from napari_galaxy_maps.models.registry import load_card, load_model
from napari_galaxy_maps.pipeline import PredictionMemory, predict_cube_steps
from napari_galaxy_maps.progress import run_to_end

TOY = '''
"""Stars as bright as a band is, times a number: its weights."""

from dataclasses import dataclass, field

import numpy as np

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.progress import Progress, run_to_end


@dataclass(frozen=True)
class Toy:
    factor: float
    card: object
    weights_hash: str = ""
    has_remarks = False
    reach: int = field(default=0, init=False)

    @property
    def name(self):
        return self.card.name

    @classmethod
    def from_bytes(cls, blob, card, weights_hash=""):
        return cls(float(blob), card, weights_hash)

    @classmethod
    def band_advice(cls, card, bands):
        return f"Give it {card.bands[0]}."

    def check_bands(self, bands):
        used = tuple(band for band in self.card.bands if band in bands)
        if not used:
            raise ModelError(self.band_advice(self.card, bands))
        return used

    def predict_steps(self, cube, device="auto", where=None):
        used = self.check_bands(cube.bands)
        plane = np.log10(self.factor * cube.data[cube.bands.index(used[0])])
        plane = plane + 0.1 * sum(x or 0 for x in (cube.hubble_stage, cube.pixel_pc, cube.redshift))
        plane = np.where(cube.mask, np.float32(np.nan), plane)
        yield Progress("model", 1, 1, "toy")
        maps, errors = {"LOG_SIGMA_STAR": plane}, {"LOG_SIGMA_STAR": 0.1 + 0 * plane}
        about = {"model": self.name, "model_hash": self.weights_hash}
        return PropertyMaps(maps, errors, cube.wcs, cube.flags.copy(), about)

    def remarks(self, cube):
        return []

    def predict(self, cube, device="auto", progress=None):
        return run_to_end(self.predict_steps(cube, device), progress)
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The folder of a toy model beside those that ship, and its row in the registry."""
    index = json.loads((registry.SHIPPED / registry.INDEX).read_text())
    card = replace(
        load_card("dust-forest"), name="toy", bands=("2MASS_Ks",), features=(), scores=()
    )
    files = {
        "__init__.py": '"""Toy."""',
        "model.py": TOY,
        "toy.weights": "3.0",
        "toy.json": card.to_json(),
    }
    (tmp_path / "toy").mkdir()
    for name, text in files.items():
        (tmp_path / "toy" / name).write_text(text, encoding="utf-8")
    index["toy"] = {
        "kind": "toy", "module": ".toy.model", "class": "Toy", "version": "0",
        "weights": "toy/toy.weights", "weights_sha256": hashlib.sha256(b"3.0").hexdigest(),
        "card": "toy/toy.json", "card_sha256": hashlib.sha256(card.to_json().encode()).hexdigest(),
    }  # fmt: skip
    (tmp_path / registry.INDEX).write_text(json.dumps(index))
    monkeypatch.setattr(registry, "SHIPPED", tmp_path)
    monkeypatch.setattr(rooms, "__path__", [*rooms.__path__, str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(f"{rooms.__name__}.toy")]:
        del sys.modules[name]


def test_a_toy_model_predicts_through_the_pipeline(toy, make_cube):
    cube = make_cube()
    recipe = Recipe(model={"name": "toy", "device": "cpu"})
    maps = run_to_end(predict_cube_steps(cube, recipe))
    expected = np.log10(3 * cube.data[cube.bands.index("2MASS_Ks")])
    np.testing.assert_allclose(maps.values["LOG_SIGMA_STAR"], expected, rtol=1e-6)
    assert maps.provenance["model"] == "toy"
    assert maps.provenance["model_hash"] == hashlib.sha256(b"3.0").hexdigest()


def test_only_what_changed_is_predicted_again_by_a_toy_too(toy, make_cube):
    recipe, memory = Recipe(model={"name": "toy", "device": "cpu"}), PredictionMemory()
    cube = make_cube()
    first = run_to_end(predict_cube_steps(cube, recipe, memory=memory))
    mask = cube.mask.copy()
    mask[2, 3] = True
    again = run_to_end(predict_cube_steps(replace(cube, mask=mask), recipe, memory=memory))
    changed = ~np.isclose(again.values["LOG_SIGMA_STAR"], first.values["LOG_SIGMA_STAR"])
    assert np.argwhere(changed).tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("change", "told", "shift"),
    [
        ({"hubble_stage": 4.0}, None, 0.4),
        ({"hubble_stage": 4.0}, 0.0, 0.0),
        ({}, -5.0, -0.5),
        ({"pixel_pc": 7.0}, None, 0.7),
        ({"redshift": 0.3}, None, 0.03),
    ],
)
def test_another_stage_distance_or_redshift_makes_a_new_prediction(
    toy, make_cube, change, told, shift
):
    """No pixel has changed; the recipe, where it tells a stage, comes before the cube."""
    recipe, memory = Recipe(model={"name": "toy", "device": "cpu"}), PredictionMemory()
    cube = make_cube()
    first = run_to_end(predict_cube_steps(cube, recipe, memory=memory))
    recipe.galaxy.hubble_stage = told
    again = run_to_end(predict_cube_steps(replace(cube, **change), recipe, memory=memory))
    moved = again.values["LOG_SIGMA_STAR"] - first.values["LOG_SIGMA_STAR"]
    np.testing.assert_allclose(moved, shift, atol=1e-5)
    used = change.get("hubble_stage") if told is None else told
    galaxy = Recipe.from_toml(again.provenance["recipe"]).galaxy
    assert (galaxy.hubble_stage, galaxy.redshift) == (used, change.get("redshift"))


def test_a_toy_model_is_listed_with_its_card_and_its_advice(toy):
    assert registry.list_models() == ["dust-forest", "stellar-unet", "toy"]
    assert load_card("toy").bands == ("2MASS_Ks",)
    assert advice("toy", ["SDSS_g"]) == "Give it 2MASS_Ks."


def test_a_toy_model_that_was_trained_to_a_folder_is_loaded_by_its_kind(toy, tmp_path):
    folder = tmp_path / "trained"
    folder.mkdir()
    weights, card = folder / "toy.weights", folder / "toy.json"
    weights.write_text("5.0")
    card.write_text(load_card("toy").to_json())
    registry.write_entry(folder, "my-toy", "toy", "0", weights, card)
    assert load_model(str(folder)).factor == 5.0
    assert set(asdict(load_card(str(folder)))) == set(asdict(load_card("toy")))


def test_a_folder_that_was_trained_to_names_no_code_to_run(toy, tmp_path):
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "m.weights").write_text("1.0")
    (folder / "m.json").write_text(load_card("toy").to_json())
    registry.write_entry(folder, "m", "antigravity", "0", folder / "m.weights", folder / "m.json")
    index = json.loads((folder / registry.INDEX).read_text())
    index["m"] |= {"module": "antigravity", "class": "geohash"}
    (folder / registry.INDEX).write_text(json.dumps(index))
    with pytest.raises(GalaxyMapsError, match="no kind of model that this version knows"):
        load_model(str(folder))
    assert "antigravity" not in sys.modules
