"""Parts whose state can be put aside and taken up again: the state is a dataclass that the part
inherits.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol, TypeVar

State = TypeVar("State")


class Part(Protocol):
    """What has a state for each galaxy."""

    def put_aside(self) -> Any:
        """The state as it is; the part goes on with it until it takes up another."""

    def take_up(self, state: Any | None) -> None:
        """Go on with another state, or begin anew; nobody is told yet."""


def state_of(part: State, kind: type[State]) -> State:
    """The state that a part inherits from `kind`, on its own; what it holds is not copied."""
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(part, name) for name in names})


def take_state(part: Any, state: Any) -> None:
    """Let a part go on with a state of the kind that it inherits."""
    for each in fields(state):
        setattr(part, each.name, getattr(state, each.name))
