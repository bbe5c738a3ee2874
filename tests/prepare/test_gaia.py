"""Stars from Gaia's archive go the way of a table's; without the package or the network a sentence
says what to do.
"""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.stars import gaia
from napari_galaxy_maps.prepare.stars.catalogue import read_catalogue
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end

FIELD = Ellipse(150.0, 2.0, 75, 75)


def stars():
    """Of which the first two are the Milky Way's."""
    return Table(
        {
            "source_id": np.array([1, 2, 3]), "ra": [150.01, 149.99, 150.0] * u.deg,
            "dec": [2.01, 1.99, 2.008] * u.deg,
            "ref_epoch": [2016.0] * 3 * u.yr, "parallax": [2.0, 1.0, 0.01] * u.mas,
            "parallax_error": [0.05] * 3 * u.mas,
            "pmra": [5.0, -3.0, 0.0] * u.mas / u.yr, "pmra_error": [0.05] * 3 * u.mas / u.yr,
            "pmdec": [1.0, 0.0, 0.0] * u.mas / u.yr, "pmdec_error": [0.05] * 3 * u.mas / u.yr,
            "phot_g_mean_mag": [12.0, 15.0, 18.0] * u.mag,
        }
    )  # fmt: skip


@pytest.fixture
def archive(monkeypatch):
    """Stands in for astroquery's Gaia class, with its one method that is called; tells what it was
    asked.
    """
    asked = []

    class Gaia:
        answer = staticmethod(stars)

        @classmethod
        def launch_job_async(cls, query):
            asked.append(query)
            return SimpleNamespace(get_results=cls.answer)

    module = ModuleType("astroquery.gaia")
    module.Gaia = Gaia
    monkeypatch.setitem(sys.modules, "astroquery", ModuleType("astroquery"))
    monkeypatch.setitem(sys.modules, "astroquery.gaia", module)
    gaia._answer.cache_clear()
    yield SimpleNamespace(Gaia=Gaia, asked=asked)
    gaia._answer.cache_clear()


def test_the_question_asks_for_all_that_is_needed_around_the_galaxy(archive):
    gaia.fetch_gaia(FIELD)
    query = archive.asked[0]
    assert (
        "gaiadr3.gaia_source" in query and "CIRCLE('ICRS', 150.000000, 2.000000, 0.07770" in query
    )
    assert all(column in query for column in gaia.COLUMNS)
    gaia.fetch_gaia(FIELD)
    assert len(archive.asked) == 1
    gaia.fetch_gaia(Ellipse(151.0, 2.0, 75, 75))
    assert len(archive.asked) == 2


def test_the_answer_is_the_table_that_a_file_would_give(archive, tmp_path):
    stars().write(tmp_path / "stars.ecsv")
    fetched, read = gaia.fetch_gaia(FIELD), read_catalogue(tmp_path / "stars.ecsv")
    assert fetched.colnames == read.colnames and fetched.meta["has_parallax"]
    for name in fetched.colnames:
        assert (fetched[name] == read[name]).all()


@pytest.mark.slow
def test_the_chain_masks_the_stars_that_were_fetched(archive, galaxy_folder):
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "stars": {"catalogue": "gaia"}}
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    image = galaxy.images["SDSS_r"]
    x, y = image.wcs.world_to_pixel_values(150.01, 2.01)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    star = 50 * np.exp(
        -((columns - x) ** 2 + (rows - y) ** 2) / 2 / (1.32 / 2.3548 / image.pixel_arcsec) ** 2
    )
    galaxy = replace(
        galaxy,
        images={**galaxy.images, "SDSS_r": image.evolve(data=image.data + star.astype("f4"))},
    )
    notes, memory = [], PreparationMemory()
    cube = run_to_end(prepare_steps(galaxy, recipe, memory), lambda p: notes.append(p.detail))
    assert any("of Gaia DR3 masked" in text for text in notes) and [
        star.id for star in cube.masks.stars
    ] == ["1"]
    run_to_end(prepare_steps(galaxy, recipe, memory))
    assert len(archive.asked) == 1


def test_a_network_that_fails_is_one_sentence(archive):
    def fails():
        raise ConnectionError("name resolution failed\nmore")

    archive.Gaia.answer = staticmethod(fails)
    with pytest.raises(
        InputError,
        match=r"gave no answer \(name resolution failed\); look whether there is a network",
    ):
        gaia.fetch_gaia(FIELD)


def test_an_empty_answer_is_one_sentence(archive):
    archive.Gaia.answer = staticmethod(lambda: stars()[:0])
    with pytest.raises(InputError, match="Gaia DR3 holds no stars"):
        gaia.fetch_gaia(FIELD)


def test_without_astroquery_the_command_says_what_to_install(
    monkeypatch, galaxy_folder, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, "astroquery", None)
    monkeypatch.setitem(sys.modules, "astroquery.gaia", None)
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})
    options = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--stars", "gaia"]
    assert main(["prepare", str(folder), "--out", str(tmp_path / "out.fits"), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert "pip install 'napari-galaxy-maps[gaia]'" in error and len(error.splitlines()) == 1
