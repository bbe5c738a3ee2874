"""Makes a model of a fitted network: its uncertainties calibrated, its training cloud, its library
of mock galaxies, its domain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.card import ModelCard
from ...models.stellar_unet.calibration import Calibration
from ...models.stellar_unet.colour_cloud import ColourCloud
from ...models.stellar_unet.library import Library
from ...models.stellar_unet.model import StellarUNet
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...progress import Progress, Steps
from ..datasets.mock_cubes import noisy_cube
from .calibrate_uncertainty import calibrate_steps
from .fit_colour_cloud import fit_cloud
from .fit_domain import HELD, KNOWN, fit_domain_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...models.stellar_unet.network import UNet
    from ..datasets.image_truth_pairs import Pairs

_FEATURES = 24


def assemble_steps(
    network: UNet,
    head: str,
    train: Pairs,
    validation: Pairs,
    card: ModelCard,
    library: int = 3000,
    seed: int = 0,
    held: Sequence[Pairs] = (),
    mocks: Pairs | None = None,
) -> Steps[StellarUNet]:
    """Make a model of a network, yielding between the parts of the work.

    Parameters
    ----------
    network : UNet
        As `fit_network.fit_steps` returns it.
    head : str
        Its kind (`models.stellar_unet.output_head.Head`).
    train, validation : Pairs
        The cloud and the library are made of the first, the cloud's limits of the second.
    card : ModelCard
    library : int
        Mock galaxies to keep for comparison.
    seed : int
    held : sequence of Pairs
        To calibrate with, one set for each pixel size; without any the validation set.
    mocks : Pairs, optional
        For the library; by default those of `train`. Painted images are in none: the library's
        galaxies are made again to be shown.
    """
    cloud = fit_cloud(train, validation, seed)
    yield Progress("assemble", 1, 4, "the training set's colours")
    model = bare_model(network, head, card, cloud)
    calibration = yield from calibrate_steps(model, held or [validation])
    model = replace(model, calibration=calibration)
    yield Progress("assemble", 2, 4, "uncertainties calibrated")
    kept = yield from make_library_steps(model, (mocks or train).take(slice(0, library)))
    model = replace(model, library=kept)
    yield Progress("assemble", 3, 4, f"library of {len(model.library.seeds):,} mocks")
    sets = [train] if mocks is None or mocks is train else [train, mocks]
    few = 3 * sum(map(len, sets)), 3 * len(validation)
    domain = yield from fit_domain_steps(
        model, sets, [validation], seed, min(KNOWN, few[0]), min(HELD, few[1])
    )
    yield Progress("assemble", 4, 4, "domain of what it was trained on")
    return replace(model, domain=domain)


def bare_model(network: UNet, head: str, card: ModelCard, cloud: ColourCloud) -> StellarUNet:
    """A model of a network whose uncertainties are not calibrated, without a library; parameters
    are those of `assemble_steps`.
    """
    import torch

    from ...models.stellar_unet.network import fuse

    bare = fuse(network).to(memory_format=torch.channels_last)
    settings: dict[str, Any] = {**network.shape, "head": head}
    none = Library(
        *(np.zeros((0, 1)) for _ in range(3)), *(np.zeros(0, np.int64) for _ in range(2))
    )
    nothing = Calibration.none(len(STELLAR_PROPERTIES))
    return StellarUNet(bare, settings, nothing, cloud, none, card)


def make_library_steps(model: StellarUNet, mocks: Pairs) -> Steps[Library]:
    """The mocks by what the network sees in them, whitened; yields after every mock."""
    found = []
    for row in range(len(mocks)):
        found.append(model.features(noisy_cube(mocks, row)))
        yield Progress(
            "library", row + 1, len(mocks), f"library: mock {row + 1:,} of {len(mocks):,}"
        )
    averaged = np.stack(found)
    mean = averaged.mean(axis=0)
    _, size, axes = np.linalg.svd(averaged - mean, full_matrices=False)
    kept = min(_FEATURES, len(size))
    scale = np.maximum(size[:kept] / np.sqrt(len(mocks)), 1e-6 * size[0])
    turned = (axes[:kept] / scale[:, None]).T
    return Library(
        ((averaged - mean) @ turned).astype(np.float32),
        mean.astype(np.float32),
        turned.astype(np.float32),
        mocks.table["seed"].astype(np.int64),
        np.full(len(mocks), mocks.size, np.int64),
    )
