"""The recipe and provenance that every result carries in its table RECIPE, and recipes in TOML
files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.recipe import Recipe
from ..exceptions import InputError, RecipeError
from .open_fits import opened, read_text

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList


def ascii_text(text: str) -> str:
    """Text with what FITS cannot hold as TOML's (and Python's) escapes."""
    return re.sub(
        r"[^\x20-\x7e]",
        lambda m: f"\\u{ord(m[0]):04x}" if ord(m[0]) < 0x10000 else f"\\U{ord(m[0]):08x}",
        text,
    )


def recipe_table(provenance: Mapping[str, Any]) -> BinTableHDU:
    """The RECIPE table: a row a line of the recipe, then a row an item of the provenance."""
    from astropy.io import fits

    rows = [("recipe", line) for line in str(provenance.get("recipe", "")).splitlines()]
    for key, value in provenance.items():
        if key in ("recipe", "file"):  # the file that it was read from
            continue
        if isinstance(value, Mapping):
            rows += [(f"{key}.{name}", str(item)) for name, item in value.items()]
        elif isinstance(value, list | tuple):
            rows += [(key, str(item)) for item in value]
        else:
            rows.append((key, str(value)))
    rows = [(ascii_text(key), ascii_text(value)) for key, value in rows] or [("recipe", "")]
    widths = [max(1, *(len(row[i]) for row in rows)) for i in (0, 1)]
    columns = [
        fits.Column(name=name, format=f"{widths[i]}A", array=[row[i] for row in rows])
        for i, name in enumerate(("KEY", "VALUE"))
    ]
    return fits.BinTableHDU.from_columns(columns, name="RECIPE")


def provenance_of(hdus: HDUList) -> dict[str, Any]:
    """What the RECIPE table of an open file says: text, lists and groups of text by key; empty
    where there is none.
    """
    columns = getattr(hdus["RECIPE"], "columns", None) if "RECIPE" in hdus else None
    if columns is None or not {"KEY", "VALUE"} <= set(columns.names):  # none, or somebody else's
        return {}
    table = hdus["RECIPE"].data
    found: dict[str, Any] = {"recipe": ""}
    for key, value in zip(table["KEY"], table["VALUE"], strict=True):
        key, value = str(key), str(value)
        if key == "recipe":
            found["recipe"] += value + "\n"
        elif "." in key:
            group, _, name = key.partition(".")
            if group != "recipe":
                if not isinstance(found.get(group), dict):  # text of a damaged table gives way
                    found[group] = {}
                found[group][name] = value
        elif isinstance(found.get(key), dict):
            continue
        elif key in found:
            found[key] = (
                [*found[key], value] if isinstance(found[key], list) else [found[key], value]
            )
        else:
            found[key] = value
    # Those who read these look for groups; text in their place is of a damaged table.
    return {
        key: value
        for key, value in found.items()
        if key not in ("inputs", "versions") or isinstance(value, dict)
    }


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What a result says of itself in its RECIPE table; empty where it has none.

    Raises
    ------
    InputError
        When the file cannot be opened.
    """
    with opened(Path(path)) as hdus:
        return provenance_of(hdus)


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file, or in the RECIPE table of a result.

    A table of stars or map of E(B-V) that a TOML file names, and that lies beside it, is found
    there.

    Raises
    ------
    RecipeError
        When the file cannot be read or holds no recipe.
    """
    path = Path(path)
    if path.suffix.lower() in (".toml", ".txt"):
        try:
            return _beside(Recipe.from_toml(read_text(path), str(path)), path.parent)
        except InputError as error:
            raise RecipeError(str(error)) from None
    try:
        text = str(read_provenance(path).get("recipe", ""))
    except InputError as error:
        raise RecipeError(str(error)) from None
    if not text.strip():
        raise RecipeError(f"{path} holds no recipe; give a TOML file or a result of this program.")
    return Recipe.from_toml(text, str(path))


def _beside(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the files that it names by their place beside it."""
    for section, key in (
        (recipe.stars, "catalogue"), (recipe.reddening, "map"), (recipe.sharpen, "coarse"),
    ):  # fmt: skip
        name = getattr(section, key)
        if name and not Path(name).is_absolute() and (folder / name).is_file():
            setattr(section, key, str(folder / name))
    return recipe
