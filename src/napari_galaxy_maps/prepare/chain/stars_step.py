"""The step ``stars``: the masks, as given, or of a catalogue's stars, or of those found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...progress import Progress

if TYPE_CHECKING:
    from ...progress import Steps
    from ..masks.mask_set import Masks
    from .preparation import Preparation


def stars_step(work: Preparation) -> Steps[None]:
    """Choose the masks; stars that are not known yet are fitted to the images."""
    from ..masks.mask_edits import whole
    from ..masks.mask_set import Masks

    settings, given = work.recipe.stars, work.given_masks
    if not settings.enabled:
        # The switch is for the Milky Way's stars: what a person has drawn or named holds.
        if given is None:
            work.masks = Masks()
        else:
            work.masks = given.by_hand() if given.complete else given
    elif given is not None and given.complete:
        work.masks = given if settings.subtract else whole(given)
    elif settings.catalogue or settings.find:
        work.masks = yield from _with_fitted_stars(work, given or Masks())
    else:
        work.masks = given or Masks()


def _with_fitted_stars(work: Preparation, by_hand: Masks) -> Steps[Masks]:
    """The stars of the catalogue, or those found on the images, and what is masked by hand."""
    memory, settings = work.memory, work.recipe.stars
    key = (settings.model_copy(), work.ellipse, tuple(work.images.values()))
    if memory.stars is None or not _same_stars(memory.stars[0], key):
        fitted, notes = yield from _fitted_stars(work)
        memory.stars = ((*key, notes), fitted)
    for note in memory.stars[0][3]:
        yield Progress("stars", 0, 1, note, lasting=True)
    masks: Masks = memory.stars[1] + by_hand
    done = "subtracted or masked" if any(star.lights for star in masks.stars) else "masked"
    words = f"{_count(masks)} of {_source(settings.catalogue)} {done}{_doubtful(masks)}"
    yield Progress("stars", 1, 1, words, masks, lasting=True)
    return masks


def _fitted_stars(work: Preparation) -> Steps[tuple[Masks, list[str]]]:
    """Stars fitted to the images, and notes on their catalogue."""
    from ..masks.mask_set import Masks
    from ..stars.catalogue import read_catalogue
    from ..stars.gaia import fetch_gaia, is_archive
    from ..stars.star_search import find_stars_steps, fit_stars

    settings = work.recipe.stars
    if not settings.catalogue:
        stars = yield from find_stars_steps(work.images, work.ellipse, settings)
        return Masks(tuple(stars)), []
    if is_archive(settings.catalogue):
        catalogue = fetch_gaia(work.ellipse)
    else:
        catalogue = read_catalogue(settings.catalogue)
    stars = yield from fit_stars(work.images, catalogue, work.ellipse, settings)
    return Masks(tuple(stars)), catalogue.meta["notes"]


def _same_stars(known: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
    """Whether stars were fitted with the same settings and ellipse, and to the very same images."""
    known_images, images = known[2], key[2]
    same = len(known_images) == len(images) and all(
        a is b for a, b in zip(known_images, images, strict=True)
    )
    return same and bool(known[:2] == key[:2])


def _count(masks: Masks) -> str:
    return f"{len(masks.stars)} star{'' if len(masks.stars) == 1 else 's'}"


def _doubtful(masks: Masks) -> str:
    doubtful = sum(bool(star.flag) for star in masks.stars)
    return f", {doubtful} of them to be looked at" if doubtful else ""


def _source(catalogue: str) -> str:
    from ..stars.gaia import is_archive

    return "Gaia DR3" if is_archive(catalogue) else Path(catalogue).name or "the images"
