"""Questions name the option and the setting that answer them; those of one survey are one line."""

from napari_galaxy_maps.data.question import BAND, OPTIONS, SETTINGS, UNIT, Question, asked_in_lines
from napari_galaxy_maps.data.recipe import InputSettings


def test_every_question_has_an_option_and_a_table_of_the_recipe():
    assert set(OPTIONS) == set(SETTINGS)
    assert set(SETTINGS.values()) == set(InputSettings.model_fields)


def test_what_one_survey_asks_alike_is_one_line_but_for_bands():
    asked = [
        Question(f"{band}.fits", UNIT, "Which?", ("DN/oldpix", "DN/pix"), "SDSS") for band in "gri"
    ]
    (line,) = asked_in_lines(asked)
    assert line == (
        "g.fits, r.fits and 1 more: Which? Answer with --unit SDSS=DN/oldpix or --unit SDSS=DN/pix."
    )
    assert len(asked_in_lines([Question(q.file, BAND, "Which?", (), "SDSS") for q in asked])) == 3
