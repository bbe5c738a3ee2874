"""napari opens and saves through the manifest: files, folders, maps; nothing is ever half
written.
"""

from pathlib import Path

import npe2
import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
from napari_galaxy_maps.plugin.ground.layer_specs import METADATA_KEY, map_specs
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.manifest import readers, writers

from ..conftest import tan_wcs, write_image
from .conftest import idle, start_over, take_maps, wait_for

PLUGIN = "napari-galaxy-maps"


@pytest.fixture(scope="module", autouse=True)
def _plugins_are_known():
    """napari finds what is installed, this plugin with it."""
    npe2.PluginManager.instance().discover()


@pytest.fixture
def as_layers(maps):
    """The maps as npe2 hands layers to a writer."""
    return [(s.data, s.arguments(), "image") for s in map_specs(maps, (150.0, 2.0), "NGC 309")]


def test_the_manifest_is_valid_and_every_command_exists():
    manifest = npe2.PluginManifest.from_distribution(PLUGIN)
    manifest.validate_imports()
    assert {w.display_name for w in manifest.contributions.widgets} == {
        "All panels",
        *panels.PANELS,
        *panels.MORE,
    }


def test_a_file_opens_as_a_layer_on_the_sky(galaxy_folder):
    folder = galaxy_folder({"WISE_3.4": 30.0})
    (path,) = folder.iterdir()
    ((data, attributes, kind),) = npe2.read([str(path)], stack=False, plugin_name=PLUGIN)
    assert kind == "image" and attributes["name"] == "WISE_3.4"
    assert data.dtype == np.float32 and data.dtype.isnative
    assert attributes["units"] == ("arcsec", "arcsec")
    assert attributes["metadata"][METADATA_KEY].content.band.name == "WISE_3.4"


@pytest.mark.parametrize("name", ["truth.fits", "who holds maps of it.fits"])
def test_maps_beside_images_open_too_whatever_their_file_is_called(galaxy_folder, maps, name):
    folder = galaxy_folder({"WISE_3.4": 30.0})
    write_maps(folder / name, maps)
    found = npe2.read([str(folder)], stack=False, plugin_name=PLUGIN)
    contents = {attributes["metadata"][METADATA_KEY].key.source for _, attributes, _ in found}
    assert contents == {"", name}, "the image, and the maps of this file"


def test_a_folder_opens_with_its_bands_over_each_other(galaxy_folder):
    folder = galaxy_folder({"2MASS_J": 20.0, "WISE_3.4": 30.0, "WISE_12": 10.0})
    found = npe2.read([str(folder)], stack=False, plugin_name=PLUGIN)
    brightest = []
    for data, attributes, _ in found:
        row, column = np.unravel_index(np.argmax(data), data.shape)
        brightest.append((attributes["affine"] @ [row, column, 1])[:2])
    assert len(found) == 3
    assert np.ptp(brightest, axis=0).max() < 2.1, "the nucleus within a pixel, in arcsec"
    assert [a["visible"] for _, a, _ in found].count(True) == 1


def test_a_maps_file_opens_as_property_layers(tmp_path, maps):
    write_maps(tmp_path / "maps.fits", maps)
    found = npe2.read([str(tmp_path / "maps.fits")], stack=False, plugin_name=PLUGIN)
    names = [attributes["name"] for _, attributes, _ in found]
    assert names == [
        f"{name} truth{kind} maps.fits" for kind in (" uncertainty", "") for name in maps.values
    ]


def test_what_is_not_ours_is_left_to_others(tmp_path):
    (tmp_path / "a.tif").touch()
    assert readers.get_reader(str(tmp_path / "a.tif")) is None
    assert readers.get_reader(str(tmp_path)) is None
    assert readers.get_reader([]) is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("empty.fits", b"", "is empty"), ("text.fits", b"no FITS at all", "not a FITS file")],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        readers.read_now([tmp_path / name], None)
    assert name in str(error.value)


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        Path, "iterdir", refuse
    )  # root, who runs many containers, may read everything
    assert readers.get_reader(str(tmp_path)) is not None
    with pytest.raises(InputError, match="may not be read"):
        readers.read_now([tmp_path], None)


def test_an_image_of_unknown_unit_is_asked_about(tmp_path):
    path = write_image(
        tmp_path / "galaxy_WISE_3.4.fits", np.ones((20, 20), "f4"), tan_wcs((20, 20), 2)
    )
    with pytest.raises(InputError, match=r"[Ww]hich unit"):
        readers.read_now([path], None)


# Writing -----------------------------------------------------------------------------------------


def test_maps_are_saved_whole_with_errors_flags_and_origin(tmp_path, maps, as_layers):
    path = str(tmp_path / "out.fits")
    assert npe2.write(path, as_layers, plugin_name=PLUGIN) == [path]
    back = read_maps(path)
    assert set(back.values) == set(maps.values)
    for name in maps.values:
        assert np.array_equal(back.values[name], maps.values[name], equal_nan=True)
        assert np.allclose(back.errors[name], maps.errors[name])
    assert np.array_equal(back.flags, maps.flags)
    assert back.provenance["recipe"].strip() == maps.provenance["recipe"].strip()


def test_a_failed_save_leaves_the_old_file_as_it_was(tmp_path, maps, as_layers, monkeypatch):
    path = tmp_path / "out.fits"
    path.write_text("precious")
    from astropy.io import fits

    def full_disk(self, name, *args, **keywords):
        with Path(name).open("wb") as stream:
            stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits.HDUList, "writeto", full_disk)
    with pytest.raises((InputError, OSError)):
        writers.write_maps(str(path), as_layers)
    assert path.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["out.fits"]


def test_saving_no_maps_is_told(tmp_path):
    with pytest.raises(InputError, match="None of the layers"):
        writers.write_maps(str(tmp_path / "out.fits"), [(np.zeros((3, 3)), {"name": "a"}, "image")])
    assert not list(tmp_path.iterdir())


@pytest.mark.window
def test_an_image_that_is_open_is_never_saved_over(
    workspace, qtbot, notifications, galaxy_folder, maps
):
    folder = galaxy_folder({"WISE_3.4": 30.0})
    (image,) = folder.iterdir()
    before = image.read_bytes()
    workspace.opener.add_paths([folder])
    wait_for(qtbot, lambda: workspace.project.galaxy is not None and idle(workspace))
    take_maps(workspace, maps)
    link = folder.parent / "link.fits"
    link.symlink_to(image)
    for path in (image, link):
        workspace.saver.save(str(path))
        wait_for(qtbot, lambda: idle(workspace))
    assert image.read_bytes() == before
    assert sum("is one of the inputs" in str(n.message) for n in notifications) == 2
    workspace.saver.save(str(folder / "maps.fits"))
    wait_for(qtbot, lambda: idle(workspace) and (folder / "maps.fits").exists())
    start_over(workspace)
    with pytest.raises(InputError, match="is there already"):  # nobody reads it now
        write_maps(image, maps)


def test_a_folder_of_names_that_begin_with_a_dot_is_not_the_plugins(tmp_path):
    (tmp_path / ".maps-0123abcd.fits").write_text("")
    assert readers.get_reader(str(tmp_path)) is None
