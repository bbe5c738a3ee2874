"""Shapes of region files cover the sky that they cover in their own frame, and what cannot be used
is named.
"""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.region_outlines import corners, ring_corners
from napari_galaxy_maps.fits_io.region_shapes import read_shapes
from tests.conftest import tan_wcs

FRAMES = {
    "fk5": "fk5",
    "icrs": "icrs",
    "galactic": "galactic",
    "fk4": "fk4",
    "b1950": "fk4",
    "ecliptic": "barycentricmeanecliptic",
}


def shapes_of(tmp_path, text, wcs=None):
    """The shapes of a region file, and what was left out of it."""
    path = tmp_path / "a.reg"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    left_out = []
    return read_shapes(path, wcs, left_out), left_out


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("place", [(123.4, 5.6), (282.0, 63.0), (10.0, 89.0), (300.0, -71.5)])
def test_an_ellipse_and_a_box_lie_where_their_own_frame_puts_them(tmp_path, name, place):
    frame, (lon, lat) = FRAMES[name], place
    text = f'{name}\nellipse({lon},{lat},300",100",35)\nbox({lon},{lat},600",200",35)\n'
    (ellipse, box), _ = shapes_of(tmp_path, text)
    # Drawn in the frame of the file: x is to the west, y to the north, both turned by 35 degrees.
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    for shape, x, y in (
        (ellipse, 300 * np.cos(turn), 100 * np.sin(turn)),
        (box, np.array([-300.0, 300, 300, -300]), np.array([-100.0, -100, 100, 100])),
    ):
        cos, sin = np.cos(np.radians(35)), np.sin(np.radians(35))
        west, north = x * cos - y * sin, x * sin + y * cos
        drawn = SkyCoord(lon, lat, unit="deg", frame=frame).directional_offset_by(
            np.arctan2(-west, north) * u.rad, np.hypot(west, north) * u.arcsec
        )
        read = SkyCoord(corners(shape.region), unit="deg")
        # FK4 is not a pure rotation of ICRS (the E-terms of aberration): a part in 10^4.
        assert read.separation(drawn.icrs).arcsec.max() < (0.05 if frame == "fk4" else 0.001)


def test_a_ring_holds_what_lies_between_its_edges(tmp_path):
    text = 'fk5\nannulus(150,2,10",20",30")\nellipse(150,2,10",5",20",10",0)\n'
    text += 'box(150,2,10",4",20",8",0)\n'
    shapes, left_out = shapes_of(tmp_path, text)
    kinds = ["CircleAnnulus", "CircleAnnulus", "EllipseAnnulus", "RectangleAnnulus"]
    assert [shape.kind for shape in shapes] == kinds and not left_out
    from regions import PixCoord, PolygonPixelRegion

    wcs = tan_wcs((101, 101), 1.0)
    areas = [np.pi * (20**2 - 10**2), np.pi * (30**2 - 20**2), np.pi * (200 - 50), 160 - 40]
    for shape, area in zip(shapes, areas, strict=True):
        x, y = wcs.world_to_pixel_values(*ring_corners(shape.region).T)
        ring = PolygonPixelRegion(PixCoord(x, y))
        assert ring.to_mask(mode="exact").data.sum() == pytest.approx(area, rel=2e-3)
        assert not ring.contains(PixCoord(50, 50))


def test_a_broken_line_is_named_and_the_others_are_read(tmp_path):
    text = 'galactic\ncircle(150,2,5")\ncircle(150,95,5")\nellipse(150,2,-5",10",3)\n'
    text += 'annulus(150,2,10",5")\nfk5;circle(150,2,6")\ncircle(nan,2,5")\n'
    shapes, left_out = shapes_of(tmp_path, text)
    assert [round(shape.region.radius.to_value("arcsec")) for shape in shapes] == [5, 6]
    assert [line in words for line, words in zip(("line 3", "line 4", "line 5"), left_out[:3],
                                                 strict=True)] == [True] * 3  # fmt: skip
    assert "position is no number" in left_out[3] and len(left_out) == 4
    galactic = SkyCoord(150, 2, unit="deg", frame="galactic").icrs
    assert shapes[0].region.center.separation(galactic).arcsec < 1e-6
    with pytest.raises(InputError, match="cannot be read as regions"):
        shapes_of(tmp_path, 'fk5\ncircle(150,95,5")\n')


@pytest.mark.parametrize("code", [*range(9), 11, 12, *range(14, 32), 127, 133])
def test_control_characters_are_blanks(tmp_path, code):
    text = f'fk5\ncircle(150,2,5") # text={{a{chr(code)}b}} tag={{x{chr(code)}}}\ncircle(1,2,3")\n'
    shapes, _ = shapes_of(tmp_path, text)
    assert len(shapes) == 2 and shapes[0].name == "a b"


def test_physical_coordinates_are_those_of_the_image(tmp_path):
    wcs = tan_wcs((50, 50), 2.0)
    found = [shapes_of(tmp_path, f"{frame}\ncircle(21,31,5)\n", wcs)[0][0].region.center
             for frame in ("image", "physical", "PHYSICAL")]  # fmt: skip
    assert all(place.separation(found[0]).arcsec == 0 for place in found)
    shapes, _ = shapes_of(tmp_path, "physical\ncircle(21,31,5)\n")
    assert shapes[0].in_pixels


def test_casas_regions_are_read(tmp_path):
    text = "#CRTFv0\nglobal coord=J2000\ncircle[[150deg, 2deg], 5arcsec], label='one'\n"
    text += "-ellipse[[150deg, 2deg], [2arcsec, 4arcsec], 0deg]\n"
    (one, other), _ = shapes_of(tmp_path, text)
    assert one.kind == "Circle" and one.name == "one" and not one.is_excluded
    assert other.kind == "Ellipse" and other.is_excluded


@pytest.mark.parametrize(
    "line",
    ['panda(150,2,0,90,1,5",10",1)', "vector(150,2,5,30)", "# ruler(150,2,151,2)",
     "line(150,2,1,2)", "text(150,2) # text={hi}", "point(150,2)", "compass(150,2,5)",
     "whatever(1,2)", 'wcsa;circle(150,2,5")', 'linear;circle(150,2,5")'],
)  # fmt: skip
def test_what_is_no_area_is_told(tmp_path, line):
    from napari_galaxy_maps.fits_io.ds9_regions import read_regions
    from napari_galaxy_maps.measure.apertures.aperture_files import read_apertures

    path = tmp_path / "a.reg"
    path.write_text(f'fk5\ncircle(150,2,3")\n{line}\n')
    for read in (read_regions, read_apertures):
        left_out = []
        read(path, left_out=left_out)
        assert left_out or line.startswith("#"), line


def test_texts_and_line_ends_of_other_systems_are_read(tmp_path):
    text = 'fk5\r\ncircle(150,2,5") # text={NGC 1 é}\r\ncircle(10:00:00.0,+2:00:00,6")\r\n'
    for mark in ("", "\ufeff"):
        shapes, left_out = shapes_of(tmp_path, mark + text)
        assert len(shapes) == 2 and not left_out and shapes[0].name == "NGC 1 é"
        assert shapes[1].region.center.separation(shapes[0].region.center).arcsec < 1e-6
    with pytest.raises(InputError, match="is not text in UTF-8"):
        shapes_of(tmp_path, text.encode("latin-1"))
