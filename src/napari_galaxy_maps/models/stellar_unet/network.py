"""A U-Net (Ronneberger+ 2015) as PICASSO's (Buck & Wolf 2021, Sect. 3), and one that is shown its
image at every level: depth 4, bilinear upsampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

STRIDE = 16
"""Sides of images must be multiples of this: four levels, each of half the pixels."""
HALO = 128
"""Pixels around a pixel, a multiple of `STRIDE`, beyond which nothing has an influence on it."""
PICASSO_WIDTHS = (64, 128, 256, 512, 1024)
"""Channels by level of the published network."""


class _Pair(nn.Sequential):
    """Two 3 x 3 convolutions, each with a normalisation that training alone sees (`fuse` takes it
    into the weights).
    """

    def __init__(self, inputs: int, outputs: int, normalised: bool) -> None:
        layers: list[nn.Module] = []
        for n in (inputs, outputs):
            layers.append(nn.Conv2d(n, outputs, 3, padding=1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class UNet(nn.Module):
    """A U-Net of depth 4.

    Parameters
    ----------
    inputs, outputs : int
        Channels of the images and of the maps.
    widths : sequence of int
        Channels of the five levels, from the finest.
    hidden : int
        Channels of a layer between the finest level and the maps; 0: none, as PICASSO's.
    normalised : bool
        Whether convolutions are followed by a batch normalisation; `fuse` makes a network without
        it of one with it.
    pyramid : bool
        Whether each coarser level is given the image in its own pixels beside the mean of the finer
        level's features; else, as PICASSO's, the largest of the finer level's features alone.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        widths: Sequence[int],
        hidden: int = 0,
        normalised: bool = True,
        pyramid: bool = True,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.widths, self.hidden, self.pyramid = tuple(widths), hidden, pyramid
        coarser = [n + inputs if pyramid else n for n in widths[:-1]]
        self.down = nn.ModuleList(
            _Pair(n, width, normalised) for n, width in zip((inputs, *coarser), widths, strict=True)
        )
        self.up = nn.ModuleList(
            _Pair(deep + width, width, normalised)
            for deep, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        last = [nn.Conv2d(widths[0], hidden, 1), nn.ReLU(inplace=True)] if hidden else []
        self.head = nn.Sequential(*last, nn.Conv2d(hidden or widths[0], outputs, 1))

    @property
    def shape(self) -> dict[str, Any]:
        """What makes another like it: `widths`, `hidden`, `pyramid`."""
        return {"widths": list(self.widths), "hidden": self.hidden, "pyramid": self.pyramid}

    @property
    def normalised(self) -> bool:
        """Whether it has normalisations."""
        return any(isinstance(layer, nn.BatchNorm2d) for layer in self.modules())

    def like(self, normalised: bool) -> UNet:
        """A network of the same shape with weights of its own."""
        return UNet(self.inputs, self.outputs, normalised=normalised, **self.shape)

    def forward(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """Maps of images, given in the pixels of each level; the sides of the finest are multiples
        of `STRIDE`.
        """
        return cast(torch.Tensor, self.head(self.features(images)))

    def features(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """What the maps of each pixel are made of by `head`: the features of the finest level."""
        return self._decode(*self.encode(images))

    def encode(self, images: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], torch.Tensor]:
        """What the finer levels hand across, and the features of the coarsest (the bottleneck)."""
        features = self.down[0](images[0])
        across = [features]
        for pair, image in zip(self.down[1:], images[1:], strict=True):
            if self.pyramid:
                features = pair(torch.cat([functional.avg_pool2d(features, 2), image], 1))
            else:
                features = pair(functional.max_pool2d(features, 2))
            across.append(features)
        return across[:-1], features

    def _decode(self, across: list[torch.Tensor], features: torch.Tensor) -> torch.Tensor:
        """The finest level's features, of what `encode` returned."""
        for pair, level in zip(self.up, reversed(across), strict=True):
            finer = functional.interpolate(
                features, scale_factor=2, mode="bilinear", align_corners=False
            )
            features = pair(torch.cat([level, finer], 1))
        return features


def fuse(network: UNet) -> UNet:
    """A network without normalisations that gives the same maps; a copy of one that has none."""
    fused = network.like(normalised=False)
    if not network.normalised:
        fused.load_state_dict(network.state_dict())
        return fused.eval()
    for pair, bare in zip([*network.down, *network.up], [*fused.down, *fused.up], strict=True):
        layers = list(cast(nn.Sequential, pair))
        for k in range(2):
            conv = cast(nn.Conv2d, layers[3 * k])
            made = nn.utils.fuse_conv_bn_eval(
                conv.eval(), cast(nn.BatchNorm2d, layers[3 * k + 1]).eval()
            )
            cast(nn.Sequential, bare)[2 * k].load_state_dict(made.state_dict())
    fused.head.load_state_dict(network.head.state_dict())
    return fused.eval()
