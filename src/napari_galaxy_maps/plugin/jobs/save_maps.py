"""Saves the maps with their errors, masks and origin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...data.maps import PropertyMaps
from ...prepare.masks.mask_set import Masks
from ...progress import Progress, Steps
from ..eventloop.worker import Job, JobRunner
from ..state.mask_history import MaskHistory
from ..state.project import Project


class MapSaver:
    """The job that saves maps.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    masks : MaskHistory
        What is masked in them.
    runner : JobRunner
        Runs the job.
    """

    def __init__(self, project: Project, masks: MaskHistory, runner: JobRunner):
        self.project, self.masks, self.runner = project, masks, runner

    def masks_of(self, maps: PropertyMaps) -> Masks | None:
        """What goes into a file of maps as masked: for those that are looked at what a person sees,
        edits that the maps do not show yet included; for others what was masked in them.
        """
        project = self.project
        result = next((each for each in project.results if each.maps is maps), None)
        if result is None:
            return None
        shown = result is project.result and not project.differences(result)
        if shown and project.recipe.stars.enabled and self.masks.now is not None:
            return self.masks.now
        return result.masks

    def save(self, path: str, done: Callable[[str], None] | None = None) -> Job | None:
        """Write the maps to a FITS file that appears only once it is whole."""
        maps = self.project.maps
        if maps is None:
            return None
        masks = self.masks_of(maps)

        def steps() -> Steps[str]:
            from ...fits_io.map_files import write_maps
            from ...prepare.masks.mask_files import mask_hdus

            yield Progress("save", 0, 1, Path(path).name)
            extra = [*maps.extensions, *mask_hdus(masks)]
            write_maps(path, maps, overwrite=True, extra=extra)
            return path

        def saved(where: str) -> None:
            self.project.mark_saved(maps)
            if done is not None:
                done(where)

        return self.runner.start("Saving", steps, on_result=saved)
