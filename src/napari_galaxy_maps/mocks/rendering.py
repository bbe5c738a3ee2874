"""Starlight, dust and gas of a mock galaxy in each pixel, before any PSF."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..progress import Progress, Steps, run_to_end
from .layers import ADDITIVE, Disc, Spheroid, build, sersic
from .population import MockGalaxy
from .rays import march
from .structure import patterns
from .view import View

_CENTRE, _FINER = 4, 4
"""The pixels within this many of the centre are sampled that many times finer."""

_BLOCK = 65536
"""Lines of sight at a time, so that what is computed on the way stays small."""


def render(
    galaxy: MockGalaxy, view: View, redshift: float, x0: float = 0.0, y0: float = 0.0
) -> np.ndarray:
    """`render_steps` at once."""
    return run_to_end(render_steps(galaxy, view, redshift, x0, y0))


def render_steps(
    galaxy: MockGalaxy, view: View, redshift: float, x0: float = 0.0, y0: float = 0.0,
    dimmed: bool = True,
) -> Steps[np.ndarray]:  # fmt: skip
    """What lies in each pixel before any PSF.

    Parameters
    ----------
    x0, y0 : float
        Place of the galaxy's centre in kpc to the right and up from the image's.
    dimmed : bool
        Whether dust takes its part of the starlight; without that, the bands hold what would be
        seen of the same stars and gas.

    Returns
    -------
    ndarray of float32, shape (n_bands + n_additive, ny, nx)
        Lsun/Hz of starlight by band, and `layers.ADDITIVE`, per kpc2 of sky.
    """
    n, n_bands = view.size, len(view.bands)
    kpc = view.kpc_per_arcsec * view.pixel_arcsec
    disc, spheroid = build(galaxy if dimmed else _clear(galaxy), view.bands, redshift)
    if not dimmed:
        disc = replace(disc, extinction=np.zeros_like(disc.extinction))
    side = (np.arange(n) - (n - 1) / 2) * kpc
    dx, dy = (plane.ravel() for plane in np.meshgrid(side - x0, side - y0))
    # The centre again, finer.
    middle = [round(float(np.clip((n - 1) / 2 + c / kpc, 0, n - 1))) for c in (x0, y0)]
    window = [np.arange(max(0, m - _CENTRE), min(n, m + _CENTRE + 1)) for m in middle]
    sub = (np.arange(_FINER) + 0.5) / _FINER - 0.5
    fine_x, fine_y = (
        ((w[:, None] + sub - (n - 1) / 2) * kpc - c).ravel()
        for w, c in zip(window, (x0, y0), strict=True)
    )
    more_x, more_y = (plane.ravel() for plane in np.meshgrid(fine_x, fine_y))
    dx, dy = np.concatenate([dx, more_x]), np.concatenate([dy, more_y])
    values = yield from _rays_steps(galaxy, disc, spheroid, dx, dy, view, kpc)
    image = values[: n * n].reshape(n, n, -1)
    shape = (len(window[1]), _FINER, len(window[0]), _FINER, values.shape[1])
    image[window[1][0] : window[1][-1] + 1, window[0][0] : window[0][-1] + 1] = (
        values[n * n :].reshape(shape).mean(axis=(1, 3))
    )
    return np.ascontiguousarray(np.moveaxis(image[..., : n_bands + len(ADDITIVE)], -1, 0))


def _clear(galaxy: MockGalaxy) -> MockGalaxy:
    """A galaxy whose young stars have left their clouds."""
    return replace(galaxy, cloud_tau=0.0)


def _rays_steps(
    galaxy: MockGalaxy,
    disc: Disc,
    spheroid: Spheroid,
    dx: np.ndarray,
    dy: np.ndarray,
    view: View,
    kpc: float,
) -> Steps[np.ndarray]:
    """Disc and spheroid along lines of sight at offsets from the centre in kpc, shape (n_rays,
    n_columns).
    """
    n_bands = len(view.bands)
    angle = np.radians(galaxy.position_angle)
    x, y = -dx * np.sin(angle) + dy * np.cos(angle), dx * np.cos(angle) + dy * np.sin(angle)
    half = float(
        min(
            disc.r_max,
            1.45 * view.size / 2 * kpc / max(np.cos(np.radians(galaxy.inclination)), 0.25),
        )
    )
    plane = patterns(galaxy, half, int(np.clip(view.size, 64, 2048)), 10**galaxy.log_sfr * 1e7)
    values = np.empty((len(x), disc.table.shape[2]), np.float32)
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        values[part] = march(disc, plane, half, x[part], y[part], galaxy.inclination, n_bands)
        if galaxy.bulge > 0:
            tau = values[part, -1]
            values[part, :-1] += _spheroid(
                galaxy, disc.extinction, spheroid, tau, x[part], y[part], n_bands
            )
        done = min(start + _BLOCK, len(x))
        yield Progress("mock", done, len(x), f"{done / len(x):.0%} of the lines of sight")
    return values


def _spheroid(
    galaxy: MockGalaxy, extinction: np.ndarray, spheroid: Spheroid, tau: np.ndarray, x: np.ndarray,
    y: np.ndarray, n_bands: int
) -> np.ndarray:  # fmt: skip
    """The spheroid's columns; the part of it that lies behind the disc is dimmed by the disc's
    dust.
    """
    sin, cos = np.sin(np.radians(galaxy.inclination)), np.cos(np.radians(galaxy.inclination))
    axis = np.sqrt(
        galaxy.bulge_axis**2 * sin**2 + cos**2
    )  # of an oblate spheroid, seen at an angle
    radius = np.maximum(np.sqrt(x**2 * axis + y**2 / axis), 0.01 * galaxy.bulge_r_e)
    at = np.sqrt(np.minimum(radius / spheroid.radius[-1], 1)) * (len(spheroid.radius) - 1)
    low = np.minimum(at.astype(np.int32), len(spheroid.radius) - 2)
    part = (at - low)[:, None].astype(np.float32)
    table = spheroid.table.astype(np.float32)
    found = table[low] * (1 - part) + table[low + 1] * part
    found *= sersic(radius, galaxy.bulge_r_e, galaxy.bulge_n)[:, None].astype(np.float32)
    # The midplane lies this far behind the plane of the sky through the centre; for a density
    # falling with the cube of the radius this is the share of light before it.
    plane = -y * sin / max(cos, 1e-3)
    front = 0.5 * (1 + plane / np.sqrt(plane**2 + radius**2))
    through = front[:, None] + (1 - front[:, None]) * np.exp(-tau[:, None] * extinction)
    found[:, :n_bands] *= through.astype(np.float32)
    return found
