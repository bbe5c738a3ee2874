"""The line of a panel that says what is under way and how far it is, with the button that stops
it.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from ..eventloop.worker import JobRunner

CANCEL_TIP = "Stop the work that is under way; all that was there before stays"
_PATIENCE_MS = 300
"""Work of less is over before a line could be read."""
_TURN_MS = 500
"""As of the bar of `Job`, and for the same reason.
"""


class JobLine(QWidget):
    """Hidden as long as nothing is under way that takes its time.

    Parameters
    ----------
    runner : JobRunner
        Whose job it shows.
    """

    def __init__(self, runner: JobRunner):
        super().__init__()
        self.setObjectName("job_line")
        self._runner = runner
        self.words = QLabel()
        self.words.setObjectName("job_words")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setObjectName("job_bar")
        self.bar.setTextVisible(False)
        self.bar.setMaximumWidth(120)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("cancel_job")
        self.cancel.setToolTip(CANCEL_TIP)
        self.cancel.clicked.connect(lambda _: self._cancel())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PATIENCE_MS)
        self._soon.timeout.connect(self._begin)
        self._turn = QTimer(self)
        self._turn.setInterval(_TURN_MS)
        self._turn.timeout.connect(self._show_job)
        self.hide()

    def job_changed(self) -> None:
        """A job began or ended."""
        job = self._runner.job
        self._turn.stop()
        if job is None or not job.has_bar:
            self._soon.stop()
            self.hide()
        elif not self._soon.isActive():
            self._soon.start()

    def _begin(self) -> None:
        self._show_job()
        self._turn.start()

    def _show_job(self) -> None:
        job = self._runner.job
        if job is None or self._beside():
            self.hide()
            return
        panel = self.parentWidget()
        if panel is not None and panel.visibleRegion().isEmpty():
            return  # it is behind another one
        sign: Any = job.last
        detail = "" if sign is None else sign.detail or sign.step
        words = f"Stopping: {job.title}" if job.cancelled else job.title
        self.words.setText(f"{words}: {detail}" if detail and not job.cancelled else f"{words} …")
        self.words.setToolTip(self.words.text())
        many = sign is not None and sign.total > 1
        # Not a bar that runs to and fro: it would have the whole window painted all the time.
        self.bar.setVisible(many)
        if many:
            self.bar.setRange(0, sign.total)
            self.bar.setValue(sign.done)
        self.cancel.setEnabled(not job.cancelled)
        self.show()

    def _beside(self) -> bool:
        """Whether the panel has a bar of its own for this job."""
        panel = self.parentWidget()
        bars = panel.findChildren(QProgressBar) if panel is not None else []
        return any(bar is not self.bar and bar.isVisible() for bar in bars)

    def _cancel(self) -> None:
        if self._runner.job is not None:
            self._runner.job.cancel()
            self._show_job()
