"""Errors of predicted maps in two parts: what a galaxy's pixels share adds up in sums, the rest
averages down.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.apertures.aperture import Aperture, circle
from napari_galaxy_maps.measure.apertures.overlap import overlaps
from napari_galaxy_maps.measure.apertures.photometry import Options, measure_apertures
from napari_galaxy_maps.measure.apertures.planes import PREDICTED, SHARED, planes_of
from napari_galaxy_maps.measure.apertures.totals import galaxy_totals
from napari_galaxy_maps.measure.compare.comparison import compare
from napari_galaxy_maps.measure.compare.grid_and_psf import smooth
from napari_galaxy_maps.measure.compare.residuals import chosen, residual_maps
from napari_galaxy_maps.measure.pixel_table import pixel_table
from napari_galaxy_maps.measure.profiles.radial_profile import (
    annuli,
    fit_gradients,
    radial_profile,
)
from napari_galaxy_maps.measure.report.page import _html_totals
from napari_galaxy_maps.measure.report.tables import totals_beside
from tests.conftest import tan_wcs

SHAPE, PIXEL, RA, DEC = (61, 61), 4.0, 150.0, 2.0
CORRELATION = 9.0  # pixels
GALAXY = Ellipse(RA, DEC, 100.0, 60.0, 30.0)
HERE = circle(RA + 0.01, DEC, 35.0, "here")


def disc(whole=0.05, galaxy=None, names=("LOG_SIGMA_STAR", "T_DUST"), **provenance):
    """A disc whose maps have errors of `whole`, a part `galaxy` of them shared by all pixels."""
    wcs = tan_wcs(SHAPE, PIXEL)
    r = 100 * GALAXY.radius(wcs, SHAPE)
    planes = {"LOG_SIGMA_STAR": 8 - r / 80, "LOG_SIGMA_MD": 5 - r / 90, "T_DUST": 25 - r / 50}
    values = {name: planes[name].astype("f4") for name in names}
    errors, shared = (
        {} if size is None else {name: np.full(SHAPE, size, "f4") for name in names}
        for size in (whole, galaxy)
    )
    made_by = {"distance_mpc": 10.0, "model_hash": "ab", **provenance}
    return PropertyMaps(
        values, errors, wcs, np.zeros(SHAPE, np.int16), made_by, CORRELATION, galaxy_errors=shared
    )


def rows_of(table, key="map"):
    return {str(row[key]): row for row in table}


@pytest.mark.parametrize("of_galaxy", [0.0, 0.004, 0.02])
def test_errors_of_an_aperture_a_bin_and_a_total_hold_the_truth_in_68_percent_of_draws(of_galaxy):
    """1000 galaxies, each off as a whole and with noise of its own that neighbours share."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(3)
    sigma = np.sqrt(CORRELATION / (4 * np.pi))
    noise = gaussian_filter(rng.normal(size=(1000, *SHAPE)), (0, sigma, sigma), mode="wrap")
    noise *= 0.01 / noise.std()
    off = noise + of_galaxy * rng.normal(size=(1000, 1, 1))
    maps = disc(np.hypot(0.01, of_galaxy), of_galaxy)
    edges = (30.0, 50.0)
    profile = radial_profile(maps, GALAXY, edges)
    told = {
        HERE: measure_apertures(maps, [HERE])["sum", "sum_err"][0],
        annuli(GALAXY, edges)[0]: profile["sum", "sum_err"][0],
        Aperture(GALAXY): galaxy_totals(maps, GALAXY)["value", "err"][0],
    }
    for aperture, (total, error) in told.items():
        (lap,) = overlaps([aperture], maps.wcs, SHAPE)
        plane = maps.values["LOG_SIGMA_STAR"][lap.rows, lap.columns]
        drawn = (lap.weights * 10 ** (plane + off[:, lap.rows, lap.columns])).sum((1, 2))
        right = (lap.weights * 10 ** plane.astype(float)).sum()
        z = (drawn / right - 1) * total / error
        assert np.mean(np.abs(z) < 1) == pytest.approx(0.68, abs=0.05)
        assert np.std(z) == pytest.approx(1, abs=0.08)


def test_no_part_shared_and_all_shared_are_the_ends_of_the_range():
    def err(maps, key="sum_err"):
        row = measure_apertures(maps, [HERE])[0]
        return row[key] / row["sum"]

    least, most = (err(disc(), key) for key in ("sum_err", "sum_err_max"))
    nothing, middle, everything = (err(disc(0.05, part)) for part in (0.0, 0.03, 0.05))
    assert nothing == pytest.approx(least, rel=1e-6)
    assert everything == pytest.approx(most, rel=1e-5)
    assert everything == pytest.approx(0.05 * np.log(10), rel=1e-4)
    assert middle == pytest.approx(np.hypot(0.03 * np.log(10), 0.8 * least), rel=1e-4)


@pytest.mark.parametrize("how", ["median", "mean"])
def test_a_background_errs_with_the_galaxy_that_it_is_taken_from(how):
    """All pixels brighter alike: so are the sum, the background and their difference."""
    options = Options((1.3, 1.8), how)
    maps = disc(0.05, 0.05)
    (row,) = measure_apertures(planes_of(maps, ["LOG_SIGMA_STAR"]), [HERE], options)
    brighter = replace(
        maps, values={name: plane + np.float32(0.001) for name, plane in maps.values.items()}
    )
    (moved,) = measure_apertures(planes_of(brighter, ["LOG_SIGMA_STAR"]), [HERE], options)
    by_shared = 50 * abs(moved["sum"] - row["sum"])
    scatter = measure_apertures(planes_of(disc(0.0, 0.0), ["LOG_SIGMA_STAR"]), [HERE], options)
    expected = np.hypot(by_shared, scatter["sum_err"][0])
    assert row["sum_err"] == pytest.approx(expected, rel=3e-3)
    assert row["background"] > 0 and by_shared > 0


def test_one_error_and_one_sentence_where_the_part_is_known_of_all_maps():
    table = measure_apertures(disc(galaxy=0.03), [HERE])
    assert not [name for name in table.colnames if name.endswith("_max")]
    assert table.meta["notes"][1:] == [f"{SHARED}, is in the errors."]
    totals = galaxy_totals(disc(galaxy=0.03), GALAXY)
    assert "err" in totals.colnames and not {"err_max", "log10_err_max"} & set(totals.colnames)
    row = rows_of(totals)["LOG_SIGMA_STAR"]
    assert row["log10_err"] == pytest.approx(0.03, rel=0.1) and row["log10_err"] > 0.03
    assert PREDICTED in measure_apertures(disc(), [HERE]).meta["notes"]


def test_where_some_maps_have_no_parts_theirs_is_a_range_and_the_note_says_whose():
    maps = disc(galaxy=0.03)
    maps = replace(maps, galaxy_errors={"LOG_SIGMA_STAR": maps.galaxy_errors["LOG_SIGMA_STAR"]})
    table = measure_apertures(maps, [HERE])
    rows = rows_of(table)
    assert rows["LOG_SIGMA_STAR"]["sum_err"] == rows["LOG_SIGMA_STAR"]["sum_err_max"]
    assert rows["T_DUST"]["mean_err"] < 0.5 * rows["T_DUST"]["mean_err_max"]
    _, first, second, *_ = table.meta["notes"]
    assert first == f"{SHARED}, is in the errors of LOG_SIGMA_STAR."
    assert second.startswith("Errors of T_DUST are a range")
    alone = measure_apertures(planes_of(maps, ["LOG_SIGMA_STAR"]), [HERE])
    assert alone["sum_err"][0] == rows["LOG_SIGMA_STAR"]["sum_err"]
    assert "sum_err_max" not in alone.colnames


@pytest.mark.parametrize("wrong", [7.0, -0.01, np.nan])
def test_what_is_no_part_of_the_errors_is_told_and_not_used(wrong):
    """Blank pixels need none."""
    name = "LOG_SIGMA_STAR"
    maps, plain = (disc(galaxy=part, names=[name]) for part in (0.03, None))
    maps.galaxy_errors[name][20:22, 20] = wrong
    table, expected = (measure_apertures(source, [HERE]) for source in (maps, plain))
    assert table["sum_err"][0] == expected["sum_err"][0]
    assert table["sum_err_max"][0] == expected["sum_err_max"][0]
    note, *others = table.meta["notes"]
    assert others == expected.meta["notes"] and "LOG_SIGMA_STAR" in note
    assert "missing, negative or larger than the error on 2 pixels" in note
    maps.values[name][20:22, 20] = np.nan
    assert "sum_err_max" not in measure_apertures(maps, [HERE]).colnames


def test_a_profile_has_one_error_and_the_part_that_moves_it_as_a_whole():
    edges = np.arange(0, 101, 10.0)
    both = {"prediction": disc(galaxy=0.04), "truth": disc(None)}
    table = radial_profile(both, GALAXY, edges)
    assert "mean_err_max" not in table.colnames and not table.masked
    mine = table[table["source"] == "prediction"]
    np.testing.assert_allclose(mine["mean_err_galaxy"], 0.04, rtol=1e-4)
    assert np.isnan(table["mean_err_galaxy"][table["source"] == "truth"]).all()
    outer = mine[mine["map"] == "LOG_SIGMA_STAR"][-1]
    assert outer["growth_err"] / outer["growth"] == pytest.approx(0.04 * np.log(10), rel=0.1)
    fitted = {"prediction": disc(galaxy=0.04), "fit": disc()}
    ranged = radial_profile(fitted, GALAXY, edges)  # of the fit there is a range
    assert {"mean_err_max", "mean_err_galaxy"} <= set(ranged.colnames)
    assert not {"mean_err_galaxy"} & set(radial_profile(disc(), GALAXY, edges).colnames)


def test_what_a_galaxy_shares_lifts_a_gradients_line_and_does_not_tilt_it():
    edges = np.arange(0, 101, 10.0)
    own, both = (
        rows_of(fit_gradients(radial_profile(maps, GALAXY, edges), "r"))["LOG_SIGMA_STAR"]
        for maps in (disc(0.03), disc(0.05, 0.04))
    )
    assert both["gradient"] == pytest.approx(own["gradient"], rel=1e-5)
    assert both["gradient_err"] == pytest.approx(own["gradient_err"], rel=1e-3)
    assert both["central_err"] == pytest.approx(np.hypot(own["central_err"], 0.04), rel=1e-3)


def test_the_shared_part_goes_with_maps_wherever_they_go():
    maps, name = disc(galaxy=0.03), "T_DUST"
    assert list(chosen(maps, [name]).galaxy_errors) == [name]
    residual = residual_maps(maps, disc(0.05))
    np.testing.assert_allclose(residual.galaxy_errors[name], 0.03, rtol=1e-6)
    table = pixel_table(maps)
    assert table[f"{name}_ERR_GALAXY"].unit == "K"
    np.testing.assert_allclose(table[f"{name}_ERR_GALAXY"].value, 0.03, rtol=1e-6)


def test_averaged_over_pixels_the_shared_part_adds_up_linearly():
    maps = disc(0.5, 0.1, ["LOG_SIGMA_STAR"])
    maps.values["LOG_SIGMA_STAR"][:] = 7
    maps.galaxy_errors["LOG_SIGMA_STAR"][:, ::2] = 0.3
    wide = smooth(maps, 4.0, 40.0)
    middle = (slice(25, 36), slice(25, 36))
    np.testing.assert_allclose(wide.galaxy_errors["LOG_SIGMA_STAR"][middle], 0.2, rtol=1e-3)
    np.testing.assert_allclose(wide.errors["LOG_SIGMA_STAR"][middle], 0.5, rtol=1e-3)


@pytest.mark.parametrize("galaxy, heads", [(0.03, False), (None, True)])
def test_the_report_has_a_column_for_the_largest_error_where_there_is_one(galaxy, heads):
    comparison = compare(disc(galaxy=galaxy), disc(None))
    table = totals_beside(comparison)
    assert ("err_max" in table.colnames) == heads
    assert ("largest error" in _html_totals(table)) == heads


def test_measure_prints_one_error_and_its_sentence(tmp_path, capsys):
    write_maps(tmp_path / "maps.fits", disc(galaxy=0.03))
    out = tmp_path / "table.ecsv"
    main(
        [
            "measure",
            str(tmp_path / "maps.fits"),
            "--ellipse",
            f"{RA},{DEC},60,40,0",
            "--out",
            str(out),
        ]
    )
    said = capsys.readouterr()
    assert SHARED in said.out + said.err and "range" not in said.out + said.err
    assert not [name for name in QTable.read(out).colnames if "max" in name]
