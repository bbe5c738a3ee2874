"""The evaluation of predictions against truths as files: metrics.json, tables, figures, and one
page with all of it.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ... import __version__
from ...exceptions import InputError
from ...fits_io.safe_writing import check_output_folder, folder_written_whole
from ...progress import Progress, Steps, run_to_end
from ..apertures.aperture_files import write_table
from ..compare.comparison import Comparison, metrics_table
from .drawings import Drawing, drawings
from .page import Picture, html_page
from .scores import Scores, scores_of
from .tables import totals_beside

if TYPE_CHECKING:
    from astropy.table import QTable
    from matplotlib.figure import Figure


Ending = Literal["png", "pdf", "svg"]


def write_evaluation(
    folder: str | Path, comparisons: Sequence[Comparison], card: str = "",
    ending: Ending = "png",
    overwrite: bool = False,
) -> Scores:  # fmt: skip
    """Write metrics.json, metrics.ecsv, tables, figures and report.html into a folder: all or none.

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
    Scores
        The numbers that metrics.json holds.

    Raises
    ------
    InputError
        When the folder holds something and `overwrite` is off, or cannot be written to.
    """
    return run_to_end(write_evaluation_steps(folder, comparisons, card, ending, overwrite))


def write_evaluation_steps(
    folder: str | Path, comparisons: Sequence[Comparison], card: str = "",
    ending: Ending = "png",
    overwrite: bool = False,
) -> Steps[Scores]:  # fmt: skip
    """`write_evaluation`, yielding after every figure; closed before the end it leaves nothing."""
    check_evaluation_folder(folder, overwrite)
    with folder_written_whole(folder, overwrite) as stage:
        return (yield from _write_all(stage, comparisons, card, ending))


def check_evaluation_folder(folder: str | Path, overwrite: bool) -> None:
    """Refuse a folder for an evaluation before the work is done.

    Raises
    ------
    InputError
        When the folder holds something and `overwrite` is off, or cannot be written to.
    """
    place = check_output_folder(folder)
    if place.is_dir() and any(place.iterdir()) and not overwrite:
        raise InputError(
            f"{folder} is there already; choose another folder, or allow it to be replaced.",
            "overwrite",
        )


def _write_all(
    folder: Path, comparisons: Sequence[Comparison], card: str, ending: Ending
) -> Steps[Scores]:
    """Fill an empty folder; returns the scores."""
    yield Progress("report", 0, 0, "scores")
    scores = scores_of(comparisons)
    evaluation, by_ellipse = _contents(comparisons, scores), scores.sums_by_ellipse
    metrics = metrics_table(scores.properties)
    pictures: list[Picture] = []
    for drawing in drawings(comparisons, scores.sums):
        yield Progress("report", len(pictures), 0, f"{drawing.title} ({drawing.name})")
        pictures.append(_write_drawing(folder, drawing, ending))
    yield Progress("report", len(pictures), 0, "the page")
    totals = [(c.name, found) for c in comparisons if (found := totals_beside(c)) is not None]
    write_table(folder / "metrics.ecsv", metrics)
    for name, table in _tables(by_ellipse, totals).items():
        write_table(folder / "tables" / name, table)
    page = html_page(evaluation, metrics, by_ellipse, totals, pictures, comparisons, card)
    text = json.dumps(_nan_as_null(evaluation), indent=2)
    (folder / "metrics.json").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
    return scores


def _contents(comparisons: Sequence[Comparison], scores: Scores) -> dict[str, Any]:
    """What metrics.json holds."""
    galaxies = [
        {
            "name": comparison.name,
            "maps": _file_name(comparison.maps.provenance),
            "truth": _file_name(comparison.truth.provenance),
            "notes": list(comparison.notes),
        }
        for comparison in comparisons
    ]
    by_ellipse = scores.sums_by_ellipse
    return {
        "galaxies": galaxies,
        "made_by": f"napari-galaxy-maps {__version__}",
        "properties": scores.properties,
        "stellar_sums": {
            "notes": scores.notes,
            "unit": "dex",
            "scores": [] if by_ellipse is None else _records(by_ellipse),
        },
    }


def _write_drawing(folder: Path, drawing: Drawing, ending: Ending) -> Picture:
    """Write a figure and the table behind it; the figure comes back for the page."""
    png = _png(drawing.figure)
    path = folder / "figures" / f"{drawing.name}.{ending}"
    path.parent.mkdir(exist_ok=True)
    if ending == "png":
        path.write_bytes(png)  # drawn once: drawing takes the most of the time
    else:
        drawing.figure.savefig(path)
    write_table(folder / "tables" / f"{drawing.name}.ecsv", drawing.table)
    return Picture(drawing.name, drawing.title, base64.b64encode(png).decode("ascii"))


def _tables(
    sums_by_ellipse: QTable | None, totals: Sequence[tuple[str, QTable]]
) -> dict[str, QTable]:
    """The tables that no figure has, by the names of their files."""
    found = {} if sums_by_ellipse is None else {"stellar_sums.ecsv": sums_by_ellipse}
    for number, (_, table) in enumerate(totals, 1):
        found[f"totals_{number}.ecsv" if len(totals) > 1 else "totals.ecsv"] = table
    return found


def _file_name(provenance: Mapping[str, Any]) -> str:
    return Path(str(provenance.get("file", ""))).name


def _nan_as_null(value: Any) -> Any:
    """Numbers that JSON has no word for (NaN, infinity) as null."""
    if isinstance(value, dict):
        return {key: _nan_as_null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_nan_as_null(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _records(table: QTable) -> list[dict[str, Any]]:
    return [
        {key: getattr(row[key], "item", lambda v=row[key]: v)() for key in table.colnames}
        for row in table
    ]


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()
