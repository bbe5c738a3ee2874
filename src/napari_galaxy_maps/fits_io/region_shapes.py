"""All shapes of a region file of DS9 or CASA, on the sky in ICRS, and what of the file cannot be
used.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError, brief
from .open_fits import read_text

if TYPE_CHECKING:
    from astropy.wcs import WCS

_FRAME = re.compile(r"\s*(image|physical|fk[45]|[bj]\d{4}|icrs|galactic|ecliptic)\b", re.IGNORECASE)
_SHAPE = re.compile(r"[a-z]+\s*\(([^()]*)\)", re.IGNORECASE)
_IN_PIXELS = re.compile(r"\d[pi]\s*(,|$)", re.IGNORECASE)
# Of the control characters, `regions` waits for ever on some; the others end lines for Python only.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True)
class Shape:
    """A shape of a region file.

    Attributes
    ----------
    kind : str
        ``"Circle"``, ``"CircleAnnulus"``, ``"Ellipse"``, ``"EllipseAnnulus"``, ``"Rectangle"``,
        ``"RectangleAnnulus"``, ``"Polygon"``, ``"Line"``, ``"Point"``, ``"Text"``.
    region : Region
        Of astropy `regions`: on the sky, in ICRS, unless it is `in_pixels`.
    in_pixels : bool
        Whether it is in pixels of an image that is not known.
    """

    kind: str
    region: Any
    in_pixels: bool

    @property
    def is_excluded(self) -> bool:
        """Whether the file takes it out of the others, as DS9's ``-circle`` does."""
        return not bool(int(self.region.meta.get("include", 1)))

    @property
    def name(self) -> str:
        """Its text; "" where it has none."""
        meta = self.region.meta
        return str(meta.get("text", "") or meta.get("label", "") or "")


def read_shapes(path: str | Path, wcs: WCS | None, left_out: list[str]) -> list[Shape]:
    """All shapes of a region file of DS9 or CASA (CRTF).

    Parameters
    ----------
    path : str or Path
        The file, in any celestial frame that DS9 knows, or in pixels (of the image, physical).
    wcs : WCS or None
        Of the image that pixel coordinates belong to.
    left_out : list of str
        Sentences about lines that cannot be used are appended to it.

    Returns
    -------
    list of Shape
        A shape in another frame than ICRS is turned by the angle between the norths of both at its
        centre.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    from regions import PixelRegion

    path = Path(path).expanduser()
    text = _CONTROL.sub(" ", read_text(path).replace("\r\n", "\n").replace("\r", "\n"))
    if text.lstrip().startswith("#CRTF"):
        parsed = _parsed(text, "crtf", path, left_out)
    else:
        parsed = _parsed(_plain_shapes(text, path.name, left_out), "ds9", path, left_out)
    on_sky: list[Any] = []
    for region in parsed:
        in_pixels = isinstance(region, PixelRegion)
        region = region.to_sky(wcs) if in_pixels and wcs is not None else region
        why = _why_unusable(region)
        if why:
            left_out.append(f"{path.name}: {why}")
        else:
            on_sky.append(region)
    return [
        Shape(
            type(region).__name__.replace("PixelRegion", "").replace("SkyRegion", ""),
            region, isinstance(region, PixelRegion),
        )
        for region in _in_icrs(on_sky)
    ]  # fmt: skip


def region_text(regions: Sequence[Any]) -> str:
    """Regions of `regions` as the text of a DS9 file; what is excluded begins with a minus, which
    more programs know than the property ``include=0`` that `regions` writes.
    """
    from regions import Regions

    text = Regions(list(regions)).serialize(format="ds9", precision=9)
    return re.sub(r"^(.*# .*)\binclude=0\b", r"-\1", text, flags=re.MULTILINE)


def because_of(left_out: Sequence[str]) -> str:
    """What was left out, in brackets behind an error's first words; nothing where nothing was."""
    return f" ({'; '.join(left_out)})" if left_out else ""


def _parsed(text: str, form: str, path: Path, left_out: list[str]) -> list[Any]:
    """The regions of a text; line by line where one of them cannot be read."""
    from regions import Regions

    def regions_of(part: str) -> list[Any]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = list(Regions.parse(part, format=form))
        left_out.extend(
            f"{path.name}: {str(warning.message).splitlines()[0]}"
            for warning in caught
            if "skipping" in str(warning.message)
        )
        return found

    before = len(left_out)
    try:
        return regions_of(text)
    except Exception as error:  # the parser's errors for broken lines have no common base
        first = error
    del left_out[before:]
    found, frame, broken = [], "", []
    for number, line in enumerate(text.split("\n"), 1):
        if form == "ds9" and _FRAME.match(line):
            frame = line.partition(";")[0]
        head = "#CRTFv0\n" if form == "crtf" else f"{frame}\n"
        try:
            found += regions_of(head + line)
        except Exception as error:  # as above
            broken.append(
                f"{path.name}: line {number}, {line.strip()[:80]!r}, left out: {brief(error)}"
            )
    if not found:
        raise InputError(
            f"{path} cannot be read as regions ({brief(first)}); save it again from DS9."
        )
    left_out.extend(broken)
    return found


def _plain_shapes(text: str, name: str, left_out: list[str]) -> str:
    """The lines of a DS9 file with what `regions` loses without a word: the parts of a composite in
    lines of their own, pixels that are called physical, and sizes in pixels on the sky told as left
    out.
    """
    lines = []
    on_sky = False
    for line in text.split("\n"):
        frame = _FRAME.match(line)
        if frame:
            on_sky = frame[1].lower() not in ("image", "physical")
            if frame[1].lower() == "physical":  # the same where no image was cut from another
                line = f"image{line[frame.end() :]}"
        if line.lstrip().startswith("#"):
            lines.append(line)
            continue
        parts = re.split(r"\s*\|\|\s*(?=[-+]?[a-z]+\s*\()", line)
        kept = []
        for part in parts:
            shape = _SHAPE.search(part)
            if on_sky and shape and _IN_PIXELS.search(shape[1]):
                left_out.append(
                    f"{name}: {shape[0]} left out: its size is in pixels of an image that is not "
                    "known; save the regions in DS9 with sizes in arcsec."
                )
            else:
                kept.append(part)
        # In one line, so that the numbers of lines stay those of the file.
        lines.append(";".join(part.rstrip(" |") for part in kept) if len(parts) > 1 else
                     kept[0] if kept else "")  # fmt: skip
    return "\n".join(lines)


def _why_unusable(region: Any) -> str:
    """What is wrong with a region that makes no sense; nothing with others."""
    corners = getattr(region, "vertices", None)
    if corners is not None and len(corners) < 3:
        return f"a polygon of {len(corners)} corners left out; it needs three or more."
    numbers = []
    for place in (corners, getattr(region, "center", None)):
        if place is not None:
            sky = getattr(place, "spherical", None)
            both = (place.x, place.y) if sky is None else (sky.lon.deg, sky.lat.deg)
            numbers += [np.ravel(values) for values in both]
    if numbers and not np.isfinite(np.concatenate(numbers)).all():
        return f"a {type(region).__name__} left out; its position is no number."
    return ""


def _in_icrs(regions: list[Any]) -> list[Any]:
    """Regions on the sky in ICRS, the angles turned by that between the norths of both frames; all
    of one frame at once, for one by one takes seconds for thousands.
    """
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    found = list(regions)
    frames: dict[str, list[int]] = {}
    for number, region in enumerate(regions):
        centre: Any = getattr(region, "center", None)
        corners: Any = getattr(region, "vertices", None)
        if isinstance(corners, SkyCoord) and corners.frame.name != "icrs":
            found[number] = region.copy(vertices=corners.icrs)
        elif isinstance(centre, SkyCoord) and centre.frame.name != "icrs":
            frames.setdefault(repr(centre.frame.replicate_without_data()), []).append(number)
    for numbers in frames.values():
        places = [regions[number].center for number in numbers]
        there = SkyCoord(
            [place.spherical.lon.deg for place in places],
            [place.spherical.lat.deg for place in places],
            unit="deg", frame=places[0].frame.replicate_without_data(),
        )  # fmt: skip
        here = there.icrs
        north = there.directional_offset_by(0 * u.deg, 1 * u.arcmin).icrs
        turns = here.position_angle(north)
        for row, number in enumerate(numbers):
            region, changed = regions[number], {"center": here[row]}
            if hasattr(region, "angle"):
                changed["angle"] = region.angle + turns[row]
            found[number] = region.copy(**changed)
    return found
