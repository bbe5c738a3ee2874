"""The compiled loop that finds how much of each pixel lies within an ellipse; compiled when this
module is imported, and kept on disk.
"""

from __future__ import annotations

from math import atan2, ceil, floor, sqrt

import numpy as np

from ...compiled import compiled


@compiled(nogil=True)
def of_side(x0, y0, x1, y1):  # type: ignore[no-untyped-def]
    """Signed area within the unit circle of the triangle of the centre and a side."""
    dx, dy = x1 - x0, y1 - y0
    square, along = dx * dx + dy * dy, x0 * dx + y0 * dy
    under = along * along - square * (x0 * x0 + y0 * y0 - 1)
    first = last = 2.0
    if under > 0:
        root = sqrt(under)
        first, last = (-along - root) / square, (-along + root) / square
    if first >= 1 or last <= 0:  # it passes the circle by
        return 0.5 * atan2(x0 * y1 - x1 * y0, x0 * x1 + y0 * y1)
    area = 0.0
    xa, ya, xb, yb = x0, y0, x1, y1
    if first > 0:
        xa, ya = x0 + first * dx, y0 + first * dy
        area += 0.5 * atan2(x0 * ya - xa * y0, x0 * xa + y0 * ya)
    if last < 1:
        xb, yb = x0 + last * dx, y0 + last * dy
        area += 0.5 * atan2(xb * y1 - x1 * yb, xb * x1 + yb * y1)
    return area + 0.5 * (xa * yb - xb * ya)


@compiled(nogil=True)
def shares(x, y, a, b, cos, sin, left, low, nx, ny):  # type: ignore[no-untyped-def]
    """The share of each of ``(ny, nx)`` pixels, from column ``left`` and row ``low`` on, that lies
    within an ellipse about ``(x, y)`` with semi-axes ``a`` and ``b``, whose major axis is turned by
    the angle of ``cos`` and ``sin``; all in pixels.

    Only pixels that the ellipse cuts are worked out: a row's first and last pixels follow from
    where the ellipse is at its two edges. The area of a pixel within the ellipse is that of a
    parallelogram within the unit circle, which is summed over its sides: each makes a triangle with
    the centre, and this, where it reaches beyond the circle, a sector.
    """
    out = np.zeros((ny, nx))
    # The ellipse is p dx^2 + 2 q dx dy + r dy^2 = 1.
    p, r = (cos / a) ** 2 + (sin / b) ** 2, (sin / a) ** 2 + (cos / b) ** 2
    q, det = sin * cos * (1 / a**2 - 1 / b**2), 1 / (a * b) ** 2
    widest, highest = sqrt(r / det), sqrt(p / det)
    turn = -q * widest / r  # where it reaches farthest to the right
    for i in range(ny):
        bottom, top = low + i - 0.5 - y, low + i + 0.5 - y
        y0, y1 = max(bottom, -highest), min(top, highest)
        if y0 >= y1:
            continue
        half0, half1 = sqrt(max(p - det * y0 * y0, 0.0)), sqrt(max(p - det * y1 * y1, 0.0))
        left0, right0 = (-q * y0 - half0) / p, (-q * y0 + half0) / p
        left1, right1 = (-q * y1 - half1) / p, (-q * y1 + half1) / p
        farthest = widest if y0 < turn < y1 else max(right0, right1)
        nearest = -widest if y0 < -turn < y1 else min(left0, left1)
        begin = max(floor(nearest + x + 0.5) - left, 0)
        end = min(ceil(farthest + x + 0.5) - left, nx)
        whole = (0, 0)
        if bottom >= -highest and top <= highest:
            whole = (
                ceil(max(left0, left1) + x + 0.5) - left,
                floor(min(right0, right1) + x + 0.5) - left,
            )
        for j in range(begin, end):
            if whole[0] <= j < whole[1]:
                out[i, j] = 1.0
                continue
            west, east = left + j - 0.5 - x, left + j + 0.5 - x
            u0, u1 = west * cos / a, east * cos / a
            v0, v1 = -west * sin / b, -east * sin / b
            ua, ub, va, vb = bottom * sin / a, top * sin / a, bottom * cos / b, top * cos / b
            area = of_side(u0 + ua, v0 + va, u1 + ua, v1 + va)
            area += of_side(u1 + ua, v1 + va, u1 + ub, v1 + vb)
            area += of_side(u1 + ub, v1 + vb, u0 + ub, v0 + vb)
            area += of_side(u0 + ub, v0 + vb, u0 + ua, v0 + va)
            out[i, j] = min(max(area * a * b, 0.0), 1.0)
    return out
