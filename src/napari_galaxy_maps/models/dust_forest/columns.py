"""Which bands a dust-forest takes and which features its trees see, in their order, by its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bands.registry import get_band
from ...exceptions import ModelError
from .sed_names import NAMES as SED_NAMES

if TYPE_CHECKING:
    from ..card import ModelCard

NORMAL, STAND_IN = "WISE_3.4", "Spitzer_3.6"
"""The band by which all fluxes are divided, and the one from which it is estimated."""
MIN_OTHERS = 2
"""Fewest bands besides the normalising one."""
NOT_MEASURED = -1.5
"""The feature ``"snr BAND"`` of a band that was not measured, below all others."""
_BEYOND_STARS = ("WISE_4.6", "WISE_12", "WISE_22")
_STARLIGHT = (
    ("SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z"), ("2MASS_J", "2MASS_H", "2MASS_Ks")
)  # fmt: skip
_LEVER_BANDS = ("GALEX_NUV", "SDSS_g", "2MASS_Ks", "WISE_4.6", "WISE_12", "WISE_22")


@dataclass(frozen=True)
class Columns:
    """The columns of a model, fixed when it was trained.

    Attributes
    ----------
    bands : tuple of str
        That it takes, in the order of its colour model.
    features : tuple of str
        That its trees and networks see, in order, out of `all_features`.
    levers : tuple of str
        Features by which the recalibration of sigma tells kinds of input apart.
    pivot_um : float
        Pivot wavelength of the normalising band in micron.
    """

    bands: tuple[str, ...]
    features: tuple[str, ...]
    levers: tuple[str, ...]
    pivot_um: float

    @classmethod
    def of_bands(cls, bands: Sequence[str]) -> Columns:
        """The columns of a model that is trained on these bands."""
        levers = (*(f"width {band}" for band in _LEVER_BANDS), f"snr {NORMAL}")
        return cls(tuple(bands), all_features(bands), levers, get_band(NORMAL).pivot)

    @classmethod
    def from_card(cls, card: ModelCard) -> Columns:
        """The columns that a card names; a card of an earlier version names its bands alone.

        Raises
        ------
        ModelError
            When the card names what this version cannot compute.
        """
        usual = cls.of_bands(card.bands)
        found = cls(
            usual.bands,
            card.features or usual.features,
            tuple(card.settings.get("levers", usual.levers)),
            float(card.settings.get("pivot_um", usual.pivot_um)),
        )
        unknown = {NORMAL, STAND_IN} - set(found.bands)
        unknown |= set(found.features) - set(usual.features)
        unknown |= set(found.levers) - set(found.features)
        telling = (band for group in (_BEYOND_STARS, *_STARLIGHT) for band in group)
        unknown |= {f"snr {b}" for b in telling if b in found.bands} - set(found.features)
        unknown |= {f"log {b}" for b in found.bands if b != NORMAL} - set(found.features)
        if unknown:
            raise ModelError(
                f"The card of {card.name} is not one that this version can use "
                f"({', '.join(sorted(unknown))}); train the model anew, or install its version."
            )
        return found

    def settings(self) -> dict[str, Any]:
        """What a card's `settings` say of the columns, besides its bands and features."""
        return {"levers": list(self.levers), "pivot_um": self.pivot_um}

    @cached_property
    def normal(self) -> int:
        """Place of the normalising band."""
        return self.bands.index(NORMAL)

    @cached_property
    def stand_in(self) -> int:
        """Place of the band that may stand in for it."""
        return self.bands.index(STAND_IN)

    @cached_property
    def others(self) -> list[int]:
        """Places of all bands but the normalising one."""
        return [place for place in range(len(self.bands)) if place != self.normal]

    @cached_property
    def feature_places(self) -> list[int] | None:
        """Where the features lie among `all_features`; None where they are these."""
        computed = all_features(self.bands)
        if self.features == computed:
            return None
        return [computed.index(name) for name in self.features]

    @cached_property
    def spectrum_places(self) -> list[int]:
        """Where the most probable spectrum lies among the features, band by band."""
        return [self.features.index(f"log {self.bands[place]}") for place in self.others]

    @cached_property
    def lever_places(self) -> list[int]:
        """Where the levers lie among the features."""
        return [self.features.index(name) for name in self.levers]

    def complete(self, features: np.ndarray) -> np.ndarray:
        """Which spectra are complete, bool of shape (n,), by their features: at least two of WISE
        4.6, 12 and 22, and at least two of SDSS or of 2MASS, were measured.
        """

        def measured(band: str) -> np.ndarray:
            seen: np.ndarray = features[:, self.features.index(f"snr {band}")] > NOT_MEASURED
            return seen

        return np.asarray(self._suffices(measured))

    def complete_bands(self, bands: Sequence[str]) -> bool:
        """Whether a spectrum that has all of these bands is complete."""
        return bool(self._suffices(lambda band: np.array(band in bands)))

    def _suffices(self, measured: Callable[[str], np.ndarray]) -> np.ndarray:
        def two(group: Sequence[str]) -> np.ndarray:
            mine = [measured(band).astype(np.int8) for band in group if band in self.bands]
            return np.asarray(sum(mine, np.int8(0)) >= 2)

        optical, near_infrared = (two(group) for group in _STARLIGHT)
        return two(_BEYOND_STARS) & (optical | near_infrared)

    def usable(self, bands: Sequence[str]) -> tuple[str, ...]:
        """The bands out of `bands` that the model uses.

        Raises
        ------
        ModelError
            When there is neither WISE 3.4 nor IRAC 3.6, or there are fewer than two others.
        """
        names = tuple(name for name in (get_band(b).name for b in bands) if name in self.bands)
        have = ", ".join(names) or "none of its bands"
        if NORMAL not in names and STAND_IN not in names:
            raise ModelError(
                f"The model dust-forest needs {NORMAL} (or {STAND_IN}), to which it compares the "
                f"other bands, and got {have}; add an image in that band."
            )
        normal = NORMAL if NORMAL in names else STAND_IN
        if len(names) - 1 < MIN_OTHERS:
            raise ModelError(
                f"The model dust-forest needs at least {MIN_OTHERS} input bands besides {normal} "
                f"and got {have}; add images between the ultraviolet and 22 micron."
            )
        return names


def all_features(bands: Sequence[str]) -> tuple[str, ...]:
    """Names of all features that follow from bands, in the order in which they are computed.

    ``"log BAND"`` and ``"width BAND"`` of the most probable spectrum, ``"asinh BAND"`` of the ratio
    as observed, ``"snr BAND"``, ``"sed NAME"`` of `sed_names.NAMES`, and ``"stage"``, the
    Hubble stage.
    """
    others = [band for band in bands if band != NORMAL]
    return (
        *(f"log {band}" for band in others),
        *(f"width {band}" for band in others),
        *(f"asinh {band}" for band in others),
        *(f"snr {band}" for band in (*others, NORMAL)),
        *(f"sed {name}" for name in SED_NAMES),
        "stage",
    )
