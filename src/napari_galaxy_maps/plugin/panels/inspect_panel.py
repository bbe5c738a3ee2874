"""The Inspect panel: the maps beside a truth, in numbers and plots; what is picked in a plot lights
up on the galaxy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
)

from ...data.properties import PROPERTIES
from ...exceptions import GalaxyMapsError
from ...progress import Progress, Steps
from ..canvas.picked_pixels import PickedPixels
from ..eventloop import worker
from ..ground.window_words import words_of
from ..jobs.score_galaxies import (
    OF_GALAXIES,
    OF_PIXELS,
    ScoredGalaxies,
    coordinates,
    figure_of,
    score_steps,
)
from ..widgets.forms import Message, is_seen, make_button, wrapped
from ..widgets.galaxy_list import GalaxyList
from ..widgets.hatch_switch import HatchSwitch
from ..widgets.qt_parts import ComboBox
from ..widgets.score_table import ScoreTable, short_number
from ..widgets.theme_colours import FAINT, GOOD
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ...measure.compare.pixel_metrics import Pixels

_PICKED = "#ff8c00"
_WIDTH = 490
"""Pixels that a figure of galaxies is laid out for."""


class InspectPanel(WorkspacePanel):
    """Predictions beside a truth."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.brush = PickedPixels(self.project, self.layers)
        self.scored: ScoredGalaxies | None = None
        self.canvas: Any = None
        self.drawn: Any = None
        self._pixels: Pixels | None = None
        self._selector: Any = None
        self._marks: Any = None
        self._made_of: tuple[Any, ...] | None = None
        self._beside: np.ndarray | None = None  # pixels of other galaxies that a box has picked
        self._asked = 0
        self._build()
        self.seen.connect(self._seen)
        project = self.project
        for signal, slot in (
            (project.maps_changed, self.soon),
            (project.truths_changed, self._truths_changed),
            (self.brush.changed, self._picked),
            (self.layers.doubtful.changed, self.hatch.follow),
        ):
            self.listen(signal, slot)
        self._truths_changed()

    def _build(self) -> None:
        grid = QGridLayout()
        self.truth, self.property_box, self.plot = (
            _combo(name) for name in ("truth", "property", "plot")
        )
        self.property_box.setToolTip("The map that is plotted, in the unit that the table tells")
        self.plot.setToolTip("What is plotted: prediction, sigma or residual, by pixel or galaxy")
        self.truth.setToolTip("Maps that are open, to compare those in the window with")
        self.truth_file = make_button("File…", "truth_file", self._ask_truth)
        self.truth_file.setToolTip("Open a file of maps to compare with")
        for i, (text, widget) in enumerate(
            (("Truth", self.truth), ("Property", self.property_box), ("Plot", self.plot))
        ):
            grid.addWidget(QLabel(text), i, 0)
            grid.addWidget(widget, i, 1)
        grid.addWidget(self.truth_file, 0, 2)
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)
        self.hatch = HatchSwitch(self.layers.doubtful)
        self.column.addWidget(self.hatch)
        self.galaxies = GalaxyList(self.runner)
        self.galaxies.changed.connect(self.refresh)
        self.galaxies_message = Message("galaxies_message")
        self.galaxies.message.connect(self.galaxies_message.say)
        self.column.addWidget(self.galaxies)
        self.column.addWidget(self.galaxies_message)
        self._build_table()
        self.place = QVBoxLayout()
        self.column.addLayout(self.place, 1)
        self._build_picking()
        self._build_files()
        self.truth.activated.connect(self._truth_chosen)
        self.property_box.activated.connect(lambda _: self._draw())
        self.plot.activated.connect(lambda _: self._draw())

    def _build_table(self) -> None:
        self.table = ScoreTable()
        self.table.chosen.connect(self._choose)
        self.column.addWidget(self.table)

    def _build_picking(self) -> None:
        self.selected = wrapped(name="selected")
        row = QHBoxLayout()
        self.paint = make_button("Pick on the galaxy", "paint", self._paint)
        self.paint.setToolTip("Paint pixels with napari's brush; they light up in the plot")
        self.clear = make_button("Pick none", "clear", self._clear)
        self.clear.setToolTip("Let all pixels go that are picked, in the plot and on the galaxy")
        row.addWidget(self.paint)
        row.addWidget(self.clear)
        self.column.addWidget(self.selected)
        self.column.addLayout(row)

    def _build_files(self) -> None:
        self.notes = wrapped(colour=FAINT, name="notes")
        row = QHBoxLayout()
        self.picture = make_button("Save figure…", "picture", self._ask_picture)
        self.picture.setToolTip("PNG, PDF or SVG, with the table behind it beside it")
        self.report = make_button("Save report…", "report", self._ask_report)
        self.report.setToolTip(
            "A folder with all figures, tables, scores, and one page with all of it (report.html)"
        )
        row.addWidget(self.picture)
        row.addWidget(self.report)
        self.done = wrapped(colour=GOOD, name="done")
        self.column.addWidget(self.notes)
        self.column.addLayout(row)
        self.column.addWidget(self.done)

    # Comparing -----------------------------------------------------------------------------------

    def _truths_changed(self) -> None:
        names = list(self.project.truths)
        with QSignalBlocker(self.truth):
            self.truth.clear()
            self.truth.addItem("none", "")
            for name in names:
                self.truth.addItem(name, name)
            self.truth.setCurrentIndex(max(0, self.truth.findData(self.project.truth_name)))
        self.soon()

    def _ask_truth(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Maps to compare with", "", "Maps (*.fits *.fits.gz *.fit *.fts *.fz)"
        )
        if path:
            self.workspace.comparer.open_truth(path)

    def _truth_chosen(self) -> None:
        self.project.choose_truth(self.truth.currentData())
        self.workspace.comparer.compare()  # the residual layers

    def soon(self) -> None:
        """Compare, if anybody looks."""
        if is_seen(self):
            self.refresh()

    def _seen(self, seen: bool) -> None:
        """The panel is looked at: now the comparison is worth making."""
        if seen:
            self.refresh()

    def refresh(self) -> None:
        """Bring maps and truth together and score them, beside whatever else is done."""
        maps, truth, others = self.project.maps, self.project.truth, self.galaxies.comparisons
        pair = (
            (maps, truth)
            if maps is not None and truth is not None and self.galaxies.with_open
            else None
        )
        if pair is None and not others:
            self._made_of = None
            self._asked += 1  # what is under way is of another galaxy
            words = "Predict maps first" if maps is None else "Choose a truth to compare with"
            if maps is None and truth is None:
                words += ", and open a truth to compare with"
            self._show(None, f"{words}; or add galaxies from files.")
            return
        made_of = (*(id(content) for content in pair or ()), *(id(other) for other in others))
        if self._made_of == made_of:
            return
        self._made_of = made_of
        self._asked += 1
        asked, ellipse = self._asked, self.project.ellipse()

        def take(result: ScoredGalaxies | str) -> None:
            if asked == self._asked:
                self._show(
                    *((None, result) if isinstance(result, str) else (result, result.problem))
                )

        start = self.workspace.side_jobs.start
        start("Scoring", lambda: score_steps(pair, ellipse, others), take, self)

    def _show(self, found: ScoredGalaxies | None, problem: str) -> None:
        self.scored = found
        opened = found.opened if found is not None else None
        begun = self.project.maps is not None or found is not None
        self.message.say(problem if begun else "")
        comparisons = found.comparisons if found is not None else ()
        notes = list(dict.fromkeys(note for each in comparisons for note in each.notes))[:4]
        if len(comparisons) > 1:
            count = len(comparisons)
            notes.insert(0, f"Scores and plots are of {count} galaxies, each with one vote.")
        self.notes.setText(" ".join(notes) if begun else problem)
        for widget in (self.picture, self.report, self.property_box, self.plot):
            widget.setEnabled(found is not None)
        for widget in (self.paint, self.clear):
            widget.setEnabled(opened is not None)
        self._fill()
        if opened is not None:
            self.brush.on_grid(opened.maps.wcs, opened.maps.shape)
        self._draw()

    def _fill(self) -> None:
        """The numbers, and what there is to be chosen."""
        scores = self.scored.scores if self.scored is not None else {}
        self.table.fill(scores)
        _refill(self.property_box, {name: f"{name}: {PROPERTIES[name].label}" for name in scores})
        looked = self.layers.looked_at()
        if self.canvas is None and looked is not None and looked.name in scores:
            self.property_box.setCurrentIndex(self.property_box.findData(looked.name))
        others = {name: f"residual against {PROPERTIES[name].label}" for name in scores}
        _refill(self.plot, {**OF_PIXELS, **others, **OF_GALAXIES})

    def _choose(self, name: str) -> None:
        self.property_box.setCurrentIndex(self.property_box.findData(name))
        self._draw()

    # The plot ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        found, name, plot = self.scored, self.property_box.currentData(), self.plot.currentData()
        if self.canvas is not None:
            self.place.removeWidget(self.canvas)
            self.canvas.deleteLater()
            self.canvas = self._selector = self._marks = self.drawn = None
        self._beside = None
        if found is None or not name:
            self._picked()
            return
        if plot in ("sums", "annuli") and not found.sums:
            self._sum_up(found)
            return
        from ...measure.compare.comparison import pixels_of

        try:
            self._pixels = pixels_of(found.comparisons, name)
            figure, table = figure_of(found, self._pixels, name, plot)
        except GalaxyMapsError as error:
            self.message.say(words_of(error))
            return
        self.message.say(found.problem)
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

        self.drawn = (figure, table)
        height = 330
        if plot in OF_GALAXIES:  # as on a page: the panel scrolls where it is lower
            wide, high = figure.get_size_inches()
            figure.set_dpi(_WIDTH / wide)
            height = max(height, round(high * figure.dpi))
        self.canvas = FigureCanvasQTAgg(figure)
        self.canvas.setMinimumHeight(height)
        self.place.addWidget(self.canvas)
        if plot not in OF_GALAXIES:
            self._make_pickable(figure.axes[0])
        self._picked()

    def _sum_up(self, found: ScoredGalaxies) -> None:
        """Sums by ellipse take a moment, since ellipses are fitted: they are made when they are
        looked at.
        """
        self.message.say("Fitting the ellipse of each galaxy's stars…")

        def work() -> tuple[list[Any], list[str]]:
            from ...measure.report.tables import stellar_sums

            return stellar_sums(found.comparisons)

        def take(result: tuple[list[Any], list[str]]) -> None:
            if found is not self.scored:
                return
            found.sums[:], notes = result
            if found.sums and self.plot.currentData() in ("sums", "annuli"):
                self._draw()
            self.message.say(" ".join(notes))

        worker.fetch(work, take, owner=self)

    def _make_pickable(self, axes: Any) -> None:
        from matplotlib.backend_bases import MouseButton
        from matplotlib.widgets import RectangleSelector

        self._selector = RectangleSelector(
            axes,
            self._boxed,
            useblit=True,
            button=[MouseButton.LEFT],
            minspanx=3,
            minspany=3,
            spancoords="pixels",
            props={"facecolor": _PICKED, "edgecolor": _PICKED, "alpha": 0.15, "fill": True},
        )
        (self._marks,) = axes.plot([], [], "o", ms=3.5, mew=0, color=_PICKED, alpha=0.8, zorder=10)

    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """What the plot shows of each pixel, two arrays of shape (n,)."""
        assert self._pixels is not None and self.scored is not None
        return coordinates(
            self.scored.comparisons,
            self._pixels,
            self.property_box.currentData(),
            self.plot.currentData(),
        )

    def _where(self) -> np.ndarray:
        """Which pixels of the galaxy in the window the plot shows, shape (ny, nx); they are the
        first of all.
        """
        from ...measure.compare.comparison import both_of

        assert self.scored is not None
        opened, name = self.scored.opened, self.property_box.currentData()
        if opened is None or name not in opened.maps.values:
            return np.zeros(self.brush.picked.shape, bool)
        return both_of(opened, name)

    def _boxed(self, pressed: Any, released: Any) -> None:
        """A box in the plot picks the pixels in it."""
        x, y = self._axes()
        (left, right), (low, high) = (
            sorted((getattr(pressed, axis), getattr(released, axis))) for axis in ("xdata", "ydata")
        )
        chosen = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        where = self._where()
        mask = np.zeros(where.shape, bool)
        n = np.count_nonzero(where)
        mask[where], self._beside = chosen[:n], chosen[n:]
        if self.scored is not None and self.scored.opened is not None:
            self.brush.pick(mask)
        else:
            self._picked()

    def _picked(self) -> None:
        """What is picked lights up in the plot, with its own scores."""
        picked = self.brush.picked
        if (
            self.canvas is None
            or self.scored is None
            or self._pixels is None
            or self._marks is None
        ):
            self.selected.setText("")
            return
        where = self._where()
        n = np.count_nonzero(where)
        chosen = np.zeros(self._pixels.true.shape, bool)
        if picked.shape == where.shape:
            chosen[:n] = picked[where]
        if self._beside is not None:
            chosen[n:] = self._beside
        x, y = self._axes()
        self._marks.set_data(x[chosen], y[chosen])
        self.canvas.draw_idle()
        if not chosen.any():
            here = self.scored.opened is not None
            words = (
                "see its pixels on the galaxy, or pick them there"
                if here
                else "see the scores of its pixels"
            )
            self.selected.setText(f"Drag a box in the plot to {words}.")
            return
        from ...measure.compare.comparison import IN_LOG
        from ...measure.compare.pixel_metrics import metrics

        scores = metrics(self._pixels.where(chosen))
        unit = (
            "dex"
            if self.property_box.currentData() in IN_LOG
            else PROPERTIES[self.property_box.currentData()].unit
        )
        beside = f" ({chosen[n:].sum():,} of other galaxies)" if chosen[n:].any() else ""
        self.selected.setText(
            f"{chosen.sum():,} pixels picked{beside}: RMSE {short_number(scores['rmse'])} {unit}, "
            "bias "
            f"{short_number(scores['bias'])}, "
            f"χ² {short_number(scores['chi2'])}, {100 * scores['coverage68']:.0f} % within 1 sigma."
        )

    def _paint(self) -> None:
        self.brush.paint()

    def _clear(self) -> None:
        self._beside = None
        self.brush.pick(np.zeros_like(self.brush.picked))

    # Files ---------------------------------------------------------------------------------------

    def _ask_picture(self) -> None:
        start = f"{self._name()}_{self.property_box.currentData()}_{self.plot.currentData()}.png"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the figure", start, "Pictures (*.png *.pdf *.svg)"
        )
        if not path or self.drawn is None:
            return
        from ...measure.apertures.aperture_files import write_table
        from ..widgets.plot_canvas import write_figure

        path = path if Path(path).suffix else f"{path}.png"
        beside = Path(path).with_suffix(".ecsv")
        picked = self._marks.get_data() if self._marks is not None else None
        if self._marks is not None:
            self._marks.set_data([], [])
        try:
            write_figure(self.drawn[0], path)
            write_table(beside, self.drawn[1], overwrite=True)
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
        else:
            self.done.setText(f"Saved in {path}, the numbers behind it in {beside.name}.")
        finally:
            if picked is not None:
                self._marks.set_data(*picked)
            self.canvas.draw_idle()

    def _ask_report(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "An empty folder for the report")
        if not folder or self.scored is None:
            return
        comparisons = self.scored.comparisons
        model = str(comparisons[0].maps.provenance.get("model", ""))

        def steps() -> Steps[str]:
            from ...measure.report.evaluation import write_evaluation_steps
            from ...models.registry import list_models, load_card

            yield Progress("report", 0, 0, "the model's card")
            card = load_card(model).to_markdown() if model in list_models() else ""
            yield from write_evaluation_steps(folder, comparisons, card)
            return folder

        self.runner.start(
            "Writing the report",
            steps,
            on_error=self.message.say,
            on_result=lambda where: self.done.setText(
                f"Saved in {where}: open report.html in a browser."
            ),
        )

    def _name(self) -> str:
        found = self.scored
        if found is not None and len(found.comparisons) > 1:
            return f"{len(found.comparisons)}_galaxies"
        return self.project.file_stem


def _refill(box: ComboBox, choices: dict[str, str]) -> None:
    """Other choices, of which the one that was chosen stays so."""
    before = box.currentData()
    with QSignalBlocker(box):
        box.clear()
        for value, text in choices.items():
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(before)))


def _combo(name: str) -> ComboBox:
    box = ComboBox()
    box.setObjectName(name)
    return box
