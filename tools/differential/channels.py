"""The channels of generated states, a user's own among them, and what is written to them."""

from __future__ import annotations

import dataclasses
import functools
import operator
import threading
from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.channels import AnyValue, EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.channels.base import BaseChannel
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph.message import add_messages
from pydantic import create_model
from typing_extensions import TypedDict

try:
    from langgraph.channels.delta import DeltaChannel
except ImportError:  # before LangGraph 1.2
    DeltaChannel = None
try:
    from langgraph.types import Overwrite
except ImportError:  # before LangGraph 1.1
    Overwrite = list


class Latched(BaseChannel[Any, Any, Any]):
    """A user's channel: keeps the first three values; finishes like no other."""

    __slots__ = ("values",)

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.values: list[Any] = []

    ValueType = UpdateType = property(lambda self: self.typ)

    def from_checkpoint(self, checkpoint: Any) -> Latched:
        made = type(self)(self.typ, self.key)
        if isinstance(checkpoint, list):
            made.values = list(checkpoint)
        return made

    def checkpoint(self) -> Any:
        return list(self.values)

    def update(self, values: Sequence[Any]) -> bool:
        taken = list(values)[: max(0, 3 - len(self.values))]
        self.values += taken
        return bool(taken)

    def get(self) -> Any:
        if not self.values:
            raise EmptyChannelError()
        return list(self.values)


class Stubborn(LastValue[Any]):
    """A user's subclass of a built-in channel, which refuses twos after the first."""

    __slots__ = ()

    def update(self, values: Sequence[Any]) -> bool:
        if 2 in values and self.is_available():
            raise InvalidUpdateError("no second two")
        return super().update(values[-1:])


def brittle(left: int, right: int) -> int:
    """A user's reducer, which fails at large numbers."""
    if left + right > 9:
        raise ArithmeticError(f"{left} + {right} is too much")
    return left + right


def extended(left: list[Any], writes: Sequence[Any]) -> list[Any]:
    """The reducer of a delta channel."""
    return [*left, *[item for write in writes for item in write]]


TYPES: dict[str, Any] = {
    "last": Any,
    "total": Annotated[int, operator.add],
    "items": Annotated[list[Any], operator.add],
    "messages": Annotated[list[Any], add_messages],
    "topic": Annotated[list[Any], Topic(int)],
    "kept": Annotated[list[Any], Topic(int, accumulate=True)],
    "passing": Annotated[Any, EphemeralValue(Any, guard=False)],
    "guarded": Annotated[Any, EphemeralValue(Any)],
    "any": Annotated[Any, AnyValue(Any)],
    "untracked": Annotated[Any, UntrackedValue(Any)],
    "latched": Annotated[Any, Latched(int)],
    "brittle": Annotated[int, brittle],
    "plain": Annotated[Any, LastValue(Any)],
    "stubborn": Annotated[Any, Stubborn(int)],
    "delta": (
        Annotated[list[Any], operator.add]
        if DeltaChannel is None
        else Annotated[list[Any], DeltaChannel(extended, list, snapshot_frequency=2)]
    ),
}


@functools.cache
def schema(kind: str, channels: tuple[str, ...]) -> Any:
    """The class of a state."""
    types = {channel: TYPES[channel] for channel in channels}
    if kind == "dataclass":
        fields = [(name, type_, dataclasses.field(default=None)) for name, type_ in types.items()]
        return dataclasses.make_dataclass("State", fields)
    if kind == "model":
        loose: Any = {name: (_loose(type_), None) for name, type_ in types.items()}
        return create_model("State", **loose)
    return TypedDict("State", types, total=False)  # type: ignore[operator]


def _loose(type_: Any) -> Any:
    """Any value, reduced in the same way."""
    return Annotated[(Any, *type_.__metadata__)] if hasattr(type_, "__metadata__") else type_


def message(kind: str, text: str, id: str | None) -> Any:
    if kind == "remove":
        return RemoveMessage(id=id or "m1")
    if text == "calls":
        call = {"name": "tool", "args": {"x": 1}, "id": "c1", "type": "tool_call"}
        return AIMessage(text, id=id, tool_calls=[call])
    return (HumanMessage if kind == "human" else AIMessage)(text, id=id)


def value(channel: str, drawn: Any) -> Any:
    """What is written, made anew each time: states are changed in place by some."""
    if isinstance(drawn, tuple) and drawn and drawn[0] == "overwrite":
        return Overwrite(value(channel, drawn[1]))
    if isinstance(drawn, tuple) and drawn and drawn[0] == "lock":
        return threading.Lock()
    if channel == "messages":
        return [message(*drawn)]
    return list(drawn) if isinstance(drawn, tuple) else drawn


def values(writes: Any) -> dict[str, Any]:
    return {channel: value(channel, drawn) for channel, drawn in writes}
