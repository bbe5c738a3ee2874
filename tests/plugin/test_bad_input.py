"""Bad files in the window: a sentence each, and what was open stays."""

import numpy as np
import pytest
from astropy.io import fits

from ..conftest import tan_wcs, write_image
from .conftest import idle, wait_for

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(empty_window):
    """The window of this file's tests, with nothing in it."""
    return empty_window


def no_wcs(folder):
    return write_image(folder / "plain_WISE_3.4.fits", np.ones((20, 20), "f4"), BUNIT="MJy/sr")


def unknown_unit(folder):
    return write_image(
        folder / "odd_WISE_3.4.fits", np.ones((20, 20), "f4"), tan_wcs((20, 20), 2), BUNIT="furlong"
    )


def unknown_band(folder):
    return write_image(
        folder / "galaxy.fits", np.ones((20, 20), "f4"), tan_wcs((20, 20), 2), BUNIT="MJy/sr"
    )


def all_nan(folder):
    return write_image(
        folder / "void_WISE_3.4.fits",
        np.full((20, 20), np.nan, "f4"),
        tan_wcs((20, 20), 2),
        BUNIT="MJy/sr",
    )


def wrong_shape(folder):
    write_image(
        folder / "s_WISE_12.fits", np.ones((20, 20), "f4"), tan_wcs((20, 20), 2), BUNIT="MJy/sr"
    )
    write_image(
        folder / "s_WISE_12_unc.fits", np.ones((9, 20), "f4"), tan_wcs((9, 20), 2), BUNIT="MJy/sr"
    )
    return folder


def cube(folder):
    return write_image(
        folder / "cube_WISE_3.4.fits",
        np.ones((40, 20, 20), "f4"),
        tan_wcs((20, 20), 2),
        BUNIT="MJy/sr",
    )


def truncated(folder):
    path = folder / "cut_WISE_3.4.fits"
    write_image(path, np.ones((60, 60), "f4"), tan_wcs((60, 60), 2), BUNIT="MJy/sr")
    path.write_bytes(path.read_bytes()[:6000])
    return path


def not_fits(folder):
    path = folder / "picture.fits"
    path.write_bytes(b"GIF89a, not FITS")
    return path


def missing(folder):
    return folder / "nowhere.fits"


def table(folder):
    path = folder / "table.fits"
    fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1])]).writeto(path)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_wcs, "no sky coordinates"),
        (unknown_unit, "hich unit"),
        (unknown_band, "hich band"),
        (all_nan, "no valid pixel"),
        (wrong_shape, "9"),
        (cube, "cube"),
        (truncated, "cut short"),
        (not_fits, "not a FITS file"),
        (missing, "does not exist"),
        (table, "table"),
    ],
)
def test_a_sentence_each_and_nothing_is_lost(
    viewer, workspace, qtbot, galaxy_folder, tmp_path, notifications, make, words
):
    workspace.opener.add_paths([galaxy_folder({"WISE_4.6": 9.0})])
    qtbot.wait(20)
    wait_for(qtbot, lambda: len(viewer.layers) == 1 and idle(workspace))
    folder = tmp_path / "bad"
    folder.mkdir()
    workspace.opener.add_paths([make(folder)], join=True)
    qtbot.wait(20)
    wait_for(qtbot, lambda: idle(workspace))
    problems = [row.problem for row in workspace.project.file_rows() if row.problem]
    sentences = [str(n.message) for n in notifications] + problems
    assert any(words in sentence for sentence in sentences), sentences
    assert not notifications.any("unexpected")
    assert len(viewer.layers) == 1 and list(workspace.project.galaxy.images) == ["WISE_4.6"]
