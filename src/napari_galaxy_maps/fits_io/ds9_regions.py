"""Masks in DS9 region files: circles and polygons on the sky, with the band, flag and switch of
each in its tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError
from .region_outlines import corners, ring_corners
from .region_shapes import Shape, because_of, read_shapes, region_text
from .safe_writing import write_text

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from regions import Region


_CARRIED = ("subtract", "psf")


@dataclass(frozen=True)
class Circle:
    """A circle on the sky.

    Attributes
    ----------
    ra, dec : float
        Centre, ICRS degrees.
    radius : float
        Arcsec.
    band : str
        The band it masks; "" for every band.
    id : str
        Circles of one star share it.
    origin : str
        Where it is from: "gaia", "daofind", "hand"; "" where the file does not tell.
    magnitude : float
        G, NaN where unknown.
    flag : str
        Why a person should look at it.
    enabled : bool
        Whether it masks.
    spared : tuple of float, or None
        A place within it that stays free: ICRS degrees and radius in arcsec.
    tags : mapping of str to str
        What is subtracted of its star, as others write and read it: ``subtract`` and ``psf``.
    """

    ra: float
    dec: float
    radius: float
    band: str = ""
    id: str = ""
    origin: str = ""
    magnitude: float = float("nan")
    flag: str = ""
    enabled: bool = True
    spared: tuple[float, float, float] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Polygon:
    """A polygon on the sky.

    Attributes
    ----------
    vertices : ndarray, shape (n, 2)
        ICRS right ascension and declination in degrees.
    band : str
        The band it masks; "" for every band.
    id, flag : str
        As those of `Circle`.
    enabled : bool
        Whether it masks.
    frees : bool
        Whether it takes its area out of what is masked by hand and by other polygons, in place of
        masking it: a region that DS9 excludes (``-circle``).
    """

    vertices: np.ndarray
    band: str = ""
    id: str = ""
    flag: str = ""
    enabled: bool = True
    frees: bool = False


def read_regions(
    path: str | Path, wcs: WCS | None = None, left_out: list[str] | None = None
) -> tuple[list[Circle], list[Polygon]]:
    """Circles and polygons of a region file; ellipses, boxes and rings become polygons, and what is
    excluded a polygon that frees its pixels.

    Parameters
    ----------
    path : str or Path
        The file, in any celestial frame that DS9 knows, or in pixels.
    wcs : WCS, optional
        Of the image that pixel coordinates belong to.
    left_out : list of str, optional
        Sentences about shapes that cannot be used are appended to it.

    Returns
    -------
    circles : list of Circle
    polygons : list of Polygon

    Raises
    ------
    InputError
        When the file cannot be read, holds nothing that masks, or is in pixels and no image is
        given.
    """
    path = Path(path).expanduser()
    notes: list[str] = [] if left_out is None else left_out
    before = len(notes)
    circles: list[Circle] = []
    polygons: list[Polygon] = []
    unusable: dict[str, int] = {}
    in_pixels = 0
    for shape in read_shapes(path, wcs, notes):
        if shape.kind not in _OUTLINES:
            kind = shape.kind.lower()
            unusable[kind] = unusable.get(kind, 0) + 1
        elif shape.in_pixels:
            in_pixels += 1
        elif shape.kind == "Circle" and not shape.is_excluded:
            circles.append(_circle(shape))
        else:
            polygons.append(
                Polygon(
                    _OUTLINES[shape.kind](shape.region), **_shared(shape), frees=shape.is_excluded
                )
            )
    if in_pixels:
        raise InputError(
            f"{path} has {in_pixels} shapes in pixel coordinates; open the image they belong to "
            "first, or save the regions in DS9 as FK5."
        )
    notes.extend(
        f"{path.name}: {count} {kind} shape{'s' if count > 1 else ''} left out; "
        "only circles, ellipses, boxes, rings and polygons mask."
        for kind, count in unusable.items()
    )
    if not circles and all(polygon.frees for polygon in polygons):
        what = "only excluded shapes (as -circle), which mask nothing" if polygons else "no shape"
        raise InputError(
            f"{path} holds {what}{because_of(notes[before:])}; give regions that mask: circles, "
            "ellipses, boxes, rings or polygons."
        )
    return circles, polygons


def write_regions(
    path: str | Path,
    circles: Iterable[Circle],
    polygons: Sequence[Polygon] = (),
    overwrite: bool = False,
) -> None:
    """Write circles and polygons as DS9 regions (ICRS); flagged ones are orange, those switched off
    dashed.

    Parameters
    ----------
    path : str or Path
        The file.
    circles, polygons
        What to write.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError
        When the file is there and `overwrite` is off, or cannot be written.
    """
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from regions import CircleSkyRegion, PolygonSkyRegion

    shapes: list[Region] = []
    for circle in circles:
        tags = [f"origin={circle.origin}"] if circle.origin else []
        if np.isfinite(circle.magnitude):
            tags.append(f"G={circle.magnitude:.3f}")
        if circle.spared is not None:
            tags.append("spared=" + ",".join(f"{value:.8f}" for value in circle.spared))
        tags += [f"{key}={circle.tags[key]}" for key in _CARRIED if key in circle.tags]
        centre = SkyCoord(circle.ra, circle.dec, unit="deg")
        shapes.append(CircleSkyRegion(centre, circle.radius * u.arcsec, *_dressed(circle, tags)))
    for polygon in polygons:
        corners = SkyCoord(np.asarray(polygon.vertices), unit="deg")
        shapes.append(PolygonSkyRegion(corners, *_dressed(polygon, [])))
    write_text(Path(path).expanduser(), region_text(shapes), overwrite)


def _dressed(shape: Circle | Polygon, tags: list[str]) -> tuple[Any, Any]:
    """Meta data and looks of a region: text, tags, colour, dashes."""
    from regions import RegionMeta, RegionVisual

    tags = [*([f"band={shape.band}"] if shape.band else []), *tags]
    if shape.flag:
        tags.append(f"flag={_plain(shape.flag)}")
    if not shape.enabled:
        tags.append("enabled=0")
    # a text tells what DS9 shows beside the shape; without tags `regions` writes none
    meta: dict[str, Any] = {"text": _plain(shape.id)} | ({"tag": tags} if tags else {})
    if isinstance(shape, Polygon) and shape.frees:
        meta["include"] = 0
    visual = {
        "color": "orange" if shape.flag else "cyan" if shape.enabled else "gray",
        "dash": int(not shape.enabled),
    }
    return RegionMeta(meta), RegionVisual(visual)


def _plain(text: str) -> str:
    """Text that DS9's braces can hold; its lines end at semicolons, even in there."""
    return text.replace("{", "(").replace("}", ")").replace("\n", " ").replace(";", " |")


def _tags(shape: Shape) -> dict[str, str]:
    tags = shape.region.meta.get("tag") or []
    if isinstance(tags, str):
        tags = [tags]
    pairs = (str(tag).strip("{}").partition("=") for tag in tags)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _shared(shape: Shape) -> dict[str, Any]:
    tags = _tags(shape)
    return {
        "band": tags.get("band", ""), "id": shape.name,
        "flag": tags.get("flag", "").replace(" |", ";"), "enabled": tags.get("enabled", "1") != "0",
    }  # fmt: skip


def _circle(shape: Shape) -> Circle:
    centre, tags = shape.region.center, _tags(shape)
    try:
        magnitude = float(tags.get("G", "nan"))
        spared = tuple(float(value) for value in tags.get("spared", "").split(",") if value)
    except ValueError:  # a person's own tags
        magnitude, spared = float("nan"), ()
    return Circle(
        float(centre.ra.deg), float(centre.dec.deg),
        float(shape.region.radius.to_value("arcsec")),
        origin=tags.get("origin", ""), magnitude=magnitude,
        spared=spared if len(spared) == 3 else None,
        tags={key: tags[key] for key in _CARRIED if key in tags}, **_shared(shape),
    )  # fmt: skip


_OUTLINES = {
    "Circle": corners,
    "Ellipse": corners,
    "Rectangle": corners,
    "Polygon": corners,
    "CircleAnnulus": ring_corners,
    "EllipseAnnulus": ring_corners,
    "RectangleAnnulus": ring_corners,
}
"""What makes a polygon of the shapes that mask."""
