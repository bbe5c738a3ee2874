"""The loss of sums: nothing for the truth itself, known values for known errors, and what a mean of
logarithms lacks.
"""

import numpy as np
import pytest
import torch

from napari_galaxy_maps.measure.compare.stellar_scores import radius_in_r_half
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from napari_galaxy_maps.training.stellar_unet.sums_loss import CERTAINTY, LEAST, regions, sums_loss

SIZE = 48
UNITS = torch.tensor([t.unit for t in TARGETS.values()])[:, None, None]


def disc(axis_ratio=0.6, scale=5.0):
    """log10 of an inclined exponential disc."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return 8.5 - np.hypot(x, y / axis_ratio) / scale / np.log(10)


def truth(n=2, scatter=0.0, seed=0):
    """Scaled maps of n galaxies, all of them the disc; `scatter` in dex from pixel to pixel."""
    rng = np.random.default_rng(seed)
    maps = np.tile(disc(), (n, len(STELLAR_PROPERTIES), 1, 1))
    maps[:, STELLAR_PROPERTIES.index("AGE_STAR")] = 0.5
    maps += scatter * rng.standard_normal(maps.shape)
    return torch.from_numpy(
        np.stack([t.scaled(maps[:, k]) for k, t in enumerate(TARGETS.values())], axis=1).astype(
            "f4"
        )
    )


def test_the_truth_itself_costs_nothing():
    true = truth(scatter=0.3)
    assert float(sums_loss(true, true)) == pytest.approx(0, abs=1e-8)


def _huber(miss):
    return 0.5 * miss**2 if miss <= 1 else miss - 0.5


@pytest.mark.parametrize("name", STELLAR_PROPERTIES)
@pytest.mark.parametrize("units", [0.5, 3.0])
def test_an_offset_of_one_map_costs_what_hubers_loss_says(name, units):
    true = truth()
    k = STELLAR_PROPERTIES.index(name)
    wrong = true.clone()
    wrong[:, k] += units * LEAST[name] / UNITS[k]
    expected = sum(_huber(units * certainty) for certainty in CERTAINTY) / len(STELLAR_PROPERTIES)
    found = float(sums_loss(wrong, true))
    assert found == pytest.approx(expected, rel=0.02)


def test_the_mean_of_logarithms_is_too_low_a_sum_and_is_pulled_up():
    true, smooth = truth(scatter=0.3), truth().requires_grad_()
    loss = sums_loss(smooth, true)
    loss.backward()
    k = STELLAR_PROPERTIES.index("LOG_SIGMA_GAS")
    lacking = np.log(10) / 2 * 0.3**2  # of a log-normal distribution
    expected = sum(
        _huber(lacking / least * c) for least in LEAST.values() for c in CERTAINTY
    ) / len(LEAST)
    assert loss.item() == pytest.approx(expected, rel=0.25)
    assert (smooth.grad[:, k] <= 0).all() and (smooth.grad[:, k] < 0).any(), (
        "a step down the gradient raises the map"
    )


def test_inside_is_the_ellipse_of_two_half_radii():
    log_mass = disc()
    found, outside = (
        r.numpy().reshape(SIZE, SIZE)
        for r in regions(torch.from_numpy(log_mass * np.log(10)).float().reshape(1, -1))
    )
    away, _ = radius_in_r_half({"LOG_SIGMA_STAR": log_mass}, isophotes=False)
    wanted = away < 2
    assert (found == wanted).mean() > 0.97 and not (found & outside).any() and outside.any()


def test_galaxies_without_a_truth_or_without_stars_cost_nothing():
    true = truth(n=3)
    mass = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")
    true[0, mass] = torch.nan
    true[1, STELLAR_PROPERTIES.index("LOG_SIGMA_SFR")] = torch.nan
    wrong = (true.nan_to_num(0.0) + 0.1).requires_grad_()
    loss = sums_loss(wrong, true)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(wrong.grad).all()
    assert (
        not wrong.grad[0].any()
        and not wrong.grad[1, STELLAR_PROPERTIES.index("LOG_SIGMA_SFR")].any()
    )
    assert wrong.grad[2].flatten(1).any(1).all()
