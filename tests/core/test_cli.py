"""The command line does the whole path, and answers a mistake with one line and exit status 2, leaving nothing half written."""

import json

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli import main
from napari_galaxy_maps.fits_io import read_cube, read_maps, read_recipe
from napari_galaxy_maps.maps import Flag
from tests.conftest import tan_wcs, write_image

BANDS = {"WISE_3.4": 5.0, "2MASS_J": 9.0, "2MASS_Ks": 9.0, "SDSS_r": 3.0}
GALAXY = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--distance", "10", "--name", "NGC 0"]


@pytest.fixture
def folder(galaxy_folder):
    return galaxy_folder(BANDS)


def test_info_says_what_each_file_is(folder, capsys):
    write_image(folder / "mystery.fits", np.ones((5, 5)), tan_wcs((5, 5), 1.0))
    (folder / "bad.fits").write_text("x")
    assert main(["info", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "galaxy_WISE_3.4.fits" in out and "which band is it?" in out and "bad.fits is not a FITS file" in out
    assert main(["info", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["file"]: row for row in told["images"]}
    assert rows["galaxy_2MASS_J.fits"]["band"] == "2MASS_J" and rows["galaxy_2MASS_J.fits"]["unit"] == "MJy/sr"
    assert len(rows["mystery.fits"]["problems"]) == 2 and len(told["left_out"]) == 1


def test_prepare_then_predict_is_predict(folder, tmp_path, capsys):
    cube, two, one = tmp_path / "cube.fits", tmp_path / "two.fits", tmp_path / "one.fits"
    assert main(["prepare", str(folder), "--out", str(cube), *GALAXY]) == 0
    assert read_cube(cube).bands == ("SDSS_r", "2MASS_J", "2MASS_Ks", "WISE_3.4")
    assert main(["predict", str(cube), "--out", str(two)]) == 0
    assert main(["predict", str(folder), "--out", str(one), *GALAXY]) == 0
    assert "LOG_SMD" in capsys.readouterr().out
    a, b = read_maps(one), read_maps(two)
    assert set(a.values) >= {
        "LOG_SLD",
        "LOG_SMD",
        "T_DUST",
        "LOG_SIGMA_STAR",
        "LOG_SIGMA_LSTAR",
        "LOG_SIGMA_LD",
        "LOG_SIGMA_MD",
    }
    for name in a.values:
        np.testing.assert_allclose(a.values[name], b.values[name], atol=1e-5)
        good = np.isfinite(a.values[name])
        assert good.any() and (a.errors[name][good] > 0).all()
    assert not np.isfinite(a.values["LOG_SMD"][(a.flags & Flag.OUTSIDE) != 0]).any()
    assert not (a.flags & Flag.MASKED).any()  # outside the ellipse is not masked


def test_a_result_runs_again_from_its_own_recipe(folder, tmp_path):
    first, again = tmp_path / "first.fits", tmp_path / "again.fits"
    assert (
        main(
            [
                "predict",
                str(folder),
                "--out",
                str(first),
                *GALAXY,
                "--set",
                "sky.model=plane",
                "--pixel",
                "5",
                "--quiet",
            ]
        )
        == 0
    )
    assert main(["predict", str(folder), "--out", str(again), "--recipe", str(first), "--quiet"]) == 0
    a, b = read_maps(first), read_maps(again)
    for name in a.values:
        np.testing.assert_array_equal(a.values[name], b.values[name])
        np.testing.assert_array_equal(a.errors[name], b.errors[name])
    assert read_recipe(first).sky.model == "plane" and a.provenance["recipe"] == b.provenance["recipe"]
    for key in ("model", "model_hash", "versions", "inputs", "imf"):
        assert a.provenance[key]
    assert all("sha256" in text for text in a.provenance["inputs"].values())


def test_a_truth_is_compared_with(folder, tmp_path, capsys):
    truth, out = tmp_path / "truth.fits", tmp_path / "out.fits"
    assert main(["predict", str(folder), "--out", str(truth), *GALAXY, "--quiet"]) == 0
    assert main(["predict", str(folder), "--out", str(out), *GALAXY, "--truth", str(truth)]) == 0
    line = next(
        line
        for line in capsys.readouterr().out.splitlines()
        if line.strip().startswith("T_DUST") and "median" not in line
    )
    assert float(line.split()[2]) == pytest.approx(0, abs=1e-5)


def mistakes(folder, tmp_path):
    wcs = tan_wcs((40, 40), 1.5)
    write_image(tmp_path / "nowcs_W1.fits", np.ones((40, 40)), None, BUNIT="MJy/sr")
    write_image(tmp_path / "nounit_W1.fits", np.ones((40, 40)), wcs)
    write_image(tmp_path / "noband.fits", np.ones((40, 40)), wcs, BUNIT="MJy/sr")
    write_image(tmp_path / "blank_W1.fits", np.full((40, 40), np.nan), wcs, BUNIT="MJy/sr")
    write_image(tmp_path / "line_W1.fits", np.ones(40), None, BUNIT="MJy/sr")
    write_image(tmp_path / "again_W1.fits", np.ones((40, 40)), wcs, BUNIT="MJy/sr")
    (tmp_path / "text.fits").write_text("no FITS")
    whole = (folder / "galaxy_WISE_3.4.fits").read_bytes()
    (tmp_path / "short_W1.fits").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").mkdir()


@pytest.mark.parametrize(
    "paths, options, says",
    [
        (["nowcs_W1.fits"], [], "nowcs_W1.fits has no sky coordinates"),
        (["nounit_W1.fits"], [], "nounit_W1.fits: in which unit is it? The header tells no unit. Say it with --band"),
        (["noband.fits"], [], "noband.fits: which band is it?"),
        (["blank_W1.fits"], [], "blank_W1.fits holds no valid pixel"),
        (["line_W1.fits"], [], "line of 40 pixels"),
        (["text.fits"], [], "text.fits is not a FITS file"),
        (["short_W1.fits"], [], "short_W1.fits is cut short"),
        (["missing.fits"], [], "missing.fits does not exist"),
        (["empty"], [], "holds no FITS image"),
        (["galaxy", "again_W1.fits"], [], "WISE_3.4 is there twice: galaxy_WISE_3.4.fits and again_W1.fits"),
        (["galaxy/galaxy_2MASS_J.fits", "galaxy/galaxy_2MASS_Ks.fits", "galaxy/galaxy_SDSS_r.fits"], [], "WISE_3.4"),
        (["galaxy/galaxy_WISE_3.4.fits", "galaxy/galaxy_SDSS_r.fits"], [], "at least 2 input bands besides WISE_3.4"),
        (["galaxy"], ["--set", "sky.nonsense=1"], "no setting 'sky.nonsense'"),
        (["galaxy"], ["--band", "x"], "--band 'x' is not of the form FILE=BAND"),
        (["galaxy"], ["--band", "galaxy_SDSS_r.fits=X9"], "no band called 'X9'"),
        (["galaxy"], ["--unit", "SDSS_r=parsec"], "the unit 'parsec' is not understood"),
        (["galaxy"], ["--psf", "SDSS_r=wide"], "'wide' is no number of arcsec"),
        (["galaxy"], ["--d25", "0.01"], "less than one pixel"),
        (["galaxy"], ["--ra", "10"], "does not show the galaxy"),
        (["galaxy"], ["--resolution", "1"], "No image is as sharp"),
        (["galaxy"], ["--model", "crystal-ball"], "crystal-ball"),
        (["galaxy"], ["--recipe", "text.fits"], "text.fits"),
        (["galaxy"], ["--truth", "noband.fits"], "holds no map of a property"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2_and_writes_nothing(
    folder, tmp_path, capsys, paths, options, says, monkeypatch
):
    mistakes(folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    galaxy = ["--ra", "150", "--dec", "2", "--d25", "2.5"]
    assert main(["predict", *paths, "--out", "out.fits", *galaxy, *options]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error and error.splitlines()[-1].startswith("galaxy-maps: ") and "Traceback" not in error
    assert not (tmp_path / "out.fits").exists() and not list(tmp_path.glob(".out*"))


def test_an_output_that_is_there_is_not_replaced(folder, tmp_path, capsys):
    out = tmp_path / "out.fits"
    out.write_text("precious")
    assert main(["predict", str(folder), "--out", str(out), *GALAXY]) == 2
    assert out.read_text() == "precious" and "--overwrite" in capsys.readouterr().err
    assert main(["predict", str(folder), "--out", str(out), *GALAXY, "--overwrite", "--quiet"]) == 0
    assert fits.getheader(out)["OBJECT"] == "NGC 0"


def test_models_are_listed_with_their_cards(capsys):
    assert main(["models"]) == 0
    assert "dust-forest" in capsys.readouterr().out
    assert main(["models", "dust-forest"]) == 0
    assert "RMSE" in capsys.readouterr().out
