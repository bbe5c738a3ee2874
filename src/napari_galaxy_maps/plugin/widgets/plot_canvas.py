"""Plots inside panels: a matplotlib canvas in the window's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .theme_colours import FAINT, Inks, readable
from .theme_colours import GROUND as GROUND_INK
from .theme_colours import INK as TEXT_INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

GROUND, INK, FAINT_INK = "#262930", "#d6d8dd", "#8a9098"
COLOURS = ("#4fc3f7", "#ffb347", "#8fd694", "#e58fb1")
"""Of the first, second … thing in a plot. Plots are drawn in these colours, which are those of the
dark theme, and then `dye`d."""
NAME = "plot_canvas"
"""By which panels find plots."""
_CONTRAST = 3.0
"""Least contrast of lines and their ground: Web Content Accessibility Guidelines 2.1, 1.4.11."""


def make_canvas(height: int = 300) -> FigureCanvasQTAgg:
    """A canvas with one empty figure; matplotlib is loaded now, when the first plot is asked
    for.
    """
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
    from matplotlib.figure import Figure
    from qtpy.QtWidgets import QSizePolicy

    canvas = FigureCanvasQTAgg(Figure(facecolor=GROUND, layout="constrained"))
    canvas.setObjectName(NAME)
    canvas.setMinimumHeight(height)
    canvas.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return canvas


def dress(axes: Axes) -> None:
    """Axes in the window's colours."""
    axes.set_facecolor(GROUND)
    axes.tick_params(colors=INK, which="both", labelsize=8)
    for spine in axes.spines.values():
        spine.set_color(FAINT_INK)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(INK)
        label.set_fontsize(9)


def legend(axes: Axes) -> None:
    """A legend that hides nothing."""
    axes.legend(frameon=False, labelcolor=INK, fontsize=8)


def dye(canvas: Any, inks: Inks) -> None:
    """Give a plot the colours of a theme, in the place of those that it was drawn or dyed in.

    Parameters
    ----------
    canvas : FigureCanvasQTAgg
        One of `make_canvas`.
    inks : dict
        The theme's, by `theme_colours`.
    """
    ground = inks[GROUND_INK]
    new = (
        ground,
        inks[TEXT_INK],
        inks[FAINT],
        *(readable(colour, (ground,), _CONTRAST) for colour in COLOURS),
    )
    drawn = (GROUND, INK, FAINT_INK, *COLOURS)
    table = dict(zip(getattr(canvas, "colours", drawn), new, strict=True))
    canvas.colours = new
    _exchange(canvas.figure, {**table, **dict(zip(drawn, new, strict=True))})
    for axes in canvas.figure.axes:
        axes.tick_params(colors=inks[TEXT_INK], which="both")
    canvas.draw_idle()


def _exchange(figure: Any, table: dict[str, str]) -> None:
    """Other colours for all artists of a figure, however opaque they are."""
    from matplotlib.colors import to_hex, to_rgba_array

    for artist in figure.findobj():
        for name in ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor"):
            get, give = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
            if get is None or give is None:
                continue
            rgba = to_rgba_array(get())
            if len(rgba) == 1 and to_hex(rgba[0]) in table:
                give((table[to_hex(rgba[0])], float(rgba[0, 3])))


def write_figure(figure: Any, path: str) -> None:
    """A figure as PNG, PDF or SVG, on white, whole or not at all.

    Raises
    ------
    InputError
        When the file cannot be written or its name ends otherwise.
    """
    from pathlib import Path

    from ...exceptions import InputError
    from ...fits_io.safe_writing import written_whole

    ending = Path(path).suffix.lower()
    if ending not in (".png", ".pdf", ".svg"):
        raise InputError(
            f"{path}: figures are saved as .png, .pdf or .svg; give the file such a name."
        )
    with written_whole(path, overwrite=True) as beside:
        figure.savefig(beside, format=ending[1:], dpi=200, facecolor="white")


def save_figure(canvas: Any, path: str) -> None:
    """The plot of a canvas, black on white as papers have it; raises as `write_figure`."""
    with on_paper(canvas.figure):
        write_figure(canvas.figure, path)
    canvas.draw_idle()


class on_paper:
    """While a figure is saved: black on white instead of light on dark."""

    def __init__(self, figure: Any):
        self._figure, self._before = figure, [(artist, colour) for artist, colour in _inks(figure)]

    def __enter__(self) -> None:
        for artist, _ in self._before:
            _ink(artist, "black")
        for axes in self._figure.axes:
            axes.set_facecolor("white")
            axes.tick_params(colors="black", which="both")

    def __exit__(self, *_: object) -> None:
        for artist, colour in self._before:
            _ink(artist, colour)
        colours = getattr(self._figure.canvas, "colours", (GROUND, INK))
        for axes in self._figure.axes:
            axes.set_facecolor(colours[0])
            axes.tick_params(colors=colours[1], which="both")


def _inks(figure: Any) -> list[tuple[Any, Any]]:
    """Texts and frames with their colours."""
    from matplotlib.spines import Spine
    from matplotlib.text import Text

    texts = [(text, text.get_color()) for text in figure.findobj(Text)]
    return texts + [(spine, spine.get_edgecolor()) for spine in figure.findobj(Spine)]


def _ink(artist: Any, colour: Any) -> None:
    artist.set_color(colour)
