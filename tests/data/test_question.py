"""Questions are asked in lines, together where they ask the same."""

from napari_galaxy_maps.data.question import BAND, OPTIONS, SETTINGS, UNIT, Question, asked_in_lines
from napari_galaxy_maps.data.recipe import InputSettings


def question(file, about=UNIT, answers=("DN", "counts/s"), survey="WISE"):
    return Question(file, about, "In which unit is it?", answers, survey)


def test_files_of_one_survey_that_ask_the_same_are_asked_about_together():
    lines = asked_in_lines([question("a.fits"), question("b.fits"), question("c.fits")])
    assert lines == [
        "a.fits, b.fits and 1 more: In which unit is it? Answer with --unit WISE=DN or --unit "
        "WISE=counts/s."
    ]


def test_a_band_or_another_question_is_asked_of_each_file():
    bands = [question(f, BAND, ("WISE_12",)) for f in ("a.fits", "b.fits")]
    assert len(asked_in_lines(bands)) == 2
    assert len(asked_in_lines([question("a.fits"), question("b.fits", survey="SDSS")])) == 2
    assert len(asked_in_lines([question("a.fits"), question("b.fits", answers=())])) == 2


def test_an_answer_is_written_as_a_shell_takes_it():
    (line,) = asked_in_lines([question("my image.fits", answers=("25 per image",))])
    assert "--unit 'my image.fits=25 per image'" in line
    (line,) = asked_in_lines([question("a.fits", answers=())])
    assert "--unit 'a.fits=…'" in line


def test_every_question_has_an_option_and_a_table_of_the_recipe():
    assert set(OPTIONS) == set(SETTINGS)
    assert set(SETTINGS.values()) == set(InputSettings.model_fields) - {
        "roles",
        "leave_out",
        "stand_in",
    }
