"""A galaxy on its way from images to a cube: what one step leaves to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...progress import Progress

if TYPE_CHECKING:
    import numpy as np

    from ...data.cube import BandCube
    from ...data.galaxy import BandImage, Ellipse, Galaxy
    from ...data.recipe import Recipe
    from ...progress import Steps
    from ..grid.common_grid import Grid
    from ..masks.mask_set import Masks
    from ..memory import PreparationMemory
    from ..psf.matching import CommonPsf


@dataclass
class Preparation:
    """A galaxy while it is prepared.

    Attributes
    ----------
    galaxy : Galaxy
        As it was given.
    recipe : Recipe
    memory : PreparationMemory
        Results of earlier preparations that still hold.
    given_masks : Masks or None
        Stars and patches to mask, as a person left them.
    gains : dict of str to float
        By band, electrons per unit of the image.
    images : dict of str to BandImage
        By band, as the last step left them.
    ellipse : Ellipse
        D25, as given or measured; set by the step ``sky``.
    masks : Masks
        What is masked; set by ``stars``.
    common : CommonPsf
        The PSF that all bands are brought to; set by ``psf``.
    grid : Grid
        The common grid; set by ``psf``, which needs to know how far images count.
    unmasked : dict of str to BandImage
        By band, the image at the common PSF as it is without masks; set by ``psf``.
    noise_area : dict of str to float
        By band, the area over which noise is shared (`BandCube.correlation`); set by ``psf``.
    cube : BandCube
        All bands; set by ``errors``.
    under_masks : ndarray of bool, shape (n_bands, ny, nx)
        What is masked in each band of the cube; set by ``errors``.
    """

    galaxy: Galaxy
    recipe: Recipe
    memory: PreparationMemory
    given_masks: Masks | None
    gains: dict[str, float]
    images: dict[str, BandImage] = field(init=False)
    ellipse: Ellipse = field(init=False)
    masks: Masks = field(init=False)
    common: CommonPsf = field(init=False)
    grid: Grid = field(init=False)
    unmasked: dict[str, BandImage] = field(default_factory=dict)
    noise_area: dict[str, float] = field(default_factory=dict)
    cube: BandCube = field(init=False)
    under_masks: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.images = dict(self.galaxy.images)

    def each_band(self, step: str, change: Callable[[str, BandImage], BandImage]) -> Steps[None]:
        """Change every band's image, and yield it with what was done to it.

        Parameters
        ----------
        step : str
            Whose `Progress` it is.
        change : callable
            From a band's name and image to its new image.
        """
        for done, (name, image) in enumerate(self.images.items(), 1):
            self.images[name] = change(name, image)
            yield band_progress(step, done, len(self.images), self.images[name])


def band_progress(step: str, done: int, total: int, image: BandImage) -> Progress:
    """The progress of a step that has finished a band: its last note, and its image."""
    detail = f"{image.band}: {image.notes[-1]}" if image.notes else str(image.band)
    return Progress(step, done, total, detail, image)
