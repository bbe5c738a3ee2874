"""The command line does the whole path, and answers a mistake with one line and exit status 2,
leaving nothing half written.

Of `cli.main`, `cli.options`, `cli.console`, `cli.info` and `cli.predict`. The other commands are
tested beside what they call: `cli.measure`, `cli.profile`, `cli.measurable` and `cli.evaluate` in
tests/measure, `cli.mock` in tests/mocks/test_writing.py, `cli.train`, `cli.train_options` and
`cli.train_stellar` in tests/training/test_train_command.py.
"""

import json

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.measure.compare.comparison import compare
from napari_galaxy_maps.measure.compare.pixel_metrics import METRICS
from tests.conftest import tan_wcs, write_galaxy, write_image

BANDS = {"WISE_3.4": 5.0, "2MASS_J": 9.0, "2MASS_Ks": 9.0, "SDSS_r": 3.0}
GALAXY = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--distance", "10", "--name", "NGC 0"]


@pytest.fixture
def folder(galaxy_folder):
    """The images of a round galaxy in `BANDS`."""
    return galaxy_folder(BANDS)


def test_info_says_what_each_file_is(folder, capsys):
    write_image(folder / "mystery.fits", np.ones((5, 5)), tan_wcs((5, 5), 1.0))
    (folder / "bad.fits").write_text("x")
    assert main(["info", str(folder)]) == 0
    out = capsys.readouterr().out
    assert (
        "galaxy_WISE_3.4.fits" in out
        and "Which band is it?" in out
        and "bad.fits is not a FITS file" in out
    )
    assert main(["info", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = {row["file"]: row for row in printed["images"]}
    assert (
        rows["galaxy_2MASS_J.fits"]["band"] == "2MASS_J"
        and rows["galaxy_2MASS_J.fits"]["unit"] == "MJy/sr"
    )
    assert len(rows["mystery.fits"]["problems"]) == 2 and len(printed["left_out"]) == 1


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert (
        main(["predict", str(folder), "--out", str(again), "--recipe", str(first), "--quiet"]) == 0
    )
    a, b = read_maps(first), read_maps(again)
    for name in a.values:
        np.testing.assert_array_equal(a.values[name], b.values[name])
        np.testing.assert_array_equal(a.errors[name], b.errors[name])
    assert (
        read_recipe(first).sky.model == "plane" and a.provenance["recipe"] == b.provenance["recipe"]
    )
    for key in ("model", "model_hash", "versions", "inputs", "imf"):
        assert a.provenance[key]
    assert all("sha256" in text for text in a.provenance["inputs"].values())


@pytest.mark.slow
def test_predict_and_evaluate_print_and_write_the_same_numbers(folder, tmp_path, capsys):
    """`predict --truth`, `evaluate`, metrics.json and the front door, with units in every line."""
    maps, truth, out = (str(tmp_path / name) for name in ("maps.fits", "truth.fits", "scores"))
    y, x = np.indices((60, 60)) - 29.5
    planes = {"LOG_SIGMA_STAR": 8.5 - np.hypot(x, y) / 15, "T_DUST": 20 + 0.1 * x}
    planes = {name: plane.astype("f4") for name, plane in planes.items()}
    errors = {"T_DUST": np.full(x.shape, 0.5, "f4")}
    flags = np.zeros(x.shape, np.int16)
    write_maps(truth, PropertyMaps(planes, errors, tan_wcs(x.shape, 3.0), flags, {"fwhm": 9.0}))
    assert main(["predict", str(folder), "--out", maps, *GALAXY, "--truth", truth]) == 0
    printed = capsys.readouterr().out.partition(f"against {truth}:\n")[2]
    assert main(["evaluate", maps, truth, "--out", out]) == 0
    assert capsys.readouterr().out == f"{printed}written to {out}, which report.html shows\n"
    written = json.loads((tmp_path / "scores" / "metrics.json").read_text())
    of_pixels, of_sums = printed.split("Sums inside 2 R_half")
    table = compare(read_maps(maps), read_maps(truth)).scores()
    sums = [row for row in written["stellar_sums"]["scores"] if row["region"] == "sum"]
    sums = {row["property"]: row for row in sums}
    for name, unit, of_sum in (("LOG_SIGMA_STAR", "dex", "solMass"), ("T_DUST", "K", "K")):
        found = written["properties"][name]["pixels"]
        row = table[(table["property"] == name) & (table["over"] == "pixels")][0]
        told, n, rmse, _, bias, _, *more = line_of(of_pixels, name)
        assert told == unit == row["unit"] and int(n) == found["n"] == row["n"] > 200
        for metric, text in zip(METRICS, (rmse, bias, *more), strict=True):
            assert float(text) == pytest.approx(found[metric], rel=2e-5), (name, metric)
            assert row[metric] == pytest.approx(found[metric], rel=1e-6), (name, metric)
        told, bias, *more = line_of(of_sums, name)
        assert told == "dex" and more[-1] == of_sum
        assert float(bias) == pytest.approx(sums[name]["bias"], rel=2e-5)


def line_of(printed, name):
    """The words behind a property's name in a table that was printed."""
    return next(words[1:] for line in printed.splitlines() if (words := line.split())[0] == name)


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory):
    """A folder of files that cannot be right, and of the images of a galaxy that are; nothing is
    written there.
    """
    tmp_path = tmp_path_factory.mktemp("mistakes")
    folder = write_galaxy(tmp_path / "galaxy", BANDS)
    wcs = tan_wcs((40, 40), 1.5)
    write_image(tmp_path / "nowcs_W1.fits", np.ones((40, 40)), None, BUNIT="MJy/sr")
    write_image(tmp_path / "nounit_W1.fits", np.ones((40, 40)), wcs)
    write_image(tmp_path / "noband.fits", np.ones((40, 40)), wcs, BUNIT="MJy/sr")
    write_image(tmp_path / "blank_W1.fits", np.full((40, 40), np.nan), wcs, BUNIT="MJy/sr")
    write_image(tmp_path / "line_W1.fits", np.ones(40), None, BUNIT="MJy/sr")
    write_image(tmp_path / "again_W1.fits", np.ones((40, 40)), wcs, BUNIT="MJy/sr")
    (tmp_path / "text.fits").write_text("no FITS")
    scale = fits.Header({"PIXSCALE": 1.0})
    y, x = np.mgrid[-4:5, -4:5]
    psf = np.exp(-(x**2 + y**2) / 4)
    for name, data, header in (
        ("cube", np.stack([psf] * 3), scale),
        ("noscale", psf, fits.Header()),
        ("blank", psf * np.nan, scale),
        ("negative", -psf, scale),
        ("good", psf, scale),
    ):
        fits.PrimaryHDU(data, header).writeto(tmp_path / f"{name}_psf.fits")
    (tmp_path / "galaxies.csv").write_text("name,ra,dec,d25\nNGC0000,10,2,2.5\n")
    (tmp_path / "empty.csv").write_text("ra,dec,parallax,parallax_error\n")
    (tmp_path / "elsewhere.csv").write_text(
        "ra,dec,parallax,parallax_error\n10,2,1,0.1\n10.01,2,1,0.1\n"
    )
    write_image(tmp_path / "ebv.fits", np.full((20, 20), 0.1), tan_wcs((20, 20), 60.0, ra=20.0))
    whole = (folder / "galaxy_WISE_3.4.fits").read_bytes()
    (tmp_path / "short_W1.fits").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "paths, options, says",
    [
        (["nowcs_W1.fits"], [], "nowcs_W1.fits has no sky coordinates"),
        (
            ["nounit_W1.fits"],
            [],
            "nounit_W1.fits: In which unit is it? The header tells no unit. Answer with --unit",
        ),
        (["noband.fits"], [], "noband.fits: Which band is it?"),
        (["blank_W1.fits"], [], "blank_W1.fits holds no valid pixel"),
        (["line_W1.fits"], [], "line of 40 pixels"),
        (["text.fits"], [], "text.fits is not a FITS file"),
        (["short_W1.fits"], [], "short_W1.fits is cut short"),
        (["missing.fits"], [], "missing.fits does not exist"),
        (["empty"], [], "holds no FITS image"),
        (
            ["galaxy", "again_W1.fits"],
            [],
            "WISE_3.4 is there twice: galaxy_WISE_3.4.fits and again_W1.fits",
        ),
        (
            [
                "galaxy/galaxy_2MASS_J.fits",
                "galaxy/galaxy_2MASS_Ks.fits",
                "galaxy/galaxy_SDSS_r.fits",
            ],
            [],
            "WISE_3.4",
        ),
        (
            ["galaxy/galaxy_WISE_3.4.fits", "galaxy/galaxy_SDSS_r.fits"],
            [],
            "at least 2 input bands besides WISE_3.4",
        ),
        (["galaxy"], ["--set", "sky.nonsense=1"], "no setting 'sky.nonsense'"),
        (["galaxy"], ["--band", "x"], "--band 'x' is not of the form FILE=BAND"),
        (["galaxy"], ["--band", "galaxy_SDSS_r.fits=X9"], "no band called 'X9'"),
        (["galaxy"], ["--unit", "SDSS_r=parsec"], "the unit 'parsec' is not understood"),
        (
            ["galaxy"],
            ["--psf", "SDSS_r=wide"],
            "wide does not exist; check the path of the PSF or kernel",
        ),
        (["galaxy"], ["--psf", "SDSS_r=-2"], "SDSS_r: -2 is outside 0.01 to 3600 arcsec"),
        (
            ["galaxy"],
            ["--psf", "SDSS_r=cube_psf.fits"],
            "cube_psf.fits holds a cube of 9 x 9 x 3 pixels",
        ),
        (
            ["galaxy"],
            ["--psf", "SDSS_r=noscale_psf.fits"],
            "noscale_psf.fits tells no pixel scale; add PIXSCALE",
        ),
        (["galaxy"], ["--psf", "SDSS_r=blank_psf.fits"], "blank_psf.fits has no positive peak"),
        (
            ["galaxy"],
            ["--kernel", "SDSS_r=negative_psf.fits"],
            "negative_psf.fits has no positive peak",
        ),
        (["galaxy"], ["--kernel", "SDSS_r=text.fits"], "text.fits is not a FITS file"),
        (
            ["galaxy"],
            ["--kernel", "WISE_22=good_psf.fits"],
            "A kernel is given for 'WISE_22', which is none of the bands",
        ),
        (["galaxy"], ["--kernel", "SDSS_r"], "--kernel 'SDSS_r' is not of the form BAND=FILE"),
        (["galaxy"], ["--resolution", "missing.fits"], "missing.fits does not exist"),
        (
            ["galaxy"],
            ["--resolution", "sharp"],
            "The common PSF cannot be 'sharp'; give a FWHM in arcsec, a band's name, a FITS file",
        ),
        (["galaxy"], ["--pixel-pc", "500"], "A pixel of 500 pc needs the galaxy's distance"),
        (["galaxy"], ["--pixel-pc", "-500"], "--pixel-pc: -500 is outside 0.1 to 1e+06 pc"),
        (["galaxy"], ["--distance", "100", "--pixel-pc", "3e5"], "less than one pixel"),
        (["galaxy"], ["--redshift", "-0.01"], "--redshift: -0.01 is outside -0.003 to 0.6"),
        (["galaxy"], ["--table", "galaxies.csv", "--name", "NGC 1"], "has no galaxy called NGC 1"),
        (
            ["galaxy"],
            ["--table", "missing.csv"],
            "missing.csv does not exist; check the path of the table of galaxies",
        ),
        (["galaxy"], ["--stars", "empty.csv"], "empty.csv holds no stars: the table is empty"),
        (["galaxy"], ["--stars", "elsewhere.csv"], "elsewhere.csv"),
        (["galaxy"], ["--reddening-map", "ebv.fits"], "ebv.fits covers 0% of the galaxy"),
        (["galaxy"], ["--d25", "0.01"], "less than one pixel"),
        (["galaxy"], ["--ra", "160"], "No image shows the galaxy's position"),
        (["galaxy"], ["--ra", "10"], "if the right ascension is in hours, give 150.00000"),
        (["galaxy"], ["--resolution", "1"], "No image is as sharp"),
        (["galaxy"], ["--model", "crystal-ball"], "crystal-ball"),
        (["galaxy"], ["--recipe", "text.fits"], "text.fits"),
        (["galaxy"], ["--truth", "noband.fits"], "holds no map of a property"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2_and_writes_nothing(
    mistakes, capsys, paths, options, says, monkeypatch
):
    monkeypatch.chdir(mistakes)
    galaxy = ["--ra", "150", "--dec", "2", "--d25", "2.5"]
    assert main(["predict", *paths, "--out", "out.fits", *galaxy, *options]) == 2
    error = capsys.readouterr().err.strip()
    assert (
        says in error
        and error.splitlines()[-1].startswith("galaxy-maps: ")
        and "Traceback" not in error
    )
    assert not (mistakes / "out.fits").exists() and not list(mistakes.glob(".out*"))


@pytest.mark.slow
def test_an_output_that_is_there_is_not_replaced(folder, tmp_path, capsys):
    out = tmp_path / "out.fits"
    out.write_text("precious")
    assert main(["predict", str(folder), "--out", str(out), *GALAXY]) == 2
    assert out.read_text() == "precious" and "--overwrite" in capsys.readouterr().err
    assert main(["predict", str(folder), "--out", str(out), *GALAXY, "--overwrite", "--quiet"]) == 0
    assert fits.getheader(out)["OBJECT"] == "NGC 0"


@pytest.mark.slow
def test_a_table_a_redshift_and_a_kernel_do_what_they_say(folder, tmp_path, capsys, mistakes):
    psf = mistakes / "good_psf.fits"
    (tmp_path / "galaxies.csv").write_text(
        "name,ra,dec,d25,b_a,pa,z\nNGC0000,150,2,2.5,0.8,30,0.002\n"
    )
    out = tmp_path / "cube.fits"
    options = [
        "--name",
        "NGC 0",
        "--table",
        str(tmp_path / "galaxies.csv"),
        "--axis-ratio",
        "0.9",
        "--pixel-pc",
        "250",
    ]
    more = [
        "--kernel",
        f"SDSS_r={psf}",
        "--psf",
        f"2MASS_J={psf}",
    ]
    assert main(["prepare", str(folder), "--out", str(out), *options, *more]) == 0
    printed = capsys.readouterr().out
    assert (
        "from galaxies.csv, NGC0000: ra 150, dec 2, d25 2.5, axis ratio 0.8, "
        "position angle 30, redshift 0.002" in printed
    )
    assert (
        "Mpc from the redshift 0.002 (Hubble flow" in printed
        and "kernel good_psf.fits (sha256" in printed
    )
    recipe = read_recipe(out)
    assert (
        recipe.galaxy.axis_ratio == 0.9
        and recipe.galaxy.d25 == 2.5
        and recipe.grid.pixel == "250 pc"
    )
    assert recipe.psf.kernels == {"SDSS_r": str(psf)}
    cube = read_cube(out)
    assert cube.pixel_pc == pytest.approx(250)
    both = ["--pixel", "3", "--pixel-pc", "100"]
    assert main(["prepare", str(folder), "--out", str(tmp_path / "b.fits"), *both]) == 2


@pytest.mark.slow
def test_what_was_left_out_or_is_not_known_is_said(galaxy_folder, tmp_path, capsys):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 9.0, "SPIRE_250": 3.0}, name="broad")
    (tmp_path / "plain.csv").write_text("ra,dec\n150.01,2.01\n149.99,2.0\n")
    out, options = (
        str(tmp_path / "out.fits"),
        ["--ra", "150", "--dec", "2", "--redshift", "0.002", "--resolution", "8"],
    )
    assert (
        main(
            ["prepare", str(folder), "--out", out, *options, "--stars", str(tmp_path / "plain.csv")]
        )
        == 0
    )
    printed = capsys.readouterr().out
    for sentence in (
        "SPIRE_250 left out: its PSF of 18 arcsec is wider than 8",
        "E(B-V) is not known",
        "no D25 given: ellipse of the 3 sigma",
        "plain.csv has no parallaxes with errors",
        "of plain.csv masked",
        "distance of 8.8",
    ):
        assert printed.count(sentence) == 1, sentence
    assert main(["prepare", str(folder), "--out", out, *options, "--overwrite", "--quiet"]) == 0
    assert not capsys.readouterr().out


def test_models_are_listed_with_their_cards(capsys):
    assert main(["models"]) == 0
    assert "dust-forest" in capsys.readouterr().out
    assert main(["models", "dust-forest"]) == 0
    assert "RMSE" in capsys.readouterr().out
