"""The compiled loops over maps that lie in memory in small squares (see `terms`); compiled when
this module is imported, and kept on disk.
"""

from __future__ import annotations

import numpy as np

from ...compiled import compiled

_FAST = {"reassoc", "contract", "nsz"}  # NaN stays NaN


@compiled(nogil=True)
def spread(plane, where, side):  # type: ignore[no-untyped-def]
    """Squares of a map one after the other, in double precision; of an empty plane there are
    none.
    """
    if not plane.size:
        return np.empty((0, side, side))
    found = np.empty((len(where), side, side))
    for k in range(len(where)):
        top, left = where[k, 0] * side, where[k, 1] * side
        high, wide = min(side, plane.shape[0] - top), min(side, plane.shape[1] - left)
        if high < side or wide < side:
            found[k] = 0.0
        found[k, :high, :wide] = plane[top : top + high, left : left + wide]
    return found


@compiled(nogil=True, fastmath=_FAST)
def fill(  # type: ignore[no-untyped-def]
    values, amounts, weights, errors, shared, log, where, number, squares, totals
):
    """Make the terms of some squares of one map, and their sums.

    Empty planes stand for weights of 1, and for errors, or parts of them, that are not known.
    """
    side = squares.shape[4]
    slope = np.log(10.0) * abs(log)
    for k in range(len(where)):
        top, left = where[k, 0] * side, where[k, 1] * side
        terms = squares[where[k, 0], where[k, 1], number]
        high, wide = min(side, values.shape[0] - top), min(side, values.shape[1] - left)
        for i in range(high):
            terms[len(terms) - 1, i, :wide] = values[top + i, left : left + wide]
            for j in range(wide):
                amount = amounts[k, i, j]
                weight = weights[k, i, j] if weights.size else 1.0
                counts = abs(amount) < np.inf and weight < np.inf
                error = float(errors[top + i, left + j]) if errors.size else np.nan
                common = 0.0
                if shared.size:
                    common = min(float(shared[top + i, left + j]), error)  # not more, by rounding
                    error = np.sqrt(error * error - common * common)
                scale = weight * slope * amount if log else weight
                terms[0, i, j] = weight * amount if counts else 0.0
                terms[1, i, j] = weight if counts else 0.0
                terms[2, i, j] = scale * error if counts else 0.0
                if len(terms) > 4:
                    terms[3, i, j] = scale * common if counts else 0.0
        total = totals[where[k, 0], where[k, 1], number]
        total[:] = 0.0
        add_part(terms, 0, 0, np.ones((high, wide)), total)


@compiled(nogil=True, fastmath=_FAST)
def add_part(terms, row, column, weights, out):  # type: ignore[no-untyped-def]
    """Add the sums over a part of a square, from a row and a column on, by the share of each pixel
    that counts.
    """
    amount = weight = error = squared = pixels = shared = 0.0
    end = column + weights.shape[1]
    for i in range(len(weights)):
        # Counted from 0 in slices, whose indices are never negative: only such loops are made into
        # vector instructions.
        inside = weights[i]
        quantity = terms[0, row + i, column:end]
        part = terms[1, row + i, column:end]
        noise = terms[2, row + i, column:end]
        for j in range(len(inside)):
            w, share = inside[j], part[j]
            e = w * noise[j] if w > 0 else 0.0  # errors may be NaN beside the aperture
            amount += w * quantity[j]
            weight += w * share
            error += e
            squared += e * e
            pixels += w if share > 0 else 0.0
        if len(terms) > 4:
            common = terms[3, row + i, column:end]
            for j in range(len(inside)):
                shared += inside[j] * common[j] if inside[j] > 0 else 0.0
    out[0] += amount
    out[1] += weight
    out[2] += error
    out[3] += squared
    out[4] += pixels
    out[5] += shared


@compiled(nogil=True, fastmath=_FAST)
def extremes(weights):  # type: ignore[no-untyped-def]
    """The least and the largest of some weights, which are from 0 to 1."""
    least, most = 1.0, 0.0
    for i in range(weights.shape[0]):
        row = weights[i]
        for j in range(len(row)):
            least, most = min(least, row[j]), max(most, row[j])
    return least, most


@compiled(nogil=True, fastmath=_FAST)
def sums(squares, totals, weights, row, column):  # type: ignore[no-untyped-def]
    """Of each map: weight times quantity, weight, error, squared error, pixels with a value, and
    the error that all pixels share, summed over an aperture from a row and a column on; shape (n,
    6).

    Squares that lie within the aperture have their sums already.
    """
    ny, nx = weights.shape
    n_maps, side = squares.shape[2], squares.shape[4]
    out = np.zeros((n_maps, 6))
    for y in range(row // side, -(-(row + ny) // side)):
        top, bottom = max(y * side, row), min((y + 1) * side, row + ny)
        for x in range(column // side, -(-(column + nx) // side)):
            left, right = max(x * side, column), min((x + 1) * side, column + nx)
            part = weights[top - row : bottom - row, left - column : right - column]
            least, most = extremes(part)
            if most == 0:
                continue
            if least == 1 and part.size == side * side:
                out += totals[y, x]
                continue
            for n in range(n_maps):
                add_part(squares[y, x, n], top - y * side, left - x * side, part, out[n])
    return out


@compiled(nogil=True)
def gathered(squares, number, inside, row, column, into):  # type: ignore[no-untyped-def]
    """Write the pixels with a value of a map that are ``inside`` an aperture from a row and a
    column on into an array, and say how many they are.
    """
    ny, nx = inside.shape
    side, last = squares.shape[4], squares.shape[3] - 1
    count = 0
    for y in range(row // side, -(-(row + ny) // side)):
        top, bottom = max(y * side, row), min((y + 1) * side, row + ny)
        for x in range(column // side, -(-(column + nx) // side)):
            left, right = max(x * side, column), min((x + 1) * side, column + nx)
            values = squares[y, x, number, last]
            for i in range(top, bottom):
                pixels = values[i - y * side, left - x * side : right - x * side]
                here = inside[i - row, left - column : right - column]
                for j in range(len(here)):
                    # Each is written, and the next one over it unless it counts: that needs no
                    # branch.
                    into[count] = pixels[j]
                    count += here[j] & (abs(pixels[j]) < np.inf)
    return count


@compiled(nogil=True)
def flagged(flags, squares, inside, row, column):  # type: ignore[no-untyped-def]
    """The bits of pixels ``inside`` an aperture from a row and a column on that have a value on any
    map.
    """
    ny, nx = inside.shape
    side, last = squares.shape[4], squares.shape[3] - 1
    found = 0
    for i in range(ny):
        for j in range(nx):
            bits = flags[row + i, column + j]
            if bits and inside[i, j] and (found | bits) != found:
                y, x = row + i, column + j
                values = squares[y // side, x // side, :, last, y % side, x % side]
                if np.isfinite(values).any():
                    found |= bits
    return found
