"""Makes docs/settings.md, the table of the recipe's settings: `python docs/settings_page.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.data.setting import range_of

PAGE = Path(__file__).with_name("settings.md")
HEAD = """# Settings and their ranges

All that decides a result is in one recipe. `--set STEP.KEY=VALUE` changes a setting on the
[command line](command-line.md), the boxes of the Galaxy and Prepare panels in [the
window](window.md), a TOML file or an earlier result gives all of them. Numbers have ranges, which
are wide: a value outside cannot be that of a galaxy, a survey or an instrument. It is refused
wherever it is given, in a sentence that names the value, the range, and the likely slip:

    $ galaxy-maps predict folder/ --out maps.fits --distance 25000
    galaxy-maps: --distance: 25000 is outside 0.001 to 4000 Mpc; if it is in kpc, give 25.

Options of the command line and the panels of the window override the recipe that was read. `ebv`
and `map` of `reddening` answer one question: the one that is given takes the place of the one in
the recipe, and both at one time are refused. This page is made from the program (`python
docs/settings_page.py`).
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for name, section in Recipe.model_fields.items():
        kind: Any = section.annotation
        parts.append(f"\n## `{name}`\n\n{' '.join(kind.__doc__.split())}\n")
        parts.append("\n| setting | meaning | usual | range |\n|---|---|---|---|\n")
        for key, field in kind.model_fields.items():
            parts.append(f"| `{key}` | {field.description} | {_usual(field)} | {_range(field)} |\n")
    return "".join(parts)


def _usual(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", {}):
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _range(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    limits = range_of(field)
    return str(limits) if limits is not None else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
