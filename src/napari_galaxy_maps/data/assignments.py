"""Settings given as texts such as ``sky.model=plane``, and those that answer one question."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, time
from typing import Any

from ..exceptions import RecipeError

_ALTERNATIVES: tuple[dict[str, Any], ...] = ({"reddening.ebv": None, "reddening.map": ""},)
"""Settings that answer one question, and their values where another of them does."""


def given_up(given: Iterable[str]) -> dict[str, Any]:
    """The settings that give way to others which answer the same question, and their new values.

    Parameters
    ----------
    given : iterable of str
        Settings that somebody gives at one time, as ``"step.key"``; what follows an equals sign
        does not matter.

    Raises
    ------
    RecipeError
        When two of them answer one question.
    """
    keys = {text.partition("=")[0].strip() for text in given}
    found: dict[str, Any] = {}
    for group in _ALTERNATIVES:
        answers = [key for key in group if key in keys]
        if len(answers) > 1:
            raise RecipeError(
                f"{' and '.join(answers)} are two answers to one question; give one of them."
            )
        if answers:
            found |= {key: value for key, value in group.items() if key not in answers}
    return found


def settle_alternatives(tree: dict[str, Any], given: Iterable[str]) -> None:
    """Let settings that are given take the place of others, in the tree of a recipe: `given_up`."""
    for key, value in given_up(given).items():
        section, _, name = key.partition(".")
        tree[section][name] = value


def assign(tree: dict[str, Any], assignments: Iterable[str]) -> None:
    """Change the tree of a recipe by ``"step.key=value"`` texts, or ``"errors.gain.SDSS_r=4.2"``
    for one band.

    Raises
    ------
    RecipeError
        When a text has another form, there is no such setting, or two texts answer one question.
    """
    assignments = list(assignments)
    seen: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (equals and dot and name):
            raise RecipeError(f"{text!r} is not of the form STEP.KEY=VALUE, as in sky.model=plane.")
        if seen.setdefault(key.strip(), text) != text:
            raise RecipeError(
                f"{seen[key.strip()]!r} and {text!r} contradict each other; give one of them."
            )
        name, dot, entry = name.partition(".")
        if (
            section not in tree
            or name not in tree[section]
            or (dot and not isinstance(tree[section][name], dict))
        ):
            known = [f"{s}.{k}" for s, keys in tree.items() for k in keys]
            raise RecipeError(
                f"There is no setting {key.strip()!r}; the settings are {', '.join(known)}."
            )
        if dot:
            tree[section][name][entry] = _parse(value.strip())
        else:
            tree[section][name] = _parse(value.strip())
    settle_alternatives(tree, assignments)


def _parse(text: str) -> Any:
    """A TOML value where `text` is one, else the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # ValueError: no TOML, or thousands of digits
        return text
    # A right ascension would be read as a time of the day.
    return text if isinstance(value, date | time) else value
