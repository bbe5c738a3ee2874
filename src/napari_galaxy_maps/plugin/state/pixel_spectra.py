"""The spectra of single pixels and apertures: the prepared bands that they are from, and the model
spectra that are fitted to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ...data.cube import BandCube
from ...data.maps import PropertyMaps
from ...exceptions import GalaxyMapsError, InputError
from ...measure.apertures.aperture import Aperture
from ...progress import Progress
from ..eventloop.idle_queue import next_turn
from ..eventloop.worker import JobRunner
from ..ground.sky_plane import sky_affine
from ..ground.window_words import words_of
from .project import Project

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...sed.library import Library
    from ...sed.pixel import PixelSpectrum

PREPARED, FAR = "the prepared bands", "the truth's bands"
TITLE = "Making model spectra"


@dataclass(frozen=True)
class Place:
    """A pixel of the cube (row, column), or an aperture."""

    row: int = -1
    column: int = -1
    aperture: Aperture | None = None


class PixelGrid:
    """Where the pixels of maps or a cube lie on the tangent plane."""

    def __init__(self, content: BandCube | PropertyMaps, reference: tuple[float, float]):
        self.content, self.reference = content, reference
        self.affine = sky_affine(content.wcs, content.shape, reference)
        self._inverse = np.linalg.inv(self.affine)

    def pixel(self, north: float, west: float) -> tuple[int, int] | None:
        """Row and column of the pixel at these offsets in arcsec, or None outside."""
        row, column, _ = self._inverse @ (north, west, 1.0)
        i, j = round(float(row)), round(float(column))
        ny, nx = self.content.shape
        return (i, j) if 0 <= i < ny and 0 <= j < nx else None

    def corners(self, row: int, column: int) -> np.ndarray:
        """North and west offsets of a pixel's corners, shape (4, 2)."""
        around = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)])
        return np.array([(self.affine @ (row + dy, column + dx, 1.0))[:2] for dy, dx in around])

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """North and west offset of the middle of a pixel."""
        north, west, _ = self.affine @ (row, column, 1.0)
        return float(north), float(west)


class PixelSpectra:
    """Model spectra for a galaxy, and the fit at a place.

    Parameters
    ----------
    project : Project
        Whose prepared bands are fitted.
    runner : JobRunner
        Makes model spectra.
    """

    changed = Signal()
    """The bands or the model spectra."""

    def __init__(self, project: Project, runner: JobRunner):
        self.project, self.runner = project, runner
        self.source = PREPARED
        self.library: Library | None = None
        self.redshift_note = ""
        """Where the redshift is from, or what is wrong with it."""
        self._key: Any = None
        self._declined: Any = None
        self._grids: dict[int, PixelGrid] = {}
        self._planes: tuple[BandCube, Any] | None = None
        for signal in (
            project.cube_changed,
            project.maps_changed,
            project.truths_changed,
            project.recipe_changed,
        ):
            signal.connect(self._project_changed)
        project.switched.connect(self._let_go)

    # Bands ---------------------------------------------------------------------------------------

    @property
    def sources(self) -> dict[str, BandCube]:
        """The cubes whose pixels can be looked at, by what a person calls them."""
        project, memory = self.project, self.project.memory
        found: dict[str, BandCube] = {}
        if (
            project.maps is not None
            and memory is not None
            and memory.maps is project.maps
            and memory.cube is not None
        ):
            found[PREPARED] = memory.cube
        elif project.cube is not None:
            found[PREPARED] = project.cube
        if project.fitted is not None:
            found[FAR] = project.fitted.cube
        return found

    @property
    def cube(self) -> BandCube | None:
        """The cube that is looked at."""
        sources = self.sources
        return sources.get(self.source) or next(iter(sources.values()), None)

    def choose(self, source: str) -> None:
        """Look at another cube."""
        if source != self.source:
            self.source = source
            self.changed.emit()

    def grid(self, content: BandCube | PropertyMaps) -> PixelGrid | None:
        """Where the pixels of maps or a cube lie; None before anything is shown."""
        reference = self.project.reference
        if reference is None:
            return None
        known = self._grids.get(id(content))
        if known is None or known.content is not content or known.reference != reference:
            if len(self._grids) > 6:
                self._grids.clear()
            known = self._grids[id(content)] = PixelGrid(content, reference)
        return known

    # Model spectra -------------------------------------------------------------------------------

    def _wanted(self) -> Any:
        """The settings and the redshift of the model spectra that are wanted now.

        Raises
        ------
        InputError
            When the redshift is absurd.
        """
        from ...prepare.impute import model_redshift

        galaxy, settings = self.project.galaxy, self.project.recipe.galaxy
        distance = galaxy.distance_mpc if galaxy is not None else settings.distance
        redshift, self.redshift_note = model_redshift(settings.redshift, distance)
        return self.project.recipe.sed.model_copy(), redshift

    def ready(self) -> bool:
        """Whether there are model spectra for the settings as they are."""
        try:
            return self.library is not None and self._key == self._wanted()
        except GalaxyMapsError as error:
            self.redshift_note = words_of(error)
            return False

    def make(self, asked: bool = False) -> None:
        """Make the model spectra in a thread, unless they are there, or a person has cancelled
        that.
        """
        cube = self.cube
        if cube is None or self.ready():
            return
        try:
            key = self._wanted()
        except GalaxyMapsError:
            return  # `ready` has said why
        if not asked and key == self._declined:
            return
        if self.runner.job is not None:
            self.runner.after_job(self._make_later)
            return
        settings, redshift = key

        def steps() -> Generator[Progress, None, Any]:
            from ...sed.library import library_steps

            library = yield from library_steps(settings, redshift)
            yield Progress("sed", 0, 1, "making them ready")
            # torch is imported and the matrices are made here, and not under the pointer.
            prime(library, cube.bands)
            return library

        made: list[Library] = []

        def result(library: Library) -> None:
            made.append(library)
            self.library, self._key = library, key

        def ended() -> None:
            if not made:
                self._declined = key
            next_turn(self.changed.emit)

        self.runner.start(
            TITLE,
            steps,
            on_result=result,
            on_end=ended,
        )

    def _make_later(self) -> None:
        self.make()

    # A place -------------------------------------------------------------------------------------

    def fluxes(self, place: Place) -> tuple[np.ndarray, np.ndarray]:
        """Surface brightness and errors of a place in every band of the cube.

        Raises
        ------
        InputError
            When an aperture lies outside.
        """
        cube = self.cube
        if cube is None:
            raise InputError("There are no prepared bands yet; press Prepare or Predict first.")
        if place.aperture is None:
            return cube.data[:, place.row, place.column], cube.uncertainty[
                :, place.row, place.column
            ]
        from ...measure.apertures.photometry import Options, values_in
        from ...measure.apertures.planes import planes_of

        if self._planes is None or self._planes[0] is not cube:
            self._planes = cube, planes_of(cube.masked_alike())
        found = values_in(self._planes[1], [place.aperture], Options(fill=False))[0]
        return np.asarray(found.mean), np.asarray(found.mean_err)

    def at(self, place: Place, with_far_infrared: bool = False) -> PixelSpectrum:
        """The spectrum of a place.

        Raises
        ------
        InputError
            When there are no bands or model spectra, or the fluxes cannot be fitted.
        """
        from ...sed.pixel import pixel_spectrum

        flux, error = self.fluxes(place)
        if self.library is None or self.cube is None:
            raise InputError("The model spectra are not made yet.")
        return pixel_spectrum(flux, error, self.cube.bands, self.library, with_far_infrared)

    # What changes --------------------------------------------------------------------------------

    def _project_changed(self) -> None:
        self.changed.emit()

    def _let_go(self) -> None:
        """Hold nothing of the galaxy that was looked at before."""
        self._planes = None
        self._grids.clear()
        self.changed.emit()


def prime(library: Library, bands: tuple[str, ...]) -> None:
    """Do once what is slow the first time: imports, and the library's matrices for these bands."""
    from ...sed.library import known_places
    from ...sed.pixel import pixel_spectrum

    known = known_places(bands, library)
    light = library.light[0, library.columns([bands[i] for i in known])].astype(float)
    model = np.full(len(bands), np.nan)
    model[known] = light / light.max()
    pixel_spectrum(model, np.full(len(bands), 0.1), bands, library)
