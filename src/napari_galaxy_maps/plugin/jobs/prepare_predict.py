"""The jobs behind the buttons: prepare, predict, compare, save. Each runs in the worker and leaves
layers behind.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.galaxy import BandCube, BandImage, Galaxy
from ...data.maps import PROPERTIES, PropertyMaps
from ...exceptions import GalaxyMapsError, InputError
from ...prepare.masks import mask_edits
from ...prepare.masks.mask_set import Masks
from ...prepare.steps import step_named
from ...progress import Progress
from ..eventloop import worker
from ..ground.layer_specs import Key, LayerSpec, image_spec, map_specs
from . import image_files as files
from . import open_files as loading

if TYPE_CHECKING:
    from ...data.recipe import Recipe
    from ..state.session import Session

Steps = Generator[Progress, None, Any]


def galaxy_to_work_on(session: Session) -> Galaxy | None:
    """The galaxy, or None after saying what is missing."""
    loading.make_galaxy(session)
    if session.galaxy is not None:
        return session.galaxy
    unsettled = [
        f"{row.found.label}: {row.problem}"
        for row in files.states(session)
        if row.used and row.problem
    ]
    sentence = (
        session.galaxy_problem
        or " ".join(unsettled[:1])
        or "Add the galaxy's images first (Galaxy panel)."
    )
    worker.report(InputError(sentence))
    session.note(sentence)
    return None


def _keep_step(session: Session, sign: Progress) -> None:
    """Remember what a preparing step did, and show it where that is asked for."""
    if step_named(sign.step) is None:
        return
    if sign.detail:
        session.told.setdefault(sign.step, []).append(sign.detail)
    if isinstance(sign.result, BandImage):
        session.steps[sign.step, sign.result.band.name] = sign.result
    if sign.step == "stars" and session.memory is not None and isinstance(sign.result, Masks):
        session.masking.take_fit(session.memory.stars[1], session.recipe.stars, session.bands)
    session.tell_steps_soon()


def _begin(session: Session) -> None:
    session.told.clear()
    session.steps.clear()
    session.steps_changed.emit()


def kept_memory(session: Session) -> Any:
    """What the session's jobs remember, begun on first use."""
    if session.memory is None:
        from ...pipeline import Kept

        session.memory = Kept()
    return session.memory


# Prepare -------------------------------------------------------------------------------------------------------------


def prepare(session: Session) -> worker.Job | None:
    """Prepare the galaxy's images in a thread."""
    galaxy = galaxy_to_work_on(session)
    if galaxy is None or session.job is not None:
        return _busy(session) if session.job is not None else None
    recipe = session.recipe.model_copy(deep=True)
    masks = session.masking.for_job(recipe, galaxy.images)

    def steps() -> Steps:
        from ...prepare.steps import prepare_steps

        return (yield from prepare_steps(galaxy, recipe, kept_memory(session), masks))

    def prepared(cube: BandCube) -> None:
        session.cube = cube
        session.steps_changed.emit()
        session.cube_changed.emit()
        for step in sorted(session.shown_steps):
            show_step(session, step)

    _begin(session)
    return worker.start(
        session, "Preparing", steps, on_progress=lambda sign: _keep_step(session, sign), on_result=prepared,
        on_error=session.note,
    )  # fmt: skip


def fit_stars(session: Session) -> worker.Job | None:
    """Do the steps up to the stars' in a thread: the circles of the recipe's catalogue, or of stars
    found on the images.
    """
    galaxy = galaxy_to_work_on(session)
    if galaxy is None or session.job is not None:
        return _busy(session) if session.job is not None else None
    recipe = session.recipe.model_copy(deep=True)
    masks = session.masking.for_job(recipe, galaxy.images)
    if masks is not None:  # asked for by name: fitted even where those that are there would do
        from dataclasses import replace

        masks = replace(masks.by_hand(), complete=False)

    def steps() -> Steps:
        from ...prepare.steps import prepare_steps

        for sign in prepare_steps(galaxy, recipe, kept_memory(session), masks):
            yield sign
            if isinstance(sign.result, Masks):
                return

    def fitted(_: None) -> None:
        if session.memory.stars is not None:
            session.masking.take_fit(
                session.memory.stars[1], recipe.stars, galaxy.images, asked=True
            )
        session.steps_changed.emit()

    _begin(session)
    return worker.start(
        session, "Fitting stars", steps, on_progress=lambda sign: _keep_step(session, sign), on_result=fitted,
        on_error=session.note,
    )  # fmt: skip


def _busy(session: Session) -> None:
    from napari.utils.notifications import show_info

    assert session.job is not None
    show_info(f"{session.job.title} is still under way; wait for it or cancel it.")


def show_step(session: Session, step: str, on: bool = True) -> None:
    """Show what a step made of the images as layers, or take these layers away; beside the sky's,
    what it subtracted.
    """
    (session.shown_steps.add if on else session.shown_steps.discard)(step)
    if not on:
        for key, layer in session.shown().items():
            if key.kind == "step" and key.source in (step, f"subtracted {step}"):
                session.viewer.layers.remove(layer)
        return
    images = [image for (done, _), image in session.steps.items() if done == step]
    if not images or session.job is not None:
        return
    best = session.best_image([Key("step", image.band.name, step) for image in images])
    name, reference = session.name, session.place(images[0])

    def make() -> Steps:
        from ...prepare.sky import subtracted_sky

        specs = []
        for done, image in enumerate(images):
            yield Progress("layers", done, len(images), image.band.name)
            if step == "sky":
                sky = subtracted_sky(image)
                specs.append(
                    image_spec(sky, reference, name, step=f"subtracted {step}", visible=False)
                )
            specs.append(image_spec(image, reference, name, step=step, visible=False))
        return specs

    def shown() -> None:
        if best is not None and step in session.shown_steps:
            session.focus(best)

    worker.start(
        session,
        "Showing",
        make,
        on_result=lambda specs: session.show_later(specs, shown),
        quiet=True,
    )


# Predict -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Predicted:
    """What a prediction leaves: maps, the truth it is compared with, residuals or why there are
    none, and layers.
    """

    maps: PropertyMaps
    truth: PropertyMaps | None
    residual: PropertyMaps | None
    sentence: str
    specs: tuple[LayerSpec, ...]


def predict(session: Session) -> worker.Job | None:
    """Predict maps in a thread; they come as layers, one per turn of the event loop."""
    galaxy = galaxy_to_work_on(session)
    if galaxy is None or session.job is not None:
        return _busy(session) if session.job is not None else None
    recipe: Recipe = session.recipe.model_copy(deep=True)
    masks = session.masking.for_job(recipe, galaxy.images)
    truth, name = session.truth, session.name or galaxy.name
    reference = session.place(next(iter(galaxy.images.values())))

    def steps() -> Steps:
        from ...pipeline import predict_steps

        maps = yield from predict_steps(galaxy, recipe, memory=kept_memory(session), masks=masks)
        yield Progress("layers", 0, 1, "making layers")
        return with_layers(maps, truth, reference, name)

    _begin(session)
    return worker.start(
        session, "Predicting", steps, on_progress=lambda sign: _keep_step(session, sign),
        on_result=lambda result: _predicted(session, result), on_error=session.note,
    )  # fmt: skip


def with_layers(
    maps: PropertyMaps, truth: PropertyMaps | None, reference: Any, name: str
) -> Predicted:
    """Maps with their residuals, where there is a truth, and the layers of all."""
    residual, sentence = None, ""
    specs = map_specs(maps, reference, name)
    if truth is not None:
        from ...measure.compare.comparison import compared_residual

        try:
            residual = compared_residual(maps, truth)
        except GalaxyMapsError as error:
            sentence = str(error)
        else:
            specs = map_specs(residual, reference, name, kind="residual") + specs
    return Predicted(maps, truth, residual, sentence, tuple(specs))


def _predicted(session: Session, result: Predicted) -> None:
    session.maps, session.residual = result.maps, result.residual
    session.steps_changed.emit()
    session.compared = (id(result.maps), id(result.truth))
    session.saved = False
    if result.sentence:
        worker.report(InputError(result.sentence))
        session.note(result.sentence)
    fresh = {spec.key for spec in result.specs}
    looking = looked_at(session)
    for key, layer in session.shown().items():
        # A map that was not made again would be one of another recipe, or of another truth.
        if key.kind in ("map", "error", "residual") and key not in fresh:
            session.viewer.layers.remove(layer)
    newest = looking if looking in fresh else result.specs[-1].key

    def shown() -> None:
        session.focus(newest)
        session.maps_changed.emit()

    session.show_later([spec_off(spec) for spec in result.specs], shown)


def spec_off(spec: LayerSpec) -> LayerSpec:
    """The same layer, switched off until all are there."""
    from dataclasses import replace

    return replace(spec, visible=False)


# Compare and save ----------------------------------------------------------------------------------------------------


def compare(session: Session) -> worker.Job | None:
    """Residuals of the maps that are there against the truth that is chosen now."""
    maps, truth, name = session.maps, session.truth, session.name
    if maps is None or session.job is not None or session.compared == (id(maps), id(truth)):
        return None
    session.compared = (id(maps), id(truth))
    if truth is None:
        session.residual = None
        for key, layer in session.shown().items():
            if key.kind == "residual":
                session.viewer.layers.remove(layer)
        return None
    reference = session.place(maps)

    def steps() -> Steps:
        from ...measure.compare.comparison import compared_residual

        yield Progress("residuals", 0, 1, "comparing")
        residual = compared_residual(maps, truth)
        return residual, map_specs(residual, reference, name, kind="residual")

    def compared(result: tuple[PropertyMaps, list[LayerSpec]]) -> None:
        session.residual, specs = result
        looked = looked_at(session)
        same = Key("residual", looked.name) if looked else None
        newest = next((spec.key for spec in specs if spec.key == same), specs[-1].key)

        def shown() -> None:
            session.focus(newest)
            session.maps_changed.emit()

        session.show_later([spec_off(spec) for spec in specs], shown)

    return worker.start(session, "Comparing", steps, on_result=compared, on_error=session.note)


def looked_at(session: Session) -> Key | None:
    """The map, uncertainty or residual that is switched on; the uppermost of several."""
    on = [
        key
        for key, layer in session.shown().items()
        if key.kind in ("map", "error", "residual") and layer.visible
    ]
    return max(on, key=lambda key: (key.rank, list(PROPERTIES).index(key.name)), default=None)


def open_truth(session: Session, path: str) -> worker.Job | None:
    """Read a file of maps to compare with, and choose it."""

    def steps() -> Steps:
        from ...fits_io import read_maps

        yield Progress("open", 0, 1, Path(path).name)
        return read_maps(path)

    def opened(maps: PropertyMaps) -> None:
        name = Path(path).name
        session.add_truth(name, maps, choose=True)
        session.show_later(loading.truth_specs(session, name, maps))

    return worker.start(
        session, "Opening the truth", steps, on_result=opened, on_error=session.note
    )


def load_regions(session: Session, path: str) -> worker.Job | None:
    """Add the circles and polygons of a DS9 region file, or the masks of a saved result, to those
    that are there.
    """
    bands = session.bands

    def steps() -> Steps:
        from ...fits_io import FITS_ENDINGS
        from ...prepare.masks.mask_files import masks_from_regions, read_masks

        yield Progress("open", 0, 1, Path(path).name)
        left_out: list[str] = []
        if not path.lower().endswith(FITS_ENDINGS):
            return masks_from_regions(path, bands, left_out), left_out
        masks = read_masks(path)
        if masks is None:
            raise InputError(
                f"{path} keeps no masks; choose a result that was saved with them, or DS9 regions."
            )
        return masks, left_out

    def loaded(result: tuple[Masks, list[str]]) -> None:
        masks, left_out = result
        name = Path(path).name
        text = mask_edits.summary(masks)
        session.masking.told = f"{text[:1].upper()}{text[1:]} of {name}."
        session.masking.change(mask_edits.merged(session.masking.now, masks), f"loading {name}")
        session.note(" ".join(left_out))

    return worker.start(session, "Loading regions", steps, on_result=loaded, on_error=session.note)


def save_regions(session: Session, path: str) -> worker.Job | None:
    """Write the circles and polygons as DS9 regions; the file appears only once it is whole."""
    masks = session.masking.now
    if masks is None:
        return None

    def steps() -> Steps:
        from ...prepare.masks.mask_files import masks_to_regions

        yield Progress("save", 0, 1, Path(path).name)
        masks_to_regions(path, masks, overwrite=True)

    def saved(_: None) -> None:
        rest = (
            " The painted mask has no such form; it is saved with the maps."
            if masks.patches
            else ""
        )
        session.masking.tell(f"Saved in {path}.{rest}")

    return worker.start(session, "Saving regions", steps, on_result=saved, on_error=session.note)


def masks_to_save(session: Session, maps: PropertyMaps) -> Masks | None:
    """What goes into a file of maps as masked: what a person sees, edits that the maps do not show
    yet included.
    """
    kept = session.memory
    if maps is not session.maps:
        return None
    if session.recipe.stars.enabled and session.masking.now is not None:
        return session.masking.now
    used: Masks | None = (
        kept.cube.masks
        if kept is not None and kept.cube is not None and kept.maps is maps
        else None
    )
    return used


def save(
    session: Session, path: str, done: Callable[[str], None] | None = None
) -> worker.Job | None:
    """Write the maps to a FITS file that appears only once it is whole."""
    maps = session.maps
    if maps is None:
        return None
    masks = masks_to_save(session, maps)

    def steps() -> Steps:
        from ...fits_io import write_maps
        from ...prepare.masks.mask_files import mask_hdus

        yield Progress("save", 0, 1, Path(path).name)
        write_maps(path, maps, overwrite=True, extra=mask_hdus(masks))
        return path

    def saved(where: str) -> None:
        session.saved = session.maps is maps
        if done is not None:
            done(where)

    return worker.start(session, "Saving", steps, on_result=saved, on_error=session.note)
