"""Keeps full garbage collections, which stop the window for 80 to 400 ms, out of moments that
matter.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable

from .process_switches import may_change

_NEVER = 100_000
_STILL_S = 3
"""So many seconds without a move of the pointer pass for nobody looking."""
_holders: set[Hashable] = set()
_working: set[Hashable] = set()
"""Jobs that leave so much behind that it has to be collected meanwhile."""
_usual: tuple[int, int, int] | None = None
"""The thresholds that the process had before they were changed here."""


def hold(who: Hashable, litters: bool = False) -> None:
    """No full collections until `who` lets go; young garbage is collected as ever.

    Parameters
    ----------
    who : hashable
        The job or queue itself and no name for it, for the windows of a process have one each.
    litters : bool
        Whether it leaves so much behind that Python may collect when it likes; what is done when
        the pointer rests waits none the less.
    """
    global _usual
    if litters:
        _working.add(who)
        return
    _holders.add(who)
    if _usual is None and may_change("collections"):
        _usual = gc.get_threshold()
        gc.set_threshold(_usual[0], _usual[1], _NEVER)


def let_go(who: Hashable) -> None:
    """The reverse of `hold`.

    Once nobody holds any more, all that is there is taken out of full collections in no time,
    garbage included, and `set_aside` follows when nobody moves the pointer.
    """
    _working.discard(who)
    if who not in _holders:
        return
    _holders.discard(who)
    if not _holders:
        freeze()
        _restore()
        collect_when_still()


def let_go_aside(who: Hashable) -> None:
    """The reverse of `hold` for other threads than the window's: what is there is set aside, and
    collected another time.
    """
    _holders.discard(who)
    freeze()
    if not _holders:
        _restore()


def freeze() -> None:
    """Take all that is there by now out of the full collections to come, garbage included."""
    if may_change("freeze"):
        gc.freeze()


def set_aside() -> None:
    """Collect, and take all that is there by now out of the full collections to come."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def collect_when_still() -> None:
    """Have what was taken out of full collections looked through, too, once the pointer rests.

    Nothing else would ever collect a window that was closed after it was taken out of them.
    """
    if may_change("freeze"):
        _Stillness.wait()


def _restore() -> None:
    """The thresholds as they were before anybody held."""
    global _usual
    if _usual is not None:
        gc.set_threshold(*_usual)
        _usual = None


class _Stillness:
    """Waits, a look a second, for a pointer that does not move; then collects once."""

    _timer = None
    _seen: tuple[int, int] | None = None
    _count = 0

    @classmethod
    def wait(cls) -> None:
        from qtpy.compat import isalive
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication

        # A script that ends lets the timer go before its last window.
        if QApplication.closingDown() or (cls._timer is not None and not isalive(cls._timer)):
            return
        if QApplication.instance() is None:
            set_aside()
            return
        if cls._timer is None:
            cls._timer = QTimer()
            cls._timer.timeout.connect(cls._look)
        cls._count = 0
        cls._timer.start(1000)

    @classmethod
    def _look(cls) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtGui import QCursor
        from qtpy.QtWidgets import QApplication

        here = (QCursor.pos().x(), QCursor.pos().y())
        moving = (
            here != cls._seen
            or QApplication.mouseButtons() != Qt.MouseButton.NoButton
            or bool(_holders or _working)
        )
        cls._seen = here
        cls._count = 0 if moving else cls._count + 1
        if cls._count >= _STILL_S and cls._timer is not None:
            cls._timer.stop()
            set_aside()
