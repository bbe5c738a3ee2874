"""The coordinates of an image as its header tells them, or what is wrong with them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import brief
from .open_fits import COORDINATES, celestial_wcs
from .quiet import quiet

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS


def coordinates(header: Header, shape: tuple[int, int]) -> tuple[WCS | None, str]:
    """The coordinates that a header tells, and what is wrong with them where it tells some that
    cannot be used.
    """
    bad = bad_card(header)
    if bad is not None:
        kind = "text" if bad.startswith("CTYPE") else "a number"
        return None, f"has a header whose {bad} is not {kind}: it lies nowhere; correct it"
    try:
        wcs = celestial_wcs(header)
    except Exception as error:  # wcslib's and astropy's errors have no common base
        return None, f"has sky coordinates (WCS) that cannot be understood ({_in_words(error)})"
    if wcs is not None and not _lies_somewhere(wcs, shape):
        return None, (
            "has sky coordinates (WCS) that give no position; correct them (RADESYS, LONPOLE, ...)"
        )
    return wcs, ""


def image_wcs(header: Header, shape: tuple[int, int]) -> WCS | None:
    """Two-dimensional celestial WCS that gives positions, or None."""
    return coordinates(header, shape)[0]


def header_of(wcs: WCS) -> Header:
    """The cards of coordinates, with all digits of their numbers: read again, they are the same to
    the last bit (astropy writes 14 digits by default).
    """
    from astropy.io.fits import Card, Header
    from astropy.wcs import WCSHDO_P17, WCSHDO_all
    from astropy.wcs.wcs import WCSHDO_SIP

    cards = list(wcs.to_header(relax=WCSHDO_all | WCSHDO_P17 | WCSHDO_SIP).cards)
    for number, card in enumerate(cards):
        # Terms of a distortion are cut to 20 characters.
        if isinstance(card.value, float) and Card.fromstring(str(card)).value != card.value:
            cards[number] = Card.fromstring(f"{card.keyword:8}= {float(card.value)!r:>22}".upper())
    return Header(cards)


def _lies_somewhere(wcs: WCS, shape: tuple[int, int]) -> bool:
    """Whether the middle of an image, or of one of its quarters, has a position on the sky."""
    from astropy.coordinates import SkyCoord

    x, y = np.array([[2, 1, 3, 1, 3], [2, 1, 1, 3, 3]]) / 4
    try:
        with quiet():
            sky = wcs.pixel_to_world(x * shape[1] - 0.5, y * shape[0] - 0.5)
            return isinstance(sky, SkyCoord) and bool(np.isfinite(sky.icrs.ra.deg).any())
    except Exception:  # as in `coordinates`
        return False


def _in_words(error: Exception) -> str:
    """Why coordinates cannot be understood."""
    lines = str(error).splitlines()  # of wcslib's, the first are places in its source
    words = [line for line in lines if not line.startswith("ERROR")]
    return words[0][:120] if words else brief(error)


def bad_card(header: Header) -> str | None:
    """The first keyword of the coordinates whose value is not of its kind (a number, or text for
    CTYPE), or None. It would be passed over as if it were not there, and the image be elsewhere.
    """
    from astropy.io.fits import VerifyError

    for card in header.cards:
        if not COORDINATES.fullmatch(card.keyword):
            continue
        try:
            value = card.value
        except (VerifyError, ValueError):
            return str(card.keyword)
        kind = str if card.keyword.startswith("CTYPE") else (int, float)
        if not isinstance(value, kind) or (kind is not str and not np.isfinite(value)):
            return str(card.keyword)
    return None


def left_over_sip(wcs: WCS, shape: tuple[int, int]) -> tuple[str, ...]:
    """A sentence where an image has SIP distortion terms that its CTYPE does not name.

    astropy uses them all the same; by the convention (Shupe+ 2005), and in programs that hold to
    it, an image without ``-SIP`` in CTYPE is straight.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Two-dimensional celestial coordinates.
    shape : (ny, nx)
        Of the image, for how far the terms move its corners.
    """
    if wcs.sip is None or all(kind.endswith("-SIP") for kind in wcs.wcs.ctype):
        return ()
    from astropy.coordinates import angular_separation

    x, y = (
        np.array([0, shape[1] - 1, 0, shape[1] - 1]),
        np.array([0, 0, shape[0] - 1, shape[0] - 1]),
    )
    bent, straight = (np.radians(turn(x, y, 0)) for turn in (wcs.all_pix2world, wcs.wcs_pix2world))
    lon, lat = wcs.wcs.lng, wcs.wcs.lat
    moved = np.degrees(angular_separation(bent[lon], bent[lat], straight[lon], straight[lat])).max()
    return (
        "The header has SIP distortion terms but its CTYPE does not name them: they are used, and "
        f"move corners by up to {moved * 3600:.2g} arcsec; if the image is straight already, "
        "remove them (A_ORDER, B_ORDER, A_i_j, B_i_j)",
    )
