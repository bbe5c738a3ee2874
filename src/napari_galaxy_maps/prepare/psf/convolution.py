"""One PSF: convolution that knows of blank pixels, and follows a change of the mask without
starting again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data.galaxy import BandImage
from .convolve_planes import Margins, convolve
from .kernels import Kernel

if TYPE_CHECKING:
    from astropy.wcs import WCS

_MOST_PIECES = 6
_PASSED = (
    1e-3  # of a frequency's amplitude that a kernel may leave where the sampling does not see it
)

Box = tuple[slice, slice]
"""A rectangle of pixels: rows, columns."""


@dataclass(frozen=True)
class Sums:
    """What a masked convolution is made of, kept so that a change of the mask can be added to it.

    Attributes
    ----------
    numerator, weight : ndarray of float64, shape (ny, nx)
        (data - level) x weight, and the weight of valid pixels, each convolved with the kernel. In
        float64, since changes are added: in float32 they would drift.
    variance : ndarray of float64, shape (ny, nx), or None
        variance x weight convolved with the kernel's square.
    level : float
        Taken off before and put back after, so that rounding scales with the signal and not with
        the sky.
    good : ndarray of bool
        The image's pixels that entered.
    data : ndarray of float32
        Their values.
    step : int
        The arrays of float64 hold every so many pixels of the image.
    doubt : ndarray of float64, shape (ny, nx), or None
        What the image's doubt gives, x weight.
    own_doubt : ndarray of float32, or None
        The image's doubt, as it entered.
    """

    numerator: np.ndarray
    weight: np.ndarray
    variance: np.ndarray | None
    level: float
    good: np.ndarray
    data: np.ndarray
    step: int = 1
    doubt: np.ndarray | None = None
    own_doubt: np.ndarray | None = None


def sampling_step(image: BandImage, kernel: np.ndarray, largest_arcsec: float) -> int:
    """Every how many pixels an image convolved with a kernel has to be kept for nothing to be lost.

    Parameters
    ----------
    image : BandImage
        On its own pixels.
    kernel : ndarray, odd-sized, sum 1
        Where it passes frequencies that so wide a spacing does not sample, the step is smaller.
    largest_arcsec : float
        The spacing is no wider than this.
    """
    if image.wcs.has_distortion:
        return 1
    length = 1024
    passed = np.zeros(length // 2 + 1)
    for axis in (0, 1):
        passed = np.maximum(
            passed,
            np.abs(
                np.fft.rfft(kernel.sum(axis=axis, dtype=float), max(length, kernel.shape[0]))[
                    : passed.size
                ]
            ),
        )
    widest = int(np.flatnonzero(passed > _PASSED).max())  # of `length` samples
    return int(
        max(1, min(length / 2 // max(widest, 1), largest_arcsec / image.pixel_arcsec + 1e-6))
    )


def sampled_wcs(wcs: WCS, step: int) -> WCS:
    """Coordinates of every `step`-th pixel, from the first on."""
    if step == 1:
        return wcs
    coarse = wcs.deepcopy()
    coarse.wcs.crpix = (wcs.wcs.crpix - 1) / step + 1
    if coarse.wcs.has_cd():
        coarse.wcs.cd = wcs.wcs.cd * step
    else:
        coarse.wcs.cdelt = wcs.wcs.cdelt * step
    coarse.pixel_shape = None
    coarse.wcs.set()
    return coarse


_WHOLE: Box = (slice(None), slice(None))


def valid_pixels(image: BandImage, box: Box = _WHOLE) -> np.ndarray:
    """Pixels, of a rectangle, that are measured and not masked."""
    good = np.isfinite(image.data[box])
    return good if image.mask is None else good & ~image.mask[box]


def _variance(image: BandImage, good: np.ndarray, box: Box) -> np.ndarray | None:
    """Variance of the good pixels; unknown ones count as the median: a hole in the error image is
    no hole in the sky.
    """
    if image.uncertainty is None:
        return None
    variance = image.uncertainty[box].astype(float) ** 2
    unknown = ~np.isfinite(variance)
    if (unknown & good).any():
        known = image.uncertainty[np.isfinite(image.uncertainty)]
        variance[unknown] = np.median(known.astype(float) ** 2) if known.size else np.nan
    variance[~good] = 0.0
    return variance


def convolution_sums(image: BandImage, kernel: np.ndarray, step: int = 1) -> Sums:
    """The sums of a masked convolution of an image, at every `step`-th pixel."""
    good = valid_pixels(image)
    finite = np.isfinite(
        image.data
    )  # the level must not depend on the mask, or no sum could be kept
    level = float(image.data.mean(dtype=float, where=finite)) if finite.any() else 0.0
    light = np.where(good, image.data - np.float64(level), 0.0)
    numerator = convolve(light[None], kernel.astype(float), step)[0]
    weight = convolve(good.astype(float)[None], kernel.astype(float), step)[0]
    variance = _variance(image, good, _WHOLE)
    spread = (
        None if variance is None else convolve(variance[None], kernel.astype(float) ** 2, step)[0]
    )
    doubt = None
    if image.doubt is not None:
        own = np.where(good, image.doubt, 0.0)
        doubt = convolve(own[None], kernel.astype(float), step)[0]
    return Sums(numerator, weight, spread, level, good, image.data, step, doubt, image.doubt)


def without_light(
    sums: Sums, data: np.ndarray, light: np.ndarray, kernel: np.ndarray
) -> tuple[Sums, np.ndarray]:
    """The sums of an image less some light, and this light convolved alike.

    Parameters
    ----------
    sums : Sums
        Of the image as it is.
    data : ndarray, shape (ny, nx)
        The image without the light.
    light : ndarray, shape (ny, nx)
        Finite values.
    kernel : ndarray
        The kernel of the sums.

    Returns
    -------
    sums : Sums
        Of the image without the light.
    convolved : ndarray of float32
        The light: over the same weight, where that is not 0.
    """
    taken = convolve(
        np.where(sums.good, light, np.float64(0))[None], kernel.astype(float), sums.step
    )[0]
    convolved = np.zeros(taken.shape, np.float32)
    np.divide(taken, sums.weight, out=convolved, where=sums.weight > _PASSED, casting="same_kind")
    numerator = sums.numerator + sums.level * sums.weight - taken
    return replace(sums, numerator=numerator, level=0.0, data=data), convolved


def changed_box(changed: np.ndarray, margin: int = 0) -> Box | None:
    """The smallest rectangle that holds all changed pixels and a margin, or None where there are
    none.
    """
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    ny, nx = changed.shape
    return (
        slice(max(0, int(rows[0]) - margin), min(ny, int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(nx, int(columns[-1]) + 1 + margin)),
    )


def update_sums(
    sums: Sums,
    image: BandImage,
    kernel: np.ndarray,
    changed: np.ndarray | None = None,
    in_place: bool = False,
) -> tuple[Sums, Box | None]:
    """The sums after the image's mask, or what was subtracted from it, has changed, from those
    before.

    Only the change is convolved, in the rectangle that it touches.

    Parameters
    ----------
    sums : Sums
        Before.
    image : BandImage
        With its new mask, and its new values.
    kernel : ndarray
        The kernel of the sums.
    changed : ndarray of bool, optional
        Pixels that may enter otherwise than before, where that is known.
    in_place : bool
        Whether the old arrays may be changed, which spares their copies.

    Returns
    -------
    sums : Sums
        After.
    box : tuple of slice, or None
        The rectangle in which they differ, in their pixels.
    """
    if changed is None:
        changed = _changed(sums, image, valid_pixels(image))
    inner = changed_box(changed)
    if inner is None:
        return sums, None
    kernel, reach, step = kernel.astype(float), kernel.shape[0] // 2, sums.step
    numerator, weight = (a if in_place else a.copy() for a in (sums.numerator, sums.weight))
    spread = sums.variance if in_place or sums.variance is None else sums.variance.copy()
    doubt, own = _kept_doubt(sums, image, in_place)
    for piece, mine in _pieces(changed[inner], inner, reach):
        part, margins = _reached(piece, image.shape, reach, step)
        now, before = valid_pixels(image, piece) & mine, sums.good[piece] & mine
        level = np.float64(sums.level)
        light = np.where(now, image.data[piece] - level, 0.0)
        light -= np.where(before, sums.data[piece] - level, 0.0)
        sign = now.astype(float) - before
        planes = [light, sign]
        if doubt is not None and own is not None:
            entered = np.where(now, own[piece], np.float64(0))
            was = np.float64(0) if sums.own_doubt is None else sums.own_doubt[piece]
            planes.append(entered - np.where(before, was, 0))
        added = convolve(np.stack(planes), kernel, step, margins)
        numerator[part] += added[0]
        weight[part] += added[1]
        if doubt is not None:
            doubt[part] += added[2]
        if spread is not None and sign.any():
            variance = _variance(image, sign != 0, piece)
            assert variance is not None
            spread[part] += convolve((sign * variance)[None], kernel**2, step, margins)[0]
    good = sums.good if in_place else sums.good.copy()
    good[inner] = valid_pixels(image, inner)
    after = Sums(numerator, weight, spread, sums.level, good, image.data, step, doubt, own)
    return after, _reached(inner, image.shape, reach, step)[0]


def _changed(sums: Sums, image: BandImage, good: np.ndarray) -> np.ndarray:
    """Pixels that enter otherwise than before."""
    changed = good != sums.good
    if image.data is not sums.data:
        changed |= good & (image.data != sums.data)
    if image.doubt is not sums.own_doubt:
        before, now = (np.float32(0) if d is None else d for d in (sums.own_doubt, image.doubt))
        changed |= good & (now != before)
    return changed


def _kept_doubt(
    sums: Sums, image: BandImage, in_place: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The sum of the doubt, and the image's; zeros where one of the two images has none."""
    if image.doubt is None and sums.doubt is None:
        return None, None
    own = np.zeros(image.shape, np.float32) if image.doubt is None else image.doubt
    if sums.doubt is None:
        return np.zeros(sums.weight.shape), own
    return (sums.doubt if in_place else sums.doubt.copy()), own


def _reached(box: Box, shape: tuple[int, int], reach: int, step: int) -> tuple[Box, Margins]:
    """The samples, one of every `step` pixels, that a rectangle reaches or that lie just before,
    and how far they go beyond it.
    """
    samples, margins = [], []
    for side, n in zip(box, shape, strict=True):
        first = max(0, side.start - reach) // step
        stop = min(n, side.stop + reach)
        samples.append(slice(first, -(-stop // step)))
        margins += [side.start - first * step, stop - side.stop]
    return (samples[0], samples[1]), (margins[0], margins[1], margins[2], margins[3])


def _pieces(changed: np.ndarray, box: Box, reach: int) -> list[tuple[Box, np.ndarray]]:
    """Rectangles that hold all changed pixels of a rectangle, each with the pixels that it is there
    for.

    A circle that was moved far leaves two small ones, not a large one about both places.
    """
    from scipy.ndimage import find_objects, label

    labels, n = label(changed, np.ones((3, 3)))
    if not 1 < n <= _MOST_PIECES:
        return [(box, changed)]
    places = find_objects(labels)

    def area(rows: slice, columns: slice) -> int:
        """Of a rectangle with what it reaches."""
        return (rows.stop - rows.start + 2 * reach) * (columns.stop - columns.start + 2 * reach)

    if sum(area(*place) for place in places) > 0.8 * area(*box):
        return [(box, changed)]
    top, left = box[0].start, box[1].start
    return [
        (
            (
                slice(top + rows.start, top + rows.stop),
                slice(left + columns.start, left + columns.stop),
            ),
            labels[rows, columns] == k,
        )
        for k, (rows, columns) in enumerate(places, 1)
    ]


def divided(
    sums: Sums, min_weight: float, box: Box | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data and variance of a masked convolution: the sums over the weight, NaN where that is under
    a limit.
    """
    part = (slice(None), slice(None)) if box is None else box
    weight = sums.weight[part]
    blank = ~(weight >= min_weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        data = (sums.numerator[part] / weight + sums.level).astype(np.float32)
        data[blank] = np.nan
        if sums.variance is None:
            return data, None
        variance = (sums.variance[part].clip(min=0) / weight**2).astype(np.float32)
        variance[blank] = np.nan
    return data, variance


def divided_doubt(sums: Sums, box: Box) -> np.ndarray:
    """The doubt of a masked convolution in a rectangle, 0 where nothing valid is near."""
    assert sums.doubt is not None
    weight = sums.weight[box]
    doubt = np.zeros(weight.shape)
    np.divide(sums.doubt[box].clip(min=0), weight, out=doubt, where=weight > _PASSED)
    return doubt.astype(np.float32)


def matched(
    image: BandImage, sums: Sums, kernel: Kernel, target: float, min_weight: float
) -> BandImage:
    """The image at the common PSF, from the sums of its convolution."""
    data, variance = divided(sums, min_weight)
    return image.evolve(
        _note(image, kernel, target, sums.step),
        data=data,
        wcs=sampled_wcs(image.wcs, sums.step),
        uncertainty=None if variance is None else np.sqrt(variance),
        mask=None,
        fwhm=float(target),
        psf=None,
    )


def _note(image: BandImage, kernel: Kernel, target: float, step: int) -> str:
    kept = "" if step == 1 else f", one of {step} x {step} pixels kept"
    return f"PSF from {image.fwhm:.2f} to {target:.2f} arcsec, {kernel}{kept}"


def match_psf(
    image: BandImage,
    target: float,
    min_weight: float = 0.5,
    kernel: Kernel | None = None,
    largest_arcsec: float = 0.0,
) -> BandImage:
    """The image at a PSF of FWHM `target` arcsec.

    Masked pixels are filled from their neighbours where these carry at least `min_weight` of the
    kernel, as blank ones are; the mask has done its work then.

    Parameters
    ----------
    image : BandImage
        Any image.
    target : float
        FWHM of the common PSF, arcsec.
    min_weight : float
        Blank where valid pixels carry less of the kernel than this.
    kernel : Kernel, optional
        That brings the image's PSF to the common one; else both PSFs are taken as Gaussians.
    largest_arcsec : float
        Pixels up to this may be returned, where the kernel leaves nothing finer; see
        `sampling_step`.
    """
    from .kernels import kernel_between

    kernel = kernel or kernel_between(image.fwhm, target, image.frame)
    if kernel is None:
        return unmatched(image)
    step = sampling_step(image, kernel.array, largest_arcsec)
    return matched(image, convolution_sums(image, kernel.array, step), kernel, target, min_weight)


def unmatched(image: BandImage) -> BandImage:
    """The image at its own PSF, with its masked pixels blank."""
    data = (
        image.data if image.mask is None else np.where(image.mask, np.float32(np.nan), image.data)
    )
    return replace(image.evolve(f"PSF left at {image.fwhm:.2f} arcsec", data=data), mask=None)
