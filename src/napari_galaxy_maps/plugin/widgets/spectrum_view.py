"""The plot of a spectrum under the pointer: what stays is painted once, what changes is laid over
it (blitting).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QVBoxLayout, QWidget

from . import plot_canvas as plots
from .qt_parts import present
from .theme_colours import inks_of

if TYPE_CHECKING:
    from ...sed.pixel import PixelSpectrum

_RANGE_UM = (0.1, 900.0)
_MODEL, _DATA, _PREDICTED = plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[2]
_DECADES = 5
"""At most so many decades are shown below a spectrum's brightest point."""
_MOST_DECADES = 7
_MARGINS = (62, 44, 10, 10)
"""Left, bottom, right and top of the axes, pixels."""
_BARS: dict[str, Any] = {"lw": 1.2, "solid_capstyle": "butt"}
_LABEL = 20
"""From the plot's edge to the right side of the upright label, pixels."""


class SpectrumView(QWidget):
    """Fluxes with errors, the median model with its 16-84 % band, and the predicted far
    infrared.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("spectrum")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.canvas: Any = None
        self.repaints = 0
        """How often all of it was painted, not only what changes."""
        self._frame: Any = None
        """All that stays whatever is shown: not the axis of brightness."""
        self._background: Any = None
        """The same with that axis; None where it has changed."""
        self._artists: dict[str, Any] = {}
        self._shown: list[Any] = []
        """Those of the artists that have anything to paint."""
        self._limits = (1e-3, 1e2)

    def _make(self) -> None:
        self.canvas = plots.make_canvas(280)
        # A layout that is worked out at every painting would cost more than the painting.
        self.canvas.figure.set_layout_engine("none")
        present(self.layout()).addWidget(self.canvas)
        axes = self.axes = self.canvas.figure.add_subplot()
        plots.dress(axes)
        self._place_axes()
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(*_RANGE_UM)
        axes.set_ylim(*self._limits)
        axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_xlabel("wavelength [µm]")
        axes.set_ylabel("surface brightness [MJy/sr]")
        made: dict[str, Any] = {
            "band": axes.fill_between(
                [1, 2], [1, 1], [1, 1], color=_MODEL, alpha=0.3, lw=0, label="16–84 %"
            ),
            "model": axes.plot([], [], color=_MODEL, lw=1.3, label="median model")[0],
            "predicted": axes.plot(
                [],
                [],
                ls="",
                marker="s",
                ms=6,
                mfc="none",
                mec=_PREDICTED,
                mew=1.3,
                label="predicted far infrared",
            )[0],
            "predicted errors": axes.plot([], [], color=_PREDICTED, **_BARS)[0],
            "errors": axes.plot([], [], color=_DATA, **_BARS)[0],
            "left": axes.plot(
                [], [], ls="", marker="o", ms=5, mfc="none", mec=_DATA, label="measured, not fitted"
            )[0],
            "data": axes.plot([], [], ls="", marker="o", ms=4.5, color=_DATA, label="measured")[0],
            "limits": axes.plot(
                [], [], ls="", marker="v", ms=6, color=_DATA, label="not positive: 3 σ limit"
            )[0],
        }
        plots.legend(axes)
        for artist in (axes.yaxis, *made.values()):
            artist.set_animated(True)
        self._artists = made
        self.canvas.mpl_connect("resize_event", self._place_axes)
        self.canvas.mpl_connect("draw_event", self._painted)
        plots.dye(self.canvas, inks_of(self))

    def _place_axes(self, _: Any = None) -> None:
        """Margins for the labels, as wide whatever the size of the plot."""
        left, bottom, right, top = _MARGINS
        width, height = (max(float(side), 200.0) for side in self.canvas.get_width_height())
        self.axes.set_position(
            (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
        )
        # Where the label would stand beside the numbers takes a third of the axis' time to find.
        middle = (height + bottom - top) / 2 / height
        self.axes.yaxis.set_label_coords(_LABEL / width, middle, self.canvas.figure.transSubfigure)

    def _painted(self, _: Any) -> None:
        """All of it has been painted, without what changes: keep that, and lay the rest over it."""
        self.repaints += 1
        self._frame = self.canvas.copy_from_bbox(self.canvas.figure.bbox)
        self._background = None
        self._draw_changing()

    def _draw_changing(self) -> None:
        """Lay what changes over what stays."""
        if self._background is None:
            self.canvas.restore_region(self._frame)
            self.axes.draw_artist(self.axes.yaxis)
            self._background = self.canvas.copy_from_bbox(self.canvas.figure.bbox)
        else:
            self.canvas.restore_region(self._background)
        for artist in self._shown:
            self.axes.draw_artist(artist)

    def clear(self) -> None:
        """Show nothing but the axes."""
        if self.canvas is None:
            return
        self._artists["band"].set_verts([])
        for name in self._artists.keys() - {"band"}:
            self._artists[name].set_data([], [])
        self._shown = []
        self._lay()

    def show_spectrum(self, found: PixelSpectrum) -> None:
        """Show another pixel's."""
        if self.canvas is None:
            self._make()
        from ...bands.registry import FIR_BANDS

        artists = self._artists
        low, middle, high = found.spectrum
        artists["model"].set_data(found.spectrum_um, middle)
        x = np.concatenate([found.spectrum_um, found.spectrum_um[::-1]])
        artists["band"].set_verts(
            [np.column_stack([x, np.concatenate([np.maximum(low, 1e-12), high[::-1]])])]
        )
        far = np.array([name in FIR_BANDS for name in found.model_bands])
        at, percentiles = found.model_um[far], found.model_flux[:, far]
        artists["predicted"].set_data(at, percentiles[1])
        artists["predicted errors"].set_data(_bars(at, percentiles[0], percentiles[2]))
        limit, flux = found.limit, found.flux
        for name, which in (
            ("data", found.fitted & ~limit),
            ("left", ~found.fitted & ~limit),
            ("limits", limit),
        ):
            artists[name].set_data(found.wavelength[which], found.shown[which])
        seen = ~limit
        lowest = np.maximum(flux[seen] - found.error[seen], 1e-12)
        artists["errors"].set_data(
            _bars(found.wavelength[seen], lowest, flux[seen] + found.error[seen])
        )
        self._shown = [
            artist
            for name, artist in artists.items()
            if name == "band" or len(artist.get_xdata(orig=True))
        ]
        self._fit_limits(
            np.concatenate([found.shown, percentiles[1], middle[found.spectrum_um > 0.15]])
        )

    def _fit_limits(self, values: np.ndarray) -> None:
        """Whole decades, which grow with what was shown: their axis is painted anew only where a
        spectrum leaves them or is lost in them.
        """
        values = values[np.isfinite(values) & (values > 0)]
        if values.size:
            top = int(np.ceil(np.log10(values.max() * 1.5)))
            bottom = max(int(np.floor(np.log10(values.min()))), top - _DECADES)
            low, high = (round(float(edge)) for edge in np.log10(self._limits))
            if top > high or bottom < low:
                both = (min(bottom, low), max(top, high))
                self._show_decades(*(both if both[1] - both[0] <= _MOST_DECADES else (bottom, top)))
            elif top - bottom < 0.4 * (high - low):
                self._show_decades(bottom, top)
        self._lay()

    def _show_decades(self, bottom: int, top: int) -> None:
        self._limits = (10.0**bottom, 10.0**top)
        self.axes.set_ylim(*self._limits)
        self._background = None

    def _lay(self) -> None:
        """Show what changes; where the rest is not painted yet, all of it is."""
        if self._frame is None:
            self.canvas.draw()
        else:
            self._draw_changing()
        # Painted with all else in the panel that changes: to bring a part of the window to the
        # screen costs as much as all of it.
        self.canvas.update()


def _bars(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upright bars as one broken line, which is painted faster than a line each."""
    nothing = np.full(len(x), np.nan)
    return np.repeat(x, 3), np.column_stack([low, high, nothing]).ravel()
