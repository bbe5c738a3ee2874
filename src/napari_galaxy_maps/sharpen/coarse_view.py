"""How a fine map looks at a coarse map's PSF and on its grid: a linear map, and its transpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import FWHM_PER_SIGMA
from ..measure.apertures.planes import pixel_arcsec
from ..measure.compare.averaging import COVERED
from ..prepare.grid.resampling import PixelMap, pixel_map

if TYPE_CHECKING:
    from astropy.wcs import WCS

_CHUNK = 2_000_000  # weights that are computed at once


class CoarseView:
    """Convolution with a Gaussian, then resampling, as `measure.compare` brings maps to a truth.

    What is not known of the fine map is left out, as `measure.compare.averaging` does: a coarse
    pixel is the mean of what is known under its kernel.

    Parameters
    ----------
    fine, coarse : tuple of WCS and (ny, nx)
        The two grids.
    widths : tuple of float
        FWHM in arcsec of the two PSFs.
    known : ndarray of bool, shape of the fine grid
        Where the fine map has a value.

    Attributes
    ----------
    seen : ndarray of bool, shape of the coarse grid
        Where enough of the kernel is known.
    """

    def __init__(
        self,
        fine: tuple[WCS, tuple[int, int]],
        coarse: tuple[WCS, tuple[int, int]],
        widths: tuple[float, float],
        known: np.ndarray,
    ) -> None:
        self.shape = fine[1]
        self._known = known
        wider = np.sqrt(max(widths[1] ** 2 - widths[0] ** 2, 0))
        self._sigma = wider / FWHM_PER_SIGMA / pixel_arcsec(fine[0])
        self._rows = resampling_matrix(pixel_map(fine[0], *coarse), self.shape)
        self._columns = self._rows.T.tocsr()
        frame = self._average(np.ones(self.shape))
        under = self._average(known.astype(float))
        enough = (frame >= COVERED**2) & (under >= COVERED * frame)
        self._share = np.where(enough, 1 / np.where(enough, under, 1), 0)
        self.seen = enough.reshape(coarse[1])

    def _average(self, plane: np.ndarray) -> np.ndarray:
        return np.asarray(self._rows @ self._blurred(plane).ravel())

    def _blurred(self, plane: np.ndarray) -> np.ndarray:
        from scipy.ndimage import gaussian_filter

        return np.asarray(gaussian_filter(plane, self._sigma, mode="constant", output=float))

    def see(self, plane: np.ndarray) -> np.ndarray:
        """The fine plane (finite values) as the coarse map would have it, shape (n,) of the pixels
        that are `seen`.
        """
        found = self._average(np.where(self._known, plane, 0)) * self._share
        return np.asarray(found[self.seen.ravel()])

    def back(self, values: np.ndarray) -> np.ndarray:
        """The transpose of `see`: (n,) values of coarse pixels spread over the fine grid."""
        whole = np.zeros(self.seen.size)
        whole[self.seen.ravel()] = values
        spread = (self._columns @ (whole * self._share)).reshape(self.shape)
        return np.where(self._known, self._blurred(spread), 0)


def resampling_matrix(where: PixelMap, shape: tuple[int, int]) -> Any:
    """`prepare.grid.resampling` as a matrix, with zeros beyond the image's edges.

    Parameters
    ----------
    where : PixelMap
        Of a grid on an image.
    shape : tuple of int
        (ny, nx) of the image.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (pixels of the grid, pixels of the image)
        Rows sum to 1 where the whole kernel lies on the image.
    """
    from scipy import sparse

    ny, nx = shape
    x, y, reach = (plane.ravel() for plane in (where.x, where.y, where.reach))
    form = where.form.reshape(3, -1)
    with np.errstate(invalid="ignore"):
        near = (x + reach > 0) & (x - reach < nx - 1) & (y + reach > 0) & (y - reach < ny - 1)
    (pixels,) = np.nonzero(near)
    width = int(2 * reach[pixels].max(initial=1)) + 2
    steps = np.arange(width)
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(pixels), max(1, _CHUNK // width**2)):
        some = pixels[start : start + max(1, _CHUNK // width**2)]
        column = np.ceil(x[some] - reach[some])[:, None] + steps
        row = np.ceil(y[some] - reach[some])[:, None] + steps
        dx, dy = column - x[some, None], row - y[some, None]
        p, q, r = (part[some, None, None] for part in form)
        weight = np.exp(
            -(p * dx[:, None] ** 2 + 2 * q * dx[:, None] * dy[..., None] + r * dy[..., None] ** 2)
        )
        limit = reach[some, None]
        weight *= (np.abs(dx) <= limit)[:, None] & (np.abs(dy) <= limit)[..., None]
        weight /= weight.sum(axis=(1, 2), keepdims=True)
        inside = ((column >= 0) & (column < nx))[:, None] & ((row >= 0) & (row < ny))[..., None]
        inside &= weight > 0
        of, at_row, at_column = np.nonzero(inside)
        place = row[of, at_row].astype(np.int64) * nx + column[of, at_column].astype(np.int64)
        parts.append((weight[inside], some[of], place))
    if not parts:
        return sparse.csr_matrix((x.size, ny * nx))
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sparse.csr_matrix((values, (rows, columns)), shape=(x.size, ny * nx))
