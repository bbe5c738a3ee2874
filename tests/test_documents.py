"""The documents are true: what they link to is there, the commands they show exist, the settings
they name are settings.
"""

import re
import runpy
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from napari_galaxy_maps.cli import main as cli
from napari_galaxy_maps.data.flags import MEANINGS
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.map_files import read_maps

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"))
    if not path.relative_to(ROOT).parts[0].startswith(".")  # environments and caches
)


def named(path):
    return str(path.relative_to(ROOT))


def blocks(text):
    """The fenced and indented blocks of code of a document, as (language, text)."""
    for language, code in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield language, code
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"(?:(?:^ {4}.*\n)+\n*)+", text, flags=re.MULTILINE):
        yield "", re.sub(r"^ {4}", "", code, flags=re.MULTILINE)


def commands():
    """Every `galaxy-maps …` line in a block of code, continued lines joined, without comments."""
    for path in DOCUMENTS:
        for _, code in blocks(path.read_text(encoding="utf-8")):
            for line in code.replace("\\\n", " ").splitlines():
                if (
                    line.startswith("galaxy-maps ")
                    and "COMMAND" not in line
                    and "PATH..." not in line
                ):
                    yield pytest.param(line, id=f"{named(path)}: {line[:60]}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_what_a_document_links_to_is_there(path):
    text = re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "#", "mailto:")):
            assert (path.parent / target.partition("#")[0]).exists(), (
                f"{named(path)} links to {target}"
            )


def test_every_page_is_in_the_navigation_and_the_other_way_round():
    text = re.sub(r"!!python\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = {page for entry in yaml.safe_load(text)["nav"] for page in entry.values()}
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert listed == there


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_that_is_shown_exists(line):
    arguments = shlex.split(line, comments=True)[1:]
    if arguments[-1] == "--help":
        return
    cli._parser().parse_args(arguments)  # exits where an option is unknown
    if "--set" in arguments:
        Recipe().with_values(value for flag, value in pairwise(arguments) if flag == "--set")


def test_a_recipe_that_is_shown_is_one():
    shown = [
        code
        for path in DOCUMENTS
        for language, code in blocks(path.read_text(encoding="utf-8"))
        if language == "toml" and not code.startswith("[project")
    ]
    assert shown
    for code in shown:
        Recipe.model_validate(tomllib.loads(code))


@pytest.mark.slow
def test_python_of_the_library_that_is_shown_runs(tmp_path, monkeypatch):
    shown = [
        code
        for path in DOCUMENTS
        for language, code in blocks(path.read_text(encoding="utf-8"))
        if language == "python" and "napari." not in code.replace("napari_galaxy_maps.", "")
    ]  # a window needs a display, and is tested where the plugin is
    assert shown
    import matplotlib as mpl

    mpl.use("Agg")
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    for code in shown:
        exec(compile(code, "document", "exec"), {})
    assert read_maps("maps.fits").values


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_documents_speak_of_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"/(?:work|root|home|tmp|opt)/\S*|\.\./shared", text)


def test_the_citation_names_its_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    from napari_galaxy_maps import __version__

    assert citation["version"] == __version__ and citation["license"] == "BSD-3-Clause"
    assert {"10.1051/0004-6361/202142084", "10.1086/662219"} <= {
        r.get("doi") for r in citation["references"]
    }
    assert all(r["title"] and r["authors"] and r["year"] for r in citation["references"])
    assert __version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_make_help_tells_of_every_target_that_the_readme_shows():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake (\w+)\b", (ROOT / "README.md").read_text(encoding="utf-8")):
        if target not in ("what",):
            assert re.search(rf"^{target}:.*## ", makefile, flags=re.MULTILINE), target


def test_the_page_of_settings_is_what_the_recipe_says():
    names = runpy.run_path(str(ROOT / "docs" / "settings_page.py"))
    assert names["PAGE"].read_text(encoding="utf-8") == names["page"]()


def test_the_page_of_flags_is_what_the_list_says_and_no_other_page_has_its_numbers():
    names = runpy.run_path(str(ROOT / "docs" / "flags_page.py"))
    assert names["PAGE"].read_text(encoding="utf-8") == names["page"]()
    numbers = "|".join(str(int(flag)) for flag in MEANINGS)
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")):
        if page.name != "flags.md":
            text = page.read_text(encoding="utf-8")
            assert not re.search(rf"\b(flag|bit) (of )?({numbers})\b", text), page


def test_the_page_of_bands_is_what_the_table_says():
    names = runpy.run_path(str(ROOT / "docs" / "bands_page.py"))
    assert names["PAGE"].read_text(encoding="utf-8") == names["page"]()
