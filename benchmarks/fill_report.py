"""What the tables of bench_fill.py say together, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from astropy.table import Table, vstack

DRAWS = 1000  # of galaxies, for errors
FEW = 0.1  # of the galaxy masked, up to which sums are judged
SEEN = 0.25  # relative error of a sum, over which it says nothing
GOAL_DEX = 0.01
NO_MODEL = "none"  # has looked at the real galaxies


def report(work: Path) -> None:
    """Print the tables of a folder, of runs that filled and of those that did not."""
    for way, words in (("filled", "filled"), ("left", "left out")):
        pixels, sums = (_read(work, f"{what}-{way}-*.ecsv") for what in ("pixels", "sums"))
        if sums is None:
            continue
        print(f"\n### Masked pixels {words}\n")
        if pixels is not None:
            for model in sorted(set(pixels["model"][pixels["kind"] == "map"])):
                of_model = pixels[(pixels["model"] == model) & (pixels["kind"] == "map")]
                print(_narrow(of_model, model))
                print(_wide(of_model, model))
            bands = pixels[pixels["kind"] == "band"]
            for of in _groups(bands):
                print(_bands(*of))
        for of in _groups(sums):
            print(_sums(*of))
            if way == "filled":
                print(_misses(*of))


def _read(work: Path, pattern: str) -> Table | None:
    tables = [Table.read(path) for path in sorted(work.glob(pattern))]
    return vstack(tables, metadata_conflicts="silent") if tables else None


def _groups(table: Table) -> Iterator[tuple[Table, str]]:
    """The mocks of each model, and each real galaxy, with a title."""
    for model in sorted(set(table["model"])):
        of_model = table[table["model"] == model]
        if model != NO_MODEL:
            yield of_model, f"{len(set(of_model['seed']))} mocks, bands of {model}"
        else:
            for name in sorted(set(of_model["name"])):
                of_name = of_model[of_model["name"] == name]
                yield of_name, f"{name}, {len(set(of_name['seed']))} draws of stars"


def _galaxies(table: Table, quantity: str, zones: Sequence[str]) -> dict[int, dict[str, float]]:
    """Of each galaxy, a map's figures over some zones, each weighted with its pixels."""
    rows = table[(table["quantity"] == quantity) & np.isin(table["zone"], zones) & (table["n"] > 0)]
    found = {}
    figures = [name for name in _FIGURES if not np.ma.is_masked(rows[name])]
    for seed in sorted(set(rows["seed"])):
        own = rows[rows["seed"] == seed]
        n = own["n"].sum()
        found[seed] = {"n": n} | {name: float((own[name] * own["n"]).sum() / n) for name in figures}
    return found


_FIGURES = (
    "square", "square0", "hit", "hit0", "told", "change", "added", "hit_change", "square_rim",
    "hit_rim",
)  # fmt: skip


def _with_error(figure: Callable[[np.ndarray], float], n: int) -> tuple[float, float]:
    """A figure of chosen galaxies, and its scatter over draws of them."""
    if not n:
        return np.nan, np.nan
    rng = np.random.default_rng(0)
    return figure(np.arange(n)), float(
        np.std([figure(rng.integers(0, n, n)) for _ in range(DRAWS)])
    )


def _ratio(
    near: dict[int, dict[str, float]], far: dict[int, dict[str, float]], key: str, far_key: str
) -> tuple[float, float]:
    """Root mean square near masks over that elsewhere in the same galaxies, each of which counts
    as much in both.
    """
    seeds = [seed for seed in near if seed in far]
    n, own, other = (
        np.array([part[seed][name] for seed in seeds])
        for part, name in ((near, "n"), (near, key), (far, far_key))
    )

    def figure(which: np.ndarray) -> float:
        return float(np.sqrt((n[which] * own[which]).sum() / (n[which] * other[which]).sum()))

    return _with_error(figure, len(seeds))


def _share(galaxies: dict[int, dict[str, float]], key: str) -> tuple[float, float]:
    """Share of pixels within their errors."""
    n, hit = (np.array([of[name] for of in galaxies.values()]) for name in ("n", key))

    def figure(which: np.ndarray) -> float:
        return float((n[which] * hit[which]).sum() / n[which].sum())

    return _with_error(figure, len(n))


def _rms(galaxies: dict[int, dict[str, float]], key: str) -> float:
    n = sum(of["n"] for of in galaxies.values())
    return float(np.sqrt(sum(of["n"] * of[key] for of in galaxies.values()) / n)) if n else np.nan


def _narrow(table: Table, model: str) -> str:
    """rms of maps in and beside masks up to three FWHM wide, beside that elsewhere."""
    lines = [
        f"{model}, masks up to 3 FWHM wide: rms against the truth, over that elsewhere in the same "
        "galaxies; in brackets, of the same pixels in the run without stars.\n",
        "| map | pixels in (lost) | rms in | beside | elsewhere | ratio, in | beside | both |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(table["quantity"]):
        zones = (("in narrow",), ("beside narrow",), ("in narrow", "beside narrow"))
        inside, beside, both = (_galaxies(table, name, zone) for zone in zones)
        far = _galaxies(table, name, ("elsewhere",))
        cells = [_pixels(table, name, "in narrow", inside)]
        cells += [f"{_rms(part, 'square'):.3f}" for part in (inside, beside, far)]
        for part in (inside, beside, both):
            ratio, error = _ratio(part, far, "square", "square")
            without, _ = _ratio(part, far, "square0", "square0")
            cells.append(f"{ratio:.2f} ± {error:.2f} ({without:.2f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _pixels(table: Table, name: str, zone: str, inside: dict) -> str:
    """How many pixels there are, and in brackets how many were lost."""
    lost = table["lost"][(table["quantity"] == name) & (table["zone"] == zone)].sum()
    return f"{sum(of['n'] for of in inside.values())} ({lost})"


def _wide(table: Table, model: str) -> str:
    """Share of pixels within their errors in masks wider than three FWHM."""
    lines = [
        f"{model}, wider masks: share of pixels whose errors hold; in brackets, of the same pixels "
        "in the run without stars. The last columns are the difference to the run without stars, "
        "beside the error that the filling adds.\n",
        "| map | pixels (lost) | rms in | told | holds | beside | elsewhere | change, rms | added "
        "| holds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(table["quantity"]):
        zones = ("in wide", "beside wide", "elsewhere")
        inside, beside, far = (_galaxies(table, name, (zone,)) for zone in zones)
        cells = [_pixels(table, name, "in wide", inside)]
        cells += [f"{_rms(inside, key):.3f}" for key in ("square", "told")]
        for part in (inside, beside, far):
            hit, error = _share(part, "hit")
            cells.append(f"{hit:.0%} ± {error:.0%} ({_share(part, 'hit0')[0]:.0%})")
        cells += [f"{_rms(inside, key):.3f}" for key in ("change", "added")]
        cells.append("{:.0%} ± {:.0%}".format(*_share(inside, "hit_change")))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _bands(table: Table, title: str) -> str:
    """What bands are filled with, beside the same without stars."""
    lines = [
        f"{title}: filled light less that without stars, over its mean; its error, with the noise "
        "of what it is compared with; the share within it; in brackets, where the surroundings are "
        "those without stars and masks.\n",
        "| band | narrow: pixels | rms | told | holds | wide: pixels | rms | told | holds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(table["quantity"]):
        cells = []
        for zone in ("in narrow", "in wide"):
            of = _galaxies(table, name, (zone,))
            cells.append(f"{sum(one['n'] for one in of.values())}")
            cells.append(f"{_rms(of, 'square'):.1%} ({_rms(of, 'square_rim'):.1%})")
            hit, error = _share(of, "hit")
            cells += [f"{_rms(of, 'told'):.1%}", f"{hit:.0%} ± {error:.0%}"]
            cells[-1] += f" ({_share(of, 'hit_rim')[0]:.0%})"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _sums(table: Table, title: str) -> str:
    """Sums with stars beside those without, where less than a tenth of the galaxy is masked."""
    lines = [
        f"{title}: sums with stars over those without, where less than a tenth of the galaxy is "
        f"masked; median, 90th percentile and largest of |dex|, and share within {GOAL_DEX} dex.\n",
        "| sum | runs | masked | filled | within | measured alone | within | scaled by area "
        "| within |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    judged = _judged(table)
    for kind in ("band", "map"):
        of_kind = judged[judged["kind"] == kind]
        for name in dict.fromkeys(of_kind["quantity"]):
            lines.append(_sum_line(of_kind[of_kind["quantity"] == name], name))
        if len(of_kind):
            lines.append(_sum_line(of_kind, f"all {kind}s"))
    return "\n".join(lines) + "\n"


def _judged(table: Table) -> Table:
    """Sums of galaxies of which little is masked, and which are seen."""
    few = (table["share"] > 0) & (table["share"] < FEW)
    return table[few & (np.abs(table["error"]) < SEEN)]


def _sum_line(rows: Table, name: str) -> str:
    cells = [str(len(rows)), f"{np.mean(rows['share']):.1%}"]
    for column in ("dex", "dex_measured", "dex_scaled"):
        off = np.abs(np.nan_to_num(rows[column], nan=np.inf))
        low, high, most = np.percentile(off, (50, 90, 100))
        cells += [f"{low:.4f}, {high:.4f}, {most:.4f}", f"{np.mean(off <= GOAL_DEX):.0%}"]
    return f"| {name} | " + " | ".join(cells) + " |"


def _misses(table: Table, title: str) -> str:
    """The galaxies of which a sum misses the goal, and what is in the worst of them: stars' light
    beside the masks, and what is too much or too little under them.
    """
    judged = _judged(table)
    missed = judged[~(np.abs(judged["dex"]) <= GOAL_DEX)]
    if not len(missed):
        return f"{title}: no sum misses.\n"
    lines = [
        f"{title}: galaxies of which a sum misses, of {len(set(judged['seed']))}.\n",
        "| galaxy | seed | sums that miss | the worst | dex | masked | added beside | under |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for seed in sorted(set(missed["seed"])):
        own = missed[missed["seed"] == seed]
        worst = own[np.argmax(np.abs(np.nan_to_num(own["dex"], nan=np.inf)))]
        of_seed = int(np.sum(judged["seed"] == seed))
        shares = " | ".join(f"{worst[name]:+.1%}" for name in ("share", "beside", "under"))
        lines.append(
            f"| {worst['name']} | {seed} | {len(own)} of {of_seed} | {worst['quantity']} "
            f"| {worst['dex']:+.3f} | {shares.lstrip('+')} |"
        )
    return "\n".join(lines) + "\n"
