"""Every control of every panel says in a tooltip what it is for, and names the unit where it holds
a quantity, in whatever state the panels are.
"""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QSlider,
    QTableView,
    QWidget,
)

from napari_galaxy_maps.plugin.manifest import docks

from .conftest import idle, take_maps, wait_for

pytestmark = pytest.mark.window
CONTROLS = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QSlider, QListWidget)
UNSEEN = ("qt_tableview_cornerbutton", "ScrollLeftButton", "ScrollRightButton", "choices")
"""Controls that Qt makes, and boxes that only hold what others offer: nobody sees them."""
QUANTITIES = {
    ("Galaxy", "distance"): "Mpc",
    ("Galaxy", "d25"): "arcmin",
    ("Galaxy", "position_angle"): "degrees",
    ("Galaxy", "ra"): "degrees",
    ("Galaxy", "dec"): "degrees",
    ("Measure", "step"): "arcsec",
    ("Measure", "reach"): "ellipse",
    ("Measure", "hole"): "size",
    ("Mock", "distance_mpc"): "Mpc",
    ("Mock", "inclination"): "degrees",
    ("Mock", "log_mass"): "Msun",
    ("Mock", "pixel"): "arcsec",
    ("Mock", "size"): "pixels",
    ("Mock", "ebv"): "mag",
    ("Sharpen", "fwhm"): "arcsec",
    ("Prepare", "ebv"): "mag",
    ("Prepare", "pixel"): "arcsec",
    ("Prepare", "target"): "arcsec",
}


def controls_of(panel):
    """The controls that a person can use, those in closed tabs and lists too."""
    for widget in panel.findChildren(QWidget):
        inside = isinstance(widget.parentWidget(), QComboBox | QAbstractSpinBox)
        if isinstance(widget, CONTROLS) and not inside and widget.objectName() not in UNSEEN:
            yield widget


def silent(viewer):
    """What has no tooltip, in words."""
    found = []
    for name in (*docks.PANELS, *docks.MORE):
        panel = docks.panel(viewer, name)
        for widget in controls_of(panel):
            if not widget.toolTip():
                kind, text = type(widget).__name__, getattr(widget, "text", str)()
                found.append(f"{name}: {kind} {widget.objectName()} {text!r}")
        for table in panel.findChildren(QTableView):
            model = table.model()
            for column in range(model.columnCount()):
                horizontal = Qt.Orientation.Horizontal
                tip = model.headerData(column, horizontal, Qt.ItemDataRole.ToolTipRole)
                if not tip:
                    found.append(f"{name}: heading {model.headerData(column, horizontal)}")
    return found


def test_every_control_of_an_empty_window_has_a_tooltip(viewer):
    docks.open_all(viewer)
    assert silent(viewer) == []
    assert sum(1 for name in docks.PANELS for _ in controls_of(docks.panel(viewer, name))) > 100


def test_every_control_has_a_tooltip_while_files_ask_and_maps_and_apertures_are_there(
    viewer, workspace, qtbot, maps, tmp_path, image
):
    from astropy.io import fits

    docks.open_all(viewer)
    for band in ("WISE_3.4", "WISE_12"):
        made = image(band)
        header = made.wcs.to_header()  # no unit, no band: questions
        fits.PrimaryHDU(made.data, header).writeto(tmp_path / f"galaxy_{band}.fits")
        fits.PrimaryHDU(made.data, header).writeto(tmp_path / f"img{len(band)}.fits")
    workspace.opener.add_paths([tmp_path])
    wait_for(qtbot, lambda: idle(workspace) and bool(workspace.project.files.found))
    take_maps(workspace, maps)
    workspace.project.add_truth("truth", maps, choose=True)
    workspace.project.maps_changed.emit()
    from napari_galaxy_maps.measure.apertures.aperture import circle

    wcs = maps.wcs
    ra, dec = (float(x) for x in wcs.wcs_pix2world([[20, 15]], 0)[0])
    workspace.measurements.add([circle(ra, dec, 20.0, "one")], "an aperture")
    for name in (*docks.PANELS, *docks.MORE):
        docks.raise_panel(viewer, name)
        qtbot.wait(50)
    inspect = docks.panel(viewer, "Inspect")  # which scores in a thread of its own
    wait_for(qtbot, lambda: idle(workspace) and inspect.scored is not None)
    asked = docks.panel(viewer, "Galaxy").findChildren(QAbstractButton)
    assert len(asked) > 15, "the questions have buttons"
    assert silent(viewer) == []


@pytest.mark.parametrize(("where", "unit"), QUANTITIES.items())
def test_a_quantity_says_its_unit(empty_window, where, unit):
    name, key = where
    panel = docks.panel(empty_window, name)
    field = panel.findChild(QWidget, key)
    if field is None:
        field = getattr(panel, key)
    suffix = field.suffix() if isinstance(field, QAbstractSpinBox) else ""
    assert unit in f"{field.toolTip()} {suffix}", field.toolTip()
