"""The table of a model's scores on outside galaxies, with verdicts, in Markdown and in a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..stellar_unet.stellar_scoring import PUBLISHED

MASS, AGE, METALS, SFR = "LOG_SIGMA_STAR", "AGE_STAR", "LOG_SIGMA_ZSTAR", "LOG_SIGMA_SFR"
WORDS = {MASS: "mass", AGE: "age", METALS: "metals"}
MASS_WITHIN = 0.1
"""dex that the mass of a row may be off in the mean; ages and metals as much as is told."""
WITHIN_68 = (45.0, 90.0)
"""Per cent of pixels within one sigma, in each row."""
POOLED_68, POOLED_95 = (60.0, 76.0), (90.0, 98.0)
MARK = "outside: made by training/outside/score.py"
_SAID = 3  # refusals that are quoted
_HEAD = (
    "row", "n", "mass", "age", "told", "metals", "told", "mass 68, 95 %", "age 68, 95 %",
    "metals 68, 95 %", "SFR", "flagged", "verdict",
)  # fmt: skip


def verdict(row: dict[str, Any]) -> list[str]:
    """What is not as it should be in a row, in words; nothing where all is well."""
    wrong = [f"{row['refused']} refused"] if row["refused"] else []
    if row["refused"] == row["n"]:
        return wrong
    for name, word in WORDS.items():
        limit = MASS_WITHIN if name == MASS else row[name]["told"]
        if not abs(row[name]["bias"]) < limit:
            wrong.append(word)
    return wrong + _off_cover(row, "68", WITHIN_68)


def pooled_verdict(pooled: dict[str, Any]) -> list[str]:
    """The same of the coverage of all rows together."""
    if pooled["refused"] == pooled["n"]:
        return ["refused"]
    return _off_cover(pooled, "68", POOLED_68) + _off_cover(pooled, "95", POOLED_95)


def _off_cover(row: dict[str, Any], key: str, limits: tuple[float, float]) -> list[str]:
    low, high = limits
    words = [word for name, word in WORDS.items() if not low <= row[name][f"coverage{key}"] <= high]
    return [f"{key} % ({', '.join(words)})"] if words else []


def markdown(found: dict[str, Any]) -> str:
    """The table of `score.score_cases`, with the model's name and hash."""
    lines = [
        f"Model `{Path(found['model']).name}`, weights {found['weights'][:12]}. Mean and scatter "
        "over galaxies of log10 true - log10 predicted of the sums inside 2 R_half, in dex; told: "
        "mean of the errors that the model says of the pixels there; per cent of these pixels "
        "within one sigma and within those that should hold 95 %; share flagged as unlike anything "
        f"trained on. Verdict, what is not so: mass within {MASS_WITHIN:g} dex, age and metals "
        f"within what is told, {WITHIN_68[0]:.0f} to {WITHIN_68[1]:.0f} % of pixels within one "
        f"sigma; of all together {POOLED_68[0]:.0f} to {POOLED_68[1]:.0f} and {POOLED_95[0]:.0f} "
        f"to {POOLED_95[1]:.0f} %.",
        "",
    ]
    for last, title in ((False, ""), (True, "Rows that no setting was chosen by:")):
        rows = {name: row for name, row in found["rows"].items() if row["last"] == last}
        if rows:
            lines += [title, ""] if title else []
            lines += [_line(_HEAD), _line(["---"] * len(_HEAD))]
            lines += [_line(_cells(name, row, verdict(row))) for name, row in rows.items()]
            pooled = found["pooled"]["last" if last else "settings"]
            lines += [_line(_cells("**all of these**", pooled, pooled_verdict(pooled)))]
            lines += [_line(_published()), ""]
    well = sum(not verdict(row) for row in found["rows"].values())
    lines += [f"{well} of {len(found['rows'])} rows are as they should be."]
    said = dict.fromkeys(case["refused"] for case in found["cases"] if case["refused"])
    lines += [f"Refused: {words}" for words in [*said][:_SAID]]
    return "\n".join(lines) + "\n"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(name: str, row: dict[str, Any], wrong: list[str]) -> list[str]:
    def off(key: str) -> str:
        return f"{_number(row[key]['bias'], '+.2f')} ± {_number(row[key]['scatter'], '.2f')}"

    def covered(key: str) -> str:
        one, two = (_number(row[key][f"coverage{k}"], ".0f") for k in (68, 95))
        return f"{one}, {two}"

    told = {key: _number(row[key]["told"], ".2f") for key in (AGE, METALS)}
    return [
        name, str(row["n"]), off(MASS), off(AGE), told[AGE], off(METALS), told[METALS],
        covered(MASS), covered(AGE), covered(METALS), off(SFR),
        f"{_number(100 * row['flagged'], '.1f')} %", ", ".join(wrong) or "well",
    ]  # fmt: skip


def _published() -> list[str]:
    """PICASSO's scatter for its own simulated galaxies."""
    by = {name: f"± {PUBLISHED[name]:.2f}" for name in (MASS, AGE, METALS, SFR)}
    return [
        "PICASSO, own galaxies", "", by[MASS], by[AGE], "", by[METALS], "", "", "", "", by[SFR],
        "", "",
    ]  # fmt: skip


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "–"
