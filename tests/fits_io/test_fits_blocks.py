"""A file is followed block by block to where it stops being FITS, before a library reads it."""

import io

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.fits_io.fits_blocks import (
    CutShortError,
    EndlessHeaderError,
    readable_size,
)


@pytest.fixture(scope="module")
def whole():
    """A file of an image, a table and a packed image."""
    data = np.arange(2000.0, dtype="f4").reshape(50, 40)
    table = fits.BinTableHDU.from_columns([fits.Column("a", "PE()", array=[[1, 2], [3]])])
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(data), table, fits.CompImageHDU(data)]).writeto(stream)
    return stream.getvalue()


def size_of(data):
    return readable_size(io.BytesIO(data), len(data))


def test_a_whole_file_is_readable_to_its_end_with_or_without_padding(whole):
    assert size_of(whole) == len(whole)
    assert size_of(whole[: 2880 + 8000]) == 2880 + 8000  # the image without its padding
    stream = io.BytesIO(whole)
    stream.seek(7)
    readable_size(stream, len(whole))
    assert stream.tell() == 7


@pytest.mark.parametrize("junk", [b"\0" * 2880, b"x" * 9000, bytes(range(256)) * 90])
def test_junk_behind_the_last_extension_is_left_out(whole, junk):
    assert size_of(whole + junk) == len(whole)


def test_data_that_are_not_all_there_are_told(whole):
    inside_a_header = whole.index(b"XTENSION") + 500
    for length in (len(whole) // 3, 2880 + 100, len(whole) - 2880, inside_a_header):
        with pytest.raises(CutShortError):
            size_of(whole[:length])
    with pytest.raises(CutShortError):
        size_of(whole.replace(b"NAXIS1  =                   40", b"NAXIS1  = 4000000000000000000 "))


def test_a_header_without_end_is_told_whatever_follows(whole):
    endless = whole[:2880].replace(b"END     ", b"COMMENT ")
    for rest in (b"", whole[2880:], b" " * 2880 * 4000):
        with pytest.raises(EndlessHeaderError):
            size_of(endless + rest)
    with pytest.raises(OSError, match="SIMPLE"):
        size_of(b"<html>" * 1000)


@pytest.mark.parametrize(
    "card, other, says",
    [(b"NAXIS   =                    2", b"NAXIS   =           1000000000", "NAXIS = 1000000000"),
     (b"NAXIS1  =                   40", b"NAXIS1  =                  -64", "NAXIS1 = -64"),
     (b"TFIELDS =                    1", b"TFIELDS =           4294967296", "TFIELDS = 4294967296"),
     (b"ZNAXIS1 =                   40", b"ZNAXIS1 =           4294967296", "of 4294967296 x"),
     (b"ZNAXIS2 =                   50", b"ZNAXIS2 =                   51", "of 40 x 51"),
     (b"GCOUNT  =                    1", b"GCOUNT  =                   -7", "GCOUNT = -7")],
)  # fmt: skip
def test_numbers_that_a_library_would_count_to_for_ever_are_refused(whole, card, other, says):
    assert card in whole
    damaged = whole.replace(card, other + b" " * (len(card) - len(other)), 1)
    with pytest.raises(ValueError, match=says):
        size_of(damaged[: len(whole) // 2880 * 2880])
