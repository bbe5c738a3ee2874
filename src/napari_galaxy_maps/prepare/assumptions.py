"""What a prediction takes for granted of a galaxy, as far as that is known before it, and what
mends each of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..exceptions import InputError
from ..models import suitability
from .odd_brightness import odd_brightness
from .reddening import NOT_KNOWN, told_by_header

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from ..data.cube import BandCube
    from ..data.galaxy import BandImage, Galaxy
    from ..data.question import Question
    from ..data.recipe import Recipe
    from .look_ahead import Look, Seen
    from .masks.mask_set import Masks

STARS, EBV, ELLIPSE = "stars", "ebv", "ellipse"
REDSHIFT, DISTANCE = "redshift", "distance"
LEAVE_OUT, OLD_PIXEL, FILES, MODEL, CARD = "leave out", "old pixel", "files", "model", "card"
MADE_UP = "mock"
"""In what a result says of itself: the galaxy is none of the sky."""
_NAMED = 3
"""Files of which something is asked, by name."""
WEAKEST = 0.05
"""Share of a galaxy that is seen in a band at the least, for the band to count as one."""


@dataclass(frozen=True)
class Assumption:
    """Something that is taken for granted.

    Attributes
    ----------
    text : str
        What, and what that costs, in a sentence.
    mend : str
        What mends it: `STARS`, to look for stars; `EBV`, `REDSHIFT`, `DISTANCE`, to give a number;
        `ELLIPSE`, to draw it; `LEAVE_OUT`, bands that are `of`; `OLD_PIXEL`, to say that values are
        per pixel of the survey's own images; `FILES`, to look at bands and units; `MODEL`, to
        choose the one that is `of`; `CARD`, to read the model's; empty for nothing.
    of : tuple of str
        The bands, or the model, that it is about.
    grave : bool
        Whether maps are likely wrong with it.
    impossible : bool
        Whether there cannot be any.
    more : str
        The same at length, where there is more to say.
    """

    text: str
    mend: str = ""
    of: tuple[str, ...] = ()
    grave: bool = False
    impossible: bool = False
    more: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a galaxy before a prediction.

    Attributes
    ----------
    galaxy : Galaxy
    recipe : Recipe
    masks : Masks or None
        As they are given to the preparation; None where the recipe alone says what is masked.
    look : Look or None
        What a look at the images came to, where somebody has looked.
    remarks : sequence of str
        What the model remarks on the galaxy's prepared bands, where there are such.
    pixel_arcsec : float or None
        Side of their pixels.
    cube : BandCube or None
        The prepared bands, where they are all that is given: then nothing is said of how they were
        prepared.
    """

    galaxy: Galaxy
    recipe: Recipe
    masks: Masks | None = None
    look: Look | None = None
    remarks: Sequence[str] = ()
    pixel_arcsec: float | None = None
    cube: BandCube | None = None

    @cached_property
    def used(self) -> list[str]:
        """The bands that the model uses."""
        return suitability.used(self.recipe.model.name, list(self.galaxy.images))

    @cached_property
    def seen(self) -> Mapping[str, Seen]:
        """How the galaxy looks in each of them, where somebody has looked."""
        found = self.look.bands if self.look is not None else {}
        return {name: found[name] for name in self.used if name in found}


def assumptions(known: Known) -> list[Assumption]:
    """What is taken for granted, the gravest first; nothing of what is as it should be.

    A model that cannot work on the galaxy's bands is all that is said of them.
    """
    impossible = _impossible(known)
    if impossible:
        return impossible
    finds = _ALL if known.cube is None else _OF_A_CUBE
    return [one for find in finds for one in find(known)]


def unanswered(asked: Sequence[Question]) -> list[Assumption]:
    """That images are not used before a person has answered what is asked of them; empty where
    nothing is.
    """
    if not asked:
        return []
    files = [*dict.fromkeys(question.file for question in asked)]
    about = " and ".join(dict.fromkeys(question.about for question in asked))
    more = f" and {len(files) - _NAMED} more" if files[_NAMED:] else ""
    named = f"{', '.join(files[:_NAMED])}{more}"
    are = "is" if len(files) == 1 else "are"
    return [
        Assumption(
            f"{named} {are} not used before you say the {about}, which the Galaxy panel asks.",
            FILES,
            grave=True,
        )
    ]


def _impossible(known: Known) -> list[Assumption]:
    model, bands = known.recipe.model.name, list(known.galaxy.images)
    why = suitability.why_not(model, bands)
    if not why:
        return []
    others = [name for name in suitability.able(bands) if name != model]
    if not others:
        truth = "; but a truth can be fitted to them" if _can_be_fitted(bands) else ""
        words = f"{model} cannot work on these bands, nor can any other model{truth}."
        return [Assumption(words, FILES, (), True, True, f"{words} {why}")]
    words = f"{model} cannot work on these bands; {others[0]} can."
    return [Assumption(words, MODEL, (others[0],), True, True, f"{words} {why}")]


def _can_be_fitted(bands: Sequence[str]) -> bool:
    """Whether there is enough of the far infrared for a truth."""
    from ..sed.truth import check_far_infrared

    try:
        check_far_infrared(bands)
    except InputError:
        return False
    return True


def _odd(known: Known) -> list[Assumption]:
    seen = {name: one.brightness for name, one in known.seen.items()}
    images = known.galaxy.images
    return [
        Assumption(odd.text, OLD_PIXEL if odd.old_pixel else FILES, odd.bands, True)
        for odd in odd_brightness(seen, images)
    ]


def _remarked(known: Known) -> list[Assumption]:
    said = _redshift(known)
    texts = [one.text for one in said]
    return [
        Assumption(f"{first.rstrip('.')}.", FILES, grave=True, more=text if rest else "")
        for text in known.remarks
        if text not in texts
        for first, _, rest in [text.partition(". ")]
    ]


def _redshift(known: Known) -> list[Assumption]:
    galaxy, model = known.galaxy, known.recipe.model.name
    words = suitability.without_distance(model, galaxy, known.pixel_arcsec)
    if not words:
        return []
    return [Assumption(words, REDSHIFT if galaxy.redshift is None else DISTANCE)]


def _stars(known: Known) -> list[Assumption]:
    settings, masks = known.recipe.stars, known.masks
    wanted = settings.enabled and bool(settings.catalogue or settings.find)
    drawn = masks is not None and bool(masks.stars or masks.patches or masks.polygons)
    if wanted or drawn:
        return []
    off = "" if settings.enabled else " (the step is off)"
    words = f"No star is masked{off}: stars in front count as light of the galaxy."
    return [Assumption(words, STARS)]


def _reddening(known: Known) -> list[Assumption]:
    settings = known.recipe.reddening
    if not settings.enabled:
        return [Assumption("Reddening is switched off: the images count as free of it.", EBV)]
    if settings.ebv is not None or settings.map:
        return []
    if told_by_header(known.galaxy.images) is not None:
        return []
    return [Assumption(f"{NOT_KNOWN}.", EBV)]


def _ellipse(known: Known) -> list[Assumption]:
    if known.galaxy.ellipse is not None:
        return []
    if known.look is None or known.look.ellipse is None:
        return [Assumption("No D25 is given: the ellipse is measured on the images.", ELLIPSE)]
    found = known.look.ellipse
    size, ratio = found.a / 30, found.b / found.a
    return [
        Assumption(
            f"No D25 is given: the ellipse was measured, {size:.2g}′ long, b/a {ratio:.2f}, "
            f"PA {found.pa:.0f}°.",
            ELLIPSE,
        )
    ]


def _weak(known: Known) -> list[Assumption]:
    """Bands in which the galaxy is hardly seen."""
    weak = [name for name, one in known.seen.items() if one.share < WEAKEST]
    if not weak:
        return []
    of = ", ".join(weak)
    if len(weak) == len(known.seen):
        words = f"The galaxy stands out of the noise in no band ({of})."
        return [Assumption(words, FILES, grave=True)]
    rest = [name for name in known.galaxy.images if name not in weak]
    free = not suitability.why_not(known.recipe.model.name, rest)
    return [
        Assumption(
            f"{of}: under {WEAKEST:.0%} of the galaxy is brighter than 3 sigma.",
            LEAVE_OUT if free else FILES,
            tuple(weak),
        )
    ]


def _real(known: Known) -> list[Assumption]:
    words = suitability.on_real_images(known.recipe.model.name)
    made = (
        made_up(known.galaxy.images)
        if known.cube is None
        else known.cube.provenance.get(MADE_UP) is not None
    )
    return [] if made or not words else [Assumption(words, CARD)]


def made_up(images: Mapping[str, BandImage]) -> bool:
    """Whether all of some images are of a mock galaxy of this program."""
    return bool(images) and all(_is_mock(image.header) for image in images.values())


def _is_mock(header: Header | None) -> bool:
    """Whether a header says that its image is of a mock galaxy of this program."""
    if header is None:
        return False
    told = (str(header.comments[key]) for key in ("OBJECT", "SEED") if key in header)
    return any("mock galaxy" in words for words in told)


_ALL: tuple[Callable[[Known], list[Assumption]], ...] = (
    _odd, _remarked, _redshift, _stars, _reddening, _ellipse, _weak, _real,
)  # fmt: skip
_OF_A_CUBE = (_odd, _remarked, _redshift, _weak, _real)
