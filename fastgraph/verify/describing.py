"""Descriptions of what a run shows: types, order and content, ids by when they first appear."""

from __future__ import annotations

import dataclasses
import os
import re
import sysconfig
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

import langchain_core
import langgraph.errors
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import BaseMessage
from langgraph.errors import GraphInterrupt
from langgraph.types import Interrupt

import fastgraph
from fastgraph.adapters.langgraph import value_path

# What differs from run to run on stock alone, and says nothing.
ADDRESS = re.compile(r" at 0x[0-9a-f]+|(?<=id=)\d{6,}")
RANDOM_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
RANDOM_ID_BYTES = re.compile(RANDOM_ID.pattern.encode())
# Who waits for a task: in the `repr` of the engine's own.
CALLBACKS = re.compile(r"\bcb=\[[^\]]*\]")
PLACE = re.compile(f"{value_path.MARK}(channel|the value)\\b")
NUMBERED = re.compile(r"\bTask-\d+")
INTERRUPT_FIELDS = {each.name for each in dataclasses.fields(Interrupt)}


def _directory(file: str | None) -> str:
    return os.path.join(os.path.dirname(str(file)), "")


# Frames of these are of the engine, which of course differ.
_ENGINE = (
    _directory(fastgraph.__file__),
    _directory(langgraph.errors.__file__),
    _directory(langchain_core.__file__),
    sysconfig.get_path("stdlib") + os.sep,
    "<",
)
_PACKAGES = (sysconfig.get_path("purelib") + os.sep, sysconfig.get_path("platlib") + os.sep)


def is_user_frame(filename: str) -> bool:
    """Tell whether a frame of this file is of the program, not of the engine or a library."""
    if not os.path.isabs(filename):  # as Cython names its own
        return False
    return not filename.startswith((*_ENGINE, *_PACKAGES))


def is_interrupt(value: Any) -> bool:
    """Whether a value is the dict that streams show of an interrupt."""
    return type(value) is dict and value.keys() == INTERRUPT_FIELDS


class Describer:
    """Describes values; random ids are numbered in the order in which they are met.

    Parameters
    ----------
    is_user_frame : callable
        Which frames of tracebacks are described, by file name.
    """

    def __init__(self, is_user_frame: Callable[[str], bool] = is_user_frame) -> None:
        self.ids: dict[str, str] = {}
        self.is_user_frame = is_user_frame

    def number(self, found: str) -> str:
        return self.ids.setdefault(found, f"<id {len(self.ids)}>")

    def text(self, value: str) -> str:
        plain = NUMBERED.sub("Task-N", ADDRESS.sub("", CALLBACKS.sub("cb=[]", value)))
        return RANDOM_ID.sub(lambda match: self.number(match[0]), plain)

    def bytes(self, value: bytes) -> bytes:
        return RANDOM_ID_BYTES.sub(lambda match: self.number(match[0].decode()).encode(), value)

    def items(self, values: Iterable[Any]) -> list[Any]:
        return [self(value) for value in values]

    def error(self, error: BaseException | None, above: tuple[int, ...] = ()) -> Any:
        """Describe an error as its receiver sees it, with the frames that are a user's."""
        if error is None:
            return None
        if id(error) in above:  # a chain of contexts may lead back
            return ("seen above", type(error).__qualname__)
        above = (*above, id(error))
        frames = [
            frame.name
            for frame in traceback.extract_tb(error.__traceback__)
            if self.is_user_frame(frame.filename)
        ]
        text, args = self.text(str(error)), self.items(error.args)
        if isinstance(error, GraphInterrupt) and error.args and len(error.args[0]) > 1:
            # Upstream collects the interrupts of tasks from a set of futures.
            text, args = "", sorted(map(repr, self.items(error.args[0])))
        return (
            type(error).__qualname__,
            text,
            args,
            # What cannot be serialized is told with its place when patched, and only then.
            self.items(
                note for note in getattr(error, "__notes__", []) if not PLACE.match(str(note))
            ),
            frames,
            self.error(error.__cause__, above),
            self.error(error.__context__, above),
            error.__suppress_context__,
        )

    def manager(self, manager: BaseCallbackManager) -> Any:
        # Upstream merges the handlers of two managers in a set.
        return (
            type(manager).__name__,
            sorted(type(handler).__name__ for handler in manager.handlers),
            sorted(type(handler).__name__ for handler in manager.inheritable_handlers),
            self(manager.parent_run_id),
            list(manager.tags),
            list(manager.inheritable_tags),
            self(manager.metadata),
            self(manager.inheritable_metadata),
        )

    def sequence(self, value: Iterable[Any]) -> list[Any]:
        """Describe items in order, but interrupts of several tasks, which come from a set."""
        items = list(value)
        if len(items) > 1:
            if all(isinstance(item, Interrupt) for item in items):
                items.sort(key=lambda item: str(item.id))
            elif all(is_interrupt(item) for item in items):
                items.sort(key=lambda item: str(item["id"]))
        return self.items(items)

    def dataclass(self, value: Any) -> Any:
        fields = [(each.name, getattr(value, each.name)) for each in dataclasses.fields(value)]
        name = type(value).__name__
        if name == "GraphInterruptEvent":  # whose interrupts have no order, as above
            fields = [
                (key, set(map(repr, item)) if key == "interrupts" else item) for key, item in fields
            ]
        return (name, [(key, self(item)) for key, item in fields])

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind in (int, float, bool, type(None)):
            return value
        if isinstance(value, str):
            return self.text(value) if kind is str else (kind.__name__, self.text(value))
        if isinstance(value, (bytes, bytearray)):
            return self.bytes(bytes(value))
        if isinstance(value, UUID):
            return self.number(str(value)) if value.version in (4, 7) else str(value)
        if isinstance(value, BaseException):
            return self.error(value)
        if isinstance(value, BaseCallbackManager):
            return self.manager(value)
        if isinstance(value, BaseMessage):
            return (kind.__name__, self(value.model_dump()))
        if isinstance(value, Mapping):
            return (kind.__name__, [(self(key), self(item)) for key, item in value.items()])
        if isinstance(value, (set, frozenset)):
            return (kind.__name__, sorted(map(repr, self.items(value))))
        if isinstance(value, (list, tuple, deque)):
            return (kind.__name__, self.sequence(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self.dataclass(value)
        if isinstance(value, type):
            return ("type", value.__qualname__)
        if callable(value):
            return ("callable", getattr(value, "__name__", kind.__name__).rpartition(".")[2])
        return (kind.__name__, self.text(repr(value)))
