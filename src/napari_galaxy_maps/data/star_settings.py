"""The settings by which the Milky Way's stars are recognised, fitted and masked."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from . import ranges
from .section import Section
from .setting import RECIPE_ONLY, Range, Shown

_SNR = Range(0.1, 1000)


class StarSettings(Section):
    """How the Milky Way's stars are recognised, fitted and masked."""

    enabled: bool = Field(
        True, description="Mask stars: those of the catalogue, those found, or those given by hand"
    )
    catalogue: Annotated[
        str, Shown(hint="with Gaia's columns (FITS, VOTable, ECSV, CSV), or: gaia", is_file=True)
    ] = Field(
        "",
        title="Table",
        description="Table of stars with Gaia's columns (FITS, VOTable, ECSV or CSV), "
        "or 'gaia' to fetch them from its archive",
    )
    find: bool = Field(
        False,
        title="without one, look for them on the images",
        description="Without a catalogue, look for stars on the images",
    )
    parallax_snr: Annotated[float, _SNR, RECIPE_ONLY] = Field(
        3.0, description="Parallax over its error from which a star is the Milky Way's"
    )
    motion_snr: Annotated[float, _SNR, RECIPE_ONLY] = Field(
        5.0, description="... or proper motion over its error"
    )
    epoch: Annotated[float | None, Range(1850, 2100), RECIPE_ONLY] = Field(
        None, description="Year of the images; None: as their headers say"
    )
    seen: Annotated[float, _SNR, RECIPE_ONLY] = Field(
        3.0, description="Peak over its error from which a star is seen in a band"
    )
    tie: Annotated[float, Range(0, 1000), RECIPE_ONLY] = Field(
        1.0, description="Strength of the ties to the band before"
    )
    leak: Annotated[float, Range(1e-6, 0.99), RECIPE_ONLY] = Field(
        0.01,
        description="Fraction of a star's light that may remain outside its circle",
    )
    depth: Annotated[float, Range(0.01, 1000), RECIPE_ONLY] = Field(
        1.0, description="A circle reaches to where the wings are this many times the noise"
    )
    contrast: Annotated[float, Range(0, 1), RECIPE_ONLY] = Field(
        0.1,
        description="... and no further than to where they are this share of the galaxy's own "
        "light there, or on the galaxy depth times the noise; 0: however bright the galaxy is",
    )
    subtract: Annotated[bool, RECIPE_ONLY] = Field(
        True,
        description="Subtract stars where their light is known to within depth times the noise or "
        "contrast times the galaxy's light, and mask the rest of them; off: mask all",
    )
    largest: Annotated[float, Range(0.1, 3600, ranges.ARCSEC), RECIPE_ONLY] = Field(
        90.0, description="Largest radius of a circle"
    )
    runaway: Annotated[float, Range(1.01, 100), RECIPE_ONLY] = Field(
        2.5, description="A fit ran away where it is this many PSFs wide"
    )
    nucleus: Annotated[float, Range(0, 3600, ranges.ARCSEC), RECIPE_ONLY] = Field(
        3.0, description="Radius about the galaxy's centre, never masked"
    )
    threshold: Annotated[float, Range(1, 1000, ranges.SIGMA), RECIPE_ONLY] = Field(
        8.0, description="Without a catalogue, least height of a star"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_program(cls, tree: Any) -> Any:
        """What a result names is every setting; one without a newer one was made before there was
        that, and holds its circles and its light as they were.
        """
        if isinstance(tree, dict) and tree.keys() >= _ALWAYS_NAMED:
            return {**_BEFORE, **tree}
        return tree


_BEFORE = {"contrast": 0.0, "subtract": False}
"""Newer settings, and what the program did before it had them."""
_ALWAYS_NAMED = frozenset(
    name
    for name, field in StarSettings.model_fields.items()
    if field.default is not None and name not in _BEFORE
)
