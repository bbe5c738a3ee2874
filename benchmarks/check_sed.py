"""Our fit of the DustPedia galaxies beside real CIGALE's: band fluxes, bands that were hidden, dust
with the far infrared.

    python benchmarks/check_sed.py --data FOLDER [--models 50000] [--sampling random]
        [--galaxies N] [--trials]

FOLDER holds the folder `dustpedia`. Everything is like CIGALE's: its prior, Salpeter's mass
function, 10 % of the flux added to the errors, redshift 0 (10 pc), no error of a model's own scale.
Numbers are: median difference, half the range of the middle 68 %, and standard deviation, in dex
unless noted, ours less CIGALE's.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from napari_galaxy_maps.bands.registry import BANDS, INPUT_BANDS, MODEL_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.sed.library import Library, build_library
from napari_galaxy_maps.training.datasets.cigale_fits import (
    CigaleFits,
    Spread,
    best_models,
    dust_differences,
    fitted,
    read_cigale,
)

HIDDEN = (
    ("GALEX_FUV",), ("GALEX_NUV",), ("GALEX_FUV", "GALEX_NUV"), ("SDSS_u",), ("2MASS_J",),
    ("2MASS_H",), ("2MASS_Ks",), ("2MASS_J", "2MASS_H", "2MASS_Ks"), ("WISE_12",), ("WISE_22",),
    ("WISE_12", "WISE_22"),
)  # fmt: skip
LN10 = np.log(10)
NAMES = list(MODEL_BANDS)
UNITS = {"Tdust": " K", "A_FUV": " mag"}
"""Of differences that are not in dex."""


def detected(fits: CigaleFits, band: str) -> np.ndarray:
    """Galaxies in which CIGALE saw this band above 3 sigma."""
    k = NAMES.index(band)
    with np.errstate(invalid="ignore"):
        return fits.short_input[k] & (fits.flux[k] > 3 * fits.error[k])


def ratio(fits: CigaleFits, flux: np.ndarray, band: str) -> np.ndarray:
    """log10 of ours over CIGALE's Bayesian flux."""
    k = NAMES.index(band)
    return np.log10(flux[k] / fits.bayes[k])


def check_bands(
    fits: CigaleFits, library: Library, shift: np.ndarray | None, terse: bool = False
) -> None:
    """Bands that were seen, and those that CIGALE imputed too."""
    found = fitted(fits, library, fits.short_input, scale_error=False, shift=shift)
    worst = 0.0, 0.0
    for k, band in enumerate(NAMES):
        seen, gaps = detected(fits, band), ~fits.short_input[k]
        spread = Spread.of(ratio(fits, found.flux, band)[seen])
        missing = Spread.of(ratio(fits, found.flux, band)[gaps])
        errors = found.flux_error[k] / found.flux[k] / (fits.bayes_error[k] / fits.bayes[k])
        implied = (
            np.median((fits.bayes_error[k] / fits.bayes[k])[gaps]) / LN10 if gaps.any() else np.nan
        )
        if spread.n:
            worst = max(worst[0], abs(spread.median)), max(worst[1], spread.std)
        if not terse:
            print(
                f"  {band:12s} {f'seen {spread}' if spread.n else '':44s} sigma ours/CIGALE's "
                f"{np.median(errors):.2f}   "
                + (
                    f"imputed by both {missing}, CIGALE's error {implied:.3f}"
                    if missing.n > 5
                    else ""
                )
            )
    print(
        f"  worst of the seen bands: median {worst[0]:.3f} (goal 0.02), standard deviation "
        f"{worst[1]:.3f} (goal 0.05)"
    )


def lacking(fits: CigaleFits, hidden: tuple[str, ...]) -> np.ndarray:
    """Galaxies of which CIGALE lacked just these bands of their surveys."""
    surveys = {BANDS[band].survey for band in hidden}
    rows = [k for k, band in enumerate(NAMES[: len(INPUT_BANDS)]) if BANDS[band].survey in surveys]
    return np.logical_and.reduce([fits.short_input[k] == (NAMES[k] not in hidden) for k in rows])


def check_hidden(fits: CigaleFits, library: Library, shift: np.ndarray | None) -> None:
    """Bands hidden from our fit, against what CIGALE made of them, seeing them."""
    for hidden in HIDDEN:
        found = fitted(fits, library, fits.short_input, hidden, shift, scale_error=False)
        rows = np.logical_and.reduce([detected(fits, band) for band in hidden]) & found.fitted
        for band in hidden:
            k = NAMES.index(band)
            spread = Spread.of(ratio(fits, found.flux, band)[rows])
            theirs = (fits.bayes_error[k] / fits.bayes[k])[lacking(fits, hidden)] / LN10
            ours = np.sqrt(np.mean((found.flux_error[k] / found.flux[k])[rows] ** 2)) / LN10
            implied = (
                f"{np.median(theirs):.3f} ({len(theirs)} galaxies)" if len(theirs) > 5 else "-"
            )
            print(
                f"  {'+'.join(hidden):30s} {band:10s} {spread}; implied: CIGALE's error without "
                f"the band {implied}, ours {ours:.3f}"
            )


def check_dust(fits: CigaleFits, library: Library, shift: np.ndarray | None) -> None:
    """All bands, against Nersesian+ 2019."""
    found = fitted(fits, library, np.isfinite(fits.flux + fits.error), (), shift, scale_error=False)
    differences = dust_differences(fits, found)
    for least in (5, 3):
        rows = fits.n_far_infrared >= least
        words = [
            f"{name} {Spread.of(values[rows])}{UNITS.get(name, '')}"
            for name, values in differences.items()
        ]
        print(f"  at least {least} far-infrared detections: " + "; ".join(words))


def trials(fits: CigaleFits, arguments: argparse.Namespace) -> None:
    """What each ingredient changes."""
    variants: tuple[tuple[str, dict[str, object]], ...] = (
        ("Chabrier's mass function", {"imf": "chabrier"}),
        ("an ultraviolet bump", {"bump": [1.5]}),
        ("attenuation without tilt", {"slope": [0.0]}),
        ("no truncation or burst", {"change": [1.0]}),
        ("half the metals", {"metallicity": [0.008]}),
        ("no hotter dust (gamma 0)", {"gamma": [0.0]}),
        ("the broad prior", {"prior": "broad"}),
        (
            "the other sampling",
            {"sampling": "grid" if arguments.sampling == "random" else "random"},
        ),
    )
    for label, changes in variants:
        settings = LibrarySettings.model_validate(
            {"prior": "dustpedia", "n_models": arguments.models, "sampling": arguments.sampling}
            | changes
        )
        library = build_library(settings, 0.0, cache=False)
        print(f"- {label}:")
        check_bands(fits, library, None, terse=True)
        check_dust(fits, library, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of real data")
    parser.add_argument("--models", type=int, default=50_000)
    parser.add_argument("--sampling", choices=("random", "grid"), default="random")
    parser.add_argument(
        "--galaxies", type=int, default=0, help="only so many, evenly from the table"
    )
    parser.add_argument(
        "--trials", action="store_true", help="change one ingredient after the other"
    )
    arguments = parser.parse_args()
    fits = read_cigale(arguments.data / "dustpedia")
    if arguments.galaxies:
        fits = fits.take(np.linspace(0, len(fits.names) - 1, arguments.galaxies).astype(int))
    print(f"{len(fits.names)} galaxies")
    bands, properties = best_models(fits)
    print("Our models with the parameters of CIGALE's best ones:")
    lit = fits.best["ebv"] > 0
    for k, band in enumerate(NAMES):
        print(f"  {band:12s} {Spread.of(bands[k][lit])}")
    for name, values in properties.items():
        print(f"  {name:12s} {Spread.of(values)}")
    shift = np.array([Spread.of(row[lit]).median for row in bands])
    settings = LibrarySettings(
        prior="dustpedia", n_models=arguments.models, sampling=arguments.sampling
    )
    start = time.perf_counter()
    library = build_library(settings, 0.0, cache=False)
    print(f"{len(library)} models ({arguments.sampling}) in {time.perf_counter() - start:.1f} s")
    for label, offsets in (("", None), (", our bands shifted to CIGALE's", shift)):
        print(f"Up to {INPUT_BANDS[-1]}{label}:")
        check_bands(fits, library, offsets)
    print("Bands hidden:")
    check_hidden(fits, library, None)
    print("With the far infrared, against Nersesian+ 2019:")
    check_dust(fits, library, None)
    print("... our bands shifted to CIGALE's:")
    check_dust(fits, library, shift)
    if arguments.trials:
        trials(fits, arguments)


if __name__ == "__main__":
    main()
