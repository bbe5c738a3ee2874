"""The value of every option changes the recipe, or what comes out."""

import hashlib
import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from napari_galaxy_maps.cli.main import _parser, main
from napari_galaxy_maps.cli.options import recipe_of
from napari_galaxy_maps.data.masked_light import Holes
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.map_files import write_maps
from tests.cli.test_every_option import commands
from tests.conftest import tan_wcs, write_image
from tests.measure.test_profiles import disc
from tests.sharpen.scene import coarse_map, predicted

EVERYWHERE = {"--help", "--out", "--overwrite", "--quiet"}
RECIPE = {
    "--band": "image.fits=SDSS_g", "--unit": "SDSS_r=Jy/pix", "--psf": "SDSS_r=2",
    "--zero-point": "SDSS_r=22.5 AB", "--beam": "SDSS_r=3", "--role": "x=mask", "--leave-out": "x",
    "--name": "NGC 1", "--ra": "10:20:30", "--dec": "-3", "--distance": "7", "--redshift": "0.01",
    "--hubble-stage": "-5",
    "--d25": "3", "--axis-ratio": "0.5", "--position-angle": "30", "--table": "table.csv",
    "--ebv": "0.1", "--reddening-map": "SFD", "--stars": "gaia", "--resolution": "12",
    "--kernel": "SDSS_r=kernel.fits", "--pixel": "3", "--pixel-pc": "300", "--recipe": "r.toml",
    "--set": "sky.model=plane", "--model": "stellar-unet", "--prior": "wide",
    "--members": "2",
    "--device": "cpu", "--stand-in": None,
}  # fmt: skip
"""Options that change the recipe, with a value. --mask: `test_mask_edits`."""
ELLIPSE = ["--ellipse", "150,2,60,50,10"]
OUTPUT = {
    "info": {"--json": None, "--band": "image.fits=SDSS_g", "--unit": "image.fits=Jy/pix",
             "--psf": "SDSS_r=7", "--zero-point": "image.fits=22.5 AB",
             "--beam": "image.fits=9", "--role": "image.fits=uncertainty",
             "--leave-out": "no such file"},
    "measure": {"--map": "T_DUST", "--distance": "30", "--correlation": "2", "--annulus": "1.2,2",
                "--background": "mean", "--correct-masked": None, "--no-fill": None,
                "--ellipse": "150,2,30,30,0",
                "--regions": "circle.reg", "--total": None, "--cube": "no cube",
                "--band": "no image", "--unit": "no image", "--psf": "no image",
                "--zero-point": "no image", "--beam": "no image", "--role": "no image",
                "--leave-out": "no image"},
    "profile": {"--map": "T_DUST", "--distance": "30", "--correlation": "2",
                "--ellipse": "150,2,30,30,0", "--isophote": "30", "--step": "7", "--r-half": None,
                "--truth": "other.fits", "--fit": "10,40", "--figure": "p.png", "--over": "arcsec",
                "--show": "median", "--band": "no image", "--unit": "no image",
                "--psf": "no image", "--zero-point": "no image",
                "--beam": "no image", "--role": "no image", "--leave-out": "no image"},
    "mock": {"--seed": "2", "--size": "10", "--bands": "r", "--kind": "elliptical",
             "--log-mass": "9", "--inclination": "80", "--distance": "9", "--pixel": "1",
             "--noise": "3", "--seeing": "2", "--sky": "9", "--ebv": "0.5", "--stars": "900",
             "--neighbours": "900"},
    "evaluate": {"--ellipse": "150,2,30,30,0", "--fwhm": "20", "--truth-fwhm": "20",
                 "--format": "svg"},
    "sharpen": {"--image": "no band", "--fwhm": "9", "--coarse-fwhm": "30",
                "--signal-to-noise": "20", "--beyond": "galaxy", "--recipe": "sharp.toml"},
}  # fmt: skip
"""Options that change what comes out. A value that begins with "no" is refused on maps (or needs a
file): then the refusal is what they change.
"""
WITH = {
    ("info", "--zero-point"): ["--unit", "image.fits=DN"],
    ("info", "--beam"): ["--json", "--unit", "image.fits=Jy/beam"],
    ("measure", "--background"): ["--annulus", "1.2,2"],
    ("measure", "--no-fill"): ["--distance", "30"],
    ("profile", "--over"): ["--figure", "p.png"],
    ("profile", "--show"): ["--figure", "p.png"],
}
"""What an option needs beside it."""


def options_of(command):
    return {
        action.option_strings[-1]
        for action in commands()[command]._actions
        if action.option_strings
    } - EVERYWHERE


@pytest.mark.parametrize("command", ["prepare", "predict", "truth", "attenuation"])
def test_every_option_of_the_preparation_changes_the_recipe(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("name,ra,dec,d25\nNGC 1,10,20,3\n")
    (tmp_path / "r.toml").write_text("[sky]\nmodel = 'plane'\n")
    others = {"--mask", "--truth", "--images"}  # --images: `test_attenuation`
    assert options_of(command) - others <= set(RECIPE)
    for option in options_of(command) - others:
        name = ["--name", "NGC 1"] if option == "--table" else []
        given = [command, "x", "--out", "o.fits", "--quiet", *name]
        plain = recipe_of(_parser().parse_args(given))
        changed = recipe_of(_parser().parse_args([*given, *filter(None, (option, RECIPE[option]))]))
        assert changed != plain and plain == Recipe().with_values(
            ["galaxy.name=NGC 1"] if name else []
        ), option


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Maps, other maps of the same galaxy, an image and a region."""
    folder = tmp_path_factory.mktemp("outputs")
    rng = np.random.default_rng(1)
    maps, other = disc(), disc()
    for each, shift in ((maps, 0.0), (other, 0.3)):
        for plane in each.values.values():
            plane += np.float32(shift) + rng.normal(0, 0.05, plane.shape).astype("f4")
        each.values["LOG_SIGMA_STAR"][140:150, 140:150] = np.nan
    maps.provenance["fwhm"] = other.provenance["fwhm"] = 5.0
    maps.provenance["recipe"] = (
        "[galaxy]\nra = 150.0\ndec = 2.0\nd25 = 3.0\naxis_ratio = 0.8\nposition_angle = 20.0\n"
    )
    rows, columns = (np.full(4, at, np.int32) + np.arange(4, dtype=np.int32) for at in (150, 160))
    maps = maps.take_apart(Holes(rows, columns, np.ones(4, np.int32)))
    maps.write(folder / "maps.fits")
    other.write(folder / "other.fits")
    image = rng.normal(5, 1, (40, 40)).astype("f4")
    words = {"BUNIT": "MJy/sr", "FILTER": "SDSS r"}
    write_image(folder / "image.fits", image, tan_wcs((40, 40), 1.5), **words)
    write_maps(folder / "fine.fits", predicted())
    write_maps(folder / "low.fits", coarse_map(0.05))
    (folder / "sharp.toml").write_text("[sharpen]\nsignal_to_noise = 20\n")
    (folder / "circle.reg").write_text('icrs\ncircle(150, 2, 20")\n')
    return folder


def what_comes_out(command, arguments, folder, capsys):
    """The exit status, what is printed, and the numbers that are written."""
    needed = {
        "info": ["image.fits"], "measure": ["maps.fits"], "profile": ["maps.fits"],
        "evaluate": ["maps.fits", "other.fits"], "mock": ["--seed", "1", "--size", "8"],
        "sharpen": ["fine.fits", "low.fits"],
    }[command]  # fmt: skip
    if command == "mock" and "--bands" not in arguments:
        needed += ["--bands", "g"]
    out = {"measure": "out.ecsv", "profile": "out.ecsv", "evaluate": "out", "mock": "out"}
    out["sharpen"] = "out/fine.fits"
    (folder / "out").mkdir(exist_ok=True)
    needed += ["--out", out[command], "--overwrite"] if command in out else []
    status = main([command, *needed, *arguments])
    printed = capsys.readouterr()
    written = []
    files = [path for path in sorted((folder / "out").rglob("*")) if path.is_file()]
    for path in files:
        if path.suffix == ".fits":
            with fits.open(path) as hdus:
                written += [hdu.data.tobytes() for hdu in hdus if hdu.is_image and hdu.size]
        elif path.suffix == ".json":
            written.append(json.dumps(json.loads(path.read_text())).encode())
        written.append(path.name.encode())
        path.unlink()
    if (folder / "out.ecsv").exists():
        table = QTable.read(folder / "out.ecsv")
        written.append("\n".join(table.pformat(max_lines=-1, max_width=-1)).encode())
        (folder / "out.ecsv").unlink()
    for figure in folder.glob("p.*"):
        written.append(figure.read_bytes())
        figure.unlink()
    return status, printed.out, printed.err, hashlib.sha256(b"".join(written)).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("command", list(OUTPUT))
def test_every_option_changes_what_comes_out(command, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert options_of(command) <= set(OUTPUT[command])
    known = {}
    for option, value in OUTPUT[command].items():
        beside = WITH.get((command, option), [])
        one_of = {"--ellipse", "--regions", "--total"}
        plain = [*beside, *(ELLIPSE if command == "measure" else [])]
        changed = [*beside, option, *([value] if value else [])]
        if command == "measure" and option not in one_of:
            changed += ELLIPSE
        if str(plain) not in known:
            known[str(plain)] = what_comes_out(command, plain, folder, capsys)
        before = known[str(plain)]
        after = what_comes_out(command, changed, folder, capsys)
        assert before[0] == 0, (option, before)
        assert after != before, option
        assert after[0] == (2 if value and value.startswith("no ") else 0), (option, after)
