"""The table of files: role, band, unit, pixel and PSF of each, what is wrong with it in words, and
the choices to settle it; what is not used stands below, in grey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QAbstractItemModel, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
)

from ...bands.registry import bands_by_survey
from ...data import question
from .file_remarks import FileRemarks
from .qt_parts import ComboBox, present
from .role_button import RoleButton
from .short_names import shortened
from .theme_colours import FAINT, INK_ROLE, InkDelegate

if TYPE_CHECKING:
    from ...fits_io.image_file import ImageFile
    from ...fits_io.images_of_file import PassedOver
    from ..state.opened_files import FileState

FILE, ROLE, BAND, UNIT, PIXEL, PSF = range(6)
_NUMBERS = {ROLE: 36, PIXEL: 45, PSF: 37}
_LEAST, _MOST = {FILE: 88, BAND: 120, UNIT: 66}, {BAND: 124, UNIT: 166}
"""Widths of the columns: what is left when bands and units are wide enough is for file names."""
_TIPS = {
    FILE: "The file, and whether it is used (tick); hold the pointer over a name to read all of it",
    ROLE: "What it is for: an image of the sky (img), errors (err, var, wht), an exposure map "
    "(exp), a mask (msk), a PSF (psf), nothing (off); * where you said so. Click to change",
    BAND: "The band of the image; choose another one where the file or its name is wrong",
    UNIT: "The unit of the pixels' values as the file has them; write or choose another one where "
    "it is wrong. All layers are in MJy/sr",
    PIXEL: "Side of a pixel in arcsec, by the image's sky coordinates",
    PSF: "Full width at half maximum in arcsec; double-click to change it",
}
UNKNOWN = "which?"
BY_NAME = "by its name"
_BESIDE_NAME = 30
"""Pixels of the tick and the margins beside a file's name."""
_NARROWEST = 24
_AT_ONCE = 3
"""So many rows are made in one turn of the event loop: each takes 15 ms of a slow processor."""
_ENDING = re.compile(r"(\.(fits?|fts))?(\.(gz|bz2|fz))?(?=\[|$)", re.IGNORECASE)


class FileTable(QTableWidget):
    """Two rows a file: its columns, and beneath them, where there is anything to say, remarks; and
    a row for each image that is not read.

    Parameters
    ----------
    later : callable, optional
        Takes a task for a later turn of the event loop, in which more rows are made; without it
        all are made at once.
    """

    answered = Signal(str, str, str)
    """Label, what a person says something about, and what; empty to take back what was said."""
    use_given = Signal(str, bool)
    """Label and whether the file is wanted."""
    role_given = Signal(str, str)
    """Label and another role; empty to take back what was said of it."""

    def __init__(self, later: Callable[[Callable[[], None]], None] | None = None) -> None:
        super().__init__(0, 6)
        self._later = later
        self.setObjectName("files")
        self.setItemDelegate(InkDelegate(self))
        self.setHorizontalHeaderLabels(["File", "For", "Band", "Unit", "Pixel ″", "PSF ″"])
        for column, tip in _TIPS.items():
            present(self.horizontalHeaderItem(column)).setToolTip(tip)
        present(self.verticalHeader()).hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(180)
        header = present(self.horizontalHeader())
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, width in _NUMBERS.items():
            header.resizeSection(column, width)
        self._states: list[FileState] = []
        self._left: list[PassedOver] = []
        self._pixels: dict[str, float] = {}
        self._offers: dict[tuple[str, ...], ComboBox] = {}
        self._shared: Mapping[str, Collection[str]] = {}
        self._made = 0
        """So many files have their rows."""
        self._filled: dict[str, tuple[ImageFile, tuple[object, ...]]] = {}
        """What each file's row was filled with, by label, as long as nobody touches the row."""
        self.itemChanged.connect(self._item_changed)
        for signal in (self.answered, self.use_given, self.role_given):
            signal.connect(self._touched)

    # Showing -------------------------------------------------------------------------------------

    def show_states(
        self,
        states: Sequence[FileState],
        left: Sequence[PassedOver] = (),
        shared: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Show what is known of the files, those in use first, and the images that are not read;
        rows that stay keep their widgets.

        Parameters
        ----------
        states : sequence of FileState
            The files.
        left : sequence of PassedOver
            The images that are not read.
        shared : mapping, optional
            What is asked for several files at once beneath the table, by label.
        """
        old, new = ([_kind_of_row(s) for s in some] for some in (self._states, states))
        rebuilt = old != new or [o.place for o in self._left] != [o.place for o in left]
        self._states, self._left, self._shared = list(states), list(left), shared or {}
        with QSignalBlocker(self):
            if rebuilt:
                self._made = 0
                self._filled.clear()
                self.setRowCount(0)
                self.setRowCount(2 * len(states) + len(left))
                for k, other in enumerate(left):
                    self._make_left_row(2 * len(states) + k, other)
            for k, other in enumerate(left):
                self._fill_left_row(2 * len(states) + k, other)
        self._make_some()

    def _make_some(self) -> None:
        """Some of the rows that are not there yet, and the next ones in another turn; all that are
        there say what is known.
        """
        if not isalive(self):
            return  # its galaxy was closed meanwhile
        waited = self._made
        last = len(self._states)
        if self._later is not None:
            last = min(last, self._made + _AT_ONCE)
        with QSignalBlocker(self):
            for i in range(self._made, last):
                self._make_row(i, self._states[i])
            self._made = last
            for i, state in enumerate(self._states[:last]):
                self._fill_row(i, state, self._shared.get(state.found.label, ()))
            for row in range(2 * last + 1, 2 * len(self._states), 2):
                self.setRowHidden(row, True)
        if last < len(self._states) and self._later is not None and last > waited:
            self._later(self._make_some)
        self._arrange()
        self._fit_names()
        self._fit_remarks()

    def _touched(self, label: str, *_: str) -> None:
        """Somebody has written or chosen something in a row: it is filled anew whatever is known,
        for what was written may not hold.
        """
        self._filled.pop(label, None)

    def _fit_names(self) -> None:
        """File names as wide as their column, no two of which look the same; the tooltip has the
        whole one.
        """
        metrics = self.fontMetrics()
        width = present(self.horizontalHeader()).sectionSize(FILE) - _BESIDE_NAME
        labels = [state.found.label for state in self._states]
        labels += [other.place.label for other in self._left]

        def elide(name: str) -> str:
            return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, max(width, _NARROWEST))

        with QSignalBlocker(self):
            for row, text in enumerate(shortened([_ENDING.sub("", n) for n in labels], elide)):
                item = self.item(self._file_row(row), FILE)
                if item is not None and item.text() != text:
                    item.setText(text)

    def _file_row(self, number: int) -> int:
        """The row of a file's columns, by its number among all files."""
        count = len(self._states)
        return 2 * number if number < count else number + count

    def _arrange(self) -> None:
        """Files in use first, then those beside them, then those that are left out. Rows are moved
        on the screen alone: to make them anew takes a third of a second for sixty files.
        """
        header = present(self.verticalHeader())
        order = sorted(range(len(self._states)), key=lambda i: _rank(self._states[i]))
        for place, i in enumerate(order):
            for row in (2 * i, 2 * i + 1):
                wanted = 2 * place + row % 2
                if header.visualIndex(row) != wanted:
                    header.moveSection(header.visualIndex(row), wanted)

    def _make_left_row(self, row: int, other: PassedOver) -> None:
        """The row of an image that is not read: its name, its role, and why."""
        for column in (FILE, BAND):
            item = QTableWidgetItem()
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setData(INK_ROLE, FAINT)
            self.setItem(row, column, item)
        self.setCellWidget(row, ROLE, self._role_button(other.place.label))
        self.setSpan(row, BAND, 1, PSF - BAND + 1)
        self.setRowHeight(row, 24)

    def _fill_left_row(self, row: int, other: PassedOver) -> None:
        present(self.item(row, BAND)).setText(other.why)
        for column in (FILE, BAND):
            present(self.item(row, column)).setToolTip(f"{other.place.path}\n{other.sentence}")
        self._show_role(row, other.role, other.role_told)

    def _role_button(self, label: str) -> RoleButton:
        button = RoleButton()
        button.role_given.connect(partial(self.role_given.emit, label))
        return button

    def _show_role(self, row: int, role: str, told: bool) -> None:
        button = self.cellWidget(row, ROLE)
        assert isinstance(button, RoleButton)
        button.show_role(role, told)

    def _make_row(self, i: int, state: FileState) -> None:
        label = state.found.label
        name = QTableWidgetItem()
        name.setFlags(
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
        )
        self.setItem(2 * i, FILE, name)
        pixel = QTableWidgetItem()
        pixel.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self.setItem(2 * i, PIXEL, pixel)
        psf = QTableWidgetItem()
        for item in (pixel, psf):
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setItem(2 * i, PSF, psf)
        self.setCellWidget(2 * i, ROLE, self._role_button(label))
        self.setCellWidget(2 * i, BAND, self._band_box(label, state))
        if not state.is_beside:
            self.setCellWidget(2 * i, UNIT, self._unit_box(label))
        remarks = FileRemarks()
        remarks.answered.connect(partial(self.answered.emit, label))
        remarks.grown.connect(self._fit_remarks)
        self.setSpan(2 * i + 1, 0, 1, PSF + 1)
        self.setCellWidget(2 * i + 1, 0, remarks)
        self.setRowHeight(2 * i, 28)

    def _band_box(self, label: str, state: FileState) -> ComboBox:
        box = ComboBox()
        box.setObjectName("band")
        first = BY_NAME if state.is_beside else UNKNOWN
        box.setModel(self._choices((first, *state.found.band_candidates), _fill_bands))
        box.setMaxVisibleItems(30)
        box.activated.connect(
            lambda index: self.answered.emit(label, question.BAND, box.itemData(index) or "")
        )
        return box

    def _unit_box(self, label: str) -> ComboBox:
        box = ComboBox()
        box.setObjectName("unit")
        box.setEditable(True)
        box.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        box.setModel(self._choices((), _fill_units))
        box.activated.connect(lambda _: self._give_unit(label, box))
        present(box.lineEdit()).editingFinished.connect(lambda: self._unit_written(label, box))
        return box

    def _choices(
        self, key: tuple[str, ...], fill: Callable[[ComboBox, tuple[str, ...]], None]
    ) -> QAbstractItemModel | None:
        """What a box offers; boxes that offer the same share it, since filling one takes long."""
        if key not in self._offers:
            self._offers[key] = ComboBox(self)
            self._offers[key].setObjectName("choices")  # which nobody sees
            self._offers[key].hide()
            fill(self._offers[key], key)
        return self._offers[key].model()

    def _unit_written(self, label: str, box: ComboBox) -> None:
        if present(box.lineEdit()).isModified():
            present(box.lineEdit()).setModified(False)
            self._give_unit(label, box)

    def _give_unit(self, label: str, box: ComboBox) -> None:
        self.answered.emit(label, question.UNIT, box.currentText().strip())

    def _fill_row(self, i: int, state: FileState, shared: Collection[str]) -> None:
        file, label = state.file, state.found.label
        said = (state.problem, state.used, state.questions, state.answers, state.remark, {*shared})
        known = self._filled.get(label)
        if known is not None and known[0] is file and known[1] == said:
            return  # to fill a row takes 2 ms, and the files are looked at after every change
        self._filled[label] = file, said
        why = "\n".join((str(file.path), *state.reasons))
        name = present(self.item(2 * i, FILE))
        name.setToolTip(why)
        name.setData(INK_ROLE, None if state.used else FAINT)
        self._show_role(2 * i, file.role, file.role_told)
        name.setCheckState(Qt.CheckState.Checked if state.used else Qt.CheckState.Unchecked)
        # Once a file: a WCS is not to be asked here while a thread reads the file.
        place = f"{file.path}[{file.hdu}]"
        if place not in self._pixels:
            self._pixels[place] = file.pixel_arcsec
        present(self.item(2 * i, PIXEL)).setText(f"{self._pixels[place]:.3g}")
        present(self.item(2 * i, PSF)).setText(
            f"{file.fwhm:.3g}" if file.fwhm and file.role == "image" else ""
        )
        band = self._box(2 * i, BAND)
        band.setEnabled(state.used)
        band.setToolTip("\n".join((f"Band of {file.path.name}", *state.reasons)))
        if file.band is None:
            band.setCurrentIndex(0)
        else:
            band.setCurrentIndex(
                max(i for i in range(band.count()) if band.itemData(i) == file.band.name)
            )
        if not state.is_beside:
            self._fill_unit(self._box(2 * i, UNIT), state)
        remarks = self.cellWidget(2 * i + 1, 0)
        assert isinstance(remarks, FileRemarks)
        remarks.show_state(state, shared)
        self.setRowHidden(2 * i + 1, not remarks.text())

    def _fill_unit(self, unit: ComboBox, state: FileState) -> None:
        unit.setEnabled(state.used)
        whose = f"Unit of the values in {state.file.path.name}"
        unit.setToolTip("\n".join((whose, *state.reasons)))
        file, field = state.file, present(unit.lineEdit())
        if field.isModified():
            return
        # A suggestion is shown as one, in the faint type of an empty field; it is used only once it
        # is chosen.
        suggested = file.unit_suggestion if file.unit is None else None
        own = "as image" if state.is_error else f"{suggested} ?" if suggested else UNKNOWN
        field.setPlaceholderText(own)
        unit.setCurrentIndex(unit.findText(file.unit or ""))
        unit.setEditText(file.unit or "")
        field.setModified(False)
        field.setCursorPosition(0)

    def _box(self, row: int, column: int) -> ComboBox:
        box = self.cellWidget(row, column)
        assert isinstance(box, ComboBox)
        return box

    def _fit_remarks(self) -> None:
        """Rows of remarks as high as they need to be at this width."""
        width = present(self.viewport()).width()
        for row in range(1, 2 * len(self._states), 2):
            remarks = self.cellWidget(row, 0)
            if remarks is not None and not self.isRowHidden(row):
                self.setRowHeight(row, max(20, remarks.heightForWidth(width) + 4))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Share out the columns and wrap the remarks anew."""
        super().resizeEvent(event)
        header, width = present(self.horizontalHeader()), present(self.viewport()).width()
        spare = max(0, width - sum(_NUMBERS.values()) - sum(_LEAST.values()))
        for column, most in _MOST.items():
            header.resizeSection(column, min(_LEAST[column] + spare // 3, most))
        taken = sum(header.sectionSize(column) for column in range(1, self.columnCount()))
        header.resizeSection(FILE, max(_LEAST[FILE], width - taken))
        self._fit_names()
        self._fit_remarks()

    # Hearing -------------------------------------------------------------------------------------

    def _item_changed(self, item: QTableWidgetItem) -> None:
        if item.row() >= 2 * len(self._states):
            return
        state = self._states[item.row() // 2]
        if item.column() == FILE:
            self.use_given.emit(state.found.label, item.checkState() == Qt.CheckState.Checked)
        elif item.column() == PSF:
            self.answered.emit(state.found.label, question.PSF, item.text().strip())

    def selected_labels(self) -> list[str]:
        """Labels of the files whose rows are selected."""
        rows = sorted({index.row() for index in self.selectedIndexes()})
        files = [self._states[row // 2].found.label for row in rows if row < 2 * len(self._states)]
        left = [row - 2 * len(self._states) for row in rows if row >= 2 * len(self._states)]
        return [*dict.fromkeys(files), *(self._left[k].place.label for k in left)]

    def row_of(self, label: str) -> int:
        """Row of a file's columns, or of an image that is not read."""
        labels = [state.found.label for state in self._states]
        if label in labels:
            return 2 * labels.index(label)
        return 2 * len(labels) + [other.place.label for other in self._left].index(label)


def _fill_bands(box: ComboBox, first: tuple[str, ...]) -> None:
    """The bands, behind what a box shows where none is known and the likely ones."""
    box.addItem(first[0], "")
    for name in first[1:]:
        box.addItem(f"{name}  ?", name)
    if first[1:]:
        box.insertSeparator(box.count())
    for survey, names in bands_by_survey().items():
        if survey:
            box.insertSeparator(box.count())
        for name in names:
            box.addItem(name, name)


def _fill_units(box: ComboBox, _: tuple[str, ...]) -> None:
    """The units that are written often."""
    from ...bands.units import KNOWN_UNITS

    box.addItems(KNOWN_UNITS)


def _kind_of_row(state: FileState) -> tuple[object, ...]:
    """What the widgets of a row depend on."""
    return state.found.label, state.is_beside, state.found.band_candidates


def _rank(state: FileState) -> int:
    """Where a file stands: those in use first, with those beside them behind, then the others."""
    return 2 if not state.used else int(state.is_beside)
