"""One viewer's workspace: what is known, what runs and what shows, built together and let go with
the viewer.
"""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..exceptions import InputError
from .canvas.d25_layer import D25Layer
from .canvas.layer_register import LayerRegister
from .canvas.map_views import MapViews
from .canvas.paint_layer import PaintedMasks
from .canvas.side_by_side import Side, SideBySide
from .canvas.star_circles import StarCircles
from .eventloop.garbage_collection import collect_when_still
from .eventloop.idle_queue import IdleQueue
from .eventloop.side_jobs import SideJobs
from .eventloop.worker import JobRunner
from .ground.layer_specs import Key, image_spec, map_specs
from .ground.put_aside import Part
from .ground.sky_plane import centre_of
from .ground.viewers import qt_window, still_spinner
from .ground.window_words import words_of
from .jobs.compare_maps import MapComparer
from .jobs.first_look import FirstLook
from .jobs.fit_truth import TruthFitter
from .jobs.keep_sessions import Sessions
from .jobs.make_mocks import MockMaker
from .jobs.open_files import FileOpener
from .jobs.open_galaxies import OpenGalaxies
from .jobs.predict_maps import MapPredictor
from .jobs.prepare_images import ImagePreparer
from .jobs.refresh_maps import MapRefresher
from .jobs.region_files import RegionFiles
from .jobs.reopen_masks import MaskReopener
from .jobs.save_maps import MapSaver
from .jobs.sharpen_maps import MapSharpener
from .jobs.take_dust import DustTaker
from .state.mask_history import MaskHistory
from .state.project import Project

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .canvas.aperture_layer import ApertureLayer
    from .jobs.open_galaxies import OpenGalaxy
    from .state.aperture_measurements import ApertureMeasurements
    from .state.galaxy_work import GalaxyWork
    from .state.pixel_spectra import PixelSpectra
    from .state.results import Result

_WORKSPACES: weakref.WeakKeyDictionary[ViewerModel, Workspace] = weakref.WeakKeyDictionary()
"""The one place that knows which workspace belongs to which viewer."""


class Workspace:
    """All that one viewer works with, a part an attribute.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Held weakly; the workspace ends with it.
    """

    def __init__(self, viewer: ViewerModel):
        # What runs.
        self.runner = JobRunner()
        self.side_jobs = SideJobs()
        still_spinner(viewer)
        self.idle = IdleQueue(weakref.ref(viewer))
        runner, idle = self.runner, self.idle
        # What is known.
        self.project = project = Project()
        runner.tell = project.show_message
        self.masks = masks = MaskHistory()
        # What shows.
        self.layers = layers = LayerRegister(viewer, project, idle)
        self.views = views = MapViews(project, layers)
        self.side_by_side = SideBySide(layers)
        views.bind_keys()
        self.circles = StarCircles(project, masks, layers, idle)
        self.painted = PaintedMasks(project, masks, layers)
        self.d25_layer = D25Layer(project, layers)
        # What is done.
        self.refresher = MapRefresher(project, masks, views, runner, idle)
        self.reopener = MaskReopener(project, masks, runner)
        parts: dict[str, Part] = {
            "masks": masks,
            "circles": self.circles,
            "painted": self.painted,
            "d25": self.d25_layer,
            "reopener": self.reopener,
        }
        self.galaxies = galaxies = OpenGalaxies(project, layers, parts, runner, idle)
        self.opener = FileOpener(project, views, galaxies, runner, self.reopener)
        galaxies.add_part("opener", self.opener)
        self.sessions = Sessions(galaxies, self.opener, views, self.refresher, runner)
        self.preparer = ImagePreparer(project, masks, layers, runner)
        self.predictor = MapPredictor(project, masks, views, runner)
        self.first_look = FirstLook(project, masks, runner, layers)
        self.comparer = MapComparer(project, views, runner)
        self.sharpener = MapSharpener(project, views, runner)
        self.truth_fitter = TruthFitter(project, masks, layers, runner)
        self.dust_taker = DustTaker(project, masks, views, runner)
        self.saver = MapSaver(project, masks, runner)
        self.regions = RegionFiles(project, masks, runner)
        self.mock_maker = MockMaker(project, runner, self.opener, galaxies.begin)

    # What only some panels need is imported with the first of them: a first panel has 0.3 s.

    @cached_property
    def measurements(self) -> ApertureMeasurements:
        """The apertures and what is in them."""
        from .state.aperture_measurements import ApertureMeasurements

        measurements = ApertureMeasurements(self.project)
        measurements.take_up(self.galaxies.current.states.get("apertures"))
        self.galaxies.add_part("apertures", measurements)
        return measurements

    @cached_property
    def aperture_layer(self) -> ApertureLayer:
        """The apertures on the canvas."""
        from .canvas.aperture_layer import ApertureLayer

        return ApertureLayer(self.project, self.measurements, self.layers)

    @cached_property
    def spectra(self) -> PixelSpectra:
        """The spectra of single pixels."""
        from .state.pixel_spectra import PixelSpectra

        return PixelSpectra(self.project, self.runner)

    @property
    def busy(self) -> bool:
        """Whether a job runs, files wait to be opened, or layers wait to be shown."""
        return (
            self.runner.job is not None
            or self.layers.busy_showing
            or bool(self.opener.pending_paths)
        )

    # Results -------------------------------------------------------------------------------------

    def choose_result(self, result: Result) -> None:
        """Look at another result of the galaxy."""
        project, before = self.project, self.views.looked_at
        if result is project.result:
            return
        project.choose_result(result)
        self.views.show_result(before)
        project.maps_changed.emit()
        if not project.is_compared:
            self.runner.after_job(self.comparer.compare_only)

    def close_result(self, result: Result) -> None:
        """Throw a result away, with its layers."""
        project, looked = self.project, result is self.project.result
        self.views.drop(result)
        project.remove_result(result)
        if looked:
            self.views.show_result()
            project.maps_changed.emit()

    def compare_results(self, left: Result, right: Result) -> None:
        """Show two results side by side, in the property that is looked at where both have it."""
        looked = self.views.looked_at
        sides = [
            Side(result.label, self.views.specs(result, "map", [name]))
            for result in (left, right)
            for name in [_name_to_compare(result, looked[0] if looked else "", left, right)]
        ]
        self.side_by_side.show(*sides)

    def compare_galaxies(self, left: OpenGalaxy, right: OpenGalaxy) -> None:
        """Show two galaxies side by side."""
        galaxies, looked = self.galaxies, self.views.looked_at
        works = [galaxies.work_of(galaxy) for galaxy in (left, right)]
        name = looked[0] if looked else ""
        try:
            sides = [
                _side_of(galaxies.title(galaxy), work, name, other, self.views.usual)
                for galaxy, work, other in zip((left, right), works, reversed(works), strict=True)
            ]
        except InputError as error:
            self.project.show_problem(words_of(error))
            return
        self.side_by_side.show(*sides)


def _side_of(title: str, work: GalaxyWork, looked: str, other: GalaxyWork, usual: bool) -> Side:
    """What is shown of a galaxy beside another one: the map that is looked at, else an image.

    Raises
    ------
    InputError
        When there is nothing to be shown of it.
    """
    result, beside = work.result, other.result
    if result is not None and beside is not None:
        name = _name_to_compare(result, looked, result, beside)
        place = work.reference or centre_of(result.maps.wcs, result.maps.shape)
        words = f"{title} {result.label}"
        given: Any = {"made_by": words, "names": [name], "usual": usual}
        return Side(words, map_specs(result.maps, place, title, **given))
    images = work.files.held()
    if not images:
        raise InputError(f"Nothing of {title} has been read yet; look at it first.")
    best = LayerRegister.best_image(Key("image", one.band.name) for one in images)
    image = next(one for one in images if best is not None and one.band.name == best.name)
    place = work.reference or centre_of(image.wcs, image.shape)
    return Side(title, [image_spec(image, place, title)])


def _name_to_compare(result: Result, looked: str, *both: Result) -> str:
    """The property in which a result is compared with another: that which is looked at, another
    that both have, or its own first.
    """
    common = [name for name in both[0].maps.values if all(name in b.maps.values for b in both)]
    if looked in common:
        return looked
    return common[0] if common else next(iter(result.maps.values))


def workspace_of(viewer: ViewerModel) -> Workspace:
    """The workspace of `viewer`, built on first use; proxies of a viewer stand for the viewer."""
    viewer = getattr(viewer, "__wrapped__", viewer)
    workspace = _WORKSPACES.get(viewer)
    if workspace is None:
        workspace = _WORKSPACES[viewer] = Workspace(viewer)
        window = qt_window(viewer)
        if window is not None:
            window.destroyed.connect(collect_when_still)
            window.destroyed.connect(workspace.sessions.end)
    return workspace


def current_workspace() -> Workspace | None:
    """The workspace of the viewer in front, or None where there is no viewer."""
    from napari.viewer import current_viewer

    viewer = current_viewer()
    return workspace_of(viewer) if viewer is not None else None
