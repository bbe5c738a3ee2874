"""What the plugin changes for the whole process in which it is a guest, and how to forbid it.

A window that stays alive beside a busy thread needs settings that Python has only once for a whole
process. ``GALAXY_MAPS_GUEST=1`` in the environment forbids all of them, for a process that has
settings of its own; the window then stalls longer. A list of names forbids some:
``GALAXY_MAPS_GUEST=collections,libraries``.

- ``collections``: full garbage collections are put off while a job runs or layers are shown.
- ``freeze``: what is in memory by then is taken out of full collections (`gc.freeze`).
- ``switching``: threads give the interpreter away after 0.5 ms instead of 5 while a job runs
  (`sys.setswitchinterval`).
- ``libraries``: the compiled libraries of torch and xgboost are loaded ahead (`dlopen`).
- ``preparing``: images are prepared in a thread while the person looks at the Predict panel.
"""

from __future__ import annotations

import os
import sys
from typing import Literal

VARIABLE = "GALAXY_MAPS_GUEST"

_SWITCH_S = 5e-4

Switch = Literal["collections", "freeze", "switching", "libraries", "preparing"]


def may_change(switch: Switch) -> bool:
    """Whether the plugin may change this for the whole process."""
    forbidden = os.environ.get(VARIABLE, "").replace(" ", "").split(",")
    return "1" not in forbidden and switch not in forbidden


_usual_s: list[float] = []
"""The switch interval that the process had, once for each job under way in any viewer."""


def switch_often() -> None:
    """Let the window's thread have the interpreter back soon, until `switch_as_usual`.

    Every call into Qt or OpenGL gives the interpreter away, to get it back from a busy thread only
    after the switch interval: 5 ms a call add up to a frozen window.
    """
    _usual_s.append(_usual_s[0] if _usual_s else sys.getswitchinterval())
    if may_change("switching"):
        sys.setswitchinterval(_SWITCH_S)


def switch_as_usual() -> None:
    """The reverse of `switch_often`, once for each call of it."""
    usual = _usual_s.pop()
    if not _usual_s and may_change("switching"):
        sys.setswitchinterval(usual)
