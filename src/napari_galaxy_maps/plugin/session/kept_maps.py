"""Maps and masks as parts of a session: FITS files that any program opens, and beside them what
FITS cannot hold exactly.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...data.maps import PropertyMaps
from ...fits_io.map_files import read_maps, write_maps
from ...fits_io.open_fits import opened
from ...prepare.masks.mask_files import mask_hdus, read_masks
from ...prepare.masks.mask_set import Masks
from .session_format import MapsEntry, MasksEntry
from .session_parts import PartMemory, PartWriter, checked

_OF_MASKS = re.compile(r"STARS|STARPSF|POLYGONS|PATCH\d+")


def keep_maps(writer: PartWriter, name: str, maps: PropertyMaps, masks: Masks | None) -> MapsEntry:
    """Put maps and what was masked in them into a session."""
    further = [hdu for hdu in maps.extensions if masks is None or not _OF_MASKS.match(hdu.name)]
    part = writer.objects(
        name,
        (maps, masks),
        lambda path: write_maps(path, maps, extra=(*further, *mask_hdus(masks))),
    )
    return MapsEntry(
        part=part,
        provenance=dict(maps.provenance),
        correlation=None if maps.correlation is None else float(maps.correlation),
        tails={key: float(value) for key, value in maps.tails.items()},
        extensions=len(further),
        complete=None if masks is None else masks.complete,
    )


def kept_maps(
    folder: Path, entry: MapsEntry, memory: PartMemory
) -> tuple[PropertyMaps, Masks | None]:
    """Maps and masks of a session's folder.

    Raises
    ------
    InputError
        When their file is missing, damaged or changed.
    """
    path = checked(folder, entry.part)
    maps = replace(
        read_maps(path),
        provenance=entry.provenance,
        correlation=entry.correlation,
        tails=entry.tails,
        extensions=_extensions(path, entry.extensions),
    )
    masks = None if entry.complete is None else _masks(path, entry.complete)
    memory.remember((maps, masks), path, entry.part)
    return maps, masks


def keep_masks(writer: PartWriter, name: str, masks: Masks | None) -> MasksEntry | None:
    """Put masks, where there are any, into a session."""
    from astropy.io import fits

    if masks is None:
        return None

    def write(path: Path) -> None:
        fits.HDUList([fits.PrimaryHDU(), *mask_hdus(masks)]).writeto(path, checksum=True)

    return MasksEntry(part=writer.objects(name, (masks,), write), complete=masks.complete)


def kept_masks(folder: Path, entry: MasksEntry, memory: PartMemory) -> Masks:
    """Masks of a session's folder; raises as `kept_maps`."""
    path = checked(folder, entry.part)
    masks = _masks(path, entry.complete)
    memory.remember((masks,), path, entry.part)
    return masks


def _masks(path: Path, complete: bool) -> Masks:
    return replace(read_masks(path) or Masks(), complete=complete)


def _extensions(path: Path, number: int) -> tuple[Any, ...]:
    """The further extensions of maps, which follow on MASK."""
    if not number:
        return ()
    with opened(path) as hdus:
        first = hdus.index_of("MASK") + 1
        return tuple(hdu.copy() for hdu in hdus[first : first + number])
