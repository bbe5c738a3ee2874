"""The Milky Way's dust in front of the galaxy: its reddening, from a number, a map or an archive,
and its removal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.galaxy import BandImage, Ellipse
from ..data.ranges import EBV
from ..data.recipe import ReddeningSettings
from ..exceptions import InputError

_HEADER_KEYS = ("EBV", "E(B-V)", "E_B-V", "EBMV", "EBV_SFD", "MW_EBV")
NOT_KNOWN = "E(B-V) is not known: no reddening removed; give it, or a map"
_FEWEST_SAMPLES = 24  # along the side of the field on which a map is looked up


@dataclass(frozen=True)
class Reddening:
    """The reddening of a galaxy by the Milky Way.

    Attributes
    ----------
    ebv : float
        E(B-V) in mag, on the scale of Schlegel+ 1998: the mean over the field.
    scatter : float
        Its standard deviation over the field.
    source : str
        Where it is from, in words.
    """

    ebv: float
    scatter: float
    source: str


def find_reddening(
    settings: ReddeningSettings, images: dict[str, BandImage], field: Ellipse
) -> Reddening | None:
    """The reddening that the settings ask for: their number, else their map, else what a header
    says.

    Parameters
    ----------
    settings : ReddeningSettings
        ``ebv``, ``map`` (a FITS file, or the name of a map of the package dustmaps).
    images : dict of str to BandImage
        Their headers are looked at last.
    field : Ellipse
        The galaxy; a map is averaged over it.

    Returns
    -------
    Reddening or None
        None where nothing tells it.

    Raises
    ------
    InputError
        When a map cannot be read, does not cover the galaxy, or the package dustmaps or its data
        are missing.
    RecipeError
        When the reddening of a header is out of range.
    """
    if settings.ebv is not None:
        return Reddening(settings.ebv, 0.0, "given")
    if settings.map:
        if is_file_of_map(settings.map):
            return from_map(Path(settings.map).expanduser(), field)
        return from_dustmaps(settings.map, field)
    told = told_by_header(images)
    if told is not None:
        EBV.check(told.ebv, told.source)
    return told


def told_by_header(images: Mapping[str, BandImage]) -> Reddening | None:
    """What the first header that tells E(B-V) says; None where none does."""
    for image in images.values():
        for key in _HEADER_KEYS:
            if image.header is not None and key in image.header:
                try:
                    ebv = float(image.header[key])
                except (TypeError, ValueError):
                    continue
                return Reddening(ebv, 0.0, f"{key} in the header of {image.band}")
    return None


def is_file_of_map(text: str) -> bool:
    """Whether a map of E(B-V) is given as a file, rather than by the name of one of dustmaps."""
    path = Path(text).expanduser()
    of_fits = path.suffix.lower() in (".fits", ".fit", ".gz", ".fz", ".bz2")
    return bool(text) and (of_fits or len(path.parts) > 1 or path.exists())


def _positions(field: Ellipse) -> tuple[np.ndarray, np.ndarray]:
    """RA and Dec (degrees) of points that fill the ellipse, its centre among them."""
    steps = np.linspace(-1, 1, _FEWEST_SAMPLES + 1)
    u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
    inside = np.hypot(u, v) <= 1
    major, minor = u[inside] * field.a / 3600, v[inside] * field.b / 3600
    sin, cos = np.sin(np.radians(field.pa)), np.cos(np.radians(field.pa))
    dec = field.dec + major * cos - minor * sin
    ra = field.ra + (major * sin + minor * cos) / np.cos(np.radians(field.dec))
    return ra, dec


def from_map(path: Path, field: Ellipse) -> Reddening:
    """Mean and scatter of a map of E(B-V), interpolated linearly, over a galaxy.

    Raises
    ------
    InputError
        When the file holds no map with sky coordinates, or the map does not cover the galaxy.
    """
    from astropy.coordinates import SkyCoord

    from ..fits_io.open_fits import BROKEN, opened
    from ..fits_io.sky_coordinates import image_wcs

    with opened(path) as hdus:
        for hdu in hdus:
            if getattr(hdu, "is_image", False) and len(hdu.shape) == 2:
                wcs = image_wcs(hdu.header, hdu.shape)
                if wcs is None:
                    continue
                x, y = wcs.world_to_pixel(SkyCoord(*_positions(field), unit="deg"))
                ny, nx = hdu.shape
                covered = (x >= 0) & (y >= 0) & (x <= nx - 1) & (y <= ny - 1)
                try:
                    found = _interpolated(hdu, x, y, covered)
                except BROKEN:
                    raise InputError(f"{path} is damaged; fetch the reddening map again.") from None
                break
        else:
            raise InputError(
                f"{path} holds no reddening map: a 2-D image of E(B-V) with sky coordinates is "
                "needed."
            )
    if not covered.all() or not np.isfinite(found).all():
        share = float((covered & np.isfinite(found)).mean())
        raise InputError(
            f"The reddening map {path.name} covers {share:.0%} of the galaxy (RA {field.ra:.4f}, "
            f"Dec {field.dec:.4f}); "
            "use another map, or give E(B-V) as a number.",
            "reddening.map",
            "reddening.ebv",
        )
    if not -0.1 < found.mean() < 20:
        raise InputError(
            f"The reddening map {path.name} has a mean of {found.mean():.3g} there, which is no "
            "E(B-V) in mag."
        )
    return Reddening(float(found.mean()), float(found.std()), f"map {path.name}")


def _interpolated(hdu: Any, x: np.ndarray, y: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """A map at pixel positions, NaN where these are not covered; only the part of it that they lie
    in is read, for a map may be of all the sky.
    """
    from scipy.ndimage import map_coordinates

    found = np.full(x.shape, np.nan)
    if covered.any():
        x, y = x[covered], y[covered]
        left, low = int(x.min()), int(y.min())
        part = hdu.section[low : int(y.max()) + 2, left : int(x.max()) + 2]
        found[covered] = map_coordinates(
            np.asarray(part, float), [y - low, x - left], order=1, mode="nearest"
        )
    return found


def from_dustmaps(name: str, field: Ellipse) -> Reddening:
    """Mean and scatter over a galaxy of a map of the package `dustmaps`, e.g. ``"sfd"`` or
    ``"planck"``.

    Raises
    ------
    InputError
        When the package, the map or its data are missing.
    """
    try:
        import dustmaps.map_base  # noqa: F401
    except ImportError:
        raise InputError(
            f"{name!r} is no FITS file, and maps by name need the package dustmaps (pip install "
            "'napari-galaxy-maps[dustmaps]'); give a file, "
            "or E(B-V) as a number.",
            "reddening.map",
            "reddening.ebv",
        ) from None
    import importlib

    from astropy.coordinates import SkyCoord

    try:
        module = importlib.import_module(f"dustmaps.{name.lower()}")
        query = getattr(module, f"{name.upper()}Query", None) or getattr(
            module, f"{name.capitalize()}Query"
        )
        found = np.asarray(query()(SkyCoord(*_positions(field), unit="deg")), float)
    except (ImportError, AttributeError):
        raise InputError(
            f"dustmaps has no map called {name!r}; 'sfd' and 'planck' are two of those it has."
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"dustmaps' map {name!r} cannot be used ({error}); fetch it first, as its manual says."
        ) from None
    return Reddening(float(np.nanmean(found)), float(np.nanstd(found)), f"dustmaps {name}")


def deredden(image: BandImage, reddening: Reddening) -> BandImage:
    """The image as it would be without the Milky Way's dust.

    The brightness grows by 10^(0.4 R E(B-V)), with R of the band (Schlafly & Finkbeiner 2011; see
    `bands`); ``meta["reddening_error"]`` is the relative error that the scatter of E(B-V) over the
    field brings.
    """
    absorption = image.band.reddening * reddening.ebv
    if absorption == 0:
        return image.evolve("Milky Way reddening: none in this band")
    factor = np.float32(10 ** (0.4 * absorption))
    relative = 0.4 * np.log(10) * image.band.reddening * reddening.scatter
    return image.evolve(
        f"Milky Way absorption of {absorption:.3f} mag removed, E(B-V) = {reddening.ebv:.4f} "
        f"({reddening.source})",
        data=image.data * factor,
        uncertainty=None if image.uncertainty is None else image.uncertainty * factor,
        meta={"ebv": reddening.ebv, "reddening_error": relative, "reddening_factor": float(factor)},
    )
