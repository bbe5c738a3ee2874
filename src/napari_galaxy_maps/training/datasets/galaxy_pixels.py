"""Pixels of galaxies with their truth: what a pixel model is trained and scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...exceptions import InputError
from ...fits_io.safe_writing import written_whole
from ...models.dust_forest.uncertainty import QUANTITIES


@dataclass(frozen=True)
class GalaxyPixels:
    """n pixels of m galaxies.

    Attributes
    ----------
    bands : tuple of str
    values, errors : ndarray of float32, shape (n_bands, n)
        Surface brightness as observed and its 1-sigma error (calibration included), MJy/sr; NaN
        where a pixel has none.
    truth : ndarray of float32, shape (n, 7)
        `models.dust_forest.uncertainty.QUANTITIES`, with Salpeter's initial mass function and
        THEMIS's dust; NaN where there is no truth.
    scale_pc : ndarray of float32, shape (n,)
        Side of the pixel.
    radius : ndarray of float32, shape (n,)
        Distance from the centre in the galaxy's plane, in semi-major axes of D25.
    galaxy : ndarray of int32, shape (n,)
        Number of the galaxy, 0 to m - 1.
    kinds : tuple of str
        What each of the m galaxies is.
    """

    bands: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    truth: np.ndarray
    scale_pc: np.ndarray
    radius: np.ndarray
    galaxy: np.ndarray
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.galaxy)

    def select(self, keep: np.ndarray) -> GalaxyPixels:
        """The pixels `keep` (bool or indices along n); the galaxies keep their numbers."""
        rows: dict[str, Any] = {
            f: getattr(self, f)[(slice(None), keep) if f in _BY_BAND else keep] for f in _ROWS
        }
        return replace(self, **rows)


_ROWS = tuple(f.name for f in fields(GalaxyPixels) if f.name not in ("bands", "kinds"))
_BY_BAND = ("values", "errors")


def no_pixels(bands: tuple[str, ...], kind: str) -> GalaxyPixels:
    """A galaxy of which there is no pixel."""
    none, of_bands = np.empty(0, np.float32), np.empty((len(bands), 0), np.float32)
    truth = np.empty((0, len(QUANTITIES)), np.float32)
    return GalaxyPixels(
        bands, of_bands, of_bands, truth, none, none, np.empty(0, np.int32), (kind,)
    )


def joined(parts: Sequence[GalaxyPixels], one_galaxy: bool = False) -> GalaxyPixels:
    """Sets behind one another, in the bands of the first.

    Parameters
    ----------
    parts : sequence of GalaxyPixels
    one_galaxy : bool
        Whether all are of one galaxy; else those of each set get numbers of their own.
    """
    first = parts[0]
    rows: dict[str, Any] = {
        f: np.concatenate([getattr(p, f) for p in parts], axis=1 if f in _BY_BAND else 0)
        for f in _ROWS
    }
    if one_galaxy:
        return replace(first, **rows)
    starts = np.cumsum([0, *(len(p.kinds) for p in parts)])
    numbers = [p.galaxy + start for p, start in zip(parts, starts[:-1], strict=True)]
    rows["galaxy"] = np.concatenate(numbers).astype(np.int32)
    return replace(first, **rows, kinds=tuple(kind for p in parts for kind in p.kinds))


def write_pixels(pixels: GalaxyPixels, path: str | Path, overwrite: bool = False) -> None:
    """Write a set to an npz file without pickles.

    Raises
    ------
    InputError
        When the file is there and may not be replaced, or cannot be written.
    """
    arrays: dict[str, Any] = {f.name: np.asarray(getattr(pixels, f.name)) for f in fields(pixels)}
    with written_whole(path, overwrite=overwrite) as beside, beside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_pixels(path: str | Path) -> GalaxyPixels:
    """Read what `write_pixels` wrote.

    Raises
    ------
    InputError
        When the file is not there, or holds no such set.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found: dict[str, Any] = {f.name: arrays[f.name] for f in fields(GalaxyPixels)}
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} holds no pixels of galaxies ({error}).") from None
    for name in ("bands", "kinds"):
        found[name] = tuple(str(word) for word in found[name])
    made = GalaxyPixels(**found)
    _check_shapes(made, path)
    return made


def _check_shapes(pixels: GalaxyPixels, path: str | Path) -> None:
    n, n_bands = len(pixels.scale_pc), len(pixels.bands)
    wanted = {f: (n_bands, n) if f in _BY_BAND else (n,) for f in _ROWS}
    wanted["truth"] = (n, len(QUANTITIES))
    wrong = [f for f in _ROWS if getattr(pixels, f).shape != wanted[f]]
    if wrong:
        raise InputError(f"{path}: {', '.join(wrong)} have not the shapes that {n} pixels have.")
    if n and not 0 <= pixels.galaxy.min() <= pixels.galaxy.max() < len(pixels.kinds):
        raise InputError(f"{path}: some pixels are of galaxies that have no kind.")
