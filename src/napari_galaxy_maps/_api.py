"""The front door: what an astronomer calls in a notebook, one function a step, with usual settings.

``import napari_galaxy_maps as ngm`` gives `read`, `prepare`, `predict`, `fit_truth`, `attenuation`,
`sharpen`, `measure`, `profile`, `compare` and `view`; this module loads when the first of them is
used. What the steps remark on goes to the logger ``napari_galaxy_maps``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import pipeline
from ._arguments import (
    Listener,
    Paths,
    as_apertures,
    as_list,
    as_paths,
    images_read,
    measurable,
    recipe_path,
    run_told,
    settled_recipe,
    with_settings,
)
from ._attenuation import attenuation
from ._sharpening import sharpen
from .data.cube import BandCube
from .data.galaxy import BandImage, Ellipse, Galaxy
from .data.maps import PropertyMaps
from .data.methods import METHODS
from .data.recipe import Recipe
from .exceptions import GalaxyMapsError, InputError
from .fits_io.cube_files import is_cube, read_cube, write_cube
from .fits_io.galaxies import read_galaxy_steps
from .fits_io.image_files import check_names, find_images
from .fits_io.map_files import is_maps, read_maps, write_maps
from .fits_io.recipe_files import read_recipe
from .measure.apertures.aperture import Aperture, circle
from .measure.apertures.photometry import Options, measure_apertures
from .measure.apertures.planes import planes_of
from .measure.apertures.totals import galaxy_totals
from .measure.compare.comparison import Comparison, compare
from .measure.figures.map_figures import bands_figure, draw_image, draw_map, maps_figure
from .measure.pixel_table import pixel_table
from .measure.profiles.ellipses import recipe_ellipse
from .measure.profiles.galaxy_profile import annuli_in_steps, profile_over
from .prepare.masks.mask_files import mask_hdus, read_masks
from .provenance import changed_since_file, provenance

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = [
    "Aperture",
    "Comparison",
    "Ellipse",
    "GalaxyMapsError",
    "Recipe",
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

_log = logging.getLogger("napari_galaxy_maps")


def read(
    paths: Paths,
    *,
    name: str | None = None,
    ra: float | None = None,
    dec: float | None = None,
    distance: float | None = None,
    redshift: float | None = None,
    hubble_stage: float | None = None,
    d25: float | None = None,
    axis_ratio: float | None = None,
    position_angle: float | None = None,
    ebv: float | None = None,
    stars: str | os.PathLike[str] | None = None,
    bands: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    leave_out: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    zero_points: Mapping[str, str] | None = None,
    beams: Mapping[str, float] | None = None,
    psf: Mapping[str, float | str] | None = None,
    stand_in: bool | None = None,
    mask: Paths | None = None,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    progress: Listener | None = None,
) -> Any:
    """Read a galaxy from its images; or maps, or a prepared cube, from a file of them.

    Parameters
    ----------
    paths : path or sequence of paths
        FITS files, or folders of them.
    name : str, optional
        Name of the galaxy; by default the OBJECT that the headers agree on.
    ra, dec : float, optional
        Position, ICRS, degrees.
    distance : float, optional
        Mpc; without it one follows from the redshift, by the Hubble flow.
    redshift : float, optional
    hubble_stage : float, optional
        De Vaucouleurs' numerical type T, from -5 (elliptical) to 10 (irregular), as HyperLEDA's t.
    d25 : float, optional
        Diameter of the D25 ellipse in arcmin; the ellipse is measured where it is missing.
    axis_ratio : float, optional
        b/a of the ellipse.
    position_angle : float, optional
        Of its major axis, degrees east of north.
    ebv : float, optional
        The Milky Way's reddening E(B-V) in mag, as Schlegel+ 1998.
    stars : path, optional
        A table of the Milky Way's stars with Gaia's columns, or ``"gaia"`` to fetch them.
    bands : mapping of str to str, optional
        Band by file name, where the files do not say it.
    roles : mapping of str to str, optional
        What an image is for, by file name, ``FILE[EXTENSION]`` or ``FILE[EXTENSION][PLANE]``:
        ``"image"``, ``"uncertainty"``, ``"variance"``, ``"weight"``, ``"exposure"``, ``"mask"``
        or, to leave it out, ``"psf"``, ``"ignore"``.
    leave_out : sequence of str, optional
        Files, extensions or planes, named so, that are not to be used.
    units : mapping of str to str, optional
        Unit by file name, band or survey.
    zero_points : mapping of str to str, optional
        Magnitude of one count by file name, band or survey: ``"22.5 AB"``, ``"Vega"``, ``"25 AB per
        second"``.
    beams : mapping of str to float, optional
        Solid angle of the beam in arcsec2, by file name or band.
    psf : mapping of str to float or str, optional
        By file name or band, the FWHM in arcsec or a FITS file of the PSF.
    stand_in : bool, optional
        Let a band of another camera, such as DECam_g, stand in for the models' band beside it where
        that is not there.
    mask : path or sequence of paths, optional
        DS9 regions to mask.
    recipe : Recipe or path, optional
        Settings of all steps: a TOML file or an earlier result. A file that is not there is looked
        for in the galaxy's folder. What the other parameters say comes first.
    progress : callable, optional
        Given a `Progress` after every band.

    Returns
    -------
    Galaxy
        It carries the recipe, which the steps that follow take up; a `PropertyMaps` or a `BandCube`
        where the path is a file of these.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    found = as_paths(paths)
    if len(found) == 1 and found[0].is_file():
        if is_maps(found[0]):
            return read_maps(found[0])
        if is_cube(found[0]):
            return _read_cube(found[0])
    known = {
        "name": name, "ra": ra, "dec": dec, "distance": distance, "redshift": redshift, "d25": d25,
        "axis_ratio": axis_ratio, "position_angle": position_angle, "hubble_stage": hubble_stage,
    }  # fmt: skip
    recipe_file = (
        None if recipe is None or isinstance(recipe, Recipe) else recipe_path(recipe, found)
    )
    base = recipe if isinstance(recipe, Recipe) else Recipe()
    if recipe_file is not None:
        base = read_recipe(recipe_file)
    settings = with_settings(
        base,
        galaxy=known,
        reddening={"ebv": ebv},
        stars={"catalogue": None if stars is None else os.fspath(stars)},
        input={
            "bands": bands,
            "roles": roles,
            "leave_out": None if leave_out is None else list(leave_out),
            "units": units,
            "zero_points": zero_points,
            "beams": beams,
            "psf": psf,
            "stand_in": stand_in,
        },
    )
    for sentence in changed_since_file(recipe_file or "", settings):
        _log.warning(sentence)
    check_names(found, settings.input)
    skipped: list[str] = []
    files = find_images(found, skipped, told=settings.input)
    images_read.paths.update(file.path.absolute() for file in files)
    galaxy = run_told(read_galaxy_steps(files, settings), progress)
    regions = [] if mask is None else as_paths(mask)
    masks = pipeline.masks_given(
        recipe_file, regions, list(galaxy.images), skipped, other_stars=stars is not None
    )
    for reason in skipped:
        _log.warning("left out: %s", reason)
    return replace(galaxy, recipe=settings, masks=masks, paths=tuple(found))


def prepare(
    galaxy: Galaxy,
    *,
    resolution: float | str | None = None,
    pixel: float | str | None = None,
    recipe: Recipe | None = None,
    progress: Listener | None = None,
) -> BandCube:
    """Bring all bands of a galaxy to one PSF and one grid, with errors.

    Parameters
    ----------
    galaxy : Galaxy
    resolution : float or str, optional
        The common PSF: its FWHM in arcsec, a band, or a FITS file of a PSF; by default the widest
        of the bands.
    pixel : float or str, optional
        Of the common grid: arcsec, or a length such as ``"500 pc"``; by default a third of the PSF.
    recipe : Recipe, optional
        In place of the galaxy's.
    progress : callable, optional
        Given a `Progress` after every band of every step.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    settings = settled_recipe(galaxy, recipe, psf={"target": resolution}, grid={"pixel": pixel})
    cube = run_told(pipeline.prepare_galaxy_steps(galaxy, settings, masks=galaxy.masks), progress)
    return replace(cube, provenance=provenance(galaxy, settings))


def predict(
    galaxy: Galaxy | BandCube,
    model: str | None = None,
    *,
    prior: Literal["relations", "wide"] | None = None,
    members: int | None = None,
    device: str | None = None,
    recipe: Recipe | None = None,
    progress: Listener | None = None,
) -> PropertyMaps:
    """Predict maps with their uncertainties, from a galaxy or from its prepared cube.

    Parameters
    ----------
    galaxy : Galaxy or BandCube
    model : str, optional
        Its name, or a folder to which one was trained. By default the recipe's; where that names
        none, ``"dust-forest"`` if WISE_3.4 or Spitzer_3.6 is there, else ``"stellar-unet"``.
    prior : str, optional
        What a model that can do either takes for likely: the scaling relations of galaxies, or
        (``"wide"``) anything alike.
    members : int, optional
        In how many orientations, 1 to 8, a model that looks at images sees the galaxy.
    device : str, optional
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    recipe : Recipe, optional
        In place of the galaxy's.
    progress : callable, optional
        Given a `Progress` after every band and every tile.

    Returns
    -------
    PropertyMaps
        ``provenance["model"]`` names the model.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    asked = {"name": model, "prior": prior, "members": members, "device": device}
    settings = settled_recipe(galaxy, recipe, model=asked)
    memory = pipeline.PredictionMemory()
    if isinstance(galaxy, BandCube):
        steps = pipeline.predict_cube_steps(galaxy, settings, memory=memory)
    else:
        steps = pipeline.predict_steps(galaxy, settings, memory, galaxy.masks)
    maps = run_told(steps, progress)
    masks = memory.cube.masks if memory.cube else None
    return replace(maps, extensions=(*maps.extensions, *mask_hdus(masks)))


def fit_truth(
    galaxy: Galaxy | BandCube,
    *,
    device: str | None = None,
    recipe: Recipe | None = None,
    progress: Listener | None = None,
) -> PropertyMaps:
    """Fit true maps where there are three far-infrared bands or more, to compare predictions with.

    Parameters
    ----------
    galaxy : Galaxy or BandCube
    device : str, optional
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    recipe : Recipe, optional
        In place of the galaxy's.
    progress : callable, optional
        Given a `Progress` after every band and every piece of the fit.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    settings = settled_recipe(galaxy, recipe, model={"device": device})
    if isinstance(galaxy, BandCube):
        cube = galaxy
        truth = run_told(pipeline.truth_cube_steps(cube, settings), progress)
    else:
        fitted = run_told(pipeline.truth_maps_steps(galaxy, settings, galaxy.masks), progress)
        truth, cube = fitted.truth, fitted.cube
    return replace(truth.maps, extensions=(*truth.hdus(), *mask_hdus(cube.masks)))


def measure(
    source: PropertyMaps | BandCube | BandImage,
    apertures: Ellipse | Aperture | str | Path | Sequence[Ellipse | Aperture] | None = None,
    *,
    annulus: tuple[float, float] | None = None,
    background: Literal["median", "mean"] = "median",
    correct_masked: bool = False,
    fill: bool = True,
    names: Sequence[str] | None = None,
    distance: float | None = None,
    correlation: float | None = None,
) -> QTable:
    """Sums, means and errors inside apertures, of maps, of a cube or of an image.

    Parameters
    ----------
    source : PropertyMaps, BandCube or BandImage
        Of a galaxy that is not prepared, one of its `Galaxy.images`.
    apertures : Ellipse, Aperture, a sequence of these, or path, optional
        A path is a DS9 region file. Without any: whole-galaxy values of maps, inside their D25
        ellipse.
    annulus : tuple of float, optional
        Inner and outer edge, in units of the aperture, of a ring that gives the local background.
    background : str
        The median or the mean of the ring's clipped pixels.
    correct_masked : bool
        Whether sums are scaled to the whole aperture where it has blanks.
    fill : bool
        Whether sums count what is thought to lie under masks, where that is known.
    names : sequence of str, optional
        Only these properties or bands.
    distance : float, optional
        Mpc, in place of the one that the source knows.
    correlation : float, optional
        Pixels over which noise is shared, 0 for none, in place of what the source says.

    Returns
    -------
    astropy.table.QTable
        A row for each aperture and map: see `measure.apertures.photometry.measure_apertures`.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    planes = planes_of(measurable(source), as_list(names), distance, correlation)
    if apertures is None:
        if not isinstance(source, PropertyMaps):
            raise InputError("Whole-galaxy values are of maps; give an ellipse or apertures.")
        ellipse = recipe_ellipse(source.provenance)
        return galaxy_totals(planes, ellipse, None, correct_masked, fill)
    options = Options(annulus, background, correct_masked, fill)
    return measure_apertures(planes, as_apertures(apertures, source), options)


def profile(
    source: PropertyMaps | BandCube | BandImage,
    ellipse: Ellipse | None = None,
    *,
    step: float | None = None,
    truth: PropertyMaps | None = None,
    names: Sequence[str] | None = None,
    distance: float | None = None,
    correlation: float | None = None,
) -> QTable:
    """Radial profiles over elliptical annuli.

    Parameters
    ----------
    source : PropertyMaps, BandCube or BandImage
    ellipse : Ellipse, optional
        Shape of the annuli, and how far out; by default the D25 ellipse that the source was made
        with.
    step : float, optional
        Width of the annuli in arcsec; by default three pixels.
    truth : PropertyMaps, optional
        Measured over the same annuli.
    names : sequence of str, optional
        Only these properties or bands.
    distance, correlation : float, optional
        As of `measure`.

    Returns
    -------
    astropy.table.QTable
        A row for each map and annulus: see `measure.profiles.radial_profile.radial_profile`.

    Raises
    ------
    GalaxyMapsError
        Whatever is wrong, in a sentence.
    """
    planes = {"measured": planes_of(measurable(source), as_list(names), distance, correlation)}
    if truth is not None:
        wanted = as_list(names) or list(source) if isinstance(source, PropertyMaps) else []
        shared = [name for name in wanted if name in truth]
        planes["truth"] = planes_of(truth, shared, distance, correlation)
    d25 = None if isinstance(source, BandImage) else recipe_ellipse(source.provenance)
    chosen = ellipse or d25
    if chosen is None:
        raise InputError("It is not known where the D25 ellipse is; give an ellipse.")
    return profile_over(planes, annuli_in_steps(source, chosen, step), d25)


def view(content: Galaxy | BandCube | PropertyMaps) -> Any:
    """Open napari on a galaxy, a cube or maps; in a script end with ``napari.run()``.

    Returns
    -------
    napari.Viewer

    Raises
    ------
    GalaxyMapsError
        When no window can open.
    """
    try:
        from .plugin.manifest.show import show_in_window
    except ImportError as error:
        raise GalaxyMapsError(
            f"The window cannot open ({error}); install napari with a Qt binding: "
            "pip install 'napari-galaxy-maps[pyqt6]'."
        ) from None
    return show_in_window(content)


def _read_cube(path: Path) -> BandCube:
    return replace(read_cube(path), masks=read_masks(path))


def _write_maps(maps: PropertyMaps, path: str | Path, overwrite: bool) -> None:
    write_maps(path, maps, overwrite, maps.extensions)


def _write_cube(cube: BandCube, path: str | Path, overwrite: bool) -> None:
    write_cube(path, cube, cube.provenance, overwrite, mask_hdus(cube.masks))


METHODS.update(
    {
        "BandCube.plot": bands_figure,
        "BandCube.write": _write_cube,
        "BandImage.plot": draw_image,
        "Galaxy.plot": bands_figure,
        "PropertyMap.plot": draw_map,
        "PropertyMaps.plot": maps_figure,
        "PropertyMaps.to_table": pixel_table,
        "PropertyMaps.write": _write_maps,
    }
)
