"""Makes the table of stand-ins: how much brighter or fainter galaxies are through another camera's
filter than through the model's band beside it, and how much that differs between galaxies.

    python -m napari_galaxy_maps.training.datasets.stand_in_colours [--out FILE]

The galaxies are models of the library of spectra (stars, gas and attenuation) at several redshifts,
in bins of 2 % of the wavelength; the filter curves are those of astro-sedpy, which only this script
needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...bands.registry import BANDS
from ...bands.stand_ins import TABLE
from ...data.recipe import LibrarySettings
from ...sed.compose import compose_spectra
from ...sed.priors import draw
from ...sed.tables import spectrum_table
from .band_numbers import Curve, filter_curve

MODELS, SEED = 4096, 7
REDSHIFTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1)
STANDS_FOR = {
    **{letter: f"SDSS_{letter}" for letter in "ugriz"},
    "J": "2MASS_J", "H": "2MASS_H", "K": "2MASS_Ks", "Ks": "2MASS_Ks",
}  # fmt: skip
CAMERAS = (
    "DECam", "PS1", "HSC", "MegaCam", "BASS", "MzLS", "Rubin", "UKIRT", "VISTA",
)  # fmt: skip
_FINE = 60_000

_HEAD = """\
# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# - {{name: name, datatype: string, description: 'Band of another camera'}}
# - {{name: stands_for, datatype: string, description: 'Band of the models beside it'}}
# - {{name: offset, unit: mag, datatype: float64, description: 'Magnitude in the models'' band less that in this one, AB, median of model galaxies'}}
# - {{name: scatter, unit: mag, datatype: float64, description: 'Its scatter (rms) between model galaxies about that, at the redshift where it is largest'}}
# - {{name: with_colour, unit: mag, datatype: float64, description: 'What would be left of the scatter after a term in the colour with the band beside it of the same camera'}}
# meta: !!omap
# - {{comments: ['{models} model galaxies of the broad prior, seed {seed}, at redshifts {redshifts}; made by training.datasets.stand_in_colours']}}
# schema: astropy-2.0
name,stands_for,offset,scatter,with_colour
"""  # noqa: E501


def magnitudes(bands: Sequence[str]) -> dict[str, np.ndarray]:
    """AB magnitudes, but for a constant, of model galaxies in some bands.

    Returns
    -------
    dict of ndarray, shape (MODELS * number of redshifts,)
    """
    parameters = draw(LibrarySettings(n_models=MODELS, seed=SEED))
    found: dict[str, list[np.ndarray]] = {band: [] for band in bands}
    for redshift in REDSHIFTS:
        light = compose_spectra(parameters, redshift, "chabrier").star_bins
        for band in bands:
            seen = light @ _response(filter_curve(BANDS[band].curve), redshift)
            found[band].append(-2.5 * np.log10(seen))
    return {band: np.concatenate(parts) for band, parts in found.items()}


def _response(curve: Curve, redshift: float) -> np.ndarray:
    """Mean L_nu that a filter sees per luminosity in each bin of the spectra, but for a constant:
    int L_lambda lambda T dlambda / int T dlambda / lambda.
    """
    edges = spectrum_table().edges_um
    rest = np.geomspace(edges[0], edges[-1], _FINE)
    through = np.interp(rest * (1 + redshift), curve.micron, curve.response, left=0, right=0)
    step = np.gradient(rest)
    place = np.clip(np.searchsorted(edges, rest, side="right") - 1, 0, len(edges) - 2)
    widths = np.bincount(place, step, len(edges) - 1)
    seen = np.bincount(place, rest * through * step, len(edges) - 1) / widths
    return np.asarray(seen / np.sum(through / rest * step))


def rows() -> list[tuple[str, str, float, float, float | None]]:
    """Name, band that it stands for, offset, scatter, and scatter with a colour."""
    pairs = [
        (name, STANDS_FOR[letter], letter)
        for name, band in BANDS.items()
        if band.survey in CAMERAS and (letter := name.rpartition("_")[2]) in STANDS_FOR
    ]
    mags = magnitudes([*(name for name, _, _ in pairs), *set(STANDS_FOR.values())])
    found = []
    for name, target, letter in pairs:
        difference = mags[target] - mags[name]
        left = None
        beside = next((b for b in _beside(name, letter) if b in mags), None)
        if beside is not None:
            colour = mags[name] - mags[beside]
            left = float((difference - np.polyval(np.polyfit(colour, difference, 1), colour)).std())
        offset = float(np.median(difference))
        each = (difference - offset).reshape(len(REDSHIFTS), -1)
        scatter = float(np.sqrt((each**2).mean(axis=1)).max())
        found.append((name, target, offset, scatter, left))
    return found


def _beside(name: str, letter: str) -> list[str]:
    """The bands of the same camera whose colour tells most."""
    camera = name.rpartition("_")[0]
    best = {"u": "g", "g": "r", "r": "i", "i": "z", "z": "i", "J": "H", "H": "K", "K": "H"}
    letters = [best.get(letter[0], ""), f"{best.get(letter[0], '')}s"]
    return [f"{camera}_{other}" for other in letters]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=TABLE)
    out = parser.parse_args(arguments).out
    head = _HEAD.format(models=MODELS, seed=SEED, redshifts=", ".join(f"{z:g}" for z in REDSHIFTS))
    lines = [
        f"{name},{target},{offset:.3f},{scatter:.3f},{'' if left is None else f'{left:.3f}'}\n"
        for name, target, offset, scatter, left in rows()
    ]
    out.write_text(head + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
