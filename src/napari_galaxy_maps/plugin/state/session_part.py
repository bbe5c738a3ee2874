"""What belongs to one session of the window: begun on first use, and gone with it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from .session import Session


class SessionPart:
    """Something of a session; `of` gives the one that it has of a kind.

    Parameters
    ----------
    session : Session
        Held weakly.
    """

    _parts: ClassVar[weakref.WeakKeyDictionary[Session, Self]]  # type: ignore[misc]

    def __init_subclass__(cls) -> None:
        cls._parts = weakref.WeakKeyDictionary()

    def __init__(self, session: Session):
        self._session = weakref.ref(session)

    @classmethod
    def of(cls, session: Session) -> Self:
        """That of `session`, begun on first use."""
        if session not in cls._parts:
            cls._parts[session] = cls(session)
        return cls._parts[session]

    @property
    def session(self) -> Session:
        """The session; raises `RuntimeError` once it is gone."""
        session = self._session()
        if session is None:
            raise RuntimeError("The viewer is closed.")
        return session
