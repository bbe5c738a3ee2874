"""Measures on the training mocks how bright pixels are in ugriz and how closely bands go together,
for `models.stellar_unet.model.inputs`.

python -m napari_galaxy_maps.training.stellar_unet.input_scale --sets FOLDER
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ...exceptions import GalaxyMapsError
from ...models.stellar_unet.inputs import REFERENCE
from ..datasets.image_truth_pairs import Pairs

USED = {"train64": 3000, "train128": 700}
"""Galaxies of each set of mocks (`training_sets.plan`)."""
BLOCKS = (1, 2, 4)
"""Pixels are averaged over so many by so many, as the network's levels are."""
_EACH = 60_000
_BRIGHT = 2.0
"""Times SDSS's noise in every band."""


def measure(sets: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of ln(2 brightness / `REFERENCE`) of noiseless bright pixels, shapes (5,)
    and (5, 5); the same number of pixels of each set and block.
    """
    import torch
    from torch.nn import functional

    from .observing_conditions import survey_sigma

    found = []
    for name, count in USED.items():
        mocks = Pairs.open(sets / name)
        images = torch.from_numpy(np.array(mocks.images[:count], np.float32))
        pixel = torch.from_numpy(mocks.table["pixel_arcsec"][:count].astype(np.float32))
        for block in BLOCKS:
            binned = functional.avg_pool2d(images, block)
            bright = (binned > _BRIGHT * survey_sigma(binned, pixel * block)).all(1)
            logs = (
                torch.log(2 * binned.clamp(min=1e-12) / REFERENCE)
                .permute(0, 2, 3, 1)[bright]
                .double()
            )
            found.append(
                logs[
                    torch.randperm(len(logs), generator=torch.Generator().manual_seed(seed))[:_EACH]
                ]
            )
    pixels = torch.cat(found).numpy()
    return pixels.mean(axis=0), np.cov(pixels.T)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", required=True, type=Path, help="folder of the sets of mocks")
    options = parser.parse_args(arguments)
    try:
        mean, covariance = measure(options.sets)
    except GalaxyMapsError as error:
        print(error, file=sys.stderr)
        return 2
    print("MEAN =", tuple(np.round(mean, 3).tolist()))
    print("COVARIANCE =", tuple(tuple(row) for row in np.round(covariance, 4).tolist()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
