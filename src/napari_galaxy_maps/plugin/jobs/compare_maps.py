"""Compares the maps that are there with another truth, which may have to be opened first."""

from __future__ import annotations

from pathlib import Path

from ...data.maps import PropertyMaps
from ...progress import Progress, Steps
from ..canvas.map_views import MapViews
from ..eventloop.worker import Job, JobRunner
from ..state.project import Project
from .open_files import truth_specs


class MapComparer:
    """The jobs that compare maps with a truth.

    Parameters
    ----------
    project : Project
        Whose maps and truths they are.
    views : MapViews
        Where residuals and truths show.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(self, project: Project, views: MapViews, runner: JobRunner):
        self.project, self.views, self.runner = project, views, runner

    def compare(self, look: bool = True) -> Job | None:
        """Residuals of the maps that are there against the truth that is chosen now, which are
        looked at then (`look`) or are there to be.
        """
        project, views = self.project, self.views
        result, truth = project.result, project.truth
        if result is None or self.runner.job is not None or project.is_compared:
            return None
        project.begin_comparison()
        if truth is None:
            views.renew(result, ("residual", "truth"))
            project.maps_changed.emit()
            return None
        maps = result.maps

        def steps() -> Steps[PropertyMaps]:
            from ...measure.compare.comparison import compared_residual

            yield Progress("residuals", 0, 1, "comparing")
            return compared_residual(maps, truth)

        def compared(residual: PropertyMaps) -> None:
            if result.truth is not truth or result.maps is not maps:
                return
            result.residual = residual
            before = views.looked_at
            views.renew(result, ("residual", "truth"))
            if look and residual.values:
                name = before[0] if before is not None else list(residual.values)[-1]
                views.look(name, "residual")
            project.maps_changed.emit()

        return self.runner.start("Comparing", steps, on_result=compared)

    def compare_and_look(self) -> None:
        """`compare`, for who does not ask what became of it."""
        self.compare()

    def compare_only(self) -> None:
        """`compare`, and what is looked at stays."""
        self.compare(look=False)

    def open_truth(self, path: str) -> Job | None:
        """Read a file of maps to compare with, and choose it."""
        project, views, name = self.project, self.views, Path(path).name

        def steps() -> Steps[PropertyMaps]:
            from ...fits_io.map_files import read_maps

            yield Progress("open", 0, 1, name)
            return read_maps(path)

        def opened(maps: PropertyMaps) -> None:
            project.add_truth(name, maps, choose=True)
            views.layers.show_later(truth_specs(project, views.layers, name, maps))

        return self.runner.start("Opening the truth", steps, on_result=opened)
