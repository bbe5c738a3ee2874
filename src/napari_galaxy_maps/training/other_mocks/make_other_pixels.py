"""Makes pixels of galaxies by the second recipe, with their truth.

    python -m napari_galaxy_maps.training.other_mocks.make_other_pixels --data FOLDER --out FILE

FOLDER holds templates/ (bc03_lr_chabrier_ssp.npz, dust_emission_themis_dl07.npz) and simulated/
(views of simulated galaxies), which are read in place. Filter curves are those of astro-sedpy. What
is made scores models, and never trains or chooses one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...constants import ZERO_AB_MJY_SR
from ...exceptions import InputError
from ...fits_io.safe_writing import check_output
from ..datasets.galaxy_pixels import GalaxyPixels, joined, write_pixels
from . import histories, seeing
from .layout import DrawnShape, Shape
from .painting import ADDED, BANDS, PLANES, Painter, Templates, read_templates
from .simulated import SimulatedShape, View, read_views
from .traits import KINDS, Traits, draw_traits

SCALES_PC = (150.0, 500.0, 1000.0, 3000.0)
N_PIXELS = 300
"""Of a galaxy on pixels of one side, at most."""
REACH = 1.2
"""In R25, up to where pixels are drawn."""
SALPETER = 0.24
"""log10 of Salpeter's mass of stars over Chabrier's."""
_OF_NOISE, _OF_PEAK = 1e-3, 1e-6
_N_LOOK = 96


@dataclass(frozen=True, eq=False)
class Model:
    """A galaxy ready to be painted.

    Attributes
    ----------
    traits : Traits
    shape : Shape
    painter : Painter
    finest : float
        Scale under which nothing changes, kpc.
    """

    traits: Traits
    shape: Shape
    painter: Painter
    finest: float

    def paint(self, grid: seeing.Grid) -> tuple[np.ndarray, np.ndarray]:
        """`PLANES` on a grid, and radii in kpc."""
        layout = self.shape.at(grid.x, grid.y)
        return self.painter.paint(layout, grid.step), layout.radius


def make_model(traits: Traits, templates: Templates, view: View | None, seed: int) -> Model:
    """A galaxy of some traits, and of a simulated one's structure where a view is given."""
    found = histories.double_power_law(
        templates.populations.age_yr, traits.start, traits.falling, traits.rising
    )
    if view is None:
        return Model(
            traits, DrawnShape(traits, found, seed), Painter(traits, found, templates), 0.04
        )
    shape = SimulatedShape(traits, found, view, seed)
    own = replace(traits, size=shape.size, axis_ratio=shape.axis_ratio)
    return Model(own, shape, Painter(own, found, templates), 0.15)


def isophote(model: Model) -> tuple[float, np.ndarray]:
    """R25 in kpc, where the light in g falls to 25 AB mag/arcsec2 as seen, and the galaxy's sums of
    `PLANES` over its area in kpc2.
    """
    side = 12 * model.traits.size / _N_LOOK
    planes, radius = model.paint(seeing.make_grid((0.0, 0.0), _N_LOOK, side, 1))
    edges = np.linspace(0, 6 * model.traits.size, 61)
    which = np.digitize(radius, edges) - 1
    green = planes[BANDS.index("SDSS_g")]
    inside = [green[which == k] for k in range(60)]
    profile = np.array([np.median(part) if len(part) else 0.0 for part in inside])
    bright = np.flatnonzero(profile > ZERO_AB_MJY_SR * 10 ** (-0.4 * 25))
    r25 = edges[bright[-1] + 1] if len(bright) else model.traits.size
    return float(r25), planes.astype(float).sum(axis=(1, 2)) * side**2


def truth_of(planes: np.ndarray, peak: float) -> np.ndarray:
    """`models.dust_forest.uncertainty.QUANTITIES` of pixels (n_planes, n), shape (n, 7).

    Dust is blank where its mass is a millionth of the galaxy's `peak`, or where 250 micron shows
    less than a thousandth of the noise.
    """
    star, mass, dust_light, dust, heat = planes[-len(ADDED) :].astype(float)
    shown = planes[len(BANDS)] > _OF_NOISE * seeing.SHOWN_NOISE
    known = shown & (dust > _OF_PEAK * peak)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_star, log_mass = np.log10(star), np.log10(mass) + SALPETER
        log_light = np.where(known, np.log10(dust_light), np.nan)
        log_dust = np.where(known, np.log10(dust), np.nan)
        kelvin = np.where(known, heat / dust, np.nan)
    return np.stack(
        [
            log_light - log_star,
            log_dust - log_mass,
            kelvin,
            log_star,
            log_mass,
            log_light,
            log_dust,
        ],
        axis=1,
    )


def pixels_of(model: Model, rng: np.random.Generator) -> GalaxyPixels:
    """A galaxy's pixels of every side that suits it."""
    r25, _ = isophote(model)
    camera = seeing.draw_camera(rng)
    parts = []
    for sight in seeing.draw_sights(SCALES_PC, r25, rng):
        if sight.side_kpc < model.finest:
            continue
        made = list(seeing.grids(sight.side_kpc, r25, model.traits.axis_ratio, model.finest, rng))
        for grid in made:
            parts.append(_seen(model, grid, sight, r25, camera, N_PIXELS // len(made), rng))
    return joined(parts, one_galaxy=True)


def _seen(
    model: Model, grid: seeing.Grid, sight: seeing.Sight, r25: float, camera: seeing.Camera,
    most: int, rng: np.random.Generator,
) -> GalaxyPixels:  # fmt: skip
    planes, _ = model.paint(grid)
    mean = seeing.on_pixels(planes, grid.fine)
    n = mean.shape[-1] + 2 * seeing.MARGIN
    x, y = (
        c.reshape(n, grid.fine, n, grid.fine).mean(axis=(1, 3))[
            seeing.MARGIN : -seeing.MARGIN, seeing.MARGIN : -seeing.MARGIN
        ]
        for c in (grid.x, grid.y)
    )
    radius = np.hypot(x, y / model.traits.axis_ratio) / r25
    known = np.hypot(x, y) + seeing.MARGIN * sight.side_kpc < model.shape.known_to
    rows = np.flatnonzero((known & (radius < REACH)).ravel())
    rows = rng.permutation(rows)[:most]
    chosen = mean.reshape(len(PLANES), -1)[:, rows].astype(float)
    at = np.stack([x.ravel()[rows], y.ravel()[rows]]) / r25
    values, errors = seeing.take(camera, chosen[: len(BANDS)], at, sight.arcsec, rng)
    truth = truth_of(chosen, float(planes[PLANES.index("M_DUST")].max()))
    return GalaxyPixels(
        BANDS,
        values.astype(np.float32),
        errors.astype(np.float32),
        truth.astype(np.float32),
        np.full(len(rows), sight.side_kpc * 1e3, np.float32),
        radius.ravel()[rows].astype(np.float32),
        np.zeros(len(rows), np.int32),
        (model.traits.kind,),
    )


def models(data: Path, seed: int) -> list[Model]:
    """The galaxies of a set."""
    templates, views = read_templates(data), read_views(data / "simulated")
    made = []
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    for number, kind in enumerate(kinds):
        rng = np.random.default_rng([seed, number])
        traits = draw_traits(kind, rng)
        view = views[number % len(views)] if kind == "simulated" else None
        made.append(make_model(traits, templates, view, int(rng.integers(2**31))))
    return made


def make_other_pixels(data: str | Path, seed: int = 0) -> GalaxyPixels:
    """Pixels of some sixty galaxies.

    Parameters
    ----------
    data : str or Path
        Folder of templates/ and simulated/.
    seed : int
        The same seed makes the same pixels.

    Raises
    ------
    InputError
        When a table, a view or the package of filter curves is missing.
    """
    parts = []
    for number, model in enumerate(models(Path(data), seed)):
        parts.append(pixels_of(model, np.random.default_rng([seed, number, 1])))
    return joined(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of templates and views")
    parser.add_argument("--out", type=Path, required=True, help="npz file to write")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    try:
        check_output(chosen.out)  # before the minutes that it takes
        pixels = make_other_pixels(chosen.data, chosen.seed)
        write_pixels(pixels, chosen.out)
    except InputError as error:
        parser.error(str(error))
    print(f"{len(pixels)} pixels of {len(pixels.kinds)} galaxies in {chosen.out}")


if __name__ == "__main__":
    main()
