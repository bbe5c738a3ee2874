"""Measures what a domain finds of what may be wrong with images, and what errors are beyond its
limit; and writes both on the card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...measure.compare.stellar_scores import INSIDE, radius_in_r_half
from ...models.card import CardTable
from ...models.stellar_unet.domain import ASPECTS, COLOURS, Domain
from ...models.stellar_unet.inputs import band_set
from ...models.stellar_unet.outputs import TARGETS
from ...progress import Progress, Steps
from ..datasets.mock_cubes import noisy_cube, true_maps
from .disturbed_mocks import DISTURBED, WITH_TRUTH

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...models.stellar_unet.model import StellarUNet
    from ..datasets.image_truth_pairs import Pairs

TITLE = "Unlike what it was trained on"
GALAXIES, WITH_ERRORS = 100, 30
"""Mocks that are disturbed in each way, and how many of them are predicted."""
OF_STARS = ("LOG_SIGMA_STAR", "LOG_SIGMA_ZSTAR", "AGE_STAR", "LOG_SIGMA_SFR")
"""Whose errors count: gas is guessed of any galaxy, and says so."""
_WINDOW = 31
_TWICE = 2.0


@dataclass(frozen=True)
class Found:
    """What a domain says of galaxies that are disturbed in one way.

    Attributes
    ----------
    scores : dict of str to ndarray, shape (n,)
        By aspect.
    blocks : float
        Share of blocks that are flagged.
    errors : ndarray, shape (m,)
        `mean_z` of the first m; empty without a truth.
    """

    scores: Mapping[str, np.ndarray]
    blocks: float
    errors: np.ndarray

    @property
    def worst(self) -> np.ndarray:
        """Score of each galaxy."""
        return np.max(list(self.scores.values()), axis=0)


def measured_steps(
    model: StellarUNet,
    mocks: Pairs,
    seed: int = 0,
    galaxies: int = GALAXIES,
    with_errors: int = WITH_ERRORS,
) -> Steps[StellarUNet]:
    """A model whose domain and card say what was measured on mocks that it never saw; yields after
    every disturbance.
    """
    domain = model.domain
    assert domain is not None
    found = {}
    for done, name in enumerate(DISTURBED):
        rng = np.random.default_rng([seed, done])
        found[name] = _found(model, domain, mocks, name, rng, galaxies, with_errors)
        yield Progress("domain", done + 1, len(DISTURBED), f"domain: {name}")
    domain = errors_by_score(domain, [found[name] for name in WITH_TRUTH])
    others = [table for table in model.card.tables if table.title != TITLE]
    tables = (*others, table_of(found, domain))
    return replace(model, domain=domain, card=replace(model.card, tables=tables))


def _found(
    model: StellarUNet,
    domain: Domain,
    mocks: Pairs,
    name: str,
    rng: np.random.Generator,
    galaxies: int,
    with_errors: int,
) -> Found:
    """What is found of mocks disturbed in the way of a name."""
    scores: list[Mapping[str, float]] = []
    blocks, errors = [], []
    for row in range(min(galaxies, len(mocks))):
        cube = DISTURBED[name](noisy_cube(mocks, row), rng)
        seen = band_set(cube.bands, model.card.bands)
        scores.append(domain.verdict(model.vectors(cube), seen).scores)
        vectors = model.block_vectors(cube)
        odd = domain.unlike_blocks(vectors, seen)
        blocks.append(odd[np.isfinite(vectors[COLOURS]).all(axis=1)].mean())
        if row < with_errors and name in WITH_TRUTH:
            errors.append(mean_z(model, cube, true_maps(mocks, row)))
    by_aspect = {aspect: np.array([s[aspect] for s in scores]) for aspect in ASPECTS}
    return Found(by_aspect, float(np.mean(blocks)), np.array(errors))


def mean_z(model: StellarUNet, cube: BandCube, truth: Mapping[str, np.ndarray]) -> float:
    """Mean of the errors over the told ones of `OF_STARS` in the pixels inside 2 R_half."""
    maps = model.predict(cube, "cpu")
    near = radius_in_r_half(dict(truth))[0] < INSIDE
    found = []
    for name in OF_STARS:
        if name in maps.values:
            target = TARGETS[name]
            value, sigma = target.in_dex(maps.values[name][near], maps.errors[name][near])
            with np.errstate(invalid="ignore", divide="ignore"):
                z = np.abs(value - target.from_map(truth[name][near])) / sigma
            found.append(np.mean(z[np.isfinite(z)]) if np.isfinite(z).any() else np.nan)
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def errors_by_score(domain: Domain, found: Sequence[Found]) -> Domain:
    """A domain that knows what errors are beyond its limit, of galaxies whose truth is known.

    The first of `found` are galaxies as they are, to whose median error over the told one the
    others' are compared.
    """
    score = np.concatenate([f.worst[: len(f.errors)] for f in found])
    ratio = np.concatenate([f.errors for f in found]) / np.nanmedian(found[0].errors)
    known = np.isfinite(ratio)
    score, ratio = score[known], ratio[known]
    if not (score > 1).any():
        return domain
    order = np.argsort(score)
    score, ratio = score[order], ratio[order]
    half = min(_WINDOW, len(score)) // 2
    running = np.array(
        [np.median(ratio[max(0, k - half) : k + half + 1]) for k in range(len(ratio))]
    )
    below = np.flatnonzero(running < _TWICE)
    first = int(below[-1]) + 1 if len(below) else 0
    doubled = float(score[first]) if first < len(score) else float("nan")
    return replace(domain, errors=float(np.median(ratio[score > 1])), doubled=doubled)


def table_of(found: Mapping[str, Found], domain: Domain) -> CardTable:
    """What is found of each disturbance."""
    typical = np.nanmedian(next(iter(found.values())).errors)
    rows = []
    for name, of_name in found.items():
        ratio = np.nanmedian(of_name.errors) / typical if len(of_name.errors) else np.nan
        rows.append(
            (
                name,
                f"{100 * np.mean(of_name.worst > 1):.0f}",
                *(f"{100 * np.mean(of_name.scores[aspect] > 1):.0f}" for aspect in ASPECTS),
                f"{np.median(of_name.worst):.2f}",
                f"{100 * of_name.blocks:.0f}",
                f"{ratio:.1f}" if np.isfinite(ratio) else "–",
            )
        )
    doubled = (
        f"From a score of {domain.doubled:.1f} on, errors over the told ones are more than twice "
        "those of galaxies as they are, in these disturbed mocks. "
        if np.isfinite(domain.doubled)
        else ""
    )
    beyond = (
        f"Of galaxies beyond the limit they are {domain.errors:.1f} times as large. "
        if np.isfinite(domain.errors)
        else ""
    )
    return CardTable(
        TITLE,
        f"Mocks that it never saw, in ugriz, as SDSS sees them, and with something wrong: per cent "
        f"of galaxies that the program says are unlike what it was trained on "
        f"({100 * domain.share:.0f} % of galaxies seen as in training are), in any aspect and in "
        "each; median score (1 is the limit); per cent of blocks of 16 x 16 pixels that it flags; "
        "and how many times larger errors over the told ones are inside 2 R_half, of mass, metals, "
        f"age and star formation. {doubled}{beyond}".rstrip(),
        ("what is wrong", "found", *ASPECTS, "score", "blocks", "errors"),
        tuple(rows),
    )
