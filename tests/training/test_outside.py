"""Galaxies that the generator of mocks never made: a pixel's light is the sum over its populations,
the truth is what survives of them, sights keep light and places, a perfect model errs by nothing.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from napari_galaxy_maps.constants import MJY_SR_PER_LSUN_HZ_KPC2
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.exceptions import InputError, ModelError
from napari_galaxy_maps.models.registry import model_hash
from napari_galaxy_maps.training.datasets.band_numbers import Curve
from napari_galaxy_maps.training.other_mocks import attenuation, histories, populations, traits
from napari_galaxy_maps.training.other_mocks.layout import DrawnShape, Layout
from napari_galaxy_maps.training.other_mocks.painting import StarPainter
from napari_galaxy_maps.training.other_mocks.simulated import View
from napari_galaxy_maps.training.outside import (
    cases,
    painted_views,
    scene,
    score,
    second_recipe,
    sights,
    starlight,
    table_of_rows,
    unfinished_model,
)
from napari_galaxy_maps.training.pages import marks, page_with
from napari_galaxy_maps.training.stellar_unet.fit_files import FitSettings, save_network
from tests.test_architecture import MODULES, PACKAGE, neighbours

STAR, AGED, METALS = (starlight.PLANES.index(name) for name in ("star", "aged", "metals"))
REDSHIFT = 0.1


@pytest.fixture
def known(monkeypatch):
    """Populations of other light in each bin, and five bands that see each a fifth of the bins."""
    rng = np.random.default_rng(0)
    age = np.concatenate([[0.0], np.geomspace(1e6, 2e10, 60)])
    metals = np.array([0.0001, 0.004, 0.02, 0.05])
    light = rng.uniform(0.5, 1.5, (4, 61, populations.N_BINS)) / (1 + age[:, None] / 1e9)
    none = np.zeros((4, 61))
    surviving = np.linspace(1.0, 0.5, 61) * np.ones((4, 1))

    def response(bands, redshift=0.0):
        which = np.arange(populations.N_BINS)[:, None] * len(bands) // populations.N_BINS
        return (which == np.arange(len(bands))) * (1 - redshift)

    monkeypatch.setattr(starlight, "band_response", response)
    return populations.Populations(age, metals, light, none, none, light.sum(-1), surviving)


@pytest.fixture
def paints(known):
    return painted_views.Palette(known, REDSHIFT, 12.0)


def view(size=32):
    """An exponential disc, older and richer in metals within."""
    y, x = np.indices((size, size)) - size // 2
    radius = np.hypot(x, y)
    mass = 1e9 * np.exp(-radius / 3)
    return View(mass, mass * 0.02 * 0.97**radius, mass * (7 - radius / 20), 0.5, "illustris_12_0")


def smooth_scene(size=64, r_half=8.0):
    """A Gaussian of light, of stars of 5 Gyr and Z = 0.02."""
    y, x = np.indices((size, size)) - (size - 1) / 2
    mass = 1e8 * np.exp(-(x**2 + y**2) / (2 * r_half**2) * 2 * np.log(2))
    per_mass = [1e-8] * 5 + [0.02, 5.0, 1e-11, 1.0]
    planes = np.array(per_mass, np.float32)[:, None, None] * mass
    return scene.Scene(planes, ((size - 1) / 2,) * 2, r_half, 0.05)


def test_what_shines_shares_nothing_with_the_generator_of_mocks():
    names = ("starlight", "scene", "painted_views", "second_recipe")
    waiting = [f"{PACKAGE}.training.outside.{name}" for name in names]
    assert set(waiting) <= set(MODULES)
    found = {f"{PACKAGE}.training.datasets.galaxy_pixels"}
    while waiting:
        name = waiting.pop()
        if name not in found and name != PACKAGE:
            found.add(name)
            waiting += neighbours(name)
    assert not {name for name in found if name.split(".")[1] in ("mocks", "sed", "models")}


@pytest.mark.parametrize("passed", [1.0, "dust"])
def test_the_light_of_a_pixel_is_the_sum_over_its_populations(known, paints, passed):
    if passed == "dust":
        passed = np.linspace(0.2, 0.9, populations.N_BINS)
    weights = starlight.delayed_tau(known.age_yr, 12.0)
    row = 30
    age = weights[row] @ known.age_yr / 1e9
    made = paints.painted(weights, np.array([age]), np.array([np.log10(0.02)]), passed)[0]
    seen = (weights[row, :, None] * known.light[2] * passed).sum(0)
    fifth = np.arange(populations.N_BINS) * 5 // populations.N_BINS
    light = np.bincount(fifth, seen) * (1 - REDSHIFT) / (1 + REDSHIFT) ** 3
    assert made[:5] == pytest.approx(light * MJY_SR_PER_LSUN_HZ_KPC2, rel=1e-5)
    star = weights[row] @ known.surviving[2]
    assert made[STAR] == pytest.approx(star, rel=1e-5)
    assert made[METALS] == pytest.approx(0.02 * star, rel=1e-5)
    aged = weights[row] @ (known.surviving[2] * known.age_yr / 1e9)
    assert made[AGED] == pytest.approx(aged, rel=1e-5)


@pytest.mark.parametrize("history", painted_views.HISTORIES)
def test_the_truth_of_a_painted_view_is_its_own_surviving_mass_and_metals(paints, history):
    mine = view()
    made = painted_views.paint_view(mine, history, paints, np.random.default_rng(3))
    there = mine.mass > 1e-4 * mine.mass.max()
    assert made.plane("star")[there] == pytest.approx(mine.mass[there], rel=1e-5)
    # between the tables' metallicities there is a mixture, which has somewhat more metals
    ratio = made.plane("metals")[there] / mine.metals[there]
    assert ratio.min() > 0.99 and ratio.max() < 1.5
    age = made.plane("aged")[there] / made.plane("star")[there]
    assert age.min() > 0.2 and age.max() < 12
    assert (made.planes[:5, there] > 0).all()


def test_gradients_of_age_go_the_way_that_they_are_named(paints):
    for history, sign in (("inside-out", -1), ("outside-in", 1)):
        made = painted_views.paint_view(view(), history, paints, np.random.default_rng(3))
        age = made.plane("aged") / np.maximum(made.plane("star"), 1e-9)
        assert sign * (age[16, 24] - age[16, 16]) > 0.3


def test_a_delayed_history_has_its_mean_age_and_ends_when_it_should():
    age = np.linspace(0, 14e9, 1401)
    weights = starlight.delayed_tau(age, 12.0, n=20)
    assert weights.sum(axis=1) == pytest.approx(1)
    assert weights @ age / 1e9 == pytest.approx(np.geomspace(0.3, 11.64, 20), rel=0.01)
    ended = starlight.delayed_tau(age, 12.0, ended_gyr=2.0)
    assert ended[:, age < 1.99e9].max() == 0 and ended.min() >= 0


def test_dust_mixed_with_stars_is_the_slab_at_its_depths_and_none_where_there_is_none(paints):
    weights = starlight.single_ages(paints.populations.age_yr)
    age, log_z = np.full(3, 5.0), np.full(3, np.log10(0.02))
    curve = np.ones(populations.N_BINS)
    tau = np.array([0.0, 1.0, 20.0])
    made = painted_views.behind_slab(paints, weights, age, log_z, curve, tau)
    clear = paints.painted(weights, age, log_z)
    passed = attenuation.slab(np.array([1e-9, 1.0, 8.0]))
    assert made[:, :5] / clear[:, :5] == pytest.approx(passed[:, None] * np.ones(5), rel=1e-4)
    assert (made[:, 5:] == clear[:, 5:]).all()


def test_a_band_sees_bluer_light_of_a_redshifted_galaxy(monkeypatch):
    micron = np.linspace(0.5, 0.6, 500)
    curve = Curve(micron, np.ones(500))
    monkeypatch.setattr(populations, "filter_curve", lambda name: curve)
    flat = np.diff(populations.EDGES_UM)  # Lsun in bins of equal L_lambda
    now, then = (flat @ populations.band_response(["SDSS_g"], z) for z in (0.0, 0.5))
    assert then / now == pytest.approx(1.5**-2, rel=1e-3)  # L_nu goes with lambda^2


def test_the_second_recipe_has_the_mass_that_it_shines_with(known):
    drawn = traits.draw_traits("disc", np.random.default_rng(5))
    drawn = replace(drawn, burst=0.05, log_mass=10.0)
    found = histories.double_power_law(known.age_yr, drawn.start, drawn.falling, drawn.rising)
    response = np.ones((populations.N_BINS, 5))
    painter = StarPainter(drawn, found, known, response)
    at = np.linspace(-3, 3, 12) * drawn.size
    x, y = second_recipe.warped(*np.meshgrid(at, at), drawn.size, np.random.default_rng(1))
    assert np.hypot(x, y) == pytest.approx(np.hypot(*np.meshgrid(at, at)))
    layout = DrawnShape(drawn, found, 7).at(x, y)
    planes = second_recipe.painted(painter, layout, starlight.truth_columns(known))
    flat = Layout(**{key: value.ravel() for key, value in vars(layout).items()})
    light, _, mass, _, _ = painter.stars(flat)
    assert planes[STAR].ravel() == pytest.approx(mass, rel=1e-5)
    assert planes[0].ravel() == pytest.approx(light[:, 0], rel=1e-5)
    age, z = (planes[k] / planes[STAR] for k in (AGED, METALS))
    assert age.min() > 0 and age.max() < drawn.start + 0.5
    assert z.min() > 1e-4 and z.max() < 0.05


@pytest.mark.parametrize("r_half", [2.0, 6.0])
def test_a_sight_keeps_light_and_puts_the_galaxy_where_it_should_be(r_half):
    made = smooth_scene()
    sight = sights.Sight(65, r_half, fwhm=2.5, moffat=False, off=(-5.0, 8.0), turn=1.0)
    planes = sights.on_pixels(made, sight)
    scale = made.r_half / r_half
    assert planes.sum((1, 2)) * scale**2 == pytest.approx(made.planes.sum((1, 2)), rel=0.01)
    y, x = np.indices(planes.shape[1:]) - 32
    light = planes[0] / planes[0].sum()
    assert ((y * light).sum(), (x * light).sum()) == pytest.approx((-5, 8), abs=0.05)
    blurred = np.sqrt((((y + 5) ** 2 + (x - 8) ** 2) * light).sum() / 2)
    sigma = np.hypot(r_half / np.sqrt(2 * np.log(2)), 2.5 / 2.3548)
    assert blurred == pytest.approx(sigma, rel=0.03)


def test_the_ellipse_changes_the_grid_and_what_is_hidden_but_not_the_galaxy():
    small, large = (cases.small_sight(3.0, d25, 0.4, 1) for d25 in (0.25, 0.6))
    assert (small.size, large.size) == (47, 112)
    assert replace(small, size=0, d25=None, star=None) == replace(
        large, size=0, d25=None, star=None
    )
    made = sights.seen(smooth_scene(), small, smooth_scene())
    assert made.cube.mask.any() and made.cube.mask.shape == (47, 47)
    assert (
        made.cube.pixel_pc
        and sights.seen(smooth_scene(), replace(small, known=False)).cube.pixel_pc is None
    )


def test_a_perfect_model_errs_by_nothing_and_another_by_what_it_is_off():
    seen = sights.seen(smooth_scene(), sights.Sight(48, 6.0, fwhm=2.5))

    def model(by):
        values = {name: plane + by for name, plane in seen.truth.items() if name != "AGE_STAR"}
        values["AGE_STAR"] = seen.truth["AGE_STAR"] * 10**by
        errors = {n: np.full((48, 48), 0.15 * (5 * 2.3 if n == "AGE_STAR" else 1)) for n in values}
        flags = np.zeros((48, 48), np.int16)
        return lambda cube: PropertyMaps(values, errors, cube.wcs, flags, {})

    perfect, off = (score.score_case(seen, model(by)) for by in (0.0, 0.2))
    assert perfect.values[:, 0] == pytest.approx(0, abs=1e-6)
    assert off.values[:, 0] == pytest.approx(-0.2, abs=1e-6)
    assert perfect.values[[0, 2], 1] == pytest.approx(0.15)
    assert perfect.values[:, 2] == pytest.approx(100) and off.values[0, 2] == 0
    row = score.summary([perfect, off])
    assert row["LOG_SIGMA_STAR"]["bias"] == pytest.approx(-0.1)
    assert row["LOG_SIGMA_STAR"]["scatter"] == pytest.approx(0.2 / np.sqrt(2))
    assert (row["n"], row["LOG_SIGMA_STAR"]["n"], row["refused"]) == (2, 2, 0)


def test_rows_that_choose_settings_hold_nothing_of_what_is_kept_for_last():
    everything = cases.all_cases()
    for case in cases.chosen(everything):
        assert case.subject.galaxy != 18 and case.subject.paint not in cases.LAST_HISTORIES
    quick, more = (len(cases.chosen(everything, quick=q)) for q in (True, False))
    assert quick < 100 < more < len(everything) < 400
    assert cases.rows_of(cases.chosen(everything, quick=True)) == cases.rows_of(
        cases.chosen(everything)
    )
    assert {case.rows for case in cases.chosen(everything, ["tau"])} == {("tau",)}
    with pytest.raises(InputError, match="--last"):
        cases.chosen(everything, ["quenched"])
    with pytest.raises(InputError, match="no row 'tao'; choose among simple, tau"):
        cases.chosen(everything, ["tao"])


def numbers(**changed):
    one = {
        "n": 4,
        "bias": 0.05,
        "scatter": 0.1,
        "told": 0.1,
        "coverage68": 68.0,
        "coverage95": 95.0,
    }
    return {
        "n": 4, "refused": 0, "flagged": 0.0, "last": False,
        **{name: dict(one) for name in score.SCORED}, **changed,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changed", "words"),
    [
        ("LOG_SIGMA_STAR", {}, []),
        ("LOG_SIGMA_STAR", {"bias": -0.11, "told": 0.3}, ["mass"]),
        ("AGE_STAR", {"bias": 0.11}, ["age"]),
        ("LOG_SIGMA_ZSTAR", {"bias": np.nan}, ["metals"]),
        ("AGE_STAR", {"coverage68": 95.0}, ["68 % (age)"]),
    ],
)
def test_a_row_is_judged_by_bias_and_coverage(name, changed, words):
    row = numbers()
    row[name] |= changed
    assert table_of_rows.verdict(row) == words
    assert table_of_rows.verdict(numbers(refused=4)) == ["4 refused"]
    row[name] |= {"coverage68": 50.0, "coverage95": 99.0}
    assert len(table_of_rows.pooled_verdict(row)) == 2


def test_the_command_writes_numbers_and_table_and_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    shown = sights.seen(smooth_scene(), sights.Sight(48, 6.0, fwhm=2.5))

    class Studio:
        def __init__(self, data):
            pass

        def seen(self, case):
            return shown

    def refuse(cube):
        raise ModelError("Too small.")

    monkeypatch.setattr(score, "Studio", Studio)
    monkeypatch.setattr(score, "predictor", lambda model, device, members: refuse)
    page = tmp_path / "page.md"
    start, end = marks(table_of_rows.MARK)
    page.write_text(f"before\n\n{start}\n\noutdated\n\n{end}\n\nafter\n")
    given = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--docs", str(page)]
    assert score.main([*given, "--rows", "tau"]) == 0
    written = json.loads((tmp_path / "out" / "outside.json").read_text())
    assert written["rows"]["tau"]["refused"] == written["rows"]["tau"]["n"] == 8
    assert written["rows"]["tau"]["AGE_STAR"]["bias"] is None
    text = page.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "outdated" not in text
    assert "8 refused" in text and "Refused: Too small." in text and "PICASSO" in text
    page.write_text("nothing")
    assert score.main([*given, "--rows", "tau"]) == 2
    assert score.main(["--data", str(tmp_path), "--out", str(page)]) == 2
    said = capsys.readouterr().err
    assert "has no lines <!-- outside" in said and page.read_text() == "nothing"


def test_a_fit_that_goes_on_is_scored_as_it_is(tmp_path):
    settings = FitSettings(widths=(4, 4, 4, 4, 4), hidden=4)
    save_network(tmp_path / "best.safetensors", settings.make_network())
    (tmp_path / "settings.json").write_text(json.dumps(asdict(settings)))
    seen = sights.seen(smooth_scene(), sights.Sight(48, 6.0, fwhm=2.5))
    with unfinished_model.model_of(str(tmp_path)) as name:
        found = score.score_case(seen, score.predictor(name, "cpu"))
    assert np.isfinite(found.values).all() and found.flagged == 0
    assert not Path(name).exists()
    (tmp_path / "settings.json").write_text(json.dumps(asdict(replace(settings, hidden=8))))
    with (
        pytest.raises(InputError, match="no weights of such a network"),
        unfinished_model.model_of(str(tmp_path)),
    ):
        pass
    with unfinished_model.model_of("stellar-unet") as name:
        assert name == "stellar-unet"


def test_the_table_of_the_docs_is_of_the_weights_that_ship():
    page = Path(__file__).parents[2] / "docs" / "stellar-maps.md"
    assert f"weights {model_hash('stellar-unet')[:12]}" in page_with(page, table_of_rows.MARK)


def test_a_folder_without_templates_is_named(tmp_path):
    with pytest.raises(InputError, match=r"bc03_lr_chabrier_ssp\.npz is missing"):
        cases.Studio(tmp_path)
