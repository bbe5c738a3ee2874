"""The wheel scrolls, whatever it is over, and never changes a value on the way."""

import pytest
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollArea, QScrollBar

from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.widgets import file_table

from . import mouse
from .conftest import idle, wait_for

pytestmark = pytest.mark.window

BANDS = (
    *(f"SDSS_{name}" for name in "ugriz"),
    *(f"2MASS_{name}" for name in ("J", "H", "Ks")),
    *(f"WISE_{name}" for name in ("3.4", "4.6", "12", "22")),
    *(f"Spitzer_{name}" for name in ("3.6", "4.5", "5.8", "8.0")),
)


def boxes(panel):
    """All below a panel that a wheel could turn, but for what is there to be scrolled."""
    kinds = (QComboBox, QAbstractSpinBox, QAbstractSlider)
    found = [box for kind in kinds for box in panel.findChildren(kind)]
    return [box for box in found if not isinstance(box, QScrollBar)]


def value_of(box):
    """What a box holds."""
    if isinstance(box, QComboBox):
        return box.currentIndex(), box.currentText()
    return box.text() if isinstance(box, QAbstractSpinBox) else box.value()


def changed_by_the_wheel(box):
    """Whether a turn of the wheel, up or down, changes what a box holds."""
    box.setFocus()
    before = value_of(box)
    mouse.wheel_over(box, 1)
    after_one = value_of(box)
    mouse.wheel_over(box, -1)
    return after_one != before or value_of(box) != before


@pytest.mark.slow
def test_the_wheel_turns_no_box_of_any_panel_and_scrolls_what_is_around_it(
    viewer, workspace, qtbot, galaxy_folder
):
    viewer.window.resize(1200, 600)
    panels.open_all(viewer)
    shown = {name: panels.panel(viewer, name) for name in (*panels.PANELS, *panels.MORE)}
    workspace.opener.add_paths([galaxy_folder(dict.fromkeys(BANDS, 10.0))])
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(workspace))
    for name, panel in shown.items():
        panels.raise_panel(viewer, name)
        qtbot.wait(20)
        found = boxes(panel)
        turned = [box.objectName() for box in found if changed_by_the_wheel(box)]
        assert not turned, f"{name}: {turned}"
    assert sum(len(boxes(panel)) for panel in shown.values()) > 30, "it looked at them"

    # Under a box in a table the table scrolls, under one in a form the panel.
    panels.raise_panel(viewer, "Galaxy")
    qtbot.wait(50)
    table = shown["Galaxy"].table
    bar = table.verticalScrollBar()
    assert bar.maximum() > 0, "there are more rows than fit"
    bar.setValue(0)
    mouse.wheel_over(table.cellWidget(2, file_table.BAND))
    assert bar.value() > 0
    panels.raise_panel(viewer, "Prepare")
    qtbot.wait(50)
    bar = shown["Prepare"].findChild(QScrollArea).verticalScrollBar()
    bar.setValue(0)
    mouse.wheel_over(next(box for box in boxes(shown["Prepare"]) if box.isVisible()))
    assert bar.value() > 0
