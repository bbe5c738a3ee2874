"""Edits of what is masked: each gives new masks, and what was there stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...fits_io.ds9_regions import Polygon
from ..stars.star_list import Star
from .mask_set import Masks, Patch

Item = Star | Polygon
"""What is edited one by one."""

_SAME_PLACE = 0.1  # arcsec


def items_of(masks: Masks | None) -> tuple[Item, ...]:
    """Circles and polygons."""
    return (*masks.stars, *masks.polygons) if masks is not None else ()


def exchanged(
    masks: Masks | None,
    changes: Iterable[tuple[Item, Item | None]] = (),
    added: Iterable[Item] = (),
) -> Masks:
    """The masks with some items exchanged, taken away (None) or added; the others keep their order.

    Parameters
    ----------
    masks : Masks or None
        None is none yet, to which the recipe's stars are still to come.
    changes : iterable of (item, item or None)
        Items of `masks` themselves, and what takes their place.
    added : iterable of item
        New ones.
    """
    masks = masks or Masks(complete=False)
    table: Mapping[int, Item | None] = {id(old): new for old, new in changes}
    kept = [table.get(id(item), item) for item in items_of(masks)]
    found = [item for item in (*kept, *added) if item is not None]
    stars = tuple(item for item in found if isinstance(item, Star))
    polygons = tuple(item for item in found if isinstance(item, Polygon))
    return replace(masks, stars=stars, polygons=polygons)


def painted(masks: Masks | None, patch: Patch) -> Masks:
    """The masks with `patch` in the place of the one for the same bands; an empty one takes that
    away.
    """
    masks = masks or Masks(complete=False)
    others = [other for other in masks.patches if other.bands != patch.bands]
    at = next(
        (i for i, other in enumerate(masks.patches) if other.bands == patch.bands), len(others)
    )
    if patch.data.any():
        others.insert(at, patch)
    return replace(masks, patches=tuple(others))


def radius_of(star: Star, band: str = "", bands: Iterable[str] = ()) -> float:
    """Radius in arcsec of a star's circle in `band`, or of its widest in any of `bands` (of all it
    has, if none is named).
    """
    if band:
        return star.radii.get(band, 0.0)
    known = [star.radii.get(name, 0.0) for name in bands]
    return max(known or list(star.radii.values()), default=0.0)


def resized(star: Star, radius: float, band: str = "", bands: Iterable[str] = ()) -> Star:
    """The star with a circle of `radius` arcsec in `band`; without a band its widest gets it, the
    others in proportion.
    """
    if band:
        return replace(star, radii={**star.radii, band: radius})
    bands = list(bands)
    before = radius_of(star, "", bands)
    if before <= 0:
        return replace(star, radii={**star.radii, **dict.fromkeys(bands, radius)})
    return replace(
        star, radii={name: value * radius / before for name, value in star.radii.items()}
    )


def unmasked(item: Item, band: str = "") -> Item | None:
    """What is left of an item that is deleted in `band`, or everywhere; None where nothing is."""
    if isinstance(item, Polygon) or not band:
        return None
    radii = {**item.radii, band: 0.0}
    lights = {name: light for name, light in item.lights.items() if name != band}
    return replace(item, radii=radii, lights=lights) if any(radii.values()) or lights else None


def is_subtracted(item: Item, band: str = "") -> bool:
    """Whether an item is a star that is subtracted in `band`, or in any."""
    return isinstance(item, Star) and (band in item.lights if band else bool(item.lights))


def masked_whole(item: Item, band: str = "") -> Item:
    """The item with a circle over all of it where it was subtracted, in `band` or everywhere."""
    if isinstance(item, Polygon):
        return item
    own = {name: light for name, light in item.lights.items() if band in ("", name)}
    radii = {name: max(light.circle, item.radii.get(name, 0.0)) for name, light in own.items()}
    lights = {name: light for name, light in item.lights.items() if name not in own}
    return replace(item, radii={**item.radii, **radii}, lights=lights) if own else item


def whole(masks: Masks) -> Masks:
    """The masks with all stars masked that were subtracted."""
    changes = [(star, masked_whole(star)) for star in masks.stars if star.lights]
    return exchanged(masks, changes) if changes else masks


def moved(star: Star, ra: float, dec: float) -> Star:
    """The star with its circles at another place (ICRS, degrees).

    Its light was fitted where it was, so it is masked and no longer subtracted.
    """
    whole = masked_whole(star)
    assert isinstance(whole, Star)
    return replace(whole, ra=ra, dec=dec)


def accepted(item: Item) -> Item:
    """The item without its flag: somebody has looked at it."""
    return replace(item, flag="")


def switched(item: Item, on: bool) -> Item:
    """The item, masking or not."""
    return replace(item, enabled=on)


def circle_by_hand(
    masks: Masks | None, place: tuple[float, float], radius: float, band: str, bands: Iterable[str]
) -> Star:
    """A circle that a person draws, for one band or for all of `bands`, under a name of its own.

    Parameters
    ----------
    masks : Masks or None
        What is there already.
    place : tuple of float
        ICRS degrees.
    radius : float
        Arcsec.
    band : str
        The one band it masks; "" for all.
    bands : iterable of str
        The images' bands.
    """
    taken = {item.id for item in items_of(masks)}
    number = next(n for n in range(1, len(taken) + 2) if f"hand {n}" not in taken)
    radii = {
        name: radius if band in ("", name) else 0.0 for name in (*bands, *([band] if band else []))
    }
    return Star(f"hand {number}", *place, float("nan"), "hand", radii)


def merged(masks: Masks | None, other: Masks) -> Masks:
    """Both together, where a star of `other` takes the place of one of its name at its place, and
    so does a patch.
    """
    masks = masks or Masks(complete=False)
    new = list(other.stars)
    changes: list[tuple[Item, Item | None]] = []
    for star in masks.stars:
        same = next((s for s in new if s.id == star.id and _near(s, star)), None)
        if same is not None:
            new = [s for s in new if s is not same]
            kept = {name: x for name, x in star.lights.items() if name not in same.radii}
            radii, lights = {**star.radii, **same.radii}, {**kept, **same.lights}
            changes.append((star, replace(same, radii=radii, lights=lights)))
    result = exchanged(masks, changes, [*new, *other.polygons])
    for patch in other.patches:
        result = painted(result, patch)
    return result


def _near(star: Star, other: Star) -> bool:
    return (
        abs(star.dec - other.dec) * 3600 < _SAME_PLACE
        and abs(star.ra - other.ra) * 3600 < _SAME_PLACE * 10
    )


def alike(one: Masks | None, other: Masks | None) -> bool:
    """Whether two sets of masks mask the same, whichever objects they are made of."""
    if one is None or other is None or one is other:
        return one is other

    def stars(masks: Masks) -> list[tuple[object, ...]]:
        return [
            (s.id, s.ra, s.dec, dict(s.radii), s.enabled, s.spared, dict(s.lights))
            for s in masks.stars
        ]

    def areas(masks: Masks) -> list[tuple[object, ...]]:
        polygons = [
            (np.asarray(p.vertices).tobytes(), p.band, p.enabled, p.frees) for p in masks.polygons
        ]
        return [*polygons, *((p.data.tobytes(), p.data.shape, p.bands) for p in masks.patches)]

    return stars(one) == stars(other) and areas(one) == areas(other)


def summary(masks: Masks | None) -> str:
    """What there is, in words: ``"37 circles, 4 of them doubtful, 1 painted mask"``."""
    if masks is None:
        return ""
    parts = [_count(len(masks.stars), "circle")]
    doubtful = sum(bool(item.flag) for item in items_of(masks))
    if doubtful:
        parts.append(f"{doubtful} of them doubtful")
    taken = sum(bool(star.lights) and star.enabled for star in masks.stars)
    if taken:
        parts.append(f"{taken} subtracted")
    off = sum(not item.enabled for item in items_of(masks))
    if off:
        parts.append(f"{off} switched off")
    freeing = [shape for shape in masks.polygons if shape.frees]
    for things, word in (
        ([shape for shape in masks.polygons if not shape.frees], "polygon"),
        (freeing, "excluded shape"),
        (masks.patches, "painted mask"),
    ):
        if things:
            parts.append(_count(len(things), word))
    return ", ".join(parts)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def same_as(item: Item, items: Sequence[Item]) -> bool:
    """Whether `item` itself, not only one like it, is among `items`."""
    return any(item is other for other in items)
