"""Maps that follow the edits of the masks: a moment after an edit they are made anew, where it
touches them, in their layers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...data.galaxy import BandImage
from ...prepare.steps import step_named
from ...progress import Progress
from ..eventloop import worker
from ..ground.layer_specs import LayerSpec, image_spec
from .prepare_predict import Predicted, Steps, kept_memory, with_layers

if TYPE_CHECKING:
    from ...data.maps import PropertyMaps
    from ...prepare.masks.mask_set import Masks
    from ..state.session import Session

PAUSE_MS = 200
"""So long after the last edit the maps are made anew."""
TITLE = "Following edits"
_A_TURN = 5
"""So many layers that are switched off get their data in one turn of the event loop."""


class Following:
    """Sees edits of a session's masks, and makes its maps follow.

    Parameters
    ----------
    session : Session
        Whose maps they are.
    """

    changed = Signal()
    """The switch, or whether the maps are those of the masks as they are."""

    def __init__(self, session: Session):
        self.session = session
        self.on = True
        self._timer: Any = None
        self._moved: tuple[PropertyMaps, PropertyMaps] | None = None
        session.masking.changed.connect(self._edited)

    def switch(self, on: bool) -> None:
        """Follow edits, or wait for Predict."""
        self.on = on
        self.changed.emit()
        self._edited()

    @property
    def behind(self) -> bool:
        """Whether there are maps, but made with other masks than those that are there now."""
        session = self.session
        kept = session.memory
        if (
            session.maps is None
            or kept is None
            or kept.cube is None
            or kept.maps is not session.maps
        ):
            return False
        return not _same(kept.cube.masks, session.masking.now, session.recipe.stars.enabled)

    def truth_near(self, truth: PropertyMaps | None, maps: PropertyMaps) -> PropertyMaps | None:
        """The truth on the grid of the maps; to bring it there takes longer than an edit, so it is
        done once a grid.
        """
        from ...measure.compare.residuals import bring_to_grid, same_grid

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
        if not (self.on and self.session.maps is not None):
            return
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication

        if QApplication.instance() is None:
            return
        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._ripe)
        self._timer.start(PAUSE_MS)

    def _ripe(self) -> None:
        self.session.after_job(self._follow)

    def _follow(self) -> None:
        if self.on and self.behind:
            refresh(self.session)


def _same(used: Masks | None, now: Masks | None, enabled: bool) -> bool:
    """Whether two sets of masks are made of the very same circles, polygons and patches."""
    if now is not None and not enabled:
        now = now.by_hand()

    def parts(masks: Masks | None) -> list[Any]:
        return [] if masks is None else [*masks.stars, *masks.polygons, *masks.patches]

    one, other = parts(used), parts(now)
    return len(one) == len(other) and {id(part) for part in one} == {id(part) for part in other}


def refresh(session: Session) -> worker.Job | None:
    """Predict again with the masks as they are, into the layers that are there; nothing else in the
    window changes.
    """
    galaxy = session.galaxy
    if galaxy is None or session.job is not None or session.maps is None:
        return None
    recipe = session.recipe.model_copy(deep=True)
    masks = session.masking.for_job(recipe, galaxy.images)
    truth, name = session.truth, session.name or galaxy.name
    reference = session.place(next(iter(galaxy.images.values())))
    memory, looking = kept_memory(session), set(session.shown_steps)
    told: dict[str, list[str]] = {}
    prepared: dict[tuple[str, str], BandImage] = {}
    fits: list[Masks] = []

    def steps() -> Steps:
        from ...pipeline import predict_steps
        from ...prepare.masks.mask_set import Masks

        def keep(sign: Progress) -> None:
            if sign.detail and step_named(sign.step) is not None:
                told.setdefault(sign.step, []).append(sign.detail)
            if isinstance(sign.result, BandImage):
                prepared[sign.step, sign.result.band.name] = sign.result
            elif isinstance(sign.result, Masks):
                fits.append(memory.stars[1])

        work = predict_steps(galaxy, recipe, memory=memory, masks=masks)
        while True:
            try:
                sign = next(work)
            except StopIteration as end:
                maps = end.value
                break
            keep(sign)
            yield Progress(sign.step, sign.done, sign.total)
        shown = [
            image_spec(image, reference, name, step=step)
            for (step, _), image in prepared.items()
            if step in looking
        ]
        predicted = with_layers(maps, session.following.truth_near(truth, maps), reference, name)
        return replace(predicted, truth=truth), shown

    def refreshed(result: tuple[Predicted, list[LayerSpec]]) -> None:
        predicted, shown = result
        session.told, session.steps = told, prepared
        if fits:
            session.masking.take_fit(fits[-1], recipe.stars, galaxy.images)
        session.maps, session.residual = predicted.maps, predicted.residual
        session.compared = (id(predicted.maps), id(predicted.truth))
        session.saved = False
        layers = session.shown()
        there = [spec for spec in (*predicted.specs, *shown) if spec.key in layers]
        # What is looked at comes first; the others cost little, for nothing of them is painted.
        seen = [spec for spec in there if layers[spec.key].visible]
        unseen = [spec for spec in there if not layers[spec.key].visible]

        def show(specs: list[LayerSpec]) -> None:
            for spec in specs:
                session.show(spec)

        some = [unseen[i : i + _A_TURN] for i in range(0, len(unseen), _A_TURN)]
        session.turns.add(
            [
                *(partial(session.show, spec) for spec in seen),
                *(partial(show, part) for part in some),
                done,
            ]
        )

    def done() -> None:
        session.steps_changed.emit()
        session.maps_changed.emit()

    return worker.start(
        session, TITLE, steps, on_result=refreshed, on_error=session.note, quiet=True, bar=False
    )
