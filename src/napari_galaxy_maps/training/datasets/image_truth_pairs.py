"""Pairs of images and true maps that a network is trained on, as arrays on disk that are read in
place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...exceptions import InputError

TABLE = (
    "seed", "log_mass", "log_sfr", "inclination", "r_e", "bulge", "early", "redshift",
    "distance_mpc", "pixel_arcsec", "pixel_kpc", "fwhm_pixels",
)  # fmt: skip
"""Columns that are kept of every mock."""


@dataclass(frozen=True)
class Pairs:
    """Galaxies of one image size.

    Attributes
    ----------
    images : ndarray of float32, shape (n, 5, size, size)
        Surface brightness in ugriz, MJy/sr, NaN where missing; of mocks without noise. May be a
        memory map.
    truth : ndarray of float16, shape (n, 7, size, size)
        `STELLAR_PROPERTIES` scaled by `Target.scaled`; NaN where empty.
    table : dict of str to ndarray, shape (n,)
        `TABLE`; NaN where not known.
    sigma : ndarray of float32, shape (n, 5, size, size), or None
        1-sigma errors of images that have their noise already; None: training adds a survey's
        noise.
    """

    images: np.ndarray
    truth: np.ndarray
    table: dict[str, np.ndarray]
    sigma: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Pixels along each side."""
        return int(self.images.shape[-1])

    def take(self, rows: np.ndarray | slice) -> Pairs:
        """Some of the galaxies."""
        table = {key: column[rows] for key, column in self.table.items()}
        return Pairs(
            self.images[rows],
            self.truth[rows],
            table,
            None if self.sigma is None else self.sigma[rows],
        )

    @classmethod
    def open(cls, folder: str | Path) -> Pairs:
        """The set in a folder (``images.npy``, ``truth.npy``, ``table.npy``, ``set.json``,
        ``sigma.npy`` where there is one), read in place.

        Raises
        ------
        InputError
            When there is none.
        """
        folder = Path(folder)
        try:
            images = np.load(folder / "images.npy", mmap_mode="r")
            truth = np.load(folder / "truth.npy", mmap_mode="r")
            sigma = (
                np.load(folder / "sigma.npy", mmap_mode="r")
                if (folder / "sigma.npy").exists()
                else None
            )
            columns = np.load(folder / "table.npy")
            names = json.loads((folder / "set.json").read_text(encoding="utf-8"))["columns"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{folder} holds no finished training set ({error}); make it again."
            ) from None
        return cls(images, truth, dict(zip(names, columns.T, strict=True)), sigma)
