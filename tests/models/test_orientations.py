"""Members of stellar-unet: each sees the galaxy turned or mirrored; what they say is averaged.

Of `models.stellar_unet.orientations`, and of what `models.registry` and the pipeline make of them.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.recipe import ModelSettings, Recipe
from napari_galaxy_maps.exceptions import ModelError, RecipeError
from napari_galaxy_maps.fits_io.cube_files import write_cube
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.models import registry
from napari_galaxy_maps.models.registry import chosen_model, load_card
from napari_galaxy_maps.models.stellar_unet.inputs import N_CHANNELS, UGRIZ, channel_names
from napari_galaxy_maps.models.stellar_unet.network import UNet
from napari_galaxy_maps.models.stellar_unet.orientations import (
    ensemble,
    looks,
    turned,
    turned_back,
)
from napari_galaxy_maps.pipeline import PredictionMemory, predict_cube_steps
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.stellar_unet.assemble_model import bare_model
from napari_galaxy_maps.training.stellar_unet.fit_colour_cloud import no_cloud
from tests.conftest import tan_wcs


@pytest.fixture(scope="module")
def model():
    """A small network with weights by chance: no orientation is like another."""
    torch.manual_seed(3)
    network = UNet(N_CHANNELS, 14, (6, 6, 6, 6, 6), normalised=False).eval()
    features = channel_names(UGRIZ)
    card = replace(load_card("stellar-unet"), features=tuple(features), tables=())
    return bare_model(network, "gaussian", card, no_cloud())


@pytest.fixture
def chosen(model, monkeypatch):
    """The network in the place of every other model."""
    monkeypatch.setattr(registry, "load_model", lambda name: model)


@pytest.fixture
def cube(make_cube):
    """A galaxy of noise on a grid that is not square, nor a multiple of the network's blocks."""
    cube = make_cube(("SDSS_g", "SDSS_r"), (52, 70))
    rng = np.random.default_rng(5)
    data = rng.uniform(0.5, 2, cube.data.shape).astype("f4")
    return replace(cube, data=data, uncertainty=0.05 * data, wcs=tan_wcs((52, 70), 1.0))


def predicted(cube, memory=None, **settings):
    recipe = Recipe(model={"name": "stellar-unet", "device": "cpu", **settings})
    return run_to_end(predict_cube_steps(cube, recipe, memory=memory))


def test_the_members_see_all_orientations_of_a_square_and_each_is_undone():
    image = torch.arange(12.0).reshape(1, 3, 4)
    seen = [turned(image, member) for member in range(8)]
    assert len({(planes.shape, tuple(planes.flatten().tolist())) for planes in seen}) == 8
    assert torch.equal(seen[0], image)
    assert torch.equal(seen[1], image.flip(-1, -2)), "the half turn comes first"
    for member, planes in enumerate(seen):
        assert torch.equal(turned_back(planes, member), image)


@pytest.mark.parametrize("members", [2, 4, 8])
def test_a_network_that_moves_its_maps_to_one_side_does_no_more(members):
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)

    def moved(levels):
        return levels[0].roll(1, -1)

    planes = [plane.numpy() for plane in looks(moved, [ramp], members)]
    value, sigma, apart = ensemble((plane, np.ones_like(plane)) for plane in planes)
    inside = (..., slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(value[inside], ramp.numpy()[inside], atol=1e-6)
    np.testing.assert_allclose(apart, np.std(planes, axis=0), atol=1e-5)
    assert (sigma == 1).all() and (apart[inside] > 0).all()


def test_values_are_averaged_in_dex_and_their_spread_is_in_the_errors(chosen, cube, monkeypatch):
    whole = predicted(cube, members=8)
    each = []
    for member in range(8):
        monkeypatch.setattr(
            "napari_galaxy_maps.models.stellar_unet.model.looks",
            lambda network, levels, _, k=member: [
                turned_back(network([turned(level, k) for level in levels]), k)
            ],
        )
        each.append(predicted(cube))
    for name in ("LOG_SIGMA_STAR", "AGE_STAR"):
        values, errors = (
            np.array([getattr(m, of)[name] for m in each]) for of in ("values", "errors")
        )
        if name == "AGE_STAR":
            errors = errors / values / np.log(10)
            values = np.log10(values)
        spread = values.std(axis=0)
        assert np.median(spread) > 0, "else nothing is shown here"
        expected = np.hypot(errors.mean(axis=0), spread)
        found, told = whole.values[name], whole.errors[name]
        if name == "AGE_STAR":
            found, told = np.log10(found), told / found / np.log(10)
        np.testing.assert_allclose(found, values.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(told, expected, rtol=1e-3)


def test_an_edit_and_tiles_give_what_the_whole_gives(chosen, model, cube):
    memory = PredictionMemory()
    predicted(cube, memory, members=3)
    mask = cube.mask.copy()
    mask[10:14, 40:44] = True
    edited = replace(cube, mask=mask)
    quick, full = predicted(edited, memory, members=3), predicted(edited, members=3)
    three = model.with_members(3)
    whole, tiled = (run_to_end(three.predict_steps(cube, "cpu", tile=t)) for t in (128, 32))
    for name in full.values:
        np.testing.assert_allclose(quick.values[name], full.values[name], atol=2e-4)
        np.testing.assert_allclose(tiled.values[name], whole.values[name], rtol=1e-4)
        np.testing.assert_allclose(tiled.errors[name], whole.errors[name], rtol=1e-3)


def test_other_members_are_another_prediction_of_the_same_cube(chosen, cube):
    memory = PredictionMemory()
    one, two, again = (predicted(cube, memory, members=n) for n in (1, 2, 1))
    assert [maps.provenance["members"] for maps in (one, two, again)] == ["1", "2", "1"]
    name = "LOG_SIGMA_STAR"
    np.testing.assert_array_equal(one.values[name], again.values[name])
    assert (one.values[name] != two.values[name]).any()


def test_members_are_told_by_the_file_and_repeated_from_it(chosen, cube, tmp_path, capsys):
    given, maps = (str(tmp_path / f"{name}.fits") for name in ("cube", "maps"))
    write_cube(given, cube, {})
    command = ["predict", given, "--model", "stellar-unet", "--out", maps, "--device", "cpu"]
    assert main([*command, "--members", "2"]) == 0
    assert "by stellar-unet, 2 members" in capsys.readouterr().out
    assert fits.getheader(maps)["MEMBERS"] == read_maps(maps).provenance["members"] == "2"
    assert read_recipe(maps).model.members == 2


def test_what_cannot_be_is_refused_in_words(capsys):
    with pytest.raises(ModelError, match=r"dust-forest does not look at images.* to 1") as refused:
        chosen_model(ModelSettings(name="dust-forest", members=2))
    assert refused.value.settings == ("model.members",)
    with pytest.raises(RecipeError, match=r"members.*1 to 8"):
        Recipe.from_toml("[model]\nmembers = 9\n")
    for wrong in ("0", "9", "two"):
        assert main(["predict", "nothing.fits", "--out", "x.fits", "--members", wrong]) == 2
        assert "--members" in capsys.readouterr().err
