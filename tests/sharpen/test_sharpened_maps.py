"""Sharpened maps agree with the coarse map, are closer to the truth, and show no coarse grid."""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.masked_light import Holes
from napari_galaxy_maps.data.sharpen_settings import SharpenSettings
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.measure.compare.grid_and_psf import brought
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.dust_light import brightness_per_mass
from napari_galaxy_maps.sharpen.sharpened_maps import correction_hdus, sharpen_steps
from napari_galaxy_maps.sharpen.trusted import Trusted, trusted_maps
from tests.sharpen.scene import (
    COARSE_FWHM,
    COARSE_PIXEL,
    COARSE_SIZE,
    FWHM,
    LD,
    MD,
    PIXEL,
    SIZE,
    coarse_map,
    grid,
    maps_of,
    predicted,
    true_plane,
)


def sharpened(maps, coarse, fwhm=None, coarse_fwhm=None, **settings):
    trusted = trusted_maps(coarse, coarse_fwhm)
    return run_to_end(sharpen_steps(maps, trusted, SharpenSettings(**settings), fwhm))


@pytest.fixture(scope="module")
def exact():
    return sharpened(predicted(), coarse_map())


@pytest.fixture(scope="module")
def noisy():
    return sharpened(predicted(), coarse_map(0.02))


def wrong(maps, where=slice(None)):
    away = maps.values[MD] - np.log10(true_plane())
    return float(np.sqrt(np.nanmean(away[where] ** 2)))


def seen_again(maps, coarse):
    back, _ = brought(maps, (coarse.wcs, coarse.shape), (FWHM, COARSE_FWHM))
    return 10 ** back.values[MD].astype(float)


def test_without_noise_it_agrees_to_a_percent_everywhere(exact):
    coarse = coarse_map()
    value = 10 ** coarse.values[MD].astype(float)
    again = seen_again(exact.maps, coarse)
    assert np.isfinite(value).sum() > 100
    np.testing.assert_allclose(again[np.isfinite(value)], value[np.isfinite(value)], rtol=0.01)


def test_it_is_closer_to_the_truth(exact, noisy):
    before = wrong(predicted())
    assert wrong(exact.maps) < 0.35 * before
    bright = true_plane() > 0.05 * true_plane().max()
    assert wrong(noisy.maps, bright) < 0.5 * wrong(predicted(), bright)


def test_with_noise_the_fit_is_as_good_as_the_noise_allows(noisy):
    coarse = coarse_map(0.02)
    value = 10 ** coarse.values[MD].astype(float)
    sigma = value * np.sqrt(np.expm1((coarse.errors[MD].astype(float) * np.log(10)) ** 2))
    sure = value > 3 * sigma
    chi = ((seen_again(noisy.maps, coarse) - value) / sigma)[sure]
    assert 0.5 < np.sqrt(np.nanmean(chi**2)) < 1.1
    assert np.nanmean(np.abs(chi) < 1) > 0.6


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1])
def test_the_sum_is_the_coarse_maps(noise):
    coarse = coarse_map(noise)
    value = 10 ** coarse.values[MD].astype(float)
    sure = np.isfinite(value)
    if noise:
        error = coarse.errors[MD].astype(float)
        sure &= np.sqrt(np.expm1((error * np.log(10)) ** 2)) < 1 / 3
    again = seen_again(sharpened(predicted(), coarse).maps, coarse)
    sure &= np.isfinite(again)
    assert again[sure].sum() == pytest.approx(value[sure].sum(), rel=1e-3)


def test_the_error_holds_the_truth(noisy):
    """Over six galaxies, for one has few independent places."""
    held = []
    for seed in range(6):
        maps = predicted(seed)
        found = sharpened(maps, coarse_map(0.02, seed + 50), beyond="galaxy").maps
        away = np.abs(found.values[MD] - np.log10(true_plane()))
        held.append((away < found.errors[MD]).mean())
    assert 0.58 < np.mean(held) < 0.9


def test_the_error_is_smaller_where_the_coarse_map_is_sure(noisy):
    middle = (slice(25, 35), slice(25, 35))
    assert np.median(noisy.maps.errors[MD][middle]) < 0.6 * predicted().errors[MD][30, 30]
    assert (noisy.maps.errors[MD] <= predicted().errors[MD] * 1.0001).all()


def test_far_from_what_is_trusted_it_is_the_prediction():
    maps, coarse = predicted(), coarse_map(0.2)
    found = sharpened(maps, coarse).corrections[MD]
    corner = (slice(0, 3), slice(0, 3))
    assert np.abs(found[corner]).max() < 1e-3
    assert np.abs(found[28:32, 28:32]).min() > 0.01


def test_beyond_the_galaxys_correction_fades_in():
    """All pixels share an error of 0.2 dex: seen in the middle, it is known in the corner."""
    flat = maps_of({MD: true_plane() * 10**0.2}, {MD: 0.21}, grid(SIZE, PIXEL), FWHM, {MD: 0.2})
    found = sharpened(flat, coarse_map(0.05), beyond="galaxy").corrections[MD]
    assert found[4, 4] == pytest.approx(-0.2, abs=0.06)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_no_coarse_grid_is_printed(noise):
    """Power of the correction at the frequency of the coarse pixels, against its neighbours."""
    found = sharpened(predicted(), coarse_map(noise)).corrections[MD]
    inner = found[6:54, 6:54] - found[6:54, 6:54].mean()
    taper = np.hanning(48)[:, None] * np.hanning(48)
    power = np.abs(np.fft.rfft2(inner * taper)) ** 2
    at = round(48 * PIXEL / 12.0)  # cycles over the window
    line = power[:4].sum(axis=0)
    neighbours = (line[at - 2] + line[at - 1] + line[at + 1] + line[at + 2]) / 4
    assert line[at] < 1.1 * neighbours


def test_ratios_follow_and_temperature_stays():
    truth = true_plane()
    values = {
        MD: truth * 1.5, LD: truth * 300, "LOG_SIGMA_STAR": truth * 100,
        "LOG_SMD": 0.015 * np.ones_like(truth), "LOG_SLD": np.ones_like(truth),
    }  # fmt: skip
    maps = maps_of(values, dict.fromkeys(values, 0.2), grid(SIZE, PIXEL), FWHM)
    kelvin = np.full((SIZE, SIZE), 21.0, np.float32)
    maps = replace(maps, values={**maps.values, "T_DUST": kelvin})
    found = sharpened(maps, coarse_map(0.02)).maps
    np.testing.assert_array_equal(found.values["T_DUST"], kelvin)
    for name in (LD, "LOG_SLD", "LOG_SIGMA_STAR"):  # not in the coarse file
        np.testing.assert_array_equal(found.values[name], maps.values[name])
    mass, ratio = (found.values[name] - maps.values[name] for name in (MD, "LOG_SMD"))
    np.testing.assert_allclose(ratio, mass, atol=1e-5)
    np.testing.assert_allclose(
        found.values["LOG_SMD"], found.values[MD] - found.values["LOG_SIGMA_STAR"], atol=1e-5
    )
    assert np.abs(mass).max() > 0.05
    assert (found.errors["LOG_SMD"] <= 0.2001).all()


def test_what_is_masked_stays_blank_and_its_filling_is_corrected():
    rows, columns = (np.ravel(c) for c in np.mgrid[26:30, 30:34])
    holes = Holes(rows, columns, np.zeros(rows.size, np.int32))
    maps = predicted()
    maps = replace(maps, values={MD: maps.values[MD].copy()}, errors={MD: maps.errors[MD].copy()})
    maps = maps.take_apart(holes) if _blanked(maps, holes) else maps
    found = sharpened(maps, coarse_map())
    assert np.isnan(found.maps.values[MD][26:30, 30:34]).all()
    before, after = maps.filling.values[MD], found.maps.filling.values[MD]
    np.testing.assert_allclose(after - before, found.corrections[MD][rows, columns], atol=1e-5)
    assert np.abs(after - before).min() > 0.01


def _blanked(maps, holes):
    """What lies under the mask is in the arrays until it is taken apart."""
    return np.isfinite(maps.values[MD][holes.where]).all()


def test_pixels_that_are_blank_in_either_do_no_harm():
    maps, coarse = predicted(), coarse_map(0.02)
    values = maps.values[MD].copy()
    values[:, :10] = np.nan
    values[30, 30] = np.nan
    cut = coarse.values[MD].copy()
    cut[8:11, 8:11] = np.nan
    found = sharpened(replace(maps, values={MD: values}), replace(coarse, values={MD: cut})).maps
    assert np.array_equal(np.isnan(found.values[MD]), np.isnan(values))
    assert np.array_equal(np.isnan(found.errors[MD]), np.isnan(values))
    assert wrong(found) < wrong(maps)


def test_the_corrections_are_maps_of_a_file(exact):
    (hdu,) = correction_hdus(exact)
    assert hdu.name == "LOG_SIGMA_MD_CORRECTION"
    change = exact.maps.values[MD] - predicted().values[MD]
    np.testing.assert_allclose(hdu.data, change, atol=1e-6)


def test_what_must_be_known_is_asked_for():
    maps, coarse = predicted(), coarse_map(0.02)
    with pytest.raises(InputError, match=r"The prediction does not say .* FWHM") as refused:
        sharpened(replace(maps, provenance={}), coarse)
    assert refused.value.settings == ("fwhm",)
    with pytest.raises(InputError, match=r"The coarse file does not say .* FWHM") as refused:
        sharpened(maps, replace(coarse, provenance={}))
    assert refused.value.settings == ("sharpen.fwhm",)
    assert sharpened(maps, replace(coarse, provenance={}), coarse_fwhm=36.0).maps.shape
    with pytest.raises(InputError, match="only a wider one"):
        sharpened(maps, coarse, fwhm=40.0)
    with pytest.raises(InputError, match="neither LOG_SIGMA_LD nor LOG_SIGMA_MD"):
        sharpened(maps, replace(coarse, values={"T_DUST": coarse.values[MD]}, errors={}))
    with pytest.raises(InputError, match="nothing to sharpen"):
        sharpened(replace(maps, values={"LOG_SIGMA_STAR": maps.values[MD]}), coarse)
    elsewhere = coarse.wcs.deepcopy()
    elsewhere.wcs.crval = [160.0, 20.0]
    elsewhere.wcs.set()
    with pytest.raises(InputError, match="one galaxy"):
        sharpened(maps, replace(coarse, wcs=elsewhere))


def test_a_factor_that_the_errors_make_unlikely_is_told():
    coarse = coarse_map(0.02)
    thousand = PropertyMaps(
        {MD: coarse.values[MD] + 3}, coarse.errors, coarse.wcs, coarse.flags, coarse.provenance
    )
    found = sharpened(predicted(), thousand)
    assert any("check the unit" in note for note in found.notes)
    assert not any("check the unit" in note for note in sharpened(predicted(), coarse).notes)


def test_a_map_without_errors_is_told_of():
    bare = replace(predicted(), errors={}, galaxy_errors={})
    notes = " ".join(sharpened(bare, coarse_map()).notes)
    assert "prediction has no errors" in notes
    assert "taken as exact" in notes


def image_of_dust(redshift, band="SPIRE_250", kelvin=22.0):
    """A far-infrared image of the true disc at a redshift, as one coarse camera sees it."""
    per_mass = brightness_per_mass(np.full((SIZE, SIZE), kelvin), band, redshift)
    shining = maps_of({MD: true_plane() * per_mass}, {}, grid(SIZE, PIXEL), FWHM)
    to = grid(COARSE_SIZE, COARSE_PIXEL), (COARSE_SIZE, COARSE_SIZE)
    seen, _ = brought(shining, to, (FWHM, COARSE_FWHM))
    value = 10 ** seen.values[MD].astype(float)
    return Trusted(band, (MD,), value, 0.01 * value, seen.wcs, COARSE_FWHM)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("[galaxy]\nredshift = 0.1\n", "at the redshift 0.1"),
        ("[galaxy]\ndistance = 393.2\n", "of 393.2 Mpc"),
    ],
)
def test_light_of_dust_is_that_of_the_galaxys_redshift(recipe, words):
    """A prediction that is right needs no correction by an image of what it says."""
    exact = maps_of({MD: true_plane()}, {MD: 0.2}, grid(SIZE, PIXEL), FWHM, recipe=recipe)
    kelvin = np.full((SIZE, SIZE), 22.0, np.float32)
    maps = replace(exact, values={**exact.values, "T_DUST": kelvin})
    done = run_to_end(sharpen_steps(maps, [image_of_dust(0.1)], SharpenSettings()))
    assert np.nanmax(np.abs(done.corrections[MD])) < 0.01
    assert any(words in note for note in done.notes)


def test_an_image_of_a_galaxy_without_redshift_says_what_was_assumed():
    exact = maps_of({MD: true_plane()}, {MD: 0.2}, grid(SIZE, PIXEL), FWHM)
    kelvin = np.full((SIZE, SIZE), 22.0, np.float32)
    maps = replace(exact, values={**exact.values, "T_DUST": kelvin})
    done = run_to_end(sharpen_steps(maps, [image_of_dust(0.1)], SharpenSettings()))
    assert np.nanmedian(done.corrections[MD]) < -0.03
    assert any("no redshift or distance was told" in note for note in done.notes)
