"""What is known of the galaxy that one viewer is working on: its files, recipe, images, prepared
bands and maps, and the truths to compare them with.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...data.cube import BandCube
from ...data.galaxy import BandImage, Ellipse, Galaxy
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ...exceptions import GalaxyMapsError, RecipeError
from ...fits_io.named_files import files_of_recipe, same_file
from ...fits_io.safe_writing import readers
from ..ground.sky_plane import Reference, centre_of
from .opened_files import FileState, ImageFiles, ReadyFile

if TYPE_CHECKING:
    from ...pipeline import FittedTruth, PredictionMemory

_STEPS_MS = 100


class Project:
    """One galaxy and all that is made of it. Widgets and jobs read it, change it through its
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
    truths_changed = Signal()
    """What there is to compare with, or which of it is chosen."""
    started_over = Signal()
    """Another galaxy follows."""
    message = Signal(str)
    """A sentence for the person, beside the notification."""

    def __init__(self) -> None:
        self._steps_wait = False
        self.forget()
        readers.add(self)  # nothing that is saved replaces an image that is open

    def forget(self) -> None:
        """Forget everything; see `announce`."""
        self.recipe = Recipe()
        self.files = ImageFiles()
        self.galaxy: Galaxy | None = None
        self.galaxy_problem = ""
        """Why the images make no galaxy."""
        self.memory: PredictionMemory | None = None
        """What the jobs remember, so that nothing is done twice."""
        self.step_images: dict[tuple[str, str], BandImage] = {}
        """What the preparing steps made of the images, by step and band."""
        self.step_notes: dict[str, list[str]] = {}
        """What the preparing steps did, in words."""
        self.shown_steps: set[str] = set()
        """The steps whose images are asked for as layers."""
        self.cube: BandCube | None = None
        self.maps: PropertyMaps | None = None
        self.residual: PropertyMaps | None = None
        """Maps minus truth."""
        self.saved = False
        """Whether the maps are in a file."""
        self.fitted: FittedTruth | None = None
        """The truth that was fitted to the far infrared."""
        self.truths: dict[str, PropertyMaps] = {}
        self.truth_name = ""
        self.reference: Reference | None = None
        """Where the tangent plane of all layers touches the sky."""
        self._compared: tuple[int, int] | None = None

    def announce(self) -> None:
        """Let everybody look at everything anew."""
        for signal in (
            self.files_changed,
            self.recipe_changed,
            self.galaxy_changed,
            self.steps_changed,
            self.cube_changed,
            self.truths_changed,
            self.maps_changed,
        ):
            signal.emit()

    def show_message(self, text: str) -> None:
        """Show a sentence in the panels."""
        self.message.emit(text)

    # Name and place ------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The galaxy's name as layers carry it: as given, or as all headers have it; else empty."""
        return self.recipe.galaxy.name or self.header_name

    @property
    def header_name(self) -> str:
        """The name that the headers agree on."""
        return self.galaxy.name if self.galaxy is not None and self.galaxy.name != "galaxy" else ""

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
        """The galaxy's ellipse as the last preparation has measured it."""
        kept = self.memory.kept if self.memory is not None else {}
        return next((value[2] for (step, _), value in kept.items() if step == "extent"), None)

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
        if renamed:
            self.name_changed.emit()
        self.recipe_changed.emit()

    def take_recipe_in(self, folder: Path) -> None:
        """Take over the recipe that lies in a folder, where there is one and no setting has been
        changed yet.
        """
        from ...fits_io.recipe_files import read_recipe

        recipes = sorted(folder.glob("*.toml"))
        if len(recipes) == 1 and self.recipe == Recipe():
            self.recipe = read_recipe(recipes[0])
            self.recipe_changed.emit()

    def file_rows(self) -> list[FileState]:
        """The rows of the table of files."""
        return self.files.rows(self.recipe.input)

    def reads(self, place: Path) -> bool:
        """Whether a file is one of the images, or is named in the recipe."""
        images = [image.path for image in list(self.files.found)]
        return any(same_file(place, path) for path in (*images, *files_of_recipe(self.recipe)))

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
            self.galaxy, self.galaxy_problem = None, str(error)
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

    def set_maps(
        self, maps: PropertyMaps, residual: PropertyMaps | None, truth: PropertyMaps | None
    ) -> None:
        """New maps, and their residuals against a truth; `maps_changed` is for who shows them, once
        they are shown.
        """
        self.maps, self.residual, self.saved = maps, residual, False
        self._compared = id(maps), id(truth)

    def mark_saved(self, maps: PropertyMaps) -> None:
        """These maps are in a file now."""
        self.saved = self.maps is maps

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
    def truth(self) -> PropertyMaps | None:
        """The maps to compare with."""
        return self.truths.get(self.truth_name)

    @property
    def is_compared(self) -> bool:
        """Whether the residuals are those of the maps and the truth as they are."""
        return self._compared == (id(self.maps), id(self.truth))

    def begin_comparison(self) -> None:
        """From now on the residuals are those of the maps and the truth as they are, which
        `set_residual` may bring later.
        """
        self._compared = id(self.maps), id(self.truth)

    def set_residual(self, residual: PropertyMaps | None) -> None:
        """New residuals; `maps_changed` is for who shows them, once they are shown."""
        self.residual = residual
