"""The Inspect panel: the maps beside a truth, in numbers and plots; what is picked in a plot lights up on the galaxy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from ..exceptions import GalaxyMapsError
from ..maps import PROPERTIES, PropertyMaps
from ..progress import Progress, Steps
from . import work, worker
from .aperture_table import with_error
from .brush import Brush
from .profile_view import d25_of
from .session import session_for
from .widgets import FAINT, GOOD, Message, Panel, is_seen, make_button, wrapped

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..measure.comparison import Comparison, Pixels

_HEADINGS = ("Property", "RMSE", "Bias", "R²", "χ²", "68 %", "95 %")
_TIPS = (
    "",
    "Root of the mean squared residual, in the property's unit",
    "Mean of prediction minus truth",
    "Coefficient of determination",
    "Mean of (residual / sigma)², 1 where the errors are right",
    "Share of the pixels whose truth lies within 1 sigma: 68 % where the errors are right",
    "Share of the pixels whose truth lies within 1.96 sigma: 95 %",
)
_METRICS = ("rmse", "bias", "r2", "chi2", "coverage68", "coverage95")
_PLOTS = {
    "prediction": "prediction against truth",
    "sigma": "predicted sigma against error",
    "radius": "residual against radius",
}
_PICKED = "#ff8c00"


@dataclass(frozen=True)
class Inspected:
    """A comparison with its scores by property."""

    comparison: Comparison
    scores: dict[str, dict[str, float]]


class InspectPanel(Panel):
    """Predictions beside a truth.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer to work in.
    """

    def __init__(self, napari_viewer: Viewer):
        super().__init__()
        self.session = session_for(napari_viewer)
        self.brush = Brush(self.session)
        self.inspected: Inspected | None = None
        self.canvas: Any = None
        self.drawn: Any = None
        self._pixels: Pixels | None = None
        self._selector: Any = None
        self._marks: Any = None
        self._made_of: tuple[int, int] | None = None
        self._asked = 0
        self._build()
        self.seen.connect(self._seen)
        session = self.session
        for signal, slot in (
            (session.maps_changed, self.soon),
            (session.truths_changed, self._truths_changed),
            (session.said, self.message.say),
            (self.brush.changed, self._picked),
        ):
            self.listen(signal, slot)
        self._truths_changed()

    def _build(self) -> None:
        grid = QGridLayout()
        self.truth, self.property, self.plot = (_combo(name) for name in ("truth", "property", "plot"))
        self.truth.setToolTip("Maps that are open; the Predict panel opens files of a truth")
        for i, (text, widget) in enumerate((("Truth", self.truth), ("Property", self.property), ("Plot", self.plot))):
            grid.addWidget(QLabel(text), i, 0)
            grid.addWidget(widget, i, 1)
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)
        self.table = QTableWidget(0, len(_HEADINGS))
        self.table.setObjectName("scores")
        self.table.setHorizontalHeaderLabels(list(_HEADINGS))
        for i, tip in enumerate(_TIPS):
            self.table.horizontalHeaderItem(i).setToolTip(tip)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (1, 2):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.table.setMinimumHeight(200)
        self.table.cellClicked.connect(
            lambda row, _: self._choose(self.table.item(row, 0).data(Qt.ItemDataRole.UserRole))
        )
        self.column.addWidget(self.table)
        self.place = QVBoxLayout()
        self.column.addLayout(self.place, 1)
        self.selected = wrapped(name="selected")
        row = QHBoxLayout()
        self.paint = make_button("Pick on the galaxy", "paint", self._paint)
        self.paint.setToolTip("Paint pixels with napari's brush; they light up in the plot")
        self.clear = make_button("Pick none", "clear", self._clear)
        row.addWidget(self.paint)
        row.addWidget(self.clear)
        self.column.addWidget(self.selected)
        self.column.addLayout(row)
        self.notes = wrapped(colour=FAINT, name="notes")
        self.message = Message()
        row = QHBoxLayout()
        self.picture = make_button("Save figure…", "picture", self._ask_picture)
        self.picture.setToolTip("PNG, PDF or SVG, with the table behind it beside it")
        self.report = make_button("Save report…", "report", self._ask_report)
        self.report.setToolTip("A folder with all figures, tables, scores, and one page with all of it (report.html)")
        row.addWidget(self.picture)
        row.addWidget(self.report)
        self.done = wrapped(colour=GOOD, name="done")
        self.column.addWidget(self.notes)
        self.column.addWidget(self.message)
        self.column.addLayout(row)
        self.column.addWidget(self.done)
        self.truth.activated.connect(self._truth_chosen)
        self.property.activated.connect(lambda _: self._draw())
        self.plot.activated.connect(lambda _: self._draw())

    # Comparing -------------------------------------------------------------------------------------------------------

    def _truths_changed(self) -> None:
        names = list(self.session.truths)
        with QSignalBlocker(self.truth):
            self.truth.clear()
            self.truth.addItem("none", "")
            for name in names:
                self.truth.addItem(name, name)
            self.truth.setCurrentIndex(max(0, self.truth.findData(self.session.truth_name)))
        self.soon()

    def _truth_chosen(self) -> None:
        self.session.choose_truth(self.truth.currentData())
        work.compare(self.session)  # the residual layers

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
        maps, truth = self.session.maps, self.session.truth
        if maps is None or truth is None:
            self._made_of = None
            words = "Predict maps first" if maps is None else "Choose a truth to compare with"
            if maps is None and truth is None:
                words += ", and open a truth to compare with"
            self._show(None, f"{words}.")
            return
        if self._made_of == (id(maps), id(truth)):
            return
        self._made_of = (id(maps), id(truth))
        self._asked += 1
        asked, ellipse = self._asked, d25_of(self.session)

        def take(result: Inspected | str) -> None:
            if asked == self._asked:
                self._show(*((None, result) if isinstance(result, str) else (result, "")))

        worker.fetch(lambda: inspected(maps, truth, ellipse), take)

    def _show(self, found: Inspected | None, problem: str) -> None:
        self.inspected = found
        self.message.say(problem if self.session.maps is not None else "")
        self.notes.setText(problem if self.session.maps is None else " ".join(found.comparison.notes) if found else "")
        for widget in (self.picture, self.report, self.paint, self.clear, self.property, self.plot):
            widget.setEnabled(found is not None)
        self._fill()
        if found is not None:
            maps = found.comparison.maps
            self.brush.on_grid(maps.wcs, maps.shape)
        self._draw()

    def _fill(self) -> None:
        """The numbers, and what there is to be chosen."""
        scores = self.inspected.scores if self.inspected is not None else {}
        self.table.setRowCount(len(scores))
        for i, (name, found) in enumerate(scores.items()):
            cells = [name]
            for metric in _METRICS:
                value, error = found[metric], found[f"{metric}_err"]
                scale = 100 if metric.startswith("coverage") else 1
                cells.append(
                    with_error(scale * value, scale * error) if metric in ("rmse", "bias") else _short(scale * value)
                )
            for j, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, name)
                item.setToolTip(f"{PROPERTIES[name].label}: {found['n']:,.0f} pixels with a prediction and a truth")
                if j:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(i, j, item)
        _refill(self.property, {name: f"{name}: {PROPERTIES[name].label}" for name in scores})
        looked = work.looked_at(self.session)
        if self.canvas is None and looked is not None and looked.name in scores:
            self.property.setCurrentIndex(self.property.findData(looked.name))
        others = {name: f"residual against {PROPERTIES[name].label}" for name in scores}
        _refill(self.plot, {**_PLOTS, **others})

    def _choose(self, name: str) -> None:
        self.property.setCurrentIndex(self.property.findData(name))
        self._draw()

    # The plot --------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        found, name = self.inspected, self.property.currentData()
        if self.canvas is not None:
            self.place.removeWidget(self.canvas)
            self.canvas.deleteLater()
            self.canvas = self._selector = self._marks = self.drawn = None
        if found is None or not name:
            self._picked()
            return
        from ..measure.comparison import pixels_of

        try:
            self._pixels = pixels_of([found.comparison], name)
            figure, table = figure_of(found.comparison, self._pixels, name, self.plot.currentData())
        except GalaxyMapsError as error:
            self.message.say(str(error))
            return
        self.message.say("")
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.widgets import RectangleSelector

        self.drawn = (figure, table)
        self.canvas = FigureCanvasQTAgg(figure)
        self.canvas.setMinimumHeight(330)
        self.place.addWidget(self.canvas)
        self._selector = RectangleSelector(
            figure.axes[0], self._boxed, useblit=True, button=[1], minspanx=3, minspany=3, spancoords="pixels",
            props={"facecolor": _PICKED, "edgecolor": _PICKED, "alpha": 0.15, "fill": True},
        )  # fmt: skip
        (self._marks,) = figure.axes[0].plot([], [], "o", ms=3.5, mew=0, color=_PICKED, alpha=0.8, zorder=10)
        self._picked()

    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """What the plot shows of each pixel, two arrays of shape (n,)."""
        assert self._pixels is not None and self.inspected is not None
        return coordinates(
            self.inspected.comparison, self._pixels, self.property.currentData(), self.plot.currentData()
        )

    def _where(self) -> np.ndarray:
        """Which pixels of the grid the plot shows, shape (ny, nx)."""
        assert self.inspected is not None
        comparison, name = self.inspected.comparison, self.property.currentData()
        both: np.ndarray = np.isfinite(comparison.maps.values[name]) & np.isfinite(comparison.truth.values[name])
        return both

    def _boxed(self, pressed: Any, released: Any) -> None:
        """A box in the plot picks the pixels in it."""
        x, y = self._axes()
        (left, right), (low, high) = (
            sorted((getattr(pressed, axis), getattr(released, axis))) for axis in ("xdata", "ydata")
        )
        chosen = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        where = self._where()
        mask = np.zeros(where.shape, bool)
        mask[where] = chosen
        self.brush.pick(mask)

    def _picked(self) -> None:
        """What is picked lights up in the plot, with its own scores."""
        picked = self.brush.picked
        if self.canvas is None or self.inspected is None or self._pixels is None:
            self.selected.setText("")
            return
        where = self._where()
        chosen = picked[where] if picked.shape == where.shape else np.zeros(np.count_nonzero(where), bool)
        x, y = self._axes()
        self._marks.set_data(x[chosen], y[chosen])
        self.canvas.draw_idle()
        if not chosen.any():
            self.selected.setText("Drag a box in the plot to see its pixels on the galaxy, or pick them there.")
            return
        from ..measure.comparison import metrics

        scores = metrics(self._pixels.where(chosen))
        unit = PROPERTIES[self.property.currentData()].unit
        self.selected.setText(
            f"{chosen.sum():,} pixels picked: RMSE {_short(scores['rmse'])} {unit}, bias {_short(scores['bias'])}, "
            f"χ² {_short(scores['chi2'])}, {100 * scores['coverage68']:.0f} % within 1 sigma."
        )

    def _paint(self) -> None:
        self.brush.paint()

    def _clear(self) -> None:
        self.brush.pick(np.zeros_like(self.brush.picked))

    # Files -----------------------------------------------------------------------------------------------------------

    def _ask_picture(self) -> None:
        start = f"{self._name()}_{self.property.currentData()}_{self.plot.currentData()}.png"
        path, _ = QFileDialog.getSaveFileName(self, "Save the figure", start, "Pictures (*.png *.pdf *.svg)")
        if not path or self.drawn is None:
            return
        from ..measure.apertures_io import write_table
        from .plots import write_figure

        path = path if Path(path).suffix else f"{path}.png"
        beside = Path(path).with_suffix(".ecsv")
        picked = self._marks.get_data()
        self._marks.set_data([], [])
        try:
            write_figure(self.drawn[0], path)
            write_table(beside, self.drawn[1], overwrite=True)
        except GalaxyMapsError as error:
            self.message.say(worker.report(error))
        else:
            self.done.setText(f"Saved in {path}, the numbers behind it in {beside.name}.")
        finally:
            self._marks.set_data(*picked)
            self.canvas.draw_idle()

    def _ask_report(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "An empty folder for the report")
        if not folder or self.inspected is None:
            return
        comparison, model = self.inspected.comparison, self.session.recipe.model.name

        def steps() -> Steps[str]:
            from ..measure.report import write_evaluation
            from ..models.registry import load_card

            yield Progress("report", 0, 1, "drawing every figure")
            write_evaluation(folder, [comparison], load_card(model).to_markdown())
            return folder

        worker.start(
            self.session, "Writing the report", steps, on_error=self.message.say,
            on_result=lambda where: self.done.setText(f"Saved in {where}: open report.html in a browser."),
        )  # fmt: skip

    def _name(self) -> str:
        return (self.session.name or "galaxy").replace(" ", "_")


def inspected(maps: PropertyMaps, truth: PropertyMaps, ellipse: Any) -> Inspected | str:
    """Maps and truth brought together and scored, or the sentence that says why not."""
    from ..measure.comparison import compare, metrics, pixels_of

    try:
        comparison = compare(maps, truth, ellipse)
    except GalaxyMapsError as error:
        return str(error)
    scores = {}
    for name in comparison.maps.values:
        try:
            scores[name] = metrics(pixels_of([comparison], name))
        except GalaxyMapsError:
            continue  # no pixel has both
    return Inspected(comparison, scores)


def coordinates(comparison: Comparison, pixels: Pixels, name: str, plot: str) -> tuple[np.ndarray, np.ndarray]:
    """What a plot shows of each pixel, two arrays of shape (n,)."""
    if plot == "prediction":
        return pixels.true, pixels.predicted
    if plot == "sigma":
        return pixels.sigma, np.abs(pixels.residual)
    if plot == "radius":
        return pixels.radius, pixels.residual
    both = np.isfinite(comparison.maps.values[name]) & np.isfinite(comparison.truth.values[name])
    return comparison.maps.values[plot][both].astype(float), pixels.residual


def figure_of(comparison: Comparison, pixels: Pixels, name: str, plot: str) -> tuple[Any, Any]:
    """A figure and the table behind it.

    Raises
    ------
    InputError
        When there is nothing to plot.
    """
    from ..measure.figures import prediction_against_truth, residual_against, sigma_against_error

    if plot == "prediction":
        return prediction_against_truth(pixels, name)
    if plot == "sigma":
        return sigma_against_error(pixels, name)
    return residual_against(pixels, name, coordinates(comparison, pixels, name, plot)[0], plot)


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _refill(box: QComboBox, choices: dict[str, str]) -> None:
    """Other choices, of which the one that was chosen stays so."""
    before = box.currentData()
    with QSignalBlocker(box):
        box.clear()
        for value, text in choices.items():
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(before)))


def _combo(name: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
