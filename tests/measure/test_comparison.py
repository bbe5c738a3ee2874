"""Predictions beside truths: brought to one PSF and grid, scores with honest bootstrap errors,
figures that hold their numbers.

Of `measure.compare.comparison`, `measure.compare.pixel_metrics`, and the report of an evaluation:
`measure.report.evaluation`, `measure.report.scores`, `measure.report.tables`,
`measure.report.drawings`, `measure.report.page`.
"""

import html.parser
import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from scipy.ndimage import gaussian_filter

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.compare.comparison import (
    all_metrics,
    compare,
    compared_residual,
    galaxy_metrics,
    metrics_table,
    pixels_of,
)
from napari_galaxy_maps.measure.compare.grid_and_psf import smooth
from napari_galaxy_maps.measure.compare.pixel_metrics import (
    Pixels,
    chi2_by_galaxy,
    metrics,
)
from napari_galaxy_maps.measure.compare.residuals import residual_maps
from napari_galaxy_maps.measure.figures.galaxy_figures import side_by_side
from napari_galaxy_maps.measure.figures.prediction_figures import (
    prediction_against_truth,
    residual_against,
    running_percentiles,
    sigma_against_error,
)
from napari_galaxy_maps.measure.report.evaluation import write_evaluation
from napari_galaxy_maps.measure.report.scores import scores_of
from napari_galaxy_maps.measure.report.tables import totals_beside
from tests.conftest import ink, tan_wcs

SHAPE, PIXEL = (90, 100), 4.0
ELLIPSE = Ellipse(150.0, 2.0, 150.0, 120.0, 20.0)
RECIPE = Recipe.from_tree(
    {
        "galaxy": {
            "ra": 150.0,
            "dec": 2.0,
            "d25": 5.0,
            "axis_ratio": 0.8,
            "position_angle": 20.0,
            "name": "NGC 0",
            "distance": 10.0,
        }
    }
).to_toml()
RNG = np.random.default_rng(0)
TRUTH = -3 + 0.4 * gaussian_filter(RNG.normal(size=SHAPE), 6) / 0.05


def maps_of(values, error=None, shape=SHAPE, pixel=PIXEL, name="NGC 0", **provenance):
    values = {
        key: np.broadcast_to(np.float32(plane), shape).astype("f4") for key, plane in values.items()
    }
    errors = {} if error is None else {key: np.full(shape, error, "f4") for key in values}
    about = {"object": name, "recipe": RECIPE, "file": f"{name}.fits", **provenance}
    return PropertyMaps(values, errors, tan_wcs(shape, pixel), np.zeros(shape, np.int16), about)


def noisy(sigma=0.1, error=None, correlated=0.0, seed=1, offset=0.0, **provenance):
    noise = np.random.default_rng(seed).normal(size=SHAPE)
    if correlated:
        noise = gaussian_filter(noise, correlated, mode="wrap")
    noise *= sigma / noise.std()
    return maps_of(
        {"LOG_SMD": TRUTH + noise + offset}, sigma if error is None else error, **provenance
    )


# --- one PSF, one grid --------------------------------------------------------------------------


def test_the_finer_of_the_two_is_smoothed_to_the_coarser_and_that_is_told():
    y, x = (np.indices((101, 101)) - 50) * PIXEL

    def gaussian(fwhm):
        s = fwhm / 2.3548
        return np.log10(1e8 * np.exp(-(x**2 + y**2) / (2 * s**2)) * (20 / fwhm) ** 2 + 1e3)

    fine, coarse = (
        maps_of({"LOG_SIGMA_STAR": gaussian(f)}, shape=(101, 101), fwhm=f) for f in (20.0, 30.0)
    )
    for maps, truth, which in ((fine, coarse, "prediction"), (coarse, fine, "truth")):
        found = compare(maps, truth)
        assert (
            f"The {which} was smoothed from 20 to 30 arcsec, the PSF of the other." in found.notes
        )
        off = found.maps.values["LOG_SIGMA_STAR"] - found.truth.values["LOG_SIGMA_STAR"]
        assert np.abs(off[(x**2 + y**2) < 40**2]).max() < 0.01
    same = compare(fine, coarse, fwhm=20, truth_fwhm=20)
    assert not any("smoothed" in note for note in same.notes)
    assert any(
        "not known" in note
        for note in compare(maps_of({"T_DUST": 20.0}), maps_of({"T_DUST": 21.0})).notes
    )


def test_smoothing_averages_ratios_by_their_denominators():
    left = np.arange(SHAPE[1]) < 50
    maps = maps_of(
        {"LOG_SMD": np.where(left, -4.0, -2.0), "LOG_SIGMA_STAR": np.where(left, 9.0, 6.0)}, 0.1
    )
    wide = smooth(maps, 8.0, 40.0)
    np.testing.assert_allclose(wide.errors["LOG_SMD"][20:-20, 20:-20], 0.1, rtol=1e-5)
    assert np.isnan(wide.values["LOG_SMD"][45, :4]).all()  # what lies beyond is not known
    edge = wide.values["LOG_SMD"][45, 49]  # as the dust mass over the stellar mass, both smoothed
    dust = smooth(maps_of({"LOG_SIGMA_MD": np.where(left, 5.0, 4.0)}), 8.0, 40.0).values[
        "LOG_SIGMA_MD"
    ]
    assert edge == pytest.approx((dust - wide.values["LOG_SIGMA_STAR"])[45, 49], abs=1e-3)


def test_the_finer_grid_is_put_on_the_coarser():
    fine, coarse = (
        maps_of({"T_DUST": 20.0}, 1.0),
        maps_of({"T_DUST": 21.0}, shape=(45, 50), pixel=8.0),
    )
    for maps, truth, which in (
        (fine, coarse, "The prediction was put on the truth's"),
        (coarse, fine, "The truth was put on"),
    ):
        found = compare(maps, truth)
        assert found.maps.shape == found.truth.shape == (45, 50)
        assert any(note.startswith(which) for note in found.notes)


def test_what_cannot_be_compared_is_told():
    far = maps_of({"T_DUST": 20.0})
    far.wcs.wcs.crval = [10, 10]
    with pytest.raises(InputError, match="does not overlap the prediction"):
        compare(maps_of({"T_DUST": 20.0}), far)
    with pytest.raises(InputError, match="none of the predicted properties"):
        compare(maps_of({"T_DUST": 20.0}), maps_of({"LOG_SMD": -3.0}))
    nothing = compare(
        maps_of({"T_DUST": 20.0, "LOG_SMD": np.nan}), maps_of({"T_DUST": 20.0, "LOG_SMD": -3.0})
    )
    with pytest.raises(InputError, match="No pixel has both a prediction and a truth of LOG_SMD"):
        pixels_of([nothing], "LOG_SMD")
    assert list(all_metrics([nothing])) == ["T_DUST"]
    apart = maps_of({"T_DUST": 20.0, "LOG_SIGMA_STAR": 8.0}), maps_of({"T_DUST": 20.0})
    apart[0].values["T_DUST"][:, 50:] = apart[1].values["T_DUST"][:, :50] = np.nan
    scores = scores_of([compare(*apart)])
    assert not len(scores.pixels()) and scores.inside() is None
    assert any("No pixel has both a prediction and a truth" in note for note in scores.notes)


# --- scores -------------------------------------------------------------------------------------


def test_scores_of_known_noise_are_the_known_ones():
    rng = np.random.default_rng(1)
    shape = (200, 200)
    true = rng.normal(0, 0.6, shape) - 3
    noisy = (true + 0.1 + rng.normal(0, 0.15, shape)).astype("f4")
    maps, truth = maps_of({"LOG_SMD": noisy}, 0.15, shape), maps_of({"LOG_SMD": true}, None, shape)

    def scored(tail):
        tailed = replace(maps, tails={"LOG_SMD": tail})
        return scores_of([compare(tailed, truth)]).pixels()[0]

    row = scored(1.96)
    assert row["n"] == 40000 and row["bias"] == pytest.approx(0.1, abs=0.003)
    assert row["rmse"] == pytest.approx(np.hypot(0.1, 0.15), rel=0.02)
    assert row["r2"] == pytest.approx(1 - 0.0325 / 0.36, abs=0.005)
    assert row["chi2"] == pytest.approx(0.0325 / 0.0225, rel=0.03)
    assert row["coverage68"] == pytest.approx(0.582, abs=0.01)
    for tail in (1.0, 3.0):
        other = scored(tail)
        assert other["coverage68"] == row["coverage68"]
        within = np.abs(noisy - true.astype("f4")) < 0.15 * tail
        assert other["coverage95"] == pytest.approx(np.mean(within), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("correlated", [0.0, 1.5])
def test_bootstrap_errors_are_the_scatter_between_draws(correlated):
    """Draws of residuals, independent or smoothed by a PSF: scores scatter between draws as each
    draw's errors say.
    """
    truth = maps_of({"LOG_SMD": TRUTH})
    fwhm = max(correlated, 0.3) * 2.3548 * PIXEL
    comparison = compare(noisy(fwhm=fwhm), truth, truth_fwhm=fwhm)
    pixels, draws = pixels_of([comparison], "LOG_SMD"), []
    for seed in range(100):
        noise = np.random.default_rng(seed).normal(size=SHAPE)
        if correlated:
            noise = (
                gaussian_filter(noise, correlated, mode="wrap") * np.sqrt(4 * np.pi) * correlated
            )
        draws.append(metrics(replace(pixels, predicted=pixels.true + 0.1 * noise.ravel())))
    for name in ("bias", "rmse", "chi2", "coverage68"):
        scatter = np.std([draw[name] for draw in draws])
        assert np.median([draw[f"{name}_err"] for draw in draws]) == pytest.approx(
            scatter, rel=0.25
        ), name


def test_every_galaxy_has_one_vote_and_is_drawn_whole():
    small = (20, 25)
    big = compare(maps_of({"T_DUST": 21.0}, 1.0, name="A"), maps_of({"T_DUST": 20.0}, name="A"))
    little = compare(
        maps_of({"T_DUST": 17.0}, 1.0, small, name="B"),
        maps_of({"T_DUST": 20.0}, shape=small, name="B"),
    )
    pixels = pixels_of([big, little], "T_DUST")
    found = metrics(pixels)
    assert found["bias"] == pytest.approx((1 - 3) / 2) and found["rmse"] == pytest.approx(
        np.sqrt((1 + 9) / 2)
    )
    assert found["bias_err"] == pytest.approx(np.sqrt(2), rel=0.15)  # of two galaxies at 1 and -3
    means = galaxy_metrics([big, little], "T_DUST")
    assert (
        means["n"] == 2
        and means["rmse"] == pytest.approx(found["rmse"])
        and np.isnan(means["chi2"])
    )
    alone = galaxy_metrics([big], "T_DUST")
    assert alone["bias"] == pytest.approx(1) and np.isnan(alone["bias_err"])


def test_ages_are_scored_in_log():
    comparison = compare(maps_of({"AGE_STAR": 10.0}, 1.0), maps_of({"AGE_STAR": 1.0}))
    found = all_metrics([comparison])["AGE_STAR"]
    assert found["unit"] == "dex" and found["pixels"]["bias"] == pytest.approx(1)
    assert found["pixels"]["chi2"] == pytest.approx((np.log(10) / 0.1) ** 2, rel=1e-4)


def test_scores_by_radius_are_of_those_pixels():
    inside = ELLIPSE.radius(tan_wcs(SHAPE, PIXEL), SHAPE) < 0.5
    comparison = compare(
        maps_of({"T_DUST": np.where(inside, 22.0, 19.0)}, 1.0), maps_of({"T_DUST": 20.0})
    )
    found = all_metrics([comparison])["T_DUST"]["radius"]
    assert [part["bias"] for part in found] == pytest.approx([2, 2, -1, -1, -1])
    assert sum(part["n"] for part in found) == (comparison.radius < 1.5).sum()
    table = metrics_table({"T_DUST": all_metrics([comparison])["T_DUST"]})
    assert list(table["over"][:3]) == ["pixels", "galaxies", "0-0.25 R25"]


# --- figures ------------------------------------------------------------------------------------


def test_running_percentiles_are_those_of_the_bins():
    x, y = RNG.uniform(0, 1, 20_000), RNG.normal(0, 1, 20_000)
    table = running_percentiles(x, y + 3 * x)
    middle = (table["low"] + table["high"]) / 2
    np.testing.assert_allclose(table["p50"], 3 * middle, atol=0.12)
    np.testing.assert_allclose(table["p84"] - table["p16"], 2, atol=0.2)
    assert table["n"].sum() == pytest.approx(20_000 * 0.99, abs=5)


@pytest.mark.slow
def test_figures_are_drawn_and_return_their_numbers():
    comparison = compare(noisy(0.1, fwhm=8.0), maps_of({"LOG_SMD": TRUTH}, fwhm=8.0))
    pixels = pixels_of([comparison], "LOG_SMD")
    figure, table = prediction_against_truth(pixels, "LOG_SMD")
    assert ink(figure) > 0.05 and len(table) > 8
    np.testing.assert_allclose(table["p50"], (table["low"] + table["high"]) / 2, atol=0.1)
    figure, table = sigma_against_error(pixels, "LOG_SMD")
    assert ink(figure) > 0.05 and len(table) == 1  # one sigma for all: one bin
    assert table["sigma"][0] == pytest.approx(0.1) and table["rms"][0] == pytest.approx(
        0.1, rel=0.03
    )
    figure, table = residual_against(pixels, "LOG_SMD", pixels.radius, "radius")
    assert ink(figure) > 0.05
    np.testing.assert_allclose(table["p84"] - table["p16"], 0.2, rtol=0.4)
    figure, table = side_by_side(comparison, "LOG_SMD")
    assert ink(figure) > 0.2 and list(table["map"]) == [
        "truth",
        "prediction",
        "residual",
        "predicted error",
    ]
    assert table["p50"][2] == pytest.approx(0, abs=0.01) and table["p50"][3] == pytest.approx(0.1)


def test_sigma_against_error_follows_sigma_where_it_is_right():
    sigma = RNG.uniform(0.05, 0.4, SHAPE)
    maps = maps_of({"LOG_SMD": TRUTH + sigma * RNG.normal(size=SHAPE)}, 0.1)
    maps.errors["LOG_SMD"][:] = sigma
    _, table = sigma_against_error(
        pixels_of([compare(maps, maps_of({"LOG_SMD": TRUTH}))], "LOG_SMD"), "LOG_SMD"
    )
    assert len(table) == 12
    np.testing.assert_allclose(table["rms"], table["sigma"], rtol=0.15)
    assert np.mean(np.abs(table["rms"] - table["sigma"]) < 2 * table["rms_err"]) > 0.7
    without = compare(maps_of({"LOG_SMD": TRUTH}), maps_of({"LOG_SMD": TRUTH}))
    with pytest.raises(InputError, match="has no errors to compare with"):
        sigma_against_error(pixels_of([without], "LOG_SMD"), "LOG_SMD")
    with pytest.raises(InputError, match="No pixel has a radius"):
        pixels = pixels_of([without], "LOG_SMD")
        residual_against(pixels, "LOG_SMD", pixels.radius * np.nan, "radius")


# --- the report and the command line ------------------------------------------------------------


class Balance(html.parser.HTMLParser):
    """Checks that what is opened is closed, and lists what a page would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.outside = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href") and not v.startswith("data:")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.slow
def test_evaluate_writes_numbers_tables_figures_and_one_page(tmp_path, capsys):
    write_maps(tmp_path / "maps.fits", noisy(0.1, fwhm=8.0))
    write_maps(tmp_path / "truth.fits", maps_of({"LOG_SMD": TRUTH}, fwhm=8.0))
    out = tmp_path / "out"
    arguments = [
        "evaluate",
        str(tmp_path / "maps.fits"),
        str(tmp_path / "truth.fits"),
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert "LOG_SMD" in capsys.readouterr().out
    written = json.loads((out / "metrics.json").read_text())
    pixels = written["properties"]["LOG_SMD"]["pixels"]
    assert pixels["rmse"] == pytest.approx(0.1, rel=0.02) and pixels["chi2"] == pytest.approx(
        1, abs=0.05
    )
    assert pixels["coverage68"] == pytest.approx(0.68, abs=0.03) and set(pixels) >= {
        "n",
        "bias_err",
        "r2",
        "coverage95",
    }
    assert (
        written["properties"]["LOG_SMD"]["galaxies"]["bias_err"] is None
    )  # of one galaxy, and JSON knows no NaN
    figures, tables = (
        {path.stem for path in (out / folder).iterdir()} for folder in ("figures", "tables")
    )
    assert figures == {
        f"LOG_SMD_{kind}" for kind in ("prediction", "sigma", "against_radius", "maps")
    } | {"profiles"}
    assert tables == figures | {"totals"}
    assert len(QTable.read(out / "tables" / "LOG_SMD_against_radius.ecsv")) > 5
    page = (out / "report.html").read_text()
    checker = Balance()
    checker.feed(page)
    assert checker.open == [] and checker.outside == []
    assert "has no map of stars" in page  # R_half is not to be had here
    assert page.count("data:image/png;base64,") == 5 and "NGC 0" in page and "axis_ratio" in page
    assert main(arguments) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--format", "svg", "--quiet"]) == 0
    assert (out / "figures" / "LOG_SMD_maps.svg").stat().st_size > 1000


@pytest.mark.slow
def test_evaluate_takes_many_galaxies_and_answers_mistakes(tmp_path, capsys):
    for seed in (1, 2):
        write_maps(
            tmp_path / f"m{seed}.fits",
            noisy(0.1, seed=seed, offset=0.05 * seed, name=f"NGC {seed}"),
        )
    write_maps(tmp_path / "t.fits", maps_of({"LOG_SMD": TRUTH}))
    write_maps(tmp_path / "k.fits", maps_of({"T_DUST": 20.0}))
    m1, m2, t, k = (str(tmp_path / f"{name}.fits") for name in ("m1", "m2", "t", "k"))
    assert main(["evaluate", m1, t, m2, t, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert [galaxy["name"] for galaxy in written["galaxies"]] == ["NGC 1", "NGC 2"]
    galaxies = written["properties"]["LOG_SMD"]["galaxies"]
    assert galaxies["n"] == 2 and galaxies["bias"] == pytest.approx(0.075, abs=0.01)
    figures = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert figures >= {
        "LOG_SMD_galaxies",
        "LOG_SMD_maps",
        "profiles_1",
        "profiles_2",
    }
    for files, says in (
        ([m1], "two files for each galaxy"),
        ([m1, k], "none of the predicted"),
        ([m1, "no.fits"], "no.fits"),
    ):
        assert main(["evaluate", *files, "--out", str(tmp_path / "new")]) == 2
        message = capsys.readouterr().err
        assert says in message and message.count("\n") == 1 and not (tmp_path / "new").exists()


def test_whole_galaxy_values_are_over_the_pixels_that_both_have():
    prediction = maps_of({"LOG_SIGMA_STAR": 7.3, "T_DUST": 21.0}, 0.1)
    prediction.values["LOG_SIGMA_STAR"][:, :40] = np.nan
    truth = maps_of({"LOG_SIGMA_STAR": 7.0, "T_DUST": 20.0})
    truth.values["T_DUST"][:20] = np.nan
    table = {row["map"]: row for row in totals_beside(compare(prediction, truth))}
    area = 60 * 70 * PIXEL**2 * (10 * PC_PER_MPC_ARCSEC / 1000) ** 2
    assert table["LOG_SIGMA_STAR"]["true"] == pytest.approx(1e7 * area, rel=1e-3)
    assert table["LOG_SIGMA_STAR"]["difference"] == pytest.approx(0.3, abs=1e-5)
    assert table["T_DUST"]["difference"] == pytest.approx(1, abs=1e-5)
    far = maps_of({"T_DUST": 20.0}, recipe="")
    assert totals_beside(compare(far, truth)) is None


@pytest.mark.slow
def test_a_report_escapes_what_files_say(tmp_path):
    comparison = compare(noisy(name="<script>"), maps_of({"LOG_SMD": TRUTH}))
    write_evaluation(tmp_path / "out", [comparison], card="<b>card</b>")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script>" not in page and "&lt;b&gt;card" in page


def test_the_residual_is_at_the_psf_and_on_the_grid_of_the_coarser(tmp_path):
    fine = PropertyMaps(
        {"LOG_SIGMA_MD": blob(80, 2.0, 4.0)},
        {},
        tan_wcs((80, 80), 2.0),
        np.zeros((80, 80), np.int16),
        {"fwhm": "4"},
    )
    coarse = PropertyMaps(
        {"LOG_SIGMA_MD": blob(20, 8.0, 24.0)},
        {},
        tan_wcs((20, 20), 8.0),
        np.zeros((20, 20), np.int16),
        {"fwhm": "24"},
    )
    for prediction, truth in ((fine, coarse), (coarse, fine)):
        residual = compared_residual(prediction, truth)
        assert residual.shape == (20, 20)
        assert any("smoothed from 4 to 24" in note for note in residual.provenance["note"])
        # Without the smoothing the middle would be off by 0.2 dex; the wider pixels average, too.
        assert np.nanmax(np.abs(residual.values["LOG_SIGMA_MD"])) < 0.05


def blob(n: int, pixel: float, fwhm: float) -> np.ndarray:
    """log10 of a Gaussian source of FWHM 30 arcsec on a faint level, seen with a PSF of `fwhm`."""
    y, x = (np.indices((n, n)) - (n - 1) / 2) * pixel
    sigma, own = (np.hypot(30.0, width) / 2.3548 for width in (fwhm, 0.0))
    light = (own / sigma) ** 2 * np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return np.log10(1e4 * (light + 0.05)).astype("f4")


def test_an_interval_is_as_wide_as_the_prediction_says():
    """Errors of Student's t with 3 degrees of freedom: 95 % are within 3.18 of its scales, 86 %
    within 1.96.
    """
    miss = np.clip(np.random.default_rng(7).standard_t(3, SHAPE), -40, 40)
    maps, truth = maps_of({"LOG_SMD": TRUTH + 0.1 * miss}, 0.1), maps_of({"LOG_SMD": TRUTH})
    wide_tails = replace(maps, tails={"LOG_SMD": 3.182})
    within = [
        metrics(pixels_of([compare(m, truth)], "LOG_SMD"))["coverage95"] for m in (maps, wide_tails)
    ]
    assert within == pytest.approx([0.855, 0.95], abs=0.012)


def test_chi2_by_galaxy_is_the_spread_of_the_galaxies_own():
    rng = np.random.default_rng(4)
    galaxy = np.repeat(np.arange(40), 500)
    scale = np.sqrt(np.linspace(0.25, 4, 40))  # chi2 of each galaxy
    off = rng.normal(0, scale[galaxy])
    nothing = np.zeros(galaxy.size)
    found = chi2_by_galaxy(Pixels(off, nothing, nothing + 1, nothing, galaxy, galaxy, nothing))
    assert found["n"] == 40
    for name, share in (("p16", 0.16), ("p50", 0.5), ("p84", 0.84)):
        assert found[name] == pytest.approx(0.25 + share * 3.75, rel=0.1)
    assert np.isnan(
        chi2_by_galaxy(Pixels(off, nothing, nothing * np.nan, nothing, galaxy, galaxy, nothing))[
            "p50"
        ]
    )


def test_masses_of_another_initial_mass_function_are_converted_and_said_so():
    maps = maps_of(
        {"LOG_SIGMA_STAR": 8.24, "LOG_SMD": -3.24, "T_DUST": 20.0}, imf="Salpeter", fwhm=12.0
    )
    truth = maps_of(
        {"LOG_SIGMA_STAR": 8.0, "LOG_SMD": -3.0, "T_DUST": 19.0}, imf="Chabrier", fwhm=12.0
    )
    found = compare(maps, truth)
    for name, off in (("LOG_SIGMA_STAR", 0.0), ("LOG_SMD", 0.0), ("T_DUST", 1.0)):
        np.testing.assert_allclose(
            found.maps.values[name] - found.truth.values[name], off, atol=1e-5
        )
        np.testing.assert_allclose(residual_maps(maps, truth).values[name], off, atol=1e-5)
    (note,) = (text for text in found.notes if "initial mass function" in text)
    assert "Chabrier's" in note and "LOG_SIGMA_STAR by +0.24" in note and "LOG_SMD by -0.24" in note
    np.testing.assert_allclose(truth.values["LOG_SIGMA_STAR"], 8.0)  # what was given stays


@pytest.mark.parametrize(
    ("mine", "other"),
    [("Salpeter", "Salpeter"), ("Salpeter", ""), ("", "Chabrier"), ("diet", "Kroupa")],
)
def test_masses_of_one_or_of_an_unknown_initial_mass_function_stay(mine, other):
    maps, truth = (maps_of({"LOG_SIGMA_STAR": 8.0}, imf=imf, fwhm=12.0) for imf in (mine, other))
    found = compare(maps, truth)
    assert not any("initial mass function" in note for note in found.notes)
    np.testing.assert_allclose(found.truth.values["LOG_SIGMA_STAR"], 8.0)
