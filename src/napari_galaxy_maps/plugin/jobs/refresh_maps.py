"""Maps that follow the edits of the masks: a moment after an edit they are made anew, where it
touches them, in their layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...data.galaxy import BandImage
from ...data.maps import PropertyMaps
from ...prepare.masks.mask_set import Masks
from ...prepare.steps import step_named
from ...progress import Progress, Steps
from ..canvas.map_views import MapViews
from ..eventloop.idle_queue import IdleQueue
from ..eventloop.worker import Job, JobRunner
from ..ground.layer_specs import LayerSpec, View, image_spec, map_specs
from ..ground.sky_plane import Reference
from ..state.mask_history import MaskHistory
from ..state.project import Project
from ..state.results import Result
from .predict_maps import PredictedMaps, compared, masks_of_memory

if TYPE_CHECKING:
    from ...pipeline import PredictionMemory

PAUSE_MS = 200
"""So long after the last edit the maps are made anew."""
TITLE = "Following edits"
_A_TURN = 5
"""So many layers that are switched off get their data in one turn of the event loop."""


@dataclass
class _Record:
    """What the preparing steps of one refresh did."""

    notes: dict[str, list[str]] = field(default_factory=dict)
    images: dict[tuple[str, str], BandImage] = field(default_factory=dict)
    fit: Masks | None = None
    """The circles that the stars' step has made, if it did."""

    def keep(self, sign: Progress, memory: PredictionMemory) -> None:
        """One more sign of life."""
        if sign.is_note and step_named(sign.step) is not None:
            self.notes.setdefault(sign.step, []).append(sign.detail)
        if isinstance(sign.result, BandImage):
            self.images[sign.step, sign.result.band.name] = sign.result
        elif isinstance(sign.result, Masks):
            assert memory.stars is not None
            self.fit = memory.stars[1]


class MapRefresher:
    """Sees edits of the masks, and makes the maps follow.

    Parameters
    ----------
    project : Project
        Whose maps they are.
    masks : MaskHistory
        Whose edits they follow.
    views : MapViews
        Where the maps show.
    runner : JobRunner
        Runs the job.
    idle : IdleQueue
        In which the layers get their new data.
    """

    changed = Signal()
    """The switch, or whether the maps are those of the masks as they are."""

    def __init__(
        self,
        project: Project,
        masks: MaskHistory,
        views: MapViews,
        runner: JobRunner,
        idle: IdleQueue,
    ):
        self.project, self.masks, self.views, self.runner = project, masks, views, runner
        self._idle = idle
        self.on = True
        self._timer: Any = None
        self._moved: tuple[PropertyMaps, PropertyMaps] | None = None
        masks.changed.connect(self._edited)

    def switch(self, on: bool) -> None:
        """Follow edits, or wait for Predict."""
        self.on = on
        self.changed.emit()
        self._edited()

    @property
    def behind(self) -> bool:
        """Whether there are maps, but made with other masks than those that are there now."""
        result, galaxy = self.project.result, self.project.galaxy
        if result is None or galaxy is None or (result.masks is None and result.opened):
            return False
        return not _same(result.masks, self.masks.now, self.project.recipe.stars.enabled)

    @property
    def follows(self) -> bool:
        """Whether the maps that are looked at can follow edits: those that were made with other
        settings or other images than there are now stay as they are.
        """
        result = self.project.result
        return self.on and result is not None and not self.project.differences(result)

    def _truth_near(self, truth: PropertyMaps | None, maps: PropertyMaps) -> PropertyMaps | None:
        """The truth on the grid of the maps; to bring it there takes longer than an edit, so it is
        done once a grid.
        """
        from ...measure.compare.grid_and_psf import bring_to_grid, same_grid

        if truth is None:
            return None
        known = self._moved
        if (
            known is not None
            and known[0] is truth
            and same_grid(known[1].wcs, known[1].shape, maps.wcs, maps.shape)
        ):
            return known[1]
        moved = bring_to_grid(truth, maps.wcs, maps.shape)
        self._moved = truth, moved
        return moved

    def _edited(self) -> None:
        if not (self.on and self.project.maps is not None and self.views.layers.has_window):
            return
        from qtpy.QtCore import QTimer

        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._ripe)
        self._timer.start(PAUSE_MS)

    def _ripe(self) -> None:
        self.runner.after_job(self._follow)

    def _follow(self) -> None:
        if self.follows and self.behind:
            self.refresh()

    def refresh(self) -> Job | None:
        """Predict again with the masks as they are, into the layers that are there; nothing else in
        the window changes.
        """
        project, galaxy, result = self.project, self.project.galaxy, self.project.result
        if galaxy is None or self.runner.job is not None or result is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        recipe.model = result.recipe.model.model_copy()  # another may be chosen for the next one
        recipe.sharpen = result.recipe.sharpen.model_copy(deep=True)
        masks = self.masks.for_job(recipe, galaxy.images)
        truth, name = project.truth, project.name or galaxy.name
        reference = project.place(next(iter(galaxy.images.values())))
        memory, looking = project.kept_memory(), set(project.shown_steps)
        wanted = self.views.shown_views(result)
        record = _Record()

        def steps() -> Steps[tuple[PredictedMaps, list[LayerSpec]]]:
            from ...pipeline import predict_steps

            work = predict_steps(galaxy, recipe, memory=memory, masks=masks)
            while True:
                try:
                    sign = next(work)
                except StopIteration as end:
                    maps = end.value
                    break
                record.keep(sign, memory)
                yield Progress(sign.step, sign.done, sign.total)
            shown = [
                image_spec(image, reference, name, step=step)
                for (step, _), image in record.images.items()
                if step in looking
            ]
            predicted = compared(maps, self._truth_near(truth, maps))
            shown += _renewed(result, predicted, truth, wanted, reference, name)
            return replace(predicted, truth=truth), shown

        def refreshed(found: tuple[PredictedMaps, list[LayerSpec]]) -> None:
            project.replace_steps(record.notes, record.images)
            if record.fit is not None:
                self.masks.take_fit(record.fit, recipe.stars, galaxy.images)
            self._take(result, *found)

        return self.runner.start(
            TITLE,
            steps,
            on_result=refreshed,
            quiet=True,
            bar=False,
        )

    def _take(self, result: Result, predicted: PredictedMaps, shown: list[LayerSpec]) -> None:
        """New maps into the layers that are there."""
        project, layers = self.project, self.views.layers
        if result not in project.results:
            return  # it was thrown away meanwhile
        result.replace(predicted.maps, predicted.residual, predicted.truth)
        result.masks = masks_of_memory(project)
        there = [spec for spec in shown if layers.layer(spec.key) is not None]
        # What is looked at comes first; the others cost little, for nothing of them is painted.
        visible = {key for key, layer in layers.shown().items() if layer.visible}
        seen = [spec for spec in there if spec.key in visible]
        unseen = [spec for spec in there if spec.key not in visible]
        some = [unseen[i : i + _A_TURN] for i in range(0, len(unseen), _A_TURN)]
        self._idle.add(
            [
                *(partial(layers.show, spec) for spec in seen),
                *(partial(self._show_all, part) for part in some),
                self._shown,
            ]
        )

    def _show_all(self, specs: list[LayerSpec]) -> None:
        for spec in specs:
            self.views.layers.show(spec)

    def _shown(self) -> None:
        self.project.steps_changed.emit()
        self.project.results_changed.emit()
        self.project.maps_changed.emit()


def _renewed(
    result: Result,
    predicted: PredictedMaps,
    truth: PropertyMaps | None,
    wanted: Mapping[tuple[View, bool], Sequence[str]],
    reference: Reference,
    name: str,
) -> list[LayerSpec]:
    """New data for a result's layers, each in the view that it shows; made in the thread, so that
    the window has only to take them.
    """
    specs = []
    contents = {"residual": predicted.residual, "truth": truth}
    for (view, apart), names in wanted.items():
        content = contents.get(view, predicted.maps)
        if content is not None:
            specs += map_specs(
                content,
                reference,
                name,
                view=view,
                source=result.key,
                made_by=result.label,
                apart=apart,
                beside=predicted.maps,
                names=names,
            )
    return specs


def _same(used: Masks | None, now: Masks | None, enabled: bool) -> bool:
    """Whether two sets of masks are made of the very same circles, polygons and patches."""
    if now is not None and not enabled:
        now = now.by_hand()

    def parts(masks: Masks | None) -> list[Any]:
        return [] if masks is None else [*masks.stars, *masks.polygons, *masks.patches]

    one, other = parts(used), parts(now)
    return len(one) == len(other) and {id(part) for part in one} == {id(part) for part in other}
