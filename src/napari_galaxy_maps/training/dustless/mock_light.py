"""Pixels of mock galaxies with their light without dust: of the project's recipe, and of the second
one, which shares no code with what fits them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ...bands.registry import MODEL_BANDS, get_band
from ...mocks.dustless import dustless_images
from ...mocks.mock import make_mock
from ...mocks.view import View
from ...sed.compose import DIMMED

CASES: Final = {
    "12 arcsec": (12.0, 4.0, 1.0), "36 arcsec": (36.0, 12.0, 1.0),
    "12 arcsec, noise x 3": (12.0, 4.0, 3.0),
}  # fmt: skip
"""FWHM and pixel in arcsec, and by which the surveys' noise is multiplied."""
N_PIXELS: Final = 150
"""Of a galaxy, at most, drawn from those over 5 sigma in SDSS r."""
BRIGHT: Final = 5.0
_NEARLY_NONE: Final = 1e-6  # a slab of no depth at all would let nothing through


@dataclass(frozen=True, eq=False)
class MockLight:
    """Pixels of one galaxy.

    Attributes
    ----------
    name : str
    redshift : float
    bands : tuple of str
    data, uncertainty : ndarray, shape (n_bands, n)
        As observed, MJy/sr, with calibration errors.
    signal : ndarray, shape (n_bands, n)
        Light over noise, without either's calibration.
    dimmed, bare : ndarray, shape (n_dimmed, n)
        True light in `compose.DIMMED` with and without dust.
    """

    name: str
    redshift: float
    bands: tuple[str, ...]
    data: np.ndarray
    uncertainty: np.ndarray
    signal: np.ndarray
    dimmed: np.ndarray
    bare: np.ndarray


def own_mocks(case: str, n: int, seed: int) -> Iterator[MockLight]:
    """Galaxies of the project's recipe, all bands at one PSF.

    Parameters
    ----------
    case : str
        Of `CASES`.
    n : int
        How many.
    seed : int
        Of the first; the others follow it.
    """
    fwhm, pixel, noise = CASES[case]
    calibration = np.array([get_band(band).calibration for band in MODEL_BANDS])[:, None, None]
    rows = [MODEL_BANDS.index(band) for band in DIMMED]
    for number in range(seed, seed + n):
        view = View(
            size=48, pixel_arcsec=pixel, bands=MODEL_BANDS, fwhm=dict.fromkeys(MODEL_BANDS, fwhm),
            noise=noise,
        )  # fmt: skip
        mock = make_mock(number, view)
        rng = np.random.default_rng([number, 0xD057])
        data = mock.data * (1 + calibration * rng.standard_normal(calibration.shape))
        error = np.hypot(mock.uncertainty, calibration * mock.data)
        signal = mock.model / mock.uncertainty
        bright = np.flatnonzero(signal[MODEL_BANDS.index("SDSS_r")].ravel() > BRIGHT)
        chosen = rng.permutation(bright)[:N_PIXELS]
        images = dustless_images(mock)
        bare = np.stack([images[band] for band in DIMMED])
        planes = (data, error, signal, mock.model[rows], bare)
        yield MockLight(
            f"mock {number}, {mock.galaxy.kind}", mock.redshift, MODEL_BANDS,
            *(plane.reshape(len(plane), -1)[:, chosen].astype(float) for plane in planes),
        )  # fmt: skip


def other_mocks(data: Path, n: int, seed: int) -> Iterator[MockLight]:
    """Galaxies of `training.other_mocks`, each on pixels of about 18 arcsec, without a PSF.

    Parameters
    ----------
    data : Path
        Folder of templates/ and simulated/.
    n : int
        How many, of all kinds.
    seed : int

    Raises
    ------
    InputError
        When a table, a view or the package of filter curves is missing.
    """
    from ..other_mocks import make_other_pixels as made
    from ..other_mocks import seeing
    from ..other_mocks.painting import BANDS, PLANES, Painter

    models = made.models(data, seed)
    step = max(1, len(models) // n)
    rows = [BANDS.index(band) for band in DIMMED]
    for number, model in list(enumerate(models))[::step][:n]:
        rng = np.random.default_rng([seed, number, 0xD057])
        old = model.painter
        clear = replace(model.traits, opacity=_NEARLY_NONE, cloud_tau=_NEARLY_NONE)
        bare_painter = Painter(clear, old._found, old._templates)
        r25, _ = made.isophote(model)
        camera = seeing.draw_camera(rng)
        sight = seeing.draw_sights((), r25, rng)[-1]
        (grid, *_) = seeing.grids(sight.side_kpc, r25, model.traits.axis_ratio, model.finest, rng)
        layout = model.shape.at(grid.x, grid.y)
        planes = [
            seeing.on_pixels(painter.paint(layout, grid.step), grid.fine).astype(float)
            for painter in (old, bare_painter)
        ]
        seen, bare = (p.reshape(len(PLANES), -1) for p in planes)
        at = np.zeros((2, seen.shape[1]))
        values, errors = seeing.take(camera, seen[: len(BANDS)], at, sight.arcsec, rng)
        signal = seen[: len(BANDS)] / errors
        bright = np.flatnonzero(signal[BANDS.index("SDSS_r")] > BRIGHT)
        chosen = rng.permutation(bright)[:N_PIXELS]
        yield MockLight(
            f"{model.traits.kind} {number}", 0.0, BANDS, values[:, chosen], errors[:, chosen],
            signal[:, chosen], seen[rows][:, chosen], bare[rows][:, chosen],
        )  # fmt: skip
