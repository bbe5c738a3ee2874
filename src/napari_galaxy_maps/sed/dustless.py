"""The light without dust of many pixels: models drawn as often as they are likely say by how much
each band was dimmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np

from ..bands.registry import get_band
from ..constants import SPEED_OF_LIGHT_MICRON_S
from ..progress import Steps
from .compose import DIMMED
from .fit import BAD_FIT, FitFlag, in_batches_steps
from .library import Library
from .likelihood import (
    LEAST_MODELS,
    MIN_BANDS,
    Matrices,
    Observed,
    batch,
    light_of_data,
    matrices,
    observed,
    scale_and_chi2,
    weights,
)

DRAWS: Final = 300
"""Models drawn for a pixel; percentiles of so many, drawn at even steps of their weight, are good
to a few hundredths of their distance."""
LEVELS: Final = (16.0, 50.0, 84.0)
MAGNITUDES: Final = ("A_FUV", "A_V")
LIGHTS: Final = ("FUV", "V")
"""nu L_nu without dust, Lsun (per kpc2)."""
_BLOCK = 16


@dataclass(frozen=True, eq=False)
class DustlessFit:
    """What the models say of each pixel's dust: 16th, 50th and 84th percentiles.

    Attributes
    ----------
    bands : tuple of str
        Of `compose.DIMMED`, those of the library.
    light : ndarray, float32, shape (3, n_bands, n_pixels)
        Without dust, in the unit of the data. NaN where nothing was fitted.
    dimmed : ndarray, float32, shape (3, n_bands, n_pixels)
        Attenuation in mag.
    properties : dict of ndarray, float32, shape (3, n_pixels)
        `MAGNITUDES` in mag, `LIGHTS` in Lsun (per kpc2 of surface brightness).
    chi2 : ndarray, float32, shape (n_pixels,)
        Of the best model, over the number of measured bands less one.
    flags : ndarray of uint8, shape (n_pixels,)
        Of `fit.FitFlag`.
    """

    bands: tuple[str, ...]
    light: np.ndarray
    dimmed: np.ndarray
    properties: dict[str, np.ndarray]
    chi2: np.ndarray
    flags: np.ndarray


def dustless_steps(
    data: np.ndarray, uncertainty: np.ndarray, bands: Sequence[str], library: Library,
    device: str = "auto", distance_mpc: float | None = None,
    extra_error: float | None = None, least_models: float = LEAST_MODELS,
) -> Steps[DustlessFit]:  # fmt: skip
    """Fit a library to pixels, and take the dust away.

    Each model drawn says how much light its dust lets through in a band. What it is divided by is
    the light that was measured, as far as its error is less than what models are off by
    (`extra_error`), and the model's where it is not: (g F + (1 - g) m) / through, with
    g = (e m)^2 / ((e m)^2 + sigma^2). So noise is not printed into faint
    pixels, and bright ones keep every structure of the image. That noise moves the attenuation,
    too, is in the draws: they are weighted by the same fluxes.

    Parameters
    ----------
    data, uncertainty, bands, library, device, distance_mpc, extra_error, least_models
        As of `fit.fit_steps`.

    Yields
    ------
    Progress
        After every batch of pixels.

    Returns
    -------
    DustlessFit

    Raises
    ------
    InputError
        When the data cannot be fitted at all (`likelihood.observed`).
    ModelError
        When there is no such device.
    """
    from ..device import resolve_device

    extra = library.settings.extra_error if extra_error is None else extra_error
    seen = observed(data, uncertainty, bands, extra)
    ready = matrices(library, seen.bands, resolve_device(device))
    drawing = _Drawing(
        library, seen, light_of_data(library.redshift, distance_mpc), extra, least_models
    )
    add = partial(drawing.add, ready=ready)
    yield from in_batches_steps(add, seen, len(library), ready.device)
    return drawing.result()


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    """Normal deviates of the scale and of each band, the same every time, (DRAWS, 1 + n_dimmed)."""
    return np.random.default_rng(0).normal(size=(DRAWS, 1 + len(DIMMED)))


class _Drawing:
    """The result, pixel by pixel."""

    def __init__(
        self, library: Library, seen: Observed, factor: float, extra: float, least_models: float
    ):
        self.library, self.seen, self.factor, self.extra = library, seen, factor, extra
        self.least_models = least_models
        self.double: Matrices | None = None
        self.places = [k for k, band in enumerate(DIMMED) if band in library.bands]
        self.bands = tuple(DIMMED[k] for k in self.places)
        self.bare = library.bare[:, self.places]
        self.passed = library.light[:, library.columns(self.bands)] / self.bare
        # The band FUV before attenuation is there whether or not the library was asked for it.
        at_fuv = DIMMED.index("GALEX_FUV")
        rest = get_band("GALEX_FUV").pivot / (1 + library.redshift)
        self.fuv = library.bare[:, at_fuv] * (SPEED_OF_LIGHT_MICRON_S / rest)
        n, n_pixels = len(self.bands), seen.value.shape[1]
        n_columns = 2 * n + len(MAGNITUDES) + len(LIGHTS)
        self.found = np.full((len(LEVELS), n_columns, n_pixels), np.nan, np.float32)
        self.chi2 = np.full(n_pixels, np.nan, np.float32)
        self.flags = np.where(seen.n_measured < MIN_BANDS, FitFlag.TOO_FEW, 0).astype(np.uint8)

    def add(self, pixels: np.ndarray, double: bool, ready: Matrices) -> np.ndarray:
        """Fit some pixels, and return them."""
        import torch

        dtype = torch.float64 if double else torch.float32
        tensors = ready
        if double:
            tensors = self.double = self.double or ready.to(dtype)
        with torch.inference_mode():
            value, weight, limits, size = batch(self.seen, pixels, tensors, self.factor, dtype)
            scale, chi2, curvature = scale_and_chi2(tensors, value, weight, limits)
            least, best = chi2.min(1, keepdim=True)
            top = scale.gather(1, best)[:, 0].double().cpu().numpy()
            likely = weights(chi2.sub_(least), self.least_models)
            cumulative = torch.cumsum(likely, 1, dtype=_widest(ready.device))
            steps = (torch.arange(DRAWS, device=cumulative.device) + 0.5) / DRAWS
            places = steps.to(cumulative.dtype)[None] * cumulative[:, -1:]
            rows = torch.searchsorted(cumulative, places.contiguous())
            rows = rows.clamp_(max=likely.shape[1] - 1)
            scale, curvature = scale.gather(1, rows), curvature.gather(1, rows)
        rows, scale, curvature = (t.cpu().numpy() for t in (rows, scale, curvature))
        drawn = np.maximum(scale + _noise()[:, 0] / np.sqrt(curvature), 0)
        drawn = drawn * size[:, None] / ready.norm[rows]
        there = top > 0
        self.flags[pixels[~there]] |= np.uint8(FitFlag.NOTHING_SEEN)
        for start in range(0, len(pixels), _BLOCK):
            part = slice(start, start + _BLOCK)
            columns = self._columns(pixels[part], rows[part], drawn[part])
            percentiles = np.percentile(columns, LEVELS, axis=1, method="linear")
            percentiles[:, ~there[part]] = np.nan
            self.found[:, :, pixels[part]] = percentiles.transpose(0, 2, 1)
        reduced = least[:, 0].double().cpu().numpy() / (self.seen.n_measured[pixels] - 1)
        self.chi2[pixels] = np.where(there, reduced, np.nan)
        self.flags[pixels[there & (reduced > BAD_FIT)]] |= np.uint8(FitFlag.NO_MODEL_FITS)
        return pixels

    def _columns(self, pixels: np.ndarray, rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Every draw's light without dust by band, attenuation by band, `MAGNITUDES`, `LIGHTS`,
        shape (n, n_draws, n_columns).
        """
        properties = self.library.properties
        passed = self.passed[rows]
        of_model = self.bare[rows] * passed * (drawn / self.factor)[..., None]
        seen = self._light(pixels, of_model)
        light = seen / passed
        # How the light that was seen differs from the model's: 0.55 micron lies between g and r.
        ratio = np.divide(seen, of_model, out=np.ones_like(seen), where=of_model > 0)
        fuv, visual = (
            ratio[..., places].mean(-1) if (places := self._of(names)) else 1.0
            for names in (("GALEX_FUV",), ("SDSS_g", "SDSS_r"))
        )
        others = [properties[name][rows] for name in MAGNITUDES]
        others += [self.fuv[rows] * drawn * fuv, self.library.visual[rows] * drawn * visual]
        return np.concatenate([light, -2.5 * np.log10(passed), np.stack(others, -1)], axis=-1)

    def _of(self, names: Sequence[str]) -> list[int]:
        """Where those of some bands stand that are there."""
        return [self.bands.index(name) for name in names if name in self.bands]

    def _light(self, pixels: np.ndarray, of_model: np.ndarray) -> np.ndarray:
        """The dimmed light of every draw: as measured, as far as that is better than the model's,
        shape (n, n_draws, n_bands).
        """
        light = of_model.copy()
        for k, band in enumerate(self.bands):
            if band not in self.seen.bands:
                continue
            row = self.seen.bands.index(band)
            measured = self.seen.weight[row, pixels] > 0
            value = self.seen.value[row, pixels]
            # The extra error is in sigma; what remains is the image's own.
            noise2 = self.seen.sigma[row, pixels] ** 2 - (self.extra * value) ** 2
            noise2 = np.maximum(noise2, 0)[:, None]
            off2 = (self.extra * of_model[..., k]) ** 2
            share = np.where(measured[:, None], off2 / np.maximum(off2 + noise2, 1e-60), 0)
            scatter = np.sqrt(share * noise2) * _noise()[:, 1 + DIMMED.index(band)]
            light[..., k] += share * (value[:, None] - of_model[..., k]) + scatter
        return light

    def result(self) -> DustlessFit:
        """All of it."""
        n = len(self.bands)
        names: Any = (*MAGNITUDES, *LIGHTS)
        properties = {name: self.found[:, 2 * n + k] for k, name in enumerate(names)}
        return DustlessFit(
            self.bands, self.found[:, :n], self.found[:, n : 2 * n], properties, self.chi2,
            self.flags,
        )  # fmt: skip


def _widest(device: str) -> Any:
    """The precision in which many weights are added up; Apple's devices know no double."""
    import torch

    return torch.float32 if device == "mps" else torch.float64
