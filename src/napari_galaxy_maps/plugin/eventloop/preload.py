"""Does ahead, while the person is still choosing files, what would stall the first job: imports and
old garbage.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import garbage_collection
from .process_switches import may_change

LOGGER = logging.getLogger("napari_galaxy_maps")

MODULES = (
    "astropy.coordinates",
    "astropy.io.fits",
    "astropy.wcs.utils",
    "scipy.ndimage",
    "scipy.fft",
    "scipy.special",
    "reproject",
    "numba",
    "xgboost",
    "torch",
)
"""In the order in which a job meets them."""
LIBRARIES = (("xgboost", "libxgboost.so"), ("torch", "libtorch_cpu.so"))
"""Compiled libraries so large that loading them takes 0.2 s of a processor each."""

_DELAY = 1.5
_PAUSE = 0.05
_started = False
_done = False
_leaving = threading.Event()


def begin() -> None:
    """Start importing in a thread, once per process, after a pause in which the panels are
    painted.
    """
    global _started
    if _started:
        return
    _started = True
    thread = threading.Thread(target=_run, name="galaxy-maps-warmup", daemon=True)
    thread.start()
    # Torn down in the middle of torch's import, the interpreter would crash.
    atexit.register(_leave, thread)


def _leave(thread: threading.Thread) -> None:
    _leaving.set()
    thread.join(timeout=20)


def under_way() -> bool:
    """Whether there is still something to come."""
    return not _done


def _run() -> None:
    global _done
    try:
        _leaving.wait(_DELAY)
        garbage_collection.freeze()
        # Imports make full collections frequent: each would stop the window for 0.1 s.
        garbage_collection.hold("warmup")
        tasks: tuple[Callable[[], object], ...] = (
            *(partial(_load_library, *names) for names in LIBRARIES),
            *(partial(importlib.import_module, name) for name in MODULES),
            _make_first_layer,
            _make_first_circle,
            _small_job,
        )
        for task in tasks:
            if _leaving.is_set():
                return
            try:
                task()
            except Exception:
                # Nobody asked for this yet: who does will be told what is wrong then.
                LOGGER.debug("doing ahead failed", exc_info=True)
            # The window gets the interpreter to itself between two tasks.
            time.sleep(_PAUSE)
    finally:
        garbage_collection.let_go_aside("warmup")
        _done = True


def _load_library(package: str, name: str) -> None:
    """Load a package's library before its import does, which would hold the interpreter's lock all
    the while.

    A function that is called through ctypes gives the lock away; ``ctypes.CDLL`` and ``import`` do
    not.
    """
    import ctypes

    if not may_change("libraries"):
        return
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / "lib" / name if found is not None and found.origin else None
    if path is None or not path.exists() or not hasattr(os, "RTLD_NOW"):
        return  # another system or build: the import loads it
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    if dlopen(os.fsencode(path), os.RTLD_NOW) is None:
        LOGGER.debug("loading %s ahead failed", path)


def _small_job() -> None:
    """Prepare and predict a made-up galaxy of 48 x 48 pixels and fit it as a star: loads the model,
    compiles what is compiled on first use.
    """
    import numpy as np
    from astropy.wcs import WCS

    from ...bands.registry import get_band
    from ...data.galaxy import BandImage, Ellipse, Galaxy
    from ...data.recipe import Recipe
    from ...pipeline import predict
    from ...prepare.stars.star_fit import Expected, fit_star

    def wcs(rotation: float) -> WCS:
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150, 2], [24.5, 24.5], [-2 / 3600, 2 / 3600]
        cos, sin = np.cos(rotation), np.sin(rotation)
        wcs.wcs.pc = [[cos, -sin], [sin, cos]]
        return wcs

    y, x = np.mgrid[:48, :48] - 23.5
    disc = 10 * np.exp(-np.hypot(x, y) / 5) + np.random.default_rng(0).normal(0, 0.01, x.shape)
    images = {
        name: BandImage(
            (scale * disc).astype(np.float32),
            get_band(name),
            wcs(rotation),
            fwhm=get_band(name).fwhm,
        )
        for name, scale, rotation in (
            ("2MASS_J", 1.0, 0.0),
            ("WISE_3.4", 1.5, 0.4),
            ("WISE_4.6", 1.0, 0.0),
        )
    }
    # Few model spectra: their code is what counts, for no galaxy has just this library's redshift.
    recipe = Recipe.from_tree({"impute": {"n_models": 100}})
    predict(Galaxy("small", images, 150, 2, 20, Ellipse(150, 2, 24, 24)), recipe)
    fit_star(disc, Expected(23.5, 23.5, 6.0), 0.01)


def _make_first_layer() -> None:
    """The first layer ever made takes 0.3 s, for units, colour maps and typing tables are looked
    up.
    """
    import numpy as np
    from napari.layers import Image

    from ..ground.colormaps import asinh_colormap, diverging_colormap
    from ..ground.layer_specs import AXIS_LABELS, UNITS

    for colormap in (asinh_colormap(0.1), diverging_colormap(), "viridis", "cividis"):
        Image(
            np.zeros((2, 2), np.float32),
            affine=np.eye(3),
            units=UNITS,
            axis_labels=AXIS_LABELS,
            colormap=colormap,
            contrast_limits=(0, 1),
        )


def _make_first_circle() -> None:
    """The first shape loads napari's triangulation, and compiles it where nobody has drawn one yet:
    half a second, or 17.
    """
    import numpy as np

    from ..ground.sky_shapes import Outline, box_corners, make_layer

    circle = Outline("ellipse", box_corners(np.zeros(2), 5.0), (0.0, 1.0, 1.0, 1.0))
    make_layer([circle], 1.0, "", np.ones(3))
