"""Errors against many realisations of noise through the real chain: of a pixel, and of a sum over
100 pixels.
"""

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import RecipeError
from napari_galaxy_maps.prepare.errors.correlation import (
    correlation_area,
    correlation_factor,
    sum_error,
)
from napari_galaxy_maps.prepare.errors.poisson import header_gain, with_poisson
from napari_galaxy_maps.prepare.psf.kernels import gaussian_kernel
from napari_galaxy_maps.prepare.steps import prepare
from tests.conftest import tan_wcs

DISC = Ellipse(150.0, 2.0, 60, 60)
RECIPE = {
    "errors": {"calibration": False},
    "reddening": {"enabled": False},
    "psf": {"target": 9.0},
    "grid": {"pixel": 3.0},
}
# band, pixel in arcsec, rotation in degrees, noise of a pixel or, with a gain, electrons per MJy/sr
BANDS = {"SDSS_r": (0.9, 0, 1.0), "2MASS_J": (1.2, 35, 2.0), "WISE_3.4": (1.375, 0, 0.5)}


def scene(name, field=320.0):
    """Noiseless: an exponential disc with a compact nucleus over a sky of 20, MJy/sr."""
    pixel, rotation, _ = BANDS[name]
    side = int(field / pixel)
    wcs = tan_wcs((side, side), pixel, rotation=rotation)
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * pixel
    return 100 * np.exp(-np.hypot(x, y) / 15) + 300 * np.exp(-(x**2 + y**2) / 2 / 3.0**2), wcs


def realisations(n, draw, recipe):
    """Cubes of n draws of noise: data and errors, shape (n, bands, ny, nx), and the last cube."""
    data, errors = [], []
    for seed in range(n):
        images = {
            name: draw(name, np.random.default_rng(seed * 10 + k)) for k, name in enumerate(BANDS)
        }
        cube = prepare(Galaxy("noise", images, 150.0, 2.0, None, DISC), recipe)
        data.append(cube.data)
        errors.append(cube.uncertainty)
    return np.stack(data), np.stack(errors), cube


def compare(data, errors, cube, where, drawn=0.0):
    """Predicted over measured error of pixels and of sums over 10 x 10 pixels, band by band."""
    n, results = len(data), []
    for k, band in enumerate(cube.bands):
        plane, error = data[:, k], errors[:, k]
        typical = np.sqrt(np.mean(error**2, axis=0))
        scatter = plane.std(axis=0, ddof=1)
        pixel = np.sqrt(np.mean(typical[where] ** 2) / np.mean(scatter[where] ** 2))
        predicted, measured = [], []
        rows, columns = np.nonzero(where)
        for row in range(rows.min(), rows.max() - 8, 10):
            for column in range(columns.min(), columns.max() - 8, 10):
                box = np.zeros(where.shape, bool)
                box[row : row + 10, column : column + 10] = True
                if where[box].all():
                    predicted.append(
                        sum_error(typical, box, cube.correlation[k], cube.systematic[k], plane[0])
                        ** 2
                    )
                    measured.append(plane[:, box].sum(axis=1, dtype=float).var(ddof=1))
        ratio = np.sqrt(np.mean(predicted) / np.mean(measured))
        what = (
            f"{band}: pixel {pixel:.3f}, sum {ratio:.3f} "
            f"(n = {n}, {where.sum()} pixels, {len(predicted)} sums)"
        )
        results.append(what)
        # `drawn` sigmas of the scatter that so few sums have of their own are allowed beside the 5
        # %
        chance = drawn / np.sqrt(2 * n * len(predicted))
        assert pixel == pytest.approx(1, abs=0.05) and ratio == pytest.approx(
            1, abs=0.05 + chance
        ), what
    return results


def image(name, data, wcs, **more):
    return BandImage(data.astype("f4"), get_band(name), wcs, fwhm=get_band(name).fwhm, **more)


@pytest.mark.slow
def test_the_error_of_a_pixel_and_of_a_sum_is_right_for_white_noise():
    def draw(name, rng):
        light, wcs = scene(name)
        return image(name, light + 20 + rng.normal(0, BANDS[name][2], light.shape), wcs)

    data, errors, cube = realisations(50, draw, Recipe.from_tree(RECIPE))
    compare(data, errors, cube, np.isfinite(data).all(axis=(0, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("known", ["gain", "uncertainty"])
def test_the_error_is_right_where_the_sources_photons_dominate(known):
    """By a gain, and by an uncertainty image, whose level is wrong by a factor of three, as those
    of surveys may be.
    """
    gain = dict.fromkeys(BANDS, 2.0)  # 40 electrons of sky a pixel, 800 at the nucleus

    def draw(name, rng):
        light, wcs = scene(name)
        electrons = rng.poisson((light + 20) * gain[name])
        error = (
            np.sqrt((light + 20) / gain[name]).astype("f4") * 3 if known == "uncertainty" else None
        )
        return image(name, electrons / gain[name], wcs, uncertainty=error)

    recipe = Recipe.from_tree(RECIPE)
    recipe.errors.gain = gain if known == "gain" else {}
    data, errors, cube = realisations(50, draw, recipe)
    everywhere = np.isfinite(data).all(axis=(0, 1))
    compare(data, errors, cube, everywhere)
    middle = cube.shape[0] // 2
    inner = np.zeros(cube.shape, bool)
    inner[middle - 10 : middle + 10, middle - 10 : middle + 10] = True
    assert np.median(errors[:, :, inner]) > 1.3 * np.median(errors[:, :, everywhere & ~inner])
    # Four sums of 50 draws are known to 5 % only; 300 draws of SDSS r put them at 1.01 to 1.045.
    compare(data, errors, cube, inner, drawn=3)


def test_calibration_and_reddening_add_up_linearly():
    error, data = np.full((50, 50), 0.5), np.full((50, 50), 10.0)
    random = np.sqrt(0.5**2 - (0.03 * 10) ** 2)
    box = np.zeros((50, 50), bool)
    box[20:30, 20:30] = True
    expected = np.hypot(10 * random * correlation_factor(100, 8.0), 0.03 * 1000)
    assert sum_error(error, box, 8.0, 0.03, data) == pytest.approx(expected, rel=1e-6)
    one = np.zeros((50, 50), bool)
    one[25, 25] = True
    assert sum_error(error, one, 8.0, 0.03, data) == pytest.approx(0.5)
    assert correlation_factor(1, 30.0) == 1 and correlation_factor(1e6, 30.0) == pytest.approx(
        np.sqrt(30), rel=0.01
    )
    np.testing.assert_allclose(correlation_factor([9, 100], [[5.0], [30.0]]).shape, (2, 2))
    error[22, 22] = np.nan  # a blank pixel in the aperture is left out
    assert np.isfinite(sum_error(error, box, 8.0, 0.03, data))


def test_the_correlation_area_of_a_measured_kernel_and_of_none():
    """White noise through a kernel with negative lobes, then reproject's Gaussian on pixels three
    times as large.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.signal import fftconvolve

    kernel = gaussian_kernel(2, 6, 1.0).astype(float)
    kernel = kernel - 0.3 * gaussian_filter(kernel, 2.0)
    kernel /= kernel.sum()
    noise = np.random.default_rng(0).normal(size=(1500, 1500))
    for used in (kernel, None):
        smooth = noise if used is None else fftconvolve(noise, used, mode="same")
        smooth = gaussian_filter(smooth, 0.65 * 3)[30:-30:3, 30:-30:3]
        area = correlation_area(used, 1.0, 3.0)
        blocks = smooth[:460, :460].reshape(23, 20, 23, 20).sum(axis=(1, 3))
        assert blocks.std() / 20 / smooth.std() == pytest.approx(
            correlation_factor(400, area), rel=0.05
        )


@pytest.mark.parametrize(
    "unit, header, expected",
    [("DN", {"GAIN": 4.0}, 4.0), ("DN", {"EGAIN": "2.5 / e/DN"}, 2.5), ("DN", {"GAIN": 0.0}, None),
     ("DN", {}, None),
     ("counts/s", {"GAIN": 4.0, "EXPTIME": 10.0}, 40.0), ("counts/s", {"GAIN": 4.0}, None),
     ("electron/s", {"EXPTIME": 30.0}, 30.0), ("nanomaggy", {"GAIN": 4.0, "EXPTIME": 54}, None),
     ("MJy/sr", {"GAIN": 4.0}, None)],
)  # fmt: skip
def test_a_headers_gain_is_used_where_it_means_something(unit, header, expected):
    found = header_gain(
        image("SDSS_r", np.ones((9, 9)), tan_wcs((9, 9), 1.0), unit=unit, header=header)
    )
    assert (found and found[0]) == expected


def test_a_gain_counts_in_the_unit_of_the_file_and_after_reddening():
    """1e4 electrons a pixel are 1 %, whatever the unit and whatever the dust took away."""
    data = np.full((64, 64), 50.0) + np.random.default_rng(0).normal(0, 1e-3, (64, 64))
    plain = image("SDSS_r", data, tan_wcs((64, 64), 1.0), unit="DN")
    plain = plain.evolve(
        meta={"factor": 0.5, "reddening_factor": 1.25, "sky": 0.0, "sky_rms": 1e-3}
    )
    found = with_poisson(plain, given=1e4 / (50 / 0.5 / 1.25))
    np.testing.assert_allclose(found.uncertainty / found.data, 0.01, rtol=1e-3)
    assert "electrons per DN (given)" in found.notes[-1]
    with_error = plain.evolve(uncertainty=np.ones((64, 64), "f4"))
    assert with_poisson(with_error, 3.0).uncertainty is with_error.uncertainty
    assert with_poisson(plain) is plain


def test_gains_are_set_for_one_band_and_wrong_ones_are_named():
    recipe = Recipe().with_values(["errors.gain.WISE_3.4=3.5", "errors.gain.SDSS_r=4"])
    assert recipe.errors.gain == {"WISE_3.4": 3.5, "SDSS_r": 4.0}
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    for text in ("errors.gain.SDSS_r=-1", "errors.gain.SDSS_r=many", "errors.calibration.SDSS_r=1"):
        with pytest.raises(RecipeError, match="errors"):
            Recipe().with_values([text])
    images = {"SDSS_r": image("SDSS_r", np.ones((64, 64)), tan_wcs((64, 64), 1.0))}
    with pytest.raises(RecipeError, match="which is none of the bands"):
        prepare(Galaxy("g", images, 150.0, 2.0, None, Ellipse(150, 2, 20, 20)), recipe)
