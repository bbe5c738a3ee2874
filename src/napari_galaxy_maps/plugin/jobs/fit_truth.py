"""Fits a truth to the far infrared of the galaxy, and saves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...progress import Progress, Steps
from ..canvas.layer_register import LayerRegister
from ..eventloop.worker import Job, JobRunner
from ..state.mask_history import MaskHistory
from ..state.project import Project
from .open_files import truth_specs
from .prepare_images import fit_stages_of, galaxy_to_prepare

if TYPE_CHECKING:
    from ...pipeline import FittedTruth

TITLE = "Fitting a truth"
NAME = "fit of the far infrared"


class TruthFitter:
    """The jobs about a truth that is fitted.

    Parameters
    ----------
    project : Project
        Whose images they are; takes the truth.
    masks : MaskHistory
        What is masked.
    layers : LayerRegister
        Where the truth shows.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(
        self, project: Project, masks: MaskHistory, layers: LayerRegister, runner: JobRunner
    ):
        self.project, self.masks, self.layers, self.runner = project, masks, layers, runner

    def fit(self) -> Job | None:
        """Prepare the galaxy at the resolution of its far infrared and fit a truth in a thread; it
        becomes the one to compare with.
        """
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        masks = self.masks.for_job(recipe, galaxy.images)

        def steps() -> Steps[FittedTruth]:
            from ...pipeline import truth_maps_steps

            # With a memory of its own: the prediction's is of another resolution.
            return (yield from truth_maps_steps(galaxy, recipe, masks))

        def fitted(result: FittedTruth) -> None:
            project.set_fitted(NAME, result)
            self.layers.show_later(truth_specs(project, self.layers, NAME, result.truth.maps))

        stages = fit_stages_of(recipe)
        return self.runner.start(TITLE, steps, on_result=fitted, stages=stages)

    def save(self, path: str, done: Callable[[str], None] | None = None) -> Job | None:
        """Write the fitted truth to a FITS file that appears only once it is whole."""
        fitted = self.project.fitted
        if fitted is None:
            return None

        def steps() -> Steps[str]:
            from ...fits_io.map_files import write_maps
            from ...prepare.masks.mask_files import mask_hdus

            yield Progress("save", 0, 1, Path(path).name)
            truth = fitted.truth
            extra = [*truth.hdus(), *mask_hdus(fitted.cube.masks)]
            write_maps(path, truth.maps, overwrite=True, extra=extra)
            return path

        def saved(where: str) -> None:
            if done is not None:
                done(where)

        return self.runner.start("Saving", steps, on_result=saved)
