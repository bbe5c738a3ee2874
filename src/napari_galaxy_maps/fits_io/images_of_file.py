"""The images of one file: their roles, coordinates, bands and units, and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bands.cameras import cameras_called
from ..bands.registry import get_band
from ..constants import SR_PER_ARCSEC2
from ..data.galaxy import Stamp
from ..data.question import BAND, Question
from ..data.recipe import InputSettings
from ..exceptions import GalaxyMapsError, InputError, RecipeError, brief
from .cube_files import holds_cube
from .evidence import CAMERA, KEYWORDS, UNITS, ImageWords, sentence
from .header_words import Words, merged
from .image_file import ImageFile
from .image_names import Place, keys_of, names_file, split_name
from .open_fits import opened
from .pixel_area import pixel_area
from .planes import Plane, planes_of
from .sky_coordinates import coordinates
from .which_band import BandGuess, bands_in_name, guess_band
from .which_beam import guess_beam
from .which_role import BESIDE, OF_THE_SKY, guess_role, role_of_header
from .which_unit import guess_unit

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_NO_WCS = "has no sky coordinates (WCS) in its header; add them, e.g. with astrometry.net"


@dataclass(frozen=True)
class PassedOver:
    """An image that is not read.

    Attributes
    ----------
    place : Place
        Where it is, and what it is called.
    role : str
        What it is for.
    role_told : bool
        Whether a person said so.
    why : str
        Why it is not read, as the end of a sentence that begins with its name.
    """

    place: Place
    role: str
    role_told: bool
    why: str

    @property
    def sentence(self) -> str:
        """Why it is not read."""
        return f"{self.place.label} {self.why}"


@dataclass
class Finding:
    """What was found so far.

    Attributes
    ----------
    told : InputSettings
        What a person says.
    skipped : list of str
        Sentences for what is none of the images.
    passed : list of PassedOver
        The images that are not read.
    without_wcs : list of Path
        Files of masks and exposures that lie on the sky where another image does, if anywhere.
    images : list of ImageFile
        Those on whose pixels such a file may be.
    """

    told: InputSettings
    skipped: list[str] = field(default_factory=list)
    passed: list[PassedOver] = field(default_factory=list)
    without_wcs: list[Path] = field(default_factory=list)
    images: list[ImageFile] = field(default_factory=list)

    def pass_over(self, place: Place, role: tuple[str, bool], why: str) -> None:
        """Leave an image out, and say why; of its role, whether a person told it."""
        self.passed.append(PassedOver(place, *role, why))
        self.skipped.append(self.passed[-1].sentence)


def _read_file(path: Path, finding: Finding) -> list[ImageFile]:
    """The images of one file; what cannot be one is told in `finding`."""
    found: list[ImageFile] = []
    with opened(path) as hdus:
        if holds_cube(hdus):
            raise InputError(f"{path.name} is a prepared cube; open it by itself.")
        planes = planes_of(hdus, path, finding.skipped)
        _check_places(path, planes, finding.told)
        first_wcs: dict[tuple[int, int], WCS] = {}
        for plane in planes:
            primary = hdus[0].header if plane.number else None
            place = plane.place(path)
            role, role_told = _role_of(plane, place, primary, finding.told.roles)
            if keys_of(finding.told.leave_out, place):
                finding.pass_over(place, (role, role_told), "is left out, as told.")
                continue
            if role not in (*OF_THE_SKY, *BESIDE):
                why = _why_not(plane.name, role, role_told)
                finding.pass_over(place, (role, role_told), why)
                continue
            wcs, why = _coordinates(plane, primary, first_wcs, role)
            if wcs is None and role in BESIDE and not why:
                alike = [image.wcs for image in finding.images if image.shape == plane.shape]
                wcs = alike[0] if alike else None
                finding.without_wcs += [] if alike else [path]
            if wcs is None:
                place = replace(place, label=str(path) if len(planes) == 1 else plane.label)
                finding.pass_over(place, (role, role_told), f"{why or _NO_WCS}.")
                continue
            first_wcs.setdefault(plane.shape, wcs)
            # The unit of a primary image is not that of its uncertainty in an extension.
            without = KEYWORDS[UNITS] if role != "image" else ()
            image = ImageFile(
                path, plane.number, plane.label, plane.shape, wcs, merged(plane.header, primary),
                None, "", (), None, "", None, role, 0.0, plane=plane.index, extension=plane.name,
                words=Words(plane.header, primary, without, plane.words),
                pixel_arcsec=_pixel_arcsec(wcs, plane.shape), role_told=role_told,
            )  # fmt: skip
            found.append(understood(image))
    return _with_one_error(found, finding)


def _why_not(name: str, role: str, told: bool) -> str:
    """Why an image that is none of the sky is not read, behind its label."""
    if told:
        return (
            "is not used, as told."
            if role == "ignore"
            else f"is for {role}, as told, and not used."
        )
    if name:
        return f"is a {name} image, which is not used."
    if role == "psf":
        return "is a picture of a PSF, which is not used."
    return "is not used: by its name it is no image of the sky."


def _check_places(path: Path, planes: Sequence[Plane], told: InputSettings) -> None:
    """Raise `RecipeError` where a person speaks of an extension or a plane that a file has not."""
    for key in (*told.roles, *told.leave_out):
        _, inside = split_name(key)
        if not inside or not names_file(key, path) or any(c in key for c in "*?"):
            continue
        if not any(keys_of((key,), plane.place(path)) for plane in planes):
            there = ", ".join(plane.label for plane in planes) or "none"
            raise RecipeError(
                f"{key!r}, which is to be left out or of which a role is told, is none of the "
                f"images of {path.name} ({there})."
            )


def _pixel_arcsec(wcs: WCS, shape: tuple[int, int]) -> float:
    return float(np.sqrt(np.nanmedian(pixel_area(wcs, shape)) / SR_PER_ARCSEC2))


def _role_of(
    plane: Plane, place: Place, primary: Header | None, told: Mapping[str, str]
) -> tuple[str, bool]:
    """What an image is for, and whether a person says so, else its header or its names."""
    keys = keys_of(told, place)
    if keys:
        return told[keys[0]], True
    called = {
        camera
        for word in Words(plane.header, primary).of(KEYWORDS[CAMERA])
        for camera in cameras_called(word.text)[0]
    }
    role = role_of_header(plane.header) or guess_role(plane.name, place.path.name, called)
    return role, False


def _coordinates(
    plane: Plane, primary: Header | None, first: Mapping[tuple[int, int], WCS], role: str
) -> tuple[WCS | None, str]:
    """The coordinates of an image, its own, the file's, or those of an image of the same shape
    before it; and what is wrong with them.
    """
    wcs, why = coordinates(plane.header, plane.shape)
    if wcs is None and primary is not None and not why:
        wcs, why = coordinates(primary, plane.shape)
    if wcs is None and (role != "image" or (plane.number and not why)):
        wcs = first.get(plane.shape)
    return wcs, why


def _with_one_error(images: list[ImageFile], finding: Finding) -> list[ImageFile]:
    """The images of one file without the error planes that tell again, or in part, what another
    one tells: an error may stand beside the parts of its variance and a weight. Weights stay, as
    exposures: where they are zero, nothing was seen.
    """
    if [image.role for image in images].count("image") != 1:
        return images
    errors = [image for image in images if image.role in OF_THE_SKY and image.role != "image"]
    told = [image for image in errors if image.role_told]
    for best in (told, *([e for e in errors if e.role == r] for r in ("uncertainty", "variance"))):
        if len(best) == 1:
            break
    else:
        return images
    kept = []
    for image in images:
        if image not in errors or image is best[0]:
            kept.append(image)
        elif image.role == "weight":
            kept.append(understood(replace(image, role="exposure")))
        else:
            why = f"is another error plane than {best[0].label}, which is used."
            finding.pass_over(image.place, (image.role, image.role_told), why)
    return kept


def images_of_file(path: Path, finding: Finding) -> list[ImageFile]:
    """As `_read_file`; whatever a damaged header leads to becomes a sentence."""
    try:
        return _read_file(path, finding)
    except (GalaxyMapsError, MemoryError):
        raise
    except Exception as error:  # what damaged headers lead to has no common base
        raise InputError(
            f"{path} has a header that cannot be understood ({brief(error)}); mend it, or fetch "
            "the file again."
        ) from error


def _telling_name(image: ImageFile) -> str:
    """The name that tells an image's band: that of its extension, where it tells one; of a plane
    among others the file's name tells nothing.
    """
    if image.extension and bands_in_name(f"{image.extension}.fits"):
        return f"{image.extension}.fits"
    return image.path.name if image.plane is None else ""


def understood(image: ImageFile) -> ImageFile:
    """The image with what its words, its name and a person say of it, agreed or asked."""
    told, path, pixel = image.told, image.path, image.pixel_arcsec
    if told.band is not None:
        guess = BandGuess(get_band(told.band), "told")
    else:
        guess = guess_band(image.words, _telling_name(image))
    asked = ImageWords(image.words, path.name, image.label, guess.band, pixel)
    if image.role in BESIDE:  # whose they are, a name may tell as well; nothing else is asked
        return replace(image, band=guess.band, band_reason=guess.reason)
    questions: list[Question] = []
    if guess.band is None:
        likely = f" ({' or '.join(guess.candidates)}?)" if guess.candidates else ""
        text = f"Which band is it{likely}? {sentence(guess.reason)}"
        questions.append(asked.asks(BAND, text, guess.candidates).question)
    unit = guess_unit(asked, told.unit, told.zero_point)
    stamp = told.psf if isinstance(told.psf, Stamp) else None
    fwhm = round(stamp.fwhm, 2) if stamp is not None else told.psf
    beam = guess_beam(asked, unit.unit, fwhm if isinstance(fwhm, float) else None, told.beam)
    return replace(
        image,
        band=guess.band,
        band_reason=guess.reason,
        band_candidates=guess.candidates,
        unit=unit.unit,
        unit_reason=unit.reason,
        unit_suggestion=unit.suggestion,
        fwhm=beam.fwhm,
        psf=stamp,
        zero_point=unit.zero_point,
        beam=beam.beam,
        old_pixel=unit.old_pixel,
        needs_exposure=unit.needs_exposure,
        questions=(*questions, *unit.questions, *beam.questions),
        notes=(*unit.notes, *beam.notes),
    )
