"""Does ahead, while the person is still choosing files, what would stall the first job: imports and old garbage."""

from __future__ import annotations

import atexit
import gc
import importlib
import logging
import threading
import time
from functools import partial

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
_done = False
_leaving = threading.Event()


def begin() -> None:
    """Start importing in a thread, once per process, after a pause in which the panels are painted."""
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
        for task in (*(partial(_import, name) for name in MODULES), _make_first_layer, _load_model):
            if _leaving.is_set():
                return
            try:
                task()
            except Exception:
                # Nobody asked for this yet: who does will be told what is wrong then.
                LOGGER.debug("doing ahead failed", exc_info=True)
            # The window gets the interpreter to itself between two tasks.
            time.sleep(_PAUSE)
        # What is there by now stays for good. Set aside, it does not slow down every full collection to come, the ones
        # in the middle of a job among them, from 80 to 250 ms. The garbage goes first: it would stay as well.
        gc.collect()
        gc.freeze()
    finally:
        _done = True


def _import(name: str) -> None:
    importlib.import_module(name)


def _load_model() -> None:
    """The default model is kept once it is loaded."""
    from ..models.registry import load_model
    from ..recipe import ModelSettings

    load_model(ModelSettings().name)


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
