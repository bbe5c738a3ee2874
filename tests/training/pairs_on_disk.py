"""Pairs of images and truths with known content, as people have them on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from astropy.io import fits

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.fits_io.map_files import write_maps
from tests.conftest import tan_wcs, write_image

FWHM_PER_SIGMA = 2.3548200450309493


def gaussian(shape, pixel, fwhm, wcs=None):
    """A Gaussian of peak 1 in the middle of an image."""
    y, x = (
        np.mgrid[: shape[0], : shape[1]] - np.array([(n - 1) / 2 for n in shape])[:, None, None]
    ) * pixel
    return np.exp(-(x**2 + y**2) / 2 / (fwhm / FWHM_PER_SIGMA) ** 2)


def wide(own, psf):
    """FWHM and peak of a Gaussian of FWHM `own` and peak 1 seen with a Gaussian PSF."""
    seen = np.hypot(own, psf)
    return seen, (own / seen) ** 2


def write_images(
    folder: Path,
    bands,
    own=9.0,
    psf=1.5,
    pixel=0.5,
    side=121,
    peak=10.0,
    noise=0.01,
    seed=0,
    ra=150.0,
):
    """A Gaussian galaxy of FWHM `own` arcsec in some bands, each with its error, MJy/sr."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    seen, lower = wide(own, psf)
    for k, band in enumerate(bands):
        wcs = tan_wcs((side, side), pixel, ra=ra, rotation=15 * k)
        data = peak * lower * gaussian((side, side), pixel, seen) + rng.normal(
            0, noise, (side, side)
        )
        path = write_image(
            folder / f"{band}.fits",
            data.astype("f4"),
            wcs,
            BUNIT="MJy/sr",
            FILTER=band,
            TELESCOP=band.partition("_")[0],
            BMAJ=psf / 3600,
            BMIN=psf / 3600,
        )
        with fits.open(path, mode="append") as hdus:
            hdus.append(fits.ImageHDU(np.full((side, side), noise, "f4"), name="ERROR"))


def write_truth(
    path: Path, own=9.0, psf=3.0, pixel=1.0, side=61, log_peak=9.0, ra=150.0, dec=2.0, flat=None
):
    """True maps of the same galaxy: stars, star formation, and an age of 5 Gyr everywhere."""
    wcs = tan_wcs((side, side), pixel, ra=ra, dec=dec, rotation=40)
    seen, lower = wide(own, psf)
    shape = (
        np.full((side, side), flat)
        if flat is not None
        else lower * gaussian((side, side), pixel, seen)
    )
    values = {
        "LOG_SIGMA_STAR": (log_peak + np.log10(shape)).astype("f4"),
        "LOG_SIGMA_SFR": (log_peak - 10 + np.log10(shape)).astype("f4"),
        "AGE_STAR": np.full((side, side), 5.0, "f4"),
    }
    write_maps(path, PropertyMaps(values, {}, wcs, np.zeros((side, side), np.int16), {"fwhm": psf}))


def write_recipe(path: Path, **galaxy):
    lines = [f"{key} = {value}" for key, value in galaxy.items()]
    path.write_text("[galaxy]\n" + "\n".join(lines) + "\n[sky]\nenabled = false\n")


def write_chunks(folder: Path, array: np.ndarray) -> None:
    """A zarr v2 array in one chunk without compression, written by hand."""
    folder.mkdir(parents=True)
    about = {
        "zarr_format": 2,
        "shape": array.shape,
        "chunks": array.shape,
        "dtype": "<f4",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
    }
    (folder / ".zarray").write_text(json.dumps(about))
    (folder / ".".join("0" * array.ndim)).write_bytes(np.ascontiguousarray(array, "<f4").tobytes())
