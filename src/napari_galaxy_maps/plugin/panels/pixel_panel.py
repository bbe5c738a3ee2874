"""The Pixel panel: the spectrum under the pointer or in an aperture, the models that go with it,
and what they say.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
)

from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import GalaxyMapsError
from ..canvas.sky_overlay import SkyOverlay
from ..canvas.status_bar import flag_words
from ..ground.sky_plane import position_at, position_text
from ..ground.sky_shapes import Outline
from ..ground.window_words import words_of
from ..state.pixel_spectra import TITLE, Place
from ..widgets.forms import is_seen, make_button, wrapped
from ..widgets.qt_parts import ComboBox, present
from ..widgets.spectrum_view import SpectrumView
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.viewer import Viewer

    from ...sed.pixel import PixelSpectrum

KEY = "F"
_POINTER = "under the pointer"
_WHITE = (1.0, 1.0, 1.0, 1.0)
_NAMES = (
    "LOG_SLD",
    "LOG_SMD",
    "T_DUST",
    "LOG_SIGMA_LSTAR",
    "LOG_SIGMA_LD",
    "LOG_SIGMA_STAR",
    "LOG_SIGMA_MD",
    "LOG_SIGMA_SFR",
)
_COLUMNS = ("", "SED", "16–84 %", "maps", "truth")
_TIPS = (
    "A property of the pixel or aperture; hold the pointer over its name for definition and unit",
    "Median by the model spectra that go with the fluxes, in the property's unit",
    "From the 16th to the 84th percentile of the same, in the property's unit",
    "What the maps have there, with their error, in the property's unit",
    "What the truth has there, in the property's unit",
)
_WIDTHS = (54, 100, 90, 54)
"""Of the columns of numbers, in pixels."""


class PixelPanel(WorkspacePanel):
    """The spectrum of a pixel, which follows the pointer while the panel is in front."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.spectra, self.measurements = self.workspace.spectra, self.workspace.measurements
        self.found: PixelSpectrum | None = None
        self.place: Place | None = None
        self.frozen = False
        self.took = 0.0
        """Seconds that the last update took, to the last call that paints."""
        self.updates = 0
        self._hears = False
        self._position: tuple[float, float] | None = None
        self._mark = SkyOverlay(self.layers, "pixel", _WHITE[:3])
        # The pointer moves more often than a person can look: the last place counts.
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.setInterval(0)
        self._waiting.timeout.connect(self._follow)
        self._build()
        self.seen.connect(self._seen)
        for signal, slot in (
            (self.spectra.changed, self._changed),
            (self.measurements.changed, self._fill_places),
            (self.measurements.moved, self._moved_aperture),
            (self.runner.job_changed, self._job_changed),
            (self.project.message, self.message.say),
        ):
            self.listen(signal, slot)
        self._fill_places()
        self._job_changed()
        self._say_what_is_missing()

    # Building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Spectrum"))
        self.where = ComboBox()
        self.where.setObjectName("where")
        self.where.setToolTip("The pixel under the pointer, or an aperture of the Measure panel")
        self.where.activated.connect(lambda _: self._where_chosen())
        row.addWidget(self.where, 1)
        self.source = ComboBox()
        self.source.setObjectName("source")
        self.source.setToolTip(
            "The bands as prepared for the prediction, or at the resolution of the far infrared"
        )
        self.source.activated.connect(lambda _: self.spectra.choose(self.source.currentData()))
        row.addWidget(self.source, 1)
        self.column.addLayout(row)
        self.far = QCheckBox("fit the far infrared, too")
        self.far.setObjectName("far")
        self.far.setToolTip(
            "Off, the models are fitted up to 22 µm and what they say of the far infrared is a "
            "prediction"
        )
        self.far.clicked.connect(lambda _: self.update_now())
        self.column.addWidget(self.far, 0, Qt.AlignmentFlag.AlignLeft)
        self.view = SpectrumView()
        self.view.setMinimumHeight(280)
        self.column.addWidget(self.view, 1)
        self.fit_text = wrapped(name="fit_text")
        self.column.addWidget(self.fit_text)
        self._build_table()
        self.make_button = make_button(
            "Make model spectra", "make", lambda: self.spectra.make(asked=True)
        )
        self.make_button.setToolTip("Once for each redshift; they are kept on disk")
        self.column.addWidget(self.make_button)

    def _build_table(self) -> None:
        self.table = QTableWidget(len(_NAMES), len(_COLUMNS))
        self.table.setObjectName("properties")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        for column, tip in enumerate(_TIPS):
            present(self.table.horizontalHeaderItem(column)).setToolTip(tip)
        present(self.table.verticalHeader()).hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        # Widths that follow the words would be worked out anew at every movement of the pointer.
        header = present(self.table.horizontalHeader())
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, width in enumerate(_WIDTHS, 1):
            header.resizeSection(column, width)
        header.setMinimumSectionSize(min(_WIDTHS))
        header.setStretchLastSection(True)
        self.cells: list[list[QTableWidgetItem]] = []
        for i, name in enumerate(_NAMES):
            items = [QTableWidgetItem(name if j == 0 else "") for j in range(len(_COLUMNS))]
            prop = PROPERTIES[name]
            items[0].setToolTip(f"{prop.definition}, {prop.unit} {prop.log_unit}".strip())
            for j, item in enumerate(items):
                if j:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(i, j, item)
            self.cells.append(items)
        self.table.resizeColumnToContents(0)
        self.table.resizeRowsToContents()
        self.table.setFixedHeight(
            present(self.table.horizontalHeader()).height()
            + sum(map(self.table.rowHeight, range(len(_NAMES))))
            + 8
        )
        self.column.addWidget(self.table)

    # Seen or not ---------------------------------------------------------------------------------

    def _seen(self, seen: bool) -> None:
        """Listen to the pointer while the panel is in front; nothing is computed while nobody
        looks.
        """
        self._hear(seen)
        layer = self._mark.layer
        if layer is not None:
            layer.visible = seen and self.frozen
        if seen:
            self._changed()

    def _hear(self, on: bool) -> None:
        if on == self._hears:
            return
        self._hears = on
        viewer = self.layers.viewer
        if on:
            viewer.mouse_move_callbacks.append(self._moved)
            viewer.mouse_drag_callbacks.append(self._pressed)
            viewer.bind_key(KEY, self._key, overwrite=True)
        else:
            viewer.mouse_move_callbacks.remove(self._moved)
            viewer.mouse_drag_callbacks.remove(self._pressed)
            viewer.bind_key(KEY, None, overwrite=True)

    # The pointer ---------------------------------------------------------------------------------

    def _moved(self, viewer: Any, event: Any) -> None:
        if self.frozen or self.where.currentData() is not None:
            return
        self._position = (float(event.position[-2]), float(event.position[-1]))
        if not self._waiting.isActive():
            self._waiting.start()

    def _pressed(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        """A click, but no drag, holds the pixel or lets it go."""
        if event.button != 1 or self.where.currentData() is not None:
            return
        active = viewer.layers.selection.active
        if active is not None and str(getattr(active, "mode", "pan_zoom")) not in (
            "pan_zoom",
            "transform",
        ):
            return  # somebody paints or draws
        position = (float(event.position[-2]), float(event.position[-1]))
        yield
        while event.type == "mouse_move":
            if (
                np.hypot(event.position[-2] - position[0], event.position[-1] - position[1])
                > 3 * self._mark.scale
            ):
                return
            yield
        if self.frozen:
            self.freeze(False)
        else:
            self._position = position
            self._follow()
            self.freeze(True)

    def _key(self, viewer: Any) -> None:
        self.freeze(not self.frozen)

    def freeze(self, on: bool) -> None:
        """Hold the pixel, so that the pointer can go elsewhere, or let it go."""
        if on and (self.place is None or self.place.aperture is not None):
            return
        self.frozen = on
        layer = self._mark.layer
        cube = self.spectra.cube
        grid = self.spectra.grid(cube) if cube is not None else None
        if on and grid is not None and self.place is not None:
            outline = Outline(
                "polygon", grid.corners(self.place.row, self.place.column), _WHITE, 1.5
            )
            if layer is None:
                layer = self._mark.make([outline])
                layer.mode = "pan_zoom"
            else:
                self._mark.draw([outline])
            layer.visible = True
        elif layer is not None:
            layer.visible = False
        self._show_fit()

    def _follow(self) -> None:
        """Show the pixel that the pointer is on."""
        cube = self.spectra.cube
        if cube is None or self._position is None or not is_seen(self):
            return
        grid = self.spectra.grid(cube)
        pixel = grid.pixel(*self._position) if grid is not None else None
        if pixel is None:
            return
        place = Place(*pixel)
        if place != self.place:
            self.show_place(place)

    # Places and bands ----------------------------------------------------------------------------

    def _fill_places(self) -> None:
        chosen = self.where.currentData()
        self.where.clear()
        self.where.addItem(_POINTER, None)
        for aperture in self.measurements.apertures:
            self.where.addItem(f"in aperture {aperture.name}", aperture.name)
        self.where.setCurrentIndex(max(0, self.where.findData(chosen)) if chosen is not None else 0)
        if chosen is not None:
            self._where_chosen()

    def _where_chosen(self) -> None:
        name = self.where.currentData()
        self.freeze(False)
        aperture = (
            next((a for a in self.measurements.apertures if a.name == name), None)
            if name is not None
            else None
        )
        if aperture is not None and is_seen(self):
            self.show_place(Place(aperture=aperture))
        elif aperture is None:
            self.place = None

    def _moved_aperture(self, number: int) -> None:
        self._fill_places()

    def _changed(self) -> None:
        """Other bands or other model spectra."""
        sources = self.spectra.sources
        self.source.clear()
        for name, source in sources.items():
            self.source.addItem(f"{name} ({source.fwhm:.3g}″)", name)
        self.source.setCurrentIndex(max(0, self.source.findData(self.spectra.source)))
        self.source.setVisible(len(sources) > 1)
        if not is_seen(self):
            return
        cube = self.spectra.cube
        if self.place is not None and self.place.aperture is None:
            ny, nx = cube.shape if cube is not None else (0, 0)
            if not (0 <= self.place.row < ny and 0 <= self.place.column < nx):
                self.place = None
                self.freeze(False)
        self._say_what_is_missing()
        self.spectra.make()
        self._job_changed()
        self.update_now()

    def _say_what_is_missing(self) -> None:
        if self.spectra.cube is None:
            self.message.say("There are no prepared bands yet; press Prepare or Predict first.")
        elif not self.spectra.ready():
            self.message.say(
                ""
                if self.spectra.redshift_note.startswith("model spectra")
                else self.spectra.redshift_note
            )
        else:
            self.message.say("")

    def _job_changed(self) -> None:
        job = self.runner.job
        mine = job is not None and job.title == TITLE
        needed = self.spectra.cube is not None and not self.spectra.ready()
        self.make_button.setVisible(needed and not mine)
        self.make_button.setEnabled(job is None)

    # Showing -------------------------------------------------------------------------------------

    def update_now(self) -> None:
        """Fit and show the same place again."""
        if self.place is not None:
            self.show_place(self.place)

    def show_place(self, place: Place) -> None:
        """Fit and show a place, if anybody looks and the model spectra are there."""
        self.place = place
        if not is_seen(self) or self.spectra.library is None or not self.spectra.ready():
            return
        start = perf_counter()
        problem = ""
        try:
            self.found = self.spectra.at(place, self.far.isChecked())
        except GalaxyMapsError as error:
            self.found, problem = None, words_of(error)
        if self.found is None:
            self.view.clear()
        else:
            self.view.show_spectrum(self.found)
        self._show_fit(problem)
        self._fill(place)
        self.took = perf_counter() - start
        self.updates += 1

    def _show_fit(self, problem: str = "") -> None:
        place, found = self.place, self.found
        # Words that can be selected cost a second painting of the window, some time after they
        # have changed; nobody selects what changes under the pointer.
        held = self.frozen or (place is not None and place.aperture is not None)
        self.fit_text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            if held or problem
            else Qt.TextInteractionFlag.NoTextInteraction
        )
        if problem:
            self.fit_text.setText(problem)
            return
        if place is None or found is None:
            self.fit_text.setText("")
            return
        where = (
            f"aperture {place.aperture.name}"
            if place.aperture is not None
            else self._where_words(place)
        )
        limits = int(found.limit.sum())
        words = [
            f"{where}{self._hold_words(place)}",
            f"{found.posterior.n_measured} bands fitted, reduced χ² {found.posterior.chi2:.2f}"
            + (", no model fits" if found.posterior.flags else "")
            + (f"; {limits} not positive" if limits else ""),
            *filter(None, [found.not_fitted]),
        ]
        self.fit_text.setText("\n".join(words))

    def _hold_words(self, place: Place) -> str:
        if place.aperture is not None:
            return ""
        return (
            f", held: a click or {KEY} lets it go"
            if self.frozen
            else f" (a click or {KEY} holds it)"
        )

    def _where_words(self, place: Place) -> str:
        cube = self.spectra.cube
        grid = self.spectra.grid(cube) if cube is not None else None
        if cube is None or grid is None:
            return ""
        north, west = grid.centre(place.row, place.column)
        flags = flag_words(cube.flags, place.row, place.column, cube.unknown_flags)
        return (
            f"{position_text(*position_at(-west, north, grid.reference))}, pixel {place.column}, "
            f"{place.row}{flags}"
        )

    def _fill(self, place: Place) -> None:
        """The numbers of the spectrum, beside what the maps and the truth have there."""
        percentiles = self.found.properties if self.found is not None else {}
        columns = [
            self._map_values(maps, place) for maps in (self.project.maps, self.project.truth)
        ]
        for name, items in zip(_NAMES, self.cells, strict=True):
            digits = 2 if PROPERTIES[name].unit == "dex" else 1
            low, middle, high = percentiles.get(name, (np.nan,) * 3)
            known = np.isfinite([low, middle, high]).all()
            items[1].setText(f"{middle:.{digits}f}" if known else "–")
            items[2].setText(f"{low:.{digits}f} – {high:.{digits}f}" if known else "")
            for item, values in zip(items[3:], columns, strict=True):
                value, error = values.get(name, (np.nan, np.nan))
                text = f"{value:.{digits}f}" if np.isfinite(value) else ""
                item.setText(
                    f"{text} ± {error:.{digits}f}" if text and np.isfinite(error) else text
                )

    def _map_values(
        self, maps: PropertyMaps | None, place: Place
    ) -> dict[str, tuple[float, float]]:
        """Values and errors of maps in the middle of a pixel; of an aperture the Measure panel
        shows them.
        """
        cube = self.spectra.cube
        if maps is None or cube is None or place.aperture is not None:
            return {}
        own, other = self.spectra.grid(cube), self.spectra.grid(maps)
        at = (
            other.pixel(*own.centre(place.row, place.column))
            if own is not None and other is not None
            else None
        )
        if at is None:
            return {}
        return {
            name: (
                float(maps.whole(name)[at]),
                float(maps.whole(name, error=True)[at]) if name in maps.errors else float("nan"),
            )
            for name in maps.values
        }
