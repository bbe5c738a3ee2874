"""The step ``psf``: images are cut out about the galaxy, stars are subtracted or masked, and all
brought to one PSF.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...progress import Progress
from .preparation import band_progress

if TYPE_CHECKING:
    from ...data.galaxy import BandImage, Ellipse
    from ...progress import Steps
    from .preparation import Preparation


def psf_step(work: Preparation) -> Steps[None]:
    """Choose the common PSF and the grid, and bring every band to that PSF, with and without masks.

    Switched off, images are cut out and masked, and keep their own PSF.
    """
    from ..errors.correlation import shared_area
    from ..grid.common_grid import galaxy_grid
    from ..grid.grid_memory import check_grid_memory
    from ..psf.matching import band_kernel, common_psf, keep_broad, ready_kernels, too_broad

    settings, memory = work.recipe.psf, work.memory
    common = work.common = common_psf(work.images, settings)
    ready = ready_kernels(work.images, settings)
    broader = too_broad(work.images, common, ready) if settings.enabled else []
    grid = work.grid = galaxy_grid(work.galaxy, work.ellipse, common.fwhm, work.recipe.grid)
    check_grid_memory(grid.shape[0], len(work.images), grid.pixel_arcsec)
    if settings.broader == "leave out":
        yield from _leave_out(work, broader)
    total, largest_pixel = len(work.images), min(common.fwhm / 6, grid.pixel_arcsec)
    for done, (name, image) in enumerate(work.images.items(), 1):
        cut = _cut_out(work, name, image)
        kernel = None
        if settings.enabled and name not in broader:
            kernel = memory.do("kernel", band_kernel, cut, common, ready.get(name))
        work.noise_area[name] = memory.do("shared", shared_area, cut, kernel, grid.pixel_arcsec)
        if name in broader:
            cut = memory.do("broad", keep_broad, cut, common)
        mask = work.masks.on(cut, memory.discs)
        nucleus = memory.do("nucleus", _nucleus, cut, work.ellipse)
        if mask is not None and nucleus is not None and mask[nucleus]:
            words = f"the mask in {name} covers the galaxy's nucleus; look whether it should"
            yield Progress("stars", done, total, words, lasting=True)
        work.unmasked[name], work.images[name] = memory.match(
            cut,
            mask,
            kernel,
            common.fwhm,
            settings.min_weight,
            largest_pixel,
            work.masks.lights_in(name),
            _in_the_large(work, cut) if mask is not None and kernel is not None else None,
        )
        if settings.enabled:
            yield band_progress("psf", done, total, work.images[name])


def _leave_out(work: Preparation, broader: Sequence[str]) -> Steps[None]:
    """Leave out the bands whose PSF is wider than the common one."""
    total, fwhm = len(work.images), work.common.fwhm
    for name in broader:
        image = work.images.pop(name)
        words = f"{name} left out: its PSF of {image.fwhm:g} arcsec is wider than {fwhm:g}"
        yield Progress("psf", 0, total, words, lasting=True)


def _cut_out(work: Preparation, name: str, image: BandImage) -> BandImage:
    """The part of a band's image about the galaxy, with its Poisson noise where a gain is known."""
    from ..errors.poisson import with_poisson
    from ..grid.common_grid import cutout

    # Room for the sky outside the galaxy, and for the kernel's wings beyond the grid.
    wings = 8 * max(work.common.fwhm, work.grid.pixel_arcsec)
    reach = max(1.5, 1.42 * work.recipe.grid.extent) * work.ellipse.a + wings
    cut = work.memory.do("cut", cutout, image, work.ellipse, reach)
    if work.recipe.errors.poisson:
        cut = work.memory.do("poisson", with_poisson, cut, work.gains.get(name))
    return cut


def _in_the_large(work: Preparation, image: BandImage) -> np.ndarray | None:
    """The galaxy's profile on a band's own pixels, by which what is masked counts; None where masks
    are not to be filled.
    """
    from ..masked_light import profile_plane

    if not work.recipe.fill.enabled:
        return None
    plane: np.ndarray | None = work.memory.do("profile", profile_plane, image, work.ellipse)
    return plane


def _nucleus(image: BandImage, ellipse: Ellipse) -> tuple[int, int] | None:
    """Row and column of the pixel in which the galaxy's centre lies; None off the image."""
    from ..grid.pixel_positions import to_pixels

    x, y = to_pixels(
        image.wcs, image.shape, np.array([ellipse.ra]), np.array([ellipse.dec]), margin=0.0
    )
    return (round(float(y[0])), round(float(x[0]))) if np.isfinite(x[0]) else None
