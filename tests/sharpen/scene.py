"""A disc with clumps whose dust is known, its prediction, and a coarse map of it."""

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.measure.compare.grid_and_psf import brought

SIZE, PIXEL, FWHM = 60, 4.0, 12.0
COARSE_SIZE, COARSE_PIXEL, COARSE_FWHM = 20, 12.0, 36.0
MD, LD = "LOG_SIGMA_MD", "LOG_SIGMA_LD"


def grid(size, pixel):
    """North up, about one place."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 20.0], [(size + 1) / 2] * 2
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    wcs.wcs.set()
    return wcs


def maps_of(planes, errors, wcs, fwhm, shared=None, **known):
    """Maps of linear planes, with one error in dex each."""
    values = {name: np.log10(plane).astype(np.float32) for name, plane in planes.items()}
    shape = next(iter(values.values())).shape

    def of(numbers):
        return {name: np.full(shape, dex, np.float32) for name, dex in numbers.items()}

    return PropertyMaps(
        values, of(errors), wcs, np.zeros(shape, np.int16), {"fwhm": fwhm, **known},
        galaxy_errors=of(shared or {}),
    )  # fmt: skip


def true_plane():
    """A disc with clumps, at the fine PSF."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) * PIXEL
    plane = 1e6 * np.exp(-np.hypot(x, y / 0.6) / 40)
    for k in range(6):
        away = (x - 15 * k * np.cos(k)) ** 2 + (y - 9 * k * np.sin(k)) ** 2
        plane += 4e5 * np.exp(-away / 2 / 6.0**2)
    return plane


def field(rng, sigma, dex):
    """Smooth, with an rms in dex."""
    plane = gaussian_filter(rng.standard_normal((SIZE, SIZE)), sigma, mode="wrap")
    return dex * plane / plane.std()


def predicted(seed=1, **known):
    """The truth with errors that neighbours and all pixels share, as the maps say."""
    rng = np.random.default_rng(seed)
    wrong = field(rng, 8, 0.2) + field(rng, 2.5, 0.1) + 0.12
    error = {MD: float(np.sqrt(0.2**2 + 0.1**2 + 0.12**2))}
    return maps_of(
        {MD: true_plane() * 10**wrong}, error, grid(SIZE, PIXEL), FWHM, {MD: 0.12}, **known
    )


def coarse_map(noise=0.0, seed=2, wcs=None, size=COARSE_SIZE):
    """The truth at the coarse PSF by what compares maps, with noise that is a share of its peak."""
    exact = maps_of({MD: true_plane()}, {}, grid(SIZE, PIXEL), FWHM)
    seen, _ = brought(exact, (wcs or grid(size, COARSE_PIXEL), (size, size)), (FWHM, COARSE_FWHM))
    known = {"fwhm": COARSE_FWHM}
    linear = 10 ** seen.values[MD].astype(float)
    if not noise:
        return PropertyMaps({MD: seen.values[MD]}, {}, seen.wcs, seen.flags, known)
    sigma = noise * np.nanmax(linear)
    linear = linear + sigma * np.random.default_rng(seed).standard_normal(linear.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(linear > 0, np.log10(linear), np.nan)
        error = np.sqrt(np.log1p((sigma / linear) ** 2)) / np.log(10)
    return PropertyMaps({MD: value}, {MD: error}, seen.wcs, seen.flags, known)
