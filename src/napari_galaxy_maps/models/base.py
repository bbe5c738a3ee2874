"""What every model is: a card, bands that it takes, and maps that it predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..progress import Progress, Steps

if TYPE_CHECKING:
    from ..data.cube import BandCube
    from ..data.galaxy import Galaxy
    from ..data.maps import PropertyMaps
    from .card import ModelCard

RELATIONS = "relations"
"""Name of the feature that tells a model whether scaling relations count."""


class Model(Protocol):
    """A model; a class of this shape, its weights and its card in a folder, and a row in
    ``registry.json`` are all that a new one takes.
    """

    has_remarks: ClassVar[bool]
    """Whether `remarks` may say anything that matters before a prediction; where not, its weights
    are not read to prepare a cube.
    """

    @property
    def name(self) -> str:
        """Its name in the registry."""
        ...

    @property
    def card(self) -> ModelCard:
        """What a person should know of it, and the bands and features that it has."""
        ...

    @property
    def weights_hash(self) -> str:
        """SHA-256 of its weights file."""
        ...

    @property
    def reach(self) -> int:
        """Pixels within which a pixel has an influence on others; 0: each is predicted alone."""
        ...

    @classmethod
    def from_bytes(cls, blob: bytes, card: ModelCard, weights_hash: str = "") -> Model:
        """The model in a weights file; raises `ModelError` where the bytes are no such file."""
        ...

    @classmethod
    def band_advice(cls, card: ModelCard, bands: Sequence[str]) -> str:
        """A sentence on the bands that it is given: what is missing, what would make it better."""
        ...

    def check_bands(self, bands: Sequence[str]) -> tuple[str, ...]:
        """The bands out of `bands` that it uses; raises `ModelError` where they do not suffice."""
        ...

    def predict_steps(
        self,
        cube: BandCube,
        device: str = "auto",
        where: tuple[slice, slice] | None = None,
    ) -> Steps[PropertyMaps]:
        """Predict maps, yielding how far it is.

        Parameters
        ----------
        cube : BandCube
            Surface brightness in MJy/sr in any bands.
        device : str
            ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        where : tuple of slice, optional
            Rows and columns to predict, of maps of the whole cube's size; by default all.

        Raises
        ------
        ModelError
            When the bands do not suffice or the device is not there.
        """
        ...

    def remarks(self, cube: BandCube) -> list[str]:
        """What is odd about a cube that it predicts from, in sentences for a person."""
        ...

    def predict(
        self,
        cube: BandCube,
        device: str = "auto",
        progress: Callable[[Progress], None] | None = None,
    ) -> PropertyMaps:
        """`predict_steps` run to its end."""
        ...


class ModelWithPrior(Model, Protocol):
    """A model that may count on the scaling relations of galaxies or not, where its weights were
    taught both: its card's features then hold `RELATIONS`.
    """

    def without_relations(self) -> Model:
        """The same model, which takes anything for as likely; ``provenance["prior"]`` says so."""
        ...


class ModelWithMembers(Model, Protocol):
    """A model that may look at a galaxy in several orientations, and average what it sees."""

    def with_members(self, members: int) -> Model:
        """The same model in 1 to 8 orientations; ``provenance["members"]`` says in how many."""
        ...


class ModelThatForesees(Model, Protocol):
    """A model that can be asked before a prediction, by its card alone or a prepared cube."""

    @classmethod
    def bands_used(cls, card: ModelCard, bands: Sequence[str]) -> tuple[str, ...]:
        """`check_bands` by the card alone."""
        ...

    @classmethod
    def without_distance(cls, card: ModelCard, galaxy: Galaxy, pixel_arcsec: float | None) -> str:
        """What it lacks of a galaxy's redshift and distance, and what that costs, in a sentence;
        empty where it lacks nothing.

        Parameters
        ----------
        card : ModelCard
        galaxy : Galaxy
        pixel_arcsec : float or None
            Side of the pixels of its maps, where that is known.
        """
        ...

    def flagged_ahead(self, cube: BandCube) -> float:
        """The share of a galaxy's pixels that would be flagged as unlike anything that it was
        trained on.
        """
        ...
