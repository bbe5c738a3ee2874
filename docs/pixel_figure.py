"""Draws docs/images/pixel-scale.png from dust-forest's card: errors over the pixel's side, as
Dobbels & Baes 2021 show them in their figure 8.

python docs/pixel_figure.py
"""

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from napari_galaxy_maps.models.registry import load_card
from napari_galaxy_maps.training.dust_forest.pixel_tables import PUBLISHED, SCALES
from napari_galaxy_maps.training.dust_forest.scoring import DUST

OUT = Path(__file__).parent / "images" / "pixel-scale.png"
UNITS = {"LOG_SLD": "dex", "LOG_SMD": "dex", "T_DUST": "K"}


def main() -> None:
    """Draw it."""
    card = load_card("dust-forest")
    (table,) = (t for t in card.tables if t.title == "Errors over the pixel's side")
    middle = np.sqrt(np.array(SCALES[1:]) * np.array(SCALES[:-1]))
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    for axis, name in zip(axes, DUST, strict=True):
        for (which, _, *cells), colour in zip(
            [row for row in table.rows if row[1] == name], ("tab:blue", "tab:orange"), strict=False
        ):
            pairs = np.array([
                [float(part) for part in cell.rstrip(")").split(" (")] if cell else [np.nan] * 2
                for cell in cells
            ])  # fmt: skip
            axis.plot(
                middle, pairs[:, 0], "o-", color=colour, label=f"{which}, with the part for pixels"
            )
            axis.plot(
                middle, pairs[:, 1], "o:", color=colour, mfc="w", label=f"{which}, members alone"
            )
        published = PUBLISHED["500 pc"][DUST.index(name)]
        axis.plot(400, published, "k*", ms=10, label="Dobbels & Baes 2021, 400 pc, real")
        axis.set(
            xscale="log", xlabel="side of a pixel (pc)", ylabel=f"RMSE of {name} ({UNITS[name]})"
        )
        axis.set_ylim(0)
        axis.set_xticks([200, 500, 1000, 2000], ["200", "500", "1000", "2000"])
        axis.minorticks_off()
    axes[0].legend(fontsize=7)
    figure.savefig(OUT, dpi=110)


if __name__ == "__main__":
    main()
