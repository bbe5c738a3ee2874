"""The smooth field of corrections that a coarse map asks of a fine one, and how sure it is.

The logarithm of the correction is a Gaussian field whose variance is that of the prediction's
error: a part that all pixels share, and one that neighbours share. What the coarse map says of it,
with its noise, gives its most likely values by Gauss-Newton steps, each solved in the space of the
coarse pixels (Tarantola 2005, "Inverse Problem Theory", Sect. 3.4), and its scatter by samples that
are conditioned on noisy coarse maps (Hoffman & Ribak 1991, ApJ 380, L5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..progress import Progress, Steps
from .coarse_view import CoarseView

_MOST_STEPS = 25
_MOST_HALVINGS = 9
_LARGEST_LOG = 50.0  # so that an exponential cannot overflow
_SETTLED, _NO_GAIN = 3e-3, 1e-5
_SOLVED, _MOST_TURNS = 1e-3, 150  # of conjugate gradients, which each step takes up again
_SOLVED_SAMPLE, _TURNS_OF_SAMPLE = 1e-2, 60  # a scatter of sixteen is known to a sixth


@dataclass(frozen=True, eq=False)
class Coarse:
    """What the coarse map says in the pixels that count.

    Attributes
    ----------
    view : CoarseView
    value, sigma : ndarray, shape (n,)
        Of the pixels that the view has seen, in any linear unit; sigma is infinite where nothing
        was measured.
    correlation : float
        Coarse pixels over which its noise is shared.
    """

    view: CoarseView
    value: np.ndarray
    sigma: np.ndarray
    correlation: float = 1.0


class Prior:
    """How the logarithm of the correction may vary.

    Parameters
    ----------
    local, shared : ndarray, shape (ny, nx)
        1-sigma errors of the prediction, natural logarithm: what neighbours share and what all
        pixels share; 0 where nothing is to change.
    scales : sequence of (float, float)
        Sigma in pixels of Gaussians, and the share of the local variance that is correlated so.
    """

    def __init__(
        self, local: np.ndarray, shared: np.ndarray, scales: Sequence[tuple[float, float]]
    ) -> None:
        from scipy import fft

        self.local, self.shared = local, shared
        reach = [min(4 * max(sigma for sigma, _ in scales), n) for n in local.shape]
        self._padded = [
            fft.next_fast_len(int(n + far), real=True)
            for n, far in zip(local.shape, reach, strict=True)
        ]
        ky, kx = fft.fftfreq(self._padded[0])[:, None], fft.rfftfreq(self._padded[1])
        k2 = ky**2 + kx**2
        power = sum(
            share * 2 * np.pi * sigma**2 * np.exp(-2 * np.pi**2 * sigma**2 * k2)
            for sigma, share in scales
        )
        weight = np.full(kx.shape, 2.0)
        weight[0] = 1.0
        if self._padded[1] % 2 == 0:
            weight[-1] = 1.0
        self._power = power * np.prod(self._padded) / (power * weight).sum()

    @property
    def variance(self) -> np.ndarray:
        """Of every pixel, shape (ny, nx)."""
        return np.asarray(self.local**2 + self.shared**2)

    def _filtered(self, plane: np.ndarray, filter_: np.ndarray) -> np.ndarray:
        from scipy import fft

        ny, nx = self.local.shape
        changed = fft.irfft2(fft.rfft2(plane, self._padded) * filter_, self._padded)
        return np.asarray(changed[:ny, :nx])

    def times(self, plane: np.ndarray) -> np.ndarray:
        """The covariance times a plane."""
        alike = self.shared * (self.shared * plane).sum()
        return alike + self.local * self._filtered(self.local * plane, self._power)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One field drawn from it."""
        white = rng.standard_normal(self._padded)
        return self.shared * rng.standard_normal() + self.local * self._filtered(
            white, np.sqrt(self._power)
        )


def most_likely_steps(light: np.ndarray, coarse: Coarse, prior: Prior) -> Steps[np.ndarray]:
    """The most likely natural logarithm of the correction, shape (ny, nx), yielding after each
    step.

    Parameters
    ----------
    light : ndarray, shape (ny, nx)
        The prediction of what the coarse map shows, linear, 0 where it is not known.
    coarse : Coarse
    prior : Prior
    """
    log, source = np.zeros(light.shape), np.zeros(light.shape)
    weights = np.zeros(coarse.value.size)
    cost = _cost(light, log, source, coarse)
    for step in range(_MOST_STEPS):
        now = light * np.exp(log)
        left = (coarse.value - coarse.view.see(now)) + coarse.view.see(now * log)
        weights = _solved(now, coarse, prior, left, weights, (_SOLVED, _MOST_TURNS))
        wanted_source = now * coarse.view.back(weights / coarse.sigma)
        wanted = prior.times(wanted_source)
        # Far from the solution a whole step leads beyond it: it is halved until it is one for the
        # better.
        for part in 0.5 ** np.arange(_MOST_HALVINGS):
            tried = log + part * (wanted - log)
            tried_source = source + part * (wanted_source - source)
            tried_cost = _cost(light, tried, tried_source, coarse)
            if tried_cost < cost:
                break
        else:
            break
        change, gain = np.abs(tried - log).max(initial=0), cost - tried_cost
        log, source, cost = tried, tried_source, tried_cost
        yield Progress("sharpen", step + 1, _MOST_STEPS, "corrections")
        if part == 1 and (change < _SETTLED or gain < _NO_GAIN * cost):
            break
    return log


def _cost(light: np.ndarray, log: np.ndarray, source: np.ndarray, coarse: Coarse) -> float:
    """Minus twice the logarithm of the posterior of a field, which is the covariance times
    `source`.
    """
    now = light * np.exp(np.clip(log, -_LARGEST_LOG, _LARGEST_LOG))
    left = (coarse.value - coarse.view.see(now)) / coarse.sigma
    return float(left @ left + (log * source).sum())


def _solved(
    now: np.ndarray, coarse: Coarse, prior: Prior, left: np.ndarray, start: np.ndarray,
    effort: tuple[float, int],
) -> np.ndarray:  # fmt: skip
    """Weights of the coarse pixels, in their sigmas, that explain what is left; `effort` is how
    exactly, and how many turns at most.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    def times(weights: np.ndarray) -> np.ndarray:
        field = prior.times(now * coarse.view.back(weights / coarse.sigma))
        return np.asarray(weights + coarse.view.see(now * field) / coarse.sigma)

    n = coarse.value.size
    found, _ = cg(
        LinearOperator((n, n), times, dtype=float), left / coarse.sigma, start, rtol=effort[0],
        maxiter=effort[1],
    )  # fmt: skip
    return np.asarray(found)


def scatter_steps(
    light: np.ndarray, log: np.ndarray, coarse: Coarse, prior: Prior, draws: int, width: float
) -> Steps[tuple[np.ndarray, float]]:
    """Standard deviation of the natural logarithm of the correction, shape (ny, nx), and that of
    the sum of the corrected light over that sum: the part that all pixels share.

    Parameters
    ----------
    light, coarse, prior
        As of `most_likely_steps`.
    log : ndarray, shape (ny, nx)
        What that found.
    draws : int
        Fields that are drawn; their scatter is averaged over neighbours.
    width : float
        Sigma in pixels over which it is averaged.
    """
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    now = light * np.exp(log)
    there = prior.variance > 0
    squares, of_sum = np.zeros(light.shape), 0.0
    for step in range(draws):
        field = prior.draw(rng)
        seen = coarse.view.see(now * field) + _noise(coarse, rng)
        weights = _solved(
            now, coarse, prior, seen, np.zeros(seen.size), (_SOLVED_SAMPLE, _TURNS_OF_SAMPLE)
        )
        gain = prior.times(now * coarse.view.back(weights / coarse.sigma))
        squares += np.where(there, (field - gain) ** 2, 0)
        of_sum += float((now * (field - gain)).sum() / max(now.sum(), 1e-300)) ** 2
        yield Progress("sharpen", step + 1, draws, "errors")
    share = np.where(there, squares / draws / np.where(there, prior.variance, 1), 0)
    near = gaussian_filter(there.astype(float), width, mode="constant")
    share = gaussian_filter(share, width, mode="constant") / np.maximum(near, 1e-9)
    return np.sqrt(np.clip(share, 0, 1) * prior.variance), float(np.sqrt(of_sum / draws))


def _noise(coarse: Coarse, rng: np.random.Generator) -> np.ndarray:
    """Noise of the coarse pixels, shared over `Coarse.correlation` of them."""
    from scipy.ndimage import gaussian_filter

    plane = rng.standard_normal(coarse.view.seen.shape)
    if coarse.correlation > 1:
        # White noise through a Gaussian is shared over 4 pi sigma2 pixels.
        sigma = np.sqrt(coarse.correlation / (4 * np.pi))
        plane = gaussian_filter(plane, sigma, mode="wrap")
        plane /= plane.std() or 1
    measured = np.isfinite(coarse.sigma)
    return np.where(measured, plane[coarse.view.seen] * np.where(measured, coarse.sigma, 0), 0)
