"""Several galaxies in one viewer, several results of one: what goes where, what is kept, and what
comes back. No window.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.plugin.canvas.map_views import key_of
from napari_galaxy_maps.plugin.canvas.shown_galaxy import ShownGalaxy
from napari_galaxy_maps.plugin.canvas.side_by_side import Side, extent_of, placed
from napari_galaxy_maps.plugin.eventloop.worker import Job, JobRunner
from napari_galaxy_maps.plugin.ground.layer_specs import Key, image_spec, map_specs
from napari_galaxy_maps.plugin.ground.put_aside import state_of, take_state
from napari_galaxy_maps.plugin.jobs import open_galaxies
from napari_galaxy_maps.plugin.jobs.open_files import FileOpener
from napari_galaxy_maps.plugin.jobs.saved_states import draft_of, restore_steps, saved_galaxy
from napari_galaxy_maps.plugin.manifest import readers
from napari_galaxy_maps.plugin.session.found_images import Checksums
from napari_galaxy_maps.plugin.state.entries import entries_of, with_entries
from napari_galaxy_maps.plugin.state.galaxy_work import GalaxyWork
from napari_galaxy_maps.plugin.state.mask_history import MaskWork
from napari_galaxy_maps.plugin.state.opened_files import ImageFiles
from napari_galaxy_maps.plugin.state.places import Field
from napari_galaxy_maps.plugin.state.results import (
    Result,
    changed_settings,
    free_label,
    inputs_of,
    is_prediction,
    result_of_file,
)
from napari_galaxy_maps.plugin.state.sparing import nbytes_of, spare
from napari_galaxy_maps.plugin.widgets.short_names import shortened
from napari_galaxy_maps.plugin.workspace import Workspace
from napari_galaxy_maps.prepare.masks.mask_edits import alike
from napari_galaxy_maps.prepare.masks.mask_set import Masks, Patch
from napari_galaxy_maps.prepare.stars.star_list import Star
from napari_galaxy_maps.progress import run_to_end

from ..conftest import tan_wcs, write_image
from .conftest import take_maps

UNIT = {"BUNIT": "MJy/sr"}


@pytest.fixture
def model():
    """A viewer without a window, held as long as the test lasts."""
    return ViewerModel()


@pytest.fixture
def own(model, monkeypatch):
    """Its workspace, in which a script reads what it opens: nothing is read in a thread."""
    monkeypatch.setattr(FileOpener, "load", lambda _: None)
    return Workspace(model)


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of images of some bands at a place on the sky."""

    def make(name, *bands, ra=150.0, dec=2.0, size=24):
        where = tmp_path / name
        where.mkdir(exist_ok=True)
        data = np.random.default_rng(len(name)).normal(5, 1, (size, size)).astype("f4")
        for band in bands:
            wcs = tan_wcs(data.shape, 2.0, ra=ra, dec=dec)
            write_image(where / f"{name}_{band}.fits", data, wcs, **UNIT)
        return where

    return make


def open_in(own, *paths):
    return readers.read_now(list(paths), own)


def bands_of(own, galaxy):
    work = own.galaxies.work_of(galaxy)
    return sorted(file.band.name for file in work.files.found)


# Where files go ----------------------------------------------------------------------------------


def test_another_place_on_the_sky_is_another_galaxy_even_in_one_folder(own, folder):
    open_in(own, folder("a", "2MASS_J", "WISE_3.4"))
    open_in(own, folder("b", "2MASS_J", ra=210.0))
    assert len(own.galaxies.all) == 2 and own.project.files.found[0].path.parent.name == "b"
    first = own.galaxies.all[0]
    assert bands_of(own, first) == ["2MASS_J", "WISE_3.4"], "nothing vanished"
    mixed = folder("c", "2MASS_J", ra=20.0)
    folder("c", "WISE_3.4", ra=80.0)
    open_in(own, mixed)
    assert len(own.galaxies.all) == 4


def test_another_folder_is_another_galaxy_unless_a_person_adds_it(own, folder):
    open_in(own, folder("a", "2MASS_J"))
    open_in(own, folder("again", "2MASS_J"))
    assert [own.galaxies.title(galaxy) for galaxy in own.galaxies.all] == ["a", "again"]
    # A file of the same folder belongs to what is open, whichever is looked at.
    own.galaxies.switch(own.galaxies.all[0])
    open_in(own, folder("again", "WISE_3.4") / "again_WISE_3.4.fits")
    assert own.galaxies.current is own.galaxies.all[1]
    assert bands_of(own, own.galaxies.current) == ["2MASS_J", "WISE_3.4"]


def test_two_folders_at_once_become_two_where_they_hold_the_same_band(own, folder):
    open_in(own, folder("a", "2MASS_J"), folder("b", "2MASS_J"))
    assert len(own.galaxies.all) == 2
    other = Workspace(ViewerModel())
    open_in(other, folder("uv", "GALEX_NUV", ra=9.0), folder("ir", "WISE_3.4", ra=9.0))
    assert len(other.galaxies.all) == 1, "two surveys of one place are one galaxy"


def test_what_is_not_read_is_told_at_its_own_galaxy(own, folder):
    a, b = folder("a", "2MASS_J"), folder("b", "WISE_3.4", ra=9.0)
    for where in (a, b):
        with fits.open(next(where.iterdir()), mode="append") as hdus:
            hdus.append(fits.BinTableHDU.from_columns([fits.Column("x", "J", array=[1])]))
    open_in(own, a, b)
    for galaxy, name in zip(own.galaxies.all, ("a_2MASS_J", "b_WISE_3.4"), strict=True):
        told = own.galaxies.work_of(galaxy).files.skipped
        assert len(told) == 1 and told[0].startswith(name), told


@given(
    st.floats(0, 360),
    st.floats(-89, 89),
    st.floats(0.01, 1),
    st.floats(0, 360),
    st.floats(-89, 89),
    st.floats(0.01, 1),
)
def test_fields_touch_as_astropy_has_it(ra, dec, radius, ra2, dec2, radius2):
    from astropy.coordinates import SkyCoord

    one, other = Field(ra, dec, radius), Field(ra2, dec2, radius2)
    apart = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(ra2, dec2, unit="deg")).deg
    assert one.touches(other) == other.touches(one)
    if abs(apart - radius - radius2) > 1e-6:
        assert one.touches(other) == (apart < radius + radius2)


# Put aside and taken up --------------------------------------------------------------------------


def test_each_galaxy_keeps_what_was_done_to_it(own, model, folder, maps):
    open_in(own, folder("a", "2MASS_J", "WISE_3.4"))
    first = own.galaxies.current
    own.project.set_recipe("galaxy", distance=12.0)
    own.masks.edit("a star", added=[Star("s", 150.0, 2.0, 12.0, "hand", {"WISE_3.4": 5.0})])
    own.masks.look_at("WISE_3.4")
    take_maps(own, maps)
    own.views.show_result()
    own.views.look("T_DUST", "error")
    visible = {layer.name for layer in model.layers if layer.visible}
    second = own.galaxies.begin()
    assert own.galaxies.current is second and own.project.is_empty
    assert own.project.recipe == Recipe() and own.masks.now is None and own.masks.band == ""
    assert not any(layer.visible for layer in model.layers if isinstance(layer, Image))
    assert own.galaxies.begin() is second, "an empty one is enough"
    own.galaxies.switch(first)
    assert own.project.recipe.galaxy.distance == 12.0 and own.masks.band == "WISE_3.4"
    assert [star.id for star in own.masks.now.stars] == ["s"]
    assert {layer.name for layer in model.layers if layer.visible} == visible
    assert own.views.looked_at == ("T_DUST", "error")
    own.masks.undo()
    assert own.masks.now is None, "its history came along"


def test_images_that_are_dropped_and_layers_that_are_gone_come_back(
    own, model, folder, maps, monkeypatch
):
    monkeypatch.setattr(open_galaxies, "KEPT_BYTES", 0)
    for number in range(3):
        open_in(own, folder(f"g{number}", "2MASS_J", "WISE_3.4", ra=10.0 + 40 * number))
    for galaxy in own.galaxies.all[:2]:
        work = own.galaxies.work_of(galaxy)
        assert work.galaxy is None and not work.files.any_read and len(work.files.found) == 2
        assert nbytes_of(work) == 0 and not spare(work)
    assert nbytes_of(own.project) >= 2 * 24 * 24 * 4


def test_closing_takes_the_layers_and_leaves_one_to_look_at(own, model, folder):
    open_in(own, folder("a", "2MASS_J"))
    for data, attributes, _ in open_in(own, folder("b", "WISE_3.4", ra=9.0)):
        model.add_image(data, **attributes)
    first, second = own.galaxies.all
    own.galaxies.close(second)
    assert own.galaxies.all == [first] and own.galaxies.current is first
    assert not any(layer.name.startswith("WISE_3.4") for layer in model.layers)
    own.galaxies.close(first)
    assert len(own.galaxies.all) == 1 and own.project.is_empty and not model.layers


def test_no_image_of_any_open_galaxy_is_saved_over(own, folder):
    from napari_galaxy_maps.exceptions import InputError
    from napari_galaxy_maps.fits_io.safe_writing import check_output

    a = folder("a", "2MASS_J")
    open_in(own, a)
    open_in(own, folder("b", "2MASS_J", ra=9.0))
    with pytest.raises(InputError, match="one of the inputs"):
        check_output(a / "a_2MASS_J.fits", overwrite=True)


def test_what_a_job_brings_waits_for_its_galaxy():
    runner, got = JobRunner(), []
    one, other = object(), object()
    runner.enter(one)
    job = Job("Predicting", one)
    runner._bring(job, lambda: got.append("now"))
    runner.enter(other)
    runner._bring(job, lambda: got.append("later"))
    assert got == ["now"]
    runner.enter(one)
    assert got == ["now", "later"]
    runner.enter(other)
    runner._bring(job, lambda: got.append("never"))
    runner.leave(one)
    runner.enter(one)
    assert got == ["now", "later"]


def test_a_state_is_put_aside_without_copying():
    work = MaskWork(band="WISE_3.4")
    state = state_of(work, MaskWork)
    take_state(work, MaskWork())
    assert work.band == "" and state.band == "WISE_3.4"
    take_state(work, state)
    assert work.history is state.history


# Results -----------------------------------------------------------------------------------------


def test_a_file_of_a_prediction_is_a_result_and_other_maps_are_a_truth(own, maps, tmp_path):
    from napari_galaxy_maps.fits_io.map_files import write_maps

    made = replace(maps, provenance={**maps.provenance, "model_hash": "0" * 64})
    write_maps(tmp_path / "made.fits", made)
    write_maps(tmp_path / "truth.fits", replace(maps, provenance={}))
    assert is_prediction(made) and not is_prediction(maps)
    open_in(own, tmp_path / "made.fits")
    open_in(own, tmp_path / "truth.fits")
    assert [result.label for result in own.project.results] == ["dust-forest"]
    assert own.project.result.saved and own.project.result.opened
    assert list(own.project.truths) == ["truth.fits"]


def test_settings_that_make_other_maps_are_named(maps):
    result = Result("dust-forest", maps, Recipe(), {"WISE_3.4": "1", "2MASS_J": "2"})
    now = {"WISE_3.4": "1", "2MASS_J": "2"}
    recipe = Recipe()
    recipe.model.name, recipe.model.prior, recipe.model.members = "stellar-unet", "wide", 8
    recipe.galaxy.name = "NGC 309"
    assert result.differences(recipe, now) == []
    recipe.galaxy.redshift = 0.02
    recipe.psf.target = "18"
    assert changed_settings(Recipe(), recipe) == ["redshift", "target"]
    for other in ({"WISE_3.4": "1"}, {**now, "WISE_3.4": "9"}, {**now, "WISE_12": "3"}):
        assert result.differences(Recipe(), other) == ["images"]
    assert result.differences(Recipe(), {}) == [], "while no image is open nobody knows"
    opened = replace_opened(result)
    assert opened.differences(Recipe(), {**now, "PACS_70": "4"}) == []


def replace_opened(result):
    return Result(result.label, result.maps, result.recipe, result.inputs, opened=True)


def test_labels_are_told_apart_and_a_file_says_its_inputs(maps):
    results = [Result("dust-forest", maps, Recipe())]
    assert free_label("stellar-unet", results) == "stellar-unet"
    assert free_label("dust-forest", results) == "dust-forest 2"
    told = {"WISE_3.4": "w1.fits [DN] sha256 abc", "catalogue": "gaia.ecsv sha256 def", "x": "?"}
    known = replace(maps, provenance={**maps.provenance, "inputs": told})
    assert inputs_of(known) == {"WISE_3.4": "abc"}
    assert result_of_file("maps.fits", known).label == "dust-forest"
    wide = replace(maps, provenance={"model": "stellar-unet", "prior": "wide", "members": "1"})
    assert result_of_file("maps.fits", wide).label == "stellar-unet wide"
    wide.provenance["members"] = "8"
    assert result_of_file("maps.fits", wide).label == "stellar-unet wide, 8 members"
    damaged = replace(maps, provenance={"recipe": "no [toml", "inputs": 3})
    assert result_of_file("my maps.fits", damaged).label == "my maps"


@pytest.mark.parametrize(("setting", "other"), [("prior", "wide"), ("members", 2)])
def test_results_of_two_priors_stand_beside_each_other(own, maps, setting, other):
    recipe = Recipe(model={"name": "stellar-unet"})
    result = own.project.add_result(Result("stellar-unet", maps, recipe))
    asked = recipe.model_copy(deep=True)
    assert own.project.result_like(asked) is result
    setattr(asked.model, setting, other)
    assert own.project.result_like(asked) is None


def test_two_are_side_by_side_in_the_same_colours(maps):
    other = replace(maps, values={name: plane + 1 for name, plane in maps.values.items()})
    sides = [
        Side(name, map_specs(content, (150.0, 2.0), names=["T_DUST"]))
        for name, content in (("first", maps), ("second", other))
    ]
    left, right = placed(*sides)
    assert left.limits == right.limits == (sides[0].specs[0].limits[0], sides[1].specs[0].limits[1])
    (_, start), (_, end) = extent_of(left)
    (_, start2), _ = extent_of(right)
    assert start < end < start2, "beside each other, without touching"
    assert left.key != right.key and "left: first, right: second" in right.shown.caption
    again = placed(*reversed(sides))
    assert [spec.name for spec in again] == ["T_DUST left: second", "T_DUST right: first"]


def test_masks_are_alike_whatever_they_are_made_of():
    star = Star("1", 150.0, 2.0, float("nan"), "gaia", {"WISE_3.4": 5.0})
    wcs = tan_wcs((4, 4), 2.0)
    one = Masks((star,), (Patch(np.eye(4, dtype=bool), wcs),))
    twin = Masks((replace(star),), (Patch(np.eye(4, dtype=bool), wcs),))
    assert alike(one, twin) and alike(None, None) and not alike(one, None)
    assert not alike(one, Masks((replace(star, radii={"WISE_3.4": 6.0}),), one.patches))
    assert not alike(one, Masks((star,), (Patch(~np.eye(4, dtype=bool), wcs),)))


# Undo of what was entered ------------------------------------------------------------------------


def test_undo_takes_back_fields_answers_and_files(own, folder):
    open_in(own, folder("a", "2MASS_J", "WISE_3.4"))
    project = own.project
    project.set_recipe("galaxy", name="NGC 309")
    project.set_recipe("input", units={"2MASS_J": "Jy/pix"})
    own.opener.remove(["a_WISE_3.4.fits"])
    assert len(project.files.found) == 1 and "a_WISE_3.4.fits" in project.edits.undoes
    project.undo()
    assert len(project.files.found) == 2 and project.recipe.input.units
    project.undo()
    project.undo()
    assert project.name == "" and not project.recipe.input.units
    project.redo()
    assert project.name == "NGC 309"
    project.undo()
    project.undo()
    assert not project.files.found, "and the opening itself"
    project.redo()
    assert len(project.files.found) == 2


def test_other_sections_stay_when_entries_are_taken_back():
    recipe, files = Recipe(), ImageFiles()
    before = entries_of(recipe, files)
    recipe.galaxy.distance, recipe.sky.order = 3.0, 2
    back = with_entries(recipe, before)
    assert back.galaxy.distance is None and back.sky.order == 2
    assert recipe.galaxy.distance == 3.0, "what was there is not changed"
    assert before.same_as(entries_of(Recipe(), ImageFiles()))


# Sessions ----------------------------------------------------------------------------------------


def test_a_galaxy_of_a_session_is_as_it_was(own, model, folder, maps, tmp_path):
    for data, attributes, _ in open_in(own, folder("a", "2MASS_J", "WISE_3.4")):
        model.add_image(data, **attributes)
    result = take_maps(own, maps)
    own.views.show_result()
    own.views.look("T_DUST", "error")
    layer = own.layers.layer(key_of(result, "T_DUST"))
    layer.contrast_limits, layer.name = (0.1, 0.2), "mine"
    own.masks.edit("a star", added=[Star("s", 150.0, 2.0, 12.0, "hand", {"WISE_3.4": 5.0})])
    result.masks = own.masks.now
    gone = own.project.files.found[0].path
    states = {name: own.galaxies.state(own.galaxies.current, name) for name in ("masks", "d25")}
    draft = draft_of("a", own.project, states | {"layers": own.layers.state_now()})
    gone.rename(gone.with_suffix(".gone"))
    saved = saved_galaxy(draft, Checksums())
    assert len(saved.files) == 1, "what is not there any more is none of its files"
    restored = run_to_end(restore_steps(saved, tmp_path, Checksums())).states
    work = restored["project"]
    assert [file.label for file in work.files.found] == ["a_WISE_3.4.fits"]
    (back,) = work.results
    assert back.maps is maps and back.masks is restored["masks"].history.now
    shown = restored["layers"]
    key = key_of(back, "T_DUST")
    assert shown.visible[key] == "error" and shown.own_names[key] == "mine"
    assert shown.colours[key, "error"][0] == (0.1, 0.2)
    assert (Key("image", "WISE_3.4") in shown.visible) == (
        own.layers.layer(Key("image", "WISE_3.4")).visible
    )


def test_a_view_that_says_nonsense_restores_the_rest(tmp_path):
    from napari_galaxy_maps.plugin.session.saved_galaxy import SavedFile, SavedGalaxy

    lost = SavedFile(Path("/nowhere/a.fits"), "0" * 64, 10)
    saved = SavedGalaxy("a", files=(lost,), view={"visible": [["map", "X", "result 9", "", "map"]]})
    restored = run_to_end(restore_steps(saved, tmp_path, Checksums()))
    work = restored.states["project"]
    assert work.missing == (lost,) and work.is_empty and work.result is None
    assert isinstance(restored.states["layers"], ShownGalaxy)


def test_images_show_where_their_galaxy_was_left(own, model, image):
    """A layer that is shown anew takes the name and the colours that it had."""
    picture = image()
    spec = image_spec(picture, own.project.place(picture))
    layer = own.layers.show(spec)
    layer.name, layer.contrast_limits = "mine", (0.0, 3.0)
    own.layers.clear()
    assert not model.layers
    again = own.layers.show(spec)
    assert again.name == "mine" and tuple(again.contrast_limits) == (0.0, 3.0)


@given(st.lists(st.text("ab1_", min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
def test_no_two_files_look_the_same(names):
    short = shortened(names, lambda name: name if len(name) < 6 else f"{name[:2]}…{name[-2:]}")
    assert len(set(short)) == len(names)
    assert all(text == name for text, name in zip(short, names, strict=True) if len(name) < 4)


def test_the_part_that_differs_is_shown():
    names = [f"0138m107_ac51-w{n}-{kind}-3_ra14.1" for n in (1, 2) for kind in ("int", "unc")]
    short = shortened(names, lambda name: name if len(name) < 13 else f"{name[:6]}…{name[-4:]}")
    assert short == ["…1-int…", "…1-unc…", "…2-int…", "…2-unc…"]


def test_an_empty_galaxy_takes_no_memory():
    assert nbytes_of(GalaxyWork()) == 0
