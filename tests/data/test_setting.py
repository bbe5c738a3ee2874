"""What a form shows of a setting stands at the setting."""

from typing import Annotated

from pydantic import BaseModel, Field

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.setting import Shown, Unit, description_with_unit, shown_of, unit_of


class Section(BaseModel):
    """Settings of every kind."""

    length: Annotated[float, Unit("″", "arcsec"), Shown(increment=0.5)] = Field(
        1.0, description="Length; 0 for none"
    )
    age: Annotated[float, Unit("Myr")] = Field(1.0, description="Age, by mass")
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
