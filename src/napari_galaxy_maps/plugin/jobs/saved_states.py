"""A galaxy of the window as a session keeps it, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ...data.maps import PropertyMaps
from ...exceptions import GalaxyMapsError
from ...prepare.masks.mask_edits import alike
from ...progress import Progress, Steps
from ..canvas.shown_galaxy import ShownGalaxy
from ..ground.edit_history import History
from ..ground.layer_specs import Key
from ..ground.window_words import words_of
from ..session.found_images import Checksums, find_images
from ..session.saved_galaxy import SavedFile, SavedGalaxy, SavedResult, SavedTruth
from ..state.entries import entries_of
from ..state.galaxy_work import GalaxyWork
from ..state.mask_history import MaskWork
from ..state.results import Result, inputs_of

States = dict[str, Any]
"""What the parts of the window have for a galaxy, by the parts' names."""


# To a session ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A galaxy as it is just now, taken in the window's thread; its files are hashed in another.

    Attributes
    ----------
    title : str
        What a person calls it.
    work : GalaxyWork
        What is known of it; a copy that nobody changes.
    states : dict
        Its masks, apertures and layers.
    files : list of (Path, str, str)
        Its files, what the table calls them, and their SHA-256 where it is known.
    """

    title: str
    work: GalaxyWork
    states: States
    files: list[tuple[Path, str, str]] = field(default_factory=list)


def draft_of(title: str, work: GalaxyWork, states: States) -> Draft:
    """A galaxy as it is just now.

    Parameters
    ----------
    title : str
        What a person calls it.
    work : GalaxyWork
        What is known of it.
    states : dict
        What the other parts have for it: ``masks``, ``apertures``, ``layers`` and ``d25``.
    """
    known = {image.path: str(image.meta.get("checksum", "")) for image in work.files.held()}
    files = [(p.path, label, known.get(p.path, "")) for label, p in work.files.places().items()]
    copy = GalaxyWork(
        recipe=work.recipe.model_copy(deep=True),
        results=list(work.results),
        result=work.result,
        truths=dict(work.truths),
        truth_name=work.truth_name,
        reference=work.reference,
        missing=work.missing,
    )
    kept = {name: states.get(name) for name in ("masks", "apertures", "d25")}
    view = view_of(states.get("layers"), work)
    return Draft(title, copy, {**kept, "view": view}, files)


def view_of(shown: ShownGalaxy | None, work: GalaxyWork) -> dict[str, Any]:
    """How a galaxy is shown, in plain values: layers by the number of their result."""
    view: dict[str, Any] = {"reference": list(work.reference) if work.reference else None}
    view["opened"] = [result.opened for result in work.results]
    view["inputs"] = [result.inputs for result in work.results]
    if shown is None:
        return view
    sources = {result.key: f"result {i}" for i, result in enumerate(work.results)}

    def words(key: Key) -> list[str]:
        return [key.kind, key.name, sources.get(key.source, key.source), key.view]

    kept = [key for key in (*shown.layers, *shown.visible) if key.kind != "compare"]
    view["camera"] = [*shown.camera[0], shown.camera[1]] if shown.camera else None
    view["visible"] = [[*words(key), v] for key, v in shown.visible.items() if key in kept]
    view["names"] = [[*words(key), name] for key, name in shown.own_names.items()]
    view["limits"] = [
        [*words(key), v, float(limits[0]), float(limits[1]), str(getattr(colours, "name", colours))]
        for (key, v), (limits, colours) in shown.colours.items()
    ]
    return view


def saved_galaxy(draft: Draft, checksums: Checksums) -> SavedGalaxy:
    """What a session keeps of a galaxy; hashes files that have not been read."""
    work, masks, apertures = draft.work, draft.states["masks"], draft.states["apertures"]
    files: dict[Path, SavedFile] = {}
    for path, label, checksum in draft.files:
        if path not in files and path.is_file():
            files[path] = (
                SavedFile(path, checksum, path.stat().st_size, label)
                if checksum
                else checksums.saved_file(path, label)
            )
    results = tuple(
        SavedResult(
            each.label,
            each.made.isoformat(),
            each.maps,
            each.masks,
            each.recipe,
            each.saved,
        )
        for each in work.results
    )
    truths = tuple(
        SavedTruth(name, _source_of(maps, checksums), name == work.truth_name)
        for name, maps in work.truths.items()
    )
    extra = {} if apertures is None else {"options": apertures.options}
    view = draft.states["view"] | {
        "d25": bool(draft.states["d25"]),
        "band": masks.band if masks is not None else "",
        "measured": apertures.source if apertures is not None else "",
    }
    return SavedGalaxy(
        name=draft.title,
        recipe=work.recipe,
        files=(*files.values(), *work.missing),
        masks=masks.history.now if masks is not None else None,
        masks_note=masks.note if masks is not None else "",
        apertures=apertures.history.now if apertures is not None else (),
        results=results,
        result=work.results.index(work.result) if work.result in work.results else -1,
        truths=truths,
        view=view,
        **extra,
    )


def _source_of(maps: PropertyMaps, checksums: Checksums) -> PropertyMaps | SavedFile:
    """A truth's file, where it is from one."""
    path = Path(str(maps.provenance.get("file", "")))
    return checksums.saved_file(path) if path.is_file() else maps


# From a session ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restored:
    """A galaxy of a session, ready for the window.

    Attributes
    ----------
    states : dict
        What each part takes up.
    notes : list of str
        What is not as it was, a sentence each.
    saved : SavedGalaxy
        As the session keeps it.
    folder : Path
        The session's.
    """

    states: States
    notes: list[str]
    saved: SavedGalaxy
    folder: Path


def restore_steps(saved: SavedGalaxy, folder: Path, checksums: Checksums) -> Steps[Restored]:
    """Find the files of a galaxy again and make of all what the window works with.

    Parameters
    ----------
    saved : SavedGalaxy
        As the session keeps it.
    folder : Path
        The session's.
    checksums : Checksums
        Spares the reading of what was read before.
    """
    yield Progress("open", 0, 2, saved.name)
    found = find_images(saved.files, folder, checksums, quick=True)
    notes: list[str] = []
    work = GalaxyWork(recipe=saved.recipe, missing=found.missing)
    yield from _open_images(
        work, [found.found[file] for file in saved.files if file in found.found]
    )
    yield Progress("open", 1, 2, saved.name)
    notes += _take_truths(work, saved, folder, checksums)
    for i, each in enumerate(saved.results):
        work.results.append(_result(each, saved, i))
    work.result = work.results[saved.result] if 0 <= saved.result < len(work.results) else None
    reference = saved.view.get("reference")
    work.reference = (float(reference[0]), float(reference[1])) if reference else None
    work.edits = History(entries_of(work.recipe, work.files))
    bands = frozenset(file.band.name for file in work.files.found if file.band is not None)
    masks = MaskWork(
        History(saved.masks),
        basis=(saved.recipe.stars.model_copy(), bands),
        band=str(saved.view.get("band", "")),
        note=saved.masks_note,
    )
    states: States = {
        "project": work,
        "masks": masks if saved.masks is not None else None,
        "apertures": _apertures(saved),
        "layers": _shown(saved.view, work),
        "d25": bool(saved.view.get("d25")),
    }
    return Restored(states, notes, saved, folder)


def words_of_changed(changed: Sequence[SavedFile]) -> str:
    """Which files have changed since a session was saved, in words; empty where none has."""
    if not changed:
        return ""
    names = ", ".join(file.path.name for file in changed[:3])
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f"Changed since the session was saved: {names}{more}."


def _open_images(work: GalaxyWork, paths: list[Path]) -> Steps[None]:
    """The rows of the table of files."""
    from .open_files import open_steps

    opened = yield from open_steps(paths, work.recipe.input, paths)
    for file in opened.files:
        work.files.add(file)
    for other in opened.passed:
        work.files.pass_over(other)
    work.files.skip((*opened.skipped, *opened.errors))


def _take_truths(
    work: GalaxyWork, saved: SavedGalaxy, folder: Path, checksums: Checksums
) -> list[str]:
    from ...fits_io.map_files import read_maps

    notes = []
    for truth in saved.truths:
        maps = truth.source
        if isinstance(maps, SavedFile):
            found = find_images([maps], folder, checksums).found
            try:
                maps = read_maps(found.get(maps, maps.path))
            except GalaxyMapsError as error:
                notes.append(words_of(error))
                continue
        work.truths[truth.name] = maps
        if truth.chosen:
            work.truth_name = truth.name
    return notes


def _result(each: SavedResult, saved: SavedGalaxy, number: int) -> Result:
    masks = each.masks
    if alike(masks, saved.masks):
        masks = saved.masks  # the very same, so that the maps are those of the masks
    opened, inputs = (saved.view.get(name, ()) for name in ("opened", "inputs"))
    return Result(
        each.label,
        each.maps,
        each.recipe,
        dict(inputs[number]) if number < len(inputs) else inputs_of(each.maps),
        masks,
        datetime.fromisoformat(each.made),
        saved=each.saved,
        opened=number < len(opened) and bool(opened[number]),
    )


def _apertures(saved: SavedGalaxy) -> Any:
    if not saved.apertures and not saved.view.get("measured"):
        return None
    from ..state.aperture_measurements import ApertureWork

    source = str(saved.view.get("measured", ""))
    return ApertureWork(History(saved.apertures), options=saved.options, source=source)


def _shown(view: Mapping[str, Any], work: GalaxyWork) -> ShownGalaxy:
    """The layers as they were left; what the view says of anything else is passed over."""
    sources = {f"result {i}": result.key for i, result in enumerate(work.results)}

    def key_of(words: list[Any]) -> Key:
        kind, name, source, fixed = (str(word) for word in words[:4])
        return Key(kind, name, sources.get(source, source), fixed)  # type: ignore[arg-type]

    shown = ShownGalaxy()
    camera = view.get("camera")
    if camera and len(camera) == 3:
        shown.camera = ((float(camera[0]), float(camera[1])), float(camera[2]))
    for words in view.get("visible", ()):
        shown.visible[key_of(words)] = words[4]
    for words in view.get("names", ()):
        shown.own_names[key_of(words)] = str(words[4])
    for words in view.get("limits", ()):
        limits = (float(words[5]), float(words[6]))
        shown.colours[key_of(words), str(words[4])] = (limits, str(words[7]))
    return shown
