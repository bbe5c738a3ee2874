"""Opens files and folders, reads the pixels of what is ready, and shows the images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.maps import PropertyMaps
from ...data.question import SETTINGS
from ...exceptions import GalaxyMapsError
from ...progress import Progress, Steps
from ..canvas.galaxy_view import show_galaxy
from ..canvas.layer_register import LayerRegister
from ..canvas.map_views import MapViews
from ..eventloop.idle_queue import next_turn
from ..eventloop.worker import JobRunner
from ..ground.layer_specs import Key, LayerSpec, image_spec, map_specs, shown_in
from ..ground.sky_plane import Reference, centre_of
from ..ground.window_words import words_of, words_of_several
from ..state.galaxy_work import GalaxyWork
from ..state.opened_files import ReadImage, ReadyFile
from ..state.places import Group, belongs, groups_of
from ..state.project import Project
from .open_galaxies import OpenGalaxies, OpenGalaxy
from .reopen_masks import MaskReopener

if TYPE_CHECKING:
    from ...data.recipe import InputSettings
    from ...fits_io.image_file import ImageFile
    from ...fits_io.images_of_file import PassedOver


@dataclass(frozen=True)
class OpenedPaths:
    """What opening some paths found.

    Attributes
    ----------
    files : tuple of ImageFile
        Images.
    maps : tuple of (str, PropertyMaps)
        Maps, with the names of their files.
    skipped, errors : tuple of str
        What was passed over, and what should have opened and could not, a sentence each.
    passed : tuple of PassedOver
        The images that are not read; no sentence of theirs is among the others.
    """

    files: tuple[ImageFile, ...]
    maps: tuple[tuple[str, PropertyMaps], ...]
    skipped: tuple[str, ...]
    errors: tuple[str, ...]
    passed: tuple[PassedOver, ...] = ()


@dataclass(frozen=True)
class ReadLayer:
    """What reading one image came to, and its layer."""

    read: ReadImage
    spec: LayerSpec | None = None


def open_steps(
    paths: Iterable[str | Path],
    told: InputSettings | None = None,
    known: Collection[Path] = (),
) -> Steps[OpenedPaths]:
    """Find the images and maps in files and folders, with the roles that a recipe tells; one that
    cannot be used does not hold up the others, and what a recipe leaves out is found, too. Where a
    file that is `known` holds no image any more, its rows say so, and it is no error.
    """
    from ...data.recipe import InputSettings
    from ...fits_io.image_files import find_images_steps
    from ...fits_io.map_files import is_maps, read_maps

    members = [Path(p) for p in paths]
    files: list[ImageFile] = []
    maps: list[tuple[str, PropertyMaps]] = []
    skipped: list[str] = []
    errors: list[str] = []
    passed: list[PassedOver] = []
    roles = InputSettings(roles=told.roles if told is not None else {})
    for done, path in enumerate(members):
        yield Progress("open", done, len(members), path.name)
        map_files: list[Path] = []
        passed_over: list[str] = []
        before = len(passed)
        try:
            if not path.is_dir() and is_maps(path):
                maps.append((path.name, read_maps(path)))
                continue
            try:
                found = yield from find_images_steps([path], passed_over, map_files, roles, passed)
                files += found
            finally:
                maps += [(member.name, read_maps(member)) for member in map_files]
        except GalaxyMapsError as error:
            if not (path.is_dir() and maps) and not (path in known and passed[before:]):
                errors.append(words_of(error))
        skipped += passed_over
    yield Progress("open", len(members), len(members), f"{len(files)} images")
    said = {other.sentence for other in passed}
    sentences = tuple(text for text in skipped if text not in said)
    return OpenedPaths(tuple(files), tuple(maps), sentences, tuple(errors), tuple(passed))


def read_steps(
    todo: Sequence[ReadyFile], name: str, reference: Reference | None, visible: bool = True
) -> Steps[None]:
    """Read images one by one, the first of them to be seen; a damaged one does not hold up the
    others.

    Yields
    ------
    Progress
        Its ``result`` a `ReadLayer` after each image.
    """
    from ...fits_io.band_images import read_band_image

    for done, ready in enumerate(todo):
        label, signature = ready.label, ready.signature
        yield Progress("read", done, len(todo), label)
        try:
            image = read_band_image(ready.file, ready.uncertainty)
            reference = reference or centre_of(image.wcs, image.shape)
            spec = image_spec(image, reference, name, visible=visible and done == 0)
        except GalaxyMapsError as error:
            result = ReadLayer(ReadImage(label, signature, problem=words_of(error)))
        else:
            result = ReadLayer(ReadImage(label, signature, image), spec)
        yield Progress("read", done + 1, len(todo), label, result)


def truth_specs(
    project: Project, layers: LayerRegister, name: str, maps: PropertyMaps
) -> list[LayerSpec]:
    """The layers of a truth that was opened or fitted and of its uncertainties, all but the first
    switched off; none where there is a result, whose layers can be switched to it.
    """
    if project.result is not None:
        return []
    lone = not layers.shown() and not project.files.found
    visible = next(iter(maps.values)) if lone else None
    given: Any = {"kind": "truth", "source": name, "made_by": name}
    place = project.place(maps)
    errors = map_specs(maps, place, project.name, view="error", apart=True, **given)
    return [*errors, *map_specs(maps, place, project.name, visible=visible, **given)]


def words_of_begun(begun: int, count: int) -> str:
    """That files have begun galaxies of their own, in words."""
    own = f"{begun} galaxies" if begun > 1 else "a galaxy"
    return (
        f"What was opened is {own} of its own; {count} are open now, see the list in the Galaxy "
        "panel. To add files of another folder to the galaxy that is shown, use Add files… there."
    )


class FileOpener:
    """The jobs that open files.

    Parameters
    ----------
    project : Project
        Takes the files and images.
    views : MapViews
        Where maps show, and images in its layers.
    galaxies : OpenGalaxies
        Among which files are shared out.
    runner : JobRunner
        Runs the jobs.
    reopener : MaskReopener
        Hears of results that are opened.
    """

    def __init__(
        self,
        project: Project,
        views: MapViews,
        galaxies: OpenGalaxies,
        runner: JobRunner,
        reopener: MaskReopener,
    ):
        self.project, self.views, self.layers, self.runner = project, views, views.layers, runner
        self.galaxies, self._reopener, self._join = galaxies, reopener, False
        self._taking_now = False
        self.pending_paths: list[Path] = []
        """What waits to be opened."""
        self._unread: list[str] = []
        """What was wrong with images that were read last, a sentence each."""
        self._roles: dict[str, str] = {}
        """The roles that were told when files were opened last."""
        project.files_resettled.connect(self.load)
        project.recipe_changed.connect(self._reopen_if_told)
        galaxies.entered.connect(self._entered)

    def put_aside(self) -> dict[str, str]:
        """The roles that were told when the galaxy's files were opened last."""
        return self._roles

    def take_up(self, state: dict[str, str] | None) -> None:
        """Go on with another galaxy."""
        # A galaxy that comes from elsewhere was opened with the roles that its recipe tells.
        self._roles = dict(self.project.recipe.input.roles) if state is None else state

    # Files ---------------------------------------------------------------------------------------

    def add_paths(self, paths: Iterable[str | Path], join: bool = False) -> None:
        """Open files and folders in a thread: rows in the table, maps as layers, then the pixels of
        what is ready.

        Parameters
        ----------
        paths : iterable of path
            Files and folders.
        join : bool
            They are meant for the galaxy that is looked at, if they show the same place on the sky;
            otherwise images of another folder begin a galaxy of their own.
        """
        # napari calls the reader once for each of several files: they are collected into one job.
        waiting = bool(self.pending_paths)
        self.pending_paths += [Path(p) for p in paths]
        self._join = self._join or join
        if not waiting:
            next_turn(self._open_after_job)

    def _open_after_job(self) -> None:
        self.runner.after_job(self._open_pending)

    def _open_pending(self) -> None:
        paths, self.pending_paths = self.pending_paths, []
        join, self._join = self._join, False
        told = self.project.recipe.input
        known = {place.path for place in self.project.files.places().values()}
        self.runner.start(
            "Opening files",
            lambda: open_steps(paths, told, known),
            on_result=lambda opened: self._opened(opened, join),
            litters=True,
        )

    def _reopen_if_told(self) -> None:
        """Open the files again of which a person now says something else than before: what an image
        is for decides how its file is read.
        """
        from ...fits_io.image_names import names_file

        told: dict[str, str] = dict(self.project.recipe.input.roles)
        changed = [key for key, _ in told.items() ^ self._roles.items()]
        self._roles = told
        paths = {place.path for place in self.project.files.places().values()}
        again = [path for path in sorted(paths) if any(names_file(key, path) for key in changed)]
        if again:
            self.add_paths(again, join=True)

    def _opened(self, opened: OpenedPaths, join: bool) -> None:
        self.take(opened, join)
        self.load()
        if opened.maps:
            self.runner.after_job(self.show_maps)

    def take(self, opened: OpenedPaths, join: bool = False) -> None:
        """Put what was found into the galaxies that it belongs to, with messages about what could
        not be used; those that none is open for begin galaxies of their own, and the first of them
        is looked at.
        """
        galaxies, project = self.galaxies, self.project
        homes, begun = [], 0
        for group in groups_of(opened.files, opened.maps):
            home = self._home_of(group, join)
            if home is None:
                begun += 1
                home = galaxies.add(GalaxyWork())
            galaxies.work_of(home).take(group.files, group.maps)
            homes.append((home, group))
        if homes and galaxies.current not in (home for home, _ in homes):
            galaxies.switch(homes[0][0])  # what was opened just now is what a person wants to see
        for home, group in homes:
            if home is galaxies.current:
                self._offer_masks(group)
        self._tell_passed(opened, homes)
        if begun:
            project.show_message(words_of_begun(begun, len(galaxies.all)))
        if opened.errors:
            project.show_problem(words_of_several(opened.errors))
        project.files_changed.emit()

    def _tell_passed(self, opened: OpenedPaths, homes: list[tuple[OpenGalaxy, Group]]) -> None:
        """Keep what was not read with the galaxy that lies in the same folder."""
        galaxies = self.galaxies
        folders = {folder: home for home, group in homes for folder in group.folders}
        names = {file.path.name: home for home, group in homes for file in group.files}
        for other in opened.passed:
            path = other.place.path
            home = folders.get(path.resolve().parent, galaxies.current)
            galaxies.work_of(home).files.pass_over(other)
            names[path.name] = home
        for sentence in opened.skipped:
            found = (home for name, home in names.items() if sentence.startswith(name))
            galaxies.work_of(next(found, galaxies.current)).files.skip([sentence])

    def take_now(self, opened: OpenedPaths) -> None:
        """`take`, for who reads the images himself, at once."""
        self._taking_now = True
        try:
            self.take(opened)
        finally:
            self._taking_now = False

    def _home_of(self, group: Group, join: bool) -> OpenGalaxy | None:
        """The open galaxy that files belong to, the one that is looked at first; None where they
        begin one of their own.
        """
        galaxies = self.galaxies
        for file in group.files:
            there = galaxies.holding(file.path)
            if there is not None:
                return there
        others = [g for g in galaxies.all if g is not galaxies.current and g.unread is None]
        for galaxy in (galaxies.current, *others):
            wanted = join and galaxy is galaxies.current
            if belongs(group, galaxies.work_of(galaxy), wanted):
                return galaxy
        return None

    def _offer_masks(self, group: Group) -> None:
        for _, maps in group.maps:
            if maps.provenance.get("file"):
                self._reopener.offer(Path(maps.provenance["file"]))

    def show_maps(self) -> None:
        """Show the maps that were opened and have no layers yet; a truth that lies beside images
        is there to compare with.
        """
        project, layers, views = self.project, self.layers, self.views
        for name, maps in project.truths.items():
            if not project.files.found and not any(k.source == name for k in layers.shown()):
                layers.show_later(truth_specs(project, layers, name, maps))
        result = project.result
        if result is None or any(key.source == result.key for key in layers.shown()):
            return
        before = [(key.name, view) for key, view in layers.awaited.items() if key.kind == "map"]
        if before or not project.files.found:
            awaited = dict(layers.awaited)
            views.show_result(*before[-1:])
            layers.awaited.update({k: v for k, v in awaited.items() if layers.layer(k) is None})
        else:
            layers.show_later(spec.switched_off() for spec in views.specs(result))
        layers.show_later([], project.maps_changed.emit)

    def remove(self, labels: Iterable[str]) -> None:
        """Take files out of the list; their layers go with them."""
        project, labels = self.project, set(labels)
        places = project.files.places()
        keys = labels | {places[label].key for label in labels if label in places}
        project.files.remove(labels)
        settings = project.recipe.input
        words = f"taking {next(iter(labels)) if len(labels) == 1 else f'{len(labels)} files'} out"
        said = {
            name: {k: v for k, v in getattr(settings, name).items() if k not in keys}
            for name in (*SETTINGS.values(), "roles")
        }
        left_out = [key for key in settings.leave_out if key not in keys]
        project.set_values("input", {"leave_out": left_out, **said}, words)
        project.record(words)
        project.files_changed.emit()
        self.load()

    # Pixels --------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read, in a thread, what is ready and not read yet; then show it and make the galaxy."""
        self.runner.after_job(self._load)

    def _entered(self) -> None:
        """Read the images of a galaxy that was never looked at, or whose images were dropped, and
        show again what has no layers any more.
        """
        project = self.project
        if self._taking_now or not self.layers.has_window:
            return  # a script reads what it opens itself
        if project.results or project.truths:
            self.show_maps()  # they are there, while images may have to be read
        if project.files.unread(project.ready_files()):
            self.load()
        elif project.galaxy is not None:
            self.runner.after_job(self._show_images)

    def _show_images(self) -> None:
        """Show the images that have no layers, those that were switched on before first."""
        project, layers = self.project, self.layers
        images = project.galaxy.images if project.galaxy is not None else {}
        missing = [image for n, image in images.items() if layers.layer(Key("image", n)) is None]
        if not missing:
            return
        name, reference, awaited = project.name, project.place(missing[0]), layers.awaited
        missing.sort(key=lambda image: Key("image", image.band.name) not in awaited)

        def make() -> Steps[list[LayerSpec]]:
            specs = []
            for done, image in enumerate(missing):
                yield Progress("layers", done, len(missing), image.band.name)
                specs.append(image_spec(image, reference, name, visible=False))
            return specs

        self.runner.start("Showing images", make, on_result=layers.show_later, bar=False)

    def _say_unread(self) -> None:
        unread, self._unread = self._unread, []
        if unread:
            self.project.show_problem(words_of_several(unread))

    def _load(self) -> None:
        project, layers = self.project, self.layers
        files, ready = project.files, project.ready_files()
        todo = files.unread(ready)
        self._drop_stale(ready)
        if not todo:
            project.make_galaxy()
            return
        first = layers.is_new and not any(key.kind == "image" for key in layers.shown())
        todo.sort(key=lambda file: Key("image", file.band) not in layers.awaited)
        name, reference = project.name, project.reference
        specs: list[LayerSpec] = []

        def progressed(sign: Progress) -> None:
            if isinstance(sign.result, ReadLayer) and project.files is files:
                self.keep(sign.result.read)
                if sign.result.read.image is None:
                    project.files_changed.emit()  # why it could not be read
                if sign.result.spec is not None:
                    specs.append(sign.result.spec)
                    if len(specs) == 1:
                        layers.show_later(specs)

        def finished() -> None:
            if project.files is not files:
                return  # another galaxy was begun meanwhile
            self._say_unread()
            # What could not be read, or was not before Cancel, is no longer what it was.
            self._drop_stale([file for file in ready if files.is_read(file)])
            project.make_galaxy()
            # All but the first wait until the thread has ended: beside it, each would take the
            # window twice as long.
            layers.show_later(specs[1:])
            layers.show_later([], shown)

        def shown() -> None:
            layers.rename()
            if first:
                self._look()
            elif len(specs) == 1 and not layers.awaited:
                layers.focus(specs[0].key)  # somebody has just settled this one

        self.runner.start(
            "Reading images",
            lambda: read_steps(todo, name, reference, visible=first),
            on_progress=progressed,
            on_end=finished,
            litters=True,
        )

    def show_image(self, band: str) -> None:
        """Show an image whose layer was deleted."""
        project, layers = self.project, self.layers
        image = project.galaxy.images.get(band) if project.galaxy is not None else None
        if image is not None and layers.layer(Key("image", band)) is None:
            layers.show(image_spec(image, project.place(image), project.name, visible=False))

    def keep(self, read: ReadImage) -> None:
        """Remember an image, or why there is none."""
        self.project.files.keep(read)
        if read.image is not None:
            self.project.place(read.image)
        else:
            self._unread.append(read.problem)

    def _drop_stale(self, ready: Sequence[ReadyFile]) -> None:
        """Forget images of other files, or of files that have become another band, and take their
        layers away.
        """
        for image in self.project.files.drop_stale(ready):
            layer = self.layers.layer(Key("image", image.band.name))
            shown = shown_in(layer) if layer is not None else None
            if layer is not None and shown is not None and shown.content is image:
                self.layers.remove(layer)

    def _look(self) -> None:
        """Show the best image alone, in full."""
        layers = self.layers
        key = layers.best_image([key for key in layers.shown() if key.kind == "image"])
        if key is not None and not any(k.kind == "map" for k in layers.shown()):
            layers.focus(key)
            show_galaxy(layers, self.project)
