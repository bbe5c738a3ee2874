"""The galaxy that one viewer is working on: its files, recipe, images, prepared bands and results,
and the truths to compare them with, with every way to change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from psygnal import Signal

from ...data.cube import BandCube
from ...data.galaxy import BandImage, Ellipse
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, RecipeError
from ..ground.edit_history import History
from ..ground.put_aside import state_of, take_state
from ..ground.sky_plane import Reference, centre_of
from ..ground.window_words import words_of
from .entries import SECTIONS, entries_of, with_entries
from .galaxy_work import GalaxyWork
from .opened_files import FileState, ReadyFile
from .results import Result

if TYPE_CHECKING:
    from ...fits_io.image_file import ImageFile
    from ...pipeline import FittedTruth, PredictionMemory

_STEPS_MS = 500


class Project(GalaxyWork):
    """The work on the galaxy that is looked at. Widgets and jobs read it, change it through its
    methods, and hear of changes by its signals.
    """

    files_changed = Signal()
    """The list of files, what is known of them, or which of them are read."""
    files_resettled = Signal()
    """What a person gave for a file changed: it has to be read again."""
    recipe_changed = Signal()
    """A setting."""
    galaxy_changed = Signal()
    """The images that a preparation would start from."""
    name_changed = Signal()
    """The galaxy's name, perhaps."""
    steps_changed = Signal()
    """What the preparing steps did."""
    cube_changed = Signal()
    maps_changed = Signal()
    results_changed = Signal()
    """Which results there are, which of them is looked at, or what is known of one."""
    truths_changed = Signal()
    """What there is to compare with, or which of it is chosen."""
    switched = Signal()
    """Another galaxy is looked at."""
    message = Signal(str)
    """A sentence for the person; see `show_message`."""

    def __init__(self) -> None:
        super().__init__()
        self._steps_wait = False
        self.announcing = False
        """Whether all signals are being sent, one after the other."""
        self._readers: list[WeakMethod[Callable[[], bool]]] = []

    def put_aside(self) -> GalaxyWork:
        """The work on this galaxy, on its own."""
        return state_of(self, GalaxyWork)

    def take_up(self, state: GalaxyWork | None) -> None:
        """Go on with another galaxy; see `announce`."""
        take_state(self, state or GalaxyWork())

    def announce(self) -> None:
        """Let everybody look at everything anew; whoever listens to several signals may wait for
        `switched`.
        """
        self.announcing = True
        try:
            for signal in (
                self.files_changed,
                self.recipe_changed,
                self.galaxy_changed,
                self.steps_changed,
                self.cube_changed,
                self.truths_changed,
                self.results_changed,
                self.maps_changed,
            ):
                signal.emit()
        finally:
            self.announcing = False
        self.switched.emit()

    def show_message(self, text: str, wrong: bool = False) -> None:
        """Tell the person a sentence, in the panels or, where nobody can see one, in a notification
        of napari.

        Parameters
        ----------
        text : str
            The sentence; empty to take the one before away.
        wrong : bool
            Whether something is wrong.
        """
        self.message.emit(text)
        readers = [reader() for reader in self._readers]
        if text and not any(is_seen() for is_seen in readers if is_seen is not None):
            from ..eventloop import worker

            worker.notify(text, wrong)

    def read_by(self, is_seen: Callable[[], bool]) -> None:
        """Let a panel that shows messages tell, by one of its methods, whether anybody can see
        it.
        """
        alive = [reader for reader in self._readers if reader() is not None]
        self._readers = [*alive, WeakMethod(is_seen)]

    def show_problem(self, text: str) -> None:
        """Tell the person in a sentence what is wrong."""
        self.show_message(text, wrong=True)

    # Name and place ------------------------------------------------------------------------------

    @property
    def file_stem(self) -> str:
        """What the names of its files begin with."""
        return (self.name or "galaxy").replace(" ", "_")

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands of the galaxy's images."""
        return tuple(self.galaxy.images) if self.galaxy is not None else ()

    def place(self, image_or_maps: BandImage | PropertyMaps) -> Reference:
        """Where the tangent plane touches: the middle of the first thing ever shown, while any of
        it is open.
        """
        if self.reference is None:
            self.reference = centre_of(image_or_maps.wcs, image_or_maps.shape)
        return self.reference

    def forget_place(self) -> None:
        """Another part of the sky may be shown next."""
        self.reference = None

    def measured_ellipse(self) -> Ellipse | None:
        """The galaxy's ellipse as the last preparation, or look at the images, has measured it: on
        another band, perhaps, than those before.
        """
        kept = list(self.memory.kept.items()) if self.memory is not None else []
        return next((value[2] for (step, _), value in reversed(kept) if step == "extent"), None)

    def ellipse(self) -> Ellipse | None:
        """The galaxy's ellipse: as typed or drawn, as the last preparation has measured it, or as
        the maps have it.
        """
        from ...measure.profiles.ellipses import recipe_ellipse

        if self.galaxy is not None and self.galaxy.ellipse is not None:
            return self.galaxy.ellipse
        measured = self.measured_ellipse()
        if measured is not None:
            return measured
        return recipe_ellipse(self.maps.provenance) if self.maps is not None else None

    # Recipe and files ----------------------------------------------------------------------------

    def set_recipe(self, section: str, **values: Any) -> None:
        """Change settings of one section of the recipe.

        Raises
        ------
        RecipeError
            In words, when a value makes no sense; nothing is changed then.
        """
        self.set_values(section, values)

    def set_values(self, section: str, values: Mapping[str, Any], description: str = "") -> None:
        """`set_recipe`, with a description of what is done, to be read after "Undo"."""
        from pydantic import ValidationError

        from ...data.assignments import given_up
        from ...data.section import what_is_wrong
        from ...data.setting import description_with_unit

        new = self.recipe.model_copy(deep=True)
        part = getattr(new, section)
        given = [f"{section}.{key}" for key, value in values.items() if value not in (None, "")]
        for name, nothing in given_up(given).items():
            other, _, key = name.partition(".")
            setattr(getattr(new, other), key, nothing)
        for key, value in values.items():
            try:
                setattr(part, key, value)
            except ValidationError as error:
                what = description_with_unit(type(part).model_fields[key])
                wrong = next(iter(what_is_wrong(error).values()))
                raise RecipeError(f"{what}: {wrong}.") from None
        if new == self.recipe:
            return
        renamed = new.galaxy.name != self.recipe.galaxy.name
        self.recipe = new
        if section in SECTIONS:
            words = ", ".join(key.replace("_", " ") for key in values)
            self.record(description or f"the change of {words}")
        if renamed:
            self.name_changed.emit()
        self.recipe_changed.emit()

    def set_galaxy(self, **values: Any) -> None:
        """Change what is known of the galaxy, and make it anew; see `galaxy_problem`.

        Raises
        ------
        RecipeError
            As `set_recipe`.
        """
        self.set_recipe("galaxy", **values)
        self.make_galaxy()

    def resettle(self, **table: Any) -> None:
        """Change what is said of the files, and settle them anew.

        Raises
        ------
        RecipeError
            As `set_recipe`.
        """
        self.set_recipe("input", **table)
        self.files_changed.emit()
        self.files_resettled.emit()

    def set_whole_recipe(self, recipe: Recipe) -> None:
        """Take over a recipe, as that of a file; Undo takes back only what is entered after it."""
        self.recipe = recipe
        self.edits = History(entries_of(recipe, self.files))
        self.name_changed.emit()
        self.recipe_changed.emit()

    def undo(self) -> None:
        """Take back what was entered last: of the files, or of the galaxy."""
        if self.edits.undo():
            self._take_entries()

    def redo(self) -> None:
        """Enter again what was undone."""
        if self.edits.redo():
            self._take_entries()

    def _take_entries(self) -> None:
        entries = self.edits.now
        self.recipe = with_entries(self.recipe, entries)
        self.files.found, self.files.passed = list(entries.found), list(entries.passed)
        self.name_changed.emit()
        self.recipe_changed.emit()
        self.make_galaxy()
        self.files_resettled.emit()

    def take_recipe_in(self, folder: Path) -> None:
        """Take over the recipe that lies in a folder, where there is one and no setting has been
        changed yet.
        """
        from ...fits_io.recipe_files import read_recipe

        recipes = sorted(folder.glob("*.toml"))
        if len(recipes) == 1 and self.recipe == Recipe():
            self.set_whole_recipe(read_recipe(recipes[0]))

    def take(self, files: Iterable[ImageFile], maps: Iterable[tuple[str, PropertyMaps]]) -> None:
        """Take images and maps in; see `files_changed` for the images."""
        maps = list(maps)
        super().take(files, maps)
        if maps:
            self.truths_changed.emit()
            self.results_changed.emit()

    def file_rows(self) -> list[FileState]:
        """The rows of the table of files."""
        return self.files.rows(self.recipe.input)

    def ready_files(self) -> list[ReadyFile]:
        """The files that can be read."""
        return self.files.ready(self.recipe.input)

    def file_problems(self) -> list[str]:
        """What is wrong with the files that the person wants, a sentence each."""
        return [
            f"{row.found.label}: {row.problem}"
            for row in self.file_rows()
            if row.used and row.problem
        ]

    def make_galaxy(self) -> None:
        """Make the galaxy from the images that are read and wanted; None where there is none."""
        from ...fits_io.galaxies import make_galaxy

        images = self.files.images(self.ready_files())
        try:
            self.galaxy = make_galaxy(images, self.recipe.galaxy) if images else None
            self.galaxy_problem = ""
        except GalaxyMapsError as error:
            self.galaxy, self.galaxy_problem = None, words_of(error)
        self.name_changed.emit()
        self.galaxy_changed.emit()
        self.files_changed.emit()

    # Steps and results ---------------------------------------------------------------------------

    def kept_memory(self) -> PredictionMemory:
        """What the jobs remember, begun on first use."""
        if self.memory is None:
            from ...pipeline import PredictionMemory

            self.memory = PredictionMemory()
        return self.memory

    def clear_steps(self) -> None:
        """Forget what the preparing steps did: they are done anew."""
        self.step_notes.clear()
        self.step_images.clear()
        self.steps_changed.emit()

    def keep_step(self, step: str, note: str, result: object) -> None:
        """Remember what a preparing step did."""
        if note:
            self.step_notes.setdefault(step, []).append(note)
        if isinstance(result, BandImage):
            self.step_images[step, result.band.name] = result
        self._emit_steps_soon()

    def replace_steps(
        self, notes: dict[str, list[str]], images: dict[tuple[str, str], BandImage]
    ) -> None:
        """Remember what all the preparing steps did; `steps_changed` is for who shows it."""
        self.step_notes, self.step_images = notes, images

    def _emit_steps_soon(self) -> None:
        """Emit `steps_changed` in a moment, however many steps end until then: each time panels
        are painted anew.
        """
        if not self._steps_wait:
            self._steps_wait = True
            from qtpy.QtCore import QTimer

            QTimer.singleShot(_STEPS_MS, self._emit_steps)

    def _emit_steps(self) -> None:
        self._steps_wait = False
        self.steps_changed.emit()

    def set_cube(self, cube: BandCube) -> None:
        """New prepared bands."""
        self.cube = cube
        self.steps_changed.emit()
        self.cube_changed.emit()

    # Results -------------------------------------------------------------------------------------

    def result_like(self, recipe: Recipe) -> Result | None:
        """The result of the same model, the same settings and the same images, if there is one: a
        prediction with other masks takes its place.
        """
        inputs = self.checksums
        same = [
            result
            for result in self.results
            if not result.opened
            and bool(result.recipe.sharpen.coarse) == bool(recipe.sharpen.coarse)
            and result.recipe.model.name == recipe.model.name
            and result.recipe.model.prior == recipe.model.prior
            and result.recipe.model.members == recipe.model.members
            and not result.differences(recipe, inputs)
        ]
        return self.result if self.result in same else next(iter(same), None)

    def add_result(self, result: Result) -> Result:
        """Keep one more result under a label of its own, and look at it."""
        before = self.name
        self.keep_result(result)
        if self.name != before:
            self.name_changed.emit()
        self.results_changed.emit()
        return result

    def choose_result(self, result: Result) -> None:
        """Look at another result; `maps_changed` is for who shows it, once it is shown."""
        if result in self.results and result is not self.result:
            self.result = result
            self.results_changed.emit()

    def remove_result(self, result: Result) -> None:
        """Forget a result; another one is looked at then."""
        if result in self.results:
            at = self.results.index(result)
            self.results.remove(result)
            if self.result is result:
                self.result = self.results[min(at, len(self.results) - 1)] if self.results else None
            self.results_changed.emit()

    def differences(self, result: Result) -> list[str]:
        """What is set otherwise now than when a result was made."""
        return result.differences(self.recipe, self.checksums)

    def mark_saved(self, maps: PropertyMaps) -> None:
        """These maps are in a file now."""
        for result in self.results:
            if result.maps is maps:
                result.saved = True
        self.results_changed.emit()

    # Truths --------------------------------------------------------------------------------------

    def add_truth(self, name: str, maps: PropertyMaps, choose: bool = False) -> None:
        """Offer `maps` for comparison under `name`."""
        if self.truths.get(name) is not maps:
            self.truths[name] = maps
            if choose:
                self.truth_name = name
            self.truths_changed.emit()
        elif choose:
            self.choose_truth(name)

    def set_fitted(self, name: str, fitted: FittedTruth) -> None:
        """Offer a truth that was fitted to the far infrared, and choose it."""
        self.fitted = fitted
        self.add_truth(name, fitted.truth.maps, choose=True)
        self.truths_changed.emit()

    def choose_truth(self, name: str) -> None:
        """Compare with the maps offered under `name`; with none when it is empty."""
        if name != self.truth_name:
            self.truth_name = name if name in self.truths else ""
            self.truths_changed.emit()

    @property
    def is_compared(self) -> bool:
        """Whether the residuals are those of the maps and the truth as they are."""
        return self.result is None or self.result.truth is self.truth

    def begin_comparison(self) -> None:
        """From now on the residuals are those of the maps and the truth as they are, which may be
        brought later.
        """
        if self.result is not None:
            self.result.truth, self.result.residual = self.truth, None
