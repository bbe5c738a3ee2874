"""A truth fitted from the Predict panel and gaps filled from the Prepare panel, in a real window."""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.mocks.writing import mock_steps, view_for
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.jobs import fit_truth as truth
from napari_galaxy_maps.plugin.jobs import open_files as loading
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.pixel_spectra import FAR, Spectra
from napari_galaxy_maps.progress import drain
from napari_galaxy_maps.sed.truth import ORDER

from .conftest import idle, wait_for
from .test_panels import click, panel

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mock")
    drain(mock_steps(3, view_for("all", 64, 6.0), folder, "spiral", inclination=40.0))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def viewer(empty_window):
    return empty_window


@pytest.fixture
def opened(viewer, session, qtbot, mock, cache, monkeypatch):
    """All panels and the mock's images of some bands."""
    monkeypatch.setenv("GALAXY_MAPS_CACHE", str(cache))

    def open_bands(*bands):
        panels.open_all(viewer)
        loading.add_paths(session, [mock / f"{band}.fits" for band in bands])
        qtbot.wait(50)
        wait_for(qtbot, lambda: idle(session) and session.galaxy is not None, 60)
        known = read_recipe(mock / "recipe.toml").galaxy
        session.set_recipe("galaxy", **known.model_dump(exclude_none=True))
        session.set_recipe("sed", n_models=3000)
        session.set_recipe("model", device="cpu")
        loading.make_galaxy(session)
        return panel(viewer, "Predict")

    return open_bands


BANDS = ("SDSS_g", "SDSS_i", "2MASS_J", "WISE_3.4", "WISE_12", "PACS_70", "PACS_160", "SPIRE_250")


def test_a_truth_is_fitted_becomes_the_truth_and_is_saved(
    viewer, session, qtbot, opened, tmp_path, monkeypatch
):
    predict = opened(*BANDS)
    panels.raise_panel(viewer, "Predict")
    qtbot.wait(50)
    assert predict.save_truth.isHidden()
    click(qtbot, predict.fit_truth)
    assert (
        session.job is not None and session.job.title == truth.TITLE and predict.cancel.isEnabled()
    )
    wait_for(qtbot, lambda: idle(session), 120)
    maps = session.truth
    assert (
        session.truth_name == truth.NAME
        and tuple(maps.values) == ORDER
        and session.fitted.cube.fwhm == 18.0
    )
    assert predict.truth.currentText() == truth.NAME
    assert session.layer(Key("truth", "T_DUST", truth.NAME)) is not None
    assert session.cube is None and session.maps is None, "nothing else was changed"
    click(qtbot, predict.button)
    wait_for(qtbot, lambda: idle(session) and session.maps is not None, 120)
    assert session.residual is not None and "T_DUST" in session.residual.values
    assert set(Spectra.of(session).sources) >= {FAR}
    out = tmp_path / "truth.fits"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(out), ""))
    click(qtbot, predict.save_truth)
    wait_for(qtbot, lambda: idle(session) and out.exists(), 30)
    saved = read_maps(out)
    assert np.array_equal(saved.values["LOG_SMD"], maps.values["LOG_SMD"], equal_nan=True)


def test_too_few_far_infrared_bands_are_one_sentence_and_nothing_changes(
    viewer, session, qtbot, opened, told
):
    predict = opened("SDSS_g", "WISE_3.4", "PACS_70", "SPIRE_250")
    panels.raise_panel(viewer, "Predict")
    click(qtbot, predict.fit_truth)
    wait_for(qtbot, lambda: idle(session), 60)
    assert told.any("at least 3 far-infrared bands", "PACS_70 and SPIRE_250")
    assert "at least 3 far-infrared bands" in predict.message.text() and session.fitted is None


def test_an_absurd_redshift_is_one_sentence(viewer, session, qtbot, opened, told):
    predict = opened(*BANDS)
    session.set_recipe("galaxy", redshift=6.0)
    panels.raise_panel(viewer, "Predict")
    click(qtbot, predict.fit_truth)
    wait_for(qtbot, lambda: idle(session), 60)
    assert told.any("redshift of 6 cannot be used") and session.fitted is None


def test_the_fit_is_cancelled_and_leaves_nothing(viewer, session, qtbot, opened):
    predict = opened(*BANDS)
    panels.raise_panel(viewer, "Predict")
    session.set_recipe("sed", n_models=1_500_000)
    click(qtbot, predict.fit_truth)
    wait_for(
        qtbot,
        lambda: (
            session.job is not None
            and session.job.last is not None
            and session.job.last.step == "sed"
        ),
        60,
    )
    click(qtbot, predict.cancel)
    wait_for(qtbot, lambda: idle(session), 30)
    assert session.fitted is None and session.truth is None


def test_gaps_are_filled_unless_the_step_is_switched_off_and_its_eye_shows_them(
    viewer, session, qtbot, opened
):
    opened("GALEX_FUV", *BANDS[:5])
    panels.raise_panel(viewer, "Prepare")
    box = panel(viewer, "Prepare").boxes["impute"]
    assert box.switch.isChecked(), "on by default, as measured"
    click(qtbot, box.switch)
    assert not session.recipe.impute.enabled
    click(qtbot, box.switch)
    assert session.recipe.impute.enabled
    box.findChild(type(box.switch.parent()), "bands")
    session.set_recipe("impute", bands="all", n_models=2000)
    click(qtbot, panel(viewer, "Prepare").button)
    wait_for(qtbot, lambda: idle(session) and session.cube is not None, 120)
    assert "WISE_22" in session.cube.bands and "filled by" in "\n".join(session.told["impute"])
    click(qtbot, box.eye)
    wait_for(
        qtbot,
        lambda: idle(session) and session.layer(Key("step", "WISE_22", "impute")) is not None,
        60,
    )
    layer = session.layer(Key("step", "WISE_22", "impute"))
    assert np.isfinite(layer.data[~session.cube.mask]).all()
