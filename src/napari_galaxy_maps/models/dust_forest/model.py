"""The model dust-forest: dust and stars of every pixel, with uncertainties, from any of 18 bands
(DB21 Sect. 2.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...constants import LSUN_HZ_KPC2_PER_MJY_SR, SPEED_OF_LIGHT_MICRON_S
from ...data.flags import Flag, as_flags
from ...data.maps import PropertyMaps
from ...device import resolve_device
from ...exceptions import ModelError
from ...progress import Progress, Steps, run_to_end
from ..card import ModelCard
from .colour_model import ColourModel
from .columns import MIN_OTHERS, NORMAL, STAND_IN, Columns
from .contradiction import beside_others
from .dense_network import DenseNetwork, one_blas_thread
from .density import Density, density_features
from .doubtful_band import doubtful_band
from .features import UNKNOWN_SCALE, ColourTerm, Spectra, features, normalise, select
from .members import Member
from .pixel_part import PixelPart, Surroundings, share_of_pixel, unknown_side
from .uncertainty import QUANTITIES, galaxy_part, quantities_of

if TYPE_CHECKING:
    from ...data.cube import BandCube
    from ...data.galaxy import Galaxy


FAINT_SIGMA = 3.0
_LOOKED_AT = 500
"""Pixels by which it is foreseen how many will be flagged."""
_OF_COLOURS = ("mean", "loadings", "specific")
_HAS_PIXELS = "pixels.spread.tails"


AS_OBSERVED = ("T_DUST",)
"""What is predicted better from a spectrum with its gaps than from one with gaps filled."""


def log_lsun_kpc2_per_mjy_sr(pivot_um: float) -> float:
    """log10 of nu L_nu per area, in Lsun/kpc2, of 1 MJy/sr in a band."""
    return float(np.log10(LSUN_HZ_KPC2_PER_MJY_SR * SPEED_OF_LIGHT_MICRON_S / pivot_um))


def together(
    observed: tuple[np.ndarray, np.ndarray], filled: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """One prediction out of that of spectra as observed and that of the same spectra with their
    gaps filled.

    Their mean does better than either on the real galaxies
    (`training.dust_forest.imputation_trial`), but for `AS_OBSERVED`. By how much the two differ
    adds to the uncertainty.

    Parameters
    ----------
    observed, filled : tuple of ndarray, each of shape (n, 7)
        Values and sigmas of `QUANTITIES`; NaN where there is none, and then the other counts alone.

    Returns
    -------
    values, sigma : ndarray, shape (n, 7)
    """
    (one, one_sigma), (other, other_sigma) = observed, filled
    value = (one + other) / 2
    sigma = np.sqrt((one_sigma**2 + other_sigma**2) / 2 + ((one - other) / 2) ** 2)
    kept = [QUANTITIES.index(name) for name in AS_OBSERVED]
    value[:, kept], sigma[:, kept] = one[:, kept], one_sigma[:, kept]
    for mine, alone, else_alone in ((value, one, other), (sigma, one_sigma, other_sigma)):
        mine[:] = np.where(np.isnan(one), else_alone, np.where(np.isnan(other), alone, mine))
    return value, sigma


@dataclass(frozen=True)
class DustForest:
    """Dust and stars from surface brightness; the mean of its members.

    Attributes
    ----------
    members : tuple of Member
        Member k was trained without fold k of the galaxies, which the card scores it on.
    colours : ColourModel
        Of all galaxies; it knows nothing of the dust.
    sed : DenseNetwork
        What a fit of model spectra would say; it knows nothing of the galaxies' dust either.
    colour_term : ColourTerm
        From IRAC 3.6 to WISE 3.4.
    density : Density
        Of galaxies among spectra, by which it is known what is out of distribution.
    card : ModelCard
    weights_hash : str
        SHA-256 of the weights file.
    pixels : PixelPart, optional
        Of pixels; without it they are taken for galaxies.
    """

    members: tuple[Member, ...]
    colours: ColourModel
    sed: DenseNetwork
    colour_term: ColourTerm
    density: Density
    card: ModelCard
    weights_hash: str = ""
    pixels: PixelPart | None = None
    has_remarks: ClassVar[bool] = True
    reach: int = field(default=0, init=False)
    """Pixels within which a pixel has an influence on others."""

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return self.card.name

    @cached_property
    def columns(self) -> Columns:
        """Its bands and features, by its card."""
        return Columns.from_card(self.card)

    @cached_property
    def galaxy_shares(self) -> dict[str, tuple[float, float]]:
        """`uncertainty.galaxy_part`'s share and most by quantity, by its card; empty where that
        says nothing of them, as those of models trained before they were measured.

        Raises
        ------
        ModelError
            When the card's are not such numbers.
        """
        try:
            found = {
                str(name): (float(share), float(most))
                for name, (share, most) in self.card.settings.get("galaxy_errors", {}).items()
            }
            fine = set(found) <= set(QUANTITIES) and all(
                0 <= share <= 1 and most > 0 for share, most in found.values()
            )
        except (AttributeError, TypeError, ValueError):
            fine = False
        if not fine:
            raise ModelError(
                f"The card of {self.card.name} has galaxy_errors that are none: give a share from "
                "0 to 1 and a sigma above 0 for each quantity, or train the model anew."
            )
        return found

    def tails(self, bands: Sequence[str], pixel_pc: float | None = None) -> dict[str, float]:
        """By quantity, the sigmas that hold 95 % of the errors of spectra in these bands, on pixels
        of this side.
        """
        share = float(share_of_pixel(np.array(pixel_pc or UNKNOWN_SCALE)))
        complete = self.columns.complete_bands(bands)
        predictors = [m.complete if complete else m.partial for m in self.members]
        tails = np.mean([predictor.spread.tails for predictor in predictors], axis=0)
        if self.pixels is not None:
            tails = share * self.pixels.spread.tails + (1 - share) * tails
        return {name: float(tail) for name, tail in zip(QUANTITIES, tails, strict=True)}

    def check_bands(self, bands: Sequence[str]) -> tuple[str, ...]:
        """The bands out of `bands` that it uses; raises `ModelError` where they do not suffice."""
        return self.columns.usable(bands)

    @classmethod
    def bands_used(cls, card: ModelCard, bands: Sequence[str]) -> tuple[str, ...]:
        """`check_bands` by the card alone."""
        return Columns.from_card(card).usable(bands)

    @classmethod
    def without_distance(cls, card: ModelCard, galaxy: Galaxy, pixel_arcsec: float | None) -> str:
        """What it takes for the side of pixels, which only a distance tells; empty where one is
        known.
        """
        return "" if galaxy.distance_mpc is not None else unknown_side(card.name, pixel_arcsec)

    @classmethod
    def band_advice(cls, card: ModelCard, bands: Sequence[str]) -> str:
        """A sentence on the bands that it is given: what is missing, what would make it better."""
        if not {NORMAL, STAND_IN} & set(bands):
            return (
                "WISE 3.4 (or Spitzer 3.6) is missing: every flux is divided by it. Add that image."
            )
        usual = [name for name in card.bands if not name.startswith("Spitzer")]
        lacking = ", ".join(name for name in usual if name not in bands)
        usable = [name for name in bands if name in card.bands]
        if len(usable) <= MIN_OTHERS:
            more = MIN_OTHERS + 1 - len(usable)
            return (
                f"Only {' and '.join(usable)} can be used; add at least {more} more of {lacking}."
            )
        if not lacking:
            return f"{len(usable)} bands, none of the usual ones is missing."
        return f"{len(usable)} bands. The answer would be more certain with {lacking}."

    def predict_spectra(
        self, spectra: Spectra, device: str = "cpu"
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The seven quantities, their uncertainties, and how far out the spectrum is, of usable
        spectra.

        Returns
        -------
        values, sigma : ndarray of float32, shape (n, 7)
        score : ndarray, shape (n,)
            `Density.score`: beyond 1 the spectrum is out of distribution.
        """
        galaxies = None if self.pixels is None else share_of_pixel(spectra.scale_pc) < 1
        matrix, unusual, mean, sigma = self.of_galaxies(spectra, device, galaxies)
        if self.pixels is not None:
            about = Surroundings(unusual, spectra.scale_pc, spectra.normal)
            mean, sigma = self.pixels.applied(matrix, mean, sigma, about, spectra.columns, device)
        values = quantities_of(mean)
        brightness = np.log10(spectra.normal) + log_lsun_kpc2_per_mjy_sr(spectra.columns.pivot_um)
        values[:, 3:] += brightness[:, None]
        score = self.score(spectra, matrix, unusual, device)
        return values.astype(np.float32), sigma.astype(np.float32), score

    def score(
        self, spectra: Spectra, matrix: np.ndarray, unusual: np.ndarray, device: str = "cpu"
    ) -> np.ndarray:
        """`Density.score` of usable spectra, shape (n,), from what `features` says of them."""
        spectrum = matrix[:, spectra.columns.spectrum_places]
        found = density_features(spectrum, unusual, self.colours)
        return self.density.score(found, beside_others(spectra, self.colours), device)

    def remarks(self, cube: BandCube) -> list[str]:
        """A sentence on the band that the others contradict in most of a galaxy, where there is
        one; or that the model, of an earlier version, has no means to tell what it never saw.
        """
        if not self.density.known:
            return [
                f"{self.name} was trained without a score by density: no pixel is flagged as "
                "unlike what it was trained on; train it anew"
            ]
        return doubtful_band(cube, self.colour_term, self.columns, self.colours, self.density.tails)

    def flagged_ahead(self, cube: BandCube) -> float:
        """The share of a galaxy's pixels that would be flagged as unlike anything that it was
        trained on, by some of them, evenly over it; 0 where none can be used.
        """
        places = np.flatnonzero(~cube.mask)
        places = places[:: max(1, -(-len(places) // _LOOKED_AT))]
        data, uncertainty = (
            planes.reshape(len(cube.bands), -1)[:, places]
            for planes in (cube.data, cube.uncertainty)
        )
        spectra = normalise(
            data, uncertainty, cube.bands, self.colour_term, self.columns, cube.hubble_stage,
            cube.pixel_pc,
        )  # fmt: skip
        spectra = select(spectra, spectra.usable)
        if not len(spectra.normal):
            return 0.0
        with one_blas_thread():
            matrix, unusual = features(spectra, self.colours, self.sed)
        return float((self.score(spectra, matrix, unusual) > 1).mean())

    def of_galaxies(
        self, spectra: Spectra, device: str = "cpu", with_sigma: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the members say of usable spectra, as if each were of a whole galaxy.

        Parameters
        ----------
        with_sigma : ndarray of bool, shape (n,), optional
            Whose uncertainty is asked for; by default that of all.

        Returns
        -------
        matrix : ndarray, shape (n, n_features)
            `features`.
        unusual : ndarray, shape (n,)
        mean : ndarray, shape (n, 5)
            The members' targets.
        sigma : ndarray, shape (n, 7)
            NaN where it is not asked for.
        """
        with one_blas_thread():
            matrix, unusual = features(spectra, self.colours, self.sed)
            complete = spectra.columns.complete(matrix)
            means = [member.mean(matrix, complete, device) for member in self.members]
        sigma = np.full((len(matrix), len(QUANTITIES)), np.nan, np.float32)
        rows = slice(None) if with_sigma is None else np.flatnonzero(with_sigma)
        if len(sigma[rows]):
            given = matrix[rows], unusual[rows], complete[rows], spectra.columns, device
            square = [
                member.sigma(mean[rows], *given) ** 2
                for member, mean in zip(self.members, means, strict=True)
            ]
            sigma[rows] = np.sqrt(np.mean(square, axis=0))
        return matrix, unusual, np.mean(means, axis=0), sigma

    def predict_steps(
        self,
        cube: BandCube,
        device: str = "auto",
        where: tuple[slice, slice] | None = None,
        chunk: int = 10_000,
    ) -> Steps[PropertyMaps]:
        """Predict maps, yielding after every chunk of pixels.

        Parameters
        ----------
        cube : BandCube
            Surface brightness in MJy/sr in any bands; far-infrared ones are not used. Where gaps
            were filled (`BandCube.filling`), what the pixel says with and without is put
            `together`.
        device : str
            ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        where : tuple of slice, optional
            Rows and columns to predict; the others are NaN. By default all.
        chunk : int
            Pixels at a time.

        Returns
        -------
        PropertyMaps
            `QUANTITIES`; NaN where the cube is masked or its normalising band is missing or not
            positive. Of the errors, the part that the galaxy's pixels share is that of the card.

        Raises
        ------
        ModelError
            When the bands do not suffice or the device is not there.
        """
        used, shares_of = self.check_bands(cube.bands), self.galaxy_shares
        on = resolve_device(device)
        filled = cube if cube.filling is None else cube.filled()
        fill = (
            np.zeros(cube.mask.size, bool)
            if cube.filling is None
            else np.isfinite(cube.filling.data).any(0).ravel()
        )
        wanted = np.arange(cube.mask.size)
        if where is not None:
            wanted = wanted.reshape(cube.shape)[where].ravel()
        n = len(wanted)
        values = np.full((len(QUANTITIES), cube.mask.size), np.nan, np.float32)
        errors = values.copy()
        flags = as_flags(cube.flags).ravel()
        masked = cube.mask.ravel()
        for start in range(0, n, chunk):
            rows = wanted[start : start + chunk]
            rows = rows[~masked[rows]]
            value, sigma, bits = self._pixels(cube, rows, on)
            again = fill[rows]
            if again.any():
                other, other_sigma, _ = self._pixels(filled, rows[again], on)
                value[again], sigma[again] = together(
                    (value[again], sigma[again]), (other, other_sigma)
                )
            values[:, rows], errors[:, rows] = value.T, sigma.T
            flags[rows] |= bits
            done = min(start + chunk, n)
            yield Progress("model", done, n, f"{done:,} of {n:,} pixels on {on}")
        maps = {name: values[i].reshape(cube.shape) for i, name in enumerate(QUANTITIES)}
        sigmas = {name: errors[i].reshape(cube.shape) for i, name in enumerate(QUANTITIES)}
        return PropertyMaps(
            maps,
            sigmas,
            cube.wcs,
            flags.reshape(cube.shape),
            self.card.provenance(self.weights_hash, used, on),
            galaxy_errors={
                name: galaxy_part(sigmas[name], *shares) for name, shares in shares_of.items()
            },
            tails=self.tails(used, cube.pixel_pc),
        )

    def _pixels(
        self, cube: BandCube, rows: np.ndarray, device: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values and sigmas, NaN where a spectrum cannot be used, and flags of some pixels of a
        flattened cube.
        """
        data, uncertainty = (
            planes.reshape(len(cube.bands), -1)[:, rows] for planes in (cube.data, cube.uncertainty)
        )
        spectra = normalise(
            data, uncertainty, cube.bands, self.colour_term, self.columns, cube.hubble_stage,
            cube.pixel_pc,
        )  # fmt: skip
        bits = np.where(spectra.missing, Flag.BAND_MISSING, 0)
        with np.errstate(invalid="ignore"):
            faint = ~(spectra.normal > FAINT_SIGMA * spectra.normal_error)  # nor 0 with error 0
        standing = np.isfinite(spectra.normal) & (NORMAL not in cube.bands)
        bits |= np.where(faint, Flag.FAINT, 0) | np.where(standing, Flag.STAND_IN, 0)
        value, sigma = np.full((2, len(rows), len(QUANTITIES)), np.nan, np.float32)
        keep = spectra.usable
        if keep.any():
            value[keep], sigma[keep], score = self.predict_spectra(select(spectra, keep), device)
            bits[keep] |= np.where(score > 1, Flag.OUT_OF_DISTRIBUTION, 0)
        return value, sigma, bits.astype(np.int16)

    def predict(
        self,
        cube: BandCube,
        device: str = "auto",
        progress: Callable[[Progress], None] | None = None,
    ) -> PropertyMaps:
        """`predict_steps` run to its end."""
        return run_to_end(self.predict_steps(cube, device), progress)

    def to_bytes(self) -> bytes:
        """The weights as a safetensors file."""
        from safetensors.numpy import save

        arrays = {"colour_term": np.array([self.colour_term.offset, self.colour_term.scatter])}
        arrays |= {f"colours.{k}": getattr(self.colours, k) for k in _OF_COLOURS}
        arrays |= self.sed.arrays("sed.") | self.density.arrays("density.")
        for k, member in enumerate(self.members):
            arrays |= member.arrays(f"{k}.")
        if self.pixels is not None:
            arrays |= self.pixels.arrays("pixels.")
        return bytes(save({key: np.ascontiguousarray(array) for key, array in arrays.items()}))

    @classmethod
    def from_bytes(cls, blob: bytes, card: ModelCard, weights_hash: str = "") -> DustForest:
        """The reverse of `to_bytes`; raises `ModelError` where the bytes are no such file."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        columns = Columns.from_card(card)
        try:
            arrays = load(blob)
            count = len({first for key in arrays if (first := key.split(".")[0]).isdigit()})
            return cls(
                tuple(Member.from_arrays(arrays, f"{k}.") for k in range(count)),
                ColourModel(*(arrays[f"colours.{k}"] for k in _OF_COLOURS)),
                DenseNetwork.from_arrays(arrays, "sed."),
                ColourTerm(*map(float, arrays["colour_term"])),
                Density.from_arrays(arrays, "density.")
                if "density.limits" in arrays
                else Density.none(len(columns.bands)),
                card,
                weights_hash,
                PixelPart.from_arrays(arrays, "pixels.")
                if "pixels.spread.tails" in arrays
                else None,
            )
        except (SafetensorError, KeyError) as error:
            raise ModelError(
                f"The weights of {card.name} are damaged ({error}); install the package again."
            ) from None
