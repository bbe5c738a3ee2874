"""Predicts maps of the galaxy and shows them, with their residuals where there is a truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data.maps import PropertyMaps
from ...data.sharpen_settings import SharpenSettings
from ...exceptions import GalaxyMapsError
from ...progress import Progress, Steps
from ..canvas.map_views import MapViews
from ..eventloop.job_stages import Stage
from ..eventloop.worker import Job, JobRunner
from ..ground.window_words import words_of
from ..state.mask_history import MaskHistory
from ..state.project import Project
from ..state.results import Result, label_of
from .prepare_images import galaxy_to_prepare, keep_step, stages_of

if TYPE_CHECKING:
    from ...data.recipe import Recipe
    from ...prepare.masks.mask_set import Masks


@dataclass(frozen=True)
class PredictedMaps:
    """What a prediction leaves.

    Attributes
    ----------
    maps : PropertyMaps
        The maps.
    truth : PropertyMaps or None
        What they are compared with.
    residual : PropertyMaps or None
        Maps minus truth.
    problem : str
        Why there are no residuals.
    """

    maps: PropertyMaps
    truth: PropertyMaps | None
    residual: PropertyMaps | None
    problem: str = ""


def compared(maps: PropertyMaps, truth: PropertyMaps | None) -> PredictedMaps:
    """Maps with their residuals, where there is a truth."""
    if truth is None:
        return PredictedMaps(maps, None, None)
    from ...measure.compare.comparison import compared_residual

    try:
        return PredictedMaps(maps, truth, compared_residual(maps, truth))
    except GalaxyMapsError as error:
        return PredictedMaps(maps, truth, None, words_of(error))


class MapPredictor:
    """The job that predicts maps.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    masks : MaskHistory
        What is masked.
    views : MapViews
        Where the maps show.
    runner : JobRunner
        Runs the job.
    """

    def __init__(self, project: Project, masks: MaskHistory, views: MapViews, runner: JobRunner):
        self.project, self.masks, self.views, self.runner = project, masks, views, runner

    def predict(self) -> Job | None:
        """Predict maps in a thread; they stand beside earlier results, or take the place of the one
        that was made with the same settings. They come as layers, one per turn of the event loop.
        """
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if self.runner.busy() or galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        recipe.sharpen = SharpenSettings()  # that is a step of its own, whose result stands beside
        masks = self.masks.for_job(recipe, galaxy.images)
        truth, memory, inputs = project.truth, project.kept_memory(), project.checksums

        def steps() -> Steps[PredictedMaps]:
            from ...pipeline import predict_steps

            maps = yield from predict_steps(galaxy, recipe, memory=memory, masks=masks)
            yield Progress("layers", 0, 1, "making layers")
            return compared(maps, truth)

        def predicted(result: PredictedMaps) -> None:
            self._take(result, recipe, inputs)

        project.clear_steps()
        return self.runner.start(
            "Predicting",
            steps,
            on_progress=lambda sign: keep_step(project, self.masks, sign),
            on_result=predicted,
            stages=stages_of(recipe, Stage("model", "model")),
        )

    def _take(self, found: PredictedMaps, recipe: Recipe, inputs: dict[str, str]) -> None:
        project, views = self.project, self.views
        before = views.looked_at
        result = project.result_like(recipe)
        if result is None:
            asked = recipe.model
            label = label_of(asked.name, asked.prior, str(asked.members))
            result = project.add_result(Result(label, found.maps, recipe, inputs))
        else:
            project.choose_result(result)
        result.replace(found.maps, found.residual, found.truth)
        result.masks = masks_of_memory(project)
        project.steps_changed.emit()
        project.results_changed.emit()
        if found.problem:
            project.show_problem(found.problem)
        views.show_fresh(result, before)
        views.layers.show_later([], project.maps_changed.emit)


def masks_of_memory(project: Project) -> Masks | None:
    """What was masked in the last prediction."""
    memory = project.memory
    return memory.cube.masks if memory is not None and memory.cube is not None else None
