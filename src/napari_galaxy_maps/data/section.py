"""What sections of settings have in common: ranges are kept, mistakes are put into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from .setting import range_of


def problem(text: str) -> PydanticCustomError:
    """A mistake in a setting, for a validator to raise."""
    # What stands in braces would be taken for a name.
    return PydanticCustomError("setting", "{text}", {"text": text})


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The single values of a setting that may hold many, and the names that they have in it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{key}: ")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value


class Settings(BaseModel):
    """Settings by name, and no others."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Section(Settings):
    """Settings of one step; a field's `Range` says between which numbers it lies."""

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: Any) -> Any:
        """pydantic would take true for 1."""
        if cls.model_fields[info.field_name].annotation is not bool:
            for name, leaf in _leaves(value):
                if isinstance(leaf, bool):
                    raise problem(f"{name}{str(leaf).lower()} is no value for it")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _lies_in_its_range(cls, value: Any, info: Any) -> Any:
        limits = range_of(cls.model_fields[info.field_name])
        if limits is not None:
            for name, leaf in _leaves(value):
                trouble = limits.trouble(leaf) if isinstance(leaf, int | float) else ""
                if trouble:
                    raise problem(name + trouble)
        return value


_KINDS = {
    "float": "a number", "int": "a whole number", "bool": "true or false", "string": "text",
    "list": "a list of numbers", "dict": "a table", "model": "a table",
}  # fmt: skip
"""What a setting of a type of pydantic's is, in words."""
_KIND_IN_PATH = r"float|int|str|bool|(literal|function|list|dict|nullable)[\[-].*"


def what_is_wrong(error: ValidationError) -> dict[str, str]:
    """By setting, what is wrong with its value, in words."""
    found: dict[str, str] = {}
    for item in error.errors():
        # The kinds that a value may have stand in its path, too: of the first alone is spoken.
        path = [str(p) for p in item["loc"] if not re.fullmatch(_KIND_IN_PATH, str(p))]
        found.setdefault(".".join(path), _in_words(item))
    return found


def _in_words(item: Any) -> str:
    kind, given = str(item["type"]), _shortened(item["input"])
    if kind == "setting":
        return str(item["msg"])
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "literal_error":
        return f"{given} is none of {item['ctx']['expected']}"
    of_kind = _KINDS.get(kind.partition("_")[0])
    if of_kind and kind.endswith(("_parsing", "_type", "_from_float", "_size", "parsing_size")):
        return f"{given} is not {of_kind}"
    return f"{given}: {item['msg'][0].lower()}{item['msg'][1:]}"


def _shortened(value: Any) -> str:
    """A value as it is written, no longer than a line."""
    if isinstance(value, int) and abs(value) > 10**40:
        return "a number of more than 40 digits"
    try:
        text = str(value).lower() if isinstance(value, bool) else repr(value)
    except RecursionError:
        return "a table of too many tables in one another"
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"
