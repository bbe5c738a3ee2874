"""The mouse and the keys on the canvas, as Qt hears them from a person."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_APART_MS = 12
"""Between two movements; vispy takes no notice of one that comes within 10 ms of another."""


def canvas(viewer) -> QWidget:
    """The widget that hears mouse and keys."""
    return viewer.window._qt_viewer.canvas.native


def pixel(viewer, north: float, west: float) -> QPoint:
    """Where a point of the sky lies on the canvas: offsets in arcsec from where the tangent plane
    touches.
    """
    camera, _ = camera_and_scale_bar(viewer)
    widget, (centre_north, centre_west) = canvas(viewer), camera.center[-2:]
    return QPoint(
        round(widget.width() / 2 + (west - centre_west) * camera.zoom),
        round(widget.height() / 2 - (north - centre_north) * camera.zoom),
    )


def send(
    viewer, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, buttons: Qt.MouseButton
) -> None:
    """What the mouse does at a point of the canvas, handled whole."""
    widget = canvas(viewer)
    event = QMouseEvent(
        kind,
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        button,
        buttons,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()


def drag(viewer, start: tuple[float, float], end: tuple[float, float], steps: int = 6) -> None:
    """Press at one point of the sky, move, and let go at another; at the same point it is a
    click.
    """
    move(viewer, start)
    a, b = pixel(viewer, *start), pixel(viewer, *end)
    send(viewer, QEvent.Type.MouseButtonPress, a, LEFT, LEFT)
    for i in range(1, steps + 1) if a != b else ():
        between = QPoint(
            round(a.x() + (b.x() - a.x()) * i / steps), round(a.y() + (b.y() - a.y()) * i / steps)
        )
        QTest.qWait(_APART_MS)
        send(viewer, QEvent.Type.MouseMove, between, NONE, LEFT)
    send(viewer, QEvent.Type.MouseButtonRelease, b, LEFT, NONE)


def move(viewer, point: tuple[float, float]) -> None:
    """Put the pointer on a point of the sky."""
    QTest.qWait(_APART_MS)
    send(viewer, QEvent.Type.MouseMove, pixel(viewer, *point), NONE, NONE)


def click(viewer, point: tuple[float, float]) -> None:
    """Press and let go at a point of the sky."""
    drag(viewer, point, point)


def key(
    viewer, code: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Press a key over the canvas."""
    QTest.keyClick(canvas(viewer), code, modifier)
    QApplication.processEvents()


def wheel_over(widget: QWidget, turns: int = -1) -> QWheelEvent:
    """Turns of the wheel over the middle of a widget, down where there are less than none: handed
    from widget to parent until one takes it, as Qt does with what a person turns.
    """
    over = widget
    while True:
        middle = over.rect().center()
        event = QWheelEvent(
            QPointF(middle),
            QPointF(over.mapToGlobal(middle)),
            QPoint(0, 0),
            QPoint(0, 120 * turns),
            NONE,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(over, event)
        if event.isAccepted() or over.isWindow() or over.parentWidget() is None:
            return event
        over = over.parentWidget()
