"""The Mock panel: a galaxy of which everything is known, made to a person's wishes and opened as if
read from files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
)

from ...bands.registry import MODEL_BANDS
from ...mocks.view import INCLINATION, LOG_MASS, RANGES
from ..jobs.make_mocks import MockSettings
from ..widgets.forms import NumberField, agreed, heading, make_button, wrapped
from ..widgets.qt_parts import ComboBox, SpinBox
from ..widgets.theme_colours import FAINT, GOOD
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ...mocks.mock import Mock

_KINDS = (
    "elliptical",
    "lenticular",
    "spiral",
    "flocculent",
    "barred",
    "ring",
    "irregular",
    "interacting",
)
_BANDS = {"all": "all 26 bands", "input": "ultraviolet to 22 micron", "ugriz": "u, g, r, i, z"}
_SEEN: dict[str, tuple[str, str, float, str]] = {
    "noise": ("Noise", "times the surveys'", 1.0, "0 for none"),
    "seeing": (
        "Seeing",
        "times the surveys' PSFs",
        1.0,
        "By which the width of every band's PSF is multiplied",
    ),
    "sky": (
        "Sky left",
        "times the noise",
        1.0,
        "Level and slope of the sky that was left on every image",
    ),
    "ebv": ("E(B-V)", "mag", 0.0, "Reddening by the Milky Way"),
    "stars": ("Stars", "per arcmin²", 0.0, "Stars of the Milky Way, with a table of them"),
    "neighbours": ("Galaxies behind", "per arcmin²", 0.0, "Small galaxies at redshift 0.15"),
}


class MockPanel(WorkspacePanel):
    """What is asked of a mock galaxy, and the button that makes it."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.mock: Mock | None = None
        self.column.addWidget(
            wrapped(
                "A galaxy of which everything is known. What is left empty is drawn; the same "
                "seed makes the same galaxy.",
                FAINT,
            )
        )
        self._build_galaxy()
        self._build_view()
        self._build_run()
        self.column.addStretch(1)
        self.listen(self.runner.job_changed, self._job_changed)
        self.listen(self.project.switched, self._switched)
        self._job_changed()

    # Building ------------------------------------------------------------------------------------

    def _build_galaxy(self) -> None:
        self.column.addWidget(heading("The galaxy"))
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.seed = SpinBox()
        self.seed.setObjectName("seed")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setValue(1)
        self.seed.setToolTip("The same seed makes the same galaxy; any whole number")
        self.kind = ComboBox()
        self.kind.setObjectName("kind")
        self.kind.setToolTip("Drawn, or one of the shapes that the program can make")
        self.kind.addItem("drawn", None)
        for kind in _KINDS:
            self.kind.addItem(kind, kind)
        self.mass = NumberField(
            "drawn",
            "log_mass",
            "log10 of the stellar mass that survives in Msun, for Chabrier's initial mass function",
            LOG_MASS,
        )
        self.inclination = NumberField(
            "drawn", "inclination", "Inclination in degrees: 0 face-on, 90 edge-on", INCLINATION
        )
        self.distance = NumberField(
            "such that the galaxy fills the image",
            "distance_mpc",
            "Distance in Mpc",
            RANGES["distance_mpc"],
        )
        row = QHBoxLayout()
        row.addWidget(self.seed, 1)
        row.addWidget(
            make_button(
                "Another",
                "another",
                lambda: self.seed.setValue(self.seed.value() + 1),
                "Take the next seed: another galaxy",
            )
        )
        form.addRow("Seed", row)
        form.addRow("Kind", self.kind)
        form.addRow("log10 mass (Msun)", self.mass)
        form.addRow("Inclination (°)", self.inclination)
        form.addRow("Distance (Mpc)", self.distance)
        self.column.addLayout(form)

    def _build_view(self) -> None:
        self.column.addWidget(heading("How it is seen"))
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.bands = ComboBox()
        self.bands.setObjectName("bands")
        self.bands.setEditable(True)
        self.bands.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        self.bands.addItems(list(_BANDS.values()))
        self.bands.setToolTip(f"A set, or names with commas between them: {', '.join(MODEL_BANDS)}")
        self.image_size = SpinBox()
        self.image_size.setObjectName("size")
        self.image_size.setRange(8, 4096)
        self.image_size.setValue(128)
        self.image_size.setSuffix(" pixels")
        self.image_size.setToolTip("Side of the square images in pixels")
        self.pixel = NumberField(
            "0.396 for u to z alone, else 2",
            "pixel",
            "Side of a pixel in arcsec",
            RANGES["pixel_arcsec"],
        )
        form.addRow("Bands", self.bands)
        form.addRow("Size", self.image_size)
        form.addRow("Pixel (″)", self.pixel)
        self.fields: dict[str, NumberField] = {}
        for name, (label, unit, default, hint) in _SEEN.items():
            tip = f"{hint} ({unit})"
            field = self.fields[name] = NumberField(f"{default:g}", name, tip, RANGES[name])
            row = QHBoxLayout()
            row.addWidget(field, 1)
            row.addWidget(QLabel(unit))
            form.addRow(label, row)
        self.column.addLayout(form)

    def _build_run(self) -> None:
        self.button = make_button(
            "Make", "make", self._make, "Make the galaxy and open it as if read from files"
        )
        self.button.setStyleSheet("font-weight: bold;")
        self.column.addWidget(self.button)
        self.made = wrapped(name="made")
        self.save_button = make_button("Save as files…", "save", self._ask_save)
        self.save_button.setToolTip(
            "Write a FITS file for each band, the truth, the stars and the settings into a folder"
        )
        self.saved = wrapped(colour=GOOD, name="saved")
        for widget in (self.made, self.saved):
            self.column.addWidget(widget)
        self.column.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignLeft)

    # Making --------------------------------------------------------------------------------------

    def settings(self) -> MockSettings:
        """What the fields say."""
        text = self.bands.currentText().strip()
        sets = {words: name for name, words in _BANDS.items()}
        return MockSettings(
            seed=self.seed.value(),
            kind=self.kind.currentData(),
            log_mass=_number(self.mass),
            inclination=_number(self.inclination),
            distance_mpc=_number(self.distance),
            bands=sets.get(text, text),
            size=self.image_size.value(),
            pixel_arcsec=_number(self.pixel),
            options={name: _number(field, _SEEN[name][2]) for name, field in self.fields.items()},
        )

    def _make(self) -> None:
        self.message.say("")
        self.saved.setText("")
        self.workspace.mock_maker.make(self.settings(), self._made, self.message.say)

    def _made(self, mock: Mock) -> None:
        self.mock = mock
        galaxy = mock.galaxy
        self.made.setText(
            f"Seed {galaxy.seed}: {galaxy.kind}, 10^{galaxy.log_mass:.2f} Msun, "
            f"{10**galaxy.log_sfr:.3g} Msun/yr, inclined by "
            f"{galaxy.inclination:.0f}°, at {mock.view.distance_mpc:.4g} Mpc. Its truth is open "
            "beside its images."
        )
        self._job_changed()

    def _job_changed(self) -> None:
        free = self.runner.job is None
        self.button.setEnabled(free)
        self.save_button.setEnabled(self.mock is not None and free)

    def _switched(self) -> None:
        self.saved.setText("")

    # Saving --------------------------------------------------------------------------------------

    def _ask_save(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the mock galaxy's files")
        if folder:
            self.save(folder)

    def save(self, folder: str) -> None:
        """Write the mock galaxy's files; asks before any is replaced."""
        if self.mock is None:
            return
        names = [f"{band}.fits" for band in self.mock.view.bands]
        there = [
            name
            for name in (*names, "truth.fits", "recipe.toml", "stars.ecsv")
            if (Path(folder) / name).exists()
        ]
        if there:
            replace = agreed(
                self,
                "Files are there",
                f"{folder} holds {there[0]} and perhaps others already. Replace them?",
            )
            if not replace:
                return
        self.workspace.mock_maker.save(self.mock, folder, self.saved.setText)


def _number(field: NumberField, default: Any = None) -> Any:
    """A field's number, or the default where it is empty."""
    text = field.text().strip()
    return float(text) if text else default
