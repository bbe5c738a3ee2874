"""Galaxies, images, cubes and maps say what they are in a few lines, and answer by name."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data import methods
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.maps import PropertyMaps

from ..conftest import tan_wcs

SHAPE = (300, 400)


@pytest.fixture
def maps():
    value = np.full(SHAPE, -3.0, np.float32)
    value[0] = np.nan
    flags = np.zeros(SHAPE, np.int16)
    provenance = {"object": "NGC 309", "model": "dust-forest", "recipe": "x = 1\n" * 1000}
    errors = {"LOG_SMD": np.full(SHAPE, 0.25, np.float32)}
    return PropertyMaps(
        {"LOG_SMD": value, "T_DUST": value + 25}, errors, tan_wcs(SHAPE, 2.0), flags, provenance
    )


@pytest.fixture
def image():
    data = np.ones(SHAPE, np.float32)
    return BandImage(data, get_band("WISE_3.4"), tan_wcs(SHAPE, 2.0), fwhm=6.1)


def short(text, lines):
    return len(text.splitlines()) <= lines and max(map(len, text.splitlines())) <= 200


def test_an_image_and_a_galaxy_are_a_few_lines(image):
    assert repr(image) == (
        "BandImage WISE_3.4: 400 x 300 pixels of 2 arcsec, MJy/sr, PSF 6.1 arcsec"
    )
    ellipse = Ellipse(14.18, -9.91, 90, 60, 30)
    galaxy = Galaxy("NGC 309", {"WISE_3.4": image}, 14.18, -9.91, 71.0, ellipse, hubble_stage=0)
    assert short(repr(galaxy), 2)
    for part in (
        "NGC 309",
        "71 Mpc",
        "Hubble stage 0",
        "D25 3 arcmin, b/a 0.667, PA 30",
        "1 bands: WISE_3.4",
    ):
        assert part in repr(galaxy)
    assert "nothing known of it" in repr(Galaxy("x", {}))


def test_a_cube_is_a_few_lines(image):
    planes = np.ones((2, *SHAPE), np.float32)
    mask = np.zeros(SHAPE, bool)
    bands = ("SDSS_r", "WISE_3.4")
    cube = BandCube(
        planes, planes, bands, image.wcs, 6.1, 2.0, 688.4, mask, mask.astype("i2"), "NGC 309"
    )
    assert repr(cube) == (
        "BandCube of NGC 309: 2 bands at 6.10 arcsec on 400 x 300 pixels of 2 arcsec (688.4 pc)\n"
        "  SDSS_r, WISE_3.4"
    )


def test_maps_are_a_line_each(maps):
    assert short(repr(maps), 3)
    assert "PropertyMaps of 400 x 300 pixels, NGC 309, dust-forest" in repr(maps)
    assert "LOG_SMD          median -3.000 +- 0.250 dex (specific dust mass)" in repr(maps)
    nowhere = replace(maps, values={"LOG_SMD": maps.values["LOG_SMD"] * np.nan})
    assert "nowhere" in repr(nowhere)


def test_a_map_is_taken_by_name_and_is_an_array(maps):
    one = maps["LOG_SMD"]
    assert one.value is maps.values["LOG_SMD"] and one.error is maps.errors["LOG_SMD"]
    assert one.property.label == "specific dust mass" and maps["T_DUST"].error is None
    assert np.nanmedian(one) == -3 and np.asarray(one, float).dtype == float
    assert np.array(one, copy=True) is not one.value
    assert repr(one) == (
        "LOG_SMD, specific dust mass: 400 x 300 pixels, median -3.000 +- 0.250 dex"
    )
    assert list(maps) == ["LOG_SMD", "T_DUST"] and "T_DUST" in maps and "AGE_STAR" not in maps
    with pytest.raises(KeyError, match="there are LOG_SMD, T_DUST"):
        maps["AGE_STAR"]


def test_an_unknown_method_is_an_attribute_error(maps):
    with pytest.raises(AttributeError, match="no attribute 'dance'"):
        maps.dance()


def test_the_table_is_filled_when_a_method_is_first_called(monkeypatch):
    table, filled = {}, []
    monkeypatch.setattr(methods, "METHODS", table)
    monkeypatch.setattr(methods, "_loaders", [])

    def fill():
        filled.append(True)
        table["Thing.twice"] = lambda value: 2 * value

    methods.fill_with(fill)
    assert not filled
    assert methods.call("Thing.twice", 21) == 42 and methods.call("Thing.twice", 1) == 2
    assert len(filled) == 1
