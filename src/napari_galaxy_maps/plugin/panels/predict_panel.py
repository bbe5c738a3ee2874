"""The Predict panel: the model and its card, where it runs, what to compare with, and the maps to
look at.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QTextBrowser,
)

from ...data.ranges import MEMBERS
from ...models.band_advice import advice
from ..eventloop import preload, worker
from ..ground.window_words import panels_of
from ..widgets.assumed_list import AssumedList
from ..widgets.device_box import DeviceBox
from ..widgets.forms import agreed, wrapped
from ..widgets.qt_parts import ComboBox, SpinBox
from ..widgets.results_view import ResultsView
from ..widgets.theme_colours import FAINT
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..state.results import Result


class _Card(NamedTuple):
    """What the panel tells of a model."""

    summary: str
    text: str
    has_prior: bool
    has_members: bool


_UNKNOWN = _Card("", "The card is not there yet.", False, False)


class PredictPanel(WorkspacePanel):
    """From images to maps of dust and stars."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self._cards: dict[str, _Card] = {}
        self._asked = False
        self._build_settings()
        self._build_run()
        self._build_results()
        self.column.addStretch(1)
        project = self.project
        for signal, slot in (
            (project.recipe_changed, self.refresh),
            (project.galaxy_changed, self._show_missing),
            (project.recipe_changed, self._show_missing),
            (project.files_changed, self._show_missing),
            (project.cube_changed, self._show_missing),
            (project.results_changed, self._show_missing),
            (self.workspace.masks.changed, self._show_missing),
            (self.workspace.first_look.changed, self._show_missing),
            (self.runner.job_changed, self._job_changed),
            (project.truths_changed, self._truths_changed),
            (project.maps_changed, self.results.refresh),
            (project.results_changed, self.results.refresh),
            (project.galaxy_changed, self.results.refresh),
            (project.recipe_changed, self.results.refresh),
            (self.workspace.views.changed, self.results.show_looking),
            (self.workspace.side_by_side.changed, self.results.refresh),
            (self.workspace.refresher.changed, self._show_following),
            (project.switched, self._show_missing),
        ):
            self.listen(signal, slot)
        self.refresh()
        self._fill_truths()
        self.results.refresh()
        self._show_following()
        self._job_changed()

    # Building ------------------------------------------------------------------------------------

    def _build_settings(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.model = ComboBox()
        self.model.setObjectName("model")
        self.model.setToolTip("The model that predicts, and so which maps there will be")
        self.model.activated.connect(lambda _: self._set_model(self.model.currentText()))
        self.card_button = QPushButton("Card")
        self.card_button.setCheckable(True)
        self.card_button.setToolTip(
            "What the model was trained on, how well it does, where not to trust it"
        )
        self.card_button.clicked.connect(lambda on: self.show_card(bool(on)))
        row = QHBoxLayout()
        row.addWidget(self.model, 1)
        row.addWidget(self.card_button)
        form.addRow("Model", row)
        self.summary = wrapped(colour=FAINT, name="summary")
        form.addRow(self.summary)
        self.device = DeviceBox()
        self.device.activated.connect(
            lambda _: self.project.set_recipe("model", device=self.device.currentData())
        )
        form.addRow("Runs on", self.device)
        form.addRow(self._prior())
        row = QHBoxLayout()  # a row of its own, so that a narrow panel need not scroll
        row.addWidget(self._members())
        row.addStretch(1)
        form.addRow("", row)
        self._build_truth(form)
        self._build_dust(form)
        self.column.addLayout(form)
        self.card = QTextBrowser()
        self.card.setOpenExternalLinks(True)
        self.card.setMinimumHeight(260)
        self.card.hide()
        self.column.addWidget(self.card)

    def _build_truth(self, form: QFormLayout) -> None:
        self.truth = ComboBox()
        self.truth.setObjectName("truth")
        self.truth.setToolTip(
            "Maps that are open, or a file; the difference from them is shown as residual layers"
        )
        self.truth.activated.connect(self._truth_chosen)
        self.truth_button = QPushButton("File…")
        self.truth_button.setToolTip("A FITS file of maps to compare with")
        self.truth_button.clicked.connect(lambda _: self._ask_truth())
        row = QHBoxLayout()
        row.addWidget(self.truth, 1)
        row.addWidget(self.truth_button)
        form.addRow("Compare with", row)
        self.fit_truth = QPushButton("Fit a truth from the far infrared")
        self.fit_truth.setObjectName("fit_truth")
        self.fit_truth.setToolTip(
            "Maps at the resolution of the worst of at least three bands of 70 to 500 µm, by "
            "model spectra"
        )
        self.fit_truth.clicked.connect(lambda _: self._fit_truth())
        self.save_truth = QPushButton("Save it…")
        self.save_truth.setObjectName("save_truth")
        self.save_truth.setToolTip("The truth that was fitted, as a FITS file of maps")
        self.save_truth.clicked.connect(lambda _: self._ask_save_truth())
        row = QHBoxLayout()
        row.addWidget(self.fit_truth, 1)
        row.addWidget(self.save_truth)
        form.addRow(row)

    def _build_dust(self, form: QFormLayout) -> None:
        self.take_dust = QPushButton("Take the dust away")
        self.take_dust.setObjectName("take_dust")
        self.take_dust.setToolTip(
            "Maps of attenuation in FUV and V (mag), and the ultraviolet and optical images as "
            "they would be without dust (MJy/sr), by model spectra; ultraviolet images and one of "
            "7 µm or more are wanted"
        )
        self.take_dust.clicked.connect(lambda _: self._take_dust())
        self.save_dustless = QPushButton("Save images…")
        self.save_dustless.setObjectName("save_dustless")
        self.save_dustless.setToolTip("The images without dust and their errors, MJy/sr, as FITS")
        self.save_dustless.clicked.connect(lambda _: self._ask_save_dustless())
        row = QHBoxLayout()
        row.addWidget(self.take_dust, 1)
        row.addWidget(self.save_dustless)
        form.addRow("Attenuation", row)

    def _prior(self) -> QCheckBox:
        """Whether the model counts on scaling relations; shown where it has the choice."""
        self.relations = QCheckBox("Use what is usual of galaxies")
        self.relations.setObjectName("relations")
        self.relations.setToolTip(
            "Mass and metals, mass and star formation, mass and gas go together in most galaxies. "
            "The model counts on that; switched off, it takes anything for as likely: for "
            "galaxies that may be unusual, with larger errors"
        )
        self.relations.clicked.connect(
            lambda on: self.project.set_recipe("model", prior="relations" if on else "wide")
        )
        return self.relations

    def _members(self) -> SpinBox:
        """In how many orientations the model looks; shown where it looks at images."""
        self.members = SpinBox()
        self.members.setObjectName("members")
        self.members.setRange(int(MEMBERS.least), int(MEMBERS.most))
        self.members.setSuffix(" ×")
        self.members.setKeyboardTracking(False)
        self.members.setToolTip(
            "In how many orientations, turned and mirrored, the model sees the galaxy. What it "
            "says is averaged, and what it says differently is added to the errors. N take N "
            "times as long"
        )
        self.members.valueChanged.connect(self._set_members)
        return self.members

    def _build_run(self) -> None:
        self.missing = wrapped(name="missing")
        self.column.addWidget(self.missing)
        self.assumed = AssumedList(self.workspace)
        self.assumed.card_wanted.connect(lambda: self._ask_card())
        self.assumed.model_wanted.connect(self._set_model)
        self.assumed.changed.connect(self._show_ready)
        self.column.addWidget(self.assumed)
        self.button = QPushButton("Predict")
        self.button.setObjectName("predict")
        self.button.setStyleSheet("font-weight: bold;")
        self.column.addWidget(self.button)
        self.follow = QCheckBox("The maps follow edits of the masks")
        self.follow.setObjectName("follow")
        self.follow.setToolTip(
            "A moment after an edit in the Stars panel the maps are made anew where it touches them"
        )
        self.follow.clicked.connect(lambda on: self.workspace.refresher.switch(bool(on)))
        self.column.addWidget(self.follow, 0, Qt.AlignmentFlag.AlignLeft)
        self.button.clicked.connect(lambda _: self._predict())

    def _build_results(self) -> None:
        self.results = ResultsView(self.workspace)
        self.results.compared.connect(self.workspace.compare_results)
        self.results.closed.connect(self._close_result)
        self.column.addWidget(self.results)

    def showEvent(self, event: Any) -> None:
        """Ask for the models only once the panel has been painted: their registry need not be read
        before.
        """
        super().showEvent(event)
        if not self._asked:
            self._asked = True
            preload.begin()
            QTimer.singleShot(50, self._ask_models)
        self.workspace.first_look.look_soon()

    # Model, device, truth ------------------------------------------------------------------------

    def _ask_models(self) -> None:
        def fetch() -> tuple[list[str], dict[str, _Card]]:
            from ...models.base import RELATIONS
            from ...models.registry import list_models, load_card, model_class

            names = list(list_models())
            cards = {name: load_card(name) for name in names}
            return names, {
                name: _Card(
                    card.summary(),
                    card.to_markdown(),
                    RELATIONS in card.features,
                    hasattr(model_class(name), "with_members"),
                )
                for name, card in cards.items()
            }

        worker.fetch(fetch, self._models_known, owner=self)

    def _models_known(self, found: tuple[list[str], dict[str, _Card]]) -> None:
        names, self._cards = found
        self.model.clear()
        self.model.addItems(names)
        self.refresh()
        self._show_missing()

    def _set_model(self, name: str) -> None:
        card = self._cards.get(name, _UNKNOWN)
        usual: dict[str, Any] = {}  # what the model would refuse
        if not card.has_prior:
            usual["prior"] = "relations"
        if not card.has_members:
            usual["members"] = 1
        self.project.set_recipe("model", name=name, **usual)
        self._show_missing()

    def _set_members(self, members: int) -> None:
        if members != self.project.recipe.model.members:
            self.project.set_recipe("model", members=members)

    def show_card(self, on: bool) -> None:
        """Show or hide the model's card."""
        self.card.setVisible(on)
        if on:
            self.card.setMarkdown(self._cards.get(self.project.recipe.model.name, _UNKNOWN).text)

    def _ask_card(self) -> None:
        self.card_button.setChecked(True)
        self.show_card(True)

    def refresh(self) -> None:
        """Show the recipe as it is."""
        settings = self.project.recipe.model
        self.model.setCurrentText(settings.name)
        card = self._cards.get(settings.name, _UNKNOWN)
        self.summary.setText(card.summary)
        self.summary.setVisible(bool(self.summary.text()))
        self.device.setCurrentIndex(self.device.findData(settings.device))
        self.relations.setChecked(settings.prior == "relations")
        self.members.setValue(settings.members)
        # What came with a recipe can be taken back whatever the model.
        self.members.setVisible(card.has_members or settings.members != 1)
        self.relations.setVisible(card.has_prior or settings.prior != "relations")

    def _truths_changed(self) -> None:
        self._fill_truths()
        self.runner.after_job(self.workspace.comparer.compare_and_look)

    def _fill_truths(self) -> None:
        self.truth.clear()
        self.truth.addItem("nothing", "")
        for name in self.project.truths:
            self.truth.addItem(name, name)
        self.truth.setCurrentIndex(max(0, self.truth.findData(self.project.truth_name)))
        self.save_truth.setVisible(self.project.fitted is not None)

    def _truth_chosen(self, index: int) -> None:
        self.project.choose_truth(self.truth.itemData(index))

    def _ask_truth(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Maps to compare with", "", "FITS maps (*.fits *.fits.gz);;All (*)"
        )
        if path:
            self.workspace.comparer.open_truth(path)

    # Running -------------------------------------------------------------------------------------

    def _show_missing(self) -> None:
        """Say what is missing, and what would make the answer better."""
        if self.project.announcing:
            return  # `switched` follows
        galaxy = self.project.galaxy
        self.assumed.refresh()
        if self.isVisible():
            self.workspace.first_look.look_soon()
        if galaxy is None:
            self.missing.setText(
                "Add the galaxy's images in the Galaxy panel."
                if not self.project.files.found
                else ""
            )
            self.missing.setVisible(not self.project.files.found)
            return
        self.missing.setVisible(True)
        bands = [*galaxy.images, *self.assumed.waiting]
        words = advice(self.project.recipe.model.name, bands)
        where = panels_of(["input.stand_in"])
        self.missing.setText(words.replace("(stand_in)", f"({where})"))

    def _predict(self) -> None:
        self.message.say("")
        self.results.saved.setText("")
        self.workspace.predictor.predict()

    def _fit_truth(self) -> None:
        self.message.say("")
        self.results.saved.setText("")
        self.workspace.truth_fitter.fit()

    def _take_dust(self) -> None:
        self.message.say("")
        self.results.saved.setText("")
        self.workspace.dust_taker.take()

    def _job_changed(self) -> None:
        job = self.runner.job
        self._show_ready()
        self.fit_truth.setEnabled(job is None)
        self.take_dust.setEnabled(job is None)
        self.save_truth.setVisible(self.project.fitted is not None)
        self.save_dustless.setVisible(self.workspace.dust_taker.images is not None)

    def _show_ready(self) -> None:
        """Grey Predict while a job runs, and where the model cannot work on the galaxy."""
        why = self.assumed.impossible
        self.button.setEnabled(self.runner.job is None and not why)
        self.button.setToolTip(why or "Prepare the images and predict maps; the window stays free")

    def _show_following(self) -> None:
        self.follow.setChecked(self.workspace.refresher.on)

    # Results -------------------------------------------------------------------------------------

    def _close_result(self, result: Result) -> None:
        if not result.saved and not agreed(
            self,
            "Throw a result away",
            f"{result.label} is not saved. Throw it away all the same?",
        ):
            return
        self.workspace.close_result(result)

    def _ask_save_truth(self) -> None:
        self._ask_save("Save the truth", "truth", self.workspace.truth_fitter.save)

    def _ask_save_dustless(self) -> None:
        save = self.workspace.dust_taker.save
        self._ask_save("Save the images without dust", "dustless", save)

    def _ask_save(
        self, title: str, ending: str, save: Callable[[str, Callable[[str], None]], object]
    ) -> None:
        """Ask for a FITS file, and save there."""
        name = f"{self.project.file_stem}_{ending}.fits"
        path, _ = QFileDialog.getSaveFileName(self, title, name, "FITS (*.fits)")
        if path:
            path = path if Path(path).suffix else f"{path}.fits"
            save(path, lambda where: self.message.say(f"Saved in {where}"))
