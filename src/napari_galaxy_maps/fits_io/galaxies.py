"""From image files and a recipe to a galaxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..bands.registry import find_band
from ..cosmology import angular_diameter_distance_mpc
from ..data.galaxy import BandImage, Ellipse, Galaxy
from ..data.recipe import GalaxySettings, InputSettings, Recipe
from ..exceptions import InputError, RecipeError, UnresolvedError
from ..progress import Progress, Steps, run_to_end
from .band_images import join, read_band_image
from .image_files import ImageFile, find_images, settle

READING = 2
"""Version of the reading; it grows when the same files give other numbers than before."""
_NEAR = 0.003
"""Redshift under which peculiar motions of 300 km/s change a distance by a third and more."""


def settle_all(images: Iterable[ImageFile], settings: InputSettings) -> list[ImageFile]:
    """The images with what the recipe says of their bands, units and PSFs.

    Parameters
    ----------
    images : iterable of ImageFile
        As found.
    settings : InputSettings
        ``bands`` by file label or path; ``units`` by file label, path or band; ``psf`` by band.

    Raises
    ------
    RecipeError
        When the recipe names a file or band that is not there, or says of one what makes no sense.
    """
    images = list(images)
    used: set[tuple[str, str]] = set()

    def setting(kind: str, table: Mapping[str, object], image: ImageFile) -> object | None:
        for key in (image.label, image.path.name, str(image.path)):
            if key in table:
                used.add((kind, key))
                return table[key]
        for key in table if image.band is not None else ():
            if find_band(key) is image.band:
                used.add((kind, key))
                return table[key]
        return None

    settled = []
    for image in images:
        band = setting("bands", settings.bands, replace(image, band=None))  # by file alone
        if band is not None:
            image = settle(image, band=str(band))
        unit = setting("units", settings.units, image)
        psf = setting("psf", settings.psf, image)
        if psf is not None and not isinstance(psf, float):
            psf = str(psf)
        settled.append(settle(image, unit=None if unit is None else str(unit), psf=psf))
    for kind, table in (
        ("bands", settings.bands),
        ("units", settings.units),
        ("psf", settings.psf),
    ):
        for key in table:
            if (kind, key) not in used and not (kind != "bands" and find_band(key)):
                raise RecipeError(
                    f"{key!r}, for which the {kind.rstrip('s')} is given, is none of the files "
                    f"({', '.join(i.label for i in images)})."
                )
    return settled


def make_galaxy(images: Mapping[str, BandImage], settings: GalaxySettings) -> Galaxy:
    """The galaxy of some images and what is known of it.

    Raises
    ------
    InputError
        When there is no image, none shows the position that is given, or the D25 diameter is given
        without one.
    """
    if not images:
        raise InputError("There is no image to work on; add the galaxy's FITS files.")
    if settings.ra is not None and settings.dec is not None:
        _check_position(images, settings.ra, settings.dec)
    name = settings.name or _object_name(images) or "galaxy"
    distance = settings.distance
    notes: tuple[str, ...] = ()
    if distance is None and settings.redshift:
        distance = angular_diameter_distance_mpc(settings.redshift)
        notes = (
            f"distance of {distance:.4g} Mpc from the redshift {settings.redshift:g} (Hubble flow, "
            "Planck 2018)"
            + (
                ", doubtful so near: galaxies move by themselves"
                if settings.redshift < _NEAR
                else ""
            ),
        )
    return Galaxy(
        name, dict(images), settings.ra, settings.dec, distance, d25_ellipse(settings), notes
    )


def _check_position(images: Mapping[str, BandImage], ra: float, dec: float) -> None:
    """Raise `InputError` where no image shows a position (degrees)."""
    if any(_shows(image, ra, dec) for image in images.values()):
        return
    slip = ""
    if ra <= 24 and any(_shows(image, 15 * ra, dec) for image in images.values()):
        slip = f"; if the right ascension is in hours, give {15 * ra:.5f}"
    raise InputError(
        f"No image shows the galaxy's position, RA {ra:.5f}, Dec {dec:.5f} in degrees"
        f"{slip or '; correct it'}."
    )


def _shows(image: BandImage, ra: float, dec: float) -> bool:
    from astropy.coordinates import SkyCoord

    x, y = image.wcs.world_to_pixel(SkyCoord(ra, dec, unit="deg"))
    ny, nx = image.shape
    return bool(-0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5)


def d25_ellipse(settings: GalaxySettings) -> Ellipse | None:
    """The D25 ellipse, or None where its diameter is not known.

    Raises
    ------
    InputError
        When the diameter is given without a position.
    """
    if settings.d25 is None:
        return None
    if settings.ra is None or settings.dec is None:
        raise InputError(
            "The D25 ellipse needs its centre: give the galaxy's right ascension and declination "
            "(--ra, --dec)."
        )
    a = settings.d25 * 30
    return Ellipse(settings.ra, settings.dec, a, a * settings.axis_ratio, settings.position_angle)


def _object_name(images: Mapping[str, BandImage]) -> str:
    """The OBJECT that the headers agree on, or nothing; an SDSS frame's is the stripe of the sky it
    was scanned in.
    """
    names = {
        str(image.header["OBJECT"]).strip()
        for image in images.values()
        if image.header and "OBJECT" in image.header and image.band.survey != "SDSS"
    }
    return names.pop() if len(names) == 1 else ""


def read_galaxy_steps(files: Sequence[ImageFile], recipe: Recipe) -> Steps[Galaxy]:
    """Read settled or unsettled image files into a galaxy, a band at a time.

    Raises
    ------
    UnresolvedError
        When an image's band or unit is not known.
    InputError
        When a file is damaged, a band is there twice, or an uncertainty does not fit its image.
    """
    settled = settle_all(files, recipe.input)
    problems = [
        problem
        for image in settled
        if image.role == "image" or image.band is None
        for problem in image.problems
    ]
    if problems:
        raise UnresolvedError(" ".join(problems))
    pairs = join(settled)
    images = {}
    for done, (name, (image, uncertainty)) in enumerate(pairs.items()):
        images[name] = read_band_image(image, uncertainty)
        yield Progress(
            "read", done + 1, len(pairs), f"{name}: {images[name].notes[0]}", images[name]
        )
    return make_galaxy(images, recipe.galaxy)


def read_galaxy(
    paths: Sequence[str | Path], recipe: Recipe, skipped: list[str] | None = None
) -> Galaxy:
    """Find, settle and read the images in files and folders; see `find_images` and
    `read_galaxy_steps` for what it raises.
    """
    return run_to_end(read_galaxy_steps(find_images(paths, skipped), recipe))
