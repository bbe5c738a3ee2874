"""Undo and redo over values that never change."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

_LIMIT = 500


class History(Generic[T]):
    """A value, those before it, and those that were undone.

    Parameters
    ----------
    now : T
        The value to begin with.
    """

    def __init__(self, now: T):
        self.now = now
        self._past: list[tuple[str, T]] = []
        self._future: list[tuple[str, T]] = []

    @property
    def undoes(self) -> str:
        """What `undo` would take back, in words; empty where there is nothing."""
        return self._past[-1][0] if self._past else ""

    @property
    def redoes(self) -> str:
        """What `redo` would do again."""
        return self._future[-1][0] if self._future else ""

    def push(self, value: T, description: str) -> None:
        """A new value, and what was done to the one before."""
        self._past.append((description, self.now))
        del self._past[:-_LIMIT]
        self._future.clear()
        self.now = value

    def undo(self) -> bool:
        """Back to the value before; False where there is none."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """Forward again; False where nothing was undone."""
        return self._step(self._future, self._past)

    def _step(self, source: list[tuple[str, T]], target: list[tuple[str, T]]) -> bool:
        if not source:
            return False
        description, value = source.pop()
        target.append((description, self.now))
        self.now = value
        return True
