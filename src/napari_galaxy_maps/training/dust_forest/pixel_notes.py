"""The facts of pixels on dust-forest's card beside its tables: profiles, an unknown scale, whole
galaxies, and where the zero points come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...models.dust_forest.model import DustForest
from ...models.dust_forest.pixel_part import GALAXY_PC
from ...models.dust_forest.uncertainty import QUANTITIES, quantities_of
from ..datasets.galaxies import TARGETS, Galaxies
from .band_sets import ALL_BANDS
from .pixel_tables import UNKNOWN
from .score_pixels import Judged, mean_of_galaxies, rmse
from .scoring import ALL, DUST, WELL_MEASURED, populations, predict_unseen

CENTRE, EDGE = (0.0, 0.2), (0.8, 1.0)
"""Ranges of radius, in R25, between which a trend is told."""
PROFILED = ("LOG_SIGMA_MD", *DUST)


def pixel_notes(
    model: DustForest, galaxies: Galaxies, sets: Mapping[str, Judged], zero: np.ndarray
) -> tuple[str, ...]:
    """Sentences for the card."""
    return (
        _zero_points(zero),
        *(_profile(name, sets[name]) for name in ("A", "B") if name in sets),
        _unknown_scale(model, galaxies, sets),
        _whole(model, galaxies),
    )


def _zero_points(zero: np.ndarray) -> str:
    words = ", ".join(f"{n} {z:+.3f}" for n, z in zip(TARGETS, zero, strict=True))
    return (
        "The mocks' truth was moved by what the members say of whole late-type mocks minus that "
        f"truth ({words}): the members are calibrated on real galaxies, and the mocks teach only "
        "by how much pixels differ from their galaxies."
    )


def trend(judged: Judged, name: str) -> tuple[float, float]:
    """Mean residual at `EDGE` minus that at `CENTRE`, of galaxies that have both, and its error."""
    j = QUANTITIES.index(name)
    known = np.isfinite(judged.own[:, j])
    means = []
    for low, high in (CENTRE, EDGE):
        use = known & (judged.radius >= low) & (judged.radius < high)
        count = np.bincount(judged.galaxy[use], minlength=judged.galaxy.max() + 1)
        total = np.bincount(judged.galaxy[use], judged.own[use, j], judged.galaxy.max() + 1)
        with np.errstate(invalid="ignore"):
            means.append(total / count)
    step = means[1] - means[0]
    there = np.flatnonzero(np.isfinite(step))
    return mean_of_galaxies(step[there], there)


def _profile(set_name: str, judged: Judged) -> str:
    words = []
    for name in PROFILED:
        step, error = trend(judged, name)
        words.append(f"{name} {step:+.3f} ± {error:.3f}")
    return (
        f"Profiles of set {set_name}: the mean error between 0.8 and 1 R25 minus that within 0.2 "
        f"R25 is {', '.join(words)} (dex, K)."
    )


def _unknown_scale(model: DustForest, galaxies: Galaxies, sets: Mapping[str, Judged]) -> str:
    words = []
    for name in DUST:
        j = QUANTITIES.index(name)
        known, unknown = (
            rmse(s.own[ok, j], s.galaxy[ok])[0]
            for s in (sets["A"], sets[UNKNOWN])
            for ok in [np.isfinite(s.own[:, j])]
        )
        words.append(f"{name} {unknown:.3f} in place of {known:.3f}")
    nowhere = replace(galaxies, scale_pc=np.full(len(galaxies), np.nan))
    told = _rmse_of_real(model, nowhere, WELL_MEASURED, True)
    real = ", ".join(f"{name} {value:.3f}" for name, value in zip(DUST, told, strict=True))
    return (
        f"Where the galaxy's distance is not known, nor is the pixels' side: RMSE on set A "
        f"{', '.join(words)}. Photometry of a whole galaxy without its size would be taken for a "
        f"pixel: RMSE of DustPedia's galaxies with >= 3 FIR {real}."
    )


def _whole(model: DustForest, galaxies: Galaxies) -> str:
    words = []
    for population in (WELL_MEASURED, ALL):
        use = populations(galaxies)[population]
        small = 100 * np.mean(galaxies.scale_pc[use] < GALAXY_PC)
        own, bare = (_rmse_of_real(model, galaxies, population, known) for known in (True, False))
        pairs = zip(DUST, own, bare, strict=True)
        told = ", ".join(f"{name} {one:.3f} ({other:.3f})" for name, one, other in pairs)
        words.append(f"{population}, {small:.1f} % under {GALAXY_PC / 1e3:g} kpc: {told}")
    return (
        "The tables of galaxies are of spectra that are known to be whole galaxies'. Told by their "
        "apertures' size alone, small ones would be taken for pixels in part: RMSE of DustPedia's "
        f"galaxies so, and in brackets as in the tables: {'; '.join(words)}."
    )


def _rmse_of_real(
    model: DustForest, galaxies: Galaxies, population: str, by_size: bool
) -> list[float]:
    use = populations(galaxies)[population]
    found = predict_unseen(model, galaxies, ALL_BANDS, by_size).values[use]
    off = found - quantities_of(galaxies.targets)[use]
    return [float(np.sqrt(np.nanmean(off[:, QUANTITIES.index(name)] ** 2))) for name in DUST]
