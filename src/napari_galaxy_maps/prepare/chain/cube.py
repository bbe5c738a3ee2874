"""The cube of the bands that the preparation has brought to one PSF and one grid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...bands.registry import get_band
from ...bands.stand_ins import stands_in
from ...constants import PC_PER_MPC_ARCSEC
from ...data.cube import BandCube
from ...data.flags import Flag

if TYPE_CHECKING:
    from .preparation import Preparation


def stacked(work: Preparation) -> BandCube:
    """All bands by wavelength, with the flags of their pixels."""
    galaxy, grid, images = work.galaxy, work.grid, work.images
    bands = tuple(sorted(images, key=lambda name: get_band(name).pivot))
    data = np.stack([images[name].data for name in bands])
    uncertainty = np.stack([np.asarray(images[name].uncertainty) for name in bands])
    outside = work.memory.radius(work.ellipse, grid) > 1
    own = work.masks.of_each(work.memory.blank(bands, grid), work.memory.grid_discs)
    hidden = np.asarray(own.any(axis=0))
    work.under_masks = own
    # The images share the cube's memory, and keep their notes and their origin.
    shared = {
        name: replace(images[name], data=data[i], uncertainty=uncertainty[i])
        for i, name in enumerate(bands)
    }
    pixel_pc = None
    if galaxy.distance_mpc is not None:
        pixel_pc = grid.pixel_arcsec * galaxy.distance_mpc * PC_PER_MPC_ARCSEC
    told = work.recipe.galaxy
    return BandCube(
        data,
        uncertainty,
        bands,
        grid.wcs,
        work.common.fwhm,
        grid.pixel_arcsec,
        pixel_pc,
        mask=hidden | outside if work.recipe.grid.cut else hidden,
        flags=_flags(work, bands, data, outside, hidden),
        name=galaxy.name,
        images=shared,
        masks=work.masks,
        own_masks=own | outside if work.recipe.grid.cut else own,
        correlation=np.array([work.noise_area[name] for name in bands]),
        systematic=np.array([images[name].meta["systematic"] for name in bands]),
        hubble_stage=galaxy.hubble_stage if told.hubble_stage is None else told.hubble_stage,
        redshift=galaxy.redshift if told.redshift is None else told.redshift,
    )


def _flags(
    work: Preparation,
    bands: tuple[str, ...],
    data: np.ndarray,
    outside: np.ndarray,
    hidden: np.ndarray,
) -> np.ndarray:
    """What is to be known of every pixel of the grid."""
    flags = np.zeros(work.grid.shape, np.int16)
    flags[outside] |= Flag.OUTSIDE
    reach = work.common.fwhm / work.grid.pixel_arcsec
    for name, plane in zip(bands, data, strict=True):
        flags[work.memory.near_blank(name, plane, reach)] |= Flag.EDGE
        if stands_in(work.images[name].band):
            flags[np.isfinite(plane)] |= Flag.STAND_IN
    flags[hidden] |= Flag.MASKED
    subtracted = work.masks.subtracted_on(work.memory.blank(bands, work.grid)[0], work.memory.seen)
    flags[subtracted] |= Flag.SUBTRACTED
    return flags
