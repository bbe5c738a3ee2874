"""How much closer to the truth sharpened maps of dust are than predictions, and than the coarse map
interpolated: rms errors at several scales, and what the errors hold.

    python benchmarks/check_sharpen.py DATA [--mocks 20] [--others 10] [--docs docs/sharpening.md]

Galaxies are mocks of the project, and galaxies of the second recipe, which shares no code with them
(`training.other_mocks`; it needs DATA's templates/ and simulated/, and astro-sedpy). Each is seen
in all bands that dust-forest takes at 12 arcsec, with the surveys' noise; the trusted map is the
true one at 36 arcsec on pixels of 12 arcsec, with noise. Seeds are fixed. The lengths over which
errors are alike, and their size (`sharpen.sharpened_maps.SCALES`, `LOCAL`), were chosen on mocks of
other seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_galaxy_maps.bands.registry import INPUT_BANDS
from napari_galaxy_maps.constants import FWHM_PER_SIGMA
from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.sharpen_settings import SharpenSettings
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.prepare.grid.resampling import positions
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.sharpen.coarse_view import CoarseView
from napari_galaxy_maps.sharpen.sharpened_maps import sharpen_steps
from napari_galaxy_maps.sharpen.trusted import ADD_UP as SHARPENED
from napari_galaxy_maps.sharpen.trusted import Trusted
from napari_galaxy_maps.training.pages import put_into

SIZE, PIXEL, FWHM = 96, 4.0, 12.0
COARSE_PIXEL, COARSE_FWHM = 12.0, 36.0
NOISE, CALIBRATION = 0.02, 0.03
"""Of the trusted map: of its peak, and of each value."""
EMPTY = 0.01
"""Of the true map's peak, at its own PSF: pixels with less dust than this are not compared. In
holes and beyond edges dex say nothing: there the wings of the coarse PSF are all that is seen.
"""
BLOCKS = (1, 3, 6, 9)
"""Pixels along the side of what is averaged before it is compared."""
FAINTEST = 3 * NOISE
"""Of the true map's peak, at the coarse PSF: fainter parts, with a signal-to-noise under 3, are not
compared.
"""
FIRST_SEED = 52_000_000
MARK = "sharpen: made by benchmarks/check_sharpen.py"
WAYS = ("prediction", "interpolated", "sharpened")


@dataclass(frozen=True)
class Case:
    """A galaxy as it is seen, and its true surface densities at the maps' PSF."""

    kind: str
    cube: BandCube
    truth: dict[str, np.ndarray]


def grid(pixel: float, size: int) -> WCS:
    """Sky coordinates about one place."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [180.0, 10.0], [(size + 1) / 2] * 2
    wcs.wcs.cdelt = [-pixel / 3600, pixel / 3600]
    wcs.wcs.set()
    return wcs


def cube_of(
    data: np.ndarray, sigma: np.ndarray, pixel_pc: float, bands: tuple[str, ...]
) -> BandCube:
    """A prepared cube without masks."""
    nowhere = np.zeros((SIZE, SIZE), bool)
    return BandCube(
        data.astype(np.float32), sigma.astype(np.float32), bands, grid(PIXEL, SIZE), FWHM, PIXEL,
        pixel_pc, nowhere, nowhere.astype(np.int16),
    )  # fmt: skip


def mocks(count: int) -> Iterator[Case]:
    """The project's own."""
    view = View(
        size=SIZE, pixel_arcsec=PIXEL, bands=INPUT_BANDS, fwhm=dict.fromkeys(INPUT_BANDS, FWHM),
        truth_fwhm=FWHM,
    )  # fmt: skip
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        mock = make_mock(seed, view)
        parts = {name: plane.astype(float) for name, plane in mock.additive.items()}
        truth = {"LOG_SIGMA_LD": parts["diffuse"] + parts["cloud"], "LOG_SIGMA_MD": parts["dust"]}
        cube = cube_of(mock.data, mock.uncertainty, mock.pixel_kpc * 1e3, INPUT_BANDS)
        yield Case(mock.galaxy.kind, cube, truth)


def others(count: int, data: Path) -> Iterator[Case]:
    """Of the second recipe, with an R25 of a third of the image."""
    from napari_galaxy_maps.training.other_mocks import make_other_pixels as other
    from napari_galaxy_maps.training.other_mocks import seeing
    from napari_galaxy_maps.training.other_mocks.painting import BANDS, PLANES

    made = other.models(data, 1)
    for number in np.linspace(0, len(made) - 1, count).astype(int):
        model, rng = made[number], np.random.default_rng([1, int(number)])
        r25, _ = other.isophote(model)
        side = 3 * r25 / SIZE
        planes, _ = model.paint(seeing.make_grid((0.0, 0.0), SIZE, side, 1))
        width = FWHM / FWHM_PER_SIGMA / PIXEL
        planes = gaussian_filter(planes.astype(float), (0, width, width), mode="nearest")
        at = np.stack(np.meshgrid(*[(np.arange(SIZE) - SIZE / 2) * side / r25] * 2))
        values, errors = seeing.take(
            seeing.draw_camera(rng), planes[: len(BANDS)].reshape(len(BANDS), -1),
            at.reshape(2, -1), PIXEL, rng,
        )  # fmt: skip
        shape = (len(BANDS), SIZE, SIZE)
        truth = dict(
            zip(SHARPENED, (planes[PLANES.index(n)] for n in ("L_DUST", "M_DUST")), strict=True)
        )
        cube = cube_of(values.reshape(shape), errors.reshape(shape), side * 1e3, BANDS)
        yield Case(model.traits.kind, cube, truth)


def trusted(case: Case, name: str, rng: np.random.Generator) -> Trusted:
    """The true map as a coarse camera sees it."""
    size = round(SIZE * PIXEL / COARSE_PIXEL)
    wcs, everywhere = grid(COARSE_PIXEL, size), np.ones((SIZE, SIZE), bool)
    grids = (case.cube.wcs, everywhere.shape), (wcs, (size, size))
    view = CoarseView(*grids, (FWHM, COARSE_FWHM), everywhere)
    plane, sigma = np.full((2, size, size), np.nan)
    seen = view.see(case.truth[name])
    sigma[view.seen] = np.hypot(NOISE * seen.max(), CALIBRATION * seen)
    plane[view.seen] = seen + sigma[view.seen] * rng.standard_normal(len(seen))
    return Trusted(name, (name,), plane, sigma, wcs, COARSE_FWHM)


def interpolated(coarse: Trusted, case: Case) -> np.ndarray:
    """A coarse map on the fine grid, by splines."""
    x, y = positions(coarse.wcs, case.cube.wcs, (SIZE, SIZE))
    filled = np.nan_to_num(coarse.value)
    return np.asarray(map_coordinates(filled, [y, x], order=3, mode="nearest"))


def blocks(plane: np.ndarray, side: int) -> np.ndarray:
    """Means of blocks."""
    n = SIZE // side
    cut = plane[: n * side, : n * side]
    return np.asarray(cut.reshape(n, side, n, side).mean(axis=(1, 3)))


def scores(case: Case, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """Rms errors in dex by way and scale, and the share of pixels within one sigma."""
    maps = load_model("dust-forest").predict(case.cube, "cpu")
    maps = replace(maps, provenance={**maps.provenance, "fwhm": FWHM})
    coarse = [trusted(case, name, rng) for name in SHARPENED]
    made = run_to_end(sharpen_steps(maps, coarse, SharpenSettings())).maps
    found = {}
    for one in coarse:
        truth = case.truth[one.what]
        wide = gaussian_filter(truth, COARSE_FWHM / FWHM_PER_SIGMA / PIXEL)
        inside = wide > FAINTEST * wide.max()
        inside &= np.isfinite(made.values[one.what]) & (truth > EMPTY * truth.max())
        inside[:9] = inside[-9:] = inside[:, :9] = inside[:, -9:] = False
        planes = {
            "prediction": 10.0 ** maps.values[one.what].astype(float),
            "interpolated": interpolated(one, case),
            "sharpened": 10.0 ** made.values[one.what].astype(float),
        }
        for side in BLOCKS:
            here = blocks(inside.astype(float), side) == 1
            true = blocks(truth, side)[here]
            for way, plane in planes.items():
                value = np.maximum(blocks(np.where(inside, plane, 0), side)[here], 1e-3 * true)
                found[one.what, f"{way} {side}"] = float(
                    np.sqrt(np.mean(np.log10(value / true) ** 2))
                )
        away = np.abs(made.values[one.what] - np.log10(truth))[inside]
        found[one.what, "held"] = float(np.mean(away < made.errors[one.what][inside]))
        before = np.abs(maps.values[one.what] - np.log10(truth))[inside]
        found[one.what, "held before"] = float(np.mean(before < maps.errors[one.what][inside]))
    return found


def mean(rows: list[dict[tuple[str, str], float]], key: tuple[str, str]) -> str:
    """Mean over galaxies, and its error."""
    each = np.array([row[key] for row in rows])
    each = each[np.isfinite(each)]
    return f"{each.mean():.3f} ± {each.std() / np.sqrt(max(len(each) - 1, 1)):.3f}"


def table(rows: list[dict[tuple[str, str], float]], title: str) -> list[str]:
    """Lines of the page."""
    lines = [
        f"{title}, {len(rows)} galaxies:", "",
        f"| | {' | '.join(f'{side * PIXEL:g} arcsec' for side in BLOCKS)} | within one sigma |",
        "|---" * (len(BLOCKS) + 2) + "|",
    ]  # fmt: skip
    for name in SHARPENED:
        for way in WAYS:
            cells = [mean(rows, (name, f"{way} {side}")) for side in BLOCKS]
            held = {"prediction": "held before", "sharpened": "held"}.get(way)
            cells.append(mean(rows, (name, held)) if held else "–")
            lines.append(f"| {name}, {way} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def draw(path: Path) -> None:
    """The dust of one mock as DB21's figure 9 shows M 31's: predicted, seen coarsely, sharpened,
    true, and the correction.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    case = list(mocks(20))[-1]
    maps = load_model("dust-forest").predict(case.cube, "cpu")
    maps = replace(maps, provenance={**maps.provenance, "fwhm": FWHM})
    coarse = trusted(case, "LOG_SIGMA_MD", np.random.default_rng(4))
    made = run_to_end(sharpen_steps(maps, [coarse], SharpenSettings()))
    true = np.log10(np.maximum(case.truth["LOG_SIGMA_MD"], 1))
    seen = np.log10(np.where(coarse.value > 3 * coarse.sigma, coarse.value, np.nan))
    figure, axes = pyplot.subplots(1, 5, figsize=(16, 3.6), layout="constrained")
    top = float(true.max())
    shown = {
        "predicted, 12 arcsec": maps.values["LOG_SIGMA_MD"], "trusted, 36 arcsec": seen,
        "sharpened": made.maps.values["LOG_SIGMA_MD"], "true, 12 arcsec": true,
    }  # fmt: skip
    limits = {"vmin": top - 2, "vmax": top, "origin": "lower", "cmap": "viridis"}
    for ax, (title, plane) in zip(axes, shown.items(), strict=False):
        image = ax.imshow(plane, extent=(0, 1, 0, 1), **limits)
        ax.set(title=title, xticks=[], yticks=[])
    figure.colorbar(image, ax=axes[:4], label="log dust mass per area, Msun/kpc2", shrink=0.8)
    change = made.corrections["LOG_SIGMA_MD"]
    most = float(np.nanmax(np.abs(change)))
    last = axes[4].imshow(change, origin="lower", cmap="RdBu_r", vmin=-most, vmax=most)
    axes[4].set(title="correction", xticks=[], yticks=[])
    figure.colorbar(last, ax=axes[4], label="dex", shrink=0.8)
    figure.savefig(path, dpi=90)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--mocks", type=int, default=20)
    parser.add_argument("--others", type=int, default=10)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--figure", type=Path, help="draw one mock to this file, and no more")
    options = parser.parse_args()
    if options.figure:
        draw(options.figure)
        return 0
    lines: list[str] = []
    every: list[dict[tuple[str, str], float]] = []
    for title, cases in (
        ("Mocks of the project", mocks(options.mocks)),
        ("The second recipe", others(options.others, options.data) if options.others else ()),
    ):
        rows = []
        for number, case in enumerate(cases):
            rows.append(scores(case, np.random.default_rng([3, number])))
            print(
                title,
                number,
                case.kind,
                {k[1]: round(v, 3) for k, v in rows[-1].items() if k[0] == "LOG_SIGMA_MD"},
                flush=True,
            )
        if rows:
            lines += table(rows, title)
        every += rows
    if every:
        held = "; ".join(f"{name} {mean(every, (name, 'held'))}" for name in SHARPENED)
        lines += [f"Within one sigma of all {len(every)} galaxies: {held}.", ""]
    print("\n".join(lines))
    if options.docs:
        put_into(options.docs, MARK, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
