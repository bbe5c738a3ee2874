"""The light under masks: a profile of the galaxy, and what the surroundings of a hole differ from
it, carried into the hole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..data.cube import BandCube
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
_HARDER = 1.3
"""How much further off an interpolation is than the mean of four pixels as far away, within which
68 % of the pixels of made-up holes of 2 to 6 FWHM are (`benchmarks/bench_fill.py`).
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

    def error_at(self, radius: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """How far off an interpolation over a distance (FWHM) is at elliptical radii, MJy/sr."""
        from scipy.interpolate import RegularGridInterpolator

        points = np.column_stack(
            [
                np.clip(depth, self.spacings[0], self.spacings[-1]),
                np.clip(radius, self.rings[0], self.rings[-1]),
            ]
        )
        if self.rings.size == 1:
            found = np.interp(points[:, 0], self.spacings, self.structure[:, 0])
        else:
            found = RegularGridInterpolator((self.spacings, self.rings), self.structure)(points)
        # Deeper than what was measured: as a random walk goes on.
        deeper = np.sqrt(np.maximum(depth / self.spacings[-1], 1))
        return np.asarray(_HARDER * found * deeper)


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
    from scipy.stats import binned_statistic

    radius = ellipse.radius(image.wcs, image.shape)
    data = np.where(np.isfinite(image.data), image.data, np.nan).astype(float)
    step = max(1, int(np.ceil(np.sqrt(data.size / _MOST))))
    seen = np.zeros(data.shape, bool)
    seen[::step, ::step] = np.isfinite(data[::step, ::step])
    inside = seen & (radius < _REACH)
    if inside.sum() < _LEAST:
        return None
    width = max(0.5 * image.fwhm / ellipse.a, 0.02)
    edges = np.arange(0, radius[seen].max() + width, width)
    if edges.size < 2:
        return None
    light = binned_statistic(radius[seen], data[seen], "median", edges)[0]
    known = np.isfinite(light)
    middle = 0.5 * (edges[1:] + edges[:-1])[known]
    light = light[known]
    difference = data - np.interp(radius, middle, light)
    rings = np.unique(
        np.quantile(radius[inside], np.linspace(0, 1, min(_RINGS, int(inside.sum()) // _LEAST) + 1))
    )
    number = np.clip(np.digitize(radius, rings) - 1, 0, rings.size - 2)
    structure = []
    for spacing in _SPACINGS:
        away = max(1, round(spacing * image.fwhm / image.pixel_arcsec))
        off = np.abs(difference - _mean_of_four(difference, away))
        there = inside & np.isfinite(off)
        structure.append(
            [
                np.percentile(off[there & (number == k)], _WITHIN)
                if (there & (number == k)).sum() >= _LEAST / 2
                else np.nan
                for k in range(rings.size - 1)
            ]
        )
    table = np.array(structure)
    table = np.fmax.accumulate(table, axis=0)  # what is not seen at a distance is no less
    sound = np.isfinite(table).all(axis=0)
    if not sound.any():
        return None
    centres = 0.5 * (rings[1:] + rings[:-1])
    return LightModel(middle, light, centres[sound], np.array(_SPACINGS), table[:, sound])


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


@dataclass(frozen=True, eq=False)
class _Hole:
    """A hole and its surroundings, and what was filled in."""

    data: np.ndarray
    mask: np.ndarray
    values: np.ndarray
    errors: np.ndarray


@dataclass(eq=False)
class FilledHoles:
    """What was filled in one band, hole by hole, for the next time.

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
    holes: dict[tuple[int, int, int, int], _Hole] = field(default_factory=dict)


def fill_plane(
    plane: np.ndarray,
    mask: np.ndarray,
    radius: np.ndarray,
    model: LightModel,
    fwhm: float,
    known: FilledHoles | None = None,
) -> tuple[np.ndarray, np.ndarray, FilledHoles]:
    """A band's light under its mask.

    The profile is taken off, the rest is carried over each hole by biharmonic interpolation
    (Damelin & Hoang 2018, as scikit-image has it), and the profile is put back. Each hole is filled
    from its own surroundings alone.

    Parameters
    ----------
    plane : ndarray of float32, shape (ny, nx)
        Surface brightness; what it holds under the mask is not looked at.
    mask : ndarray of bool, shape (ny, nx)
    radius : ndarray, shape (ny, nx)
        Elliptical radius.
    model : LightModel
    fwhm : float
        Of the PSF, in pixels.
    known : FilledHoles, optional
        Of the last time: a hole of which neither pixels nor surroundings have changed is not filled
        again.

    Returns
    -------
    values, errors : ndarray of float32, shape (n,)
        In the order of ``np.nonzero(mask)``, the errors those of the interpolation over the
        distance from what was measured (`LightModel.error_at`); NaN in a hole without surroundings.
    now : FilledHoles
        For the next time.
    """
    from scipy.ndimage import find_objects

    numbers = holes_of(mask)
    values, errors = np.full((2, *mask.shape), np.nan, np.float32)
    now = FilledHoles(model, radius)
    same = known is not None and known.model is model and known.radius is radius
    old = known.holes if known is not None and same else {}
    for number, found in enumerate(find_objects(numbers), 1):
        if found is None:
            continue
        box, hole = _around(found, mask.shape), numbers[found] == number
        key = (box[0].start, box[0].stop, box[1].start, box[1].stop)
        data, hidden = plane[box], mask[box]
        last = old.get(key)
        if last is None or not _alike(last, data, hidden):
            data = np.where(hidden, np.float32(np.nan), data)
            last = _Hole(data, hidden.copy(), *_filled(data, hidden, radius[box], model, fwhm))
        now.holes[key] = last
        inner = tuple(
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in zip(found, box, strict=True)
        )
        values[found][hole] = last.values[inner][hole]
        errors[found][hole] = last.errors[inner][hole]
    return values[mask], errors[mask], now


def holes_of(mask: np.ndarray) -> np.ndarray:
    """Numbers of the holes of a mask, from 1, and 0 elsewhere, int32 of shape (ny, nx): what is
    less than three pixels apart is one.
    """
    from scipy.ndimage import binary_dilation, label

    square = np.ones((3, 3), bool)
    numbers, _ = label(binary_dilation(mask, square), square)
    return np.asarray(numbers * mask, np.int32)


def _around(box: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, part.start - _CLOSE), min(n, part.stop + _CLOSE))
        for part, n in zip(box, shape, strict=True)
    )
    return rows, columns


def _alike(last: _Hole, data: np.ndarray, hidden: np.ndarray) -> bool:
    """Whether a hole has the same shape and surroundings as before."""
    if not np.array_equal(last.mask, hidden):
        return False
    return np.array_equal(last.data[~hidden], data[~hidden], equal_nan=True)


def _filled(
    data: np.ndarray, hidden: np.ndarray, radius: np.ndarray, model: LightModel, fwhm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors of the pixels about a hole; NaN where nothing was measured near it."""
    from scipy.ndimage import distance_transform_edt
    from skimage.restoration import inpaint_biharmonic

    values, errors = np.full((2, *data.shape), np.nan, np.float32)
    missing = hidden | ~np.isfinite(data)
    if missing.all():
        return values, errors
    profile = model.at(radius)
    difference = np.where(missing, 0.0, data - profile)
    # inpaint_biharmonic takes images of about 1.
    scale = float(np.abs(difference).max()) or 1.0
    values[:] = inpaint_biharmonic(difference / scale, missing) * scale + profile
    depth = distance_transform_edt(missing)[hidden] / fwhm
    errors[hidden] = model.error_at(radius[hidden], depth)
    return values, errors


def fill_cube(
    cube: BandCube,
    masks: np.ndarray,
    wanted: np.ndarray,
    radius: np.ndarray,
    models: Mapping[str, LightModel | None],
    known: dict[str, FilledHoles],
) -> MaskedLight | None:
    """The light of all bands of a cube, each under its own mask.

    The error of a filled pixel is that of the interpolation (`fill_plane`), with the error that is
    common to all pixels of the band.

    Parameters
    ----------
    cube : BandCube
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
    data, uncertainty = np.full((2, len(cube.bands), count), np.nan, np.float32)
    fwhm = cube.fwhm / cube.pixel_arcsec
    for i, name in enumerate(cube.bands):
        model = models.get(name)
        if model is None or not masks[i].any():
            continue
        values, errors, known[name] = fill_plane(
            cube.data[i], masks[i], radius, model, fwhm, known.get(name)
        )
        common = 0.0 if cube.systematic is None else float(cube.systematic[i])
        mine = masks[i][hidden]
        data[i, mine], uncertainty[i, mine] = values, np.hypot(errors, common * values)
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
        wanted[rows, columns],
    )
