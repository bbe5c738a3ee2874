"""The Bayesian fit of a library of model spectra to many pixels: fluxes in all bands and what the
models know of dust and stars.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntFlag
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..exceptions import InputError
from ..progress import Progress, Steps, run_to_end
from .compose import EXTENSIVE, INTENSIVE
from .library import Library
from .likelihood import (
    HOPELESS,
    LEAST_MODELS,
    MIN_BANDS,
    SAFE_CHI2,
    Matrices,
    Observed,
    batch,
    light_of_data,
    matrices,
    observed,
    one_thread,
    scale_and_chi2,
    weights,
)

if TYPE_CHECKING:
    import torch

BAD_FIT: Final = 10.0
"""Reduced chi2 from which no model is said to fit."""
MEMORY: Final = 256 * 2**20
"""Bytes that the matrices of one batch of pixels may take on a GPU; on a CPU a batch is small
enough for its caches.
"""
_CPU_BATCH, _BUFFERS = 16, 6


class FitFlag(IntFlag):
    """What is wrong with a pixel's fit."""

    TOO_FEW = 1
    """Fewer than three bands measured: not fitted."""
    NOTHING_SEEN = 2
    """No model with a positive scale is better than nothing at all: not fitted."""
    NO_MODEL_FITS = 4
    """The best model's reduced chi2 is over `BAD_FIT`; the values are there, but do not trust them.
    """


@dataclass(frozen=True, eq=False)
class SedFit:
    """What the models say of each pixel: means over the library weighted by likelihood, and their
    standard deviations.

    Attributes
    ----------
    bands : tuple of str
        The library's, measured or not.
    flux, flux_error : ndarray, float32, shape (n_bands, n_pixels)
        In the unit of the data; NaN where nothing was fitted.
    properties, errors : dict of ndarray, float32, shape (n_pixels,)
        Ldust, Lbolo (Lsun), Mdust, Mstar (Msun), SFR (Msun/yr): per kpc2 of surface brightness, of
        the whole source from fluxes with a distance; Tdust (K), A_FUV (mag), SLD = Ldust / Lbolo,
        SMD = Mdust / Mstar.
    chi2 : ndarray, float32, shape (n_pixels,)
        Of the best model, over the number of measured bands less one.
    best : ndarray of int, shape (n_pixels,)
        The best model's row in the library; -1 where nothing was fitted.
    best_scale : ndarray, float64, shape (n_pixels,)
        The stars ever formed in it, Msun or Msun/kpc2.
    n_measured : ndarray of int, shape (n_pixels,)
    flags : ndarray of uint8, shape (n_pixels,)
        Of `FitFlag`.
    """

    bands: tuple[str, ...]
    flux: np.ndarray
    flux_error: np.ndarray
    properties: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    chi2: np.ndarray
    best: np.ndarray
    best_scale: np.ndarray
    n_measured: np.ndarray
    flags: np.ndarray

    @property
    def fitted(self) -> np.ndarray:
        """Pixels that were fitted, well or not, shape (n_pixels,)."""
        return np.asarray(self.best >= 0)


def fit(*args: object, **settings: object) -> SedFit:
    """Run `fit_steps` to its end."""
    return run_to_end(fit_steps(*args, **settings))  # type: ignore[arg-type]


def fit_steps(
    data: np.ndarray, uncertainty: np.ndarray, bands: Sequence[str], library: Library,
    device: str = "auto",
    upper_limits: np.ndarray | None = None, distance_mpc: float | None = None,
    extra_error: float | None = None,
    scale_error: bool = True, least_models: float = LEAST_MODELS, precision: str = "auto",
) -> Steps[SedFit]:  # fmt: skip
    """Fit a library to pixels.

    Parameters
    ----------
    data, uncertainty : ndarray, shape (n_bands, n_pixels)
        Surface brightness in MJy/sr, or with `distance_mpc` fluxes in Jy. NaN: not measured;
        negative values are used as they are.
    bands : sequence of str
    library : Library
    device : {"auto", "cpu", "cuda", "mps"}
    upper_limits : ndarray of bool, shape (n_bands, n_pixels), optional
        Where `data` is an upper limit with the error `uncertainty`.
    distance_mpc : float, optional
        Luminosity distance of a source of which the data are fluxes.
    extra_error : float, optional
        Fraction of the flux added to the errors in quadrature; as the library's settings say unless
        told.
    scale_error : bool
        Whether the scatter of each model's own scale counts, as it should; without it the sums are
        CIGALE's.
    least_models : float
        How many models must share a pixel's likelihood (`likelihood.weights`); 1: as many as it
        happens.
    precision : {"auto", "single", "double"}
        "auto": double for the pixels whose errors are so small that single precision would blur
        chi2.

    Yields
    ------
    Progress
        After every batch of pixels; stop there, and nothing is left behind.

    Returns
    -------
    SedFit

    Raises
    ------
    InputError
        When the data cannot be fitted at all (see `likelihood.observed`).
    ModelError
        When there is no such device.
    """
    from ..device import resolve_device

    if distance_mpc is not None and not 0 < distance_mpc < np.inf:
        raise InputError(
            f"A distance of {distance_mpc} Mpc cannot be; correct it.", "galaxy.distance"
        )
    seen = observed(
        data,
        uncertainty,
        bands,
        library.settings.extra_error if extra_error is None else extra_error,
        upper_limits,
    )
    factor = light_of_data(library.redshift, distance_mpc)
    ready = matrices(library, seen.bands, resolve_device(device))
    collected = _Collected(library, seen, factor)
    add = partial(collected.add, ready=ready, scale_error=scale_error, least_models=least_models)
    yield from in_batches_steps(add, seen, len(library), ready.device, precision)
    return collected.result()


def in_batches_steps(
    add: Callable[[np.ndarray, bool], np.ndarray], seen: Observed, n_models: int, device: str,
    precision: str = "auto",
) -> Steps[None]:  # fmt: skip
    """Have all pixels fitted, yielding after every batch; on the CPU a batch is a core's.

    Parameters
    ----------
    add : callable
        Takes pixels, and whether they are to be fitted in double precision, and returns the pixels.
    seen : Observed
    n_models : int
    device, precision : str
        As of `fit_steps`.
    """
    n_pixels, done = seen.value.shape[1], 0
    work = (
        partial(add, pixels, double)
        for pixels, double in _batches(seen, n_models, device, precision)
    )
    for pixels in _one_thread_each(work) if device == "cpu" else (job() for job in work):
        done += len(pixels)
        yield Progress("sed", done, n_pixels, f"{done} of {n_pixels} pixels")


def _one_thread_each(work: Iterable[Callable[[], np.ndarray]]) -> Iterator[np.ndarray]:
    """Results of jobs, each on one core."""
    with one_thread() as n, ThreadPoolExecutor(n) as pool:
        waiting: deque[Future[np.ndarray]] = deque()
        for job in work:
            waiting.append(pool.submit(job))
            if len(waiting) > n:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _batches(
    seen: Observed, n_models: int, device: str, precision: str
) -> list[tuple[np.ndarray, bool]]:
    """Pixels to be fitted together, and whether in double precision."""
    enough = seen.n_measured >= MIN_BANDS
    signal = (seen.value**2 * seen.weight).sum(0)
    limited = seen.limit.any(0)
    double = np.full(len(enough), precision == "double")
    if precision == "auto" and device != "mps":  # which knows no double precision
        double = signal > SAFE_CHI2
    size = _CPU_BATCH if device == "cpu" else max(1, MEMORY // (4 * _BUFFERS * n_models))
    found = []
    for in_double in (False, True):
        for with_limits in (False, True):
            rows = np.flatnonzero(enough & (double == in_double) & (limited == with_limits))
            found += [(rows[k : k + size], in_double) for k in range(0, len(rows), size)]
    return found


def _kept(matrices: Matrices, *by_model: torch.Tensor) -> tuple[Any, ...]:
    """Only the models that are not hopeless for all pixels of a batch; of the tensors, the second
    is chi2 above the least.
    """
    import torch

    rows = torch.nonzero((by_model[1] < HOPELESS).any(0)).ravel()
    if len(rows) > 0.5 * by_model[0].shape[1]:
        return (matrices, *by_model)
    return (matrices.rows(rows), *(tensor[:, rows] for tensor in by_model))


class _Collected:
    """The result, pixel by pixel."""

    def __init__(self, library: Library, seen: Observed, factor: float):
        n_pixels = seen.value.shape[1]
        self.library, self.seen, self.factor = library, seen, factor
        self.double: Matrices | None = None
        self.mean = np.full((len(library.bands) + len(EXTENSIVE), n_pixels), np.nan)
        self.sigma = self.mean.copy()
        self.intensive = np.full((2 * len(INTENSIVE), n_pixels), np.nan)
        self.chi2, self.scale = np.full(n_pixels, np.nan), np.full(n_pixels, np.nan)
        self.best = np.full(n_pixels, -1)
        self.flags = np.where(seen.n_measured < MIN_BANDS, FitFlag.TOO_FEW, 0).astype(np.uint8)

    def add(
        self,
        pixels: np.ndarray,
        double: bool,
        ready: Matrices,
        scale_error: bool,
        least_models: float,
    ) -> np.ndarray:
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
            tensors, scale, chi2, curvature = _kept(tensors, scale, chi2.sub_(least), curvature)
            likely = weights(chi2, least_models)
            intensive = (likely @ tensors.intensive).double().cpu().numpy().T
            once = (likely * scale) @ tensors.outputs
            squared = scale.square_()
            if scale_error:
                squared += curvature.reciprocal_()
            twice = likely.mul_(squared) @ tensors.output_squares
            mean = once.double().cpu().numpy().T
            variance = twice.double().cpu().numpy().T - mean**2
        seen = top > 0
        self.flags[pixels[~seen]] |= np.uint8(FitFlag.NOTHING_SEEN)
        rows, size = pixels[seen], size[seen]
        unit = ready.output_unit[:, None] * size
        self.mean[:, rows] = mean[:, seen] * unit
        self.sigma[:, rows] = np.sqrt(np.maximum(variance[:, seen], 0)) * unit
        n = len(INTENSIVE)
        self.intensive[:n, rows] = intensive[:n, seen] + ready.intensive_middle[:, None]
        self.intensive[n:, rows] = np.sqrt(
            np.maximum(intensive[n:, seen] - intensive[:n, seen] ** 2, 0)
        )
        freedom = self.seen.n_measured[rows] - 1
        self.chi2[rows] = least[:, 0].double().cpu().numpy()[seen] / freedom
        which = best[:, 0].cpu().numpy()[seen]
        self.best[rows] = which
        self.scale[rows] = top[seen] * size / ready.norm[which]
        self.flags[rows[self.chi2[rows] > BAD_FIT]] |= np.uint8(FitFlag.NO_MODEL_FITS)
        return pixels

    def result(self) -> SedFit:
        """All of it."""
        n, k = len(self.library.bands), len(INTENSIVE)
        flux, flux_error = (
            (a[:n] / self.factor).astype(np.float32) for a in (self.mean, self.sigma)
        )
        values = np.concatenate([self.mean[n:], self.intensive[:k]]).astype(np.float32)
        errors = np.concatenate([self.sigma[n:], self.intensive[k:]]).astype(np.float32)
        names = EXTENSIVE + INTENSIVE
        return SedFit(
            self.library.bands, flux, flux_error, dict(zip(names, values, strict=True)),
            dict(zip(names, errors, strict=True)), self.chi2.astype(np.float32), self.best,
            self.scale,
            self.seen.n_measured, self.flags,
        )  # fmt: skip
