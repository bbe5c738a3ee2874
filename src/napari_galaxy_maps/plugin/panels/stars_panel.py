"""The Stars panel: the circles that mask stars, the doubtful ones first, edited beside the canvas
or on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QHBoxLayout, QLabel

from ...data.flags import Flag
from ...prepare.masks import mask_edits
from ...prepare.masks.mask_edits import Item
from ..canvas.tools import SELECT, mask_tools
from ..ground.layer_specs import Key
from ..widgets.forms import bind_edit_keys, make_button, show_history, wrapped
from ..widgets.qt_parts import ComboBox
from ..widgets.star_table import StarTable
from ..widgets.theme_colours import FAINT, GOOD, WARNING
from ..widgets.tool_row import ToolRow
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer


_TOOLS = (
    ("select", "Select", "Move and resize circles; Escape takes you back here"),
    (
        "add",
        "Add circle",
        "Press on a star and drag outwards; a click alone draws a circle as wide as a star (E)",
    ),
    (
        "paint",
        "Paint a mask",
        "Mask freehand with napari's brush, in the band that is shown or in all",
    ),
    ("erase", "Erase", "Take painted masks away with napari's eraser"),
)
_TABLES = "Tables of stars (*.fits *.fits.gz *.xml *.vot *.ecsv *.csv *.txt *.dat);;All files (*)"
_REGIONS = "DS9 regions (*.reg);;Results of this program (*.fits);;All files (*)"


class StarsPanel(WorkspacePanel):
    """What is masked, and every way to change it."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.masks = self.workspace.masks
        self.in_hand = mask_tools(self.layers, self.workspace.circles, self.workspace.painted)
        self._build_source()
        self._build_table()
        self._build_edits()
        bind_edit_keys(self, self.masks.undo, self.masks.redo, self._delete, self.in_hand.put_away)
        project = self.project
        for signal, slot in (
            (self.masks.changed, self._masks_changed),
            (self.masks.selection_changed, self._selection_changed),
            (self.masks.band_changed, self._band_changed),
            (self.masks.note_changed, self._show_state),
            (self.workspace.refresher.changed, self._show_state),
            (project.galaxy_changed, self._galaxy_changed),
            (project.recipe_changed, self._show_source),
            (project.maps_changed, self._show_state),
            (project.cube_changed, self._show_state),
            (self.in_hand.changed, self.row.show_tool),
            (self.runner.job_changed, self._job_changed),
        ):
            self.listen(signal, slot)
        self._galaxy_changed()
        self._masks_changed()
        self._job_changed()

    # Building ------------------------------------------------------------------------------------

    def _build_source(self) -> None:
        row = QHBoxLayout()
        self.fit = make_button("Find stars", "fit", self._fit)
        self.catalogue = make_button("Catalogue…", "choose_catalogue", self._ask_catalogue)
        self.catalogue.setToolTip(
            "Choose a table of stars with Gaia's columns, and fit the stars in it"
        )
        row.addWidget(self.fit, 1)
        row.addWidget(self.catalogue, 1)
        self.column.addLayout(row)
        self.source = wrapped(colour=FAINT, name="source")
        self.column.addWidget(self.source)
        row = QHBoxLayout()
        row.addWidget(QLabel("Show and edit"))
        self.band = ComboBox()
        self.band.setObjectName("band")
        self.band.setToolTip(
            "Radii are shown and changed in this band, or in all of them in proportion"
        )
        self.band.activated.connect(lambda index: self._look_at(self.band.itemData(index)))
        row.addWidget(self.band, 1)
        self.column.addLayout(row)

    def _build_table(self) -> None:
        self.counts = wrapped(name="counts")
        self.column.addWidget(self.counts)
        self.table = StarTable()
        self.table.chosen.connect(self._chosen)
        self.table.shown.connect(self._show_item)
        self.table.stars.switched.connect(lambda item, on: self.masks.switch([item], on))
        self.column.addWidget(self.table, 1)
        self.why = wrapped(colour=WARNING, name="why")
        self.column.addWidget(self.why)

    def _build_edits(self) -> None:
        self.row = ToolRow(self.in_hand, _TOOLS)
        self.row.given.connect(self._given)
        self.tools = self.row.buttons
        self.column.addWidget(self.row)
        grid = QGridLayout()
        self.delete = make_button("Delete", "delete", self._delete)
        self.delete.setToolTip("Take the selected circles away, in the band that is shown (Delete)")
        self.accept = make_button(
            "Accept", "accept", lambda: self.masks.accept(self.masks.selected)
        )
        self.accept.setToolTip("The selected doubtful circles are fine as they are")
        self.whole = make_button(
            "Mask instead of subtract",
            "whole",
            lambda: self.masks.mask_whole(self.masks.selected),
        )
        self.whole.setToolTip(
            "Mask the selected subtracted stars with whole circles, in the band that is shown"
        )
        self.undo = make_button("Undo", "undo", self.masks.undo)
        self.redo = make_button("Redo", "redo", self.masks.redo)
        self.load = make_button("Load regions…", "load", self._ask_load)
        self.load.setToolTip(
            "Add the circles and polygons of a DS9 region file, or the masks of a saved result"
        )
        self.save = make_button("Save regions…", "save", self._ask_save)
        self.save.setToolTip("Write circles and polygons as DS9 regions")
        rows = (
            (self.accept, self.delete),
            (self.undo, self.redo),
            (self.load, self.save),
        )
        for i, buttons in enumerate(rows):
            for j, button in enumerate(buttons):
                grid.addWidget(button, i, j)
        grid.addWidget(self.whole, len(rows), 0, 1, 2)
        self.column.addLayout(grid)
        self.follow = QCheckBox("The maps follow edits")
        self.follow.setObjectName("follow")
        self.follow.setToolTip(
            "A moment after an edit the maps are made anew where it touches them"
        )
        self.follow.clicked.connect(lambda on: self.workspace.refresher.switch(bool(on)))
        self.column.addWidget(self.follow, 0, Qt.AlignmentFlag.AlignLeft)
        self.state = wrapped(colour=FAINT, name="state")
        self.column.addWidget(self.state)
        self.note = wrapped(colour=GOOD, name="note")
        self.column.addWidget(self.note)

    # Showing -------------------------------------------------------------------------------------

    def _galaxy_changed(self) -> None:
        bands = ["", *self.project.bands]
        if [self.band.itemData(i) for i in range(self.band.count())] != bands:
            with QSignalBlocker(self.band):
                self.band.clear()
                for name in bands:
                    self.band.addItem(name or "all bands", name)
            if self.masks.band not in bands:
                self.masks.look_at("")
        self.band.setCurrentIndex(max(0, self.band.findData(self.masks.band)))
        self._show_source()

    def _show_source(self) -> None:
        stars = self.project.recipe.stars
        if stars.catalogue:
            self.fit.setText("Fit stars")
            self.fit.setToolTip("Fit the stars of the catalogue, band by band")
            text = f"Catalogue: {Path(stars.catalogue).name}"
        else:
            self.fit.setText("Find stars")
            self.fit.setToolTip("Find stars on the images themselves and fit them, band by band")
            text = (
                "No catalogue: stars are found on the images themselves, and all of them are "
                "doubtful."
            )
            if not stars.find:
                text = (
                    "No catalogue is chosen. Choose one, find stars on the images, or draw "
                    "circles by hand."
                )
        if not stars.enabled:
            text += (
                " Stars are switched off in the Prepare panel: only what is drawn by hand masks."
            )
        self.source.setText(text)

    def _masks_changed(self) -> None:
        self.table.stars.show(self.masks.items, self.workspace.circles.radius, self.masks.band)
        self._selection_changed()
        show_history(self.masks.history, self.undo, self.redo)
        self.save.setEnabled(bool(self.masks.items))
        self._show_state()

    def _band_changed(self) -> None:
        self.band.setCurrentIndex(max(0, self.band.findData(self.masks.band)))
        self._masks_changed()

    def _selection_changed(self) -> None:
        selected = self.masks.selected
        self.table.select(selected)
        self.delete.setEnabled(bool(selected))
        self.accept.setEnabled(any(item.flag for item in selected))
        self.whole.setEnabled(
            any(mask_edits.is_subtracted(item, self.masks.band) for item in selected)
        )
        flag = selected[0].flag if len(selected) == 1 else ""
        self.why.setText(f"{flag[:1].upper()}{flag[1:]}" if flag else "")
        self.why.setVisible(bool(flag))

    def _show_state(self) -> None:
        now, refresher = self.masks.now, self.workspace.refresher
        text = mask_edits.summary(now)
        covered = self._covered()
        if text and covered:
            text += f". {covered}"
        self.counts.setText(f"{text[:1].upper()}{text[1:]}." if text else "Nothing is masked yet.")
        self.follow.setChecked(refresher.on)
        behind = refresher.behind
        if self.project.maps is None:
            state = "There are no maps yet; Predict makes them with these masks."
        elif not behind:
            state = "The maps are made with these masks."
        elif refresher.on and not refresher.follows:
            state = "The maps were made with other settings; Predict makes them anew."
        elif refresher.on:
            state = "The maps follow …"
        else:
            state = "The maps are those of before; Predict makes them anew."
        self.state.setText(state)
        self.note.setText(self.masks.note)
        self.note.setVisible(bool(self.masks.note))

    def _covered(self) -> str:
        """How much of the galaxy lies under the masks, on the maps or on the cube that there is."""
        maps = self.project.maps
        made = maps if maps is not None else self.project.cube
        flags = made.flags if made is not None else None
        if flags is None:
            return ""
        inside = (flags & Flag.OUTSIDE) == 0
        share = float(((flags & Flag.MASKED) != 0)[inside].mean()) if inside.any() else 0.0
        return f"Masked in some band: {share:.1%} of the galaxy's pixels"

    def _job_changed(self) -> None:
        free = self.runner.job is None
        self.fit.setEnabled(free)
        self.catalogue.setEnabled(free)
        self._show_state()

    def _show_message(self, text: str) -> None:
        if not text or text != self.masks.note:  # that stands there already
            self.message.say(text)

    # Hearing -------------------------------------------------------------------------------------

    def _fit(self) -> None:
        self.message.say("")
        self.workspace.preparer.find_stars()

    def _ask_catalogue(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "A table of stars", "", _TABLES)
        if path:
            self.project.set_recipe("stars", catalogue=path)
            self._fit()

    def _chosen(self, items: list[Item]) -> None:
        self.masks.select(items)

    def _look_at(self, band: str) -> None:
        """Edit one band, or all of them, and see the image of that one."""
        tool = self.in_hand.now
        self.masks.look_at(band)
        if band:
            self.layers.focus(Key("image", band), select=False)
        if tool:  # a brush paints in the band that is looked at now
            self._given(self.in_hand.use(tool))

    def _given(self, done: bool) -> None:
        """A tool was asked for, and there is something to use it on, or not."""
        image = f"an image of {self.masks.band}" if self.masks.band else "an image"
        self.message.say("" if done else f"Open {image} first.")

    def _show_item(self, item: Item) -> None:
        """Look at an item whose row was clicked, with its circle selected; with no other tool in
        hand it is ready to be dragged.
        """
        circles = self.workspace.circles
        circles.show(item)
        layer = circles.layer
        if layer is None:
            return
        if not layer.visible:  # else napari would put the tool away
            layer.visible = True
        if self.in_hand.now in ("", SELECT):
            self.in_hand.use(SELECT)
        self.masks.select([item, *(other for other in self.masks.selected if other is not item)])
        layer.move_to_front()

    def _delete(self) -> None:
        if self.masks.selected:
            self.masks.delete(self.masks.selected)

    # Regions -------------------------------------------------------------------------------------

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Regions to mask", "", _REGIONS)
        if path:
            self.message.say("")
            self.workspace.regions.load(path)

    def _ask_save(self) -> None:
        name = self.project.file_stem
        path, _ = QFileDialog.getSaveFileName(
            self, "Save regions", f"{name}_stars.reg", "DS9 regions (*.reg)"
        )
        if path:
            self.message.say("")
            self.workspace.regions.save(path if Path(path).suffix else f"{path}.reg")
