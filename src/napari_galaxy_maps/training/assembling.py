"""Makes a model of a fitted network: its uncertainties calibrated, its training cloud, its library of mock galaxies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError
from ..models.calibration import Calibration
from ..models.card import ModelCard
from ..models.cloud import CERTAIN, ColourCloud
from ..models.stellar_inputs import UGRIZ
from ..models.stellar_maps import STELLAR_PROPERTIES
from ..models.stellar_unet import Library, StellarUNet
from ..progress import Progress, Steps
from .calibrating import ORDER, calibrate
from .mock_cubes import noisy_cube

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.unet import UNet
    from .pairs import Pairs

FLAGGED = 0.005
"""Share of the validation set's pixels that are flagged as unlike the training set."""
_PARTS = 12
_FEATURES = 24
_DEEP = 0.1
"""Times SDSS's noise: the training set was seen with such noise, too, and coarse pixels have it."""


def assemble_steps(
    network: UNet,
    head: str,
    train: Pairs,
    validation: Pairs,
    card: ModelCard,
    library: int = 3000,
    seed: int = 0,
    held: Sequence[Pairs] = (),
) -> Steps[StellarUNet]:
    """Make a model of a network, yielding between the parts of the work.

    Parameters
    ----------
    network : UNet
        As `fitting.fit_steps` returns it.
    head : str
        Its kind (`models.heads.Head`).
    train, validation : Pairs
        The cloud and the library are made of the first, the cloud's limits of the second.
    card : ModelCard
    library : int
        Mock galaxies to keep for comparison.
    seed : int
    held : sequence of Pairs
        To calibrate with, one set for each pixel size; without any the validation set.
    """
    import torch

    from ..models.unet import fuse

    bare = fuse(network).to(memory_format=torch.channels_last)
    settings: dict[str, Any] = {**network.shape, "head": head}
    none = Library(*(np.zeros((0, 1)) for _ in range(3)), *(np.zeros(0, np.int64) for _ in range(2)))
    cloud = fit_cloud(train, validation, seed)
    yield Progress("assemble", 1, 3, "the training set's colours")
    model = StellarUNet(bare, settings, Calibration.none(len(STELLAR_PROPERTIES)), cloud, none, card)
    model = replace(model, calibration=calibrate(model, held or [validation]))
    yield Progress("assemble", 2, 3, "uncertainties calibrated")
    model = replace(model, library=make_library(model, train.take(slice(0, library))))
    yield Progress("assemble", 3, 3, f"library of {len(model.library.seeds):,} mocks")
    return model


def fit_cloud(train: Pairs, validation: Pairs, seed: int = 0, pixels: int = 100_000) -> ColourCloud:
    """A mixture of Gaussians over the brightnesses of the training set's pixels; its limits from the validation set."""
    from sklearn.mixture import GaussianMixture

    points = _bright_pixels(train, pixels, seed)
    mixture = GaussianMixture(_PARTS, random_state=seed, reg_covar=1e-3).fit(points)
    cloud = ColourCloud(mixture.means_, mixture.covariances_, np.full(len(UGRIZ), np.inf))
    held = _bright_pixels(validation, pixels // 2, seed).T
    # The limit for a number of bands is that of the first so many.
    order = [UGRIZ.index(f"SDSS_{letter}") for letter in ORDER]
    limits = []
    for n in range(1, len(UGRIZ) + 1):
        chosen = sorted(order[:n])
        limits.append(np.quantile(cloud.distance(held[chosen], chosen), 1 - FLAGGED))
    return replace(cloud, limits=np.array(limits))


def _bright_pixels(mocks: Pairs, count: int, seed: int) -> np.ndarray:
    """log10 brightness of pixels that are measured to 10 sigma in each band by a survey deeper than SDSS, shape (n, 5)."""
    rng = np.random.default_rng(seed)
    each = max(20, 3 * count // len(mocks))
    found = []
    for row in rng.permutation(len(mocks))[: max(1, count // 10)]:
        cube = noisy_cube(mocks, int(row), noise=_DEEP)
        flat, sigma = cube.data.reshape(len(UGRIZ), -1), cube.uncertainty.reshape(len(UGRIZ), -1)
        # Calibration errors are shared by a galaxy's pixels and do not count here.
        random = np.sqrt(np.maximum(sigma**2 - (0.02 * flat) ** 2, 1e-12))
        rows = np.flatnonzero((flat > CERTAIN * random).all(axis=0))
        if len(rows):
            found.append(np.log10(flat[:, rng.choice(rows, min(each, len(rows)), replace=False)]).T)
        if sum(len(f) for f in found) >= count:
            break
    if not found:
        raise InputError("No galaxy of the set is bright enough to tell what colours the model was trained on.")
    return np.concatenate(found)


def make_library(model: StellarUNet, mocks: Pairs) -> Library:
    """The mocks by what the network sees in them, whitened."""
    averaged = np.stack([model.features(noisy_cube(mocks, row)) for row in range(len(mocks))])
    mean = averaged.mean(axis=0)
    _, size, axes = np.linalg.svd(averaged - mean, full_matrices=False)
    kept = min(_FEATURES, len(size))
    scale = np.maximum(size[:kept] / np.sqrt(len(mocks)), 1e-6 * size[0])
    turned = (axes[:kept] / scale[:, None]).T
    return Library(
        ((averaged - mean) @ turned).astype(np.float32), mean.astype(np.float32), turned.astype(np.float32),
        mocks.table["seed"].astype(np.int64), np.full(len(mocks), mocks.size, np.int64),
    )  # fmt: skip
