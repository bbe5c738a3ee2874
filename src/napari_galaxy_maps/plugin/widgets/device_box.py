"""The choice of where a model runs: devices that this machine has not are grey."""

from __future__ import annotations

import sys
from typing import Any

from qtpy.QtCore import QTimer

from ..eventloop import preload
from .qt_parts import ComboBox

_DEVICES = (
    ("auto", "auto: the fastest there is"),
    ("cpu", "CPU"),
    ("cuda", "CUDA GPU"),
    ("mps", "Apple GPU (MPS)"),
)
_LOOK_MS = 1000


class DeviceBox(ComboBox):
    """A drop-down of devices, whose data are the recipe's words for them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("device")
        for value, text in _DEVICES:
            self.addItem(text, value)
        self.setToolTip("Where the model runs; auto takes a graphics card where there is one")
        self._looking = QTimer(self)
        self._looking.timeout.connect(self.look)
        self._looking.start(_LOOK_MS)
        self.look()

    def look(self) -> None:
        """Enable the devices of this machine, once torch is there to be asked."""
        available = available_devices()
        model: Any = self.model()
        for i, (value, text) in enumerate(_DEVICES):
            model.item(i).setEnabled(value in available)
            self.setItemText(i, text if value in available else f"{text}: not on this machine")
        if not preload.under_way():
            self._looking.stop()


def available_devices() -> set[str]:
    """Where a model can run, as far as is known without importing torch for it."""
    torch = sys.modules.get("torch")
    # Half imported by another thread: who asks for it now waits until the import is over, and the
    # window with him.
    if torch is None or getattr(torch.__spec__, "_initializing", False):
        return {"auto", "cpu"}
    from ... import device

    return {"auto", *device.available_devices()}
