"""What is thought likely of a galaxy before it is seen: the parameters of a library's models and
how they are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ..bands.registry import get_band
from ..data.recipe import LibrarySettings

PARAMETERS: Final[tuple[str, ...]] = (
    "age_myr", "tau_myr", "change_age_myr", "change", "metallicity", "ebv", "old_factor", "slope",
    "bump", "qhac", "umin",
    "gamma",
)  # fmt: skip
"""Parameters of a model: the age of the oldest stars; the time scale of a star formation rate t
exp(-t / tau); how long ago it changed, and by which factor; mass fraction of metals; E(B-V) of
stars younger than 10 Myr and of their gas, and by which factor it is less for older ones; tilt and
ultraviolet bump of the attenuation; the dust's small grains, its lowest radiation field and the
fraction of its mass in higher ones."""

_RATES = (0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0)
_TAU = (500, 750, 1100, 1700, 2600, 3900, 5800, 8800, 13000, 20000)
_EBV = (
    0,
    0.005,
    0.0075,
    0.011,
    0.017,
    0.026,
    0.038,
    0.058,
    0.087,
    0.13,
    0.20,
    0.29,
    0.44,
    0.66,
    1.0,
)
_QHAC = (0.02, 0.06, 0.10, 0.14, 0.17, 0.20, 0.24, 0.28, 0.32, 0.36, 0.40)
_UMIN = (0.1, 0.15, 0.3, 0.5, 0.8, 1.2, 2.0, 3.5, 6, 10, 17, 30, 50, 80)
_GAMMA = (0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.031, 0.063, 0.13, 0.25, 0.5)

PRIORS: Final[Mapping[str, Mapping[str, tuple[float, ...]]]] = {
    # The grid of Dobbels+ 2020 and Nersesian+ 2019 for DustPedia: 80 million models of CIGALE.
    "dustpedia": {
        "age_myr": (2000, 4500, 7000, 9500, 12000), "tau_myr": _TAU, "change_age_myr": (200,),
        "change": _RATES,
        "metallicity": (0.02,), "ebv": _EBV, "old_factor": (0.25, 0.50, 0.75),
        "slope": (-0.5, -0.25, 0.0), "bump": (0,),
        "qhac": _QHAC, "umin": _UMIN, "gamma": _GAMMA,
    },
    # The same ranges, widened by what single pixels are: young, poor or rich in metals, in bursts,
    # with a bump.
    "broad": {
        "age_myr": (1000, 2000, 4500, 7000, 9500, 12000, 13500), "tau_myr": (250, *_TAU),
        "change_age_myr": (10, 30, 100, 200, 500, 1000), "change": _RATES,
        "metallicity": (0.004, 0.008, 0.02, 0.05),
        "ebv": _EBV, "old_factor": (0.25, 0.50, 0.75, 1.0), "slope": (-0.7, -0.5, -0.25, 0.0, 0.25),
        "bump": (0, 1, 2, 3),
        "qhac": _QHAC, "umin": _UMIN, "gamma": _GAMMA,
    },
}  # fmt: skip
"""By name, the nodes of every parameter."""


DUST_SHINES: Final = 7.0
"""Micron from which on the light of most pixels is dust's."""
OF_DIMMING: Final[Mapping[str, tuple[float, ...]]] = {
    "ebv": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2), "slope": (-1.2, -0.9, -0.6, -0.3, 0.0),
}  # fmt: skip
"""What takes the place of the broad prior where attenuation is what is asked for: any
amount of dust as likely as any other, and laws tilted further towards the ultraviolet. The broad
prior, made for missing bands, has a third of its models nearly without dust.
"""


def dusty(bands: Sequence[str]) -> tuple[str, ...]:
    """Those of some bands in which dust itself shines."""
    return tuple(band for band in bands if get_band(band).pivot > DUST_SHINES)


def for_attenuation(settings: LibrarySettings, bands: Sequence[str]) -> LibrarySettings:
    """The settings of a library that attenuation is fitted with: `OF_DIMMING` in the broad prior,
    but for nodes that were given; the settings as they are where no band shows dust's light.

    Starlight alone hardly tells dust, and what comes out is then what goes in: with any amount as
    likely as any other, g of three mock galaxies came out 0.5 mag too bright.
    """
    if settings.prior != "broad" or not dusty(bands):
        return settings
    own = {
        name: [*values] for name, values in OF_DIMMING.items() if getattr(settings, name) is None
    }
    return settings.model_copy(update=own)


def nodes(settings: LibrarySettings) -> dict[str, np.ndarray]:
    """The nodes of every parameter: those of the settings where they are given, else the named
    prior's, in rising order.
    """
    found = {}
    for name in PARAMETERS:
        given = getattr(settings, name)
        chosen = PRIORS[settings.prior][name] if given is None else given
        found[name] = np.unique(np.asarray(chosen, float))
    return found


def draw(settings: LibrarySettings) -> dict[str, np.ndarray]:
    """Parameters of a library's models, by name, each shape (n_models,).

    ``"random"`` draws between the nodes, each gap between neighbours as likely as any other, by a
    scrambled Sobol sequence: evenly in all dimensions at once. ``"grid"`` takes the nodes
    themselves: all combinations, or as many of them at random as are asked for.
    """
    from scipy.stats import qmc

    by_name = nodes(settings)
    lengths = [len(values) for values in by_name.values()]
    if settings.sampling == "random":
        n_bits = int(np.ceil(np.log2(settings.n_models)))
        places = qmc.Sobol(len(by_name), seed=settings.seed).random_base2(n_bits)[
            : settings.n_models
        ]
        return {
            name: np.interp(places[:, k] * (len(values) - 1), np.arange(len(values)), values)
            for k, (name, values) in enumerate(by_name.items())
        }
    total = math.prod(lengths)
    if total <= settings.n_models:
        which = np.arange(total)
    else:
        rng = np.random.default_rng(settings.seed)
        which = np.sort(rng.choice(total, settings.n_models, replace=False, shuffle=False))
    index = np.unravel_index(which, lengths)
    return {name: values[index[k]] for k, (name, values) in enumerate(by_name.items())}
