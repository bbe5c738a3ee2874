"""What tests of galaxies of known flux share: how bright they are, and how bright they are read."""

import numpy as np

from napari_galaxy_maps.constants import SR_PER_ARCSEC2
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images

FLUX = 0.02
"""Of every galaxy, in Jy."""
SIDE = 64
"""Of every image, in pixels."""


def only(path):
    (found,) = find_images([path])
    return found


def flux_of(image):
    """Its flux in Jy."""
    read = read_band_image(image)
    return float(np.nansum(read.data, dtype=float)) * 1e6 * image.pixel_arcsec**2 * SR_PER_ARCSEC2


def ab(zero_point):
    return 3631 * 10 ** (-0.4 * zero_point)
