"""A session that is saved comes back, bit for bit, whatever happens to its folder meanwhile.

Besides what is imported: `plugin.session.kept_maps`, `plugin.session.session_parts`.
"""

import hashlib
import os
import shutil
import sys
import threading
import tomllib
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.ds9_regions import Polygon
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.safe_writing import readers
from napari_galaxy_maps.measure.apertures.aperture import Aperture
from napari_galaxy_maps.measure.apertures.photometry import Options
from napari_galaxy_maps.plugin.session import kept_maps, write_session
from napari_galaxy_maps.plugin.session.found_images import Checksums, find_images, found_in
from napari_galaxy_maps.plugin.session.kept_apertures import apertures_of, apertures_text
from napari_galaxy_maps.plugin.session.open_session import Session, open_session
from napari_galaxy_maps.plugin.session.saved_galaxy import (
    SavedFile,
    SavedGalaxy,
    SavedResult,
    SavedTruth,
)
from napari_galaxy_maps.plugin.session.session_format import as_json, values_of
from napari_galaxy_maps.plugin.session.write_session import SessionWriter
from napari_galaxy_maps.prepare.masks.mask_set import Masks, Patch
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.progress import run_to_end

from ..conftest import tan_wcs

degrees = st.floats(-90, 90)
ellipses = st.builds(
    Ellipse, st.floats(0, 360), degrees, st.floats(1e-3, 1e4), st.floats(1e-3, 1e4), degrees
)
polygons = st.lists(st.tuples(st.floats(0, 360), degrees), min_size=3, unique=True).map(tuple)
apertures = st.recursive(
    st.builds(
        Aperture, ellipses | polygons, st.text(), st.floats(0, 1, exclude_max=True), st.just(())
    ),
    lambda inner: st.builds(
        Aperture, ellipses, st.text(), st.just(0.0), st.lists(inner, max_size=2).map(tuple)
    ),
    max_leaves=4,
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def save(folder, *galaxies, writer=None, **more):
    return run_to_end((writer or SessionWriter()).write(folder, Session(galaxies, **more)))


def masks(seed=0):
    """Masks of every kind, whose numbers need all their digits."""
    random = np.random.default_rng(seed)
    stars = (
        Star("Gaia é 1 ", *random.random(3), "gaia", {"WISE_3.4": 1 / 3}, "near \\ ☆", False),
        Star("hand 1", 1.0, 2.0, float("nan"), "hand", {"WISE_3.4": 9.0}, "", True, (1.1, 2.2, 3)),
    )
    wcs = tan_wcs((6, 8), 1 / 3, ra=150.1234567890123, rotation=12.3)
    patch = Patch(random.random((6, 8)) > 0.5, wcs, ("SDSS_r",))
    shapes = (Polygon(random.random((3, 2)), "SDSS_r", "p", "?", True, True),)
    return Masks(stars, (patch,), shapes, complete=False)


@pytest.fixture
def galaxy(maps, tmp_path):
    """A galaxy with something of everything."""
    image = tmp_path / "images" / "w1.fits"
    image.parent.mkdir()
    image.write_bytes(b"SIMPLE")
    provenance = {**maps.provenance, "note": ["alone"], "fwhm": np.float64(0.1), "inputs": {}}
    wcs = tan_wcs(maps.shape, 1 / 3, ra=20.123456789012345, rotation=33.3)
    extra = fits.ImageHDU(np.arange(6, dtype="f4").reshape(2, 3), name="CHI2")
    maps = replace(
        maps, provenance=provenance, correlation=1 / 3, tails={"LOG_SMD": 2 / 3}, wcs=wcs,
        galaxy_errors={"LOG_SMD": 0.7 * maps.errors["LOG_SMD"]},
    )  # fmt: skip
    other = replace(maps, flags=maps.flags + np.int16(1), extensions=(extra,))
    recipe = Recipe().with_values(["galaxy.name=Ngç 309", "model.device=cpu"])
    made, ellipse = "2026-11-28T00:00:00+00:00", Ellipse(20.1, 1 / 3, 30, 20, 45)
    return SavedGalaxy(
        "NGC 309",
        recipe,
        (Checksums().saved_file(image, "w1.fits[0]"),),
        masks(),
        "Found again.",
        (Aperture(ellipse, "disc é", 0.5, (Aperture(ellipse, "out"),)),),
        Options((1.5, 2.0), "mean", True, False),
        (
            SavedResult("first", made, maps, masks(1), recipe, True, "An image has changed."),
            SavedResult("second", made, other, None, Recipe()),
        ),
        0,
        (SavedTruth("fit", other), SavedTruth("file", SavedFile(image, "ab" * 32, 6), True)),
        {"camera": {"zoom": 1 / 3, "angles": [0.0, None]}, "open": True},
    )


def same_masks(one, other):
    if one is None or other is None:
        return one is other
    return (
        all(map(same_star, one.stars, other.stars))
        and all(
            np.array_equal(p.data, q.data) and p.bands == q.bands and same_wcs(p.wcs, q.wcs)
            for p, q in zip(one.patches, other.patches, strict=True)
        )
        and all(
            np.array_equal(p.vertices, q.vertices) and astuple(p)[1:] == astuple(q)[1:]
            for p, q in zip(one.polygons, other.polygons, strict=True)
        )
        and one.complete == other.complete
    )


def same_star(one, other):
    magnitudes = np.array([one.magnitude]), np.array([other.magnitude])
    return np.array_equal(*magnitudes, equal_nan=True) and replace(one, magnitude=0) == replace(
        other, magnitude=0
    )


def same_wcs(one, other):
    return all(
        np.array_equal(getattr(one.wcs, name), getattr(other.wcs, name))
        for name in ("crval", "crpix")
    ) and np.array_equal(one.pixel_scale_matrix, other.pixel_scale_matrix)


def same_maps(one, other):
    def arrays(maps):
        parts = {"": maps.values, "_ERR": maps.errors, "_GALAXY": maps.galaxy_errors}
        return {f"{k}{end}": v for end, part in parts.items() for k, v in part.items()}

    return (
        list(one.values) == list(other.values)
        and arrays(one).keys() == arrays(other).keys()
        and all(a.tobytes() == arrays(other)[n].tobytes() for n, a in arrays(one).items())
        and np.array_equal(one.flags, other.flags)
        and same_wcs(one.wcs, other.wcs)
        and dict(one.provenance) == dict(other.provenance)
        and (one.correlation, one.tails) == (other.correlation, other.tails)
        and [hdu.name for hdu in one.extensions] == [hdu.name for hdu in other.extensions]
        and all(
            np.array_equal(a.data, b.data)
            for a, b in zip(one.extensions, other.extensions, strict=True)
        )
    )


def same_result(one, other):
    simple = ("label", "made", "recipe", "saved", "inputs_changed")
    return (
        all(getattr(one, name) == getattr(other, name) for name in simple)
        and same_maps(one.maps, other.maps)
        and same_masks(one.masks, other.masks)
    )


def same_truth(one, other):
    if isinstance(one.source, SavedFile):
        return one.source == other.source and one.chosen == other.chosen
    return same_maps(one.source, other.source) and one.chosen == other.chosen


def assert_same(one, other):
    for name in (
        "name", "recipe", "files", "masks_note", "apertures", "options", "result", "view",
    ):  # fmt: skip
        assert getattr(one, name) == getattr(other, name)
    assert same_masks(one.masks, other.masks)
    assert len(one.results) == len(other.results)
    assert all(map(same_result, one.results, other.results))
    assert len(one.truths) == len(other.truths)
    assert all(map(same_truth, one.truths, other.truths))


def parts(folder):
    return sorted(path for path in folder.rglob("*.*") if path.name != ".lock")


def only(folder, pattern):
    (path,) = folder.glob(pattern)
    return path


# What comes back ---------------------------------------------------------------------------------


def test_a_session_comes_back_bit_for_bit(tmp_path, galaxy):
    folder = tmp_path / "s.galaxymaps"
    bare = SavedGalaxy("bare", masks=Masks())
    window = {"panels": ["Galaxy", None], "width": 1500}
    assert save(folder, galaxy, bare, current=1, window=window) == folder
    opened = open_session(folder)
    assert [(g.name, g.summary.files, g.summary.results) for g in opened.galaxies] == [
        ("NGC 309", 1, 2),
        ("bare", 0, 0),
    ]
    assert (opened.current, opened.window()) == (1, window)
    assert_same(galaxy, opened.galaxy(0))
    assert_same(bare, opened.galaxy(1))
    assert opened.problems == ()
    assert open_session(folder / "session.toml").galaxies[0].name == "NGC 309"
    save(folder, bare, current=7)
    assert open_session(folder).current == 0


def test_maps_of_a_session_are_files_for_any_program(tmp_path, galaxy):
    save(tmp_path / "s", galaxy)
    for path in (tmp_path / "s" / "galaxy-1").glob("maps-*.fits"):
        with fits.open(path, checksum=True) as hdus:
            hdus.verify("exception")
        assert list(read_maps(path)) == list(galaxy.results[0].maps)


@settings(max_examples=40)
@given(st.lists(apertures, max_size=3).map(tuple))
def test_apertures_come_back(given_apertures):
    assert apertures_of(apertures_text(given_apertures)) == given_apertures


@settings(max_examples=40)
@given(st.dictionaries(st.text(), plain))
def test_plain_values_come_back(values):
    back = values_of(as_json(values))
    assert back == values
    assert repr(back) == repr(values)  # 1 is not True, and -0.0 is not 0.0


@pytest.mark.parametrize("values", [{1: 2}, {"a": [{None: 1}]}, {"a": object()}, {"a": {1}}])
def test_what_is_no_plain_value_is_refused(values):
    with pytest.raises(TypeError):
        as_json(values)


def test_names_of_files_that_are_no_text_come_back(tmp_path):
    if sys.platform in ("win32", "darwin"):
        pytest.skip("every name is text there")
    path = tmp_path / os.fsdecode(b"w\xff1.fits")
    path.write_bytes(b"x")
    file = Checksums().saved_file(path, path.name)
    save(tmp_path / "s", SavedGalaxy(path.stem, files=(file,)))
    galaxy = open_session(tmp_path / "s").galaxy(0)
    assert galaxy.files == (file,)
    assert galaxy.name == path.stem
    assert find_images(galaxy.files, tmp_path / "s").found == {file: path}


# Written again -----------------------------------------------------------------------------------


@pytest.mark.parametrize("links", [True, False])
def test_what_has_not_changed_is_not_written_again(tmp_path, galaxy, monkeypatch, links):
    if not links:
        monkeypatch.delattr(os, "link")
    written = []
    write_maps = kept_maps.write_maps
    monkeypatch.setattr(
        kept_maps, "write_maps", lambda *a, **k: (written.append(a[0]), write_maps(*a, **k))
    )
    writer, folder = SessionWriter(), tmp_path / "s"
    save(folder, galaxy, writer=writer)
    assert len(written) == 3
    edited = replace(galaxy, masks=masks(2))
    save(folder, edited, writer=writer)
    # A galaxy before it, and another folder: linked or copied.
    save(folder, SavedGalaxy("first"), edited, writer=writer)
    save(tmp_path / "other", edited, writer=writer)
    again = writer.open(tmp_path / "other").galaxy(0)
    save(tmp_path / "other", again, writer=writer)
    assert len(written) == 3
    assert_same(edited, open_session(folder).galaxy(1))
    assert_same(edited, open_session(tmp_path / "other").galaxy(0))
    # What is not named any more is gone.
    assert not list((folder / "galaxy-1").glob("*.fits"))
    # A file that somebody has spoilt is written anew.
    only(folder / "galaxy-2", "masks-*.fits").write_bytes(b"")
    save(folder, SavedGalaxy("first"), edited, writer=writer)
    assert_same(edited, open_session(folder).galaxy(1))


def test_galaxies_that_nobody_looked_at_stay(tmp_path, galaxy, monkeypatch):
    save(tmp_path / "a" / "s", SavedGalaxy("gone"), galaxy)
    opened = open_session(tmp_path / "a" / "s")
    unread = opened.galaxies[1]
    monkeypatch.setattr(kept_maps, "write_maps", None)
    save(tmp_path / "b" / "s", unread)
    save(tmp_path / "a" / "s", unread)
    for place in ("a", "b"):
        assert_same(galaxy, open_session(tmp_path / place / "s").galaxy(0))
    assert_same(galaxy, unread.read())  # though it is the first one now
    save(tmp_path / "a" / "s", SavedGalaxy("new"), unread, SavedGalaxy("last"))
    names = ["new", "NGC 309", "last"]
    assert [g.read().name for g in open_session(tmp_path / "a" / "s").galaxies] == names
    files = open_session(tmp_path / "b" / "s").galaxy(0).files
    assert files[0].relative == "../../images/w1.fits"


def test_the_session_before_is_whole_until_the_last_step(tmp_path, galaxy, monkeypatch):
    folder = tmp_path / "s"
    save(folder, galaxy)
    other = replace(galaxy, name="other", masks=masks(5), apertures=(), result=1)
    replace_file, steps, undo = Path.replace, [], write_session.PartWriter.undo

    def fails_at(number, how):
        def move(path, target):
            steps.append(target)
            if len(steps) == number:
                raise how
            return replace_file(path, target)

        return move

    number = 0
    while True:
        number += 1
        steps.clear()
        how = OSError(28, "No space left on device") if number % 2 else KeyboardInterrupt()
        monkeypatch.setattr(Path, "replace", fails_at(number, how))
        killed = number % 3 == 0  # nothing is tidied up
        monkeypatch.setattr(
            write_session.PartWriter, "undo", (lambda writer: None) if killed else undo
        )
        try:
            save(folder, other)
        except (InputError, KeyboardInterrupt) as error:
            assert isinstance(error, KeyboardInterrupt) or "disk is full" in str(error)
        else:
            break
        assert_same(galaxy, open_session(folder).galaxy(0))
    assert number >= 4  # the masks, the galaxy, session.toml
    assert_same(other, open_session(folder).galaxy(0))
    assert len(list(folder.rglob("*.*"))) == 10  # nothing else is left, of those killed neither


def test_a_job_that_is_stopped_leaves_nothing_new(tmp_path, galaxy):
    for folder in (tmp_path / "s", tmp_path / "new"):
        if folder.name == "s":
            save(folder, galaxy)
        before = parts(tmp_path)
        steps = SessionWriter().write(folder, Session((replace(galaxy, masks=masks(3)), galaxy)))
        next(steps)
        next(steps)
        steps.close()
        assert parts(tmp_path) == before


def test_what_a_killed_process_has_left_goes_with_the_next_session(tmp_path, galaxy):
    folder = tmp_path / "s"
    (folder / "galaxy-3").mkdir(parents=True)
    left = [
        folder / "galaxy-3" / "..maps-034a4c9e-94eb6928.fits",
        folder / "galaxy-3" / "masks-034a4c9e94eb6928.fits",
        folder / ".session-034a4c9e.toml",
    ]
    for path in left:
        path.write_text("half")
    save(folder, galaxy)
    assert not any(path.exists() for path in (*left, folder / "galaxy-3"))
    left[2].write_text("half")
    save(folder, galaxy)
    assert not left[2].exists()
    assert_same(galaxy, open_session(folder).galaxy(0))


def test_two_windows_may_save_to_one_folder(tmp_path, galaxy):
    folder = tmp_path / "s"
    save(folder, galaxy)
    errors = []

    def many(name):
        writer = SessionWriter()
        try:
            for seed in range(8):
                save(folder, replace(galaxy, name=name, masks=masks(seed)), writer=writer)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=many, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    opened = open_session(folder)
    assert_same(replace(galaxy, name=opened.galaxies[0].name, masks=masks(7)), opened.galaxy(0))
    assert len(list(folder.rglob("*.fits"))) == 4  # two results, a truth that is one, masks


# Damage ------------------------------------------------------------------------------------------


def damage(path, how):
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["missing", "cut", "one bit"])
@pytest.mark.parametrize(
    ("part", "words", "left_out"),
    [
        ("masks", "masks left out", {"masks": None}),
        ("apertures", "apertures left out", {"apertures": ()}),
        ("maps", "result 'first' left out", {"result": 0}),
        ("truth", "truth 'fit' left out", {}),
        ("recipe", "settings left out", {"recipe": Recipe()}),
    ],
)
def test_a_damaged_part_is_left_out_and_told(tmp_path, galaxy, part, words, left_out, how):
    folder = tmp_path / "s"
    one = replace(galaxy, results=galaxy.results[:1], recipe=Recipe().with_values(["grid.pixel=3"]))
    save(folder, one if part == "maps" else replace(one, results=galaxy.results[1:]))
    path = only(folder / "galaxy-1", f"{part}-*") if part != "recipe" else recipe_of(folder)
    damage(path, how)
    opened = open_session(folder)
    back = opened.galaxy(0)
    opened.galaxy(0)  # told once
    (problem,) = opened.problems
    assert problem.startswith(f"NGC 309: {words}. {path}")
    assert "does not exist" in problem if how == "missing" else "damaged" in problem
    for name, value in left_out.items():
        if name != "result":
            assert getattr(back, name) == value
    assert back.name == galaxy.name and back.view == galaxy.view
    assert len(back.results) == (part != "maps")
    assert back.result == len(back.results) - 1


def recipe_of(folder):
    """The file of the galaxy's settings."""
    entry = open_session(folder).galaxies[0].entry()
    return folder / entry.recipe.path


def test_a_damaged_galaxy_leaves_the_others_and_is_not_lost_by_saving(tmp_path, galaxy):
    folder = tmp_path / "s"
    save(folder, galaxy, SavedGalaxy("other"), window={"a": 1})
    damage(only(folder / "galaxy-1", "galaxy-*"), "one bit")
    damage(only(folder, "window-*"), "cut")
    opened = open_session(folder)
    with pytest.raises(InputError, match=r"galaxy-1.*is damaged"):
        opened.galaxy(0)
    assert opened.galaxy(1).name == "other"
    assert opened.window() == {}
    assert "How the window looked" in opened.problems[0]
    save(folder, *opened.galaxies)
    assert [g.name for g in open_session(folder).galaxies] == ["NGC 309", "other"]
    assert len(list((folder / "galaxy-1").glob("*.fits"))) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 2\nnew = true\n", r"newer version.*\(session version 2; this one reads 1\)"),
        ("version = [", "session.toml is damaged"),
        ("", "session.toml is damaged"),
        ("version = 1\nprogram = 3\n", "session.toml is damaged"),
        ("version = 1\ncurrent = true\n", "session.toml is damaged"),
        (None, "is no session"),
    ],
)
def test_what_is_no_session_of_this_version_is_refused(tmp_path, text, words):
    folder = tmp_path / "s"
    folder.mkdir()
    if text is not None:
        (folder / "session.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        open_session(folder)
    if text is not None:  # nor is it replaced
        with pytest.raises(InputError, match=words):
            save(folder, SavedGalaxy("x"))
        assert (folder / "session.toml").read_text() == text


@pytest.mark.parametrize("climbs", ["../secret.json", "/etc/passwd", "galaxy-1/../../secret.json"])
def test_parts_outside_of_the_folder_are_neither_read_nor_removed(tmp_path, climbs):
    folder, secret = tmp_path / "s", tmp_path / "secret.json"
    secret.write_text('{"a": 1}')
    save(folder, SavedGalaxy("x"), window={"a": 1})
    front = tomllib.loads((folder / "session.toml").read_text())
    data = secret.read_bytes()
    front["window"] = {
        "path": climbs, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
    }  # fmt: skip
    (folder / "session.toml").write_text(tomli_w.dumps(front))
    opened = open_session(folder)
    assert opened.window() == {}
    assert "is no file of this session's folder" in opened.problems[0]
    save(folder, *opened.galaxies)
    assert secret.exists()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    folder, secret = tmp_path / "s", tmp_path / "secret.json"
    save(folder, SavedGalaxy("x"), window={"a": 1})
    window = only(folder, "window-*")
    window.rename(secret)
    window.symlink_to(secret)
    opened = open_session(folder)
    assert opened.window() == {}
    assert "is no file of this session's folder" in opened.problems[0]


# The folder --------------------------------------------------------------------------------------


def test_a_folder_with_other_files_is_refused_and_stays(tmp_path, galaxy):
    folder = tmp_path / "images"
    with pytest.raises(InputError, match="other files, which are never replaced"):
        save(folder, galaxy)
    with pytest.raises(InputError, match="is a file"):
        save(folder / "w1.fits", galaxy)
    assert [path.name for path in folder.iterdir() if path.name != ".lock"] == ["w1.fits"]


def test_what_a_person_puts_into_the_folder_stays(tmp_path, galaxy):
    folder = tmp_path / "s"
    folder.mkdir()
    save(folder, galaxy)
    (folder / "galaxy-1" / "notes.txt").write_text("mine")
    save(folder)
    assert [p.name for p in (folder / "galaxy-1").iterdir()] == ["notes.txt"]
    assert open_session(folder).galaxies == ()


def test_a_part_that_is_open_as_an_image_is_not_removed(tmp_path, galaxy):
    folder = tmp_path / "s"
    save(folder, galaxy)
    path = only(folder, "galaxy-1/truth-*.fits")

    class Window:
        def reads(self, place):
            return place == path

    window = Window()
    readers.add(window)
    save(folder)
    assert list(folder.rglob("*.fits")) == [path]


def test_a_folder_that_is_being_saved_to_is_told(tmp_path, galaxy, monkeypatch):
    monkeypatch.setattr(write_session, "_WAIT", 0)
    save(tmp_path / "s", galaxy)
    steps = SessionWriter().write(tmp_path / "s", Session((galaxy,)))
    next(steps)
    with pytest.raises(InputError, match="is being saved by another window"):
        save(tmp_path / "s", galaxy)
    run_to_end(steps)
    assert_same(galaxy, open_session(tmp_path / "s").galaxy(0))


# Images ------------------------------------------------------------------------------------------


def test_images_that_moved_with_the_session_are_found(tmp_path, galaxy):
    home = tmp_path / "home"
    shutil.move(tmp_path / "images", home / "images")
    file = Checksums().saved_file(home / "images" / "w1.fits")
    save(home / "s", replace(galaxy, files=(file,)))
    shutil.move(home, tmp_path / "elsewhere")
    folder = tmp_path / "elsewhere" / "s"
    files = open_session(folder).galaxy(0).files
    moved = tmp_path / "elsewhere" / "images" / "w1.fits"
    found = find_images(files, folder)
    assert (found.found, found.missing, found.changed) == ({file: moved}, (), ())
    # The session alone has moved.
    alone = tmp_path / "alone" / "deep" / "s"
    shutil.copytree(folder, alone)
    assert find_images(files, alone).missing == (file,)
    shutil.copytree(tmp_path / "elsewhere", home)
    assert find_images(files, alone).found == {file: home / "images" / "w1.fits"}


@pytest.mark.parametrize("text", [b"SIMPLF", b"longer than before"])
def test_images_that_changed_or_are_gone_are_told(tmp_path, galaxy, text):
    save(tmp_path / "s", galaxy)
    (file,) = open_session(tmp_path / "s").galaxy(0).files
    file.path.write_bytes(text)
    found = find_images([file, file], tmp_path / "s")
    assert (found.found, found.missing, found.changed) == ({file: file.path}, (), (file,))
    file.path.unlink()
    assert find_images([file], tmp_path / "s").missing == (file,)
    # A person names a folder: the same contents under another name come before the same name.
    other = tmp_path / "named" / "below"
    other.mkdir(parents=True)
    assert found_in(tmp_path / "named", [file]).missing == (file,)
    (other / "w1.fits").write_bytes(text)
    found = found_in(tmp_path / "named", [file])
    assert (found.found, found.changed) == ({file: other / "w1.fits"}, (file,))
    (other / "renamed.fits").write_bytes(b"SIMPLE")
    found = found_in(tmp_path / "named", [file])
    assert (found.found, found.missing, found.changed) == ({file: other / "renamed.fits"}, (), ())


def test_a_file_is_read_once_for_its_checksum(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    checksums = Checksums()
    first = checksums.saved_file(path)
    monkeypatch.setattr("napari_galaxy_maps.plugin.session.found_images.sha256", lambda p: "new")
    assert checksums.saved_file(path) == first
    path.write_bytes(b"22")
    assert checksums.saved_file(path).checksum == "new"
    assert checksums.saved_file(tmp_path / "none").checksum == ""
