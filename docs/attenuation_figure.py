"""Draws the picture of docs/attenuation.md: `python docs/attenuation_figure.py MAPS IMAGES`, the
files that `galaxy-maps attenuation` writes of the sample spiral.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.fits_io.cube_files import read_cube
from napari_galaxy_maps.fits_io.map_files import read_maps

OUT = Path(__file__).parent / "images" / "attenuation.png"


def main(maps_file: str, images_file: str) -> None:
    """Draw and save it."""
    from astropy.io import fits

    maps, images = read_maps(maps_file), read_cube(images_file)
    with fits.open(images_file) as hdus:
        dimmed = np.asarray(hdus["DIMMED"].data[0])
    bare = images.data[0]
    figure = Figure(figsize=(13, 3.2), layout="constrained", dpi=80)
    axes = figure.subplots(1, 4)
    for ax, name in zip(axes, ("A_FUV", "A_V"), strict=False):
        prop = PROPERTIES[name]
        limits = np.nanpercentile(maps.values[name], [1, 99])
        drawn = ax.imshow(
            maps.values[name], origin="lower", cmap=prop.colormap, vmin=limits[0], vmax=limits[1]
        )
        figure.colorbar(drawn, ax=ax, label="mag")
        ax.set_title(f"{name}: {prop.label}")
    seen = bare * 10 ** (-0.4 * dimmed)
    top = np.nanpercentile(bare, 99.5)
    for ax, plane, words in ((axes[2], seen, "as seen"), (axes[3], bare, "without dust")):
        shown = np.arcsinh(plane / (0.03 * top))
        drawn = ax.imshow(shown, origin="lower", cmap="gray", vmin=0, vmax=np.arcsinh(1 / 0.03))
        bar = figure.colorbar(drawn, ax=ax, label="MJy/sr")
        ticks = np.array([0.01, 0.1, 1.0, 10.0])
        ticks = ticks[ticks < top]
        bar.set_ticks(np.arcsinh(ticks / (0.03 * top)), labels=[f"{tick:g}" for tick in ticks])
        ax.set_title(f"{images.bands[0]} {words}")
    for ax in axes:
        ax.set_xticks([])
        ax.set_yticks([])
    figure.savefig(OUT)


if __name__ == "__main__":
    main(*sys.argv[1:3])
