"""The registry of properties is consistent with itself, and a name that it lacks is refused."""

import pytest

from napari_galaxy_maps.data.properties import PROPERTIES, get_property
from napari_galaxy_maps.exceptions import InputError


def test_what_adds_up_has_a_unit_per_area_and_no_weight():
    for prop in PROPERTIES.values():
        assert prop.additive == bool(prop.log_unit), prop.name
        assert prop.additive == (prop.weight is None), prop.name
        assert not prop.additive or prop.log_unit.endswith(("/ kpc2", "kpc2)")), prop.name


def test_weights_are_properties_that_add_up():
    weights = {prop.weight for prop in PROPERTIES.values()} - {None}
    assert weights and all(PROPERTIES[name].additive for name in weights)


def test_limits_grow():
    assert all(low < high for low, high in (prop.limits for prop in PROPERTIES.values()))


def test_a_property_is_found_however_it_is_written():
    assert get_property("log_smd") is PROPERTIES["LOG_SMD"]
    with pytest.raises(InputError, match="no property called 'mass'"):
        get_property("mass")
