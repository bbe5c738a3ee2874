"""The Galaxy panel: the files of the galaxy's images, what is wrong with them, and what is known of
the galaxy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
)

from ...bands.stand_ins import stand_ins_among
from ...data.angles import parse_angle
from ...data.recipe import GalaxySettings
from ...data.setting import range_of
from ...exceptions import GalaxyMapsError
from ...progress import Progress
from ..ground.sky_plane import position_at, sexagesimal
from ..ground.viewers import camera_and_scale_bar
from ..ground.window_words import words_of
from ..state.answers import shared_questions, with_answer, with_role, with_use
from ..widgets.file_table import FileTable
from ..widgets.forms import (
    NumberField,
    bind_edit_keys,
    heading,
    show_history,
    wrapped,
)
from ..widgets.galaxies_view import GalaxiesView
from ..widgets.session_bar import SessionBar
from ..widgets.shared_questions import SharedQuestions
from ..widgets.theme_colours import FAINT
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..state.answers import SharedQuestion
    from ..state.opened_files import ImageFiles

_FILTER = "FITS images (*.fits *.fit *.fts *.fits.* *.fit.* *.fz *.FITS *.FIT);;All files (*)"
_TABLES = "Tables (*.csv *.ecsv *.fits *.fits.gz *.vot *.xml *.txt *.dat);;All files (*)"


class GalaxyPanel(WorkspacePanel):
    """Which images, and of what."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.tables: WeakKeyDictionary[ImageFiles, FileTable] = WeakKeyDictionary()
        self.place = QStackedLayout()
        self.table = self._table()
        self.shared = SharedQuestions()
        self.stand_in = QCheckBox()
        self.stand_in.setObjectName("stand_in")
        self.details = wrapped(colour=FAINT, name="details")
        self.galaxies = GalaxiesView(self.workspace)
        self.session = SessionBar(self.workspace)
        self.column.addWidget(self.session)
        self.column.addWidget(self.galaxies)
        self.column.addLayout(self._buttons())
        self.column.addLayout(self.place, 1)
        self.column.addWidget(self.shared)
        self.column.addWidget(self.stand_in)
        self.column.addWidget(self.details)
        self.column.addWidget(heading("The galaxy"))
        self.column.addLayout(self._object_form())
        self.shared.answered.connect(self._answer_shared)
        self.stand_in.clicked.connect(self._give_stand_in)
        self.listen(self.project.files_changed, self.refresh)
        self.listen(self.project.switched, self._switched)
        self.listen(self.project.recipe_changed, self.refresh)
        self.listen(self.workspace.first_look.changed, self._show_measured)
        self.listen(self.project.steps_changed, self._show_measured)
        self.listen(self.workspace.galaxies.changed, self.galaxies.refresh)
        self.listen(self.workspace.side_by_side.changed, self.galaxies.refresh)
        self.listen(self.workspace.sessions.changed, self.session.refresh)
        self.listen(self.project.files_changed, self.session.refresh)
        self.session.refresh()
        bind_edit_keys(self, self.project.undo, self.project.redo, self._remove_selected)
        self.galaxies.refresh()
        self.refresh()

    # Building ------------------------------------------------------------------------------------

    def _table(self) -> FileTable:
        """The table of the galaxy's files; each galaxy keeps its own, for a row takes 5 ms."""
        files = self.project.files
        if files not in self.tables:
            for i in reversed(range(self.place.count())):  # those of galaxies that were closed
                old = self.place.widget(i)
                if old is not None and old not in list(self.tables.values()):
                    self.place.removeWidget(old)
                    old.deleteLater()
            table = self.tables[files] = FileTable(self._later)
            table.answered.connect(self._answer)
            table.use_given.connect(self._give_use)
            table.role_given.connect(self._give_role)
            table.itemSelectionChanged.connect(self._show_details)
            self.place.addWidget(table)
        return self.tables[files]

    def _later(self, task: Callable[[], None]) -> None:
        if not self.workspace.idle.has(task):
            self.workspace.idle.add([task])

    def _switched(self) -> None:
        self.table = self._table()
        self.place.setCurrentWidget(self.table)
        self.refresh()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.add_files_button = QPushButton("Add files…")
        self.add_files_button.setToolTip("Add FITS images, or maps, to the galaxy that is shown")
        self.add_folder_button = QPushButton("Add folder…")
        self.add_folder_button.setToolTip(
            "Add all FITS files that lie in a folder to the galaxy that is shown"
        )
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip(
            "Take the selected files out of the list; nothing is deleted on disk"
        )
        self.undo, self.redo = QPushButton("↶"), QPushButton("↷")  # five words are too wide
        for button, name in ((self.undo, "Undo"), (self.redo, "Redo")):
            button.setAccessibleName(name)
        for button, slot in (
            (self.add_files_button, self._ask_files),
            (self.add_folder_button, self._ask_folder),
            (self.remove_button, self._remove),
            (self.undo, self.project.undo),
            (self.redo, self.project.redo),
        ):
            button.clicked.connect(lambda _, slot=slot: slot())
            row.addWidget(button)
        return row

    def _object_form(self) -> QVBoxLayout:
        self._make_fields()
        self._connect_fields()
        form = QVBoxLayout()
        lines: tuple[tuple[tuple[str, QLineEdit], ...], ...] = (
            (("Name", self.name), ("Hubble stage", self.hubble_stage)),
            (("RA", self.ra), ("Dec", self.dec)),
            (("Distance (Mpc)", self.distance), ("or redshift", self.redshift)),
            (
                ("D25 (′)", self.d25),
                ("b/a", self.axis_ratio),
                ("PA (°)", self.position_angle),
            ),
        )
        for line in lines:
            row = QHBoxLayout()
            for text, field in line:
                row.addWidget(QLabel(text))
                row.addWidget(field, 2 if field is self.name else 1)
            form.addLayout(row)
        buttons = QHBoxLayout()
        for button in (self.here, self.draw, self.from_table):
            buttons.addWidget(button)
        form.addLayout(buttons)
        return form

    def _make_fields(self) -> None:
        self.name = QLineEdit()
        self.name.setPlaceholderText("e.g. NGC 309")
        self.name.setToolTip("What the galaxy is called in layers, tables and files")
        self.ra, self.dec = QLineEdit(), QLineEdit()
        self.ra.setPlaceholderText("hh:mm:ss or degrees")
        self.dec.setPlaceholderText("dd:mm:ss or degrees")
        self.ra.setToolTip(
            "Right ascension of the galaxy's middle, ICRS, as hours (09:55:33.2) or in degrees"
        )
        self.dec.setToolTip(
            "Declination of the galaxy's middle, ICRS, as degrees, minutes and seconds "
            "(+69:03:55) or in degrees"
        )
        self.distance, self.d25 = _number_field("distance"), _number_field("d25")
        self.axis_ratio = _number_field("axis_ratio", "1")
        self.position_angle = _number_field("position_angle", "0")
        self.here = QPushButton("From the view")
        self.here.setToolTip(
            "Move the galaxy to the middle of the canvas, then press: that is its position"
        )
        self.redshift = _number_field("redshift")
        self.hubble_stage = _number_field("hubble_stage")
        self.draw = QPushButton("Draw D25")
        self.draw.setObjectName("draw_d25")
        self.draw.setToolTip(
            "Show the ellipse on the canvas: move, resize or turn it, and these numbers follow"
        )
        self.from_table = QPushButton("From a table…")
        self.from_table.setObjectName("from_table")
        self.from_table.setToolTip(
            "Take position, D25, axis ratio, angle, distance and Hubble stage from a table of "
            "galaxies (CSV, ECSV, FITS, VOTable), by the galaxy's name or position"
        )

    def _connect_fields(self) -> None:
        self.name.editingFinished.connect(
            lambda: self._set("galaxy", name=self.name.text().strip())
        )
        self.ra.editingFinished.connect(lambda: self._give_angle(self.ra, "ra"))
        self.dec.editingFinished.connect(lambda: self._give_angle(self.dec, "dec"))
        self.distance.given.connect(lambda value: self._set("galaxy", distance=value))
        self.d25.given.connect(lambda value: self._set("galaxy", d25=value))
        self.axis_ratio.given.connect(
            lambda value: self._set("galaxy", axis_ratio=1.0 if value is None else value)
        )
        self.position_angle.given.connect(
            lambda value: self._set("galaxy", position_angle=value or 0.0)
        )
        self.here.clicked.connect(self._take_view_centre)
        self.redshift.given.connect(lambda value: self._set("galaxy", redshift=value))
        self.hubble_stage.given.connect(lambda value: self._set("galaxy", hubble_stage=value))
        self.draw.clicked.connect(lambda _: self.workspace.d25_layer.draw())
        self.from_table.clicked.connect(lambda _: self._ask_table())

    # Showing -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show files and galaxy as they are."""
        if self.project.announcing:
            return  # `switched` follows
        rows = self.project.file_rows()
        used = [row for row in rows if row.used and row.file.role == "image"]
        questions = [question for row in used for question in row.questions]
        shared = shared_questions(questions, [row.file for row in used])
        asked: dict[str, set[str]] = {}
        for one in shared:
            for label in one.labels:
                asked.setdefault(label, set()).add(one.question.about)
        self.table.show_states(rows, self.project.files.passed, asked)
        self.shared.show_questions(shared)
        self._show_stand_in([row.file.band.name for row in used if row.file.band is not None])
        show_history(self.project.edits, self.undo, self.redo)
        settings = self.project.recipe.galaxy
        if not self.name.hasFocus():
            self.name.setText(settings.name)
            self.name.setPlaceholderText(self.project.header_name or "e.g. NGC 309")
        for field, value, hours in ((self.ra, settings.ra, True), (self.dec, settings.dec, False)):
            if not field.hasFocus():
                field.setText("" if value is None else _angle_text(value, hours))
        self.distance.show_value(settings.distance)
        galaxy = self.project.galaxy
        found = galaxy.distance_mpc if galaxy is not None else None
        by_redshift = settings.distance is None and found is not None
        self.distance.setPlaceholderText(f"{found:.4g} by redshift" if by_redshift else "unknown")
        self.redshift.show_value(settings.redshift)
        self.hubble_stage.show_value(settings.hubble_stage)
        self._show_measured()
        self.d25.show_value(settings.d25)
        self.axis_ratio.show_value(settings.axis_ratio)
        self.position_angle.show_value(settings.position_angle)
        self._show_details()

    def _show_measured(self) -> None:
        """What was measured of the ellipse, faint in the fields that nobody has filled."""
        given = self.project.recipe.galaxy
        found = self.project.measured_ellipse() if given.d25 is None else None
        usual = ("unknown", "1", "0", "hh:mm:ss or degrees", "dd:mm:ss or degrees")
        fields = (self.d25, self.axis_ratio, self.position_angle, self.ra, self.dec)
        if found is not None:
            usual = (
                f"{found.a / 30:.3g} measured",
                f"{found.b / found.a:.2f}",
                f"{found.pa:.0f}",
                _angle_text(found.ra, True),
                _angle_text(found.dec, False),
            )
        for field, text in zip(fields, usual, strict=True):
            field.setPlaceholderText(text)

    def _show_stand_in(self, bands: list[str]) -> None:
        """The tick, where a band of another camera could stand in for one of the models'."""
        could = stand_ins_among(bands)
        self.stand_in.setVisible(bool(could))
        self.stand_in.setChecked(self.project.recipe.input.stand_in)
        whom = f"Let other cameras stand in for {len(could)} bands"
        if len(could) == 1:
            whom = f"Let {could[0].name} stand in for {could[0].stands_for}"
        self.stand_in.setText(whom)
        lines = [
            f"{one.name} for {one.stands_for}: flux times {one.factor:.3f}, error {one.error:.1%}"
            for one in could
        ]
        self.stand_in.setToolTip(
            "Where a band that the models know is not there, an image of another camera can stand "
            "in for it. What its filter sees otherwise differs from galaxy to galaxy, which is "
            "added to its error:\n" + "\n".join(lines)
        )

    def _show_details(self) -> None:
        selected = self.table.selected_labels()
        rows = [row for row in self.project.file_rows() if row.found.label in selected]
        left = [other for other in self.project.files.passed if other.place.label in selected]
        if rows or left:
            lines = [f"{row.found.label}: {row.why or 'nothing known'}" for row in rows]
            text = "\n".join((*lines, *(other.sentence for other in left)))
        elif not self.project.files.found:
            text = "Add the FITS images of a galaxy in several bands, or drop them on the window."
        else:
            text = "\n".join(self.project.files.skipped)
        self.details.setText(text)
        self.details.setVisible(bool(text))

    # Hearing -------------------------------------------------------------------------------------

    def _set(self, section: str, **values: Any) -> bool:
        """Change the recipe; what makes no sense gets a message, and the field shows what holds."""
        change = self.project.set_galaxy
        if section != "galaxy":
            change = partial(self.project.set_recipe, section)
        return self._changed(change, **values)

    def _changed(self, change: Callable[..., None], **values: Any) -> bool:
        try:
            change(**values)
        except GalaxyMapsError as error:
            self.message.say(words_of(error))
            self.refresh()
            return False
        self.message.say(self.project.galaxy_problem if change == self.project.set_galaxy else "")
        return True

    def _resettle(self, **table: Any) -> bool:
        """Change what is said of the files, and settle them anew."""
        return self._changed(self.project.resettle, **table)

    def _give_angle(self, field: QLineEdit, key: str) -> None:
        if not field.isModified():
            return
        field.setModified(False)
        try:
            value = parse_angle(field.text(), hours=key == "ra") if field.text().strip() else None
        except GalaxyMapsError as error:
            self.message.say(words_of(error))
            return
        self._set("galaxy", **{key: value})

    def _take_view_centre(self) -> None:
        if self.project.reference is None:
            self.message.say("Open an image first.")
            return
        camera, _ = camera_and_scale_bar(self.layers.viewer)
        north, west = camera.center[-2:]
        ra, dec = position_at(-west, north, self.project.reference)
        self._set("galaxy", ra=round(ra, 6), dec=round(dec, 6))
        self.refresh()

    def _answer(self, label: str, about: str, text: str) -> None:
        self._give_answer((label,), about, text)

    def _answer_shared(self, shared: SharedQuestion, text: str) -> None:
        survey = shared.survey if shared.every else ""
        self._give_answer(shared.labels, shared.question.about, text, survey)

    def _give_answer(
        self, labels: tuple[str, ...], about: str, text: str, survey: str = ""
    ) -> None:
        """What a person says of files; what makes no sense gets a message and changes nothing."""
        rows = [row for row in self.project.file_rows() if row.found.label in labels]
        files = [(row.found, row.file) for row in rows]
        try:
            table = with_answer(self.project.recipe.input, files, about, text, survey)
        except GalaxyMapsError as error:
            self.message.say(words_of(error))
            self.refresh()
            return
        if self._resettle(**table):
            others = {a.key for row in rows for a in row.answers if a.about == about} - {*labels}
            if others and not text:
                self.message.say(f"Taken back for all that {' and '.join(others)} stands for.")

    def _give_use(self, label: str, used: bool) -> None:
        place = self.project.files.places()[label]
        table, patterns = with_use(self.project.recipe.input, place, used)
        if self._resettle(**table) and patterns:
            self.message.say(f"Brought back: all that {' and '.join(patterns)} stands for.")

    def _give_stand_in(self, allowed: bool) -> None:
        self._resettle(stand_in=allowed)

    def _give_role(self, label: str, role: str) -> None:
        place = self.project.files.places()[label]
        table, patterns = with_role(self.project.recipe.input, place, role)
        if self._set("input", **table) and patterns:
            self.message.say(f"Taken back for all that {' and '.join(patterns)} stands for.")

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Images of the galaxy", "", _FILTER)
        if paths:
            self.add(paths)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder with images of the galaxy")
        if path:
            self.add([path])

    def _ask_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Table of galaxies", "", _TABLES)
        if path:
            self.take_from_table(path)

    def take_from_table(self, path: str) -> None:
        """Look the galaxy up in a table, beside the window, and take what it gives."""
        project, settings = self.project, self.project.recipe.galaxy
        position = (
            None if settings.ra is None or settings.dec is None else (settings.ra, settings.dec)
        )

        def steps() -> Any:
            from ...fits_io.galaxy_catalogue import galaxy_from_table

            yield Progress("open", 0, 1, Path(path).name)
            return galaxy_from_table(path, project.name, position)

        def found(result: tuple[dict[str, Any], str]) -> None:
            values, words = result
            if self._set("galaxy", **values) and not project.galaxy_problem:
                self.message.say(words[:1].upper() + words[1:] + ".")

        self.runner.start("Opening the table", steps, on_result=found)

    def add(self, paths: list[str]) -> None:
        """Open files and folders beside the window."""
        self.message.say("")
        self.workspace.opener.add_paths(paths, join=True)

    def _remove_selected(self) -> None:
        """Delete takes the selected files out of the list."""
        if self.table.hasFocus():
            self._remove()

    def _remove(self) -> None:
        labels = self.table.selected_labels()
        if labels:
            self.workspace.opener.remove(labels)
        else:
            self.message.say("Select the files to take out of the list.")


def _angle_text(degrees: float, hours: bool) -> str:
    return sexagesimal(degrees / 15, 2) if hours else sexagesimal(degrees, 1, sign=True)


def _number_field(key: str, placeholder: str = "unknown") -> NumberField:
    """A field for one of the recipe's numbers of the galaxy."""
    field = GalaxySettings.model_fields[key]
    return NumberField(placeholder, key, field.description or "", range_of(field))
