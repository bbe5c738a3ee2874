"""Work in the main thread, a piece per turn of the event loop, so that the window paints and hears
its user in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType

from ..ground import viewers
from . import garbage_collection

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PAINT_MS = 2
_TURN_MS = 15

Task = Callable[[], Any]


class IdleQueue:
    """Tasks in a row. A task and the painting of what it changed are a turn each.

    Parameters
    ----------
    viewer : weak reference to a viewer
        Tasks that are left when its window closes are dropped. Without Qt all are done at once.
    """

    def __init__(self, viewer: ReferenceType[ViewerModel]):
        self._viewer = viewer
        self._tasks: list[Task] = []
        self._turning = False

    @property
    def busy(self) -> bool:
        """Whether tasks wait for their turn."""
        return bool(self._tasks) or self._turning

    def has(self, task: Task) -> bool:
        """Whether `task` waits already."""
        return task in self._tasks

    def clear(self) -> None:
        """Drop all tasks that have not had their turn."""
        self._tasks.clear()

    def take(self) -> list[Task]:
        """Take all tasks that have not had their turn out of the row, to be added again."""
        tasks, self._tasks[:] = list(self._tasks), []
        return tasks

    def add(self, tasks: Iterable[Task]) -> None:
        """Put tasks at the end of the row."""
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication

        self._tasks.extend(tasks)
        if QApplication.instance() is None or not hasattr(self._viewer(), "window"):
            while self._tasks:
                self._tasks.pop(0)()
        elif self._tasks and not self._turning:
            self._turning = True
            # A full garbage collection would make one of the turns several times as long.
            garbage_collection.hold(self)
            # What has called for the tasks is painted first.
            QTimer.singleShot(_TURN_MS, self._turn)

    def _turn(self) -> None:
        from qtpy.QtCore import QTimer

        viewer = self._viewer()
        if viewer is None or viewers.is_closed(viewer):
            self._tasks.clear()
        if viewer is None or not self._tasks:
            self._turning = False
            garbage_collection.let_go(self)
            return
        task = self._tasks.pop(0)
        paint = viewers.hold_painting(viewer)
        try:
            task()
        finally:
            QTimer.singleShot(_PAINT_MS, partial(self._paint, paint))

    def _paint(self, paint: Task) -> None:
        from qtpy.QtCore import QTimer

        paint()
        # Counted from here, not from the task's end: else both timers can be due at once, and task
        # and paint make one stall.
        QTimer.singleShot(_TURN_MS, self._turn)


def next_turn(task: Callable[[], None]) -> None:
    """Call `task` in the next turn of the event loop."""
    from qtpy.QtCore import QTimer

    QTimer.singleShot(0, task)
