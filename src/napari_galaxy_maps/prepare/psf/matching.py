"""Which PSF all bands are brought to, which bands are too broad for it, and the kernel that brings
each there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...bands.registry import INPUT_BANDS, Band, find_band
from ...data.galaxy import BandImage, Stamp
from ...data.recipe import PsfSettings
from ...exceptions import InputError, RecipeError
from ...fits_io.image_files import FITS_ENDINGS
from ...fits_io.psf_files import read_stamp
from .kernels import Kernel, gaussian_stamp, kernel_between, kernel_from_stamp

_TOLERANCE = 1.01  # of a FWHM: bands within it are at the common PSF already
_WIDTH_DOUBT = 0.1  # relative error of the width that a ready kernel leads to, worth a note


@dataclass(frozen=True)
class CommonPsf:
    """The PSF that all bands are brought to: its FWHM in arcsec, and its picture where it was
    measured.
    """

    fwhm: float
    stamp: Stamp | None = None


def common_psf(images: Mapping[str, BandImage], settings: PsfSettings) -> CommonPsf:
    """The PSF that all bands are brought to.

    With ``target = "auto"`` it is the widest of the input bands (of all, where there are no three
    of these).

    Raises
    ------
    RecipeError
        When the target is no band, no number and no file.
    InputError
        When the target is a file that holds no PSF.
    """
    target = settings.target
    if target == "auto" or not settings.enabled:
        inputs = [name for name in images if name in INPUT_BANDS]
        widest = max(
            (images[n] for n in (inputs if len(inputs) >= 3 else images)),
            key=lambda image: image.fwhm,
        )
        return CommonPsf(widest.fwhm, widest.psf)
    if isinstance(target, str):
        band = find_band(target)
        if band is not None and band.name in images:
            return CommonPsf(images[band.name].fwhm, images[band.name].psf)
        if band is not None:
            return CommonPsf(band.fwhm)
        if is_file_of_psf(target):
            stamp = read_stamp(target)
            return CommonPsf(round(stamp.fwhm, 2), stamp)
    return CommonPsf(float(target))


def is_file_of_psf(target: float | str) -> bool:
    """Whether the common PSF is that of a file, rather than a number, a band's or the widest.

    Raises
    ------
    RecipeError
        When it is none of these.
    """
    if not isinstance(target, str) or target == "auto" or find_band(target) is not None:
        return False
    if target.lower().endswith(FITS_ENDINGS) or Path(target).expanduser().is_file():
        return True
    raise RecipeError(
        f"The common PSF cannot be {target!r}; give a FWHM in arcsec, a band's name, a FITS file "
        "of a PSF, or 'auto'.",
        "psf.target",
    )


def ready_kernels(images: Mapping[str, BandImage], settings: PsfSettings) -> dict[str, Stamp]:
    """The kernels that are given as files, by band name.

    Raises
    ------
    RecipeError
        When one is given for a band that has no image.
    InputError
        When a file holds no kernel.
    """
    found = {}
    for key, path in settings.kernels.items() if settings.enabled else ():
        band = find_band(key)
        if band is None or band.name not in images:
            raise RecipeError(
                f"A kernel is given for {key!r}, which is none of the bands "
                f"({', '.join(images)}); correct it."
            )
        found[band.name] = read_stamp(path)
    return found


def too_broad(
    images: Mapping[str, BandImage], common: CommonPsf, ready: Mapping[str, Stamp]
) -> list[str]:
    """The bands whose PSF is wider than the common one and which no kernel is given for.

    Raises
    ------
    InputError
        When these are all bands.
    """
    broader = [
        n for n, image in images.items() if image.fwhm > common.fwhm * _TOLERANCE and n not in ready
    ]
    if len(broader) == len(images):
        narrowest = min(images.values(), key=lambda image: image.fwhm)
        raise InputError(
            f"No image is as sharp as {common.fwhm:g} arcsec (the sharpest, {narrowest.band}, "
            f"has {narrowest.fwhm:g}); choose a wider PSF."
        )
    return broader


def keep_broad(image: BandImage, common: CommonPsf) -> BandImage:
    """The image of a band that is too broad, with a note that it is kept all the same."""
    return image.evolve(
        f"too broad: its PSF of {image.fwhm:g} arcsec is wider than the common {common.fwhm:g}, "
        "kept as asked"
    )


def band_kernel(image: BandImage, common: CommonPsf, ready: Stamp | None = None) -> Kernel | None:
    """The kernel that brings an image to the common PSF.

    Parameters
    ----------
    image : BandImage
        Its measured PSF counts where it has one, else a Gaussian of its FWHM.
    common : CommonPsf
        Where to.
    ready : Stamp, optional
        A kernel that is used as it is; what does not seem to fit stands in its words.

    Returns
    -------
    Kernel or None
        None where the image is at that PSF already.
    """
    if ready is None:
        if common.fwhm / _TOLERANCE < image.fwhm:
            return None  # to change one PSF into another of its width would be to sharpen it
        kernel = kernel_between(image.psf or image.fwhm, common.stamp or common.fwhm, image.frame)
        doubts = []
    else:
        kernel = kernel_from_stamp(ready, image.frame)
        doubts = _doubts(ready, image, common)
    if kernel is not None and max(kernel.array.shape) > max(image.shape):
        doubts.append(f"larger than the image about the galaxy ({kernel.array.shape[0]} pixels)")
    return kernel if kernel is None else kernel.with_words(*doubts)


def _doubts(ready: Stamp, image: BandImage, common: CommonPsf) -> list[str]:
    """What does not fit about a ready kernel: the band that its name tells, or the width that it
    leads to.
    """
    from scipy.signal import fftconvolve

    doubts = []
    made_for = _band_in_name(ready.name)
    if made_for is not None and made_for is not image.band:
        doubts.append(f"made for {made_for}, not {image.band}")
    own = image.psf if image.psf is not None else gaussian_stamp(image.fwhm, ready.pixel_arcsec)
    if own.pixel_arcsec != ready.pixel_arcsec:
        own = gaussian_stamp(own.fwhm, ready.pixel_arcsec)
    side = max(own.data.shape[0], ready.data.shape[0])
    planes = [np.pad(stamp.data, (side - stamp.data.shape[0]) // 2) for stamp in (own, ready)]
    width = Stamp(fftconvolve(*planes, mode="same"), ready.frame).fwhm
    if abs(width / common.fwhm - 1) > _WIDTH_DOUBT:
        doubts.append(f"leads to a PSF of {width:.3g} arcsec, not {common.fwhm:.3g}")
    return doubts


def _band_in_name(name: str) -> Band | None:
    """The band that a kernel's file name says it starts from, as in
    ``Kernel_LoRes_WISE_4.6_to_SPIRE_350.fits``.
    """
    start = re.split(r"_to_|=>", name, maxsplit=1)
    return find_band(re.sub(r"^Kernel_((Hi|Lo)Res_)?", "", start[0])) if len(start) == 2 else None
