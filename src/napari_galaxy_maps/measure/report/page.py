"""The evaluation as one self-contained HTML page."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.properties import PROPERTIES
from ..compare.comparison import Comparison

if TYPE_CHECKING:
    from astropy.table import QTable

_STYLE = """
body {
  font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  color: #1b1b1b;
}
h1, h2 { font-weight: 600; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
th { border-bottom: 1px solid #999; }
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) { text-align: left; }
tr:nth-child(even) { background: #f6f6f6; }
figure { display: inline-block; margin: 0.5rem 1rem 0.5rem 0; vertical-align: top; }
img { max-width: 100%; }
figcaption { font-size: 13px; color: #555; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px; }
"""

_ON_SCORES = (
    "Bias is prediction minus truth; chi2 is the mean of z squared, with z the residual over the "
    "errors of both in quadrature; coverages are the shares of pixels with |z| under 1, and under "
    "the sigmas that are said to hold 95 % (TAIL95 in the maps' file, or 1.96). Each galaxy has "
    "one vote. Errors are from bootstraps over galaxies, or over blocks of pixels four PSFs wide "
    "where there is one galaxy."
)
_ON_TOTALS = (
    "Over the pixels that both have. The first error takes pixels as independent beyond the PSF, "
    "the second as all off together; the difference is in dex, or in the unit where that is no "
    "dex and no sum."
)
_ON_SUMS = (
    "Bias is the mean and scatter the standard deviation over galaxies of log10 true - log10 "
    "predicted, in dex (Buck &amp; Wolf 2021, Sect. 4): an ellipse fitted to the true map of stars "
    "is kept for all maps; pixels whose truth is empty are left out; of what does not add up it is "
    "the weighted mean. Errors are from bootstraps over galaxies."
)


@dataclass(frozen=True)
class Picture:
    """A figure as the page shows it.

    Attributes
    ----------
    name, title : str
        Of its `Drawing`.
    png : str
        The figure as PNG in base 64.
    """

    name: str
    title: str
    png: str


def html_page(
    evaluation: Mapping[str, Any],
    scores: QTable,
    sums_by_ellipse: QTable | None,
    totals: Sequence[tuple[str, QTable]],
    pictures: Sequence[Picture],
    comparisons: Sequence[Comparison],
    card: str,
) -> str:
    """The report as one self-contained HTML page.

    Parameters
    ----------
    evaluation : dict
        What metrics.json holds.
    scores : QTable
        Of `comparison.metrics_table`.
    sums_by_ellipse : QTable, optional
        Of `stellar_scores.summarise`.
    totals : sequence of str and QTable
        Names of galaxies, and their `tables.totals_beside`.
    pictures : sequence of Picture
    comparisons : sequence of Comparison
    card : str
        The model's card; empty without one.
    """
    galaxies = [galaxy["name"] or galaxy["maps"] for galaxy in evaluation["galaxies"]]
    title = html.escape(", ".join(galaxies))
    parts = [
        f"<h1>{title}: prediction against truth</h1>",
        _galaxies(evaluation),
        "<h2>Scores</h2>",
        _html_table(scores),
        f"<p>{_ON_SCORES}</p>",
    ]
    for name, table in totals:
        parts.append(f"<h2>Whole-galaxy values of {html.escape(name or 'the galaxy')}</h2>")
        parts += [_html_totals(table), f"<p>{_ON_TOTALS}</p>"]
    if sums_by_ellipse is not None:
        parts.append("<h2>Sums inside 2 R_half of the stars</h2>")
        parts += [_html_sums(sums_by_ellipse), f"<p>{_ON_SUMS}</p>"]
    parts += [f"<p>{html.escape(note)}</p>" for note in evaluation["stellar_sums"]["notes"]]
    parts += _pictures(pictures, list(evaluation["properties"]))
    for comparison in comparisons:
        recipe = str(comparison.maps.provenance.get("recipe", "")).strip()
        if recipe:
            parts.append(
                f"<h2>Recipe of {html.escape(comparison.name)}</h2>{_preformatted(recipe)}"
            )
    if card:
        parts.append(f"<h2>The model</h2>{_preformatted(card)}")
    parts.append(f"<p>{html.escape(evaluation['made_by'])}</p>")
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _galaxies(evaluation: Mapping[str, Any]) -> str:
    """Which files were compared, and what was done to bring them together."""
    items = []
    for galaxy in evaluation["galaxies"]:
        files = f"{html.escape(galaxy['maps'])} against {html.escape(galaxy['truth'])}"
        notes = html.escape(" ".join(galaxy["notes"]))
        items.append(f"<li>{html.escape(galaxy['name'])}: {files}. {notes}</li>")
    return "\n".join(["<ul>", *items, "</ul>"])


def _pictures(pictures: Sequence[Picture], properties: Sequence[str]) -> list[str]:
    """The figures, those of a property under its heading."""
    by_property: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_property.setdefault(_property_of(picture.name, properties), []).append(picture)
    parts = []
    for prop, mine in by_property.items():
        parts.append(f"<h2>{html.escape(prop or 'All properties')}</h2>")
        for picture in mine:
            title = html.escape(picture.title)
            source = f"data:image/png;base64,{picture.png}"
            image = f'<img alt="{title} of {html.escape(prop)}" src="{source}">'
            caption = f"<figcaption>{title}: tables/{picture.name}.ecsv</figcaption>"
            parts.append(f"<figure>{image}{caption}</figure>")
    return parts


def _property_of(name: str, properties: Sequence[str]) -> str:
    """The property that a figure is of; empty for one of all properties."""
    fitting = (prop for prop in properties if name.startswith(f"{prop}_"))
    return max(fitting, key=len, default="")


def _preformatted(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _html_table(table: QTable) -> str:
    """Scores with their errors, a cell each."""
    metrics = [name for name in table.colnames if f"{name}_err" in table.colnames]
    rows = [
        [str(row["property"]), str(row["over"]), str(row["unit"]), f"{int(row['n']):,}"]
        + [_with_error(float(row[name]), float(row[f"{name}_err"])) for name in metrics]
        for row in table
    ]
    return _html_rows(["property", "over", "unit", "n", *metrics], rows)


def _html_sums(table: QTable) -> str:
    rows = [
        [str(row["property"]), PROPERTIES[str(row["property"])].label, str(int(row["n"]))]
        + [_with_error(float(row[name]), float(row[f"{name}_err"])) for name in ("bias", "scatter")]
        + [_with_error(float(row[name]), np.nan) for name in ("median", "half_width")]
        for row in table[table["region"] == "sum"]
    ]
    return _html_rows(
        ["property", "", "galaxies", "bias", "scatter", "median", "half of 16 to 84 %"], rows
    )


def _html_totals(table: QTable) -> str:
    heads = {"value": "predicted", "err": "error", "err_max": "largest error", "true": "true"}
    heads = {name: head for name, head in heads.items() if name in table.colnames}
    rows = []
    for row in table:
        numbers = [f"{float(row[name]):.4g}" for name in heads]
        difference = f"{float(row['difference']):+.3f}"
        rows.append([str(row["map"]), str(row["what"]), *numbers, str(row["unit"]), difference])
    return _html_rows(["map", "", *heads.values(), "unit", "difference"], rows)


def _with_error(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "–"
    form = ".3f" if abs(value) < 100 else ".3g"  # R2 of a truth that hardly varies
    return f"{value:{form}}" + (f" ± {error:{form}}" if np.isfinite(error) else "")


def _html_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    ]
    return f"<table>{''.join(lines)}</table>"
