"""The files the program writes and reads again: maps and cubes, with their recipe and provenance."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import get_band
from ..data.cube import BandCube, Filling
from ..data.maps import PropertyMaps
from ..data.properties import FLAG_MEANING, PROPERTIES, Flag, Property
from ..data.recipe import Recipe
from ..exceptions import InputError, RecipeError
from .opening import image_wcs, opened

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList, Header
    from astropy.wcs import WCS


@contextmanager
def written_whole(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` only once the block has ended well.

    Raises
    ------
    InputError
        When the file is there already and may not be replaced, or its folder cannot be written to.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced (--overwrite)."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another folder."
        ) from None
    beside = Path(name)
    try:
        yield beside
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)  # mkstemp gives 0600
        beside.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); free some space or choose another folder."
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _ascii(text: str) -> str:
    """Text with what FITS cannot hold as TOML's (and Python's) escapes."""
    return re.sub(
        r"[^\x20-\x7e]",
        lambda m: f"\\u{ord(m[0]):04x}" if ord(m[0]) < 0x10000 else f"\\U{ord(m[0]):08x}",
        text,
    )


def _recipe_table(provenance: Mapping[str, Any]) -> BinTableHDU:
    """The RECIPE table: a row a line of the recipe, then a row an item of the provenance."""
    from astropy.io import fits

    rows = [("recipe", line) for line in str(provenance.get("recipe", "")).splitlines()]
    for key, value in provenance.items():
        if key == "recipe":
            continue
        if isinstance(value, Mapping):
            rows += [(f"{key}.{name}", str(item)) for name, item in value.items()]
        elif isinstance(value, list | tuple):
            rows += [(key, str(item)) for item in value]
        else:
            rows.append((key, str(value)))
    rows = [(_ascii(key), _ascii(value)) for key, value in rows] or [("recipe", "")]
    widths = [max(1, *(len(row[i]) for row in rows)) for i in (0, 1)]
    columns = [
        fits.Column(name=name, format=f"{widths[i]}A", array=[row[i] for row in rows])
        for i, name in enumerate(("KEY", "VALUE"))
    ]
    return fits.BinTableHDU.from_columns(columns, name="RECIPE")


def _read_provenance(hdus: HDUList) -> dict[str, Any]:
    if "RECIPE" not in hdus:
        return {}
    table = hdus["RECIPE"].data
    found: dict[str, Any] = {"recipe": ""}
    for key, value in zip(table["KEY"], table["VALUE"], strict=True):
        key, value = str(key), str(value)
        if key == "recipe":
            found["recipe"] += value + "\n"
        elif "." in key:
            group, _, name = key.partition(".")
            found.setdefault(group, {})[name] = value
        elif key in found:
            found[key] = (
                [*found[key], value] if isinstance(found[key], list) else [found[key], value]
            )
        else:
            found[key] = value
    return found


def _wcs_header(wcs: WCS) -> Header:
    return wcs.to_header(relax=True)


def write_maps(
    path: str | Path, maps: PropertyMaps, overwrite: bool = False, extra: Sequence[Any] = ()
) -> None:
    """Write maps to a multi-extension FITS file.

    Parameters
    ----------
    path : path
        The file; it appears only once it is whole.
    maps : PropertyMaps
        An image extension for each property and NAME_ERR beside it, FLAGS, MASK, RECIPE.
    overwrite : bool
        Whether a file that is there may be replaced.
    extra : sequence of HDU
        Further extensions, such as the stars that were masked.

    Raises
    ------
    InputError
        When the file exists or cannot be written.
    """
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = (_ascii(str(maps.provenance.get("object", "")))[:60], "the galaxy")
    primary.header["ORIGIN"] = "napari-galaxy-maps"
    for key, name, comment in (
        ("MODEL", "model", "model that made the maps"),
        ("MODELSHA", "model_hash", ""),  # 64 characters leave no room for a comment
        ("IMF", "imf", "initial mass function of masses"),
    ):
        if maps.provenance.get(name):
            primary.header[key] = (
                (str(maps.provenance[name]), comment) if comment else str(maps.provenance[name])
            )
    if maps.correlation is not None:
        primary.header["CORRAREA"] = (maps.correlation, "[pixel] pixels over which noise is shared")
    hdus: list[Any] = [primary]
    wcs = _wcs_header(maps.wcs)
    for name, values in maps.values.items():
        prop = PROPERTIES[name]
        hdus.append(_map_hdu(name, prop, values, wcs, prop.definition))
        if name in maps.errors:
            hdu = _map_hdu(f"{name}_ERR", prop, maps.errors[name], wcs, "1-sigma uncertainty")
            if name in maps.tails:
                hdu.header["TAIL95"] = (
                    round(maps.tails[name], 3),
                    "sigmas within which 95 % of the errors are",
                )
            hdus.append(hdu)
    flags = fits.ImageHDU(maps.flags.astype(np.int16), wcs, name="FLAGS")
    for flag, meaning in FLAG_MEANING.items():
        flags.header[f"FLAG{flag.value}"] = (meaning, f"meaning of bit value {flag.value}")
    hdus.append(flags)
    mask = ((maps.flags & Flag.MASKED) != 0).astype(np.uint8)
    hdus.append(fits.ImageHDU(mask, wcs, name="MASK"))
    hdus += [*extra, _recipe_table(maps.provenance)]
    with written_whole(path, overwrite) as beside:
        fits.HDUList(hdus).writeto(beside, overwrite=True, checksum=True)


def _map_hdu(name: str, prop: Property, values: np.ndarray, wcs: Header, what: str) -> Any:
    from astropy.io import fits

    hdu = fits.ImageHDU(np.asarray(values, np.float32), wcs, name=name)
    hdu.header["BUNIT"] = prop.unit
    if prop.log_unit:
        hdu.header["LOGUNIT"] = (prop.log_unit, "unit of the argument of the logarithm")
    hdu.header["LONGNAME"] = (prop.label, what[:40])
    return hdu


def read_maps(path: str | Path) -> PropertyMaps:
    """Read maps of properties, as `write_maps` writes them or with only some of its extensions.

    Returns
    -------
    PropertyMaps
        In the registry's units; ``provenance["file"]`` names the file.

    Raises
    ------
    InputError
        When the file is damaged, holds no map, has no sky coordinates, or a map has another unit or
        shape.
    """
    path = Path(path)
    with opened(path) as hdus:
        values: dict[str, np.ndarray] = {}
        errors: dict[str, np.ndarray] = {}
        tails: dict[str, float] = {}
        wcs = None
        for hdu in hdus:
            name, is_error = (
                (hdu.name[:-4], True) if hdu.name.endswith("_ERR") else (hdu.name, False)
            )
            if name not in PROPERTIES or not getattr(hdu, "is_image", False):
                continue
            data = _map_values(hdu, PROPERTIES[name], is_error, path)
            (errors if is_error else values)[name] = data
            if not is_error:
                wcs = wcs or image_wcs(hdu.header, data.shape)
            elif isinstance(tail := hdu.header.get("TAIL95"), int | float) and tail > 0:
                tails[name] = float(tail)
        if not values:
            raise InputError(
                f"{path} holds no map of a property ({', '.join(PROPERTIES)}); name its extensions so (EXTNAME)."
            )
        if wcs is None:
            raise InputError(
                f"{path}: its maps have no sky coordinates (WCS); add them to the headers."
            )
        shapes = {data.shape for data in (*values.values(), *errors.values())}
        if len(shapes) > 1:
            raise InputError(
                f"{path}: its maps have different shapes ({', '.join(map(str, sorted(shapes)))}); put them on one grid."
            )
        shape = shapes.pop()
        flags = np.zeros(shape, np.int16)
        if "FLAGS" in hdus and hdus["FLAGS"].shape == shape:
            flags = np.asarray(hdus["FLAGS"].data, np.int16)
        provenance = _read_provenance(hdus)
        provenance.setdefault("object", str(hdus[0].header.get("OBJECT", "")))
        shared = hdus[0].header.get("CORRAREA")
    errors = {name: error for name, error in errors.items() if name in values}
    correlation = float(shared) if isinstance(shared, int | float) else None
    return PropertyMaps(
        values, errors, wcs, flags, {**provenance, "file": str(path)}, correlation, tails
    )


def _map_values(hdu: Any, prop: Property, is_error: bool, path: Path) -> np.ndarray:
    import astropy.units as u

    data = np.squeeze(np.asarray(hdu.data, np.float32))
    if data.ndim != 2:
        raise InputError(f"{path}[{hdu.name}] is no image; maps have two dimensions.")
    unit = str(hdu.header.get("BUNIT", prop.unit)).strip()
    log_unit = str(hdu.header.get("LOGUNIT", prop.log_unit)).strip()
    expected = f"{prop.unit} of {prop.log_unit}" if prop.log_unit else prop.unit
    trouble = InputError(
        f"{path}[{hdu.name}] is in {unit!r} {log_unit}, but {prop.name} is in {expected}; convert it."
    )
    if unit != prop.unit:
        try:
            return data * np.float32(u.Unit(unit).to(prop.unit))
        except (ValueError, u.UnitConversionError):
            raise trouble from None
    if log_unit != prop.log_unit and not is_error:
        try:
            return data + np.float32(np.log10(u.Unit(log_unit).to(prop.log_unit)))
        except (ValueError, u.UnitConversionError):
            raise trouble from None
    return data


def write_cube(
    path: str | Path,
    cube: BandCube,
    provenance: Mapping[str, Any],
    overwrite: bool = False,
    extra: Sequence[Any] = (),
) -> None:
    """Write a prepared cube: DATA and ERR (n_bands, ny, nx) in MJy/sr, MASK, FLAGS, BANDS, `extra`
    extensions, RECIPE.

    Where gaps were filled, FILLED and FILLEDERR hold what with, and NaN elsewhere; DATA is as
    measured.

    Raises
    ------
    InputError
        When the file exists or cannot be written.
    """
    from astropy.io import fits

    wcs = _wcs_header(cube.wcs)
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = _ascii(cube.name)[:60]
    primary.header["ORIGIN"] = "napari-galaxy-maps"
    hdus = [primary]
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
    hdus.append(fits.ImageHDU(cube.flags.astype(np.int16), wcs, name="FLAGS"))
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
            name="FILE", format=f"{max(1, *map(len, files))}A", array=[_ascii(f) for f in files]
        ),
    ]
    hdus += [
        fits.BinTableHDU.from_columns(columns, name="BANDS"),
        *extra,
        _recipe_table({**provenance, "note": cube.notes}),
    ]
    with written_whole(path, overwrite) as beside:
        fits.HDUList(hdus).writeto(beside, overwrite=True, checksum=True)


def _or_nan(values: np.ndarray | None, n: int) -> np.ndarray:
    return np.full(n, np.nan) if values is None else values


def _or_none(table: Any, name: str) -> np.ndarray | None:
    """A column of numbers that are all known, or None."""
    values = np.asarray(table[name], float) if name in table.names else np.array([np.nan])
    return values if np.isfinite(values).all() else None


def read_cube(path: str | Path) -> BandCube:
    """Read a cube that `write_cube` wrote.

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
                f"{path} is no prepared cube: it has no {' or '.join(missing)}; make one with `galaxy-maps prepare`."
            )
        header = hdus["DATA"].header
        data = np.asarray(hdus["DATA"].data, np.float32)
        wcs = image_wcs(hdus["MASK"].header, data.shape[1:])
        if wcs is None:
            raise InputError(f"{path} has no sky coordinates (WCS).")
        flags = (
            np.asarray(hdus["FLAGS"].data, np.int16)
            if "FLAGS" in hdus
            else np.zeros(data.shape[1:], np.int16)
        )
        filling = None
        if "FILLED" in hdus and "FILLEDERR" in hdus:
            filling = Filling(
                *(np.asarray(hdus[name].data, np.float32) for name in ("FILLED", "FILLEDERR"))
            )
            if filling.data.shape != data.shape or filling.uncertainty.shape != data.shape:
                raise InputError(
                    f"{path}: FILLED and FILLEDERR must have the shape of DATA; make the cube anew."
                )
        return BandCube(
            data, np.asarray(hdus["ERR"].data, np.float32), tuple(get_band(b).name for b in hdus["BANDS"].data["BAND"]), wcs,
            float(header.get("BMAJ", 0) * 3600), float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600), header.get("PIXPC"),
            np.asarray(hdus["MASK"].data) != 0, flags, str(hdus[0].header.get("OBJECT", "")),
            correlation=_or_none(hdus["BANDS"].data, "CORRAREA"), systematic=_or_none(hdus["BANDS"].data, "SYSTERR"),
            filling=filling,
        )  # fmt: skip


def is_cube(path: str | Path) -> bool:
    """Whether a file is a prepared cube."""
    try:
        with opened(Path(path)) as hdus:
            return all(name in hdus for name in ("DATA", "ERR", "BANDS"))
    except InputError:
        return False


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What a result says of itself in its RECIPE table; empty where it has none.

    Raises
    ------
    InputError
        When the file cannot be opened.
    """
    with opened(Path(path)) as hdus:
        return _read_provenance(hdus)


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file, or in the RECIPE table of a result.

    A table of stars or map of E(B-V) that a TOML file names, and that lies beside it, is found
    there.

    Raises
    ------
    RecipeError
        When the file cannot be read or holds no recipe.
    """
    path = Path(path)
    if path.suffix.lower() in (".toml", ".txt"):
        try:
            return _beside(
                Recipe.from_toml(path.read_text(encoding="utf-8"), str(path)), path.parent
            )
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path} cannot be read as a recipe ({error}).") from None
    try:
        text = str(read_provenance(path).get("recipe", ""))
    except InputError as error:
        raise RecipeError(str(error)) from None
    if not text.strip():
        raise RecipeError(f"{path} holds no recipe; give a TOML file or a result of this program.")
    return Recipe.from_toml(text, str(path))


def _beside(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the files that it names by their place beside it."""
    for section, key in ((recipe.stars, "catalogue"), (recipe.reddening, "map")):
        name = getattr(section, key)
        if name and not Path(name).is_absolute() and (folder / name).is_file():
            setattr(section, key, str(folder / name))
    return recipe
