"""The sets of bands that surveys deliver, for which the model is calibrated and scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...bands.registry import INPUT_BANDS, get_band
from ...models.dust_forest.columns import Columns
from ..datasets.galaxies import Galaxies

COLUMNS = Columns.of_bands(INPUT_BANDS)
"""Bands and features of the model that is trained; its card keeps them."""
BASELINE_BANDS: tuple[str, ...] = tuple(b for b in INPUT_BANDS if get_band(b).survey != "IRAC")
"""The 14 bands of the plain baseline."""


@dataclass(frozen=True)
class BandSet:
    """What is given of each galaxy.

    Attributes
    ----------
    name : str
        For the card.
    bands : tuple of str
    imputed : bool
        Whether the fluxes are CIGALE's Bayesian ones instead of the observed ones.
    with_stage : bool
        Whether the Hubble stage is given, too.
    """

    name: str
    bands: tuple[str, ...]
    imputed: bool = False
    with_stage: bool = False

    @property
    def rows(self) -> list[int]:
        """Places of the bands in `INPUT_BANDS`."""
        return [INPUT_BANDS.index(b) for b in self.bands]

    def given(self, galaxies: Galaxies) -> tuple[np.ndarray, np.ndarray]:
        """Values and errors of these bands, each of shape (n_bands, n)."""
        values, errors = galaxies.values, galaxies.errors
        if self.imputed:
            values, errors = galaxies.imputed, galaxies.imputed_errors
        return values[self.rows], errors[self.rows]

    def padded(self, galaxies: Galaxies) -> tuple[np.ndarray, np.ndarray]:
        """The same in the shape of all 18 bands, NaN elsewhere."""
        full = np.full((2, *galaxies.values.shape), np.nan)
        full[:, self.rows] = self.given(galaxies)
        return full[0], full[1]

    def stage(self, galaxies: Galaxies) -> np.ndarray:
        """Hubble stages as given, shape (n,); NaN where not."""
        return galaxies.stage if self.with_stage else np.full(len(galaxies), np.nan)


def _of(*surveys: str) -> tuple[str, ...]:
    return tuple(b for b in BASELINE_BANDS if get_band(b).survey in surveys)


ALL_BANDS = BandSet("all bands", INPUT_BANDS)
WITH_STAGE = BandSet("all bands, Hubble stage", INPUT_BANDS, with_stage=True)
BAND_SETS: tuple[BandSet, ...] = (
    WITH_STAGE,
    BandSet("no IRAC", BASELINE_BANDS),
    BandSet("no GALEX", tuple(b for b in BASELINE_BANDS if get_band(b).survey != "GALEX")),
    BandSet(
        "no WISE 2 to 4",
        tuple(b for b in BASELINE_BANDS if b not in ("WISE_4.6", "WISE_12", "WISE_22")),
    ),
    BandSet("SDSS + WISE 1", (*_of("SDSS"), "WISE_3.4")),
    BandSet("2MASS + WISE 1, 2", (*_of("2MASS"), "WISE_3.4", "WISE_4.6")),
    BandSet("imputed fluxes", BASELINE_BANDS, imputed=True),
)
"""Besides the whole: the subsets of bands, and CIGALE's gapless fluxes."""
