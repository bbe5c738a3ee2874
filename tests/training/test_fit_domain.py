"""A domain is fitted to few mocks, finds what is no such galaxy, and says on the card what it
finds.

Of `training.stellar_unet.fit_domain`, `training.stellar_unet.domain_scores` and
`training.stellar_unet.disturbed_mocks`.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.models.card import CardTable
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.models.stellar_unet.domain import ASPECTS, Cloud, Domain
from napari_galaxy_maps.models.stellar_unet.shown_cube import redshift_of
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.datasets.mock_cubes import noisy_cube
from napari_galaxy_maps.training.datasets.mock_set import FIRST_SEED, make_set_steps
from napari_galaxy_maps.training.stellar_unet import domain_scores, fit_domain
from napari_galaxy_maps.training.stellar_unet.disturbed_mocks import DISTURBED
from napari_galaxy_maps.training.stellar_unet.domain_scores import TITLE, Found, errors_by_score
from napari_galaxy_maps.training.stellar_unet.fit_domain import (
    BLOCKS,
    KNOWN,
    as_trained,
    fit_domain_steps,
    main,
)


@pytest.fixture(scope="module")
def mocks(tmp_path_factory):
    """Six mocks of 32 x 32 pixels."""
    seeds = range(FIRST_SEED["test"] + 700, FIRST_SEED["test"] + 706)
    return run_to_end(make_set_steps(tmp_path_factory.mktemp("mocks"), seeds, 32))


@pytest.fixture(scope="module")
def model(mocks):
    """The shipped network with a domain of these mocks."""
    unet = load_model("stellar-unet")
    domain = run_to_end(fit_domain_steps(unet, [mocks], [mocks], known=30, held_out=24))
    return replace(unet, domain=domain)


def test_galaxies_like_those_known_pass_and_light_in_a_wrong_unit_does_not(model, mocks):
    rng = np.random.default_rng(5)
    scores = [model.verdict(as_trained(mocks, row % 6, rng)).score for row in range(12)]
    assert np.median(scores) < 1
    wrong = DISTURBED["nanomaggies as Jy"](noisy_cube(mocks, 0), rng)
    assert model.verdict(wrong).score > 2 and model.remarks(wrong)
    odd = model.domain.unlike_blocks(model.block_vectors(wrong), 31)
    assert odd.all()


def test_limits_are_those_of_the_same_bands_and_else_of_as_many():
    """Of sets of bands seen often enough; the others' galaxies do not widen them."""
    rng = np.random.default_rng(0)
    seen = np.repeat([0b01110, 0b10101, 0b11111], [200, 100, 300])
    spread = np.repeat([1.0, 5.0, 0.2], [200, 100, 300])
    cloud = Cloud(np.zeros(1), np.eye(1), np.zeros((1, 1)), np.ones(32))
    tests = {"look": spread[:, None] * rng.normal(size=(600, 1))}
    limits = fit_domain._with_limits({"look": cloud}, tests, seen)["look"].limits
    assert limits[0b01110] < 3.5 < 8 < limits[0b10101]
    assert limits[0b01110] < limits[0b00111] < limits[0b10101]
    assert limits[0b11111] < 1
    assert limits[0b00001] == limits[0b00011]


def test_the_domain_is_small(model):
    """Less than 1 MB beside the weights."""
    size = 0.0
    for key, array in model.domain.arrays("domain.").items():
        kept = KNOWN if "wholes" in key else BLOCKS
        size += array[0].nbytes * kept if key.endswith("points") else array.nbytes
    assert size < 1e6


@pytest.mark.parametrize("name", DISTURBED)
def test_what_is_wrong_is_done_to_a_cube_of_the_same_shape(mocks, name):
    cube = noisy_cube(mocks, 1)
    wrong = DISTURBED[name](cube, np.random.default_rng(0))
    assert wrong.shape == cube.shape and wrong.bands == cube.bands
    changed = not np.array_equal(wrong.data, cube.data)
    changed |= wrong.mask.any() or wrong.pixel_pc != cube.pixel_pc
    assert changed == (name != "as it is")


def test_a_higher_redshift_is_higher_by_what_it_says(mocks):
    cube = noisy_cube(mocks, 1)
    wrong = DISTURBED["redshift 0.1 too high"](cube, np.random.default_rng(0))
    assert redshift_of(wrong) - redshift_of(cube) == pytest.approx(0.1, abs=2e-3)


def test_where_errors_double_is_found():
    """Errors that grow as the score does, of 60 galaxies: twice as large at 2."""
    score = np.linspace(0.05, 4, 60)
    usual = Found({"look": np.full(5, 0.5)}, 0.0, np.full(5, 0.8))
    others = Found({"look": score}, 0.0, 0.8 * np.maximum(1, score))
    found = errors_by_score(Domain({}, {}), [usual, others])
    assert found.doubled == pytest.approx(2, abs=0.1)
    assert found.errors == pytest.approx(2.5, abs=0.2)  # median of those from 1 to 4
    none = errors_by_score(Domain({}, {}), [usual, usual])
    assert np.isnan(none.errors) and np.isnan(none.doubled)


def test_the_card_says_once_what_is_found(model, mocks, monkeypatch):
    some = ("as it is", "9 times too bright", "noise alone")
    monkeypatch.setattr(domain_scores, "DISTURBED", {name: DISTURBED[name] for name in some})
    monkeypatch.setattr(domain_scores, "WITH_TRUTH", some[:2])
    earlier = CardTable(TITLE, "", ("case",), ())
    card = replace(model.card, tables=(*model.card.tables, earlier))
    told = run_to_end(
        domain_scores.measured_steps(replace(model, card=card), mocks, galaxies=2, with_errors=1)
    )
    (table,) = (t for t in told.card.tables if t.title == TITLE)
    assert [row[0] for row in table.rows] == list(some)
    assert len(table.head) == 5 + len(ASPECTS) == len(table.rows[0])
    assert [row[-1] == "–" for row in table.rows] == [False, False, True]


def test_what_cannot_be_fitted_is_told_in_words(tmp_path, capsys):
    given = ["--sets", str(tmp_path), "--held", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["--model", "stellar-unet", *given]) == 2
    assert "holds no finished training set" in capsys.readouterr().err
    assert main(["--model", "dust-forest", *given]) == 2
    assert "is no stellar-unet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
