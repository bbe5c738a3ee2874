"""One reading of region files serves masks and apertures alike."""

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.ds9_regions import read_regions, write_regions
from napari_galaxy_maps.fits_io.region_shapes import read_shapes
from napari_galaxy_maps.measure.apertures.aperture_files import read_apertures
from tests.conftest import tan_wcs

LINES = "circle(21,31,5)\nellipse(11,11,4,2,30)\npolygon(1,1,11,1,11,11)\nwhatever(1,2)\n"


@pytest.fixture
def in_pixels(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text(f"image\n{LINES}")
    return path


def test_shapes_in_pixels_go_to_the_sky_of_their_image(in_pixels):
    wcs, left_out = tan_wcs((50, 50), 2.0), []
    shapes = read_shapes(in_pixels, wcs, left_out)
    assert [shape.kind for shape in shapes] == ["Circle", "Ellipse", "Polygon"]
    assert not any(shape.in_pixels for shape in shapes)
    centre = wcs.pixel_to_world(20, 30)
    assert shapes[0].region.center.separation(centre).arcsec == pytest.approx(0, abs=1e-6)
    assert shapes[0].region.radius.to_value("arcsec") == pytest.approx(10, rel=1e-3)
    assert len(left_out) == 1 and "whatever" in left_out[0]


def test_without_the_image_they_stay_in_pixels_and_neither_reader_takes_them(in_pixels):
    assert [shape.in_pixels for shape in read_shapes(in_pixels, None, [])] == [True] * 3
    with pytest.raises(InputError, match="3 shapes in pixel coordinates"):
        read_regions(in_pixels)
    with pytest.raises(InputError, match="in pixels of an image"):
        read_apertures(in_pixels)


def test_both_readers_find_the_same_circle(in_pixels):
    wcs = tan_wcs((50, 50), 2.0)
    (circle,), _ = read_regions(in_pixels, wcs)
    aperture = read_apertures(in_pixels, wcs)[0]
    assert (circle.ra, circle.dec) == (aperture.shape.ra, aperture.shape.dec)
    assert circle.radius == pytest.approx(aperture.shape.a)


def test_a_file_of_nothing_usable_says_what_was_left_out(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text("icrs\nline(150,2,150.1,2)\n")
    for read in (read_regions, read_apertures):
        with pytest.raises(InputError, match=r"holds no .*\(a\.reg: .*line.* left out;"):
            read(path)


@pytest.mark.parametrize("read", [read_regions, read_apertures])
def test_a_polygon_of_two_corners_is_left_out_and_told(tmp_path, read):
    path = tmp_path / "two.reg"
    path.write_text("fk5\npolygon(150,2,150.01,2)\n")
    with pytest.raises(InputError, match="a polygon of 2 corners left out; it needs three or more"):
        read(path)
    path.write_text('fk5\npolygon(150,2,150.01,2)\ncircle(150,2,3")\n')
    left_out = []
    read(path, left_out=left_out)
    assert len(left_out) == 1 and "2 corners" in left_out[0]


def test_sizes_in_pixels_are_told_and_parts_of_a_composite_are_shapes(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text('fk5\ncircle(150,2,5")\ncircle(150.001,2,10p)\ncircle(150.002,2,6i)\n')
    left_out = []
    circles, _ = read_regions(path, left_out=left_out)
    assert [circle.radius for circle in circles] == [pytest.approx(5)]
    assert len(left_out) == 2 and all("size is in pixels" in text for text in left_out)
    path.write_text('fk5\ncircle(150,2,5") || box(150.002,2,5",5",0)\n')
    kinds = [shape.kind for shape in read_shapes(path, None, [])]
    assert sorted(kinds) == ["Circle", "Rectangle"]


def test_ellipses_boxes_rings_and_what_is_excluded_become_polygons_and_come_back(tmp_path):
    path, again = tmp_path / "a.reg", tmp_path / "again.reg"
    path.write_text(
        'galactic\nellipse(150,2,9",3",40) # text={one} tag={band=WISE_12}\nbox(150,2,9",3",40)\n'
        'annulus(150,2,3",6")\n-circle(150,2,2")\n-polygon(150,2,150.01,2,150.01,2.01)\n'
    )
    circles, polygons = read_regions(path)
    assert not circles and [shape.frees for shape in polygons] == [False] * 3 + [True] * 2
    assert polygons[0].id == "one" and polygons[0].band == "WISE_12"
    write_regions(again, circles, polygons)
    assert again.read_text().count("-polygon(") == 2
    for one, other in zip(polygons, read_regions(again)[1], strict=True):
        np.testing.assert_allclose(one.vertices, other.vertices, atol=1e-8)
        assert (one.id, one.band, one.frees) == (other.id, other.band, other.frees)


def test_excluded_shapes_alone_mask_and_measure_nothing(tmp_path):
    path = tmp_path / "a.reg"
    path.write_text('fk5\n-circle(150,2,2")\n')
    for read in (read_regions, read_apertures):
        with pytest.raises(InputError, match="holds only excluded shapes"):
            read(path)
