"""Imports what the first job will need while the person is still choosing files, so that no import stalls the job."""

from __future__ import annotations

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
