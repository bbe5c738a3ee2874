"""Reads PICASSO's files (Buck & Wolf 2021): zarr arrays ``K/ID/img`` and ``K/ID/gt`` of simulated
galaxies without noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...bands.registry import get_band
from ...bands.units import surface_brightness_factor
from ...constants import PC_PER_MPC_ARCSEC
from ...cosmology import redshift_at_distance
from ...exceptions import InputError
from ...measure.compare.stellar_scores import EMPTY_LOG
from ...models.stellar_unet.inputs import UGRIZ
from .read_own_pairs import Pair, scaled, table_row
from .read_own_truth import STARS

ORDER = (
    "LOG_SIGMA_ZGAS", "LOG_SIGMA_GAS", "LOG_SIGMA_HI", "LOG_SIGMA_SFR", "LOG_SIGMA_ZSTAR",
    "AGE_STAR", "LOG_SIGMA_STAR",
)  # fmt: skip
"""What the planes of ``gt`` are: log10 of value + `TRUTH_FLOOR`, per pixel (Msun, Msun/yr; ages in
Gyr).
"""
IMAGE_FLOOR, TRUTH_FLOOR = 1e-4, 1e-14
AGE_UNITS = {"Gyr": 1.0, "Myr": 1e-3, "yr": 1e-9}


@dataclass(frozen=True)
class Scale:
    """What the arrays do not say.

    Attributes
    ----------
    pixel_arcsec, pixel_kpc : float
        Side of a pixel.
    unit : str
        Of the images, e.g. ``"nanomaggy"`` (per pixel) or ``"MJy/sr"``.
    age_unit : str
        One of `AGE_UNITS`.
    """

    pixel_arcsec: float
    pixel_kpc: float
    unit: str
    age_unit: str = "Gyr"

    @property
    def distance_mpc(self) -> float:
        """At which a pixel has both sides."""
        return self.pixel_kpc * 1e3 / (self.pixel_arcsec * PC_PER_MPC_ARCSEC)


def make_scale(
    pixel_arcsec: float | None,
    pixel_kpc: float | None,
    distance_mpc: float | None,
    unit: str | None,
    age_unit: str,
) -> Scale:
    """The scale that options give.

    Raises
    ------
    InputError
        When it takes more of them.
    """
    given = [pixel_arcsec, pixel_kpc, distance_mpc]
    if (
        sum(value is not None for value in given) < 2
        or unit is None
        or any(v is not None and not v > 0 for v in given)
    ):
        raise InputError(
            "Zarr arrays do not say their scale: give --unit, and two of --pixel-arcsec, "
            "--pixel-kpc and --distance (Mpc), all positive."
        )
    if pixel_arcsec is None:
        pixel_arcsec = float(pixel_kpc or 0) * 1e3 / (float(distance_mpc or 0) * PC_PER_MPC_ARCSEC)
    elif pixel_kpc is None:
        pixel_kpc = pixel_arcsec * float(distance_mpc or 0) * PC_PER_MPC_ARCSEC / 1e3
    return Scale(pixel_arcsec, float(pixel_kpc or 0), unit, age_unit)


def find_arrays(folder: Path) -> list[Path]:
    """Folders that hold ``img`` and ``gt``, in order; none where the folder is of another kind.

    Raises
    ------
    InputError
        When an image has no truth.
    """
    found = sorted(path.parent.parent for path in folder.rglob("img/.zarray"))
    for path in found:
        if not (path / "gt" / ".zarray").is_file():
            raise InputError(
                f"{path} has an image (img) but no truth (gt); add it or leave the galaxy out."
            )
    return found


def read_array_pair(path: Path, scale: Scale, number: int, root: Path) -> Pair:
    """A galaxy of PICASSO's, as surface brightness and surface densities.

    Parameters
    ----------
    path : Path
        Folder of ``img`` and ``gt``.
    scale : Scale
    number : int
        Kept in the table's column ``seed``.
    root : Path
        The galaxy is named by its path from here.

    Raises
    ------
    InputError
        When an array is damaged or has another shape.
    """
    img, gt = _array(path / "img", 5), _array(path / "gt", len(ORDER))
    if img.shape[1:] != gt.shape[1:]:
        raise InputError(
            f"{path}: image and truth have different shapes ({img.shape[1:]}, {gt.shape[1:]})."
        )
    pixel_sr = (scale.pixel_arcsec / 3600 * np.pi / 180) ** 2
    flux = np.exp(img.astype(np.float64)) - IMAGE_FLOOR
    factors = [
        surface_brightness_factor(scale.unit, get_band(b), pixel_sr, label=str(path))[0]
        for b in UGRIZ
    ]
    images = (flux * np.array(factors)[:, None, None]).astype(np.float32)
    values = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, plane in zip(ORDER, gt.astype(np.float64), strict=True):
            value = np.where(plane > EMPTY_LOG, 10.0**plane - TRUTH_FLOOR, np.nan)
            values[name] = (
                value * AGE_UNITS[scale.age_unit]
                if name == "AGE_STAR"
                else np.log10(value / scale.pixel_kpc**2)
            )
    if not np.isfinite(values[STARS]).any():
        raise InputError(f"{path}: its map of stellar mass is empty; leave the galaxy out.")
    row = table_row(
        number,
        values[STARS],
        scale.pixel_arcsec,
        scale.pixel_kpc,
        scale.distance_mpc,
        redshift_at_distance(scale.distance_mpc),
        fwhm_pixels=0.0,
    )
    return Pair(str(path.relative_to(root)), images, None, scaled(values), row)


def _array(path: Path, planes: int) -> np.ndarray:
    try:
        import zarr
    except ImportError:
        raise InputError(
            "Zarr arrays are read with zarr, which is missing: pip install "
            "'napari-galaxy-maps[training]'."
        ) from None
    try:
        opened: Any = zarr.open(str(path), mode="r")
        array = np.asarray(opened[:])
    except Exception as error:  # zarr's and its codecs' errors have no common base
        raise InputError(
            f"{path} is no zarr array that can be read ({str(error)[:120]})."
        ) from None
    if array.ndim != 3 or array.shape[0] != planes:
        raise InputError(f"{path} has the shape {array.shape}, not ({planes}, ny, nx).")
    return array
