"""What a form shows of a setting stands at the setting."""

import math
import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from napari_galaxy_maps.data import ranges
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.setting import (
    Range,
    Shown,
    Unit,
    description_with_unit,
    range_of,
    shown_of,
    unit_of,
)
from napari_galaxy_maps.exceptions import RecipeError


class Section(BaseModel):
    """Settings of every kind."""

    length: Annotated[float, Range(0, 9, Unit("″", "arcsec")), Shown(increment=0.5)] = Field(
        1.0, description="Length; 0 for none"
    )
    age: Annotated[float, Range(0, 9, Unit("Myr"))] = Field(1.0, description="Age, by mass")
    name: str = Field("", description="What it is called")


def test_the_unit_stands_in_the_sentence_before_what_follows_a_semicolon():
    fields = Section.model_fields
    assert description_with_unit(fields["length"]) == "Length in arcsec; 0 for none"
    assert description_with_unit(fields["age"]) == "Age, by mass, in Myr"
    assert description_with_unit(fields["name"]) == "What it is called"


def test_a_setting_without_marks_has_no_unit_and_is_shown():
    fields = Section.model_fields
    assert unit_of(fields["name"]) is None and shown_of(fields["name"]) == Shown()
    assert unit_of(fields["length"]).symbol == "″" and shown_of(fields["length"]).increment == 0.5


def test_a_setting_that_matters_with_another_names_one_of_its_section():
    for section in Recipe.model_fields.values():
        fields = getattr(section.annotation, "model_fields", {})
        for field in fields.values():
            other = shown_of(field).only_for
            assert other is None or other[0] in fields


@pytest.mark.parametrize(
    ("limits", "value", "words"),
    [
        (ranges.DISTANCE, 25_000, "25000 is outside 0.001 to 4000 Mpc; if it is in kpc, give 25"),
        (ranges.DISTANCE, 25e6, "if it is in pc, give 25"),
        (ranges.DISTANCE, -1, "-1 is outside 0.001 to 4000 Mpc"),
        (ranges.REDSHIFT, 1499, "if it is a velocity in km/s, give 0.005"),
        (ranges.D25, 3000, "if it is in arcsec, give 50"),
        (ranges.AXIS_RATIO, 1.25, "if it is a/b, give 0.8"),
        (ranges.FWHM, 0.005, "if it is in degrees, give 18"),
        (ranges.EBV, math.nan, "nan is outside 0 to 5 mag"),
        (ranges.EBV, math.inf, "inf is outside 0 to 5 mag"),
        (ranges.EBV, -(10**4000), "-inf is outside 0 to 5 mag"),
    ],
)
def test_a_number_outside_its_range_is_refused_with_the_likely_slip(limits, value, words):
    assert limits.trouble(value).endswith(words)
    with pytest.raises(RecipeError, match="The number: "):
        limits.check(value, "The number")


@given(st.floats(0.02, 1))
def test_a_number_in_its_range_is_taken(ratio):
    assert ranges.AXIS_RATIO.trouble(ratio) == ""
    assert ranges.AXIS_RATIO.check(ratio, "The axis ratio") == ratio


@given(st.floats(1.0001, 50))
def test_what_a_slip_corrects_lies_in_the_range(ratio):
    words = ranges.AXIS_RATIO.trouble(ratio)
    assert ranges.AXIS_RATIO.trouble(float(words.rpartition(" ")[2])) == ""


def test_every_number_of_the_recipe_has_a_range_that_holds_its_default():
    numbers = 0
    for section in Recipe.model_fields.values():
        for key, field in section.annotation.model_fields.items():
            kinds = str(field.annotation)
            if not re.search(r"\b(float|int)\b", kinds):
                continue
            numbers += 1
            limits = range_of(field)
            assert limits is not None, key
            if isinstance(field.default, int | float):
                assert limits.trouble(field.default) == "", key
    assert numbers > 40
