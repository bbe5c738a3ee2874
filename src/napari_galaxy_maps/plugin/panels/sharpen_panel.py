"""The Sharpen panel: predicted maps of dust are made to agree with a coarse map that is trusted
more.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout

from ...exceptions import GalaxyMapsError
from ..ground.edit_history import History
from ..ground.window_words import words_of
from ..jobs.sharpen_maps import SHARPENED
from ..widgets.forms import bind_edit_keys, make_button, wrapped
from ..widgets.settings_form import SettingsForm
from ..widgets.theme_colours import FAINT, GOOD
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer


class SharpenPanel(WorkspacePanel):
    """The coarse map, how far it is trusted, and what came of it."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.column.addWidget(
            wrapped(
                "Rescales predicted dust until, at the resolution of a coarse map that is trusted "
                "more, it looks as that map does. Temperatures stay as predicted.",
                FAINT,
            )
        )
        self.form = SettingsForm(lambda: self.project.recipe.sharpen, self._set, self.message.say)
        self.column.addWidget(self.form)
        self.take_truth = make_button("Take the truth", "take_truth", self._take_truth)
        self.take_truth.setToolTip("Trust the file of maps that predictions are compared with")
        self.button = make_button("Sharpen", "sharpen", self._sharpen)
        self.button.setToolTip("Sharpen the maps that are looked at; they stay beside the result")
        self.undo = make_button("Undo", "undo", self._undo)
        self.undo.setToolTip("Throw the sharpened maps away, and look at the prediction again")
        row = QHBoxLayout()
        row.addWidget(self.take_truth, 1)
        row.addWidget(self.button, 2)
        row.addWidget(self.undo, 1)
        self.column.addLayout(row)
        self.told = wrapped(colour=GOOD, name="told")
        self.column.addWidget(self.told)
        self.column.addStretch(1)
        for signal, slot in (
            (self.project.recipe_changed, self.refresh),
            (self.project.maps_changed, self.refresh),
            (self.project.results_changed, self.refresh),
            (self.project.truths_changed, self.refresh),
            (self.runner.job_changed, self.refresh),
        ):
            self.listen(signal, slot)
        self.listen(self.project.switched, self._forget)
        bind_edit_keys(self, self._back, self._forward)
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        """Ctrl+Z takes back what is entered from here on."""
        self.history = History(self.project.recipe.sharpen.model_copy(deep=True))

    def _back(self) -> None:
        if self.history.undo():
            self.project.set_recipe("sharpen", **self.history.now.model_dump())

    def _forward(self) -> None:
        if self.history.redo():
            self.project.set_recipe("sharpen", **self.history.now.model_dump())

    def _keep(self) -> None:
        """Remember what is set, however it was set, so that Ctrl+Z brings it back."""
        now = self.project.recipe.sharpen
        if now != self.history.now:
            self.history.push(now.model_copy(deep=True), "the change of settings")

    def _set(self, key: str, value: Any) -> None:
        if value == getattr(self.project.recipe.sharpen, key):
            return
        try:
            self.project.set_recipe("sharpen", **{key: value})
        except GalaxyMapsError as error:
            self.message.say(words_of(error))
            self.form.refresh()
        else:
            self.message.say("")

    def _truth_file(self) -> str:
        truth = self.project.truth
        file = "" if truth is None else str(truth.provenance.get("file", ""))
        return file if Path(file).is_file() else ""

    def _take_truth(self) -> None:
        file = self._truth_file()
        if file:
            self.project.set_recipe("sharpen", coarse=file, image="")
        else:
            self.message.say("The truth is in no file yet: save it, or open one in Inspect.")

    def _sharpen(self) -> None:
        self.message.say("")
        if not self.project.recipe.sharpen.coarse:
            self.message.say("Choose the coarse map that is trusted first.")
        elif self.project.result is None:
            self.message.say("Predict maps first, at a finer resolution than the coarse map's.")
        else:
            self.workspace.sharpener.sharpen()

    def _undo(self) -> None:
        result = self.project.result
        if result is None or not result.maps.provenance.get("sharpened"):
            return
        label = result.label.partition(SHARPENED)[0]
        self.workspace.close_result(result)
        before = [each for each in self.project.results if each.label == label]
        if before:
            self.workspace.choose_result(before[0])

    def refresh(self) -> None:
        """Show the recipe, and what was done to the maps that are looked at."""
        self._keep()
        self.form.refresh()
        job, result = self.runner.job, self.project.result
        self.button.setEnabled(job is None)
        self.take_truth.setEnabled(self.project.truth is not None)
        said = result.maps.provenance if result is not None else {}
        self.undo.setEnabled(job is None and bool(said.get("sharpened")))
        notes = said.get("note", []) if said.get("sharpened") else []
        notes = [notes] if isinstance(notes, str) else list(notes)
        self.told.setText("\n".join(n for n in notes if "coarse map" in n or "T_DUST" in n))
