"""The Bayesian fit: analytic cases, what must not matter, upper limits, flags, and one pixel's
posterior.

Of `sed.fit`, `sed.likelihood` and `sed.posterior`; `sed.pixel` is tested in
tests/plugin/test_pixel.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings
from napari_galaxy_maps.exceptions import InputError, ModelError
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.compose import DIMMED, EXTENSIVE, INTENSIVE, PROPERTY_NAMES
from napari_galaxy_maps.sed.fit import FitFlag, fit, fit_steps
from napari_galaxy_maps.sed.library import Library, build_library
from napari_galaxy_maps.sed.likelihood import light_of_data, weights
from napari_galaxy_maps.sed.posterior import posterior

UNIT = light_of_data(0.0, None)
BANDS5 = ("SDSS_u", "SDSS_r", "2MASS_H", "WISE_12", "SPIRE_250")


@pytest.fixture(scope="module")
def library():
    """A small library with the prior of DustPedia."""
    return build_library(LibrarySettings(n_models=3000, prior="dustpedia"), 0.0, cache=False)


@pytest.fixture(scope="module")
def seen(library):
    """Forty models with 10 % noise in the 18 bands a prediction starts from, MJy/sr, and the rows
    they came from.
    """
    rng = np.random.default_rng(5)
    rows = rng.integers(0, len(library), 40)
    light = library.light[rows][:, library.columns(INPUT_BANDS)].T * 3e7 / UNIT
    error = 0.1 * light
    return light + error * rng.standard_normal(light.shape), error, rows


def handmade(light, **properties):
    """A library of models given by their light in `BANDS5`, Lsun/Hz."""
    light = np.asarray(light, np.float32)
    columns = {name: np.arange(1, len(light) + 1, dtype=np.float32) for name in PROPERTY_NAMES}
    columns |= {name: np.asarray(values, np.float32) for name, values in properties.items()}
    bare, visual = np.ones((len(light), len(DIMMED)), np.float32), np.ones(len(light), np.float32)
    settings = LibrarySettings(extra_error=0)
    return Library(settings, 0.0, BANDS5, light, bare, visual, columns, {})


def cpu(*args, **more):
    return fit(*args, device="cpu", **more)


# Against the formulas, written out


def test_weights_means_and_errors_are_the_formulas():
    rng = np.random.default_rng(1)
    models = rng.uniform(1, 5, (30, 5)) * [1e-9, 1e-8, 1e-8, 1e-7, 1e-6]
    library = handmade(models, Mdust=rng.uniform(1, 3, 30), Tdust=rng.uniform(15, 30, 30))
    data = models[4] / UNIT * 2e8 * rng.normal(1, 0.3, 5)
    error = 0.3 * np.abs(data)
    data[1] *= -1  # measured below zero: a measurement like any other
    found = cpu(data[:, None], error[:, None], BANDS5, library, least_models=1)
    d, e = data * UNIT, error * UNIT
    scale = np.maximum((models * d / e**2).sum(1) / (models**2 / e**2).sum(1), 0)
    chi2 = (((d - scale[:, None] * models) / e) ** 2).sum(1)
    weight = np.exp(-(chi2 - chi2.min()) / 2)
    weight /= weight.sum()
    variance = 1 / (models**2 / e**2).sum(1)
    for k in range(5):
        mean = (weight * scale * models[:, k]).sum()
        sigma = np.sqrt((weight * (scale**2 + variance) * models[:, k] ** 2).sum() - mean**2)
        assert found.flux[k, 0] * UNIT == pytest.approx(mean, rel=1e-4)
        assert found.flux_error[k, 0] * UNIT == pytest.approx(sigma, rel=1e-3)
    mass, temperature = library.properties["Mdust"], library.properties["Tdust"]
    assert found.properties["Mdust"][0] == pytest.approx((weight * scale * mass).sum(), rel=1e-4)
    assert found.properties["Tdust"][0] == pytest.approx((weight * temperature).sum(), rel=1e-5)
    spread = np.sqrt((weight * temperature**2).sum() - (weight * temperature).sum() ** 2)
    assert found.errors["Tdust"][0] == pytest.approx(spread, rel=1e-3)
    assert found.chi2[0] == pytest.approx(chi2.min() / 4, rel=1e-4)
    assert found.best[0] == np.argmin(chi2)
    assert found.best_scale[0] == pytest.approx(scale[np.argmin(chi2)], rel=1e-5)


def test_one_model_leaves_the_error_of_its_scale():
    library = handmade([[1e-9, 1e-8, 1e-8, 1e-7, 1e-6]])
    data = library.light[0] * 1e8 / UNIT
    found = cpu(data[:, None], 0.1 * data[:, None], BANDS5, library)
    np.testing.assert_allclose(found.flux[:, 0], data, rtol=1e-4)
    np.testing.assert_allclose(
        found.flux_error[:, 0] / found.flux[:, 0], 0.1 / np.sqrt(5), rtol=1e-3
    )
    bare = cpu(data[:, None], 0.1 * data[:, None], BANDS5, library, scale_error=False)
    assert np.all(bare.flux_error[:, 0] < 1e-3 * bare.flux[:, 0])


def test_a_model_without_noise_is_found_again(library):
    rows = np.array([0, 17, 1234, 2999])
    light = library.light[rows].T * np.array([1e5, 1e7, 1e8, 1e9])
    found = cpu(
        light / UNIT, 1e-3 * light / UNIT, library.bands, library, extra_error=0, least_models=1
    )
    np.testing.assert_array_equal(found.best, rows)
    np.testing.assert_allclose(found.best_scale, [1e5, 1e7, 1e8, 1e9], rtol=1e-5)
    np.testing.assert_allclose(
        found.properties["Ldust"] / found.best_scale, library.properties["Ldust"][rows], rtol=1e-3
    )
    assert np.all(found.flags == 0) and np.all(found.chi2 < 1e-2)


def test_surface_brightness_and_fluxes_are_the_same_light(library, seen):
    data, error, _ = seen
    whole = cpu(data, error, INPUT_BANDS, library, distance_mpc=10.0)
    surface = cpu(data, error, INPUT_BANDS, library)
    # 1 Jy at 10 Mpc, in Lsun/Hz, over 1 MJy/sr, in Lsun/Hz/kpc2.
    ratio = 4 * np.pi * (10 * 3.0857e22) ** 2 * 1e-26 / (4 * np.pi * 1e-20 * 3.0857e19**2)
    np.testing.assert_allclose(
        whole.properties["Mstar"] / surface.properties["Mstar"], ratio, rtol=1e-3
    )
    np.testing.assert_allclose(whole.flux, surface.flux, rtol=1e-4)
    np.testing.assert_allclose(whole.properties["Tdust"], surface.properties["Tdust"], rtol=1e-4)


# What must not matter


def same(one, other, rtol=2e-3, factor=1.0):
    """Two fits agree, the second of data `factor` times as bright."""
    np.testing.assert_allclose(one.flux * factor, other.flux, rtol=rtol)
    np.testing.assert_allclose(one.flux_error * factor, other.flux_error, rtol=10 * rtol)
    for name in EXTENSIVE:
        np.testing.assert_allclose(one.properties[name] * factor, other.properties[name], rtol=rtol)
    for name in INTENSIVE:
        np.testing.assert_allclose(
            one.properties[name], other.properties[name], rtol=rtol, atol=1e-5
        )
    np.testing.assert_allclose(one.chi2, other.chi2, rtol=rtol, atol=1e-3)


@given(log_factor=st.floats(-12, 12))
@settings(max_examples=15, deadline=None)
def test_brighter_data_are_more_of_the_same(library, seen, log_factor):
    data, error, _ = (a[..., :5] for a in seen)
    factor = 10**log_factor
    same(
        cpu(data, error, INPUT_BANDS, library),
        cpu(data * factor, error * factor, INPUT_BANDS, library),
        factor=factor,
    )


@given(order=st.permutations(range(18)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_bands_does_not_matter(library, seen, order):
    data, error, _ = (a[..., :5] for a in seen)
    names = [INPUT_BANDS[k] for k in order]
    same(cpu(data, error, INPUT_BANDS, library), cpu(data[order], error[order], names, library))


@given(
    value=st.floats(-1e6, 1e6),
    how=st.sampled_from(["infinite error", "huge error", "no value", "no error"]),
)
@settings(max_examples=15, deadline=None)
def test_a_band_that_says_nothing_changes_nothing(library, seen, value, how):
    data, error, _ = (a[..., :5] for a in seen)
    value, sigma = {
        "infinite error": (value, np.inf), "huge error": (value, 1e15), "no value": (np.nan, 1.0),
        "no error": (value, np.nan)
    }[how]  # fmt: skip
    more = np.vstack([data, np.full(5, value)]), np.vstack([error, np.full(5, sigma)])
    with_it = cpu(*more, (*INPUT_BANDS, "SPIRE_500"), library)
    without = cpu(data, error, INPUT_BANDS, library)
    np.testing.assert_allclose(with_it.flux, without.flux, rtol=2e-3)
    np.testing.assert_allclose(with_it.properties["Mdust"], without.properties["Mdust"], rtol=2e-3)


def test_single_precision_is_enough(library, seen):
    data, error, _ = seen
    for relative in (1.0, 0.05):
        one, other = (
            cpu(data, error * relative, INPUT_BANDS, library, extra_error=0, precision=p)
            for p in ("auto", "double")
        )
        assert np.max(np.abs(np.log10(one.flux / other.flux))) < 1e-3
        assert np.max(np.abs(one.flux_error / other.flux_error - 1)) < 0.02
        assert np.array_equal(one.best, other.best)


def test_small_errors_are_worked_in_double_precision(library, seen):
    """In single precision chi2 would be blurred by more than it differs between models."""
    rows = seen[2]
    exact = library.light[rows][:, library.columns(INPUT_BANDS)].T * 3e7 / UNIT
    error = 1e-5 * exact
    automatic = cpu(exact, error, INPUT_BANDS, library, extra_error=0)
    np.testing.assert_array_equal(automatic.best, rows)
    assert np.all(automatic.chi2 < 1e-3)
    blurred = cpu(exact, error, INPUT_BANDS, library, extra_error=0, precision="single")
    assert np.max(np.abs(blurred.chi2 - automatic.chi2)) > 1


def test_pixels_do_not_know_of_each_other(library, seen):
    data, error, _ = (a.copy() for a in seen)
    data[3, ::3] = np.nan
    limits = np.zeros(data.shape, bool)
    limits[17, ::4] = True
    together = cpu(data, error, INPUT_BANDS, library, upper_limits=limits)
    for k in (0, 3, 4, 39):
        alone = cpu(data[:, [k]], error[:, [k]], INPUT_BANDS, library, upper_limits=limits[:, [k]])
        np.testing.assert_allclose(alone.flux[:, 0], together.flux[:, k], rtol=1e-4)
        np.testing.assert_allclose(alone.chi2[0], together.chi2[k], rtol=1e-3, atol=1e-4)


# What it recovers


def test_hidden_bands_come_back_within_their_errors(library, seen):
    data, error, rows = seen
    truth = library.light[rows].T * 3e7 / UNIT
    hidden = data.copy()
    for band in ("GALEX_NUV", "2MASS_H", "WISE_22"):
        hidden[INPUT_BANDS.index(band)] = np.nan
    found = cpu(hidden, error, INPUT_BANDS, library, extra_error=0)
    for band in ("GALEX_NUV", "2MASS_H", "WISE_22", "PACS_160"):
        k = library.bands.index(band)
        z = (found.flux[k] - truth[k]) / found.flux_error[k]
        assert 0.4 < np.std(z) < 1.5, band
    narrow, wide = (found.flux_error[library.bands.index(b)] for b in ("SDSS_r", "SPIRE_500"))
    assert np.all(
        narrow / found.flux[library.bands.index("SDSS_r")]
        < wide / found.flux[library.bands.index("SPIRE_500")]
    )


def test_negative_fluxes_count(library, seen):
    data, error, _ = (a[..., :10].copy() for a in seen)
    k = INPUT_BANDS.index("WISE_22")
    error[k] = np.abs(data[k])
    missing, low = data.copy(), data.copy()
    missing[k], low[k] = np.nan, -2 * error[k]
    without, with_it = (cpu(d, error, INPUT_BANDS, library) for d in (missing, low))
    column = library.bands.index("WISE_22")
    assert np.all(with_it.flux[column] < without.flux[column])
    assert np.all(with_it.flux[column] > 0)


def test_weights_are_flattened_until_enough_models_share_them():
    torch = pytest.importorskip("torch")
    chi2 = torch.tensor(np.linspace(0, 300, 400)[None] ** 1.0)
    for least in (1, 10, 20):
        found = weights(chi2, least)[0].numpy()
        assert found.sum() == pytest.approx(1)
        shared = 1 / np.sum(found**2)
        assert shared >= 0.8 * least
        if least == 1:
            expected = np.exp(-chi2[0].numpy() / 2)
            np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-10)
    flat = torch.zeros((1, 400), dtype=torch.float64)
    np.testing.assert_allclose(weights(flat, 20).numpy(), 1 / 400)


# Upper limits


def limited_chi2(scale, models, data, error, limited):
    from scipy.special import log_ndtr

    z = (data - scale * models) / error
    return np.sum(z[~limited] ** 2) - 2 * np.sum(log_ndtr(z[limited]))


@pytest.mark.parametrize("height", [0.05, 0.5, 1.0, 3.0])
def test_the_scale_under_an_upper_limit_is_the_most_likely_one(height):
    from scipy.optimize import minimize_scalar

    library = handmade([[1e-9, 1e-8, 1e-8, 1e-7, 1e-6]])
    models = library.light[0].astype(float)
    data = models * 1e8 * np.array([1, 1.1, 0.9, 1, height])
    error, limited = 0.1 * models * 1e8, np.array([False] * 4 + [True])
    found = cpu(
        data[:, None] / UNIT,
        error[:, None] / UNIT,
        BANDS5,
        library,
        upper_limits=limited[:, None],
        precision="double",
    )
    expected = minimize_scalar(
        limited_chi2, (5e7, 1e8), args=(models, data, error, limited), options={"xtol": 1e-10}
    )
    assert found.best_scale[0] == pytest.approx(expected.x, rel=1e-4)
    assert found.chi2[0] * 3 == pytest.approx(expected.fun, rel=1e-3, abs=1e-4)


def test_a_limit_far_above_changes_nothing_and_one_far_below_a_lot(library, seen):
    data, error, rows = (a[..., :10] for a in seen)
    names = (*INPUT_BANDS, "SPIRE_250")
    truth = library.light[rows, library.bands.index("SPIRE_250")] * 3e7 / UNIT
    limits = np.zeros((19, 10), bool)
    limits[18] = True

    def limited(height):
        more = np.vstack([data, height * truth]), np.vstack([error, 0.01 * height * truth])
        return cpu(*more, names, library, upper_limits=limits)

    k = library.bands.index("SPIRE_250")
    without = cpu(data, error, INPUT_BANDS, library)
    np.testing.assert_allclose(limited(1000).flux[k], without.flux[k], rtol=1e-3)
    assert np.all(limited(0.3).flux[k] < np.minimum(without.flux[k], 0.7 * truth))


# Flags


def test_flags_say_what_is_wrong(library, seen):
    data, error, _ = (a[..., :4].copy() for a in seen)
    data[2:, 0] = np.nan  # two bands
    data[:, 1] *= -1  # no light
    data[::2, 2] *= 50  # no spectrum
    found = cpu(data, error, INPUT_BANDS, library)
    assert list(found.flags) == [FitFlag.TOO_FEW, FitFlag.NOTHING_SEEN, FitFlag.NO_MODEL_FITS, 0]
    assert list(found.fitted) == [False, False, True, True]
    assert np.all(np.isnan(found.flux[:, :2])) and np.all(np.isfinite(found.flux[:, 2:]))
    assert np.isnan(found.properties["Tdust"][0]) and np.isnan(found.errors["Mdust"][1])
    assert list(found.n_measured) == [2, 18, 18, 18]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"error": 0.0}, "errors of SDSS_u are zero or negative in 2 of 2 pixels"),
        ({"error": -1.0}, "zero or negative"),
        ({"keep": 2}, "Only 2 of the bands have data"),
        ({"keep": 1}, "Only 1 of the bands has data"),
        ({"keep": 0}, "Only 0 of the bands have data"),
        ({"limits": 5}, "All fluxes are upper limits"),
        ({"bands": ("u", "r", "H", "W3", "u")}, "SDSS_u came more than once"),
        ({"bands": ("u", "r", "H", "W3")}, "do not go together"),
        ({"bands": ("u", "r", "H", "W3", "nonsense")}, "no band called"),
        ({"distance_mpc": 0.0}, "distance"),
    ],
)
def test_data_that_cannot_be_fitted_are_told_in_one_sentence(library, change, says):
    data, error = np.ones((5, 2)), np.full((5, 2), 0.1)
    if "error" in change:
        error[0] = change["error"]
    if "keep" in change:
        data[change["keep"] :] = np.nan
    limits = np.zeros((5, 2), bool)
    limits[: change.get("limits", 0)] = True
    with pytest.raises(InputError, match=says):
        cpu(
            data,
            error,
            change.get("bands", BANDS5),
            library,
            upper_limits=limits,
            distance_mpc=change.get("distance_mpc"),
        )


def test_an_unknown_device_is_told(library, seen):
    with pytest.raises(ModelError, match="device"):
        fit(*seen[:2], INPUT_BANDS, library, device="quantum")


# Progress and threads


def test_it_can_be_stopped_at_any_batch_and_leaves_the_threads_as_they_were(library, seen):
    import torch

    data, error = (np.tile(a, 20) for a in seen[:2])
    before = torch.get_num_threads()
    steps = fit_steps(data, error, INPUT_BANDS, library, device="cpu")
    first = next(steps)
    assert 0 < first.done < first.total == 800
    steps.close()
    assert torch.get_num_threads() == before
    finished = []
    result = run_to_end(
        fit_steps(data, error, INPUT_BANDS, library, device="cpu"),
        lambda p: finished.append(p.done),
    )
    assert finished[-1] == 800 and len(finished) > 10
    np.testing.assert_allclose(result.flux[:, :40], result.flux[:, 40:80], rtol=1e-4)


# One pixel


def test_one_pixels_posterior_is_the_fit(library, seen):
    data, error, _ = seen
    whole = cpu(data, error, INPUT_BANDS, library)
    for k in (0, 7, 21):
        one = posterior(data[:, k], error[:, k], INPUT_BANDS, library)
        np.testing.assert_allclose(one.flux.mean(0), whole.flux[:, k], rtol=0.03)
        np.testing.assert_allclose(one.flux.std(0), whole.flux_error[:, k], rtol=0.15)
        assert one.properties["Tdust"].mean() == pytest.approx(
            whole.properties["Tdust"][k], rel=0.02
        )
        assert (one.best, one.n_measured) == (whole.best[k], 18)
        assert one.chi2 == pytest.approx(whole.chi2[k], rel=1e-3)
        assert (
            one.n_models
            > posterior(data[:, k], error[:, k], INPUT_BANDS, library, least_models=1).n_models
        )
        low, middle, high = one.flux_percentiles()
        assert np.all(low < middle) and np.all(middle < high)
        np.testing.assert_allclose(
            one.best_flux(), library.light[one.best] * one.best_scale / UNIT, rtol=1e-5
        )


def test_a_posterior_does_not_flicker(library, seen):
    first, second = (
        posterior(seen[0][:, 3], seen[1][:, 3], INPUT_BANDS, library) for _ in range(2)
    )
    np.testing.assert_array_equal(first.flux, second.flux)


def test_a_posterior_has_a_spectrum_through_its_bands(library, seen):
    from napari_galaxy_maps.bands.registry import get_band

    one = posterior(seen[0][:, 3], seen[1][:, 3], INPUT_BANDS, library)
    wavelength, (low, middle, high) = one.spectrum()
    assert np.all(low <= middle) and np.all(middle <= high)
    for band in ("SDSS_r", "2MASS_H", "PACS_160"):
        k = library.bands.index(band)
        at = np.interp(get_band(band).pivot, wavelength, middle)
        assert at == pytest.approx(np.median(one.flux[:, k]), rel=0.2)
    wavelength, best = one.best_spectrum()
    assert np.all(best >= 0) and len(best) == len(wavelength)


def test_a_posterior_of_nothing_is_told(library, seen):
    data, error, _ = seen
    with pytest.raises(InputError, match="no light to fit"):
        posterior(-data[:, 0], error[:, 0], INPUT_BANDS, library)
    with pytest.raises(InputError, match="Only 2 of the bands"):
        posterior(
            np.where(np.arange(18) < 2, data[:, 0], np.nan), error[:, 0], INPUT_BANDS, library
        )
    limited = posterior(
        data[:, 0], error[:, 0], INPUT_BANDS, library, upper_limits=np.arange(18) == 17
    )
    assert limited.n_measured == 17
