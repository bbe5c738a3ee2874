"""The evaluation of predictions against truths as files: metrics.json, tables, figures, and one
page with all of it.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ... import __version__
from ...data.maps import PROPERTIES
from ...exceptions import InputError
from ...fits_io.safe_writing import written_whole
from ..apertures.aperture_files import write_table
from ..apertures.planes import maps_distance, planes_of
from ..apertures.totals import galaxy_totals
from ..compare.comparison import (
    Comparison,
    all_metrics,
    both_of,
    metrics_table,
    pixels_of,
    values_beside,
)
from ..compare.stellar_scores import STARS, comparison_sums, summarise
from ..figures.galaxy_figures import (
    MOST_SIDE_BY_SIDE,
    annuli_against_truth,
    galaxies_against_truth,
    label_of,
    side_by_side,
    sums_against_truth,
)
from ..figures.prediction_figures import (
    prediction_against_truth,
    residual_against,
    sigma_against_error,
)
from ..figures.profile_figures import profiles_figure
from ..profiles.ellipses import recipe_ellipse
from ..profiles.radial_profile import equal_steps, radial_profile

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.figure import Figure

_STEPS = 12
"""Annuli of the profiles, out to R25."""


@dataclass(frozen=True)
class Drawing:
    """A figure, the table behind it, and what to call the two."""

    name: str
    title: str
    figure: Figure
    table: QTable


def totals_beside(comparison: Comparison) -> QTable | None:
    """Whole-galaxy values of prediction and truth over the pixels that both have; None where the
    distance is not known.

    Returns
    -------
    astropy.table.QTable
        ``map what value err err_max true unit difference``, the difference in dex (or K, Gyr).
    """
    from astropy.table import QTable

    distance = maps_distance(comparison.maps)
    if distance is None:
        return None
    both = [
        np.isfinite(comparison.maps.values[name]) & np.isfinite(comparison.truth.values[name])
        for name in comparison.maps.values
    ]
    blank = ~np.logical_and.reduce(both)
    if blank.all():
        return None
    found = []
    for maps in (comparison.maps, comparison.truth):
        values = {
            name: np.where(blank, np.float32(np.nan), plane) for name, plane in maps.values.items()
        }
        found.append(galaxy_totals(planes_of(replace(maps, values=values), distance_mpc=distance)))
    rows = []
    for mine, true in zip(*found, strict=True):
        key = "log10" if np.isfinite(mine["log10"]) else "value"
        rows.append(
            {name: mine[name] for name in ("map", "what", "value", "err", "err_max")}
            | {"true": true["value"], "unit": mine["unit"], "difference": mine[key] - true[key]}
        )
    return QTable(rows)


def drawings(comparisons: Sequence[Comparison], sums: Sequence[QTable] = ()) -> Iterator[Drawing]:
    """The figures of every property, over all galaxies and, side by side, of each; and those of the
    galaxies' `sums`.
    """
    several = len(comparisons) > 1
    for name in dict.fromkeys(
        name for comparison in comparisons for name in comparison.maps.values
    ):
        try:
            pixels = pixels_of(comparisons, name)
        except InputError:
            continue
        yield Drawing(
            f"{name}_prediction",
            "Prediction against truth",
            *prediction_against_truth(pixels, name),
        )
        if (np.isfinite(pixels.sigma) & (pixels.sigma > 0)).any():
            yield Drawing(
                f"{name}_sigma", "Predicted sigma against error", *sigma_against_error(pixels, name)
            )
        stars = next(
            (kind for kind in STARS if np.isfinite(values_beside(comparisons, name, kind)).any()),
            "",
        )
        for kind in ("radius", stars):
            x = values_beside(comparisons, name, kind)
            if np.isfinite(x).any():
                label = "radius" if kind == "radius" else PROPERTIES[kind].label
                drawn = residual_against(pixels, name, x, kind)
                yield Drawing(f"{name}_against_{kind}", f"Residual against {label}", *drawn)
        if several:
            yield Drawing(
                f"{name}_galaxies", "Means of galaxies", *galaxies_against_truth(comparisons, name)
            )
        shown = [c for c in comparisons if name in c.maps.values and overlaps(c, name)]
        pages = [shown[i : i + MOST_SIDE_BY_SIDE] for i in range(0, len(shown), MOST_SIDE_BY_SIDE)]
        for number, page in enumerate(pages, 1):
            end = f"_{number}" if len(pages) > 1 else ""
            yield Drawing(f"{name}_maps{end}", "Maps", *side_by_side(page, name))
    for number, comparison in enumerate(comparisons, 1):
        ellipse = recipe_ellipse(comparison.maps.provenance)
        if ellipse is None:
            continue
        sources = {"prediction": comparison.maps, "truth": comparison.truth}
        profile = radial_profile(
            sources, ellipse, equal_steps(ellipse.a / _STEPS, ellipse.a), ellipse.a
        )
        end, of = (f"_{number}", f" of {label_of(comparison, number - 1)}") if several else ("", "")
        figure = profiles_figure(profile, "r_kpc" if "r_kpc" in profile.colnames else "r")
        yield Drawing(f"profiles{end}", f"Radial profiles{of}", figure, profile)
    if any(np.isfinite(table["delta"]).any() for table in sums):
        yield Drawing("sums", "Sums inside 2 R_half", *sums_against_truth(sums))
        yield Drawing("annuli", "Sums by annuli", *annuli_against_truth(sums))


def overlaps(comparison: Comparison, name: str) -> bool:
    """Whether any pixel has a prediction and a truth of a property."""
    return bool(both_of(comparison, name).any())


def stellar_sums(comparisons: Sequence[Comparison]) -> tuple[list[QTable], list[str]]:
    """`comparison_sums` of the galaxies that have a map of stars, and what is to be said of them
    and of the others.
    """
    found, notes = [], []
    for number, comparison in enumerate(comparisons):
        label = label_of(comparison, number)
        try:
            found.append(comparison_sums(comparison))
        except InputError as error:
            notes.append(f"{label}: {error}")
        else:
            notes += [f"{label}: {note}" for note in found[-1].meta["notes"]]
    return found, notes


def write_evaluation(
    folder: str | Path, comparisons: Sequence[Comparison], card: str = "", ending: Literal["png", "pdf", "svg"] = "png",
    overwrite: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Write metrics.json, metrics.ecsv, tables, figures and report.html into a folder.

    Parameters
    ----------
    folder : str or Path
    comparisons : sequence of Comparison
    card : str
        The model's card in Markdown, for the report.
    ending : str
        Format of the figures' files; in the report they are PNG.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    dict
        What metrics.json holds.

    Raises
    ------
    InputError
        When the folder holds something and `overwrite` is off, or cannot be written to.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not overwrite):
        raise InputError(
            f"{folder} is there already; choose another folder, or allow it to be replaced (--overwrite)."
        )
    found = all_metrics(comparisons)
    inside, said = stellar_sums(comparisons)
    by_ellipse = summarise(inside) if inside else None
    told: dict[str, Any] = {
        "galaxies": [
            {"name": c.name, "maps": _file(c.maps.provenance), "truth": _file(c.truth.provenance), "notes": list(c.notes)}
            for c in comparisons
        ],
        "made_by": f"napari-galaxy-maps {__version__}",
        "properties": found,
        "stellar_sums": {"notes": said, "scores": [] if by_ellipse is None else _records(by_ellipse)},
    }  # fmt: skip
    table = metrics_table(found)
    pictures = []
    for drawing in drawings(comparisons, inside):
        png = _png(drawing.figure)
        pictures.append((drawing.name, drawing.title, base64.b64encode(png).decode("ascii")))
        with written_whole(folder / "figures" / f"{drawing.name}.{ending}", overwrite) as beside:
            if ending == "png":
                beside.write_bytes(png)  # drawn once: drawing takes the most of the time
            else:
                drawing.figure.savefig(beside)
        write_table(folder / "tables" / f"{drawing.name}.ecsv", drawing.table, overwrite)
    write_table(folder / "metrics.ecsv", table, overwrite)
    if by_ellipse is not None:
        write_table(folder / "tables" / "stellar_sums.ecsv", by_ellipse, overwrite)
    sums = [(c.name, totals) for c in comparisons if (totals := totals_beside(c)) is not None]
    for number, (_, totals) in enumerate(sums, 1):
        write_table(
            folder / "tables" / f"totals{f'_{number}' if len(sums) > 1 else ''}.ecsv",
            totals,
            overwrite,
        )
    page = _page(told, table, by_ellipse, sums, pictures, comparisons, card)
    texts = {"metrics.json": json.dumps(_plain(told), indent=2), "report.html": page}
    for name, text in texts.items():
        with written_whole(folder / name, overwrite) as beside:
            beside.write_text(text, encoding="utf-8")
    return told


def _file(provenance: Mapping[str, Any]) -> str:
    return Path(str(provenance.get("file", ""))).name


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for (NaN) as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1b1b; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; } th { border-bottom: 1px solid #999; }
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) { text-align: left; } tr:nth-child(even) { background: #f6f6f6; }
figure { display: inline-block; margin: 0.5rem 1rem 0.5rem 0; vertical-align: top; } img { max-width: 100%; }
figcaption { font-size: 13px; color: #555; } pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px; }
"""


def _page(
    told: dict[str, Any],
    table: QTable,
    by_ellipse: QTable | None,
    sums: Sequence[tuple[str, QTable]],
    pictures: Sequence[tuple[str, str, str]],
    comparisons: Sequence[Comparison],
    card: str,
) -> str:
    """The report as one self-contained HTML page."""
    names = [galaxy["name"] or galaxy["maps"] for galaxy in told["galaxies"]]
    parts = [f"<h1>{html.escape(', '.join(names))}: prediction against truth</h1>", "<ul>"]
    for galaxy in told["galaxies"]:
        notes = " ".join(galaxy["notes"])
        parts.append(
            f"<li>{html.escape(galaxy['name'])}: {html.escape(galaxy['maps'])} against {html.escape(galaxy['truth'])}. "
            f"{html.escape(notes)}</li>"
        )
    parts += ["</ul>", "<h2>Scores</h2>", _html_table(table)]
    parts.append(
        "<p>Bias is prediction minus truth; chi2 is the mean of z squared, with z the residual over the errors of both in "
        "quadrature; coverages are the shares of pixels with |z| under 1, and under the sigmas that are said to hold 95 % "
        "(TAIL95 in the maps' file, or 1.96). Each galaxy has one vote. Errors are from bootstraps over galaxies, or over "
        "blocks of pixels four PSFs wide where there is one galaxy.</p>"
    )
    for name, beside in sums:
        parts += [
            f"<h2>Whole-galaxy values of {html.escape(name or 'the galaxy')}</h2>",
            _html_totals(beside),
        ]
        parts.append(
            "<p>Over the pixels that both have. The first error takes pixels as independent beyond the PSF, the second as all "
            "off together; the difference is in dex, or in the unit where that is no dex and no sum.</p>"
        )
    if by_ellipse is not None:
        parts += ["<h2>Sums inside 2 R_half of the stars</h2>", _html_ellipse(by_ellipse)]
        parts.append(
            "<p>Bias is the mean and scatter the standard deviation over galaxies of log10 true - log10 predicted, in dex (Buck &amp; Wolf 2021, "
            "Sect. 4): an ellipse fitted to the true map of stars is kept for all maps; pixels whose truth is empty are left out; of what does not add up it is the weighted mean. "
            "Errors are from bootstraps over galaxies.</p>"
        )
    parts += [f"<p>{html.escape(note)}</p>" for note in told["stellar_sums"]["notes"]]
    for prop in dict.fromkeys(_property_of(name, told) for name, _, _ in pictures):
        parts.append(f"<h2>{html.escape(prop or 'All properties')}</h2>")
        for name, title, png in pictures:
            if _property_of(name, told) == prop:
                picture = f'<img alt="{html.escape(title)} of {html.escape(prop)}" src="data:image/png;base64,{png}">'
                parts.append(
                    f"<figure>{picture}<figcaption>{html.escape(title)}: tables/{name}.ecsv</figcaption></figure>"
                )
    for comparison in comparisons:
        recipe = str(comparison.maps.provenance.get("recipe", "")).strip()
        if recipe:
            parts.append(
                f"<h2>Recipe of {html.escape(comparison.name)}</h2><pre>{html.escape(recipe)}</pre>"
            )
    if card:
        parts.append(f"<h2>The model</h2><pre>{html.escape(card)}</pre>")
    parts.append(f"<p>{html.escape(told['made_by'])}</p>")
    title = html.escape(", ".join(names))
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _property_of(name: str, told: dict[str, Any]) -> str:
    """Whose figure it is; empty for one of all properties."""
    return max(
        (prop for prop in told["properties"] if name.startswith(f"{prop}_")), key=len, default=""
    )


def _html_table(table: QTable) -> str:
    """Scores with their errors, a cell each."""
    metrics = [name for name in table.colnames if f"{name}_err" in table.colnames]
    rows = [
        [str(row["property"]), str(row["over"]), str(row["unit"]), f"{int(row['n']):,}"]
        + [_with_error(float(row[name]), float(row[f"{name}_err"])) for name in metrics]
        for row in table
    ]
    return _html_rows(["property", "over", "unit", "n", *metrics], rows)


def _html_ellipse(table: QTable) -> str:
    rows = [
        [str(row["property"]), PROPERTIES[str(row["property"])].label, str(int(row["n"]))]
        + [_with_error(float(row[name]), float(row[f"{name}_err"])) for name in ("bias", "scatter")]
        + [_with_error(float(row[name]), np.nan) for name in ("median", "half_width")]
        for row in table[table["region"] == "sum"]
    ]
    return _html_rows(
        ["property", "", "galaxies", "bias", "scatter", "median", "half of 16 to 84 %"], rows
    )


def _records(table: QTable) -> list[dict[str, Any]]:
    return [
        {key: getattr(row[key], "item", lambda v=row[key]: v)() for key in table.colnames}
        for row in table
    ]


def _html_totals(table: QTable) -> str:
    rows = [
        [str(row["map"]), str(row["what"]), *(f"{float(row[name]):.4g}" for name in ("value", "err", "err_max", "true")),
         str(row["unit"]), f"{float(row['difference']):+.3f}"]
        for row in table
    ]  # fmt: skip
    return _html_rows(
        ["map", "", "predicted", "error", "largest error", "true", "unit", "difference"], rows
    )


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
