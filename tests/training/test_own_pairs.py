"""A person's own pairs come to one PSF and one grid with the right values; splits are fair; what
cannot be used is told.
"""

import json

import numpy as np
import pytest
from astropy.io import fits

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.exceptions import GalaxyMapsError, InputError
from napari_galaxy_maps.models.stellar_unet.inputs import UGRIZ
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES, TARGETS
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.datasets.image_truth_pairs import TABLE, Pairs
from napari_galaxy_maps.training.datasets.mock_cubes import true_maps
from napari_galaxy_maps.training.datasets.stratified_split import stratified_split
from napari_galaxy_maps.training.own.make_own_sets import (
    Reading,
    in_the_middle,
    make_own_sets_steps,
)
from napari_galaxy_maps.training.own.picasso_zarr import ORDER, Scale, make_scale
from napari_galaxy_maps.training.own.read_own_pairs import find_sources, read_pair_steps
from napari_galaxy_maps.training.own.read_own_truth import TruthOptions, parse_options
from tests.conftest import tan_wcs
from tests.training.pairs_on_disk import (
    gaussian,
    wide,
    write_chunks,
    write_images,
    write_recipe,
    write_truth,
)

STARS = STELLAR_PROPERTIES.index("LOG_SIGMA_STAR")
AGE = STELLAR_PROPERTIES.index("AGE_STAR")


def read(folder, options=None, recipe=None):
    (source,) = find_sources(folder)
    return run_to_end(read_pair_steps(source, recipe or Recipe(), options or TruthOptions(), 0))


def truth_of(pair, name):
    target = TARGETS[name]
    return target.value(pair.truth[STELLAR_PROPERTIES.index(name)].astype(float))


def pixel_of(pair):
    return pair.row[TABLE.index("pixel_arcsec")]


@pytest.mark.slow
@pytest.mark.parametrize(("image_psf", "truth_psf"), [(1.5, 3.0), (4.0, 2.5)])
def test_a_gaussian_galaxy_comes_to_one_psf_and_grid(tmp_path, image_psf, truth_psf):
    """Images and truth have other pixels, angles and PSFs; both end as the same Gaussian, at the
    wider PSF.
    """
    write_images(tmp_path / "a", ("SDSS_g", "SDSS_r"), psf=image_psf)
    write_truth(tmp_path / "a" / "truth.fits", psf=truth_psf)
    write_recipe(tmp_path / "a" / "recipe.toml", ra=150.0, dec=2.0, d25=0.6, distance=20.0)
    pair = read(tmp_path)
    common = max(image_psf, truth_psf)
    pixel = pixel_of(pair)
    assert pixel == pytest.approx(max(common / 3, 1.0), abs=0.01)
    # Resampling smooths both alike, by less than a pixel.
    seen, lower = wide(9.0, np.hypot(common, 0.65 * 2.3548 * pixel * 0.75))
    expected = lower * gaussian(pair.images.shape[1:], pixel, seen)
    bright = expected > 0.2
    light = pair.images[UGRIZ.index("SDSS_r")][bright] / 10
    mass = 10 ** (truth_of(pair, "LOG_SIGMA_STAR")[bright] - 9.0)
    assert light == pytest.approx(mass, rel=0.02)  # float16 keeps a scaled value to 0.5 %
    assert np.median(light / mass) == pytest.approx(1, abs=0.01)
    # All the light is there: the integral of a Gaussian of peak 1 and FWHM 9 arcsec.
    whole = 9.0**2 * np.pi / (4 * np.log(2))
    assert np.nansum(10 ** (truth_of(pair, "LOG_SIGMA_STAR") - 9)) * pixel**2 == pytest.approx(
        whole, rel=0.01
    )
    assert np.nansum(pair.images[UGRIZ.index("SDSS_r")]) * pixel**2 / 10 == pytest.approx(
        whole, rel=0.03
    )
    assert truth_of(pair, "AGE_STAR")[bright] == pytest.approx(np.log10(5), abs=2e-3)
    assert (
        np.isnan(pair.images[UGRIZ.index("SDSS_z")]).all()
        and np.isnan(pair.truth[STELLAR_PROPERTIES.index("LOG_SIGMA_HI")]).all()
    )
    assert (pair.sigma[UGRIZ.index("SDSS_r")][bright] > 0).all()
    kpc2 = (pixel * 20 * 4.8481e-3) ** 2
    assert pair.log_mass == pytest.approx(np.log10(1e9 * whole / pixel**2 * kpc2), abs=0.01)


def test_a_flat_truth_stays_what_it_is(tmp_path):
    write_images(tmp_path / "a", ("SDSS_r",), psf=4.0)
    write_truth(tmp_path / "a" / "truth.fits", psf=2.0, flat=0.5)
    write_recipe(tmp_path / "a" / "recipe.toml", ra=150.0, dec=2.0, d25=0.5)
    mass = 10 ** (truth_of(read(tmp_path), "LOG_SIGMA_STAR") - 9.0)
    assert np.isfinite(mass).all() and mass == pytest.approx(0.5, rel=0.01)


def test_a_galaxy_without_position_is_found_where_its_truth_is_heaviest(tmp_path):
    write_images(tmp_path / "a", ("SDSS_r",), psf=2.0)
    write_truth(tmp_path / "a" / "truth.fits", psf=2.0)
    pair = read(tmp_path)
    y, x = np.unravel_index(np.nanargmax(pair.images[2]), pair.images.shape[1:])
    middle = (pair.images.shape[1] - 1) / 2
    assert abs(y - middle) <= 1.5 and abs(x - middle) <= 1.5


@pytest.mark.parametrize("extensions", [False, True])
def test_five_bands_in_one_file_are_read(tmp_path, extensions):
    shape, pixel = (80, 80), 0.5
    wcs = tan_wcs(shape, pixel)
    header = wcs.to_header()
    header["BUNIT"] = "Jy/pix"
    sr = (pixel / 3600 * np.pi / 180) ** 2
    planes = np.array([(k + 1) * gaussian(shape, pixel, 9.0) for k in range(5)]) * sr * 1e6
    if extensions:
        hdus = [
            fits.PrimaryHDU(),
            *(
                fits.ImageHDU(p.astype("f4"), header, name=b)
                for p, b in zip(planes, "ugriz", strict=True)
            ),
        ]
    else:
        hdus = [
            fits.PrimaryHDU(planes.astype("f4"), header),
            fits.ImageHDU((0.01 * sr * 1e6 * np.ones_like(planes)).astype("f4"), name="ERR"),
        ]
    fits.HDUList(hdus).writeto(tmp_path / "a_image.fits")
    write_truth(tmp_path / "a_truth.fits", psf=1.6)
    write_recipe(tmp_path / "a_recipe.toml", ra=150.0, dec=2.0, d25=0.5)
    pair = read(tmp_path)
    peaks = np.nanmax(pair.images, axis=(1, 2))
    assert peaks / peaks[0] == pytest.approx([1, 2, 3, 4, 5], rel=0.03)
    assert 0.85 < peaks[0] < 1.0


def write_ifu(path, distance=20.0, pixel=1.0, side=61):
    """Stars per spaxel as a logarithm, star formation linear per pc2, ages as log yr in a plane of
    a cube.
    """
    header = tan_wcs((side, side), pixel).to_header()
    seen, lower = wide(9.0, 2.5)
    shape = lower * gaussian((side, side), pixel, seen)
    kpc2 = (pixel * distance * 4.8481368e-3) ** 2
    hdus = [fits.PrimaryHDU()]
    for name, plane, unit in (
        ("MASS", np.log10(1e9 * shape * kpc2), "log10(Msun/spaxels^2)"),
        ("SFR", 0.1e-6 * shape, "Msun / yr / pc^2"),
        ("SSP", np.stack([0 * shape, 0 * shape + np.log10(5e9)]), ""),
    ):
        hdus.append(fits.ImageHDU(plane.astype("f4"), header, name=name))
        if unit:
            hdus[-1].header["BUNIT"] = unit
    fits.HDUList(hdus).writeto(path)


MAPPING = ["LOG_SIGMA_STAR=MASS", "log_sigma_sfr=SFR", "AGE_STAR=SSP[1]"]


def test_ifu_products_are_read_by_their_own_names_and_units(tmp_path):
    write_images(tmp_path / "a", ("SDSS_g", "SDSS_r"), psf=2.5)
    write_ifu(tmp_path / "a" / "truth.fits")
    write_recipe(tmp_path / "a" / "recipe.toml", ra=150.0, dec=2.0, d25=0.6, distance=20.0)
    options = parse_options(MAPPING, ["AGE_STAR=log10(yr)"], 2.5)
    pair = read(tmp_path, options)
    bright = pair.images[2] > 3
    mass = 10 ** (truth_of(pair, "LOG_SIGMA_STAR")[bright] - 9)
    assert np.median(mass / (pair.images[2][bright] / 10)) == pytest.approx(1, abs=0.01)
    assert np.median(
        truth_of(pair, "LOG_SIGMA_SFR")[bright] - truth_of(pair, "LOG_SIGMA_STAR")[bright]
    ) == pytest.approx(-10, abs=0.01)
    assert truth_of(pair, "AGE_STAR")[bright] == pytest.approx(np.log10(5), abs=2e-3)


@pytest.mark.parametrize(
    ("names", "units", "fwhm", "words"),
    [
        (["MASS"], [], 2.5, "not of the form PROPERTY=EXTNAME"),
        (["LOG_SIGMA_GOLD=MASS"], [], 2.5, "no property 'LOG_SIGMA_GOLD'"),
        (["T_DUST=MASS"], [], 2.5, "no property 'T_DUST' to be learnt"),
        (["LOG_SIGMA_STAR=MASS"], ["AGE_STAR=Gyr"], 2.5, "give both"),
        (["LOG_SIGMA_STAR=MASS"], [], -1.0, "positive number of arcsec"),
        (
            ["LOG_SIGMA_STAR=MAS"],
            [],
            2.5,
            "no extension 'MAS' for LOG_SIGMA_STAR; there are PRIMARY, MASS, SFR, SSP",
        ),
        (["LOG_SIGMA_STAR=MASS", "AGE_STAR=SSP[1]"], [], 2.5, "does not say its unit"),
        (
            ["LOG_SIGMA_STAR=MASS", "AGE_STAR=SSP"],
            ["AGE_STAR=Gyr"],
            2.5,
            r"name one of its planes, as in SSP\[0\]",
        ),
        (["LOG_SIGMA_STAR=MASS", "AGE_STAR=SSP[7]"], ["AGE_STAR=Gyr"], 2.5, "no plane 7"),
        (["LOG_SIGMA_STAR=MASS", "AGE_STAR=SFR"], [], 2.5, "cannot become AGE_STAR"),
        (["LOG_SIGMA_SFR=SFR"], [], 2.5, "has no LOG_SIGMA_STAR, which training needs"),
        (["LOG_SIGMA_STAR=MASS"], [], None, "give its FWHM with --truth-psf"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_told(tmp_path, names, units, fwhm, words):
    write_images(tmp_path / "a", ("SDSS_r",))
    write_ifu(tmp_path / "a" / "truth.fits")
    write_recipe(tmp_path / "a" / "recipe.toml", distance=20.0)
    with pytest.raises(InputError, match=words):
        read(tmp_path, parse_options(names, units, fwhm))


def test_masses_of_spaxels_need_a_distance(tmp_path):
    write_images(tmp_path / "a", ("SDSS_r",))
    write_ifu(tmp_path / "a" / "truth.fits")
    with pytest.raises(InputError, match="the galaxy's distance is needed"):
        read(tmp_path, parse_options(["LOG_SIGMA_STAR=MASS"], [], 2.5))


def break_truth(folder):
    (folder / "a" / "truth.fits").unlink()


def move_truth(folder):
    (folder / "a" / "truth.fits").unlink()
    write_truth(folder / "a" / "truth.fits", ra=151.0)


def no_optical(folder):
    (folder / "a" / "SDSS_r.fits").unlink()
    write_images(folder / "a", ("WISE_3.4",))


def no_image(folder):
    (folder / "a" / "SDSS_r.fits").unlink()


def nothing(folder):
    for path in (folder / "a").iterdir():
        path.unlink()


def cube_of_four(folder):
    nothing(folder)
    header = tan_wcs((40, 40), 1.0).to_header()
    fits.PrimaryHDU(np.ones((4, 40, 40), "f4"), header).writeto(folder / "b_image.fits")
    write_truth(folder / "b_truth.fits")


def narrow_target(folder):
    write_recipe(folder / "a" / "recipe.toml", distance=20.0)
    (folder / "a" / "recipe.toml").write_text("[psf]\ntarget = 2.0\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (break_truth, "truth.fits is missing: every galaxy needs its true maps"),
        (move_truth, "No image shows the galaxy's position"),
        (no_optical, "none of its images is in SDSS_u"),
        (no_image, "holds no image beside its truth"),
        (nothing, "holds no pairs"),
        (cube_of_four, "has 4 planes; give five"),
        (narrow_target, "wider than the 2 asked for"),
    ],
)
def test_what_is_wrong_with_a_pair_is_told(tmp_path, spoil, words):
    write_images(tmp_path / "a", ("SDSS_r",))
    write_truth(tmp_path / "a" / "truth.fits")
    spoil(tmp_path)
    with pytest.raises(GalaxyMapsError, match=words):
        read(tmp_path)


def test_a_split_is_by_galaxy_with_all_masses_in_each_part():
    rng = np.random.default_rng(1)
    mass = np.repeat(rng.uniform(8, 12, 200), 2)
    galaxies = np.repeat([f"g{k}" for k in range(200)], 2)
    split = stratified_split(galaxies, mass, 3)
    parts = [set(galaxies[rows]) for rows in (split.train, split.validation, split.test)]
    assert [len(part) for part in parts] == [128, 32, 40] and len(set.union(*parts)) == 200
    for rows in (split.train, split.validation, split.test):
        assert np.percentile(mass[rows], (10, 50, 90)) == pytest.approx(
            np.percentile(mass, (10, 50, 90)), abs=0.15
        )
    again, other = stratified_split(galaxies, mass, 3), stratified_split(galaxies, mass, 4)
    np.testing.assert_array_equal(split.test, again.test)
    assert set(split.test) != set(other.test)
    with pytest.raises(InputError, match="4 galaxies are too few"):
        stratified_split(["a", "b", "c", "d"], np.ones(4))
    assert len(stratified_split(list("abcde"), np.full(5, np.nan)).train) == 3


def write_picasso(folder, n=6, side=40, views=("99",)):
    """Galaxies whose stars, in Msun per pixel, and light, in nanomaggies per pixel, are known; half
    of the pixels are empty.
    """
    for view in views:
        for k in range(n):
            shape = gaussian((side, side + 4 * k), 1.0, 12.0)
            img = np.array([np.log((b + 1) * shape + 1e-4) for b in range(5)])
            gt = np.array([np.log10(10.0 ** (6 + 0.1 * k) * shape + 1e-14)] * 7)
            gt[ORDER.index("AGE_STAR")] = np.log10(4.0 + 1e-14)
            gt[:, shape < 0.01] = -100
            write_chunks(folder / view / str(k) / "img", img)
            write_chunks(folder / view / str(k) / "gt", gt)


def test_zarr_arrays_become_surface_brightness_and_densities(tmp_path):
    write_picasso(tmp_path / "zarr", views=("99", "78"))
    scale = make_scale(0.4, 0.2, None, "nanomaggy", "Gyr")
    sets = run_to_end(
        make_own_sets_steps(
            [tmp_path / "zarr"], tmp_path / "out", Reading(Recipe(), TruthOptions(), scale)
        )
    )
    told = json.loads((tmp_path / "out" / "split.json").read_text())
    assert [len(sets[part]) for part in ("train", "validation", "test")] == [8, 2, 2] and sets[
        "train"
    ].size == 64
    ids = [{name.split("/")[1] for name in told[part]} for part in ("train", "validation", "test")]
    assert (
        not ids[0] & ids[1] and not ids[0] & ids[2] and not ids[1] & ids[2]
    )  # views of a galaxy stay together
    pairs = sets["train"]
    assert pairs.sigma is None  # training adds a survey's noise
    nanomaggy = 3631e-9 * 1e-6 / (0.4 / 3600 * np.pi / 180) ** 2
    for row in range(len(pairs)):
        k = int(told["train"][row].split("/")[1])
        assert np.nanmax(pairs.images[row], axis=(1, 2)) == pytest.approx(
            nanomaggy * np.arange(1, 6), rel=0.02
        )
        stars = true_maps(pairs, row)["LOG_SIGMA_STAR"]
        assert np.nanmax(stars) == pytest.approx(6 + 0.1 * k - np.log10(0.2**2), abs=0.01)
        assert 0.5 < np.isnan(stars).mean() < 0.95
        age = true_maps(pairs, row)["AGE_STAR"]
        assert age[np.isfinite(age)] == pytest.approx(4.0, rel=0.01)
        assert pairs.table["distance_mpc"][row] == pytest.approx(
            0.2e3 / (0.4 * 4.8481368), rel=1e-4
        )
        assert pairs.table["log_mass"][row] == pytest.approx(
            6 + 0.1 * k + np.log10(12**2 * np.pi / 4 / np.log(2)), abs=0.02
        )


def test_zarr_itself_writes_what_is_read(tmp_path):
    zarr = pytest.importorskip("zarr")
    from napari_galaxy_maps.training.own.picasso_zarr import read_array_pair

    img, gt = np.zeros((5, 32, 32), "f4"), np.full((7, 32, 32), 5.0, "f4")
    for name, array in (("img", img), ("gt", gt)):
        stored = zarr.open(
            str(tmp_path / "1" / "7" / name),
            mode="w",
            shape=array.shape,
            chunks=(1, 16, 16),
            dtype="f4",
            zarr_format=2,
        )
        stored[:] = array
    pair = read_array_pair(tmp_path / "1" / "7", Scale(1.0, 1.0, "MJy/sr"), 0, tmp_path)
    assert pair.name == "1/7" and pair.images == pytest.approx(1.0, rel=1e-3)
    assert truth_of(pair, "LOG_SIGMA_STAR") == pytest.approx(5.0, abs=5e-3)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((0.4, None, None, "nanomaggy"), "two of"),
        ((0.4, 0.2, None, None), "give --unit"),
        ((0.4, -1, None, "Jy/pix"), "all positive"),
    ],
)
def test_zarr_needs_its_scale(told, words):
    with pytest.raises(InputError, match=words):
        make_scale(*told, "Gyr")


def test_broken_arrays_are_told(tmp_path):
    write_picasso(tmp_path / "zarr", n=5)
    scale = make_scale(0.4, None, 100.0, "nanomaggy", "Gyr")
    reading = Reading(Recipe(), TruthOptions(), scale)
    (tmp_path / "zarr" / "99" / "3" / "img" / ".zarray").write_text("{}")
    with pytest.raises(InputError, match="no zarr array that can be read"):
        run_to_end(make_own_sets_steps([tmp_path / "zarr"], tmp_path / "out", reading))
    (tmp_path / "zarr" / "99" / "3" / "gt" / ".zarray").unlink()
    with pytest.raises(InputError, match="no truth"):
        run_to_end(make_own_sets_steps([tmp_path / "zarr"], tmp_path / "out", reading))


def test_images_are_padded_and_cropped_about_their_middle():
    planes = np.arange(30.0).reshape(1, 5, 6)
    padded = in_the_middle(planes, 16)
    assert padded.shape == (1, 16, 16) and np.isfinite(padded).sum() == 30 and padded[0, 5, 5] == 0
    np.testing.assert_array_equal(in_the_middle(planes, 4)[0], planes[0, :4, 1:5])


@pytest.mark.slow
def test_sets_of_fits_pairs_keep_their_errors_and_are_read_once(tmp_path):
    for k in range(5):
        write_images(tmp_path / "mine" / f"g{k}", ("SDSS_r",), psf=3.0, side=81, seed=k)
        write_truth(tmp_path / "mine" / f"g{k}" / "truth.fits", log_peak=8 + 0.3 * k)
        write_recipe(
            tmp_path / "mine" / f"g{k}" / "recipe.toml",
            ra=150.0,
            dec=2.0,
            d25=0.4 + 0.05 * k,
            distance=20,
        )
    reading = Reading(Recipe(), TruthOptions())
    seen = []
    sets = run_to_end(
        make_own_sets_steps([tmp_path / "mine"], tmp_path / "out", reading), seen.append
    )
    assert [len(sets[part]) for part in ("train", "validation", "test")] == [3, 1, 1]
    assert seen[-1].lasting and "3 for train" in seen[-1].detail
    pairs = Pairs.open(tmp_path / "out" / "train")
    assert pairs.size % 16 == 0 and pairs.sigma is not None
    seen_r = np.isfinite(pairs.images[0, 2])
    assert (
        seen_r.any()
        and (pairs.sigma[0, 2][seen_r] > 0).all()
        and np.isnan(pairs.sigma[0, 2][~seen_r]).all()
    )
    for path in (tmp_path / "mine").rglob("*.fits"):
        path.unlink()
    run_to_end(
        make_own_sets_steps([tmp_path / "mine"], tmp_path / "out", reading)
    )  # nothing is read again


def test_too_few_galaxies_and_mixed_kinds_are_told(tmp_path):
    write_images(tmp_path / "few" / "a", ("SDSS_r",))
    write_truth(tmp_path / "few" / "a" / "truth.fits")
    with pytest.raises(InputError, match="1 galaxy is too few"):
        run_to_end(
            make_own_sets_steps(
                [tmp_path / "few"], tmp_path / "out", Reading(Recipe(), TruthOptions())
            )
        )
    write_picasso(tmp_path / "zarr", n=1)
    with pytest.raises(InputError, match="train on one kind"):
        run_to_end(
            make_own_sets_steps(
                [tmp_path / "few", tmp_path / "zarr"],
                tmp_path / "out",
                Reading(Recipe(), TruthOptions()),
            )
        )
