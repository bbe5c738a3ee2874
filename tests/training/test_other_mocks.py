"""The second recipe of mock galaxies: what dust takes it emits, averaging loses nothing, seeds
repeat, and nothing of it is the first recipe's.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.constants import MJY_SR_PER_LSUN_HZ_KPC2
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.training.other_mocks import (
    attenuation,
    dust_emission,
    histories,
    make_other_pixels,
    painting,
    patterns,
    populations,
    relations,
    seeing,
    simulated,
    themis_fit,
    traits,
)
from napari_galaxy_maps.training.other_mocks.layout import DrawnShape
from tests.test_architecture import MODULES, PACKAGE, neighbours

SLAB = attenuation.Geometry(1.0, 0.0, 0.0, flat=False)
MIXED = attenuation.Geometry(0.5, 0.3, 0.2, flat=False)


def test_no_module_of_it_leads_to_the_first_recipe_or_the_library_of_spectra():
    waiting = [name for name in MODULES if name.startswith(f"{PACKAGE}.training.other_mocks")]
    assert len(waiting) > 10
    seen = {f"{PACKAGE}.training.datasets.galaxy_pixels"}  # the type, which names the quantities
    while waiting:
        name = waiting.pop()
        if name not in seen and name != PACKAGE:
            seen.add(name)
            waiting += neighbours(name)
    shared = {name for name in seen if name.split(".")[1] in ("mocks", "sed")}
    assert not shared


@pytest.fixture
def templates():
    """Populations that shine evenly over all bins and fade with age, in a first band that counts
    all their light; dust that shines in the last one alone.
    """
    age = np.concatenate([[0.0], np.geomspace(1e6, 2e10, 40)])
    metals = np.array([0.0001, 0.004, 0.02, 0.05])
    light = np.ones((4, len(age), populations.N_BINS)) / (1 + age[:, None] / 1e8)
    none, whole = np.zeros((4, len(age))), np.ones((4, len(age)))
    response = np.zeros((populations.N_BINS, len(painting.BANDS)))
    response[:, 0] = 1
    response[:, 1:] = 1e-3
    known = populations.Populations(age, metals, light, none, none, light.sum(axis=-1), whole * 0.8)
    fields, pah = np.array([0.1, 1.0, 25.0]), np.array([0.5, 4.5])
    shine = np.zeros((2, 3, 2, len(painting.BANDS) + 1), np.float32)
    shine[..., -2:] = 1.0
    grid = np.ones((len(themis_fit.HOT_SHARES), 2, 3))
    fit = themis_fit.ThemisFit(np.log10(fields), pah, -2 * grid, 20 * grid)
    return painting.Templates(known, response, dust_emission.DustSpectra(fields, pah, shine), fit)


def galaxy(templates, kind="disc", **changed):
    drawn = replace(traits.draw_traits(kind, np.random.default_rng(5)), **changed)
    return make_other_pixels.make_model(drawn, templates, None, 7)


@pytest.mark.parametrize("geometry", [SLAB, MIXED], ids=["slab", "mixed"])
def test_what_dust_takes_it_emits(templates, geometry):
    model = galaxy(templates, geometry=geometry)
    planes, _ = model.paint(seeing.make_grid((0.0, 0.0), 64, 0.5, 1))
    seen = planes[0].sum() / MJY_SR_PER_LSUN_HZ_KPC2
    star, dust = (planes[painting.PLANES.index(name)].sum() for name in ("L_STAR", "L_DUST"))
    assert 0.05 < dust / star < 0.95
    assert seen + dust == pytest.approx(star, rel=1e-4)
    emitted = planes[painting.PLANES.index(painting.SHOWN_BY)].sum() / MJY_SR_PER_LSUN_HZ_KPC2
    assert emitted == pytest.approx(dust, rel=1e-4)
    mass = planes[painting.PLANES.index("M_DUST")].sum()
    assert mass == pytest.approx(0.01 * dust, rel=1e-4)


def test_layers_in_the_plane_take_the_mean_over_all_directions():
    from scipy.integrate import quad

    flat = replace(MIXED, flat=True)
    for tau in (0.01, 0.5, 5.0):
        mean, _ = quad(lambda mu, tau=tau: float(flat.seen(np.array(tau / mu))), 1e-9, 1)
        slanted = np.array(tau / 0.4)
        assert float(flat.leaving(slanted, 0.4)) == pytest.approx(mean, abs=3e-3)
        assert float(MIXED.leaving(slanted, 0.4)) == float(MIXED.seen(slanted))
    thin = 1 - flat.leaving(np.array([1e-8, 1e-7]), 1.0)
    assert 8 < thin[1] / thin[0] < 10.5  # what takes next to nothing takes in proportion


def test_geometries_have_their_limits():
    thin, thick = np.array(1e-6), np.array(200.0)
    assert attenuation.slab(thin) == pytest.approx(1 - 0.5e-6, abs=1e-9)
    assert attenuation.slab(thick) == pytest.approx(1 / 200)
    assert attenuation.clumpy_screen(thin) == pytest.approx(np.exp(-1e-6), abs=1e-9)
    assert attenuation.clumpy_screen(thick) == pytest.approx(np.exp(-attenuation.CLUMPS))
    assert attenuation.sheet(thick) == pytest.approx(0.5)


def test_curves_are_one_at_v_and_bumps_stand_where_they_should():
    at = np.array([0.15, 0.2175, attenuation.V_UM, 1.25, 3.4])
    plain, bumped = (attenuation.modified_calzetti(at, 0.0, b) for b in (0.0, 3.0))
    assert plain[2] == pytest.approx(1, abs=0.01)
    assert bumped[1] - plain[1] == pytest.approx(3 / 4.05)
    assert plain[0] == pytest.approx(10.33 / 4.05, rel=0.01)  # Calzetti+ 2000, eq. 4
    assert attenuation.modified_calzetti(at, -0.5, 0.0)[0] > plain[0]
    cloud = attenuation.small_magellanic(at)
    assert cloud[2] == pytest.approx(1, abs=0.01) and cloud[0] > plain[0]
    wide = attenuation.small_magellanic(populations.MIDDLES_UM)
    assert np.all(np.diff(wide) < 0)


def test_light_that_goes_some_way_is_not_lost():
    rng = np.random.default_rng(1)
    light, takes = rng.random((2, 40, 40))
    takes[:, 20:] = light[:, 20:] = 0
    spread = painting.spread(light, takes, 3.0)
    assert spread.sum() == pytest.approx(light.sum())
    assert spread[:, 22:].max() < 1e-6


def test_pixels_are_means_after_the_blur():
    fine, n = 4, 15
    plane = np.zeros((n * fine, n * fine))
    plane[28:32, 28:32] = 1.0
    pixels = seeing.on_pixels(np.stack([plane, np.ones_like(plane)]), fine)
    assert pixels.shape == (2, n - 2 * seeing.MARGIN, n - 2 * seeing.MARGIN)
    assert pixels[0].sum() * fine**2 == pytest.approx(plane.sum(), rel=1e-3)
    assert pixels[0].max() < 0.25
    np.testing.assert_allclose(pixels[1], 1)


def test_histories_form_all_their_mass_and_later_ones_are_younger():
    age = np.concatenate([[0.0], np.geomspace(1e5, 2e10, 120)])
    found = histories.double_power_law(age, 10.0, 2.0, 1.0)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(found.weights @ age / 1e9, found.age_gyr, rtol=0.05)
    assert np.all(np.diff(found.age_gyr) < 0) and np.all(np.diff(found.log_rate) > 0)
    assert found.of_age(found.age_gyr[3]) == pytest.approx(3)
    even = histories.constant(age, 0.01, 0.2)
    assert even.sum() == pytest.approx(1) and even @ age == pytest.approx(0.105e9, rel=0.05)


def test_profiles_hold_all_the_mass():
    step = 0.1
    at = (np.arange(1000) - 499.5) * step
    radius = np.hypot(*np.meshgrid(at, at))
    for profile in (
        patterns.sersic(radius, 4.0, 1.0),
        patterns.broken_disc(radius, 2.0, 2.5, 0.5),
        patterns.broken_disc(radius, 2.0, 2.5, 1.6),
        patterns.ring(radius, 6.0, 0.8),
    ):
        assert profile.sum() * step**2 == pytest.approx(1, abs=0.01)
    half = patterns.sersic(radius, 4.0, 4.0)[radius < 4.0].sum() * step**2
    assert half == pytest.approx(0.5, abs=0.02)


def test_a_pattern_is_the_same_whatever_part_of_it_is_looked_at(templates):
    shape = galaxy(templates, "density wave").shape
    assert isinstance(shape, DrawnShape)
    x, y = np.meshgrid(np.linspace(-8, 8, 33), np.linspace(-8, 8, 33))
    whole, part = shape.at(x, y), shape.at(x[5:9, 20:30], y[5:9, 20:30])
    np.testing.assert_allclose(part.young, whole.young[5:9, 20:30])
    np.testing.assert_allclose(part.dust, whole.dust[5:9, 20:30])


def test_the_field_is_luminosity_over_mass_within_the_table():
    fields = np.array([0.1, 25.0])
    mass = np.full(4, 2.0)
    light = dust_emission.LSUN_PER_MSUN * mass * np.array([1e-3, 0.5, 3.0, 1e3])
    none = np.zeros(4)
    found = dust_emission.field_of(light, none, mass, fields)
    np.testing.assert_allclose(found, [0.1, 0.5, 3.0, 25.0])
    with_hot = dust_emission.field_of(light, light, mass, fields)
    assert np.all(with_hot[1:3] > found[1:3])  # the power law's dust is no longer in the field


def test_a_fit_finds_the_dust_that_shone():
    """Black bodies times frequency squared, in five bands."""
    field = np.geomspace(0.1, 80, 60)
    micron = np.array([70.0, 100.0, 160.0, 250.0, 500.0])
    kelvin = 18.3 * field ** (1 / 5.79)
    library = micron**-5.0 / np.expm1(14387.8 / micron / kelvin[:, None])
    mass, found = themis_fit.fitted(3.0 * library[30], library, field)
    assert mass == pytest.approx(3.0, rel=0.05) and found == pytest.approx(kelvin[30], rel=0.02)


def test_lines_take_no_more_than_the_stars_give():
    ionising, photons = np.array([1e6, 1e6]), np.full(2, 1e6 * 3.828e33 / 3.3e-11)
    lines, taken = painting.nebular(ionising, photons, np.array([8.8, 8.2]))
    assert np.all(lines.sum(axis=1) + taken <= ionising)
    assert lines[1].sum() > lines[0].sum()  # poorer gas has the brighter oxygen


def test_truth_is_salpeters_and_blank_without_dust():
    planes = np.ones((len(painting.PLANES), 3))
    planes[-5:, 1] = 1e9, 1e9, 1e8, 1e5, 2e6
    planes[len(painting.BANDS), 2] = 1e-5  # 250 micron shows nothing
    planes[-2, 0] = 1e-3
    truth = make_other_pixels.truth_of(planes, peak=1e5)
    np.testing.assert_allclose(truth[1], [-1, -4.24, 20, 9, 9.24, 8, 5], atol=1e-9)
    for row in (0, 2):
        np.testing.assert_array_equal(np.isnan(truth[row]), [1, 1, 1, 0, 0, 1, 1])


def test_cameras_tell_the_noise_that_they_have():
    rng = np.random.default_rng(3)
    camera = replace(seeing.draw_camera(rng), level=np.zeros(14), slope=np.zeros((14, 2)))
    light = np.zeros((14, 4000))
    seen, errors = seeing.take(camera, light, np.zeros((2, 4000)), 9.0, rng)
    np.testing.assert_allclose(seen.std(axis=1), 2 * camera.noise, rtol=0.05)
    np.testing.assert_allclose(np.median(errors, axis=1), 2 * camera.noise, rtol=0.05)
    bright, errors = seeing.take(camera, light + 1e6, np.zeros((2, 4000)), 9.0, rng)
    np.testing.assert_allclose(errors / bright, camera.calibration[:, None] * np.ones(4000), 1e-3)


def test_pixels_lie_in_reach_and_seeds_repeat(templates, monkeypatch):
    monkeypatch.setattr(make_other_pixels, "SCALES_PC", (1000.0,))
    model = galaxy(templates, "irregular")
    first, again, other = (
        make_other_pixels.pixels_of(model, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert not np.array_equal(first.values[:, :50], other.values[:, :50])
    assert first.kinds == ("irregular",) and first.bands == painting.BANDS
    assert first.radius.max() < make_other_pixels.REACH
    sides, counts = np.unique(first.scale_pc, return_counts=True)
    assert len(sides) >= 2 and counts.max() <= make_other_pixels.N_PIXELS


def test_views_keep_their_mass_however_they_are_turned(templates):
    y, x = np.indices((81, 81)) - 40.0
    mass = 1e8 * np.exp(-np.hypot(x + y, 2 * (x - y)) / 12)
    view = simulated.View(mass, 0.02 * mass, mass * 6 / 1e6, 0.5)
    drawn = traits.draw_traits("simulated", np.random.default_rng(2))
    model = make_other_pixels.make_model(drawn, templates, view, 3)
    assert model.traits.axis_ratio == pytest.approx(0.5, abs=0.06)
    grid = seeing.make_grid((0.0, 0.0), 240, 0.25, 1)
    layout = model.shape.at(grid.x, grid.y)
    assert layout.old.sum() * grid.step**2 == pytest.approx(10**drawn.log_mass, rel=0.02)
    # the major axis lies along x
    assert (layout.old * grid.x**2).sum() > 2 * (layout.old * grid.y**2).sum()


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"bc03_lr_chabrier_ssp\.npz is missing"):
        populations.read_populations(tmp_path)
    with pytest.raises(InputError, match=r"dust_emission_themis_dl07\.npz is missing"):
        dust_emission.read_table(tmp_path, "dl07")
    with pytest.raises(InputError, match="simulated/"):
        simulated.read_views(tmp_path)


def test_the_command_says_what_is_missing_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        make_other_pixels.main(["--data", str(tmp_path), "--out", str(tmp_path / "out.npz")])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "bc03_lr_chabrier_ssp.npz is missing" in said
    assert not (tmp_path / "out.npz").exists()


def test_relations_meet_what_is_known():
    assert relations.main_sequence(10.0) == pytest.approx(-0.04)
    assert relations.gas_oxygen(8.901) == pytest.approx(8.798 - np.log10(2))
    assert np.log10(relations.dust_to_gas(8.7)) == pytest.approx(-2.0, abs=0.01)


@pytest.mark.realdata
def test_populations_have_the_colours_of_old_stars(shared_data):
    """10 Gyr at solar metallicity: u-g 1.79, g-r 0.83, r-i 0.35, and 0.515 of the mass."""
    pytest.importorskip("sedpy")
    known = populations.read_populations(shared_data / "templates")
    old = int(np.argmin(np.abs(known.age_yr - 1e10)))
    bands = [f"SDSS_{name}" for name in "ugri"]
    magnitudes = -2.5 * np.log10(known.light[4, old] @ populations.band_response(bands))
    np.testing.assert_allclose(-np.diff(magnitudes), [1.79, 0.83, 0.35], atol=0.02)
    assert known.surviving[4, old] == pytest.approx(0.515, abs=0.003)
    assert known.bolometric[4, old] == pytest.approx(known.light[4, old].sum(), rel=0.01)


@pytest.mark.realdata
def test_a_fit_of_themis_finds_less_and_warmer_dust_than_the_constants_say(shared_data):
    """The numbers told in docs/mocks.md."""
    pytest.importorskip("sedpy")
    fit = themis_fit.fit_themis(shared_data / "templates")
    umin = 10**fit.log_field
    mass, kelvin = themis_fit.by_constants(umin)
    share = themis_fit.HOT_SHARES.index(0.1)
    inside = (umin >= 0.2) & (umin <= 20)
    less = (fit.log_mass[share, 3] - np.log10(mass * 0.9))[inside]
    warmer = (fit.kelvin[share, 3] - kelvin)[inside]
    assert np.mean(less) == pytest.approx(-0.19, abs=0.02)
    assert np.mean(warmer) == pytest.approx(2.2, abs=0.2)
