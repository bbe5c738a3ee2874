"""Reads the published tables of the DustPedia galaxies: photometry, distances, and CIGALE's fits.

Fluxes as collected for CIGALE by Dobbels+ 2020 (FIREnet) and CIGALE's fits of them, apertures of
Clark+ 2018, distances of HyperLEDA as chosen by DustPedia, dust and stars from the CIGALE + THEMIS
fits with the far infrared of Nersesian+ 2019 (N19).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...bands.registry import FIR_BANDS
from ...exceptions import InputError

Table = dict[str, dict[str, str]]
"""Cells as text by column, by galaxy."""

CIGALE_BANDS: dict[str, str] = {
    "GALEX_FUV": "FUV", "GALEX_NUV": "NUV", "SDSS_u": "u_prime", "SDSS_g": "g_prime",
    "SDSS_r": "r_prime", "SDSS_i": "i_prime", "SDSS_z": "z_prime",
    "2MASS_J": "J_2mass", "2MASS_H": "H_2mass", "2MASS_Ks": "Ks_2mass",
    "WISE_3.4": "WISE1", "WISE_4.6": "WISE2", "WISE_12": "WISE3", "WISE_22": "WISE4",
    "Spitzer_3.6": "IRAC1", "Spitzer_4.5": "IRAC2", "Spitzer_5.8": "IRAC3", "Spitzer_8.0": "IRAC4",
    "Spitzer_24": "MIPS1", "Spitzer_70": "MIPS2",
    "PACS_70": "PACS_blue", "PACS_100": "PACS_green", "PACS_160": "PACS_red",
    "SPIRE_250": "PSW_HIPE", "SPIRE_350": "PMW_HIPE", "SPIRE_500": "PLW_HIPE",
}  # fmt: skip
"""What CIGALE's tables call each band."""
HERSCHEL_BANDS = tuple(band for band in FIR_BANDS if not band.startswith("Spitzer"))
N19_COLUMNS = {
    "Ldust": "Ldust__Lsol", "Mdust": "Mdust__Msol", "Tdust": "Tdust__K", "Mstar": "Mstar__Msol",
    "Lbolo": "Lbolo__Lsol", "SFR": "SFR__Msol_per_yr", "A_FUV": "Afuv",
}  # fmt: skip
"""By quantity; its error is in the column of the name before the unit with ``_err``."""


@dataclass(frozen=True)
class DustPediaTables:
    """The tables in a folder, each read when it is first asked for.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @cached_property
    def fluxes(self) -> Table:
        """Observed, from the ultraviolet to the far infrared, mJy."""
        return read_table(self.folder / "firenet_cigale_full" / "dustpedia_fluxes_full.mag", " ")

    @cached_property
    def fit(self) -> Table:
        """CIGALE's fit of `fluxes`."""
        return read_table(self.folder / "firenet_cigale_full" / "results.txt", " ")

    @cached_property
    def short_fluxes(self) -> Table:
        """Observed, up to 22 micron alone, mJy."""
        return read_table(self.folder / "firenet_cigale_short" / "dustpedia_fluxes_short.mag", " ")

    @cached_property
    def short_fit(self) -> Table:
        """CIGALE's fit of `short_fluxes`."""
        return read_table(self.folder / "firenet_cigale_short" / "results.txt", " ")

    @cached_property
    def n19(self) -> Table:
        """Dust and stars of Nersesian+ 2019 (`N19_COLUMNS`)."""
        return read_table(self.folder / "dustpedia_cigale_results_final_version.csv", ",")

    @cached_property
    def apertures(self) -> Table:
        """Of Clark+ 2018."""
        return read_table(self.folder / "DustPedia_Aperture_Photometry_2.2.csv", ",")

    @cached_property
    def distances(self) -> Table:
        """Mpc."""
        return read_table(self.folder / "DustPedia_HyperLEDA_Herschel.csv", ",")

    def column(
        self, table: Table, key: str, names: Sequence[str], gaps: bool = False
    ) -> np.ndarray:
        """Numbers of some galaxies, NaN where a cell is empty.

        Parameters
        ----------
        table : Table
        key : str
            The column.
        names : sequence of str
            The galaxies.
        gaps : bool
            Whether a galaxy may be missing from the table; it has NaN.

        Raises
        ------
        InputError
            When the table has no such column, or lacks a galaxy.
        """
        try:
            return np.array(
                [
                    np.nan if gaps and name not in table else number(table[name][key])
                    for name in names
                ]
            )
        except KeyError as missing:
            raise InputError(
                f"The DustPedia tables in {self.folder} lack {missing}; get them again."
            ) from None

    def columns_of_bands(
        self, table: Table, pattern: str, names: Sequence[str], bands: Sequence[str]
    ) -> np.ndarray:
        """The columns of some bands, CIGALE's names put into `pattern`, shape (n_bands, n)."""
        return np.array(
            [self.column(table, pattern.format(CIGALE_BANDS[band]), names) for band in bands]
        )

    def n19_column(
        self, quantity: str, names: Sequence[str], gaps: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """A quantity of `N19_COLUMNS` and its error."""
        key = N19_COLUMNS[quantity]
        error = key.partition("__")[0] + "_err"
        return self.column(self.n19, key, names, gaps), self.column(self.n19, error, names, gaps)

    def aperture_arcsec(self, names: Sequence[str]) -> np.ndarray:
        """Root of the area of galaxies' apertures in arcsec, shape (n,)."""
        major = self.column(self.apertures, "semimaj_arcsec", names)
        ratio = self.column(self.apertures, "axial_ratio", names)  # a/b in this table
        return np.asarray(np.sqrt(np.pi * major**2 / ratio))

    def herschel_detections(self, names: Sequence[str]) -> np.ndarray:
        """In how many bands of PACS and SPIRE galaxies are above 3 sigma, shape (n,)."""
        flux, error = (
            self.columns_of_bands(self.fluxes, pattern, names, HERSCHEL_BANDS)
            for pattern in ("{}", "{}_err")
        )
        with np.errstate(invalid="ignore"):
            return np.asarray((flux > 3 * error).sum(0))


def read_table(path: Path, delimiter: str) -> Table:
    """Rows by their first column. Two delimiters in a row mean an empty cell.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream, delimiter=delimiter))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the folder with the DustPedia tables."
        ) from None
    return {row[0]: dict(zip(rows[0], row, strict=False)) for row in rows[1:] if row}


def number(text: str) -> float:
    """A number, or NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
