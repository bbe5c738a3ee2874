"""Fits a U-Net to pairs of images and true maps: batches, schedule, mixed precision, checkpoints,
early stop, and a log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...exceptions import InputError, ModelError
from ...models.stellar_unet.inputs import N_CHANNELS, encode
from ...models.stellar_unet.network import UNet
from ...models.stellar_unet.output_head import Head
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from ...progress import Progress, Steps
from .observing_conditions import ObservingConditions, pixel_weights
from .sums_loss import sums_loss

if TYPE_CHECKING:
    from ..datasets.image_truth_pairs import Pairs


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


def fit_steps(
    sets: Sequence[Pairs],
    validation: Pairs,
    out: Path,
    settings: FitSettings,
    device: str = "cpu",
    resume: bool = False,
    start: UNet | None = None,
) -> Steps[UNet]:
    """Fit a network, yielding after every ten batches; closed between them, it leaves a checkpoint
    of where it stands.

    Parameters
    ----------
    sets : sequence of Pairs
        Each may have images of another size; chosen in proportion to their pixels.
    validation : Pairs
        Never trained on.
    out : Path
        Folder for ``checkpoint.safetensors``, ``best.safetensors``, ``settings.json`` and
        ``log.jsonl``.
    settings : FitSettings
    device : str
    resume : bool
        Whether to go on from the folder's checkpoint; the result is that of a fit that was never
        interrupted.
    start : UNet, optional
        Weights to start from, in place of the seed's.

    Returns
    -------
    UNet
        With the mean weights of the best validation.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "settings.json").write_text(
            json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise InputError(
            f"{out} cannot be written ({error.strerror}); choose another folder."
        ) from None
    network, head = settings.make_network(), settings.make_head()
    if start is not None:
        network.load_state_dict(start.state_dict())
    network = network.to(device, memory_format=torch.channels_last)
    for pair in network.down[: settings.frozen]:
        pair.requires_grad_(False)
    learning = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=settings.rate, weight_decay=settings.decay)
    mean = {key: value.detach().clone() for key, value in network.state_dict().items()}
    checkpoint = out / "checkpoint.safetensors"
    state = load_checkpoint(checkpoint, network, optimizer, mean) if resume else State()
    done, best, since, before = state.done, state.best, state.since, state.seconds
    began: float = time.monotonic()
    losses: list[float] = []
    while done < settings.steps and not (settings.patience and since >= settings.patience):
        rng = torch.Generator().manual_seed(
            settings.seed * 1_000_003 + done
        )  # so that a resumed fit sees the same batches
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(done, settings.steps)
        network.train()
        for pair in network.down[: settings.frozen]:
            pair.eval()  # means and variances of a normalisation are to stay, too
        losses.append(
            _step(network, head, optimizer, settings, *_batch(sets, settings, rng), device, rng)
        )
        done += 1
        _average(mean, network, min(settings.average, (1 + done) / (10 + done)))
        if done % settings.check_every == 0 or done == settings.steps:
            loss = float(np.mean(losses[-settings.check_every :]))
            if not np.isfinite(loss):
                raise ModelError(
                    f"Training ran away after {done} steps (the loss is not finite); choose a "
                    "smaller rate."
                )
            found = validate(_with(network, mean), head, validation, settings, device)
            seconds = before + time.monotonic() - began
            row = {"step": done, "seconds": round(seconds, 1), "loss": loss, **found}
            with (out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")
            since = 0 if found["score"] < best else since + 1
            if found["score"] < best:
                best = found["score"]
                save_network(out / "best.safetensors", _with(network, mean))
            save_checkpoint(checkpoint, network, optimizer, mean, State(done, best, since, seconds))
            report = Progress("fit", done, settings.steps, in_words(row))
        elif done % 10 == 0:
            report = Progress("fit", done, settings.steps, f"loss {np.mean(losses[-10:]):.4f}")
        else:
            continue
        try:
            yield report
        except GeneratorExit:
            seconds = before + time.monotonic() - began
            save_checkpoint(checkpoint, network, optimizer, mean, State(done, best, since, seconds))
            raise
    if not np.isfinite(best):
        raise InputError(
            "The validation set has no pixel with a truth; give other galaxies, or more of them."
        )
    return load_network(out / "best.safetensors", settings)


def _schedule(done: int, steps: int) -> float:
    """Share of the learning rate: warmed up over 3 % of the steps, then a cosine down to 1 %."""
    warm = max(1, int(0.03 * steps))
    part = (done - warm) / max(1, steps - warm)
    return (
        (done + 1) / warm if done < warm else 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * part)))
    )


def _batch(
    sets: Sequence[Pairs], settings: FitSettings, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Data, sigma, truth and redshift of a batch from one of the sets."""
    weights = torch.tensor([float(len(s)) * s.size**2 for s in sets])
    chosen = sets[int(torch.multinomial(weights, 1, generator=rng))]
    n = max(1, settings.batch_pixels // chosen.size**2)
    rows = np.sort(torch.randint(0, len(chosen), (n,), generator=rng).numpy())
    images, truth, pixel, redshift, own = _rows(chosen, rows)
    return settings.seen.observe(images, truth, pixel, redshift, rng, own)


def _rows(
    pairs: Pairs, rows: np.ndarray | slice
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Images, true maps, pixel sizes, redshifts and errors, if there are any, of some galaxies."""
    images, truth = (
        torch.from_numpy(np.array(planes[rows], np.float32))
        for planes in (pairs.images, pairs.truth)
    )
    pixel, redshift = (
        torch.from_numpy(pairs.table[c][rows].astype(np.float32))
        for c in ("pixel_arcsec", "redshift")
    )
    own = None if pairs.sigma is None else torch.from_numpy(np.array(pairs.sigma[rows], np.float32))
    return images, truth, pixel, redshift, own


def _step(
    network: UNet,
    head: Head,
    optimizer: torch.optim.Optimizer,
    settings: FitSettings,
    data: torch.Tensor,
    sigma: torch.Tensor,
    truth: torch.Tensor,
    redshift: torch.Tensor,
    device: str,
    rng: torch.Generator,
) -> float:
    """One step down the gradient; returns the loss."""
    data, sigma, truth, redshift = (plane.to(device) for plane in (data, sigma, truth, redshift))
    inputs = encode(data, sigma, redshift)
    weights = pixel_weights(truth)
    with mixed_precision(device):
        features = network.features(inputs)
        if settings.share < 1:
            features, truth, weights = _some_pixels(settings.share, rng, features, truth, weights)
        outputs = network.head(features)
    loss = (head.loss(outputs.float(), truth) * weights).mean()
    if settings.sums:
        loss = loss + settings.sums * sums_loss(head.read(outputs.float())[0], truth)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _some_pixels(share: float, rng: torch.Generator, *planes: torch.Tensor) -> list[torch.Tensor]:
    """The same pixels of batches of shape (n, ..., ny, nx), drawn at random, as shape (n, ...,
    n_pixels, 1).
    """
    count = planes[0].shape[-2] * planes[0].shape[-1]
    chosen = torch.randperm(count, generator=rng)[: max(1, round(share * count))].to(
        planes[0].device
    )
    return [plane.flatten(2)[:, :, chosen, None] for plane in planes]


def mixed_precision(device: str) -> AbstractContextManager[Any]:
    """Convolutions in bfloat16 where the device computes with it: CPUs, and NVIDIA's GPUs since
    Ampere; elsewhere float32.

    float16, which older GPUs and Apple's know, would need scaled losses, and gains little with
    networks of this size.
    """
    able = device == "cpu" or (
        device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    return torch.autocast(device, torch.bfloat16) if able else nullcontext()


def _average(mean: dict[str, torch.Tensor], network: UNet, share: float) -> None:
    """Move the exponential mean of the weights towards the network's."""
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                mean[key].lerp_(value, 1 - share)
            else:
                mean[key].copy_(value)


def _with(network: UNet, state: dict[str, torch.Tensor]) -> UNet:
    """A copy of a network with other weights, on the CPU, not to be trained."""
    copy = network.like(network.normalised)
    copy.load_state_dict({key: value.cpu() for key, value in state.items()})
    return copy.eval()


def validate(
    network: UNet,
    head: Head,
    validation: Pairs,
    settings: FitSettings,
    device: str = "cpu",
    limit: int = 400,
) -> dict[str, Any]:
    """Errors on galaxies that were not trained on, in all five bands and in whatever bands training
    leaves.

    Returns
    -------
    dict
        ``"rmse"`` and ``"coverage"`` (share within 1 sigma) by property that the truth has, in dex
        over pixels weighted as in training, and ``"score"``: the mean negative log likelihood of a
        Gaussian, in scaled units.
    """
    network = network.to(device).eval()
    scores, (squares, inside, weight_sum) = [], torch.zeros(3, head.maps, device=device)
    for k, start in enumerate(range(0, min(limit, len(validation)), 32)):
        rows = slice(start, min(start + 32, len(validation)))
        rng = torch.Generator().manual_seed(77 + start)
        images, truth, pixel, redshift, own = _rows(validation, rows)
        seen = (
            replace(settings.seen, binned=0.0, subsets=(("ugriz", 1.0),))
            if k % 2 == 0
            else replace(settings.seen, binned=0.0)
        )
        data, sigma, truth, redshift = (
            t.to(device) for t in seen.observe(images, truth, pixel, redshift, rng, own)
        )
        with torch.inference_mode(), mixed_precision(device):
            outputs = network(encode(data, sigma, redshift)).float()
        weights = pixel_weights(truth)
        value, spread = head.read(outputs)
        miss = value - truth
        known = torch.isfinite(miss) * weights
        surprise = 0.5 * (miss.nan_to_num() / spread) ** 2 + spread.log()
        if known.sum() > 0:
            scores.append(float((known * surprise).sum() / known.sum()))
        if k % 2 == 0:
            squares = squares + (known * miss.nan_to_num() ** 2).sum((0, 2, 3))
            inside = inside + (known * (miss.nan_to_num().abs() < spread)).sum((0, 2, 3))
            weight_sum = weight_sum + known.sum((0, 2, 3))
    units = torch.tensor([t.unit for t in TARGETS.values()])
    rmse = (squares / weight_sum).sqrt().cpu() * units
    coverage = (inside / weight_sum).cpu()
    known_properties = [(i, name) for i, name in enumerate(STELLAR_PROPERTIES) if weight_sum[i] > 0]
    return {
        "score": float(np.mean(scores)) if scores else float("inf"),
        "rmse": {name: round(float(rmse[i]), 4) for i, name in known_properties},
        "coverage": {name: round(float(coverage[i]), 3) for i, name in known_properties},
    }


def in_words(row: dict[str, Any]) -> str:
    """A line of the log in words."""
    errors = " ".join(
        f"{name.removeprefix('LOG_SIGMA_').removesuffix('_STAR')} {value:.3f}"
        for name, value in row["rmse"].items()
    )
    return (
        f"{row['seconds']:.0f} s, loss {row['loss']:.4f}, validation {row['score']:.4f}, dex: "
        f"{errors}"
    )


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
    """Write weights as safetensors, beside their place first."""
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, part)
    part.replace(path)


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
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={key: repr(value) for key, value in asdict(state).items()})
    part.replace(path)


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
