"""Makes a model of a network that a person trained: assembled, with a card that says what it was
trained on and how it did, and written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.card import CardTable, ModelCard
from ...models.stellar_unet.calibration import Calibration
from ...models.stellar_unet.library import Library
from ...models.stellar_unet.model import StellarUNet
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from ...progress import Progress, Steps
from ..model_files import write_model
from ..stellar_unet.assemble_model import assemble_steps
from ..stellar_unet.calibrate_uncertainty import calibrate_steps
from ..stellar_unet.fit_colour_cloud import fit_cloud
from ..stellar_unet.stellar_card import NAME, base_card, network_in_words

if TYPE_CHECKING:
    from ...models.stellar_unet.network import UNet
    from ..datasets.image_truth_pairs import Pairs
    from ..stellar_unet.fit_files import FitSettings

_CLOUD_PIXELS = 50_000


@dataclass(frozen=True)
class Origin:
    """What a model came of.

    Attributes
    ----------
    trained_on : str
        What it was trained on, with the command.
    start : str
        The model that it was fine-tuned from; else empty.
    imf : str
        Of the truths' masses.
    own : bool
        Whether it was trained on a person's own pairs, not on mocks.
    """

    trained_on: str
    start: str = ""
    imf: str = "Chabrier"
    own: bool = False


def finish_steps(
    network: UNet,
    settings: FitSettings,
    train: Pairs,
    validation: Pairs,
    test: Pairs | None,
    origin: Origin,
    out: Path,
    log: list[dict[str, Any]],
    device: str = "cpu",
    library: int = 3000,
    mocks: Pairs | None = None,
) -> Steps[StellarUNet]:
    """Assemble a model and write weights, card and registry entry to a folder, from which
    `load_model` takes it.

    Parameters
    ----------
    network : UNet
        As `fit_steps` returned it.
    settings : FitSettings
    train, validation, test : Pairs
        Errors in the card are of the test, which training never saw; where there is none, of the
        validation.
    origin : Origin
    out : Path
    log : list of dict
        The fit's ``log.jsonl``.
    device : str
        Where errors are measured.
    library : int
        Mocks to keep for comparison, where it was trained on mocks.
    mocks : Pairs, optional
        Out of which they are; by default of `train`.
    """
    from ..stellar_unet.fit_network import validate

    measured = validate(network, settings.make_head(), test or validation, settings, device)
    network = network.cpu()
    card = make_card(
        settings, origin, network, train, test or validation, measured, log, tested=test is not None
    )
    if origin.own:
        model = yield from _assemble_own_steps(network, settings, train, validation, card)
    else:
        model = yield from assemble_steps(
            network, settings.head, train, validation, card, library, mocks=mocks
        )
    write_model(model, "unet", out)
    return model


def make_card(
    settings: FitSettings,
    origin: Origin,
    network: UNet,
    train: Pairs,
    held: Pairs,
    measured: dict[str, Any],
    log: list[dict[str, Any]],
    tested: bool,
) -> ModelCard:
    """The card of a person's own training: what it was trained on, and what was measured, which is
    little.
    """
    steps = (
        f"{log[-1]['step']:,} batches of {settings.batch_pixels:,} pixels, "
        f"{log[-1]['seconds'] / 60:.0f} minutes."
        if log
        else ""
    )
    recipe = f"{origin.trained_on} {steps}".strip()
    card = base_card(settings, recipe, network_in_words(network, settings), train)
    properties = tuple(name for name in STELLAR_PROPERTIES if name in measured["rmse"])
    which = "test" if tested else "validation"
    sources = card.sources
    if origin.own:
        sources = (card.sources[0], "Images and truths: those of the person who trained it.")
    return replace(
        card,
        name=NAME,
        version="own",
        licence="that of whoever trained it",
        imf=origin.imf,
        about=f"{card.about} Fine-tuned from {origin.start}." if origin.start else card.about,
        properties=properties,
        how_scored=_how_scored(which, len(held)),
        tables=(_table_of_pixels(which, measured, properties),),
        do_not_trust=_doubts(card, origin, properties, len(train)),
        sources=sources,
    )


def _how_scored(which: str, n_galaxies: int) -> str:
    """On which set, "test" or "validation", and how."""
    stopped = "; the network was stopped, and its uncertainties calibrated, on this set"
    return (
        f"On the {which} set alone ({n_galaxies:,} galax{'y' if n_galaxies == 1 else 'ies'}), "
        "pixels weighted as in training (the brighter ones more), in the bands, with the noise and "
        f"the masks that training draws{'' if which == 'test' else stopped}. "
        "It was not compared with anything else."
    )


def _table_of_pixels(
    which: str, measured: dict[str, Any], properties: tuple[str, ...]
) -> CardTable:
    rows = tuple(
        (name, f"{measured['rmse'][name]:.3f}", f"{100 * measured['coverage'][name]:.0f}")
        for name in properties
    )
    return CardTable(
        f"Pixels of the {which} set",
        "Root mean square error in dex (of the logarithm of the age), and per cent of pixels "
        "within the network's own sigma before it was calibrated on the validation set.",
        ("property", "RMSE", "within 1 sigma"),
        rows,
    )


def _doubts(
    card: ModelCard, origin: Origin, properties: tuple[str, ...], n_galaxies: int
) -> tuple[str, ...]:
    """Where not to trust it."""
    if not origin.own:
        return (
            "On real images, as it stands: it was trained on mock galaxies alone, and was compared "
            "with no real one. PICASSO warns of the same for networks trained on simulations.",
            *card.do_not_trust[1:],
        )
    doubts = (
        f"On galaxies or images unlike the {n_galaxies:,} galaxies that it was trained on: of "
        "other surveys, distances, kinds.",
        "Beyond what the truths know: their errors and their assumptions were learnt with them.",
        "Where only some bands are given: the errors are for the bands that training draws.",
        "Sums: errors of neighbouring pixels are shared; the error of a sum is close to that of "
        "its pixels.",
    )
    lost = [name for name in STELLAR_PROPERTIES if name not in properties]
    if origin.start and lost:
        return (*doubts, f"{', '.join(lost)}: the truths have none, so they are left out.")
    return doubts


def _assemble_own_steps(
    network: UNet, settings: FitSettings, train: Pairs, validation: Pairs, card: ModelCard
) -> Steps[StellarUNet]:
    """As `assemble_steps`, for galaxies that are no mocks: no library, and a cloud of the bands
    that there are.
    """
    import torch

    from ...models.stellar_unet.network import fuse

    bare = fuse(network).to(memory_format=torch.channels_last)
    shape: dict[str, Any] = {**network.shape, "head": settings.head}
    deepest = network.widths[-1]
    nothing = np.zeros(0, np.int64)
    none = Library(np.zeros((0, 1)), np.zeros(deepest), np.zeros((deepest, 1)), nothing, nothing)
    cloud = fit_cloud(train, validation, settings.seed, _CLOUD_PIXELS, noise=1.0)
    yield Progress("assemble", 1, 2, "the training set's colours")
    model = StellarUNet(bare, shape, Calibration.none(len(STELLAR_PROPERTIES)), cloud, none, card)
    taught = np.array([name in card.properties for name in STELLAR_PROPERTIES])
    calibration = yield from calibrate_steps(model, [validation], all_counts=False)
    calibration = calibration.only(taught)
    yield Progress("assemble", 2, 2, "uncertainties calibrated")
    return replace(model, calibration=calibration)
