"""Models take their bands and features from their own cards: what the registry of bands lists
beside them changes nothing.
"""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.data.recipe import ImputeSettings
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.columns import Columns, all_features
from napari_galaxy_maps.models.dust_forest.members import Predictor
from napari_galaxy_maps.models.dust_forest.model import DustForest
from napari_galaxy_maps.models.dust_forest.pixel_part import PixelPart
from napari_galaxy_maps.models.registry import load_card, load_model
from napari_galaxy_maps.models.stellar_unet.inputs import channel_names
from napari_galaxy_maps.models.stellar_unet.model import StellarUNet
from napari_galaxy_maps.prepare.impute import wanted_bands

MORE_BANDS = """
import sys
from pathlib import Path
from napari_galaxy_maps.bands import band_table

# Two rows more, read as those of the table are: one that nothing takes, and one of input.
lines = band_table.TABLE.read_text(encoding="utf-8").splitlines()
for name, use, before in (("MADE_UP_0.5", "other", "SDSS_r"), ("MADE_UP_3.0", "input", "WISE_3.4")):
    at = next(i for i, line in enumerate(lines) if line.startswith(before + ","))
    pivot = lines[at].split(",")[4]
    row = f"{name},MadeUp,{use},AB,{pivot},1.0,0.5,2.0,,,,2000.0,,"
    lines.insert(at, row)
table = Path(sys.argv[1]).with_suffix(".ecsv")
table.write_text("\\n".join((*lines, "")), encoding="utf-8")
band_table.read_bands.__defaults__ = (table,)
"""
PREDICT = """
import sys
import numpy as np
from astropy.wcs import WCS
from napari_galaxy_maps.bands.registry import BANDS, INPUT_BANDS
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.models.registry import load_card, load_model

assert ("MADE_UP_3.0" in INPUT_BANDS and "MADE_UP_3.0" in BANDS) == (sys.argv[2] == "more")
maps = {}
for name in ("dust-forest", "stellar-unet"):
    bands = load_card(name).bands
    rng = np.random.default_rng(1)
    data = 10 ** rng.normal(-0.5, 0.4, (len(bands), 24, 20)).astype("f4")
    error = 0.05 * data
    data[rng.random(data.shape) < 0.05] = np.nan
    error[rng.random(data.shape) < 0.05] = 0
    mask = np.zeros(data.shape[1:], bool)
    if sys.argv[2] == "more":  # and the made-up band may be in the cube
        data, error = np.insert(data, 2, 7.0, axis=0), np.insert(error, 2, 0.1, axis=0)
        bands = (*bands[:2], "MADE_UP_0.5", *bands[2:])
    cube = BandCube(data, error, bands, WCS(naxis=2), 1.3, 0.4, 100.0, mask, mask.astype("i2"))
    found = load_model(name).predict(cube, "cpu")
    maps |= {f"{name} {key}": plane for key, plane in found.values.items()}
    maps |= {f"{name} {key} error": plane for key, plane in found.errors.items()}
    maps[f"{name} flags"] = found.flags

from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.sed.fit import fit
from napari_galaxy_maps.sed.library import build_library, recipe_hash

library = build_library(LibrarySettings(n_models=500), 0.0, cache=False)
light = library.light[::10].astype(float).T / library.light[::10].max(1)
fitted = fit(light, 0.05 * light, library.bands, library, device="cpu")
maps |= {f"fit {key}": values for key, values in fitted.properties.items()}
maps |= {"fit flux": fitted.flux, "fit chi2": fitted.chi2, "library": library.light}
maps["hash"] = np.frombuffer(recipe_hash(library.settings, 0.0).encode(), np.uint8)
np.savez(sys.argv[1], **maps)
"""


def predicted(path, registry):
    """Maps of both shipped models by a fresh Python."""
    code = (MORE_BANDS if registry == "more" else "") + PREDICT
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code, str(path), registry], check=True, env=environment)
    with np.load(path) as maps:
        return dict(maps)


@pytest.mark.slow
def test_two_more_bands_in_the_table_change_no_map_and_no_fit(tmp_path):
    plain = predicted(tmp_path / "plain.npz", "plain")
    more = predicted(tmp_path / "more.npz", "more")
    assert set(plain) == set(more) and len(plain) == 2 * (7 + 7 + 1) + 10 + 4
    assert all(np.isfinite(plane).mean() > 0.8 for plane in plain.values())
    for name, plane in plain.items():
        np.testing.assert_array_equal(plane, more[name], err_msg=name)


def test_cards_name_features_that_fit_the_weights():
    forest, network = load_card("dust-forest"), load_card("stellar-unet")
    assert forest.features == all_features(forest.bands) and len(forest.features) == 96
    assert forest.settings["pivot_um"] == 3.37
    assert network.features == channel_names(network.bands)
    assert len(network.features) == load_model("stellar-unet").network.inputs


def test_a_forest_of_other_columns_reads_them_from_its_card(model, make_cube):
    """The same trees behind reordered bands and features say the same."""
    card = model.card
    rng = np.random.default_rng(0)
    bands, features = rng.permutation(18), rng.permutation(96)
    moved = replace(
        card,
        bands=tuple(card.bands[i] for i in bands),
        features=tuple(card.features[i] for i in features),
    )
    members = tuple(moved_member(member, features) for member in model.members)
    others = [model.columns.others.index(b) for b in bands if b != model.columns.normal]
    colours = replace(
        model.colours,
        mean=model.colours.mean[others],
        loadings=np.ascontiguousarray(model.colours.loadings[others]),
        specific=model.colours.specific[others],
    )
    inputs = [all_features(card.bands).index(name) for name in all_features(moved.bands)]
    sed = moved_network(model.sed, np.array(inputs[: len(model.sed.middle)]))
    cube = make_cube()
    one = model.predict(cube, "cpu")
    pixels = PixelPart(
        moved_forest(model.pixels.correction, features), moved_spread(model.pixels.spread, features)
    )
    density = replace(model.density, tails=model.density.tails[bands])
    other = DustForest(members, colours, sed, model.colour_term, density, moved, "", pixels)
    other = other.predict(cube, "cpu")
    for name in one.values:
        np.testing.assert_allclose(other.values[name], one.values[name], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(other.errors[name], one.errors[name], rtol=1e-3)


def moved_forest(forest, features):
    place = np.concatenate([np.argsort(features), np.arange(len(features), 128)]).astype(np.int8)
    feature = np.where(forest.feature >= 0, place[forest.feature], forest.feature)
    return replace(forest, feature=feature.astype(np.int8))


def moved_spread(spread, features):
    return replace(spread, forest=moved_forest(spread.forest, features))


def moved_member(member, features):
    def moved(predictor):
        return Predictor(
            moved_forest(predictor.trees, features),
            moved_network(predictor.network, features),
            moved_spread(predictor.spread, features),
        )

    return replace(member, complete=moved(member.complete), partial=moved(member.partial))


def moved_network(network, inputs):
    first, *rest = network.weights
    return replace(
        network,
        middle=network.middle[inputs],
        scale=network.scale[inputs],
        weights=(first[inputs], *rest),
    )


def test_a_card_of_an_earlier_version_names_its_bands_alone(model):
    earlier = replace(model.card, features=(), settings={})
    assert Columns.from_card(earlier) == Columns.from_card(model.card)


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("log WISE_3.4", "log of nothing")},
        {"bands": ("SDSS_g", "SDSS_r"), "features": ()},
        {"settings": {"levers": ["width of nothing"]}},
    ],
)
def test_a_forest_whose_card_names_other_columns_is_refused(model, change):
    with pytest.raises(GalaxyMapsError, match="is not one that this version can use"):
        DustForest.from_bytes(model.to_bytes(), replace(model.card, **change))


@pytest.mark.parametrize(
    "change", [{"bands": ("SDSS_g", "SDSS_r")}, {"features": ("brightness SDSS_u",)}]
)
def test_a_network_whose_card_names_other_inputs_is_refused(change):
    card = replace(load_card("stellar-unet"), **change)
    with pytest.raises(GalaxyMapsError, match="names inputs that this version does not make"):
        StellarUNet.from_bytes(b"", card)


def test_the_bands_that_are_filled_are_those_of_the_model():
    bands, everything = ("SDSS_g", "SDSS_r", "WISE_3.4", "SPIRE_250"), ImputeSettings(bands="all")
    assert set(wanted_bands(bands, everything)) == set(load_card("dust-forest").bands)
    optical = {*load_card("stellar-unet").bands, "WISE_3.4"}
    assert set(wanted_bands(bands, everything, "stellar-unet")) == optical
    assert wanted_bands(bands, ImputeSettings(), "no such model") == bands[:3]
    with pytest.raises(GalaxyMapsError, match="no model called"):
        wanted_bands(bands, everything, "no such model")
