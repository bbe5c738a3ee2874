"""What a disc looks like from above: arms, bar, clumps and disorder, as factors on each layer with
mean 1 around every circle.
"""

from __future__ import annotations

import numpy as np

from .layers import LAYERS
from .population import MockGalaxy


def patterns(
    galaxy: MockGalaxy, half_kpc: float, size: int, star_forming_mass: float
) -> np.ndarray:
    """Factors by layer.

    Parameters
    ----------
    galaxy : MockGalaxy
    half_kpc : float
        Half the side of the square, kpc.
    size : int
        Pixels along it.
    star_forming_mass : float
        Msun formed in the last 10 Myr within it, by which the number of clumps goes.

    Returns
    -------
    ndarray of float32, shape (size, size, n_layers)
        In the order of `layers.LAYERS`; x along the major axis is the last but one.
    """
    rng = np.random.default_rng([galaxy.seed, 0xA53])
    side = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(side * half_kpc, side * half_kpc)
    scale = galaxy.scale_length
    radius, angle = np.hypot(x, y) / scale, np.arctan2(y, x)
    cell = 2 * half_kpc / size / scale
    ring = np.minimum((radius / (1.5 * cell)).astype(np.int32), size)

    phase = _spiral_phase(galaxy, radius, angle, rng)
    outside = 1 - np.exp(-((radius / 0.6) ** 2))  # arms begin outside the middle
    if galaxy.bar > 0:
        outside *= 1 - 0.8 * np.exp(-((radius / galaxy.bar_length) ** 4))
    if galaxy.kind == "interacting":
        outside *= 0.6 + 0.5 * np.minimum(radius, 4)  # tidal arms grow outwards
    outside *= (
        np.exp(-(np.maximum(radius - 3.0, 0) ** 2) / 4) if galaxy.kind != "interacting" else 1.0
    )
    sheared = _sheared_noise(galaxy, radius, angle, rng)
    fine = noise(rng, size, 1.1)
    coarse = noise(rng, size, 2.2)
    # No arm is as strong all along: it breaks, forks and fades.
    strength = (
        galaxy.arm_strength
        * outside
        * np.clip(0.85 + 0.45 * _sheared_noise(galaxy, radius, angle, rng, 1.8), 0.1, 1.8)
    )
    irregular = galaxy.kind == "irregular"
    texture = galaxy.flocculence * (
        0.75 * sheared + 0.45 * fine + (0.6 * coarse if irregular else 0)
    )

    def arm(sharpness: float, shift: float = 0.0) -> np.ndarray:
        """Crests of height set by the strength; von Mises across the arm."""
        return np.asarray(sharpness * strength * np.cos(phase + shift))

    # Dust lanes run along the concave side, before the young stars.
    exponents = {
        "old": arm(0.28) + (0.35 if irregular else 0.12) * texture,
        "middle": arm(0.7) + (0.6 if irregular else 0.3) * texture,
        "young": arm(1.3) + 0.8 * texture,
        "birth": arm(1.7, 0.1) + 1.1 * texture,
        "molecular": arm(1.6, 0.45) + 1.0 * texture,
        "atomic": arm(0.7, 0.3) + 0.5 * texture,
    }
    planes = {name: np.exp(np.clip(value, -4, 4)) for name, value in exponents.items()}
    bar, lanes = _bar(galaxy, x / scale, y / scale)
    side_angle = rng.uniform(0, 2 * np.pi)
    tilt = 1 + galaxy.lopsided * np.minimum(radius / 2.5, 1) * np.cos(angle - side_angle)
    for name in planes:
        if galaxy.bar > 0:
            planes[name] = planes[name] * (
                1 + (bar if name == "old" else 0.5 * bar if name == "middle" else lanes)
            )
    planes["birth"] = _clumpy(planes["birth"], radius, cell, star_forming_mass, galaxy, rng)
    power = {"old": 0.5, "middle": 0.8}
    stack = [_levelled(planes[name] * tilt ** power.get(name, 1.0), ring) for name in LAYERS]
    return np.stack(stack, axis=-1).astype(np.float32)


def _levelled(plane: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """A plane divided by its mean around every circle."""
    flat = ring.ravel()
    mean = np.bincount(flat, plane.ravel()) / np.maximum(np.bincount(flat), 1)
    return np.asarray(plane / np.maximum(mean, 1e-12)[ring])


def _spiral_phase(
    galaxy: MockGalaxy, radius: np.ndarray, angle: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Phase of logarithmic arms, 0 on the crest, wandering slowly so that no arm is perfect."""
    log_r = np.log(np.maximum(radius, 0.05))
    wander = sum(
        rng.normal(0, 0.5 / k) * np.sin(k * (1.7 * log_r + angle) + rng.uniform(0, 2 * np.pi))
        for k in (1, 2, 3)
    )
    return np.asarray(
        galaxy.arms * (angle - log_r / np.tan(np.radians(galaxy.pitch)))
        + wander
        + rng.uniform(0, 2 * np.pi)
    )


def noise(
    rng: np.random.Generator, size: int, slope: float, shape: tuple[int, int] | None = None
) -> np.ndarray:
    """Gaussian noise of unit variance whose amplitude falls with frequency to the power `slope`;
    periodic.
    """
    from scipy import fft

    ny, nx = shape or (size, size)
    white = rng.standard_normal((ny, nx), np.float32)
    frequency = np.hypot(np.fft.fftfreq(ny)[:, None] * ny, np.fft.rfftfreq(nx)[None] * nx)
    frequency[0, 0] = np.inf
    plane = fft.irfft2(fft.rfft2(white) * (frequency**-slope).astype(np.float32), (ny, nx))
    return np.asarray(plane / plane.std())


def _sheared_noise(
    galaxy: MockGalaxy,
    radius: np.ndarray,
    angle: np.ndarray,
    rng: np.random.Generator,
    slope: float = 1.0,
) -> np.ndarray:
    """Noise drawn out along spirals by differential rotation: pieces of arms. Periodic in angle;
    read from a table.
    """
    n_angle, n_radius = 256, 128
    table = noise(rng, 0, slope, (n_angle, n_radius))
    log_r = np.log(np.maximum(radius, 0.05)) * 2.2
    pitch = np.radians(
        max(abs(galaxy.pitch), 15.0) * (2.2 if galaxy.kind == "irregular" else 1.0)
    ) * np.sign(galaxy.pitch)
    u = (angle - log_r / 2.2 / np.tan(pitch)) / (2 * np.pi) * n_angle
    v = log_r * n_radius / 9.0
    iu, iv = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    fu, fv = u - iu, v - iv
    a, b = table[iu % n_angle, iv % n_radius], table[(iu + 1) % n_angle, iv % n_radius]
    c, d = table[iu % n_angle, (iv + 1) % n_radius], table[(iu + 1) % n_angle, (iv + 1) % n_radius]
    return np.asarray((a * (1 - fu) + b * fu) * (1 - fv) + (c * (1 - fu) + d * fu) * fv)


def _bar(galaxy: MockGalaxy, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a bar adds to old stars, and to gas and young stars, which lie in lanes along its
    leading edges.
    """
    if galaxy.bar <= 0:
        return np.zeros_like(x), np.zeros_like(x)
    angle = np.random.default_rng([galaxy.seed, 0xBA2]).uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    length, axis = galaxy.bar_length, 0.32
    m = (np.abs(along / length) ** 2.5 + np.abs(across / (axis * length)) ** 2.5) ** 0.4
    body = 3.5 * galaxy.bar * np.exp(-0.5 * m**3)
    offset = across - np.sign(galaxy.pitch) * np.sign(along) * 0.12 * length
    lanes = (
        3.0 * galaxy.bar * np.exp(-0.5 * (offset / (0.07 * length)) ** 2) * (np.abs(along) < length)
    )
    return np.asarray(body), np.asarray(lanes)


def _clumpy(
    plane: np.ndarray,
    radius: np.ndarray,
    cell: float,
    mass: float,
    galaxy: MockGalaxy,
    rng: np.random.Generator,
) -> np.ndarray:
    """Put two thirds of the youngest stars into clumps, their masses drawn from a power law of
    slope -2.

    Masses go from 3e3 to 1e6 Msun (H II regions and associations: Kennicutt+ 1989, Krumholz+ 2019,
    Sect. 2), sizes from 60 to 200 pc or a pixel. Clumps of one size are blurred together; the total
    stays, so that fewer stars make fewer clumps.
    """
    from scipy.ndimage import gaussian_filter

    expected = plane * np.exp(-np.minimum(radius / galaxy.growth, 12))
    total = expected.sum()
    mean = np.log(1e6 / 3e3) / (1 / 3e3 - 1 / 1e6)
    count = int(np.clip(0.66 * mass / mean, 3, 3 * plane.size**0.5 * 4))
    share = np.cumsum(expected.ravel())
    place = np.searchsorted(share, rng.uniform(0, share[-1], count))
    masses = 1 / (1 / 3e3 - rng.uniform(size=count) * (1 / 3e3 - 1 / 1e6))
    kpc = cell * galaxy.scale_length
    largest = np.argsort(masses)[-max(1, count // 8) :]
    result = np.zeros_like(plane)
    for group, size_kpc in ((largest, 0.15), (np.setdiff1d(np.arange(count), largest), 0.07)):
        lumps = np.bincount(place[group], weights=masses[group], minlength=plane.size).reshape(
            plane.shape
        )
        result += gaussian_filter(lumps, max(0.6, size_kpc / kpc), truncate=3)
    weight = result * (0.66 * total / max(result.sum(), 1e-30))
    # Where hardly any star is expected a clump would outshine what its radius can hold.
    return np.asarray(plane * (0.34 + np.minimum(weight / np.maximum(expected, 1e-30), 40.0)))
