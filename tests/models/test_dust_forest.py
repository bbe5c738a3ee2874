"""The shipped model on pixels: maps, uncertainties, flags, devices, progress, and refusals in a
sentence.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.data.cube import Filling
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.device import available_devices, resolve_device
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.models.dust_forest.model import log_lsun_kpc2_per_mjy_sr
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES
from napari_galaxy_maps.progress import run_to_end
from tests.conftest import ROUNDING

from .conftest import TYPICAL


def test_every_quantity_has_a_map_and_an_uncertainty(model, make_cube):
    maps = model.predict(make_cube(), "cpu")
    assert set(maps.values) == set(maps.errors) == set(QUANTITIES) <= set(PROPERTIES)
    for name in QUANTITIES:
        assert maps.values[name].dtype == np.float32
        assert np.isfinite(maps.values[name]).all()
        assert (maps.errors[name] > 0).all()


def test_spirals_are_dustier_than_early_types(model, make_cube):
    cube = make_cube(shape=(1, 200), noise=0.03)
    w3 = cube.data[cube.bands.index("WISE_12")] / cube.data[cube.bands.index("WISE_3.4")]
    sld = model.predict(cube, "cpu").values["LOG_SLD"]
    assert np.median(sld[w3 > 2]) > np.median(sld[w3 < 0.5]) + 0.7


def test_dust_is_ratio_times_stars(model, make_cube):
    values = model.predict(make_cube(), "cpu").values
    np.testing.assert_allclose(
        values["LOG_SIGMA_LD"], values["LOG_SLD"] + values["LOG_SIGMA_LSTAR"], atol=1e-5
    )
    np.testing.assert_allclose(
        values["LOG_SIGMA_MD"], values["LOG_SMD"] + values["LOG_SIGMA_STAR"], atol=1e-5
    )


def test_surface_density_of_light_follows_from_surface_brightness():
    """L_sun/kpc2 of 1 MJy/sr at 3.37 micron by astropy's units."""
    from astropy import units as u

    frequency = (3.37 * u.um).to(u.Hz, equivalencies=u.spectral())
    per_area = (4 * np.pi * u.sr * frequency * u.MJy / u.sr).to_value(u.Lsun / u.kpc**2)
    assert pytest.approx(np.log10(per_area), abs=1e-4) == log_lsun_kpc2_per_mjy_sr(3.37)


WHOLE = 20_000.0
"""Side in pc of what is no pixel but a galaxy."""


def test_twice_as_bright_is_twice_the_stars_and_the_dust_and_no_hotter(model, make_cube):
    """Of whole galaxies: how bright a pixel is tells of its dust."""
    cube = make_cube(noise=0.02, pixel_pc=WHOLE)
    double = replace(cube, data=2 * cube.data, uncertainty=2 * cube.uncertainty)
    one, two = (model.predict(c, "cpu").values for c in (cube, double))
    for name in QUANTITIES:
        expected = np.log10(2) if name.startswith("LOG_SIGMA") else 0
        np.testing.assert_allclose(two[name] - one[name], expected, atol=2e-4)


def test_a_known_hubble_stage_tells_more_of_the_dust(model, make_cube):
    """On pixels it changes the prediction; on real galaxies, by the card, for the better."""
    cube = make_cube(shape=(1, 150))
    spiral, early, unknown = (
        model.predict(replace(cube, hubble_stage=stage), "cpu").values["LOG_SMD"]
        for stage in (5.0, -4.0, None)
    )
    assert not np.array_equal(spiral, unknown)
    assert np.median(early) < np.median(spiral)
    for name in ("LOG_SLD", "LOG_SMD", "T_DUST"):
        known, without = (
            model.card.score(case, ">= 3 FIR", name).rmse[0]
            for case in ("all bands, Hubble stage", "all bands")
        )
        assert known < without


def test_maps_say_how_many_sigmas_hold_95_per_cent(model, make_cube):
    tails = model.predict(make_cube(), "cpu").tails
    assert set(tails) == set(QUANTITIES) and all(1.5 < tail < 4 for tail in tails.values())


@pytest.mark.parametrize("name", ["LOG_SLD", "LOG_SMD", "T_DUST", "LOG_SIGMA_LSTAR"])
def test_fewer_bands_are_less_certain(model, make_cube, name):
    full = make_cube(shape=(1, 150), pixel_pc=WHOLE)
    few = ("SDSS_g", "SDSS_r", "WISE_3.4")
    rows = [full.bands.index(b) for b in few]
    some = replace(full, data=full.data[rows], uncertainty=full.uncertainty[rows], bands=few)
    with_all, with_few = (model.predict(c, "cpu").errors[name] for c in (full, some))
    assert np.median(with_few) > 1.1 * np.median(with_all)
    # Not every pixel: all bands may tell that it is of a kind of which the dust is hard to know.
    assert np.mean(with_few > with_all) > 0.6


COMPLETE = ("WISE_3.4", "SDSS_g", "SDSS_r", "WISE_12", "WISE_22")


@pytest.mark.parametrize("lacking", [(), ("SDSS_g",), ("WISE_12",), ("WISE_12", "WISE_22")])
def test_pixels_that_lack_much_are_predicted_by_the_part_for_them(model, make_cube, lacking):
    """Also where single pixels lack a band that others of the same cube have."""
    cube = make_cube(COMPLETE, pixel_pc=WHOLE)
    cube.data[[cube.bands.index(band) for band in lacking], 0, 1:3] = np.nan
    hotter = replace(
        model,
        members=tuple(
            replace(m, partial=replace(m.partial, trees=raised(m.partial.trees)))
            for m in model.members
        ),
    )
    one, other = (m.predict(cube, "cpu").values["T_DUST"] for m in (model, hotter))
    moved = np.zeros(cube.shape, bool)
    moved[0, 1:3] = bool(lacking)
    np.testing.assert_allclose(other - one, np.where(moved, 5.0, 0.0), atol=1e-4)
    left = [band for band in COMPLETE if band not in lacking]
    assert model.columns.complete_bands(left) == (not lacking)
    assert (model.tails(left, WHOLE) == model.tails(COMPLETE, WHOLE)) == (not lacking)


def raised(trees):
    """Trees that say 10 K more, half of what counts."""
    return replace(trees, offset=trees.offset + np.array([0, 0, 10.0, 0, 0], np.float32))


def test_noisier_pixels_are_less_certain(model, make_cube):
    quiet, noisy = (
        model.predict(make_cube(shape=(1, 150), noise=x), "cpu").errors["LOG_SLD"]
        for x in (0.03, 0.5)
    )
    assert np.nanmedian(noisy) > 1.2 * np.nanmedian(quiet)


def test_masked_pixels_and_those_without_the_normalising_band_are_nan(model, make_cube):
    cube = make_cube()
    cube.mask[0, 0] = True
    cube.flags[0, 0] = Flag.MASKED
    w1 = cube.bands.index("WISE_3.4")
    cube.data[w1, 0, 1], cube.data[w1, 0, 2] = np.nan, -0.1
    maps = model.predict(cube, "cpu")
    for plane in (*maps.values.values(), *maps.errors.values()):
        assert np.isnan(plane[0, :3]).all() and np.isfinite(plane[0, 3:]).all()
    assert maps.flags[0, 0] == cube.flags[0, 0]  # why it is masked is the cube's to say
    assert maps.flags[0, 1] & Flag.BAND_MISSING and maps.flags[0, 1] & Flag.FAINT
    assert maps.flags[0, 2] & Flag.FAINT


def test_flags_that_the_cube_has_are_kept(model, make_cube):
    cube = make_cube()
    cube.flags[1, 1] = Flag.EDGE | Flag.OUTSIDE
    before = cube.flags.copy()
    flags = model.predict(cube, "cpu").flags
    assert flags[1, 1] & Flag.EDGE and flags[1, 1] & Flag.OUTSIDE
    np.testing.assert_array_equal(cube.flags, before)


def test_a_gap_in_one_band_is_flagged_there_only(model, make_cube):
    cube = make_cube()
    cube.data[cube.bands.index("GALEX_FUV"), 2, 3] = np.nan
    flagged = (model.predict(cube, "cpu").flags & Flag.BAND_MISSING) > 0
    assert flagged[2, 3] and flagged.sum() == 1


def test_pixels_say_where_another_normalising_band_stands_in(model, make_cube):
    cube = make_cube((*TYPICAL, "Spitzer_3.6"))
    irac = cube.bands.index("Spitzer_3.6")
    cube.data[irac, 2, 3] = np.nan
    assert not (model.predict(cube, "cpu").flags & Flag.STAND_IN).any()
    without = model.predict(cube.only([b for b in cube.bands if b != "WISE_3.4"]), "cpu")
    standing = (without.flags & Flag.STAND_IN) != 0
    np.testing.assert_array_equal(standing, np.isfinite(cube.data[irac]))


def test_faint_pixels_are_flagged(model, make_cube):
    cube = make_cube(noise=0.02)
    w1 = cube.bands.index("WISE_3.4")
    cube.uncertainty[w1, 0, 0] = 0.5 * cube.data[w1, 0, 0]
    flags = model.predict(cube, "cpu").flags
    assert flags[0, 0] & Flag.FAINT and not flags[1, 1] & Flag.FAINT


def test_nonsense_is_out_of_distribution_and_galaxies_are_not_however_noisy(model, make_cube):
    for noise in (0.03, 0.2, 0.8):
        cube = make_cube(shape=(1, 300), noise=noise)
        flagged = (model.predict(cube, "cpu").flags & Flag.OUT_OF_DISTRIBUTION) > 0
        early = cube.data[cube.bands.index("WISE_12")] < 0.5 * cube.data[cube.bands.index("SDSS_r")]
        assert early.sum() > 50 and np.mean(flagged[~early]) < 0.02
        # The made-up early type is like few galaxies; measured to 3 % it lies at the limit.
        assert np.mean(flagged) < (0.15 if noise == 0.03 else 0.05)
    cube = make_cube(shape=(1, 300), noise=0.03)
    order = np.random.default_rng(0).permutation(len(TYPICAL))
    upside_down = replace(cube, data=cube.data[order], uncertainty=cube.uncertainty[order])
    flags = model.predict(upside_down, "cpu").flags
    assert np.mean((flags & Flag.OUT_OF_DISTRIBUTION) > 0) > 0.9


def test_a_flat_spectrum_is_out_of_distribution(model, make_cube):
    cube = make_cube(noise=0.03)
    flat = np.ones_like(cube.data)
    flags = model.predict(replace(cube, data=flat, uncertainty=0.03 * flat), "cpu").flags
    assert ((flags & Flag.OUT_OF_DISTRIBUTION) > 0).all()


def test_chunks_do_not_matter_and_tell_progress(model, make_cube):
    cube = make_cube(shape=(20, 30))
    seen = []

    def run(chunk):
        steps = model.predict_steps(cube, "cpu", chunk=chunk)
        try:
            while True:
                seen.append(next(steps))
        except StopIteration as stop:
            return stop.value

    whole, pieces = run(1000), run(77)
    assert [p.done for p in seen] == [600, 77, 154, 231, 308, 385, 462, 539, 600]
    for name in QUANTITIES:
        np.testing.assert_allclose(whole.values[name], pieces.values[name], **ROUNDING)


def test_torch_agrees_with_the_compiled_trees(model, make_cube):
    """On the CPU, by the very code that a GPU runs."""
    from napari_galaxy_maps.models.dust_forest.features import normalise

    cube = make_cube(shape=(1, 500), noise=0.2)
    data, error = (planes.reshape(14, -1) for planes in (cube.data, cube.uncertainty))
    spectra = normalise(data, error, cube.bands, model.colour_term, model.columns)
    from napari_galaxy_maps.models.dust_forest.features import features
    from napari_galaxy_maps.models.dust_forest.uncertainty import spread_features

    matrix, unusual = features(spectra, model.colours, model.sed)
    for predictor in (half for m in model.members for half in (m.complete, m.partial)):
        trees = predictor.trees
        np.testing.assert_allclose(
            trees.predict_torch(matrix, "cpu"), trees.predict(matrix), rtol=1e-5, atol=1e-5
        )
        x = spread_features(matrix, predictor.mean(matrix), unusual)
        np.testing.assert_allclose(
            predictor.spread.forest.predict_torch(x, "cpu"),
            predictor.spread.forest.predict(x),
            atol=1e-5,
        )


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_gpu_agrees_with_the_cpu(model, make_cube, device):
    if device not in available_devices():
        pytest.skip(f"there is no {device} here")
    cube = make_cube(shape=(40, 50), noise=0.2)
    one, other = model.predict(cube, "cpu"), model.predict(cube, device)
    for name in QUANTITIES:
        np.testing.assert_allclose(other.values[name], one.values[name], rtol=1e-5, atol=1e-5)


def test_devices_are_found_or_refused_in_a_sentence():
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in available_devices()
    for name in ("cuda", "mps"):
        if name not in available_devices():
            with pytest.raises(GalaxyMapsError, match=f"\\({name}\\); choose auto or cpu"):
                resolve_device(name)
    with pytest.raises(GalaxyMapsError, match="no device called 'tpu'"):
        resolve_device("tpu")


def test_provenance_names_model_hash_and_imf(model, make_cube):
    provenance = model.predict(make_cube(), "cpu").provenance
    assert provenance["model"] == "dust-forest"
    assert provenance["imf"] == "Salpeter"
    assert len(provenance["model_hash"]) == 64
    assert "WISE_3.4" in provenance["bands"]


def test_a_cube_without_the_normalising_band_is_refused(model, make_cube):
    with pytest.raises(GalaxyMapsError, match=r"needs WISE_3\.4"):
        model.predict(make_cube(("SDSS_g", "SDSS_r", "2MASS_J")), "cpu")


def test_irac_alone_is_accepted_and_less_certain(model, make_cube):
    bands = ("SDSS_g", "SDSS_r", "SDSS_i", "WISE_3.4", "WISE_12")
    wise = make_cube(bands, (1, 100), pixel_pc=WHOLE)
    irac = replace(wise, bands=tuple("Spitzer_3.6" if b == "WISE_3.4" else b for b in bands))
    one, other = model.predict(wise, "cpu"), model.predict(irac, "cpu")
    assert np.median(np.abs(one.values["LOG_SIGMA_STAR"] - other.values["LOG_SIGMA_STAR"])) < 0.05
    assert np.median(other.errors["LOG_SIGMA_LSTAR"]) > np.median(one.errors["LOG_SIGMA_LSTAR"])


def test_a_cube_of_nothing_but_nan_gives_nothing_but_nan(model, make_cube):
    cube = make_cube()
    maps = model.predict(replace(cube, data=np.full_like(cube.data, np.nan)), "cpu")
    assert all(np.isnan(plane).all() for plane in maps.values.values())


def test_with_gaps_filled_the_two_predictions_are_put_together_and_the_temperature_keeps_its_gaps(
    model, make_cube
):
    cube = make_cube(noise=0.05)
    row = cube.bands.index("WISE_12")
    holes = np.zeros(cube.shape, bool)
    holes[:, ::2] = True
    data = cube.data.copy()
    data[row, holes] = np.nan
    filling = np.full((2, *data.shape), np.nan, np.float32)
    filling[0, row, holes], filling[1, row, holes] = (
        1.2 * cube.data[row, holes],
        0.1 * cube.data[row, holes],
    )
    gaps = replace(cube, data=data)
    both = model.predict(replace(gaps, filling=Filling(*filling)), "cpu")
    one, other = (
        model.predict(gaps, "cpu"),
        model.predict(replace(gaps, filling=Filling(*filling)).filled(), "cpu"),
    )
    for name in QUANTITIES:
        np.testing.assert_array_equal(both.values[name][~holes], one.values[name][~holes])
        if name == "T_DUST":
            np.testing.assert_array_equal(both.values[name], one.values[name])
            continue
        apart = one.values[name] - other.values[name]
        np.testing.assert_allclose(
            both.values[name][holes], (other.values[name] + apart / 2)[holes], atol=1e-5
        )
        variance = (one.errors[name] ** 2 + other.errors[name] ** 2) / 2 + (apart / 2) ** 2
        np.testing.assert_allclose(both.errors[name][holes], np.sqrt(variance)[holes], rtol=1e-4)
    assert np.abs(one.values["LOG_SLD"] - other.values["LOG_SLD"])[holes].max() > 0.01
    np.testing.assert_allclose(
        both.values["LOG_SIGMA_LD"],
        both.values["LOG_SLD"] + both.values["LOG_SIGMA_LSTAR"],
        atol=1e-5,
    )


def test_where_only_the_filled_spectrum_can_be_used_it_counts_alone(model, make_cube):
    cube = make_cube()
    row = cube.bands.index("WISE_3.4")
    data, filling = cube.data.copy(), np.full((2, *cube.data.shape), np.nan, np.float32)
    filling[0, row, 0, 0], filling[1, row, 0, 0] = data[row, 0, 0], 0.05 * data[row, 0, 0]
    data[row, 0, 0] = np.nan
    filled = replace(cube, data=data, filling=Filling(*filling))
    maps, alone = model.predict(filled, "cpu"), model.predict(filled.filled(), "cpu")
    for name in QUANTITIES:
        assert (
            maps.values[name][0, 0] == alone.values[name][0, 0]
            and np.isfinite(maps.values[name]).all()
        )
    assert maps.flags[0, 0] & Flag.BAND_MISSING


def test_a_part_is_predicted_as_the_whole_is(model, make_cube):
    cube = make_cube(shape=(9, 8))
    cube.data[0, 4, 4] = np.nan
    part = (slice(2, 6), slice(1, 7))
    whole = model.predict(cube, "cpu")
    alone = run_to_end(model.predict_steps(cube, "cpu", part, chunk=5))
    for name in QUANTITIES:
        for planes, others in ((alone.values, whole.values), (alone.errors, whole.errors)):
            np.testing.assert_allclose(planes[name][part], others[name][part], **ROUNDING)
        assert np.isfinite(alone.values[name]).sum() == 24
    np.testing.assert_array_equal(alone.flags[part], whole.flags[part])
