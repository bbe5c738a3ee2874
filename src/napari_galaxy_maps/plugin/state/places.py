"""Where on the sky files and galaxies lie, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...exceptions import InputError
from ..ground.sky_plane import centre_of
from .galaxy_work import GalaxyWork

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from ...data.maps import PropertyMaps
    from ...fits_io.image_file import ImageFile


@dataclass(frozen=True)
class Field:
    """A round field on the sky, in degrees (ICRS)."""

    ra: float
    dec: float
    radius: float

    def touches(self, other: Field) -> bool:
        """Whether two fields overlap."""
        ra, dec, ra0, dec0 = np.radians([self.ra, self.dec, other.ra, other.dec])
        # The haversine is exact for small distances, where the cosine is not.
        half = np.sin((dec - dec0) / 2) ** 2
        half += np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
        apart = np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
        return bool(apart < self.radius + other.radius)


@dataclass
class Group:
    """Files that belong to one galaxy.

    Attributes
    ----------
    files : list of ImageFile
        Images.
    maps : list of (str, PropertyMaps)
        Maps, with the names of their files.
    fields : list of Field
        Where they lie; empty where nothing says.
    folders : set of Path
        Where they are.
    """

    files: list[ImageFile] = field(default_factory=list)
    maps: list[tuple[str, PropertyMaps]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    def is_near(self, where: Field | None) -> bool:
        """Whether something lies in the same place; what has no place is near everything."""
        return where is None or not self.fields or any(where.touches(own) for own in self.fields)


def field_of(wcs: WCS, shape: tuple[int, int]) -> Field | None:
    """The field of an image; None where its WCS gives no positions."""
    from astropy.wcs.utils import proj_plane_pixel_area

    try:
        ra, dec = centre_of(wcs, shape)
        radius = float(np.hypot(*shape) / 2 * np.sqrt(proj_plane_pixel_area(wcs)))
    except (InputError, ValueError):
        return None
    return Field(ra, dec, radius)


def groups_of(files: Sequence[ImageFile], maps: Sequence[tuple[str, PropertyMaps]]) -> list[Group]:
    """Files that were opened at once, a group for each galaxy: for each place on the sky, and where
    two folders hold the same band of one place, for each folder.

    Parameters
    ----------
    files : sequence of ImageFile
        Images.
    maps : sequence of (str, PropertyMaps)
        Maps, with the names of their files.
    """
    found: list[Group] = []
    bands: dict[Path, set[str]] = {}
    for file in files:
        known = {file.band.name} if file.band is not None and file.role == "image" else set()
        bands.setdefault(_folder(file.path), set()).update(known)

    def home(where: Field | None, folder: Path) -> Group:
        for group in found:
            others = set().union(*(bands.get(other, set()) for other in group.folders))
            alike = folder in group.folders or not bands.get(folder, set()) & others
            if group.is_near(where) and alike:
                return group
        found.append(Group())
        return found[-1]

    for file in files:
        where, folder = field_of(file.wcs, file.shape), _folder(file.path)
        group = home(where, folder)
        group.files.append(file)
        group.folders.add(folder)
        group.fields += [where] if where is not None else []
    for name, one in maps:
        where = field_of(one.wcs, one.shape)
        folder = _folder(Path(str(one.provenance.get("file", name))))
        near = [group for group in found if group.is_near(where) and folder in group.folders]
        group = near[0] if near else home(where, folder)
        group.maps.append((name, one))
        group.fields += [where] if where is not None and not group.files else []
    return found


def _folder(path: Path) -> Path:
    return path.resolve().parent


def group_of(work: GalaxyWork) -> Group:
    """What a galaxy has, as a group."""
    group = Group()
    for file in work.files.found:
        where = field_of(file.wcs, file.shape)
        group.fields += [where] if where is not None else []
        group.folders.add(_folder(file.path))
    contents: list[Any] = [*(result.maps for result in work.results), *work.truths.values()]
    for maps in contents:
        where = field_of(maps.wcs, maps.shape)
        group.fields += [where] if where is not None else []
    return group


def belongs(group: Group, work: GalaxyWork, join: bool) -> bool:
    """Whether files that were opened go to a galaxy that is open.

    Files of another place on the sky never do. Images of another folder do only when a person adds
    them (`join`), and maps alone always.
    """
    if work.is_empty:
        return True
    there = group_of(work)
    if there.fields and group.fields and not any(there.is_near(own) for own in group.fields):
        return False
    return join or not group.files or not there.folders or bool(there.folders & group.folders)
