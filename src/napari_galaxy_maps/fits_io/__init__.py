"""FITS in and out: images of the sky, maps of properties, prepared cubes."""

from .files import FITS_ENDINGS, ImageFile, find_images, settle
from .galaxies import make_galaxy, read_galaxy, read_galaxy_steps, settle_all
from .images import join, read_band_image
from .opening import is_maps
from .products import (
    is_cube,
    read_cube,
    read_maps,
    read_provenance,
    read_recipe,
    write_cube,
    write_maps,
    written_whole,
)
from .stamps import read_stamp

__all__ = [
    "FITS_ENDINGS",
    "ImageFile",
    "find_images",
    "is_cube",
    "is_maps",
    "join",
    "make_galaxy",
    "read_band_image",
    "read_cube",
    "read_galaxy",
    "read_galaxy_steps",
    "read_maps",
    "read_provenance",
    "read_recipe",
    "read_stamp",
    "settle",
    "settle_all",
    "write_cube",
    "write_maps",
    "written_whole",
]
