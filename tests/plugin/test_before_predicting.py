"""Before Predict the panel lists what is taken for granted, and each line is mended where it
stands.
"""

from dataclasses import replace

import pytest
from astropy.io import fits
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_galaxy_maps.plugin.widgets.forms import is_seen
from napari_galaxy_maps.prepare import assumptions as kinds

from .conftest import idle, wait_for
from .test_panels import click, panel, write

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


def mends(predict):
    """What would mend each line, in order."""
    return [one.mend for one in predict.assumed.found]


def looked(workspace, qtbot):
    """Wait until the images have been looked at."""
    look = workspace.first_look
    wait_for(qtbot, lambda: look.known() is not None and look.known().look is not None)


def button(predict, name):
    """The button in the list."""
    found = [b for b in predict.assumed.findChildren(QPushButton, name) if b.isVisible()]
    assert len(found) == 1, name
    return found[0]


THREE = {"2MASS_J": 20.0, "WISE_3.4": 30.0, "WISE_4.6": 15.0}


def test_a_redshift_and_a_reddening_are_written_into_the_list(opening, workspace, qtbot, viewer):
    predict = opening(THREE)
    # Once they are prepared, these bands turn out to be like no galaxy's.
    told = [mend for mend in mends(predict) if mend != kinds.FILES]
    assert told[:3] == [kinds.REDSHIFT, kinds.STARS, kinds.EBV]
    field = predict.assumed._fields[kinds.REDSHIFT]
    assert field.isVisible() and predict.button.isEnabled()
    write(qtbot, field, "99")
    assert workspace.project.recipe.galaxy.redshift is None and predict.message.text()
    write(qtbot, field, "0.02")
    assert workspace.project.recipe.galaxy.redshift == 0.02
    assert workspace.project.galaxy.redshift == 0.02 and not predict.message.text()
    assert kinds.REDSHIFT not in mends(predict) and not field.isVisible()
    assert panel(viewer, "Galaxy").redshift.text() == "0.02"
    write(qtbot, predict.assumed._fields[kinds.EBV], "0.05")
    assert workspace.project.recipe.reddening.ebv == 0.05 and kinds.EBV not in mends(predict)
    workspace.project.undo()
    assert kinds.EBV not in mends(predict)  # Undo is of what is known of the galaxy
    assert workspace.project.recipe.galaxy.redshift is None and kinds.REDSHIFT in mends(predict)


def test_what_is_being_written_stays_when_another_line_goes(opening, workspace, qtbot):
    predict = opening(THREE)
    field = predict.assumed._fields[kinds.REDSHIFT]
    field.setFocus()
    qtbot.keyClicks(field, "0.0")
    workspace.project.set_recipe("reddening", ebv=0.1)
    assert field.isVisible() and field.text() == "0.0"
    qtbot.keyClicks(field, "3")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert workspace.project.recipe.galaxy.redshift == 0.03


def test_stars_are_looked_for_and_the_stars_panel_comes(opening, workspace, qtbot, viewer):
    predict = opening(THREE)
    click(qtbot, button(predict, "mend_stars"))
    assert workspace.project.recipe.stars.find
    wait_for(qtbot, lambda: idle(workspace) and is_seen(panel(viewer, "Stars")))
    assert kinds.STARS not in mends(predict)


def test_the_ellipse_is_measured_faint_in_the_fields_and_drawn(opening, workspace, qtbot, viewer):
    predict = opening(THREE)
    looked(workspace, qtbot)
    text = next(one.text for one in predict.assumed.found if one.mend == kinds.ELLIPSE)
    assert "measured" in text and "b/a" in text
    fields = panel(viewer, "Galaxy")
    measured = workspace.project.measured_ellipse()
    assert fields.d25.text() == "" and "measured" in fields.d25.placeholderText()
    assert float(fields.axis_ratio.placeholderText()) == pytest.approx(
        measured.b / measured.a, abs=0.01
    )
    click(qtbot, button(predict, "mend_ellipse"))
    assert workspace.d25_layer.layer is not None and kinds.ELLIPSE not in mends(predict)
    assert workspace.project.recipe.galaxy.d25 == pytest.approx(measured.a / 30, rel=1e-3)
    assert fields.d25.text() and fields.d25.placeholderText() == "unknown"


def test_a_band_without_the_galaxy_is_left_out_by_a_click(opening, workspace, qtbot, viewer):
    predict = opening({**THREE, "2MASS_H": 0.0})
    looked(workspace, qtbot)
    wait_for(qtbot, lambda: kinds.LEAVE_OUT in mends(predict))
    one = next(one for one in predict.assumed.found if one.mend == kinds.LEAVE_OUT)
    assert one.of == ("2MASS_H",)
    click(qtbot, button(predict, "mend_leave_out"))
    wait_for(qtbot, lambda: idle(workspace))
    assert "2MASS_H" not in workspace.project.galaxy.images
    assert kinds.LEAVE_OUT not in mends(predict)


def test_a_model_that_cannot_run_greys_predict_and_the_one_that_can_is_a_click_away(
    opening, workspace, qtbot
):
    predict = opening({"SDSS_g": 3.0, "SDSS_r": 5.0})
    assert not predict.button.isEnabled()
    assert "stellar-unet can" in predict.assumed.text() and predict.button.toolTip()
    click(qtbot, button(predict, "mend_model"))
    assert workspace.project.recipe.model.name == "stellar-unet"
    assert predict.model.currentText() == "stellar-unet" and predict.button.isEnabled()
    click(qtbot, button(predict, "mend_card"))
    assert predict.card.isVisibleTo(predict) and "PICASSO" in predict.card.toPlainText()


def test_a_unit_that_no_galaxy_has_is_said_before_anything_is_prepared(
    opening, workspace, qtbot, viewer
):
    predict = opening(
        {"SDSS_g": 3e4, "SDSS_r": 5e4}, model={"name": "stellar-unet"}, galaxy={"redshift": 0.01}
    )
    looked(workspace, qtbot)
    wait_for(qtbot, lambda: mends(predict)[:1] == [kinds.FILES])
    assert "brighter than any galaxy" in predict.assumed.found[0].text
    assert workspace.project.cube is None
    click(qtbot, button(predict, "mend_files"))
    assert is_seen(panel(viewer, "Galaxy"))


def test_the_ellipse_that_is_drawn_is_that_of_the_last_look(opening, workspace, qtbot):
    """A galaxy may look larger on a band that is added, or whose unit is told, later."""
    predict = opening(THREE)
    looked(workspace, qtbot)
    kept = workspace.project.memory.kept
    (now,) = [value for (step, _), value in kept.items() if step == "extent"]
    small = replace(now[2], a=now[2].a / 3, b=now[2].b / 4)
    others = dict(kept)
    kept.clear()
    kept.update({("extent", "2MASS_J"): (*now[:2], small), **others})
    assert workspace.project.measured_ellipse() == now[2]
    click(qtbot, button(predict, "mend_ellipse"))
    assert workspace.project.recipe.galaxy.d25 == pytest.approx(now[2].a / 30, rel=1e-3)


def test_a_band_that_waits_for_an_answer_is_not_said_to_be_missing(opening, workspace, qtbot):
    def forget_unit(folder):
        with fits.open(folder / "galaxy_WISE_3.4.fits", mode="update") as hdus:
            del hdus[0].header["BUNIT"]

    predict = opening(THREE, forget_unit)
    wait_for(qtbot, lambda: predict.assumed.waiting == ["WISE_3.4"])
    assert "galaxy_WISE_3.4.fits is not used before you say the unit" in predict.assumed.text()
    assert "cannot work" not in predict.assumed.text()
    assert "missing" not in predict.missing.text() and predict.missing.text().startswith("3 bands")
    # Without it there is nothing to divide by.
    assert not predict.button.isEnabled() and "before you say" in predict.button.toolTip()
