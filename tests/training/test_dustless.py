"""Scores of dust taken away: the truth scores best, tables have a row each, pages keep the rest
(`training.dustless.score_mocks`, `training.dustless.score_whole_galaxies`).
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import MODEL_BANDS
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.sed.compose import DIMMED
from napari_galaxy_maps.training.dustless import score_mocks, score_whole_galaxies
from napari_galaxy_maps.training.dustless.mock_light import own_mocks
from napari_galaxy_maps.training.pages import put_into


@pytest.fixture(scope="module")
def mock():
    (found,) = own_mocks("12 arcsec", 1, 70107)
    rows = slice(0, 30)
    planes = {
        name: getattr(found, name)[:, rows]
        for name in ("data", "uncertainty", "signal", "dimmed", "bare")
    }
    return replace(found, **planes)


def test_mocks_have_light_with_and_without_dust(mock):
    assert mock.bands == MODEL_BANDS and mock.bare.shape == mock.dimmed.shape == (len(DIMMED), 30)
    assert np.all(mock.signal[MODEL_BANDS.index("SDSS_r")] > 5)
    taken = 2.5 * np.log10(mock.bare / mock.dimmed)
    assert np.median(taken[0]) > np.median(taken[-1]) >= 0
    (same,) = own_mocks("12 arcsec", 1, 70107)
    np.testing.assert_array_equal(same.data[:, :30], mock.data)


def test_taking_dust_away_scores_better_than_leaving_it(mock):
    scores = score_mocks.score([mock], "FUV to far infrared", 3000)
    assert scores.within.shape == (1, len(DIMMED))
    assert np.nanmean(scores.within) > np.nanmean(scores.before)
    assert np.all((scores.covered >= 0) & (scores.covered <= 1) | np.isnan(scores.covered))
    lines = score_mocks.table({"all": scores})
    assert len(lines) == 2 + len(DIMMED) and "GALEX_FUV" in lines[2]


def test_faint_bands_are_not_scored(mock):
    faint = replace(mock, signal=np.where(np.arange(26)[:, None] == 0, 1.0, mock.signal))
    scores = score_mocks.score([faint], "no far infrared", 1000)
    assert np.isnan(scores.within[0, 0]) and np.isfinite(scores.within[0, 3])


def test_a_perfect_guess_has_no_error_and_a_wrong_one_has():
    truth, use = np.linspace(0, 3, 50), np.ones(50, bool)
    exact = score_whole_galaxies.Guess(truth - 0.1, truth, truth + 0.1)
    off = score_whole_galaxies.Guess(truth + 0.9, truth + 1, truth + 1.1)
    rows = [score_whole_galaxies.row("x", g, truth, 0 * truth, use) for g in (exact, off)]
    assert rows[0] == "| x | 50 | 0.00 ± 0.00 | +0.00 | 0.00 | 0.10 | 100 |"
    assert rows[1] == "| x | 50 | 1.00 ± 0.00 | +1.00 | 1.00 | 0.10 | 0 |"


def test_pages_keep_what_is_not_between_the_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a: made by b.py -->\nold\n<!-- end of a -->\nafter\n")
    put_into(page, "a: made by b.py", ["new", "lines"])
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "new\nlines" in text and "old" not in text
    with pytest.raises(InputError, match="no marks"):
        put_into(page, "c: made by b.py", [])
    with pytest.raises(InputError, match="cannot be read"):
        put_into(tmp_path / "none.md", "a: made by b.py", [])
