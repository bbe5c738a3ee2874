"""What each image of a file is for, and which of them are wanted.

Of `fits_io.which_role`, `fits_io.image_names` and `fits_io.planes`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.band_images import join, read_band_image
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.fits_io.image_files import check_names, find_images
from napari_galaxy_maps.fits_io.image_names import Place, keys_of
from napari_galaxy_maps.fits_io.which_role import ROLES, guess_role
from tests.conftest import tan_wcs, write_image

DATA = np.random.default_rng(0).normal(5, 1, (40, 50)).astype("f4")


def image(path, data=DATA, **header):
    return write_image(path, data, tan_wcs(data.shape[-2:], 0.5), **header)


@pytest.mark.parametrize(
    "name, role",
    [
        ("gal_exp-drc-sci_SDSS_r.fits", "image"), ("gal_SDSS_r_psf_matched.fits", "image"),
        ("gal_SDSS_r_mask_applied.fits", "image"), ("gal_SDSS_r_noise_free.fits", "image"),
        ("gal_SDSS_r_starmask_removed.fits", "image"), ("gal_SDSS_r_error_corrected.fits", "image"),
        ("hst_acs_f814w_drz.fits", "image"), ("w1-int-3.fits", "image"),
        ("gal_SDSS_r_mask.fits", "mask"), ("mask_W1.fits", "mask"), ("gal_SDSS_r_psf.fits", "psf"),
        ("PSF_SPIRE_250.fits", "psf"), ("gal_NUV-exp.fits", "exposure"),
        ("gal_W1_noise.fits", "uncertainty"),
        ("w1-unc-3.fits", "uncertainty"), ("unc_SDSS_r.fits", "uncertainty"),
        ("gal_SDSS_r_rms_v2.fits", "uncertainty"), ("ngc_W1_std.fits", "uncertainty"),
        ("unwise-0000p000-w1-invvar-m.fits", "weight"), ("unwise-0000p000-w1-img-m.fits", "image"),
        ("unwise-0000p000-w1-n-m.fits", "exposure"), ("coadd-w1-n-u.fits", "exposure"),
        ("unwise-0000p000-w1-msk.fits", "mask"), ("c4d_150110_oow_z_ls9.fits", "weight"),
        ("c4d_150110_ood_z_ls9.fits", "mask"), ("c4d_150110_ooi_z_ls9.fits", "image"),
        ("rings.v3.skycell.1784.059.stk.r.unconv.wt.fits", "variance"),
        ("rings.v3.skycell.1784.059.stk.r.unconv.mask.fits", "mask"),
        ("rings.v3.skycell.1784.059.stk.r.unconv.exp.fits", "exposure"),
        ("rings.v3.skycell.1784.059.stk.r.unconv.num.fits", "exposure"),
        ("rings.v3.skycell.1784.059.stk.r.unconv.fits", "image"), ("gal_SDSS_r.wt.fits", "weight"),
        ("NGC0309.phot.1.fits", "image"), ("NGC0309.phot.1_std.fits", "uncertainty"),
    ],
)  # fmt: skip
def test_the_name_of_a_file_tells_its_role(name, role):
    assert guess_role("", name) == role


@pytest.mark.parametrize(
    "extname, role",
    [("SCI", "image"), ("ERR", "uncertainty"), ("CON", "ignore"), ("WHT", "weight"),
     ("VAR_POISSON", "variance"), ("CTX", "ignore"), ("DQ", "mask"), ("IMAGE", "image"),
     ("EXPOSURE", "exposure"), ("MASK", "mask"), ("CCD4", "image"), ("coverage", "exposure"),
     ("SDSS_r_ERR", "uncertainty"), ("", "image")],
)  # fmt: skip
def test_the_name_of_an_extension_tells_its_role(extname, role):
    assert guess_role(extname, "gal_SDSS_r.fits") == role


def test_a_person_tells_a_role(tmp_path):
    image(tmp_path / "gal_SDSS_r.fits", BUNIT="Jy/pix")
    image(tmp_path / "gal_SDSS_r_mask.fits", np.abs(DATA), BUNIT="Jy/pix")
    assert [found.role for found in find_images([tmp_path])] == ["image", "mask"]
    for key in ("gal_SDSS_r_mask.fits", "*_mask.fits", str(tmp_path / "gal_SDSS_r_mask.fits")):
        told = Recipe.from_tree({"input": {"roles": {key: "uncertainty"}}})
        galaxy = read_galaxy([tmp_path], told)
        read = galaxy.images["SDSS_r"]
        np.testing.assert_allclose(read.uncertainty, np.abs(read.data), rtol=1e-5)
    assert {
        "image",
        "uncertainty",
        "variance",
        "weight",
        "exposure",
        "mask",
        "psf",
        "ignore",
    } == set(ROLES)
    with pytest.raises(RecipeError, match="nonsense"):
        Recipe.from_tree({"input": {"roles": {"a.fits": "nonsense"}}})


def extensions(path, **units):
    header = tan_wcs(DATA.shape, 0.5).to_header()
    hdus = [fits.PrimaryHDU()]
    for name, unit in units.items():
        hdus.append(fits.ImageHDU(DATA, header, name=name))
        hdus[-1].header["BUNIT"] = unit
    fits.HDUList(hdus).writeto(path)
    return path


def test_extensions_are_left_out_by_number_or_name(tmp_path):
    path = extensions(tmp_path / "two.fits", SDSS_g="Jy/pix", SDSS_r="Jy/pix")
    for key in ("two.fits[1]", "two.fits[SDSS_G]"):
        skipped = []
        told = Recipe.from_tree({"input": {"leave_out": [key]}}).input
        (left,) = find_images([path], skipped, told=told)
        assert left.band.name == "SDSS_r" and left.label == "two.fits[2]"
        assert skipped == ["two.fits[1] is left out, as told."]


def test_roles_and_what_to_leave_out_name_files_that_are_there(tmp_path):
    image(tmp_path / "a.fits")
    for tree in ({"leave_out": ["b.fits"]}, {"roles": {"b.fits[1]": "mask"}}):
        with pytest.raises(RecipeError, match=r"'b\.fits.*none of the files \(a\.fits\)"):
            check_names([tmp_path], Recipe.from_tree({"input": tree}).input)


def test_the_command_line_tells_roles_and_leaves_out(tmp_path, capsys):
    image(tmp_path / "gal_SDSS_r.fits", BUNIT="Jy/pix")
    image(tmp_path / "gal_SDSS_r_psf.fits", np.abs(DATA), BUNIT="Jy/pix")
    image(tmp_path / "more.fits")
    given = ["--role", "gal_SDSS_r_psf.fits=weight", "--leave-out", "more.fits", "--json"]
    assert main(["info", str(tmp_path), *given]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {row["file"]: row["role"] for row in printed["images"]} == {
        "gal_SDSS_r.fits": "image",
        "gal_SDSS_r_psf.fits": "weight",
    }
    assert printed["left_out"] == ["more.fits is left out, as told."]
    assert main(["info", str(tmp_path), "--role", "gal_SDSS_r.fits=picture"]) == 2
    assert "picture" in capsys.readouterr().err


# --- cubes ----------------------------------------------------------------------------------------


def test_planes_that_the_header_names_are_their_bands(tmp_path):
    cube = np.stack([DATA, 2 * DATA, 3 * DATA])
    cards = {"INSTRUME": "DECam", "BUNIT": "nanomaggy", "BANDS": "grz"}
    write_image(tmp_path / "cutout.fits", cube, tan_wcs(DATA.shape, 0.262), **cards)
    found = find_images([tmp_path / "cutout.fits"])
    assert [f.band.name for f in found] == ["DECam_g", "DECam_r", "DECam_z"]
    assert [f.label for f in found] == [f"cutout.fits[0,{k}]" for k in range(3)]
    pairs = join(found)
    one, three = (read_band_image(*pairs[name]) for name in ("DECam_g", "DECam_z"))
    np.testing.assert_allclose(three.data, 3 * one.data, rtol=1e-6)


def test_a_survey_of_two_cameras_is_asked_about(tmp_path):
    cards = {"SURVEY": "LegacySurvey", "BUNIT": "nanomaggy", "BAND0": "g", "BAND1": "z"}
    cube = np.stack([DATA, DATA])
    write_image(tmp_path / "cutout.fits", cube, tan_wcs(DATA.shape, 0.262), **cards)
    g, z = find_images([tmp_path / "cutout.fits"])
    assert set(g.questions[0].answers) == {"DECam_g", "BASS_g"}
    assert set(z.questions[0].answers) == {"DECam_z", "MzLS_z"}


def test_a_cube_of_three_bands_has_a_zero_point_for_each(tmp_path):
    zeros = {"JMAGZP": 20.87, "HMAGZP": 20.66, "KMAGZP": 20.04}
    path = tmp_path / "mosaic.fits"
    write_image(path, np.stack([DATA] * 3), tan_wcs(DATA.shape, 1.0), ORIGIN="2MASS", **zeros)
    found = find_images([path])
    assert [f.band.name for f in found] == ["2MASS_J", "2MASS_H", "2MASS_Ks"]
    for f, zero_point, jy in zip(found, zeros.values(), (1594.0, 1024.0, 666.7), strict=True):
        assert f.zero_point.jy == pytest.approx(jy * 10 ** (-0.4 * zero_point))


def test_planes_that_nobody_names_are_asked_about_and_can_be_left_out(tmp_path):
    path = image(tmp_path / "cube.fits", np.stack([DATA, DATA, DATA]), BUNIT="Jy/pix")
    assert len([q for f in find_images([path]) for q in f.questions]) == 3
    told = {
        "bands": {"cube.fits[0,1]": "SDSS_r"},
        "leave_out": ["cube.fits[0,0]", "cube.fits[0,2]"],
    }
    galaxy = read_galaxy([path], Recipe.from_tree({"input": told}))
    assert list(galaxy.images) == ["SDSS_r"]


def test_coordinates_of_the_primary_serve_its_extensions(tmp_path):
    primary = fits.PrimaryHDU(header=tan_wcs(DATA.shape, 0.5).to_header())
    extension = fits.ImageHDU(DATA, name="image")
    extension.header["BUNIT"] = "Jy/pix"
    fits.HDUList([primary, extension]).writeto(tmp_path / "gal_SDSS_r.fits")
    (found,) = find_images([tmp_path / "gal_SDSS_r.fits"])
    assert found.pixel_arcsec == pytest.approx(0.5, rel=1e-4) and found.problems == ()


def test_a_file_of_which_all_is_left_out_is_refused(tmp_path):
    path = image(tmp_path / "a_SDSS_r.fits", BUNIT="Jy/pix")
    told = Recipe.from_tree({"input": {"leave_out": ["a_SDSS_r.fits"]}})
    with pytest.raises(InputError, match="is left out, as told"):
        read_galaxy([path], told)


@pytest.mark.parametrize("form", ["cube.fits[0,{}]", "cube.fits[0][{}]", "cu*.fits[0][{}]"])
def test_one_plane_of_many_is_chosen_or_left_out(form, tmp_path):
    path = image(tmp_path / "cube.fits", np.stack([DATA, DATA, DATA]), BUNIT="Jy/pix")
    told = Recipe.from_tree({"input": {
        "leave_out": [form.format(0)], "roles": {form.format(2): "uncertainty"},
    }}).input  # fmt: skip
    passed = []
    found = find_images([path], told=told, passed=passed)
    assert {f.label: f.role for f in found} == {
        "cube.fits[0,1]": "image", "cube.fits[0,2]": "uncertainty",
    }  # fmt: skip
    assert [(p.place.label, p.role) for p in passed] == [("cube.fits[0,0]", "image")]


@pytest.mark.parametrize("key", ["cube.fits[4]", "cube.fits[0][7]", "cube.fits[SCI]"])
def test_an_image_that_a_file_has_not_cannot_be_left_out(key, tmp_path):
    path = image(tmp_path / "cube.fits", np.stack([DATA, DATA, DATA]), BUNIT="Jy/pix")
    told = Recipe.from_tree({"input": {"leave_out": [key]}}).input
    check_names([path], told)
    for where in (path, tmp_path):
        with pytest.raises(RecipeError, match="none of the images of cube"):
            find_images([where], told=told)


def test_the_nearest_entry_speaks_for_an_image():
    place = Place(Path("/a/b/c.fits"), 1, 2, "c.fits[1,2]", "SCI")
    keys = ["b", "*.fits", "*.fits[SCI]", "c.fits", "c.fits[sci]", "c.fits[1][2]", "c.fits[1,2]"]
    assert keys_of(keys, place, folders=True) == keys[::-1]
    assert keys_of(["c.fits[2]", "c.fits[1,0]", "d.fits"], place) == []
    alone = Place(Path("/a/b/c.fits"), 1, None, "c.fits[1]", "SCI", 3)
    assert keys_of(["c.fits[SCI,3]", "c.fits[SCI,2]"], alone) == ["c.fits[SCI,3]"]
