"""What is measured by hand: apertures and their history, on which maps or images, and the values in
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...exceptions import GalaxyMapsError, InputError
from ...measure.apertures.aperture import Aperture
from ...measure.apertures.photometry import Options, measure_apertures, measured_columns, rehearse
from ...measure.apertures.planes import Planes, planes_of
from ..eventloop import worker
from ..ground.edit_history import History
from ..ground.put_aside import state_of, take_state
from ..ground.window_words import words_of
from .project import Project

if TYPE_CHECKING:
    from astropy.table import QTable

Row = dict[str, np.ndarray]
"""The values of one aperture by column, an array over the maps; see
`measure.apertures.photometry.measure_apertures`.
"""

MAPS, CUBE = "the maps", "the prepared bands"


@dataclass(eq=False)
class ApertureWork:
    """The apertures on one galaxy.

    Attributes
    ----------
    history : History
        The apertures as they are and were.
    selected : tuple of int
        The numbers of those that are selected.
    options : Options
        How they are measured.
    source : str
        What is chosen to be measured; empty for the first that there is.
    """

    history: History[tuple[Aperture, ...]] = field(default_factory=lambda: History(()))
    selected: tuple[int, ...] = ()
    options: Options = field(default_factory=Options)
    source: str = ""


class ApertureMeasurements(ApertureWork):
    """The apertures on a galaxy and what is in them.

    Parameters
    ----------
    project : Project
        Whose maps and images are measured.
    """

    changed = Signal()
    """The apertures."""
    measured = Signal()
    """Their values, or what they are measured on."""
    moved = Signal(int)
    """The values of one aperture, while it is dragged."""
    selection_changed = Signal()

    def __init__(self, project: Project):
        super().__init__()
        self.project = project
        self.rows: list[Row | str] = []
        """What is in each aperture, or why nothing is."""
        self.problem = ""
        self._planes: tuple[Any, Planes] | None = None
        self._distance: float | None = None
        self._asked = 0
        self._watched = False
        for signal in (
            project.maps_changed,
            project.cube_changed,
            project.truths_changed,
            project.galaxy_changed,
        ):
            signal.connect(self.refresh)
        project.recipe_changed.connect(self._recipe_changed)

    def put_aside(self) -> ApertureWork:
        """The apertures of this galaxy, on their own."""
        return state_of(self, ApertureWork)

    def take_up(self, state: ApertureWork | None) -> None:
        """Go on with another galaxy; see `announce`."""
        take_state(self, state or ApertureWork())
        self._planes, self.rows, self.problem = None, [], ""

    def announce(self) -> None:
        """Let everybody look at everything anew."""
        self._changed(self.selected)

    # What is measured ----------------------------------------------------------------------------

    @property
    def sources(self) -> dict[str, Any]:
        """What could be measured, by what a person calls it."""
        project = self.project
        found: dict[str, Any] = {}
        if project.maps is not None:
            found[MAPS] = project.maps
        if project.cube is not None:
            found[CUBE] = project.cube
        elif project.memory is not None and project.memory.cube is not None:
            found[CUBE] = project.memory.cube
        found |= {f"truth: {name}": maps for name, maps in project.truths.items()}
        if project.galaxy is not None:
            found |= {f"image: {name}": image for name, image in project.galaxy.images.items()}
        return found

    @property
    def chosen(self) -> str:
        """The name of what is measured; empty where there is nothing."""
        sources = self.sources
        return self.source if self.source in sources else next(iter(sources), "")

    def choose(self, source: str) -> None:
        """Measure something else."""
        if source != self.chosen:
            self.source = source
            self.refresh()

    def set_options(self, options: Options) -> None:
        """Measure otherwise."""
        if options != self.options:
            self.options = options
            self.refresh()

    @property
    def planes(self) -> Planes | None:
        """What is measured, once it is ready."""
        return self._planes[1] if self._planes is not None else None

    def watch(self, watched: bool) -> None:
        """Whether somebody looks at what is measured; nothing is made ready before."""
        before, self._watched = self._watched, watched
        if watched and not before and self._planes is None:
            self.refresh()

    def planes_for(self, content: Any) -> Planes | None:
        """The planes of some maps or images, if they are ready."""
        return self._planes[1] if self._planes is not None and self._planes[0] is content else None

    def _recipe_changed(self) -> None:
        if self.project.recipe.galaxy.distance != self._distance:
            self._planes = None  # sums are others
            self.refresh()

    # Apertures -----------------------------------------------------------------------------------

    @property
    def apertures(self) -> tuple[Aperture, ...]:
        """The apertures as they are now."""
        return self.history.now

    def change(
        self, apertures: Sequence[Aperture], description: str, select: Sequence[int] | None = None
    ) -> None:
        """Other apertures, which Undo takes back; `description` says what was done."""
        self.history.push(tuple(apertures), description)
        self._changed(self.selected if select is None else select)

    def exchange(self, number: int, aperture: Aperture, description: str) -> None:
        """Another aperture in the place of one."""
        self.change(
            [*self.apertures[:number], aperture, *self.apertures[number + 1 :]], description
        )

    def add(self, added: Sequence[Aperture], description: str) -> None:
        """More apertures, numbered where they have no names."""
        first = len(self.apertures)
        taken = {aperture.name for aperture in self.apertures}
        named: list[Aperture] = []
        for aperture in added:
            name = aperture.name or next(
                str(n) for n in range(1, len(taken) + 2) if str(n) not in taken
            )
            taken.add(name)
            named.append(replace(aperture, name=name))
        self.change([*self.apertures, *named], description, range(first, first + len(named)))

    def delete(self, numbers: Sequence[int]) -> None:
        """Take apertures away."""
        kept = [aperture for i, aperture in enumerate(self.apertures) if i not in set(numbers)]
        if len(kept) < len(self.apertures):
            self.change(kept, "the deletion", ())

    def undo(self) -> None:
        """Take the last change back."""
        if self.history.undo():
            self._changed(())

    def redo(self) -> None:
        """Do again what was undone."""
        if self.history.redo():
            self._changed(())

    def select(self, numbers: Sequence[int]) -> None:
        """Select apertures by their numbers."""
        if tuple(numbers) != self.selected:
            self.selected = tuple(numbers)
            self.selection_changed.emit()

    def _changed(self, select: Sequence[int]) -> None:
        self.selected = tuple(i for i in select if i < len(self.apertures))
        self.changed.emit()
        self.selection_changed.emit()
        self.refresh()

    # Values --------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Measure anew, beside whatever else is done; what has been measured already costs
        nothing.
        """
        content, apertures, options = self.sources.get(self.chosen), self.apertures, self.options
        self._asked += 1
        self._distance = distance = self.project.recipe.galaxy.distance
        asked, known = self._asked, self.planes_for(content)
        if content is None or not (apertures or self._watched):
            self._planes, self.rows, self.problem = None, [], ""
            self.measured.emit()
            return

        def measure() -> tuple[Planes, list[Row | str]]:
            planes = known
            if planes is None:
                planes = planes_of(content, distance_mpc=distance)
                rehearse(planes)
            return planes, rows_of(planes, apertures, options) if apertures else []

        def take(result: tuple[Planes, list[Row | str]]) -> None:
            if asked == self._asked:
                self._planes, self.rows = (content, result[0]), result[1]
                self.problem = next((row for row in self.rows if isinstance(row, str)), "")
                self.measured.emit()

        if (
            known is not None
            and sum((aperture, options) not in known.memo for aperture in apertures) <= 2
        ):
            take(measure())  # a moment, so that the row is right when the mouse is let go
            return
        worker.fetch(measure, take)

    def drag(self, number: int, aperture: Aperture) -> None:
        """Measure one aperture where it is held just now."""
        if self._planes is None or number >= len(self.rows):
            return
        self.rows[number] = rows_of(self._planes[1], [aperture], self.options)[0]
        self.moved.emit(number)

    def table(self) -> QTable:
        """Every aperture that can be measured, on every map.

        Raises
        ------
        InputError
            When there is none.
        """
        if self._planes is None:
            raise InputError("There is nothing to measure yet; open images or predict maps first.")
        good = [
            a for a, row in zip(self.apertures, self.rows, strict=False) if not isinstance(row, str)
        ]
        return measure_apertures(self._planes[1], good, self.options)


def rows_of(planes: Planes, apertures: Sequence[Aperture], options: Options) -> list[Row | str]:
    """The values of each aperture, or the sentence that says why it has none."""
    try:
        columns, empty = measured_columns(planes, apertures, options)
    except GalaxyMapsError as error:
        if len(apertures) == 1:
            return [words_of(error)]
        return [rows_of(planes, [aperture], options)[0] for aperture in apertures]
    n = len(planes.quantities)
    rows = [
        {name: column[i * n : (i + 1) * n] for name, column in columns.items()}
        for i in range(len(apertures))
    ]
    return [empty.get(i, row) for i, row in enumerate(rows)]
