"""What is known of a galaxy before its maps are predicted; the window looks at the images in a
thread for it, prepares them ahead, and lets the model look at the prepared bands.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from psygnal import Signal

from ...data.galaxy import Galaxy
from ...data.recipe import Recipe
from ...progress import run_to_end
from ..canvas.layer_register import LayerRegister
from ..eventloop import worker
from ..eventloop.process_switches import may_change
from ..eventloop.worker import JobRunner
from ..state.mask_history import MaskHistory
from ..state.project import Project

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...prepare.assumptions import Known
    from ...prepare.look_ahead import Look
    from ...prepare.masks.mask_set import Masks
    from ...progress import Steps

T = TypeVar("T")
_PAUSE_MS = 300
"""So long after the last change the images are looked at."""
_BEAT_MS, _BUSY_S = 20, 0.04
"""A window whose event loop has not turned for so long is busy."""
_KEPT = 8
"""Looks and remarks that are kept: those of galaxies that are open."""
_NOT_PREPARING = ("model", "sharpen")


@dataclass(frozen=True)
class _Of:
    """What a look or a remark is of: images, and settings that it depends on."""

    images: tuple[weakref.ref[Any], ...]
    settings: tuple[Any, ...]

    @classmethod
    def galaxy(cls, galaxy: Galaxy, *settings: Any) -> _Of:
        """Of a galaxy's images."""
        return cls(tuple(weakref.ref(image) for image in galaxy.images.values()), settings)

    def same(self, other: _Of) -> bool:
        """Whether both are of the very same images, which are there yet, and of equal settings."""
        ours, theirs = ([one() for one in of.images] for of in (self, other))
        return (
            len(ours) == len(theirs)
            and all(a is b is not None for a, b in zip(ours, theirs, strict=True))
            and self.settings == other.settings
        )


@dataclass(frozen=True)
class _Now:
    """What is asked for: the look, the preparation and the masks."""

    looked: _Of
    prepared: _Of
    masks: Masks | None

    def same(self, other: _Now) -> bool:
        """Whether both are of the same images, settings and masks."""
        return (
            self.looked.same(other.looked)
            and self.prepared.same(other.prepared)
            and self.masks is other.masks
        )


class FirstLook:
    """What is known of the galaxy that is looked at, and what is being found out.

    Parameters
    ----------
    project : Project
        Whose galaxy it is.
    masks : MaskHistory
        What is masked in it.
    runner : JobRunner
        While a job runs, nothing is looked at.
    layers : LayerRegister
        Of the window: when it is closed, nothing is looked at any more.
    """

    changed = Signal()
    """More is known."""

    def __init__(
        self, project: Project, masks: MaskHistory, runner: JobRunner, layers: LayerRegister
    ):
        self.project, self.masks, self.runner, self.layers = project, masks, runner, layers
        self._looks: list[tuple[_Of, Look | None]] = []
        self._remarks: list[tuple[weakref.ref[BandCube], _Of, list[str]]] = []
        self._cube: tuple[weakref.ref[BandCube], _Of] | None = None
        self._predicted: weakref.ref[BandCube] | None = None
        self._ahead: tuple[_Now, BandCube | None] | None = None
        self._timer: Any = None
        self._under_way: _Now | None = None
        self._beaten = 0.0
        self._stale = False
        project.cube_changed.connect(self._prepared)
        project.results_changed.connect(self._predicted_from)

    # What is known -------------------------------------------------------------------------------

    def known(self) -> Known | None:
        """All that is known of the galaxy by now; None where there is none."""
        galaxy = self.project.galaxy
        if galaxy is None:
            return None
        from ...prepare.assumptions import Known

        recipe, cube = self.project.recipe, self._cube_as_is(galaxy)
        return Known(
            galaxy,
            recipe,
            self.masks.now,
            self._kept_look(galaxy),
            self._kept_remarks(cube, galaxy) or (),
            None if cube is None else cube.pixel_arcsec,
        )

    @property
    def is_ready(self) -> bool:
        """Whether all that can be done ahead has been tried."""
        return self._ahead is not None and self._under_way is None

    def _look_of(self, galaxy: Galaxy) -> _Of:
        recipe = self.project.recipe
        place = (galaxy.ra, galaxy.dec, galaxy.ellipse)
        return _Of.galaxy(galaxy, recipe.model.name, recipe.sky.model_copy(), place)

    def _kept_look(self, galaxy: Galaxy) -> Look | None:
        of = self._look_of(galaxy)
        return next((look for known, look in self._looks if known.same(of)), None)

    def _preparing(self, galaxy: Galaxy) -> _Of:
        """What a prepared cube is of."""
        recipe = self.project.recipe
        sections = [name for name in Recipe.model_fields if name not in _NOT_PREPARING]
        told = recipe.galaxy.model_copy(update={"name": "", "redshift": None, "hubble_stage": None})
        others = [getattr(recipe, name).model_copy() for name in sections if name != "galaxy"]
        return _Of.galaxy(galaxy, told, *others)

    def _cube_as_is(self, galaxy: Galaxy) -> BandCube | None:
        """The prepared bands, where they were made of these images with these settings."""
        if self._cube is None or not self._cube[1].same(self._preparing(galaxy)):
            return None
        return self._cube[0]()

    def _kept_remarks(self, cube: BandCube | None, galaxy: Galaxy) -> list[str] | None:
        if cube is None:
            return None
        of = self._asked(galaxy)
        for of_cube, asked, said in self._remarks:
            if of_cube() is cube and asked.same(of):
                return said
        return None

    def _asked(self, galaxy: Galaxy) -> _Of:
        """What the model's remarks depend on."""
        told = (galaxy.redshift, galaxy.distance_mpc, galaxy.hubble_stage)
        return _Of.galaxy(galaxy, self.project.recipe.model.model_copy(), told)

    def _prepared(self) -> None:
        self._take_cube(self.project.cube)

    def _predicted_from(self) -> None:
        memory = self.project.memory
        cube = memory.cube if memory is not None else None
        if cube is not None and (self._predicted is None or self._predicted() is not cube):
            self._predicted = weakref.ref(cube)
            self._take_cube(cube)

    def _take_cube(self, cube: BandCube | None) -> None:
        """Bands that were prepared just now; of those of another galaxy that is taken up nobody
        knows whether settings have changed since.
        """
        galaxy, old = self.project.galaxy, self.project.announcing
        self._cube = self._ahead = None
        if cube is not None and galaxy is not None and not old:
            self._cube = weakref.ref(cube), self._preparing(galaxy)

    # Finding out ---------------------------------------------------------------------------------

    def look_soon(self) -> None:
        """Look at what is not known yet a moment after the last change, while no job runs."""
        from qtpy.QtCore import QTimer

        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._ripe)
        self._timer.start(_PAUSE_MS)

    def _ripe(self) -> None:
        self.runner.after_job(self._look)

    def _look(self) -> None:
        """Begin with what is missing first."""
        project, galaxy = self.project, self.project.galaxy
        if galaxy is None:
            return
        recipe, of = project.recipe.model_copy(deep=True), self._look_of(galaxy)
        now = _Now(of, self._preparing(galaxy), self.masks.now)
        if self._under_way is not None:
            # What is being found out may be of what is not asked for any more.
            self._stale = not self._under_way.same(now)
            return
        cube, memory = self._cube_as_is(galaxy), project.kept_memory()
        if not any(known.same(of) for known, _ in self._looks):

            def look() -> Look | None:
                from ...beforehand import look_at_steps

                return self._all_of(look_at_steps(galaxy, recipe, memory))

            self._begin(now, look, lambda look: _keep(self._looks, (of, look)))
        elif self._may_prepare(now, cube, recipe):
            masks = self.masks.for_job(recipe, galaxy.images)

            def prepare() -> BandCube:
                from ...pipeline import prepare_ahead_steps

                return self._all_of(prepare_ahead_steps(galaxy, recipe, memory, masks))

            self._begin(now, prepare, lambda made: self._take_ahead(now, made))
        elif cube is not None and self._kept_remarks(cube, galaxy) is None:
            ref, asked = weakref.ref(cube), self._asked(galaxy)

            def remarks() -> list[str]:
                from ...beforehand import remarks_before

                return remarks_before(cube, recipe)

            self._begin(now, remarks, lambda said: _keep(self._remarks, (ref, asked, said)))

    def _may_prepare(self, now: _Now, cube: BandCube | None, recipe: Recipe) -> bool:
        """Whether the images are to be prepared ahead: not twice in vain, nor where a job has done
        it, nor where an archive would be asked, which is for the person to want. Once there are
        maps, what is remembered is theirs, so that they follow an edit at once.
        """
        from ...prepare.stars.gaia import is_archive

        if not may_change("preparing") or self.project.results:
            return False
        if recipe.stars.enabled and is_archive(recipe.stars.catalogue):
            return False
        if self._ahead is None:
            return cube is None
        return not self._ahead[0].same(now)

    def _take_ahead(self, now: _Now, cube: BandCube | None) -> None:
        self._ahead = now, cube
        if cube is not None:
            self._cube = weakref.ref(cube), now.prepared

    # In the thread -------------------------------------------------------------------------------

    def _all_of(self, steps: Steps[T]) -> T:
        """What steps come to; raises `_Disturbed` once a job runs, or something else is asked
        for.
        """
        try:
            return run_to_end(steps, lambda _: self._give_way())
        finally:
            steps.close()

    def _give_way(self) -> None:
        """Wait while the window is busy: two threads that both compute hinder each other."""
        while True:
            if self.runner.job is not None or self._stale or self.layers.is_closed:
                raise _Disturbed
            if time.monotonic() - self._beaten < _BUSY_S:
                return
            time.sleep(_BUSY_S / 8)

    def _beat(self) -> None:
        self._beaten = time.monotonic()

    def _begin(self, now: _Now, find: Callable[[], Any], keep: Callable[[Any], None]) -> None:
        """Find something out in a thread, and keep it: None where that could not be done."""
        from qtpy.QtCore import QTimer

        self._under_way, self._stale = now, False
        end = self.runner.stand_aside()
        heart = QTimer()
        heart.timeout.connect(self._beat)
        heart.start(_BEAT_MS)
        self._beat()

        def guarded() -> tuple[bool, Any]:
            try:
                return True, find()
            except _Disturbed:
                return False, None
            except Exception as error:  # a prediction will say it in words
                worker.LOGGER.info("nothing could be told ahead: %s", error)
                return True, None
            finally:
                end()

        def found(answer: tuple[bool, Any]) -> None:
            self._under_way = None
            heart.stop()
            done, result = answer
            if done:
                keep(result)
                self.changed.emit()
            self.look_soon()

        worker.fetch(guarded, found)


class _Disturbed(Exception):
    """A job has begun meanwhile, or something else is asked for."""


def _keep(kept: list[Any], one: Any) -> None:
    kept.insert(0, one)
    del kept[_KEPT:]
