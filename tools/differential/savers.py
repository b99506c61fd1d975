"""Savers that are watched, slow or failing: a user's own, on top of the one in memory."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

METHODS = ("get_tuple", "put", "put_writes", "aget_tuple", "aput", "aput_writes")
Hear = Callable[..., None]


class Watched(InMemorySaver):
    """Each call of the engine is told to a listener before it is carried out."""

    def __init__(self, hear: Hear) -> None:
        super().__init__()
        self.hear = hear

    def told(self, method: str, args: tuple[Any, ...]) -> None:
        self.hear("saver", method, *args[1:])


class Slow(Watched):
    """Takes its time."""

    def told(self, method: str, args: tuple[Any, ...]) -> None:
        time.sleep(0.0003)


class Failing(Watched):
    """Fails at one call."""

    def __init__(self, hear: Hear, fails_at: int) -> None:
        super().__init__(hear)
        self.left = fails_at

    def told(self, method: str, args: tuple[Any, ...]) -> None:
        self.left -= 1
        if self.left == 0:
            self.hear("failure")
            raise ConnectionError(f"the database is gone at {method}")


def _sync(method: str) -> Any:
    stock = getattr(InMemorySaver, method)

    def call(self: Watched, *args: Any, **named: Any) -> Any:
        self.told(method, args)
        return stock(self, *args, **named)

    return call


def _async(method: str) -> Any:
    stock = getattr(InMemorySaver, method[1:])

    async def call(self: Watched, *args: Any, **named: Any) -> Any:
        if isinstance(self, Slow):
            await asyncio.sleep(0.5)
        else:
            self.told(method, args)
        return stock(self, *args, **named)

    return call


for each in METHODS:
    setattr(Watched, each, (_async if each.startswith("a") else _sync)(each))


@contextlib.contextmanager
def made(kind: str, hear: Hear, fails_at: int) -> Iterator[Any]:
    """A saver of a kind, open as long as the block."""
    if kind == "none":
        yield None
    elif kind == "watched":
        yield Watched(hear)
    elif kind == "slow":
        yield Slow(hear)
    elif kind == "failing":
        yield Failing(hear, fails_at)
    elif kind == "sqlite":
        from langgraph.checkpoint.sqlite import SqliteSaver

        with contextlib.closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
            yield SqliteSaver(connection)
    else:
        yield InMemorySaver()
