"""Recipe and galaxy in, maps out: the whole way in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .bands.registry import get_band
from .constants import PC_PER_MPC_ARCSEC
from .data.cube import BandCube, changed_pixels
from .data.flags import mostly_unlike
from .data.galaxy import Ellipse, Galaxy
from .data.maps import PropertyMaps
from .data.masked_light import MapFilling
from .data.plausible import mass_note, possible_only
from .data.recipe import Recipe
from .exceptions import ModelError
from .fits_io.image_files import FITS_ENDINGS
from .measure.apertures.totals import integrated_cube
from .models.band_advice import not_used, unknown_bands
from .models.registry import chosen_model, load_model, model_class
from .prepare.impute import model_redshift
from .prepare.masks.mask_files import masks_from_regions, read_masks
from .prepare.masks.mask_set import Masks
from .prepare.memory import PreparationMemory
from .prepare.steps import prepare_steps
from .progress import Progress, Steps, run_to_end
from .provenance import provenance, provenance_of_cube
from .sed.library import Library, library_steps
from .sed.truth import Truth, check_far_infrared, truth_steps
from .sharpen.by_recipe import sharpen_by_recipe_steps

if TYPE_CHECKING:
    from .models.base import Model


def masks_given(
    recipe_file: str | Path | None,
    regions: Sequence[str | Path],
    bands: Sequence[str],
    left_out: list[str],
    other_stars: bool = False,
) -> Masks | None:
    """What an earlier result and region files say is to be masked, or None where they say nothing.

    Parameters
    ----------
    recipe_file : path or None
        Where the recipe was read from; a result holds masks as a person left them, and nothing is
        fitted again.
    regions : sequence of path
        DS9 region files.
    bands : sequence of str
        That the galaxy has.
    left_out : list of str
        Takes what could not be used of the region files, in words.
    other_stars : bool
        Whether a catalogue is named besides, whose stars take the place of those of the result.

    Raises
    ------
    InputError
        When a file cannot be used.
    """
    masks = None
    if recipe_file and str(recipe_file).lower().endswith(FITS_ENDINGS):
        masks = read_masks(recipe_file)
        if masks is not None and other_stars:
            masks = replace(masks.by_hand(), complete=False)
    for path in regions:
        drawn = masks_from_regions(path, bands, left_out)
        masks = (Masks(complete=False) if masks is None else masks) + drawn
    return masks


@dataclass
class PredictionMemory(PreparationMemory):
    """What preparation remembers, and the last prediction with the cube it was made of, and the
    prior and members of its model.
    """

    cube: BandCube | None = None
    maps: PropertyMaps | None = None
    asked: tuple[str, int] | None = None


def prepare_galaxy_steps(
    galaxy: Galaxy,
    recipe: Recipe,
    memory: PreparationMemory | None = None,
    masks: Masks | None = None,
) -> Steps[BandCube]:
    """Prepare a galaxy as `prepare_steps` does, and say what is odd about its cube, as far as the
    recipe's model knows.
    """
    cube = yield from prepare_steps(galaxy, recipe, memory, masks)
    try:
        if not model_class(recipe.model.name).has_remarks:
            return cube
        model = chosen_model(recipe.model)
        model.check_bands(cube.bands)
    except ModelError:  # who only prepares may have any bands, and any model
        return cube
    for remark in model.remarks(cube):
        yield Progress("predict", 1, 1, remark, lasting=True)
    return cube


def predict_cube_steps(
    cube: BandCube,
    recipe: Recipe,
    known: dict[str, Any] | None = None,
    memory: PredictionMemory | None = None,
    left_out: Sequence[str] = (),
) -> Steps[PropertyMaps]:
    """Predict maps from a prepared cube.

    Parameters
    ----------
    cube : BandCube
        The cube.
    recipe : Recipe
        Names the model and where it runs. Its Hubble stage and redshift, where it tells them, take
        the place of the cube's.
    known : dict, optional
        The provenance so far; by default what the cube knows.
    memory : PredictionMemory, optional
        Where it holds the prediction of a cube that differs in some pixels only, those alone are
        predicted.
    left_out : sequence of str
        Bands of the galaxy that are not in the cube, because the model takes none of them.
    """
    cube.check_dimmed()
    cube, recipe = of_one_galaxy(cube, recipe)
    whole = cube.with_masked_light()
    model = chosen_model(recipe.model)
    asked = (recipe.model.prior, recipe.model.members)
    unknown = unknown_bands(model.card, cube.bands)
    unused = not_used(model.card, (*cube.bands, *left_out))
    if unused:
        yield Progress("predict", 0, 1, unused, lasting=True)
    # What looks at images judges the whole for its maps, too, and does not do so twice.
    odd = model.remarks(whole if model.reach else cube)
    for remark in odd:  # a person may want to stop here
        yield Progress("predict", 1, 1, remark, lasting=True)
    before, last = (memory.cube, memory.maps) if memory is not None else (None, None)
    if (
        before is None
        or last is None
        or not _alike(cube, before)
        or last.provenance["model_hash"] != model.weights_hash
        or (memory is not None and memory.asked != asked)
    ):
        maps = yield from model.predict_steps(whole, recipe.model.device)
    else:
        then = before.with_masked_light()
        maps = yield from _predict_changed(whole, then, last, model, recipe.model.device)
    maps, notes = possible_only(maps)
    flagged = mostly_unlike(maps.flags, model.name)
    notes += [*filter(None, [mass_note(maps, cube.pixel_pc), flagged])]
    for note in notes:
        yield Progress("predict", 1, 1, note, lasting=True)
    shared = None
    if cube.correlation is not None:
        shared = float(np.max(cube.correlation[[band not in unknown for band in cube.bands]]))
    known = known or provenance_of_cube(cube, recipe)
    record = {
        **known,
        **maps.provenance,
        "recipe": recipe.to_toml(),
        "note": [*cube.notes, *filter(None, [unused]), *notes, *odd],
        "fwhm": cube.fwhm,
    }
    if cube.pixel_pc:
        record["distance_mpc"] = cube.pixel_pc / (cube.pixel_arcsec * PC_PER_MPC_ARCSEC)
    maps = replace(maps, correlation=shared, provenance=record, unknown_flags=cube.unknown_flags)
    if cube.masked_light is not None:
        maps = maps.take_apart(cube.masked_light)
    if memory is not None:
        memory.cube, memory.maps, memory.asked = cube, maps, asked
    if recipe.sharpen.coarse:
        maps = yield from sharpen_by_recipe_steps(maps, recipe)
    return maps


def predict_global(
    cube: BandCube, recipe: Recipe, ellipse: Ellipse | None = None, fill: bool = True
) -> PropertyMaps | None:
    """What the model says of a galaxy's integrated fluxes (DB21 Sect. 3.3): maps of one pixel, as
    large as the galaxy.

    Parameters
    ----------
    cube : BandCube
        Its prepared cube.
    recipe : Recipe
        Names the model and where it runs.
    ellipse : Ellipse, optional
        Of the galaxy; without it all pixels that are not masked count.
    fill : bool
        Whether what is thought to lie under masks counts, where that is known.

    Returns
    -------
    PropertyMaps or None
        None of a model that looks at images, to which integrated fluxes tell nothing.

    Raises
    ------
    GalaxyMapsError
        When every pixel is masked, or the model cannot work with the bands.
    """
    model = load_model(recipe.model.name)
    if model.reach:
        return None
    # Which pixels count must not depend on bands that the model does not take.
    unknown = unknown_bands(model.card, cube.bands)
    cube = cube.only([band for band in cube.bands if band not in unknown])
    return run_to_end(predict_cube_steps(integrated_cube(cube, ellipse, fill), recipe))


def of_one_galaxy(cube: BandCube, recipe: Recipe) -> tuple[BandCube, Recipe]:
    """A cube and a recipe that say the same Hubble stage and redshift: the recipe's, where it tells
    them.
    """
    told = recipe.galaxy
    stage = cube.hubble_stage if told.hubble_stage is None else told.hubble_stage
    redshift = cube.redshift if told.redshift is None else told.redshift
    told = told.model_copy(update={"hubble_stage": stage, "redshift": redshift})
    return (
        replace(cube, hubble_stage=stage, redshift=redshift),
        recipe.model_copy(update={"galaxy": told}),
    )


def _alike(cube: BandCube, other: BandCube) -> bool:
    """Whether two cubes have the same bands on the same grid, and are of the same galaxy at the
    same distance, which models look at, too.
    """
    same = cube.bands == other.bands and cube.shape == other.shape and cube.fwhm == other.fwhm
    same = same and cube.pixel_pc == other.pixel_pc and cube.redshift == other.redshift
    same = same and cube.hubble_stage == other.hubble_stage
    same = same and (cube.filling is None) == (other.filling is None)
    return same and bool(
        (cube.wcs.wcs.crval == other.wcs.wcs.crval).all()
        and cube.pixel_arcsec == other.pixel_arcsec
    )


def _predict_changed(
    cube: BandCube, before: BandCube, last: PropertyMaps, model: Model, device: str
) -> Steps[PropertyMaps]:
    """The last maps with those pixels predicted again in which the cube has changed, and all on
    which these have an influence.
    """
    planes = [(cube.data, before.data), (cube.uncertainty, before.uncertainty)]
    if cube.filling is not None and before.filling is not None:
        planes += [
            (cube.filling.data, before.filling.data),
            (cube.filling.uncertainty, before.filling.uncertainty),
        ]
    changed = (cube.mask != before.mask) | (cube.flags != before.flags) | changed_pixels(*planes)
    where: tuple[slice, slice] | tuple[np.ndarray, ...]
    if model.reach:
        where = window = _around(changed, model.reach)
        fresh = yield from model.predict_steps(cube, device, where=window)
        if fresh.provenance.get("enlarged") != last.provenance.get("enlarged"):
            # The edit has changed how large the galaxy is, and so in which pixels it is looked at.
            return (yield from model.predict_steps(cube, device))
    else:
        where = np.nonzero(changed)
        fresh = yield from model.predict_steps(cube.line(changed), device)

    def merged(old: np.ndarray, new: np.ndarray, filled: np.ndarray | None = None) -> np.ndarray:
        result = old.copy()
        if filled is not None and last.filling is not None:
            result[last.filling.where] = filled
        result[where] = new[where] if model.reach else new[0]
        return result

    under = last.filling or _NOTHING_FILLED
    values, errors, shared = (
        {
            name: merged(before[name], plane, filled.get(name))
            for name, plane in now.items()
            if name in before
        }
        for before, now, filled in (
            (last.values, fresh.values, under.values),
            (last.errors, fresh.errors, under.errors),
            (last.galaxy_errors, fresh.galaxy_errors, under.galaxy_errors),
        )
    )
    return replace(
        fresh, values=values, errors=errors, galaxy_errors=shared, wcs=cube.wcs,
        flags=merged(last.flags, fresh.flags),
    )  # fmt: skip


_NOTHING_FILLED = MapFilling(*np.empty((3, 0), np.int32))


def _around(changed: np.ndarray, reach: int) -> tuple[slice, slice]:
    """Rows and columns of the smallest rectangle that holds the changed pixels and `reach` more on
    every side.
    """
    if not changed.any():
        return slice(0, 0), slice(0, 0)
    found = []
    for axis in (1, 0):
        inside = np.flatnonzero(changed.any(axis=axis))
        found.append(slice(max(0, int(inside[0]) - reach), int(inside[-1]) + 1 + reach))
    return found[0], found[1]


def predict_steps(
    galaxy: Galaxy,
    recipe: Recipe,
    memory: PredictionMemory | None = None,
    masks: Masks | None = None,
) -> Steps[PropertyMaps]:
    """Prepare a galaxy and predict its maps, yielding after every band and every tile.

    Parameters
    ----------
    galaxy : Galaxy
        Its images.
    recipe : Recipe
        Settings of every step.
    memory : PredictionMemory, optional
        Kept between calls, it spares what has not changed, down to single pixels.
    masks : Masks, optional
        Stars and patches to mask.

    Returns
    -------
    PropertyMaps
        With full provenance.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    galaxy, recipe, left_out = _as_model_takes(galaxy, recipe)
    cube = yield from prepare_steps(galaxy, recipe, memory, masks)
    known = provenance(galaxy, recipe)
    return (yield from predict_cube_steps(cube, recipe, known, memory, left_out))


def prepare_ahead_steps(
    galaxy: Galaxy, recipe: Recipe, memory: PredictionMemory, masks: Masks | None = None
) -> Steps[BandCube]:
    """Prepare a galaxy as `predict_steps` does, which `memory` spares it afterwards."""
    galaxy, recipe, _ = _as_model_takes(galaxy, recipe)
    return (yield from prepare_steps(galaxy, recipe, memory, masks))


def _as_model_takes(galaxy: Galaxy, recipe: Recipe) -> tuple[Galaxy, Recipe, list[str]]:
    """A galaxy with the bands that the model uses, its own recipe, and the bands left out."""
    model = chosen_model(recipe.model)
    used = model.check_bands(list(galaxy.images))
    if model.reach and recipe.impute.enabled:
        # A network was trained on noise that is negative, too.
        recipe = recipe.model_copy(deep=True)
        recipe.impute.enabled = False
    left_out = [name for name in galaxy.images if name not in used]
    # A band that the model has no use for must not spoil the resolution of the others.
    images = {name: image for name, image in galaxy.images.items() if name in used}
    return replace(galaxy, images=images), recipe, left_out


def predict(
    galaxy: Galaxy, recipe: Recipe, callback: Callable[[Progress], None] | None = None
) -> PropertyMaps:
    """Prepare a galaxy and predict its maps in one call; see `predict_steps`."""
    return run_to_end(predict_steps(galaxy, recipe), callback)


def truth_recipe(recipe: Recipe, bands: Sequence[str]) -> Recipe:
    """The recipe by which a truth is made: at the resolution of the worst far-infrared band unless
    another is asked for, and with nothing filled.

    Raises
    ------
    InputError
        When there are fewer than three far-infrared bands.
    """
    own = recipe.model_copy(deep=True)
    own.impute.enabled = False
    far = check_far_infrared(bands)
    if own.psf.target == "auto":
        own.psf.target = max(far, key=lambda name: get_band(name).fwhm)
    return own


@dataclass(frozen=True)
class FittedTruth:
    """A truth, and the cube that it was fitted to."""

    truth: Truth
    cube: BandCube


def truth_cube_steps(
    cube: BandCube, recipe: Recipe, known: dict[str, Any] | None = None
) -> Steps[Truth]:
    """Fit a truth to a prepared cube that has far-infrared bands; `known` is the provenance so far,
    by default what the cube knows.

    Raises
    ------
    InputError
        When it has fewer than three, the redshift is absurd, or its errors are zero.
    """
    cube.check_dimmed()
    check_far_infrared(cube.bands)
    library, note = yield from model_library_steps(cube, recipe)
    truth = yield from truth_steps(cube, library, recipe.model.device, note)
    maps = yield from recorded_steps(truth.maps, cube, recipe, known)
    return replace(truth, maps=maps)


def distance_of_cube(cube: BandCube, recipe: Recipe) -> float | None:
    """Distance in Mpc, as the cube or the recipe knows it."""
    if cube.pixel_pc:
        return float(cube.pixel_pc / (cube.pixel_arcsec * PC_PER_MPC_ARCSEC))
    return recipe.galaxy.distance


def model_library_steps(cube: BandCube, recipe: Recipe) -> Steps[tuple[Library, str]]:
    """The library of model spectra at a cube's redshift, and words on the redshift."""
    told = recipe.galaxy.redshift
    redshift, note = model_redshift(
        cube.redshift if told is None else told, distance_of_cube(cube, recipe)
    )
    yield Progress("sed", 0, 1, note, lasting=True)
    library = yield from library_steps(recipe.sed, redshift)
    return library, note


def recorded_steps(
    maps: PropertyMaps, cube: BandCube, recipe: Recipe, known: dict[str, Any] | None
) -> Steps[PropertyMaps]:
    """Fitted maps without the values that no galaxy has, and with the record of how they were
    made.
    """
    maps, notes = possible_only(maps)
    for remark in notes:
        yield Progress("sed", 1, 1, remark, lasting=True)
    record = {**(known or provenance_of_cube(cube, recipe)), **maps.provenance}
    record["note"] = [*record.get("note", []), *notes]
    distance = distance_of_cube(cube, recipe)
    if distance:
        record["distance_mpc"] = distance
    return replace(maps, provenance=record)


def truth_maps_steps(
    galaxy: Galaxy,
    recipe: Recipe,
    masks: Masks | None = None,
    memory: PreparationMemory | None = None,
) -> Steps[FittedTruth]:
    """Prepare a galaxy at the resolution of its far infrared and fit a truth to it.

    Parameters
    ----------
    galaxy : Galaxy
        Its images, at least three of them in the far infrared.
    recipe : Recipe
        Settings of every step; `truth_recipe` says what is otherwise than for a prediction.
    masks : Masks, optional
        Stars and patches to mask.
    memory : PreparationMemory, optional
        Not the prediction's, which is at another resolution.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    own = truth_recipe(recipe, list(galaxy.images))
    # What is absurd is found before the work.
    model_redshift(own.galaxy.redshift, galaxy.distance_mpc)
    cube = yield from prepare_steps(galaxy, own, memory, masks)
    truth = yield from truth_cube_steps(cube, own, provenance(galaxy, own))
    return FittedTruth(truth, cube)


def fit_truth(
    galaxy: Galaxy, recipe: Recipe, callback: Callable[[Progress], None] | None = None
) -> Truth:
    """Prepare a galaxy and fit a truth to it in one call; see `truth_maps_steps`."""
    return run_to_end(truth_maps_steps(galaxy, recipe), callback).truth
