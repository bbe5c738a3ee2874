"""Convolution of planes with one kernel, whole or at every so many pixels."""

from __future__ import annotations

import numpy as np

_WORK_RATIO = 50
"""So many multiplications in a product of matrices take as long as one pixel of an FFT times the
logarithm of their number, measured with images of 100^2 to 1024^2 pixels.
"""

Margins = tuple[int, int, int, int]
"""Pixels above, below, left and right of a rectangle."""


def convolve(
    planes: np.ndarray, kernel: np.ndarray, step: int = 1, margins: Margins = (0, 0, 0, 0)
) -> np.ndarray:
    """Convolve planes with one kernel, zero outside, in the planes' own precision: as two products
    of matrices where the kernel is a product of a column and a row and that is less work, else by
    FFT.

    Parameters
    ----------
    planes : ndarray of float32 or float64, shape (n, ny, nx)
        Finite values.
    kernel : ndarray, odd-sized
        Its centre is its middle pixel.
    step : int
        Only every so many pixels are wanted, from the first on, in either direction. These are
        exactly those of the whole convolution, and cost a fraction of it.
    margins : tuple of int
        Rows of zeros above and below the planes, and columns of zeros left and right of them, that
        are wanted too.

    Returns
    -------
    ndarray, shape (n, height / step, width / step), rounded up
        Of the planes' type; height and width are those of the planes with their margins.
    """
    kernel = kernel.astype(planes.dtype)
    above, below, left, right = margins
    ny, nx = planes.shape[1:]
    height, width = above + ny + below, left + nx + right
    rows, columns = -(-height // step), -(-width // step)
    lines = _column_and_row(kernel)
    work_of_products = 2 * rows * nx * (ny + columns)
    work_of_fft = height * width * np.log2(max(height * width, 2))
    if lines is not None and work_of_products < _WORK_RATIO * work_of_fft:
        down = _line_matrix(lines[0], rows, ny, step, above)
        across = _line_matrix(lines[1], columns, nx, step, left)
        return np.asarray(down @ planes @ across.T)
    if any(margins):
        planes = np.pad(planes, ((0, 0), (above, below), (left, right)))
    return _convolved_by_fft(planes, kernel, lines, step)


def _line_matrix(line: np.ndarray, n_out: int, n_in: int, step: int, first: int) -> np.ndarray:
    """The convolution with one line as a matrix, shape (n_out, n_in): from values at the places
    `first`, `first` + 1, ... to the places 0, `step`, 2 `step`, ...
    """
    index = step * np.arange(n_out)[:, None] - np.arange(first, first + n_in) + line.size // 2
    within = (index >= 0) & (index < line.size)
    return np.where(within, line[np.where(within, index, 0)], line.dtype.type(0))


def _convolved_by_fft(
    planes: np.ndarray,
    kernel: np.ndarray,
    lines: tuple[np.ndarray, np.ndarray] | None,
    step: int,
) -> np.ndarray:
    """`convolve` by FFT; `lines` as of `_column_and_row`."""
    from scipy import fft

    ny, nx = planes.shape[-2:]
    wanted = [max(n + k // 2, k) for n, k in zip((ny, nx), kernel.shape, strict=True)]
    rows = fft.next_fast_len(-(-wanted[0] // step))
    shape = (rows * step, fft.next_fast_len(wanted[1], real=True))
    down, across = _kernel_transform(kernel, lines, shape)
    out = np.empty((len(planes), -(-ny // step), -(-nx // step)), planes.dtype)
    for plane, result in zip(planes, out, strict=True):
        spectrum = fft.rfft2(plane, shape, workers=2)
        spectrum *= down
        if step > 1:  # every step-th row has the spectrum folded upon itself
            spectrum = spectrum.reshape(step, rows, -1).sum(axis=0)
        spectrum *= across / step
        folded = fft.ifft(spectrum, axis=0, workers=2, overwrite_x=True)[: out.shape[1]]
        result[:] = fft.irfft(folded, shape[1], axis=1, workers=2, overwrite_x=True)[:, :nx:step]
    return out


def _column_and_row(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The column and the row that a kernel is the product of, or None where it is not."""
    middle = [n // 2 for n in kernel.shape]
    if not kernel[middle[0], middle[1]]:
        return None
    column, row = kernel[:, middle[1]], kernel[middle[0]] / kernel[middle[0], middle[1]]
    off = np.abs(np.outer(column, row) - kernel).max()
    return (column, row) if off <= 1e-6 * np.abs(kernel).max() else None


def _kernel_transform(
    kernel: np.ndarray,
    lines: tuple[np.ndarray, np.ndarray] | None,
    shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Two factors of a kernel's transform about its middle pixel: by rows and by columns where it
    is a product of such.
    """
    from scipy import fft

    middle = [n // 2 for n in kernel.shape]
    if lines is not None:
        rolled = []
        for line, n, centre in zip(lines, shape, middle, strict=True):
            padded = np.zeros(n, kernel.dtype)
            padded[: line.size] = line
            rolled.append(np.roll(padded, -centre))
        return fft.fft(rolled[0])[:, None], fft.rfft(rolled[1])[None]
    whole = np.zeros(shape, kernel.dtype)
    whole[: kernel.shape[0], : kernel.shape[1]] = kernel
    transform = fft.rfft2(
        np.roll(whole, (-middle[0], -middle[1]), (0, 1)), workers=2, overwrite_x=True
    )
    return transform, np.ones((1, 1), kernel.dtype)
