"""Maps of properties as multi-extension FITS files: written, recognised and read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.flags import Flag
from ..data.maps import PropertyMaps
from ..data.properties import PROPERTIES, Property
from ..exceptions import InputError
from .flag_planes import flags_hdu, read_flags
from .masked_light_tables import filling_table, read_filling
from .open_fits import opened, shape_of
from .recipe_files import ascii_text, provenance_of, recipe_table
from .safe_writing import written_whole
from .sky_coordinates import header_of, image_wcs

if TYPE_CHECKING:
    from astropy.io.fits import Header

_OF_GALAXY = "part of the error all pixels share"


def write_maps(
    path: str | Path, maps: PropertyMaps, overwrite: bool = False, extra: Sequence[Any] = ()
) -> None:
    """Write maps to a multi-extension FITS file.

    Parameters
    ----------
    path : path
        The file; it appears only once it is whole.
    maps : PropertyMaps
        An image extension for each property and NAME_ERR beside it (and NAME_ERR_GALAXY, where it
        is known), FLAGS, MASK, the table FILLED_MASKS where masks were filled, RECIPE.
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
    primary.header["OBJECT"] = (
        ascii_text(str(maps.provenance.get("object", "")))[:60],
        "the galaxy",
    )
    primary.header["ORIGIN"] = "napari-galaxy-maps"
    for key, name, comment in (
        ("MODEL", "model", "model that made the maps"),
        ("PRIOR", "prior", "whether scaling relations counted, or wide"),
        ("MEMBERS", "members", "orientations in which the model looked"),
        ("MODELSHA", "model_hash", ""),  # 64 characters leave no room for a comment
        ("IMF", "imf", "initial mass function of masses"),
        ("DOMAIN", "domain", ""),  # how far the galaxy is from what the model was trained on
    ):
        if maps.provenance.get(name):
            primary.header[key] = (
                (str(maps.provenance[name]), comment) if comment else str(maps.provenance[name])
            )
    if maps.correlation is not None:
        primary.header["CORRAREA"] = (maps.correlation, "[pixel] pixels over which noise is shared")
    hdus: list[Any] = [primary]
    wcs = header_of(maps.wcs)
    for name, values in maps.values.items():
        prop = PROPERTIES[name]
        hdus.append(_map_hdu(name, prop, values, wcs, prop.definition))
        if name in maps.errors:
            hdu = _map_hdu(f"{name}_ERR", prop, maps.errors[name], wcs, "1-sigma uncertainty")
            if name in maps.tails:
                hdu.header["TAIL95"] = (
                    maps.tails[name],  # unrounded: scores of the file are those of the window
                    "sigmas within which 95 % of the errors are",
                )
            hdus.append(hdu)
        if name in maps.galaxy_errors:
            plane = maps.galaxy_errors[name]
            hdus.append(_map_hdu(f"{name}_ERR_GALAXY", prop, plane, wcs, _OF_GALAXY))
    hdus.append(flags_hdu(maps.flags, wcs, maps.unknown_flags))
    mask = ((maps.flags & Flag.MASKED) != 0).astype(np.uint8)
    hdus.append(fits.ImageHDU(mask, wcs, name="MASK"))
    if maps.filling is not None:
        hdus.append(filling_table(maps.filling))
    hdus += [*extra, recipe_table(maps.provenance)]
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
        shared: dict[str, np.ndarray] = {}
        tails: dict[str, float] = {}
        wcs = None
        for hdu in hdus:
            name, end = next(
                (hdu.name.removesuffix(end), end)
                for end in ("_ERR_GALAXY", "_ERR", "")
                if hdu.name.endswith(end)
            )
            if name not in PROPERTIES or not shape_of(hdu):
                continue
            data = _map_values(hdu, PROPERTIES[name], bool(end), path)
            {"": values, "_ERR": errors, "_ERR_GALAXY": shared}[end][name] = data
            if not end:
                wcs = wcs or image_wcs(hdu.header, data.shape)
            elif (
                end == "_ERR"
                and isinstance(tail := hdu.header.get("TAIL95"), int | float)
                and tail > 0
            ):
                tails[name] = float(tail)
        if not values:
            raise InputError(
                f"{path} holds no map of a property ({', '.join(PROPERTIES)}); name its extensions "
                "so (EXTNAME)."
            )
        if wcs is None:
            raise InputError(
                f"{path}: its maps have no sky coordinates (WCS); add them to the headers."
            )
        shapes = {data.shape for part in (values, errors, shared) for data in part.values()}
        if len(shapes) > 1:
            raise InputError(
                f"{path}: its maps have different shapes ({', '.join(map(str, sorted(shapes)))}); "
                "put them on one grid."
            )
        shape = shapes.pop()
        flags, unknown = read_flags(hdus, shape, path)
        filling = read_filling(hdus, values, shape, path)
        provenance = provenance_of(hdus)
        provenance.setdefault("object", str(hdus[0].header.get("OBJECT", "")))
        area = hdus[0].header.get("CORRAREA")
    errors = {name: error for name, error in errors.items() if name in values}
    shared = {name: error for name, error in shared.items() if name in errors}
    correlation = float(area) if isinstance(area, int | float) else None
    return PropertyMaps(
        values, errors, wcs, flags, {**provenance, "file": str(path)}, correlation, tails,
        galaxy_errors=shared, filling=filling, unknown_flags=unknown,
    )  # fmt: skip


def _map_values(hdu: Any, prop: Property, is_error: bool, path: Path) -> np.ndarray:
    import astropy.units as u

    data = np.squeeze(np.asarray(hdu.data, np.float32))
    if data.ndim != 2:
        raise InputError(f"{path}[{hdu.name}] is no image; maps have two dimensions.")
    unit = str(hdu.header.get("BUNIT", prop.unit)).strip()
    log_unit = str(hdu.header.get("LOGUNIT", prop.log_unit)).strip()
    expected = f"{prop.unit} of {prop.log_unit}" if prop.log_unit else prop.unit
    trouble = InputError(
        f"{path}[{hdu.name}] is in {unit!r} {log_unit}, but {prop.name} is in {expected}; convert "
        "it."
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


def is_maps(path: str | Path) -> bool:
    """Whether a file is FITS and holds maps of properties."""
    try:
        with opened(Path(path)) as hdus:
            return any(hdu.name in PROPERTIES for hdu in hdus)
    except InputError:
        return False
