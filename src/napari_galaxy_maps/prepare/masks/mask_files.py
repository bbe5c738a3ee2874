"""Masks in and out: as extensions of a result file, and as DS9 regions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...bands.registry import BANDS
from ...exceptions import InputError
from ...fits_io.ds9_regions import Polygon, read_regions, write_regions
from ...fits_io.open_fits import opened
from ...fits_io.sky_coordinates import header_of, image_wcs
from ..stars.star_files import light_columns, psf_table, read_lights, read_psfs
from ..stars.star_list import Star, from_circles, to_circles
from .mask_set import Masks, Patch

_PATCH = "PATCH"
_ESCAPED = re.compile(
    r"([ -\[\]-~]|\\(\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))*", re.DOTALL
)
"""What `_escaped` makes."""


def mask_hdus(masks: Masks | None) -> list[Any]:
    """The extensions that keep masks in a file: STARS (a row a star, a radius a band), STARPSF (a
    row a band whose stars are subtracted), POLYGONS (a row a corner), PATCHn.

    Returns
    -------
    list of HDU
        Empty where nothing is masked.
    """
    from astropy.io import fits

    hdus: list[Any] = []
    if masks is None:
        return hdus
    if masks.stars:
        stars = masks.stars
        bands = [name for name in BANDS if any(name in star.radii for star in stars)]
        spared = [star.spared if star.spared is not None else (np.nan,) * 3 for star in stars]
        columns = [
            _text("ID", [s.id for s in stars]),
            fits.Column("RA", "D", "deg", array=[s.ra for s in stars]),
            fits.Column("DEC", "D", "deg", array=[s.dec for s in stars]),
            fits.Column("MAG", "D", "mag", array=[s.magnitude for s in stars]),
            _text("ORIGIN", [s.origin for s in stars]),
            _text("FLAG", [s.flag for s in stars]),
            fits.Column("ENABLED", "L", array=[s.enabled for s in stars]),
            fits.Column("SPARED", "3D", array=np.array(spared, float).reshape(len(stars), 3)),
            *(
                fits.Column(name, "D", "arcsec", array=[s.radii.get(name, 0.0) for s in stars])
                for name in bands
            ),
            *light_columns([star.lights for star in stars]),
        ]
        hdus.append(fits.BinTableHDU.from_columns(columns, name="STARS"))
        hdus.extend(psf_table([star.lights for star in stars]))
    if masks.polygons:
        corners = [
            (number, *vertex, shape)
            for number, shape in enumerate(masks.polygons, 1)
            for vertex in shape.vertices
        ]
        columns = [
            fits.Column("SHAPE", "J", array=[number for number, *_ in corners]),
            fits.Column("RA", "D", "deg", array=[ra for _, ra, _, _ in corners]),
            fits.Column("DEC", "D", "deg", array=[dec for _, _, dec, _ in corners]),
            *(
                _text(name.upper(), [getattr(shape, name) for *_, shape in corners])
                for name in ("band", "id", "flag")
            ),
            fits.Column("ENABLED", "L", array=[shape.enabled for *_, shape in corners]),
            fits.Column("FREES", "L", array=[shape.frees for *_, shape in corners]),
        ]
        hdus.append(fits.BinTableHDU.from_columns(columns, name="POLYGONS"))
    for number, patch in enumerate(masks.patches, 1):
        hdu = fits.ImageHDU(
            patch.data.astype(np.uint8), header_of(patch.wcs), name=f"{_PATCH}{number}"
        )
        hdu.header["BANDS"] = (",".join(patch.bands), "the bands it masks; empty for all")
        hdus.append(hdu)
    return hdus


def _text(name: str, values: list[str]) -> Any:
    from astropy.io import fits

    values = [_escaped(value) for value in values]
    return fits.Column(name, f"{max(1, *map(len, values))}A", array=values)


def _escaped(text: str) -> str:
    """Text with what FITS cannot hold (no ASCII, blanks at its end) as Python's escapes."""
    ascii_only = text.encode("unicode_escape").decode("ascii")
    kept = ascii_only.rstrip(" ")
    return kept + r"\x20" * (len(ascii_only) - len(kept))


def _unescaped(value: Any) -> str:
    text = str(value)
    # A backslash in somebody else's table is none of ours.
    return text.encode().decode("unicode_escape") if _ESCAPED.fullmatch(text) else text


def read_masks(path: str | Path) -> Masks | None:
    """The masks that `mask_hdus` put into a file, or None where it has none.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    path = Path(path)
    stars: list[Star] = []
    patches: list[Patch] = []
    polygons: list[Polygon] = []
    with opened(path) as hdus:
        names = [hdu.name for hdu in hdus]
        for hdu in hdus:
            if hdu.name in ("STARS", "POLYGONS"):
                try:
                    if hdu.name == "STARS":
                        psfs = hdus["STARPSF"].data if "STARPSF" in names else None
                        stars = _stars(hdu.data, psfs)
                    else:
                        polygons = _polygons(hdu.data)
                except (KeyError, IndexError, ValueError, TypeError) as error:
                    raise InputError(
                        f"{path}: its {hdu.name} table cannot be read ({error}); save the result "
                        "again."
                    ) from None
            elif hdu.name.startswith(_PATCH) and getattr(hdu, "is_image", False):
                wcs = image_wcs(hdu.header, hdu.shape)
                if wcs is not None and len(hdu.shape) == 2:
                    bands = tuple(filter(None, str(hdu.header.get("BANDS", "")).split(",")))
                    patches.append(Patch(np.asarray(hdu.data) != 0, wcs, bands))
    masks = Masks(tuple(stars), tuple(patches), tuple(polygons))
    return masks if stars or patches or polygons else None


def _polygons(rows: Any) -> list[Polygon]:
    shapes = []
    for number in np.unique(rows["SHAPE"]):
        own = rows[rows["SHAPE"] == number]
        band, name, flag = (_unescaped(own[column][0]) for column in ("BAND", "ID", "FLAG"))
        corners = np.column_stack([own["RA"], own["DEC"]])
        # Results of earlier versions have no such column.
        frees = "FREES" in rows.dtype.names and bool(own["FREES"][0])
        shapes.append(Polygon(corners, band, name, flag, bool(own["ENABLED"][0]), frees))
    return shapes


def _stars(table: Any, psfs: Any) -> list[Star]:
    lights = read_lights(table, read_psfs(psfs))
    # By columns: a row of a FITS table is slow.
    columns = {name: table[name].tolist() for name in table.names}
    columns |= {
        name: [_unescaped(text) for text in table[name]] for name in ("ID", "ORIGIN", "FLAG")
    }
    bands = [name for name in columns if name in BANDS]
    return [
        Star(
            row["ID"],
            float(row["RA"]),
            float(row["DEC"]),
            float(row["MAG"]),
            row["ORIGIN"],
            {name: float(row[name]) for name in bands},
            row["FLAG"],
            bool(row["ENABLED"]),
            _spared(*row["SPARED"]),
            own,
        )
        for own, row in zip(
            lights,
            (
                dict(zip(columns, values, strict=True))
                for values in zip(*columns.values(), strict=True)
            ),
            strict=True,
        )
    ]


def _spared(x: float, y: float, radius: float) -> tuple[float, float, float] | None:
    return (x, y, radius) if np.isfinite([x, y, radius]).all() else None


def masks_from_regions(
    path: str | Path, bands: Iterable[str], left_out: list[str] | None = None
) -> Masks:
    """Masks from a DS9 region file in sky coordinates.

    Raises
    ------
    InputError
        When the file cannot be read, holds nothing usable, or is in pixels.
    """
    notes: list[str] = [] if left_out is None else left_out
    circles, polygons = read_regions(path, left_out=notes)
    garbled: list[str] = []
    stars = from_circles(circles, bands, garbled)
    if garbled:
        notes.append(
            f"{Path(path).name}: what was subtracted of {', '.join(dict.fromkeys(garbled))} can no "
            "longer be read; masked in place of that."
        )
    return Masks(tuple(stars), (), tuple(polygons))


def masks_to_regions(path: str | Path, masks: Masks, overwrite: bool = False) -> None:
    """Write stars' circles and polygons as DS9 regions; freehand patches have no such form and stay
    in the result file.

    Raises
    ------
    InputError
        When the file is there and may not be replaced, or cannot be written.
    """
    write_regions(path, to_circles(masks.stars), masks.polygons, overwrite)
