"""The line at the foot of a panel that says what is under way and how far it is, with the button
that stops it.
"""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from ..eventloop.job_stages import Standing, standing_of
from ..eventloop.side_jobs import SideJobs
from ..eventloop.worker import Job, JobRunner
from .forms import is_seen

_PATIENCE_MS = 300
"""Work of less is over before a line could be read."""
_TURN_MS = 500
"""As of the bar of `Job`, and for the same reason."""


class JobLine(QWidget):
    """Hidden as long as nothing is under way that takes its time.

    Nothing of it is touched while its panel is behind another one, or while nothing has changed:
    whatever is painted costs a window with a canvas tens of ms.

    Parameters
    ----------
    runner : JobRunner
        Whose job it shows.
    side_jobs : SideJobs
        What it shows while there is none.
    """

    def __init__(self, runner: JobRunner, side_jobs: SideJobs):
        super().__init__()
        self.setObjectName("job_line")
        self._runner, self._side_jobs = runner, side_jobs
        self._of: Job | None = None
        self._shown: Standing | None = None
        self.words = QElidingLabel()
        self.words.setObjectName("job_words")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.bar = QProgressBar()
        self.bar.setObjectName("job_bar")
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("cancel_job")
        self.cancel.setToolTip("Stop the work that is under way; all that was there before stays")
        self.cancel.clicked.connect(lambda _: self._cancel())
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(self.words)
        lines.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(lines, 1)
        row.addWidget(self.cancel)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PATIENCE_MS)
        self._soon.timeout.connect(self._begin)
        self._turn = QTimer(self)
        self._turn.setInterval(_TURN_MS)
        self._turn.timeout.connect(self.show_job)
        self.hide()

    @property
    def _job(self) -> Job | None:
        job = self._runner.job
        return job if job is not None and job.has_bar else self._side_jobs.job

    def job_changed(self) -> None:
        """A job began or ended."""
        job = self._job
        if job is self._of:
            return
        self._of = job
        self._turn.stop()
        self._soon.stop()
        self._shown = None
        self.hide()
        if job is not None:
            self._soon.start()

    def _begin(self) -> None:
        self._turn.start()
        self.show_job()

    def show_job(self) -> None:
        """Show how far the job is, if anybody can see it."""
        job = self._of
        if job is None or not self._turn.isActive() or not is_seen(self.parentWidget()):
            return
        now = standing_of(job.title, job.last, job.stages, job.cancelled)
        if now != self._shown:
            self._show(now, job)

    def _show(self, now: Standing, job: Job) -> None:
        self.words.setText(now.words)
        self.words.setToolTip(now.words)
        if self._shown is None:
            self.bar.hide()
            self.bar.reset()
        # Where nothing is known of the whole the bar stays as it is, and does not run to and fro:
        # that would have the window painted all the time.
        if now.total:
            # Some steps have words about an earlier one: the scale of stages does not go back.
            done = max(now.done, self.bar.value()) if job.stages else now.done
            self.bar.setRange(0, now.total)
            self.bar.setValue(done)
            self.bar.show()
        self.cancel.setEnabled(not job.cancelled)
        self._shown = now
        self.show()

    def _cancel(self) -> None:
        if self._of is not None:
            self._of.cancel()
            self.show_job()
