"""Edits of masks give new masks and leave the old ones alone; undo and redo go back and forth among
them.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.fits_io.ds9_regions import Polygon
from napari_galaxy_maps.prepare.masks import mask_edits
from napari_galaxy_maps.prepare.masks.mask_set import Masks, Patch
from napari_galaxy_maps.prepare.stars.star_list import Star
from tests.conftest import tan_wcs

BANDS = ("SDSS_r", "WISE_3.4")
ONE = Star("1", 150.0, 2.0, 14.0, "gaia", {"SDSS_r": 4.0, "WISE_3.4": 12.0}, "a doubt")
TWO = Star("2", 150.01, 2.0, 15.0, "gaia", {"SDSS_r": 3.0, "WISE_3.4": 0.0})
SHAPE = Polygon(np.array([[150.0, 2.0], [150.01, 2.0], [150.0, 2.01]]), "SDSS_r", "trail")


def patch(bands=(), fill=True):
    data = np.zeros((8, 8), bool)
    data[2:4] = fill
    return Patch(data, tan_wcs((8, 8), 2.0), bands)


def test_items_are_exchanged_taken_away_and_added_in_their_order():
    masks = Masks((ONE, TWO), (), (SHAPE,))
    moved = replace(TWO, ra=151.0)
    new = mask_edits.exchanged(masks, [(ONE, None), (TWO, moved)], [replace(ONE, id="3")])
    assert (
        [star.id for star in new.stars] == ["2", "3"]
        and new.stars[0] is moved
        and new.polygons == (SHAPE,)
    )
    assert masks.stars == (ONE, TWO)
    assert mask_edits.exchanged(masks, [(SHAPE, None)]).polygons == ()
    assert not mask_edits.exchanged(None, added=[ONE]).complete, (
        "the recipe's stars are still to come"
    )


@pytest.mark.parametrize(
    "band, radius, then",
    [
        ("", 24.0, {"SDSS_r": 8.0, "WISE_3.4": 24.0}),
        ("SDSS_r", 5.0, {"SDSS_r": 5.0, "WISE_3.4": 12.0}),
    ],
)
def test_a_radius_is_that_of_one_band_or_of_all_in_proportion(band, radius, then):
    star = mask_edits.resized(ONE, radius, band, BANDS)
    assert star.radii == then and mask_edits.radius_of(star, band, BANDS) == radius
    assert ONE.radii == {"SDSS_r": 4.0, "WISE_3.4": 12.0}


def test_a_star_without_a_circle_gets_one_in_every_band():
    assert mask_edits.resized(replace(ONE, radii={}), 5.0, "", BANDS).radii == dict.fromkeys(
        BANDS, 5.0
    )


def test_deleting_in_one_band_leaves_the_others_and_in_the_last_leaves_nothing():
    assert mask_edits.unmasked(ONE, "SDSS_r").radii == {"SDSS_r": 0.0, "WISE_3.4": 12.0}
    assert mask_edits.unmasked(TWO, "SDSS_r") is None and mask_edits.unmasked(ONE) is None
    assert mask_edits.unmasked(SHAPE, "SDSS_r") is None


def test_a_circle_by_hand_has_a_name_of_its_own_and_masks_where_it_is_to():
    first = mask_edits.circle_by_hand(None, (150.0, 2.0), 5.0, "", BANDS)
    masks = mask_edits.exchanged(None, added=[first])
    second = mask_edits.circle_by_hand(masks, (150.0, 2.0), 5.0, "SDSS_r", BANDS)
    assert (first.id, second.id) == ("hand 1", "hand 2") and second.radii == {
        "SDSS_r": 5.0,
        "WISE_3.4": 0.0,
    }
    assert mask_edits.exchanged(Masks((ONE, first))).by_hand().stars == (first,)


def test_a_patch_takes_the_place_of_that_of_its_bands_and_an_empty_one_takes_it_away():
    masks = Masks((), (patch(), patch(("SDSS_r",))))
    new = mask_edits.painted(masks, patch(("SDSS_r",)))
    assert [p.bands for p in new.patches] == [(), ("SDSS_r",)] and new.patches[0] is masks.patches[
        0
    ]
    assert [p.bands for p in mask_edits.painted(masks, patch((), fill=False)).patches] == [
        ("SDSS_r",)
    ]


def test_loaded_masks_take_the_place_of_those_of_one_name_at_one_place_only():
    there = Masks((ONE, TWO), (), (), complete=True)
    elsewhere = replace(TWO, ra=149.0)
    new = mask_edits.merged(
        there, Masks((replace(ONE, radii={"SDSS_r": 9.0}, flag=""), elsewhere), (), (SHAPE,))
    )
    assert [(s.id, s.ra) for s in new.stars] == [("1", 150.0), ("2", 150.01), ("2", 149.0)]
    assert new.stars[0].radii == {"SDSS_r": 9.0, "WISE_3.4": 12.0} and new.polygons == (SHAPE,)


def test_what_there_is_is_told():
    masks = Masks((ONE, replace(TWO, enabled=False)), (patch(),), (SHAPE,))
    assert (
        mask_edits.summary(masks)
        == "2 circles, 1 of them doubtful, 1 switched off, 1 polygon, 1 painted mask"
    )
    assert mask_edits.summary(None) == "" and mask_edits.summary(Masks()) == "no circles"
    assert mask_edits.accepted(ONE).flag == "" and mask_edits.switched(ONE, False).enabled is False


def test_history_goes_back_and_forth_and_forgets_what_was_undone_once_something_else_is_done():
    from napari_galaxy_maps.plugin.ground.edit_history import History

    history = History("a")
    assert not history.undo() and not history.redo()
    history.push("b", "to b")
    history.push("c", "to c")
    assert (
        history.undoes == "to c"
        and history.undo()
        and history.now == "b"
        and history.redoes == "to c"
    )
    assert (
        history.redo()
        and history.now == "c"
        and history.undo()
        and history.undo()
        and history.now == "a"
    )
    history.push("d", "to d")
    assert history.redoes == "" and history.undoes == "to d" and not history.redo()
