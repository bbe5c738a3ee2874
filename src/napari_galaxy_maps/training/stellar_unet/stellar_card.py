"""The words of stellar-unet's card, and the tables in it that are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.card import CardTable, ModelCard
from ...models.stellar_unet.calibration import N_BANDS
from ...models.stellar_unet.inputs import UGRIZ, channel_names
from ...models.stellar_unet.outputs import STELLAR_PROPERTIES
from .stellar_scoring import PUBLISHED, StellarScores

if TYPE_CHECKING:
    from ...models.stellar_unet.calibration import Calibration
    from ...models.stellar_unet.network import UNet
    from ..datasets.image_truth_pairs import Pairs
    from .fit_files import FitSettings


NAME, VERSION = "stellar-unet", "2.1"
_MEANT = (68, 95)
"""Per cent of pixels that are to be within one sigma and within `PropertyMaps.tail` sigmas."""
_ABOUT = (
    "Stars, their metals and age, star formation, gas and its metals in every pixel, from optical "
    "images. A U-Net as PICASSO's (Buck & Wolf 2021), with fewer channels: it is given each band "
    "on a scale that is logarithmic where the galaxy stands out of the noise, colours on a scale "
    "of their own, the noise, the pivot and width of each filter that there is, the redshift where "
    "it is known, and whether the scaling relations of galaxies may count; all of it in the pixels "
    "of each of its five levels. For each pixel and map it says a value and a 1-sigma uncertainty, "
    "which was calibrated on painted galaxies held out from training."
)
_HOW = (
    "Mock galaxies never trained on (seeds of their own), as SDSS sees them with its noise and a "
    "calibration error of 2 % in each band, on 51 arcsec of sky; painted galaxies never trained "
    "on, which follow no relations or those of real galaxies, in a table of their own; and, in "
    "docs/stellar-maps.md, galaxies that neither generator made. As PICASSO Sect. 4: an ellipse "
    "is fitted to the true map of stellar mass and kept for all maps; bias is the mean and "
    "scatter the standard deviation, over galaxies, of log10 true - log10 predicted of the sums "
    "inside 2 R_half (of the age, of its mass-weighted mean); errors are from 500 bootstraps of "
    "the galaxies. Uncertainties allow for histories, dust and metals that mocks do not have: on "
    "mocks more pixels than 68 % are within one sigma."
)
_DO_NOT_TRUST = (
    "On real images, as it stands: it was trained on made-up galaxies alone, and knows real ones "
    "only in so far as these resemble them. They have no dynamics, no active nuclei and no "
    "scattered light. PICASSO warns of the same for networks trained on simulations. Stellar mass "
    "was compared with a relation for real galaxies; nothing else was.",
    "Stellar masses of star-forming discs: 0.15 to 0.2 dex too high on galaxies of another recipe "
    "and beside Taylor+ (2011) on three real spirals.",
    "Star formation: a sum inside 2 R_half is uncertain by 0.4 dex on mocks and 0.6 dex on "
    "galaxies of other recipes; where next to no stars form, it is too high.",
    "Gas, HI and their metals are not seen in optical light: the network knows what galaxies of "
    "such a look usually have, in the mocks. Early types' gas is hardly better than a guess, and "
    "the uncertainty says so.",
    "Ages, metals and dust look alike in five optical bands: where light fits several answers, the "
    "map shows the middle of what was taught, and the uncertainty how far they reach. Old, "
    "metal-poor or bursty galaxies are drawn to that middle (docs/stellar-maps.md).",
    "Metallicities: they follow from colours to a few hundredths of a magnitude, which zero "
    "points and reddening must meet.",
    "Sums: errors of neighbouring pixels are shared, over a galaxy nearly wholly; the error of a "
    "sum is close to that of its pixels.",
    "Galaxies in the background: all light is mapped as if it came from the target's redshift.",
    "Where the flag says so: brightness and colours that no galaxy of the training had (a star, a "
    "satellite's trail, an artefact, an AGN, a wrong unit).",
    "Beyond redshift {farthest:.2g}, the farthest of training; without a redshift errors are "
    "larger, as the tables say.",
    "Masses against a Salpeter scale: they are Chabrier masses, 0.24 dex lower.",
)
_SOURCES = (
    "Method: Buck & Wolf 2021 (PICASSO, arXiv:2111.01154); Ronneberger+ 2015 (U-Net).",
    "Mock and painted galaxies: this project (docs/mocks.md, docs/training.md), with the "
    "populations of Bruzual & Charlot (2003) and the dust of Jones+ (2017).",
)


def base_card(
    settings: FitSettings, recipe: str, network: str, train: Pairs | None = None
) -> ModelCard:
    """The card without what is measured.

    Parameters
    ----------
    settings : FitSettings
    recipe : str
        What it was trained on, with the command.
    network : str
        Its size, as `network_in_words`.
    train : Pairs, optional
        What it was trained on: its farthest galaxy ends what can be trusted.
    """
    redshifts = np.zeros(0) if train is None else train.table["redshift"]
    farthest = float(np.fmax.reduce(redshifts, initial=0))  # NaN: unknown
    return ModelCard(
        name=NAME,
        version=VERSION,
        licence="BSD-3-Clause, as the package",
        imf="Chabrier",
        about=f"{_ABOUT} {network}",
        trained_on=recipe,
        bands=UGRIZ,
        features=channel_names(UGRIZ),
        needs="at least one of them",
        properties=STELLAR_PROPERTIES,
        how_scored=_HOW,
        do_not_trust=tuple(text.format(farthest=farthest) for text in _DO_NOT_TRUST),
        sources=_SOURCES,
    )


def network_in_words(network: UNet, settings: FitSettings) -> str:
    """How large a network is."""
    size = sum(p.numel() for p in network.parameters())
    channels = ", ".join(map(str, settings.widths))
    return f"{size / 1e6:.2f} million parameters, {channels} channels by level."


def table_of_sums(
    scores: StellarScores,
    seen: Mapping[str, Mapping[str, float]],
    noiseless: Mapping[str, Mapping[str, float]],
) -> CardTable:
    """Bias and scatter inside 2 R_half, beside PICASSO's and the scatter that no model could beat
    (`least_scatter`).
    """
    rows = []
    for name in STELLAR_PROPERTIES:
        s, least = scores.inside(name), seen[name]
        published = PUBLISHED.get(name)
        rows.append(
            (
                name,
                f"{s['n']:.0f}",
                f"{s['bias']:+.3f} ± {s['bias_err']:.3f}",
                f"{s['scatter']:.3f} ± {s['scatter_err']:.3f}",
                f"{least['scatter']:.3f}",
                f"{100 * (s['scatter'] / least['scatter'] - 1):+.0f} %",
                f"{noiseless[name]['scatter']:.3f}",
                f"{s['half_width']:.3f}",
                f"{least['half_width']:.3f}",
                f"{published:.2f}" if published else "–",
            )
        )
    return CardTable(
        "Sums inside 2 R_half",
        "Least scatter: what a regression of these sums leaves in the same galaxies that is given "
        "their light in rings of the true ellipse, with the noise and the errors of calibration "
        "that the network sees, and the redshift (training/stellar_unet/least_scatter.py): about "
        "what such images leave open. Noiseless: given the light without noise and errors, the "
        "inclination, the bulge and the kind: what the mocks leave open. Half width: half of the "
        "16th to 84th percentile. PICASSO: scatter published for its own simulated galaxies, "
        "whose gas and metals follow the light more closely than the mocks' do.",
        (
            "property",
            "n",
            "bias",
            "scatter",
            "least scatter",
            "above it",
            "noiseless",
            "half width",
            "least",
            "PICASSO",
        ),
        tuple(rows),
    )


def table_of_annuli(scores: StellarScores) -> CardTable:
    """Bias and scatter by annulus."""
    table = scores.sums[scores.sums["region"] == "annulus"]
    edges = sorted({(float(row["inner"]), float(row["outer"])) for row in table})
    rows = []
    for low, high in edges:
        cells = [f"{low:g} to {high:g}"]
        for name in STELLAR_PROPERTIES:
            row = table[(table["property"] == name) & (table["inner"] == low)][0]
            cells.append(f"{row['bias']:+.2f}, {row['scatter']:.2f}" if row["n"] > 1 else "–")
        rows.append(tuple(cells))
    return CardTable(
        "By annulus",
        "Bias, scatter of the sums in annuli, whose radii are in R_half. Half of the image is 2.5 "
        "to 5 half-mass radii of the disc, so that the outer ones are not whole in many galaxies.",
        ("radius", *STELLAR_PROPERTIES),
        tuple(rows),
    )


def _is_off(pixels: Mapping[str, float], meant: int) -> bool:
    """Whether a coverage is more than three points off what it is meant to be, or not known."""
    return not abs(pixels[f"coverage{meant}"] - meant) <= 3


def table_of_pixels(scores: StellarScores) -> CardTable:
    """Errors and uncertainties of pixels."""
    rows = [
        (
            name,
            where,
            f"{p['bias']:+.3f}",
            f"{p['rmse']:.3f}",
            f"{p['sigma']:.3f}",
            f"{p['chi2']:.2f}",
            f"{p['coverage68']:.1f}",
            f"{p['coverage95']:.1f}",
            "off" if any(_is_off(p, meant) for meant in _MEANT) else "",
        )
        for where, pixels in (
            ("inside 2 R_half", scores.pixels),
            ("2 to 5 R_half", scores.outskirts),
        )
        for name, p in pixels.items()
    ]
    return CardTable(
        "Pixels",
        "Mean error (prediction minus truth), root mean square, mean predicted sigma in dex; mean "
        "square of error over sigma; per cent of pixels within one sigma, and within the sigmas "
        "that are said to hold 95 % (below); each galaxy has one vote. A row with a coverage more "
        "than 3 points off 68 or 95 % is marked.",
        ("property", "pixels", "bias", "RMSE", "sigma", "chi2", "68 %", "95 %", ""),
        rows=tuple(rows),
    )


def table_of_cases(title: str, text: str, cases: Sequence[tuple[str, StellarScores]]) -> CardTable:
    """Scatter (and bias) inside 2 R_half in several cases."""
    rows = []
    for label, scores in cases:
        inside = [scores.inside(name) for name in STELLAR_PROPERTIES]
        rows.append(
            (
                label,
                f"{inside[0]['n']:.0f}",
                *(f"{s['bias']:+.2f}, {s['scatter']:.3f}" for s in inside),
            )
        )
    return CardTable(title, text, ("case", "n", *STELLAR_PROPERTIES), tuple(rows))


def coverage_rows(title: str, cases: Sequence[tuple[str, StellarScores]]) -> CardTable:
    """Coverage of pixels inside 2 R_half in several cases."""
    rows = [
        (
            label,
            f"{scores.inside(STELLAR_PROPERTIES[0])['n']:.0f}",
            *(
                ", ".join(
                    f"{p[f'coverage{meant}']:.1f}{'*' if _is_off(p, meant) else ''}"
                    for meant in _MEANT
                )
                for p in (scores.pixels[name] for name in STELLAR_PROPERTIES)
            ),
        )
        for label, scores in cases
    ]
    return CardTable(
        title,
        (
            "Per cent of pixels inside 2 R_half within one sigma, and within the sigmas that are "
            "said to hold 95 %; *: more than 3 points off 68 or 95 %."
        ),
        ("case", "n", *STELLAR_PROPERTIES),
        tuple(rows),
    )


def table_of_tails(calibration: Calibration) -> CardTable:
    """How many sigmas hold 95 % of the errors, by number of bands and PSF in pixels."""
    rows = [
        (
            str(n),
            f"{2**sharpness:.2g}",
            *(f"{tail:.2f}" for tail in calibration.tails(n, float(sharpness))),
        )
        for n in range(N_BANDS, 0, -1)
        for sharpness in calibration.sharpness
    ]
    return CardTable(
        "95 % intervals",
        "Errors have longer tails than a Gaussian's, where it would be 1.96: the sigmas within "
        "which 95 % of the pixels of the calibration mocks are. The program interpolates between "
        "PSFs and says the number with each map (TAIL95 in its file).",
        ("bands", "FWHM (pixels)", *STELLAR_PROPERTIES),
        tuple(rows),
    )


def summary_of(scores: StellarScores) -> dict[str, Any]:
    """Numbers of a score that a JSON file can hold."""
    return {
        "inside": {name: scores.inside(name) for name in STELLAR_PROPERTIES},
        "pixels": scores.pixels,
        "outskirts": scores.outskirts,
        "flagged": scores.flagged,
    }
