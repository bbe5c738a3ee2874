"""Fits a U-Net to pairs of images and true maps: batches, schedule, mixed precision, checkpoints,
early stop, and a log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...exceptions import InputError, ModelError
from ...fits_io.safe_writing import write_text
from ...models.stellar_unet.inputs import encode
from ...models.stellar_unet.network import UNet
from ...models.stellar_unet.output_head import Head
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from ...progress import Progress, Steps
from .fit_files import (
    FitSettings,
    State,
    load_checkpoint,
    load_network,
    save_checkpoint,
    save_network,
)
from .observing_conditions import Seen, pixel_weights
from .sums_loss import sums_loss

if TYPE_CHECKING:
    from ..datasets.image_truth_pairs import Pairs


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
    fit = _Fit(sets, validation, out, settings, device, start)
    if resume:
        fit.resume()
    while not fit.finished:
        fit.train_batch()
        if fit.at_check:
            report = fit.check()
        elif fit.state.done % 10 == 0:
            report = f"loss {np.mean(fit.losses[-10:]):.4f}"
        else:
            continue
        try:
            yield Progress("fit", fit.state.done, settings.steps, report)
        except GeneratorExit:
            fit.save()
            raise
    return fit.best_network()


class _Fit:
    """A fit under way.

    Attributes
    ----------
    state : State
    losses : list of float
        Of the batches since it began or was resumed.
    """

    def __init__(
        self,
        sets: Sequence[Pairs],
        validation: Pairs,
        out: Path,
        settings: FitSettings,
        device: str,
        start: UNet | None,
    ) -> None:
        self._sets, self._validation, self._device = sets, validation, device
        self._out, self._settings = out, settings
        text = json.dumps(asdict(settings), indent=1) + "\n"
        write_text(out / "settings.json", text, overwrite=True)
        network = settings.make_network()
        if start is not None:
            network.load_state_dict(start.state_dict())
        self._network = network.to(device, memory_format=torch.channels_last)
        self._head = settings.make_head()
        for pair in self._frozen:
            pair.requires_grad_(False)
        learning = [p for p in self._network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learning, lr=settings.rate, weight_decay=settings.decay)
        weights = self._network.state_dict()
        self._mean = {key: value.detach().clone() for key, value in weights.items()}
        self.state = State()
        self.losses: list[float] = []
        self._began = time.monotonic()

    @property
    def _frozen(self) -> Sequence[torch.nn.Module]:
        """Levels whose weights stay as they are."""
        return self._network.down[: self._settings.frozen]

    @property
    def _checkpoint(self) -> Path:
        return self._out / "checkpoint.safetensors"

    @property
    def finished(self) -> bool:
        """Whether all batches were seen, or the validations did not improve for too long."""
        patience = self._settings.patience
        return self.state.done >= self._settings.steps or bool(
            patience and self.state.since >= patience
        )

    @property
    def at_check(self) -> bool:
        """Whether a validation is due."""
        done = self.state.done
        return done % self._settings.check_every == 0 or done == self._settings.steps

    def resume(self) -> None:
        """Go on from the folder's checkpoint."""
        self.state = load_checkpoint(self._checkpoint, self._network, self._optimizer, self._mean)
        self._began = time.monotonic() - self.state.seconds

    def train_batch(self) -> None:
        """One batch, down the gradient."""
        settings, done = self._settings, self.state.done
        # A seed a batch, so that a resumed fit sees the same ones.
        rng = torch.Generator().manual_seed(settings.seed * 1_000_003 + done)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(done, settings.steps)
        self._network.train()
        for pair in self._frozen:
            pair.eval()  # means and variances of a normalisation are to stay, too
        batch = _batch(self._sets, settings, rng)
        self.losses.append(
            _step(self._network, self._head, self._optimizer, settings, batch, self._device, rng)
        )
        done += 1
        self.state = replace(self.state, done=done)
        _average(self._mean, self._network, min(settings.average, (1 + done) / (10 + done)))

    def check(self) -> str:
        """Validate, log, keep the mean weights where they are the best so far, and leave a
        checkpoint; returns the log's line in words.
        """
        settings, done = self._settings, self.state.done
        loss = float(np.mean(self.losses[-settings.check_every :]))
        if not np.isfinite(loss):
            raise ModelError(
                f"Training ran away after {done} steps (the loss is not finite); choose a smaller "
                "rate."
            )
        averaged = _with(self._network, self._mean)
        found = validate(averaged, self._head, self._validation, settings, self._device)
        seconds = time.monotonic() - self._began
        row = {"step": done, "seconds": round(seconds, 1), "loss": loss, **found}
        with (self._out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        if found["score"] < self.state.best:
            self.state = replace(self.state, best=found["score"], since=0)
            save_network(self._out / "best.safetensors", _with(self._network, self._mean))
        else:
            self.state = replace(self.state, since=self.state.since + 1)
        self.save()
        return in_words(row)

    def save(self) -> None:
        """Leave a checkpoint of where the fit stands."""
        self.state = replace(self.state, seconds=time.monotonic() - self._began)
        save_checkpoint(self._checkpoint, self._network, self._optimizer, self._mean, self.state)

    def best_network(self) -> UNet:
        """The network with the mean weights of the best validation.

        Raises
        ------
        InputError
            When no validation had a pixel with a truth.
        """
        if not np.isfinite(self.state.best):
            raise InputError(
                "The validation set has no pixel with a truth; give other galaxies, or more of "
                "them."
            )
        return load_network(self._out / "best.safetensors", self._settings)


def _schedule(done: int, steps: int) -> float:
    """Share of the learning rate: warmed up over 3 % of the steps, then a cosine down to 1 %."""
    warm = max(1, int(0.03 * steps))
    part = (done - warm) / max(1, steps - warm)
    return (
        (done + 1) / warm if done < warm else 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * part)))
    )


def _batch(sets: Sequence[Pairs], settings: FitSettings, rng: torch.Generator) -> Seen:
    """A batch from one of the sets, as it is seen."""
    weights = torch.tensor([float(len(s)) * s.size**2 for s in sets])
    chosen = sets[int(torch.multinomial(weights, 1, generator=rng))]
    n = max(1, settings.batch_pixels // chosen.size**2)
    rows = np.sort(torch.randint(0, len(chosen), (n,), generator=rng).numpy())
    images, truth, pixel, redshift, own, usual = _rows(chosen, rows)
    return settings.seen.observe(images, truth, pixel, redshift, rng, own, usual)


def _rows(
    pairs: Pairs, rows: np.ndarray | slice
) -> tuple[
    torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor | None
]:
    """Images, true maps, pixel sizes, redshifts, errors, if there are any, and, of painted
    galaxies, which follow the relations.
    """
    images, truth = (
        torch.from_numpy(np.array(planes[rows], np.float32))
        for planes in (pairs.images, pairs.truth)
    )
    pixel, redshift = (
        torch.from_numpy(pairs.table[c][rows].astype(np.float32))
        for c in ("pixel_arcsec", "redshift")
    )
    own = None if pairs.sigma is None else torch.from_numpy(np.array(pairs.sigma[rows], np.float32))
    column = pairs.table.get("usual")
    usual = None if column is None else torch.from_numpy(column[rows] > 0.5)
    return images, truth, pixel, redshift, own, usual


def _step(
    network: UNet,
    head: Head,
    optimizer: torch.optim.Optimizer,
    settings: FitSettings,
    seen: Seen,
    device: str,
    rng: torch.Generator,
) -> float:
    """One step down the gradient; returns the loss."""
    data, sigma, truth, redshift, relations, signal = (plane.to(device) for plane in seen)
    inputs = encode(data, sigma, redshift, relations)
    weights = pixel_weights(truth, signal)
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
    """Convolutions in bfloat16 where the device computes with it: CPUs with instructions for it
    (others take ten times as long), and NVIDIA's GPUs since Ampere; elsewhere float32.

    float16, which older GPUs and Apple's know, would need scaled losses, and gains little with
    networks of this size.
    """
    if device == "cpu":
        has: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        able = bool(has.get("avx512_bf16") or has.get("amx_bf16"))
    else:
        able = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
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
        images, truth, pixel, redshift, own, usual = _rows(validation, rows)
        seen = (
            replace(settings.seen, binned=0.0, subsets=(("ugriz", 1.0),))
            if k % 2 == 0
            else replace(settings.seen, binned=0.0)
        )
        data, sigma, truth, redshift, relations, signal = (
            t.to(device) for t in seen.observe(images, truth, pixel, redshift, rng, own, usual)
        )
        with torch.inference_mode(), mixed_precision(device):
            outputs = network(encode(data, sigma, redshift, relations)).float()
        weights = pixel_weights(truth, signal)
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
