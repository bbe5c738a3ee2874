"""All bands of a galaxy on one grid at one PSF: what preparation makes of its images."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import InputError
from .galaxy import BandImage
from .masked_light import MaskedLight
from .methods import call

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.figure import Figure


def changed_pixels(*planes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Pixels in which stacks of planes are not as others, bit by bit, so that NaN equals NaN.

    Parameters
    ----------
    *planes : tuple of two ndarrays of float32, each of shape (n, ny, nx)
        Now and before; a stack that is the same array is not looked at.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    changed = np.zeros(planes[0][0].shape[1:], bool)
    for now, then in planes:
        if now is not then:
            changed |= (now.view(np.int32) != then.view(np.int32)).any(axis=0)
    return changed


@dataclass(frozen=True)
class Filling:
    """What the bands of a cube are thought to be where nothing was measured that can be used; what
    was measured stays apart.

    Attributes
    ----------
    data, uncertainty : ndarray of float32, shape (n_bands, ny, nx)
        As those of `BandCube`; NaN where nothing was filled in.
    """

    data: np.ndarray
    uncertainty: np.ndarray


@dataclass(frozen=True, repr=False)
class BandCube:
    """All bands of a galaxy on one grid at one PSF.

    Attributes
    ----------
    data, uncertainty : ndarray of float32, shape (n_bands, ny, nx)
        Surface brightness and its 1-sigma error in MJy/sr; NaN where nothing was measured.
    bands : tuple of str
        Band names along the first axis.
    wcs : astropy.wcs.WCS
        Celestial coordinates of the grid.
    fwhm : float
        Of the common PSF, arcsec.
    pixel_arcsec : float
        Side of a pixel.
    pixel_pc : float or None
        The same in parsec, where the distance is known.
    mask : ndarray of bool, shape (ny, nx)
        True where no prediction is wanted.
    flags : ndarray of int16, shape (ny, nx)
        Bits of `flags.Flag` known so far.
    name : str
        The galaxy's name.
    images : mapping of str to BandImage
        The prepared images one by one, with their notes and paths (without copies of the data).
    masks : prepare.masks.Masks or None
        What was masked.
    own_masks : ndarray of bool, shape (n_bands, ny, nx), or None
        True where a band is not to be summed: under its own mask, and where `mask` hides all bands
        alike. `mask` is true under the mask of any band. None where `mask` is all that is known.
    correlation : ndarray of float, shape (n_bands,), or None
        Pixels over which the random error is shared (`prepare.errors.error_budget.correlation`):
        the error of a sum over many is its root times the root of the summed variances.
    systematic : ndarray of float, shape (n_bands,), or None
        Relative error that is common to all pixels of a band (calibration, reddening);
        `uncertainty` holds it too.
    filling : Filling or None
        What gaps and pixels that are not positive were filled with (`prepare.impute`).
    masked_light : MaskedLight or None
        What is thought to lie under the masks of each band (`prepare.masked_light`).
    hubble_stage : float or None
        Of the galaxy, as `Galaxy.hubble_stage`.
    redshift : float or None
        Of the galaxy as it was told, for its colours; None where only a distance is known, or
        nothing. 0 and less (M31: -0.001) are known.
    provenance : mapping
        What made it, where that is known: name of the galaxy, recipe (TOML text), versions, inputs
        with checksums; the file that it was read from.
    unknown_flags : mapping of int to str
        Bits of `flags` of a newer program, with what its file says that they mean.
    dimmed : bool
        Whether the light is as dust lets it through, as it is measured. Of images from which the
        dust was taken (`sed.attenuation_maps`) it is not, and no model may be fitted to them.
    """

    data: np.ndarray
    uncertainty: np.ndarray
    bands: tuple[str, ...]
    wcs: WCS
    fwhm: float
    pixel_arcsec: float
    pixel_pc: float | None
    mask: np.ndarray
    flags: np.ndarray
    name: str = ""
    images: Mapping[str, BandImage] = field(default_factory=dict)
    masks: Any = None
    own_masks: np.ndarray | None = None
    correlation: np.ndarray | None = None
    systematic: np.ndarray | None = None
    filling: Filling | None = None
    masked_light: MaskedLight | None = None
    hubble_stage: float | None = None
    redshift: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    unknown_flags: Mapping[int, str] = field(default_factory=dict)
    dimmed: bool = True

    def check_dimmed(self) -> None:
        """Refuse images without dust where models of galaxies with dust are to be used.

        Raises
        ------
        InputError
        """
        if not self.dimmed:
            file = self.provenance.get("file")
            raise InputError(
                f"{file or f'The cube of {self.name}' if self.name else file or 'The cube'} holds "
                "images without dust, to which no model can be fitted; give the images as they "
                "were measured. Sums, means and profiles of it can be taken."
            )

    def __repr__(self) -> str:
        ny, nx = self.shape
        side = f"{self.pixel_arcsec:.3g} arcsec"
        side += f" ({self.pixel_pc:.4g} pc)" if self.pixel_pc else ""
        return (
            f"BandCube{f' of {self.name}' if self.name else ''}: {len(self.bands)} bands at "
            f"{self.fwhm:.2f} arcsec on {nx} x {ny} pixels of {side}\n"
            f"  {', '.join(self.bands)}"
        )

    def plot(self, bands: Sequence[str] | None = None) -> Figure:
        """Draw its bands side by side, on the sky.

        Parameters
        ----------
        bands : sequence of str, optional
            The bands wanted; all by default.
        """
        figure: Figure = call("BandCube.plot", self, bands)
        return figure

    def write(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the cube to a FITS file, with its errors, masks and provenance.

        Raises
        ------
        InputError
            When the file is there already and may not be replaced, or cannot be written.
        """
        call("BandCube.write", self, path, overwrite)

    @property
    def notes(self) -> list[str]:
        """What was done to each band, in words: as its images say, or the file it was read from."""
        if self.images:
            return [f"{im.band}: {text}" for im in self.images.values() for text in im.notes]
        found = self.provenance.get("note", [])
        return [found] if isinstance(found, str) else list(found)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the grid."""
        _, ny, nx = self.data.shape
        return ny, nx

    def filled(self) -> BandCube:
        """The cube with its gaps filled; itself where there is nothing to fill."""
        if self.filling is None:
            return self
        where = np.isfinite(self.filling.data)
        data, uncertainty = (
            np.where(where, new, old)
            for new, old in (
                (self.filling.data, self.data),
                (self.filling.uncertainty, self.uncertainty),
            )
        )
        return replace(self, data=data, uncertainty=uncertainty, filling=None)

    @property
    def unknown(self) -> np.ndarray:
        """Where no prediction is wanted, or none can be had: `mask` without the pixels of which the
        light under masks is known, bool of shape (ny, nx).
        """
        unknown = self.mask.copy()
        if self.masked_light is not None:
            unknown[self.masked_light.where] &= ~self.masked_light.wanted
        return unknown

    def with_masked_light(self) -> BandCube:
        """The cube with the light under its masks filled in, as far as it is known, and these
        pixels no longer hidden; itself where nothing is. Their errors have the noise of measured
        pixels, too.
        """
        light = self.masked_light
        if light is None:
            return self
        data, uncertainty = self.data.copy(), self.uncertainty.copy()
        own_masks = self.own_masks
        error = np.hypot(light.uncertainty, light.noise)
        for mine, known in ((data, light.data), (uncertainty, error)):
            mine[:, *light.where] = np.where(np.isfinite(known), known, mine[:, *light.where])
        if own_masks is not None:
            own_masks = own_masks.copy()
            own_masks[:, *light.where] &= ~(light.wanted & np.isfinite(light.data))
        return replace(
            self,
            data=data,
            uncertainty=uncertainty,
            mask=self.unknown,
            own_masks=own_masks,
            masked_light=None,
        )

    def only(self, bands: Collection[str]) -> BandCube:
        """The cube with some of its bands; itself where these are all."""
        rows = [i for i, name in enumerate(self.bands) if name in bands]
        if len(rows) == len(self.bands):
            return self
        filling = self.filling and Filling(self.filling.data[rows], self.filling.uncertainty[rows])
        light = self.masked_light and self.masked_light.of_bands(lambda planes: planes[rows])
        return replace(
            self,
            data=self.data[rows],
            uncertainty=self.uncertainty[rows],
            bands=tuple(self.bands[i] for i in rows),
            images={name: image for name, image in self.images.items() if name in bands},
            own_masks=None if self.own_masks is None else self.own_masks[rows],
            correlation=None if self.correlation is None else self.correlation[rows],
            systematic=None if self.systematic is None else self.systematic[rows],
            filling=filling,
            masked_light=light,
        )

    def masked_alike(self) -> BandCube:
        """The cube with all bands hidden where any is: colours are those of the same pixels in
        every band.
        """
        return replace(self, own_masks=None)

    def line(self, where: np.ndarray) -> BandCube:
        """Some pixels side by side, as a cube one pixel high; coordinates mean nothing in it, and
        what lies under masks is left behind.

        Parameters
        ----------
        where : ndarray of bool, shape (ny, nx)
        """

        def chosen(planes: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(planes[..., where][..., None, :])

        filling = self.filling and Filling(
            chosen(self.filling.data), chosen(self.filling.uncertainty)
        )
        return replace(
            self,
            data=chosen(self.data),
            uncertainty=chosen(self.uncertainty),
            mask=chosen(self.mask),
            own_masks=None if self.own_masks is None else chosen(self.own_masks),
            flags=chosen(self.flags),
            filling=filling,
            masked_light=None,
        )


def random_part(values: np.ndarray, error: np.ndarray, systematic: float) -> np.ndarray:
    """The part of the errors of a band that is not common to all its pixels.

    Parameters
    ----------
    values, error : ndarray
        Surface brightness and its whole 1-sigma error.
    systematic : float
        Relative error that is common to all pixels (`BandCube.systematic`).
    """
    if not systematic:
        return error
    with np.errstate(invalid="ignore"):
        part: np.ndarray = np.sqrt(
            np.clip(error**2 - (np.float32(systematic) * values) ** 2, 0, None)
        )
    return part
