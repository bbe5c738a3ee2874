"""DS9 region files: circles and polygons in sky coordinates, with the band, flag and switch of each
in its tags.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError, brief
from .open_fits import read_text
from .safe_writing import write_text

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from regions import Region


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
    """

    vertices: np.ndarray
    band: str = ""
    id: str = ""
    flag: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Shape:
    """A shape of a region file.

    Attributes
    ----------
    kind : str
        ``"Circle"``, ``"CircleAnnulus"``, ``"Ellipse"``, ``"EllipseAnnulus"``, ``"Rectangle"``,
        ``"Polygon"``, ``"Line"``, ``"Point"``, ``"Text"``.
    region : Region
        Of astropy `regions`, on the sky unless it is `in_pixels`.
    in_pixels : bool
        Whether it is in pixels of an image that is not known.
    """

    kind: str
    region: Any
    in_pixels: bool


def read_shapes(path: str | Path, wcs: WCS | None, left_out: list[str]) -> list[Shape]:
    """All shapes of a DS9 region file.

    Parameters
    ----------
    path : str or Path
        The file, in any celestial frame that DS9 knows, or in pixels.
    wcs : WCS or None
        Of the image that pixel coordinates belong to.
    left_out : list of str
        Sentences about lines that cannot be used are appended to it.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    from regions import PixelRegion, Regions

    path = Path(path).expanduser()
    text = _plain_shapes(read_text(path), path.name, left_out)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parsed = list(Regions.parse(text, format="ds9"))
    except Exception as error:  # the parser's errors for broken lines have no common base
        raise InputError(
            f"{path} cannot be read as DS9 regions ({brief(error)}); save it again from DS9."
        ) from None
    left_out.extend(
        f"{path.name}: {str(warning.message).splitlines()[0]}"
        for warning in caught
        if "skipping" in str(warning.message)
    )
    found = []
    for region in parsed:
        kind = type(region).__name__.replace("PixelRegion", "").replace("SkyRegion", "")
        if kind == "Polygon" and len(region.vertices) < 3:
            left_out.append(
                f"{path.name}: a polygon of {len(region.vertices)} corners left out; it needs "
                "three or more."
            )
            continue
        in_pixels = isinstance(region, PixelRegion)
        if in_pixels and wcs is not None:
            region, in_pixels = region.to_sky(wcs), False
        found.append(Shape(kind, region, in_pixels))
    return found


def _plain_shapes(text: str, name: str, left_out: list[str]) -> str:
    """The lines of a region file with what `regions` loses without a word: the parts of a composite
    in lines of their own, and sizes in pixels on the sky told as left out.
    """
    lines = []
    on_sky = False
    for line in text.splitlines():
        frame = re.match(r"\s*(image|physical|fk[45]|icrs|galactic|ecliptic)\b", line)
        if frame:
            on_sky = frame[1] in ("fk4", "fk5", "icrs", "galactic", "ecliptic")
        if line.lstrip().startswith("#"):
            lines.append(line)
            continue
        parts = re.split(r"\s*\|\|\s*(?=[-+]?[a-z]+\s*\()", line)
        for part in parts:
            shape = re.search(r"[a-z]+\s*\(([^()]*)\)", part)
            if on_sky and shape and re.search(r"\d[pi]\s*(,|$)", shape[1]):
                left_out.append(
                    f"{name}: {shape[0]} left out: its size is in pixels of an image that is not "
                    "known; save the regions in DS9 with sizes in arcsec."
                )
            else:
                lines.append(part)
    return "\n".join(lines)


def because_of(left_out: Sequence[str]) -> str:
    """What was left out, in brackets behind an error's first words; nothing where nothing was."""
    return f" ({'; '.join(left_out)})" if left_out else ""


def read_regions(
    path: str | Path, wcs: WCS | None = None, left_out: list[str] | None = None
) -> tuple[list[Circle], list[Polygon]]:
    """Circles and polygons of a DS9 region file.

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
        When the file cannot be read, holds no circle and no polygon, or is in pixels and no image
        is given.
    """
    path = Path(path).expanduser()
    notes: list[str] = [] if left_out is None else left_out
    before = len(notes)
    circles: list[Circle] = []
    polygons: list[Polygon] = []
    unusable: dict[str, int] = {}
    in_pixels = 0
    for shape in read_shapes(path, wcs, notes):
        if shape.kind not in ("Circle", "Polygon"):
            kind = shape.kind.lower()
            unusable[kind] = unusable.get(kind, 0) + 1
        elif shape.in_pixels:
            in_pixels += 1
        elif shape.kind == "Circle":
            circles.append(_circle(shape.region))
        else:
            polygons.append(_polygon(shape.region))
    if in_pixels:
        raise InputError(
            f"{path} has {in_pixels} shapes in pixel coordinates; open the image they belong to "
            "first, or save the regions in DS9 as FK5."
        )
    notes.extend(
        f"{path.name}: {count} {kind} shape{'s' if count > 1 else ''} left out; "
        "only circles and polygons mask stars."
        for kind, count in unusable.items()
    )
    if not circles and not polygons:
        raise InputError(
            f"{path} holds no circle and no polygon{because_of(notes[before:])}; give DS9 regions."
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
    from regions import CircleSkyRegion, PolygonSkyRegion, Regions

    shapes: list[Region] = []
    for circle in circles:
        tags = [f"origin={circle.origin}"] if circle.origin else []
        if np.isfinite(circle.magnitude):
            tags.append(f"G={circle.magnitude:.3f}")
        if circle.spared is not None:
            tags.append("spared=" + ",".join(f"{value:.8f}" for value in circle.spared))
        centre = SkyCoord(circle.ra, circle.dec, unit="deg")
        shapes.append(CircleSkyRegion(centre, circle.radius * u.arcsec, *_dressed(circle, tags)))
    for polygon in polygons:
        corners = SkyCoord(np.asarray(polygon.vertices), unit="deg")
        shapes.append(PolygonSkyRegion(corners, *_dressed(polygon, [])))
    text = Regions(shapes).serialize(format="ds9", precision=9)
    write_text(Path(path).expanduser(), text, overwrite)


def _dressed(shape: Circle | Polygon, tags: list[str]) -> tuple[Any, Any]:
    """Meta data and looks of a region: text, tags, colour, dashes."""
    from regions import RegionMeta, RegionVisual

    tags = [*([f"band={shape.band}"] if shape.band else []), *tags]
    if shape.flag:
        tags.append(f"flag={_plain(shape.flag)}")
    if not shape.enabled:
        tags.append("enabled=0")
    # a text tells what DS9 shows beside the shape; without tags `regions` writes none
    meta = {"text": _plain(shape.id), "tag": tags} if tags else {"text": _plain(shape.id)}
    visual = {
        "color": "orange" if shape.flag else "cyan" if shape.enabled else "gray",
        "dash": int(not shape.enabled),
    }
    return RegionMeta(meta), RegionVisual(visual)


def _plain(text: str) -> str:
    """Text that DS9's braces can hold; its lines end at semicolons, even in there."""
    return text.replace("{", "(").replace("}", ")").replace("\n", " ").replace(";", " |")


def _tags(region: Region) -> dict[str, str]:
    tags = region.meta.get("tag") or []
    if isinstance(tags, str):
        tags = [tags]
    pairs = (str(tag).strip("{}").partition("=") for tag in tags)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _shared(region: Region) -> dict[str, Any]:
    tags = _tags(region)
    # a region that DS9 excludes ("-circle") does not mask
    enabled = tags.get("enabled", "1") != "0" and bool(int(region.meta.get("include", 1)))
    return {
        "band": tags.get("band", ""), "id": str(region.meta.get("text", "") or ""),
        "flag": tags.get("flag", "").replace(" |", ";"), "enabled": enabled,
    }  # fmt: skip


def _circle(region: Any) -> Circle:
    centre, tags = region.center.icrs, _tags(region)
    try:
        magnitude = float(tags.get("G", "nan"))
        spared = tuple(float(value) for value in tags.get("spared", "").split(",") if value)
    except ValueError:  # a person's own tags
        magnitude, spared = float("nan"), ()
    return Circle(
        float(centre.ra.deg), float(centre.dec.deg), float(region.radius.to_value("arcsec")),
        origin=tags.get("origin", ""), magnitude=magnitude,
        spared=spared if len(spared) == 3 else None, **_shared(region),
    )  # fmt: skip


def _polygon(region: Any) -> Polygon:
    corners = region.vertices.icrs
    return Polygon(np.column_stack([corners.ra.deg, corners.dec.deg]), **_shared(region))
