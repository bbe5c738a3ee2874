"""The command `cli.attenuation`: what it refuses, and that nothing is left where it does."""

import pytest

from napari_galaxy_maps.cli.attenuation import HELP
from napari_galaxy_maps.cli.main import main

REST = ["--ra", "150", "--dec", "2", "--d25", "1", "--axis-ratio", "1", "--position-angle", "0"]


@pytest.mark.parametrize(
    ("bands", "says"),
    [
        ({"WISE_3.4": 6.0, "WISE_12": 6.0, "WISE_22": 12.0}, "no ultraviolet or optical band"),
        ({"SDSS_g": 1.3, "SDSS_r": 1.3}, "at least 3 bands"),
    ],
)
def test_bands_that_tell_nothing_are_refused_before_the_work(
    bands, says, galaxy_folder, tmp_path, capsys
):
    folder = galaxy_folder(bands)
    maps, images = tmp_path / "maps.fits", tmp_path / "images.fits"
    arguments = [str(folder), *REST, "--out", str(maps), "--images", str(images), "--quiet"]
    assert main(["attenuation", *arguments]) == 2
    message = capsys.readouterr().err
    assert says in message and "Traceback" not in message
    assert not maps.exists() and not images.exists()


def test_images_are_no_folder_of_the_galaxy(galaxy_folder, capsys):
    folder = galaxy_folder({"SDSS_g": 1.3, "SDSS_r": 1.3, "SDSS_i": 1.3})
    image = next(folder.glob("*.fits"))
    before = image.read_bytes()
    arguments = [str(folder), *REST, "--out", str(folder.parent / "m.fits"), "--images", str(image)]
    assert main(["attenuation", *arguments, "--overwrite", "--quiet"]) == 2
    assert image.read_bytes() == before and capsys.readouterr().err.count("\n") >= 1


def test_the_help_is_a_sentence(capsys):
    with pytest.raises(SystemExit):
        main(["attenuation", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert HELP[1:] in said and "--images" in said
