"""A galaxy that has images in bands which no model was trained on, beside those it was: the maps,
the filled gaps and the truths are the same to the bit, and a note says which bands were not used.
"""

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS

from napari_galaxy_maps.bands.registry import BANDS, MODEL_BANDS, get_band
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.galaxy import BandImage
from napari_galaxy_maps.data.recipe import LibrarySettings, PsfSettings, Recipe
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.mocks.writing import BAND_SETS, bands_of, view_for
from napari_galaxy_maps.models.band_advice import advice, not_used, unknown_bands
from napari_galaxy_maps.models.registry import load_card
from napari_galaxy_maps.pipeline import predict_cube_steps, predict_global, truth_cube_steps
from napari_galaxy_maps.prepare.galaxy_ellipse import detection_image
from napari_galaxy_maps.prepare.impute import impute_steps, measured_bands, wanted_bands
from napari_galaxy_maps.prepare.psf.matching import common_psf
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sed.library import build_library, known_places, not_fitted
from napari_galaxy_maps.sed.pixel import pixel_spectrum
from tests.conftest import tan_wcs

pytestmark = pytest.mark.usefixtures("cached_libraries")

GALAXY = ["--ra", "150", "--dec", "2", "--d25", "2.5", "--distance", "10", "--name", "NGC 0"]
SEEN = {"WISE_3.4": 5.0, "2MASS_J": 9.0, "2MASS_Ks": 9.0, "SDSS_r": 3.0}
RECIPE = Recipe.model_validate(
    {
        "sed": {"n_models": 500},
        "impute": {"enabled": True},
        "galaxy": {"redshift": 0.0},
        "model": {"device": "cpu"},
    }
)
SHAPE = (6, 9)


@pytest.fixture(scope="module")
def library():
    """A small library of model spectra."""
    return build_library(LibrarySettings(n_models=500), 0.0, cache=False)


@pytest.fixture
def cube(library):
    """Model spectra with noise in all 26 bands, some gaps among them."""
    rng = np.random.default_rng(5)
    light = (
        library.light[rng.choice(len(library), SHAPE[0] * SHAPE[1], replace=False)].astype(float).T
    )
    data = light / light.max(0) * (1 + 0.03 * rng.normal(size=light.shape))
    error = 0.03 * np.abs(data) + 1e-6
    data, error = (a.astype("f4").reshape(-1, *SHAPE) for a in (data, error))
    data[rng.random(data.shape) < 0.03] = np.nan
    nothing = np.zeros(SHAPE, np.int16)
    return BandCube(
        data, error, MODEL_BANDS, tan_wcs(SHAPE, 6.0), 36.0, 6.0, 300.0, nothing.astype(bool),
        nothing, "made up", correlation=np.linspace(1, 9, 26), systematic=np.full(26, 0.02),
    )  # fmt: skip


def with_others(cube, names=("PS1_r", "MIRI_F770W")):
    """The cube with other bands, bright and loud, among its own."""
    for name in names:
        at = sum(get_band(b).pivot < get_band(name).pivot for b in cube.bands)
        cube = replace(
            cube,
            data=np.insert(cube.data, at, 77.0, axis=0),
            uncertainty=np.insert(cube.uncertainty, at, 0.001, axis=0),
            bands=(*cube.bands[:at], name, *cube.bands[at:]),
            correlation=np.insert(cube.correlation, at, 500.0),
            systematic=np.insert(cube.systematic, at, 0.9),
        )
    return cube


def same_maps(one, other):
    """Whether values, errors, flags and the sharing of noise are the same, to the bit."""
    for name in one.values:
        np.testing.assert_array_equal(one.values[name], other.values[name], err_msg=name)
        np.testing.assert_array_equal(one.errors[name], other.errors[name], err_msg=name)
    np.testing.assert_array_equal(one.flags, other.flags)
    assert set(one.values) == set(other.values) and one.correlation == other.correlation


def test_a_cube_with_other_bands_comes_apart_and_goes_on_without_them(cube):
    both = with_others(cube)
    apart = both.only(MODEL_BANDS)
    assert apart.bands == cube.bands and cube.only(MODEL_BANDS) is cube
    for name in ("data", "uncertainty", "correlation", "systematic"):
        np.testing.assert_array_equal(getattr(apart, name), getattr(cube, name))


@pytest.mark.parametrize("name", ["dust-forest", "stellar-unet"])
def test_maps_are_the_same_and_a_note_says_what_was_not_used(cube, name):
    recipe = RECIPE.with_values([f"model.name={name}"])
    said, said_before = [], []
    maps = run_to_end(predict_cube_steps(with_others(cube), recipe), said.append)
    plain = run_to_end(predict_cube_steps(cube, recipe), said_before.append)
    same_maps(plain, maps)
    assert np.isfinite(next(iter(maps.values.values()))).any()
    note = f"PS1_r, MIRI_F770W are not used: {name} was trained on no such bands."
    assert [p.detail for p in said if p.lasting] == [
        note, *[p.detail for p in said_before if p.lasting]
    ]  # fmt: skip
    assert note in maps.provenance["note"]
    assert maps.provenance["note"] == [note, *plain.provenance["note"]]
    assert maps.provenance["bands"] == plain.provenance["bands"]


def test_the_whole_galaxy_is_the_same_too(cube):
    cube.data[:26, 0] = np.nan  # a row that only the other bands show
    one, other = predict_global(cube, RECIPE), predict_global(with_others(cube), RECIPE)
    same_maps(one, other)


def test_gaps_are_filled_the_same_and_a_note_says_what_was_not_fitted(cube):
    said = []
    filled = run_to_end(impute_steps(with_others(cube), RECIPE), said.append)
    plain = run_to_end(impute_steps(cube, RECIPE))
    rows = [filled.bands.index(name) for name in plain.bands]
    assert set(filled.bands) - set(plain.bands) == {"PS1_r", "MIRI_F770W"}
    np.testing.assert_array_equal(filled.filling.data[rows], plain.filling.data)
    np.testing.assert_array_equal(filled.filling.uncertainty[rows], plain.filling.uncertainty)
    np.testing.assert_array_equal(filled.flags, plain.flags)
    assert np.isfinite(plain.filling.data).any()
    others = [filled.bands.index("PS1_r"), filled.bands.index("MIRI_F770W")]
    assert np.isnan(filled.filling.data[others]).all() and (filled.data[others] == 77).all()
    assert sum(p.detail.startswith("PS1_r, MIRI_F770W are not fitted") for p in said) == 1


def test_a_band_that_is_not_given_is_filled_with_the_noise_of_those_that_were_fitted(cube):
    some = [name for name in cube.bands if name != "WISE_12"]
    recipe = RECIPE.with_values(["impute.bands=all"])
    filled = run_to_end(impute_steps(with_others(cube.only(some)), recipe))
    plain = run_to_end(impute_steps(cube.only(some), recipe))
    for name in ("correlation", "systematic"):
        w3 = getattr(filled, name)[filled.bands.index("WISE_12")]
        assert w3 == getattr(plain, name)[plain.bands.index("WISE_12")]
    assert wanted_bands((*some, "PS1_r"), recipe.impute) == wanted_bands(some, recipe.impute)
    assert measured_bands(("PS1_r", "SDSS_r", "SPIRE_250")) == [1]


def test_a_truth_is_the_same_and_a_note_says_what_was_not_fitted(cube):
    said = []
    truth = run_to_end(truth_cube_steps(with_others(cube), RECIPE), said.append).maps
    plain = run_to_end(truth_cube_steps(cube, RECIPE)).maps
    same_maps(plain, truth)
    note = "PS1_r, MIRI_F770W are not fitted: the model spectra have no such bands"
    assert note in [p.detail for p in said if p.lasting] and note in truth.provenance["note"]
    assert truth.provenance["bands"] == plain.provenance["bands"]


def test_a_pixels_spectrum_shows_other_bands_and_does_not_fit_them(cube, library):
    both = with_others(cube)
    for far in (False, True):
        one = pixel_spectrum(
            cube.data[:, 2, 3], cube.uncertainty[:, 2, 3], cube.bands, library, far
        )
        two = pixel_spectrum(
            both.data[:, 2, 3], both.uncertainty[:, 2, 3], both.bands, library, far
        )
        np.testing.assert_array_equal(one.spectrum, two.spectrum)
        assert one.posterior.chi2 == two.posterior.chi2
        shown = {n: (f, w) for n, f, w in zip(two.bands, two.fitted, two.wavelength, strict=True)}
        assert shown["PS1_r"] == (False, 0.6201) and shown["SDSS_r"][0]
    assert one.not_fitted == ""
    assert two.not_fitted.startswith("PS1_r, MIRI_F770W are not fitted")


def test_model_spectra_know_which_bands_they_lack(library):
    assert known_places(("PS1_r", "r", "SPIRE_250", "HSC_y"), library) == [1, 2]
    assert known_places(BANDS) == [i for i, name in enumerate(BANDS) if name in MODEL_BANDS]
    assert not_fitted(MODEL_BANDS) == "" and not_fitted(("PS1_r",)).startswith(
        "PS1_r is not fitted"
    )
    with pytest.raises(InputError, match=r"HSC_y is not fitted: .* leave it out"):
        build_library(LibrarySettings(n_models=500), 0.0, ("SDSS_r", "HSC_y"), cache=False)
    with pytest.raises(InputError, match="has no PS1_r"):
        library.columns(("PS1_r",))


def test_the_window_says_which_bands_a_model_does_not_take():
    card = load_card("dust-forest")
    bands = ("SDSS_g", "2MASS_J", "WISE_3.4", "Euclid_H", "SPIRE_250")
    assert unknown_bands(card, bands) == ("Euclid_H",)
    assert not_used(card, bands) == "Euclid_H is not used: dust-forest was trained on no such band."
    assert advice("dust-forest", bands).endswith(not_used(card, bands))
    assert not_used(card, MODEL_BANDS) == ""
    assert not_used(replace(card, bands=(*card.bands, "Euclid_H")), bands) == ""


def test_the_common_psf_is_that_of_the_models_bands():
    wcs = WCS(naxis=2)
    widths = {"SDSS_g": 1.3, "SDSS_r": 1.4, "2MASS_J": 2.0, "UVOT_M2": 2.5}
    images = {
        name: BandImage(np.ones((3, 3), "f4"), get_band(name), wcs, fwhm=fwhm)
        for name, fwhm in widths.items()
    }
    assert common_psf(images, PsfSettings()).fwhm == 2.0
    del images["SDSS_g"]
    assert common_psf(images, PsfSettings()).fwhm == 2.5  # there are no three


def test_a_galaxy_is_measured_where_stars_shine():
    from napari_galaxy_maps.data.galaxy import Galaxy

    def galaxy(*names):
        images = {
            n: BandImage(np.ones((3, 3), "f4"), get_band(n), WCS(naxis=2), fwhm=1.0) for n in names
        }
        return Galaxy("NGC 0", images)

    assert detection_image(galaxy("UVOT_W2", "PS1_g", "PS1_y")).band.name == "PS1_y"
    assert detection_image(galaxy("GALEX_FUV", "PS1_g", "SDSS_g")).band.name == "SDSS_g"
    assert detection_image(galaxy("GALEX_FUV", "GALEX_NUV")).band.name == "GALEX_FUV"


def test_mocks_are_made_in_the_bands_that_spectra_have():
    assert BAND_SETS["all"] == MODEL_BANDS
    assert bands_of("SDSS_r,PS1_r") == ("PS1_r", "SDSS_r")
    with pytest.raises(InputError, match=r"no image in PS1_r, which the model spectra lack"):
        view_for("SDSS_r,PS1_r", 32).check()


@pytest.mark.slow
def test_from_files_to_maps_with_an_image_more(galaxy_folder, tmp_path, capsys):
    """On the command line: opened, prepared, predicted and measured."""
    few = galaxy_folder(SEEN)
    plain, more, cube = tmp_path / "plain.fits", tmp_path / "more.fits", tmp_path / "cube.fits"
    assert main(["predict", str(few), "--out", str(plain), *GALAXY]) == 0
    assert "not used" not in capsys.readouterr().err
    many = galaxy_folder({**SEEN, "PS1_r": 3.0, "NIRCam_F335M": 4.0}, "more")
    assert main(["predict", str(many), "--out", str(more), *GALAXY]) == 0
    note = "PS1_r, NIRCam_F335M are not used: dust-forest was trained on no such bands."
    printed = capsys.readouterr()
    assert note in printed.err + printed.out
    same_maps(read_maps(plain), read_maps(more))
    assert main(["prepare", str(many), "--out", str(cube), *GALAXY]) == 0
    assert {"PS1_r", "NIRCam_F335M"} < set(read_cube(cube).bands)
    assert main(["predict", str(cube), "--out", str(tmp_path / "two.fits")]) == 0
    printed = capsys.readouterr()
    assert note in printed.err + printed.out
    sums = ["--ellipse", "150,2,40,40,0", "--out", str(tmp_path / "sums.ecsv")]
    assert main(["measure", str(cube), *sums]) == 0
    assert "NIRCam_F335M" in (tmp_path / "sums.ecsv").read_text()
    rings = ["--ellipse", "150,2,40,40,0", "--out", str(tmp_path / "rings.ecsv")]
    assert main(["profile", str(cube), *rings]) == 0
    assert "PS1_r" in (tmp_path / "rings.ecsv").read_text()
    read_cube(cube).plot()
