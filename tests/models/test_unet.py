"""The network: what reaches a pixel, what normalisations are fused into, what its last layer says."""

import numpy as np
import pytest
import torch

from napari_galaxy_maps.models.heads import Head
from napari_galaxy_maps.models.stellar_inputs import N_CHANNELS, encode
from napari_galaxy_maps.models.unet import HALO, PICASSO_WIDTHS, STRIDE, UNet, fuse


def test_the_published_network_has_its_number_of_parameters():
    n = sum(p.numel() for p in UNet(5, 7, PICASSO_WIDTHS, normalised=False).parameters())
    assert n == pytest.approx(28.9e6, rel=0.1)


@pytest.mark.parametrize("offset", [0, 7, 15])
def test_nothing_reaches_farther_than_the_halo(offset):
    network = UNet(1, 1, (2, 2, 2, 2, 2), normalised=False).double()
    for p in network.parameters():  # positive weights hide nothing
        torch.nn.init.uniform_(p, 0.1, 1) if p.ndim > 1 else torch.nn.init.zeros_(p)
    image = torch.rand(1, 1, 320, STRIDE, dtype=torch.float64)
    changed = image.clone()
    changed[:, :, 160 + offset] += 1e3
    with torch.inference_mode():
        rows = torch.nonzero((network(changed) - network(image)).abs().amax((0, 1, 3)))[:, 0]
    reached = max(160 + offset - int(rows.min()), int(rows.max()) - 160 - offset)
    assert 100 < reached <= HALO


def test_a_fused_network_gives_the_same_maps():
    torch.manual_seed(1)
    network = UNet(3, 4, (4, 6, 8, 8, 8), hidden=5)
    for _ in range(5):
        network(torch.randn(4, 3, 32, 32) * 2 + 1)  # so that the normalisations have something to undo
    image = torch.randn(2, 3, 64, 48)
    with torch.inference_mode():
        fused = fuse(network.eval())
        assert torch.allclose(fused(image), network(image), atol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in fused.modules())


@pytest.mark.parametrize("kind", ["gaussian", "quantised"])
def test_a_head_learns_value_and_width_of_a_distribution(kind):
    """Pixels drawn from N(0.3, 0.1): the outputs that the loss likes best say so."""
    torch.manual_seed(0)
    head = Head(kind=kind, maps=1, bins=40)
    truth = 0.3 + 0.1 * torch.randn(1, 1, 64, 64)
    outputs = torch.zeros(1, head.outputs, 1, 1, requires_grad=True)
    optimizer = torch.optim.Adam([outputs], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        head.loss(outputs.expand(-1, -1, 64, 64), truth).mean().backward()
        optimizer.step()
    value, sigma = head.read(outputs.detach())
    assert float(value) == pytest.approx(0.3, abs=0.01)
    assert float(sigma) == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize("kind", ["gaussian", "quantised"])
def test_empty_pixels_teach_nothing(kind):
    head = Head(kind=kind, maps=2)
    outputs = torch.randn(1, head.outputs, 4, 4, requires_grad=True)
    truth = torch.full((1, 2, 4, 4), torch.nan)
    truth[0, 0, 1, 1] = 0.2
    loss = head.loss(outputs, truth)
    loss.sum().backward()
    assert torch.isfinite(loss).all() and (loss != 0).sum() <= 1
    used = outputs.grad.abs().sum((0, 1))
    assert used[1, 1] > 0 and used.sum() == used[1, 1]


def test_inputs_are_logarithms_where_bright_and_linear_in_the_noise():
    sigma = torch.full((1, 5, 1, 2), 0.02)
    bright, twice = (encode(torch.full((1, 5, 1, 2), v), sigma, torch.tensor([0.02]))[0, 0, 0, 0] for v in (10.0, 20.0))
    assert float(twice - bright) * 3 == pytest.approx(np.log(2), rel=1e-3)
    up, down = (encode(torch.full((1, 5, 1, 2), v), sigma, torch.tensor([0.02]))[0, 0, 0, 0] for v in (0.01, -0.01))
    level = encode(torch.zeros(1, 5, 1, 2), sigma, torch.tensor([0.02]))[0, 0, 0, 0]
    assert float(up - level) == pytest.approx(float(level - down), rel=1e-4) and up > level


def test_what_is_missing_is_told_and_has_no_value():
    data, sigma = torch.ones(1, 5, 2, 2), torch.full((1, 5, 2, 2), 0.1)
    data[0, 0] = torch.nan
    sigma[0, 1, 0, 0] = 0.0
    channels = encode(data, sigma, torch.tensor([torch.nan]))
    assert channels.shape == (1, N_CHANNELS, 2, 2) and torch.isfinite(channels).all()
    assert (channels[0, [0, 5, 10]] == 0).all()  # value, noise, presence of u
    assert channels[0, 11, 0, 0] == 0 and channels[0, 11, 1, 1] == 1
    assert (channels[0, 15:] == 0).all()  # no redshift
