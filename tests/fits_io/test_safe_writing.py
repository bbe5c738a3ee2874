"""Files are written whole or not at all, and nothing that was there before is lost."""

import errno
import os
import stat

import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io import safe_writing
from napari_galaxy_maps.fits_io.safe_writing import (
    check_output,
    check_output_folder,
    folder_written_whole,
    written_whole,
)


def write(path, text, overwrite=False):
    with written_whole(path, overwrite) as beside:
        beside.write_text(text)


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_whole_with_its_folders(tmp_path):
    write(tmp_path / "a" / "b" / "maps.fits", "new")
    assert (tmp_path / "a" / "b" / "maps.fits").read_text() == "new"
    assert names(tmp_path) == ["a", "a/b", "a/b/maps.fits"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_ends_the_writing_leaves_the_earlier_file_and_nothing_else(tmp_path, error):
    write(tmp_path / "maps.fits", "old")
    with pytest.raises(error), written_whole(tmp_path / "maps.fits", overwrite=True) as beside:
        beside.write_text("half")
        raise error
    with pytest.raises(error), written_whole(tmp_path / "new" / "maps.fits"):
        raise error
    assert names(tmp_path) == ["maps.fits"]
    assert (tmp_path / "maps.fits").read_text() == "old"


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(InputError, match=r"maps\.fits cannot be written: the disk is full; free"),
        written_whole(tmp_path / "new" / "maps.fits"),
    ):
        no_space()
    assert names(tmp_path) == []


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "disk").mkdir()
    write(tmp_path / "disk" / "real.fits", "old")
    for link, target in (("link.fits", "disk/real.fits"), ("dangling.fits", "disk/new.fits")):
        (tmp_path / link).symlink_to(target)
        write(tmp_path / link, "new", overwrite=True)
        assert (tmp_path / link).is_symlink()
        assert (tmp_path / target).read_text() == "new"
    (tmp_path / "lost.fits").symlink_to("unmounted/new.fits")
    with pytest.raises(InputError, match=r"is a link to .*whose folder is not there"):
        write(tmp_path / "lost.fits", "new")
    (tmp_path / "circle.fits").symlink_to("circle.fits")
    with pytest.raises(InputError, match="a link that leads to itself"):
        write(tmp_path / "circle.fits", "new")


def test_a_replaced_file_keeps_its_mode(tmp_path):
    path = tmp_path / "maps.fits"
    write(path, "old")
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    write(path, "new", overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to be root")
def test_a_replaced_file_keeps_its_owner(tmp_path):
    path = tmp_path / "maps.fits"
    write(path, "old")
    os.chown(path, 4321, 1234)
    write(path, "new", overwrite=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 1234)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_file_that_another_run_made_meanwhile_is_not_replaced(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", no_space)
    path = tmp_path / "maps.fits"
    with (
        pytest.raises(InputError, match="made by another run meanwhile, and stays"),
        written_whole(path) as beside,
    ):
        beside.write_text("second")
        path.write_text("first")
    assert path.read_text() == "first"
    write(tmp_path / "other.fits", "alone")
    assert names(tmp_path) == ["maps.fits", "other.fits"]


def test_an_output_that_cannot_be_is_refused_before_the_work(tmp_path):
    write(tmp_path / "file", "")
    for path, why in (
        (tmp_path, "is a folder"),
        (tmp_path / "file", "is there already"),
        (tmp_path / "file" / "maps.fits", "lies in a file, not a folder"),
        (tmp_path / ("n" * 300), "has too long a name"),
        ("/dev/null", "is a device"),
    ):
        with pytest.raises(InputError, match=why):
            check_output(path)
    with pytest.raises(InputError, match="is a file; give the name of a folder"):
        check_output_folder(tmp_path / "file")


def test_a_folder_appears_whole(tmp_path):
    with folder_written_whole(tmp_path / "out") as stage:
        (stage / "figures").mkdir()
        (stage / "figures" / "a.png").write_text("a")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out", "out/figures", "out/figures/a.png"]
    with pytest.raises(KeyboardInterrupt), folder_written_whole(tmp_path / "second") as stage:
        (stage / "a").write_text("a")
        raise KeyboardInterrupt
    assert not (tmp_path / "second").exists()


def test_files_go_into_a_folder_all_or_none(tmp_path, monkeypatch):
    (tmp_path / "b").write_text("old")
    (tmp_path / "other").write_text("mine")

    def write_all(overwrite):
        with folder_written_whole(tmp_path, overwrite) as stage:
            (stage / "sub").mkdir()
            for name in ("a", "b", "sub/c"):
                (stage / name).write_text("new")

    with pytest.raises(InputError, match="made by another run"):
        write_all(overwrite=False)
    assert names(tmp_path) == ["b", "other"]
    put = safe_writing._put

    def put_but_c(beside, place, overwrite):
        if place.name == "c":
            no_space()
        put(beside, place, overwrite)

    with monkeypatch.context() as patch:
        patch.setattr(safe_writing, "_put", put_but_c)
        with pytest.raises(InputError, match="the disk is full"):
            write_all(overwrite=True)
    assert names(tmp_path) == ["b", "other"]
    assert (tmp_path / "b").read_text() == "old"
    write_all(overwrite=True)
    assert names(tmp_path) == ["a", "b", "other", "sub", "sub/c"]
    assert (tmp_path / "b").read_text() == "new"
