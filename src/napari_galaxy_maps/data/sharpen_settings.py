"""The settings by which predicted maps are made to agree with a coarse one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import ranges
from .section import Section
from .setting import Range, Shown


class SharpenSettings(Section):
    """Predicted maps of dust made to agree with a coarse map that is trusted more."""

    coarse: Annotated[str, Shown(hint="maps of a truth, or an image", is_file=True)] = Field(
        "",
        title="Coarse map",
        description="FITS file of coarse maps of dust, or of a far-infrared image",
    )
    image: str = Field(
        "",
        title="Image of",
        description="Band of the image, such as SPIRE_250; empty: the file has maps of dust",
    )
    fwhm: Annotated[float | None, ranges.FWHM, Shown(hint="what the file says")] = Field(
        None, title="Its PSF", description="FWHM of the coarse map, in place of what its file says"
    )
    signal_to_noise: Annotated[float, Range(1, 100), Shown(increment=0.5)] = Field(
        3.0,
        title="Trusted above",
        description="Signal-to-noise of the coarse map above which it is trusted",
    )
    beyond: Literal["prediction", "galaxy"] = Field(
        "prediction",
        title="Beyond",
        description="What fades in where the coarse map is not trusted: the prediction, or the "
        "prediction with the correction that, by its errors, the whole galaxy shares",
    )
