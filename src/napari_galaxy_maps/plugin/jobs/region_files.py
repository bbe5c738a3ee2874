"""Masks from files and into files: DS9 regions, and the masks that a saved result keeps."""

from __future__ import annotations

from pathlib import Path

from ...exceptions import InputError
from ...prepare.masks import mask_edits
from ...prepare.masks.mask_set import Masks
from ...progress import Progress, Steps
from ..eventloop.worker import Job, JobRunner
from ..state.mask_history import MaskHistory
from ..state.project import Project


class RegionFiles:
    """The jobs that load and save regions.

    Parameters
    ----------
    project : Project
        Whose bands are masked.
    masks : MaskHistory
        Takes the regions that are loaded; holds those that are saved.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(self, project: Project, masks: MaskHistory, runner: JobRunner):
        self.project, self.masks, self.runner = project, masks, runner

    def load(self, path: str) -> Job | None:
        """Add the circles and polygons of a DS9 region file, or the masks of a saved result, to
        those that are there.
        """
        bands, name = self.project.bands, Path(path).name

        def steps() -> Steps[tuple[Masks, list[str]]]:
            from ...fits_io.image_files import FITS_ENDINGS
            from ...prepare.masks.mask_files import masks_from_regions, read_masks

            yield Progress("open", 0, 1, name)
            left_out: list[str] = []
            if not path.lower().endswith(FITS_ENDINGS):
                return masks_from_regions(path, bands, left_out), left_out
            masks = read_masks(path)
            if masks is None:
                raise InputError(
                    f"{path} keeps no masks; choose a result that was saved with them, "
                    "or DS9 regions."
                )
            return masks, left_out

        def loaded(result: tuple[Masks, list[str]]) -> None:
            masks, left_out = result
            text = mask_edits.summary(masks)
            self.masks.note = f"{text[:1].upper()}{text[1:]} of {name}."
            self.masks.change(mask_edits.merged(self.masks.now, masks), f"loading {name}")
            self.project.show_message(" ".join(left_out))

        return self.runner.start("Loading regions", steps, on_result=loaded)

    def save(self, path: str) -> Job | None:
        """Write the circles and polygons as DS9 regions; the file appears only once it is whole."""
        masks = self.masks.now
        if masks is None:
            return None

        def steps() -> Steps[None]:
            from ...prepare.masks.mask_files import masks_to_regions

            yield Progress("save", 0, 1, Path(path).name)
            masks_to_regions(path, masks, overwrite=True)

        def saved(_: None) -> None:
            rest = (
                " The painted mask has no such form; it is saved with the maps."
                if masks.patches
                else ""
            )
            self.masks.set_note(f"Saved in {path}.{rest}")

        return self.runner.start("Saving regions", steps, on_result=saved)
