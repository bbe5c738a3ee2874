"""True maps of a person's own: maps files, and products of integral-field surveys whose extensions
have other names and units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...data.maps import PropertyMaps
from ...data.properties import PROPERTIES
from ...exceptions import InputError
from ...fits_io.map_files import read_maps
from ...fits_io.open_fits import opened
from ...fits_io.sky_coordinates import image_wcs
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES

STARS = "LOG_SIGMA_STAR"
"""Every truth needs it: it says how much a pixel teaches, and which galaxies are massive."""
_PIXELS = re.compile(r"\b(spaxels?|spax|pixels?|pix)\b(\^2|\*\*2)?", re.IGNORECASE)
_LOGARITHM = re.compile(r"(?:dex|log10|log)\s*\((.*)\)", re.IGNORECASE)
_SPELLINGS = (
    (r"\b(M_?sun|Msol|Mo|M_?⊙|solar masses|solar mass)\b", "solMass"), (r"\byears?\b", "yr"),
    (r"\bGyrs\b", "Gyr"),
)  # fmt: skip


@dataclass(frozen=True)
class TruthOptions:
    """How truths are to be read.

    Attributes
    ----------
    names : mapping of str to str
        By property, the extension that holds it: ``EXTNAME``, or ``EXTNAME[N]`` for a plane of a
        cube, from 0. Empty: the project's own maps, whose extensions have the properties' names.
    units : mapping of str to str
        By property, the unit in place of the header's, e.g. ``"dex(solMass / spaxel)"``.
    fwhm : float or None
        Of the PSF in arcsec, in place of what the file says.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    fwhm: float | None = None


def parse_options(names: Sequence[str], units: Sequence[str], fwhm: float | None) -> TruthOptions:
    """The options of the texts ``PROPERTY=EXTNAME`` and ``PROPERTY=UNIT``.

    Raises
    ------
    InputError
        When a text has another form or names no property of the model, or the PSF is not positive.
    """
    found: list[dict[str, str]] = []
    for option, texts, form in (
        ("--map", names, "PROPERTY=EXTNAME"),
        ("--map-unit", units, "PROPERTY=UNIT"),
    ):
        table = {}
        for text in texts:
            key, equals, value = (part.strip() for part in text.partition("="))
            if not (equals and key and value):
                raise InputError(f"{option} {text!r} is not of the form {form}.")
            if key.upper() not in STELLAR_PROPERTIES:
                raise InputError(
                    f"{option} {text!r}: there is no property {key!r} to be learnt; there are "
                    f"{', '.join(STELLAR_PROPERTIES)}."
                )
            table[key.upper()] = value
        found.append(table)
    for key in found[1]:
        if key not in found[0]:
            raise InputError(
                f"--map-unit {key}=... is for an extension that --map {key}=EXTNAME names; give "
                "both."
            )
    if fwhm is not None and not (np.isfinite(fwhm) and fwhm > 0):
        raise InputError(f"--truth-psf is a positive number of arcsec, not {fwhm}.")
    return TruthOptions(found[0], found[1], fwhm)


def read_truth(path: Path, options: TruthOptions, distance_mpc: float | None) -> PropertyMaps:
    """The true maps of a galaxy, at the PSF that ``provenance["fwhm"]`` tells (arcsec).

    Parameters
    ----------
    path : Path
    options : TruthOptions
    distance_mpc : float or None
        For maps per spaxel or per arcsec2.

    Returns
    -------
    PropertyMaps
        Those of `STELLAR_PROPERTIES` that the file has, with `STARS` among them; NaN where empty.

    Raises
    ------
    InputError
        When the file is missing or damaged, lacks a map, has another unit, or says nothing of its
        PSF.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: every galaxy needs its true maps beside its images.")
    maps = _product(path, options, distance_mpc) if options.names else read_maps(path)
    values = {name: plane for name, plane in maps.values.items() if name in STELLAR_PROPERTIES}
    if STARS not in values:
        there = ", ".join(values) or "none of the properties to be learnt"
        raise InputError(
            f"{path} has no {STARS}, which training needs ({there}); add it, or name it with --map."
        )
    if not np.isfinite(values[STARS]).any():
        raise InputError(f"{path}: its {STARS} is empty; leave the galaxy out.")
    fwhm = options.fwhm or _number(maps.provenance.get("fwhm"))
    if not fwhm:
        raise InputError(
            f"{path} does not say how wide its PSF is; give its FWHM with --truth-psf ARCSEC."
        )
    # Values alone: errors of a truth are not learnt.
    return PropertyMaps(values, {}, maps.wcs, maps.flags, {**maps.provenance, "fwhm": fwhm})


def brightest(maps: PropertyMaps) -> tuple[float, float]:
    """ICRS position (degrees) of the most massive pixel."""
    stars = maps.values[STARS]
    y, x = np.unravel_index(
        int(np.nanargmax(np.where(np.isfinite(stars), stars, np.nan))), stars.shape
    )
    sky = maps.wcs.pixel_to_world(float(x), float(y)).icrs
    return float(sky.ra.deg), float(sky.dec.deg)


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def _product(path: Path, options: TruthOptions, distance_mpc: float | None) -> PropertyMaps:
    """The maps that `options` name in a file."""
    values: dict[str, np.ndarray] = {}
    wcs = None
    with opened(path) as hdus:
        for name, place in options.names.items():
            found = re.fullmatch(r"(.+?)(?:\[(\d+)\])?", place)
            assert found is not None
            extension, number = found[1], found[2]
            if extension not in hdus:
                there = ", ".join(hdu.name for hdu in hdus if hdu.name) or "none with a name"
                raise InputError(
                    f"{path} has no extension {extension!r} for {name}; there are {there}."
                )
            hdu = hdus[extension]
            plane = (
                np.squeeze(np.asarray(hdu.data, np.float64))
                if getattr(hdu, "is_image", False)
                else np.zeros(0)
            )
            if number is not None and plane.ndim == 3 and int(number) < len(plane):
                plane = plane[int(number)]
            elif number is not None:
                raise InputError(
                    f"{path}[{extension}] has no plane {number}: its shape is {plane.shape}."
                )
            if plane.ndim != 2:
                raise InputError(
                    f"{path}[{extension}] is no map but has the shape {plane.shape}; name one of "
                    f"its planes, as in {extension}[0]."
                )
            wcs = (
                wcs or image_wcs(hdu.header, plane.shape) or image_wcs(hdus[0].header, plane.shape)
            )
            if wcs is None:
                raise InputError(
                    f"{path}[{extension}] has no sky coordinates (WCS); add them to its header."
                )
            unit = options.units.get(name) or _unit_of(hdu.header)
            values[name] = _in_property(plane, name, unit, wcs, distance_mpc, f"{path}[{place}]")
    shapes = {plane.shape for plane in values.values()}
    if len(shapes) > 1 or wcs is None:
        raise InputError(
            f"{path}: its maps have different shapes ({', '.join(map(str, sorted(shapes)))})."
        )
    return PropertyMaps(values, {}, wcs, np.zeros(shapes.pop(), np.int16), {"file": str(path)})


def _unit_of(header: Any) -> str:
    """Unit by a header, logarithms as ``dex(...)``; empty where it says nothing."""
    unit, argument = (str(header.get(key, "")).strip() for key in ("BUNIT", "LOGUNIT"))
    return f"dex({argument})" if argument else unit


def _in_property(
    plane: np.ndarray, name: str, unit: str, wcs: Any, distance_mpc: float | None, label: str
) -> np.ndarray:
    """A plane as values of a property, float32; NaN where it is empty: where it is not finite, or
    nought.
    """
    import astropy.units as u

    prop = PROPERTIES[name]
    wanted = prop.log_unit or prop.unit
    if not unit or unit.lower() == "dex":
        raise InputError(
            f"{label} does not say its unit (BUNIT, LOGUNIT); give it, as in --map-unit "
            f"'{name}=dex({wanted.replace('kpc2', 'pc2')})'."
        )
    found = _LOGARITHM.fullmatch(unit)
    text = found[1] if found else unit
    for spelling, plain in _SPELLINGS:
        text = re.sub(spelling, plain, text)
    area = _PIXELS.search(text)
    per_area = "kpc2" in wanted
    if area:
        text = _PIXELS.sub("kpc2", text)
    try:
        given, whole = u.Unit(text), u.Unit(wanted) * u.kpc**2
        if per_area and (given * u.arcsec**2).is_equivalent(whole):
            factor = (given * u.arcsec**2).to(whole) / _kpc_per_arcsec(distance_mpc, label) ** 2
        elif per_area and given.is_equivalent(whole):  # of a pixel, though it does not say so
            factor = given.to(whole) / _pixel_kpc2(wcs, distance_mpc, label)
        else:
            factor = given.to(u.Unit(wanted)) / (
                _pixel_kpc2(wcs, distance_mpc, label) if area else 1.0
            )
    except (ValueError, TypeError, u.UnitConversionError):
        raise InputError(
            f"{label} is in {unit!r}, which cannot become {name} ({wanted}); correct it with "
            f"--map-unit {name}=UNIT."
        ) from None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        linear = np.where(plane == 0, np.nan, 10.0**plane if found else plane) * factor
        value = np.log10(linear) if prop.log_unit else linear
    return np.where(np.isfinite(value), value, np.nan).astype(np.float32)


def _kpc_per_arcsec(distance_mpc: float | None, label: str) -> float:
    if not distance_mpc:
        raise InputError(
            f"{label} is per spaxel or arcsec2: the galaxy's distance is needed; give it in its "
            "recipe.toml ([galaxy] distance or redshift)."
        )
    return distance_mpc * PC_PER_MPC_ARCSEC / 1e3


def _pixel_kpc2(wcs: Any, distance_mpc: float | None, label: str) -> float:
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(proj_plane_pixel_area(wcs)) * 3600**2 * _kpc_per_arcsec(distance_mpc, label) ** 2


def only_where_seen(maps: PropertyMaps, hidden: np.ndarray) -> PropertyMaps:
    """Maps with nothing where pixels are hidden."""
    return replace(
        maps, values={name: np.where(hidden, np.nan, plane) for name, plane in maps.values.items()}
    )
