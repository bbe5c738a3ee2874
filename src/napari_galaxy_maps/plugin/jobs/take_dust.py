"""Maps how much light dust takes, shows the images without it, and saves these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ...bands.registry import get_band
from ...data.galaxy import BandImage
from ...progress import Progress, Steps
from ..canvas.map_views import MapViews
from ..eventloop.worker import Job, JobRunner
from ..ground.layer_specs import LayerSpec, image_spec
from ..ground.sky_plane import centre_of
from ..state.mask_history import MaskHistory
from ..state.project import Project
from ..state.results import Result
from .prepare_images import fit_stages_of, galaxy_to_prepare

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...sed.attenuation_maps import Attenuation

TITLE = "Taking the dust away"
LABEL = "attenuation"
STEP = "without dust"
"""What the layers of images are called beside their bands."""


def image_specs(cube: BandCube, project: Project) -> list[LayerSpec]:
    """The layers of images without dust, all switched off."""
    reference = project.reference or centre_of(cube.wcs, cube.shape)
    return [
        image_spec(
            BandImage(
                data, get_band(band), cube.wcs, error, fwhm=cube.fwhm,
                notes=("without dust, by model spectra",),
            ),
            reference, project.name, step=STEP, visible=False,
        )
        for band, data, error in zip(cube.bands, cube.data, cube.uncertainty, strict=True)
    ]  # fmt: skip


class DustTaker:
    """The jobs about attenuation.

    Parameters
    ----------
    project : Project
        Whose images they are; takes the maps.
    masks : MaskHistory
        What is masked.
    views : MapViews
        Where the maps and images show.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(self, project: Project, masks: MaskHistory, views: MapViews, runner: JobRunner):
        self.project, self.masks, self.views, self.runner = project, masks, views, runner
        self._found: WeakKeyDictionary[Result, Attenuation] = WeakKeyDictionary()
        """By the result that has its maps, so that it goes with it."""

    @property
    def found(self) -> Attenuation | None:
        """What was found of the galaxy that is looked at."""
        return next((self._found[r] for r in self.project.results if r in self._found), None)

    @property
    def images(self) -> BandCube | None:
        """The images without dust of the galaxy that is looked at, where there are any."""
        return None if self.found is None else self.found.cube

    def take(self) -> Job | None:
        """Fit model spectra in a thread; the maps stand beside other results, or in the place of
        those of the last time, and the images come as layers.
        """
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if self.runner.busy() or galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        masks, inputs = self.masks.for_job(recipe, galaxy.images), project.checksums

        def steps() -> Steps[tuple[Attenuation, list[LayerSpec]]]:
            from ...attenuate import attenuation_maps_steps

            # With no memory of the prediction's: nothing is filled in here.
            found = yield from attenuation_maps_steps(galaxy, recipe, masks)
            yield Progress("layers", 0, 1, "making layers")
            return found, image_specs(found.cube, project)

        def taken(result: tuple[Attenuation, list[LayerSpec]]) -> None:
            found, specs = result
            before = self.views.looked_at
            # Edits of the masks make predictions anew, not these: as those of a file they stay.
            mine = next(
                (r for r in project.results if r.model == found.maps.provenance["model"]), None
            )
            if mine is None:
                mine = project.add_result(Result(LABEL, found.maps, recipe, inputs, opened=True))
            else:
                project.choose_result(mine)
            self._found[mine] = found
            mine.replace(found.maps, None, None)
            mine.recipe, mine.inputs, mine.opened = recipe, inputs, True
            project.results_changed.emit()
            self.views.show_fresh(mine, before)
            self.views.layers.show_later(specs, project.maps_changed.emit)

        stages = fit_stages_of(recipe)
        return self.runner.start(TITLE, steps, on_result=taken, stages=stages)

    def save(self, path: str, done: Callable[[str], None] | None = None) -> Job | None:
        """Write the images without dust, with their errors, to a FITS file that appears only once
        it is whole.
        """
        images, found = self.images, self.found
        if images is None or found is None:
            return None

        def steps() -> Steps[str]:
            from ...fits_io.cube_files import write_cube
            from ...prepare.masks.mask_files import mask_hdus

            yield Progress("save", 0, 1, Path(path).name)
            extra = [*found.cube_hdus(), *mask_hdus(images.masks)]
            write_cube(path, images, found.maps.provenance, overwrite=True, extra=extra)
            return path

        def saved(where: str) -> None:
            if done is not None:
                done(where)

        return self.runner.start("Saving", steps, on_result=saved)
