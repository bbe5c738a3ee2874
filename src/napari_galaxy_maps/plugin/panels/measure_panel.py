"""The Measure panel: apertures drawn on the sky and what is in them, radial profiles, and the whole
galaxy.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...exceptions import GalaxyMapsError
from ...measure.apertures.photometry import Options
from ..canvas.tools import SELECT, aperture_tools
from ..eventloop import worker
from ..widgets.aperture_table import ApertureTable
from ..widgets.forms import bind_edit_keys, make_button, show_history, wrapped
from ..widgets.profile_view import ProfileView
from ..widgets.qt_parts import ComboBox, DoubleSpinBox, present
from ..widgets.theme_colours import FAINT, GOOD
from ..widgets.tool_row import ToolRow
from ..widgets.totals_view import TotalsView
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

_REGIONS = "DS9 regions (*.reg);;All files (*)"
_TOOLS = (
    ("circle", "Circle", "Press in the middle and drag outwards; a click alone draws one, too"),
    ("ellipse", "Ellipse", "Press and drag; napari's handles move, resize and turn it"),
    ("polygon", "Polygon", "Click corner by corner, and twice on the last one"),
    ("select", "Select", "Move, resize and turn what is drawn; Escape takes you back here"),
)


class MeasurePanel(WorkspacePanel):
    """Apertures on the sky, and what is in them while they are dragged."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.measurements = self.workspace.measurements
        self.shapes = self.workspace.aperture_layer
        self.in_hand = aperture_tools(self.layers, self.shapes)
        self._build_source()
        self.profile = ProfileView(
            self.project, self.measurements, self.layers, self.workspace.side_jobs
        )
        self.totals = TotalsView(self.project, self.measurements, self.workspace.side_jobs)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs")
        page = QWidget()
        self.page = QVBoxLayout(page)
        self.page.setContentsMargins(0, 6, 0, 0)
        for widget, title in (
            (page, "Apertures"),
            (self.profile, "Profile"),
            (self.totals, "Whole galaxy"),
        ):
            self.tabs.addTab(widget, title)
        self.column.addWidget(self.tabs, 1)
        self.tabs.currentChanged.connect(lambda _: self._seen(True))
        self.seen.connect(self._seen)
        self._build_tools()
        self._build_table()
        self._build_options()
        self._build_files()
        self.page.addStretch(1)
        project, measurements = self.project, self.measurements
        for signal, slot in (
            (measurements.changed, self._apertures_changed),
            (measurements.measured, self._measured),
            (measurements.moved, self._moved),
            (measurements.selection_changed, self._selection_changed),
            (self.layers.changed, self._show_sources),
            (self.in_hand.changed, self.row.show_tool),
            (project.maps_changed, self._show_sources),
            (project.cube_changed, self._show_sources),
            (project.truths_changed, self._show_sources),
            (project.galaxy_changed, self._show_sources),
        ):
            self.listen(signal, slot)
        self._show_sources()
        self._apertures_changed()
        self._measured()

    # Building ------------------------------------------------------------------------------------

    def _build_source(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Measure"))
        self.source = ComboBox()
        self.source.setObjectName("source")
        self.source.setToolTip("The maps, the prepared bands, a truth, or an image as it is")
        self.source.activated.connect(lambda _: self.measurements.choose(self.source.currentText()))
        row.addWidget(self.source, 1)
        self.map = ComboBox()
        self.map.setObjectName("map")
        self.map.setToolTip(
            "The map or band whose values the table shows; saved tables hold all of them"
        )
        self.map.activated.connect(self._map_chosen)
        row.addWidget(self.map, 1)
        self.column.addLayout(row)

    def _build_tools(self) -> None:
        self.row = ToolRow(self.in_hand, _TOOLS)
        self.row.given.connect(
            lambda done: self.message.say("" if done else "Open an image first.")
        )
        self.tools = self.row.buttons
        self.page.addWidget(self.row)

    def _build_table(self) -> None:
        self.table = ApertureTable(self.measurements)
        self.table.chosen.connect(self.measurements.select)
        self.table.shown.connect(self._show)
        self.page.addWidget(self.table, 1)
        self.notes = wrapped(colour=FAINT, name="notes")
        self.page.addWidget(self.notes)
        row = QHBoxLayout()
        self.delete = make_button(
            "Delete", "delete", self._delete, "Take the selected apertures away (Delete)"
        )
        self.undo = make_button("Undo", "undo", self.measurements.undo)
        self.redo = make_button("Redo", "redo", self.measurements.redo)
        for button in (self.delete, self.undo, self.redo):
            row.addWidget(button)
        self.page.addLayout(row)
        bind_edit_keys(
            self,
            self.measurements.undo,
            self.measurements.redo,
            self._delete,
            self.in_hand.put_away,
        )

    def _build_options(self) -> None:
        grid = QGridLayout()
        self.hole = _spin(
            "hole",
            0,
            0.99,
            0.05,
            "Size of the hole of the selected apertures in units of their size: rings",
        )
        self.hole.valueChanged.connect(self._set_hole)
        grid.addWidget(QLabel("Hole of the selected"), 0, 0)
        grid.addWidget(self.hole, 0, 1)
        self.background = QCheckBox("Take a local background from")
        self.background.setObjectName("background")
        self.background.setToolTip(
            "The clipped median of a ring around each aperture, taken from what adds up"
        )
        self.inner = _spin("inner", 1, 20, 0.25, "Inner edge of the ring in units of the aperture")
        self.outer = _spin(
            "outer", 1.05, 40, 0.25, "Outer edge of the ring in units of the aperture"
        )
        self.inner.setValue(1.5)
        self.outer.setValue(2.0)
        ring = QHBoxLayout()
        for widget in (self.inner, QLabel("to"), self.outer, QLabel("× its size")):
            ring.addWidget(widget)
        ring.addStretch(1)
        grid.addWidget(self.background, 1, 0, 1, 2)
        grid.addLayout(ring, 2, 0, 1, 2)
        self.correct = QCheckBox("Scale sums where pixels are masked")
        self.correct.setObjectName("correct")
        self.correct.setToolTip("As if the whole aperture were as bright as what is not masked")
        grid.addWidget(self.correct, 3, 0, 1, 2)
        self.fill = QCheckBox("Count filled pixels in sums, not in means")
        self.fill.setObjectName("fill")
        self.fill.setToolTip(
            "What is thought to lie under masks, where that is known; means, medians and profiles "
            "never count it"
        )
        grid.addWidget(self.fill, 4, 0, 1, 2)
        self.background.clicked.connect(self._set_options)
        self.correct.clicked.connect(self._set_options)
        self.fill.clicked.connect(self._set_options)
        self.inner.valueChanged.connect(self._set_options)
        self.outer.valueChanged.connect(self._set_options)
        self.page.addLayout(grid)

    def _build_files(self) -> None:
        grid = QGridLayout()
        self.load = make_button(
            "Load regions…", "load", self._ask_load, "Add the apertures of a DS9 region file"
        )
        self.save = make_button(
            "Save regions…", "save", self._ask_save, "Write the apertures as DS9 regions"
        )
        self.copy = make_button("Copy", "copy", self._copy)
        self.copy.setToolTip("Copy the table of all maps to the clipboard, for a spreadsheet")
        self.export = make_button("Save table…", "export", self._ask_export)
        self.export.setToolTip("Write the table of all maps as ECSV (with units) or CSV")
        for i, button in enumerate((self.load, self.save, self.copy, self.export)):
            grid.addWidget(button, i // 2, i % 2)
        self.page.addLayout(grid)
        self.done = wrapped(colour=GOOD, name="done")
        self.page.addWidget(self.done)

    # Showing -------------------------------------------------------------------------------------

    def _show_sources(self) -> None:
        names = list(self.measurements.sources)
        if names != [self.source.itemText(i) for i in range(self.source.count())]:
            with QSignalBlocker(self.source):
                self.source.clear()
                self.source.addItems(names)
        self.source.setCurrentText(self.measurements.chosen)

    def _apertures_changed(self) -> None:
        self.table.renew()
        show_history(self.measurements.history, self.undo, self.redo)
        self.save.setEnabled(bool(self.measurements.apertures))
        self._show_options()
        self._selection_changed()

    def _show_options(self) -> None:
        """Ticks are of this galaxy's apertures, which may come from a session."""
        options = self.measurements.options
        self.correct.setChecked(options.correct_masked)
        self.fill.setChecked(options.fill)
        self.background.setChecked(options.background is not None)
        if options.background is not None:
            with QSignalBlocker(self.inner), QSignalBlocker(self.outer):
                self.inner.setValue(options.background[0])
                self.outer.setValue(options.background[1])

    def _measured(self) -> None:
        planes = self.measurements.planes
        names = [quantity.name for quantity in planes.quantities] if planes is not None else []
        before = self.map.currentText()
        if names != [self.map.itemText(i) for i in range(self.map.count())]:
            with QSignalBlocker(self.map):
                self.map.clear()
                self.map.addItems(names)
                self.map.setCurrentText(before if before in names else self._looked_at())
        self.table.model_.number = max(0, self.map.currentIndex())
        self.table.renew()
        self.message.say(self.measurements.problem)
        self._show_notes()
        there = any(isinstance(row, dict) for row in self.measurements.rows)
        self.copy.setEnabled(there)
        self.export.setEnabled(there)
        self._show_others()

    def _looked_at(self) -> str:
        """The map that is switched on, of which a person will want to know first."""
        key = self.layers.looked_at()
        return key.name if key is not None else ""

    def _seen(self, seen: bool) -> None:
        """What a tab shows is made when it is looked at."""
        self.measurements.watch(seen)
        for view in (self.profile, self.totals):
            view.seen(seen and self.tabs.currentWidget() is view)

    def _show_others(self) -> None:
        """The other tabs show the same map of the same source."""
        self.profile.look_at(self.map.currentText())
        self.profile.soon()
        self.totals.soon()

    def _show_notes(self) -> None:
        planes, quantity = self.measurements.planes, self.table.model_.quantity
        if not self.measurements.apertures:
            self.notes.setText("Choose a tool and draw on the image, or load regions of DS9.")
            return
        if planes is None or quantity is None:
            self.notes.setText("")
            return
        words = []
        if not quantity.sum_unit:
            words.append(
                f"{quantity.name} does not add up: its mean is weighted by {quantity.weight}."
                if quantity.weight != "area"
                else f"{quantity.name} does not add up: its mean is over area."
            )
        self.notes.setText(" ".join([*words, *planes.notes]))

    def _moved(self, number: int) -> None:
        self.table.model_.renew_row(number)

    def _selection_changed(self) -> None:
        selected = self.measurements.selected
        self.table.select(selected)
        self.delete.setEnabled(bool(selected))
        self.hole.setEnabled(bool(selected))
        if selected:
            with QSignalBlocker(self.hole):
                self.hole.setValue(self.measurements.apertures[selected[0]].inner)

    # Hearing -------------------------------------------------------------------------------------

    def _map_chosen(self) -> None:
        self.table.model_.number = max(0, self.map.currentIndex())
        self.table.renew()
        self._show_notes()
        self.profile.look_at(self.map.currentText())

    def _show(self, number: int) -> None:
        """Look at an aperture whose row was clicked."""
        self.shapes.show(number)
        if self.in_hand.now in ("", SELECT):
            self.in_hand.use(SELECT)
        self.measurements.select([number])
        self.shapes.sync()

    def _delete(self) -> None:
        self.measurements.delete(self.measurements.selected)

    def _set_hole(self, value: float) -> None:
        numbers = set(self.measurements.selected)
        apertures = [
            replace(a, inner=round(value, 4)) if i in numbers else a
            for i, a in enumerate(self.measurements.apertures)
        ]
        self.measurements.change(apertures, "the change of a hole")

    def _set_options(self, *_: Any) -> None:
        if self.outer.value() <= self.inner.value():
            with QSignalBlocker(self.outer):
                self.outer.setValue(self.inner.value() + 0.25)
        ring = (self.inner.value(), self.outer.value()) if self.background.isChecked() else None
        self.measurements.set_options(
            Options(
                background=ring,
                correct_masked=self.correct.isChecked(),
                fill=self.fill.isChecked(),
            )
        )

    # Files ---------------------------------------------------------------------------------------

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Apertures", "", _REGIONS)
        if not path:
            return
        from ...measure.apertures.aperture_files import read_apertures

        left_out: list[str] = []
        try:
            apertures = read_apertures(path, left_out=left_out)
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
            return
        self.measurements.add(apertures, f"loading {Path(path).name}")
        self._say(" ".join([f"{len(apertures)} apertures of {Path(path).name}.", *left_out]))

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save apertures", self._name("apertures.reg"), _REGIONS
        )
        if path:
            from ...measure.apertures.aperture_files import write_apertures

            path = path if Path(path).suffix else f"{path}.reg"
            self._write(
                path, lambda: write_apertures(path, self.measurements.apertures, overwrite=True)
            )

    def _ask_export(self) -> None:
        kinds = "ECSV table (*.ecsv);;CSV table (*.csv)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table", self._name("apertures.ecsv"), kinds
        )
        if path:
            from ...measure.apertures.aperture_files import write_table

            path = path if Path(path).suffix else f"{path}.ecsv"
            self._write(path, lambda: write_table(path, self.measurements.table(), overwrite=True))

    def _write(self, path: str, write: Any) -> None:
        try:
            write()
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
        else:
            self._say(f"Saved in {path}.")

    def _copy(self) -> None:
        """Tab-separated, as spreadsheets take it."""
        from io import StringIO

        text = StringIO()
        self.measurements.table().write(text, format="ascii.tab")
        present(QApplication.clipboard()).setText(text.getvalue())
        self._say("The table of all maps is on the clipboard.")

    def _name(self, ending: str) -> str:
        return f"{self.project.file_stem}_{ending}"

    def _say(self, text: str) -> None:
        self.done.setText(text)


def _spin(name: str, low: float, high: float, step: float, tip: str) -> DoubleSpinBox:
    box = DoubleSpinBox()
    box.setObjectName(name)
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.setToolTip(tip)
    return box
