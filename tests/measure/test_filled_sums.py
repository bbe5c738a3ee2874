"""Sums count what is thought to lie under masks, with errors that a hole's pixels share; all else
is of measured pixels.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from napari_galaxy_maps.data.cube import BandCube, random_part
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.masked_light import MapFilling, MaskedLight
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.apertures.aperture import Aperture, circle
from napari_galaxy_maps.measure.apertures.filled_pixels import filled_maps
from napari_galaxy_maps.measure.apertures.overlap import overlaps
from napari_galaxy_maps.measure.apertures.photometry import Options, measure_apertures
from napari_galaxy_maps.measure.apertures.planes import planes_of
from napari_galaxy_maps.measure.apertures.quantities import brightness, quantity_of
from napari_galaxy_maps.measure.apertures.sums import filled_sums
from napari_galaxy_maps.measure.apertures.totals import galaxy_totals, integrated_cube
from napari_galaxy_maps.measure.compare.comparison import compare
from napari_galaxy_maps.measure.compare.initial_mass_function import to_imf_of
from napari_galaxy_maps.measure.compare.residuals import chosen
from napari_galaxy_maps.measure.profiles.radial_profile import radial_profile
from napari_galaxy_maps.measure.report.tables import totals_beside
from tests.measure.test_two_parts import DEC, GALAXY, HERE, PIXEL, RA, SHAPE, disc

STARS = "LOG_SIGMA_STAR"
ONE, OTHER = (slice(26, 30), slice(18, 23)), (slice(33, 36), slice(20, 26))
"""Two holes within `HERE`."""
NOT_SUMS = ("mean", "mean_err", "median", "area", "n_pixels", "n_masked", "sum_measured")
LN10 = np.log(10)


def masked(*boxes):
    """Which hole pixels of some boxes belong to, 0 elsewhere."""
    holes = np.zeros(SHAPE, np.int32)
    for number, box in enumerate(boxes, 1):
        holes[box] = number
    return holes


def under(maps, holes, error=0.1, of_galaxy=None):
    """Maps that are hidden in holes, where it is known what they are."""
    rows, columns = np.nonzero(holes)
    values, errors, shared = {}, {}, {}
    hidden = {
        name: np.where(holes, np.float32(np.nan), plane) for name, plane in maps.values.items()
    }
    for name, plane in maps.values.items():
        values[name] = plane[rows, columns]
        errors[name] = np.full(rows.size, error, "f4")
        if of_galaxy is not None:
            shared[name] = np.full(rows.size, of_galaxy, "f4")
    filling = MapFilling(
        rows.astype("i4"), columns.astype("i4"), holes[rows, columns], values, errors, shared
    )
    return replace(maps, values=hidden, filling=filling)


def of(source, name=STARS, aperture=HERE, **options):
    """The row of one map, as a dictionary."""
    table = measure_apertures(source, [aperture], Options(**options))
    return {key: table[key][list(table["map"]).index(name)] for key in table.colnames}


@pytest.mark.parametrize("options", [{}, {"background": (2.0, 2.5)}, {"correct_masked": True}])
@pytest.mark.parametrize(
    "aperture", [HERE, Aperture(HERE.shape, "ring", 0.4), circle(RA + 0.01, DEC, 17)]
)
def test_a_disc_with_holes_of_known_light_has_the_sum_of_the_whole_disc(options, aperture):
    """The smaller apertures cut through the holes; what nobody knows is as blank as before."""
    maps = disc()
    maps.values[STARS][28:31, 28] = np.nan
    maps.values[STARS][33, 22] = np.nan
    holed = under(maps, masked(ONE, OTHER))
    whole, filled, plain = (
        of(source, aperture=aperture, fill=fill, **options)
        for source, fill in ((maps, True), (holed, True), (holed, False))
    )
    assert filled["sum"] == pytest.approx(whole["sum"], rel=1e-6)
    assert filled["sum_measured"] == plain["sum"] == plain["sum_measured"]
    if "correct_masked" not in options:
        assert filled["filled_share"] == pytest.approx(1 - plain["sum"] / whole["sum"], rel=1e-5)
    assert 0 < filled["filled_share"] < 0.5 and plain["filled_share"] == 0
    assert filled["sum_err"] > plain["sum_err"]
    for name in NOT_SUMS:
        assert filled[name] == plain[name], name
    assert filled["flags"] == plain["flags"] | Flag.FILLED


def test_what_does_not_add_up_or_needs_a_distance_has_no_share():
    maps = under(disc(distance_mpc=None), masked(ONE))
    table = measure_apertures(maps, [HERE])
    assert np.isnan(table["sum"]).all() and np.isnan(table["filled_share"]).all()
    assert not any("lie under masks" in note for note in table.meta["notes"])
    near = measure_apertures(planes_of(maps, distance_mpc=10.0), [HERE])
    assert np.isfinite(near["filled_share"]).tolist() == [True, False]
    assert f"up to {near['filled_share'][0]:.1%} of one" in near.meta["notes"][0]


def test_pixels_of_a_hole_err_together_and_holes_apart():
    """Of measured pixels without an error there is only that of the holes."""
    flat = disc(0.0, names=[STARS])
    flat.values[STARS][:] = 7
    pixel = 1e7 * (PIXEL * 10 * PC_PER_MPC_ARCSEC / 1000) ** 2
    one, two, joined = (
        of(under(flat, holes))
        for holes in (masked(ONE), masked(ONE, OTHER), masked(ONE, OTHER).clip(max=1))
    )
    errors = 20 * pixel * 0.1 * LN10, 18 * pixel * 0.1 * LN10
    assert one["sum_err"] == pytest.approx(errors[0], rel=1e-5)
    assert two["sum_err"] == pytest.approx(np.hypot(*errors), rel=1e-5)
    assert joined["sum_err"] == pytest.approx(sum(errors), rel=1e-5)
    assert two["sum_err_max"] == pytest.approx(sum(errors), rel=1e-5)
    assert one["sum"] == two["sum"] and one["mean_err"] == 0


def test_what_all_pixels_of_a_galaxy_share_adds_up_with_that_of_the_filled_ones():
    names, size = [STARS], 0.05
    everything = of(under(disc(size, size, names), masked(ONE, OTHER), size, size))
    assert everything["sum_err"] == pytest.approx(size * LN10 * everything["sum"], rel=1e-5)
    maps = under(disc(0.0, 0.0, names), masked(ONE, OTHER), 0.1, 0.06)
    row, own = of(maps), of(under(disc(0.0, 0.0, names), masked(ONE, OTHER), 0.08, 0.0))
    shared = 0.06 * LN10 * row["filled_share"] * row["sum"]
    assert row["sum_err"] == pytest.approx(np.hypot(own["sum_err"], shared), rel=1e-5)
    # A part that is not known, or larger than the error, leaves the error whole.
    odd = replace(maps.filling, galaxy_errors={STARS: np.full(38, np.nan, "f4")})
    assert of(replace(maps, filling=odd))["sum_err"] == pytest.approx(
        own["sum_err"] / 0.8, rel=1e-5
    )


def test_an_aperture_that_lies_within_a_hole_has_a_sum_and_no_mean():
    maps = under(disc(), masked((slice(22, 40), slice(10, 30))))
    row = of(maps, aperture=circle(RA + 0.012, DEC, 12.0))
    assert row["filled_share"] == 1 and row["sum"] > 0
    assert np.isnan(row["mean"]) and np.isnan(row["sum_measured"]) and row["n_pixels"] == 0


def test_values_that_were_measured_or_edited_are_not_counted_twice():
    maps = under(disc(), masked(ONE))
    plane = maps.values[STARS].copy()
    plane[ONE] = 8.0
    row = of(replace(maps, values=maps.values | {STARS: plane}))
    assert row["filled_share"] == 0 and row["sum"] == row["sum_measured"]
    planes = planes_of(maps)
    assert filled_maps(disc(), planes.quantities, [False] * 2) is None
    (off,) = overlaps([circle(RA - 0.02, DEC, 10.0)], maps.wcs, SHAPE)
    assert filled_sums(planes.filled, off) is None


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**16), radius=st.floats(3, 100), inner=st.sampled_from([0.0, 0.5]))
def test_a_sum_is_what_was_measured_and_the_weighed_pixels_under_masks(seed, radius, inner):
    rng = np.random.default_rng(seed)
    holes = np.where(rng.random(SHAPE) < 0.2, rng.integers(1, 6, SHAPE), 0).astype("i4")
    plain = disc(names=[STARS])
    maps = under(plain, holes)
    place = RA + rng.normal() * 0.01, DEC + rng.normal() * 0.01
    aperture = Aperture(circle(*place, radius).shape, "a", inner)
    row, measured = (of(maps, aperture=aperture, fill=fill) for fill in (True, False))
    unfilled = of(replace(maps, filling=None), aperture=aperture)
    for name in measured:
        np.testing.assert_array_equal(measured[name], unfilled[name])
    (lap,) = overlaps([aperture], maps.wcs, SHAPE)
    inside = lap.weights * (holes[lap.rows, lap.columns] > 0)
    amount = inside * 10 ** plain.values[STARS][lap.rows, lap.columns].astype(float)
    each = (PIXEL * 10 * PC_PER_MPC_ARCSEC / 1000) ** 2
    hidden = amount.sum() * each
    assert row["sum"] == pytest.approx(np.nan_to_num(measured["sum"]) + hidden, rel=1e-4)
    by_hole = [amount[holes[lap.rows, lap.columns] == number].sum() for number in range(1, 6)]
    expected = np.hypot(
        np.nan_to_num(measured["sum_err"]), 0.1 * LN10 * each * np.linalg.norm(by_hole)
    )
    assert row["sum_err"] == pytest.approx(expected, rel=1e-4)


# --- the bands of a cube ------------------------------------------------------------------------


def cube(systematic=0.0, error=0.0):
    """A band masked in a hole that the other sees, both masked in a second, and cut out beyond."""
    data = np.stack([np.full(SHAPE, 3.0), np.full(SHAPE, 5.0)]).astype("f4")
    own = np.zeros((2, *SHAPE), bool)
    own[0][ONE] = own[:, *OTHER] = True
    own[:, :, 50:] = True
    holes = masked(ONE, OTHER, (slice(None), slice(50, None)))
    rows, columns = np.nonzero(holes)
    light = np.where(own[:, rows, columns], data[:, rows, columns], np.nan).astype("f4")
    known = MaskedLight(
        rows.astype("i4"), columns.astype("i4"), holes[rows, columns], light,
        np.where(np.isfinite(light), np.hypot(0.2, systematic * light), np.nan).astype("f4"),
        np.full(light.shape, 0.1, "f4"), columns < 50,
    )  # fmt: skip
    data[own] = 1e3  # stars
    uncertainty = np.hypot(error, systematic * data).astype("f4")
    maps = disc()
    return BandCube(
        data, uncertainty, ("WISE_3.4", "WISE_12"), maps.wcs, 12.0, PIXEL, None, own.any(axis=0),
        maps.flags, own_masks=own, correlation=np.zeros(2), systematic=np.full(2, systematic),
        masked_light=known,
    )  # fmt: skip


def test_a_bands_own_hidden_pixels_count_and_what_is_cut_out_does_not():
    bands, area = cube(), PIXEL**2 * SR_PER_ARCSEC2 * 1e6
    pixels = sum(lap.weights.sum() for lap in overlaps([HERE], bands.wcs, SHAPE))
    for name, light, hidden in (("WISE_3.4", 3, 38), ("WISE_12", 5, 18)):
        row = of(bands, name)
        assert row["sum"] == pytest.approx(light * pixels * area, rel=1e-6)
        assert row["filled_share"] == pytest.approx(hidden / pixels, rel=1e-6)
        assert row["n_masked"] == pytest.approx(hidden)
        alone = of(bands.only([name]), name)
        assert alone["sum"] == row["sum"] and alone["sum_err"] == row["sum_err"]
    wide = circle(RA, DEC, 140.0)
    assert of(bands, aperture=wide, name="WISE_12")["sum"] == pytest.approx(
        5 * area * (50 * SHAPE[0] - off_the_disc(bands, wide)), rel=1e-6
    )


def off_the_disc(bands, aperture):
    """Of the first 50 columns, the pixels that lie outside of an aperture."""
    (lap,) = overlaps([aperture], bands.wcs, SHAPE)
    weights = np.zeros(SHAPE)
    weights[lap.rows, lap.columns] = lap.weights
    return (1 - weights[:, :50]).sum()


def test_a_bands_calibration_is_shared_by_measured_and_filled_pixels():
    row, plain = of(cube(0.03), "WISE_12"), of(cube(), "WISE_12")
    assert row["sum_err"] == pytest.approx(np.hypot(plain["sum_err"], 0.03 * row["sum"]), rel=1e-4)
    error = np.float32([0.5])
    assert random_part(np.float32([10.0]), error, 0.03) == pytest.approx(0.4)
    assert random_part(np.float32([10.0]), error, 0.0) is error


def test_integrated_fluxes_are_of_all_pixels_where_the_masked_light_is_known():
    bands = cube(error=0.1)
    whole = integrated_cube(bands)
    assert whole.data.ravel().tolist() == pytest.approx([3, 5]) and whole.masked_light is None
    assert whole.pixel_arcsec**2 == pytest.approx(50 * SHAPE[0] * PIXEL**2, rel=1e-5)
    random = 0.1 * np.sqrt(50 * SHAPE[0] - 38), 0.2 * 20, 0.2 * 18
    expected = np.linalg.norm(random) / (50 * SHAPE[0])
    assert whole.uncertainty[0, 0, 0] == pytest.approx(expected, rel=1e-3)
    for other in (
        integrated_cube(bands, fill=False),
        integrated_cube(replace(bands, masked_light=None)),
    ):
        assert other.pixel_arcsec**2 == pytest.approx((50 * SHAPE[0] - 38) * PIXEL**2, rel=1e-5)
    alike = integrated_cube(bands.masked_alike())  # of a file that has no masks of each band
    assert alike.data[0, 0, 0] == pytest.approx(3)


# --- whole galaxies, profiles, scores -----------------------------------------------------------


def single(area):
    """Maps of one pixel of so many arcsec2."""
    wcs = disc().wcs.deepcopy()
    wcs.wcs.cdelt = [-np.sqrt(area) / 3600, np.sqrt(area) / 3600]
    wcs.wcs.crpix = [1, 1]
    return PropertyMaps({STARS: np.full((1, 1), 7.0, "f4")}, {}, wcs, np.zeros((1, 1), "i2"))


def test_totals_say_their_share_and_where_the_fluxes_are_of_fewer_pixels():
    maps, whole = under(disc(), masked(ONE, OTHER)), disc()
    table = galaxy_totals(maps, GALAXY)
    assert table["value"][0] == pytest.approx(galaxy_totals(whole, GALAXY)["value"][0], rel=1e-6)
    plain = galaxy_totals(maps, GALAXY, fill=False)
    share = 1 - plain["value"][0] / table["value"][0]
    assert table["filled_share"][0] == pytest.approx(share) and plain["filled_share"][0] == 0
    assert table["value"][1] == plain["value"][1] and np.isnan(table["filled_share"][1])
    area = np.pi * GALAXY.a * GALAXY.b
    fewer, same = (
        galaxy_totals(maps, GALAXY, single(size)).meta["notes"] for size in (0.9 * area, area)
    )
    assert any("leave out 10.0% of the pixels" in note for note in fewer)
    assert "lie under masks" in same[0] and not any("fluxes leave out" in note for note in same)


def test_profiles_and_scores_are_of_measured_pixels():
    maps = under(disc(imf="Chabrier"), masked(ONE, OTHER))
    bare = replace(maps, filling=None)
    edges = np.arange(0, 101, 20.0)
    mine, other = (radial_profile(source, GALAXY, edges) for source in (maps, bare))
    for name in mine.colnames:
        np.testing.assert_array_equal(mine[name], other[name])
    totals = [totals_beside(compare(source, disc(None))) for source in (maps, bare)]
    np.testing.assert_array_equal(totals[0]["value"], totals[1]["value"])
    assert chosen(maps, [STARS]).filling is None
    salpeter, _ = to_imf_of(maps, disc(imf="Salpeter"))
    shift = salpeter.filling.values[STARS] - maps.filling.values[STARS]
    np.testing.assert_allclose(shift, 0.24, atol=1e-5)
    assert salpeter.filling.values["T_DUST"].tolist() == maps.filling.values["T_DUST"].tolist()


@pytest.mark.parametrize("where", [["--ellipse", f"{RA},{DEC},60,40,0"], ["--total"]])
def test_the_command_line_says_what_was_filled_and_leaves_it_out_if_asked(where, tmp_path, capsys):
    maps = under(disc(), masked(ONE, OTHER))
    write_maps(tmp_path / "maps.fits", maps)
    tables = []
    for more in ([], ["--no-fill"]):
        out = tmp_path / f"table{len(more)}.ecsv"
        command = ["measure", str(tmp_path / "maps.fits"), *where, "--out", str(out), *more]
        assert main(command) == 0
        said = capsys.readouterr().out
        assert ("filled_share" in said) == ("lie under masks" in said) == (not more)
        tables.append(QTable.read(out))
    filled, plain = tables
    key = "value" if "value" in filled.colnames else "sum"
    assert filled[key][0] * (1 - filled["filled_share"][0]) == pytest.approx(plain[key][0])
    assert filled["filled_share"][0] > 0.01 and plain["filled_share"][0] == 0


def test_what_adds_up_has_the_unit_of_its_sum():
    assert brightness("SDSS_r").sum_unit == "Jy" and not brightness("SDSS_r").log
    stars, dust = (quantity_of(PROPERTIES[name]) for name in ("LOG_SIGMA_STAR", "LOG_SMD"))
    assert (stars.sum_unit, stars.weight) == ("solMass", "area")
    assert (dust.sum_unit, dust.weight) == ("", "LOG_SIGMA_STAR")
