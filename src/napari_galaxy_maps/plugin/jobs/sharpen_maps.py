"""Sharpens the maps that are looked at, and shows the result beside them."""

from __future__ import annotations

from ...progress import Progress, Steps
from ..canvas.map_views import MapViews
from ..eventloop.worker import Job, JobRunner
from ..state.project import Project
from ..state.results import Result
from .predict_maps import PredictedMaps, compared

TITLE = "Sharpening"
SHARPENED = ", sharpened"
"""What the label of a sharpened result has more than that of the prediction."""


class MapSharpener:
    """The job that makes predicted maps agree with a coarse one.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    views : MapViews
        Where the result shows.
    runner : JobRunner
        Runs the job.
    """

    def __init__(self, project: Project, views: MapViews, runner: JobRunner):
        self.project, self.views, self.runner = project, views, runner

    def sharpen(self) -> Job | None:
        """Sharpen the maps that are looked at, in a thread, as the recipe says; the result stands
        beside them, and takes the place of one that was sharpened alike.
        """
        project, before = self.project, self.project.result
        if before is None or self.runner.busy():
            return None
        recipe = before.recipe.model_copy(deep=True)
        recipe.sharpen = project.recipe.sharpen.model_copy(deep=True)
        maps, truth = before.maps, project.truth

        def steps() -> Steps[PredictedMaps]:
            from ...sharpen.by_recipe import sharpen_by_recipe_steps

            sharp = yield from sharpen_by_recipe_steps(maps, recipe)
            yield Progress("layers", 0, 1, "making layers")
            return compared(sharp, truth)

        def sharpened(found: PredictedMaps) -> None:
            looked = self.views.looked_at
            result = project.result_like(recipe)
            if result is None:
                made = Result(before.label + SHARPENED, found.maps, recipe, before.inputs)
                result = project.add_result(made)
            else:
                project.choose_result(result)
            result.replace(found.maps, found.residual, found.truth)
            result.masks = before.masks
            project.results_changed.emit()
            if found.problem:
                project.show_problem(found.problem)
            self.views.show_fresh(result, looked)
            self.views.layers.show_later([], project.maps_changed.emit)

        return self.runner.start(TITLE, steps, on_result=sharpened)
