"""The card of stellar-unet says how it was trained so that it can be done again, and marks what is
not calibrated.

Of `training.stellar_unet.stellar_card`, `training.stellar_unet.stellar_report` and
`training.stellar_unet.stellar_scoring`.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.measure.compare.stellar_scores import radius_in_r_half
from napari_galaxy_maps.models.registry import load_card
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES
from napari_galaxy_maps.models.stellar_unet.shown_cube import redshift_of
from napari_galaxy_maps.progress import Progress, run_to_end
from napari_galaxy_maps.training.datasets.mock_cubes import true_maps
from napari_galaxy_maps.training.datasets.mock_set import make_set_steps
from napari_galaxy_maps.training.stellar_unet.fit_files import FitSettings
from napari_galaxy_maps.training.stellar_unet.stellar_card import base_card, coverage_rows
from napari_galaxy_maps.training.stellar_unet.stellar_report import STAGES, describe_stages
from napari_galaxy_maps.training.stellar_unet.stellar_scoring import score_steps


def test_the_stages_of_a_training_are_told_with_commands_that_go_on_from_each_other():
    stages = ((0, 100, 300, 30), (20, 200, 600, 50), (40, 400, 600, 50))
    told = describe_stages(stages, started="", begun_with="")
    assert "100 and 50, 200 and 100 from batch 20 on, 400 and 200 from batch 40 on" in told
    assert "300 and 100, 600 and 200 from batch 20 on" in told
    assert "--out FOLDER --mocks 100 --painted 300 --steps 30, stopped after batch 20; " in told
    assert (
        "--out FOLDER --resume --mocks 200 --painted 600 --steps 50, stopped after batch 40; "
        in told
    )
    assert told.endswith("--out FOLDER --resume --mocks 400 --painted 600 --steps 50.")
    told = describe_stages(stages[:1], started="--start NAME", begun_with="It began with NAME.")
    assert told.endswith("--steps 30 --start NAME. It began with NAME.")


def test_stages_rise_as_a_resumed_training_may():
    after, mocks, painted, batches = zip(*STAGES, strict=True)
    assert after[0] == 0 and list(after) == sorted(after) and after[-1] < batches[-1]
    assert all(list(numbers) == sorted(numbers) for numbers in (mocks, painted, batches))


def test_the_card_that_ships_holds_what_it_was_made_for():
    """On mocks, sums of mass, metals and ages a tenth of a dex in bias, and errors that are never
    too small in any case; on painted images, errors that hold.
    """
    tables = {table.title: table for table in load_card("stellar-unet").tables}
    sums = [
        dict(zip(tables["Sums inside 2 R_half"].head, row, strict=True))
        for row in tables["Sums inside 2 R_half"].rows
    ]
    assert [row["property"] for row in sums] == list(STELLAR_PROPERTIES)
    assert all(abs(float(row["bias"].split()[0])) < 0.1 for row in sums[:3])
    cells = [
        cell.replace("*", "").split(", ")
        for title in ("Coverage by bands", "Coverage by image size")
        for row in tables[title].rows
        for cell in row[2:]
    ]
    assert len(cells) == 56
    assert all(float(one) > 65 and float(nearly_all) > 92 for one, nearly_all in cells)
    for cell in tables["Painted images"].rows[0][2:5]:  # star formation has long tails
        bias, _, _, inside = cell.removesuffix(" %").split(", ")
        assert abs(float(bias)) < 0.1 and 62 < float(inside) < 76


def test_the_card_is_trusted_as_far_as_training_reached():
    train = SimpleNamespace(table={"redshift": np.array([0.02, np.nan, 0.437])})
    doubts = base_card(FitSettings(), "mocks", "small", train).do_not_trust
    assert [text for text in doubts if text.startswith("Beyond redshift 0.44, the farthest")]


def test_coverage_that_is_more_than_three_points_off_is_marked():
    pixels = {name: {"coverage68": 68.0, "coverage95": 95.0} for name in STELLAR_PROPERTIES}
    pixels["LOG_SIGMA_SFR"] = {"coverage68": 71.04, "coverage95": 92.02}
    pixels["LOG_SIGMA_HI"] = {"coverage68": 64.9, "coverage95": 91.9}
    table = coverage_rows(
        "Coverage", [("gri", SimpleNamespace(pixels=pixels, inside=lambda name: {"n": 12.0}))]
    )
    cells = dict(zip(table.head, table.rows[0], strict=True))
    assert cells["case"] == "gri" and cells["n"] == "12" and cells["LOG_SIGMA_STAR"] == "68.0, 95.0"
    assert cells["LOG_SIGMA_SFR"] == "71.0*, 92.0" and cells["LOG_SIGMA_HI"] == "64.9*, 91.9*"


def test_a_score_without_the_redshift_hides_it_from_the_model(tmp_path):
    """A model that knows the truth where it is told a redshift, and else has half of the mass."""
    mocks = run_to_end(make_set_steps(tmp_path, range(30_950_000, 30_950_002), 24, "sdss"))
    rows = iter(2 * [*range(len(mocks))])

    def predict_steps(cube, device):
        yield Progress("model", 1, 1, "")
        values = true_maps(mocks, next(rows))
        if np.isnan(redshift_of(cube)):
            values["LOG_SIGMA_STAR"] -= np.log10(2)
        errors = {name: np.full(cube.shape, 0.1) for name in values}
        return PropertyMaps(values, errors, cube.wcs, cube.flags)

    model = SimpleNamespace(predict_steps=predict_steps)
    radii = [radius_in_r_half(true_maps(mocks, row), isophotes=False) for row in range(len(mocks))]
    for redshift, bias in ((True, 0.0), (False, np.log10(2))):
        scores = run_to_end(score_steps(model, mocks, radii=radii, redshift=redshift))
        assert scores.inside("LOG_SIGMA_STAR")["bias"] == pytest.approx(bias, abs=1e-6)
        assert scores.inside("LOG_SIGMA_SFR")["bias"] == pytest.approx(0, abs=1e-6)
