"""Cards survive writing and reading; weights are checked before use, and a damaged file is told in
a sentence.
"""

import hashlib
import json
import shutil

import pytest

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models import registry
from napari_galaxy_maps.models.card import ModelCard
from napari_galaxy_maps.models.registry import WEIGHTS, list_models, load_card, load_model


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    return tmp_path / "weights"


def test_the_registry_lists_models_with_cards():
    assert list_models() == ["dust-forest", "stellar-unet"]
    assert load_card("dust-forest").bands == INPUT_BANDS


def test_the_hash_in_the_registry_is_that_of_the_file():
    entry = json.loads((WEIGHTS / registry.INDEX).read_text())["dust-forest"]
    assert (
        hashlib.sha256((WEIGHTS / entry["weights"]).read_bytes()).hexdigest()
        == entry["weights_sha256"]
    )
    assert load_model("dust-forest").weights_hash == entry["weights_sha256"]


def test_weights_are_small_and_nothing_in_them_is_executable():
    files = [p for p in WEIGHTS.iterdir() if p.is_file()]
    assert {p.suffix for p in files} <= {".safetensors", ".json", ".py"}
    assert sum(p.stat().st_size for p in files) < 25e6


@pytest.mark.parametrize("where", [100, -100])
def test_a_damaged_file_is_refused(copy, where):
    path = copy / "dust-forest.safetensors"
    blob = bytearray(path.read_bytes())
    blob[where] ^= 1
    path.write_bytes(blob)
    with pytest.raises(GalaxyMapsError, match="is damaged: its SHA-256"):
        load_model("dust-forest", copy)


def test_a_missing_file_is_refused(copy):
    (copy / "dust-forest.safetensors").unlink()
    with pytest.raises(GalaxyMapsError, match="cannot be read"):
        load_model("dust-forest", copy)


def test_a_file_of_something_else_is_refused_even_with_the_right_hash(copy):
    path = copy / "dust-forest.safetensors"
    path.write_bytes(b"not weights")
    registry.write_entry(copy, "dust-forest", "forest", "1.0", path, copy / "dust-forest.json")
    with pytest.raises(GalaxyMapsError, match="are damaged"):
        load_model("dust-forest", copy)


def test_an_unknown_model_is_refused():
    with pytest.raises(GalaxyMapsError, match="no model called 'dust-tree'; there are dust-forest"):
        load_model("dust-tree")


def test_a_card_survives_json(model):
    text = model.card.to_json()
    assert ModelCard.from_json(text).to_json() == text
    json.loads(text, parse_constant=lambda _: pytest.fail("not strict JSON"))


def test_the_card_says_what_it_must(model):
    text = model.card.to_markdown()
    for needed in (
        "Salpeter", "0.23 dex", "0.51 dex", "5.0 K", "interarm", "whole galaxies",
        "no k-correction", "Nersesian",
        "no WISE 2 to 4", "SDSS + WISE 1", "2MASS + WISE 1, 2", "no GALEX", "imputed fluxes",
        "trees cannot extrapolate",
    ):  # fmt: skip
        assert needed in text
    assert len(model.card.summary()) < 400
    assert "WISE_3.4" in model.card.summary()
