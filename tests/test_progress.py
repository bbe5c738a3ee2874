"""Signs of life: which of them are notes."""

import pytest

from napari_galaxy_maps.progress import Progress


@pytest.mark.parametrize(
    ("sign", "note"),
    [
        (Progress("stars", 3, 21, "SDSS_i: star 5 of 31"), False),
        (Progress("stars", 3, 21, "SDSS_i: 30 stars seen", result=object()), True),
        (Progress("stars", 0, 1, "no star of the table lies here", lasting=True), True),
        (Progress("impute", 1, 1, "nothing to fill"), True),
        (Progress("fill", 2, 2), False),
    ],
)
def test_what_was_done_is_a_note_and_what_is_being_done_is_none(sign, note):
    assert sign.is_note == note
