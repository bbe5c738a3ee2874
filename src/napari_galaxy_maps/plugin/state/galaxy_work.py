"""One galaxy and all that is made of it: what is put aside when another galaxy is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from ...data.cube import BandCube
from ...data.galaxy import BandImage, Galaxy
from ...data.maps import PropertyMaps
from ...data.recipe import Recipe
from ..ground.sky_plane import Reference
from .opened_files import ImageFiles
from .results import Result

if TYPE_CHECKING:
    from ...pipeline import FittedTruth, PredictionMemory


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

    def take_up(self, other: GalaxyWork) -> None:
        """Go on with another galaxy's work, which is shared and not copied."""
        for each in fields(GalaxyWork):
            setattr(self, each.name, getattr(other, each.name))

    def put_aside(self) -> GalaxyWork:
        """This galaxy's work on its own."""
        return GalaxyWork(**{each.name: getattr(self, each.name) for each in fields(GalaxyWork)})

    # What follows from it ------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been opened."""
        return not (self.files.places() or self.results or self.truths)

    @property
    def header_name(self) -> str:
        """The name that the headers agree on."""
        return self.galaxy.name if self.galaxy is not None and self.galaxy.name != "galaxy" else ""

    @property
    def name(self) -> str:
        """The galaxy's name as layers carry it: as given, or as all headers have it; else empty."""
        return self.recipe.galaxy.name or self.header_name

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
