"""The Prepare panel: the steps as a list, each with its switch, its settings, what it did, and an
eye for its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
)

from ...data.setting import description_with_unit, shown_of
from ...exceptions import GalaxyMapsError
from ...prepare import steps as preparation
from ..ground.window_words import words_of
from ..widgets.band_setting import BandSetting
from ..widgets.forms import eye_icon, wrapped
from ..widgets.settings_form import SettingsForm, takes_files
from ..widgets.theme_colours import FAINT, GOOD, INK
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from pydantic.fields import FieldInfo

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
            self.switch.clicked.connect(lambda on: self._set(self.step, "enabled", bool(on)))
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
        self.eye.setStyleSheet(
            "QToolButton:checked { background-color: palette(highlight); border-radius: 3px; }"
        )
        self.eye.setIconSize(QSize(18, 18))
        self.eye.setToolTip(f"Show what this step made of the images as layers ({title.lower()})")
        self.eye.clicked.connect(lambda on: workspace.preparer.show_step(self.step, bool(on)))
        head.addWidget(self.eye)
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
        self.forms = self._forms(step)
        for form in self.forms:
            layout.addWidget(form)
        layout.addWidget(self.told)
        layout.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)

    # Settings ------------------------------------------------------------------------------------

    def _forms(self, step: Step) -> list[SettingsForm]:
        """The settings of the step's section, and of others that it reads."""
        own = [] if step.settings(self.project.recipe) is None else [self._form(step.name)]
        return own + [self._form(section, (key,)) for section, key in step.also]

    def _form(self, section: str, keys: tuple[str, ...] | None = None) -> SettingsForm:
        def by_band(key: str, field: FieldInfo) -> BandSetting:
            title, hint = field.title or key, shown_of(field).hint
            meaning = description_with_unit(field)
            setting = BandSetting(self.project, section, key, title, hint, meaning, self._say)
            setting.choose.setVisible(takes_files(field))
            return setting

        return SettingsForm(
            lambda: getattr(self.project.recipe, section),
            lambda key, value: self._set(section, key, value),
            self._say,
            by_band,
            keys,
        )

    def _set(self, section: str, key: str, value: Any) -> None:
        if value == getattr(getattr(self.project.recipe, section), key):
            # Qt tells of one entry twice; the second must not wipe the words about the first away.
            return
        try:
            self.project.set_recipe(section, **{key: value})
        except GalaxyMapsError as error:
            self._say(words_of(error))
            self.refresh()
        else:
            self._say("")

    # Showing -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the recipe as it is."""
        if self.switch is not None:
            self.switch.setChecked(getattr(self.project.recipe, self.step).enabled)
        for form in self.forms:
            form.refresh()

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


class PreparePanel(WorkspacePanel):
    """From images as observed to one cube."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.boxes = {
            step.name: StepBox(self.workspace, step, self.message.say) for step in preparation.STEPS
        }
        self.dyed.connect(self._draw_eyes)
        self._draw_eyes()
        for box in self.boxes.values():
            self.column.addWidget(box)
        self.button = QPushButton("Prepare")
        self.button.setObjectName("prepare")
        self.button.setToolTip("Do all the steps that are switched on; Predict does so by itself")
        self.column.addWidget(self.button)
        self.result = wrapped(colour=GOOD, name="result")
        self.column.addWidget(self.result)
        self.column.addStretch(1)
        self.button.clicked.connect(lambda _: self._prepare())
        for signal, slot in (
            (self.project.recipe_changed, self.refresh),
            (self.project.galaxy_changed, self.refresh),
            (self.project.steps_changed, self._steps_changed),
            (self.project.cube_changed, self._cube_changed),
            (self.runner.job_changed, self._job_changed),
        ):
            self.listen(signal, slot)
        self.refresh()
        self._steps_changed()
        self._cube_changed()
        self._job_changed()

    def _draw_eyes(self) -> None:
        icon = eye_icon(self.inks[INK])
        for box in self.boxes.values():
            box.eye.setIcon(icon)

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

    def _cube_changed(self) -> None:
        cube = self.project.cube
        if cube is None:
            self.result.setText("")
            return
        ny, nx = cube.shape
        scale = f" ({cube.pixel_pc:.0f} pc)" if cube.pixel_pc else ""
        self.result.setText(
            f"Ready: {len(cube.bands)} bands on {nx} × {ny} pixels of "
            f"{cube.pixel_arcsec:.3g}″{scale}, PSF {cube.fwhm:.3g}″."
        )

    def _job_changed(self) -> None:
        self.button.setEnabled(self.runner.job is None)
