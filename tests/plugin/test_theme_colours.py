"""What is secondary, doubtful or done can be read in both themes, and follows when the theme
changes.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtGui import QPalette, QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QLabel, QStyleOptionViewItem

from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.widgets import plot_canvas, theme_colours
from napari_galaxy_maps.plugin.widgets.theme_colours import (
    FAINT,
    GOOD,
    GROUND,
    INK,
    WARNING,
    contrast,
    inks_for,
    readable,
)

THEMES = ("dark", "light")
LEAST = 4.5
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def theme_grounds(theme):
    """What napari puts behind panels and tables."""
    from napari.utils.theme import get_theme

    found = get_theme(theme)
    parts = (found.background, found.foreground)
    return ["#" + "".join(f"{c:02x}" for c in part.as_rgb_tuple(alpha=False)) for part in parts]


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ff0000", "#ffffff") == pytest.approx(4.0, abs=0.005)


@given(hue=colours, ground=colours)
def test_any_colour_can_be_read_on_any_ground(hue, ground):
    shade = readable(hue, (ground,))
    assert contrast(shade, ground) >= LEAST
    if contrast(hue, ground) >= LEAST:
        assert shade == hue, "what can be read stays as it is"


def test_where_no_colour_can_be_read_on_all_grounds_the_best_is_taken():
    grounds = ("#000000", "#ffffff")
    assert min(contrast(readable("#e0a030", grounds), ground) for ground in grounds) > 4


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [FAINT, WARNING, GOOD, INK])
def test_each_colour_can_be_read_on_panels_and_tables(theme, name):
    for ground in theme_grounds(theme):
        assert contrast(inks_for(theme)[name], ground) >= LEAST


@pytest.mark.window
def test_labels_cells_eyes_and_plots_follow_the_theme_of_the_window(viewer, workspace, qtbot):
    panels.open_all(viewer)
    shown = [panels.panel(viewer, name) for name in (*panels.PANELS, *panels.MORE)]
    stars, prepare = panels.panel(viewer, "Stars"), panels.panel(viewer, "Prepare")
    canvas = plot_canvas.make_canvas()
    axes = canvas.figure.add_subplot(xlabel="r")
    (line,) = axes.plot([0, 1], color=plot_canvas.COLOURS[1])
    plot_canvas.dress(axes)
    stars.column.addWidget(canvas)
    plot_canvas.dye(canvas, stars.inks)
    eyes = set()
    for theme in (*THEMES, "dark"):
        viewer.theme = theme
        qtbot.waitUntil(lambda theme=theme: stars.inks == inks_for(theme))
        qtbot.wait(20)
        background, _ = theme_grounds(theme)
        labels = [
            label
            for panel in shown
            for label in panel.findChildren(QLabel)
            if label.property("ink") and label.isVisibleTo(panel)
        ]
        assert len(labels) > 10
        for label in labels:
            label.ensurePolished()
            ink = label.palette().color(QPalette.ColorRole.WindowText).name()
            assert contrast(ink, background) >= LEAST, (theme, label.objectName())
        icon = prepare.boxes["psf"].eye.icon().pixmap(18, 18).toImage()
        eyes.add(max(icon.pixelColor(x, 9).name() for x in range(18)))
        assert canvas.figure.get_facecolor()[:3] == pytest.approx(
            np.array([int(background[i : i + 2], 16) for i in (1, 3, 5)]) / 255, abs=1e-6
        )
        for colour, least in ((axes.xaxis.label.get_color(), LEAST), (line.get_color(), 3.0)):
            assert contrast(as_hex(colour), background) >= least
    assert len(eyes) == 2


def as_hex(colour):
    from matplotlib.colors import to_hex

    return to_hex(colour)


@pytest.mark.window
@pytest.mark.parametrize("theme", THEMES)
def test_a_cell_is_written_in_the_colour_that_it_names(viewer, theme):
    viewer.theme = theme
    stars = panels.panel(viewer, "Stars")
    cell = QStandardItem("doubtful")
    cell.setData(WARNING, theme_colours.INK_ROLE)
    model = QStandardItemModel()
    model.appendRow(cell)
    option = QStyleOptionViewItem()
    stars.table.itemDelegate().initStyleOption(option, model.index(0, 0))
    ink = option.palette.color(QPalette.ColorRole.Text).name()
    assert ink == stars.inks[WARNING]
    assert all(contrast(ink, ground) >= LEAST for ground in theme_grounds(theme))


def test_outside_of_a_panel_the_dark_theme_holds():
    assert theme_colours.inks_of(None)[GROUND] == inks_for("dark")[GROUND]
