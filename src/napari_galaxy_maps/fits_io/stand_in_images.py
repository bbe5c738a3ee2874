"""Images of other cameras in the place of the models' bands that no image shows, where a person
lets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..bands.stand_ins import STAND_INS, stand_ins_among
from ..data.recipe import InputSettings
from .image_file import ImageFile


def with_stand_ins(images: Sequence[ImageFile], settings: InputSettings) -> list[ImageFile]:
    """The images, those that stand in under the name of the band that they stand for, and their
    errors with them.

    Parameters
    ----------
    images : sequence of ImageFile
        Settled.
    settings : InputSettings
        Unless its ``stand_in`` is set, nothing changes.
    """
    if not settings.stand_in:
        return list(images)
    there = [image.band.name for image in images if image.role == "image" and image.band]
    chosen = {found.name for found in stand_ins_among(there)}
    return [
        replace(image, band=STAND_INS[image.band.name].band, stand_in=STAND_INS[image.band.name])
        if image.band is not None and image.band.name in chosen
        else image
        for image in images
    ]
