"""Colour bars have three ticks and more at round numbers, whatever their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_galaxy_maps.plugin.ground import colour_bar
from napari_galaxy_maps.plugin.ground.colour_bar import bar_ticks
from napari_galaxy_maps.plugin.ground.layer_specs import Key, map_specs

from .conftest import idle, wait_for

PIXELS_APART = 15
"""On a bar of 150 pixels: as high as a label."""


@pytest.mark.parametrize(
    ("limits", "ends", "labels"),
    [
        ((18, 21), False, ["18", "19", "20", "21"]),
        ((18.2, 19.1), False, ["18.25", "18.50", "18.75", "19.00"]),
        ((-0.13, 0.13), False, ["-0.10", "-0.05", "0.00", "0.05", "0.10"]),
        ((-0.13, 0.13), True, ["-0.13", "-0.05", "0.00", "0.05", "0.13"]),
        ((-0.2, 0.2), True, ["-0.2", "-0.1", "0.0", "0.1", "0.2"]),
        ((0, 3e-5), False, ["0", "1e-05", "2e-05", "3e-05"]),
        ((0, 1e7), False, ["0", "2.5e+06", "5e+06", "7.5e+06", "1e+07"]),
    ],
)
def test_ticks_stand_at_round_numbers(limits, ends, labels):
    assert bar_ticks(*limits, ends)[1] == labels


@given(
    low=st.floats(-1e20, 1e20),
    length=st.floats(1e-20, 1e20),
    ends=st.booleans(),
)
def test_every_bar_has_three_ticks_that_can_be_told_apart(low, length, ends):
    high = low + max(length, 1e-6 * abs(low))  # single precision has no closer limits
    values, labels, minor = bar_ticks(low, high, ends)
    slack = 1e-6 * (high - low)
    assert len(values) == len(labels) == len(set(labels)) >= 3
    assert values.min() >= low - slack and values.max() <= high + slack
    assert np.diff(values).min() * 150 / (high - low) >= PIXELS_APART
    assert not ends or (values[0], values[-1]) == (low, high)
    # What a label says is where it stands, to a fiftieth of the bar.
    assert np.abs(np.array(labels, float) - values).max() <= (high - low) / 50
    assert len(minor) < 40


@pytest.mark.window
def test_the_bar_on_the_canvas_keeps_its_ticks_when_its_limits_are_moved(
    viewer, workspace, qtbot, maps
):
    from napari_galaxy_maps.plugin.ground import viewers

    key = Key("map", "T_DUST")
    for view in ("map", "residual"):
        for spec in map_specs(maps, workspace.project.place(maps), view=view, visible="T_DUST"):
            workspace.layers.show(spec)
        workspace.layers.focus(key)
        wait_for(qtbot, lambda: idle(workspace))
        qtbot.waitUntil(lambda key=key: workspace.layers.layer(key).colorbar.visible)
        layer = workspace.layers.layer(key)
        ticks = viewers.colour_bar(viewer, layer).node.ticks
        for limits in ((18.2, 21.3), (-0.13, 0.13), (3.0, 3.1)):
            layer.contrast_limits_range = (-50, 50)
            layer.contrast_limits = limits
            expected = bar_ticks(*limits, ends=view == "residual")[1]
            assert list(ticks._text.text) == expected, (view, limits)


def test_another_napari_without_such_a_bar_is_left_alone():
    colour_bar.set_ticks(None, ends=True)
    colour_bar.set_ticks(object(), ends=True)
