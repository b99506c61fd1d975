"""Descriptions of objects that are equal only where nothing can tell the objects apart."""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph._internal._scratchpad import PregelScratchpad
from langgraph._internal._typing import MISSING
from langgraph.channels.base import BaseChannel
from langgraph.types import PregelExecutableTask, PregelTask

COUNTERS = ("call_counter", "interrupt_counter", "subgraph_counter")


class Token:
    """A value that equals itself alone, so that passing on a copy shows."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Token({self.number})"

    def __deepcopy__(self, memo: object) -> Token:
        return self


def slots(instance: object) -> dict[str, Any]:
    names = [
        name
        for cls in type(instance).__mro__
        for name in cls.__dict__.get("__slots__", ())
        if name not in ("__weakref__", "__dict__")
    ]
    found = {name: getattr(instance, name) for name in names if hasattr(instance, name)}
    return {**found, **getattr(instance, "__dict__", {})}


def _scratchpad(scratchpad: PregelScratchpad) -> Any:
    return (
        "scratchpad",
        shape(scratchpad.step),
        shape(scratchpad.stop),
        shape(scratchpad.resume),
        all(callable(getattr(scratchpad, counter)) for counter in COUNTERS),
    )


def _task(task: PregelExecutableTask | PregelTask) -> Any:
    if isinstance(task, tuple):
        return (type(task).__name__, [shape(field) for field in task])
    return (
        type(task).__name__,
        [(f.name, shape(getattr(task, f.name))) for f in dataclasses.fields(task)],
    )


def shape(value: Any) -> Any:
    """Describe a value: types, order, identity of tokens; functions go by their names."""
    kind = type(value)
    if isinstance(value, Token) or value is MISSING:
        return value
    if isinstance(value, BaseException):
        notes = getattr(value, "__notes__", [])
        return (kind.__name__, [shape(arg) for arg in value.args], notes)
    if isinstance(value, BaseMessage):
        return (kind.__name__, shape(value.model_dump()))
    if isinstance(value, BaseChannel):
        return (kind.__name__, {name: shape(slot) for name, slot in slots(value).items()})
    if isinstance(value, PregelScratchpad):
        return _scratchpad(value)
    if isinstance(value, (PregelExecutableTask, PregelTask)):
        return _task(value)
    if isinstance(value, functools.partial):
        return ("partial", value.func.__name__, [shape(arg) for arg in value.args])
    if isinstance(value, Mapping):
        # The channels of a run are a dict on one side and a subclass of it on the other.
        name = "dict" if isinstance(value, dict) else kind.__name__
        return (name, [(shape(key), shape(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return (kind.__name__, [shape(item) for item in value])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (
            kind.__name__,
            [(f.name, shape(getattr(value, f.name))) for f in dataclasses.fields(value)],
        )
    if isinstance(value, Callable):  # type: ignore[arg-type]
        return ("callable", getattr(value, "__qualname__", kind.__name__))
    return (kind.__name__, repr(value))
