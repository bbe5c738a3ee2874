"""How whatever ends a command becomes a sentence and an exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ..data.question import asked_in_lines
from ..exceptions import in_words
from ..fits_io.safe_writing import finished

MISTAKE, FAULT = 2, 1
"""Exit statuses: for what a person can put right, and for what the program did wrong."""


class Interrupted(KeyboardInterrupt):
    """A signal that ends the run as Ctrl-C does.

    Parameters
    ----------
    number : int
        Of the signal.
    sentence : str
        What to say, where it is not the usual.
    """

    def __init__(self, number: int, sentence: str = ""):
        super().__init__(sentence)
        self.number, self.sentence = number, sentence


def exit_status(run: Callable[[], int | None], outputs: Sequence[str] = ()) -> int:
    """Run a command to its end, whichever it is.

    Parameters
    ----------
    run : callable
        The command; returns its exit status, None for 0.
    outputs : sequence of str
        What it is to write.

    Returns
    -------
    int
        Its exit status; 2 for a mistake that the person can put right, 1 for a fault of the
        program, 128 and the number of the signal that ended it.
    """
    finished.clear()
    asked: list[int] = []
    try:
        with _ended_by_signals(asked):
            return run() or 0
    except KeyboardInterrupt as stop:
        _say(getattr(stop, "sentence", "") or _what_was_written(outputs))
        return 128 + getattr(stop, "number", signal.SIGINT)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  (so that the interpreter's last flush is quiet)
        return 0
    except Exception as error:
        if asked:  # a library was interrupted while it was loading, and says so in its own way
            _say(_what_was_written(outputs))
            return 128 + asked[0]
        from .options import options_of

        sentence = in_words(error, options_of)
        if sentence is None:
            _say(
                f"something unexpected happened ({type(error).__name__}). The program is at fault, "
                "not you; please report it with these lines and the command that you gave."
            )
            traceback.print_exception(error)
            return FAULT
        questions = getattr(error, "questions", ())
        for line in asked_in_lines(questions) if questions else [sentence]:
            _say(line)
        return MISTAKE


def _say(sentence: str) -> None:
    print(f"galaxy-maps: {sentence}", file=sys.stderr)


def _what_was_written(outputs: Sequence[str]) -> str:
    written = [output for output in outputs if Path(output) in finished]
    return f"interrupted; {' and '.join(written) or 'nothing'} was written."


@contextmanager
def _ended_by_signals(asked: list[int]) -> Iterator[None]:
    """Let what ends a process from outside (a queue of jobs, a terminal that closes) end it as
    Ctrl-C does, so that it cleans up after itself; the signals that came are added to `asked`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = os.getpid()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() != own:  # a process that was forked from this one, which ends as it would
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        asked.append(number)
        raise Interrupted(number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # What is ignored stays so: `nohup` asks for it.
    before = {n: signal.signal(n, end) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
