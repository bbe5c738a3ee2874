"""What dust-forest's card says of spectra out of distribution: errors by score and by type, also of
types that the density never saw, and what one wrong band does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...models.card import CardTable, ModelCard
from ...models.dust_forest.columns import NORMAL
from ...models.dust_forest.contradiction import beside_others
from ...models.dust_forest.doubtful_band import contradicted
from ...models.dust_forest.model import DustForest
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from ..datasets.galaxy_pixels import GalaxyPixels
from .card_text import ABOUT, BEYOND
from .density_of_galaxies import (
    DensityFit,
    Described,
    describe,
    error_ratio,
    fit_isolation,
    spectra_of,
    squared_errors,
)
from .pool import Copies, limited_errors
from .scoring import DUST_PER_W1, populations

BY_SCORE, BY_TYPE, WRONG_BAND, NAMED_BAND = TITLES = (
    "Errors by how far out a spectrum is",
    "Types of galaxies",
    "One band wrong: flags",
    "One band wrong: its name",
)
"""Titles of the tables."""
FACTORS = (10.0, 3.0, 2.0, 0.5, 1 / 3, 0.1)
MEASURED = 5.0
"""Sigmas of a band in those pixels that are counted where it is wrong."""
_EARLY, _LENTICULAR, _DWARF = -3.5, 0.0, 8.5
"""Hubble stages: of ellipticals up to, of lenticulars up to, of dwarfs and irregulars from."""
_NUCLEUS = ("WISE_4.6", 0.5)
"""In this band active nuclei outshine stars by so many Vega magnitudes beside WISE 3.4."""
_WRONG_PIXELS = 2000


def types_of(galaxies: Galaxies) -> dict[str, np.ndarray]:
    """Which galaxies are of a kind, by its name."""
    stage, near = galaxies.stage, galaxies.surveys == DUSTPEDIA
    red, least = _NUCLEUS
    with np.errstate(invalid="ignore", divide="ignore"):
        magnitude = [
            -2.5 * np.log10(galaxies.values[INPUT_BANDS.index(band)] / get_band(band).zero_point_jy)
            for band in (NORMAL, red)
        ]
        nucleus = magnitude[0] - magnitude[1] > least
        return {
            "ellipticals": stage <= _EARLY,
            "lenticulars": (stage > _EARLY) & (stage < _LENTICULAR),
            "spirals": near & (stage >= _LENTICULAR) & (stage < _DWARF),
            "dwarfs and irregulars": stage >= _DWARF,
            f"{NORMAL} - {red} > {least} (Vega mag)": near & nucleus,
            f"H-ATLAS, {NORMAL} - {red} > {least}": ~near & nucleus,
            "H-ATLAS, others": ~near & ~nucleus,
        }


def distance_limit(fit: DensityFit) -> float:
    """The distance of colours beyond which as many galaxies lie as are flagged by the score."""
    return float(np.nanquantile(fit.unusual, 1 - np.nanmean(fit.score > 1)))


def described_on_card(
    model: DustForest,
    galaxies: Galaxies,
    copies: Copies,
    fit: DensityFit,
    pixels: GalaxyPixels | None,
    seed: int,
) -> DustForest:
    """The model with the tables and the note of `density_tables` on its card, in the place of those
    that were there.
    """
    tables, note = density_tables(model, galaxies, copies, fit, pixels, seed)
    card: ModelCard = model.card
    kept = [table for table in card.tables if table.title not in TITLES]
    notes = [text for text in card.notes if not text.startswith(BEYOND)]
    return replace(
        model, card=replace(card, about=ABOUT, tables=(*kept, *tables), notes=(*notes, note))
    )


def density_tables(
    model: DustForest,
    galaxies: Galaxies,
    copies: Copies,
    fit: DensityFit,
    pixels: GalaxyPixels | None,
    seed: int,
) -> tuple[tuple[CardTable, ...], str]:
    """The tables, and a note on the limit."""
    tables: tuple[CardTable, ...] = (
        by_score(galaxies, fit),
        by_type(model, galaxies, copies, fit, seed),
        named_band(model, galaxies),
    )
    words = ""
    if pixels is not None:
        table, share = wrong_band(model, pixels, distance_limit(fit), seed)
        tables = (*tables, table)
        words = f", {100 * share:.1f} % of the pixels of mock galaxies as they are"
    score, near = fit.score, galaxies.surveys == DUSTPEDIA
    squared = squared_errors(fit.found, galaxies)
    fine = np.isfinite(score) & np.isfinite(squared).all(1)
    ratio, error = error_ratio(score[fine] > 1, squared[fine])
    return tables, (
        f"{BEYOND}beyond the limit of the score by density, with {100 * fit.share:.1f} % of the "
        f"galaxies, errors of the dust are {fit.ratio:.2f} ± {fit.ratio_error:.2f} times as large "
        "as within it (root mean square of LOG_SIGMA_LD, LOG_SIGMA_MD and T_DUST, the truth's own "
        "errors taken off, the mean of the three factors; densities that did not see the galaxies; "
        "the limit was chosen where that is nearest to 2). With those of which one band is "
        f"contradicted by the others it is {ratio:.2f} ± {error:.2f}. Flagged are "
        f"{100 * np.nanmean(score[near] > 1):.1f} % of DustPedia's galaxies, "
        f"{100 * np.nanmean(score[~near] > 1):.1f} % of H-ATLAS's{words}."
    )


def by_score(galaxies: Galaxies, fit: DensityFit) -> CardTable:
    """RMSE in quarters of the score and beyond the limit, beside those by the distance of colours
    with as many galaxies beyond.
    """
    truth = quantities_of(galaxies.targets)
    rows = []
    for population, members in populations(galaxies).items():
        use = members & np.isfinite(fit.score)
        flagged = int((fit.score[use] > 1).sum())
        for name in DUST_PER_W1:
            j = QUANTITIES.index(name)
            squared = (fit.found.values - truth)[use, j] ** 2
            for way, score in (("score", fit.score), ("distance", fit.unusual)):
                order = np.argsort(score[use])
                parts = [*np.array_split(order, 4), order[len(order) - flagged :]]
                cells = [f"{np.sqrt(squared[part].mean()):.3f}" for part in parts]
                rows.append((population, name, way, *cells, str(flagged)))
    return CardTable(
        BY_SCORE,
        "RMSE of galaxies unseen in training, all bands given, in each quarter of the score by "
        "which spectra are flagged as out of distribution, the lowest first, and of those beyond "
        "its limit. The densities did not see the galaxies either. Beside it by the distance from "
        "the galaxies' colours (Mahalanobis, per band), which flagged them up to now, of as many "
        "galaxies.",
        ("galaxies", "property", "by", "first", "second", "third", "fourth", "flagged", "n"),
        tuple(rows),
    )


def by_type(
    model: DustForest, galaxies: Galaxies, copies: Copies, fit: DensityFit, seed: int
) -> CardTable:
    """Errors and flags of each type, and flags by a density that never saw the type."""
    truth, error = quantities_of(galaxies.targets), limited_errors(galaxies)
    known = describe(copies.spectra, model.colours)
    observed, _ = spectra_of(galaxies.values, galaxies.errors, INPUT_BANDS, model.colour_term)
    whole = describe(observed, model.colours)
    rows = []
    for name, mine in types_of(galaxies).items():
        use = mine & np.isfinite(fit.score)
        if use.sum() < 2 or (~mine).sum() < 2:
            continue
        without = _without(model, mine, known, whole, fit.share, seed)
        off = (fit.found.values - truth)[use]
        z = off / np.hypot(fit.found.sigma[use], error[use])
        own = [QUANTITIES.index(key) for key in DUST_PER_W1]
        rows.append(
            (
                name,
                str(int(use.sum())),
                *(f"{np.sqrt((off[:, j] ** 2).mean()):.3f}" for j in own),
                f"{np.mean(z[:, own] ** 2):.1f}",
                f"{100 * np.mean(fit.score[use] > 1):.0f}",
                f"{100 * np.mean(fit.anomaly[use] > fit.limits[0]):.0f}",
                f"{100 * np.mean(without):.0f}",
                f"{100 * np.mean(fit.unusual[use] > distance_limit(fit)):.0f}",
            )
        )
    return CardTable(
        BY_TYPE,
        "RMSE and chi2 (mean of z^2 of the three) of galaxies unseen in training, all bands given, "
        "and how many per cent of them are flagged: by the score, by its density alone, by the "
        "density of a forest that no galaxy of the type was in, and by the distance of colours "
        "with as many flags in all.",
        (
            "type", "n", *DUST_PER_W1, "chi2", "flagged", "by density", "never seen",
            "by distance",
        ),
        tuple(rows),
    )  # fmt: skip


def _without(
    model: DustForest, mine: np.ndarray, known: Described, whole: Described, share: float, seed: int
) -> np.ndarray:
    """Which of the galaxies `mine` lie beyond the limit of a density of the others' copies, beyond
    which as many of the others lie as told.
    """
    copies = known.features.reshape(-1, len(mine), known.features.shape[1])[:, ~mine]
    forest = fit_isolation(copies.reshape(-1, copies.shape[2]), seed)
    anomaly = replace(model.density, forest=forest).anomaly(whole.features)
    return np.asarray(anomaly[mine] > np.quantile(anomaly[~mine], 1 - share))


def wrong_band(
    model: DustForest, pixels: GalaxyPixels, most: float, seed: int
) -> tuple[CardTable, float]:
    """How many pixels are flagged where one band is wrong by a factor, and as they are.

    Parameters
    ----------
    pixels : GalaxyPixels
    most : float
        The distance of colours beyond which they were flagged before.
    """
    if len(pixels) > _WRONG_PIXELS:
        rng = np.random.default_rng([seed, 0xBAD])
        pixels = pixels.select(rng.choice(len(pixels), _WRONG_PIXELS, replace=False))

    def flagged(band: int, factor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        values, errors = pixels.values.astype(float), pixels.errors.astype(float)
        seen = values[band] > MEASURED * errors[band]
        values[band] *= factor
        errors[band] *= factor
        spectra, usable = spectra_of(values, errors, pixels.bands, model.colour_term)
        known = describe(spectra, model.colours)
        return (
            model.density.score(known.features, known.offsets) > 1,
            known.unusual > most,
            seen[usable],
        )

    rows = []
    for band, name in enumerate(pixels.bands):
        cells = []
        for factor in FACTORS:
            now, before, seen = flagged(band, factor)
            cells.append(f"{100 * now[seen].mean():.0f} ({100 * before[seen].mean():.0f})")
        rows.append((name, *cells))
    head = ("band", *_heads())
    return CardTable(
        WRONG_BAND,
        "Per cent of bright pixels of mock galaxies that are flagged where one band is multiplied "
        f"by a factor (of those with this band above {MEASURED:g} sigma), and in brackets by the "
        "distance of colours with as many real galaxies flagged.",
        head,
        tuple(rows),
    ), float(flagged(0, 1.0)[0].mean())


def named_band(model: DustForest, galaxies: Galaxies) -> CardTable:
    """How many of DustPedia's galaxies have the right band named where it is wrong by a factor."""
    near = galaxies.take(np.flatnonzero(galaxies.surveys == DUSTPEDIA))

    def named(band: int, factor: float) -> tuple[list[tuple[int, ...]], np.ndarray]:
        values, errors = near.values.copy(), near.errors.copy()
        seen = values[band] > MEASURED * errors[band]
        values[band] *= factor
        errors[band] *= factor
        spectra, usable = spectra_of(values, errors, INPUT_BANDS, model.colour_term)
        return contradicted(beside_others(spectra, model.colours), model.density.tails), seen[
            usable
        ]

    rows = []
    for band, name in enumerate(INPUT_BANDS):
        cells = []
        for factor in FACTORS:
            found, seen = named(band, factor)
            alone = np.array([places == (band,) for places in found])[seen]
            among = np.array([len(places) > 1 and band in places for places in found])[seen]
            wrong = np.array([len(places) > 0 and band not in places for places in found])[seen]
            cells.append("/".join(f"{100 * part.mean():.0f}" for part in (alone, among, wrong)))
        rows.append((name, *cells))
    as_they_are = sum(map(bool, named(0, 1.0)[0]))
    return CardTable(
        NAMED_BAND,
        "Per cent of DustPedia's galaxies of which, with one band multiplied by a factor, this "
        "band is named / is named among others that could be meant / another one is named (of "
        f"those with this band above {MEASURED:g} sigma). As they are, {as_they_are} of "
        f"{len(near)} have a band named: faults of their photometry, as a rule, and active nuclei.",
        ("band", *_heads()),
        tuple(rows),
    )


def _heads() -> tuple[str, ...]:
    return tuple(f"x {factor:.2g}" for factor in FACTORS)
