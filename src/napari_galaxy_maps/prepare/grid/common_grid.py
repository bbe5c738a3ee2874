"""One grid: where it lies, and surface brightness brought to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...constants import PC_PER_MPC_ARCSEC
from ...data.galaxy import BandImage, Ellipse, Galaxy
from ...data.recipe import GridSettings, parsec_of
from ...exceptions import InputError
from .resampling import PixelMap, pixel_map, resample_planes

if TYPE_CHECKING:
    from astropy.wcs import WCS

_LARGEST_SIDE = 20_000


@dataclass(frozen=True)
class Grid:
    """A grid on the sky, north up: centre (RA, Dec, ICRS degrees), shape (ny, nx), pixel in arcsec,
    and its WCS.
    """

    centre: tuple[float, float]
    shape: tuple[int, int]
    pixel_arcsec: float
    wcs: WCS = field(compare=False)


def galaxy_grid(galaxy: Galaxy, ellipse: Ellipse, fwhm: float, settings: GridSettings) -> Grid:
    """The grid that a recipe asks for.

    Parameters
    ----------
    galaxy : Galaxy
        Its distance counts where the pixel is given in parsec.
    ellipse : Ellipse
        The galaxy's.
    fwhm : float
        Of the common PSF, arcsec.
    settings : GridSettings

    Raises
    ------
    InputError
        When the pixel is given in parsec and no distance is known; also as in `make_grid`.
    """
    parsec = parsec_of(settings.pixel)
    if parsec is not None:
        if galaxy.distance_mpc is None:
            raise InputError(
                f"A pixel of {settings.pixel} needs the galaxy's distance; give it in Mpc, "
                "or the redshift.",
                "galaxy.distance",
                "galaxy.redshift",
            )
        size = parsec / (galaxy.distance_mpc * PC_PER_MPC_ARCSEC)
    elif isinstance(settings.pixel, str):
        # Three pixels a FWHM sample the PSF without many more pixels than independent values.
        size = round(fwhm / 3, 2)
    else:
        size = settings.pixel
    return make_grid(ellipse, size, settings.extent, galaxy.name)


def make_grid(
    ellipse: Ellipse, pixel_arcsec: float, extent: float, name: str = "the galaxy"
) -> Grid:
    """A tangential grid, north up, centred on the ellipse.

    Parameters
    ----------
    ellipse : Ellipse
        The galaxy's.
    pixel_arcsec : float
        Side of a pixel.
    extent : float
        Half of the grid's side in semi-major axes.
    name : str
        The galaxy's name, for errors.

    Raises
    ------
    InputError
        When the galaxy is smaller than a pixel, or the grid would be too large.
    """
    from astropy.wcs import WCS

    if ellipse.a < pixel_arcsec:
        raise InputError(
            f"{name} has a semi-major axis of {ellipse.a:.1f} arcsec, less than one pixel of "
            f"{pixel_arcsec:g} arcsec; choose smaller pixels."
        )
    side = 2 * int(np.ceil(extent * ellipse.a / pixel_arcsec)) + 1
    if side > _LARGEST_SIDE:
        raise InputError(
            f"The grid would be {side} pixels wide; choose larger pixels than {pixel_arcsec:g} "
            "arcsec."
        )
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = [ellipse.ra, ellipse.dec]
    wcs.wcs.crpix = [(side + 1) / 2, (side + 1) / 2]
    wcs.wcs.cdelt = [-pixel_arcsec / 3600, pixel_arcsec / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.set()
    return Grid((ellipse.ra, ellipse.dec), (side, side), float(pixel_arcsec), wcs)


def cutout(image: BandImage, ellipse: Ellipse, radius_arcsec: float) -> BandImage:
    """The part of an image within a square about the ellipse's centre.

    Raises
    ------
    InputError
        When the image does not reach there.
    """
    from astropy.coordinates import SkyCoord
    from astropy.nddata import Cutout2D, NoOverlapError

    centre = SkyCoord(ellipse.ra, ellipse.dec, unit="deg")
    size = 2 * int(np.ceil(radius_arcsec / image.pixel_arcsec)) + 1
    outside = InputError(
        f"The {image.band} image does not show the galaxy (RA {ellipse.ra:.5f}, Dec "
        f"{ellipse.dec:.5f}); correct the position or leave it out."
    )
    x, y = image.wcs.world_to_pixel(centre)
    if not np.isfinite([x, y]).all():
        raise outside
    if size >= 2 * max(image.shape) and 0 <= x < image.shape[1] and 0 <= y < image.shape[0]:
        return image
    try:
        part = Cutout2D(image.data, (float(x), float(y)), size, wcs=image.wcs, mode="trim")
    except (NoOverlapError, ValueError):
        raise outside from None
    slices = part.slices_original
    return image.evolve(
        data=part.data,
        wcs=part.wcs,
        uncertainty=None if image.uncertainty is None else image.uncertainty[slices],
        mask=None if image.mask is None else image.mask[slices],
    )


def resample(image: BandImage, grid: Grid, where: PixelMap | None = None) -> BandImage:
    """The image on a grid, by DeForest's (2004) adaptive method, which averages over larger pixels.

    Surface brightness is kept, not flux. The variance goes with the square of the method's kernel,
    normalised like the kernel itself: its shape is right, and its level that of the image's pixels
    (`errors.add_errors` sets it).

    Parameters
    ----------
    image : BandImage
        Any image of the field.
    grid : Grid
        The grid.
    where : PixelMap, optional
        Of the grid on the image, where it is known already.
    """
    if where is None:
        where = pixel_map(image.wcs, grid.wcs, grid.shape)
    data, uncertainty = resampled(image.data, image.uncertainty, where)
    return image.evolve(
        f"on pixels of {grid.pixel_arcsec:.3g} arcsec, from {image.pixel_arcsec:.3g}",
        data=data,
        wcs=grid.wcs,
        uncertainty=uncertainty,
        mask=None,
        doubt=None if image.doubt is None else resampled(image.doubt, None, where)[0],
    )


def resampled(
    data: np.ndarray, uncertainty: np.ndarray | None, where: PixelMap
) -> tuple[np.ndarray, np.ndarray | None]:
    """Data and uncertainty (or None) on the grid of a pixel map; see `resample`."""
    plane = resample_planes(data[None], where)[0]
    if uncertainty is None:
        return plane, None
    return plane, np.sqrt(resample_planes(uncertainty[None] ** 2, where.squared())[0])
