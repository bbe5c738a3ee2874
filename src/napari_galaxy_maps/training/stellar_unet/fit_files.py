"""Settings and state of a fit of the U-Net, and the files that keep them: settings, weights,
checkpoints.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ...exceptions import InputError
from ...fits_io.safe_writing import written_whole
from ...models.stellar_unet.inputs import N_CHANNELS
from ...models.stellar_unet.network import UNet
from ...models.stellar_unet.output_head import Head
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from .observing_conditions import ObservingConditions


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit.

    Attributes
    ----------
    steps : int
        Batches in all.
    batch_pixels : int
        Pixels of a batch; larger images come in smaller numbers.
    rate, decay : float
        Largest learning rate of AdamW (warmed up, then falling as a cosine), and weight decay.
    widths, hidden, pyramid, head : as `UNet` and `Head`
    sums : float
        Weight of the loss of sums inside 2 R_half and beyond (`sums_loss`) beside that of the
        pixels.
    share : float
        Of an image's pixels, drawn anew for each batch, for which maps are made: a last layer that
        is large need not say all.
    normalised : bool
    average : float
        Of the exponential mean of the weights that is kept.
    check_every : int
        Steps between validations, each with a checkpoint.
    patience : int
        Validations without improvement after which to stop early; 0: never.
    frozen : int
        Levels, from the finest, whose weights down the network stay as they are (fine-tuning).
    seed : int
    seen : ObservingConditions
    """

    steps: int = 20_000
    batch_pixels: int = 32 * 64 * 64
    rate: float = 2e-3
    decay: float = 1e-4
    widths: tuple[int, ...] = (16, 32, 64, 192, 384)
    hidden: int = 32
    pyramid: bool = True
    head: str = "gaussian"
    sums: float = 0.15
    share: float = 1.0
    normalised: bool = True
    average: float = 0.998
    check_every: int = 500
    patience: int = 0
    frozen: int = 0
    seed: int = 0
    seen: ObservingConditions = field(default_factory=ObservingConditions)

    def make_head(self) -> Head:
        """The head."""
        return Head(kind=self.head, maps=len(STELLAR_PROPERTIES))  # type: ignore[arg-type]

    def make_network(self) -> UNet:
        """The network, with weights from the seed."""
        torch.manual_seed(self.seed)
        return UNet(
            N_CHANNELS,
            self.make_head().outputs,
            self.widths,
            self.hidden,
            self.normalised,
            self.pyramid,
        )


@dataclass(frozen=True)
class State:
    """How far a fit is: steps done, best score, validations since it, seconds that it took."""

    done: int = 0
    best: float = float("inf")
    since: int = 0
    seconds: float = 0.0


def read_settings(folder: Path) -> FitSettings:
    """The settings that a fit left in its folder.

    Raises
    ------
    InputError
        When there are none.
    """
    try:
        tree = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        seen = tree.pop("seen")
        seen["subsets"] = tuple((letters, share) for letters, share in seen["subsets"])
        seen["noise"] = tuple(seen["noise"])
        return FitSettings(
            **{**tree, "widths": tuple(tree["widths"]), "seen": ObservingConditions(**seen)}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} holds no fit ({error}).") from None


def save_network(path: Path, network: UNet) -> None:
    """Write weights as safetensors."""
    from safetensors.torch import save_file

    with written_whole(path, overwrite=True) as beside:
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, beside)


def load_network(path: Path, settings: FitSettings) -> UNet:
    """The network whose weights `save_network` wrote.

    Raises
    ------
    InputError
        When there is none, or it is of other settings.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = settings.make_network()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InputError(
            f"{path} holds no weights of such a network ({str(error).splitlines()[0]})."
        ) from None
    return network.eval()


def save_checkpoint(
    path: Path,
    network: UNet,
    optimizer: torch.optim.Optimizer,
    mean: dict[str, torch.Tensor],
    state: State,
) -> None:
    """Write all that a fit needs to go on, as safetensors."""
    from safetensors.torch import save_file

    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    tensors |= {f"mean.{key}": value for key, value in mean.items()}
    for k, moments in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{k}.{key}": torch.as_tensor(value) for key, value in moments.items()
        }
    tensors = {key: value.contiguous().clone() for key, value in tensors.items()}
    about = {key: repr(value) for key, value in asdict(state).items()}
    with written_whole(path, overwrite=True) as beside:
        save_file(tensors, beside, metadata=about)


def load_checkpoint(
    path: Path, network: UNet, optimizer: torch.optim.Optimizer, mean: dict[str, torch.Tensor]
) -> State:
    """Take up what `save_checkpoint` wrote.

    Raises
    ------
    InputError
        When there is no checkpoint, or it is of another network.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (not a mapping)
        since, seconds = int(about.get("since", 0)), float(about.get("seconds", 0))
        found = State(int(about["done"]), float(about["best"]), since, seconds)
        network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network.")})
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} is no checkpoint of this network ({str(error).splitlines()[0]}); start "
            "without --resume."
        ) from None
    for key, value in mean.items():
        value.copy_(tensors[f"mean.{key}"])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            form = (
                torch.channels_last if value.ndim == 4 else torch.contiguous_format
            )  # as that of the weights
            state.setdefault(int(index), {})[name] = value.contiguous(memory_format=form)
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return found
