"""The Poisson noise of the source, where it is known how many photons or electrons an image's unit
stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from ...bands.registry import find_band
from ...bands.units import canonical_unit, clean_value
from ...data.galaxy import BandImage
from ...data.recipe import ErrorSettings
from ...exceptions import RecipeError

_GAIN_KEYS = ("EGAIN", "GAIN", "CCDGAIN")
_TIME_KEYS = ("EXPTIME", "EXPOSURE", "TEXPTIME")


def check_gains(settings: ErrorSettings, bands: Iterable[str]) -> dict[str, float]:
    """The gains of the settings by band name.

    Raises
    ------
    RecipeError
        When one is given for a band that has no image.
    """
    bands, found = list(bands), {}
    for key, gain in settings.gain.items():
        band = find_band(key)
        if band is None or band.name not in bands:
            raise RecipeError(
                f"A gain is given for {key!r}, which is none of the bands ({', '.join(bands)}); "
                "correct it."
            )
        found[band.name] = gain
    return found


def header_gain(image: BandImage) -> tuple[float, str] | None:
    """Electrons (or detected photons) per unit of the image as its header tells them, and how, or
    None.

    A header's gain belongs to counts. It is used where the image is in counts, and with the
    exposure time where it is in counts per second; an image in nanomaggies, Jy or MJy/sr may have
    been scaled and co-added in any way.
    """
    header: Mapping[str, object] = image.header if image.header is not None else {}
    unit = canonical_unit(image.unit)
    if unit not in ("DN", "counts/s"):
        return None
    if re.search(r"electron|photon|\be-", image.unit, re.IGNORECASE) or (
        image.band.survey == "GALEX"
    ):
        gain, words = 1.0, "counts are photons"
    else:
        key = next((key for key in _GAIN_KEYS if _positive(header.get(key))), "")
        if not key:
            return None
        gain, words = _positive(header[key]), key
    if unit == "counts/s":
        key = next((key for key in _TIME_KEYS if _positive(header.get(key))), "")
        if not key:
            return None
        gain, words = gain * _positive(header[key]), f"{words}, {key}"
    return gain, words


def _positive(value: object) -> float:
    """The number of a header's value where it is a positive one, else 0."""
    try:
        number = float(clean_value(value))
    except ValueError:
        return 0.0
    return number if np.isfinite(number) and number > 0 else 0.0


def with_poisson(image: BandImage, given: float | None = None) -> BandImage:
    """The image with an uncertainty image that knows of the photons of the source.

    The variance of a pixel is that of the sky, which is measured, and the source's brightness over
    the gain. What comes after takes its shape from it, and its level from the background as it is
    on the grid.

    Parameters
    ----------
    image : BandImage
        On its own pixels, its sky subtracted. One with an uncertainty image is returned as it is:
        that holds the Poisson noise already.
    given : float, optional
        Electrons (or detected photons) per unit of the image as it was read; else a header may
        tell.
    """
    if image.uncertainty is not None:
        return (
            image.evolve("gain not used: its uncertainty image holds the Poisson noise")
            if given
            else image
        )
    gain = (given, "given") if given else header_gain(image)
    if gain is None:
        return image
    electrons, source = gain
    factor, reddening = image.meta.get("factor", 1.0), image.meta.get("reddening_factor", 1.0)
    variance_per_light = factor / electrons * reddening  # MJy/sr of variance per MJy/sr of light
    light, rms = image.data, image.meta.get("sky_rms", np.nan) * reddening
    if not rms > 0:  # the sky was left alone, or it shows too few photons for an rms
        from astropy.stats import sigma_clipped_stats

        _, level, rms = sigma_clipped_stats(image.data[np.isfinite(image.data)], sigma=3)
        light = light if "sky" in image.meta else light - np.float32(level)
    sky = max(rms**2, image.meta.get("sky", 0.0) * variance_per_light * reddening)
    variance = np.maximum(sky + light * np.float32(variance_per_light), 0)
    words = f"{electrons:.4g} electrons per {image.unit} ({source})"
    return image.evolve(
        f"Poisson noise with {words}",
        uncertainty=np.sqrt(variance, dtype=np.float32),
        meta={"poisson": words},
    )
