"""The words of dust-forest's card; what is measured for it is in `card_notes` and `scoring`."""

from __future__ import annotations

from ...models.card import ModelCard, Score
from ...models.dust_forest.columns import MIN_OTHERS, NORMAL, STAND_IN
from ...models.dust_forest.features import ColourTerm
from ...models.dust_forest.uncertainty import QUANTITIES
from ..datasets.galaxies import Galaxies
from .band_sets import COLUMNS

ABOUT = (
    "Dust and stars of a galaxy or of each of its pixels, from surface brightness between the "
    "ultraviolet and 22 micron. Two random forests (one for the logarithms, one for the "
    "temperature) and boosted trees with vector leaves are averaged; four such members, each "
    "trained without a quarter of the galaxies, are averaged again. Gaps and noise are dealt with "
    "by a factor model of galaxies' colours, which gives the trees the most probable spectrum, "
    "its width, and the ratios as observed. The uncertainty is xgboost's, fitted to cross-fitted "
    "residuals by a Gaussian likelihood that holds the truth's own errors, and recalibrated on "
    "galaxies held out from it until chi2 and both coverages are right in each set of bands below "
    "and in sets drawn at random."
)
HOW_SCORED = (
    "Each galaxy is predicted by the shipped member that never saw it, neither in the trees, nor "
    "in the colours, nor in the uncertainty (4 folds by galaxy, KFold(4, shuffle=True, "
    "random_state=123)); what the program uses is the mean of the four. Observed fluxes with gaps "
    "and negatives, unless said otherwise. Beside it the plain baseline: scikit-learn's forest of "
    "500 trees refitted on the same bands, galaxies and folds (on the 14 bands without IRAC for "
    "'all bands'). >= 3 FIR: at least three of the PACS and SPIRE bands above 3 sigma, where the "
    "truth is good. The error bars are standard deviations over 500 bootstraps of the galaxies. "
    "The settings were chosen by looking at these same folds, so that the errors may be low by a "
    "little. A galaxy that a set of bands leaves fewer than two bands besides WISE 3.4 is not "
    "counted. LOG_SIGMA_ quantities are scored per WISE 3.4 luminosity, which is how they are "
    "predicted; for LOG_SIGMA_LSTAR and LOG_SIGMA_STAR sigma_truth is 0: N19's errors of L_star "
    "and M_star are as large as the residuals, so that sigma holds the whole residual."
)
DO_NOT_TRUST = (
    "On pixels, as far as the table: it was trained on whole galaxies. Dobbels & Baes 2021 (Sect. "
    "4.1) found 0.23 dex (LOG_SLD), 0.51 dex (LOG_SMD) and 5.0 K (T_DUST) on 400 pc pixels for "
    "such a model, against 0.15, 0.47 and 4.67 for one trained on pixels.",
    "Where there is little dust or star formation between bright arms: M31's interarm regions are "
    "the known failure.",
    "Where the flag says out of distribution: trees cannot extrapolate.",
    "On nuclei with an AGN, on foreground stars, on H II regions resolved: no such thing was in "
    "the training set.",
    "At redshifts beyond the nearby universe (galaxies within about 40 Mpc were used): there is "
    "no k-correction.",
    "Masses against a Chabrier scale: they are Salpeter masses, 0.24 dex higher.",
    "The uncertainties for galaxies or pixels of which the truth itself is not known: of a galaxy "
    "without far-infrared detections N19's temperature error is the width of its prior, wider "
    "than the scatter of its values, so that z is too small there.",
)
SOURCES = (
    "Photometry: DustPedia (Clark+ 2018, A&A 609, A37; Davies+ 2017, PASP 129, 044102), collected "
    "for CIGALE by Dobbels+ 2020 (A&A 634, A57; FIREnet, MIT).",
    "Truth: Nersesian+ 2019 (A&A 624, A80), CIGALE (Boquien+ 2019, A&A 622, A103) with THEMIS "
    "dust (Jones+ 2017, A&A 602, A46).",
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
    detected = int((galaxies.n_detected >= 3).sum())
    return ModelCard(
        name=name,
        version=version,
        licence="BSD-3-Clause, as the package; the tables it was trained on are MIT",
        imf="Salpeter",
        about=ABOUT,
        trained_on=(
            f"{len(galaxies)} real galaxies of DustPedia with a WISE 3.4 flux and CIGALE "
            f"parameters fitted with the far infrared ({detected} with at least three "
            "far-infrared detections): their mean surface brightness inside the DustPedia "
            "aperture, as observed, and copies of it with bands left out, noise added, or IRAC "
            "3.6 in WISE 3.4's place; a few copies have CIGALE's gapless fluxes. Galaxies of "
            "which the truth is uncertain weigh less."
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
