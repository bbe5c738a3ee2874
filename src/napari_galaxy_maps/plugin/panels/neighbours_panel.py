"""The Neighbours panel: the mock galaxies that look most like this one to the stellar U-Net, with
their true maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QFormLayout

from ...data.properties import PROPERTIES
from ...exceptions import GalaxyMapsError
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...progress import Progress, Steps
from ..eventloop import worker
from ..ground.window_words import words_of
from ..widgets import plot_canvas as plots
from ..widgets.forms import make_button, wrapped
from ..widgets.qt_parts import ComboBox
from ..widgets.theme_colours import FAINT, GOOD
from .workspace_panel import WorkspacePanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ...data.cube import BandCube
    from ...data.maps import PropertyMaps
    from ...models.stellar_unet.model import StellarUNet
    from ...training.stellar_unet.neighbours import Neighbour

MODEL = "stellar-unet"
COUNT = 4


@dataclass(frozen=True)
class NeighboursFound:
    """A galaxy and those like it."""

    cube: BandCube
    maps: PropertyMaps | None
    neighbours: list[Neighbour]
    distance: str
    """How far it is from the nearest, in words."""
    remarks: list[str]
    """On how far it is from all that the model was trained on."""


class NeighboursPanel(WorkspacePanel):
    """Pictures of the galaxy and of its neighbours, and one property of all."""

    def __init__(self, napari_viewer: Viewer):
        super().__init__(napari_viewer)
        self.found: NeighboursFound | None = None
        self.canvas: Any = None
        self._shown_of: Any = None
        self._is_seen = False
        self._asked = 0
        self.column.addWidget(
            wrapped(
                f"The mock galaxies of {MODEL}'s training set that look most like this galaxy to "
                "the network: what it takes this galaxy "
                "to be. If they look otherwise, do not trust its maps.",
                FAINT,
            )
        )
        form = QFormLayout()
        self.property_box = ComboBox()
        self.property_box.setObjectName("property")
        self.property_box.setToolTip(
            "The map that is shown beside each picture: predicted of this galaxy, true of the mocks"
        )
        for name in STELLAR_PROPERTIES:
            self.property_box.addItem(f"{name}: {PROPERTIES[name].label}", name)
        self.property_box.currentIndexChanged.connect(lambda _: self._draw())
        form.addRow("True map", self.property_box)
        self.column.addLayout(form)
        self.distance = wrapped(name="distance")
        self.column.addWidget(self.distance)
        self.place = self.column
        self.save = make_button(
            "Save figure…", "picture", self._ask_save, "Write the pictures as PNG, PDF or SVG"
        )
        self.save.setEnabled(False)
        self.done = wrapped(colour=GOOD, name="done")
        self.column.addStretch(1)
        self.column.addWidget(self.save)
        self.column.addWidget(self.done)
        self.seen.connect(self._seen)
        self.listen(self.project.cube_changed, self.refresh)
        self.listen(self.project.maps_changed, self.refresh)
        self.listen(self.project.switched, self._forget)

    def showEvent(self, event: Any) -> None:
        """Look for neighbours when somebody looks."""
        super().showEvent(event)
        self._seen(True)

    def _seen(self, seen: bool) -> None:
        self._is_seen = seen
        if seen:
            self.refresh()

    def _forget(self) -> None:
        self.found = self._shown_of = None
        self._draw()

    def refresh(self) -> None:
        """Look for the neighbours of the prepared bands, in a thread, unless they are shown already
        or nobody looks.
        """
        memory = self.project.memory
        cube: BandCube | None = memory.cube if memory is not None else None
        maps = self.project.maps
        if not self._is_seen or (cube is not None and self._shown_of == (id(cube), id(maps))):
            return
        if cube is None:
            self.message.say(
                f"Predict maps first, best with {MODEL}: the bands that it looks at are then on "
                "one grid."
            )
            return
        self._asked += 1
        asked, self._shown_of = self._asked, (id(cube), id(maps))
        name = self.project.name or "This galaxy"

        def work() -> Steps[NeighboursFound | str]:
            from ...models.registry import load_model
            from ...training.stellar_unet.neighbours import distance_in_words, neighbours_of

            try:
                yield Progress("neighbours", 0, 3, MODEL)
                model: StellarUNet = load_model(MODEL)  # type: ignore[assignment]
                yield Progress("neighbours", 1, 3, "those that look alike")
                near = neighbours_of(model, cube, COUNT)
                words = distance_in_words(model, near[0].distance, name) if near else ""
                yield Progress("neighbours", 2, 3, "whether there are any")
                return NeighboursFound(cube, maps, near, words, model.remarks(cube))
            except GalaxyMapsError as error:
                return words_of(error)

        def take(result: NeighboursFound | str) -> None:
            if asked == self._asked:
                self.found = result if isinstance(result, NeighboursFound) else None
                self.message.say("" if isinstance(result, NeighboursFound) else result)
                self._draw()

        self.workspace.side_jobs.start("Looking for neighbours", work, take, self)

    def _draw(self) -> None:
        found = self.found
        self.save.setEnabled(found is not None)
        self.done.setText("")
        self.distance.setText("" if found is None else " ".join([found.distance, *found.remarks]))
        if found is None:
            if self.canvas is not None:
                self.canvas.hide()
            return
        if self.canvas is None:
            self.canvas = plots.make_canvas(150 * (COUNT + 1))
            self.place.insertWidget(3, self.canvas, 1)
        draw(
            self.canvas.figure,
            found,
            str(self.property_box.currentData()),
            self.project.name or "this galaxy",
        )
        self.canvas.show()
        plots.dye(self.canvas, self.inks)

    def _ask_save(self) -> None:
        name = f"{self.project.file_stem}_neighbours.png"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the figure", name, "PNG (*.png);;PDF (*.pdf);;SVG (*.svg)"
        )
        if not path:
            return
        try:
            plots.save_figure(self.canvas, path)
        except GalaxyMapsError as error:
            self.message.say(worker.problem_of(error))
        else:
            self.done.setText(f"Saved in {path}.")


def draw(figure: Any, found: NeighboursFound, name: str, title: str) -> None:
    """A row for the galaxy and for each of its neighbours: a picture in colours, and a map of one
    property on one scale.
    """
    from ...training.stellar_unet.neighbours import composite

    prop = PROPERTIES[name]
    figure.clear()
    axes = figure.subplots(len(found.neighbours) + 1, 2, squeeze=False)
    rows = [
        (
            title,
            found.cube.data,
            found.cube.bands,
            found.maps.values.get(name) if found.maps else None,
        )
    ]
    rows += [
        (
            f"{n.words}; distance {n.distance:.2f}",
            n.mock.data,
            n.mock.view.bands,
            n.mock.truth[name],
        )
        for n in found.neighbours
    ]
    known = np.concatenate(
        [plane[np.isfinite(plane)] for *_, plane in rows if plane is not None] or [[]]
    )
    top = float(np.percentile(known, 99.7)) if known.size else 0.0
    low, high = prop.limits if name == "AGE_STAR" else (top - 3.5, top)
    for (left, right), (words, data, bands, plane) in zip(axes, rows, strict=True):
        left.imshow(composite(data, tuple(bands)), origin="lower")
        left.set_title(words, fontsize=8, color=plots.INK, loc="left")
        if plane is not None:
            shown = right.imshow(plane, origin="lower", vmin=low, vmax=high, cmap=prop.colormap)
            bar = figure.colorbar(shown, ax=right, fraction=0.05)
            bar.ax.tick_params(colors=plots.INK, labelsize=7)
        else:
            right.text(
                0.5,
                0.5,
                "no such map yet",
                ha="center",
                va="center",
                fontsize=8,
                color=plots.FAINT_INK,
            )
            right.set_facecolor(plots.GROUND)
        for ax in (left, right):
            ax.set_xticks([])
            ax.set_yticks([])
    axes[0, 1].set_title(f"{name} predicted; below, true", fontsize=8, color=plots.INK, loc="left")
