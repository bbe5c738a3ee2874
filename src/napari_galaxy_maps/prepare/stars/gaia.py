"""The stars around a galaxy from Gaia's archive, where there is a network and the package
astroquery.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.galaxy import Ellipse
from ...exceptions import InputError
from .catalogue import star_catalogue

if TYPE_CHECKING:
    from astropy.table import QTable

COLUMNS = (
    "source_id", "ra", "dec", "ref_epoch", "parallax", "parallax_error", "pmra", "pmra_error",
    "pmdec", "pmdec_error",
    "phot_g_mean_mag",
)  # fmt: skip
_FAINTEST = 21.0
_MARGIN_ARCSEC = 120.0


def is_archive(catalogue: str) -> bool:
    """Whether `stars.catalogue` names the archive and not a file."""
    return catalogue.strip().lower() == "gaia"


def gaia_query(ra: float, dec: float, radius_arcsec: float) -> str:
    """The question (ADQL) for all that Gaia DR3 tells of the stars in a circle; degrees, ICRS."""
    return (
        f"SELECT {', '.join(COLUMNS)} FROM gaiadr3.gaia_source "
        f"WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra:.6f}, {dec:.6f}, "
        f"{radius_arcsec / 3600:.6f})) "
        f"AND phot_g_mean_mag < {_FAINTEST:g} ORDER BY phot_g_mean_mag"
    )


def fetch_gaia(ellipse: Ellipse, extent: float = 1.25) -> QTable:
    """The stars of Gaia DR3 around a galaxy.

    Parameters
    ----------
    ellipse : Ellipse
        The galaxy.
    extent : float
        Half-size of the grid in semi-major axes; stars are fetched out to its corners and somewhat
        beyond.

    Returns
    -------
    QTable
        As `catalogue.read_catalogue`. The same question is asked once.

    Raises
    ------
    InputError
        When astroquery is not installed, the archive cannot be reached, or it has no star there.
    """
    radius = 1.42 * max(1.5, extent) * ellipse.a + _MARGIN_ARCSEC
    return _answer(gaia_query(ellipse.ra, ellipse.dec, radius))


@lru_cache(maxsize=8)
def _answer(query: str) -> QTable:
    try:
        from astroquery.gaia import Gaia
    except ImportError:
        raise InputError(
            "To fetch stars from Gaia's archive the package astroquery is needed: pip install "
            "'napari-galaxy-maps[gaia]'; "
            "or give a table of stars."
        ) from None
    try:
        # Asynchronous jobs have no limit of 2000 rows.
        table = Gaia.launch_job_async(query).get_results()
    except (
        Exception
    ) as error:  # requests, urllib and astroquery have errors of their own for a network that fails
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(
            f"Gaia's archive gave no answer ({why}); look whether there is a network, or give a "
            "table of stars."
        ) from None
    return star_catalogue(table, Path("Gaia DR3"))
