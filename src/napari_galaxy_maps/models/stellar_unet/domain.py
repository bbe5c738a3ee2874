"""What stellar-unet was trained on, by whole galaxies and by blocks of pixels: how far a galaxy is
from all of them, and when that is too far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from .inputs import UGRIZ, band_set, channel_names
from .library import average_features, light_of_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from ...data.cube import BandCube

BLOCK = 16
"""Pixels along a side of what is judged by itself: a pixel of the network's coarsest level."""
BRIGHTNESS, COLOURS, LOOK = "brightness", "colours", "look"
ASPECTS: Mapping[str, tuple[str, str]] = {
    BRIGHTNESS: (
        "how bright it is for its noise, size and distance",
        "are units, errors and the distance right?",
    ),
    COLOURS: (
        "its colours",
        "are bands, zero points, reddening and the redshift right?",
    ),
    LOOK: (
        "what the network sees in it",
        "the panel Neighbours shows the mocks most like it.",
    ),
}
"""In what a galaxy may be unlike all others: in words, and what to look at then."""
_ROWS = 1024
_E_FOLDS = 3.0
"""That one unit of the inputs' brightness spans, so that what is beside it has its scale."""


@dataclass(frozen=True)
class Cloud:
    """Points of galaxies that were trained on, in coordinates of unit variance, and how far from
    the nearest of them others may be.

    Attributes
    ----------
    mean, axes : ndarray, shapes (n_channels,) and (n_channels, n_axes)
        Take vectors to those coordinates.
    points : ndarray of float16, shape (n, n_axes)
    limits : ndarray, shape (2 ** 5,)
        Distance beyond which what is seen in a set of bands (`band_set`) is unlike all of them.
    """

    mean: np.ndarray
    axes: np.ndarray
    points: np.ndarray
    limits: np.ndarray

    def distance(self, vectors: np.ndarray) -> np.ndarray:
        """Root mean square difference to the nearest point over the axes, shape (n,).

        Parameters
        ----------
        vectors : ndarray, shape (n, n_channels)
            NaN where not known, which moves nothing.
        """
        known = np.isfinite(vectors)
        found = (np.where(known, vectors - self.mean, 0.0) @ self.axes).astype(np.float32)
        points = self.points.astype(np.float32)
        squares = (points**2).sum(axis=1)
        least = np.empty(len(found), np.float32)
        for start in range(0, len(found), _ROWS):
            part = found[start : start + _ROWS]
            away = squares - 2 * (part @ points.T)
            least[start : start + _ROWS] = away.min(axis=1) + (part**2).sum(axis=1)
        return np.sqrt(np.maximum(least, 0) / self.axes.shape[1])

    def beyond(self, vectors: np.ndarray, seen: int) -> np.ndarray:
        """`distance` over the limit of what is `seen` in a set of bands."""
        return np.asarray(self.distance(vectors) / self.limits[seen])


@dataclass(frozen=True)
class Verdict:
    """How far a galaxy is from all that were trained on, over the limit, in each aspect.

    Attributes
    ----------
    scores : mapping of str to float
        By name in `ASPECTS`; beyond 1 it is unlike all of them.
    """

    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        """That of the worst aspect."""
        return max(self.scores.values())

    @property
    def unlike(self) -> bool:
        """Whether it is unlike all galaxies that were trained on."""
        return self.score > 1

    def __str__(self) -> str:
        each = ", ".join(f"{name} {score:.2f}" for name, score in self.scores.items())
        return f"{self.score:.2f} of the limit ({each})"


class LastVerdict:
    """The verdict on the cube that was judged last: its maps tell of it, and remarks, too."""

    def __init__(self) -> None:
        self._cube: ref[BandCube] | None = None
        self._verdict: Verdict | None = None

    def of(self, cube: BandCube, judge: Callable[[], Verdict | None]) -> Verdict | None:
        """What is known of a cube, or what `judge` says of it."""
        if self._cube is None or self._cube() is not cube:
            self._verdict, self._cube = judge(), ref(cube)
        return self._verdict


@dataclass(frozen=True)
class Domain:
    """What was trained on.

    Attributes
    ----------
    wholes : mapping of str to Cloud
        Of whole galaxies, by name in `ASPECTS`.
    blocks : mapping of str to Cloud
        Of blocks of pixels.
    share : float
        Of galaxies of the same kind that are beyond the limit all the same.
    errors : float
        How many times larger the errors over the told ones were in disturbed mocks beyond the limit
        than in mocks as they are; NaN where that was not measured.
    doubled : float
        Score of disturbed mocks from which on they are twice as large; NaN where not known.
    """

    wholes: Mapping[str, Cloud]
    blocks: Mapping[str, Cloud]
    share: float = float("nan")
    errors: float = float("nan")
    doubled: float = float("nan")

    def verdict(self, vectors: Mapping[str, np.ndarray], seen: int) -> Verdict:
        """How far out a galaxy is.

        Parameters
        ----------
        vectors : mapping of str to ndarray
            As `vectors_of_whole` returns them.
        seen : int
            The `band_set` that it was seen in.
        """
        return Verdict(
            {
                name: float(cloud.beyond(vectors[name][None], seen)[0])
                for name, cloud in self.wholes.items()
            }
        )

    def judge(
        self,
        seen: tuple[Sequence[np.ndarray], np.ndarray, np.ndarray, float | None],
        bands: Sequence[str],
        seen_in: Sequence[str],
    ) -> Verdict | None:
        """The verdict on a galaxy; None where nothing of it was seen.

        Parameters
        ----------
        seen : tuple
            Inputs, features, data and the side of a pixel, as `vectors_of_whole` takes them.
        bands : sequence of str
            The network's.
        seen_in : sequence of str
            Those that the galaxy was seen in.
        """
        if not np.isfinite(seen[2]).any():
            return None
        return self.verdict(vectors_of_whole(*seen, bands), band_set(seen_in, bands))

    def unlike_blocks(self, vectors: Mapping[str, np.ndarray], seen: int) -> np.ndarray:
        """Which blocks are unlike all that were trained on, shape (n,), from `vectors_of_blocks`;
        not those in which nothing was seen.
        """
        found = [cloud.beyond(vectors[name], seen) > 1 for name, cloud in self.blocks.items()]
        return np.asarray(np.any(found, axis=0) & np.isfinite(vectors[COLOURS]).all(axis=1))

    def remarks(self, verdict: Verdict, model: str) -> list[str]:
        """A sentence on a galaxy that is unlike all others; none of one that is not."""
        if not verdict.unlike:
            return []
        odd = [name for name, score in verdict.scores.items() if score > 1]
        words = " and ".join(ASPECTS[name][0] for name in odd)
        advice = " ".join(ASPECTS[name][1] for name in odd)
        told = ""
        if np.isfinite(self.errors):
            told = (
                f" Errors over those told were {self.errors:.1f} times as large in mocks so far "
                "out, with something wrong, as in others."
            )
        return [
            f"This galaxy is unlike any that {model} was trained on, in {words}: it lies "
            f"{verdict.score:.1f} times as far from the nearest as {1 - self.share:.0%} of such "
            f"galaxies do at most.{told} Check: {advice}"
        ]

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        found = {f"{prefix}numbers": np.array([self.share, self.errors, self.doubled])}
        for kind in ("wholes", "blocks"):
            for name, cloud in getattr(self, kind).items():
                found |= {
                    f"{prefix}{kind}.{name}.{key}": np.asarray(getattr(cloud, key), dtype)
                    for key, dtype in _CLOUD.items()
                }
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Domain | None:
        """The reverse of `arrays`; None of weights without a domain. Raises `KeyError` where a part
        of it is missing.
        """
        if f"{prefix}numbers" not in arrays:
            return None
        if len(arrays[f"{prefix}wholes.{COLOURS}.limits"]) != 2 ** len(UGRIZ):
            raise KeyError("limits")  # of a version that had one for each number of bands
        wholes, blocks = (
            {
                name: Cloud(*(arrays[f"{prefix}{kind}.{name}.{key}"] for key in _CLOUD))
                for name in names
            }
            for kind, names in (("wholes", ASPECTS), ("blocks", (BRIGHTNESS, COLOURS)))
        )
        return cls(wholes, blocks, *map(float, arrays[f"{prefix}numbers"]))


_CLOUD = {"mean": np.float32, "axes": np.float32, "points": np.float16, "limits": np.float32}


def vectors_of_whole(
    inputs: Sequence[np.ndarray],
    bottleneck: np.ndarray,
    data: np.ndarray,
    pixel_pc: float | None,
    bands: Sequence[str],
) -> dict[str, np.ndarray]:
    """A galaxy in each of `ASPECTS`, shapes (n,).

    Parameters
    ----------
    inputs : sequence of ndarray, shapes (n_channels, ny / 2^k, nx / 2^k)
        The network's, by level.
    bottleneck : ndarray, shape (n_features, ny / 16, nx / 16)
        Features of its coarsest level.
    data : ndarray, shape (5, ny, nx)
        MJy/sr; NaN where missing.
    pixel_pc : float or None
        Side of a pixel; None without a distance.
    bands : sequence of str
        The network's.
    """
    names = channel_names(bands)
    averaged = average_features(inputs[-1], data)
    bright = [k for k, name in enumerate(names) if name.startswith("brightness")]
    there = [k for k, plane in zip(bright, data, strict=True) if np.isfinite(plane).any()]
    # How a galaxy's peak falls as pixels are averaged says how large it is.
    peaks = [float(np.median([level[k].max() for k in there])) for level in inputs]
    light = np.log(max(float(light_of_blocks(data).sum()), 1e-6)) / _E_FOLDS
    scale = np.log(pixel_pc) / _E_FOLDS if pixel_pc else np.nan
    sizes = np.array([*peaks, light, scale])
    return {
        BRIGHTNESS: np.concatenate([averaged[_of_brightness(names)], sizes]),
        COLOURS: averaged,
        LOOK: average_features(bottleneck, data),
    }


def vectors_of_blocks(coarse: np.ndarray, bands: Sequence[str]) -> dict[str, np.ndarray]:
    """Blocks in the aspects that they have, shapes (n_blocks, n); NaN of those in which nothing was
    seen.

    Parameters
    ----------
    coarse : ndarray, shape (n_channels, ny, nx)
        Inputs of the network in pixels of blocks.
    bands : sequence of str
        The network's.
    """
    names = channel_names(bands)
    rows = coarse.reshape(len(coarse), -1).T
    parts = rows[:, _of_brightness(names)]
    seen = (parts != 0).any(axis=1)[:, None]
    return {BRIGHTNESS: np.where(seen, parts, np.nan), COLOURS: np.where(seen, rows, np.nan)}


def _of_brightness(names: Sequence[str]) -> list[int]:
    """Channels of the brightness in each band and of its noise."""
    return [k for k, name in enumerate(names) if name.startswith(("brightness", "noise"))]


def block_means(data: np.ndarray, sigma: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Means of blocks and their errors, of the pixels that were measured, as the network's coarsest
    level has them; NaN of blocks without any, and beyond the image, so that it can be halved four
    times.

    Parameters
    ----------
    data, sigma : ndarray, shape (5, ny, nx)
        MJy/sr, NaN where missing; the sides are multiples of `BLOCK`.

    Returns
    -------
    Tensors, shape (5, n, m)
        n and m are multiples of 16, and at least ny / 16 and nx / 16.
    """
    import torch
    from torch.nn import functional

    flux, noise = (torch.from_numpy(np.ascontiguousarray(p, np.float32)) for p in (data, sigma))
    there = torch.isfinite(flux) & torch.isfinite(noise) & (noise > 0)
    sums = [
        functional.avg_pool2d(plane[None], BLOCK, divisor_override=1)[0]
        for plane in (
            torch.where(there, flux, 0.0),
            torch.where(there, noise, 0.0) ** 2,
            there.float(),
        )
    ]
    count = torch.where(sums[2] > 0, sums[2], torch.nan)
    ny, nx = sums[0].shape[1:]
    beyond = (0, -nx % BLOCK, 0, -ny % BLOCK)
    mean, error = (
        functional.pad(plane, beyond, value=torch.nan)
        for plane in (sums[0] / count, sums[1].sqrt() / count)
    )
    return mean, error
