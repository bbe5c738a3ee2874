"""Sums and means in apertures are those of analytic cases and of photutils; mistakes are told in
words.
"""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from photutils.aperture import (
    ApertureStats,
    SkyCircularAperture,
    SkyEllipticalAnnulus,
    SkyEllipticalAperture,
)

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC, SR_PER_ARCSEC2
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.apertures.aperture import Aperture, circle
from napari_galaxy_maps.measure.apertures.aperture_files import (
    read_apertures,
    write_apertures,
    write_table,
)
from napari_galaxy_maps.measure.apertures.overlap import overlaps
from napari_galaxy_maps.measure.apertures.photometry import Options, measure_apertures
from napari_galaxy_maps.measure.apertures.planes import planes_of
from tests.conftest import tan_wcs

RA, DEC = 150.0, 2.0
SHAPE, PIXEL = (121, 141), 2.0
KPC2_ARCSEC2 = (10 * PC_PER_MPC_ARCSEC / 1000) ** 2  # at 10 Mpc


def image_of(data, pixel=PIXEL, error=None, mask=None, rotation=0.0, fwhm=6.0):
    wcs = tan_wcs(data.shape, pixel, rotation=rotation)
    uncertainty = None if error is None else np.full(data.shape, error, "f4")
    return BandImage(
        data.astype("f4"), get_band("WISE_3.4"), wcs, uncertainty=uncertainty, mask=mask, fwhm=fwhm
    )


def maps_of(values, error=0.1, shape=SHAPE, rotation=0.0, correlation=0.0, **provenance):
    planes = {
        name: np.broadcast_to(np.float32(plane), shape).astype("f4")
        for name, plane in values.items()
    }
    errors = {} if error is None else {name: np.full(shape, error, "f4") for name in planes}
    wcs = tan_wcs(shape, PIXEL, rotation=rotation)
    made_by = {"distance_mpc": 10.0, **provenance}
    return PropertyMaps(planes, errors, wcs, np.zeros(shape, np.int16), made_by, correlation)


def one(source, aperture, name=None, **options):
    table = measure_apertures(source, [aperture], Options(**options))
    (row,) = table if name is None else table[table["map"] == name]
    return row


ELLIPSE = Ellipse(RA + 0.003, DEC - 0.002, 60.0, 31.0, 25.0)


# --- analytic cases -----------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0.0, 33.0, 180.0])
@pytest.mark.parametrize("inner", [0.0, 0.4])
def test_a_flat_image_gives_brightness_times_solid_angle(rotation, inner):
    row = one(image_of(np.full(SHAPE, 3.0), rotation=rotation), Aperture(ELLIPSE, "e", inner))
    area = np.pi * 60 * 31 * (1 - inner**2)
    assert (
        row["sum"] == pytest.approx(3 * area * SR_PER_ARCSEC2 * 1e6, rel=1e-5)
        and row["sum_unit"] == "Jy"
    )
    assert (
        row["mean"] == pytest.approx(3)
        and row["median"] == 3
        and u.Unit(row["mean_unit"]) == u.MJy / u.sr
    )
    assert row["area"].to_value("arcsec2") == pytest.approx(area, rel=1e-5) and row[
        "n_masked"
    ] == pytest.approx(0, abs=1e-9)


def test_a_gaussian_source_has_the_flux_inside_a_circle_that_it_should():
    y, x = (np.mgrid[:301, :301] - 150) * 1.0
    sigma, radius = 20.0, 35.0
    row = one(image_of(np.exp(-(x**2 + y**2) / (2 * sigma**2)), pixel=1.0), circle(RA, DEC, radius))
    expected = (
        2 * np.pi * sigma**2 * (1 - np.exp(-(radius**2) / (2 * sigma**2))) * SR_PER_ARCSEC2 * 1e6
    )
    assert row["sum"] == pytest.approx(expected, rel=1e-3)


def test_an_ellipse_whose_tips_touch_corners_of_pixels_is_whole():
    """photutils alone gives 0.877 of this one."""
    wcs = tan_wcs((141, 141), PIXEL)
    for pa in (0.0, 90.0):
        (overlap,) = overlaps([Aperture(Ellipse(RA, DEC, 5.0, 1.25, pa))], wcs, (141, 141))
        assert overlap.weights.sum() == pytest.approx(np.pi * 5 * 1.25 / PIXEL**2, rel=1e-6)


def test_surface_densities_sum_to_masses_with_the_distance_and_say_so_without():
    maps = maps_of({"LOG_SIGMA_STAR": 7.0, "LOG_SIGMA_SFR": -2.0})
    table = measure_apertures(maps, [Aperture(ELLIPSE)])
    area = np.pi * 60 * 31 * KPC2_ARCSEC2
    for row, value, unit in zip(table, (1e7, 1e-2), ("solMass", "solMass / yr"), strict=True):
        assert row["sum"] == pytest.approx(value * area, rel=1e-5) and u.Unit(
            row["sum_unit"]
        ) == u.Unit(unit)
        assert row["mean"] == pytest.approx(np.log10(value), abs=1e-6)
        assert u.Unit(row["mean_unit"]).physical_unit == u.Unit(unit) / u.kpc**2
    alone = measure_apertures(
        planes_of(PropertyMaps(maps.values, maps.errors, maps.wcs, maps.flags)), [Aperture(ELLIPSE)]
    )
    assert np.isnan(alone["sum"]).all() and np.isfinite(alone["mean"]).all()
    assert any("need the galaxy's distance" in note for note in alone.meta["notes"])
    near = measure_apertures(planes_of(maps, distance_mpc=5.0), [Aperture(ELLIPSE)])
    np.testing.assert_allclose(near["sum"], table["sum"] / 4)


def test_ratios_and_temperatures_are_weighted_by_their_denominators():
    left = np.arange(SHAPE[1]) < 70
    maps = maps_of(
        {"LOG_SLD": np.where(left, -1.0, 0.0), "LOG_SIGMA_LSTAR": np.where(left, 8.0, 7.0),
         "T_DUST": np.where(left, 30.0, 20.0), "LOG_SIGMA_MD": np.where(left, 4.0, 5.0)}
    )  # fmt: skip
    aperture = circle(
        *tan_centre_of_column(maps, 69.5), 30.0
    )  # half on the left, half on the right
    table = {row["map"]: row for row in measure_apertures(maps, [aperture])}
    assert table["LOG_SLD"]["mean"] == pytest.approx(
        np.log10((0.1 * 1e8 + 1e7) / (1e8 + 1e7)), abs=2e-3
    )
    assert table["T_DUST"]["mean"] == pytest.approx((30e4 + 20e5) / (1e4 + 1e5), abs=0.02)
    assert (
        table["LOG_SLD"]["weight"] == "LOG_SIGMA_LSTAR"
        and table["T_DUST"]["weight"] == "LOG_SIGMA_MD"
    )
    assert np.isnan(table["LOG_SLD"]["sum"]) and table["LOG_SLD"]["sum_unit"] == ""
    alone = PropertyMaps({"T_DUST": maps.values["T_DUST"]}, {}, maps.wcs, maps.flags)
    plain = measure_apertures(alone, [aperture])
    assert plain["mean"][0] == pytest.approx(25, abs=0.02) and plain["weight"][0] == "area"
    assert any("averaged over area" in note for note in plain.meta["notes"])


def tan_centre_of_column(maps, column):
    sky = maps.wcs.pixel_to_world(column, (maps.shape[0] - 1) / 2)
    return float(sky.ra.deg), float(sky.dec.deg)


# --- photutils ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0.0, 17.0])
def test_sums_errors_and_medians_are_photutils(rotation):
    rng = np.random.default_rng(3)
    data = rng.normal(5, 1, SHAPE).astype("f4")
    mask = rng.random(SHAPE) < 0.05
    image = image_of(data, error=0.3, mask=mask, rotation=rotation)
    centre = SkyCoord(ELLIPSE.ra, ELLIPSE.dec, unit="deg")
    cases = {
        Aperture(ELLIPSE, "ellipse"): SkyEllipticalAperture(
            centre, 60 * u.arcsec, 31 * u.arcsec, theta=25 * u.deg
        ),
        Aperture(ELLIPSE, "ring", 0.5): SkyEllipticalAnnulus(
            centre, 30 * u.arcsec, 60 * u.arcsec, 31 * u.arcsec, theta=25 * u.deg
        ),
        circle(RA, DEC, 1.3, "tiny"): SkyCircularAperture(
            SkyCoord(RA, DEC, unit="deg"), 1.3 * u.arcsec
        ),
        Aperture(Ellipse(RA, DEC, 100.0, 3.0, 70.0), "thin"): SkyEllipticalAperture(
            SkyCoord(RA, DEC, unit="deg"), 100 * u.arcsec, 3 * u.arcsec, theta=70 * u.deg
        ),
    }
    table = measure_apertures(planes_of(image, correlation=0.0), list(cases))
    for row, theirs in zip(table, cases.values(), strict=True):
        stats = ApertureStats(
            data.astype(float), theirs.to_pixel(image.wcs), error=np.full(SHAPE, 0.3), mask=mask
        )
        sr = row["area"].to_value("sr") / row["n_pixels"]
        assert row["sum"] / sr / 1e6 == pytest.approx(stats.sum, rel=1e-5), row["name"]
        assert row["n_pixels"] == pytest.approx(stats.sum_aper_area.value, rel=1e-6)
        random = (
            np.sqrt(row["sum_err"] ** 2 - (image.band.calibration * row["sum"]) ** 2) / sr / 1e6
        )
        (overlap,) = overlaps([next(a for a in cases if a.name == row["name"])], image.wcs, SHAPE)
        counted = np.where(mask[overlap.rows, overlap.columns], 0, overlap.weights)
        assert random == pytest.approx(0.3 * np.sqrt((counted**2).sum()), rel=1e-4), row["name"]
        if row["name"] in ("ellipse", "ring"):
            assert row["median"] == pytest.approx(stats.median, abs=0.02)
            # photutils weights the variance of a pixel on the edge by its share, not by the square
            # of it
            assert random == pytest.approx(stats.sum_err, rel=0.03)


def test_the_local_background_is_photutils_clipped_one():
    rng = np.random.default_rng(4)
    data = rng.normal(2.0, 0.2, SHAPE)
    data[30:34, 20:24] = 500  # a star in the ring is clipped
    image = image_of(data)
    row = one(image, circle(RA, DEC, 20.0), background=(2.0, 5.5))
    assert row["background"] == pytest.approx(2.0, abs=0.02) and row["mean"] == pytest.approx(
        0.0, abs=0.05
    )
    mean = one(image, circle(RA, DEC, 20.0), background=(2.0, 5.5), background_value="mean")
    assert (
        mean["background"] == pytest.approx(2.0, abs=0.02)
        and mean["background"] != row["background"]
    )
    plain = one(image, circle(RA, DEC, 20.0))
    assert row["median"] == pytest.approx(0, abs=0.05)
    assert np.isnan(plain["background"]) and plain["sum"] > 20 * abs(row["sum"])


def test_polygons_overlap_exactly_and_their_rings_too():
    square = (
        (RA - 0.01, DEC - 0.01),
        (RA + 0.01, DEC - 0.01),
        (RA + 0.01, DEC + 0.01),
        (RA - 0.01, DEC + 0.01),
    )
    side = 72.0
    for rotation in (0.0, 33.0):
        wcs = tan_wcs(SHAPE, PIXEL, rotation=rotation)
        full, ring = overlaps([Aperture(square), Aperture(square, inner=0.5)], wcs, SHAPE)
        width = side * np.cos(np.radians(DEC))
        assert full.weights.sum() * PIXEL**2 == pytest.approx(side * width, rel=1e-4)
        assert ring.weights.sum() / full.weights.sum() == pytest.approx(0.75, rel=1e-4)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "aperture",
    [
        pytest.param(circle(RA, DEC, 4.0), id="small", marks=pytest.mark.slow),
        pytest.param(circle(RA, DEC, 12.0), id="as the PSF"),
        pytest.param(circle(RA, DEC, 60.0), id="large", marks=pytest.mark.slow),
        pytest.param(
            Aperture(Ellipse(RA, DEC, 60, 60), inner=0.85), id="ring", marks=pytest.mark.slow
        ),
    ],
)
def test_the_error_of_a_sum_is_right_on_correlated_noise(aperture):
    """500 draws of noise that a Gaussian PSF of 8 arcsec has smoothed: the scatter of the sums is
    the error told.
    """
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(5)
    sigma = 8.0 / 2.3548 / PIXEL
    blank = gaussian_filter(rng.normal(size=(500, *SHAPE)), (0, sigma, sigma), mode="wrap")
    noise = 0.1 * blank / blank.std()
    image = image_of(noise[0], error=0.1, fwhm=8.0)
    row = one(image, aperture)
    (overlap,) = overlaps([aperture], image.wcs, SHAPE)
    draws = (noise[:, overlap.rows, overlap.columns] * overlap.weights).sum((1, 2))
    scatter = draws.std() * row["area"].to_value("sr") / row["n_pixels"] * 1e6
    error = np.sqrt(row["sum_err"] ** 2 - (image.band.calibration * row["sum"]) ** 2)
    assert error == pytest.approx(scatter, rel=0.12)
    independent = one(planes_of(image, correlation=0.0), aperture)["sum_err"]
    assert (
        aperture.shape.a < 5 or independent < 0.5 * scatter
    )  # it would not be right without the correlation


def test_errors_of_logarithms_are_first_order_and_bounded_by_full_correlation():
    maps = maps_of({"LOG_SIGMA_STAR": 7.0}, error=0.01, correlation=9.0)
    row = one(maps, Aperture(ELLIPSE))
    assert row["mean_err_max"] == pytest.approx(0.01, rel=1e-5)
    assert row["sum_err_max"] == pytest.approx(0.01 * np.log(10) * row["sum"], rel=1e-5)
    n = row["n_pixels"]
    assert row["mean_err"] == pytest.approx(0.01 * 3 / np.sqrt(n), rel=0.15)
    assert row["sum_err"] / row["sum"] == pytest.approx(row["mean_err"] * np.log(10), rel=1e-6)
    pixel = one(maps, circle(RA, DEC, 0.5))
    assert pixel["sum_err"] == pytest.approx(pixel["sum_err_max"], rel=1e-6)
    assert any(
        "larger by these factors: LOG_SIGMA_STAR 1.2" in n
        for n in note_of(maps_of({"LOG_SIGMA_STAR": 7.0}, 0.3))
    )


def note_of(maps):
    return measure_apertures(maps, [Aperture(ELLIPSE)]).meta["notes"]


def test_the_calibration_of_a_cube_is_shared_by_all_its_pixels():
    data = np.full((1, *SHAPE), 2.0, "f4")
    error = np.full_like(data, np.hypot(0.05, 0.03 * 2))
    cube = BandCube(
        data, error, ("WISE_12",), tan_wcs(SHAPE, PIXEL), 6.0, PIXEL, None, np.zeros(SHAPE, bool),
        np.zeros(SHAPE, np.int16),
        correlation=np.array([0.0]), systematic=np.array([0.03]),
    )  # fmt: skip
    row = one(cube, circle(RA, DEC, 80.0))
    random = 0.05 / np.sqrt(row["n_pixels"])
    assert row["mean_err"] == pytest.approx(np.hypot(random, 0.06), rel=1e-3)
    cube.mask[:] = True
    with pytest.raises(InputError, match="blank or masked pixels only"):
        one(cube, circle(RA, DEC, 80.0))


# --- masked pixels ------------------------------------------------------------------------------


def test_masked_pixels_are_counted_and_made_up_for_if_asked():
    data = np.full(SHAPE, 3.0)
    data[:, :70] = np.nan  # the left half of an aperture in the middle
    row = one(image_of(data), circle(*centre(), 40.0))
    whole = one(image_of(data), circle(*centre(), 40.0), correct_masked=True)
    assert (
        row["n_masked"] == pytest.approx(row["n_pixels"], rel=0.03) and row["flags"] == Flag.MASKED
    )
    assert whole["sum"] == pytest.approx(3 * np.pi * 40**2 * SR_PER_ARCSEC2 * 1e6, rel=1e-5)
    assert row["sum"] / whole["sum"] == pytest.approx(
        row["n_pixels"] / (row["n_pixels"] + row["n_masked"])
    )


def centre():
    sky = tan_wcs(SHAPE, PIXEL).pixel_to_world(69.5, 60)
    return float(sky.ra.deg), float(sky.dec.deg)


def test_an_aperture_over_the_edge_counts_what_is_off_and_says_so():
    corner = image_of(np.full(SHAPE, 3.0)).wcs.pixel_to_world(0, 60)
    row = one(
        image_of(np.full(SHAPE, 3.0)), circle(float(corner.ra.deg), float(corner.dec.deg), 40.0)
    )
    assert row["flags"] == Flag.EDGE
    assert row["n_pixels"] + row["n_masked"] == pytest.approx(np.pi * 20**2, rel=1e-5)
    assert row["n_masked"] / row["n_pixels"] == pytest.approx(1, abs=0.1)


def test_flags_of_the_maps_are_those_of_pixels_inside():
    maps = maps_of({"LOG_SMD": -3.0})
    maps.flags[60, 70] = Flag.OUT_OF_DISTRIBUTION
    maps.flags[0, 0] = Flag.FAINT
    assert one(maps, circle(RA, DEC, 20.0))["flags"] == Flag.OUT_OF_DISTRIBUTION


# --- properties ---------------------------------------------------------------------------------

PLANE = np.random.default_rng(6).normal(7, 0.5, SHAPE).astype("f4")


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.1, 0.9),
    st.floats(3, 100),
    st.floats(0.2, 1.0),
    st.floats(0, 180),
    st.floats(-60, 60),
    st.floats(-60, 60),
)
def test_sums_of_disjoint_apertures_add_up(cut, a, ratio, pa, east, north):
    ellipse = Ellipse(RA + east / 3600, DEC + north / 3600, a, a * ratio, pa)
    parts = Aperture(ellipse).scaled(0, cut), Aperture(ellipse).scaled(cut, 1)
    table = measure_apertures(maps_of({"LOG_SIGMA_STAR": PLANE}), [*parts, Aperture(ellipse)])
    for column in ("sum", "n_pixels", "n_masked"):
        inside, outside, whole = np.asarray(table[column])
        assert inside + outside == pytest.approx(whole, rel=1e-6, abs=1e-6)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.floats(5, 60), st.floats(0.2, 1.0), st.floats(0, 180), st.floats(0, 360))
def test_what_is_measured_does_not_depend_on_how_the_image_is_turned(a, ratio, pa, rotation):
    ellipse = Ellipse(RA, DEC, a, a * ratio, pa)
    sums = []
    for angle in (0.0, rotation):
        wcs = tan_wcs((141, 141), PIXEL, rotation=angle)
        y, x = np.mgrid[:141, :141]
        sky = wcs.pixel_to_world(x, y)
        east, north = SkyCoord(RA, DEC, unit="deg").spherical_offsets_to(sky)
        data = 2 + east.arcsec / 150 + np.sin(north.arcsec / 40)
        sums.append(
            float(
                one(BandImage(data.astype("f4"), get_band("WISE_3.4"), wcs), Aperture(ellipse))[
                    "sum"
                ]
            )
        )
    assert sums[0] == pytest.approx(sums[1], rel=5e-3)


# --- files --------------------------------------------------------------------------------------

SHAPES = [
    circle(RA, DEC, 12.5, "circle"),
    Aperture(ELLIPSE, "ellipse"),
    Aperture(Ellipse(RA, DEC, 30.0, 30.0), "ring", 0.5),
    Aperture(ELLIPSE, "elliptical ring", 0.25),
    Aperture(((RA, DEC), (RA + 0.01, DEC), (RA, DEC + 0.02)), "triangle"),
]


def test_ds9_regions_come_back_as_they_were(tmp_path):
    write_apertures(tmp_path / "a.reg", SHAPES)
    back = read_apertures(tmp_path / "a.reg")
    assert [a.name for a in back] == [a.name for a in SHAPES]
    image = image_of(np.arange(np.prod(SHAPE), dtype=float).reshape(SHAPE))
    before, after = (measure_apertures(image, shapes) for shapes in (SHAPES, back))
    np.testing.assert_allclose(after["sum"], before["sum"], rtol=1e-5)


def test_what_a_file_excludes_is_taken_out_of_its_apertures(tmp_path):
    path, again = tmp_path / "a.reg", tmp_path / "again.reg"
    path.write_text(
        f'fk5\ncircle({RA},{DEC},60") # text={{whole}}\ncircle({RA + 100 / 3600},{DEC},20")\n'
        f'-circle({RA},{DEC},20")\n-box({RA - 60 / 3600},{DEC},40",30",0)\n'
        f'-circle({RA},{DEC + 1},20")\n'
    )
    apertures = read_apertures(path)
    assert [aperture.name for aperture in apertures] == ["whole", "2"]
    image = image_of(np.ones(SHAPE))
    table = measure_apertures(image, apertures, Options())
    # Half of the box lies within the circle's edge, but for the sagitta of the arc.
    part = overlaps([Aperture(apertures[0].without[1].shape)], image.wcs, SHAPE)[0]
    disc = overlaps([circle(RA, DEC, 60)], image.wcs, SHAPE)[0]
    common = np.zeros(SHAPE)
    common[part.rows, part.columns] = part.weights
    common[disc.rows, disc.columns] *= disc.weights
    inside = np.zeros(SHAPE, bool)
    inside[disc.rows, disc.columns] = True
    expected = np.pi * (60**2 - 20**2) - common[inside].sum() * PIXEL**2
    assert table["area"][0].value == pytest.approx(expected, rel=1e-3)
    assert table["area"][1].value == pytest.approx(np.pi * 20**2, rel=1e-3)
    assert table["n_masked"][0] == 0 and table["flags"][0] == 0
    assert table["mean"][0] == pytest.approx(1, rel=1e-6)
    assert any("Excluded regions are taken out of whole:" in note for note in table.meta["notes"])
    write_apertures(again, apertures)
    assert again.read_text().count("\n-") == 3
    hole, same = (found[0].without[0].shape for found in (apertures, read_apertures(again)))
    assert (same.ra, same.dec, same.a) == pytest.approx((hole.ra, hole.dec, hole.a), rel=1e-6)


def test_an_excluded_circle_is_the_hole_of_a_ring():
    image = image_of(np.random.default_rng(2).normal(5, 1, SHAPE), error=1.0)
    ring = Aperture(Ellipse(RA, DEC, 50, 50), "a", 0.4)
    cut = Aperture(Ellipse(RA, DEC, 50, 50), "a", without=(circle(RA, DEC, 20),))
    one, other = (measure_apertures(image, [a], Options()) for a in (ring, cut))
    for name in ("sum", "sum_err", "sum_err_max", "mean", "area", "n_pixels"):
        np.testing.assert_allclose(one[name][0], other[name][0], rtol=1e-9, err_msg=name)


def test_regions_of_ds9_itself_are_read(tmp_path):
    (tmp_path / "a.reg").write_text(
        "# Region file format: DS9 version 4.1\nfk5\n"
        'ellipse(150.0,2.0,60.0",30.0",120) # text={east}\nbox(150.0,2.0,40",20",30)\n'
        'point(150.0,2.0)\nannulus(10:00:00.0,+02:00:00,10",20")\n'
    )
    notes = []
    ellipse, box, ring = read_apertures(tmp_path / "a.reg", left_out=notes)
    assert ellipse.name == "east" and (ellipse.shape.a, ellipse.shape.b) == (
        pytest.approx(60),
        pytest.approx(30),
    )
    assert ellipse.shape.pa == pytest.approx(30)  # DS9's angle is from west
    assert ring.inner == pytest.approx(0.5) and ring.shape.ra == pytest.approx(150, abs=1e-4)
    (overlap,) = overlaps([box], tan_wcs(SHAPE, PIXEL), SHAPE)
    assert overlap.weights.sum() * PIXEL**2 == pytest.approx(800, rel=1e-3)
    assert len(notes) == 1 and "point" in notes[0]
    # the box's long side points 30 degrees from west towards north, as the ellipse of the same
    # angle
    (west,) = overlaps([Aperture(Ellipse(RA, DEC, 20, 1, 120.0))], tan_wcs(SHAPE, PIXEL), SHAPE)
    inside = np.zeros(SHAPE)
    inside[overlap.rows, overlap.columns] = overlap.weights
    assert (inside[west.rows, west.columns] * west.weights).sum() > 0.98 * west.weights.sum()


def test_tables_are_written_with_units(tmp_path):
    table = measure_apertures(maps_of({"LOG_SIGMA_STAR": 7.0, "T_DUST": 20.0}), SHAPES[:2])
    write_table(tmp_path / "t.ecsv", table)
    back = QTable.read(tmp_path / "t.ecsv")
    assert (
        back["area"].unit == u.arcsec**2 and list(back["map"]) == ["LOG_SIGMA_STAR", "T_DUST"] * 2
    )
    np.testing.assert_allclose(back["sum"][0], table["sum"][0])
    assert back.meta["notes"] == table.meta["notes"]
    write_table(tmp_path / "t.csv", table)
    assert "area [arcsec2]" in (tmp_path / "t.csv").read_text().splitlines()[0]
    with pytest.raises(InputError, match=r"\.ecsv or \.csv"):
        write_table(tmp_path / "t.txt", table)
    with pytest.raises(InputError, match="is there already"):
        write_table(tmp_path / "t.csv", table)


# --- what is remembered -------------------------------------------------------------------------


def test_an_aperture_measured_before_costs_nothing_and_gives_the_same(monkeypatch):
    from napari_galaxy_maps.measure.apertures import photometry

    planes = planes_of(maps_of({"LOG_SIGMA_STAR": PLANE, "T_DUST": 20.0}))
    first = measure_apertures(planes, SHAPES)
    done = []
    whole = photometry._values
    monkeypatch.setattr(
        photometry, "_values", lambda *arguments: done.append(arguments[1]) or whole(*arguments)
    )
    again = measure_apertures(planes, SHAPES)
    assert not done
    for column in first.colnames:
        np.testing.assert_array_equal(again[column], first[column])
    moved = measure_apertures(planes, [circle(RA, DEC, 13.0, "circle"), *SHAPES[1:]])
    assert len(done) == 1 and moved["sum"][0] > first["sum"][0]


# --- mistakes -----------------------------------------------------------------------------------


def test_mistakes_are_told_in_words():
    image = image_of(np.full(SHAPE, 3.0))
    with pytest.raises(
        InputError, match=r"'far' at RA 160\.00000, Dec 2\.00000 lies off the image"
    ):
        one(image, circle(160.0, DEC, 10.0, "far"))
    with pytest.raises(InputError, match=r"'behind' .* lies off the image"):
        one(image, circle(RA + 180, -DEC, 10.0, "behind"))
    with pytest.raises(InputError, match="blank or masked pixels only"):
        one(image_of(np.full(SHAPE, np.nan)), circle(RA, DEC, 10.0))
    with pytest.raises(InputError, match="2 different corners; a polygon needs at least three"):
        Aperture(((1.0, 2.0), (1.0, 3.0), (1.0, 2.0)), "line")
    with pytest.raises(InputError, match="semi-axes -1 and 2"):
        Aperture(Ellipse(1, 2, -1.0, 2.0))
    with pytest.raises(InputError, match="the inner edge of a ring must be smaller"):
        Aperture(ELLIPSE, inner=1.0)
    for ring in ((2.0, 1.5), (2.0, np.nan), (2.0, np.inf)):
        with pytest.raises(InputError, match="give a smaller and a larger number"):
            one(image, circle(RA, DEC, 10.0), background=ring)
    with pytest.raises(InputError, match="ring for the background has no pixel"):
        one(image, circle(RA, DEC, 10.0), background=(99.0, 100.0))
    with pytest.raises(InputError, match="no aperture to measure"):
        measure_apertures(image, [])
    with pytest.raises(InputError, match="has no LOG_SMD; it has T_DUST"):
        planes_of(maps_of({"T_DUST": 20.0}, file="m.fits"), ["LOG_SMD"])
    for distance in (-1.0, np.nan, 25_000.0):
        with pytest.raises(RecipeError, match=r"is outside 0\.001 to 4000 Mpc"):
            planes_of(image, distance_mpc=distance)


def test_one_aperture_off_the_image_does_not_spoil_the_others():
    image = image_of(np.full(SHAPE, 3.0))
    two = [circle(160.0, DEC, 10.0, "far"), circle(RA, DEC, 10.0, "here")]
    assert measure_apertures(image, two, Options((1.5, 2.0)))["mean"][1] == pytest.approx(0)
    table = measure_apertures(image, two)
    assert (
        np.isnan(table["sum"][0])
        and table["mean"][1] == pytest.approx(3)
        and table["flags"][0] == Flag.EDGE
    )
    assert list(table.meta["empty"]) == [0] and table.meta["notes"][0].startswith(
        "The aperture 'far'"
    )


def test_an_ellipse_at_the_pole_is_measured_as_one():
    """Positions a step north of it lie beyond the pole; photutils' own conversion is a percent off
    there.
    """
    wcs = tan_wcs(SHAPE, PIXEL, dec=89.9995)
    (overlap,) = overlaps([Aperture(Ellipse(RA, 89.9999, 50.0, 20.0, 30.0))], wcs, SHAPE)
    assert overlap.weights.sum() * overlap.pixel_arcsec2 == pytest.approx(np.pi * 1000, rel=1e-6)
    assert overlap.pixel_arcsec2 == pytest.approx(PIXEL**2, rel=1e-5)


def test_images_in_galactic_coordinates_are_measured_in_icrs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-TAN", "GLAT-TAN"]
    middle = SkyCoord(RA, DEC, unit="deg").galactic
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (
        [middle.l.deg, middle.b.deg],
        [71, 61],
        [-PIXEL / 3600, PIXEL / 3600],
    )
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    _, north = SkyCoord(RA, DEC, unit="deg").spherical_offsets_to(wcs.pixel_to_world(x, y).icrs)
    strip = BandImage((np.abs(north.arcsec) < 6).astype("f4"), get_band("WISE_3.4"), wcs)
    along, across = (
        one(strip, Aperture(Ellipse(RA, DEC, 60, 4, pa)))["mean"] for pa in (90.0, 0.0)
    )
    assert along > 0.99 and across < 0.2


# --- the command line ---------------------------------------------------------------------------


def test_measure_writes_the_table_of_the_library(tmp_path, capsys):
    maps = maps_of({"LOG_SIGMA_STAR": PLANE, "T_DUST": 20.0})
    write_maps(tmp_path / "maps.fits", maps)
    out = tmp_path / "table.ecsv"
    assert (
        main(
            [
                "measure",
                str(tmp_path / "maps.fits"),
                "--ellipse",
                "150,2,60,30,25",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert "written to" in capsys.readouterr().out
    expected = measure_apertures(maps, [Aperture(Ellipse(150, 2, 60, 30, 25), "ellipse")])
    np.testing.assert_allclose(QTable.read(out)["sum"], expected["sum"], rtol=1e-6)
    write_apertures(tmp_path / "a.reg", SHAPES)
    arguments = [
        "measure",
        str(tmp_path / "maps.fits"),
        "--regions",
        str(tmp_path / "a.reg"),
        "--overwrite",
        "--quiet",
    ]
    assert main([*arguments, "--map", "T_DUST", "--out", str(out)]) == 0
    assert capsys.readouterr().out == "" and list(QTable.read(out)["name"]) == [
        a.name for a in SHAPES
    ]


def test_measure_sums_images_to_jy(galaxy_folder, tmp_path):
    folder, out = galaxy_folder({"WISE_3.4": 5.0, "SDSS_r": 2.5}, noise=1e-4), tmp_path / "t.csv"
    ellipse = ["--ellipse", "150,2,100,100,0"]
    assert (
        main(
            ["measure", str(folder), *ellipse, "--annulus", "1.4,1.9", "--out", str(out), "--quiet"]
        )
        == 0
    )
    table = QTable.read(out, format="ascii.csv")
    h, radius = 25.0, 100.0
    disc = 2 * np.pi * h**2 * (1 - np.exp(-radius / h) * (1 + radius / h)) * SR_PER_ARCSEC2 * 1e6
    sums = dict(zip(table["map"], table["sum"], strict=True))
    assert sums["WISE_3.4"] == pytest.approx(5 * disc, rel=0.02) and sums[
        "SDSS_r"
    ] == pytest.approx(2.5 * disc, rel=0.02)


@pytest.mark.parametrize(
    "options, says",
    [(["--ellipse", "150,2,60,30"], "is not of the form RA,DEC,A,B,PA"),
     (["--ellipse", "150,2,60,-3,0"], "B: -3 is outside 0.01 to 72000 arcsec"),
     (["--regions", "none.reg"], "none.reg does not exist"),
     (["--ellipse", "10,2,60,30,0"], "lies off the image"),
     (["--ellipse", "150,2,60,30,0", "--annulus", "2"], "is not of the form IN,OUT"),
     (["--ellipse", "150,2,60,30,0", "--map", "LOG_SLD"], "has no LOG_SLD")],
)  # fmt: skip
def test_measure_answers_a_mistake_with_one_line(tmp_path, capsys, options, says):
    write_maps(tmp_path / "maps.fits", maps_of({"LOG_SIGMA_STAR": 7.0}))
    out = tmp_path / "t.ecsv"
    assert main(["measure", str(tmp_path / "maps.fits"), "--out", str(out), *options]) == 2
    message = capsys.readouterr().err
    assert says in message and message.count("\n") == 1 and not out.exists()


@pytest.mark.realdata
def test_ngc5584_has_dustpedias_flux_through_measure(shared_data, tmp_path):
    from tests.test_real_data import dustpedia

    row, ellipse = dustpedia(shared_data, "NGC5584")
    path = shared_data / "galaxies" / "ngc5584" / "NGC5584_WISE_12.fits.gz"
    out = tmp_path / "t.ecsv"
    text = f"{ellipse.ra},{ellipse.dec},{ellipse.a},{ellipse.b},{ellipse.pa}"
    options = [
        "--unit",
        "WISE_12=Jy/pix",
        "--annulus",
        "1.25,1.5",
        "--quiet",
    ]  # DustPedia's own sky annulus
    assert main(["measure", str(path), "--ellipse", text, "--out", str(out), *options]) == 0
    (found,) = QTable.read(out)
    assert found["map"] == "WISE_12" and found["sum_unit"] == "Jy"
    assert abs(found["sum"] - row["WISE_12"]) < row["WISE_12_err"]


def test_every_property_that_adds_up_sums_to_a_unit_that_astropy_knows():
    for prop in PROPERTIES.values():
        row = one(maps_of({prop.name: 1.0}), circle(RA, DEC, 10.0))
        if prop.additive:
            assert u.Unit(prop.log_unit).is_equivalent(u.Unit(str(row["sum_unit"])) / u.kpc**2)
        else:
            assert row["sum_unit"] == ""
        assert fits.card.Card("BUNIT", str(row["mean_unit"])) is not None and u.Unit(
            str(row["mean_unit"])
        )
