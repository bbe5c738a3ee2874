"""What maps cannot be is blank, and said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.plausible import mass_note, possible_only
from napari_galaxy_maps.data.properties import PROPERTIES
from tests.conftest import tan_wcs

SHAPE = (3, 4)


def maps_of(**planes):
    values = {name: np.full(SHAPE, value, "f4") for name, value in planes.items()}
    errors = {name: np.full(SHAPE, 0.1, "f4") for name in planes}
    return PropertyMaps(values, errors, tan_wcs(SHAPE, 1.0), np.zeros(SHAPE, np.int16))


def test_values_that_cannot_be_are_blank_with_their_errors_and_counted():
    maps = maps_of(T_DUST=22.0, LOG_SMD=-2.5)
    maps.values["T_DUST"][0, :2] = (150.0, -3.0)
    maps = replace(maps, galaxy_errors={name: 0.5 * e for name, e in maps.errors.items()})
    kept, notes = possible_only(maps)
    blank = np.zeros(SHAPE, bool)
    blank[0, :2] = True
    np.testing.assert_array_equal(np.isnan(kept.values["T_DUST"]), blank)
    np.testing.assert_array_equal(np.isnan(kept.errors["T_DUST"]), blank)
    np.testing.assert_array_equal(np.isnan(kept.galaxy_errors["T_DUST"]), blank)
    assert notes == ["T_DUST is blank on 2 pixels where it would be outside 5 to 100 K"]
    assert np.isfinite(kept.values["LOG_SMD"]).all() and maps.values["T_DUST"][0, 0] == 150


def test_maps_of_a_galaxy_stay_as_they_are():
    maps = maps_of(T_DUST=22.0, LOG_SMD=-2.5)
    assert possible_only(maps) == (maps, [])


@given(st.sampled_from(list(PROPERTIES)), st.floats(width=32))
def test_no_value_is_left_outside_what_is_possible(name, value):
    kept, _ = possible_only(maps_of(**{name: value}))
    least, most = PROPERTIES[name].possible
    plane = kept.values[name]
    assert (np.isnan(plane) | ((plane >= least) & (plane <= most))).all()


def test_the_usual_range_of_every_property_is_possible():
    for prop in PROPERTIES.values():
        assert prop.possible[0] < prop.limits[0] < prop.limits[1] < prop.possible[1]


@pytest.mark.parametrize(
    ("log_sigma", "pixel_pc", "words"),
    [(8.0, 1000.0, ""), (8.0, None, ""), (8.0, 1e6, "more than any galaxy has"),
     (2.0, 10.0, "less than any galaxy has")],
)  # fmt: skip
def test_a_mass_that_no_galaxy_has_is_said(log_sigma, pixel_pc, words):
    maps = maps_of(LOG_SIGMA_STAR=log_sigma)
    maps.values["LOG_SIGMA_STAR"][0, 0] = np.nan
    note = mass_note(maps, pixel_pc)
    assert (words in note) if words else note == ""
    blank = np.full(SHAPE, np.nan, "f4")
    assert mass_note(replace(maps, values={"LOG_SIGMA_STAR": blank}), 1e6) == ""
    assert mass_note(maps_of(T_DUST=20.0), 1e6) == ""
