"""From image files and a recipe to a galaxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..bands.cameras import CAMERAS
from ..bands.registry import find_band
from ..bands.stand_ins import too_far
from ..bands.units import NEEDS_ZERO_POINT, parse_unit
from ..cosmology import angular_diameter_distance_mpc, redshift_at_distance
from ..data.galaxy import BandImage, Ellipse, Galaxy
from ..data.question import BAND, SETTINGS, Question, kind_of
from ..data.recipe import GalaxySettings, InputSettings, Recipe
from ..exceptions import InputError, RecipeError, UnresolvedError
from ..progress import Progress, Steps, run_to_end
from .band_images import join, read_band_image
from .beside_files import with_beside, with_rates, without_image
from .image_file import ImageFile
from .image_files import find_images, settle
from .image_names import keys_of
from .stand_in_images import with_stand_ins
from .which_role import BESIDE

READING = 3
"""Version of the reading; it grows when the same files give other numbers than before."""
_NEAR = 0.003
"""Redshift under which peculiar motions of 300 km/s change a distance by a third and more."""
_OWN_MOTION, _LUMINOSITY = 0.005, 0.15
"""How far a redshift may be from the Hubble flow's at the distance: 1500 km/s, and a luminosity
distance nearby or an error of 15 %.
"""


def settle_all(images: Iterable[ImageFile], settings: InputSettings) -> list[ImageFile]:
    """The images with what the recipe says of their bands, units and PSFs.

    Parameters
    ----------
    images : iterable of ImageFile
        As found.
    settings : InputSettings
        ``bands`` by file; the others by file, band or survey. A file goes by its label, name or
        path, a pattern such as ``"*_g.fits"``, or its folder.

    Raises
    ------
    RecipeError
        When the recipe names a file or band that is not there, or says of one what makes no sense.
    """
    images = list(images)
    used: set[tuple[str, str]] = set()
    told = told_of(settings)
    settled = [settle_one(image, told, used) for image in images]
    for kind, table in told.items():
        for key in table:
            known = kind != "band" and (find_band(key) or key in CAMERAS)
            if (kind, key) not in used and not known:
                raise RecipeError(
                    f"{key!r}, for which the {kind.replace('_', ' ')} is given, is none of the "
                    f"files ({', '.join(i.label for i in images)})."
                )
    return settled


def told_of(settings: InputSettings) -> dict[str, Mapping[str, object]]:
    """The tables of a recipe that say something of files, by what they say."""
    return {kind_of(about): getattr(settings, name) for about, name in SETTINGS.items()}


def settle_one(
    image: ImageFile,
    told: Mapping[str, Mapping[str, object]],
    used: set[tuple[str, str]] | None = None,
) -> ImageFile:
    """An image with what tables by file, band or survey say of it; their entries that were taken
    are added to `used`.
    """
    used = set() if used is None else used

    def entry(kind: str) -> object | None:
        key = key_of(image, kind, told)
        if key is None:
            return None
        used.add((kind, key))
        return told[kind][key]

    band = entry("band")
    if band is not None:
        image = settle(image, band=str(band))
    given: dict[str, Any] = {kind: entry(kind) for kind in ("unit", "zero_point", "beam", "psf")}
    settled = settle(image, **{kind: value for kind, value in given.items() if value is not None})
    _check_needed(settled, {kind for kind, key in used if key in (image.label, image.path.name)})
    return settled


def key_of(image: ImageFile, kind: str, told: Mapping[str, Mapping[str, object]]) -> str | None:
    """The entry that speaks of an image among tables by what they say; the nearest of several."""
    return next(iter(_keys_of(image, told.get(kind, {}), by_band=kind != "band")), None)


def _check_needed(image: ImageFile, told: set[str]) -> None:
    """Refuse what a person says of one file and its unit has no use for."""
    unit = parse_unit(image.unit) if image.unit is not None else None
    if unit is None:
        return
    for kind, needed in (
        ("zero_point", unit.kind in NEEDS_ZERO_POINT),
        ("beam", unit.per == "beam"),
    ):
        if kind in told and not needed:
            raise InputError(
                f"{image.label}: a {kind.replace('_', ' ')} is given, but its unit, {image.unit}, "
                "needs none; leave it out."
            )


def _keys_of(image: ImageFile, table: Mapping[str, object], by_band: bool) -> list[str]:
    """The entries of a table that are about an image, the nearest first: as `keys_of` has them,
    then by its band and its survey.
    """
    names = keys_of(table, image.place, folders=by_band)
    if not by_band or image.band is None:
        return names
    bands = [key for key in table if find_band(key) is image.band]
    surveys = [key for key in table if key == image.band.survey]
    return [*dict.fromkeys((*names, *bands, *surveys))]


def questions_of(images: Iterable[ImageFile]) -> list[Question]:
    """What has to be asked of some images; an uncertainty's unit is its image's."""
    return [
        question
        for image in images
        for question in image.questions
        if image.role == "image" or (question.about == BAND and image.role not in BESIDE)
    ]


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
    distance, redshift, note = _distance_and_redshift(settings)
    far = too_far([image.band for image in images.values()], redshift)
    notes = tuple(filter(None, (note, far)))
    return Galaxy(
        name, dict(images), settings.ra, settings.dec, distance, d25_ellipse(settings), notes,
        hubble_stage=settings.hubble_stage, redshift=settings.redshift,
    )  # fmt: skip


def _distance_and_redshift(settings: GalaxySettings) -> tuple[float | None, float | None, str]:
    """A galaxy's distance in Mpc and redshift, each by the Hubble flow where only the other is
    told, and what is to be said of them.
    """
    distance, redshift = settings.distance, settings.redshift
    if redshift is None:
        return distance, None if distance is None else redshift_at_distance(distance), ""
    if distance is not None:
        flow = redshift_at_distance(distance)
        if abs(redshift - flow) <= _OWN_MOTION + _LUMINOSITY * abs(redshift):
            return distance, redshift, ""
        there = angular_diameter_distance_mpc(max(redshift, 0))
        return distance, redshift, (
            f"the distance of {distance:.4g} Mpc and the redshift {redshift:g} do not fit: by the "
            f"Hubble flow (Planck 2018) that redshift is {there:.4g} Mpc away, and has a "
            f"luminosity distance of {there * (1 + redshift) ** 2:.4g} Mpc, which is not what "
            "is needed here; colours are taken by the redshift, sizes by the distance"
        )  # fmt: skip
    if redshift <= 0:
        return None, redshift, (
            f"a redshift of {redshift:g} tells no distance, and without one pixels "
            "have no size in parsec"
        )  # fmt: skip
    distance = angular_diameter_distance_mpc(redshift)
    doubt = ", doubtful so near: galaxies move by themselves" if redshift < _NEAR else ""
    return distance, redshift, (
        f"distance of {distance:.4g} Mpc from the redshift {redshift:g} (Hubble flow, Planck "
        f"2018){doubt}"
    )  # fmt: skip


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
            "The D25 ellipse needs its centre: give the galaxy's right ascension and declination.",
            "galaxy.ra",
            "galaxy.dec",
        )
    a = settings.d25 * 30
    return Ellipse(settings.ra, settings.dec, a, a * settings.axis_ratio, settings.position_angle)


def _object_name(images: Mapping[str, BandImage]) -> str:
    """The OBJECT that the headers agree on, or nothing; of some surveys it is a field."""
    names = set()
    for image in images.values():
        field = CAMERAS[image.band.survey].object_is_field
        if image.header and "OBJECT" in image.header and not field:
            names.add(str(image.header["OBJECT"]).strip())
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
    settled = with_rates(with_beside(settle_all(files, recipe.input)))
    settled = with_stand_ins(settled, recipe.input)
    questions = questions_of(settled)
    if questions:
        raise UnresolvedError(questions)
    pairs = join(settled)
    images = {}
    for done, (name, (image, uncertainty)) in enumerate(pairs.items()):
        images[name] = read_band_image(image, uncertainty)
        yield Progress(
            "read", done + 1, len(pairs), f"{name}: {images[name].notes[0]}", images[name]
        )
    galaxy = make_galaxy(images, recipe.galaxy)
    standing = [str(image.stand_in) for image, _ in pairs.values() if image.stand_in is not None]
    return replace(galaxy, notes=(*galaxy.notes, *standing, *without_image(settled)))


def read_galaxy(
    paths: Sequence[str | Path], recipe: Recipe, skipped: list[str] | None = None
) -> Galaxy:
    """Find, settle and read the images in files and folders; see `find_images` and
    `read_galaxy_steps` for what it raises.
    """
    return run_to_end(read_galaxy_steps(find_images(paths, skipped, told=recipe.input), recipe))
