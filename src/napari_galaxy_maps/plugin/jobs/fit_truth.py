"""The job that fits a truth to the far infrared of the galaxy, and the one that saves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...progress import Progress
from ..eventloop import worker
from . import open_files as loading
from . import prepare_predict as work

if TYPE_CHECKING:
    from ...pipeline import FittedTruth
    from ..state.session import Session

TITLE = "Fitting a truth"
NAME = "fit of the far infrared"


def fit_truth(session: Session) -> worker.Job | None:
    """Prepare the galaxy at the resolution of its far infrared and fit a truth in a thread; it
    becomes the session's truth.
    """
    galaxy = work.galaxy_to_work_on(session)
    if galaxy is None:
        return None
    recipe = session.recipe.model_copy(deep=True)
    masks = session.masking.for_job(recipe, galaxy.images)

    def steps() -> work.Steps:
        from ...pipeline import truth_maps_steps

        # With a memory of its own: the prediction's is of another resolution.
        return (yield from truth_maps_steps(galaxy, recipe, masks))

    def fitted(result: FittedTruth) -> None:
        session.fitted = result
        maps = result.truth.maps
        session.add_truth(NAME, maps, choose=True)
        session.truths_changed.emit()
        session.show_later(
            [work.spec_off(spec) for spec in loading.truth_specs(session, NAME, maps)]
        )

    return worker.start(session, TITLE, steps, on_result=fitted, on_error=session.note)


def save_truth(
    session: Session, path: str, done: Callable[[str], None] | None = None
) -> worker.Job | None:
    """Write the fitted truth to a FITS file that appears only once it is whole."""
    fitted = session.fitted
    if fitted is None:
        return None

    def steps() -> work.Steps:
        from ...fits_io.map_files import write_maps
        from ...prepare.masks.mask_files import mask_hdus

        yield Progress("save", 0, 1, Path(path).name)
        truth = fitted.truth
        write_maps(
            path, truth.maps, overwrite=True, extra=[*truth.hdus(), *mask_hdus(fitted.cube.masks)]
        )
        return path

    def saved(where: Any) -> None:
        if done is not None:
            done(where)

    return worker.start(session, "Saving", steps, on_result=saved, on_error=session.note)
