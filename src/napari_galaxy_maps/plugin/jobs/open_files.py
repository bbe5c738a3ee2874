"""From files to the session: the jobs that open them and read their pixels."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...exceptions import GalaxyMapsError, InputError
from ...progress import Progress
from ..eventloop import worker
from ..ground.layer_specs import Key, LayerSpec, image_spec, map_specs, shown_in
from .image_files import Signature, ready, states

if TYPE_CHECKING:
    from ...fits_io.image_files import ImageFile
    from ..state.session import Session


@dataclass(frozen=True)
class Opened:
    """What opening some paths found."""

    files: tuple[ImageFile, ...]
    maps: tuple[tuple[str, PropertyMaps], ...]
    skipped: tuple[str, ...]
    errors: tuple[str, ...]


# Adding files --------------------------------------------------------------------------------------------------------


def open_steps(paths: Iterable[str | Path]) -> Generator[Progress, None, Opened]:
    """Find the images and maps in files and folders; one that cannot be used does not hold up the
    others.
    """
    from ...fits_io.image_files import find_images
    from ...fits_io.map_files import is_maps, read_maps

    paths = [Path(p) for p in paths]
    files: list[ImageFile] = []
    maps: list[tuple[str, PropertyMaps]] = []
    skipped: list[str] = []
    errors: list[str] = []
    for done, path in enumerate(paths):
        yield Progress("open", done, len(paths), path.name)
        told: list[str] = []
        try:
            if not path.is_dir() and is_maps(path):
                maps.append((path.name, read_maps(path)))
                continue
            try:
                files += find_images([path], told)
            finally:
                if path.is_dir():
                    maps += _maps_among(path, told)
        except GalaxyMapsError as error:
            if not (path.is_dir() and maps):
                errors.append(str(error))
        skipped += told
    yield Progress("open", len(paths), len(paths), f"{len(files)} images")
    return Opened(tuple(files), tuple(maps), tuple(skipped), tuple(errors))


def _maps_among(folder: Path, told: list[str]) -> list[tuple[str, PropertyMaps]]:
    """The maps that `find_images` passed over in a folder; their sentences are taken back."""
    from ...fits_io.map_files import is_maps, read_maps

    found = []
    for text in list(told):
        if "holds maps" in text:
            member = folder / text.split(" holds maps")[0]
            if is_maps(member):
                told.remove(text)
                found.append((member.name, read_maps(member)))
    return found


def add_paths(session: Session, paths: Iterable[str | Path]) -> None:
    """Open files and folders in a thread: rows in the table, maps as layers, then the pixels of
    what is ready.
    """
    # napari calls the reader once for each of several files: they are collected into one job.
    waiting = bool(session.pending_paths)
    session.pending_paths += [Path(p) for p in paths]
    if waiting:
        return

    def begin() -> None:
        paths, session.pending_paths = session.pending_paths, []
        worker.start(
            session,
            "Opening files",
            lambda: open_steps(paths),
            on_result=lambda r: _opened(session, r),
            litters=True,
        )

    session.later(lambda: session.after_job(begin))


def _opened(session: Session, opened: Opened) -> None:
    take(session, opened)
    load(session)

    def show_maps() -> None:
        session.show_later(
            [spec for name, maps in opened.maps for spec in truth_specs(session, name, maps)]
        )

    if opened.maps:
        session.after_job(show_maps)


def take(session: Session, opened: Opened) -> None:
    """Put what was found into the session, and say what could not be used."""
    for file in opened.files:
        add_file(session, file)
    session.skipped += [text for text in opened.skipped if text not in session.skipped]
    for name, maps in opened.maps:
        # Maps that lie beside the images of a galaxy are most likely their truth, but for an
        # earlier prediction.
        truth = (
            bool(opened.files) and not session.truth_name and not maps.provenance.get("model_hash")
        )
        session.add_truth(name, maps, choose=truth)
        if maps.provenance.get("file"):
            session.reopening.offer(Path(maps.provenance["file"]))
    for sentence in opened.errors:
        worker.report(InputError(sentence))
        session.note(sentence)
    session.files_changed.emit()


def add_file(session: Session, file: ImageFile) -> None:
    """One more file, under a label that no other has; one that is there already is looked at
    afresh.
    """
    for i, other in enumerate(session.files):
        if (other.path, other.hdu) == (file.path, file.hdu):
            session.files[i] = replace(file, label=other.label)
            session.failed.pop(other.label, None)
            return
    labels = {other.label for other in session.files}
    label = file.label
    if label in labels:
        label = f"{file.path.parent.name}/{file.label}"
    number = 2
    while label in labels:
        label, number = f"{file.label} ({number})", number + 1
    session.files.append(replace(file, label=label))


def remove_files(session: Session, labels: Iterable[str]) -> None:
    """Take files out of the session; their layers go with them."""
    labels = set(labels)
    session.files = [file for file in session.files if file.label not in labels]
    session.excluded -= labels
    for label in labels:
        session.failed.pop(label, None)
    settings = session.recipe.input
    session.set_recipe(
        "input",
        bands={k: v for k, v in settings.bands.items() if k not in labels},
        units={k: v for k, v in settings.units.items() if k not in labels},
    )
    session.files_changed.emit()
    load(session)


# Reading pixels ------------------------------------------------------------------------------------------------------


def load(session: Session) -> None:
    """Read, in a thread, what is ready and not read yet; then show it and make the galaxy."""
    session.after_job(lambda: _load(session))


def _load(session: Session) -> None:
    wanted = ready(states(session))
    todo = [item for item in wanted if session.images.get(item[2], (None,))[0] != item[3]]
    _drop_stale(session, wanted)
    if not todo:
        make_galaxy(session)
        return
    first = not any(key.kind == "image" for key in session.shown())
    name, reference = session.name, session.reference

    def steps() -> Generator[Progress, None, None]:
        yield from read_steps(todo, name, reference, visible=first)

    specs: list[LayerSpec] = []
    images = session.images

    def progressed(sign: Progress) -> None:
        if isinstance(sign.result, Read) and session.images is images:
            took(session, sign.result)
            session.files_changed.emit()
            if sign.result.spec is not None:
                specs.append(sign.result.spec)
                if len(specs) == 1:
                    session.show_later(specs)

    def finished() -> None:
        if session.images is not images:
            return  # another galaxy was begun meanwhile
        make_galaxy(session)
        # All but the first wait until the thread has ended: beside it, each would take the window
        # twice as long.
        session.show_later(specs[1:])

        def shown() -> None:
            session.rename()
            if first:
                _look(session)
            elif len(specs) == 1:
                session.focus(specs[0].key)  # somebody has just settled this one

        session.show_later([], shown)

    worker.start(
        session, "Reading images", steps, on_progress=progressed, on_end=finished, litters=True
    )


@dataclass(frozen=True)
class Read:
    """What reading one image came to: the image and its layer, or a sentence."""

    label: str
    signature: Signature
    image: BandImage | None = None
    spec: LayerSpec | None = None
    sentence: str = ""


def read_steps(
    todo: Sequence[tuple[ImageFile, ImageFile | None, str, Signature]],
    name: str,
    reference: Any,
    visible: bool = True,
) -> Generator[Progress, None, None]:
    """Read images one by one, the first of them to be seen; a damaged one does not hold up the
    others.
    """
    from ...fits_io.band_images import read_band_image
    from ..ground.sky_plane import centre_of

    for done, (file, uncertainty, label, signature) in enumerate(todo):
        yield Progress("read", done, len(todo), label)
        try:
            image = read_band_image(file, uncertainty)
            reference = reference or centre_of(image.wcs, image.shape)
            spec = image_spec(image, reference, name, visible=visible and done == 0)
        except GalaxyMapsError as error:
            result = Read(label, signature, sentence=str(error))
        else:
            result = Read(label, signature, image, spec)
        yield Progress("read", done + 1, len(todo), label, result)


def took(session: Session, read: Read) -> None:
    """Remember an image, or why there is none."""
    if read.image is not None:
        session.images[read.label] = (read.signature, read.image)
        session.failed.pop(read.label, None)
        session.place(read.image)
    else:
        session.failed[read.label] = (read.signature, read.sentence)
        worker.report(InputError(read.sentence))


def _drop_stale(
    session: Session, wanted: Sequence[tuple[ImageFile, ImageFile | None, str, Signature]]
) -> None:
    """Forget images whose file is gone or has become another band, and take their layers away."""
    bands = {label: file.band.name for file, _, label, _ in wanted if file.band is not None}
    for label in list(session.images):
        image = session.images[label][1]
        if bands.get(label) != image.band.name:
            del session.images[label]
            layer = session.layer(Key("image", image.band.name))
            shown = shown_in(layer) if layer is not None else None
            if shown is not None and shown.content is image:
                session.viewer.layers.remove(layer)


def _look(session: Session) -> None:
    """Show the best image alone, in full."""
    key = session.best_image([key for key in session.shown() if key.kind == "image"])
    if key is not None and not any(k.kind == "map" for k in session.shown()):
        session.focus(key)
        session.fit(key)


def make_galaxy(session: Session) -> None:
    """Make the galaxy from the images that are read and wanted; None where there is none."""
    from ...fits_io.galaxies import make_galaxy as make

    wanted = ready(states(session))
    images = {
        file.band.name: session.images[label][1]
        for file, _, label, _ in wanted
        if label in session.images
    }
    try:
        session.galaxy = make(images, session.recipe.galaxy) if images else None
        session.galaxy_problem = ""
    except GalaxyMapsError as error:
        session.galaxy, session.galaxy_problem = None, str(error)
    session.rename()
    session.galaxy_changed.emit()
    session.files_changed.emit()


def truth_specs(session: Session, name: str, maps: PropertyMaps) -> list[LayerSpec]:
    """The layers of maps that were opened from a file, all but the first switched off."""
    lone = not session.shown() and not session.files
    visible = next(iter(maps.values)) if lone else None
    return map_specs(
        maps, session.place(maps), session.name, kind="truth", source=name, visible=visible
    )
