"""Scores of pixels: one vote a galaxy, trends over the radius, tables and notes for the card."""

import numpy as np
import pytest

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.models.dust_forest.uncertainty import QUANTITIES
from napari_galaxy_maps.training.dust_forest.fit_galaxy_share import galaxy_errors, shared_part
from napari_galaxy_maps.training.dust_forest.pixel_notes import trend
from napari_galaxy_maps.training.dust_forest.pixel_rows import spire_250
from napari_galaxy_maps.training.dust_forest.pixel_tables import pixel_tables
from napari_galaxy_maps.training.dust_forest.score_pixels import Judged, mean_of_galaxies, rmse


def judged(galaxies=30, pixels=60, common=0.3, own=0.1, slope=0.0, sigma=0.3):
    """Residuals with a part that a galaxy's pixels share, and one that rises with radius."""
    rng = np.random.default_rng(5)
    n = galaxies * pixels
    galaxy = np.repeat(np.arange(galaxies), pixels)
    radius = np.tile(np.linspace(0, 0.999, pixels), galaxies)
    off = common * rng.normal(size=(galaxies, 7))[galaxy] + own * rng.normal(size=(n, 7))
    off += slope * radius[:, None]
    sigmas = np.full((n, 7), sigma)
    return Judged(
        off, 2 * off, sigmas, sigmas / 4, np.full(n, 500.0), radius, np.full(n, 20.0), galaxy,
        np.full(n, "spiral"),
    )  # fmt: skip


def test_each_galaxy_has_one_vote_however_many_pixels_it_has():
    values = np.r_[np.full(100, 3.0), 1.0]
    mean, error = mean_of_galaxies(values, np.r_[np.zeros(100, int), 1])
    assert mean == 2.0 and error == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert rmse(values, np.r_[np.zeros(100, int), 1])[0] == pytest.approx(np.sqrt(5))


def test_a_trend_is_the_edge_minus_the_centre():
    step, error = trend(judged(slope=0.5), "LOG_SMD")
    assert step == pytest.approx(0.4, abs=4 * error) and error < 0.02
    assert trend(judged(), "LOG_SMD")[0] == pytest.approx(0.0, abs=0.03)


def test_the_tables_name_set_pixels_errors_and_coverage():
    table, scales = pixel_tables({"A": judged(), "B": judged(sigma=3.0)})
    rows = {(row[0], row[1], row[2]): row for row in table.rows}
    all_a, all_b = (rows[name, "all", "LOG_SMD"] for name in "AB")
    expected = np.sqrt(0.3**2 + 0.1**2)
    assert float(all_a[4].split()[0]) == pytest.approx(expected, rel=0.2)
    assert float(all_a[5]) == pytest.approx(2 * float(all_a[4].split()[0]), rel=0.01)
    assert 55 < float(all_a[9].split()[0]) < 80 and all_b[9].startswith("100")
    assert rows["A", "500 pc", "LOG_SMD"][6] == "0.47"  # what is published of such pixels
    assert ("A", "0 to 0.2 R25", "T_DUST") in rows
    assert all(len(row) == len(table.head) for row in table.rows)
    assert [len(row) for row in scales.rows] == [len(scales.head)] * 6


def test_dust_of_the_milky_way_shines_at_250_micron_as_measured():
    """A column of 1e21 atoms of hydrogen per cm2 (8e6 Msun/kpc2) has dust of 6e4 Msun/kpc2 and
    shines by some 5 to 10 MJy/sr at 250 micron (18 to 20 K).
    """
    truth = np.zeros((1, 7))
    truth[0, QUANTITIES.index("LOG_SIGMA_MD")] = np.log10(6e4)
    truth[0, QUANTITIES.index("T_DUST")] = 19.0
    assert 5 < spire_250(truth)[0] < 12


@pytest.mark.parametrize("bias", [0.0, 0.3])
@pytest.mark.parametrize("scatter", [0.0, 0.5])
def test_the_share_of_known_residuals_is_found_within_its_error(scatter, bias):
    """Few pixels a galaxy, so that their own scatter must be taken off; galaxies of other sizes
    count alike, and the bias that all have counts as shared.
    """
    rng = np.random.default_rng(2)
    found, errors = [], []
    for _ in range(60):
        residuals = [
            bias + rng.normal(0, scatter) + rng.normal(0, 1, rng.integers(5, 60)) for _ in range(40)
        ]
        share, error = shared_part(residuals)
        found.append(share)
        errors.append(error)
    common = bias**2 + scatter**2
    expected = common / (common + 1)
    assert np.mean(found) == pytest.approx(expected, abs=0.015)
    if common:
        assert np.std(found) == pytest.approx(np.mean(errors), rel=0.35)


def test_pixels_that_all_err_alike_share_everything():
    assert shared_part([np.full(30, offset) for offset in (0.1, -0.2, 0.3)])[0] == 1.0


def test_a_card_gets_shares_the_sigma_of_well_measured_pixels_and_a_sentence():
    settings, note = galaxy_errors(judged())
    assert list(settings) == list(QUANTITIES)
    for share, most in settings.values():
        assert share == pytest.approx(0.9, abs=0.12) and most == 0.3
    assert "measured on mock galaxies" in note and "LOG_SLD" in note
    with pytest.raises(InputError, match="0 mock galaxies have 20 pixels"):
        galaxy_errors(judged(pixels=10))
