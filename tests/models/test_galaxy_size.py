"""How large a galaxy is on an image, whatever lies beside it; small ones are enlarged, points
refused.

Of `models.stellar_unet.galaxy_size`, `models.stellar_unet.light_growth` and
`models.stellar_unet.shown_cube`.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.modeling.models import Sersic2D

from napari_galaxy_maps import pipeline
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.measure.compare.stellar_scores import galaxy_sums, radius_in_r_half
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import draw_galaxy
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.models.stellar_unet.galaxy_size import (
    GalaxySize,
    check_size,
    factor_for,
    galaxy_size,
    measure,
)
from napari_galaxy_maps.models.stellar_unet.inputs import UGRIZ
from napari_galaxy_maps.models.stellar_unet.shown_cube import averaged, block_means, enlarged
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

FWHM = 3.0
LIGHT = np.array([0.3, 1.0, 1.8, 2.4, 2.8])
"""Of ugriz, as an old galaxy has it."""


def blurred(image):
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, FWHM / 2.3548, mode="constant")


def sersic(n, r, size, at, q=0.7, angle=0.6):
    """A galaxy of total light 1 through the PSF; its middle is sampled finer."""
    from scipy.special import gamma

    def sampled(k, low, side):
        y, x = (np.mgrid[: side * k, : side * k] + 0.5) / k - 0.5
        model = Sersic2D(1, r, n, at[0] - low[0], at[1] - low[1], 1 - q, angle)
        return model(x, y).reshape(side, k, side, k).mean(axis=(1, 3))

    image = sampled(2, (0, 0), size)
    low = [max(0, int(c) - 3) for c in at]
    image[low[1] : low[1] + 7, low[0] : low[0] + 7] = sampled(31, low, 7)
    b = 2 * n - 1 / 3 + 0.009876 / n
    return blurred(image) / (2 * np.pi * n * q * r**2 * np.exp(b) * b ** (-2 * n) * gamma(2 * n))


def star(size, at, light):
    """A Moffat star."""
    y, x = np.mgrid[:size, :size]
    a = FWHM / (2 * np.sqrt(2 ** (1 / 3) - 1))
    shape = (1 + ((x - at[0]) ** 2 + (y - at[1]) ** 2) / a**2) ** -3.0
    return light * shape / shape.sum()


def noisy(image, r, seed=0):
    """With the noise of an image on which it shows well out to several radii."""
    sigma = 1 / (np.pi * (r**2 + 3) * 0.7) / 40
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return image + noise, np.full(image.shape, sigma)


def cube_of(image, sigma, pixel=0.4, flags=None):
    nowhere = np.zeros(image.shape, bool)
    data, errors = (
        (5 * LIGHT[:, None, None] * plane).astype(np.float32) for plane in (image, sigma)
    )
    flags = np.zeros(image.shape, np.int16) if flags is None else flags
    return BandCube(
        data, errors, UGRIZ, tan_wcs(image.shape, pixel), FWHM * pixel, pixel, 200.0, nowhere,
        flags, "mock",
    )  # fmt: skip


def seen_radius(n, r, found):
    """Half-light radius after the PSF, in ellipses of the shape that was found: by brute force on a
    wide image.
    """
    if r > 10:
        return r
    size = int(16 * r + 40)
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size] - middle
    cos, sin = np.cos(found.angle), np.sin(found.angle)
    radius = np.hypot(x * cos + y * sin, (y * cos - x * sin) / found.axis_ratio).ravel()
    order = np.argsort(radius)
    grown = np.cumsum(sersic(n, r, size, (middle, middle)).ravel()[order])
    return radius[order][np.searchsorted(grown, 0.5)]


@pytest.mark.parametrize(
    "n, r, size",
    [(1, 1.5, 45), (1, 3, 64), (1, 12, 144), (1, 60, 360), (4, 1.5, 45), (4, 6, 180), (4, 30, 360)],
)
def test_the_half_light_radius_of_sersic_galaxies_is_found(n, r, size):
    middle = (size / 2 + 0.3, size / 2 - 0.6)
    found = measure(*noisy(sersic(n, r, size, middle), r), FWHM)
    assert found.r_half == pytest.approx(seen_radius(n, r, found), rel=0.1) and found.whole
    assert np.hypot(found.x - middle[0], found.y - middle[1]) < 0.3 + 0.02 * r


@pytest.mark.parametrize(
    "case, r, size",
    [
        *((c, 2.5, 64) for c in ("off centre", "star", "neighbour", "sky", "mask")),
        *((c, 15, 200) for c in ("off centre", "star", "star on it", "neighbour", "mask")),
    ],
)
def test_what_lies_beside_a_galaxy_does_not_matter(case, r, size):
    """A star of twice its light, a neighbour of half of it, half a sigma of sky, a hole."""
    at = (0.35 * size, 0.6 * size) if case == "off centre" else (size / 2 + 0.3, size / 2 - 0.6)
    image = sersic(1, r, size, at)
    if case == "star":
        image = image + star(size, (at[0] + 4 * r + 4, at[1]), 2)
    if case == "star on it":
        image = image + star(size, (at[0] + 1.5 * r, at[1] + 2), 2)
    if case == "neighbour":
        image = image + 0.5 * sersic(1, 0.7 * r, size, (at[0] - 4 * r - 2, at[1] + 3))
    data, sigma = noisy(image, r)
    if case == "sky":
        data = data + 0.5 * sigma
    if case == "mask":
        y, x = np.mgrid[:size, :size]
        data[np.hypot(x - at[0] - r, y - at[1]) < max(2, 0.6 * r)] = np.nan
    found = measure(data, sigma, FWHM, at)
    assert found.r_half == pytest.approx(seen_radius(1, r, found), rel=0.1)


def test_a_large_image_is_looked_at_as_closely_as_its_galaxy_needs():
    size, at = 700, (430.4, 300.2)
    image = sersic(1, 4, 100, (50.4, 50.2))
    wide = np.zeros((size, size))
    wide[250:350, 380:480] = image
    wide += star(size, (200, 200), 5)
    found = galaxy_size(cube_of(*noisy(wide, 4)))
    assert found.r_half == pytest.approx(seen_radius(1, 4, found), rel=0.1)
    assert np.hypot(found.x - at[0], found.y - at[1]) < 0.3


def test_the_ellipse_says_which_galaxy_and_not_how_large_it_is():
    """The fainter of two, because it is in the middle of the ellipse."""
    size = 120
    image = sersic(1, 8, size, (80, 80)) + 0.3 * sersic(1, 4, size, (35.3, 35.6))
    y, x = np.mgrid[:size, :size]
    outside = np.where(np.hypot(x - 35, y - 36) > 25, np.int16(Flag.OUTSIDE), np.int16(0))
    data, sigma = noisy(image, 8)
    ours = galaxy_size(cube_of(data, sigma, flags=outside))
    brightest = galaxy_size(cube_of(data, sigma))
    assert ours.r_half == pytest.approx(seen_radius(1, 4, ours), rel=0.12)
    assert np.hypot(ours.x - 35.3, ours.y - 35.6) < 1
    assert np.hypot(brightest.x - 80, brightest.y - 80) < 1


def test_no_galaxy_has_no_size():
    noise = np.random.default_rng(0).normal(0, 1, (64, 64))
    assert measure(noise, np.ones((64, 64)), FWHM) is None
    assert measure(np.full((64, 64), np.nan), np.ones((64, 64)), FWHM) is None
    assert factor_for(None, (64, 64)) == 1


@pytest.mark.parametrize(
    "r_half, side, factor",
    [(2.0, 100, 2), (3.9, 100, 2), (4.1, 100, 1), (50, 100, 1), (6.1, 20, 4), (3.1, 40, 2)],
)  # fmt: skip
def test_small_galaxies_and_small_images_are_enlarged(r_half, side, factor):
    size = GalaxySize(r_half, 0, 0, 1, 0, True)
    assert factor_for(size, (side, side // 2)) == factor


def test_a_point_is_refused_in_words_and_a_galaxy_that_is_cut_off_is_not():
    size = 64
    point = cube_of(*noisy(star(size, (30, 33), 1), 1))
    found = galaxy_size(point)
    with pytest.raises(ModelError, match=r"within 1\.\d pixels, 0\.\d+ arcsec.*finer pixels"):
        check_size(found, point)
    check_size(replace(found, whole=False), point)
    with pytest.raises(ModelError, match=r"too small on these images"):
        load_model("stellar-unet").predict(point, "cpu")


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_sums_are_the_same_there_and_back(factor):
    rng = np.random.default_rng(3)
    data, sigma = rng.uniform(1, 5, (2, 2, 20, 30)).astype(np.float32)
    data[0, 5, 7] = np.nan
    fine, errors = enlarged(data, sigma, factor)
    assert fine.shape == (2, 20 * factor, 30 * factor)
    back = averaged(fine, factor)
    assert (np.isfinite(back) == np.isfinite(data)).all()
    assert back[1].sum() == pytest.approx(data[1].sum(), rel=1e-5)
    assert averaged(errors, factor).sum() == pytest.approx(sigma.sum(), rel=1e-5)


def test_means_of_blocks_leave_out_what_is_missing():
    rng = np.random.default_rng(3)
    data, sigma = rng.uniform(1, 5, (2, 2, 16, 32)).astype(np.float32)
    data[0, :4, :4], data[0, 5, 7] = np.nan, np.nan
    light, errors = block_means(data, sigma, 4)
    assert np.isnan(light[0, 0, 0]) and np.isfinite(light).sum() == light.size - 1
    assert light[0, 1, 1] == pytest.approx(np.nanmean(data[0, 4:8, 4:8]), rel=1e-5)
    assert errors[1, 0, 0] == pytest.approx(np.sqrt((sigma[1, :4, :4] ** 2).sum()) / 16, rel=1e-5)


def small_galaxy(r=3.0, size=64):
    """Its cube, flagged outside of an ellipse, which is not its size."""
    image = sersic(1, r, size, (size / 2 + 0.3, size / 2 - 0.6))
    return cube_of(*noisy(image, r))


def test_an_edit_of_an_enlarged_image_gives_what_a_full_run_gives():
    cube, unet = small_galaxy(), load_model("stellar-unet")
    recipe = Recipe.from_toml('[model]\nname = "stellar-unet"\ndevice = "cpu"\n')
    memory = pipeline.PredictionMemory()
    first = run_to_end(pipeline.predict_cube_steps(cube, recipe, memory=memory))
    assert first.provenance["enlarged"] == "2"
    mask = cube.mask.copy()
    mask[10:14, 50:53] = True
    quick = run_to_end(pipeline.predict_cube_steps(replace(cube, mask=mask), recipe, memory=memory))
    full = unet.predict(replace(cube, mask=mask), "cpu")
    for name in full.values:
        np.testing.assert_allclose(quick.values[name], full.values[name], atol=2e-4)


def test_an_edit_that_changes_the_enlargement_predicts_all_anew():
    """A mask over a bright neighbour, which was taken for the galaxy."""
    size = 64
    image = sersic(1, 2.5, size, (16.3, 18.6)) + 2 * sersic(1, 5, size, (46, 44))
    cube = cube_of(*noisy(image, 5))
    recipe = Recipe.from_toml('[model]\nname = "stellar-unet"\ndevice = "cpu"\n')
    memory = pipeline.PredictionMemory()
    before = run_to_end(pipeline.predict_cube_steps(cube, recipe, memory=memory))
    mask = cube.mask.copy()
    mask[30:, 30:] = True
    edited = replace(cube, mask=mask)
    quick = run_to_end(pipeline.predict_cube_steps(edited, recipe, memory=memory))
    full = load_model("stellar-unet").predict(edited, "cpu")
    assert before.provenance["enlarged"] != quick.provenance["enlarged"]
    for name in full.values:
        np.testing.assert_allclose(quick.values[name], full.values[name], atol=2e-4)


@pytest.mark.slow
def test_tiles_of_an_enlarged_image_leave_no_seams():
    wide = small_galaxy(size=110)
    unet = load_model("stellar-unet")
    whole, tiled = (run_to_end(unet.predict_steps(wide, "cpu", tile=side)) for side in (512, 48))
    assert whole.provenance["enlarged"] == "2"
    for name in whole.values:
        np.testing.assert_allclose(tiled.values[name], whole.values[name], atol=2e-3)


@pytest.mark.parametrize("size", [28, pytest.param(96, marks=pytest.mark.slow)])
def test_masses_of_small_galaxies_are_right_and_the_sky_around_them_is_flagged(size):
    """Three mocks of R_half 2.3 to 3 pixels in narrow and wide frames."""
    deltas, faint = [], []
    for seed in (30_950_001, 30_950_003, 30_950_004):
        galaxy = draw_galaxy(seed, "spiral", 10.3)
        pixel = galaxy.r_e * 1e3 / (200 * 4.848) / 2
        fwhm = dict.fromkeys(UGRIZ, FWHM * pixel)
        mock = make_mock(
            seed,
            View(size=size, pixel_arcsec=pixel, distance_mpc=200, noise=0.5, fwhm=fwhm),
            galaxy,
        )
        nowhere = np.zeros((size, size), bool)
        cube = BandCube(
            mock.data, mock.uncertainty, UGRIZ, mock.wcs, FWHM * pixel, pixel,
            mock.pixel_kpc * 1e3, nowhere, nowhere.astype(np.int16), "mock",
        )  # fmt: skip
        maps = load_model("stellar-unet").predict(cube, "cpu")
        away, outline = radius_in_r_half(mock.truth, wcs=mock.wcs, isophotes=False)
        assert 2 < outline["r_half"] < 3.5 and maps.provenance["enlarged"] in ("2", "3")
        sums = galaxy_sums(maps.values, mock.truth, wcs=mock.wcs, radius=(away, outline))
        row = (sums["property"] == "LOG_SIGMA_STAR") & (sums["region"] == "sum")
        deltas.append(float(sums["delta"][row][0]))
        faint.append(((maps.flags & Flag.FAINT) != 0)[away > 10])
    assert abs(np.mean(deltas)) < 0.15 and np.abs(deltas).max() < 0.3
    if size > 28:
        assert np.concatenate(faint).mean() > 0.98
