"""A mock's light without dust is that of the same stars: brighter the bluer, and where dust is."""

import numpy as np
import pytest

from napari_galaxy_maps.data.properties import ATTENUATION, PROPERTIES
from napari_galaxy_maps.mocks.dustless import attenuation_truth_steps, dustless_images
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import draw_galaxy
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.progress import run_to_end

BANDS = ("GALEX_FUV", "SDSS_g", "SDSS_r", "SDSS_z", "WISE_3.4")


def mock_of(kind, seed=3, **view):
    look = View(size=32, pixel_arcsec=2.0, bands=BANDS, noise=0, **view)
    return make_mock(seed, look, draw_galaxy(seed, kind, inclination=40))


@pytest.fixture(scope="module")
def spiral():
    return mock_of("spiral")


def test_dust_dims_blue_light_most(spiral):
    images = dustless_images(spiral)
    assert tuple(images) == BANDS[:4]
    taken = []
    for k, band in enumerate(images):
        assert images[band].shape == (32, 32) and images[band].dtype == np.float32
        assert np.all(images[band] >= spiral.model[k] - 1e-5 * images[band].max())
        taken.append(2.5 * np.log10(images[band].sum() / spiral.model[k].sum()))
    assert taken[0] > 1.5 * taken[1] > 0 and taken[1] > taken[2] > taken[3] > 0


def test_true_maps_go_with_the_images(spiral):
    truth = run_to_end(attenuation_truth_steps(spiral))
    assert tuple(truth) == ATTENUATION
    for name, plane in truth.items():
        least, most = PROPERTIES[name].possible
        assert np.nanmin(plane) >= least and np.nanmax(plane) <= most
    # At the truth's PSF, which is WISE's, sums stay what they are.
    images = dustless_images(spiral)
    a_fuv = 2.5 * np.log10(images["GALEX_FUV"].sum() / spiral.model[0].sum())
    light = 10.0 ** truth["LOG_SIGMA_FUV"]
    mean = -2.5 * np.log10(np.nansum(light * 10 ** (-0.4 * truth["A_FUV"])) / np.nansum(light))
    assert mean == pytest.approx(a_fuv, abs=0.03)
    a_g = 2.5 * np.log10(images["SDSS_g"].sum() / spiral.model[1].sum())
    a_r = 2.5 * np.log10(images["SDSS_r"].sum() / spiral.model[2].sum())
    light = 10.0 ** truth["LOG_SIGMA_V"]
    mean = -2.5 * np.log10(np.nansum(light * 10 ** (-0.4 * truth["A_V"])) / np.nansum(light))
    assert a_r < mean < a_g


def test_companions_lose_their_dust_too():
    mock = mock_of("interacting", seed=5)
    images = dustless_images(mock)
    for k, band in ((0, "GALEX_FUV"), (1, "SDSS_g")):
        # Pixels of half a PSF ring where a lane of dust has sharp edges.
        assert np.all(images[band] >= mock.model[k] - 5e-3 * images[band].max())
        bright = images[band] > 1e-2 * images[band].max()
        taken = 2.5 * np.log10(images[band][bright] / mock.model[k][bright])
        assert taken.min() > -0.02 and 0.05 < np.median(taken) < 5


def test_far_infrared_alone_has_no_such_image():
    look = View(size=16, pixel_arcsec=6.0, bands=("PACS_100",), noise=0)
    assert dustless_images(make_mock(1, look)) == {}
