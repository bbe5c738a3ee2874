"""The list of bits is whole, and bits that it lacks are named as unknown."""

import numpy as np
import pytest

from napari_galaxy_maps.data.flags import (
    HARMLESS,
    MEANINGS,
    Flag,
    as_flags,
    bits_of,
    bits_set,
    column_description,
    doubt_in_words,
    words_of,
)


def test_flags_are_bits_of_their_own_each_with_words_that_a_header_can_hold():
    assert sum(Flag) == (1 << len(Flag)) - 1 < 2**15, "so that int16 holds them"
    assert list(MEANINGS) == list(Flag)
    words = [meaning.words for meaning in MEANINGS.values()]
    assert len(set(words)) == len(words)
    assert all(text.isascii() and len(text) < 60 for text in words)


def test_only_a_band_that_stands_in_makes_a_pixel_no_worse():
    assert HARMLESS == Flag.STAND_IN == 512


def test_bits_of_a_newer_program_are_named_as_unknown():
    flags = np.array([[Flag.MASKED, 2048 | Flag.EDGE]], np.int16)
    assert bits_set(flags) == [1, 32, 2048] and bits_of(0) == [] and bits_set(flags[:0]) == []
    assert words_of(32) == "near the edge of an image"
    assert words_of(2048) == "unknown flag 2048"
    assert words_of(2048, {2048: "haunted"}) == "unknown flag 2048: haunted"
    text = column_description(flags)
    assert "1024 bands tell little of the dust" in text and text.endswith("2048 unknown flag 2048")


@pytest.mark.parametrize(
    ("highest", "dtype"), [(0, np.int16), (2**14, np.int16), (2**15, np.int32), (2**30, np.int32)]
)
def test_flags_take_the_room_that_their_bits_need(highest, dtype):
    given = np.array([[0.0, highest]])
    made = as_flags(given)
    assert made.dtype == dtype and made.tolist() == given.tolist()


def test_doubt_is_a_share_of_the_galaxy_and_silent_where_there_is_none():
    flags = np.zeros((20, 20), np.int16)
    assert doubt_in_words(flags) == ""
    flags[:10] = Flag.OUTSIDE | Flag.FAINT
    flags[10:15] |= Flag.FAINT
    flags[10, :10] |= Flag.OUT_OF_DISTRIBUTION
    assert doubt_in_words(flags) == "5% unlike the training, 50% faint"
    flags[10, :10] |= Flag.MASKED
    assert "unlike" not in doubt_in_words(flags)
    assert doubt_in_words(np.full((4, 4), Flag.MASKED, np.int16)) == ""
