"""Does ahead, while the person is still choosing files, what would stall the first job: imports and old garbage."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
import threading
import time

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

_DELAY = 1.5
_PAUSE = 0.05
_started = False


def begin() -> None:
    """Start importing in a thread, once per process, after a pause in which the panels are painted."""
    global _started
    if _started:
        return
    _started = True
    threading.Thread(target=_import_all, name="galaxy-maps-imports", daemon=True).start()


def _import_all() -> None:
    time.sleep(_DELAY)
    for name in MODULES:
        if name in sys.modules:
            continue
        try:
            importlib.import_module(name)
        except ImportError as error:
            LOGGER.debug("%s cannot be imported: %s", name, error)
        # The window gets the interpreter to itself between two imports.
        time.sleep(_PAUSE)
    _make_first_layer()
    # What is there by now stays for good. Set aside, it does not slow down every full collection to come, the ones in
    # the middle of a job among them, from 80 to 250 ms. The garbage goes first: it would stay as well.
    gc.collect()
    gc.freeze()


def _make_first_layer() -> None:
    """The first layer ever made takes 0.3 s, for units, colour maps and typing tables are looked up."""
    import numpy as np
    from napari.layers import Image

    from .colours import asinh_colormap, diverging_colormap
    from .layers import AXIS_LABELS, UNITS

    for colormap in (asinh_colormap(0.1), diverging_colormap(), "viridis", "cividis"):
        Image(
            np.zeros((2, 2), np.float32), affine=np.eye(3), units=UNITS, axis_labels=AXIS_LABELS, colormap=colormap,
            contrast_limits=(0, 1),
        )  # fmt: skip
