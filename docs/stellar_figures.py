"""Makes the pictures of docs/stellar-maps.md: `python docs/stellar_figures.py --sets FOLDER
--galaxies FOLDER`.

SETS is the folder of mocks that `python -m napari_galaxy_maps.training.stellar_unet.stellar_report`
made, GALAXIES the one that holds `ngc6976_group`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.fits_io.galaxies import read_galaxy
from napari_galaxy_maps.measure.compare.colour_mass import taylor_mass
from napari_galaxy_maps.models.registry import load_model
from napari_galaxy_maps.prepare.steps import prepare_steps
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.datasets.image_truth_pairs import Pairs
from napari_galaxy_maps.training.datasets.mock_cubes import noisy_cube, true_maps
from napari_galaxy_maps.training.stellar_unet.neighbours import composite
from napari_galaxy_maps.training.stellar_unet.stellar_scoring import radii_of

mpl.use("Agg")

IMAGES = Path(__file__).parent / "images"
GROUP = {
    "NGC 6978": (313.1475, -5.7111, 1.5, 0.47, 126, 0.0202),
    "NGC 6977": (313.1238, -5.7461, 1.3, 0.69, 162, 0.0204),
    "NGC 6976": (313.1085, -5.7723, 0.8, 0.88, 5, 0.0200),
}
"""RA, Dec, D25 (arcmin), axis ratio, position angle and redshift (NED; that of NGC 6978 is its
neighbours').
"""
PERCENTILES = (5, 25, 50, 75, 95)


def gallery(sets: Path, count: int = 200) -> None:
    """Test galaxies by percentile of the rms error of their stellar mass map: image, truth,
    prediction, residual, star formation.
    """
    model, mocks = load_model("stellar-unet"), Pairs.open(sets / "test128")
    mocks = mocks.take(slice(0, count))
    radii, errors, found = radii_of(mocks), [], []
    for row in range(count):
        cube = noisy_cube(mocks, row)
        maps, truth = model.predict(cube), true_maps(mocks, row)
        miss = (maps.values["LOG_SIGMA_STAR"] - truth["LOG_SIGMA_STAR"])[radii[row][0] < 2]
        errors.append(float(np.sqrt(np.nanmean(miss**2))))
        found.append((cube, maps, truth))
    figure, axes = plt.subplots(len(PERCENTILES), 6, figsize=(13, 11), layout="constrained")
    for line, percentile in zip(axes, PERCENTILES, strict=True):
        row = int(np.argsort(errors)[round(percentile / 100 * (count - 1))])
        cube, maps, truth = found[row]
        line[0].imshow(composite(cube.data, cube.bands), origin="lower")
        line[0].set_ylabel(f"{percentile}th percentile\nrms {errors[row]:.3f} dex")
        top = np.nanpercentile(truth["LOG_SIGMA_STAR"], 99.8)
        for ax, plane in zip(line[1:3], (truth, maps.values), strict=True):
            shown = ax.imshow(
                plane["LOG_SIGMA_STAR"], vmin=top - 3, vmax=top, cmap="plasma", origin="lower"
            )
        figure.colorbar(shown, ax=line[2])
        shown = line[3].imshow(
            maps.values["LOG_SIGMA_STAR"] - truth["LOG_SIGMA_STAR"],
            vmin=-0.5,
            vmax=0.5,
            cmap="RdBu_r",
            origin="lower",
        )
        figure.colorbar(shown, ax=line[3])
        top = np.nanpercentile(truth["LOG_SIGMA_SFR"], 99.8)
        for ax, plane in zip(line[4:], (truth, maps.values), strict=True):
            shown = ax.imshow(
                plane["LOG_SIGMA_SFR"], vmin=top - 3, vmax=top, cmap="magma", origin="lower"
            )
        figure.colorbar(shown, ax=line[5])
    titles = (
        "g, r, i",
        "mass, true",
        "mass, predicted",
        "residual (dex)",
        "star formation, true",
        "predicted",
    )
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=10)
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
    save(figure, "stellar-gallery")


def sdss_cube(folder: Path, name: str):
    """A galaxy of the NGC 6976 group in g, r and i on pixels of 1.19 arcsec."""
    keys = ("ra", "dec", "d25", "axis_ratio", "position_angle", "redshift")
    settings = [f"galaxy.{key}={value}" for key, value in zip(keys, GROUP[name], strict=True)]
    recipe = Recipe().with_values([*settings, "grid.pixel=1.19", "impute.enabled=false"])
    recipe.input.bands.update(
        {f"reprojected_sdss_{letter}.fits.bz2": f"SDSS_{letter}" for letter in "gri"}
    )
    recipe.input.units.update({f"SDSS_{letter}": "0.985 MJy/sr" for letter in "gri"})
    return run_to_end(prepare_steps(read_galaxy([folder], recipe), recipe))


def compare_sdss(cube, model, redshift: float):
    """Maps, Taylor's mass, and where all bands are measured to 10 sigma."""
    maps = model.predict(cube)
    g, i = (cube.data[cube.bands.index(band)] for band in ("SDSS_g", "SDSS_i"))
    taylor = taylor_mass(g, i, redshift)
    bright = (cube.data > 10 * cube.uncertainty).all(axis=0) & np.isfinite(
        maps.values["LOG_SIGMA_STAR"]
    )
    return maps, taylor, bright


def describe(miss: np.ndarray, odd: np.ndarray) -> str:
    """A comparison in words."""
    half = np.diff(np.percentile(miss, (16, 84)))[0] / 2
    within = 100 * np.mean(np.abs(miss) < 0.15)
    return (
        f"{len(miss)} pixels: median {np.median(miss):+.3f} dex, half of 16 to 84 % {half:.3f}, "
        f"within 0.15 dex {within:.0f} %; flagged {100 * odd.mean():.1f} %"
    )


def sdss(folder: Path) -> None:
    """Mass by stellar-unet and by Taylor+ 2011, and their difference."""
    model, misses, flagged = load_model("stellar-unet"), [], []
    figure, axes = plt.subplots(len(GROUP), 5, figsize=(19, 3.6 * len(GROUP)), layout="constrained")
    for line, name in zip(axes, GROUP, strict=True):
        cube = sdss_cube(folder, name)
        maps, taylor, bright = compare_sdss(cube, model, GROUP[name][-1])
        mass = maps.values["LOG_SIGMA_STAR"]
        odd = (maps.flags & Flag.OUT_OF_DISTRIBUTION) != 0
        misses.append((mass - taylor)[bright])
        flagged.append(odd[bright])
        print(f"{name}: {describe(misses[-1], flagged[-1])}")
        line[0].imshow(composite(cube.data, cube.bands), origin="lower")
        line[0].set_ylabel(name)
        for ax, plane in zip(
            line[1:3], (mass, np.where(np.isfinite(mass), taylor, np.nan)), strict=True
        ):
            shown = ax.imshow(plane, vmin=6, vmax=9.3, cmap="plasma", origin="lower")
        figure.colorbar(shown, ax=line[2], label="log Msun / kpc2")
        plane = np.where(bright, mass - taylor, np.nan)
        shown = line[3].imshow(plane, vmin=-0.5, vmax=0.5, cmap="RdBu_r", origin="lower")
        figure.colorbar(shown, ax=line[3], label="dex")
        plane = np.where(np.isfinite(mass), (odd & bright).astype(float), np.nan)
        line[4].imshow(plane, cmap="Greys", vmin=0, vmax=1, origin="lower")
    print(f"all: {describe(np.concatenate(misses), np.concatenate(flagged))}")
    titles = (
        "g, r, i",
        "stellar-unet",
        "Taylor+ 2011",
        "difference where S/N > 10",
        "flagged as unlike the mocks",
    )
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=10)
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
    save(figure, "stellar-sdss")


def save(figure, name: str) -> None:
    """Save a figure of docs/images."""
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.png", dpi=70)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--galaxies", type=Path)
    options = parser.parse_args()
    if options.sets:
        gallery(options.sets)
    if options.galaxies:
        sdss(options.galaxies / "ngc6976_group")


if __name__ == "__main__":
    main()
