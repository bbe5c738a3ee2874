"""Makes the weights and the card of dust-forest again from the tables of DustPedia and H-ATLAS.

python -m napari_galaxy_maps.training.dust_forest.fit_forest --data FOLDER --hatlas FOLDER --out
FOLDER
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...models.dust_forest.density import Density
from ...models.dust_forest.features import before_fit
from ...models.dust_forest.members import Member, Predictor
from ...models.dust_forest.model import DustForest
from ..datasets.dustpedia import read_both
from ..datasets.galaxies import Galaxies, fit_colour_term
from ..model_files import write_model
from ..processes import in_processes
from .ablation import ablation_table
from .add_pixels import carded, judged_sets, with_pixels
from .band_sets import COLUMNS
from .card_text import NAME, VERSION, card
from .command import parser_of, status_of
from .density_of_galaxies import density_pixels, with_density
from .density_tables import described_on_card
from .fit_features import fit_galaxy_colours, fit_sed_network, fitted_features
from .fit_mean import COMPLETE, PARTIAL, MeanSettings, fit_mean
from .fit_spread import SpreadSettings, cross_fit, fit_spread
from .imputation_trial import library_for_galaxies
from .pool import Pool, PoolSettings, make_copies, make_pool
from .scoring import folds

PROCESSES = 2
"""At most so many fits at one time."""


def train(
    data: str | Path,
    hatlas: str | Path,
    out: str | Path,
    seed: int = 0,
    report: Callable[[str], None] | None = print,
) -> DustForest:
    """Train, score and write the model.

    Parameters
    ----------
    data, hatlas : str or Path
        Folders of the DustPedia and of the H-ATLAS tables.
    out : str or Path
        Folder for ``dust-forest.safetensors``, ``dust-forest.json`` and ``dust-forest.md`` (the
        card) and ``registry.json``.
    seed : int
        Of everything random: the same seed gives trees and networks that differ by rounding alone
        (trees on some processors only), on the same package versions.
    report : callable, optional
        Told how far it is.

    Raises
    ------
    GalaxyMapsError
        When the tables are not there or the folder cannot be written.
    """
    say = report or (lambda _: None)
    start = time.monotonic()
    galaxies = read_both(data, hatlas)
    say(f"{len(galaxies)} galaxies")
    model, pool, fitted = fit_model(galaxies, seed, report=say)
    say(f"fitted after {time.monotonic() - start:.0f} s")
    model, zero = with_pixels(model, seed=seed, processes=PROCESSES, report=say)
    sets = judged_sets(model, zero, None, seed=seed, processes=PROCESSES)
    say(f"pixels fitted after {time.monotonic() - start:.0f} s")
    ablation = ablation_table(galaxies, pool, fitted, seed, processes=PROCESSES)
    model = replace(model, card=replace(model.card, tables=(ablation,)))
    copies = make_copies(galaxies, model.colour_term, PoolSettings(), seed)
    fitted_to, held = density_pixels(seed, PROCESSES)
    model, found = with_density(model, galaxies, copies, fitted_to, seed)
    model = carded(model, galaxies, sets, zero, seed)
    model = described_on_card(model, galaxies, copies, found, held, seed)
    write_model(model, "forest", Path(out))
    say(f"written to {out} after {time.monotonic() - start:.0f} s")
    return model


def fit_model(
    galaxies: Galaxies,
    seed: int = 0,
    pool_settings: PoolSettings | None = None,
    means: tuple[MeanSettings, MeanSettings] = (COMPLETE, PARTIAL),
    spread: SpreadSettings | None = None,
    report: Callable[[str], None] = lambda _: None,
    processes: int = PROCESSES,
) -> tuple[DustForest, Pool, np.ndarray]:
    """Fit a model to galaxies; its card has no scores, and to it nothing is out of distribution
    (`fit_density.with_density`).

    Parameters
    ----------
    means : tuple of MeanSettings
        For complete spectra, and for all others.

    Returns
    -------
    model : DustForest
    pool : Pool
        That it was fitted to.
    fitted : ndarray
        What fits of model spectra say of the pool's spectra (`fit_features.fitted_features`).
    """
    term = fit_colour_term(galaxies)
    copies = make_copies(galaxies, term, pool_settings or PoolSettings(), seed)
    colours = fit_galaxy_colours(galaxies, term)
    fitted = fitted_features(copies.spectra, library_for_galaxies())
    sed = fit_sed_network(before_fit(copies.spectra, colours)[0], fitted, seed)
    pool = make_pool(galaxies, copies, colours, sed)
    report("features made")
    members = []
    settings = means, spread or SpreadSettings()
    calls = [
        (pool, fit, *settings, 10 * seed + k) for k, (fit, _) in enumerate(folds(galaxies.surveys))
    ]
    for member in in_processes(fit_member, calls, processes):
        members.append(member)
        report(f"member {len(members)} of {len(calls)}")
    about = card(NAME, VERSION, term, galaxies)
    density = Density.none(len(COLUMNS.bands))
    return DustForest(tuple(members), colours, sed, term, density, about), pool, fitted


def fit_member(
    pool: Pool,
    rows: np.ndarray,
    means: tuple[MeanSettings, MeanSettings],
    spread: SpreadSettings,
    seed: int,
) -> Member:
    """Fit one member to galaxies `rows` of a pool: for complete spectra and for all others the
    mean, and the spread on cross-fitted residuals of the same galaxies.
    """

    def predictor(mean: MeanSettings) -> Predictor:
        known = rows[np.isin(pool.surveys[rows], [*mean.weight])]
        models = fit_mean(pool, known, mean, seed)
        crossed = cross_fit(pool, known, mean, seed)
        return Predictor(*models, fit_spread(pool, known, mean.complete, crossed, spread, seed))

    return Member(*map(predictor, means))


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = parser_of(__doc__).parse_args(arguments)
    return status_of(lambda: train(options.data, options.hatlas, options.out, options.seed))


if __name__ == "__main__":
    sys.exit(main())
