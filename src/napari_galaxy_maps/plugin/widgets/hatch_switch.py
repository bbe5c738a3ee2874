"""The switch of the hatching of doubtful pixels."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox

from ..canvas.doubtful_pixels import DoubtfulPixels
from ..canvas.map_views import HATCH_KEY


class HatchSwitch(QCheckBox):
    """A tick box, on where doubtful pixels are hatched.

    Parameters
    ----------
    doubtful : DoubtfulPixels
        What it switches; who shows it lets it `follow` when that is switched elsewhere.
    """

    def __init__(self, doubtful: DoubtfulPixels):
        super().__init__("Hatch doubtful pixels")
        self._doubtful = doubtful
        self.setObjectName("hatch")
        self.setToolTip(
            "Strokes over the pixels of maps whose value is doubtful: \\\\\\ where they are unlike "
            "anything the model was trained on, /// where the normalising band is under 3 sigma "
            f"({HATCH_KEY.replace('-', '+')} over the canvas)"
        )
        self.clicked.connect(lambda on: doubtful.switch(bool(on)))
        self.follow()

    def follow(self) -> None:
        """Show whether it is on."""
        self.setChecked(self._doubtful.on)
