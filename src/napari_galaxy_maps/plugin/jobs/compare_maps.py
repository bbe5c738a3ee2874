"""Compares the maps that are there with another truth, which may have to be opened first."""

from __future__ import annotations

from pathlib import Path

from ...data.maps import PropertyMaps
from ...progress import Progress, Steps
from ..canvas.layer_register import LayerRegister
from ..eventloop.worker import Job, JobRunner
from ..ground.layer_specs import Key, LayerSpec, map_specs
from ..state.project import Project
from .open_files import truth_specs


class MapComparer:
    """The jobs that compare maps with a truth.

    Parameters
    ----------
    project : Project
        Whose maps and truths they are.
    layers : LayerRegister
        Where residuals and truths show.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(self, project: Project, layers: LayerRegister, runner: JobRunner):
        self.project, self.layers, self.runner = project, layers, runner

    def compare(self) -> Job | None:
        """Residuals of the maps that are there against the truth that is chosen now."""
        project, layers = self.project, self.layers
        maps, truth, name = project.maps, project.truth, project.name
        if maps is None or self.runner.job is not None or project.is_compared:
            return None
        project.begin_comparison()
        if truth is None:
            project.set_residual(None)
            for key, layer in layers.shown().items():
                if key.kind == "residual":
                    layers.remove(layer)
            return None
        reference = project.place(maps)

        def steps() -> Steps[tuple[PropertyMaps, list[LayerSpec]]]:
            from ...measure.compare.comparison import compared_residual

            yield Progress("residuals", 0, 1, "comparing")
            residual = compared_residual(maps, truth)
            return residual, map_specs(residual, reference, name, kind="residual")

        def compared(result: tuple[PropertyMaps, list[LayerSpec]]) -> None:
            residual, specs = result
            project.set_residual(residual)
            looked = layers.looked_at()
            same = Key("residual", looked.name) if looked else None
            newest = next((spec.key for spec in specs if spec.key == same), specs[-1].key)

            def shown() -> None:
                layers.focus(newest)
                project.maps_changed.emit()

            layers.show_later([spec.switched_off() for spec in specs], shown)

        return self.runner.start(
            "Comparing", steps, on_result=compared, on_error=project.show_message
        )

    def open_truth(self, path: str) -> Job | None:
        """Read a file of maps to compare with, and choose it."""
        project, layers, name = self.project, self.layers, Path(path).name

        def steps() -> Steps[PropertyMaps]:
            from ...fits_io.map_files import read_maps

            yield Progress("open", 0, 1, name)
            return read_maps(path)

        def opened(maps: PropertyMaps) -> None:
            project.add_truth(name, maps, choose=True)
            layers.show_later(truth_specs(project, layers, name, maps))

        return self.runner.start(
            "Opening the truth", steps, on_result=opened, on_error=project.show_message
        )
