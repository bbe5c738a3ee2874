"""Masks are found again when a result is opened again, and can come and go as DS9 regions."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.fits_io.ds9_regions import Polygon
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.pipeline import masks_given
from napari_galaxy_maps.prepare.masks.mask_files import (
    mask_hdus,
    masks_from_regions,
    masks_to_regions,
    read_masks,
)
from napari_galaxy_maps.prepare.masks.mask_set import Masks, Patch
from napari_galaxy_maps.prepare.stars.star_list import Star
from tests.conftest import tan_wcs
from tests.fits_io.test_map_and_cube_files import made_maps

STARS = (
    Star("Gaia DR3 1", 150.001, 2.002, 15.5, "gaia", {"WISE_3.4": 12.0, "SDSS_r": 4.5}),
    Star("by hand", 150.01, 1.99, np.nan, "hand", {"WISE_3.4": 9.0}, "over the nucleus", False),
)
SQUARE = np.array(
    [
        [150.0 + dx / 3600, 2.0 + dy / 3600]
        for dx, dy in ((-20, -20), (20, -20), (20, 20), (-20, 20))
    ]
)


def patch():
    data = np.zeros((40, 40), bool)
    data[5:9, 20:30] = True
    return Patch(data, tan_wcs((40, 40), 3.0, rotation=20), ("SDSS_r",))


def image(band="WISE_3.4", shape=(80, 80)):
    return BandImage(np.ones(shape, "f4"), get_band(band), tan_wcs(shape, 1.5, rotation=-35))


def test_masks_come_back_from_a_result(tmp_path):
    masks = Masks(STARS, (patch(),))
    write_maps(tmp_path / "maps.fits", made_maps(), extra=mask_hdus(masks))
    back = read_masks(tmp_path / "maps.fits")
    assert [replace(s, magnitude=0) for s in back.stars] == [
        replace(s, magnitude=0, radii={"SDSS_r": 0.0, **s.radii}) for s in STARS
    ]
    assert np.isnan(back.stars[1].magnitude) and back.patches[0].bands == ("SDSS_r",)
    for band in ("WISE_3.4", "SDSS_r"):
        np.testing.assert_array_equal(back.on(image(band)), masks.on(image(band)))
    assert read_maps(tmp_path / "maps.fits").values.keys() == made_maps().values.keys()
    write_maps(tmp_path / "plain.fits", made_maps())
    assert read_masks(tmp_path / "plain.fits") is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text(), st.floats(allow_nan=False))
@example("Gaia é ", "\\q \\x20 \n", 15.1)
def test_any_text_and_number_of_masks_comes_back(tmp_path, name, flag, magnitude):
    star = replace(STARS[0], id=name, flag=flag, magnitude=magnitude)
    shape = Polygon(SQUARE, "SDSS_r", name, flag)
    path = tmp_path / "masks.fits"
    hdus = [fits.PrimaryHDU(), *mask_hdus(Masks((star,), (), (shape,)))]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    back = read_masks(path)
    assert back.stars == (star,)
    assert (back.polygons[0].id, back.polygons[0].flag) == (name, flag)


def test_masks_come_back_from_ds9_regions(tmp_path):
    masks = Masks(STARS, (), (Polygon(SQUARE, "SDSS_r"),))
    masks_to_regions(tmp_path / "stars.reg", masks)
    back = masks_from_regions(tmp_path / "stars.reg", ["WISE_3.4", "SDSS_r"])
    for band in ("WISE_3.4", "SDSS_r"):
        np.testing.assert_array_equal(back.on(image(band)), masks.on(image(band)))
    assert {s.id: s.enabled for s in back.stars} == {s.id: s.enabled for s in STARS}


def test_a_polygon_masks_what_it_holds():
    masks = Masks((), (), (Polygon(SQUARE),))
    mask = masks.on(image())
    assert mask.sum() * 1.5**2 == pytest.approx(1600, rel=0.05)
    np.testing.assert_array_equal(masks.of_each([image("WISE_3.4")])[0], mask)
    assert not Masks((), (), (Polygon(SQUARE, "SDSS_r"),)).of_each([image("WISE_3.4")]).any()


def test_what_regions_exclude_frees_what_is_masked_by_hand_but_no_star(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text(
        'fk5\nellipse(150,2,40",20",30)\ncircle(150.005,2,12")\n-circle(150.003,2,14")\n'
    )
    shown = image()
    masks = masks_from_regions(path, ["WISE_3.4"])
    whole = replace(masks, polygons=masks.polygons[:1]).on(shown)
    freed = replace(masks.polygons[1], frees=False)
    hole = Masks(polygons=(freed,)).on(shown)
    assert (whole & hole).sum() > 50
    np.testing.assert_array_equal(masks.on(shown), whole & ~hole)
    np.testing.assert_array_equal(masks.of_each([shown])[0], whole & ~hole)
    star = Star("Gaia DR3 1", 150.003, 2.0, 15.5, "gaia", {"WISE_3.4": 6.0})
    found = Masks((star,)).on(shown)
    assert found.sum() > 10
    both = Masks((*masks.stars, star), (), masks.polygons).on(shown)
    np.testing.assert_array_equal(both, whole & ~hole | found)
    saved = tmp_path / "m.fits"
    write_maps(saved, made_maps(), extra=mask_hdus(masks))
    np.testing.assert_array_equal(read_masks(saved).on(shown), masks.on(shown))


@pytest.mark.parametrize(
    "line, area",
    [('ellipse(150,2,40",20",30)', np.pi * 800), ('box(150,2,60",30",30)', 1800),
     ('annulus(150,2,10",30")', np.pi * 800), ('box(150,2,20",10",60",30",30)', 1600),
     ('ellipse(150,2,20",10",40",20",10)', np.pi * 600)],
)  # fmt: skip
def test_ellipses_boxes_and_rings_mask_their_area(tmp_path, line, area):
    path = tmp_path / "a.reg"
    path.write_text(f"galactic\n{line}\n".replace("150,2", "237.4,42.35"))
    centre = SkyCoord(237.4, 42.35, unit="deg", frame="galactic").icrs
    wcs = tan_wcs((200, 200), 0.5, ra=centre.ra.deg, dec=centre.dec.deg)
    shown = BandImage(np.ones((200, 200), "f4"), get_band("WISE_3.4"), wcs)
    mask = masks_from_regions(path, ["WISE_3.4"]).on(shown)
    assert mask.sum() * 0.25 == pytest.approx(area, rel=0.01)
    assert mask[100, 100] == ("annulus" not in line and line.count('"') < 4)


def test_a_patch_masks_its_own_pixels_on_any_grid():
    p = patch()
    np.testing.assert_array_equal(p.on(p.wcs, p.data.shape), p.data)
    fine = p.on(tan_wcs((160, 160), 1.0, rotation=-10), (160, 160))
    assert fine.sum() == pytest.approx(40 * 9, rel=0.05)


@pytest.mark.slow
def test_stars_are_masked_from_a_table_saved_and_found_again(starry_folder, tmp_path, capsys):
    galaxy = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--quiet"]
    bare, first, again = tmp_path / "bare.fits", tmp_path / "first.fits", tmp_path / "again.fits"
    assert main(["predict", str(starry_folder), "--out", str(bare), *galaxy]) == 0
    options = ["--stars", str(starry_folder / "gaia.ecsv"), *galaxy]
    assert main(["predict", str(starry_folder), "--out", str(first), *options]) == 0
    stars = read_masks(first).stars
    assert sorted(star.id for star in stars) == ["1", "2"]
    maps = read_maps(first)
    assert (maps.flags & Flag.MASKED).any() and not (read_maps(bare).flags & Flag.MASKED).any()
    edited = tmp_path / "edited.fits"
    with fits.open(first) as hdus:
        hdus["STARS"].data["ENABLED"] = [True, False]
        hdus.writeto(edited)
    assert (
        main(
            ["predict", str(starry_folder), "--out", str(again), "--recipe", str(first), "--quiet"]
        )
        == 0
    )
    for name, plane in maps.values.items():
        np.testing.assert_array_equal(plane, read_maps(again).values[name])
    assert (
        main(
            [
                "predict",
                str(starry_folder),
                "--out",
                str(again),
                "--recipe",
                str(edited),
                "--quiet",
                "--overwrite",
            ]
        )
        == 0
    )
    assert (read_maps(again).flags & Flag.MASKED).astype(bool).sum() < (
        maps.flags & Flag.MASKED
    ).astype(bool).sum()


@pytest.mark.slow
def test_regions_are_added_on_the_command_line(starry_folder, tmp_path, capsys):
    region, out = tmp_path / "a.reg", tmp_path / "out.fits"
    region.write_text(
        '# Region file format: DS9\nicrs\ncircle(150.0,2.01,12")\nline(150,2,150.1,2)\n'
    )
    galaxy = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--quiet"]
    assert (
        main(["predict", str(starry_folder), "--out", str(out), "--mask", str(region), *galaxy])
        == 0
    )
    assert "left out" in capsys.readouterr().err
    maps = read_maps(out)
    x, y = maps.wcs.world_to_pixel_values(150.0, 2.01)
    assert (
        maps.flags[round(float(y)), round(float(x))] & Flag.MASKED
        and len(read_masks(out).stars) == 1
    )


@pytest.mark.parametrize(
    "name, text, option, says",
    [("bad.reg", "circle(", "--mask", "bad.reg"), ("none.reg", None, "--mask", "none.reg"),
     ("stars.csv", "a,b\n1,2\n", "--stars", "stars.csv"),
     ("none.csv", None, "--stars", "none.csv")],
)  # fmt: skip
def test_bad_masks_are_refused_in_one_line(
    starry_folder, tmp_path, capsys, name, text, option, says
):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    out = tmp_path / "out.fits"
    assert (
        main(
            [
                "predict",
                str(starry_folder),
                "--out",
                str(out),
                option,
                str(path),
                "--ra",
                "150",
                "--dec",
                "2",
                "--d25",
                "2.5",
            ]
        )
        == 2
    )
    error = capsys.readouterr().err.strip().splitlines()
    assert says in error[-1] and error[-1].startswith("galaxy-maps: ") and not out.exists()


def test_polygons_come_back_from_a_result_too(tmp_path):
    masks = Masks(
        (),
        (),
        (Polygon(SQUARE, "SDSS_r", "bleeding; trail"), Polygon(SQUARE + 0.01, enabled=False)),
    )
    write_maps(tmp_path / "maps.fits", made_maps(), extra=mask_hdus(masks))
    back = read_masks(tmp_path / "maps.fits")
    assert [(p.band, p.id, p.enabled) for p in back.polygons] == [
        ("SDSS_r", "bleeding; trail", True),
        ("", "", False),
    ]
    np.testing.assert_array_equal(back.polygons[1].vertices, SQUARE + 0.01)


@pytest.mark.slow
def test_a_cube_keeps_its_masks_and_so_do_the_maps_made_of_it(starry_folder, tmp_path):
    table = starry_folder / "gaia.ecsv"
    cube, maps = tmp_path / "cube.fits", tmp_path / "maps.fits"
    assert (
        main(["prepare", str(starry_folder), "--stars", str(table), "--out", str(cube), "--quiet"])
        == 0
    )
    assert main(["predict", str(cube), "--out", str(maps), "--quiet"]) == 0
    assert read_masks(cube).stars and read_masks(maps).stars == read_masks(cube).stars


@pytest.mark.slow
def test_regions_mask_even_where_the_stars_are_switched_off(starry_folder, tmp_path):
    table = starry_folder / "gaia.ecsv"
    region, maps = tmp_path / "mine.reg", tmp_path / "maps.fits"
    region.write_text('fk5\ncircle(150.005,2.005,12")\n')
    options = ["--stars", str(table), "--set", "stars.enabled=false", "--mask", str(region)]
    assert main(["predict", str(starry_folder), *options, "--out", str(maps), "--quiet"]) == 0
    assert len(read_masks(maps).stars) == 1 and (read_maps(maps).flags & Flag.MASKED).any()


def test_another_catalogue_takes_the_place_of_a_results_stars_and_of_no_others(tmp_path):
    """Circles of a region file stay, whatever they were fitted to."""
    fitted = Star("9", 150.0, 2.0, 14.0, "gaia", {"SDSS_r": 9.0})
    drawn = replace(fitted, id="1", origin="hand")
    result, regions = tmp_path / "maps.fits", tmp_path / "stars.reg"
    write_maps(result, made_maps(), extra=mask_hdus(Masks((fitted, drawn))))
    masks_to_regions(regions, Masks((replace(fitted, id="7"),)))

    def ids(**options):
        found = masks_given(result, [regions], ["SDSS_r"], [], **options)
        return [star.id for star in found.stars], found.complete

    assert ids() == (["9", "1", "7"], True)
    assert ids(other_stars=True) == (["1", "7"], False)
