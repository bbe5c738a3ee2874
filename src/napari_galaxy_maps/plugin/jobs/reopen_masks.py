"""Masks found again: in a result that is opened beside the galaxy's images, or that lies in their
folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...exceptions import GalaxyMapsError
from ...prepare.masks import mask_edits
from ..eventloop import worker
from ..eventloop.worker import JobRunner
from ..state.mask_history import MaskHistory
from ..state.project import Project

if TYPE_CHECKING:
    from ...prepare.masks.mask_set import Masks


_MOST = 60
"""So many files of a folder are looked into, the newest first."""


@dataclass(frozen=True)
class FoundMasks:
    """Masks that a result keeps.

    Attributes
    ----------
    path : Path
        The result.
    masks : Masks
        What was masked in it.
    opened : bool
        Whether a person has opened it, rather than that it lies beside the images.
    """

    path: Path
    masks: Masks
    opened: bool


class MaskReopener:
    """Looks for the masks of earlier results whenever the galaxy's images are others.

    Parameters
    ----------
    project : Project
        Whose galaxy it is.
    masks : MaskHistory
        Takes the masks that are found.
    runner : JobRunner
        After whose jobs the search begins.
    """

    def __init__(self, project: Project, masks: MaskHistory, runner: JobRunner):
        self.project, self.masks, self.runner = project, masks, runner
        self._opened: list[Path] = []
        self._asked: tuple[Any, ...] = ()
        project.galaxy_changed.connect(self._look_later)

    def put_aside(self) -> tuple[list[Path], tuple[Any, ...]]:
        """What was opened, and for what was looked last."""
        return self._opened, self._asked

    def take_up(self, state: tuple[list[Path], tuple[Any, ...]] | None) -> None:
        """Go on with another galaxy."""
        self._opened, self._asked = state or ([], ())

    def offer(self, path: Path) -> None:
        """A person has opened this result."""
        self._opened = [path, *(other for other in self._opened if other != path)]
        self._look_later()

    def _look_later(self) -> None:
        if self.project.galaxy is not None:
            self.runner.after_job(self._look)

    def _look(self) -> None:
        from qtpy.QtWidgets import QApplication

        galaxy = self.project.galaxy
        if galaxy is None:
            return
        checksums = {
            name: str(image.meta.get("checksum", "")) for name, image in galaxy.images.items()
        }
        images = [image.path for image in galaxy.images.values() if image.path is not None]
        asked = (tuple(sorted(checksums.items())), tuple(self._opened))
        if asked == self._asked:
            return
        self._asked = asked
        opened = list(self._opened)
        # What a person has made is not to be replaced by what happens to lie in the folder.
        beside = self.masks.now is None

        def find() -> FoundMasks | None:
            return find_masks(checksums, images, opened, beside)

        if QApplication.instance() is None:
            self._take(find(), asked)
        else:
            worker.fetch(find, lambda found: self._take(found, asked))

    def _take(self, found: FoundMasks | None, asked: tuple[Any, ...]) -> None:
        masks = self.masks
        if found is None or asked != self._asked or not (found.opened or masks.now is None):
            return
        text = mask_edits.summary(found.masks)
        note = (
            f"{text[:1].upper()}{text[1:]}, taken up from {found.path.name}, "
            "which was made of these images."
        )
        masks.take_saved(
            found.masks,
            f"the masks of {found.path.name}",
            note,
            self.project.recipe,
            self.project.bands,
        )
        self.project.show_message(note)


def find_masks(
    checksums: Mapping[str, str], images: Sequence[Path], opened: Sequence[Path], beside: bool
) -> FoundMasks | None:
    """The masks of a result that was made of the same images.

    Parameters
    ----------
    checksums : mapping of str to str
        SHA-256 of the galaxy's images by band.
    images : sequence of Path
        Their files.
    opened : sequence of Path
        Results that a person has opened, the last one first.
    beside : bool
        Whether results in the images' folders count too, the newest first.
    """
    from ...fits_io.image_files import is_fits_name

    known = {path.resolve() for path in images}
    near: list[Path] = []
    if beside:
        folders = {path.resolve().parent for path in images}
        near = [
            path
            for folder in folders
            for path in folder.glob("*.fits")
            if is_fits_name(path.name) and path.resolve() not in known
        ]
        near.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in (*opened, *near[:_MOST]):
        try:
            masks = _masks_of(path, checksums)
        except (GalaxyMapsError, OSError):  # nobody asked for this file
            continue
        if masks is not None:
            return FoundMasks(path, masks, path in opened)
    return None


def _masks_of(path: Path, checksums: Mapping[str, str]) -> Masks | None:
    """The masks in a result, if it was made of images with these checksums."""
    from ...fits_io.map_files import is_maps
    from ...fits_io.recipe_files import read_provenance
    from ...prepare.masks.mask_files import read_masks

    if not is_maps(path):
        return None
    inputs = read_provenance(path).get("inputs", {})
    if not isinstance(inputs, Mapping):
        return None
    common = [name for name in inputs if checksums.get(name)]
    if not common or any(checksums[name] not in str(inputs[name]) for name in common):
        return None
    return read_masks(path)
