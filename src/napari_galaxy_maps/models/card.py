"""The model card: what a model was trained on, what it takes, how well it does, and where not to
trust it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

UNITS = {"T_DUST": "K"}


@dataclass(frozen=True)
class Score:
    """How well one property is predicted in one case.

    Attributes
    ----------
    case, population : str
        The bands given, and the galaxies counted.
    property : str
    n : int
        Galaxies.
    rmse, r2, me : tuple of float
        Root mean square error, coefficient of determination and mean error (prediction - truth),
        each with its standard error from a bootstrap over galaxies.
    baseline_rmse, baseline_r2, baseline_me : tuple of float
        Of the plain forest refitted to the same bands and folds.
    chi2 : tuple of float
        Mean of z^2, z = residual / sqrt(sigma^2 + sigma_truth^2).
    chi2_median : float
        Median of z^2; a Gaussian's is 0.45.
    coverage68, coverage95 : tuple of float
        Per cent of galaxies with ``|z| < 1`` and ``< tail``.
    tail : float
        The sigmas that are said to hold 95 %.
    likelihood_gain : float
        Mean log likelihood over that of one constant sigma.
    sigma : float
        Median predicted uncertainty.
    """

    case: str
    population: str
    property: str
    n: int
    rmse: tuple[float, float]
    r2: tuple[float, float]
    me: tuple[float, float]
    baseline_rmse: tuple[float, float]
    baseline_r2: tuple[float, float]
    baseline_me: tuple[float, float]
    chi2: tuple[float, float]
    chi2_median: float
    coverage68: tuple[float, float]
    coverage95: tuple[float, float]
    tail: float
    likelihood_gain: float
    sigma: float

    def calibrated(self) -> bool:
        """Whether both coverages are right within two standard errors."""
        pairs = ((self.coverage68, 68.27), (self.coverage95, 95.0))
        return all(abs(share - told) <= 2 * error for (share, error), told in pairs)

    def off(self) -> float:
        """By how many points the worse of the coverages is off."""
        return max(abs(self.coverage68[0] - 68.27), abs(self.coverage95[0] - 95.0))


@dataclass(frozen=True)
class CardTable:
    """A table of a card that is not one of `Score`.

    Attributes
    ----------
    title, text : str
        Its heading, and what its columns are.
    head : tuple of str
    rows : tuple of tuple of str
    """

    title: str
    text: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ModelCard:
    """What a person should know of a model before trusting it.

    Attributes
    ----------
    name, version, licence, imf : str
    about : str
        What it is, in a paragraph.
    trained_on : str
    bands : tuple of str
        It can take, in the order of its own columns.
    needs : str
        Of them, at the least.
    properties : tuple of str
        It predicts.
    how_scored : str
    scores : tuple of Score
    tables : tuple of CardTable
        What was measured in another way.
    notes : tuple of str
        Measured facts beyond the table.
    do_not_trust : tuple of str
    sources : tuple of str
    features : tuple of str
        What it computes from `bands`, in the order in which its trees or its network take it.
    settings : mapping
        What else its own code reads, as training wrote it.
    """

    name: str
    version: str
    licence: str
    imf: str
    about: str
    trained_on: str
    bands: tuple[str, ...]
    needs: str
    properties: tuple[str, ...]
    how_scored: str
    scores: tuple[Score, ...] = ()
    tables: tuple[CardTable, ...] = ()
    notes: tuple[str, ...] = ()
    do_not_trust: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def score(self, case: str, population: str, prop: str) -> Score:
        """The score of one case; raises KeyError where there is none."""
        for item in self.scores:
            if (item.case, item.population, item.property) == (case, population, prop):
                return item
        raise KeyError(f"no score of {prop} for {case}, {population}")

    def cases(self) -> list[tuple[str, str]]:
        """The cases and populations scored, in order."""
        return list(dict.fromkeys((s.case, s.population) for s in self.scores))

    def summary(self) -> str:
        """A few lines for a panel."""
        lines = [self.about.split(". ")[0] + ".", f"Needs {self.needs}. IMF: {self.imf}."]
        if self.scores:
            case, population = self.cases()[0]
            errors = ", ".join(
                f"{s.property} {s.rmse[0]:.2f} {_unit(s.property)}"
                for s in self.scores
                if (s.case, s.population) == (case, population)
                and not s.property.startswith("LOG_SIGMA")
            )
            lines.append(f"Error on unseen galaxies ({population}): {errors}.")
        return " ".join(lines)

    def to_markdown(self) -> str:
        """The whole card."""
        parts = [
            f"# {self.name} {self.version}",
            self.about,
            "## Trained on",
            self.trained_on,
            "## Takes",
        ]
        parts += [f"Any of {', '.join(self.bands)}. Needs {self.needs}.", "## Gives"]
        parts += [
            f"{', '.join(self.properties)}, each with a 1-sigma uncertainty. IMF: {self.imf}."
        ]
        if self.scores:
            parts += [
                "## Measured errors",
                self.how_scored,
                self._errors(),
                "## Measured uncertainties",
                self._calibration(),
            ]
        elif self.how_scored:
            parts += ["## How it was measured", self.how_scored]
        for table in self.tables:
            parts += [
                f"## {table.title}",
                table.text,
                _table(list(table.head), [list(row) for row in table.rows]),
            ]
        if self.notes:
            parts += ["## Also measured", _bullets(self.notes)]
        parts += ["## Where not to trust it", _bullets(self.do_not_trust)]
        parts += [
            "## Sources and licence",
            _bullets(self.sources),
            f"Licence of the weights: {self.licence}.",
        ]
        return "\n\n".join(parts) + "\n"

    def _errors(self) -> str:
        head = [
            "bands given",
            "galaxies",
            "n",
            "property",
            "RMSE",
            "baseline",
            "R2",
            "baseline",
            "mean error",
            "baseline",
        ]
        rows = []
        for s in self.scores:
            rows.append(
                [s.case, s.population, str(s.n), s.property]
                + [_pm(v) for v in (s.rmse, s.baseline_rmse, s.r2, s.baseline_r2)]
                + [_pm(v, "+") for v in (s.me, s.baseline_me)]
            )
        return _table(head, rows)

    def _calibration(self) -> str:
        text = (
            "z = residual / sqrt(sigma^2 + sigma_truth^2), sigma_truth being the truth's own "
            "error; chi2 is its mean square, beside its median (a Gaussian's is 0.45); the "
            "coverages are the galaxies with |z| < 1 and |z| < tail, the sigmas that are said to "
            "hold 95 %. Gain: mean log likelihood over that of one constant sigma. A row of which "
            "a coverage is more than two standard errors off 68.3 or 95 % is marked."
        )
        head = [
            "bands given",
            "galaxies",
            "property",
            "median sigma",
            "chi2",
            "median",
            "68 %",
            "95 %",
            "tail",
            "gain",
            "",
        ]
        rows = [
            [
                s.case,
                s.population,
                s.property,
                f"{s.sigma:.3g}",
                _pm(s.chi2),
                f"{s.chi2_median:.2f}",
                "{:.1f} ± {:.1f}".format(*s.coverage68),
                "{:.1f} ± {:.1f}".format(*s.coverage95),
                f"{s.tail:.2f}",
                f"{s.likelihood_gain:+.2f}",
                "" if s.calibrated() else "off",
            ]
            for s in self.scores
        ]
        return text + "\n\n" + _table(head, rows)

    def provenance(self, weights_hash: str, bands: tuple[str, ...], device: str) -> dict[str, Any]:
        """What maps say of the model that made them, of which bands and where it ran."""
        return {
            "model": self.name,
            "model_version": self.version,
            "model_hash": weights_hash,
            "imf": self.imf,
            "bands": ", ".join(bands),
            "device": device,
        }

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(_nulls(asdict(self)), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """The reverse of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        scores: list[dict[str, Any]] = [_tuples(score) for score in fields.pop("scores")]
        tables = tuple(
            CardTable(
                t["title"], t["text"], tuple(t["head"]), tuple(tuple(row) for row in t["rows"])
            )
            for t in fields.pop("tables", [])
        )
        rest = _tuples(fields)
        return cls(scores=tuple(Score(**score) for score in scores), tables=tables, **rest)

    @classmethod
    def from_file(cls, path: str | Path) -> ModelCard:
        """The card in a JSON file."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists, and null for what is not a number."""
    return {
        key: tuple(float("nan") if item is None else item for item in value)
        if isinstance(value, list)
        else value
        for key, value in fields.items()
    }


def _nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nulls(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nulls(item) for item in value]
    return None if value != value else value


def _unit(prop: str) -> str:
    return UNITS.get(prop, "dex")


def _pm(value: tuple[float, float], sign: str = "") -> str:
    if value[0] != value[0]:  # NaN: there is none
        return "–"
    return f"{value[0]:{sign}.3f} ± {value[1]:.3f}"


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
