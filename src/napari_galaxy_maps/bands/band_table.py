"""The table of bands, ``bands.ecsv``: what a band is, and the bands that its rows make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..constants import ZERO_AB_JY
from .ecsv_rows import rows_of

TABLE = Path(__file__).with_name("bands.ecsv")
USES = ("input", "truth", "other")
SYSTEMS = ("AB", "Vega")


@dataclass(frozen=True)
class Band:
    """A photometric band; ``docs/bands.md`` names the source of each number.

    Attributes
    ----------
    name : str
        E.g. ``"WISE_3.4"`` (DustPedia's spelling) or ``"PS1_r"``.
    survey : str
        The facility or camera whose images and headers share conventions, e.g. ``"GALEX"``,
        ``"SDSS"``, ``"IRAC"`` or ``"PS1"``.
    pivot : float
        Pivot wavelength in micron.
    fwhm : float
        Full width at half maximum of a typical PSF in arcsec.
    calibration : float
        Calibration uncertainty as a fraction.
    reddening : float
        A_band / E(B-V), E(B-V) as in Schlegel+ 1998; 0 in the far infrared.
    aliases : tuple of str
        Other spellings met in headers, tables and file names.
    vega_jy : float or None
        Flux density in Jy of a source of zero magnitude in the Vega system, where it is known.
    count_rate_jy : float or None
        Flux density in Jy of one count per second, where the survey delivers count rates.
    beam_arcsec2 : float or None
        Solid angle of the beam in arcsec2, by which Jy/beam become surface brightness.
    use : str
        ``"input"``: the models and the library of spectra know it, and predictions start from it;
        ``"truth"``: so do they, and it is where the dust itself is seen; ``"other"``: it is read,
        prepared and measured, and used by a model whose card names it.
    system : str
        ``"AB"`` or ``"Vega"``: that of the magnitudes in which the survey's zero points are.
    epoch : float
        Julian year in the middle of the survey, for images whose headers tell no date.
    curve : str
        The filter curve that its numbers are computed from: ``"sedpy:NAME"`` or
        ``"speclite:NAME"``.
    """

    name: str
    survey: str
    pivot: float
    fwhm: float
    calibration: float
    reddening: float
    aliases: tuple[str, ...] = ()
    vega_jy: float | None = None
    count_rate_jy: float | None = None
    beam_arcsec2: float | None = None
    use: str = "other"
    system: str = "AB"
    epoch: float = 2000.0
    curve: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def zero_point_jy(self) -> float:
        """Flux density in Jy of magnitude 0 in the survey's own system."""
        return self.vega_jy if self.system == "Vega" and self.vega_jy else float(ZERO_AB_JY)


def read_bands(path: Path = TABLE) -> tuple[Band, ...]:
    """The bands of a table, in its order.

    Raises
    ------
    ValueError
        When a row lacks a value or has one that cannot be; the line is named.
    """
    bands = []
    for number, row in rows_of(path):
        try:
            bands.append(_band(row))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from None
    return tuple(bands)


def _band(row: dict[str, str]) -> Band:
    """The band of a row."""
    name, survey = row["name"], row["survey"]
    for column, allowed in (("use", USES), ("system", SYSTEMS)):
        if row[column] not in allowed:
            raise ValueError(f"{column} is {row[column]!r}, not one of {', '.join(allowed)}")
    if not name or not survey:
        raise ValueError("a band needs a name and a survey")
    numbers = {key: float(row[key]) for key in ("pivot", "fwhm", "calibration", "epoch")}
    for key, value in numbers.items():
        if not 0 < value < 1e4:
            raise ValueError(f"{key} is {row[key]}, which cannot be")
    if row["system"] == "Vega" and not row["vega_jy"]:
        raise ValueError("magnitudes in the Vega system need vega_jy")
    reddening = float(row["reddening"])
    if not 0 <= reddening < 20:
        raise ValueError(f"reddening is {row['reddening']}, which cannot be")
    zero_point = _or_none(row["count_rate_mag"])
    return Band(
        name,
        survey,
        numbers["pivot"],
        numbers["fwhm"],
        numbers["calibration"],
        reddening,
        tuple(filter(None, row["aliases"].split(";"))),
        _or_none(row["vega_jy"]),
        None if zero_point is None else float(ZERO_AB_JY * 10 ** (-0.4 * zero_point)),
        _or_none(row["beam_arcsec2"]),
        row["use"],
        row["system"],
        numbers["epoch"],
        row["curve"],
    )


def _or_none(text: str) -> float | None:
    return float(text) if text else None
