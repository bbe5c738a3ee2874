"""What commands do at the terminal: show progress, and print in letters that it knows."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..progress import Progress, Steps, run_to_end

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..data.maps import PropertyMaps
    from ..measure.compare.comparison import Comparison
    from ..measure.report.scores import Scores

T = TypeVar("T")

_PLAIN = {
    "″": '"', "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-",
    "×": "x", "·": "*", "±": "+-", "→": "->", "≤": "<=", "≥": ">=", "≈": "~", "°": "deg",
    "⊙": "sun", "α": "alpha", "β": "beta", "λ": "lambda", "μ": "u", "µ": "u", "σ": "sigma",
    "χ": "chi",
}  # fmt: skip
"""Letters that not every terminal knows, as plain ones."""


def make_printable(*streams: Any) -> None:
    """Let streams write letters that their encoding does not know (a pipe in Windows, LC_ALL=C) as
    plain ones that look alike.
    """
    codecs.register_error("plain", _in_plain_letters)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = ""
    for letter in error.object[error.start : error.end]:
        alike = _PLAIN.get(letter) or unicodedata.normalize("NFKD", letter)
        plain += alike.encode("ascii", "ignore").decode() or "?"
    return plain, error.end


def run_steps(steps: Steps[T], quiet: bool, said: Sequence[str] = ()) -> T:
    """Run steps to their end, with a progress bar where standard error is a terminal, then print
    what is worth knowing after it, but for what was said before.
    """
    remarks: list[str] = []

    def note(progress: Progress) -> None:
        if progress.lasting and progress.detail not in remarks:
            remarks.append(progress.detail)

    if quiet:
        return run_to_end(steps)
    if not sys.stderr.isatty():
        result = run_to_end(steps, note)
    else:
        from tqdm import tqdm

        with tqdm(
            bar_format="{desc:<60.60} |{bar:20}| {n_fmt}/{total_fmt} [{elapsed}]",
            leave=False,
            file=sys.stderr,
        ) as bar:

            def show(progress: Progress) -> None:
                note(progress)
                bar.total, bar.n = progress.total, progress.done
                bar.set_description_str(f"{progress.step}: {progress.detail}")

            result = run_to_end(steps, show)
    for remark in remarks:
        if remark not in said:
            print(remark)
    return result


def print_maps(maps: PropertyMaps) -> None:
    """A line for each map, and what is wrong with how many of the pixels."""
    import numpy as np

    from ..data.flags import Flag, bits_set, words_of
    from ..data.properties import PROPERTIES

    ny, nx = maps.shape
    members = maps.provenance.get("members", "1")
    print(
        f"{maps.provenance.get('object', '')}: maps of {nx} x {ny} pixels "
        f"by {maps.provenance.get('model', '')}"
        f"{', with no scaling relations' if maps.provenance.get('prior') == 'wide' else ''}"
        f"{f', {members} members' if members != '1' else ''}"
    )
    for name, plane in maps.values.items():
        good = np.isfinite(plane)
        prop = PROPERTIES[name]
        unit = f"{prop.unit} {prop.log_unit}".strip()
        if good.any():
            error = np.nanmedian(maps.errors[name][good]) if name in maps.errors else np.nan
            wide = f" (95 % within {maps.tails[name] * error:.3f})" if name in maps.tails else ""
            print(
                f"  {name:16} median {np.median(plane[good]):7.3f}, error {error:.3f}{wide} {unit}"
            )
        else:
            print(f"  {name:16} nowhere")
    valid = np.isfinite(next(iter(maps.values.values())))
    if not valid.any():
        print("  no pixel has a value: look at the images, and at what is wrong with the pixels")
        valid = (maps.flags & Flag.OUTSIDE) == 0
    if maps.filling is not None and maps.filling.rows.size:
        share = maps.filling.rows.size / (valid.sum() + maps.filling.rows.size)
        print(f"  {share:.1%} of the pixels under masks, filled: sums count them")
    of_valid = maps.flags[valid]
    for bit in bits_set(of_valid):
        share = float(((of_valid & bit) != 0).mean())
        print(f"  {share:.1%} of the pixels: {words_of(bit, maps.unknown_flags)}")


def print_table(table: QTable, names: Sequence[str]) -> None:
    """Some columns of a table."""
    short = table[list(names)]
    for name in short.colnames:
        if short[name].dtype.kind == "f":
            short[name].info.format = ".5g"
    short.pprint(max_lines=60, max_width=-1, show_dtype=False)


def print_scores(scores: Scores, comparisons: Sequence[Comparison]) -> None:
    """How well predictions do over pixels and in sums, and what was done to compare them."""
    from ..measure.report.scores import in_words

    of_pixels, of_sums = in_words(scores)
    pixels, inside = scores.pixels(), scores.inside()
    if len(pixels):
        print(of_pixels)
        print_table(pixels, pixels.colnames)
    if inside is not None and len(inside):
        print(of_sums)
        print_table(inside, inside.colnames)
    notes = [note for comparison in comparisons for note in comparison.notes]
    for note in dict.fromkeys(notes + scores.notes):
        print(f"Note: {note}")
