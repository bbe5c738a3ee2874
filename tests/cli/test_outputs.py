"""No output replaces an input, and what is bound to fail is refused before the work.

Of `cli.outputs`.
"""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from tests.conftest import tan_wcs, write_image

BANDS = {"WISE_3.4": 5.0, "2MASS_J": 9.0, "2MASS_Ks": 9.0, "SDSS_r": 3.0}
GALAXY = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--distance", "10", "--name", "NGC 0"]


@pytest.fixture
def folder(galaxy_folder):
    """The images of a round galaxy in `BANDS`."""
    return galaxy_folder(BANDS)


@pytest.fixture
def image(folder):
    """One of the images."""
    return sorted(folder.glob("*.fits"))[0]


def contents(*folders):
    """The bytes of all files."""
    return {p: p.read_bytes() for f in folders for p in sorted(f.rglob("*")) if p.is_file()}


def refused(capsys, *arguments, why="is one of the inputs, which are never replaced"):
    """That a command is refused before the work, in one line."""
    assert main([*map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1, said


@pytest.mark.parametrize("command", ["prepare", "predict", "truth", "attenuation"])
def test_an_image_is_never_replaced(folder, image, capsys, command, tmp_path, monkeypatch):
    """Whatever name it is given, in the folder that is read or by itself."""
    before = contents(folder)
    (tmp_path / "link.fits").symlink_to(image)
    os.link(image, tmp_path / "hard.fits")
    monkeypatch.chdir(folder.parent)
    relative = f"./{folder.name}/../{folder.name}/{image.name}"
    for out in (image, relative, tmp_path / "link.fits", tmp_path / "hard.fits"):
        refused(capsys, command, image, *GALAXY, "--out", out, "--overwrite")
    for out in (image, relative, tmp_path / "link.fits"):
        refused(capsys, command, folder, *GALAXY, "--out", out, "--overwrite")
    assert contents(folder) == before


def test_no_file_that_an_option_or_a_recipe_names_is_replaced(folder, capsys, tmp_path):
    named = {name: tmp_path / name for name in ("a.fits", "b.fits", "c.fits", "d.fits")}
    for path in named.values():
        fits.PrimaryHDU(np.ones((5, 5))).writeto(path)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[psf.kernels]\n"WISE_3.4" = "c.fits"\n[reddening]\nmap = "d.fits"\n')
    before = contents(tmp_path)
    for out, *options in (
        (named["a.fits"], "--psf", f"WISE_3.4={named['a.fits']}"),
        (named["a.fits"], "--kernel", f"WISE_3.4={named['a.fits']}"),
        (named["b.fits"], "--truth", named["b.fits"]),
        (named["b.fits"], "--stars", named["b.fits"]),
        (named["b.fits"], "--table", named["b.fits"]),
        (named["b.fits"], "--mask", named["b.fits"]),
        (named["b.fits"], "--set", f'reddening.map="{named["b.fits"]}"'),
        (named["c.fits"], "--recipe", recipe),
        (named["d.fits"], "--recipe", recipe),
    ):
        refused(capsys, "predict", folder, "--out", out, "--overwrite", *options)
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_an_earlier_result_in_the_folder_of_images_may_be_replaced(folder, tmp_path):
    arguments = ["prepare", str(folder), *GALAXY, "--quiet", "--out", str(folder / "cube.fits")]
    assert main(arguments) == 0
    first = (folder / "cube.fits").stat().st_ino
    assert main(arguments) == 2
    assert main([*arguments, "--overwrite"]) == 0
    assert (folder / "cube.fits").stat().st_ino != first


def test_tables_figures_and_folders_are_kept_apart(folder, capsys, tmp_path):
    table, figure = tmp_path / "table.csv", tmp_path / "table.png"
    table.write_text("x")
    figure.symlink_to(table)
    profile = ["profile", folder, "--ellipse", "150,2,30,30,0", "--overwrite"]
    refused(capsys, *profile, "--out", table, "--figure", figure, why="is named for two outputs")
    refused(capsys, "measure", table, "--ellipse", "150,2,30,30,0", "--out", table, "--overwrite")
    train = ["train", "dust-forest", "--data", tmp_path, "--hatlas", tmp_path, "--out", tmp_path]
    refused(capsys, *train, why="is one of the inputs; choose another folder")


def test_what_is_bound_to_fail_is_refused_before_the_work(folder, capsys, tmp_path, monkeypatch):
    def work(*_, **__):
        raise AssertionError("the work began")

    monkeypatch.setattr("napari_galaxy_maps.fits_io.galaxies.read_galaxy_steps", work)
    (tmp_path / "file").write_text("")
    for out, why in (
        (tmp_path / "maps.txt", r".fits.bz2"),
        (folder, "has to be named .fits"),
        (tmp_path / "file" / "maps.fits", "lies in a file, not a folder"),
        (tmp_path / f"{'n' * 300}.fits", "has too long a name"),
    ):
        refused(capsys, "prepare", folder, *GALAXY, "--out", out, "--overwrite", why=why)
    (tmp_path / "folder.fits").mkdir()
    refused(
        capsys, "prepare", folder, "--out", tmp_path / "folder.fits", "--overwrite",
        why="is a folder; give the name of a file",
    )  # fmt: skip
    refused(
        capsys, "mock", "--seed", "1", "--out", tmp_path / "file",
        why="is a file; give the name of a folder",
    )  # fmt: skip


def test_names_that_begin_with_a_dot_are_no_images(folder, capsys):
    shutil.copy(next(folder.glob("*J.fits")), folder / ".maps-0123abcd.fits")
    write_image(folder / "._galaxy_2MASS_J.fits", np.ones((5, 5)), tan_wcs((5, 5), 1.0))
    assert main(["info", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "galaxy_2MASS_J.fits" in told and ".maps" not in told and "._" not in told
