"""What is summed over apertures is worked out in squares, where it is asked for: sums are those
over whole planes, whatever the aperture.
"""

import numpy as np
import pytest

from napari_galaxy_maps.measure.apertures.square_loops import flagged, gathered, sums
from napari_galaxy_maps.measure.apertures.terms import SIDE, MapTerms, terms_of

SHAPE = (2 * SIDE + 9, 4 * SIDE - 3)
NOTHING = np.empty((0, 0), np.float32)


@pytest.fixture(params=[False, True], ids=["one part", "two parts"])
def terms(request):
    """A map of logarithms that adds up, and one weighted by it, both with blank pixels."""
    rng = np.random.default_rng(0)
    adds, mean, error = (rng.normal(1, 0.3, SHAPE).astype("f4") for _ in range(3))
    error = np.abs(error) + np.float32(0.1)
    adds[rng.random(SHAPE) < 0.1] = np.nan
    mean[:, :5] = np.nan
    shared = error / 2 if request.param else NOTHING
    return terms_of(
        [MapTerms(1.0, adds, NOTHING, error, shared), MapTerms(0.0, mean, adds, error, NOTHING)],
        request.param,
    )


def by_hand(terms, inside):
    """The sums over whole planes, in double precision."""
    adds, mean, error = (
        plane.astype(float)
        for plane in (terms.sources[0].values, terms.sources[1].values, terms.sources[0].errors)
    )
    amount = 10**adds
    common = error / 2 if terms.sources[0].shared.size else np.zeros(SHAPE)
    own = np.sqrt(error**2 - common**2)
    found = []
    for quantity, weight, noise, apart in (
        (amount, np.ones(SHAPE), own * np.log(10) * amount, common * np.log(10) * amount),
        (mean * amount, amount, error * amount, np.zeros(SHAPE)),
    ):
        counts = np.where(np.isfinite(quantity), inside, 0)
        planes = (quantity, weight, noise, inside * noise**2, np.ones(SHAPE), apart)
        found.append([np.nansum(counts * np.nan_to_num(plane)) for plane in planes])
    return np.array(found)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [((0, SHAPE[0]), (0, SHAPE[1])), ((3, 8), (5, 6)), ((SIDE, 2 * SIDE), (SIDE, 3 * SIDE))],
    ids=["all of it", "a corner", "whole squares"],
)
def test_sums_over_squares_are_those_over_whole_planes(terms, rows, columns):
    inside = np.zeros(SHAPE)
    part = slice(*rows), slice(*columns)
    inside[part] = 1.0
    inside[rows[0], columns[0] : columns[1] : 2] = 0.25
    terms.prepare([part])
    found = sums(terms.squares, terms.totals, inside[part], rows[0], columns[0])
    assert found == pytest.approx(by_hand(terms, inside), rel=1e-6)


def test_only_squares_that_are_asked_for_are_worked_out(terms):
    terms.prepare([(slice(SIDE, SIDE + 1), slice(0, SIDE + 1)), (slice(0, 0), slice(0, 0))])
    assert np.argwhere(terms.there).tolist() == [[1, 0], [1, 1]]
    assert not terms.of([1]).there.any()


def test_a_part_of_the_planes_is_cut_out_of_the_squares(terms):
    rows, columns = slice(SIDE - 4, SHAPE[0]), slice(7, SIDE + 20)
    part = terms.over(rows, columns)
    np.testing.assert_array_equal(part[1, -1], terms.sources[1].values[rows, columns])
    np.testing.assert_allclose(
        part[0, 0], np.nan_to_num(10 ** terms.sources[0].values[rows, columns]), rtol=1e-5
    )


def test_an_unknown_error_beside_an_aperture_does_no_harm(terms):
    terms.sources[0].errors[10, 10:] = np.nan
    terms.sources[0].values[10, 15] = 1
    inside = np.ones((20, 20))
    inside[10] = 0
    terms.prepare([(slice(0, 20), slice(0, 20))])
    assert np.isfinite(sums(terms.squares, terms.totals, inside, 0, 0)).all()
    inside[10, 15] = 0.1
    assert np.isnan(sums(terms.squares, terms.totals, inside, 0, 0)[0, 2])


def test_pixels_with_a_value_are_gathered_and_their_flags_collected(terms):
    rows, columns = slice(5, SIDE + 5), slice(SIDE - 7, SIDE + 30)
    inside = np.random.default_rng(1).random((SIDE, 37)) < 0.7
    plane = terms.sources[0].values
    terms.prepare([(rows, columns)])
    into = np.empty(inside.size + 1, np.float32)
    count = gathered(terms.squares, 0, inside, 5, SIDE - 7, into)
    pixels = plane[rows, columns][inside]
    np.testing.assert_array_equal(np.sort(into[:count]), np.sort(pixels[np.isfinite(pixels)]))
    for values in (source.values for source in terms.sources):
        values[12, SIDE + 3] = np.nan
    terms.there[:] = False
    terms.prepare([(rows, columns)])
    flags = np.zeros(SHAPE, np.int16)
    flags[12, SIDE + 3], flags[20, SIDE : SIDE + 9], flags[-1] = 1, 4, 8
    assert flagged(flags, terms.squares, inside, 5, SIDE - 7) == 4
