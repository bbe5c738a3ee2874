"""Which galaxies are looked at and how: the rows of the table, and the cases that each has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...exceptions import InputError
from ..other_mocks.populations import Populations, read_populations
from ..other_mocks.simulated import View, read_views
from .painted_views import HISTORIES, Palette, of_galaxy, paint_view, palette
from .scene import Scene
from .second_recipe import KINDS, paint_second
from .sights import Seen, Sight, seen

GALAXIES = {"settings": 12, "last": 18}
"""Which simulated galaxy is seen in rows by which settings may be chosen, and which in none of
them.
"""
LAST_HISTORIES = ("quenched", "dusty slab")
"""Histories that are in no row by which settings may be chosen."""
N_VIEWS = 4
N_SECOND = 7
"""Galaxies of the second recipe of each kind."""
NOISES = (1.0, 1 / 3)
R_HALF = (2.0, 2.5, 3.0, 5.0, 8.0)
D25 = (0.25, 0.4, 0.6)
REDSHIFTS = (0.05, 0.2, 0.35, 0.45)
PIXELS = (0.4, 1.0)
"""arcsec, between which they are drawn."""
PIXELS_ARCSEC = (0.6, 0.4, 0.3, 0.5)
"""Of small galaxies."""
HALF_GRID = 1.25
"""Half of a grid's side over the semi-major axis of the D25 ellipse: the recipe's `grid.half_size`.
"""
_LARGEST, _SMALLEST = 160, 32


@dataclass(frozen=True)
class Subject:
    """A galaxy at a redshift.

    Attributes
    ----------
    galaxy : int
        Number of a simulated galaxy, or 0 for one of the second recipe.
    paint : str
        History of a simulated galaxy, or kind of the second recipe.
    number : int
        View of a simulated galaxy, or seed.
    redshift : float
    """

    galaxy: int
    paint: str
    number: int
    redshift: float


@dataclass(frozen=True)
class Case:
    """A galaxy as it is seen once.

    Attributes
    ----------
    rows : tuple of str
        In which it counts.
    subject : Subject
    sight : Sight
    last : bool
        Whether it is kept away from the choice of settings.
    quick : bool
        Whether it is among the few that are looked at in a hurry.
    """

    rows: tuple[str, ...]
    subject: Subject
    sight: Sight
    last: bool = False
    quick: bool = False


def all_cases() -> list[Case]:
    """All of them, the same at every call."""
    return [*_painted(), *_second(), *_small(), *_small_last(), *_redshifts(), *_redshifts_last()]


def rows_of(cases: list[Case]) -> list[str]:
    """Names of their rows, each once, in their order; those in which cases count again at the
    end.
    """
    first = [case.rows[0] for case in cases]
    return list(dict.fromkeys([*first, *(row for case in cases for row in case.rows)]))


def chosen(
    cases: list[Case], rows: list[str] | None = None, last: bool = False, quick: bool = False
) -> list[Case]:
    """Those of some rows; without `last` none that is kept away from the choice of settings.

    Raises
    ------
    InputError
        When there is no such row, or it is one that needs `last`.
    """
    allowed = [case for case in cases if last or not case.last]
    there = rows_of(allowed)
    for row in rows or ():
        if row not in there:
            raise InputError(
                f"{row!r} is looked at with --last alone."
                if row in rows_of(cases)
                else f"There is no row {row!r}; choose among {', '.join(there)}."
            )
    return [
        case
        for case in allowed
        if (case.quick or not quick) and (not rows or set(rows) & set(case.rows))
    ]


def _painted() -> list[Case]:
    """Views of simulated galaxies with each history, as large as half a dozen to a dozen pixels."""
    found = []
    for history in HISTORIES:
        for galaxy in GALAXIES.values():
            kept = galaxy == GALAXIES["last"]
            last = kept or history in LAST_HISTORIES
            row = f"{history}, galaxy {galaxy}" if kept else history
            rng = np.random.default_rng([1, HISTORIES.index(history), galaxy])
            for view in range(N_VIEWS):
                subject = Subject(galaxy, history, view, float(rng.uniform(0.02, 0.1)))
                for k, noise in enumerate(NOISES):
                    size = int(rng.choice([64, 96, 128]))
                    sight = _sight(rng, size, size / 10, noise)
                    found.append(Case((row,), subject, sight, last, (view, k) in _QUICK_VIEWS))
    return found


_QUICK_VIEWS = ((0, 0), (2, 0), (3, 1))


def _second() -> list[Case]:
    """Galaxies of the second recipe."""
    found = []
    for kind in KINDS:
        rng = np.random.default_rng([2, KINDS.index(kind)])
        for number in range(N_SECOND):
            redshift = float(np.exp(rng.uniform(np.log(0.01), np.log(0.06))))
            size = int(rng.choice([64, 96, 128]))
            sight = _sight(rng, size, size / 10, NOISES[number % 2])
            subject = Subject(0, kind, number, redshift)
            found.append(Case((kind,), subject, sight, quick=number < 3))
    return found


def _sight(rng: np.random.Generator, size: int, r_half: float, noise: float) -> Sight:
    return Sight(
        size=size,
        r_half=r_half,
        fwhm=float(rng.uniform(2.5, 3.5)),
        moffat=bool(rng.random() < 0.5),
        noise=noise,
        turn=float(rng.uniform(0, 2 * np.pi)),
        pixel_arcsec=float(np.exp(rng.uniform(*np.log(PIXELS)))),
        seed=int(rng.integers(2**31)),
    )


def small_sight(r_half: float, d25: float, pixel: float, seed: int) -> Sight:
    """A small galaxy off the middle of a grid that the D25 ellipse decides, with a neighbour and a
    star; the same seed puts all in the same places whatever the ellipse.
    """
    rng = np.random.default_rng(seed)
    size = int(np.clip(round(2 * HALF_GRID * d25 * 30 / pixel), _SMALLEST, _LARGEST))
    fwhm = float(rng.uniform(2.5, 3.5))

    def away(length: float) -> tuple[float, float]:
        angle = rng.uniform(0, 2 * np.pi)
        return float(length * np.sin(angle)), float(length * np.cos(angle))

    off = away(rng.uniform(0.1, 0.3) * min(D25) * 30 / pixel)
    neighbour, star = (
        (off[0] + by[0], off[1] + by[1])
        for by in (away(6 * r_half + fwhm), away(4 * r_half + 2.5 * fwhm))
    )
    inside = max(abs(part) for part in star) < size / 2 - 1
    return Sight(
        size=size,
        r_half=r_half,
        pixel_arcsec=pixel,
        fwhm=fwhm,
        moffat=bool(rng.random() < 0.5),
        off=off,
        turn=float(rng.uniform(0, 2 * np.pi)),
        d25=d25,
        neighbour=neighbour,
        star=star if inside else None,
        covered=bool(rng.random() < 0.5),
        seed=int(rng.integers(2**31)),
    )


def _small() -> list[Case]:
    """Small galaxies: simulated ones and others, each in the grids of all D25."""
    found = []
    for i, r_half in enumerate(R_HALF):
        rng = np.random.default_rng([3, i])
        for k, pixel in enumerate(PIXELS_ARCSEC):
            redshift = float(rng.uniform(0.01, 0.15))
            if k % 2:
                subject = Subject(0, KINDS[(i + k) % len(KINDS)], i, redshift)
            else:
                subject = Subject(GALAXIES["settings"], "tau", (i + k // 2) % N_VIEWS, redshift)
            for d25 in D25:
                rows = (f"R_half {r_half:g} pixels", f"D25 {d25:g} arcmin")
                sight = small_sight(r_half, d25, pixel, 100 * i + k)
                found.append(Case(rows, subject, sight, quick=k < 2))
    return found


def _small_last() -> list[Case]:
    found = []
    rng = np.random.default_rng(4)
    for i, r_half in enumerate(R_HALF):
        for k in range(2):
            view = (i + k) % N_VIEWS
            subject = Subject(GALAXIES["last"], "tau", view, float(rng.uniform(0.01, 0.15)))
            sight = small_sight(r_half, D25[(i + k) % 3], PIXELS_ARCSEC[k], 5000 + 10 * i + k)
            found.append(Case(("small, galaxy 18",), subject, sight, last=True))
    return found


def _redshifts() -> list[Case]:
    """One simulated galaxy at all redshifts, known and not."""
    found = []
    for redshift in REDSHIFTS:
        for known in (True, False):
            row = f"redshift {redshift:g}{'' if known else ', not known'}"
            for history in ("tau", "simple"):
                found += _at(redshift, known, history, GALAXIES["settings"], row)
    return found


def _redshifts_last() -> list[Case]:
    found = []
    for known in (True, False):
        row = f"redshifts {'' if known else 'not '}known, galaxy 18"
        for redshift in REDSHIFTS:
            found += _at(redshift, known, "tau", GALAXIES["last"], row)
    return found


def _at(redshift: float, known: bool, history: str, galaxy: int, row: str) -> list[Case]:
    """The views of a galaxy at a redshift, a third of SDSS's noise."""
    last = galaxy == GALAXIES["last"]
    found = []
    for view in range(N_VIEWS):
        rng = np.random.default_rng([5, galaxy, view, len(history)])  # alike at all redshifts
        sight = _sight(rng, 64, 7.0, NOISES[1])
        case = Case(
            (row,),
            Subject(galaxy, history, view, redshift),
            replace(sight, known=known),
            last,
            history == "tau" and view in (0, 2),
        )
        found.append(case)
    return found


class Studio:
    """Makes the cases; scenes that several share are painted once.

    Parameters
    ----------
    data : Path
        Folder of ``templates`` and ``simulated``.

    Raises
    ------
    InputError
        When it lacks a file, or the package of filter curves is missing.
    """

    def __init__(self, data: Path) -> None:
        self._populations: Populations = read_populations(data / "templates")
        self._views: list[View] = read_views(data / "simulated")
        lacking = [n for n in GALAXIES.values() if len(of_galaxy(self._views, n)) < N_VIEWS]
        if lacking:
            raise InputError(
                f"{data / 'simulated'} lacks views of galaxy {lacking[0]}: four files "
                f"illustris_{lacking[0]}_N.fits.gz are needed."
            )
        self._palette = lru_cache(maxsize=4)(self._new_palette)
        self._scene = lru_cache(maxsize=12)(self._new_scene)

    def _new_palette(self, redshift: float) -> Palette:
        return palette(self._populations, redshift)

    def _new_scene(self, subject: Subject) -> Scene:
        if not subject.galaxy:
            return paint_second(subject.paint, self._populations, subject.redshift, subject.number)
        view = of_galaxy(self._views, subject.galaxy)[subject.number]
        rng = np.random.default_rng(
            [subject.galaxy, HISTORIES.index(subject.paint), subject.number]
        )
        return paint_view(view, subject.paint, self._palette(subject.redshift), rng)

    def seen(self, case: Case) -> Seen:
        """A case as a model sees it; its neighbour is a view of the same simulated galaxy."""
        neighbour = None
        if case.sight.neighbour is not None:
            other = GALAXIES["last"] if case.last else GALAXIES["settings"]
            number = (case.subject.number + 1) % N_VIEWS
            neighbour = self._scene(Subject(other, "tau", number, case.subject.redshift))
        return seen(self._scene(case.subject), case.sight, neighbour)
