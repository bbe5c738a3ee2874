"""Cards survive writing and reading; weights are checked before use, and a damaged file is told in
a sentence.
"""

import hashlib
import json
import shutil

import pytest

from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models import registry
from napari_galaxy_maps.models.card import ModelCard
from napari_galaxy_maps.models.registry import SHIPPED, list_models, load_card, load_model

INPUT_BANDS = (
    "GALEX_FUV", "GALEX_NUV", "SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z", "2MASS_J",
    "2MASS_H", "2MASS_Ks", "WISE_3.4", "Spitzer_3.6", "Spitzer_4.5", "WISE_4.6", "Spitzer_5.8",
    "Spitzer_8.0", "WISE_12", "WISE_22",
)  # fmt: skip
FOREST = "dust_forest/weights/dust-forest.safetensors"


@pytest.fixture
def copy(tmp_path):
    """The registry and the files of the models that ship, in another folder."""
    for entry in json.loads((SHIPPED / registry.INDEX).read_text()).values():
        for name in (entry["weights"], entry["card"]):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SHIPPED / name, tmp_path / name)
    shutil.copy(SHIPPED / registry.INDEX, tmp_path)
    return tmp_path


def test_the_registry_lists_models_with_cards():
    assert list_models() == ["dust-forest", "stellar-unet"]
    assert load_card("dust-forest").bands == INPUT_BANDS


def test_the_hash_in_the_registry_is_that_of_the_file():
    entry = json.loads((SHIPPED / registry.INDEX).read_text())["dust-forest"]
    blob = (SHIPPED / entry["weights"]).read_bytes()
    assert hashlib.sha256(blob).hexdigest() == entry["weights_sha256"]
    assert load_model("dust-forest").weights_hash == entry["weights_sha256"]


def test_weights_are_small_and_nothing_in_them_is_executable():
    files = [path for path in SHIPPED.glob("*/weights/*") if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json"}
    assert sum(p.stat().st_size for p in files) < 25e6


@pytest.mark.parametrize("where", [100, -100])
def test_a_damaged_file_is_refused(copy, where):
    path = copy / FOREST
    blob = bytearray(path.read_bytes())
    blob[where] ^= 1
    path.write_bytes(blob)
    with pytest.raises(GalaxyMapsError, match="is damaged: its SHA-256"):
        load_model("dust-forest", copy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "it names no models"), ("{}", "it names no models"), ('{"a": 3}', "names no models"),
        ('{"dust-forest": {}}', "names no files of dust-forest"), ("[" * 9999, "cannot be read"),
    ],
)  # fmt: skip
def test_a_registry_of_something_else_is_refused(tmp_path, text, words):
    (tmp_path / "registry.json").write_text(text)
    with pytest.raises(GalaxyMapsError, match=words):
        load_model(str(tmp_path))


def test_a_missing_file_is_refused(copy):
    (copy / FOREST).unlink()
    with pytest.raises(GalaxyMapsError, match="cannot be read"):
        load_model("dust-forest", copy)


def test_a_file_of_something_else_is_refused_even_with_the_right_hash(copy):
    path = copy / FOREST
    path.write_bytes(b"not weights")
    card = path.with_suffix(".json")
    registry.write_entry(copy, "dust-forest", "forest", "1.0", path, card)
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
        "no k-correction", "Nersesian", "no WISE 2 to 4", "SDSS + WISE 1", "2MASS + WISE 1, 2",
        "no GALEX", "imputed fluxes", "trees cannot extrapolate",
    ):  # fmt: skip
        assert needed in text
    assert len(model.card.summary()) < 400
    assert "WISE_3.4" in model.card.summary()
