"""A star's circle ends where the galaxy outshines the star, and nowhere before that is so."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.data.star_settings import StarSettings
from napari_galaxy_maps.prepare.stars.circle_size import circle_radius
from napari_galaxy_maps.prepare.stars.star_bands import Field
from napari_galaxy_maps.prepare.stars.star_fit import Fit
from napari_galaxy_maps.prepare.stars.star_wings import StarPsf
from tests.conftest import tan_wcs

FWHM, PEAK, MIDDLE = 4.0, 20.0, 100.0
OLD = StarSettings(contrast=0)


def star_on(galaxy, sky=0.0, noise=1e-3, beyond=0.0, saturated=False):
    """One fitted star of a Moffat's wings on a smooth galaxy (MJy/sr), pixels of 1 arcsec."""
    shape = (201, 201)
    psf = StarPsf(FWHM, 3.0)
    wings = psf.wings
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - MIDDLE, columns - MIDDLE)
    data = PEAK * np.interp(distance, wings.radius, wings.profile) + galaxy + sky
    image = BandImage(data.astype("f4"), get_band("SDSS_i"), tan_wcs(shape, 1.0), fwhm=FWHM)
    one = np.array([MIDDLE])
    fit = Fit(PEAK, 0.01, MIDDLE, MIDDLE, FWHM, noise, True, saturated)
    return Field(
        image, 1.0, noise, sky, one, one, np.array([beyond]), np.zeros(1), FWHM,
        np.array([PEAK]), [fit], psf,
    )  # fmt: skip


@pytest.mark.parametrize("galaxy", [0.3, 3.0])
@pytest.mark.parametrize("sky", [0.0, 50.0])
def test_a_circle_ends_where_the_star_is_a_share_of_the_galaxy_whatever_the_sky(galaxy, sky):
    stars = star_on(galaxy, sky)
    expected = stars.wings.reaching(0.1 * galaxy / PEAK)
    radius = circle_radius(stars, 0, False, StarSettings(contrast=0.1))
    assert expected <= radius <= expected + FWHM  # rings are half a FWHM wide
    assert radius < circle_radius(stars, 0, False, OLD)


def test_on_a_faint_part_of_the_galaxy_it_ends_in_the_noise():
    stars = star_on(0.0, noise=0.05)
    expected = stars.wings.reaching(0.05 / PEAK)
    assert expected <= circle_radius(stars, 0, False, StarSettings()) <= expected + FWHM


def test_outside_of_the_ellipse_the_noise_is_no_limit_but_the_galaxy_is_where_a_circle_reaches_it():
    def radius(settings=None, **where):
        return circle_radius(star_on(**where, noise=0.05), 0, False, settings or StarSettings())

    assert radius(galaxy=0.0, beyond=3.0) == radius(OLD, galaxy=0.0, beyond=3.0)
    assert radius(galaxy=3.0, beyond=3.0) < radius(OLD, galaxy=3.0, beyond=3.0)
    for far in (60.0, np.inf):  # what is bright there is not the galaxy; or there is no ellipse
        assert radius(galaxy=3.0, beyond=far) == radius(OLD, galaxy=3.0, beyond=far)


@pytest.mark.parametrize("saturated", [False, True])
def test_of_a_fit_that_is_not_to_be_trusted_the_galaxy_decides_nothing(saturated):
    stars = star_on(3.0, saturated=saturated)
    new, old = (circle_radius(stars, 0, not saturated, s) for s in (StarSettings(), OLD))
    assert new == old > 0


def test_masked_and_blank_pixels_tell_nothing_of_the_galaxy():
    clear = star_on(0.3)
    mask = np.zeros(clear.image.shape, bool)
    mask[:, 101:] = True
    data = clear.image.data.copy()
    data[mask] = 1e6  # a neighbour that is masked
    data[:80] = np.nan
    odd = replace(clear, image=clear.image.evolve(data=data, mask=mask))
    assert circle_radius(odd, 0, False, StarSettings()) == circle_radius(
        clear, 0, False, StarSettings()
    )
