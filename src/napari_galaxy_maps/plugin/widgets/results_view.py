"""The results of the galaxy: a list of them, which map of which is looked at and in which view, how
it is coloured, and saving.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QWidget,
)

from ...data.properties import PROPERTIES
from ..canvas.map_views import VIEW_KEYS
from ..ground.layer_specs import VIEWS, Key, View, unit_in_words
from .forms import heading, make_button, wrapped
from .qt_parts import ComboBox, present, select_row, set_count
from .theme_colours import FAINT, GOOD

if TYPE_CHECKING:
    from ..state.results import Result
    from ..workspace import Workspace

_ROWS = 4
_ROW = 40


def words_of(result: Result, differences: list[str]) -> tuple[str, str]:
    """What the list says of a result: what it is, and what it was made with.

    Parameters
    ----------
    result : Result
        The result.
    differences : list of str
        The settings that are others now.
    """
    maps = result.maps
    made = [f"{result.made:%Y-%m-%d %H:%M}" if result.opened else f"{result.made:%H:%M}"]
    of_file = result.opened and bool(result.maps.provenance.get("file"))
    made += ["from a file"] if of_file else [] if result.saved else ["not saved"]
    with_ = [f"{maps.shape[1]} x {maps.shape[0]} pixels"]
    if result.inputs:
        with_.append(f"{len(result.inputs)} images")
    fwhm = maps.provenance.get("fwhm")
    if fwhm:
        with_.append(f"resolution {float(fwhm):.3g}″")
    if differences:
        few = ", ".join(differences[:4]) + (" …" if len(differences) > 4 else "")
        with_ = [f"made with other settings: {few}"]
    return ", ".join((result.label, *made)), ", ".join(with_)


class ResultsView(QWidget):
    """Which result, which map, which view.

    Parameters
    ----------
    workspace : Workspace
        Whose results they are.
    """

    compared = Signal(object, object)
    """Two results are to be shown side by side."""
    closed = Signal(object)
    """A result is to be thrown away."""

    def __init__(self, workspace: Workspace):
        super().__init__()
        self.setObjectName("results")
        self.workspace = workspace
        self.project, self.views = workspace.project, workspace.views
        form = QFormLayout(self)
        form.setContentsMargins(0, 6, 0, 0)
        form.addRow(heading("Results"))
        self._build_list(form)
        self._build_looking(form)
        self._build_saving(form)

    # Building ------------------------------------------------------------------------------------

    def _build_list(self, form: QFormLayout) -> None:
        self.list = QListWidget()
        self.list.setObjectName("result_list")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setToolTip(
            "Predictions by another model or with other settings stand beside each other; click "
            "one to look at it, two with Ctrl to compare them"
        )
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
        self.list.itemSelectionChanged.connect(self._selected)
        form.addRow(self.list)
        self.compare = make_button("Compare two", "compare_results", self._compare)
        self.compare.setCheckable(True)
        self.compare.setToolTip(
            "Show two selected results side by side, in the same colours; again to go back"
        )
        self.close_button = make_button("Throw away", "close_result", self._close)
        self.close_button.setToolTip("Take the selected results out of the list")
        row = QHBoxLayout()
        row.addWidget(self.compare)
        row.addWidget(self.close_button)
        form.addRow(row)

    def _build_looking(self, form: QFormLayout) -> None:
        self.looking = ComboBox()
        self.looking.setObjectName("looking")
        self.looking.setToolTip(
            "A map, or one of the images; a layer that was deleted comes back (Alt+Left, Alt+Right "
            "for the next map)"
        )
        self.looking.setSizeAdjustPolicy(
            ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.looking.activated.connect(lambda _: self._look())
        form.addRow("Look at", self.looking)
        row = QHBoxLayout()
        self.kinds: dict[View, QPushButton] = {}
        for view, text in VIEWS.items():
            button = self.kinds[view] = QPushButton(text)
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setToolTip(
                f"{text} of the property that is looked at ({VIEW_KEYS[view].replace('-', '+')})"
            )
            button.clicked.connect(lambda _, view=view: self._look(view))
            row.addWidget(button)
        form.addRow("", row)
        self.definition = wrapped(colour=FAINT, name="definition")
        form.addRow(self.definition)
        self.usual = QCheckBox("Colours span the usual range")
        self.usual.setObjectName("usual")
        self.usual.setToolTip(
            "The same range for every galaxy, so that their colours can be compared; otherwise "
            "that of this galaxy's own values"
        )
        self.usual.clicked.connect(lambda on: self.views.span_usual(bool(on)))
        self.apart = make_button("All as layers", "all_layers", self.views.show_all)
        self.apart.setToolTip(
            "Uncertainty, residual and truth of every property as layers of their own"
        )
        row = QHBoxLayout()
        row.addWidget(self.usual, 1)
        row.addWidget(self.apart)
        form.addRow(row)

    def _build_saving(self, form: QFormLayout) -> None:
        self.save_button = make_button("Save…", "save", self._ask_save)
        self.save_button.setToolTip(
            "All maps of the result that is looked at, with their uncertainties, flags, recipe and "
            "origin, in one FITS file"
        )
        form.addRow(self.save_button)
        self.saved = wrapped(colour=GOOD, name="saved")
        form.addRow(self.saved)

    # Showing -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the results as they are."""
        results = self.project.results
        self.setVisible(bool(results))
        with QSignalBlocker(self.list):
            set_count(self.list, len(results))
            for i, result in enumerate(results):
                item = present(self.list.item(i))
                what, made = words_of(result, self.project.differences(result))
                item.setText(f"{what}\n{made}")
                item.setToolTip(item.text())
            # Two that are selected to be compared stay so.
            chosen, current = self._chosen(), self.project.result
            if current in results and (len(chosen) != 2 or current not in chosen):
                select_row(self.list, results.index(current))
        self.list.setFixedHeight(_ROW * max(1, min(len(results), _ROWS)) + 8)
        self._offer()
        self._show_buttons()

    def _offer(self) -> None:
        """What there is to look at."""
        result = self.project.result
        if result is None:
            return
        wanted = {f"map {name}": f"{name}: {PROPERTIES[name].label}" for name in result.maps.values}
        wanted |= {f"image {name}": f"image: {name}" for name in self.project.bands}
        there = [self.looking.itemData(i) for i in range(self.looking.count())]
        if there != list(wanted):
            before = self.looking.currentData()
            self.looking.clear()
            for data, text in wanted.items():
                self.looking.addItem(text, data)
            self.looking.setCurrentIndex(max(0, self.looking.findData(before)))
        self.show_looking()

    def show_looking(self) -> None:
        """Show which map is looked at, and in which views it could be."""
        looked = self.views.looked_at
        if looked is not None:
            self.looking.setCurrentIndex(max(0, self.looking.findData(f"map {looked[0]}")))
            self.kinds[looked[1]].setChecked(True)
        name = self._name()
        there = self.views.views(name) if name else []
        for view, button in self.kinds.items():
            button.setEnabled(view in there)
        self.usual.setChecked(self.views.usual)
        prop = PROPERTIES.get(name)
        text = ""
        if prop is not None:
            text = f"{prop.definition}, in {unit_in_words(prop).removeprefix('log10 of ')}"
        self.definition.setText(text)

    def _show_buttons(self) -> None:
        side_by_side = self.workspace.side_by_side
        self.compare.setEnabled(side_by_side.on or len(self._chosen()) == 2)
        self.compare.setChecked(side_by_side.on)
        self.close_button.setEnabled(bool(self._chosen()))

    def _name(self) -> str:
        kind, _, name = str(self.looking.currentData() or "").partition(" ")
        return name if kind == "map" else ""

    def _chosen(self) -> list[Result]:
        results = self.project.results
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [results[row] for row in rows if row < len(results)]

    # Hearing -------------------------------------------------------------------------------------

    def _selected(self) -> None:
        chosen = self._chosen()
        self._show_buttons()
        if len(chosen) == 1:
            self.workspace.choose_result(chosen[0])

    def _compare(self) -> None:
        chosen = self._chosen()
        if self.workspace.side_by_side.on:
            self.workspace.side_by_side.end()
        elif len(chosen) == 2:
            self.compared.emit(*chosen)
        self._show_buttons()

    def _close(self) -> None:
        for result in self._chosen():
            self.closed.emit(result)

    def _look(self, view: View | None = None) -> None:
        kind, _, name = str(self.looking.currentData() or "").partition(" ")
        if kind == "image":
            self.workspace.opener.show_image(name)
            self.workspace.layers.focus(Key("image", name))
        elif name:
            if view is None:
                view = next((v for v, button in self.kinds.items() if button.isChecked()), None)
            self.views.look(name, "map" if view is None else view)
        self.show_looking()

    def _ask_save(self) -> None:
        name = self.project.file_stem
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the maps", f"{name}_maps.fits", "FITS (*.fits)"
        )
        if path:
            self.save(path if Path(path).suffix else f"{path}.fits")

    def save(self, path: str) -> Any:
        """Save the maps that are looked at."""
        return self.workspace.saver.save(
            path, lambda where: self.saved.setText(f"Saved in {where}")
        )
