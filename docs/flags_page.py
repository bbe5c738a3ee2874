"""Makes docs/flags.md, the table of the bits of FLAGS: `python docs/flags_page.py`."""

from __future__ import annotations

from pathlib import Path

from napari_galaxy_maps.data.flags import DOUBTS, HARMLESS, MEANINGS
from napari_galaxy_maps.sed.fit import FitFlag

PAGE = Path(__file__).with_name("flags.md")
HEAD = """# Flags

Every pixel of maps, truths and cubes has a number in the image `FLAGS`: the sum of the bits that
hold for it. The column `flags` of [measured tables](measuring.md) has all bits that are set on any
pixel of an aperture or ring that has a value, and so have tables of pixels, a row each.

| bit | in words | where | what to do |
|---|---|---|---|
"""
TAIL = """
The header of `FLAGS` names them, a card `FLAGn` for bit `n`; in ECSV files the description of the
column does. The status bar and the Pixel panel of [the window](window.md) say them of the pixel
under the pointer, and maps are [hatched](window.md#doubtful-pixels) where {doubts} is set;
`galaxy-maps predict` and `truth` say on which share of the pixels each is,
`measure` and `profile` which there are. In Python, pixels unlike anything in training are those
with `flags & 4`.

**Not every bit makes a pixel worse.** {harmless} says how its value came about: such a pixel is as
good as its neighbours, and what leaves out flagged pixels (the range of colours of a map in the
window) keeps it. Means, sums, profiles and scores go by values and masks, and leave out
no pixel for its flags. In your own scripts, `(flags & ~{harmless}) == 0` does the same.

What stands in is [another camera's band](reading.md#another-camera-in-the-place-of-a-missing-band)
where a person lets it, and of `dust-forest` `Spitzer_3.6` where no `WISE_3.4` is given.

**Files of other versions.** A bit that is not set in an older file may not have been known then.
One that this version does not know is kept, with the meaning that its file gives, in all that is
made of it; people read *unknown flag 2048*. The image is of 16-bit integers, and of 32-bit ones
where a newer program's bits need them. Values that are no sums of bits are refused.

**Not to be confused:** `flags` of [a fit of spectra](sed.md) in Python (`FitFlag`) is a set of its
own ({fits}) and is in no file;
in a truth's maps its last bit becomes {no_model}. Flags of stars are words
([stars](stars.md#flags)), and bits of a survey's own masks are the survey's ([bands](bands.md)).

This page is made from the program (`python docs/flags_page.py`).
"""


def page() -> str:
    """The text of the page."""
    rows = [
        f"| {int(flag)} | {meaning.words} | {meaning.where} | {meaning.advice} |\n"
        for flag, meaning in MEANINGS.items()
    ]
    fits = ", ".join(f"{int(flag)} {flag.name.lower().replace('_', ' ')}" for flag in FitFlag)
    no_model = next(int(flag) for flag in MEANINGS if flag.name == FitFlag.NO_MODEL_FITS.name)
    *others, last = (str(int(flag)) for flag in sorted(DOUBTS))
    doubts = f"{', '.join(others)} or {last}"
    tail = TAIL.format(harmless=int(HARMLESS), fits=fits, no_model=no_model, doubts=doubts)
    return "".join([HEAD, *rows, tail])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
