"""Gives dust-forest a density of galaxies among spectra, by which it knows what is out of
distribution.

python -m napari_galaxy_maps.training.dust_forest.fit_density --data FOLDER --hatlas FOLDER --out
FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ...models.dust_forest.model import DustForest
from ...models.registry import load_model
from ..datasets.dustpedia import read_both
from ..model_files import write_model
from .command import parser_of, status_of
from .density_of_galaxies import MOCKS, density_pixels, with_density
from .density_tables import described_on_card
from .pool import PoolSettings, make_copies


def train(
    data: str | Path,
    hatlas: str | Path,
    out: str | Path,
    seed: int = 0,
    mocks: int = MOCKS,
    report: Callable[[str], None] = print,
) -> DustForest:
    """Give the shipped model a new density and write it, with what its card says of it.

    Parameters
    ----------
    data, hatlas : str or Path
        Folders of the DustPedia and of the H-ATLAS tables.
    out : str or Path
        Folder for weights, card and registry.
    seed : int
        Of everything random.
    mocks : int
        Mock galaxies whose pixels the density is of, too.
    report : callable
        Told how far it is.

    Raises
    ------
    GalaxyMapsError
        When the tables are not there or the folder cannot be written.
    """
    model = load_model("dust-forest")
    assert isinstance(model, DustForest)
    galaxies = read_both(data, hatlas)
    copies = make_copies(galaxies, model.colour_term, PoolSettings(), seed)
    pixels, held = density_pixels(seed, galaxies=mocks)
    model, fit = with_density(model, galaxies, copies, pixels, seed)
    report(
        f"beyond an anomaly of {fit.limits[0]:.3f} ({100 * fit.share:.1f} % of the galaxies) "
        f"errors are {fit.ratio:.2f} ± {fit.ratio_error:.2f} times as large"
    )
    model = described_on_card(model, galaxies, copies, fit, held, seed)
    write_model(model, "forest", Path(out))
    report(f"written to {out}")
    return model


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--mocks", type=int, default=MOCKS, help="mock galaxies")
    options = parser.parse_args(arguments)
    return status_of(
        lambda: train(options.data, options.hatlas, options.out, options.seed, options.mocks)
    )


if __name__ == "__main__":
    sys.exit(main())
