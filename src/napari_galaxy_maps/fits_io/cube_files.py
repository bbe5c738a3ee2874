"""Prepared cubes, all bands on one grid at one PSF, as FITS files: written, recognised, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import get_band
from ..data.cube import BandCube, Filling
from ..data.ranges import HUBBLE_STAGE, REDSHIFT
from ..data.recipe import Recipe
from ..data.setting import Range
from ..exceptions import GalaxyMapsError, InputError
from .flag_planes import flags_hdu, read_flags
from .masked_light_tables import light_table, read_light
from .open_fits import opened, shape_of
from .recipe_files import ascii_text, provenance_of, recipe_table
from .safe_writing import written_whole
from .sky_coordinates import header_of, image_wcs

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header


def write_cube(
    path: str | Path,
    cube: BandCube,
    provenance: Mapping[str, Any],
    overwrite: bool = False,
    extra: Sequence[Any] = (),
) -> None:
    """Write a prepared cube: DATA and ERR (n_bands, ny, nx) in MJy/sr, MASK, BANDMASK, FLAGS,
    BANDS, `extra` extensions, RECIPE.

    Where gaps were filled, FILLED and FILLEDERR hold what with, and NaN elsewhere; DATA is as
    measured. The table FILLED_MASKS has what is thought to lie under masks.

    Raises
    ------
    InputError
        When the file exists or cannot be written.
    """
    from astropy.io import fits

    wcs = header_of(cube.wcs)
    hdus = [_primary(cube)]
    planes = [("DATA", cube.data), ("ERR", cube.uncertainty)]
    if cube.filling is not None:
        planes += [("FILLED", cube.filling.data), ("FILLEDERR", cube.filling.uncertainty)]
    for name, data in planes:
        hdu = fits.ImageHDU(data.astype(np.float32), wcs, name=name)
        hdu.header["BUNIT"] = "MJy/sr"
        hdu.header["BMAJ"] = hdu.header["BMIN"] = cube.fwhm / 3600
        hdu.header["CTYPE3"] = ("BAND", "see the table BANDS")
        if cube.pixel_pc:
            hdu.header["PIXPC"] = (cube.pixel_pc, "[pc] side of a pixel")
        hdus.append(hdu)
    hdus.append(fits.ImageHDU(cube.mask.astype(np.uint8), wcs, name="MASK"))
    if cube.own_masks is not None:
        hdu = fits.ImageHDU(cube.own_masks.astype(np.uint8), wcs, name="BANDMASK")
        hdu.header["CTYPE3"] = ("BAND", "see the table BANDS")
        hdus.append(hdu)
    hdus.append(flags_hdu(cube.flags, wcs, cube.unknown_flags))
    files = [
        image.path.name if (image := cube.images.get(b)) and image.path else "" for b in cube.bands
    ]
    # A band that is too broad may have been kept at its own PSF.
    widths = [cube.images[b].fwhm if b in cube.images else cube.fwhm for b in cube.bands]
    columns = [
        fits.Column(name="BAND", format="12A", array=list(cube.bands)),
        fits.Column(
            name="PIVOT", format="E", unit="um", array=[get_band(b).pivot for b in cube.bands]
        ),
        fits.Column(name="FWHM", format="E", unit="arcsec", array=widths),
        # What the error of a sum over pixels needs: the pixels that share noise, and the relative
        # error common to all.
        fits.Column(
            name="CORRAREA",
            format="E",
            unit="pixel",
            array=_or_nan(cube.correlation, len(cube.bands)),
        ),
        fits.Column(name="SYSTERR", format="E", array=_or_nan(cube.systematic, len(cube.bands))),
        fits.Column(
            name="FILE", format=f"{max(1, *map(len, files))}A", array=[ascii_text(f) for f in files]
        ),
    ]
    hdus += [
        fits.BinTableHDU.from_columns(columns, name="BANDS"),
        *([] if cube.masked_light is None else [light_table(cube.masked_light)]),
        *extra,
        recipe_table({**provenance, "note": cube.notes}),
    ]
    with written_whole(path, overwrite) as beside:
        fits.HDUList(hdus).writeto(beside, overwrite=True, checksum=True)


def _primary(cube: BandCube) -> Any:
    """What is said of a cube as a whole."""
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = ascii_text(cube.name)[:60]
    primary.header["ORIGIN"] = "napari-galaxy-maps"
    if cube.hubble_stage is not None:
        primary.header["MORPHT"] = (cube.hubble_stage, "Hubble stage T of the galaxy")
    if cube.redshift is not None:
        primary.header["REDSHIFT"] = (cube.redshift, "of the galaxy, as it was told")
    if not cube.dimmed:
        primary.header["DIMMED"] = (False, "dust was taken away from these images")
    return primary


def _or_nan(values: np.ndarray | None, n: int) -> np.ndarray:
    return np.full(n, np.nan) if values is None else values


def _or_none(table: Any, name: str) -> np.ndarray | None:
    """A column of numbers that are all known, or None."""
    try:
        values = np.asarray(table[name], float) if name in table.names else np.array([np.nan])
    except ValueError:  # words
        return None
    return values if values.ndim == 1 and np.isfinite(values).all() else None


def read_cube(path: str | Path) -> BandCube:
    """Read a cube that `write_cube` wrote; ``provenance["file"]`` names the file.

    Raises
    ------
    InputError
        When the file is damaged or is no such cube.
    """
    from astropy.wcs.utils import proj_plane_pixel_area

    path = Path(path)
    with opened(path) as hdus:
        missing = [name for name in ("DATA", "ERR", "MASK", "BANDS") if name not in hdus]
        if missing:
            raise InputError(
                f"{path} is no prepared cube: it has no {' or '.join(missing)}; prepare "
                "images and save them as one first."
            )
        _check_shapes(hdus, path)
        header = hdus["DATA"].header
        data = np.asarray(hdus["DATA"].data, np.float32)
        wcs = image_wcs(hdus["MASK"].header, data.shape[1:])
        if wcs is None:
            raise InputError(f"{path} has no sky coordinates (WCS).")
        flags, unknown = read_flags(hdus, data.shape[1:], path)
        filling = None
        if "FILLED" in hdus and "FILLEDERR" in hdus:
            filling = Filling(
                *(np.asarray(hdus[name].data, np.float32) for name in ("FILLED", "FILLEDERR"))
            )
        provenance = provenance_of(hdus)
        redshift = _of_galaxy(hdus[0].header, "REDSHIFT", REDSHIFT, path)
        return BandCube(
            data, np.asarray(hdus["ERR"].data, np.float32),
            _bands(hdus, path), wcs,
            3600 * (_number(header, "BMAJ", path) or 0.0),
            float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600),
            _number(header, "PIXPC", path),
            np.asarray(hdus["MASK"].data) != 0, flags, str(hdus[0].header.get("OBJECT", "")),
            own_masks=np.asarray(hdus["BANDMASK"].data) != 0 if "BANDMASK" in hdus else None,
            correlation=_or_none(hdus["BANDS"].data, "CORRAREA"),
            systematic=_or_none(hdus["BANDS"].data, "SYSTERR"),
            filling=filling,
            masked_light=read_light(hdus, len(data), (data.shape[1], data.shape[2]), path),
            hubble_stage=_of_galaxy(hdus[0].header, "MORPHT", HUBBLE_STAGE, path),
            redshift=_redshift_told(provenance) if redshift is None else redshift,
            provenance={**provenance, "file": str(path)},
            unknown_flags=unknown,
            dimmed=hdus[0].header.get("DIMMED", True) is not False,
        )  # fmt: skip


def _check_shapes(hdus: HDUList, path: Path) -> None:
    """Refuse a cube whose extensions do not fit together.

    Raises
    ------
    InputError
        Naming the extension.
    """
    names = getattr(getattr(hdus["BANDS"], "columns", None), "names", ())
    if "BAND" not in names:
        raise InputError(f"{path}: BANDS must be a table with a column BAND; make the cube anew.")
    shape = shape_of(hdus["DATA"])
    if len(shape) != 3 or shape[0] != len(hdus["BANDS"].data):
        raise InputError(
            f"{path}: DATA must have a plane for each of the {len(hdus['BANDS'].data)} rows of "
            "BANDS; make the cube anew."
        )
    expected: dict[str, tuple[int, ...]] = {"ERR": shape, "FILLED": shape, "FILLEDERR": shape}
    expected |= {"MASK": shape[1:], "BANDMASK": shape, "FLAGS": shape[1:]}
    for name, right in expected.items():
        if name in hdus and shape_of(hdus[name]) != right:
            raise InputError(
                f"{path}: {name} must have the shape of DATA, {right}; make the cube anew."
            )


def _bands(hdus: HDUList, path: Path) -> tuple[str, ...]:
    """The bands of a cube's planes, as its table BANDS says."""
    try:
        bands = tuple(get_band(str(name)).name for name in hdus["BANDS"].data["BAND"])
    except InputError as error:
        raise InputError(f"{path}: in its table BANDS: {error}") from None
    if len(set(bands)) < len(bands):
        raise InputError(f"{path}: its table BANDS names a band twice; make the cube anew.")
    return bands


def _number(header: Header, key: str, path: Path) -> float | None:
    """A number of a header that is not negative; None where there is none."""
    value = header.get(key)
    if value is None or value == 0:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InputError(f"{path}: {key} in its header is {str(value)[:40]!r}; correct it.")
    return float(value)


def _of_galaxy(header: Header, key: str, limits: Range, path: Path) -> float | None:
    """A number that a header tells of the galaxy; None where it tells none."""
    value = header.get(key)
    if value is None:
        return None
    known = isinstance(value, int | float) and not isinstance(value, bool)
    trouble = limits.trouble(value) if known else f"{str(value)[:40]!r} is no number"
    if trouble:
        raise InputError(f"{path}: {key} in its header: {trouble}; correct it.")
    return float(value)


def _redshift_told(provenance: Mapping[str, Any]) -> float | None:
    """The redshift of a cube's recipe, where alone cubes of before have it."""
    try:
        return Recipe.from_toml(str(provenance.get("recipe", ""))).galaxy.redshift
    except GalaxyMapsError:  # whoever needs the recipe says what is wrong with it
        return None


def is_cube(path: str | Path) -> bool:
    """Whether a file is a prepared cube."""
    try:
        with opened(Path(path)) as hdus:
            return holds_cube(hdus)
    except InputError:
        return False


def holds_cube(hdus: HDUList) -> bool:
    """Whether an open file is a prepared cube."""
    return all(name in hdus for name in ("DATA", "ERR", "BANDS"))
