"""Numbers that describe every map, cube and table of a run, stored so that a rearrangement of the
code can change none.

``python tests/frozen/describe.py`` compares the stored numbers with what the code gives now,
``--store`` stores them anew (which a change that means to alter results does, and says so in the
changelog).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
STORED = HERE / "numbers.json"
ROOT = HERE.parents[1]
SAMPLES = ROOT / "sample_data"
NGC309 = ROOT.parent / "shared" / "data" / "galaxies" / "ngc309"
TOLERANCE, ELSEWHERE = 1e-6, 5e-3
"""Of the rms of what is compared; and on a processor other than that of the stored numbers: the
last digits of exponentials and logarithms depend on it, iterations make more of them, and a pixel
on the edge of a ring falls to its other side. There what is under 1 may differ by as much.
"""

NGC309_OPTIONS = ["--name", "NGC 309", "--ra", "14.1778", "--dec", "-9.9139", "--d25", "3.0",
                  "--axis-ratio", "0.83",
                  "--position-angle", "175", "--ebv", "0.04"]  # fmt: skip


def run(*arguments: object) -> None:
    """Run a command of `galaxy-maps`; what it says is shown when it fails."""
    command = [sys.executable, "-m", "napari_galaxy_maps", *map(str, arguments), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def sample_files(folder: Path, out: Path) -> dict[str, Path]:
    """All that the commands make of a sample galaxy."""
    files = {name: out / f"{name}.fits" for name in ("cube", "dust", "stellar", "truth")}
    files |= {
        name: out / f"{name}.ecsv" for name in ("totals", "profile", "cube_profile", "ellipse")
    }
    known = [folder, "--recipe", folder / "galaxy.toml"]
    run("prepare", *known, "--out", files["cube"])
    run("predict", *known, "--out", files["dust"])
    run("predict", *known, "--out", files["stellar"], "--model", "stellar-unet")
    run("truth", *known, "--out", files["truth"], "--set", "sed.n_models=5000")
    run("measure", files["dust"], "--total", "--out", files["totals"])
    run("profile", files["dust"], "--out", files["profile"], "--truth", folder / "truth.fits")
    ellipse = (
        "169.735254,0.202067,40,25,30"
        if folder.name == "spiral"
        else "171.191738,22.441166,40,25,30"
    )
    run("profile", files["cube"], "--ellipse", ellipse, "--out", files["cube_profile"])
    run(
        "measure",
        files["cube"],
        "--ellipse",
        ellipse,
        "--annulus",
        "1.5,2.5",
        "--out",
        files["ellipse"],
    )
    run("evaluate", files["dust"], folder / "truth.fits", "--out", out / "report")
    return {**files, "metrics": out / "report" / "metrics.json"}


def ngc309_files(folder: Path, out: Path) -> dict[str, Path]:
    """All that the commands make of NGC 309 in J, H, Ks, W1 and W2, the ellipse measured as well as
    given.
    """
    files = {name: out / f"{name}.fits" for name in ("cube", "dust", "stars_found")}
    files |= {name: out / f"{name}.ecsv" for name in ("totals", "profile")}
    run("prepare", folder, "--out", files["cube"], *NGC309_OPTIONS)
    run("predict", folder, "--out", files["dust"], *NGC309_OPTIONS, "--distance", "71")
    found = [
        "--ra",
        "14.1778",
        "--dec",
        "-9.9139",
        "--redshift",
        "0.0189",
        "--set",
        "stars.find=true",
    ]
    run("predict", folder, "--out", files["stars_found"], *found)
    run("measure", files["dust"], "--total", "--out", files["totals"])
    run("profile", files["dust"], "--out", files["profile"])
    return files


def mock_files(out: Path) -> dict[str, Path]:
    """The images and the truth of a mock galaxy."""
    run("mock", "--seed", 7, "--size", 64, "--out", out / "mock")
    return {path.name: path for path in sorted((out / "mock").glob("*.fits*"))}


def describe(values: np.ndarray) -> list[float]:
    """How many values are finite, and of these the mean, the rms and two sums whose weights tell
    places apart.
    """
    values = np.asarray(values, np.float64).ravel()
    finite = np.isfinite(values)
    place = np.arange(values.size)[finite]
    kept = values[finite]
    if not kept.size:
        return [0.0]
    weights = (np.cos(0.7 * place), np.sin(0.013 * place + 0.5))
    return [float(kept.size), float(kept.mean()), float(np.sqrt((kept**2).mean())),
            *(float((kept * weight).mean()) for weight in weights)]  # fmt: skip


def numbers_of_fits(path: Path) -> dict[str, list[float]]:
    """A description of every image and of every column of numbers in a FITS file."""
    from astropy.io import fits

    found = {}
    with fits.open(path) as hdus:
        for hdu in hdus:
            if hdu.name == "RECIPE" or hdu.data is None:
                continue
            if isinstance(hdu, fits.BinTableHDU):
                columns = {name: hdu.data[name] for name in hdu.columns.names}
                found |= {
                    f"{hdu.name}.{name}": describe(column)
                    for name, column in columns.items()
                    if np.asarray(column).dtype.kind in "fiu"
                }
            else:
                found[hdu.name] = describe(hdu.data)
    return found


def numbers_of_table(path: Path) -> dict[str, list[float]]:
    """A description of every column of numbers in an ECSV table."""
    from astropy.table import Table

    table = Table.read(path)
    return {
        name: describe(np.ma.filled(table[name].astype(float), np.nan))
        for name in table.colnames
        if table[name].dtype.kind in "fiu"
    }


def numbers_of_json(path: Path) -> dict[str, list[float]]:
    """All numbers of a JSON file, by the keys that lead to them."""
    found: dict[str, list[float]] = {}

    def visit(key: str, value: object) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                visit(f"{key}.{name}", part)
        elif isinstance(value, list):
            for i, part in enumerate(value):
                visit(f"{key}[{i}]", part)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[key.lstrip(".")] = [float(value)]

    visit("", json.loads(path.read_text()))
    return found


READERS = {
    ".fits": numbers_of_fits,
    ".gz": numbers_of_fits,
    ".ecsv": numbers_of_table,
    ".json": numbers_of_json,
}


def numbers(case: str) -> dict[str, dict[str, list[float]]]:
    """The numbers of a case as the code gives them now, by file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if case == "ngc309":
            files = ngc309_files(NGC309, out)
        elif case == "mock":
            files = mock_files(out)
        else:
            files = sample_files(SAMPLES / case, out)
        return {name: READERS[path.suffix](path) for name, path in files.items()}


def processor() -> list[str]:
    """What numpy makes use of in this processor."""
    from numpy._core._multiarray_umath import __cpu_features__ as features

    return sorted(name for name, there in features.items() if there)


def differences(
    now: dict[str, dict[str, list[float]]],
    before: dict[str, dict[str, list[float]]],
    tolerance: float = TOLERANCE,
) -> list[str]:
    """In words, what differs by more than `tolerance` of its rms."""
    found = [f"{name}: is missing" for name in before if name not in now]
    for name, entries in now.items():
        known = before.get(name, {})
        found += [f"{name} {key}: is missing" for key in known if key not in entries]
        for key, values in entries.items():
            if key not in known:
                found.append(f"{name} {key}: is new")
                continue
            scale = abs(known[key][2]) if len(known[key]) > 2 else max(abs(v) for v in known[key])
            if tolerance > TOLERANCE:
                scale = max(scale, 1.0)
            same = (
                len(values) == len(known[key]) and values[0] == known[key][0]
                if len(values) > 1
                else True
            )
            if not same or not np.allclose(
                values, known[key], rtol=tolerance, atol=tolerance * scale, equal_nan=True
            ):
                found.append(f"{name} {key}: {values} was {known[key]}")
    return found


def tolerance_here(stored: dict[str, object]) -> float:
    """By how much the numbers of this machine may differ from the stored ones."""
    return TOLERANCE if stored.get("processor") == processor() else ELSEWHERE


CASES = ("spiral", "early-type", "ngc309", "mock")

if __name__ == "__main__":
    chosen = [name for name in sys.argv[1:] if name in CASES] or CASES
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    wrong = False
    for name in chosen:
        result = numbers(name)
        if "--store" in sys.argv:
            stored[name] = result
        else:
            told = differences(result, stored[name], tolerance_here(stored))
            wrong |= bool(told)
            sys.stdout.write(
                "\n".join(
                    [f"{name}: {len(told)} of {sum(map(len, result.values()))} differ", *told, ""]
                )
            )
    if "--store" in sys.argv:
        stored["processor"] = processor()
        STORED.write_text(json.dumps(stored, indent=0, sort_keys=True) + "\n")
    sys.exit(wrong)
