"""Descriptions of what a run shows: types, order and content, ids by when they first appear."""

from __future__ import annotations

import dataclasses
import re
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import BaseMessage
from langgraph.errors import GraphInterrupt

HERE = str(Path(__file__).parent)

ADDRESS = re.compile(r" at 0x[0-9a-f]+|(?<=id=)\d{6,}")
RANDOM_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NUMBERED = re.compile(r"\bTask-\d+")


class Describer:
    """Describes values; random ids are numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def number(self, found: str) -> str:
        return self.ids.setdefault(found, f"<id {len(self.ids)}>")

    def text(self, value: str) -> str:
        plain = NUMBERED.sub("Task-N", ADDRESS.sub("", value))
        return RANDOM_ID.sub(lambda match: self.number(match[0]), plain)

    def items(self, values: Any) -> list[Any]:
        return [self(value) for value in values]

    def error(self, error: BaseException | None) -> Any:
        """An error as its receiver sees it, with the frames that are a user's."""
        if error is None:
            return None
        frames = [
            frame.name
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename.startswith(HERE)
        ]
        text, args = self.text(str(error)), self.items(error.args)
        if isinstance(error, GraphInterrupt) and error.args and len(error.args[0]) > 1:
            # Upstream collects the interrupts of tasks from a set of futures.
            text, args = "", sorted(map(repr, self.items(error.args[0])))
        return (
            type(error).__qualname__,
            text,
            args,
            self.items(getattr(error, "__notes__", [])),
            frames,
            self.error(error.__cause__),
            self.error(error.__context__),
            error.__suppress_context__,
        )

    def manager(self, manager: BaseCallbackManager) -> Any:
        return (
            type(manager).__name__,
            [type(handler).__name__ for handler in manager.handlers],
            [type(handler).__name__ for handler in manager.inheritable_handlers],
            self(manager.parent_run_id),
            list(manager.tags),
            list(manager.inheritable_tags),
            self(manager.metadata),
            self(manager.inheritable_metadata),
        )

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind in (int, float, bool, bytes, type(None)):
            return value
        if isinstance(value, str):
            return self.text(value) if kind is str else (kind.__name__, self.text(value))
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
        if isinstance(value, set | frozenset):
            return (kind.__name__, sorted(map(repr, self.items(value))))
        if isinstance(value, list | tuple | deque):
            return (kind.__name__, self.items(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [(each.name, getattr(value, each.name)) for each in dataclasses.fields(value)]
            if kind.__name__ == "GraphInterruptEvent":  # whose interrupts have no order, as above
                fields = [
                    (name, set(map(repr, item)) if name == "interrupts" else item)
                    for name, item in fields
                ]
            return (kind.__name__, [(name, self(item)) for name, item in fields])
        if isinstance(value, type):
            return ("type", value.__qualname__)
        if isinstance(value, Callable):  # type: ignore[arg-type]
            return ("callable", getattr(value, "__name__", kind.__name__).rpartition(".")[2])
        return (kind.__name__, self.text(repr(value)))
