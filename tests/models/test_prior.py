"""A model that can leave the scaling relations of galaxies out, and what is said of it: refused in
words elsewhere, told by maps and files, predicted anew where it changes.

Of `models.base`, `models.registry` and, on what an unknown redshift costs,
`models.stellar_unet.remarks`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import ModelSettings, Recipe
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.fits_io.cube_files import write_cube
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.models import registry
from napari_galaxy_maps.models.base import RELATIONS
from napari_galaxy_maps.models.card import CardTable
from napari_galaxy_maps.models.registry import chosen_model, load_card
from napari_galaxy_maps.models.stellar_unet.model import StellarUNet
from napari_galaxy_maps.models.stellar_unet.remarks import (
    KNOWN,
    REDSHIFT_TABLE,
    UNKNOWN,
    unknown_redshift,
)
from napari_galaxy_maps.pipeline import PredictionMemory, predict_cube_steps
from napari_galaxy_maps.progress import Progress, run_to_end
from tests.conftest import tan_wcs


def card(*features, tables=()):
    return replace(load_card("stellar-unet"), features=features, tables=tables)


@dataclass(frozen=True)
class Flat(StellarUNet):
    """8 everywhere, and 9 where anything is as likely."""

    def predict_steps(self, cube, device="auto", where=None):
        yield Progress("model", 1, 1, "flat")
        plane = np.full(cube.shape, 8.0 if self.relations else 9.0, "f4")
        about = self.card.provenance("0", self.check_bands(cube.bands), "cpu") | self.about()
        flags = cube.flags.copy()
        return PropertyMaps({"LOG_SIGMA_STAR": plane}, {}, cube.wcs, flags, about)

    def flagged_ahead(self, cube):
        return 0.0  # it was trained on nothing


def flat(*features):
    return Flat(None, {}, None, None, None, card(*features), "0")


@pytest.fixture
def taught(monkeypatch):
    """A model that was taught both priors, in the place of every other."""
    monkeypatch.setattr(registry, "load_model", lambda name: flat(RELATIONS))


def predicted(cube, memory=None, **settings):
    recipe = Recipe(model={"name": "stellar-unet", "device": "cpu", **settings})
    return run_to_end(predict_cube_steps(cube, recipe, memory=memory))


def test_a_prior_that_a_model_does_not_know_is_refused_in_words(monkeypatch, make_cube, capsys):
    with pytest.raises(ModelError, match="dust-forest has no scaling relations") as refused:
        chosen_model(ModelSettings(name="dust-forest", prior="wide"))
    assert refused.value.settings == ("model.prior",)
    assert main(["predict", "nothing.fits", "--out", "x.fits", "--prior", "wide"]) == 2
    said = capsys.readouterr().err
    assert "dust-forest has no scaling relations" in said and "(--prior)." in said
    monkeypatch.setattr(registry, "load_model", lambda name: flat("redshift"))
    with pytest.raises(ModelError, match=r"These weights of stellar-unet .* cannot leave out"):
        predicted(make_cube(("SDSS_r",)), prior="wide")
    maps = predicted(make_cube(("SDSS_r",)))
    assert "prior" not in maps.provenance  # there is no other


def test_a_prior_is_told_by_the_maps_and_repeated_from_them(taught, make_cube, tmp_path, capsys):
    cube, maps, again = (str(tmp_path / f"{name}.fits") for name in ("cube", "maps", "again"))
    on_sky = replace(make_cube(("SDSS_r",)), wcs=tan_wcs((6, 7), 3.0))
    write_cube(cube, on_sky, {})
    command = ["predict", cube, "--model", "stellar-unet", "--out", maps]
    assert main([*command, "--prior", "wide"]) == 0
    assert "by stellar-unet, with no scaling relations" in capsys.readouterr().out
    assert fits.getheader(maps)["PRIOR"] == read_maps(maps).provenance["prior"] == "wide"
    recipe = read_recipe(maps)
    assert recipe.model.prior == "wide"
    assert main(["predict", cube, "--out", again, "--set", "model.name=stellar-unet"]) == 0
    assert fits.getheader(again)["PRIOR"] == "relations"
    repeated = run_to_end(predict_cube_steps(on_sky, recipe)).values["LOG_SIGMA_STAR"]
    np.testing.assert_array_equal(repeated, read_maps(maps).values["LOG_SIGMA_STAR"])


def test_another_prior_is_another_prediction_of_the_same_cube(taught, make_cube):
    cube, memory = make_cube(("SDSS_r",)), PredictionMemory()
    for prior, value in (("relations", 8), ("wide", 9), ("wide", 9), ("relations", 8)):
        maps = predicted(cube, memory, prior=prior)
        assert (maps.values["LOG_SIGMA_STAR"] == value).all(), prior


def test_what_an_unknown_redshift_costs_is_what_the_card_says(make_cube):
    rows = ((KNOWN, "9", "-0.00, 0.060", "+0.01, 0.20"), (UNKNOWN, "9", "-0.02, 0.110", "–"))
    head = ("case", "n", "LOG_SIGMA_STAR", "LOG_SIGMA_SFR")
    measured = card(tables=(CardTable(REDSHIFT_TABLE, "", head, rows),))
    unknown, known = make_cube(), make_cube(pixel_pc=800.0)
    assert unknown_redshift(measured, known) == unknown_redshift(card(), known) == []
    (sentence,) = unknown_redshift(measured, unknown)
    assert sentence.startswith("Redshift unknown: stellar-unet takes what is usual")
    assert sentence.endswith("scatter more without: LOG_SIGMA_STAR by 0.11 in place of 0.06 dex.")
    assert unknown_redshift(card(), unknown)[0].endswith("A redshift or distance tells it.")


def test_an_unknown_redshift_is_said_with_the_maps(taught, make_cube):
    for pixel_pc, said in ((None, True), (800.0, False)):
        maps = predicted(make_cube(("SDSS_r",), pixel_pc=pixel_pc))
        assert any("Redshift unknown" in note for note in maps.provenance["note"]) == said
