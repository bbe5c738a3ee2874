"""How likely every model of a library is for every pixel: matrix products, the scale of each model
solved for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import get_band
from ..constants import LSUN_HZ_KPC2_PER_MJY_SR, LSUN_W, MPC_M
from ..exceptions import InputError
from .library import Library

if TYPE_CHECKING:
    import torch

MIN_BANDS = 3
"""A pixel with fewer measured bands is not fitted."""
SAFE_CHI2 = 3e4
"""Up to this sum of (flux / error)^2, chi2 in single precision is good to 0.02."""
LEAST_MODELS = 20.0
"""How many models have to share a pixel's likelihood."""
HOPELESS = 50.0
"""A model whose chi2 is so much above the best one's counts for nothing."""
FLATTEST = 0.25
"""Least power to which weights are taken."""
NEWTON_STEPS = 8


@contextmanager
def one_thread() -> Iterator[int]:
    """Torch without threads of its own, which wait for each other inside small operations: on a
    busy machine ten times longer.

    Yields
    ------
    int
        How many threads it had, and has again afterwards.
    """
    import torch

    n = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield n
    finally:
        torch.set_num_threads(n)


def light_of_data(redshift: float, distance_mpc: float | None) -> float:
    """Factor from the data to luminosity per rest-frame Hz.

    Parameters
    ----------
    redshift : float
    distance_mpc : float or None
        None: the data are surface brightness in MJy/sr and become Lsun/Hz/kpc2, dimmed by (1 +
        z)^3. Else they are fluxes in Jy of a whole source at this luminosity distance and become
        Lsun/Hz.
    """
    if distance_mpc is None:
        return float(LSUN_HZ_KPC2_PER_MJY_SR * (1 + redshift) ** 3)
    return float(4 * np.pi * (distance_mpc * MPC_M) ** 2 * 1e-26 / LSUN_W / (1 + redshift))


@dataclass(frozen=True, eq=False)
class Observed:
    """Checked data, bands before pixels, all shape (n_bands, n_pixels), float64.

    Attributes
    ----------
    bands : tuple of str
    value, sigma : ndarray
        Sigma has the extra error in it; both 0 where a weight is 0.
    weight : ndarray
        1 / sigma^2 of what was measured; 0 of what is missing or an upper limit.
    limit : ndarray of bool
        Where `value` is an upper limit.
    """

    bands: tuple[str, ...]
    value: np.ndarray
    sigma: np.ndarray
    weight: np.ndarray
    limit: np.ndarray

    @property
    def n_measured(self) -> np.ndarray:
        """Measured bands of each pixel."""
        return np.asarray((self.weight > 0).sum(0))


def observed(
    data: np.ndarray, uncertainty: np.ndarray, bands: Sequence[str], extra_error: float,
    upper_limits: np.ndarray | None = None,
) -> Observed:  # fmt: skip
    """Check data and errors.

    Parameters
    ----------
    data, uncertainty : ndarray, shape (n_bands, n_pixels)
        NaN in either: not measured. Negative values are measurements like any other. An infinite
        error has no weight.
    bands : sequence of str
    extra_error : float
        Fraction of the value added to the error in quadrature.
    upper_limits : ndarray of bool, shape (n_bands, n_pixels), optional
        Where `data` is an upper limit, blurred by `uncertainty`.

    Raises
    ------
    InputError
        When shapes do not agree, a band comes twice, errors are zero or negative, fewer than three
        bands have any data, or all are limits.
    """
    names = tuple(get_band(band).name for band in bands)
    value, sigma = np.array(data, float, ndmin=2), np.array(uncertainty, float, ndmin=2)
    limit = (
        np.zeros(value.shape, bool)
        if upper_limits is None
        else np.array(upper_limits, bool, ndmin=2)
    )
    if not (value.shape == sigma.shape == limit.shape and len(names) == len(value)):
        raise InputError(
            f"Data {value.shape}, errors {sigma.shape}, limits {limit.shape} and {len(names)} "
            "bands do not go together; "
            "give (bands, pixels)."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{', '.join(twice)} came more than once; leave one of them.")
    measured = np.isfinite(value) & ~np.isnan(sigma)
    for name, wrong in zip(names, (measured & (sigma <= 0)).sum(1), strict=True):
        if wrong:
            raise InputError(
                f"The errors of {name} are zero or negative in {wrong} of {value.shape[1]} pixels; "
                "give errors that are more, or NaN where nothing was measured."
            )
    limit &= measured
    detected = measured & ~limit & np.isfinite(sigma)
    n_bands = int(detected.any(1).sum())
    if not n_bands and limit.any():
        raise InputError(
            "All fluxes are upper limits, which fix no spectrum; at least three bands have to be "
            "measured."
        )
    if n_bands < MIN_BANDS:
        raise InputError(
            f"Only {n_bands} of the bands {'has' if n_bands == 1 else 'have'} data; a spectrum "
            "needs at least three."
        )
    value[~measured] = 0
    sigma = np.where(measured, np.hypot(sigma, extra_error * value), 0)
    with np.errstate(divide="ignore"):
        weight = np.where(detected, 1 / sigma**2, 0)
    limit &= np.isfinite(sigma)
    return Observed(names, value, sigma, weight, limit)


@dataclass(frozen=True, eq=False)
class Matrices:
    """A library made ready for some bands on some device.

    Models are divided by `norm` and bands by `unit`, so that all numbers are near 1 and single
    precision is enough.

    Attributes
    ----------
    unit : ndarray, shape (n_bands,)
        Lsun/Hz.
    norm : ndarray, shape (n_models,)
    models, squares : torch.Tensor, shape (n_bands, n_models)
        Light in units of `unit` and `norm`, and its square.
    outputs, output_squares : torch.Tensor, shape (n_models, n_outputs)
        Light in all bands of the library, then the extensive properties, over `norm` and
        `output_unit`.
    output_unit : ndarray, shape (n_outputs,)
    intensive : torch.Tensor, shape (n_models, 2 * n_intensive)
        Deviations of the other properties from `intensive_middle`, then their squares.
    intensive_middle : ndarray, shape (n_intensive,)
    device : str
    """

    unit: np.ndarray
    norm: np.ndarray
    models: torch.Tensor
    squares: torch.Tensor
    outputs: torch.Tensor
    output_squares: torch.Tensor
    output_unit: np.ndarray
    intensive: torch.Tensor
    intensive_middle: np.ndarray
    device: str

    def rows(self, models: torch.Tensor) -> Matrices:
        """What comes out, of some models only."""
        return replace(self, **{name: getattr(self, name)[models] for name in _BY_MODEL})

    def to(self, dtype: Any) -> Matrices:
        """The same in another precision."""
        models, outputs = self.models.to(dtype), self.outputs.to(dtype)
        # Squares are made anew: chi2 is a small difference, and the rounding of single precision
        # would not cancel in it.
        return replace(
            self, models=models, squares=models**2, outputs=outputs, output_squares=outputs**2,
            intensive=self.intensive.to(dtype),
        )  # fmt: skip


_BY_MODEL = ("outputs", "output_squares", "intensive")


@lru_cache(maxsize=3)
def matrices(library: Library, bands: tuple[str, ...], device: str) -> Matrices:
    """A library made ready; the last few are kept.

    Raises
    ------
    InputError
        When the library lacks a band.
    """
    import torch

    from .compose import EXTENSIVE, INTENSIVE

    light = library.light[:, library.columns(bands)].astype(float)
    unit = np.median(light, axis=0)
    scaled = light / unit
    norm = np.sqrt((scaled**2).mean(1))
    scaled /= norm[:, None]
    outputs = np.column_stack(
        [library.light, *(library.properties[name] for name in EXTENSIVE)]
    ).astype(float)
    outputs /= norm[:, None]
    output_unit = np.sqrt((outputs**2).mean(0))
    outputs /= output_unit
    intensive = np.column_stack([library.properties[name] for name in INTENSIVE]).astype(float)
    middle = intensive.mean(0)
    intensive -= middle

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)

    return Matrices(
        unit, norm, tensor(scaled.T), tensor(scaled.T**2), tensor(outputs), tensor(outputs**2),
        output_unit,
        tensor(np.hstack([intensive, intensive**2])), middle, device,
    )  # fmt: skip


def scale_and_chi2(
    matrices: Matrices,
    value: torch.Tensor,
    weight: torch.Tensor,
    limits: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Best scale of every model, chi2 there, and chi2's half second derivative by the scale.

    Parameters
    ----------
    matrices : Matrices
    value, weight : torch.Tensor, shape (n_pixels, n_bands)
        In units of `matrices.unit`.
    limits : pair of torch.Tensor, shape (n_pixels, n_bands), optional
        Upper limits over their sigma, and 1 / sigma; 0 in the second where there is no limit. Each
        adds -2 ln of the probability that the flux is below it (Sawicki 2012, eq. 7; Boquien+ 2019,
        eq. 15).

    Returns
    -------
    scale, chi2, curvature : torch.Tensor, shape (n_pixels, n_models)
        The scale is never negative.
    """
    import torch

    curvature = weight @ matrices.squares
    product = (value * weight) @ matrices.models
    scale = (product / curvature).clamp_(min=0)
    # chi2 = sum w d^2 - 2 s sum w d m + s^2 sum w m^2, least at s = sum w d m / sum w m^2.
    chi2 = (value**2 * weight).sum(1, keepdim=True) - product.clamp_(min=0) * scale
    if limits is None:
        return scale, chi2, curvature
    over, inverse = limits
    used = [int(b) for b in torch.nonzero((inverse > 0).any(0)).ravel()]
    detected = curvature
    best = scale
    for _ in range(NEWTON_STEPS):  # the sum is convex in the scale
        slope, curvature = detected * (scale - best), detected.clone()
        for b in used:
            step = inverse[:, b : b + 1] * matrices.models[b]
            z = over[:, b : b + 1] - scale * step
            hazard = torch.exp(-0.5 * z * z - 0.9189385332 - torch.special.log_ndtr(z))
            slope += step * hazard
            curvature += step * step * hazard * (hazard + z).clamp_(min=0)
        scale = (scale - slope / curvature).clamp_(min=0)
    chi2 = chi2 + detected * (scale - best) ** 2
    for b in used:
        there = inverse[:, b : b + 1] > 0
        z = over[:, b : b + 1] - scale * (inverse[:, b : b + 1] * matrices.models[b])
        chi2 = chi2 - 2 * torch.where(there, torch.special.log_ndtr(z), torch.zeros_like(z))
    return scale, chi2, curvature


def weights(chi2: torch.Tensor, least_models: float = LEAST_MODELS) -> torch.Tensor:
    """Weights of models, exp(-chi2 / 2) over their sum, flattened where too few models would share
    them.

    A library has gaps: with small errors one model may take all the weight, and the scatter of one
    is none. There the weights are taken to a power below 1, down to `FLATTEST`, so that (sum w)^2 /
    sum w^2 comes near `least_models`. Models beyond `HOPELESS` have no weight in any case.

    Parameters
    ----------
    chi2 : torch.Tensor, shape (n_pixels, n_models)
        Above that of each pixel's best model.
    least_models : float

    Returns
    -------
    torch.Tensor, shape (n_pixels, n_models)
    """
    import torch

    # Where nothing is likely it stays at e^-40: denormal numbers would make the products ten times
    # slower.
    hopeless = chi2 > HOPELESS
    power, gain = torch.ones_like(chi2[:, :1]), 0.25
    before: tuple[torch.Tensor, torch.Tensor] | None = None
    for last in (False, False, True):
        found = (chi2 * (-0.5 * power)).masked_fill_(hopeless, -40).exp_()
        total = found.sum(1, keepdim=True)
        if last or least_models <= 1:
            break
        shared = total**2 / (found * found).sum(1, keepdim=True)
        lacking = (shared / least_models).clamp(max=1)
        if bool((lacking >= 1).all()):
            break
        exponent = torch.full_like(power, gain)
        if before is not None:  # how fast they grew tells how far to go
            growth = torch.log(shared / before[0]) / torch.log(before[1] / power).clamp(min=1e-6)
            exponent = (1 / growth.clamp(min=1e-6)).clamp(gain, 1)
        before = shared, power
        power = (power * lacking**exponent).clamp(min=FLATTEST)
    return found.div_(total)


def batch(
    seen: Observed, pixels: np.ndarray, matrices: Matrices, factor: float, dtype: Any
) -> tuple[Any, Any, Any, np.ndarray]:
    """Tensors of some pixels for `scale_and_chi2`, and the number by which each pixel was divided.

    Returns
    -------
    value, weight : torch.Tensor, shape (n_pixels, n_bands)
    limits : pair of torch.Tensor or None
    size : ndarray, shape (n_pixels,)
        In Lsun/Hz over `matrices.unit`.
    """
    import torch

    unit = matrices.unit[:, None]
    value = seen.value[:, pixels] * factor / unit
    sigma = seen.sigma[:, pixels] * factor / unit
    used = seen.weight[:, pixels] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(used, 1 / sigma, 0)
        # The weighted size of a pixel; of pure noise, its error.
        size = np.sqrt(((value * inverse) ** 2).sum(0) / (inverse**2).sum(0))
        size = np.where(np.isfinite(size) & (size > 0), size, 1.0)

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array.T)).to(dtype).to(matrices.device)

    limits = None
    where = seen.limit[:, pixels]
    if where.any():
        inverse_limit = np.where(where, 1 / np.where(where, sigma, 1), 0)
        limits = tensor(value * inverse_limit), tensor(inverse_limit * size)
    return tensor(value / size * used), tensor((inverse * size) ** 2), limits, size
