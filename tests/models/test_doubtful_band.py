"""A band is compared with what the others say of it, and named where they contradict it; spectra
that the model never saw are far out.

Of `models.dust_forest.contradiction`, `models.dust_forest.density` and
`models.dust_forest.doubtful_band`.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.models.dust_forest.contradiction import beside_others
from napari_galaxy_maps.models.dust_forest.density import Density
from napari_galaxy_maps.models.dust_forest.doubtful_band import in_words
from napari_galaxy_maps.models.dust_forest.features import normalise, select
from napari_galaxy_maps.models.dust_forest.model import DustForest
from napari_galaxy_maps.pipeline import predict_cube_steps

from .conftest import TYPICAL

FACTORS = {"SDSS_g": 0.1, "2MASS_H": 10, "WISE_3.4": 10, "2MASS_J": 10, "SDSS_z": 3}


@pytest.fixture
def spiral(make_cube):
    """A cube of a galaxy, all of it with the colours of a spiral, and of less light outwards."""

    def make(bands=tuple(TYPICAL), **factors):
        cube = make_cube(bands, shape=(30, 30), noise=0.05)
        y, x = np.indices(cube.shape)
        light = np.exp(-np.hypot(y - 15, x - 15) / 8)
        noise = np.random.default_rng(0).standard_normal(cube.data.shape)
        data = np.array([TYPICAL[b if b in TYPICAL else "WISE_3.4"][0] for b in bands])
        data = data[:, None, None] * light * (1 + 0.05 * noise)
        scale = np.array([factors.get(band, 1.0) for band in bands])[:, None, None]
        return replace(
            cube,
            data=(scale * data).astype("f4"),
            uncertainty=(scale * 0.05 * data).astype("f4"),
        )

    return make


def spectra_of_cube(model, cube):
    flat = (
        planes.reshape(len(cube.bands), -1).astype(float)
        for planes in (cube.data, cube.uncertainty)
    )
    return normalise(*flat, cube.bands, model.colour_term, model.columns)


def test_what_the_others_say_is_the_conditional_gaussian(model, make_cube):
    """Of one spectrum with gaps, by the covariance of all bands."""
    cube = make_cube([band for band in TYPICAL if band != "SDSS_i"], shape=(1, 1))
    spectra = spectra_of_cube(model, cube)
    found = beside_others(spectra, model.colours)
    columns, colours, ln10 = model.columns, model.colours, np.log(10)
    seen = np.flatnonzero(np.isfinite(found.offset[0]))
    assert len(seen) == len(cube.bands)
    loadings = np.zeros((len(columns.bands), colours.loadings.shape[1]))
    mean, specific, log, noise = np.zeros((4, len(columns.bands)))
    own = spectra.normal_error[0] / spectra.normal[0]
    loadings[columns.others], mean[columns.others] = colours.loadings, colours.mean
    specific[columns.others], log[columns.others] = colours.specific, np.log10(spectra.ratio[0])
    alone = (spectra.error[0] / spectra.ratio[0]) ** 2 - own**2
    noise[columns.others], noise[columns.normal] = alone / ln10**2, (own / ln10) ** 2
    covariance = loadings @ loadings.T + np.diag(specific + noise) + 30.0**2
    for band in seen:
        rest = seen[seen != band]
        gain = covariance[band, rest] @ np.linalg.inv(covariance[np.ix_(rest, rest)])
        said = mean[band] + gain @ (log - mean)[rest]
        width = np.sqrt(covariance[band, band] - gain @ covariance[rest, band])
        assert found.offset[0, band] == pytest.approx(log[band] - said, abs=1e-4)
        assert found.width[0, band] == pytest.approx(width, rel=1e-3)


def test_a_band_that_is_not_detected_is_not_compared_and_changes_nothing(model, make_cube):
    cube = make_cube(shape=(1, 5))
    row = cube.bands.index("GALEX_FUV")
    without, faint = (cube.data.copy() for _ in range(2))
    without[row], faint[row] = np.nan, -0.001
    found = [
        beside_others(spectra_of_cube(model, replace(cube, data=data)), model.colours)
        for data in (without, faint)
    ]
    assert np.isnan(found[1].offset[:, model.columns.bands.index("GALEX_FUV")]).all()
    np.testing.assert_allclose(found[0].sigmas, found[1].sigmas)


@pytest.mark.parametrize("band", FACTORS)
def test_the_band_that_the_others_contradict_is_named(model, spiral, band):
    """The normalising band, too, though all others are off it."""
    said = model.remarks(spiral(**{band: FACTORS[band]}))
    assert len(said) == 1 and said[0].startswith(f"{band} is ")
    factor = {0.1: "a tenth of", 10: "times", 3: "times"}[FACTORS[band]]
    assert f"{factor} what the other bands say; is its unit right?" in said[0]


def test_what_could_be_meant_as_well_is_said_too(model, spiral):
    (said,) = model.remarks(spiral(GALEX_NUV=10))
    assert said.startswith("GALEX_") and ", or GALEX_" in said and "their units" in said


def test_galaxies_as_they_are_and_faint_ones_raise_no_doubt(model, spiral, make_cube):
    assert model.remarks(spiral()) == [] == model.remarks(make_cube(noise=0.3))
    assert model.remarks(replace(spiral(WISE_12=10), mask=np.ones((30, 30), bool))) == []


def test_a_band_that_is_off_in_a_bright_spot_alone_is_not_named(model, spiral):
    cube = spiral()
    data, error = cube.data.copy(), cube.uncertainty.copy()
    for planes in (data, error):
        planes[cube.bands.index("SDSS_r"), 14:17, 14:17] *= 100
    assert model.remarks(replace(cube, data=data, uncertainty=error)) == []


def test_the_band_that_stands_in_is_named_by_its_own_name(model, spiral):
    bands = ["Spitzer_3.6" if band == "WISE_3.4" else band for band in TYPICAL]
    (said,) = model.remarks(spiral(bands, **{"Spitzer_3.6": 10}))
    assert said.startswith("Spitzer_3.6 is ") and "WISE_3.4" not in said


def test_factors_are_said_as_people_say_them():
    assert in_words(["A"], np.array([2.53])).startswith("A is 2.5 times what")
    assert in_words(["A"], np.array([0.0994])).startswith("A is a tenth of what")
    assert in_words(["A"], np.array([3.1e6])).startswith("A is 3,100,000 times")
    assert in_words(["A", "B"], np.array([4, 0.15])).startswith(
        "A is 4 times, or B 1/6.7 of, what the other bands say"
    )


def test_the_doubt_stands_in_the_progress_and_in_the_result(model, spiral):
    from napari_galaxy_maps.progress import run_to_end

    signs = []
    recipe = Recipe(model={"device": "cpu"})
    cube = spiral(**{"2MASS_H": 10})
    maps = run_to_end(predict_cube_steps(cube, recipe), signs.append)
    (said,) = [s.detail for s in signs if s.lasting and "is its unit right?" in s.detail]
    assert said in maps.provenance["note"] and said.startswith("2MASS_H is ")
    flagged = (maps.flags & Flag.OUT_OF_DISTRIBUTION) > 0
    assert flagged.mean() > 0.95
    usual = run_to_end(predict_cube_steps(spiral(), recipe))
    assert ((usual.flags & Flag.OUT_OF_DISTRIBUTION) > 0).mean() < 0.03


def test_a_score_is_the_worse_of_density_and_contradiction(model, spiral):
    cube = spiral(SDSS_g=5)
    spectra = spectra_of_cube(model, cube)
    offsets = beside_others(select(spectra, spectra.usable), model.colours)
    features = np.zeros((len(offsets.chi2), 6), np.float32)
    score = model.density.score(features, offsets)
    np.testing.assert_allclose(
        score, model.density.contradiction(offsets) / model.density.limits[1], rtol=1e-6
    )
    far = model.density.anomaly(np.full((1, 6), 50, np.float32))[0]
    usual = model.density.anomaly(np.zeros((1, 6), np.float32))[0]
    assert 0 < usual < model.density.limits[0] < far < 1
    nothing = Density.none(len(model.columns.bands))
    assert (nothing.score(features, offsets) == 0).all()


def test_weights_without_a_density_say_that_nothing_is_flagged(model, spiral):
    from safetensors.numpy import load, save

    arrays = load(model.to_bytes())
    bare = save({key: array for key, array in arrays.items() if not key.startswith("density.")})
    old = DustForest.from_bytes(bare, model.card)
    (said,) = old.remarks(spiral())
    assert "no pixel is flagged as unlike" in said and "train it anew" in said
    flags = old.predict(spiral(SDSS_g=100), "cpu").flags
    assert not (flags & Flag.OUT_OF_DISTRIBUTION).any()
