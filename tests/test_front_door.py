"""The package as an astronomer calls it in a notebook: it imports at once, and goes from a folder
to maps, tables and figures in a few lines.

Of `_api` and `_arguments`.
"""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_galaxy_maps as ngm
from napari_galaxy_maps import _api, _arguments
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import Galaxy
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from tests.conftest import tan_wcs, write_image

FILES = ("spiral_ac51-w1-int-3.fits.gz", "spiral_ac51-w1-unc-3.fits.gz", "frame-r-spiral.fits.bz2",
         "aJ_asky_spiral.fits.gz", "aK_asky_spiral.fits.gz")  # fmt: skip


def fresh(code):
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_loads_next_to_nothing():
    bare = set(fresh("import sys, importlib, types, typing; print(*sys.modules)"))
    loaded = set(fresh("import sys, napari_galaxy_maps; print(*sys.modules)")) - bare
    own = {name for name in loaded if name.startswith("napari_galaxy_maps")}
    assert own == {
        "napari_galaxy_maps", "napari_galaxy_maps.data", "napari_galaxy_maps.data.methods",
    }  # fmt: skip
    heavy = {"numpy", "astropy", "pydantic", "scipy", "torch", "napari", "matplotlib"}
    assert not heavy & {name.partition(".")[0] for name in loaded}


@pytest.mark.slow
def test_calling_the_package_loads_no_window():
    loaded = fresh("import sys, napari_galaxy_maps as n; n.predict; print(*sys.modules)")
    tops = {name.partition(".")[0] for name in loaded}
    assert "numpy" in tops and not tops & {"napari", "qtpy", "torch", "scipy", "matplotlib"}


def test_all_names_are_there_and_others_are_not():
    assert set(ngm.__all__) == {*_api.__all__, "__version__"}
    assert set(ngm.__all__) <= set(dir(ngm))
    for name in _api.__all__:
        assert getattr(ngm, name) is getattr(_api, name)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ngm.nonsense  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize("name", ["measure", "prepare"])
def test_a_step_is_not_hidden_by_the_folder_of_its_name(name):
    code = (
        "import napari_galaxy_maps as n, napari_galaxy_maps.pipeline, "
        f"napari_galaxy_maps.{name}; print(callable(n.{name}))"
    )
    assert fresh(code) == ["True"]


@pytest.fixture(scope="module")
def session(sample_folder):
    """A few bands of the sample spiral, and their maps."""
    paths = [sample_folder / name for name in FILES]
    galaxy = ngm.read(paths, recipe=sample_folder / "galaxy.toml")
    return galaxy, ngm.predict(galaxy)


def test_a_galaxy_is_read_with_what_is_known_of_it(session, sample_folder):
    galaxy, _ = session
    assert isinstance(galaxy, Galaxy) and set(galaxy.images) == {
        "WISE_3.4", "SDSS_r", "2MASS_J", "2MASS_Ks",
    }  # fmt: skip
    assert galaxy.name == "Mock spiral" and galaxy.distance_mpc == 25
    assert galaxy.recipe.reddening.ebv == 0.035
    assert galaxy.recipe.stars.catalogue == str(sample_folder / "gaia.ecsv")


def test_what_is_given_comes_before_the_recipe_which_may_lie_in_the_folder(sample_folder, tmp_path):
    for name in (*FILES[:2], "galaxy.toml"):
        (tmp_path / name).symlink_to(sample_folder / name)
    galaxy = ngm.read(
        str(tmp_path),
        recipe="galaxy.toml",
        distance=10,
        hubble_stage=0,
        ebv=0.1,
        psf={"WISE_3.4": 7.5},
    )
    assert galaxy.distance_mpc == 10 and galaxy.recipe.reddening.ebv == 0.1
    assert galaxy.hubble_stage == galaxy.recipe.galaxy.hubble_stage == 0
    assert galaxy.ra == 169.735254 and galaxy.images["WISE_3.4"].fwhm == 7.5
    other = ngm.Recipe()
    other.galaxy.redshift = 0.01
    galaxy = ngm.read(tmp_path, recipe=other, name="M 1")
    assert galaxy.name == "M 1" and galaxy.distance_mpc == pytest.approx(43, rel=0.05)
    with pytest.raises(ngm.GalaxyMapsError, match=r"galaxy\.redshift"):
        ngm.read(tmp_path, redshift=-1)


@pytest.mark.slow
def test_the_maps_are_those_of_the_command_line(session, sample_folder, tmp_path):
    _, maps = session
    ours, theirs = tmp_path / "ours.fits", tmp_path / "theirs.fits"
    maps.write(ours)
    paths = [str(sample_folder / name) for name in FILES]
    recipe = str(sample_folder / "galaxy.toml")
    assert main(["predict", *paths, "--recipe", recipe, "--out", str(theirs), "--quiet"]) == 0
    from astropy.io import fits

    with fits.open(ours) as a, fits.open(theirs) as b:
        assert [hdu.name for hdu in a] == [hdu.name for hdu in b]
        assert "STARS" in a and "MASK" in a
    found, expected = read_maps(ours), read_maps(theirs)
    for name in expected.values:
        np.testing.assert_array_equal(found.values[name], expected.values[name])
        np.testing.assert_array_equal(found.errors[name], expected.errors[name])
    np.testing.assert_array_equal(found.flags, expected.flags)
    for key in ("recipe", "model", "model_hash", "versions", "inputs", "note", "distance_mpc"):
        assert found.provenance[key] == expected.provenance[key]
    with pytest.raises(ngm.GalaxyMapsError, match="is there already"):
        maps.write(ours)
    again = ngm.read(ours)
    assert isinstance(again, PropertyMaps) and list(again) == list(maps)


def test_no_image_that_was_read_is_replaced(session, tmp_path):
    _, maps = session
    image = tmp_path / "WISE_3.4.fits"
    data = np.random.default_rng(0).normal(5, 1, (30, 30)).astype("f4")
    write_image(image, data, tan_wcs(data.shape, 1.5), BUNIT="MJy/sr")
    ngm.read(image)
    before = image.read_bytes()
    with pytest.raises(ngm.GalaxyMapsError, match="is one of the inputs, which are never replaced"):
        maps.write(image, overwrite=True)
    assert image.read_bytes() == before


def test_a_cube_may_get_another_hubble_stage_than_it_was_prepared_with():
    planes, nothing = np.ones((1, 4, 5), "f4"), np.zeros((4, 5), bool)
    cube = BandCube(
        planes, planes, ("WISE_3.4",), tan_wcs((4, 5), 6.0), 12.0, 6.0, None, nothing, nothing,
        hubble_stage=-5.0, provenance={"recipe": "[galaxy]\nhubble_stage = 3.0\nd25 = 2.0\n"},
    )  # fmt: skip
    found = _arguments.settled_recipe(cube, None).galaxy
    assert (found.hubble_stage, found.d25) == (-5, 2)
    assert _arguments.settled_recipe(replace(cube, hubble_stage=None), None).galaxy == (
        ngm.Recipe(galaxy={"d25": 2.0}).galaxy
    )
    with pytest.raises(ngm.GalaxyMapsError, match=r"galaxy\.hubble_stage: 50 is outside -5 to 10"):
        _arguments.settled_recipe(replace(cube, hubble_stage=50), None)


@pytest.mark.slow
def test_a_cube_is_prepared_written_read_and_predicted_from(session, tmp_path):
    galaxy, maps = session
    cube = ngm.prepare(galaxy)
    assert isinstance(cube, BandCube) and "2MASS_Ks" in repr(cube)
    from_cube = ngm.predict(cube)
    for name in maps:
        np.testing.assert_array_equal(from_cube[name], maps[name])
    assert from_cube.provenance["inputs"] == maps.provenance["inputs"]
    assert ngm.Recipe.from_toml(from_cube.provenance["recipe"]).galaxy.d25 == 3.54
    path = tmp_path / "cube.fits"
    cube.write(path)
    read = ngm.read(path)
    assert isinstance(read, BandCube) and len(read.masks.stars) == len(cube.masks.stars) > 0
    np.testing.assert_array_equal(read.data, read_cube(path).data)
    assert read_recipe(path).galaxy.name == "Mock spiral"
    coarse = ngm.prepare(galaxy, resolution=12, pixel="1.5 kpc")
    assert coarse.fwhm == pytest.approx(12) and coarse.pixel_pc == pytest.approx(1500)
    assert galaxy.recipe.psf.target == "auto", "the galaxy's own settings stay"


def test_maps_are_measured_as_the_command_line_does(session, tmp_path):
    from astropy.table import QTable

    _, maps = session
    path, table = tmp_path / "maps.fits", tmp_path / "table.ecsv"
    maps.write(path)
    ellipse = ngm.Ellipse(169.735254, 0.202067, 40, 25, 105)
    found = ngm.measure(maps, ellipse, annulus=(1.5, 2))
    options = ["--ellipse", "169.735254,0.202067,40,25,105", "--annulus", "1.5,2", "--quiet"]
    assert main(["measure", str(path), *options, "--out", str(table)]) == 0
    expected = QTable.read(table)
    for column in ("sum", "sum_err", "mean", "median", "n_pixels"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-6)
    total = ngm.measure(maps)
    assert "LOG_SIGMA_MD" in total["map"]
    two = ngm.measure(maps, [ellipse, ngm.circle(169.735254, 0.202067, 10, "core")], names="T_DUST")
    assert list(two["name"]) == ["ellipse 1", "core"]


@pytest.mark.slow
def test_profiles_are_those_of_the_command_line(session, tmp_path):
    from astropy.table import QTable

    _, maps = session
    path, table = tmp_path / "maps.fits", tmp_path / "profile.ecsv"
    maps.write(path)
    assert main(["profile", str(path), "--out", str(table), "--quiet"]) == 0
    found, expected = ngm.profile(maps), QTable.read(table)
    assert len(found) == len(expected) > 20
    np.testing.assert_allclose(found["mean"], expected["mean"], rtol=1e-6)
    both = ngm.profile(maps, step=30, truth=maps, names=["LOG_SMD"])
    assert set(both["source"]) == {"measured", "truth"} and set(both["map"]) == {"LOG_SMD"}


@pytest.mark.slow
def test_maps_are_compared_with_a_truth(session, sample_folder):
    _, maps = session
    comparison = ngm.compare(maps, ngm.read(sample_folder / "truth.fits"))
    assert len(repr(comparison)) < 600 and "LOG_SMD" in repr(comparison)
    scores = comparison.scores()
    row = scores[(scores["property"] == "LOG_SMD") & (scores["over"] == "pixels")][0]
    assert row["n"] > 100 and 0 < row["rmse"] < 1


def test_maps_become_a_table_with_units(session, tmp_path):
    from astropy import units as u
    from astropy.table import QTable

    _, maps = session
    table = maps.to_table()
    assert len(table) == np.isfinite(maps["LOG_SMD"]).sum()
    row = table[len(table) // 2]
    assert row["T_DUST"].value == maps["T_DUST"].value[row["y"], row["x"]]
    sky = maps.wcs.pixel_to_world(row["x"], row["y"])
    assert row["ra"].to_value("deg") == pytest.approx(sky.ra.deg)
    assert table["LOG_SIGMA_MD"].unit == u.dex(u.Msun / u.kpc**2)
    assert table["LOG_SIGMA_MD"].physical.unit == u.Msun / u.kpc**2
    assert table["LOG_SIGMA_MD_ERR"].unit == u.dex and table["T_DUST_ERR"].unit == u.K
    table.write(tmp_path / "pixels.ecsv")
    again = QTable.read(tmp_path / "pixels.ecsv")
    assert again["LOG_SIGMA_MD"].unit == table["LOG_SIGMA_MD"].unit
    np.testing.assert_allclose(again["T_DUST"], table["T_DUST"])


@pytest.mark.slow
def test_everything_is_drawn_on_the_sky_in_its_colours(session):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    galaxy, maps = session
    axes = maps["T_DUST"].plot(vmax=28)
    (picture,) = axes.get_images()
    assert picture.get_cmap().name == "magma" and picture.get_clim() == (14, 28)
    assert axes.coords[0].coord_type == "longitude"
    figure = maps.plot()
    drawn = [ax for ax in figure.axes if ax.get_images()]
    assert [ax.get_title() for ax in drawn] == list(maps)
    assert len(galaxy.plot().axes) == 2 * len(galaxy.images)
    assert galaxy.images["SDSS_r"].plot().get_title() == "SDSS_r"
    _, own_axes = plt.subplots()
    assert maps["T_DUST"].plot(own_axes) is own_axes
    with pytest.raises(ngm.GalaxyMapsError, match="no LOG_DUST to draw"):
        maps.plot(["LOG_DUST"])
    plt.close("all")


@pytest.mark.slow
def test_the_model_is_chosen_by_the_bands_and_named(sample_folder, caplog):
    optical = ngm.read(sample_folder / "frame-r-spiral.fits.bz2", d25=3.54, ra=169.735254,
                       dec=0.202067)  # fmt: skip
    with caplog.at_level(logging.INFO, logger="napari_galaxy_maps"):
        maps = ngm.predict(optical)
    assert "the model is stellar-unet" in caplog.text
    assert maps.provenance["model"] == "stellar-unet" and "LOG_SIGMA_STAR" in maps
    with pytest.raises(ngm.GalaxyMapsError, match=r"WISE_3\.4"):
        ngm.predict(optical, "dust-forest")
    named = ngm.Recipe.from_tree({"model": {"name": "dust-forest"}})
    with pytest.raises(ngm.GalaxyMapsError, match=r"WISE_3\.4"):
        ngm.predict(optical, recipe=named)


def test_what_is_left_out_and_what_remains_unknown_is_logged(sample_folder, tmp_path, caplog):
    for name in (*FILES[:2], "truth.fits"):
        (tmp_path / name).symlink_to(sample_folder / name)
    with caplog.at_level(logging.INFO, logger="napari_galaxy_maps"):
        galaxy = ngm.read(tmp_path, d25=3.54, ra=169.735254, dec=0.202067)
        ngm.prepare(galaxy)
    texts = [record.getMessage() for record in caplog.records]
    assert any("left out: truth.fits holds maps" in text for text in texts)
    assert any("E(B-V) is not known" in text for text in texts)


@pytest.mark.slow
def test_regions_mask_what_they_cover(sample_folder, tmp_path):
    region = tmp_path / "mask.reg"
    region.write_text('icrs\ncircle(169.735254,0.202067,20")\n')
    galaxy = ngm.read(
        [sample_folder / name for name in FILES],
        recipe=sample_folder / "galaxy.toml", mask=str(region),
    )  # fmt: skip
    cube = ngm.prepare(galaxy)
    ny, nx = cube.shape
    assert cube.mask[ny // 2, nx // 2] and not cube.mask.all()
    assert len(cube.masks.stars) > 1, "the catalogue's stars are masked, too"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [(lambda maps: ngm.predict(maps), "A galaxy or a cube is needed, not a PropertyMaps"),
     (lambda maps: ngm.measure("maps.fits"), "not str"),
     (lambda maps: ngm.measure(Galaxy("x", {})), "one by one"),
     (lambda maps: ngm.read("missing"), "missing"),
     (lambda maps: ngm.profile(maps, names="AGE_STAR"), "AGE_STAR")],
)  # fmt: skip
def test_a_mistake_is_a_sentence(session, call, sentence):
    with pytest.raises(ngm.GalaxyMapsError, match=sentence):
        call(session[1])


@pytest.mark.slow
def test_a_truth_is_fitted(sample_folder):
    galaxy = ngm.read(sample_folder, recipe="galaxy.toml")
    recipe = galaxy.recipe.model_copy(deep=True)
    recipe.sed.n_models = 200
    truth = ngm.fit_truth(galaxy, recipe=recipe)
    assert truth.provenance["model"] == "SED fit" and "CHI2" in {h.name for h in truth.extensions}
    assert Path(sample_folder) in galaxy.paths


@pytest.mark.slow
def test_dust_is_taken_away(sample_folder):
    """By `_attenuation`: maps of attenuation, and brighter images in the same units."""
    galaxy = ngm.read(sample_folder, recipe="galaxy.toml")
    recipe = galaxy.recipe.model_copy(deep=True)
    recipe.sed.n_models, recipe.grid.pixel = 500, 12.0
    found = ngm.attenuation(galaxy, recipe=recipe)
    assert np.nanmedian(found.maps["A_FUV"].value) > np.nanmedian(found.maps["A_V"].value) > 0
    seen = ngm.prepare(galaxy, recipe=recipe)
    bands = [seen.bands.index(band) for band in found.cube.bands]
    brighter = np.nanmedian(found.cube.data / seen.data[bands], axis=(1, 2))
    assert (brighter > 1).all() and brighter[0] == brighter.max()


def test_sharpen_takes_the_coarse_file_and_answers_with_maps(tmp_path):
    """`_sharpening` is a step of the front door, which the room of its name does not hide."""
    from napari_galaxy_maps.fits_io.map_files import read_maps, write_maps
    from tests.sharpen.scene import MD, coarse_map, predicted

    write_maps(tmp_path / "low.fits", coarse_map(0.02))
    maps = predicted()
    fine = ngm.sharpen(maps, tmp_path / "low.fits", signal_to_noise=5)
    assert "signal_to_noise = 5" in fine.provenance["recipe"]
    assert np.abs(fine.values[MD] - maps.values[MD]).max() > 0.1
    fine.write(tmp_path / "fine.fits")
    assert read_maps(tmp_path / "fine.fits").provenance["sharpened"]
    with pytest.raises(ngm.GalaxyMapsError, match="is not there"):
        ngm.sharpen(maps, tmp_path / "none.fits")
