"""Another camera's images serve as the models' bands where a person lets them, and never else."""

import numpy as np
import pytest

from napari_galaxy_maps.bands.stand_ins import STAND_INS
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import read_maps

from ..conftest import tan_wcs, write_image

BANDS = {"DECam_g": 2.0, "DECam_r": 4.0, "DECam_z": 8.0, "WISE_3.4": 5.0}
TOLD = ["--ra", "150", "--dec", "2", "--d25", "1", "--redshift", "0.01", "--quiet"]


@pytest.fixture
def folder(galaxy_folder):
    """A galaxy seen by DECam and WISE."""
    made = galaxy_folder(BANDS)
    data = np.random.default_rng(0).normal(0, 0.01, (280, 280)).astype("f4") + 0.2
    header = {"BUNIT": "MJy/sr"}
    write_image(made / "galaxy_DECam_g_unc.fits", np.abs(data), tan_wcs((280, 280), 1.5), **header)
    return made


def read(folder, allowed):
    recipe = Recipe.from_tree({"input": {"stand_in": allowed}})
    return read_galaxy([folder], recipe)


def test_nothing_stands_in_unless_a_person_lets_it(folder):
    assert list(read(folder, False).images) == ["DECam_g", "DECam_r", "DECam_z", "WISE_3.4"]


def test_flux_error_and_notes_are_those_of_the_stand_in(folder):
    plain, galaxy = read(folder, False), read(folder, True)
    assert list(galaxy.images) == ["SDSS_g", "SDSS_r", "SDSS_z", "WISE_3.4"]
    for letter in "grz":
        own, stand_in = plain.images[f"DECam_{letter}"], galaxy.images[f"SDSS_{letter}"]
        told = STAND_INS[f"DECam_{letter}"]
        np.testing.assert_allclose(stand_in.data, own.data * told.factor, rtol=1e-5)
        assert str(told) in stand_in.notes and str(told) in galaxy.notes
        assert stand_in.band.name == f"SDSS_{letter}"
        assert stand_in.band.reddening == own.band.reddening and stand_in.fwhm == own.fwhm
    error, own = galaxy.images["SDSS_g"].uncertainty, plain.images["DECam_g"].uncertainty
    np.testing.assert_allclose(error, own * STAND_INS["DECam_g"].factor, rtol=1e-5)


@pytest.mark.parametrize(
    "known, allowed, told",
    [
        ({"redshift": 0.1}, True, 0),
        ({"redshift": 0.18}, True, 1),
        ({"redshift": 0.18}, False, 0),
        ({"distance": 650.0}, True, 1),
    ],
)
def test_beyond_the_redshifts_of_the_table_a_note_says_so(folder, known, allowed, told):
    tree = {"input": {"stand_in": allowed}, "galaxy": known}
    notes = read_galaxy([folder], Recipe.from_tree(tree)).notes
    far = [note for note in notes if "less exact than said" in note]
    assert len(far) == told and all("SDSS_g, SDSS_r, SDSS_z" in note for note in far)


def test_an_image_of_the_band_itself_needs_none(galaxy_folder):
    folder = galaxy_folder({"DECam_g": 2.0, "SDSS_g": 2.0, "PS1_r": 3.0, "HSC_r": 3.0})
    found = read(folder, True)
    assert set(found.images) == {"DECam_g", "SDSS_g", "SDSS_r", "HSC_r"}
    assert [note for note in found.notes if "stands in" in note] == [str(STAND_INS["PS1_r"])]


def test_predict_asks_for_the_word_and_tells_what_stood_in(folder, tmp_path, capsys):
    out, cube = tmp_path / "maps.fits", tmp_path / "cube.fits"
    command = ["predict", str(folder), "--model", "stellar-unet", "--out", str(out), *TOLD]
    assert main(command) == 2
    told = f"DECam_g for SDSS_g (to {STAND_INS['DECam_g'].error:.1%})"
    assert told in capsys.readouterr().err
    assert main([*command, "--stand-in"]) == 0
    maps = read_maps(out)
    notes = " ".join(maps.provenance["note"])
    assert all(str(STAND_INS[f"DECam_{letter}"]) in notes for letter in "grz")
    seen = np.isfinite(maps.values["LOG_SIGMA_STAR"])
    assert seen.any() and ((maps.flags[seen] & Flag.STAND_IN) != 0).all()
    again = tmp_path / "again.fits"
    assert main(["predict", str(folder), "--recipe", str(out), "--out", str(again), "--quiet"]) == 0
    for name, plane in read_maps(again).values.items():
        np.testing.assert_array_equal(plane, maps.values[name])
    assert main(["prepare", str(folder), "--stand-in", "--out", str(cube), *TOLD]) == 0
    made = read_cube(cube)
    assert made.bands == ("SDSS_g", "SDSS_r", "SDSS_z", "WISE_3.4")
    assert made.systematic[0] == pytest.approx(STAND_INS["DECam_g"].band.calibration, rel=1e-3)
