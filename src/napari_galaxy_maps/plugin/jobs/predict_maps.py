"""Predicts maps of the galaxy and shows them, with their residuals where there is a truth."""

from __future__ import annotations

from dataclasses import dataclass

from ...data.maps import PropertyMaps
from ...exceptions import GalaxyMapsError, InputError
from ...progress import Progress, Steps
from ..canvas.layer_register import LayerRegister
from ..eventloop import worker
from ..eventloop.worker import Job, JobRunner
from ..ground.layer_specs import LayerSpec, map_specs
from ..ground.sky_plane import Reference
from ..state.mask_history import MaskHistory
from ..state.project import Project
from .prepare_images import galaxy_to_prepare, keep_step


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
    specs : tuple of LayerSpec
        The layers of all.
    """

    maps: PropertyMaps
    truth: PropertyMaps | None
    residual: PropertyMaps | None
    problem: str
    specs: tuple[LayerSpec, ...]


def with_layers(
    maps: PropertyMaps, truth: PropertyMaps | None, reference: Reference, name: str
) -> PredictedMaps:
    """Maps with their residuals, where there is a truth, and the layers of all."""
    residual, problem = None, ""
    specs = map_specs(maps, reference, name)
    if truth is not None:
        from ...measure.compare.comparison import compared_residual

        try:
            residual = compared_residual(maps, truth)
        except GalaxyMapsError as error:
            problem = str(error)
        else:
            specs = map_specs(residual, reference, name, kind="residual") + specs
    return PredictedMaps(maps, truth, residual, problem, tuple(specs))


class MapPredictor:
    """The job that predicts maps.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    masks : MaskHistory
        What is masked.
    layers : LayerRegister
        Where the maps show.
    runner : JobRunner
        Runs the job.
    """

    def __init__(
        self, project: Project, masks: MaskHistory, layers: LayerRegister, runner: JobRunner
    ):
        self.project, self.masks, self.layers, self.runner = project, masks, layers, runner

    def predict(self) -> Job | None:
        """Predict maps in a thread; they come as layers, one per turn of the event loop."""
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if self.runner.busy() or galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        masks = self.masks.for_job(recipe, galaxy.images)
        truth, name = project.truth, project.name or galaxy.name
        reference = project.place(next(iter(galaxy.images.values())))

        def steps() -> Steps[PredictedMaps]:
            from ...pipeline import predict_steps

            maps = yield from predict_steps(
                galaxy, recipe, memory=project.kept_memory(), masks=masks
            )
            yield Progress("layers", 0, 1, "making layers")
            return with_layers(maps, truth, reference, name)

        project.clear_steps()
        return self.runner.start(
            "Predicting",
            steps,
            on_progress=lambda sign: keep_step(project, self.masks, sign),
            on_result=self._show,
            on_error=project.show_message,
        )

    def _show(self, result: PredictedMaps) -> None:
        project, layers = self.project, self.layers
        project.set_maps(result.maps, result.residual, result.truth)
        project.steps_changed.emit()
        if result.problem:
            worker.report(InputError(result.problem))
            project.show_message(result.problem)
        fresh = {spec.key for spec in result.specs}
        before = layers.looked_at()
        for key, layer in layers.shown().items():
            # A map that was not made again would be one of another recipe, or of another truth.
            if key.kind in ("map", "error", "residual") and key not in fresh:
                layers.remove(layer)
        newest = before if before in fresh else result.specs[-1].key

        def shown() -> None:
            layers.focus(newest)
            project.maps_changed.emit()

        layers.show_later([spec.switched_off() for spec in result.specs], shown)
