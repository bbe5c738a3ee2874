"""Visual prediction of resolved galaxy maps: the library behind the napari plugin and the command
`galaxy-maps`.

The steps, as they are called in a notebook::

    import napari_galaxy_maps as ngm

    galaxy = ngm.read("folder")
    maps = ngm.predict(galaxy)
    maps["LOG_SMD"].plot()
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from .data import methods

__version__ = "0.1.0"

__all__ = [
    "Aperture",
    "Comparison",
    "Ellipse",
    "GalaxyMapsError",
    "Recipe",
    "__version__",
    "attenuation",
    "circle",
    "compare",
    "fit_truth",
    "measure",
    "predict",
    "prepare",
    "profile",
    "read",
    "sharpen",
    "view",
]


def _front_door() -> Any:
    """The module behind the names; it loads when one of them is first used."""
    return import_module("._api", __name__)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_front_door(), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _step(name: str) -> property:
    """A step that comes before the folder of its name.

    Python makes every folder of a package an attribute of it once something in the folder is
    imported, which would hide the step. The folder stays where imports look for it.
    """
    return property(lambda _: getattr(_front_door(), name), lambda _, folder: None)


class _Package(ModuleType):
    measure = _step("measure")
    prepare = _step("prepare")
    sharpen = _step("sharpen")


sys.modules[__name__].__class__ = _Package
methods.fill_with(_front_door)
