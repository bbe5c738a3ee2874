"""The words of dust-forest's card; what is measured for it is in `card_notes` and `scoring`."""

from __future__ import annotations

from ...models.card import ModelCard, Score
from ...models.dust_forest.columns import MIN_OTHERS, NORMAL, STAND_IN
from ...models.dust_forest.features import ColourTerm
from ...models.dust_forest.uncertainty import QUANTITIES
from ..datasets.dustpedia import SURVEY as DUSTPEDIA
from ..datasets.galaxies import Galaxies
from .band_sets import COLUMNS

NAME, VERSION = "dust-forest", "2.2"
BEYOND = "Out of distribution: "
"""What the note on it begins with."""
ABOUT = (
    "Dust and stars of a galaxy or of each of its pixels, from fluxes between the ultraviolet and "
    "22 micron over that of WISE 3.4. Extremely randomised trees (some for the dust's logarithms, "
    "some for the temperature), boosted trees with vector leaves and a small network are averaged; "
    "four such members, each trained without a quarter of the galaxies, are averaged again. Each "
    "has one such set for complete spectra (at least two of WISE 4.6, 12 and 22, and at least two "
    "of SDSS or of 2MASS), fitted to both surveys, and one for all others, fitted to DustPedia's "
    "galaxies alone: where bands lack, a prediction is near to what most galaxies are like, and "
    "H-ATLAS's were chosen by their dust. Gaps "
    "and noise are dealt with by a factor model of galaxies' colours, which gives the most "
    "probable spectrum and its width, beside the fluxes as observed and their signal-to-noise "
    "ratios. What a fit of model spectra would say of far infrared, dust and stars is an input, "
    "too: a second network stands in for the fit. The Hubble stage may be given. The uncertainty "
    "is xgboost's, fitted to cross-fitted residuals by a Gaussian likelihood that holds the "
    "truth's own errors, and recalibrated on galaxies held out from it until 68 % of them lie "
    "within it in each set of bands below, in sets drawn at random, in each survey and in each "
    "quarter of sigma; how many sigmas hold 95 % is measured there, too (TAIL95 in the maps' "
    "file). Pixels get a correction of these means and an uncertainty of their own, gradient "
    "boosting fitted to pixels of mock galaxies: in full up to 3 kpc a side and where it is not "
    "known, none from 6 kpc, where whole galaxies are. A "
    "spectrum is flagged as out of distribution where galaxies, their copies and pixels of mock "
    "galaxies are sparse (an isolation forest over the factors of the colours and the distance "
    "from all that these make), or where one band contradicts what the factor model says of it by "
    "the others."
)
HOW_SCORED = (
    "Each galaxy is predicted by the shipped member that never saw its dust, neither in trees and "
    "network nor in the uncertainty (4 folds by galaxy, of each survey by itself: "
    "KFold(4, shuffle=True, random_state=123), DustPedia in the tables' order, H-ATLAS by name); "
    "what the program uses is the mean of the four. The colours of all galaxies, without their "
    "dust, are in the factor model and in the network that stands in for fits. Observed fluxes "
    "with gaps and negatives, unless said otherwise. Beside it for DustPedia the plain baseline: "
    "scikit-learn's forest of 500 trees refitted on the same bands, galaxies and folds (without "
    "IRAC); for H-ATLAS the network of Dobbels+ 2020. >= 3 FIR: at least three of the PACS and "
    "SPIRE bands above 3 sigma, where DustPedia's truth is good. The error bars are standard "
    "deviations over 500 bootstraps of the galaxies. The settings were chosen by looking at these "
    "same folds, so that the errors may be low by a little. A galaxy that a set of bands leaves "
    "fewer than two bands besides WISE 3.4 is not counted. LOG_SIGMA_ quantities are scored per "
    "WISE 3.4 luminosity, which is how they are predicted; the stars of H-ATLAS's galaxies are not "
    "published, so that no ratio to them is scored. sigma_truth is the published error of the "
    "truth within limits (see below), and 0 for LOG_SIGMA_LSTAR and LOG_SIGMA_STAR: most of N19's "
    "errors of L_star and M_star is common to all galaxies."
)
DO_NOT_TRUST = (
    "On real pixels, beyond what mock galaxies can tell: no real pixel was ever scored. The tables "
    "of pixels show by how much errors differ between two recipes of mock galaxies. Dobbels & Baes "
    "2021 (Sect. 4.1) found 0.23 dex (LOG_SLD), 0.51 dex (LOG_SMD) and 5.0 K (T_DUST) on real "
    "pixels of 400 pc for a model that knew whole galaxies alone.",
    "On the dust of early types: the part for pixels takes off what the shells of old stars give "
    "at 12 and 22 micron, as much as is assumed of the mock galaxies (0.10 and 0.055 of WISE 3.4). "
    "On mocks without shells LOG_SLD is 0.5 to 0.7 dex low for it (docs/mocks.md).",
    "Where there is little dust or star formation between bright arms: M31's interarm regions are "
    "the known failure.",
    "Where the flag says out of distribution: trees cannot extrapolate.",
    "On nuclei with an AGN, on foreground stars, on H II regions resolved: no such thing was in "
    "the training set.",
    "At redshifts beyond 0.1, where no galaxy was used: there is no k-correction.",
    "With few bands on galaxies that were chosen by their dust: they are taken for nearby galaxies "
    "of any kind, and have more (see H-ATLAS's rows without WISE 2 to 4).",
    "As if faint were like bright: at low signal-to-noise ratios it has mostly seen galaxies of "
    "H-ATLAS, which were chosen by their dust.",
    "Masses against a Chabrier scale: they are Salpeter masses, 0.24 dex higher.",
)
SOURCES = (
    "Photometry: DustPedia (Clark+ 2018, A&A 609, A37; Davies+ 2017, PASP 129, 044102), collected "
    "for CIGALE by Dobbels+ 2020 (A&A 634, A57; FIREnet, MIT).",
    "Photometry of H-ATLAS (Eales+ 2010, PASP 122, 499) by GAMA (Wright+ 2016, MNRAS 460, 765), "
    "its truth by CIGALE with THEMIS, and the rival's predictions: Dobbels+ 2020 (FIREnet, MIT).",
    "Truth of DustPedia: Nersesian+ 2019 (A&A 624, A80), CIGALE (Boquien+ 2019, A&A 622, A103) "
    "with THEMIS dust (Jones+ 2017, A&A 602, A46).",
    "Distances: HyperLEDA and NED as chosen by DustPedia.",
    "Method: Dobbels & Baes 2021 (A&A, Predicting far-infrared maps of galaxies via machine "
    "learning techniques).",
)  # fmt: skip


def card(
    name: str,
    version: str,
    term: ColourTerm,
    galaxies: Galaxies,
    scores: tuple[Score, ...] = (),
    notes: tuple[str, ...] = (),
) -> ModelCard:
    """The card of a model trained on `galaxies`."""
    near = galaxies.surveys == DUSTPEDIA
    detected = int((galaxies.n_detected[near] >= 3).sum())
    return ModelCard(
        name=name,
        version=version,
        licence="BSD-3-Clause, as the package; the tables it was trained on are MIT",
        imf="Salpeter",
        about=ABOUT,
        trained_on=(
            f"{near.sum()} real galaxies of DustPedia with a WISE 3.4 flux and CIGALE parameters "
            f"fitted with the far infrared ({detected} with at least three far-infrared "
            f"detections), {(~near).sum()} of H-ATLAS, and copies of them with bands left out, "
            "noise added, or IRAC 3.6 in WISE 3.4's place; a few copies have CIGALE's gapless "
            "fluxes. Galaxies of which the truth is uncertain weigh less. The part for pixels: "
            "pixels of 1,000 mock galaxies (docs/mocks.md), 150 pc to 3 kpc and 18 arcsec wide, "
            "with surveys' noise times 0.5 to 4, calibration errors, leftover sky and a spread of "
            "dust laws. No pixel of a real galaxy."
        ),
        bands=COLUMNS.bands,
        features=COLUMNS.features,
        settings=COLUMNS.settings(),
        needs=(
            f"{NORMAL} and at least {MIN_OTHERS} more; without {NORMAL}, {STAND_IN} stands in for "
            f"it by log F = log F_{STAND_IN} {term.offset:+.3f}, whose scatter of "
            f"{term.scatter:.3f} dex enters the errors"
        ),
        properties=QUANTITIES,
        how_scored=HOW_SCORED,
        scores=scores,
        notes=notes,
        do_not_trust=DO_NOT_TRUST,
        sources=SOURCES,
    )
