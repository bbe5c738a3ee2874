"""Any unit an image may have, as a factor to surface brightness in MJy/sr, and where it is from."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..constants import SR_PER_ARCSEC2, ZERO_AB_JY
from ..exceptions import UnresolvedError
from .registry import Band

SDSS_PIXEL = 0.396
"""Side in arcsec of the pixels of SDSS's camera and frames."""

KNOWN_UNITS = (
    "MJy/sr",
    "Jy/sr",
    "Jy/pix",
    "mJy/pix",
    "uJy/pix",
    "Jy/arcsec2",
    "Jy/beam",
    "mJy/beam",
    "nanomaggy",
    "DN",
    "counts/s",
)
"""The units offered to a person; whatever astropy reads as flux density per pixel, beam or solid
angle works too.
"""

_ZERO_POINT_KEYS = ("MAGZP", "MAGZPT", "MAGZERO", "ZEROPNT", "PHOTZP", "ZP")

_SCALES = (1e-45, 1e12)
"""Least and largest of a unit in SI, with the number in front of it."""

_SPELLINGS = {
    "dn": "DN", "adu": "DN", "count": "DN", "counts": "DN", "ct": "DN", "cts": "DN", "dns": "DN",
    "counts/s": "counts/s", "count/s": "counts/s", "ct/s": "counts/s", "cts/s": "counts/s",
    "cps": "counts/s",
    "counts s-1": "counts/s", "count s-1": "counts/s", "counts/sec": "counts/s", "dn/s": "counts/s",
    "adu/s": "counts/s",
    "photons/s": "counts/s", "electron/s": "counts/s",
    "nanomaggy": "nanomaggy", "nanomaggies": "nanomaggy", "nmgy": "nanomaggy",
    "nmaggy": "nanomaggy",
    "nanomaggie": "nanomaggy", "maggy": "maggy", "maggies": "maggy", "mgy": "maggy",
}  # fmt: skip


def clean_value(value: Any) -> str:
    """A header value as text, without the comment that some archives write inside the value."""
    return re.split(r"\s{2,}/|\s+/\s", str(value).strip())[0].strip()


def canonical_unit(text: str) -> str | None:
    """The unit `text` in the spelling used here (``"Jy/pix"``), or None where it is not understood.

    Understood are counts, count rates, maggies, and any flux density per pixel, per beam or per
    solid angle.
    """
    text = clean_value(text)
    spelled = _SPELLINGS.get(text.lower())
    if spelled:
        return spelled
    import astropy.units as u

    tidy = re.sub(r"\bpixels?\b|\bPIX(EL)?\b", "pix", text)
    tidy = re.sub(r"\bBEAM\b|\bBeam\b", "beam", tidy)
    tidy = re.sub(r"arcsec(ond)?s?(\^2|\*\*2|2)|sq(uare)?[. ]?arcsec|\bsr-arcsec", "arcsec2", tidy)
    tidy = re.sub(r"\bMJY\b|\bMjy\b", "MJy", tidy)
    tidy = re.sub(r"\bJY\b|\bjy\b", "Jy", tidy)
    tidy = re.sub(r"/(SR|ster|steradian)\b", "/sr", tidy)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            unit = u.Unit(tidy)
    except (ValueError, TypeError):
        return None
    if not _SCALES[0] < float(np.real(unit.decompose().scale)) < _SCALES[1]:
        return None
    for per, name in ((u.pix, "pix"), (u.beam, "beam"), (u.sr, "sr")):
        if (unit * per).is_equivalent(u.Jy):
            if name == "sr" and "arcsec" in tidy:
                name = "arcsec2"
            for prefix in ("", "m", "u", "M"):
                plain = u.Unit(f"{prefix}Jy / {name}")
                if unit == plain:
                    return f"{prefix}Jy/{name}"
            # FITS's spelling knows no scale but powers of 10; a slash among spaces would begin a
            # comment.
            return unit.to_string().replace(" / ", "/")
    return None


def magnitude_zero_point(header: Mapping[str, Any]) -> tuple[str, float] | None:
    """The keyword and value of the magnitude of one count in a header, or None."""
    for key in _ZERO_POINT_KEYS:
        if key in header:
            try:
                return key, float(clean_value(header[key]))
            except ValueError:
                continue
    return None


def surface_brightness_factor(
    unit: str,
    band: Band,
    pixel_sr: float,
    header: Mapping[str, Any],
    fwhm: float | None = None,
    label: str = "the image",
) -> tuple[float, str]:
    """The factor from `unit` to MJy/sr, and where it is from in words.

    Parameters
    ----------
    unit : str
        Unit of the pixel values.
    band : Band
        Band of the image; its survey says which zero points hold.
    pixel_sr : float
        Solid angle of a pixel in sr.
    header : mapping
        FITS header: magnitude zero point, beam size.
    fwhm : float, optional
        Of a Gaussian beam in arcsec, for Jy/beam where neither header nor band gives the beam's
        solid angle.
    label : str
        What to call the image in errors.

    Returns
    -------
    factor : float
        MJy/sr per unit.
    note : str
        E.g. ``"DN x 666.7 Jy x 10^(-0.4 x 19.98) (MAGZP, Vega)"``.

    Raises
    ------
    UnresolvedError
        When the unit is not understood, or the zero point that it needs is not known.
    """
    import astropy.units as u

    canonical = canonical_unit(unit)
    if canonical is None:
        raise UnresolvedError(
            f"{label}: the unit {unit!r} is not a surface brightness, a flux per pixel or counts; "
            f"give another one ({', '.join(KNOWN_UNITS)})."
        )
    per_pixel = 1e-6 / pixel_sr  # MJy/sr of 1 Jy in a pixel
    if canonical in ("nanomaggy", "maggy"):
        scale = 1e-9 if canonical == "nanomaggy" else 1.0
        note = f"{canonical} x {ZERO_AB_JY * scale:.4g} Jy (AB)"
        side = float(np.sqrt(pixel_sr / SR_PER_ARCSEC2))
        if band.survey == "SDSS" and abs(side / SDSS_PIXEL - 1) > 0.05:
            # An interpolation keeps values per old pixel (reproject#68), and no header tells of it.
            own = ZERO_AB_JY * scale * 1e-6 / (SDSS_PIXEL**2 * SR_PER_ARCSEC2)
            note += (
                f"; SDSS's pixels are {SDSS_PIXEL} arcsec, these {side:.3g}: if they were "
                "interpolated, values are still per old pixel and "
                f"too low by {(side / SDSS_PIXEL) ** 2:.3g}: then give the unit as '{own:.4g} "
                "MJy/sr'"
            )
        return ZERO_AB_JY * scale * per_pixel, note
    if canonical in ("DN", "counts/s"):
        zero_point = magnitude_zero_point(header)
        if zero_point is not None:
            key, value = zero_point
            flux, system = band.zero_point_jy, band.system
            return flux * 10 ** (
                -0.4 * value
            ) * per_pixel, f"{canonical} x {flux:.4g} Jy x 10^(-0.4 x {value:g}) ({key}, {system})"
        if canonical == "counts/s" and band.count_rate_jy:
            return (
                band.count_rate_jy * per_pixel,
                f"counts/s x {band.count_rate_jy:.4g} Jy ({band.survey} zero point)",
            )
        raise UnresolvedError(
            f"{label}: its {canonical} cannot become a flux without a zero point (MAGZP) in the "
            "header; "
            "add the keyword, or convert the image to Jy/pix."
        )
    parsed = u.Unit(canonical.replace("arcsec2", "arcsec**2"))
    if (parsed * u.pix).is_equivalent(u.Jy):
        return float(
            (parsed * u.pix).to(u.Jy)
        ) * per_pixel, f"{canonical} over the pixel's solid angle"
    if (parsed * u.beam).is_equivalent(u.Jy):
        arcsec2, source = _beam(header, band, fwhm, label)
        factor = float((parsed * u.beam).to(u.Jy)) * 1e-6 / (arcsec2 * SR_PER_ARCSEC2)
        return factor, f"{canonical} over a beam of {arcsec2:.1f} arcsec2 ({source})"
    return float(parsed.to(u.MJy / u.sr)), canonical


def _beam(
    header: Mapping[str, Any], band: Band, fwhm: float | None, label: str
) -> tuple[float, str]:
    """Solid angle of the beam in arcsec2 and where it is from."""
    if "BMAJ" in header:
        major = float(header["BMAJ"]) * 3600
        minor = float(header.get("BMIN", header["BMAJ"])) * 3600
        return np.pi / (4 * np.log(2)) * major * minor, "BMAJ, BMIN"
    if band.beam_arcsec2:
        return band.beam_arcsec2, f"{band.name}'s beam"
    if fwhm:
        return np.pi / (4 * np.log(2)) * fwhm**2, f"a Gaussian of FWHM {fwhm:g} arcsec"
    raise UnresolvedError(
        f"{label}: Jy/beam needs the beam's size (BMAJ and BMIN in degrees) in the header."
    )
