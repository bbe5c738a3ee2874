"""The network: what reaches a pixel, what normalisations are fused into, its last layer."""

import numpy as np
import pytest
import torch

from napari_galaxy_maps.models.stellar_unet.inputs import (
    MEAN,
    N_CHANNELS,
    N_LEVELS,
    REFERENCE,
    UGRIZ,
    channel_names,
    encode,
)
from napari_galaxy_maps.models.stellar_unet.network import HALO, PICASSO_WIDTHS, STRIDE, UNet, fuse
from napari_galaxy_maps.models.stellar_unet.output_head import Head


def levels(image):
    """An image in the pixels of each level."""
    found = [image]
    for _ in range(N_LEVELS - 1):
        found.append(torch.nn.functional.avg_pool2d(found[-1], 2))
    return found


def test_the_published_network_has_its_number_of_parameters():
    n = sum(
        p.numel() for p in UNet(5, 7, PICASSO_WIDTHS, normalised=False, pyramid=False).parameters()
    )
    assert n == pytest.approx(28.9e6, rel=0.1)


@pytest.mark.parametrize("pyramid", [True, False])
@pytest.mark.parametrize("offset", [0, 7, 15])
def test_nothing_reaches_farther_than_the_halo(offset, pyramid):
    network = UNet(1, 1, (2, 2, 2, 2, 2), normalised=False, pyramid=pyramid).double()
    for p in network.parameters():  # positive weights hide nothing
        torch.nn.init.uniform_(p, 0.1, 1) if p.ndim > 1 else torch.nn.init.zeros_(p)
    image = torch.rand(1, 1, 320, STRIDE, dtype=torch.float64)
    changed = image.clone()
    changed[:, :, 160 + offset] += 1e3
    with torch.inference_mode():
        rows = torch.nonzero(
            (network(levels(changed)) - network(levels(image))).abs().amax((0, 1, 3))
        )[:, 0]
    reached = max(160 + offset - int(rows.min()), int(rows.max()) - 160 - offset)
    assert 100 < reached <= HALO


@pytest.mark.parametrize("pyramid", [True, False])
def test_a_fused_network_gives_the_same_maps(pyramid):
    torch.manual_seed(1)
    network = UNet(3, 4, (4, 6, 8, 8, 8), hidden=5, pyramid=pyramid)
    for _ in range(5):
        network(
            levels(torch.randn(4, 3, 32, 32) * 2 + 1)
        )  # so that the normalisations have something to undo
    image = torch.randn(2, 3, 64, 48)
    with torch.inference_mode():
        fused = fuse(network.eval())
        assert torch.allclose(fused(levels(image)), network(levels(image)), atol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in fused.modules())


@pytest.mark.slow
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


def channels_of(data, sigma, redshift=0.02):
    """Channels of the finest level."""
    return encode(data, sigma, torch.tensor([redshift]))[0]


def test_inputs_are_logarithms_where_bright_and_linear_in_the_noise():
    sigma = torch.full((1, 5, 16, 16), 0.02)
    bright, twice = (
        channels_of(torch.full((1, 5, 16, 16), v), sigma)[0, 0, 0, 0] for v in (10.0, 20.0)
    )
    assert float(twice - bright) * 3 == pytest.approx(np.log(2), rel=1e-3)
    up, down, level = (
        channels_of(torch.full((1, 5, 16, 16), v), sigma)[0, 0, 0, 0] for v in (0.01, -0.01, 0.0)
    )
    assert float(up - level) == pytest.approx(float(level - down), rel=1e-4) and up > level


def test_what_is_missing_is_told_and_has_no_value():
    data, sigma = torch.ones(1, 5, 16, 16), torch.full((1, 5, 16, 16), 0.1)
    data[0, 0] = torch.nan
    sigma[0, 1, 0, 0] = 0.0
    channels = channels_of(data, sigma, torch.nan)
    assert channels.shape == (1, N_CHANNELS, 16, 16) and torch.isfinite(channels).all()
    named = dict(zip(channel_names(UGRIZ), channels[0], strict=True))
    for what in ("brightness", "noise", "pivot", "width"):
        assert (named[f"{what} SDSS_u"] == 0).all()
    assert named["pivot SDSS_g"][0, 0] == 0 < named["pivot SDSS_g"][1, 1]
    assert named["pivot SDSS_g"][1, 1] < named["pivot SDSS_z"][1, 1]
    of_u = [plane for name, plane in named.items() if name.startswith("SDSS_u")]
    assert len(of_u) == 5 and all((plane == 0).all() for plane in of_u)  # colours
    assert named["SDSS_g - SDSS_r"][0, 0] == 0 != named["SDSS_g - SDSS_r"][1, 1]
    assert (named["redshift"] == 0).all() and (named["redshift is known"] == 0).all()
    assert (named["relations"] == 1).all()


def mean_galaxy(brighter=1.0):
    """An image of the mean of the training mocks' bright pixels."""
    return (
        (0.5 * REFERENCE * torch.exp(torch.tensor(MEAN)) * brighter)[None, :, None, None]
        .expand(1, 5, 16, 16)
        .clone()
    )


def channel(channels, name):
    """The plane of a channel by its name."""
    return channels[0, channel_names(UGRIZ).index(name)]


def test_colours_are_on_a_scale_of_their_own():
    """Of a galaxy as the mean of the mocks they are 0; a tenth of a magnitude in one band is large,
    as long as it is not in the noise.
    """
    usual = mean_galaxy()
    odd = usual.clone()
    odd[:, 3] *= 10**0.04
    sharp, blurred = 1e-3 * usual, 0.3 * usual
    names = channel_names(UGRIZ)
    colours = [k for k, name in enumerate(names) if " - " in name or "beyond" in name]
    assert len(colours) == 14
    assert float(channels_of(usual, sharp)[0, colours].abs().max()) < 0.01
    change = channels_of(odd, sharp) - channels_of(usual, sharp)
    others = [k for k in range(len(names)) if k not in colours]
    assert float(change[0, others].abs().max()) < 0.04  # a hundredth of what brightness spans
    r_i, i_beyond = (
        [float(channel(planes, name)[0, 0]) for planes in (
            change, channels_of(odd, blurred) - channels_of(usual, blurred))]
        for name in ("SDSS_r - SDSS_i", "SDSS_i beyond redder bands")
    )  # fmt: skip
    assert r_i[0] == pytest.approx(-0.0921 / 0.1, rel=0.1)
    assert i_beyond[0] > 1
    assert abs(r_i[1]) < 0.2 * abs(r_i[0]) and i_beyond[1] < 0.2 * i_beyond[0]


def test_colours_need_only_the_bands_that_are_there():
    """A band beyond those that are there changes nothing, and what g is beyond r alone is another
    question than beyond r, i and z.
    """
    image = mean_galaxy(3.0)
    image[:, 1] *= 1.2
    whole = channels_of(image, 1e-3 * image)
    image[:, [0, 3, 4]] = torch.nan
    two = channels_of(image, 1e-3 * image.nan_to_num(1.0))
    g_r, beyond = "SDSS_g - SDSS_r", "SDSS_g beyond redder bands"
    assert torch.allclose(channel(two, g_r), channel(whole, g_r))
    of_two, of_all = (float(channel(planes, beyond)[0, 0]) for planes in (two, whole))
    assert of_two > 0.2 and of_all > 1.5 * of_two


def test_coarser_levels_see_what_the_noise_of_single_pixels_hides():
    rng = torch.Generator().manual_seed(0)
    image = 0.05 * mean_galaxy().repeat(1, 1, 4, 4)
    sigma = 3 * image
    data = image + sigma * torch.randn(image.shape, generator=rng)
    data[..., :20, :20] = torch.nan
    seen = encode(data, sigma, torch.tensor([0.02]))
    assert [tuple(level.shape[-2:]) for level in seen] == [
        (64, 64),
        (32, 32),
        (16, 16),
        (8, 8),
        (4, 4),
    ]
    truth = 3 * float(encode(image, 1e-3 * image, torch.tensor([0.02]))[0][0, 2, 0, 0])
    away = [
        float((3 * level[0, 2][channel(level, "pivot SDSS_r") > 0] - truth).std()) for level in seen
    ]
    assert away[4] < 0.3 < away[0]
    assert (
        float(channel(seen[4], "pivot SDSS_r")[0, 0])
        == 0
        < float(channel(seen[4], "pivot SDSS_r")[1, 1])
    )  # a block that is masked, and one in part
