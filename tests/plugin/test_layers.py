"""Images and maps become layers with fitting colours, and come back unchanged."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.masked_light import MapFilling
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.canvas import status_bar as readout
from napari_galaxy_maps.plugin.ground import colormaps as colours
from napari_galaxy_maps.plugin.ground import layer_specs as layers

REFERENCE = (150.0, 2.0)


def layer_data(specs):
    return [(spec.data, spec.arguments()) for spec in specs]


def test_an_image_keeps_its_data_and_gets_a_stretch_made_of_colours(image):
    picture = image()
    before = picture.data.copy()
    spec = layers.image_spec(picture, REFERENCE, "NGC 309")
    assert spec.name == "WISE_3.4 NGC 309"
    assert spec.data is picture.data
    assert np.array_equal(picture.data, before)
    low, high = spec.limits
    assert 0.85 < low < 1 and 5 < high <= 11
    assert spec.arguments()["units"] == ("arcsec", "arcsec")


def test_the_stretch_is_asinh():
    colormap = colours.asinh_colormap(0.02)
    x = np.linspace(0, 1, 50)
    grey = colormap.map(x)[:, 0]
    assert np.allclose(grey, np.arcsinh(x / 0.02) / np.arcsinh(1 / 0.02), atol=2e-3)


def test_faint_light_is_brighter_in_the_stretch_than_without_it(image):
    spec = layers.image_spec(image(), REFERENCE)
    low, high = spec.limits
    assert spec.make_colormap().map([(1.5 - low) / (high - low)])[0, 0] > 2 * (1.5 - low) / (
        high - low
    )


@pytest.mark.parametrize("data", [np.full((5, 5), np.nan), np.zeros((5, 5)), np.full((5, 5), -3.0)])
def test_limits_of_flat_and_empty_images_make_sense(data):
    low, high, softening = colours.stretch_limits(data)
    assert np.isfinite([low, high, softening]).all() and high > low


def test_maps_make_a_layer_a_property_whose_names_begin_with_what_differs(maps):
    specs = layers.map_specs(maps, REFERENCE, "NGC 309", made_by="dust-forest", visible="LOG_SMD")
    assert [s.name for s in specs] == [
        f"{name} dust-forest NGC 309" for name in ("LOG_SMD", "T_DUST", "LOG_SIGMA_MD")
    ]
    assert [s.visible for s in specs] == [True, False, False]
    assert specs[0].colormap == PROPERTIES["LOG_SMD"].colormap
    assert specs[2].shown.caption == "dust mass (log10 of Msun/kpc²), dust-forest"
    errors = layers.map_specs(maps, REFERENCE, "NGC 309", view="error", made_by="dust-forest")
    assert errors[0].name == "LOG_SMD uncertainty dust-forest NGC 309"
    assert [s.key for s in errors] == [s.key for s in specs], "the same layers show them"
    apart = layers.map_specs(maps, REFERENCE, view="error", apart=True)
    assert not {s.key for s in apart} & {s.key for s in specs}, "but for those that stay apart"


def test_colours_span_the_galaxy_or_the_usual_range(maps):
    flags = maps.flags.copy()
    flags[:, 20:] = Flag.OUTSIDE
    known = replace(maps, flags=flags)
    (own,) = layers.map_specs(known, REFERENCE, names=["T_DUST"])
    (usual,) = layers.map_specs(known, REFERENCE, names=["T_DUST"], usual=True)
    assert usual.limits == PROPERTIES["T_DUST"].limits
    assert 20 <= own.limits[0] < 20.3 and 22 < own.limits[1] < 22.5, "of pixels without a flag"
    standing = replace(maps, flags=flags | np.int16(Flag.STAND_IN))
    (same,) = layers.map_specs(standing, REFERENCE, names=["T_DUST"])
    assert same.limits == own.limits, "where a band stands in a pixel is as good as before"
    (truth,) = layers.map_specs(maps, REFERENCE, view="truth", beside=known, names=["T_DUST"])
    assert truth.limits == own.limits, "so that both can be compared"


@pytest.mark.parametrize("values", [np.full((9, 9), np.nan), np.full((9, 9), 21.0)])
def test_limits_of_a_map_without_a_range_make_sense(values):
    usual = PROPERTIES["T_DUST"].limits
    low, high = colours.galaxy_limits(values, np.zeros(values.shape, np.int16), usual)
    assert low < high and (not np.isfinite(values).any() or low < 21 < high)
    if not np.isfinite(values).any():
        assert (low, high) == usual


def test_residuals_are_diverging_about_zero(maps):
    residual = PropertyMaps({"LOG_SMD": maps.values["LOG_SMD"] + 3.2}, {}, maps.wcs, maps.flags)
    (spec,) = layers.map_specs(residual, REFERENCE, "NGC 309", view="residual")
    assert spec.name == "LOG_SMD residual NGC 309"
    assert spec.limits[0] == -spec.limits[1]
    middle = spec.make_colormap().map([0.5])[0]
    assert np.ptp(middle[:3]) < 0.01, "grey at zero"


def test_maps_come_back_from_their_layers(maps):
    back, left_out = layers.maps_from_layers(layer_data(layers.map_specs(maps, REFERENCE)))
    assert left_out == []
    for name in maps.values:
        assert np.array_equal(back.values[name], maps.values[name], equal_nan=True)
        assert np.array_equal(back.errors[name], maps.errors[name])
    assert np.array_equal(back.flags, maps.flags)
    assert back.provenance == maps.provenance


def test_one_layer_brings_its_error_and_only_its_property(maps):
    where = np.array([5], "i4")
    planes = {name: np.ones(1, "f4") for name in maps.values}
    maps = replace(
        maps,
        galaxy_errors={name: e / 2 for name, e in maps.errors.items()},
        filling=MapFilling(where, where, where, planes, planes, planes),
    )
    specs = [s for s in layers.map_specs(maps, REFERENCE) if s.key == layers.Key("map", "T_DUST")]
    back, _ = layers.maps_from_layers(layer_data(specs))
    assert list(back.values) == ["T_DUST"] and list(back.errors) == ["T_DUST"]
    assert list(back.galaxy_errors) == ["T_DUST"]
    filling = back.filling
    for of_filled in (filling.values, filling.errors, filling.galaxy_errors):
        assert list(of_filled) == ["T_DUST"]


def test_images_and_residuals_are_left_out_beside_a_prediction(maps, image):
    specs = [
        layers.image_spec(image(), REFERENCE),
        *layers.map_specs(maps, REFERENCE),
        *layers.map_specs(maps, REFERENCE, view="residual", names=["LOG_SMD"]),
    ]
    back, left_out = layers.maps_from_layers(layer_data(specs))
    assert list(back.values) == list(maps.values)
    assert left_out == ["WISE_3.4", "LOG_SMD residual"]


def test_layers_of_two_results_are_not_mixed_into_one_file(maps):
    other = PropertyMaps(maps.values, {}, maps.wcs, maps.flags)
    with pytest.raises(InputError, match="different results"):
        layers.maps_from_layers(
            layer_data(layers.map_specs(maps, REFERENCE) + layers.map_specs(other, REFERENCE))
        )


def test_layers_without_maps_are_not_saved(image):
    with pytest.raises(InputError, match="None of the layers"):
        layers.maps_from_layers(layer_data([layers.image_spec(image(), REFERENCE)]))


def test_what_a_layer_shows_survives_copying(image):
    shown = layers.image_spec(image(), REFERENCE).shown
    twin = copy.deepcopy(shown)
    assert twin.sky.position(3, 4) == shown.sky.position(3, 4)


# The read-out ------------------------------------------------------------------------------------


def test_an_image_reads_out_with_band_and_unit(image):
    shown = layers.image_spec(image(), REFERENCE).shown
    assert re.fullmatch(
        r"WISE_3.4  10\.\d MJy/sr", readout.value_text(shown, shown.content.data, 30, 40)
    )
    assert readout.value_text(shown, shown.content.data, 999, 4) == ""


def test_a_map_reads_out_with_its_error(maps):
    shown = layers.map_specs(maps, REFERENCE)[0].shown
    values = maps.values["LOG_SMD"]
    assert readout.value_text(shown, values, 1, 20) == "LOG_SMD -3.00 ± 0.31 dex"


def test_an_uncertainty_reads_out_with_its_95_percent_where_that_is_known(maps):
    known = replace(maps, tails={"LOG_SMD": 2.4})
    for content, expected in (
        (maps, "LOG_SMD uncertainty 0.31 dex"),
        (known, "LOG_SMD uncertainty 0.31 dex, 95 % within 0.74"),
    ):
        (spec,) = layers.map_specs(content, REFERENCE, view="error", names=["LOG_SMD"])
        shown = spec.shown
        assert readout.value_text(shown, content.errors["LOG_SMD"], 1, 20) == expected


def test_flags_are_said_in_words(maps):
    shown = layers.map_specs(maps, REFERENCE)[0].shown
    values = maps.values["LOG_SMD"]
    text = readout.value_text(shown, values, 2, 3)
    assert text.endswith("(unlike anything the model was trained on; near the edge of an image)")
    assert readout.value_text(shown, values, 5, 5) == "LOG_SMD  no value (masked)"
    newer = replace(
        maps, flags=maps.flags | np.int16(Flag.STAND_IN | 2048), unknown_flags={2048: "haunted"}
    )
    shown = layers.map_specs(newer, REFERENCE)[0].shown
    assert readout.value_text(shown, values, 1, 20) == (
        "LOG_SMD -3.00 ± 0.31 dex (another band stands in; unknown flag 2048: haunted)"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(1.9312, "1.93"), (12345.6, "12346"), (2.3e-7, "2.3e-07"), (0.0, "0")]
)
def test_numbers_are_short(value, text):
    assert readout.number(value) == text
