"""What comes with the program beside its code is found, or said to be missing."""

import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.plugin.ground import package_files
from napari_galaxy_maps.plugin.ground.package_files import folder_with
from napari_galaxy_maps.plugin.manifest.samples import sample_folder
from napari_galaxy_maps.plugin.widgets.help_window import docs_folder


def test_pages_and_sample_galaxies_are_found():
    assert (docs_folder() / "index.md").is_file()
    assert sample_folder("early-type").is_dir()


def test_the_installed_package_comes_before_the_repository(tmp_path, monkeypatch):
    package = tmp_path / "src" / "package"
    monkeypatch.setattr(package_files, "__file__", str(package / "plugin" / "ground" / "x.py"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").touch()
    assert docs_folder() == tmp_path / "docs"
    (package / "docs").mkdir(parents=True)
    assert docs_folder() == tmp_path / "docs", "a folder without what is looked for is another's"
    (package / "docs" / "index.md").touch()
    assert docs_folder() == package / "docs"
    with pytest.raises(InputError, match="sample galaxies are not in this installation"):
        sample_folder()


def test_what_is_missing_is_said():
    with pytest.raises(InputError, match="The pictures are not in this installation; install"):
        folder_with("nowhere", "at-all", "The pictures are")
