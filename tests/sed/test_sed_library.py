"""The library of model spectra: star formation, attenuation, energy balance, priors, and how it is
kept on disk.
"""

import configparser
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.bands.registry import BANDS, MODEL_BANDS
from napari_galaxy_maps.data.recipe import LibrarySettings, Recipe
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.sed import imf, library
from napari_galaxy_maps.sed.attenuation import modified_starburst
from napari_galaxy_maps.sed.compose import compose, compose_spectra, spectrum_on_grid
from napari_galaxy_maps.sed.formation import age_weights, formed
from napari_galaxy_maps.sed.library import build_library, cache_folder, recipe_hash
from napari_galaxy_maps.sed.priors import PARAMETERS, PRIORS, draw, nodes
from napari_galaxy_maps.sed.tables import dust_table, spectrum_table, star_table

SMALL = LibrarySettings(n_models=300)


def one(**changes):
    """Parameters of a few like models, changed."""
    typical = {"age_myr": 9500, "tau_myr": 3900, "change_age_myr": 200, "change": 0.3,
        "metallicity": 0.02, "ebv": 0.3,
               "old_factor": 0.5, "slope": -0.2, "bump": 1.0, "qhac": 0.17, "umin": 1.0,
               "gamma": 0.01}  # fmt: skip
    arrays = {
        name: np.atleast_1d(np.asarray(value, float)) for name, value in (typical | changes).items()
    }
    n = max(map(len, arrays.values()))
    return {name: np.broadcast_to(values, n) for name, values in arrays.items()}


@pytest.fixture(scope="module")
def small():
    """The library of `SMALL`."""
    return build_library(SMALL, 0.0, cache=False)


# Star formation


def test_star_formation_is_its_integral():
    edges = np.linspace(0, 10000, 21)
    mass = formed(edges, *(np.array([x], float) for x in (9000, 2500, 300, 4)))[0]
    lookback = np.linspace(0, 9000, 900_001)
    time = 9000 - lookback
    rate = np.where(lookback > 300, time * np.exp(-time / 2500), 4 * 8700 * np.exp(-8700 / 2500))
    expected = np.histogram(lookback, edges, weights=rate)[0] / rate.sum()
    np.testing.assert_allclose(mass, expected, atol=2e-5)


@given(
    age=st.floats(100, 14000), tau=st.floats(50, 1e5), since=st.floats(1, 3000),
    change=st.floats(0, 100)
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_all_stars_are_counted_once(age, tau, since, change):
    young, old, recent = age_weights(
        star_table(), *(np.array([x]) for x in (age, tau, since, change))
    )
    assert young.sum() + old.sum() == pytest.approx(1, abs=1e-9)
    assert np.all(young >= -1e-12) and np.all(old >= -1e-12)
    assert young.sum() - 1e-9 <= recent[0] <= 1 + 1e-9


def test_young_means_younger_than_ten_megayears():
    young, _, recent = age_weights(
        star_table(), *(np.array([x], float) for x in (12000, 1e6, 200, 1))
    )
    # A rate that grows with time, t: 1 - (1 - x)^2 of it in the last fraction x, but for the
    # constant last 200 Myr.
    assert young.sum() == pytest.approx(2 * 10 / 12000, rel=0.05)
    assert recent[0] == pytest.approx(2 * 100 / 12000, rel=0.05)


# Mass functions


def test_salpeter_masses_are_what_everybody_says():
    table = star_table()
    light, surviving = imf.from_chabrier_to_salpeter(
        table.age_yr, table.metallicity, table.surviving
    )
    old, solar = -5, 4
    more = surviving[solar, old] / light[solar, old] / table.surviving[solar, old]
    assert math.log10(more) == pytest.approx(
        0.24, abs=0.02
    )  # Salpeter over Chabrier mass at the same light
    assert surviving[solar, old] == pytest.approx(0.70, abs=0.02)
    assert np.all(surviving[:, 0] == 1) and np.all((surviving > 0.6) & (surviving < 1 + 1e-3))


def test_mass_functions_hold_one_solar_mass():
    mass = np.geomspace(0.1, 100, 20001)
    for function in (imf.salpeter, imf.chabrier):
        assert np.trapezoid(function(mass) * mass, mass) == pytest.approx(1, abs=1e-4)


# Attenuation


@given(slope=st.floats(-1.2, 0.6))
@settings(max_examples=30, deadline=None)
def test_the_tilt_leaves_the_colour_excess(slope):
    blue, visual = modified_starburst(np.array([0.44, 0.55]), np.array([slope]), np.array([0.0]))[0]
    untilted = modified_starburst(np.array([0.44, 0.55]), np.array([0.0]), np.array([0.0]))[0]
    assert blue - visual == pytest.approx(untilted[0] - untilted[1], rel=1e-6)


def test_the_starburst_law_is_calzettis_and_leitherers():
    curve = modified_starburst(
        np.array([0.15, 0.55, 2.0, 4.0, 0.12]), np.array([0.0]), np.array([0.0])
    )[0]
    assert curve[:2] == pytest.approx([10.3, 4.05], abs=0.05)
    assert curve[2] > 0 and curve[3] == 0
    assert curve[4] == pytest.approx(5.472 + 0.671 / 0.12 - 9.218e-3 / 0.0144 + 2.620e-3 / 0.001728)
    bump = modified_starburst(np.array([0.2175]), np.zeros(2), np.array([0.0, 3.0]))[:, 0]
    assert bump[1] - bump[0] == pytest.approx(3)


# Energy


def test_what_is_absorbed_is_emitted_again():
    """Spectra without dust less those with it, integrated, against the dust's own; to 0.1 %."""
    parameters = one(
        ebv=[0.02, 0.1, 0.3, 1.0, 0.5], slope=[0, -0.5, 0.2, -0.3, -0.7],
        umin=[0.1, 1, 3.3, 17, 80], gamma=[0, 0.01, 0.1, 0.5, 0],
        qhac=[0.02, 0.17, 0.25, 0.4, 0.1], bump=[0, 1, 2, 3, 0],
        metallicity=[0.004, 0.02, 0.03, 0.05, 0.0004],
    )  # fmt: skip
    bare = parameters | {"ebv": np.zeros(5)}
    with_dust, without = (compose_spectra(some, 0.0, "salpeter") for some in (parameters, bare))
    absorbed = (without.star_bins - with_dust.star_bins).sum(1)
    np.testing.assert_allclose(with_dust.dust_bins.sum(1), absorbed, rtol=1e-3)
    told = compose(parameters, 0.0, "salpeter").properties["Ldust"]
    np.testing.assert_allclose(told, absorbed, rtol=1e-5)
    assert np.all(without.dust_bins == 0)
    assert np.all(compose(bare, 0.0, "salpeter").properties["A_FUV"] == 0)


@pytest.mark.realdata
def test_narrow_bins_lose_no_energy_to_the_templates_themselves(shared_data):
    """Stars of 5 Gyr and 50 Myr behind dust, at the full resolution of the templates, to 0.1 %."""
    with np.load(shared_data / "templates" / "bc03_lr_chabrier_ssp.npz") as template:
        wavelength = template["wavelength_angstrom"]
        spectra, ages = template["lsun_per_angstrom_per_msun_formed"][4], template["age_yr"]
    table = spectrum_table()
    middle = np.sqrt(table.edges_um[1:] * table.edges_um[:-1])
    for age in (5e7, 5e9):
        k = int(np.argmin(np.abs(star_table().age_yr - age)))
        near = int(np.argmin(np.abs(ages - star_table().age_yr[k])))
        for ebv, slope in ((0.1, 0.0), (0.5, -0.5)):
            passed = [
                10 ** (-0.4 * ebv * modified_starburst(x, np.array([slope]), np.array([1.0]))[0])
                for x in (middle, wavelength[wavelength >= 912] / 1e4)
            ]
            binned = (table.stars[4, k] * (1 - passed[0])).sum() / table.stars[4, k].sum()
            whole = spectra[near, wavelength >= 912]
            fine = wavelength[wavelength >= 912]
            exact = np.trapezoid(whole * (1 - passed[1]), fine) / np.trapezoid(whole, fine)
            # The table's age lies up to 3 % from a template's.
            assert binned == pytest.approx(
                exact, rel=0.01 if abs(ages[near] / star_table().age_yr[k] - 1) > 0.01 else 1e-3
            )


def test_dust_follows_its_parameters():
    made = compose(one(umin=[0.5, 5.0]), 0.0, "salpeter")
    luminosity, mass, temperature = (made.properties[name] for name in ("Ldust", "Mdust", "Tdust"))
    assert luminosity[0] == pytest.approx(luminosity[1])
    assert mass[0] / mass[1] == pytest.approx(
        10, rel=0.1
    )  # luminosity per mass goes with the field
    assert temperature[1] / temperature[0] == pytest.approx(10 ** (1 / 5.79))
    peak = [MODEL_BANDS[int(np.argmax(row))] for row in made.bands]
    assert BANDS[peak[0]].pivot > BANDS[peak[1]].pivot


def test_models_are_mixtures_of_what_the_tables_hold():
    """At a node of every table and without dust, a model is what the tables say."""
    made = compose(one(ebv=0.0, metallicity=0.008), 0.02, "chabrier")
    young, old, _ = age_weights(
        star_table(), *(np.array([float(x)]) for x in (9500, 3900, 200, 0.3))
    )
    table = star_table()
    stars = (young + old)[0] @ table.stars[1, 3]
    photons = (young + old)[0] @ table.photons[3]
    oxygen = 8.69 + math.log10(0.008 / 0.0142)
    glow = table.gas[list(table.gas_redshift).index(0.02)]
    gas = [np.interp(oxygen, table.oxygen, glow[:, k]) for k in range(len(MODEL_BANDS))]
    np.testing.assert_allclose(made.bands[0], stars + photons * np.array(gas), rtol=2e-5)


def test_a_spectrum_goes_through_its_bands():
    parameters = one(ebv=[0.05, 0.6])
    made = compose(parameters, 0.0, "salpeter")
    wavelength, light = spectrum_on_grid(compose_spectra(parameters, 0.0, "salpeter"))
    assert np.all(np.diff(wavelength) > 0) and np.all(light >= 0)
    for band in ("SDSS_r", "2MASS_H", "WISE_22", "PACS_160", "SPIRE_250"):
        k = MODEL_BANDS.index(band)
        at = [np.interp(BANDS[band].pivot, wavelength, row) for row in light]
        np.testing.assert_allclose(at, made.bands[:, k], rtol=0.15)


# Priors


def test_the_same_seed_draws_the_same_models():
    again = draw(SMALL)
    np.testing.assert_array_equal(draw(SMALL)["ebv"], again["ebv"])
    assert not np.array_equal(draw(LibrarySettings(n_models=300, seed=2))["ebv"], again["ebv"])


@pytest.mark.parametrize("prior", list(PRIORS))
def test_random_models_lie_between_the_nodes(prior):
    chosen = LibrarySettings(n_models=1000, prior=prior)
    drawn, allowed = draw(chosen), nodes(chosen)
    assert set(drawn) == set(PARAMETERS)
    for name, values in drawn.items():
        assert allowed[name][0] <= values.min() and values.max() <= allowed[name][-1], name
        # Every gap between nodes is as likely as any other.
        counts = (
            np.histogram(values, allowed[name])[0] if len(allowed[name]) > 1 else np.array([1000])
        )
        assert counts.min() > 0.7 * counts.max(), name


def test_a_small_grid_is_whole_and_a_large_one_is_sampled():
    few = LibrarySettings(
        sampling="grid", prior="dustpedia", n_models=5000, ebv=[0, 0.1], tau_myr=[500, 5000],
        age_myr=[9000], change=[1],
        old_factor=[0.5], slope=[0], qhac=[0.1, 0.2], umin=[1, 2, 4], gamma=[0],
    )  # fmt: skip
    drawn = draw(few)
    assert len({tuple(row) for row in zip(*drawn.values(), strict=True)}) == len(drawn["ebv"]) == 24
    large = draw(LibrarySettings(sampling="grid", n_models=500))
    assert len({tuple(row) for row in zip(*large.values(), strict=True)}) == 500
    assert set(large["umin"]) <= set(PRIORS["broad"]["umin"])


@pytest.mark.parametrize(
    ("name", "values"), [("umin", [0.01, 1]), ("metallicity", [1.0]), ("ebv", [-0.1, 1])]
)
def test_nodes_that_no_template_knows_are_refused(name, values):
    with pytest.raises(RecipeError, match=rf"sed\.{name}: .* is outside"):
        Recipe.from_tree({"sed": {name: values}})


def test_the_library_is_part_of_the_recipe():
    recipe = Recipe().with_values(["sed.prior=dustpedia", "sed.umin=[1.0, 10.0]"])
    assert recipe.sed.prior == "dustpedia" and recipe.sed.umin == [1.0, 10.0]
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    with pytest.raises(RecipeError, match="n_models"):
        Recipe().with_values(["sed.n_models=3"])


@pytest.mark.realdata
def test_the_dustpedia_prior_is_cigales_grid(shared_data):
    lines = (
        (shared_data / "dustpedia" / "firenet_cigale_full" / "pcigale.ini")
        .read_text()
        .replace("[[", "[")
        .replace("]]", "]")
    )
    ini = configparser.ConfigParser(strict=False, inline_comment_prefixes=("#",))
    ini.read_string("[top]\n" + "\n".join(line.strip() for line in lines.splitlines()))
    places = {
        "age_myr": ("sfhdelayedtrunc", "age"), "tau_myr": ("sfhdelayedtrunc", "tau_main"),
        "change": ("sfhdelayedtrunc", "r_sfr"),
        "change_age_myr": ("sfhdelayedtrunc", "age_trunc"), "metallicity": ("bc03", "metallicity"),
        "ebv": ("dustatt_calzleit", "E_BVs_young"),
        "old_factor": ("dustatt_calzleit", "E_BVs_old_factor"),
        "slope": ("dustatt_calzleit", "powerlaw_slope"),
        "bump": ("dustatt_calzleit", "uv_bump_amplitude"),
        "qhac": ("themis", "qhac"), "umin": ("themis", "umin"), "gamma": ("themis", "gamma"),
    }  # fmt: skip
    assert set(places) == set(PARAMETERS)
    for name, (section, key) in places.items():
        assert sorted(PRIORS["dustpedia"][name]) == sorted(
            float(x) for x in ini[section][key].split(",")
        ), name


# On disk


def test_a_library_is_kept_and_found_again(tmp_path, monkeypatch):
    made = build_library(SMALL, 0.01, cache=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"library-{recipe_hash(SMALL, 0.01)}.npz"]
    monkeypatch.setattr(library, "draw", lambda _: pytest.fail("made anew"))
    found = build_library(SMALL, 0.01, cache=tmp_path)
    for name in ("light", "properties", "parameters"):
        np.testing.assert_equal(getattr(found, name), getattr(made, name))
    assert found.bands == made.bands and found.redshift == 0.01


@pytest.mark.parametrize("damage", [b"", b"not an archive", None, "shape"])
def test_a_damaged_cache_is_made_anew(tmp_path, damage):
    made = build_library(SMALL, 0.0, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    if damage == "shape":
        with np.load(path) as arrays:
            content = {name: arrays[name] for name in arrays}
        np.savez(path, **content | {"light": content["light"][:10]})
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    again = build_library(SMALL, 0.0, cache=tmp_path)
    np.testing.assert_array_equal(again.light, made.light)
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(build_library(SMALL, 0.0, cache=tmp_path).light, made.light)


def test_the_environment_says_where_libraries_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    build_library(SMALL, 0.0)
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_a_library_that_cannot_be_kept_is_made_all_the_same(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert len(build_library(SMALL, 0.0, cache=tmp_path / "file" / "below")) == 300


def test_every_setting_of_a_model_has_its_own_hash():
    hashes = {recipe_hash(LibrarySettings(**changes), z) for z in (0.0, 0.01) for changes in (
        {}, {"seed": 2}, {"n_models": 60_000}, {"imf": "chabrier"}, {"prior": "dustpedia"},
        {"umin": [1.0]})}  # fmt: skip
    assert len(hashes) == 12
    assert recipe_hash(LibrarySettings(extra_error=0.2), 0.0) == recipe_hash(LibrarySettings(), 0.0)


# Bad input, and what a library holds


@pytest.mark.parametrize("redshift", [None, float("nan"), -0.01, 0.51, 3.0])
def test_an_absent_or_absurd_redshift_is_told(redshift):
    with pytest.raises(InputError, match="redshift"):
        build_library(SMALL, redshift, cache=False)


def test_unknown_bands_are_told(small):
    with pytest.raises(InputError, match="no band called"):
        build_library(SMALL, 0.0, ["nonsense"], cache=False)
    few = build_library(SMALL, 0.0, ["r", "W1", "SPIRE_250"], cache=False)
    assert few.bands == ("SDSS_r", "WISE_3.4", "SPIRE_250")
    np.testing.assert_array_equal(few.light, small.light[:, small.columns(few.bands)])
    with pytest.raises(InputError, match="has no SDSS_g"):
        few.columns(["SDSS_g"])


def test_all_models_shine_in_all_bands(small):
    assert small.light.shape == (300, 26) and small.light.dtype == np.float32
    assert np.all(small.light > 0) and np.all(np.isfinite(small.light))
    assert all(np.all(np.isfinite(values)) for values in small.properties.values())
    assert np.all(small.properties["SLD"] < 1)


def test_redder_with_redshift(small):
    far = build_library(SMALL, 0.1, cache=False)
    u, r = small.columns(["SDSS_u", "SDSS_r"])
    old = small.parameters["age_myr"] > 9000
    assert np.median((far.light[:, u] / far.light[:, r])[old]) < np.median(
        (small.light[:, u] / small.light[:, r])[old]
    )


def test_spectra_come_at_observed_wavelengths(small):
    far = build_library(SMALL, 0.1, cache=False)
    near_um, _ = small.spectra(np.array([3, 5]))
    far_um, light = far.spectra(np.array([3, 5]))
    np.testing.assert_allclose(far_um, near_um * 1.1)
    assert light.shape == (2, len(far_um))


def test_shipped_tables_stay_small():
    assert sum(path.stat().st_size for path in library.FOLDER.iterdir()) < 3e6
    assert dust_table().bands[-1] == "SPIRE_500"
