"""Errors in the window's words: what a person can put right, and in which panel."""

from __future__ import annotations

from collections.abc import Sequence

from ...exceptions import in_words

_TOLD = 3
"""Sentences that are told at one time."""
CONTROLS = {
    "galaxy.name": ("Galaxy", "Name"),
    "galaxy.ra": ("Galaxy", "RA"),
    "galaxy.dec": ("Galaxy", "Dec"),
    "galaxy.distance": ("Galaxy", "Distance"),
    "galaxy.redshift": ("Galaxy", "redshift"),
    "input.bands": ("Galaxy", "Band"),
    "input.leave_out": ("Galaxy", "the tick before a file"),
    "input.stand_in": ("Galaxy", "the tick below the files"),
    "reddening.ebv": ("Prepare", "E(B−V)"),
    "reddening.map": ("Prepare", "Map"),
    "psf.target": ("Prepare", "Common PSF"),
    "grid.pixel": ("Prepare", "Pixel"),
    "model.prior": ("Predict", ""),
    "model.members": ("Predict", ""),
    "sharpen.coarse": ("Sharpen", "Coarse map"),
    "sharpen.image": ("Sharpen", "Image of"),
    "sharpen.fwhm": ("Sharpen", "Its PSF"),
    "apertures": ("Measure", ""),
}
"""The panel and the control that take a setting that an error asks for."""


def panels_of(settings: Sequence[str]) -> str:
    """The panels and controls that take settings, as in ``"Galaxy panel: Distance, redshift"``;
    `exceptions.Places`.
    """
    controls: dict[str, list[str]] = {}
    for setting in settings:
        if setting in CONTROLS:
            panel, control = CONTROLS[setting]
            controls.setdefault(panel, []).extend(filter(None, [control]))
    parts = (
        f"{panel} panel: {', '.join(named)}" if named else f"{panel} panel"
        for panel, named in controls.items()
    )
    return "; ".join(parts)


def words_of(error: BaseException) -> str:
    """What a person can put right, in a sentence of the window; the error's own where the program
    is at fault.
    """
    return in_words(error, panels_of) or str(error)


def words_of_several(sentences: Sequence[str]) -> str:
    """Sentences about files that come at one time, the first of many."""
    more = len(sentences) - _TOLD
    rest = f"And {more} more; see the list in the Galaxy panel." if more > 0 else ""
    return " ".join(filter(None, (*sentences[:_TOLD], rest)))
