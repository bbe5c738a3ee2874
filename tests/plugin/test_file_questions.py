"""What a file leaves open is answered in the Galaxy panel: beneath its row, or once for all images
of a survey; seen, changed and taken back there, and read with what was said.
"""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton

from napari_galaxy_maps.data.question import BEAM, PSF, UNIT, ZERO_POINT, Question
from napari_galaxy_maps.data.recipe import InputSettings
from napari_galaxy_maps.exceptions import GalaxyMapsError
from napari_galaxy_maps.fits_io import galaxies
from napari_galaxy_maps.fits_io.galaxies import settle_one, told_of
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.image_names import Place, keys_of
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.state.answers import (
    shared_questions,
    with_answer,
    with_role,
    with_use,
)
from napari_galaxy_maps.plugin.state.opened_files import ImageFiles, ReadImage
from napari_galaxy_maps.plugin.widgets import file_table, theme_colours
from napari_galaxy_maps.plugin.widgets.answer_row import meaning_of

from ..conftest import tan_wcs, write_image
from .conftest import idle, wait_for

AB_JY = 3630.78
ARCSEC2_SR = (np.pi / 648000) ** 2


def write(folder, name, pixel=0.396, **header):
    """A small image whose values are all one."""
    data = np.ones((40, 40), "f4")
    return write_image(folder / name, data, tan_wcs(data.shape, pixel), **header)


def reprojected(folder, bands="r"):
    """SDSS images on pixels three times as wide as the survey's own."""
    for band in bands:
        write(folder, f"gal_SDSS_{band}.fits", 3 * 0.396, BUNIT="nanomaggy")
    return folder


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


@pytest.fixture
def galaxy(viewer, workspace, qtbot):
    """The Galaxy panel; `open_in` fills it."""
    panels.open_all(viewer)
    wait_for(qtbot, lambda: idle(workspace))
    return panels.panel(viewer, "Galaxy")


def open_in(galaxy, qtbot, *paths):
    galaxy.workspace.opener.add_paths(paths)
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(galaxy.workspace))


def remarks(galaxy, label):
    return galaxy.table.cellWidget(galaxy.table.row_of(label) + 1, 0)


def asks(galaxy, label):
    """Whether anything stands beneath a file."""
    return not galaxy.table.isRowHidden(galaxy.table.row_of(label) + 1)


def press(qtbot, galaxy, where, name, text=""):
    """Press the button of a name whose text begins so."""
    button = next(b for b in where.findChildren(QPushButton, name) if b.text().startswith(text))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(galaxy.workspace))


def type_into(qtbot, galaxy, field, text):
    field.setFocus()
    field.selectAll()
    if text:
        qtbot.keyClicks(field, text)
    else:
        qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(galaxy.workspace))


def value(galaxy, band):
    """The middle pixel of a band's image, in MJy/sr."""
    return float(galaxy.project.galaxy.images[band].data[20, 20])


def told(galaxy):
    return galaxy.project.recipe.input


# In the window -----------------------------------------------------------------------------------


@pytest.mark.window
def test_a_button_answers_and_another_unit_reads_the_image_again(galaxy, qtbot, tmp_path):
    open_in(galaxy, qtbot, reprojected(tmp_path))
    label = "gal_SDSS_r.fits"
    where = remarks(galaxy, label)
    texts = [b.text() for b in where.findChildren(QPushButton, "answer")]
    assert texts == ["nanomaggy/oldpix", "nanomaggy/pix"]
    tips = [b.toolTip() for b in where.findChildren(QPushButton, "answer")]
    assert "per pixel of SDSS's own images" in tips[0] and "per pixel of the image" in tips[1]
    assert not galaxy.shared.isVisibleTo(galaxy), "one file alone shares its question with none"

    press(qtbot, galaxy, where, "answer", "nanomaggy/oldpix")
    assert told(galaxy).units == {label: "nanomaggy/oldpix"} and not asks(galaxy, label)
    of_old = value(galaxy, "SDSS_r")
    assert of_old == pytest.approx(AB_JY * 1e-9 / (0.396**2 * ARCSEC2_SR) / 1e6, rel=1e-3)
    layer = galaxy.layers.layer(Key("image", "SDSS_r"))

    unit = galaxy.table.cellWidget(galaxy.table.row_of(label), file_table.UNIT)
    assert unit.currentText() == "nanomaggy/oldpix" and "told" in unit.toolTip()
    type_into(qtbot, galaxy, unit.lineEdit(), "nanomaggy/pix")
    assert value(galaxy, "SDSS_r") == pytest.approx(of_old / 9, rel=1e-3)
    assert galaxy.layers.layer(Key("image", "SDSS_r")) is layer
    assert np.nanmax(np.asarray(layer.data)) == pytest.approx(of_old / 9, rel=1e-3)

    type_into(qtbot, galaxy, unit.lineEdit(), "")
    assert not told(galaxy).units and asks(galaxy, label) and galaxy.project.galaxy is None
    assert galaxy.layers.layer(Key("image", "SDSS_r")) is None


@pytest.mark.window
def test_one_answer_for_all_images_of_a_survey_and_one_word_takes_it_back(galaxy, qtbot, tmp_path):
    open_in(galaxy, qtbot, reprojected(tmp_path, "gri"))
    assert galaxy.shared.isVisibleTo(galaxy)
    texts = [label.text() for label in galaxy.shared.findChildren(QLabel)]
    assert "per pixel of SDSS's own images" in texts[0] and texts[1] == "All 3 SDSS images:"
    assert not remarks(galaxy, "gal_SDSS_g.fits").findChildren(QPushButton, "answer"), "asked once"
    press(qtbot, galaxy, galaxy.shared, "answer", "nanomaggy/oldpix")
    assert told(galaxy).units == {"SDSS": "nanomaggy/oldpix"}
    assert set(galaxy.project.galaxy.images) == {"SDSS_g", "SDSS_r", "SDSS_i"}
    assert not galaxy.shared.isVisibleTo(galaxy)
    unit = galaxy.table.cellWidget(0, file_table.UNIT)
    assert "told for SDSS" in unit.toolTip()
    type_into(qtbot, galaxy, unit.lineEdit(), "")
    assert not told(galaxy).units and galaxy.project.galaxy is None
    assert "Taken back for all" in galaxy.message.text() and "SDSS" in galaxy.message.text()
    assert galaxy.shared.isVisibleTo(galaxy)


@pytest.mark.window
def test_an_answer_for_several_leaves_out_the_image_that_asks_nothing(galaxy, qtbot, tmp_path):
    reprojected(tmp_path, "gr")
    write(tmp_path, "gal_SDSS_i.fits", 3 * 0.396, BUNIT="MJy/sr")
    open_in(galaxy, qtbot, tmp_path)
    press(qtbot, galaxy, galaxy.shared, "answer", "nanomaggy/pix")
    assert set(told(galaxy).units) == {"gal_SDSS_g.fits", "gal_SDSS_r.fits"}
    assert galaxy.project.galaxy.images["SDSS_i"].unit == "MJy/sr"
    assert value(galaxy, "SDSS_i") == pytest.approx(1)


@pytest.mark.window
def test_a_zero_point_is_written_refused_changed_and_taken_back(galaxy, qtbot, tmp_path):
    write(tmp_path, "gal_SDSS_r.fits", BUNIT="DN")
    open_in(galaxy, qtbot, tmp_path)
    label = "gal_SDSS_r.fits"
    field = remarks(galaxy, label).findChild(QLineEdit, "other_answer")
    assert field.placeholderText() == "e.g. 22.5 AB"
    type_into(qtbot, galaxy, field, "bright")
    assert "'bright' is not understood" in galaxy.message.text()
    assert not told(galaxy).zero_points and field.text() == "bright" and asks(galaxy, label)

    type_into(qtbot, galaxy, field, "22.5 AB")
    assert told(galaxy).zero_points == {label: "22.5 AB"} and not galaxy.message.text()
    first = value(galaxy, "SDSS_r")
    assert first == pytest.approx(AB_JY * 1e-9 / (0.396**2 * ARCSEC2_SR) / 1e6, rel=1e-3)
    where = remarks(galaxy, label)
    assert where.text() == "told: zero point 22.5 AB  ×"
    galaxy.table.selectRow(galaxy.table.row_of(label))
    assert "10^(-0.4 x 22.5)" in galaxy.details.text()

    # Nothing but the zero point is another: the image is read again all the same.
    galaxy.table.answered.emit(label, ZERO_POINT, "25 AB")
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(galaxy.workspace))
    assert value(galaxy, "SDSS_r") == pytest.approx(first / 10, rel=1e-3)

    press(qtbot, galaxy, remarks(galaxy, label), "told")
    assert not told(galaxy).zero_points and "hich magnitude" in remarks(galaxy, label).text()
    assert galaxy.project.galaxy is None


@pytest.mark.window
def test_a_beam_is_chosen_or_written_and_shown_with_its_reason(galaxy, qtbot, tmp_path):
    write(tmp_path, "gal_SPIRE_250.fits", 6, BUNIT="Jy/beam", BMAJ=18.2 / 3600, BMIN=18.2 / 3600)
    open_in(galaxy, qtbot, tmp_path)
    label = "gal_SPIRE_250.fits"
    press(qtbot, galaxy, remarks(galaxy, label), "answer", "469.35 arcsec²")
    assert told(galaxy).beams == {label: 469.35}
    assert value(galaxy, "SPIRE_250") == pytest.approx(1 / (469.35 * ARCSEC2_SR) / 1e6, rel=1e-3)
    name = galaxy.table.item(galaxy.table.row_of(label), file_table.FILE)
    assert "beam of 469.4 arcsec²: told" in name.toolTip()
    press(qtbot, galaxy, remarks(galaxy, label), "told", "told: beam 469.35 arcsec²")
    field = remarks(galaxy, label).findChild(QLineEdit, "other_answer")
    for nonsense, words in (("wide", "a number of arcsec²"), ("-3", "-3")):
        type_into(qtbot, galaxy, field, nonsense)
        assert words in galaxy.message.text() and not told(galaxy).beams
    type_into(qtbot, galaxy, field, "400")
    assert value(galaxy, "SPIRE_250") == pytest.approx(1 / (400 * ARCSEC2_SR) / 1e6, rel=1e-3)


@pytest.mark.window
def test_a_psf_that_cannot_be_is_asked_for_and_written_beneath_the_row(galaxy, qtbot, tmp_path):
    write(tmp_path, "gal_SPIRE_250.fits", 6, BUNIT="MJy/sr", BMAJ=18.2)
    open_in(galaxy, qtbot, tmp_path)
    label = "gal_SPIRE_250.fits"
    texts = [b.text() for b in remarks(galaxy, label).findChildren(QPushButton, "answer")]
    assert texts == ["18.2″"]
    field = remarks(galaxy, label).findChild(QLineEdit, "other_answer")
    type_into(qtbot, galaxy, field, "24.5")
    assert galaxy.project.galaxy.images["SPIRE_250"].fwhm == 24.5 and not asks(galaxy, label)
    cell = galaxy.table.item(galaxy.table.row_of(label), file_table.PSF)
    assert cell.text() == "24.5"
    cell.setText("")
    wait_for(qtbot, lambda: idle(galaxy.workspace))
    assert not told(galaxy).psf and "ow wide is its PSF" in remarks(galaxy, label).text()


@pytest.mark.window
def test_what_is_half_written_outlives_a_look_at_the_files(galaxy, qtbot, tmp_path):
    write(tmp_path, "gal_SDSS_r.fits", BUNIT="DN")
    open_in(galaxy, qtbot, tmp_path)
    field = remarks(galaxy, "gal_SDSS_r.fits").findChild(QLineEdit, "other_answer")
    field.setFocus()
    qtbot.keyClicks(field, "22.")
    galaxy.project.files_changed.emit()
    assert remarks(galaxy, "gal_SDSS_r.fits").findChild(QLineEdit, "other_answer") is field
    assert field.text() == "22."


@pytest.mark.window
def test_all_is_seen_in_a_narrow_dock(galaxy, viewer, qtbot, tmp_path):
    open_in(galaxy, qtbot, reprojected(tmp_path, "gri"))
    window, dock = viewer.window._qt_window, panels.dock_of(galaxy)
    window.resizeDocks([dock], [400], Qt.Orientation.Horizontal)
    qtbot.wait(100)
    width = galaxy.table.viewport().width()
    assert galaxy.width() <= 410 and width <= 400
    for label in ("gal_SDSS_g.fits", "gal_SDSS_r.fits", "gal_SDSS_i.fits"):
        row = remarks(galaxy, label)
        press(qtbot, galaxy, row, "alone")
        assert len(row.findChildren(QPushButton, "answer")) == 2
        assert galaxy.table.rowHeight(galaxy.table.row_of(label) + 1) >= row.heightForWidth(width)
        for button in row.findChildren(QPushButton, "answer"):
            corner = button.mapTo(row, button.rect().bottomRight())
            assert corner.x() < width and corner.y() < row.height()
    assert galaxy.table.columnWidth(file_table.FILE) > 60
    window.resizeDocks([dock], [540], Qt.Orientation.Horizontal)


@pytest.mark.window
def test_a_removed_file_takes_what_was_said_of_it_along(galaxy, qtbot, tmp_path):
    write(tmp_path, "gal_SDSS_r.fits", BUNIT="DN")
    open_in(galaxy, qtbot, tmp_path)
    galaxy.table.answered.emit("gal_SDSS_r.fits", ZERO_POINT, "22.5 AB")
    galaxy.workspace.opener.remove(["gal_SDSS_r.fits"])
    wait_for(qtbot, lambda: idle(galaxy.workspace))
    assert told(galaxy) == InputSettings()


# Without a window --------------------------------------------------------------------------------


def test_planes_of_a_cube_are_files_of_their_own(tmp_path):
    cube = np.ones((3, 20, 20), "f4")
    cards = {"INSTRUME": "DECam", "BUNIT": "nanomaggy", "BANDS": "grz"}
    files = listed(write_image(tmp_path / "cube.fits", cube, tan_wcs((20, 20), 0.262), **cards))
    ready = files.ready(InputSettings())
    assert len(ready) == 3 and len({file.signature for file in ready}) == 3
    left = with_use(InputSettings(), files.places()["cube.fits[0,1]"], False)[0]
    assert [f.band for f in files.ready(InputSettings(**left))] == ["DECam_g", "DECam_z"]


def test_an_exposure_map_answers_for_counts_while_it_is_in_use(tmp_path):
    cards = {"TELESCOP": "GALEX", "BAND": 1}
    write(tmp_path, "NGC1-nd-cnt.fits", 1.5, BUNIT="counts", **cards)
    write(tmp_path, "NGC1-nd-rrhr.fits", 1.5, **cards)
    files = listed(tmp_path)
    (ready,) = files.ready(InputSettings())
    assert ready.file.divide_by is not None and ready.file.unit == "counts/s"
    without = InputSettings(leave_out=["NGC1-nd-rrhr.fits"])
    row = next(row for row in files.rows(without) if row.file.role == "image")
    assert row.problem and row.file.divide_by is None and not files.ready(without)
    wrong = InputSettings(units={"NGC1-nd-cnt.fits": "furlong"})
    assert "not understood" in files.rows(wrong)[0].problem and not files.ready(wrong)


def test_a_role_goes_into_the_recipe_and_out_again(tmp_path):
    (found,) = find_images([write(tmp_path, "gal_SDSS_r.fits", BUNIT="MJy/sr")])
    other = Place(tmp_path / "gal_SDSS_r.fits", 2, 1, "sub/gal_SDSS_r.fits[2,1]", "ERR")
    assert other.key == f"{tmp_path / 'gal_SDSS_r.fits'}[2,1]"
    assert keys_of([other.key], other) == [other.key] and not keys_of([other.key], found.place)
    roles, none = with_role(InputSettings(), found.place, "variance")
    assert roles == {"roles": {"gal_SDSS_r.fits": "variance"}} and none == ()
    told = InputSettings(roles={"gal_*.fits": "mask", **roles["roles"]})
    assert with_role(told, found.place, "") == ({"roles": {"gal_*.fits": "mask"}}, ())
    pattern = InputSettings(roles={"gal_*.fits": "mask"}, leave_out=["gal_*.fits"])
    assert with_role(pattern, found.place, "") == ({"roles": {}}, ("gal_*.fits",))
    assert with_use(pattern, found.place, True) == ({"leave_out": []}, ("gal_*.fits",))


def listed(*paths):
    files = ImageFiles()
    for file in find_images(paths):
        files.add(file)
    return files


def test_an_image_of_another_unit_is_no_longer_the_files_image(tmp_path, image):
    files = listed(reprojected(tmp_path))
    old, new = (
        InputSettings(units={"gal_SDSS_r.fits": unit})
        for unit in ("nanomaggy/oldpix", "nanomaggy/pix")
    )
    (ready,) = files.ready(old)
    files.keep(ReadImage(ready.label, ready.signature, image("SDSS_r")))
    assert list(files.images(files.ready(old))) == ["SDSS_r"] and not files.unread(files.ready(old))
    # Read with the old factor, it is no image of the file as it is now, however its reading ends.
    assert files.images(files.ready(new)) == {}
    assert [file.label for file in files.unread(files.ready(new))] == ["gal_SDSS_r.fits"]
    kept = [file for file in files.ready(new) if files.is_read(file)]
    assert len(files.drop_stale(kept)) == 1 and not files.any_read


@pytest.mark.parametrize(
    ("name", "header", "table", "values"),
    [
        ("gal_SDSS_r.fits", {"BUNIT": "DN"}, "zero_points", ("22.5 AB", "25 AB")),
        ("gal_SPIRE_250.fits", {"BUNIT": "Jy/beam"}, "beams", (450.0, 500.0)),
        ("gal_SDSS_r.fits", {"BUNIT": "MJy/sr"}, "psf", (1.5, 1.7)),
        ("gal_SDSS_r.fits", {"BUNIT": "nanomaggy"}, "units", ("nanomaggy", "maggy")),
    ],
)
def test_whatever_is_said_otherwise_has_the_image_read_again(tmp_path, name, header, table, values):
    files = listed(write(tmp_path, name, **header))
    one, other = (InputSettings(**{table: {name: value}}) for value in values)
    assert files.ready(one)[0].signature == files.ready(one)[0].signature
    assert files.ready(one)[0].signature != files.ready(other)[0].signature


def test_files_are_settled_once_and_again_where_something_is_said(tmp_path, monkeypatch):
    files = listed(reprojected(tmp_path, "gri"))
    settled = []
    monkeypatch.setattr(
        galaxies, "settle_one", lambda image, told: settled.append(image.label) or
        settle_one(image, told)
    )  # fmt: skip
    settings = InputSettings()
    rows = files.rows(settings)
    assert len(settled) == 3 and files.rows(settings) == rows and len(settled) == 3
    settings.units["gal_SDSS_g.fits"] = "nanomaggy/pix"
    assert [row.problem == "" for row in files.rows(settings)] == [True, False, False]
    assert settled[3:] == ["gal_SDSS_g.fits"]
    settings.units["SDSS"] = "nanomaggy/oldpix"
    assert [row.file.unit for row in files.rows(settings)] == [
        "nanomaggy/pix", "nanomaggy/oldpix", "nanomaggy/oldpix",
    ]  # fmt: skip
    del settings.units["gal_SDSS_g.fits"]
    assert files.rows(settings)[0].file.unit == "nanomaggy/oldpix"


def asking(file, about=UNIT, answers=("a", "b"), survey="SDSS"):
    return Question(file, about, "Which?", answers, survey)


def test_only_what_one_survey_asks_alike_is_asked_once(tmp_path):
    reprojected(tmp_path, "gri")
    write(tmp_path, "WISE_12.fits")
    images = find_images([tmp_path])
    alike = [asking(f"gal_SDSS_{band}.fits") for band in "gr"]
    (shared,) = shared_questions([*alike, asking("WISE_12.fits", survey="WISE")], images)
    assert shared.who == "2 SDSS images", "the third SDSS image asks nothing"
    assert not shared.every
    (shared,) = shared_questions([*alike, asking("gal_SDSS_i.fits")], images)
    assert shared.who == "All 3 SDSS images" and shared.every
    assert not shared_questions([alike[0], asking("gal_SDSS_r.fits", answers=("c",))], images)
    assert not shared_questions([asking(q.file, survey="") for q in alike], images)
    sole = [asking(f, answers=("Jy/pix",), survey=s) for f, s in (("a", "SDSS"), ("b", "WISE"))]
    (shared,) = shared_questions(sole, images)
    assert shared.survey == "" and shared.labels == ("a", "b") and shared.who == "2 images"


def test_an_answer_goes_where_it_is_heard(tmp_path):
    path = write(tmp_path, "gal_SDSS_r.fits", BUNIT="MJy/sr")
    (found,) = find_images([path])
    pair = [(found, found)]
    assert with_answer(InputSettings(), pair, PSF, "1,5") == {"psf": {"SDSS_r": 1.5}}
    nearer = InputSettings(psf={"gal_*.fits": 2.0})
    assert with_answer(nearer, pair, PSF, "1.5")["psf"] == {
        "gal_*.fits": 2.0, "gal_SDSS_r.fits": 1.5,
    }  # fmt: skip
    assert with_answer(nearer, pair, PSF, "") == {"psf": {}}
    of_survey = InputSettings(units={"SDSS": "nJy/pix"})
    assert with_answer(of_survey, pair, UNIT, "") == {"units": {}}
    own = with_answer(of_survey, pair, UNIT, "MJy/sr")["units"]
    assert own == {"SDSS": "nJy/pix", "gal_SDSS_r.fits": "MJy/sr"}
    for about, text in (
        (PSF, "wide"), (PSF, "0"), (BEAM, "round"), (UNIT, "furlong"), (ZERO_POINT, "22.5 AB"),
    ):  # fmt: skip
        with pytest.raises(GalaxyMapsError):
            with_answer(InputSettings(), pair, about, text)


def test_a_wrong_entry_of_a_recipe_can_be_taken_back(tmp_path):
    (found,) = find_images([write(tmp_path, "gal_SDSS_r.fits", BUNIT="DN")])
    wrong = InputSettings(units={"gal_SDSS_r.fits": "furlong"})
    with pytest.raises(GalaxyMapsError):
        settle_one(found, told_of(wrong))
    assert with_answer(wrong, [(found, found)], UNIT, "") == {"units": {}}


@pytest.mark.parametrize(
    ("about", "answer", "words"),
    [
        (UNIT, "counts/s/oldpix", "values in counts/s, per pixel of GALEX's own images"),
        (UNIT, "Jy/beam", "values in Jy/beam"),
        (ZERO_POINT, "Vega", "its magnitudes are Vega"),
        (ZERO_POINT, "25 per image", "25 is the magnitude of one count of the image as it is"),
        (ZERO_POINT, "22.5 AB", "22.5 AB is the magnitude of one count"),
        (BEAM, "469.35", "its beam has 469.35 arcsec²"),
        (PSF, "18.2", "its PSF is 18.2″ wide, FWHM"),
    ],
)
def test_an_answer_is_told_in_words(about, answer, words):
    assert meaning_of(about, answer, "GALEX") == words


# Roles and what is left out ----------------------------------------------------------------------


def beside(folder):
    """An image with a mask of two pixels, an exposure map and a picture of a PSF."""
    write(folder, "gal_SDSS_r.fits", BUNIT="MJy/sr")
    flags, seen = np.zeros((40, 40), "i2"), np.ones((40, 40), "f4")
    flags[5, 5:7], seen[:2] = 1, 0
    for name, plane in (("mask", flags), ("exp", seen), ("psf", seen)):
        write_image(folder / f"gal_SDSS_r_{name}.fits", plane, tan_wcs((40, 40), 0.396))
    return folder


def role_button(galaxy, label):
    return galaxy.table.cellWidget(galaxy.table.row_of(label), file_table.ROLE)


def choose_role(qtbot, galaxy, label, text):
    """Choose in the menu of a row's button."""
    menu = role_button(galaxy, label).menu_of_roles()
    next(action for action in menu.actions() if action.text().startswith(text)).trigger()
    qtbot.wait(50)
    wait_for(qtbot, lambda: idle(galaxy.workspace))


def shown_order(galaxy, *labels):
    """Files from top to bottom."""
    header = galaxy.table.verticalHeader()
    return sorted(labels, key=lambda label: header.visualIndex(galaxy.table.row_of(label)))


def blank(galaxy):
    return int(np.isnan(galaxy.project.galaxy.images["SDSS_r"].data).sum())


@pytest.mark.window
def test_every_file_is_a_row_with_its_role_which_can_be_changed(galaxy, qtbot, tmp_path):
    open_in(galaxy, qtbot, beside(tmp_path))
    signs = {name: role_button(galaxy, f"gal_SDSS_r{name}.fits").text()
             for name in ("", "_mask", "_exp", "_psf")}  # fmt: skip
    assert signs == {"": "img", "_mask": "msk", "_exp": "exp", "_psf": "psf"}
    names = [f"gal_SDSS_r{name}.fits" for name in ("", "_exp", "_mask", "_psf")]
    assert shown_order(galaxy, *names) == names, "what is not an image stands below"
    why = galaxy.table.item(galaxy.table.row_of("gal_SDSS_r_psf.fits"), file_table.BAND)
    assert why.text() == "is a picture of a PSF, which is not used." and not galaxy.details.text()
    assert why.data(theme_colours.INK_ROLE) == theme_colours.FAINT
    assert blank(galaxy) == 82

    choose_role(qtbot, galaxy, "gal_SDSS_r_mask.fits", "ignore")
    assert told(galaxy).roles == {"gal_SDSS_r_mask.fits": "ignore"} and blank(galaxy) == 80
    assert role_button(galaxy, "gal_SDSS_r_mask.fits").text() == "off*"
    choose_role(qtbot, galaxy, "gal_SDSS_r_psf.fits", "uncertainty")
    assert galaxy.project.galaxy.images["SDSS_r"].uncertainty is not None
    choose_role(qtbot, galaxy, "gal_SDSS_r_psf.fits", "psf")
    assert galaxy.project.galaxy.images["SDSS_r"].uncertainty is None
    choose_role(qtbot, galaxy, "gal_SDSS_r_mask.fits", "as its name")
    assert told(galaxy).roles == {"gal_SDSS_r_psf.fits": "psf"} and blank(galaxy) == 82
    choose_role(qtbot, galaxy, "gal_SDSS_r.fits", "ignore")
    assert galaxy.project.galaxy is None and galaxy.table.row_of("gal_SDSS_r.fits") > 0
    choose_role(qtbot, galaxy, "gal_SDSS_r.fits", "as its name")
    assert list(galaxy.project.galaxy.images) == ["SDSS_r"]


@pytest.mark.window
def test_a_file_is_left_out_in_the_settings_and_brought_back(galaxy, qtbot, tmp_path):
    open_in(galaxy, qtbot, beside(tmp_path))

    def tick(name, state):
        row = galaxy.table.row_of(name)
        galaxy.table.item(row, file_table.FILE).setCheckState(state)
        qtbot.wait(50)
        wait_for(qtbot, lambda: idle(galaxy.workspace))

    tick("gal_SDSS_r_exp.fits", Qt.CheckState.Unchecked)
    assert told(galaxy).leave_out == ["gal_SDSS_r_exp.fits"] and blank(galaxy) == 2
    names = ["gal_SDSS_r_mask.fits", "gal_SDSS_r_exp.fits"]
    assert shown_order(galaxy, *names) == names
    tick("gal_SDSS_r_exp.fits", Qt.CheckState.Checked)
    assert told(galaxy).leave_out == [] and blank(galaxy) == 82

    small = write_image(tmp_path / "gal_SDSS_r_dq.fits", np.ones((9, 9), "i2"), tan_wcs((9, 9), 1))
    open_in(galaxy, qtbot, small)
    assert "is not used: it has 9 x 9 pixels" in remarks(galaxy, small.name).text()
    galaxy.project.set_recipe("input", leave_out=["*_mask.fits"])
    galaxy.project.files_resettled.emit()
    wait_for(qtbot, lambda: idle(galaxy.workspace))
    assert blank(galaxy) == 80
    tick("gal_SDSS_r_mask.fits", Qt.CheckState.Checked)
    assert told(galaxy).leave_out == [] and blank(galaxy) == 82
    assert "all that *_mask.fits stands for" in galaxy.message.text()
