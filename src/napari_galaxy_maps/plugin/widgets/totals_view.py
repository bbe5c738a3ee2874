"""The whole galaxy in the Measure panel: what the maps come to, beside what its integrated fluxes
give.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...exceptions import GalaxyMapsError
from ...measure.apertures.planes import SHARED
from ...progress import Progress, Steps
from ..eventloop import worker
from ..eventloop.side_jobs import SideJobs
from ..ground.window_words import words_of
from ..state.aperture_measurements import MAPS, ApertureMeasurements
from ..state.project import Project
from .aperture_table import unit_words, with_error
from .forms import Message, is_seen, wrapped
from .qt_parts import present
from .theme_colours import FAINT, GOOD

if TYPE_CHECKING:
    from astropy.table import QTable


_HEADINGS = ("Quantity", "From the maps", "From the fluxes", "Difference", "Unit")
_TIPS = (
    "What is summed over the galaxy; of what does not add up, the weighted mean",
    "Over the D25 ellipse, with its error, in the unit of the last column",
    "What the same model says of the integrated fluxes (Dobbels & Baes 2021, Sect. 3.3)",
    "Maps minus fluxes, in dex or the unit",
    "Of the numbers in a row",
)
_RANGE = (
    "The error is a range: from pixels that err independently beyond shared noise to all of them "
    "erring together"
)


class TotalsView(QWidget):
    """The tab with the table.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    measurements : ApertureMeasurements
        Which of them are measured.
    side_jobs : SideJobs
        Make the sums.
    """

    def __init__(self, project: Project, measurements: ApertureMeasurements, side_jobs: SideJobs):
        super().__init__()
        self.project, self.measurements, self.side_jobs = project, measurements, side_jobs
        self.totals: QTable | None = None
        self._asked = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        self.table = QTableWidget(0, len(_HEADINGS))
        self.table.setObjectName("totals")
        self.table.setHorizontalHeaderLabels(list(_HEADINGS))
        for i, tip in enumerate(_TIPS):
            present(self.table.horizontalHeaderItem(i)).setToolTip(tip)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        present(self.table.verticalHeader()).hide()
        present(self.table.verticalHeader()).setDefaultSectionSize(24)
        header = present(self.table.horizontalHeader())
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.table.setMinimumHeight(230)
        column.addWidget(self.table, 1)
        self.notes = wrapped(colour=FAINT, name="notes")
        self.message = Message()
        self.export = QPushButton("Save table…")
        self.export.setToolTip("Write the table as ECSV (with units) or CSV")
        self.export.clicked.connect(lambda _: self._ask_export())
        self.done = wrapped(colour=GOOD, name="done")
        for widget in (self.notes, self.message, self.export, self.done):
            column.addWidget(widget)
        column.addStretch(1)

    def seen(self, seen: bool) -> None:
        """The tab is looked at: now the sums are worth making."""
        if seen:
            self.refresh()

    def soon(self) -> None:
        """Sum, if anybody looks."""
        if is_seen(self):
            self.refresh()

    def refresh(self) -> None:
        """Sum over the galaxy, beside whatever else is done."""
        from ...data.maps import PropertyMaps

        content, project = self.measurements.sources.get(self.measurements.chosen), self.project
        self._asked += 1
        if not isinstance(content, PropertyMaps):
            self._show(
                None, "Choose maps to be measured: images have no totals but those of apertures."
            )
            return
        asked, ellipse = self._asked, project.ellipse()
        fill = self.measurements.options.fill
        distance = project.recipe.galaxy.distance
        # That of the maps: settings may have changed since they were made.
        made_by = project.recipe if project.result is None else project.result.recipe
        recipe = made_by.model_copy(deep=True)
        cube = (
            self.project.memory.cube
            if self.measurements.chosen == MAPS and self.project.memory is not None
            else None
        )

        def work() -> Steps[QTable | str]:
            from ...measure.apertures.planes import planes_of
            from ...measure.apertures.totals import galaxy_totals
            from ...pipeline import predict_global

            try:
                single = None
                yield Progress("totals", 0, 2, "what the integrated fluxes give")
                if cube is not None:
                    galaxy = recipe.galaxy
                    alike = replace(
                        cube, hubble_stage=galaxy.hubble_stage, redshift=galaxy.redshift
                    )
                    # Of the pixels that the maps count.
                    known = fill and content.filling is not None
                    single = predict_global(alike, recipe, ellipse, known)
                yield Progress("totals", 1, 2, "sums of the maps")
                planes = planes_of(content, distance_mpc=distance)
                return galaxy_totals(planes, ellipse, single, fill=fill)
            except GalaxyMapsError as error:
                return words_of(error)

        def take(result: QTable | str) -> None:
            if asked == self._asked:
                self._show(*((None, result) if isinstance(result, str) else (result, "")))

        self.side_jobs.start("Summing over the galaxy", work, take, self)

    def _show(self, totals: QTable | None, problem: str) -> None:
        self.totals = totals
        self.message.say(problem)
        self.export.setEnabled(totals is not None)
        self.table.setRowCount(0 if totals is None else len(totals))
        self.notes.setText("")
        if totals is None:
            return
        both, ranges = "global" in totals.colnames, "err_max" in totals.colnames
        present(self.table.horizontalHeaderItem(1)).setToolTip(
            _RANGE if ranges else f"{SHARED}, is in the error"
        )
        for i, row in enumerate(totals):
            unit = unit_words(str(row["unit"]))
            cells = (
                str(row["what"]),
                with_error(
                    float(row["value"]),
                    float(row["err"]),
                    most=float(row["err_max"]) if ranges else 0.0,
                ),
                with_error(float(row["global"]), float(row["global_err"])) if both else "–",
                f"{float(row['difference']):+.2f}"
                if both and np.isfinite(row["difference"])
                else "–",
                unit,
            )
            for j, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if not j and row["weight"]:
                    item.setToolTip(f"The mean, weighted by {row['weight']}")
                if 0 < j < 4:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(i, j, item)
        masked = float(totals["n_masked"][0]) / max(
            float(totals["n_masked"][0] + totals["n_pixels"][0]), 1e-9
        )
        filled = np.nan_to_num(totals["filled_share"]).any()
        without = "" if filled else "; nothing stands in for them"
        words = (
            [f"{masked:.1%} of the galaxy's pixels have no value{without}."]
            if masked > 1e-3
            else []
        )
        self.notes.setText(" ".join([*words, *totals.meta.get("notes", [])]))

    def _ask_export(self) -> None:
        name = f"{self.project.file_stem}_totals.ecsv"
        kinds = "ECSV table (*.ecsv);;CSV table (*.csv)"
        path, _ = QFileDialog.getSaveFileName(self, "Save the totals", name, kinds)
        if not path or self.totals is None:
            return
        from ...measure.apertures.aperture_files import write_table

        path = path if path.lower().endswith((".ecsv", ".csv")) else f"{path}.ecsv"
        try:
            write_table(path, self.totals, overwrite=True)
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
        else:
            self.done.setText(f"Saved in {path}.")
