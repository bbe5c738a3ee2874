"""How the noiseless images of a training set are seen anew in each epoch: noise, resolution, bands,
masks, turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from ...mocks.surveys import DEPTHS
from ...models.stellar_unet.inputs import UGRIZ
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS

SUBSETS: tuple[tuple[str, float], ...] = (
    ("ugriz", 0.5), ("ugri", 0.06), ("griz", 0.06), ("gri", 0.08), ("gr", 0.06), ("r", 0.06),
    ("any", 0.18),
)  # fmt: skip
"""Bands that an image is left with, and how often."""
_SEEN, _UNSEEN = 0.5, 0.01
"""Signal to noise of a pixel from which it teaches in full, and the weight where there is none."""
_AGE = STELLAR_PROPERTIES.index("AGE_STAR")
_MASS = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")


class Seen(NamedTuple):
    """A batch as it is seen.

    Attributes
    ----------
    data, sigma : Tensor, shape (n, 5, size, size)
        MJy/sr; NaN where missing.
    truth : Tensor, shape (n, 7, size, size)
        Scaled; NaN where empty.
    redshift : Tensor, shape (n,)
        NaN where it is not told.
    relations : Tensor, shape (n,)
        As `models.stellar_unet.inputs.encode` takes it.
    signal : Tensor, shape (n, 1, size, size)
        By how much the light alone stands out of the noise in the band where it does most.
    """

    data: torch.Tensor
    sigma: torch.Tensor
    truth: torch.Tensor
    redshift: torch.Tensor
    relations: torch.Tensor
    signal: torch.Tensor


@dataclass(frozen=True)
class ObservingConditions:
    """How images may be seen.

    Attributes
    ----------
    noise : tuple of float
        Range of log10 of the factor to the survey's noise.
    correlated : float
        Probability that neighbouring pixels share their noise, as after the matching of PSFs.
    calibration : float
        Largest relative error of a band's calibration.
    masked : float
        Probability that discs of an image are masked, as stars are.
    known_redshift : float
        Probability that the redshift is told.
    relations : float
        Probability that a galaxy that follows no scaling relation is seen with the relations
        counting as a weight, as those that follow them always are.
    binned : float
        Probability that pixels are averaged 2 x 2, and again that they are once more.
    subsets : tuple of (str, float)
        As `SUBSETS`.
    """

    noise: tuple[float, float] = (-1.3, 0.6)
    correlated: float = 0.5
    calibration: float = 0.05
    masked: float = 0.3
    known_redshift: float = 0.75
    relations: float = 0.5
    binned: float = 0.08
    subsets: tuple[tuple[str, float], ...] = SUBSETS

    def observe(
        self,
        images: torch.Tensor,
        truth: torch.Tensor,
        pixel_arcsec: torch.Tensor,
        redshift: torch.Tensor,
        rng: torch.Generator,
        own: torch.Tensor | None = None,
        usual: torch.Tensor | None = None,
    ) -> Seen:
        """See a batch of noiseless images.

        Parameters
        ----------
        images : Tensor, shape (n, 5, size, size)
            MJy/sr.
        truth : Tensor, shape (n, 7, size, size)
            Scaled; NaN where empty.
        pixel_arcsec, redshift : Tensor, shape (n,)
        rng : Generator
        own : Tensor, shape as images, optional
            Errors of images that have their noise already: none is added, and pixels are not
            binned.
        usual : Tensor of bool, shape (n,), optional
            Which galaxies follow the relations; by default all.
        """
        n = len(images)
        for _ in range(0 if own is not None else 2):
            if torch.rand((), generator=rng) < self.binned and images.shape[-1] >= 32:
                images, truth, pixel_arcsec = (
                    functional.avg_pool2d(images, 2),
                    bin_truth(truth),
                    pixel_arcsec * 2,
                )
        images, truth, own = _turned(rng, images, truth, own)
        factor = 10 ** (_uniform(rng, n, 1) * (self.noise[1] - self.noise[0]) + self.noise[0])
        factor = factor * 10 ** (0.15 * torch.randn(n, 5, generator=rng))
        sigma = survey_sigma(images, pixel_arcsec) * factor[:, :, None, None]
        noise = torch.randn(images.shape, generator=rng)
        if torch.rand((), generator=rng) < self.correlated:
            noise = _smooth(noise, 0.3 + float(torch.rand((), generator=rng)))
        error = _uniform(rng, n, 5) * self.calibration
        gain = 1 + error * torch.randn(n, 5, generator=rng)
        if own is not None:
            sigma, noise = own, torch.zeros(())
        data = (images + sigma * noise) * gain[:, :, None, None]
        sigma = torch.sqrt(sigma**2 + (error[:, :, None, None] * images) ** 2)
        keep = self._keep(n, rng)[:, :, None, None]
        signal = torch.where(keep, images / sigma, 0.0).nan_to_num().amax(1, keepdim=True)
        data = torch.where(keep, data, torch.nan)
        data = torch.where(self._holes(data, rng), torch.nan, data)
        known = torch.rand(n, generator=rng) < self.known_redshift
        relations = torch.rand(n, generator=rng) < self.relations
        relations = torch.ones_like(relations) if usual is None else relations | usual
        told = torch.where(known, redshift, torch.nan)
        return Seen(data, sigma, truth, told, relations.float(), signal)

    def _keep(self, n: int, rng: torch.Generator) -> torch.Tensor:
        """Which bands each image is left with, shape (n, 5)."""
        weights = torch.tensor([weight for _, weight in self.subsets])
        keep = torch.stack([_letters(letters) for letters, _ in self.subsets])[
            torch.multinomial(weights, n, replacement=True, generator=rng)
        ]
        anything = torch.rand(n, 5, generator=rng) < 0.5
        anything[torch.arange(n), torch.randint(0, 5, (n,), generator=rng)] = True
        return torch.where(keep.any(1, keepdim=True), keep, anything)

    def _holes(self, data: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """Discs that are masked in all bands, shape (n, 1, size, size)."""
        n, _, ny, nx = data.shape
        holes = torch.zeros(n, 1, ny, nx, dtype=torch.bool)
        y, x = torch.arange(ny)[:, None], torch.arange(nx)[None]
        for i in torch.nonzero(torch.rand(n, generator=rng) < self.masked)[:, 0].tolist():
            for x0, y0, r in torch.rand(
                int(torch.randint(1, 5, (), generator=rng)), 3, generator=rng
            ).tolist():
                holes[i, 0] |= (x - x0 * nx) ** 2 + (y - y0 * ny) ** 2 < (
                    (0.01 + 0.07 * r**2) * nx
                ) ** 2
        return holes


def survey_sigma(images: torch.Tensor, pixel_arcsec: torch.Tensor) -> torch.Tensor:
    """SDSS's noise on noiseless images (`mocks.surveys.sigma`), MJy/sr."""
    depths = [DEPTHS[band] for band in UGRIZ]
    base = torch.tensor([d.noise * d.pixel for d in depths])[None] / pixel_arcsec[:, None].float()
    sky = torch.tensor([d.sky for d in depths])[None, :, None, None]
    return base[:, :, None, None] * torch.sqrt(1 + images.clamp(min=0) / sky)


def bin_truth(truth: torch.Tensor) -> torch.Tensor:
    """Scaled true maps of pixels averaged 2 x 2: surface densities are, ages weighted by mass."""
    units = torch.tensor([t.unit for t in TARGETS.values()])[:, None, None] * 2.302585
    linear = torch.exp(truth * units)
    weight = torch.where(torch.isfinite(linear[:, _MASS]), linear[:, _MASS], 0.0)
    linear[:, _AGE] *= weight
    some = functional.avg_pool2d(torch.isfinite(linear).float(), 2)
    mean = functional.avg_pool2d(linear.nan_to_num(0.0), 2)
    mean[:, _AGE] /= functional.avg_pool2d(weight[:, None], 2)[:, 0]
    return torch.where(some > 0, torch.log(mean) / units, torch.nan)


def _letters(letters: str) -> torch.Tensor:
    """Which of ugriz letters name; none for a word."""
    named = set(letters) <= set("ugriz")
    return torch.tensor([named and band[-1] in letters for band in UGRIZ])


def _uniform(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=rng)


def _turned(rng: torch.Generator, *planes: Any) -> list[Any]:
    """Batches of which each image is turned by right angles and mirrored in a way of its own, the
    same in all batches; None stays.

    Images that are all turned one way pull a network to one side, and its maps with it.
    """
    n = len(planes[0])
    turns = torch.randint(0, 4, (n,), generator=rng).tolist()
    mirror = (torch.rand(n, generator=rng) < 0.5).tolist()

    def turned(plane: torch.Tensor, turn: int, mirrored: bool) -> torch.Tensor:
        plane = torch.rot90(plane, turn, (1, 2))
        return plane.transpose(1, 2) if mirrored else plane

    return [
        plane
        if plane is None
        else torch.stack([turned(*each) for each in zip(plane, turns, mirror, strict=True)])
        for plane in planes
    ]


def _smooth(noise: torch.Tensor, width: float) -> torch.Tensor:
    """White noise shared among neighbours by a Gaussian of `width` pixels; its rms stays."""
    reach = max(1, int(3 * width + 0.5))
    x = torch.arange(-reach, reach + 1).float()
    line = torch.exp(-(x**2) / (2 * width**2))
    line = line / line.square().sum().sqrt()
    channels = noise.shape[1]
    padded = functional.pad(noise, [reach] * 4, mode="circular")
    rows = functional.conv2d(
        padded, line[None, None, :, None].expand(channels, 1, -1, 1), groups=channels
    )
    return functional.conv2d(
        rows, line[None, None, None].expand(channels, 1, 1, -1), groups=channels
    )


def pixel_weights(
    truth: torch.Tensor,
    signal: torch.Tensor | None = None,
    floor: float = 0.05,
    power: float = 0.3,
) -> torch.Tensor:
    """How much each pixel of scaled true maps teaches: more where there is mass, next to nothing
    where nothing can be seen; each image the same in all.

    Parameters
    ----------
    truth : Tensor, shape (n, 7, size, size)
    signal : Tensor, shape (n, 1, size, size), optional
        `Seen.signal`; most of an image of a small galaxy is sky, which would teach it noise.
    floor, power : float
        Least weight of a pixel, and the power of the mass that the weight goes with.

    Returns
    -------
    Tensor, shape (n, 1, size, size)
        With a mean of 1 over each image.
    """
    mass = truth[:, _MASS : _MASS + 1].nan_to_num(-1.0)
    peak = mass.amax(dim=(2, 3), keepdim=True)
    unit = TARGETS["LOG_SIGMA_STAR"].unit * 2.302585
    weight = torch.exp((mass - peak) * unit * power).clamp(min=floor)
    if signal is not None:
        weight = weight * (signal / _SEEN).clamp(_UNSEEN, 1)
    return weight / weight.mean(dim=(2, 3), keepdim=True)
