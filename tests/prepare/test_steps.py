"""Each step of preparation does to a known image what arithmetic says it should, and does not touch
what it was given.

Of `prepare.steps`, `prepare.step`, and the steps in `prepare.chain`: `prepare.chain.preparation`,
`prepare.chain.psf_step`, `prepare.chain.stars_step`, `prepare.chain.cube`.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.recipe import Recipe, SkySettings
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.prepare.errors.error_budget import background
from napari_galaxy_maps.prepare.galaxy_ellipse import measure_ellipse
from napari_galaxy_maps.prepare.grid.common_grid import make_grid, resample
from napari_galaxy_maps.prepare.masks.mask_set import Masks, Patch
from napari_galaxy_maps.prepare.memory import PreparationMemory
from napari_galaxy_maps.prepare.psf.convolution import (
    convolution_sums,
    divided,
    match_psf,
    update_sums,
)
from napari_galaxy_maps.prepare.psf.convolve_planes import convolve
from napari_galaxy_maps.prepare.psf.kernels import gaussian_kernel
from napari_galaxy_maps.prepare.sky import (
    fit_sky,
    sky_pixels,
    sky_region,
    subtract_sky,
    subtracted_sky,
)
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.prepare.steps import prepare, prepare_steps
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import tan_wcs

W1 = get_band("WISE_3.4")
CENTRE = Ellipse(150.0, 2.0, 60.0, 40.0, 30.0)


def made(data, pixel=1.5, rotation=0.0, fwhm=6.1, **more):
    return BandImage(
        data.astype("f4"), W1, tan_wcs(data.shape, pixel, rotation=rotation), fwhm=fwhm, **more
    )


def gaussian(side, pixel, fwhm, amplitude=1.0, q=1.0, angle=0.0):
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * pixel
    cos, sin = np.cos(angle), np.sin(angle)
    sigma = fwhm / 2.3548
    return amplitude * np.exp(
        -((x * cos + y * sin) ** 2 + ((y * cos - x * sin) / q) ** 2) / 2 / sigma**2
    )


# --- sky ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model, slope", [("constant", 0.0), ("plane", 0.5)])
def test_the_sky_is_found_under_a_galaxy_and_stars(model, slope):
    rng = np.random.default_rng(2)
    side = 300
    sky = 50 + slope * (np.arange(side) / side - 0.5)[None, :] + np.zeros((side, 1))
    data = sky + gaussian(side, 1.5, 35, 5) + rng.normal(0, 0.1, (side, side))
    for x, y in rng.integers(20, 280, (30, 2)):
        data[y - 1 : y + 2, x - 1 : x + 2] += 20
    before = data.astype("f4")
    image = made(data)
    result = subtract_sky(image, SkySettings(model=model), CENTRE)
    removed = before - result.data
    assert np.abs(removed - sky).max() < 0.01  # a tenth of one pixel's noise
    assert result.meta["sky_rms"] == pytest.approx(0.1, rel=0.03)
    np.testing.assert_array_equal(image.data, before)


SKIES = {
    0: lambda x, y: 0 * x,
    1: lambda x, y: 0.5 * x - 0.2 * y,
    2: lambda x, y: 0.4 * (x**2 + x * y / 2),
    3: lambda x, y: 0.3 * (x**3 - y**2 + x),
    5: lambda x, y: 0.4 * (x**5 - 2 * y**4 * x + y**2),
}


def disc_under_sky(order, seed, noise=0.1, large=0.0, side=300):
    """A sky of an order with an inclined disc, stars, and noise that is white and, if asked for,
    large-scale too.
    """
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    sky = 50 + SKIES[order](x, y)
    data = sky + rng.normal(0, noise, (side, side)) + 5 * np.exp(-np.hypot(x, y / 0.7) * side / 20)
    lumps = gaussian_filter(rng.normal(size=(side, side)), 8)
    data += large * lumps / lumps.std()
    for column, row in rng.integers(5, side - 5, (40, 2)):
        data[row - 1 : row + 2, column - 1 : column + 2] += rng.exponential(5)
    return sky, made(data)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("order", SKIES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_a_polynomial_sky_takes_the_order_that_the_sky_has(seed, order, given):
    """And it holds under the galaxy, where none of it is seen: to a fraction of a pixel's noise
    (0.1).
    """
    disc = Ellipse(150.0, 2.0, 100, 70, 90)
    sky, image = disc_under_sky(order, seed)
    result = subtract_sky(image, SkySettings(model="polynomial"), disc if given else None)
    found = subtracted_sky(result).data
    assert result.meta["sky_fit"].order == order or (
        not given and abs(result.meta["sky_fit"].order - order) == 1
    )
    under = disc.radius(image.wcs, image.shape) < 1
    assert np.abs(found - sky)[under].max() < (0.012 if given else 0.03)
    np.testing.assert_allclose(image.data - found, result.data, atol=1e-5)
    words = result.notes[-1]
    assert ("kept flat" in words) == (order == 0) and (
        f"of order {order}" in words or order < 2 or not given
    )


@pytest.mark.slow
@pytest.mark.parametrize("order", [0, 1])
def test_lumps_in_the_sky_do_not_bend_it(order):
    """Noise of the size of clouds, 0.03 beside 0.1 of white noise, which an F-test over pixels
    takes for structure.
    """
    orders = []
    for seed in range(8):
        _, image = disc_under_sky(order, seed, large=0.03)
        orders.append(
            fit_sky(image, SkySettings(model="polynomial"), Ellipse(150.0, 2.0, 100, 70, 90)).order
        )
    assert orders.count(order) >= 7


@pytest.mark.parametrize("model", ["constant", "plane"])
def test_the_sky_is_that_about_the_galaxy_however_wide_the_field(model):
    """A galaxy on a bright patch in a wide field (under 2 % of it lie within reach): its sum is
    that in any cut-out, and each note says where the sky was looked at.
    """
    side = 700
    y, x = np.indices((side, side)) - (side - 1) / 2
    patch = 0.3 * np.exp(-(x**2 + y**2) / (2 * 120**2))
    data = 5 + patch + gaussian(side, 1.0, 20, 4)
    data += np.random.default_rng(8).normal(0, 0.05, data.shape)
    small = Ellipse(150.0, 2.0, 20, 14, 30)
    sums = []
    for size in (side, 300, 120, 80):
        part = (slice((side - size) // 2, (side + size) // 2),) * 2
        image = subtract_sky(made(data[part], 1.0), SkySettings(model=model), small)
        inside = small.radius(image.wcs, image.shape) < 1
        sums.append(float(image.data[inside].sum()))
        assert "between 1.25 and 3 times the galaxy's ellipse" in image.notes[-1]
    np.testing.assert_allclose(sums, sums[0], rtol=0.02)
    alone = gaussian(side, 1.0, 20, 4)
    inside = small.radius(made(alone, 1.0).wcs, alone.shape) < 1
    assert sums[0] == pytest.approx(alone[inside].sum(), rel=0.02)


@pytest.mark.parametrize(
    ("axes", "where"),
    [
        ((2.0, 1.5), "between 1.25 and 6 times the galaxy's ellipse"),  # 100 pixels are too few
        ((45.0, 45.0), "outside the galaxy's ellipse, as the image ends within 1.25 of it"),
        ((90.0, 90.0), "of the whole image, the galaxy included"),
        (None, "of the whole image"),
    ],
)
def test_where_the_sky_is_looked_at_is_told(axes, where):
    image = made(np.random.default_rng(1).normal(2, 0.1, (80, 80)), 1.0)
    ellipse = None if axes is None else Ellipse(150.0, 2.0, *axes, 0.0)
    result = subtract_sky(image, SkySettings(), ellipse)
    assert where in result.notes[-1] and result.meta["sky"] == pytest.approx(2, abs=0.02)


def test_a_polynomial_stays_level_where_it_knows_nothing():
    disc = Ellipse(150.0, 2.0, 60, 45, 90)
    _, image = disc_under_sky(5, 1)
    settings = SkySettings(model="polynomial", reach=2.0)
    sky = fit_sky(image, settings, disc)
    seen = sky_pixels(image, sky_region(image, disc, settings.exclude, settings.reach)[0])
    known, everywhere = sky.surface(image.shape)[seen], sky.surface(image.shape)
    assert sky.order > 1 and np.ptp(everywhere) < 3 * np.ptp(known)


@pytest.mark.slow
def test_without_d25_a_polynomial_keeps_off_the_galaxy(galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0}, "sky": {"model": "polynomial"}})
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    notes = [(p.step, p.detail) for p in prepare_steps(galaxy, recipe)]
    assert notes[0][0] == "sky" and "no D25 given" in notes[0][1]
    assert all("kept flat" in detail for _, detail in notes[1:4])


@pytest.mark.parametrize(
    "axis", [80, *(pytest.param(n, marks=pytest.mark.slow) for n in (100, 130))]
)
def test_a_galaxys_outskirts_are_not_taken_for_sky(galaxy_folder, axis):
    """The disc of 25 arcsec shows beyond 1.25 D25; a polynomial through it would be 0.5 % of its
    peak too high inside.
    """
    galaxy = read_galaxy(
        [galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], Recipe()
    )
    for image in galaxy.images.values():
        sky = fit_sky(image, SkySettings(model="polynomial"), Ellipse(150.0, 2.0, axis, axis))
        assert np.abs(sky.surface(image.shape) - 2.0).max() < 0.005  # a quarter of a pixel's noise


def test_a_sky_of_few_counts_is_not_biased():
    rng = np.random.default_rng(3)
    counts = rng.poisson(4.0, (300, 300))
    assert np.mean(counts) == pytest.approx(4, abs=0.03)
    result = subtract_sky(made(counts), SkySettings(), None)
    assert result.meta["sky"] == pytest.approx(4, abs=0.12)


# --- PSF ------------------------------------------------------------------------------------------


@given(st.floats(1.5, 8), st.floats(1.05, 4), st.floats(0.5, 3))
@settings(max_examples=20, deadline=None)
def test_a_kernel_is_normalised_centred_odd_and_adds_widths_in_quadrature(fwhm, wider, pixel):
    kernel = gaussian_kernel(fwhm, fwhm * wider, pixel)
    if kernel is None:
        assert np.sqrt((fwhm * wider) ** 2 - fwhm**2) / 2.3548 / pixel < 0.1
        return
    assert kernel.shape[0] % 2 == kernel.shape[1] % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.unravel_index(kernel.argmax(), kernel.shape) == (
        kernel.shape[0] // 2,
        kernel.shape[1] // 2,
    )


def test_a_gaussian_becomes_the_wider_gaussian():
    pixel, narrow, wide = 1.0, 6.0, 12.0
    image = made(gaussian(201, pixel, narrow, 100), pixel, fwhm=narrow)
    result = match_psf(image, wide)
    expected = gaussian(201, pixel, wide, 100 * (narrow / wide) ** 2)
    assert np.nanmax(np.abs(result.data - expected)) < 2e-3 * expected.max()
    assert result.fwhm == wide and np.nansum(result.data) == pytest.approx(
        image.data.sum(), rel=1e-4
    )


def test_convolution_agrees_with_astropys():
    from astropy.convolution import convolve_fft

    rng = np.random.default_rng(0)
    data = rng.normal(3, 1, (90, 80)).astype("f4")
    data[20:24, 30:40] = np.nan
    kernel = gaussian_kernel(2, 9, 1.0)
    ours, _ = divided(convolution_sums(made(data, 1.0), kernel), 0.01)
    theirs = convolve_fft(
        data, kernel, nan_treatment="interpolate", boundary="fill", preserve_nan=False
    )
    inside = (
        slice(20, -20),
        slice(20, -20),
    )  # at the border astropy counts zeros, we only what was measured
    np.testing.assert_allclose(ours[inside], theirs[inside], rtol=2e-5)


@given(arrays("f4", (24, 31), elements=st.floats(-5, 5, width=32)), st.integers(0, 400))
@settings(max_examples=25, deadline=None)
def test_convolution_is_linear_and_shift_invariant(plane, seed):
    kernel = gaussian_kernel(2, 6, 1.5)
    other = np.random.default_rng(seed).normal(size=plane.shape).astype("f4")
    a, b, both = convolve(np.stack([plane, other, plane + 2 * other]), kernel)
    np.testing.assert_allclose(both, a + 2 * b, atol=2e-4)


def test_blank_pixels_do_not_leak_and_a_flat_image_stays_flat_to_its_edge():
    data = np.full((100, 100), 7.0, "f4")
    data[40:60, 40:60] = np.nan
    mask = np.zeros(data.shape, bool)
    mask[10:12, 10:12] = True
    data[10:12, 10:12] = 1e6  # a star under the mask
    result = match_psf(made(data, mask=mask), 12.0)
    valid = np.isfinite(result.data)
    np.testing.assert_allclose(result.data[valid], 7, rtol=1e-5)
    assert not valid[50, 50] and valid[0, 50] and valid[50, 99] and valid[11, 11]
    assert not valid[0, 0]  # a corner sees a quarter of the kernel


def test_variance_goes_with_the_square_of_the_kernel():
    rng = np.random.default_rng(5)
    kernel = gaussian_kernel(3, 9, 1.5)
    image = made(np.zeros((80, 80)), uncertainty=np.full((80, 80), 2.0, "f4"))
    _, predicted = divided(convolution_sums(image, kernel), 0.5)
    draws = convolve(rng.normal(0, 2, (300, 80, 80)).astype("f4"), kernel)[:, 20:60, 20:60]
    assert predicted[40, 40] == pytest.approx(draws.var(), rel=0.02)
    assert predicted[40, 40] == pytest.approx(4 * (kernel**2).sum(), rel=1e-4)


@pytest.mark.parametrize("shape", [(90, 80), (37, 53), (12, 15)])
@pytest.mark.parametrize("step", [1, 2, 3, 5])
@pytest.mark.parametrize("separable", [True, False])
def test_every_so_many_pixels_of_a_convolution_are_those_of_the_whole(shape, step, separable):
    from scipy.signal import fftconvolve

    rng = np.random.default_rng(1)
    kernel = gaussian_kernel(2, 9, 1.0).astype(float)
    if not separable:
        kernel = kernel * rng.uniform(0.5, 1.5, kernel.shape)
    planes = rng.normal(size=(2, *shape))
    expected = [
        fftconvolve(np.pad(p, 60), kernel, mode="same")[60:-60, 60:-60][::step, ::step]
        for p in planes
    ]
    np.testing.assert_allclose(
        convolve(planes, kernel, step), expected, atol=1e-12 if not separable else 1e-7
    )


@pytest.mark.parametrize("separable", [True, False])
@pytest.mark.parametrize("step", [1, 3])
def test_margins_are_as_if_the_planes_had_them(separable, step):
    rng = np.random.default_rng(2)
    kernel = rng.uniform(size=(9, 11))  # not the same upside down
    if separable:
        kernel = np.outer(kernel[:, 0], kernel[0])
    planes, (above, below, left, right) = rng.normal(size=(2, 14, 17)), (4, 0, 7, 3)
    wide = np.pad(planes, ((0, 0), (above, below), (left, right)))
    expected = convolve(wide, kernel, step)
    found = convolve(planes, kernel, step, (above, below, left, right))
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_fewer_pixels_of_a_convolved_image_lead_to_the_same_grid():
    rng = np.random.default_rng(1)
    data = gaussian(300, 0.5, 30, 10.0) + rng.normal(0, 0.1, (300, 300))
    y, x = np.mgrid[:300, :300]
    data[np.hypot(x - 180, y - 140) < 12] = np.nan
    image = made(data, 0.5, rotation=20, fwhm=1.3)
    grid = make_grid(Ellipse(150.0, 2.0, 60, 60), 3.0, 1.0)
    whole, few = match_psf(image, 9.0), match_psf(image, 9.0, largest_arcsec=1.5)
    assert few.pixel_arcsec == pytest.approx(1.5) and few.data.size * 8 < whole.data.size
    np.testing.assert_array_equal(
        few.wcs.pixel_to_world_values(7, 11), image.wcs.pixel_to_world_values(21, 33)
    )
    ours, theirs = resample(few, grid).data, resample(whole, grid).data
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert (
        np.isfinite(ours) != np.isfinite(theirs)
    ).mean() < 0.03  # at the image's own border, by a pixel
    off = np.abs(ours - theirs)[both] / np.nanmax(theirs)
    assert (
        np.quantile(off, 0.99) < 1e-3 and off.max() < 0.01
    )  # the largest at the rim of what the hole leaves blank
    assert match_psf(image.evolve(fwhm=8.9), 9.0, largest_arcsec=1.5).pixel_arcsec == pytest.approx(
        0.5
    )


@pytest.mark.parametrize("step", [1, 3])
def test_a_change_of_the_mask_is_followed_as_if_from_the_start(step):
    rng = np.random.default_rng(8)
    data = rng.normal(5, 1, (120, 110)).astype("f4")
    data[30:33, 50:60] = np.nan
    y, x = np.mgrid[:120, :110]
    kernel = gaussian_kernel(3, 6, 1.5)
    circles = [
        np.hypot(x - cx, y - cy) < r for cx, cy, r in ((20, 30, 6), (52, 34, 9), (106, 3, 8))
    ]
    errors = np.abs(rng.normal(1, 0.1, data.shape)).astype("f4")
    masks = [
        circles[0],
        circles[0] | circles[1],
        circles[1] | circles[2],
        np.zeros_like(circles[0]),
    ]
    sums = convolution_sums(made(data, mask=None, uncertainty=errors), kernel, step)
    for mask in masks:
        image = made(data, mask=mask, uncertainty=errors)
        before = sums.numerator.copy(), sums
        sums, box = update_sums(sums, image, kernel)
        np.testing.assert_array_equal(before[0], before[1].numerator)
        fresh = convolution_sums(image, kernel, step)
        for name in ("numerator", "weight", "variance"):
            np.testing.assert_allclose(getattr(sums, name), getattr(fresh, name), atol=1e-11)
        assert box is not None
        outside = np.ones(sums.weight.shape, bool)
        outside[box] = False
        np.testing.assert_array_equal(sums.weight[outside], before[1].weight[outside])
    assert update_sums(sums, made(data, mask=masks[-1], uncertainty=errors), kernel)[1] is None


# --- grid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0, 30, 90])
@pytest.mark.parametrize("out_pixel", [1.0, 4.0])
def test_resampling_keeps_surface_brightness_and_flux(rotation, out_pixel):
    image = made(gaussian(161, 1.5, 40, 3.0), rotation=rotation, fwhm=6.1)
    grid = make_grid(Ellipse(150.0, 2.0, 80, 80), out_pixel, 1.2)
    result = resample(image, grid)
    y, x = np.mgrid[: grid.shape[0], : grid.shape[1]] - (grid.shape[0] - 1) / 2
    # The adaptive method smooths by a Gaussian whose sigma is 0.65 pixels of the coarser grid.
    broadened = np.hypot(40, 0.65 * 2.3548 * max(out_pixel, 1.5))
    expected = (
        3.0
        * (40 / broadened) ** 2
        * np.exp(-(x**2 + y**2) * out_pixel**2 / 2 / (broadened / 2.3548) ** 2)
    )
    valid = np.isfinite(result.data)
    assert np.abs(result.data - expected)[valid].max() < 0.01
    ours, theirs = np.nansum(result.data) * out_pixel**2, expected.sum() * out_pixel**2
    assert ours == pytest.approx(theirs, rel=2e-3)


def test_positions_survive_the_grid():
    image = made(np.zeros((101, 101)), pixel=2.0, rotation=40)
    sky = image.wcs.pixel_to_world(70, 35)
    y, x = np.mgrid[:101, :101]
    image = image.evolve(data=np.exp(-((x - 70) ** 2 + (y - 35) ** 2) / 8).astype("f4"))
    grid = make_grid(Ellipse(150.0, 2.0, 70, 70), 2.0, 1.3)
    data = np.nan_to_num(resample(image, grid).data)
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]]
    found = grid.wcs.pixel_to_world(
        (data * columns).sum() / data.sum(), (data * rows).sum() / data.sum()
    )
    assert found.separation(sky).arcsec < 0.1


def test_a_galaxy_smaller_than_a_pixel_is_refused():
    with pytest.raises(InputError, match="less than one pixel"):
        make_grid(Ellipse(150, 2, 10, 5), 18.0, 1.25, "NGC 1")


# --- the ellipse, the errors, the whole chain -----------------------------------------------------


def test_the_ellipse_of_a_galaxy_is_measured():
    rng = np.random.default_rng(4)
    # the long axis lies at 30 degrees from +y towards +x; east is towards -x, so the position angle
    # is 150
    data = gaussian(241, 1.5, 80, 2.0, q=0.5, angle=np.pi / 3) + rng.normal(0, 0.02, (241, 241))
    ellipse = measure_ellipse(made(data))
    assert ellipse.ra == pytest.approx(150, abs=5e-4) and ellipse.dec == pytest.approx(2, abs=5e-4)
    assert ellipse.pa == pytest.approx(150, abs=3)
    assert ellipse.b / ellipse.a == pytest.approx(0.5, abs=0.08)


def test_where_there_is_no_galaxy_the_person_is_asked():
    flat = made(np.random.default_rng(0).normal(0, 1, (100, 100)))
    with pytest.raises(InputError, match="No galaxy stands out"):
        measure_ellipse(flat)


@pytest.mark.parametrize("near", [(150.5, 2.0), (330.0, -2.0)])
def test_a_position_off_the_image_is_told_even_from_the_other_side_of_the_sky(near):
    data = gaussian(241, 1.5, 80, 2.0) + np.random.default_rng(4).normal(0, 0.02, (241, 241))
    with pytest.raises(InputError, match=r"lies outside the \S+ image; correct the position"):
        measure_ellipse(made(data), near)


def test_the_background_rms_is_the_scatter_on_the_grid():
    rng = np.random.default_rng(6)
    small = Ellipse(150.0, 2.0, 15, 15)
    image = match_psf(made(rng.normal(0, 1, (400, 400)), pixel=1.0, fwhm=2.0), 9.0)
    grid = make_grid(Ellipse(150.0, 2.0, 150, 150), 3.0, 1.1)
    on_grid = resample(image, grid).data
    assert background(image, small, 3.0).rms == pytest.approx(np.nanstd(on_grid), rel=0.05)


def test_a_flat_ratio_of_bands_stays_flat_through_the_whole_chain(galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5}, noise=0.002)
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5, "distance": 10.0}, "psf": {"target": 9.0}}
    )
    galaxy = read_galaxy([folder], recipe)
    before = {name: image.data.copy() for name, image in galaxy.images.items()}
    cube = prepare(galaxy, recipe)
    assert cube.bands == ("SDSS_r", "2MASS_J", "WISE_3.4") and cube.fwhm == 9.0
    assert cube.pixel_pc == pytest.approx(cube.pixel_arcsec * 48.48, rel=1e-3)
    inside = ~cube.mask & (cube.data[2] > 0.3)
    assert inside.sum() > 300
    # the three PSFs start narrower by different amounts, so the cusp at the centre is left out
    inside &= CENTRE.radius(cube.wcs, cube.shape) > 0.3
    np.testing.assert_allclose(cube.data[1][inside] / cube.data[2][inside], 2.0, rtol=0.03)
    np.testing.assert_allclose(cube.data[0][inside] / cube.data[2][inside], 0.5, rtol=0.03)
    assert ((cube.flags & Flag.OUTSIDE) != 0).any() and (
        cube.uncertainty[np.isfinite(cube.data)] > 0
    ).all()
    for name, data in before.items():
        np.testing.assert_array_equal(galaxy.images[name].data, data)


def test_what_has_not_changed_is_not_done_again(galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}})
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    memory = PreparationMemory()
    first = {(p.step, p.detail): p.result for p in list(prepare_steps(galaxy, recipe, memory))}
    again = list(prepare_steps(galaxy, recipe, memory))
    assert all(p.result is first[(p.step, p.detail)] for p in again)
    coarser = list(prepare_steps(galaxy, recipe.with_values(["grid.pixel=5"]), memory))
    redone = {p.step for p in coarser if p.result is not first.get((p.step, p.detail))}
    assert redone == {"grid", "errors"}


def test_switched_off_steps_leave_the_data(galaxy_folder):
    recipe = Recipe.from_tree(
        {
            "galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5},
            "sky": {"enabled": False},
            "psf": {"enabled": False},
            "reddening": {"enabled": False},
            "impute": {"enabled": False},
        }
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    steps = [p.step for p in prepare_steps(galaxy, recipe)]
    assert set(steps) == {"grid", "errors"}
    cube = run_to_end(prepare_steps(galaxy, recipe))
    assert np.nanmin(cube.data) > 1.5  # the sky of 2 MJy/sr is still there


def test_bands_broader_than_the_target_are_named_and_left_out(galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SPIRE_250": 20.0})
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 8.0}}
    )
    galaxy = read_galaxy([folder], recipe)
    notes = []
    cube = run_to_end(prepare_steps(galaxy, recipe), lambda p: notes.append(p.detail))
    assert cube.bands == ("2MASS_J", "WISE_3.4") and any("SPIRE_250 left out" in t for t in notes)
    with pytest.raises(InputError, match="No image is as sharp"):
        prepare(galaxy, recipe.with_values(["psf.target=1.0"]))
    with pytest.raises(RecipeError, match=r"The common PSF cannot be 'nonsense'"):
        prepare(galaxy, recipe.with_values(["psf.target=nonsense"]))


def test_an_image_that_does_not_show_the_galaxy_is_named(galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}})
    galaxy = read_galaxy([folder], recipe)
    image = galaxy.images["2MASS_J"]
    image.wcs.wcs.crval = [10.0, 2.0]
    image.wcs.wcs.set()
    with pytest.raises(InputError, match="The 2MASS_J image does not show the galaxy"):
        prepare(galaxy, recipe)


def test_a_position_that_no_image_shows_is_refused_before_the_work(galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})
    recipe = Recipe.from_tree({"galaxy": {"ra": 10.0, "dec": 2.0}})
    with pytest.raises(InputError, match=r"in hours, give 150\.00000"):
        read_galaxy([folder], recipe)
    away = Recipe.from_tree({"galaxy": {"ra": 200.0, "dec": 2.0}})
    with pytest.raises(InputError, match="in degrees; correct it"):
        read_galaxy([folder], away)


def test_pixels_near_an_images_edge_are_flagged():
    _, x = np.mgrid[:120, :120]
    whole = made(gaussian(120, 1.5, 60, 5.0))
    half = made(np.where(x < 70, gaussian(120, 1.5, 60, 5.0), np.nan), fwhm=6.1)
    half = half.evolve(band=get_band("2MASS_J"))
    galaxy = Galaxy(
        "g", {"WISE_3.4": whole, "2MASS_J": half}, 150.0, 2.0, None, Ellipse(150.0, 2.0, 50, 50)
    )
    cube = prepare(galaxy, Recipe.from_tree({"sky": {"enabled": False}}))
    edge = (cube.flags & Flag.EDGE) != 0
    assert edge.any() and not edge[:, : cube.shape[1] // 4].any()


# --- masks, and their editing ---------------------------------------------------------------------


def starry(count=12, seed=3):
    rng = np.random.default_rng(seed)
    return tuple(
        Star(
            str(i),
            150 + dx / 3600,
            2 + dy / 3600,
            15.0,
            "hand",
            {"WISE_3.4": r, "2MASS_J": r / 2, "SDSS_r": r / 2},
        )
        for i, (dx, dy, r) in enumerate(
            np.c_[rng.uniform(-60, 60, (count, 2)), rng.uniform(3, 12, count)]
        )
    )


@pytest.mark.slow
def test_an_edited_mask_gives_what_a_full_run_gives(galaxy_folder):
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 9.0}}
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    stars = starry()
    moved = (replace(stars[0], ra=stars[0].ra + 20 / 3600), *stars[1:])
    patch = np.zeros((50, 50), bool)
    patch[10:20, 25:40] = True
    edits = [
        Masks(stars), Masks(moved), Masks(moved[1:]),
        Masks((*moved[1:], replace(stars[3], id="new", dec=2.005))),
        Masks(moved, (Patch(patch, tan_wcs((50, 50), 2.0, rotation=15)),)), Masks(()), Masks(stars),
    ]  # fmt: skip
    memory = PreparationMemory()
    run_to_end(prepare_steps(galaxy, recipe, memory))
    for masks in edits:
        edited = run_to_end(prepare_steps(galaxy, recipe, memory, masks))
        fresh = run_to_end(prepare_steps(galaxy, recipe, PreparationMemory(), masks))
        for name in ("data", "uncertainty"):
            ours, full = getattr(edited, name), getattr(fresh, name)
            np.testing.assert_array_equal(np.isnan(ours), np.isnan(full))
            assert np.nanmax(np.abs(ours - full)) < 1e-6 * np.nanmax(full)
        np.testing.assert_array_equal(edited.flags, fresh.flags)
        np.testing.assert_array_equal(edited.mask, fresh.mask)
        np.testing.assert_array_equal(edited.own_masks, fresh.own_masks)
        np.testing.assert_array_equal(edited.own_masks.any(axis=0), fresh.mask)
    assert all(
        rows.stop - rows.start < edited.shape[0] or masks is not edits[1]
        for rows, _ in memory.touched.values()
    )


@pytest.mark.slow
def test_a_masked_star_leaves_no_trace_and_its_pixels_are_flagged(galaxy_folder):
    recipe = Recipe.from_tree(
        {"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}, "psf": {"target": 9.0}}
    )
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    star = Star("a", 150 + 40 / 3600, 2.0, 12.0, "hand", {"SDSS_r": 6.0})
    image = galaxy.images["SDSS_r"]
    x, y = image.wcs.world_to_pixel_values(star.ra, star.dec)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    bright = image.data + 50 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2).astype("f4")
    spoilt = replace(galaxy, images={**galaxy.images, "SDSS_r": image.evolve(data=bright)})
    clean = prepare(galaxy, recipe).data[0]
    masked = run_to_end(prepare_steps(spoilt, recipe, masks=Masks((star,))))
    assert np.nanmax(np.abs(prepare(spoilt, recipe).data[0] - clean)) > 0.5
    assert np.nanmax(np.abs(masked.data[0] - clean)) < 0.06  # what filling the hole costs
    hidden = (masked.flags & Flag.MASKED) != 0
    assert 5 < hidden.sum() < 40 and masked.mask[hidden].all()


def test_a_mask_over_the_nucleus_is_told(galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5}})
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    nuclear = Star("a", 150.0 + 2 / 3600, 2.0, 12.0, "hand", {"SDSS_r": 4.0})
    beside = Star("b", 150.0 + 9 / 3600, 2.0, 12.0, "hand", {"SDSS_r": 4.0, "2MASS_J": 4.0})
    notes = [
        p.detail
        for p in prepare_steps(galaxy, recipe, masks=Masks((nuclear, beside)))
        if p.step == "stars"
    ]
    assert notes == ["the mask in SDSS_r covers the galaxy's nucleus; look whether it should"]


@pytest.mark.parametrize(
    "shape, rotation, dec", [((200, 150), 33, 2.0), ((6, 9), 0, -40.0), ((90, 300), -120, 88.0)]
)
def test_the_elliptical_radius_is_that_of_the_sky(shape, rotation, dec):
    from astropy.coordinates import SkyCoord

    wcs = tan_wcs(shape, 2.0, ra=10.0, dec=dec, rotation=rotation)
    ellipse = Ellipse(10.003, dec + 0.005, 70, 35, 115)
    y, x = np.mgrid[: shape[0], : shape[1]]
    sky = wcs.pixel_to_world(x, y)
    centre = SkyCoord(ellipse.ra, ellipse.dec, unit="deg")
    away, angle = centre.separation(sky).arcsec, centre.position_angle(sky).rad - np.radians(115)
    expected = np.hypot(away * np.cos(angle) / 70, away * np.sin(angle) / 35)
    np.testing.assert_allclose(ellipse.radius(wcs, shape), expected, atol=2e-4, rtol=1e-4)
