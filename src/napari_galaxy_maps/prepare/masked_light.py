"""The light under masks: a profile of the galaxy, and what the surroundings of a hole differ from
it, carried into the hole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.cube import BandCube, random_part
from ..data.galaxy import BandImage, Ellipse
from ..data.masked_light import MaskedLight

_SPACINGS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Distances over which the structure of an image is measured, in FWHM."""
_RINGS, _LEAST = 8, 40
"""Rings in which it is measured, and the fewest pixels in one."""
_REACH = 1.2
"""How far out it is measured, in units of the ellipse."""
_MOST = 300_000
"""Pixels of an image that are looked at; of a larger one every second, every third, ..."""
_CLOSE = 4
"""Pixels about a hole that are looked at: biharmonic interpolation reaches two of them."""
_WITHIN = 68.27
_FADING, _FADING_OUTSIDE = 6.0, 1.0
"""FWHM from what was measured at which half is left of what is carried into a hole, within the
galaxy's ellipse and outside of it: deeper in, and outwards over a border of the image, noise would
be carried on and grow to blobs, which a network takes for galaxies.
"""
_RIM, _OF_HALF_WIDTH, _FACTOR = 0.3, 0.5, 0.95
"""The error in a hole is that of the mean of four pixels at this distance, in FWHM: the PSF has
brought the rim inwards, and what is far from all sides is half of the hole's width from them. Times
the factor, 68 % of the pixels under the masks of 30 mock galaxies were within it, in narrow holes
and wide ones, at the rims and in the middle (`benchmarks/bench_fill.py`).
"""


@dataclass(frozen=True, eq=False)
class LightModel:
    """What is known of a band's light in the large: none of it depends on masks, so that an edit of
    one changes nothing elsewhere.

    Attributes
    ----------
    radius, light : ndarray, shape (n,)
        Elliptical radius (1 on the ellipse) and the median of the image there, MJy/sr.
    rings : ndarray, shape (m,)
        Elliptical radius of the middle of the rings in which the structure was measured.
    spacings : ndarray, shape (d,)
        In FWHM.
    structure : ndarray, shape (d, m)
        MJy/sr within which 68 % of the pixels are what the mean of four pixels at that distance
        says, both taken beside the profile.
    """

    radius: np.ndarray
    light: np.ndarray
    rings: np.ndarray
    spacings: np.ndarray
    structure: np.ndarray

    def at(self, radius: np.ndarray) -> np.ndarray:
        """The profile at elliptical radii, MJy/sr."""
        return np.interp(radius, self.radius, self.light)

    def error_at(self, radius: np.ndarray, half_width: float) -> np.ndarray:
        """How far off what is filled into a hole is, at elliptical radii, MJy/sr.

        Parameters
        ----------
        radius : ndarray, shape (n,)
        half_width : float
            Of the hole, in FWHM.
        """
        distance = _RIM + _OF_HALF_WIDTH * half_width
        # Further than what was measured: as a random walk goes on.
        further = np.sqrt(max(distance / self.spacings[-1], 1.0))
        there = [np.interp(distance, self.spacings, ring) for ring in self.structure.T]
        return np.asarray(_FACTOR * further * np.interp(radius, self.rings, there))


def light_model(image: BandImage, ellipse: Ellipse) -> LightModel | None:
    """Profile and structure of a band's light, from all of its image: medians and percentiles take
    no notice of a few stars.

    Parameters
    ----------
    image : BandImage
        At the common PSF, without masks.
    ellipse : Ellipse
        The galaxy's.

    Returns
    -------
    LightModel or None
        None where too little of the galaxy is on the image.
    """
    radius = ellipse.radius(image.wcs, image.shape)
    profile = _profile(image, radius, ellipse)
    if profile is None:
        return None
    difference = image.data - np.interp(radius, *profile)
    seen = _some_of(image.data)
    inside = seen & (radius < _REACH)
    rings = np.unique(
        np.quantile(radius[inside], np.linspace(0, 1, min(_RINGS, int(inside.sum()) // _LEAST) + 1))
    )
    number = np.clip(np.digitize(radius, rings) - 1, 0, rings.size - 2)
    structure, noise = [], 0.0
    for spacing in _SPACINGS:
        away = max(1, round(spacing * image.fwhm / image.pixel_arcsec))
        off = np.abs(difference - _mean_of_four(difference, away))
        there = inside & np.isfinite(off)
        empty = seen & (radius >= _REACH) & np.isfinite(off)
        if spacing == 1 and empty.sum() >= _LEAST:
            noise = float(np.percentile(off[empty], _WITHIN)) / np.sqrt(1.25)
        structure.append(
            [
                np.percentile(off[there & (number == k)], _WITHIN)
                if (there & (number == k)).sum() >= _LEAST / 2
                else np.nan
                for k in range(rings.size - 1)
            ]
        )
    # The noise of the pixel itself is no error of what the others say of its light.
    table = np.sqrt(np.maximum(np.square(structure) - noise**2, (0.5 * noise) ** 2))
    table = np.fmax.accumulate(table, axis=0)  # what is not seen at a distance is no less
    sound = np.isfinite(table).all(axis=0)
    if not sound.any():
        return None
    centres = 0.5 * (rings[1:] + rings[:-1])
    return LightModel(*profile, centres[sound], np.array(_SPACINGS), table[:, sound])


def profile_plane(image: BandImage, ellipse: Ellipse) -> np.ndarray | None:
    """The galaxy's profile on the pixels of an image, float32 of shape (ny, nx); None where too
    little of the galaxy is on it.
    """
    radius = ellipse.radius(image.wcs, image.shape)
    profile = _profile(image, radius, ellipse)
    return None if profile is None else np.interp(radius, *profile).astype(np.float32)


def _profile(
    image: BandImage, radius: np.ndarray, ellipse: Ellipse
) -> tuple[np.ndarray, np.ndarray] | None:
    """Elliptical radii and the median of an image there."""
    from scipy.stats import binned_statistic

    seen = _some_of(image.data)
    if (seen & (radius < _REACH)).sum() < _LEAST:
        return None
    width = max(0.5 * image.fwhm / ellipse.a, 0.02)
    edges = np.arange(0, radius[seen].max() + width, width)
    if edges.size < 2:
        return None
    light = binned_statistic(radius[seen], image.data[seen], "median", edges)[0]
    known = np.isfinite(light)
    return 0.5 * (edges[1:] + edges[:-1])[known], light[known]


def _some_of(data: np.ndarray) -> np.ndarray:
    """Pixels with a value, of a large image every second, every third, ..., bool."""
    step = max(1, int(np.ceil(np.sqrt(data.size / _MOST))))
    seen = np.zeros(data.shape, bool)
    seen[::step, ::step] = np.isfinite(data[::step, ::step])
    return seen


def _mean_of_four(plane: np.ndarray, away: int) -> np.ndarray:
    """The mean of the pixels above, below, left and right at a distance; NaN where one is
    missing.
    """
    wide = np.pad(plane, away, constant_values=np.nan)
    ny, nx = plane.shape
    rows, columns = slice(away, away + ny), slice(away, away + nx)
    mean: np.ndarray = 0.25 * (
        wide[:ny, columns] + wide[2 * away :, columns] + wide[rows, :nx] + wide[rows, 2 * away :]
    )
    return mean


Place = tuple[int, int, int, int]
"""Where a hole lies, with its surroundings: first row, row after the last, and columns."""


@dataclass(frozen=True, eq=False)
class _Hole:
    """A hole and its surroundings in one band, NaN in the hole, and what was filled in."""

    data: np.ndarray
    sigma: np.ndarray
    mask: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    noise: float

    def is_of(self, data: np.ndarray, sigma: np.ndarray, mask: np.ndarray) -> bool:
        """Whether the hole has this shape and these surroundings."""
        return np.array_equal(self.mask, mask) and all(
            bool((mask | (mine == other) | (np.isnan(mine) & np.isnan(other))).all())
            for mine, other in ((self.data, data), (self.sigma, sigma))
        )


@dataclass(eq=False)
class FilledHoles:
    """What was filled in one band, hole by hole, so that a hole of which neither pixels nor
    surroundings have changed is not filled again.

    Attributes
    ----------
    model : LightModel
        By which.
    radius : ndarray, shape (ny, nx)
        Elliptical radius of the grid.
    holes : dict
        By place on the grid.
    """

    model: LightModel
    radius: np.ndarray
    holes: dict[Place, _Hole] = field(default_factory=dict)


def fill_cube(
    cube: BandCube,
    masks: np.ndarray,
    wanted: np.ndarray,
    radius: np.ndarray,
    models: Mapping[str, LightModel | None],
    known: dict[str, FilledHoles],
) -> MaskedLight | None:
    """The light of all bands of a cube, each under its own mask.

    The profile is taken off, the rest is carried over each hole by biharmonic interpolation
    (Damelin & Hoang 2018, as scikit-image has it) and fades out far inside, and the profile is put
    back. Each hole is filled from its own surroundings in its own band alone. The error of a pixel
    grows with the width of its hole (`LightModel.error_at`), and has the part that is common to all
    pixels of the band.

    Parameters
    ----------
    cube : BandCube
        What it holds under the masks is not looked at.
    masks : ndarray of bool, shape (n_bands, ny, nx)
        Of each band, without what only lies outside of the galaxy.
    wanted : ndarray of bool, shape (ny, nx)
        Where predictions are wanted.
    radius : ndarray, shape (ny, nx)
        Elliptical radius.
    models : mapping of str to LightModel or None
        By band; a band without one is not filled.
    known : dict
        By band, what was filled last; replaced by what is filled now.

    Returns
    -------
    MaskedLight or None
        None where nothing is masked, or nothing could be filled.
    """
    hidden = np.asarray(masks.any(axis=0))
    count = int(hidden.sum())
    data, uncertainty, noise = np.full((3, len(cube.bands), count), np.nan, np.float32)
    fillable = [i for i, name in enumerate(cube.bands) if models.get(name) and masks[i].any()]
    numbers = {i: holes_of(masks[i]) for i in fillable}
    _fill_holes(cube, masks, numbers, radius, models, known)
    for i in fillable:
        mine = masks[i][hidden]
        data[i, mine], errors, noise[i, mine] = _put_together(numbers[i], known[cube.bands[i]])
        uncertainty[i, mine] = np.hypot(errors, _common(cube, i) * data[i, mine])
    there = np.isfinite(data).any(axis=0)
    if not there.any():
        return None
    rows, columns = (place.astype(np.int32)[there] for place in np.nonzero(hidden))
    return MaskedLight(
        rows,
        columns,
        holes_of(hidden)[rows, columns],
        data[:, there],
        uncertainty[:, there],
        noise[:, there],
        wanted[rows, columns],
    )


def with_blank_rims(masks: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Masks of bands with the blank pixels that touch them: where a mask leaves too little of the
    PSF's kernel, nothing is left of a pixel whose centre it does not cover.

    Parameters
    ----------
    masks : ndarray of bool, shape (n_bands, ny, nx)
    data : ndarray, shape (n_bands, ny, nx)
    """
    from scipy.ndimage import binary_dilation

    blank = ~np.isfinite(data)
    square = np.ones((1, 3, 3), bool)
    return masks | (blank & binary_dilation(masks, square))


def holes_of(mask: np.ndarray) -> np.ndarray:
    """Numbers of the holes of a mask, from 1, and 0 elsewhere, int32 of shape (ny, nx): what is
    less than three pixels apart is one.
    """
    from scipy.ndimage import binary_dilation, label

    square = np.ones((3, 3), bool)
    numbers, _ = label(binary_dilation(mask, square), square)
    return np.asarray(numbers * mask, np.int32)


def _places(numbers: np.ndarray) -> Iterator[Place]:
    """Where holes lie, with their surroundings, in the order of their numbers."""
    from scipy.ndimage import find_objects

    ny, nx = numbers.shape
    for rows, columns in filter(None, find_objects(numbers)):
        yield (
            max(0, rows.start - _CLOSE),
            min(ny, rows.stop + _CLOSE),
            max(0, columns.start - _CLOSE),
            min(nx, columns.stop + _CLOSE),
        )


def _box(place: Place) -> tuple[slice, slice]:
    return slice(*place[:2]), slice(*place[2:])


def _fill_holes(
    cube: BandCube,
    masks: np.ndarray,
    numbers: Mapping[int, np.ndarray],
    radius: np.ndarray,
    models: Mapping[str, LightModel | None],
    known: dict[str, FilledHoles],
) -> None:
    """Fill the holes of some bands that are not known from the last time, and keep all of them in
    `known`; bands with the same hole are filled together.
    """
    together: dict[tuple[Place, bytes], list[int]] = {}
    for i, own in numbers.items():
        name = cube.bands[i]
        model, last = models[name], known.get(name)
        assert model is not None
        same = last is not None and last.model is model and last.radius is radius
        old = last.holes if last is not None and same else {}
        known[name] = now = FilledHoles(model, radius)
        for place in _places(own):
            plane, sigma, mask = (
                planes[i][_box(place)] for planes in (cube.data, cube.uncertainty, masks)
            )
            hole = old.get(place)
            if hole is not None and hole.is_of(plane, sigma, mask):
                now.holes[place] = hole
            else:
                missing = mask | ~np.isfinite(plane)
                together.setdefault((place, missing.tobytes() + mask.tobytes()), []).append(i)
    fwhm = cube.fwhm / cube.pixel_arcsec
    for (place, _), bands in together.items():
        box, names = _box(place), [cube.bands[i] for i in bands]
        mask = masks[bands[0]][box].copy()
        data = np.where(mask, np.float32(np.nan), cube.data[bands][:, *box])
        found = _filled(data, mask, radius[box], [known[name].model for name in names], fwhm)
        for i, about, values, errors in zip(bands, data, *found, strict=True):
            noise = _noise_about(cube, i, box, np.isfinite(about))
            sigma = cube.uncertainty[i][box].copy()
            known[cube.bands[i]].holes[place] = _Hole(about, sigma, mask, values, errors, noise)


def _common(cube: BandCube, i: int) -> float:
    """The relative error that is common to all pixels of a band."""
    return 0.0 if cube.systematic is None else float(cube.systematic[i])


def _noise_about(cube: BandCube, i: int, box: tuple[slice, slice], measured: np.ndarray) -> float:
    """Median noise of the pixels about a hole that were measured, MJy/sr."""
    error, light = cube.uncertainty[i][box][measured], cube.data[i][box][measured]
    random = random_part(light, error, _common(cube, i))
    known = random[np.isfinite(random)]
    return float(np.median(known)) if known.size else 0.0


def _filled(
    data: np.ndarray,
    mask: np.ndarray,
    radius: np.ndarray,
    models: Sequence[LightModel],
    fwhm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors about one hole of several bands, shape (n, ny, nx); NaN where nothing was
    measured near it.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.restoration import inpaint_biharmonic

    values, errors = np.full((2, *data.shape), np.nan, np.float32)
    missing = ~np.isfinite(data[0])
    if missing.all():
        return values, errors
    profile = np.stack([model.at(radius) for model in models])
    difference = np.where(missing, 0.0, data - profile)
    scale = np.abs(difference).max(axis=(1, 2), keepdims=True)
    scale[scale == 0] = 1.0  # inpaint_biharmonic takes images of about 1
    inside = inpaint_biharmonic(difference / scale, missing, channel_axis=0) * scale
    depth = distance_transform_edt(missing) / fwhm
    fading = np.where(radius <= 1, _FADING, _FADING_OUTSIDE)
    values[:] = inside / (1 + (depth / fading) ** 2) + profile
    half_width = float(depth.max())
    for model, plane in zip(models, errors, strict=True):
        plane[mask] = model.error_at(radius[mask], half_width)
    return values, errors


def _put_together(
    numbers: np.ndarray, filled: FilledHoles
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, errors and noise of all holes of a band, in the order of ``np.nonzero(numbers)``."""
    values, errors, noise = np.full((3, *numbers.shape), np.nan, np.float32)
    mask = numbers > 0
    for number, place in enumerate(_places(numbers), 1):
        box, hole = _box(place), filled.holes[place]
        mine = numbers[box] == number
        values[box][mine], errors[box][mine] = hole.values[mine], hole.errors[mine]
        noise[box][mine] = hole.noise
    return values[mask], errors[mask], noise[mask]
