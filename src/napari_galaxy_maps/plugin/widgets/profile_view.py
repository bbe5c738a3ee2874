"""Radial profiles in the Measure panel: over elliptical annuli that show on the galaxy, of one map
or several, and of the truth beside them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...data import ranges
from ...data.galaxy import Ellipse
from ...exceptions import GalaxyMapsError, InputError
from ...measure.figures.profile_figures import RADII, draw_profiles, radii
from ...progress import Steps
from ..canvas.layer_register import LayerRegister
from ..canvas.sky_overlay import SkyOverlay
from ..eventloop import worker
from ..eventloop.side_jobs import SideJobs
from ..ground.sky_shapes import Outline, ellipse_corners
from ..ground.window_words import words_of
from ..jobs.make_profile import REACH, MadeProfile, ProfileSettings, make_profile_steps, names_in
from ..state.aperture_measurements import ApertureMeasurements
from ..state.project import Project
from . import plot_canvas as plots
from .aperture_table import with_error
from .forms import Message, NumberField, is_seen, wrapped
from .map_choice import MapChoice
from .qt_parts import ComboBox
from .theme_colours import FAINT, GOOD, inks_of

if TYPE_CHECKING:
    from astropy.table import QTable


_GREEN, _WHITE = (0.5, 0.9, 0.5, 0.7), (1.0, 1.0, 1.0, 1.0)
_ELLIPSES = {
    "D25": "the D25 ellipse",
    "aperture": "the selected aperture",
    "isophote": "an isophote of this map",
    "half": "half of the stars (R_half)",
}
_SHOWN = {"mean": "mean and its error", "median": "median, 16–84 %", "growth": "growth curve"}
_WAIT_MS = 150


class ProfileView(QWidget):
    """The tab with the plot.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    measurements : ApertureMeasurements
        What is measured, and the apertures.
    layers : LayerRegister
        Of the viewer in which the annuli show.
    side_jobs : SideJobs
        Make the profiles.
    """

    def __init__(
        self,
        project: Project,
        measurements: ApertureMeasurements,
        layers: LayerRegister,
        side_jobs: SideJobs,
    ):
        super().__init__()
        self.project, self.measurements, self.side_jobs = project, measurements, side_jobs
        self.annuli = SkyOverlay(layers, "annuli", _GREEN[:3])
        self.profiled: MadeProfile | None = None
        self.canvas: Any = None
        self._lit: int | None = None
        self._asked = 0
        self._points: np.ndarray = np.empty(0)
        self._marks: list[Any] = []
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.setInterval(_WAIT_MS)
        self._waiting.timeout.connect(self.refresh)
        self._build()

    def _build(self) -> None:
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 6, 0, 0)
        grid = QGridLayout()
        self.ellipse = _combo(
            "ellipse", _ELLIPSES, "The annuli have its centre, axis ratio and position angle"
        )
        self.radius = _combo(
            "radius", RADII, "What the profile is plotted over, and gradients are per"
        )
        self.shown = _combo("shown", _SHOWN, "What of each annulus is plotted")
        step = "Width of the annuli in arcsec; empty: the FWHM of the map"
        reach = "How far out, in units of the ellipse; empty: all of it, 1"
        self.step = NumberField("a PSF", "step", step, ranges.RADIUS)
        self.reach = NumberField("1 × ellipse", "reach", reach, REACH)
        self.maps = MapChoice()
        self.maps.setToolTip("More maps of the same galaxy, drawn below over the same radius")
        self.truth = QCheckBox("with the truth")
        self.truth.setObjectName("with_truth")
        self.truth.setToolTip("Plot the profile of the truth beside that of the maps")
        self.truth.setChecked(True)
        like = QHBoxLayout()
        like.addWidget(QLabel("Annuli like"))
        like.addWidget(self.ellipse, 1)
        self.column.addLayout(like)
        for i, (text, widget) in enumerate(
            (
                ("Show", self.shown),
                ("over", self.radius),
                ("Step ″", self.step),
                ("to", self.reach),
                ("Also", self.maps),
                ("", self.truth),
            )
        ):
            grid.addWidget(QLabel(text), i // 2, 2 * (i % 2))
            grid.addWidget(widget, i // 2, 2 * (i % 2) + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.column.addLayout(grid)
        self.place = QVBoxLayout()
        self.column.addLayout(self.place, 1)
        self.gradient = wrapped(name="gradient")
        self.notes = wrapped(colour=FAINT, name="notes")
        self.message = Message()
        for widget in (self.gradient, self.notes, self.message):
            self.column.addWidget(widget)
        self._build_files()
        self.ellipse.activated.connect(self.soon)
        self.truth.clicked.connect(self.soon)
        self.maps.changed.connect(self.soon)
        self.step.given.connect(self.soon)
        self.reach.given.connect(self.soon)
        self.radius.activated.connect(lambda _: self.refresh())
        self.shown.activated.connect(lambda _: self._plot())

    def _build_files(self) -> None:
        row = QHBoxLayout()
        self.export = QPushButton("Save table…")
        self.export.setToolTip("Write the profile as ECSV (with units) or CSV")
        self.picture = QPushButton("Save figure…")
        self.picture.setToolTip("PNG, PDF or SVG, with the table behind it beside it")
        for button, slot in ((self.export, self._ask_export), (self.picture, self._ask_picture)):
            button.clicked.connect(lambda _, slot=slot: slot())
            button.setEnabled(False)
            row.addWidget(button)
        self.column.addLayout(row)
        self.done = wrapped(colour=GOOD, name="done")
        self.column.addWidget(self.done)

    # What is asked -------------------------------------------------------------------------------

    def look_at(self, name: str) -> None:
        """Show the profile of another map."""
        if name != getattr(self, "_name", ""):
            self._name = name
            self.soon()

    def soon(self, *_: Any) -> None:
        """Make the profile again in a moment, if anybody looks."""
        if is_seen(self):
            self._waiting.start()

    def seen(self, seen: bool) -> None:
        """The annuli show as long as the tab does; the profile is made when it is looked at."""
        layer = self.annuli.layer
        if layer is not None:
            layer.visible = seen
        if seen:
            self._waiting.start()

    def refresh(self) -> None:
        """Measure and plot, beside whatever else is done."""
        measurements, project = self.measurements, self.project
        content = measurements.sources.get(measurements.chosen)
        self._asked += 1
        if content is None:
            self._say("There is nothing to measure yet; open images or predict maps first.")
            return
        number = float(self.reach.text()) if self.reach.text() else 1.0
        step = float(self.step.text()) if self.step.text() else None
        self.maps.offer(names_in(content), getattr(self, "_name", ""))
        names = (getattr(self, "_name", ""), *self.maps.chosen)
        settings = ProfileSettings(
            self.ellipse.currentData(),
            step,
            number,
            self.truth.isChecked(),
            names,
            self.radius.currentData(),
        )
        truth = project.truth if content is project.maps and settings.with_truth else None
        d25, distance = project.ellipse(), project.recipe.galaxy.distance
        selected = [measurements.apertures[i].shape for i in measurements.selected[:1]]
        drawn = selected[0] if selected and isinstance(selected[0], Ellipse) else None
        planes, asked = measurements.planes_for(content), self._asked

        def work() -> Steps[MadeProfile | str]:
            try:
                return (
                    yield from make_profile_steps(
                        content, planes, truth, settings, d25, drawn, distance
                    )
                )
            except GalaxyMapsError as error:
                return words_of(error)

        def take(result: MadeProfile | str) -> None:
            if asked != self._asked:
                return
            if isinstance(result, str):
                self._say(result)
                return
            self.profiled = result
            self._say("")
            self._plot()
            self._show_annuli()

        self.side_jobs.start("Making a profile", work, take, self)

    def _say(self, text: str) -> None:
        self.message.say(text)
        self.export.setEnabled(not text)
        self.picture.setEnabled(not text)
        if text:
            self.gradient.setText("")

    # Plot ----------------------------------------------------------------------------------------

    def _plot(self) -> None:
        found = self.profiled
        if found is None:
            return
        if self.canvas is None:
            self.canvas = plots.make_canvas()
            self.place.addWidget(self.canvas)
            self.canvas.mpl_connect("motion_notify_event", self._pointed)
            self.canvas.mpl_connect("axes_leave_event", lambda _: self._light(None))
        table, shown = found.table, self.shown.currentData()
        radius = self.radius.currentData() if self.radius.currentData() in table.colnames else "r"
        self.canvas.figure.clear()
        self._marks = []
        try:
            axes = draw_profiles(self.canvas.figure, table, radius, shown, plots.COLOURS)
        except InputError as error:
            self._points = np.empty(0)
            self.canvas.draw_idle()
            self._say(words_of(error))
            return
        self._say("")
        first = table[(table["source"] == table["source"][0]) & (table["map"] == table["map"][0])]
        self._points = radii(first, radius, shown)
        for part in axes:
            plots.dress(part)
        if len(set(table["source"])) > 1:
            plots.legend(axes[0])
        self.canvas.setMinimumHeight(max(300, 60 + 125 * len(axes)))
        self._marks = [part.axvline(0, color=plots.INK, lw=0.8, visible=False) for part in axes]
        plots.dye(self.canvas, inks_of(self))
        self.gradient.setText(gradient_words(found.gradients))
        self.notes.setText(found.notes)

    def _pointed(self, event: Any) -> None:
        """The annulus of the bin under the pointer lights up on the galaxy."""
        if event.inaxes is None or not self._points.size:
            self._light(None)
            return
        self._light(int(np.nanargmin(np.abs(self._points - event.xdata))))

    def _light(self, number: int | None) -> None:
        if number == self._lit:
            return
        before, self._lit = self._lit, number
        if self.profiled is None or self.annuli.layer is None:
            return
        # An annulus lies between its own outer edge and that of the one before.
        only = {i for n in (before, number) if n is not None for i in (n - 1, n) if i >= 0}
        self.annuli.draw(self._outlines(), sorted(only))
        for mark in self._marks:
            mark.set_visible(number is not None)
            if number is not None:
                mark.set_xdata([self._points[number]] * 2)
        self.canvas.draw_idle()

    # Annuli --------------------------------------------------------------------------------------

    def _outlines(self) -> list[Outline]:
        found, reference = self.profiled, self.project.reference
        if found is None or reference is None:
            return []
        ratio = found.ellipse.b / found.ellipse.a
        outlines = []
        for i, edge in enumerate(found.edges[1:]):
            lit = self._lit is not None and i in (self._lit - 1, self._lit)
            ring = replace(found.ellipse, a=edge, b=edge * ratio)
            outlines.append(
                Outline(
                    "ellipse",
                    ellipse_corners(ring, reference),
                    _WHITE if lit else _GREEN,
                    2.2 if lit else 1.0,
                )
            )
        return outlines

    def _show_annuli(self) -> None:
        outlines = self._outlines()
        if self.annuli.layer is not None:
            self.annuli.draw(outlines)
        elif outlines:
            layer = self.annuli.make(outlines)
            layer.editable = False
        layer = self.annuli.layer
        if layer is not None:
            layer.visible = is_seen(self)

    # Files ---------------------------------------------------------------------------------------

    def _ask_export(self) -> None:
        kinds = "ECSV table (*.ecsv);;CSV table (*.csv)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the profile", self._file("profile.ecsv"), kinds
        )
        if path and self.profiled is not None:
            from ...measure.apertures.aperture_files import write_table

            path = path if Path(path).suffix else f"{path}.ecsv"
            table = self.profiled.table
            self._write(path, lambda: write_table(path, table, overwrite=True))

    def _ask_picture(self) -> None:
        kinds = "Pictures (*.png *.pdf *.svg)"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the figure", self._file("profile.png"), kinds
        )
        if path and self.canvas is not None:
            from ...measure.apertures.aperture_files import write_table

            path = path if Path(path).suffix else f"{path}.png"
            beside, table = Path(path).with_suffix(".ecsv"), self.profiled.table  # type: ignore[union-attr]

            def write() -> None:
                plots.save_figure(self.canvas, path)
                write_table(beside, table, overwrite=True)

            self._write(f"{path}, the numbers behind it in {beside.name}", write)

    def _write(self, where: str, write: Any) -> None:
        try:
            write()
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
        else:
            self.done.setText(f"Saved in {where}.")

    def _file(self, ending: str) -> str:
        return f"{self.project.file_stem}_{getattr(self, '_name', '')}_{ending}"


def gradient_words(gradients: QTable | None) -> str:
    """Gradients in a sentence, one for each map and source."""
    if gradients is None:
        return ""
    several = len(set(gradients["map"])) > 1
    parts = []
    for row in gradients:
        of = " ".join(
            str(row[key]) for key in (("map", "source") if several else ("source",)) if row[key]
        )
        parts.append(
            f"{of or row['map']} {with_error(row['gradient'], row['gradient_err'])} {row['unit']}"
        )
    return "Gradient: " + ", ".join(parts)


def _combo(name: str, choices: dict[str, str], tip: str) -> ComboBox:
    box = ComboBox()
    box.setObjectName(name)
    box.setToolTip(tip)
    for value, text in choices.items():
        box.addItem(text, value)
    return box
