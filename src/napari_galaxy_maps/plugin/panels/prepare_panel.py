"""The Prepare panel: the steps as a list, each with its switch, its settings, what it did, and an
eye for its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...exceptions import GalaxyMapsError
from ...prepare import steps as preparation
from ..widgets.band_setting import BandSetting
from ..widgets.forms import FAINT, GOOD, Message, Panel, eye_icon, wrapped
from ..widgets.qt_parts import present
from ..workspace import workspace_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ...prepare.step import Step
    from ..workspace import Workspace


class StepBox(QFrame):
    """One step: its switch, its settings, what it did, and an eye."""

    def __init__(self, workspace: Workspace, step: Step, say: Callable[[str], None]):
        super().__init__()
        self.project, self.step, self._say = workspace.project, step.name, say
        self.setObjectName(f"step_{step.name}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        title, tip = step.title, step.description
        self.switch: QCheckBox | None = None
        head = QHBoxLayout()
        if step.has_switch(self.project.recipe):
            self.switch = QCheckBox(title)
            self.switch.setStyleSheet("font-weight: bold;")
            self.switch.setToolTip(tip)
            self.switch.clicked.connect(lambda on: self._set("enabled", bool(on)))
            head.addWidget(self.switch)
        else:
            label = QLabel(title)
            label.setStyleSheet("font-weight: bold;")
            label.setToolTip(tip)
            head.addWidget(label)
        head.addStretch(1)
        self.eye = QToolButton()
        self.eye.setObjectName("eye")
        self.eye.setCheckable(True)
        self.eye.setIcon(eye_icon())
        self.eye.setStyleSheet(
            "QToolButton:checked { background-color: palette(highlight); border-radius: 3px; }"
        )
        self.eye.setIconSize(QSize(18, 18))
        self.eye.setToolTip(f"Show what this step made of the images as layers ({title.lower()})")
        self.eye.clicked.connect(lambda on: workspace.preparer.show_step(self.step, bool(on)))
        head.addWidget(self.eye)
        self.form = QGridLayout()
        self.form.setHorizontalSpacing(6)
        for column in (1, 3):
            self.form.setColumnStretch(column, 1)
        self.told = wrapped(colour=FAINT, name="told")
        self.more = QToolButton()
        self.more.setText("▸ every band")
        self.more.setToolTip("Say what was done to every band")
        self.more.setCheckable(True)
        self.more.hide()
        self.more.clicked.connect(lambda _: self.show_told())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(self.form)
        layout.addWidget(self.told)
        layout.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._readers: list[Callable[[], None]] = []
        self._settings()

    # Settings --------------------------------------------------------------------------------------------------------

    def _settings(self) -> None:
        if self.step == "sky":
            self._choice("model", "Shape", ("constant", "plane", "polynomial"))
            self._number("clip", "Clipped at", 1.1, 10, 0.5, " σ")
            self._number("exclude", "Outside", 1, 10, 0.25, " × D25", row=1)
            order = self._number("order", "Order up to", 1, 5, 1, "", row=1)
            self._readers.append(lambda: order.setEnabled(self._value("model") == "polynomial"))
        elif self.step == "reddening":
            self._optional("ebv", "E(B−V)", "of a header or the map, if left empty")
            self._path("map", "Map", "a FITS map of E(B−V)", row=1)
        elif self.step == "stars":
            self._path(
                "catalogue", "Table", "with Gaia's columns (FITS, VOTable, ECSV, CSV), or: gaia"
            )
            self._check("find", "without one, look for them on the images", row=1)
        elif self.step == "psf":
            self._free(
                "target",
                "Common PSF",
                ("auto", "WISE_12", "WISE_22", "12", "18"),
                "″, a band or a file; auto: the widest",
            )
            self._by_band("input", "psf", "PSF of", "its FWHM in ″, or a FITS file of it", row=1)
            self._by_band("psf", "kernels", "Kernel for", "none: made from the PSFs", row=2)
            self._choice("broader", "Broader bands", ("leave out", "keep"), row=3)
        elif self.step == "grid":
            pixels = ("auto", "6", "12", "18", "25", "36", "150 pc", "500 pc", "1 kpc", "3 kpc")
            self._free("pixel", "Pixel", pixels, "″, or pc; auto: a third of the PSF")
            self._number("extent", "Half-size", 0.25, 10, 0.25, " × a", row=1)
            self._check("cut", "inside the ellipse only", row=1)
        elif self.step == "impute":
            self._choice("bands", "Bands", ("given", "all"))
            self._number("n_models", "Model spectra", 100, 2_000_000, 10_000, "")
        else:
            self._check("background", "background")
            self._check("calibration", "calibration")
            self._check("reddening", "reddening", row=1)
            self._check("poisson", "Poisson", row=1)
            gain = self._by_band(
                "errors", "gain", "Gain of", "electrons per unit; empty: as its header says", row=2
            )
            gain.choose.hide()

    def _value(self, key: str) -> Any:
        return getattr(getattr(self.project.recipe, self.step), key)

    def _description(self, key: str) -> str:
        return str(type(getattr(self.project.recipe, self.step)).model_fields[key].description)

    def _set(self, key: str, value: Any) -> None:
        if value == self._value(key):
            return  # Qt tells of one entry twice; the second must not wipe the words about the first away
        try:
            self.project.set_recipe(self.step, **{key: value})
        except GalaxyMapsError as error:
            self._say(str(error))
            self.refresh()
        else:
            self._say("")

    def _add(self, row: int, *widgets: QWidget) -> None:
        at = sum(
            self.form.getItemPosition(i)[3]
            for i in range(self.form.count())
            if self._row_of(i) == row
        )
        for i, widget in enumerate(widgets):
            # A switch carries its own text: it takes the place of a label and a field.
            self.form.addWidget(widget, row, at + i, 1, 3 - len(widgets))

    def _row_of(self, i: int) -> int:
        return self.form.getItemPosition(i)[0]

    def _choice(self, key: str, text: str, values: tuple[str, ...], row: int = 0) -> None:
        box = QComboBox()
        box.setObjectName(key)
        box.addItems(values)
        box.activated.connect(lambda _: self._set(key, box.currentText()))
        self._readers.append(lambda: box.setCurrentText(self._value(key)))
        self._add(row, QLabel(text), box)

    def _number(
        self, key: str, text: str, low: float, high: float, step: float, unit: str, row: int = 0
    ) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setObjectName(key)
        box.setRange(low, high)
        box.setSingleStep(step)
        box.setDecimals(0 if step == int(step) else 2)
        box.setSuffix(unit)
        box.setKeyboardTracking(False)

        def read() -> None:
            box.blockSignals(True)
            box.setValue(self._value(key))
            box.blockSignals(False)

        box.setToolTip(self._description(key))
        box.valueChanged.connect(lambda value: self._set(key, value))
        self._readers.append(read)
        self._add(row, QLabel(text), box)
        return box

    def _free(self, key: str, text: str, values: tuple[str, ...], hint: str, row: int = 0) -> None:
        box = QComboBox()
        box.setObjectName(key)
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.addItems(values)

        def told() -> None:
            written = box.currentText().strip() or "auto"
            try:
                self._set(key, float(written))
            except ValueError:
                self._set(key, written)

        def read() -> None:
            value = self._value(key)
            box.setEditText(value if isinstance(value, str) else f"{value:g}")

        box.activated.connect(lambda _: told())
        present(box.lineEdit()).editingFinished.connect(told)
        self._readers.append(read)
        box.setToolTip(hint)
        box.setMinimumWidth(80)
        note = wrapped(hint, FAINT)
        self._add(row, QLabel(text), box)
        self.form.addWidget(note, row, 2, 1, 2)

    def _optional(self, key: str, text: str, hint: str, row: int = 0) -> None:
        """A number that may be left out."""
        field = QLineEdit()
        field.setObjectName(key)
        field.setPlaceholderText(hint)

        def told() -> None:
            written = field.text().strip().replace(",", ".")
            try:
                self._set(key, float(written) if written else None)
            except ValueError:
                self._say(f"{text} is a number of magnitudes, not {written!r}.")
                self.refresh()

        field.editingFinished.connect(told)
        self._readers.append(
            lambda: field.setText("" if self._value(key) is None else f"{self._value(key):g}")
        )
        self._add_row(text, field, row)

    def _path(self, key: str, text: str, hint: str, row: int = 0) -> None:
        """A file, written or chosen."""
        field = QLineEdit()
        field.setObjectName(key)
        field.setPlaceholderText(hint)
        field.editingFinished.connect(lambda: self._set(key, field.text().strip()))
        self._readers.append(lambda: field.setText(self._value(key)))
        choose = QToolButton()
        choose.setObjectName(f"choose_{key}")
        choose.setText("…")
        choose.setToolTip("Choose the file")

        def ask() -> None:
            chosen, _ = QFileDialog.getOpenFileName(self, hint)
            if chosen:
                field.setText(chosen)
                self._set(key, chosen)

        choose.clicked.connect(lambda _: ask())
        self._add_row(text, field, row, choose)

    def _by_band(self, section: str, key: str, text: str, hint: str, row: int) -> BandSetting:
        setting = BandSetting(self.project, section, key, text, hint, self._say)
        self._readers.append(setting.refresh)
        self.form.addWidget(setting, row, 0, 1, 4)
        return setting

    def _add_row(self, text: str, field: QWidget, row: int, button: QWidget | None = None) -> None:
        line = QHBoxLayout()
        line.addWidget(QLabel(text))
        line.addWidget(field, 1)
        if button is not None:
            line.addWidget(button)
        self.form.addLayout(line, row, 0, 1, 4)

    def _check(self, key: str, text: str, row: int = 0) -> None:
        box = QCheckBox(text)
        box.setToolTip(self._description(key))
        box.setObjectName(key)
        box.clicked.connect(lambda on: self._set(key, bool(on)))
        self._readers.append(lambda: box.setChecked(self._value(key)))
        self._add(row, box)

    # Showing ---------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the recipe as it is."""
        if self.switch is not None:
            self.switch.setChecked(self._value("enabled"))
        for read in self._readers:
            read()

    def show_told(self) -> None:
        """Show what the step did: of the best band, or of every one."""
        lines = self.project.step_notes.get(self.step, [])
        bands = [band for step, band in self.project.step_images if step == self.step]
        self.more.setVisible(len(lines) > 1)
        self.more.setText("▾ every band" if self.more.isChecked() else "▸ every band")
        self.eye.setChecked(self.step in self.project.shown_steps)
        self.eye.setEnabled(bool(bands) or self.eye.isChecked())
        if not lines:
            text = ""
        elif self.more.isChecked() or len(lines) == 1:
            text = "\n".join(lines)
        else:
            best = next(
                (line for line in lines if line.startswith(("WISE_3.4:", "Spitzer_3.6:"))),
                lines[-1],
            )
            others = [
                line
                for line in lines
                if line is not best and not any(line.startswith(f"{b}:") for b in bands)
            ]
            text = "\n".join([f"{best}  ({len(bands)} bands)" if bands else best, *others])
        self.told.setText(text)
        self.told.setVisible(bool(text))


class PreparePanel(Panel):
    """From images as observed to one cube.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer to work in.
    """

    def __init__(self, napari_viewer: Viewer):
        super().__init__()
        workspace = self.workspace = workspace_of(napari_viewer)
        self.project, self.runner = workspace.project, workspace.runner
        self.message = Message()
        self.boxes = {
            step.name: StepBox(workspace, step, self.message.say) for step in preparation.STEPS
        }
        for box in self.boxes.values():
            self.column.addWidget(box)
        row = QHBoxLayout()
        self.button = QPushButton("Prepare")
        self.button.setObjectName("prepare")
        self.button.setToolTip("Do all the steps that are switched on; Predict does so by itself")
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("cancel")
        row.addWidget(self.button, 2)
        row.addWidget(self.cancel, 1)
        self.column.addLayout(row)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.column.addWidget(self.bar)
        self.column.addWidget(self.message)
        self.result = wrapped(colour=GOOD, name="result")
        self.column.addWidget(self.result)
        self.column.addStretch(1)
        self.button.clicked.connect(lambda _: self._prepare())
        self.cancel.clicked.connect(lambda _: self.runner.job.cancel() if self.runner.job else None)
        for signal, slot in (
            (self.project.recipe_changed, self.refresh),
            (self.project.galaxy_changed, self.refresh),
            (self.project.steps_changed, self._steps_changed),
            (self.project.cube_changed, self._cube_changed),
            (self.runner.job_changed, self._job_changed),
            (self.project.message, self.message.say),
        ):
            self.listen(signal, slot)
        self.refresh()
        self._steps_changed()
        self._cube_changed()
        self._job_changed()

    def _prepare(self) -> None:
        self.message.say("")
        self.workspace.preparer.prepare()

    def refresh(self) -> None:
        """Show the recipe as it is."""
        for box in self.boxes.values():
            box.refresh()

    def _steps_changed(self) -> None:
        for box in self.boxes.values():
            box.show_told()
        job = self.runner.job
        names = [step.name for step in preparation.STEPS]
        if job is not None and job.last is not None and job.last.step in names:
            # Each step is as long as any other on this bar.
            number = names.index(job.last.step)
            self.bar.setRange(0, 100 * len(names))
            self.bar.setValue(int(100 * (number + job.last.done / max(job.last.total, 1))))

    def _cube_changed(self) -> None:
        cube = self.project.cube
        if cube is None:
            self.result.setText("")
            return
        ny, nx = cube.shape
        scale = f" ({cube.pixel_pc:.0f} pc)" if cube.pixel_pc else ""
        self.result.setText(
            f"Ready: {len(cube.bands)} bands on {nx} × {ny} pixels of {cube.pixel_arcsec:.3g}″{scale}, "
            f"PSF {cube.fwhm:.3g}″."
        )

    def _job_changed(self) -> None:
        job = self.runner.job
        self.button.setEnabled(job is None)
        self.cancel.setEnabled(job is not None)
        self.bar.setVisible(job is not None and job.title in ("Preparing", "Predicting"))
        self.bar.setRange(0, 0)
