"""What stellar-unet was trained on: distances by hand, blocks as the network's coarsest level has
them, flags and remarks of a model with a domain, and of one without.

Of `models.stellar_unet.domain` and `models.stellar_unet.library`.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.models.stellar_unet.domain import (
    ASPECTS,
    BLOCK,
    BRIGHTNESS,
    COLOURS,
    LOOK,
    Cloud,
    Domain,
    Verdict,
    block_means,
    vectors_of_blocks,
)
from napari_galaxy_maps.models.stellar_unet.inputs import N_LEVELS, UGRIZ, band_set, encode
from napari_galaxy_maps.models.stellar_unet.library import Library
from napari_galaxy_maps.models.stellar_unet.model import StellarUNet
from napari_galaxy_maps.progress import run_to_end

from .test_stellar_unet import cube_of


@pytest.fixture(scope="module")
def unet():
    """The shipped network without a domain."""
    return replace(load_model("stellar-unet"), domain=None)


@pytest.fixture(scope="module")
def cube():
    """A mock galaxy of 64 x 64 pixels."""
    return cube_of(make_mock(30_900_002, View(size=64)))


def around(vectors, limit):
    """A cloud that knows these vectors, in their own units."""
    n = vectors.shape[1]
    mean = np.nan_to_num(np.nanmean(vectors, axis=0))
    points = np.nan_to_num(vectors - mean).astype(np.float16)
    return Cloud(mean, np.eye(n, dtype=np.float32), points, np.full(32, limit, np.float32))


@pytest.fixture(scope="module")
def judge(unet, cube):
    """The network with a domain that knows one galaxy alone."""
    whole, blocks = unet.vectors(cube), unet.block_vectors(cube)
    wholes = {name: around(whole[name][None], 0.05) for name in ASPECTS}
    parts = {name: around(blocks[name], 0.05) for name in (BRIGHTNESS, COLOURS)}
    return replace(unet, domain=Domain(wholes, parts, share=0.01, errors=3.0))


def test_distance_is_that_to_the_nearest_point_and_what_is_not_known_moves_nothing():
    cloud = Cloud(
        np.array([1.0, 0.0]), np.diag([1.0, 0.5]), np.array([[0, 0], [4, 0]], np.float16),
        np.array([0, 1.0, 2, 3]),
    )  # fmt: skip
    far = cloud.distance(np.array([[1.0, 0.0], [1.0, 6.0], [5.0, np.nan], [2.0, 0.0]]))
    np.testing.assert_allclose(far, [0, 3 / np.sqrt(2), 0, 1 / np.sqrt(2)], atol=1e-6)
    seen = band_set(["SDSS_g", "WISE_3.4"], ["SDSS_u", "SDSS_g"])
    assert cloud.beyond(np.array([[1.0, 6.0]]), seen)[0] == pytest.approx(3 / np.sqrt(2) / 2)


def test_blocks_are_what_the_network_has_at_its_coarsest_level(cube):
    data, sigma = cube.data.copy(), cube.uncertainty.copy()
    data[:, 3:20, 30:50] = np.nan
    data[1, :, :16] = np.nan
    z = torch.tensor([0.05])
    whole = encode(torch.from_numpy(data)[None], torch.from_numpy(sigma)[None], z)[N_LEVELS - 1]
    mean, error = block_means(data, sigma)
    blocks = encode(mean[None], error[None], z)[0][0, :, : 64 // BLOCK, : 64 // BLOCK]
    torch.testing.assert_close(blocks, whole[0], rtol=1e-4, atol=1e-5)


def test_a_block_in_which_nothing_was_seen_is_not_judged(judge, cube):
    mean, error = block_means(
        np.full((5, 16, 16), np.nan, np.float32), cube.uncertainty[:, :16, :16]
    )
    coarse = encode(mean[None], error[None], torch.tensor([0.1]))[0][0].numpy()
    vectors = vectors_of_blocks(coarse[:, :1, :1], UGRIZ)
    assert np.isnan(vectors[COLOURS]).all() and not judge.domain.unlike_blocks(vectors, 31).any()


def test_a_galaxy_that_is_known_passes_and_one_in_another_unit_is_told_and_flagged(judge, cube):
    assert judge.verdict(cube).score < 0.2 and judge.remarks(cube) == []
    maps = judge.predict(cube, "cpu")
    assert float(maps.provenance["domain"].split()[0]) == pytest.approx(
        judge.verdict(cube).score, abs=0.01
    )
    odd = replace(cube, data=100 * cube.data, uncertainty=100 * cube.uncertainty)
    (remark,) = judge.remarks(odd)
    assert "unlike any that stellar-unet was trained on" in remark and "units" in remark
    assert "3.0 times as large" in remark and "99% of such" in remark
    flags = judge.predict(odd, "cpu").flags
    assert (flags & Flag.OUT_OF_DISTRIBUTION).all()
    plain = replace(judge, domain=None).predict(cube, "cpu").flags
    assert ((maps.flags ^ plain) & Flag.OUT_OF_DISTRIBUTION == 0).mean() > 0.9


def test_an_odd_patch_is_flagged_in_its_blocks_and_by_part_as_in_the_whole(judge, cube):
    data = cube.data.copy()
    data[:, 32:48, 16:32] = 5.0 * data.max()
    odd = replace(cube, data=data)
    whole = judge.predict(odd, "cpu").flags
    out = (whole & Flag.OUT_OF_DISTRIBUTION) != 0
    assert out[32:48, 16:32].all() and out.mean() < 0.5
    part = run_to_end(judge.predict_steps(odd, "cpu", where=(slice(21, 60), slice(5, 41))))
    assert (part.flags[21:60, 5:41] == whole[21:60, 5:41]).all()


def test_a_domain_survives_writing_and_weights_without_one_judge_nothing(unet, judge, cube):
    again = StellarUNet.from_bytes(judge.to_bytes(), judge.card)
    assert again.domain.errors == 3.0 and np.isnan(again.domain.doubled)
    shifted = replace(cube, data=1.5 * cube.data)
    for name, score in judge.verdict(shifted).scores.items():
        assert again.verdict(shifted).scores[name] == pytest.approx(score, rel=1e-3)
    assert StellarUNet.from_bytes(unet.to_bytes(), unet.card).domain is None
    assert unet.verdict(cube) is None and unet.remarks(cube) == []
    assert "domain" not in unet.predict(cube, "cpu").provenance


def test_what_is_all_masked_is_not_judged(judge, cube):
    assert judge.verdict(replace(cube, mask=np.ones(cube.shape, bool))) is None


def test_the_remark_names_every_odd_aspect_and_asks_for_the_worst():
    domain = Domain({}, {}, share=0.01)
    (remark,) = domain.remarks(Verdict({BRIGHTNESS: 1.2, COLOURS: 2.5, LOOK: 0.3}), "stellar-unet")
    assert all(ASPECTS[name][0] in remark for name in (BRIGHTNESS, COLOURS))
    assert ASPECTS[LOOK][0] not in remark and remark.endswith(ASPECTS[COLOURS][1])
    assert "2.5 times" in remark and "Errors" not in remark


def test_how_far_mocks_usually_are_from_each_other():
    steps = np.arange(100.0)[:, None] * np.array([[1.0, 0, 0, 0]])
    library = Library(steps, np.zeros(4), np.eye(4), *np.zeros((2, 100), int))
    assert library.usual == pytest.approx(0.5)  # 1 along one of four axes
    one = Library(steps[:1], np.zeros(4), np.eye(4), *np.zeros((2, 1), int))
    assert np.isnan(one.usual)
