"""One image in a FITS file: what is known of it before its pixels are read, and its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bands.registry import Band
from ..bands.units import ZeroPoint
from ..data.galaxy import Stamp
from ..data.question import Question
from ..exceptions import InputError, brief
from .header_words import Words
from .image_names import Place, version_of
from .linear_pixels import linear_pixels
from .open_fits import BROKEN, opened

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    from ..bands.stand_ins import StandIn


@dataclass(frozen=True)
class Told:
    """What a person says of an image; what is None, its words have to say."""

    band: str | None = None
    unit: str | None = None
    zero_point: str | None = None
    beam: float | None = None
    psf: float | Stamp | None = None


@dataclass(frozen=True)
class ImageFile:
    """One image in a file, with what is known of it before its pixels are read.

    Attributes
    ----------
    path : Path
        The file.
    hdu : int
        Number of the extension.
    label : str
        File name, with ``[n]`` where the file holds several images; the key of `--band` and of the
        recipe.
    shape : tuple of int
        (ny, nx).
    wcs : astropy.wcs.WCS
        Two-dimensional celestial coordinates.
    header : astropy.io.fits.Header
        Of the extension.
    band : Band or None
        None where it has to be asked for.
    band_reason, unit_reason : str
        Why, in words.
    band_candidates : tuple of str
        The likely ones where it has to be asked for.
    unit : str or None
        None where it has to be asked for.
    unit_suggestion : str or None
        The likely one then; offered, never used in silence.
    role : str
        ``"image"``; ``"uncertainty"``, ``"variance"`` or ``"weight"`` (inverse variance); or, of an
        image beside one of the sky, ``"mask"`` or ``"exposure"``.
    fwhm : float
        Of the PSF in arcsec: the header's beam, or the band's usual one; 0 where the band is
        unknown.
    psf : Stamp or None
        The measured PSF that a person gave.
    zero_point : ZeroPoint or None
        What one count, count per second or maggy stands for, where the unit needs it.
    beam : (float, str) or None
        Solid angle of the beam in arcsec2 and where it is from, where the unit needs it.
    old_pixel : float or None
        Side in arcsec of the pixels of the survey's own images.
    questions : tuple of Question
        What a person has to settle before the image can be used.
    notes : tuple of str
        What has to be told of how the file was understood.
    words : Words
        Of its headers.
    told : Told
        What a person said of it.
    extension : str
        Name of its extension, where the file holds several images.
    plane : int or None
        Its plane, where the extension is a cube whose planes are bands.
    pixel_arcsec : float
        Side of a square that has the median solid angle of its pixels.
    role_told : bool
        Whether a person said what it is for.
    beside : tuple of ImageFile
        The masks and exposure maps that belong to it, as `beside_files.with_beside` finds them.
    needs_exposure : bool
        Whether its counts are waiting for an exposure in seconds.
    divide_by : ImageFile or None
        The exposure map in seconds by which its counts are divided, as `unit` takes it.
    stand_in : StandIn or None
        Why `band` is one of the models' though another camera has made it.
    """

    path: Path
    hdu: int
    label: str
    shape: tuple[int, int]
    wcs: WCS
    header: Header
    band: Band | None
    band_reason: str
    band_candidates: tuple[str, ...]
    unit: str | None
    unit_reason: str
    unit_suggestion: str | None
    role: str
    fwhm: float
    psf: Stamp | None = None
    zero_point: ZeroPoint | None = None
    beam: tuple[float, str] | None = None
    old_pixel: float | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    words: Words = field(default_factory=lambda: Words({}), compare=False, repr=False)
    told: Told = Told()
    extension: str = ""
    plane: int | None = None
    pixel_arcsec: float = 0.0
    role_told: bool = False
    beside: tuple[ImageFile, ...] = ()
    needs_exposure: bool = False
    divide_by: ImageFile | None = None
    stand_in: StandIn | None = None

    @cached_property
    def place(self) -> Place:
        """Where it is, for those who look for what a person calls it."""
        version = version_of(self.header)
        return Place(self.path, self.hdu, self.plane, self.label, self.extension, version)

    @property
    def problems(self) -> tuple[str, ...]:
        """The questions as sentences that name the file."""
        return tuple(str(question) for question in self.questions)

    def load(self, notes: list[str] | None = None) -> np.ndarray:
        """The pixels as float32 in native byte order, NaN where blank, shape (ny, nx), in the
        file's unit; linear where the file has them on an asinh scale.

        Values that stand for no data become NaN. An image in magnitudes becomes 10^(-0.4 m); an
        uncertainty in magnitudes stays what it is.

        Parameters
        ----------
        notes : list of str, optional
            Takes a sentence for what was made blank or linear.

        Raises
        ------
        InputError
            When the file is damaged, holds no valid pixel, or has a scale without a way back.
        """
        data, own = self._stored()
        data = data.astype(np.float64 if data.dtype.itemsize > 4 else np.float32)
        if self.role != "image" and "BSOFTEN" in self.header and "BSOFTEN" not in own:
            raise InputError(
                f"{self.label}: its file has an asinh scale (BSOFTEN), and nothing tells "
                "whether this plane is on it; leave it out."
            )
        data, told = linear_pixels(data, self.header, self.unit, self.role, self.label)
        if notes is not None:
            notes += told
        if not np.isfinite(data).any():
            raise InputError(f"{self.label} holds no valid pixel: all are blank; leave it out.")
        return data

    def load_as_stored(self) -> np.ndarray:
        """The pixels as they are in the file, shape (ny, nx): of masks, whose values are bits, and
        of exposures.

        Raises
        ------
        InputError
            When the file is damaged.
        """
        return self._stored()[0]

    def _stored(self) -> tuple[np.ndarray, Header]:
        """The pixels as they are in the file, and the extension's own header."""
        with opened(self.path) as hdus:
            try:
                data = np.asarray(hdus[self.hdu].data).reshape(-1, *self.shape)[self.plane or 0]
                return data, hdus[self.hdu].header
            except BROKEN as error:
                raise InputError(
                    f"{self.path} is damaged or cut short ({brief(error)}); fetch it again."
                ) from None
