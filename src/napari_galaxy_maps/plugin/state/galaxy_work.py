"""One galaxy and all that is made of it: what is put aside when another galaxy is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.cube import BandCube
from ...data.galaxy import BandImage, Galaxy
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ...fits_io.named_files import files_of_recipe, same_file
from ..ground.edit_history import History
from ..ground.sky_plane import Reference
from .entries import Entries, entries_of
from .opened_files import ImageFiles
from .results import Result, free_label, is_prediction, result_of_file

if TYPE_CHECKING:
    from ...fits_io.image_file import ImageFile
    from ...pipeline import FittedTruth, PredictionMemory


def _nothing_entered() -> History[Entries]:
    return History(entries_of(Recipe(), ImageFiles()))


@dataclass(eq=False)
class GalaxyWork:
    """What is known of one galaxy.

    Attributes
    ----------
    recipe : Recipe
        Its settings.
    files : ImageFiles
        The files of its images, and the images.
    galaxy : Galaxy or None
        What a preparation would start from.
    galaxy_problem : str
        Why the images make no galaxy.
    memory : PredictionMemory or None
        What the jobs remember, so that nothing is done twice.
    step_images : dict of (str, str) to BandImage
        What the preparing steps made of the images, by step and band.
    step_notes : dict of str to list of str
        What the preparing steps did, in words.
    shown_steps : set of str
        The steps whose images are asked for as layers.
    cube : BandCube or None
        The prepared bands.
    results : list of Result
        What was predicted, or opened as such.
    result : Result or None
        The one that is looked at.
    fitted : FittedTruth or None
        The truth that was fitted to the far infrared.
    truths : dict of str to PropertyMaps
        What there is to compare with.
    truth_name : str
        Which of it is chosen.
    reference : tuple of float or None
        RA and Dec in degrees where the tangent plane of its layers touches the sky.
    missing : tuple of SavedFile
        Files of a session that were not found.
    edits : History
        What a person has entered, and before.
    """

    recipe: Recipe = field(default_factory=Recipe)
    files: ImageFiles = field(default_factory=ImageFiles)
    galaxy: Galaxy | None = None
    galaxy_problem: str = ""
    memory: PredictionMemory | None = None
    step_images: dict[tuple[str, str], BandImage] = field(default_factory=dict)
    step_notes: dict[str, list[str]] = field(default_factory=dict)
    shown_steps: set[str] = field(default_factory=set)
    cube: BandCube | None = None
    results: list[Result] = field(default_factory=list)
    result: Result | None = None
    fitted: FittedTruth | None = None
    truths: dict[str, PropertyMaps] = field(default_factory=dict)
    truth_name: str = ""
    reference: Reference | None = None
    missing: tuple[Any, ...] = ()
    edits: History[Entries] = field(default_factory=_nothing_entered)

    def take(self, files: Iterable[ImageFile], maps: Iterable[tuple[str, PropertyMaps]]) -> None:
        """Take images and maps in: a prediction is a result; other maps that lie beside images are
        most likely their truth.
        """
        files = list(files)
        for file in files:
            self.files.add(file)
        if files:
            self.record(
                f"adding {len(files)} images" if len(files) > 1 else f"adding {files[0].label}"
            )
        for name, one in maps:
            if is_prediction(one):
                self.keep_result(result_of_file(name, one))
                continue
            self.truths[name] = one
            if files and not self.truth_name:
                self.truth_name = name

    def record(self, description: str) -> None:
        """Let Undo take back what was entered just now; `description` says what it was."""
        entries = entries_of(self.recipe, self.files)
        if not entries.same_as(self.edits.now):
            self.edits.push(entries, description)

    def keep_result(self, result: Result) -> None:
        """Keep one more result under a label of its own, and look at it."""
        result.label = free_label(result.label, self.results)
        self.results.append(result)
        self.result = result

    # What follows from it ------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been opened."""
        return not (self.files.places() or self.results or self.truths)

    def holds(self, path: Path) -> bool:
        """Whether a file is one of its images."""
        return any(same_file(path, place.path) for place in self.files.places().values())

    def reads(self, place: Path) -> bool:
        """Whether a file is one of the images, or is named in the recipe."""
        images = [image.path for image in list(self.files.found)]
        return any(same_file(place, path) for path in (*images, *files_of_recipe(self.recipe)))

    @property
    def header_name(self) -> str:
        """The name that the headers agree on."""
        return self.galaxy.name if self.galaxy is not None and self.galaxy.name != "galaxy" else ""

    @property
    def name(self) -> str:
        """The galaxy's name as layers carry it: as given, as all headers have it, or as its maps
        have it; else empty.
        """
        known = (result.maps.provenance.get("object") for result in self.results)
        return self.recipe.galaxy.name or self.header_name or str(next(filter(None, known), ""))

    @property
    def maps(self) -> PropertyMaps | None:
        """The maps that are looked at."""
        return self.result.maps if self.result is not None else None

    @property
    def residual(self) -> PropertyMaps | None:
        """Those maps minus the truth."""
        return self.result.residual if self.result is not None else None

    @property
    def truth(self) -> PropertyMaps | None:
        """The maps to compare with."""
        return self.truths.get(self.truth_name)

    @property
    def unsaved(self) -> list[Result]:
        """Results that are in no file."""
        return [result for result in self.results if not result.saved]

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the images by band, as far as known."""
        images = self.galaxy.images if self.galaxy is not None else {}
        return {name: str(image.meta.get("checksum", "")) for name, image in images.items()}
