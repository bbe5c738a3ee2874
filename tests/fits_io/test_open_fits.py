"""Whatever a file is, reading it ends with what it holds or a sentence that names it."""

import gzip
import os

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.exceptions import GalaxyMapsError, InputError
from napari_galaxy_maps.fits_io import open_fits
from napari_galaxy_maps.fits_io.ds9_regions import read_regions
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.open_fits import opened, read_text
from napari_galaxy_maps.fits_io.psf_files import read_stamp
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.fits_io.source_tables import read_table
from napari_galaxy_maps.prepare.masks.mask_files import read_masks

MARK = b"\xef\xbb\xbf"
READERS = {
    "images": lambda path: find_images([path]),
    "maps": read_maps,
    "masks": read_masks,
    "psf": read_stamp,
    "recipe": read_recipe,
    "regions": read_regions,
    "table": lambda path: read_table(path, "stars"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ending", [".fits", ".toml", ".reg", ".csv", ".fits.gz"])
def test_what_is_no_such_file_is_a_sentence_that_names_it(tmp_path, reader, ending):
    whole = gzip.compress(b"SIMPLE  =                    T" * 500)
    broken = {
        "empty": b"",
        "random": np.random.default_rng(1).bytes(5000),
        "nul": b"ra,dec\n1,\0\0\n" * 5,
        "latin": "# Sch\u00e4rfe\n".encode("latin-1"),
        "half": whole[: len(whole) // 2],
    }
    for name, content in broken.items():
        (tmp_path / f"{name}{ending}").write_bytes(content)
    (tmp_path / f"folder{ending}").mkdir()
    (tmp_path / f"circle{ending}").symlink_to(f"circle{ending}")
    (tmp_path / f"link{ending}").symlink_to(f"nowhere{ending}")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / f"pipe{ending}")
    for path in [*sorted(tmp_path.iterdir()), tmp_path / ("n" * 300)]:
        with pytest.raises((GalaxyMapsError, OSError)) as caught:
            found = READERS[reader](path)
            # An empty recipe changes nothing.
            if reader == "recipe" and path.name == "empty.toml":
                raise InputError(f"{path}: {found.galaxy}")
            # A table of numbers may be read out of anything; it is refused by its columns.
            if reader == "table" and path.name.startswith("nul"):
                raise InputError(f"{path}: {found.colnames}")
        assert path.name[:8] in str(caught.value)
        # What is left to the boundary of the commands and the window names the file by itself.
        assert isinstance(caught.value, GalaxyMapsError) or caught.value.filename


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    with pytest.raises(InputError, match="a pipe or a device"), opened(tmp_path / "a.fits"):
        pass


def test_the_mark_that_editors_put_before_utf8_is_no_part_of_a_text(tmp_path):
    (tmp_path / "a.toml").write_bytes(MARK + b'[galaxy]\nname = "NGC 1"\n')
    assert read_recipe(tmp_path / "a.toml").galaxy.name == "NGC 1"
    (tmp_path / "a.reg").write_bytes(MARK + b'fk5\ncircle(150,2,3")\n')
    assert len(read_regions(tmp_path / "a.reg")[0]) == 1
    for ending in ("csv", "txt"):
        (tmp_path / f"a.{ending}").write_bytes(MARK + b"ra,dec\n1,2\n")
        table = read_table(tmp_path / f"a.{ending}", "stars")
        assert table.colnames == ["ra", "dec"], ending
    with pytest.raises(InputError, match=r"l\.toml is not text in UTF-8 \(byte 3\)"):
        (tmp_path / "l.toml").write_bytes(b"a =\xe4")
        read_text(tmp_path / "l.toml")


def test_a_table_of_that_name_that_is_no_recipe_is_none(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("X", "A", array=["a"])], name="RECIPE")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "a.fits")
    with pytest.raises(GalaxyMapsError, match="holds no recipe"):
        read_recipe(tmp_path / "a.fits")


@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma"])
def test_a_packed_file_is_unpacked_once_until_it_changes(tmp_path, monkeypatch, module):
    packing = pytest.importorskip(module)
    plain, path = tmp_path / "plain.fits", tmp_path / f"packed.fits.{module}"
    calls = []
    unpackings = tuple(
        (mark, lambda data, unpack=unpack: calls.append(1) or unpack(data))
        for mark, unpack in open_fits._PACKINGS
    )
    monkeypatch.setattr(open_fits, "_PACKINGS", unpackings)
    for value in (3.0, 4.0):
        fits.PrimaryHDU(np.full((20, 20), value)).writeto(plain, overwrite=True)
        path.write_bytes(packing.compress(plain.read_bytes()))
        for _ in range(3):
            with opened(path) as hdus:
                assert (hdus[0].data == value).all()
                hdus[0].data[:] = 0  # who has opened it may do with it what he likes
    assert len(calls) == 2
    other = tmp_path / f"other.fits.{module}"
    other.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError), opened(other):
        pass
    with opened(path) as hdus:
        assert (hdus[0].data == 4.0).all()
