"""The sky: its level, constant or a polynomial, away from all sources, and its subtraction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..data.galaxy import BandImage, Ellipse
from ..data.recipe import SkySettings

_FEWEST_PIXELS = 100
_FEWEST_BLOCKS = 40  # of sky, for a polynomial of more than one order to be tried
_BLOCKS = 48  # along the longer side of the sky
_TILES = 4  # along each side of the sky: left out in turn to see whether the rest predicts them
_OUTSKIRTS = 3.5  # D25 semi-axis over the scale length of the disc, as is usual
_SURE = 2.0  # standard errors by which a higher order must predict better
_ROUNDS = 4


@dataclass(frozen=True)
class Sky:
    """The sky of an image.

    Attributes
    ----------
    coefficients : ndarray of float64, shape (order + 1, order + 1)
        Of Legendre polynomials in y and x, which run from -1 to 1 over the box; MJy/sr.
    box : tuple of float
        First and last row, first and last column of the sky that was fitted. Outside it a
        polynomial of more than one order goes on as at the box's rim: it knows nothing of what lies
        there.
    rms : float
        Of the pixels about it, sigma-clipped, MJy/sr.
    reason : str
        Why it has this order, in words; empty where the order was asked for.
    region : str
        Where the sky was looked at, in words.
    """

    coefficients: np.ndarray
    box: tuple[float, float, float, float]
    rms: float
    reason: str = ""
    region: str = ""

    @property
    def order(self) -> int:
        """0 for a constant, 1 for a plane."""
        return len(self.coefficients) - 1

    def surface(self, shape: tuple[int, int]) -> np.ndarray:
        """The sky of every pixel of the image, shape (ny, nx), float32."""
        from numpy.polynomial.legendre import leggrid2d

        y0, y1, x0, x1 = self.box
        axes = [
            _scaled(np.arange(n), *ends)
            for n, ends in zip(shape, ((y0, y1), (x0, x1)), strict=True)
        ]
        y, x = axes if self.order < 2 else (np.clip(axis, -1, 1) for axis in axes)
        return np.asarray(leggrid2d(y, x, self.coefficients), np.float32)


def _scaled(pixels: np.ndarray, first: float, last: float) -> np.ndarray:
    return 2 * (pixels - first) / max(last - first, 1.0) - 1


def sky_region(
    image: BandImage, ellipse: Ellipse | None, exclude: float, reach: float
) -> tuple[np.ndarray, str]:
    """Where the sky is looked at: around the galaxy where its ellipse is known.

    Around means between `exclude` and `reach` ellipses, however wide the field: the sky of an
    infrared image is seldom flat, and it is the sky under the galaxy that counts. That ring has
    several times the galaxy's pixels, so that its mean is known better than the galaxy's sum is.
    Where a galaxy is so small, or the image shows so little of it, that the ring has hardly a
    pixel, it goes further out, and then further in.

    Parameters
    ----------
    image : BandImage
        Any.
    ellipse : Ellipse or None
        The galaxy's.
    exclude, reach : float
        In ellipses.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        Pixels there that are valid.
    str
        Where that is, in words.
    """
    valid = np.isfinite(image.data)
    if image.mask is not None:
        valid &= ~image.mask
    if ellipse is None:
        return valid, "of the whole image"
    radius = ellipse.radius(image.wcs, image.shape)
    inside = valid & (radius > exclude)
    if inside.sum() > _FEWEST_PIXELS:
        outer = reach
        while (ring := inside & (radius < outer)).sum() <= _FEWEST_PIXELS:
            outer *= 2
        return ring, f"between {exclude:g} and {outer:g} times the galaxy's ellipse"
    outside = valid & (radius > 1.0)
    if outside.sum() > _FEWEST_PIXELS:
        return outside, f"outside the galaxy's ellipse, as the image ends within {exclude:g} of it"
    return valid, "of the whole image, the galaxy included, as it ends within the galaxy's ellipse"


def sky_pixels(
    image: BandImage, valid: np.ndarray, surface: np.ndarray | None = None
) -> np.ndarray:
    """Pixels that show nothing but sky: those of a region that are of no detected source.

    Parameters
    ----------
    image : BandImage
        Any.
    valid : ndarray of bool, shape (ny, nx)
        The region (`sky_region`).
    surface : ndarray, shape (ny, nx), optional
        The sky so far as it is known: sources stand out from it.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    from astropy.stats import sigma_clipped_stats
    from scipy.ndimage import binary_dilation, gaussian_filter, generate_binary_structure

    if valid.sum() < _FEWEST_PIXELS:
        return valid
    data = image.data if surface is None else image.data - surface
    _, median, _ = sigma_clipped_stats(data[valid], sigma=3)
    smooth = gaussian_filter(np.where(np.isfinite(data), data, median), 2.0)
    _, level, std = sigma_clipped_stats(smooth[valid], sigma=3)
    sources = binary_dilation(
        smooth > level + 3 * std, generate_binary_structure(2, 1), iterations=4
    )
    clear = valid & ~sources
    return clear if clear.sum() >= _FEWEST_PIXELS else valid


def fit_sky(image: BandImage, settings: SkySettings, ellipse: Ellipse | None = None) -> Sky:
    """The sky of an image.

    A polynomial has the lowest order that predicts sky it was not fitted to as well as any order
    does: tiles of the field are left out in turn, as large ones as the noise and faint sources
    cannot follow, and an order is taken only where it predicts them better than every lower one by
    more than the scatter from tile to tile. The galaxy is such a tile. Its outskirts, which a
    polynomial would take for sky and carry on into its centre, are fitted beside it as an
    exponential disc, and not subtracted.

    Parameters
    ----------
    image : BandImage
        Any image.
    settings : SkySettings
        ``model`` "constant", "plane" or "polynomial" (of `order` at most), the clipping limit, and
        how far the galaxy reaches.
    ellipse : Ellipse, optional
        The galaxy's D25 ellipse; sources are left out with or without it.
    """
    from astropy.stats import sigma_clip

    around, region = sky_region(image, ellipse, settings.exclude, settings.reach)
    clear = sky_pixels(image, around)
    if not clear.any():
        return Sky(np.zeros((1, 1)), _whole(image), float("nan"), region=region)
    if settings.model == "constant":
        kept = sigma_clip(image.data[clear].astype(float), sigma=settings.clip, masked=False)
        level = np.array([[np.mean(kept)]])
        return Sky(level, _whole(image), float(np.std(kept)), region=region)
    fixed = settings.model == "plane"
    highest = 1 if fixed else settings.order
    # Where the sky is bent, its peaks look like sources until it is known: a first fit, then
    # sources that stand out of it.
    radius = (
        None
        if fixed or ellipse is None
        else ellipse.radius(image.wcs, image.shape) - settings.exclude
    )
    surface = _fitted(image, clear, settings.clip, highest, fixed, radius).surface(image.shape)
    everywhere = sky_pixels(image, around, surface)
    found = _fitted(image, everywhere, settings.clip, highest, fixed, radius)
    return replace(found, region=region)


def _whole(image: BandImage) -> tuple[float, float, float, float]:
    ny, nx = image.shape
    return 0.0, ny - 1.0, 0.0, nx - 1.0


def _fitted(
    image: BandImage,
    clear: np.ndarray,
    clip: float,
    highest: int,
    fixed: bool,
    radius: np.ndarray | None,
) -> Sky:
    """The polynomial through the clear pixels, of the highest order or, unless that is fixed, of
    the best one.
    """
    order, reason = highest, ""
    keep = clear
    for turn in range(_ROUNDS):
        blocks = _Blocks.of(image.data, keep, radius)
        if turn < 2 and not fixed:  # once more when what sticks out is gone
            order, reason = _best_order(blocks, highest)
        sky = Sky(blocks.fit(order), blocks.box, 0.0)
        residual = image.data - sky.surface(image.shape)
        rms = float(np.std(residual[keep]))
        within = clear & (np.abs(residual) < clip * rms)
        if within.sum() < _FEWEST_PIXELS or (
            turn > 1 and abs(within.sum() - keep.sum()) < 1e-4 * keep.sum()
        ):
            break
        keep = within
    return replace(sky, rms=rms, reason=reason)


@dataclass(frozen=True)
class _Blocks:
    """Means of the sky over small blocks: positions from -1 to 1 in y and x, values, numbers of
    pixels, the box of the pixels, and what a galaxy's outskirts would look like, shape (n, 0 or
    1)."""

    y: np.ndarray
    x: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    box: tuple[float, float, float, float]
    outskirts: np.ndarray

    @classmethod
    def of(cls, data: np.ndarray, keep: np.ndarray, radius: np.ndarray | None) -> _Blocks:
        rows, columns = np.nonzero(keep)
        box = (float(rows.min()), float(rows.max()), float(columns.min()), float(columns.max()))
        # Of the sky's extent and not the image's: how far the field goes on is of no account.
        ny, nx = np.ptp(rows) + 1, np.ptp(columns) + 1
        side = max(4, int(np.ceil(max(ny, nx) / _BLOCKS)))
        across = -(-nx // side)
        block = ((rows - rows.min()) // side) * across + (columns - columns.min()) // side
        length = across * -(-ny // side)
        count = np.bincount(block, minlength=length)
        shapes = [] if radius is None else [np.exp(-_OUTSKIRTS * radius[rows, columns])]
        sums = [
            np.bincount(block, v, length)
            for v in (rows, columns, data[rows, columns].astype(float), *shapes)
        ]
        there = count > min(side * side / 4, 0.5 * count.max())
        y, x, values, *shapes = (total[there] / count[there] for total in sums)
        return cls(
            _scaled(y, *box[:2]),
            _scaled(x, *box[2:]),
            values,
            count[there].astype(float),
            box,
            np.array(shapes).T.reshape(len(values), -1),
        )

    def terms(self, order: int) -> np.ndarray:
        """Legendre products of total degree up to `order`, and the outskirts, shape (n, number of
        terms).
        """
        from numpy.polynomial.legendre import legvander

        y, x = legvander(self.y, order), legvander(self.x, order)
        return np.column_stack([*(y[:, i] * x[:, j] for i, j in _degrees(order)), self.outskirts])

    def fit(self, order: int) -> np.ndarray:
        """Coefficients, shape (order + 1, order + 1), of a weighted fit."""
        terms = self.terms(order)
        coefficients = np.zeros((order + 1, order + 1))
        weighted = terms * self.weights[:, None]
        found = _solved(weighted.T @ terms, weighted.T @ self.values)
        for (i, j), value in zip(_degrees(order), found, strict=False):  # the outskirts come last
            coefficients[i, j] = value
        return coefficients

    def errors_left_out(self, order: int, tile: np.ndarray) -> np.ndarray:
        """Weighted sum of the squared errors with which each tile is predicted by a fit to all
        others, shape (tiles,).
        """
        terms = self.terms(order)
        weighted = terms * self.weights[:, None]
        square, product = weighted.T @ terms, weighted.T @ self.values
        errors = []
        for number in np.unique(tile):
            out = tile == number
            rest = _solved(
                square - weighted[out].T @ terms[out], product - weighted[out].T @ self.values[out]
            )
            errors.append((self.weights[out] * (self.values[out] - terms[out] @ rest) ** 2).sum())
        return np.array(errors)


def _solved(square: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Solution of normal equations; of the smallest norm where the sky leaves some terms open."""
    return np.asarray(np.linalg.pinv(square, rcond=1e-10, hermitian=True) @ product)


def _degrees(order: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(order + 1) for j in range(order + 1 - i)]


def _best_order(blocks: _Blocks, highest: int) -> tuple[int, str]:
    """The order of the sky up to a highest one, and why."""
    if len(blocks.values) < _FEWEST_BLOCKS:
        return 0, "too little sky for more"
    tile = np.minimum(((blocks.y + 1) / 2 * _TILES).astype(int), _TILES - 1) * _TILES
    tile += np.minimum(((blocks.x + 1) / 2 * _TILES).astype(int), _TILES - 1)
    off = np.array([blocks.errors_left_out(order, tile) for order in range(highest + 1)])
    chosen = 0
    for order in range(1, highest + 1):
        gain = off[chosen] - off[order]
        if gain.sum() > _SURE * np.std(gain) * np.sqrt(gain.size):
            chosen = order
    errors = np.sqrt(off.sum(axis=1) / blocks.weights.sum())
    if chosen == 0:
        return (
            0,
            f"kept flat, which predicts left-out sky to {errors[0]:.2g}; no polynomial does better",
        )
    if chosen == 1:
        return 1, f"left-out sky predicted to {errors[1]:.2g}, by a constant to {errors[0]:.2g}"
    return chosen, f"left-out sky predicted to {errors[chosen]:.2g}, by a plane to {errors[1]:.2g}"


def subtract_sky(
    image: BandImage, settings: SkySettings, ellipse: Ellipse | None = None
) -> BandImage:
    """The image without its sky.

    ``meta["sky"]`` (its mean) and ``meta["sky_rms"]`` in MJy/sr say what was found;
    ``meta["sky_fit"]``, a `Sky`, is what `subtracted_sky` makes an image of.
    """
    sky = fit_sky(image, settings, ellipse)
    surface = np.float32(sky.coefficients[0, 0]) if sky.order == 0 else sky.surface(image.shape)
    mean = float(np.mean(surface))
    kind = (
        ("", ", a plane,")[sky.order] if sky.order < 2 else f", a polynomial of order {sky.order},"
    )
    reason = f" ({sky.reason})" if sky.reason else ""
    return image.evolve(
        f"sky of {mean:.4g} MJy/sr{kind} subtracted, rms {sky.rms:.3g} a pixel, "
        f"{sky.region}{reason}",
        data=image.data - surface,
        meta={"sky": mean, "sky_rms": sky.rms, "sky_fit": sky},
    )


def subtracted_sky(image: BandImage) -> BandImage:
    """An image of the sky that `subtract_sky` took off, MJy/sr."""
    sky: Sky = image.meta["sky_fit"]
    return image.evolve(data=sky.surface(image.shape), uncertainty=None, mask=None)
