"""What is written comes back as it was, whole or not at all, and says what made it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, Sip

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.cube_files import is_cube, read_cube, write_cube
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.map_files import is_maps, read_maps, write_maps
from napari_galaxy_maps.fits_io.recipe_files import read_recipe
from napari_galaxy_maps.fits_io.safe_writing import written_whole
from napari_galaxy_maps.measure.compare.residuals import residual_maps
from napari_galaxy_maps.pipeline import provenance
from napari_galaxy_maps.prepare.steps import prepare
from tests.conftest import tan_wcs


def made_maps(shape=(30, 40), pixel=4.0, rotation=0.0, **offsets):
    rng = np.random.default_rng(0)
    values = {
        name: (rng.normal(0, 1, shape) + np.mean(p.limits)).astype("f4")
        for name, p in PROPERTIES.items()
    }
    values = {name: plane + np.float32(offsets.get(name, 0)) for name, plane in values.items()}
    values["LOG_SMD"][2, 3] = np.nan
    errors = {name: np.full(shape, 0.3, "f4") for name in values}
    flags = np.zeros(shape, np.int16)
    flags[0, 0] = Flag.MASKED | Flag.EDGE
    recipe = Recipe().with_values(["galaxy.name=Café 309", "sky.model=plane"])
    made_by = {"object": "Café 309", "recipe": recipe.to_toml(), "model": "m", "model_hash": "ab",
        "versions": {"numpy": "2"},
               "inputs": {"WISE_3.4": "w1.fits sha256 12"}, "note": ["a: b", "c: d"]}  # fmt: skip
    return PropertyMaps(values, errors, tan_wcs(shape, pixel, rotation=rotation), flags, made_by)


def test_maps_come_back_with_flags_wcs_and_provenance(tmp_path):
    maps = made_maps()
    path = tmp_path / "maps.fits"
    write_maps(path, maps)
    back = read_maps(path)
    assert is_maps(path) and not is_cube(path)
    assert list(back.values) == list(maps.values)
    for name in maps.values:
        np.testing.assert_array_equal(back.values[name], maps.values[name])
        np.testing.assert_array_equal(back.errors[name], maps.errors[name])
    np.testing.assert_array_equal(back.flags, maps.flags)
    assert back.wcs.pixel_to_world(3, 5).separation(maps.wcs.pixel_to_world(3, 5)).arcsec < 1e-6
    assert back.provenance["inputs"] == maps.provenance["inputs"] and back.provenance["note"] == [
        "a: b",
        "c: d",
    ]
    assert read_recipe(path) == Recipe().with_values(["galaxy.name=Café 309", "sky.model=plane"])


def test_coordinates_come_back_to_the_last_bit(tmp_path):
    random = np.random.default_rng(3)
    for number in range(5):
        maps = made_maps(pixel=random.uniform(1, 9), rotation=random.uniform(0, 360))
        maps.wcs.wcs.crval = random.uniform(10, 80, 2)
        maps.wcs.wcs.crpix = random.uniform(0, 50, 2)
        write_maps(tmp_path / f"{number}.fits", maps)
        back = read_maps(tmp_path / f"{number}.fits").wcs
        np.testing.assert_array_equal(back.wcs.crval, maps.wcs.wcs.crval)
        np.testing.assert_array_equal(back.wcs.crpix, maps.wcs.wcs.crpix)
        np.testing.assert_array_equal(back.pixel_scale_matrix, maps.wcs.pixel_scale_matrix)


def test_distortions_come_back(tmp_path):
    maps = made_maps()
    maps.wcs.wcs.ctype = "RA---TAN-SIP", "DEC--TAN-SIP"
    terms = np.zeros((3, 3))
    terms[2, 0] = 1 / 3 * 1e-4
    maps.wcs.sip = Sip(terms, terms.T, None, None, maps.wcs.wcs.crpix)
    write_maps(tmp_path / "maps.fits", maps)
    np.testing.assert_array_equal(read_maps(tmp_path / "maps.fits").wcs.sip.a, terms)


def test_how_many_sigmas_hold_95_percent_is_written_where_it_is_known(tmp_path):
    path = tmp_path / "maps.fits"
    write_maps(path, replace(made_maps(), tails={"LOG_SMD": 2.345}))
    assert fits.getheader(path, "LOG_SMD_ERR")["TAIL95"] == 2.345
    assert "TAIL95" not in fits.getheader(path, "T_DUST_ERR")
    back = read_maps(path)
    assert back.tails == {"LOG_SMD": 2.345} and back.tail("T_DUST") == 1.96
    again = residual_maps(back, made_maps())
    assert again.tail("LOG_SMD") == 2.345


def test_the_part_of_errors_that_a_galaxy_shares_is_written_where_it_is_known(tmp_path):
    maps, path = made_maps(), tmp_path / "maps.fits"
    part = np.full(maps.shape, 0.2, "f4")
    part[2, 3] = np.nan
    write_maps(path, replace(maps, galaxy_errors={"T_DUST": part}))
    with fits.open(path) as hdus:
        assert hdus["T_DUST_ERR_GALAXY"].header["BUNIT"] == "K"
        words = hdus["T_DUST_ERR_GALAXY"].header.comments["LONGNAME"]
        assert words == "part of the error all pixels share"
        assert "LOG_SMD_ERR_GALAXY" not in hdus
    back = read_maps(path)
    assert list(back.galaxy_errors) == ["T_DUST"] and list(back.values) == list(maps.values)
    np.testing.assert_array_equal(back.galaxy_errors["T_DUST"], part)
    np.testing.assert_array_equal(back.errors["T_DUST"], maps.errors["T_DUST"])
    fits.delval(path, "BUNIT", extname="T_DUST_ERR_GALAXY")
    fits.setval(path, "BUNIT", value="mK", extname="T_DUST_ERR_GALAXY")
    assert read_maps(path).galaxy_errors["T_DUST"][0, 0] == pytest.approx(2e-4)
    with fits.open(path) as hdus:
        del hdus["T_DUST_ERR"]
        hdus.writeto(path, overwrite=True)
    assert not read_maps(path).galaxy_errors  # a part of what is not known


def test_the_file_is_the_documented_one(tmp_path):
    path = tmp_path / "maps.fits"
    write_maps(path, made_maps())
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert (
            hdus["LOG_SIGMA_MD"].header["BUNIT"] == "dex"
            and hdus["LOG_SIGMA_MD"].header["LOGUNIT"] == "solMass / kpc2"
        )
        assert hdus["T_DUST"].header["BUNIT"] == "K" and hdus["T_DUST_ERR"].shape == (30, 40)
        assert all(WCS(hdu.header).has_celestial for hdu in hdus if hdu.is_image and hdu.shape)
        assert (
            hdus["FLAGS"].header["FLAG4"]
            and hdus["MASK"].data[0, 0] == 1
            and hdus["MASK"].data.sum() == 1
        )
        assert set(hdus["RECIPE"].columns.names) == {"KEY", "VALUE"}


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "maps.fits"
    path.write_text("precious")
    with pytest.raises(InputError, match="is there already"):
        write_maps(path, made_maps())
    assert path.read_text() == "precious"
    write_maps(path, made_maps(), overwrite=True)
    assert is_maps(path)


def test_nothing_half_written_is_left_behind(tmp_path):
    path = tmp_path / "out.fits"
    path.write_text("precious")
    with pytest.raises(RuntimeError), written_whole(path, overwrite=True) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "precious" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="lies in a file, not a folder"):
        write_maps(tmp_path / "file" / "maps.fits", made_maps())


def test_foreign_maps_are_read_in_their_units_or_refused(tmp_path):
    header = tan_wcs((5, 6), 4.0).to_header()
    per_pc2 = fits.ImageHDU(np.zeros((5, 6), "f4"), header, name="LOG_SIGMA_STAR")
    per_pc2.header["BUNIT"], per_pc2.header["LOGUNIT"] = "dex", "solMass / pc2"
    fits.HDUList([fits.PrimaryHDU(), per_pc2]).writeto(tmp_path / "truth.fits")
    np.testing.assert_allclose(read_maps(tmp_path / "truth.fits").values["LOG_SIGMA_STAR"], 6)
    per_pc2.header["LOGUNIT"] = "Jy"
    fits.HDUList([fits.PrimaryHDU(), per_pc2]).writeto(tmp_path / "wrong.fits")
    with pytest.raises(InputError, match=r"LOG_SIGMA_STAR\] is in 'dex' Jy"):
        read_maps(tmp_path / "wrong.fits")
    fits.PrimaryHDU(np.zeros((5, 6)), header).writeto(tmp_path / "none.fits")
    with pytest.raises(InputError, match="holds no map of a property"):
        read_maps(tmp_path / "none.fits")


def test_a_result_without_a_recipe_is_refused_as_one(tmp_path):
    fits.PrimaryHDU(np.zeros((5, 6))).writeto(tmp_path / "a.fits")
    with pytest.raises(RecipeError, match="holds no recipe"):
        read_recipe(tmp_path / "a.fits")


def test_a_cube_comes_back(tmp_path, galaxy_folder):
    recipe = Recipe.from_tree({"galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.5, "distance": 10.0}})
    recipe.galaxy.hubble_stage, recipe.galaxy.redshift = 0.0, 0.1
    galaxy = read_galaxy([galaxy_folder({"WISE_3.4": 5.0, "2MASS_J": 10.0, "SDSS_r": 2.5})], recipe)
    cube = prepare(galaxy, recipe)
    write_cube(tmp_path / "cube.fits", cube, provenance(galaxy, recipe))
    back = read_cube(tmp_path / "cube.fits")
    assert (
        is_cube(tmp_path / "cube.fits")
        and back.bands == cube.bands
        and back.pixel_pc == pytest.approx(cube.pixel_pc)
    )
    assert galaxy.hubble_stage == cube.hubble_stage == back.hubble_stage == 0
    assert galaxy.redshift == cube.redshift == back.redshift == 0.1
    assert "10 Mpc and the redshift 0.1 do not fit" in back.provenance["galaxy_note"]
    np.testing.assert_array_equal(back.data, cube.data)
    np.testing.assert_array_equal(back.uncertainty, cube.uncertainty)
    np.testing.assert_array_equal(back.mask, cube.mask)
    np.testing.assert_array_equal(back.own_masks, cube.own_masks)
    assert back.fwhm == pytest.approx(cube.fwhm) and read_recipe(tmp_path / "cube.fits") == recipe


DAMAGE = {
    "ERR must have the shape": lambda hdus: hdus["ERR"].__setattr__("data", np.ones((3, 4), "f4")),
    "MASK must have the shape": lambda hdus: hdus["MASK"].__setattr__("data", np.ones((9, 9))),
    "BANDMASK must have the shape": lambda hdus: hdus["BANDMASK"].__setattr__(
        "data", np.ones((9, 9))
    ),
    "FLAGS must have the shape": lambda hdus: hdus["FLAGS"].__setattr__("data", np.ones(5, "i2")),
    "DATA must have a plane for each of the 2 rows of BANDS":
        lambda hdus: hdus["DATA"].__setattr__("data", np.ones((3, 24, 20), "f4")),
    "BANDS must be a table with a column BAND":
        lambda hdus: hdus["BANDS"].columns.change_name("BAND", "NAME"),
}  # fmt: skip


@pytest.mark.parametrize("says", DAMAGE)
def test_a_cube_whose_extensions_do_not_fit_together_is_refused_by_name(tmp_path, says):
    shape = (24, 20)
    planes, nothing = np.ones((2, *shape), "f4"), np.zeros(shape, bool)
    bands = ("WISE_3.4", "WISE_4.6")
    cube = BandCube(
        planes, planes, bands, tan_wcs(shape, 6.0), 12.0, 6.0, 300.0, nothing,
        nothing.astype(np.int16), "made", own_masks=np.zeros(planes.shape, bool),
    )  # fmt: skip
    path = tmp_path / "cube.fits"
    write_cube(path, cube, {})
    assert read_cube(path).bands == bands
    with fits.open(path, mode="update") as hdus:
        DAMAGE[says](hdus)
    with pytest.raises(InputError, match=f"cube.fits: {says}"):
        read_cube(path)


# --- residuals ------------------------------------------------------------------------------------


def test_residuals_are_prediction_minus_truth():
    residual = residual_maps(made_maps(LOG_SLD=0.2), made_maps())
    np.testing.assert_allclose(residual.values["LOG_SLD"], 0.2, atol=1e-6)
    np.testing.assert_allclose(residual.errors["LOG_SLD"], 0.3 * np.sqrt(2), rtol=1e-6)
    assert np.isnan(residual.values["LOG_SMD"][2, 3])


def test_a_truth_on_another_grid_is_brought_to_the_prediction():
    flat, coarse = made_maps(), made_maps((20, 20), 12.0, rotation=30)
    truth = PropertyMaps(
        {"LOG_SIGMA_STAR": np.full((20, 20), 7.5, "f4")}, {}, coarse.wcs, coarse.flags
    )
    residual = residual_maps(flat, truth)
    assert list(residual.values) == ["LOG_SIGMA_STAR"]
    np.testing.assert_allclose(
        residual.values["LOG_SIGMA_STAR"], flat.values["LOG_SIGMA_STAR"] - 7.5, atol=1e-4
    )


def test_a_truth_elsewhere_or_of_other_things_is_refused():
    maps = made_maps()
    far = PropertyMaps(
        {"T_DUST": np.ones((20, 20), "f4")},
        {},
        tan_wcs((20, 20), 4.0, ra=10.0),
        np.zeros((20, 20), np.int16),
    )
    with pytest.raises(InputError, match="does not overlap"):
        residual_maps(maps, far)
    with pytest.raises(InputError, match="none of the predicted properties"):
        residual_maps(
            PropertyMaps({"LOG_SLD": maps.values["LOG_SLD"]}, {}, maps.wcs, maps.flags), far
        )


def _damage(path: Path, name: str, hdu: object) -> None:
    """Put another extension in the place of one."""
    with fits.open(path, mode="update") as hdus:
        hdus[name] = hdu


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("DATA", fits.ImageHDU(np.ones((3, 24, 20)), name="DATA")),
        ("DATA", fits.ImageHDU(name="DATA")),
        ("ERR", fits.ImageHDU(np.ones((3, 24, 20)), name="ERR")),
        ("MASK", fits.ImageHDU(np.ones(50, "u1"), name="MASK")),
        ("FLAGS", fits.ImageHDU(name="FLAGS")),
        ("BANDS", fits.ImageHDU(np.ones((3, 3)), name="BANDS")),
        ("BANDS", fits.BinTableHDU.from_columns(
            [fits.Column("BAND", "9A", array=["nonsense", "SDSS_r"])], name="BANDS")),
        ("BANDS", fits.BinTableHDU.from_columns(
            [fits.Column("BAND", "9A", array=["SDSS_r", "SDSS_r"])], name="BANDS")),
    ],
)  # fmt: skip
def test_a_damaged_cube_is_named_with_what_is_wrong(tmp_path, name, damaged):
    path = tmp_path / "cube.fits"
    data, nothing = np.ones((2, 24, 20), np.float32), np.zeros((24, 20), bool)
    cube = BandCube(
        data, data / 10, ("WISE_3.4", "WISE_4.6"), tan_wcs((24, 20), 6.0), 12.0, 6.0, 300.0,
        nothing, nothing.astype(np.int16), "made",
    )  # fmt: skip
    write_cube(path, cube, {})
    read_cube(path)
    _damage(path, name, damaged)
    with pytest.raises(InputError, match=f"cube.fits.*{name}"):
        read_cube(path)


@pytest.mark.parametrize("redshift", [None, 0.0, -0.001, 0.31])
def test_a_redshift_of_a_cube_comes_back(tmp_path, redshift):
    """Of cubes of before, from their recipe; what is not known stays so."""
    path, planes, nothing = tmp_path / "cube.fits", np.ones((1, 24, 20), "f4"), np.zeros((24, 20))
    cube = BandCube(
        planes, planes, ("WISE_3.4",), tan_wcs((24, 20), 6.0), 12.0, 6.0, None, nothing, nothing,
        redshift=redshift,
    )  # fmt: skip
    write_cube(path, cube, {})
    assert read_cube(path).redshift == redshift
    recipe = Recipe.from_tree({"galaxy": {"redshift": redshift}})
    write_cube(path, replace(cube, redshift=None), {"recipe": recipe.to_toml()}, overwrite=True)
    assert "REDSHIFT" not in fits.getheader(path) and read_cube(path).redshift == redshift


@pytest.mark.parametrize(
    ("key", "card"), [("MORPHT", "Sb"), ("MORPHT", 50), ("MORPHT", True), ("REDSHIFT", 1649.0)]
)
def test_a_hubble_stage_of_a_cube_is_none_or_a_stage(tmp_path, key, card):
    path, planes, nothing = tmp_path / "cube.fits", np.ones((1, 24, 20), "f4"), np.zeros((24, 20))
    cube = BandCube(
        planes, planes, ("WISE_3.4",), tan_wcs((24, 20), 6.0), 12.0, 6.0, None, nothing, nothing
    )
    write_cube(path, cube, {})
    assert read_cube(path).hubble_stage is None
    fits.setval(path, key, value=card)
    with pytest.raises(InputError, match=rf"cube\.fits: {key} in its header: .*; correct it"):
        read_cube(path)


def test_a_group_of_a_damaged_recipe_table_is_a_group(tmp_path):
    maps = made_maps((24, 20))
    path = tmp_path / "maps.fits"
    write_maps(path, maps)
    columns = [
        fits.Column("KEY", "9A", array=["note", "note.a", "inputs.b", "inputs", "recipe.x"]),
        fits.Column("VALUE", "1A", array=["1", "2", "3", "4", "5"]),
    ]
    _damage(path, "RECIPE", fits.BinTableHDU.from_columns(columns, name="RECIPE"))
    found = read_maps(path).provenance
    assert found["note"] == {"a": "2"}
    assert found["inputs"] == {"b": "3"}
    assert found["recipe"] == ""
