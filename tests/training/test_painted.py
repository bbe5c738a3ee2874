"""Painted galaxies (`training.painted`, and `training.stellar_unet.painted_tables`, which scores on
them): `painted.structures`, `painted.histories`,
`painted.traits`, `painted.light`, `painted.painting`, `painted.frames`, `painted.painted_set`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_galaxy_maps.constants import MJY_SR_PER_LSUN_HZ_KPC2
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed import tables
from napari_galaxy_maps.training.datasets.image_truth_pairs import Pairs
from napari_galaxy_maps.training.datasets.mock_cubes import binned_pairs, radius_of
from napari_galaxy_maps.training.painted import frames, histories, light, painted_set, painting
from napari_galaxy_maps.training.painted.structures import (
    PLANES,
    SIDE,
    Structures,
    make_structure,
    make_structures,
)
from napari_galaxy_maps.training.painted.traits import LOG_METALS, draw_traits
from napari_galaxy_maps.training.stellar_unet.observing_conditions import (
    ObservingConditions,
    pixel_weights,
)


@pytest.fixture(scope="module")
def shapes() -> Structures:
    made = [make_structure(70_000_000 + k) for k in range(3)]
    return Structures(
        np.stack([planes for planes, _, _ in made]),
        np.array([disc for _, disc, _ in made]),
        np.array([spheroid for _, _, spheroid in made]),
    )


@pytest.fixture(scope="module")
def bank() -> painting.NoiseBank:
    return painting.NoiseBank(4)


def test_layers_of_a_shape_have_a_sum_of_one_and_no_edge(shapes):
    for planes in shapes.planes.astype(float):
        assert np.allclose(planes[:-1].mean(axis=(1, 2)), 1, atol=0.01)
        rim = np.concatenate([planes[:-1, 0], planes[:-1, -1], planes[:-1, :, 0]], axis=1)
        assert np.all(rim.max(1) < 0.02 * planes[:-1].max(axis=(1, 2)))
    assert len(PLANES) == shapes.planes.shape[1]


@pytest.mark.parametrize("usual", [False, True])
def test_histories_sum_to_one_and_begin_after_the_universe(usual):
    middle, _, _ = histories.age_grid()
    mean = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        traits = draw_traits(rng, usual, 8.6, None)
        assert np.allclose(traits.histories.sum(1), 1)
        assert np.all(traits.histories[:, middle > 8.7] == 0)
        assert np.all((traits.metals >= LOG_METALS[0]) & (traits.metals <= LOG_METALS[1]))
        mean.append(traits.histories[0] @ middle)
    assert np.std(mean) > 0.7, "galaxies of one age teach nothing of ages"


def test_old_starts_and_the_suns_metals_are_usual_and_neither_is_all():
    """The prior by which broad bands are read: none of its modes may be rare."""
    drawn = [draw_traits(np.random.default_rng(seed), False, 13.5) for seed in range(400)]
    middle, _, _ = histories.age_grid()
    begun = np.array([middle[np.flatnonzero(t.histories[0] > 1e-4)[-1]] for t in drawn])
    metals = np.array([t.metals[0] for t in drawn])
    assert 0.35 < np.mean(begun > 9.5) < 0.7 and np.mean(begun < 4) > 0.15
    assert 0.45 < np.mean(np.abs(metals) < 0.3) < 0.75 and np.mean(metals < -1) > 0.1
    assert 0.2 < np.mean([t.tau == 0 for t in drawn]) < 0.4
    assert 0.15 < np.mean([t.leak == 1 for t in drawn]) < 0.35


def test_images_of_a_batch_are_turned_each_in_its_own_way_and_truths_with_them():
    seen = ObservingConditions(
        noise=(-9, -9), calibration=0.0, masked=0.0, binned=0.0, subsets=(("ugriz", 1.0),)
    )
    image = torch.zeros(1, 5, 16, 16)
    image[..., 2, 5] = 1.0
    truth = torch.full((1, 7, 16, 16), torch.nan)
    truth[..., 2, 5] = 0.1
    n = 64
    found = seen.observe(
        image.repeat(n, 1, 1, 1), truth.repeat(n, 1, 1, 1), torch.ones(n), torch.zeros(n),
        torch.Generator().manual_seed(0),
    )  # fmt: skip
    light = found.data[:, 2].flatten(1).argmax(1)
    true = torch.isfinite(found.truth[:, 0]).flatten(1).float().argmax(1)
    assert torch.equal(light, true)
    assert len(light.unique()) == 8


def _one_population(age_gyr: float, seed: int = 0):
    """Traits of a galaxy without dust whose stars all have one age and the Sun's metals."""
    traits = draw_traits(np.random.default_rng(seed), False, 13.5, 10.0)
    middle, _, _ = histories.age_grid()
    history = np.zeros_like(traits.histories)
    history[:, int(np.argmin(np.abs(middle - age_gyr)))] = 1
    return replace(
        traits, histories=history, metals=np.zeros(3), gradient=0.0, unrest=0.0, tau=0.0,
        spheroid=0.3,
    )  # fmt: skip


@pytest.mark.parametrize("age", [0.5, 8.0])
def test_light_and_mass_are_those_of_the_population_whatever_the_shape(shapes, bank, age):
    traits = _one_population(age)
    placed = painting.Placed(60.0, 60.0, 0.9, 0.4, False)
    window = (slice(0, 121), slice(0, 121))
    planes = painting.paint(
        shapes, 1, traits, placed, window, 0.05, light.Synthesis(), bank, np.random.default_rng(0)
    ).numpy()
    pixel = traits.r_half / painting.half_radius(shapes, 1, 0.3) / placed.zoom
    mass = planes[light.N_BANDS].sum() * pixel**2
    assert np.log10(mass) == pytest.approx(10.0, abs=0.01)
    table = tables.star_table()
    weights = histories.age_grid()[2][int(np.argmin(np.abs(histories.age_grid()[0] - age)))]
    solar = 4
    column = table.bands.index("SDSS_r")
    per_formed = (
        tables.at_redshift(table.stars, table.redshift, 0.05)[solar]
        @ np.eye(len(table.bands))[column]
    )
    expected = (weights @ per_formed) / (weights @ table.surviving[solar])
    found = planes[2].sum() / planes[light.N_BANDS].sum()
    assert found == pytest.approx(expected * MJY_SR_PER_LSUN_HZ_KPC2 / 1.05**3, rel=2e-3)
    mean_age = planes[light.N_BANDS + 2].sum() / planes[light.N_BANDS].sum()
    assert mean_age == pytest.approx(age, rel=0.1)
    metals = planes[light.N_BANDS + 1].sum() / planes[light.N_BANDS].sum()
    assert metals == pytest.approx(0.02, rel=1e-3)


def test_a_screen_of_dust_dims_every_band_by_its_curve(shapes, bank):
    clear = _one_population(5.0)
    dusty = replace(clear, tau=0.5, even=1.0, screen=1.0, before=1.0)
    placed, window = painting.Placed(60.0, 60.0, 0.9, 0.4, False), (slice(0, 121), slice(0, 121))

    def images(traits):
        return painting.paint(
            shapes, 0, traits, placed, window, 0.1, light.Synthesis(), bank,
            np.random.default_rng(0),
        ).numpy()  # fmt: skip

    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = images(dusty)[:5] / images(clear)[:5]
    expected = np.exp(-0.5 * light.curve(dusty, 0.1))
    assert np.allclose(np.nanmedian(ratio, axis=(1, 2)), expected, rtol=1e-3)


@pytest.mark.parametrize("zoom", [0.12, 0.5, 3.0])
def test_mass_is_kept_at_any_size(shapes, bank, zoom):
    traits = _one_population(5.0)
    side = int(SIDE * zoom * 1.1) + 12
    placed = painting.Placed(side / 2 + 0.3, side / 2 - 0.2, zoom, 1.0, True)
    window = placed.window(side)
    planes = painting.paint(
        shapes, 2, traits, placed, window, 0.02, light.Synthesis(), bank, np.random.default_rng(0)
    )
    pixel = traits.r_half / painting.half_radius(shapes, 2, 0.3) / zoom
    assert np.log10(float(planes[light.N_BANDS].sum()) * pixel**2) == pytest.approx(10, abs=0.02)


def test_blurring_keeps_light_and_rings_nowhere():
    planes = torch.zeros(1, 64, 64)
    planes[0, 32, 30] = 1.0
    blurred = frames.blur(planes, [1.5], 0.2)
    assert float(blurred.sum()) == pytest.approx(1, abs=1e-5)
    line = blurred[0, 32, 30:46].numpy()
    assert np.all(np.diff(line) <= 1e-7)


def test_a_set_is_made_the_same_again_and_says_what_follows_the_relations(tmp_path):
    make_structures(tmp_path / "shapes", 2)
    seeds = range(500_000_000, 500_000_006)
    made = [
        run_to_end(painted_set.make_painted_steps(tmp_path / name, seeds, 32, tmp_path / "shapes"))
        for name in ("a", "b")
    ]
    assert np.array_equal(made[0].images, made[1].images)
    assert set(np.unique(made[0].table["usual"])) <= {0.0, 1.0}
    assert np.all(np.isfinite(made[0].images)) and np.all(made[0].images > 0)
    assert made[0].truth.shape == (6, len(STELLAR_PROPERTIES), 32, 32)
    assert np.all(np.isfinite(made[0].truth[:, 0]).any(axis=(1, 2)))


def test_sky_about_a_small_galaxy_teaches_next_to_nothing():
    truth = torch.full((1, 7, 32, 32), -0.9)
    truth[..., 14:18, 14:18] = 0.5
    signal = torch.full((1, 1, 32, 32), 0.01)
    signal[..., 12:20, 12:20] = 5.0
    sky = (signal < 1).float()
    blind, seen = pixel_weights(truth), pixel_weights(truth, signal)
    assert float((blind * sky).mean()) > 0.3 > 0.1 > float((seen * sky).mean())
    assert float(seen.mean()) == pytest.approx(1)


def test_a_galaxy_drawn_by_no_relation_is_seen_with_and_without_them():
    rng = torch.Generator().manual_seed(0)
    usual = torch.tensor([True] * 20 + [False] * 60)
    images, truth = torch.ones(80, 5, 8, 8), torch.zeros(80, 7, 8, 8)
    seen = ObservingConditions().observe(
        images, truth, torch.ones(80), torch.zeros(80), rng, usual=usual
    )
    assert bool((seen.relations[:20] == 1).all())
    assert 0.3 < float(seen.relations[20:].mean()) < 0.7
    alone = ObservingConditions().observe(images, truth, torch.ones(80), torch.zeros(80), rng)
    assert bool((alone.relations == 1).all())


def test_radius_by_rank_is_that_of_a_disc_wherever_it_lies():
    y, x = np.mgrid[:64, :64]
    away = np.hypot(x - 50, y - 12)
    truth = {"LOG_SIGMA_STAR": 8 - away / 3 / np.log(10)}
    table = {"usual": np.zeros(1)}
    pairs = Pairs(np.zeros((1, 5, 64, 64)), np.zeros((1, 7, 64, 64)), table)
    radius, outline = radius_of(pairs, truth)
    assert outline["r_half"] == pytest.approx(1.678 * 3, rel=0.05)
    ring = np.abs(away - 8) < 0.5
    assert np.median(radius[ring]) == pytest.approx(8 / outline["r_half"], rel=0.1)


def test_binned_pairs_keep_light_and_mass():
    rng = np.random.default_rng(0)
    truth = rng.uniform(-0.5, 0.5, (2, 7, 16, 16)).astype(np.float16)
    table = {"usual": np.zeros(2), "pixel_arcsec": np.ones(2), "pixel_kpc": np.ones(2),
             "fwhm_pixels": np.full(2, 4.0)}  # fmt: skip
    images = rng.uniform(1, 2, (2, 5, 16, 16)).astype(np.float32)
    small = binned_pairs(Pairs(images, truth, table), 2)
    assert small.images.shape == (2, 5, 4, 4) and small.table["fwhm_pixels"][0] == 1.0
    assert np.allclose(small.images.mean(axis=(2, 3)), images.mean(axis=(2, 3)), rtol=1e-5)
    target = TARGETS["LOG_SIGMA_STAR"]
    before, after = (
        (10 ** target.value(maps[:, 0].astype(float))).mean(axis=(1, 2))
        for maps in (truth, small.truth)
    )
    assert np.allclose(before, after, rtol=0.01)
