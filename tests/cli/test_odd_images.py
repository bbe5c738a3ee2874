"""Images that hardly are any end in maps that say what they are, or in one sentence."""

import numpy as np
import pytest

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.prepare.grid import grid_memory

from ..conftest import tan_wcs, write_image

BANDS = ("WISE_3.4", "WISE_12", "SDSS_r", "SDSS_g")
RNG = np.random.default_rng(0)
Y, X = np.mgrid[:80, :80] - 40.0
GALAXY = 10 * np.exp(-np.hypot(X, Y) / 8) + RNG.normal(0, 0.05, (80, 80))


def with_value(shape, where, value, fill=np.nan):
    data = np.full(shape, fill)
    data[where] = value
    return data


ODD = {
    "1 x 1": np.ones((1, 1)),
    "3 x 3": RNG.normal(1, 0.1, (3, 3)),
    "1 x 5000": RNG.normal(1, 0.1, (1, 5000)),
    "5000 x 1": RNG.normal(1, 0.1, (5000, 1)),
    "2 x 300": RNG.normal(1, 0.1, (2, 300)),
    "hot pixel": with_value((80, 80), (40, 40), 1e6, 0.0),
    "hot pixel in noise": RNG.normal(0, 1, (80, 80)) + with_value((80, 80), (40, 40), 1e8, 0.0),
    "constant": np.full((80, 80), 5.0),
    "zero": np.zeros((80, 80)),
    "negative": -np.abs(RNG.normal(5, 1, (80, 80))),
    "blank": np.full((80, 80), np.nan),
    "one value": with_value((80, 80), (40, 40), 3.0),
    "nine values": with_value((80, 80), np.s_[30:33, 30:33], RNG.normal(3, 0.1, (3, 3))),
    "infinite": np.where(Y % 3 == 0, np.inf, np.where(Y % 7 == 1, -np.inf, GALAXY)),
}


@pytest.fixture
def predict(tmp_path, capsys):
    """Runs the command on one image in four bands; gives its exit status, words and output."""

    def run(data, model, *options):
        for band in BANDS:
            wcs = tan_wcs(data.shape, 1.375)
            write_image(tmp_path / f"g_{band}.fits", data.astype("f4"), wcs, BUNIT="MJy/sr")
        out = tmp_path / "out" / "maps.fits"
        out.parent.mkdir(exist_ok=True)
        given = [str(tmp_path), "--model", model, "--redshift", "0.01", "--quiet"]
        status = main(["predict", *given, "--out", str(out), *options])
        return status, capsys.readouterr().err, out

    return run


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dust-forest", "stellar-unet"])
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "place", [(), ("--ra", "150", "--dec", "2", "--d25", "0.6")], ids=["found", "told"]
)
def test_maps_or_a_sentence(predict, name, model, place):
    status, words, out = predict(ODD[name], model, *place)
    assert status in (0, 2) and "Traceback" not in words
    if status == 2:
        assert not out.exists() and len(words.strip().splitlines()) == 1
        return
    maps = read_maps(out)
    value = next(iter(maps.values.values()))
    if name != "infinite":  # which shows a galaxy; of noise, a few pixels stand out by chance
        trusted = np.isfinite(value) & (maps.flags == 0)
        # A star-like spike has colours that galaxies have, and brightness is no input: the nine
        # pixels about it.
        most = 0.01 * np.isfinite(value).sum()
        if "hot pixel" in name and model == "dust-forest":
            most = 9
        assert trusted.sum() <= most


def test_a_grid_that_does_not_fit_into_the_memory_is_refused_with_the_pixel_that_does(
    predict, monkeypatch
):
    monkeypatch.setattr(grid_memory, "free_memory", lambda: int(2e8))
    told = ("--ra", "150", "--dec", "2", "--d25", "0.6")
    status, words, out = predict(GALAXY, "dust-forest", *told, "--pixel", "0.01")
    assert status == 2 and not out.exists()
    assert "pixels of 0.01 arcsec takes about" in words and "0.2 GB of memory are free" in words
    enough = words.partition("choose pixels of ")[2].partition(" ")[0]
    assert predict(GALAXY, "dust-forest", *told, "--pixel", enough)[0] == 0


def test_what_fits_is_not_refused():
    assert grid_memory.free_memory() > 1e8
    grid_memory.check_grid_memory(1000, 20, 1.0, available=2_000_000_000)
