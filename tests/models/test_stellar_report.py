"""The card of stellar-unet says how it was trained so that it can be done again, and marks what is not calibrated."""

from types import SimpleNamespace

from napari_galaxy_maps.models.stellar_maps import STELLAR_PROPERTIES
from napari_galaxy_maps.training.stellar_card import coverage_rows
from napari_galaxy_maps.training.stellar_report import STAGES, told_of_stages


def test_the_stages_of_a_training_are_told_with_commands_that_go_on_from_each_other():
    told = told_of_stages(((0, 100, 30), (20, 200, 50), (40, 400, 50)))
    assert "100 and 50, 200 and 100 from batch 20 on, 400 and 200 from batch 40 on" in told
    assert "--out FOLDER --mocks 100 --steps 30, stopped after batch 20; " in told
    assert "--out FOLDER --resume --mocks 200 --steps 50, stopped after batch 40; " in told
    assert told.endswith("--out FOLDER --resume --mocks 400 --steps 50.")


def test_stages_rise_as_a_resumed_training_may():
    after, mocks, batches = zip(*STAGES, strict=True)
    assert after[0] == 0 and list(after) == sorted(after) and after[-1] < batches[-1]
    assert list(mocks) == sorted(mocks) and list(batches) == sorted(batches)


def test_coverage_that_is_more_than_three_points_off_is_marked():
    pixels = {name: {"coverage68": 68.0, "coverage95": 95.0} for name in STELLAR_PROPERTIES}
    pixels["LOG_SIGMA_SFR"] = {"coverage68": 71.04, "coverage95": 92.02}
    pixels["LOG_SIGMA_HI"] = {"coverage68": 64.9, "coverage95": 91.9}
    table = coverage_rows("Coverage", [("gri", SimpleNamespace(pixels=pixels, inside=lambda name: {"n": 12.0}))])
    cells = dict(zip(table.head, table.rows[0], strict=True))
    assert cells["case"] == "gri" and cells["n"] == "12" and cells["LOG_SIGMA_STAR"] == "68.0, 95.0"
    assert cells["LOG_SIGMA_SFR"] == "71.0*, 92.0" and cells["LOG_SIGMA_HI"] == "64.9*, 91.9*"
