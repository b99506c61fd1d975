"""Programs for a saver: calls one after the other, and what came of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Interrupt, Send

import fastgraph

#: A method of the sync interface, and its arguments.
Call = tuple[str, tuple[Any, ...], dict[str, Any]]

VALUES: list[Any] = [
    None,
    0,
    1.5,
    True,
    "text",
    b"bytes",
    {"a": [1, {"b": None}]},
    [HumanMessage("hello", id="1"), AIMessage("hi", id="2")],
    Send("node", {"x": 1}),
    (Interrupt(value="?", id="3"),),
]
CHANNELS = ["messages", "count", "__error__", "__interrupt__", "__pregel_tasks", "other"]
METADATA: list[dict[str, Any]] = [
    {"source": "input", "step": -1, "parents": {}},
    {"source": "loop", "step": 1, "parents": {"": "x"}, "score": 0.5},
    {"source": "loop", "step": 2, "nul\x00key": "nul\x00value", "writes": {"a": 1}},
    {},
]


@dataclass
class World:
    """What a program has done so far."""

    random: random.Random
    thread_ids: tuple[Any, ...] = ("one", "two")

    def __post_init__(self) -> None:
        self.ids: dict[tuple[Any, str], list[str]] = {}
        self.number = 0
        self.version: Any = None

    def next_version(self, saver: Any, current: Any) -> Any:
        # Seeded each time: psycopg's pools draw from the same random numbers.
        random.seed(self.random.random())
        return saver.get_next_version(current, None)

    def place(self) -> tuple[Any, str]:
        return self.random.choice(self.thread_ids), self.random.choice(["", "sub"])

    def config(self, place: tuple[Any, str], checkpoint_id: str | None = None) -> Any:
        configurable: dict[str, Any] = {"thread_id": place[0], "checkpoint_ns": place[1]}
        if checkpoint_id is not None:
            configurable["checkpoint_id"] = checkpoint_id
        config: dict[str, Any] = {"configurable": configurable}
        if self.random.random() < 0.3:
            config["metadata"] = {"user": "some\x00body", "__hidden": 1, "thread_id": "x", "n": 3}
        return config

    def an_id(self, place: tuple[Any, str]) -> str | None:
        known = self.ids.get(place, [])
        return self.random.choice([*known, None]) if known else None


def a_put(world: World, saver: Any) -> Call:
    place = world.place()
    world.number += 1
    # Mostly later than all before, as ids are.
    number = world.number if world.random.random() < 0.8 else world.random.randrange(100)
    checkpoint_id = f"{number:08}-{world.number:04}"
    parent = world.an_id(place)
    channels = world.random.sample(CHANNELS, world.random.randrange(4))
    world.version = world.next_version(saver, world.version)
    checkpoint = {
        "v": 4,
        "ts": "2026-01-01T00:00:00+00:00",
        "id": checkpoint_id,
        "channel_values": {c: world.random.choice(VALUES) for c in channels},
        "channel_versions": dict.fromkeys(channels, world.version),
        "versions_seen": {"node": dict.fromkeys(channels, world.version)},
        "updated_channels": channels,
    }
    world.ids.setdefault(place, []).append(checkpoint_id)
    versions = {c: world.version for c in channels if world.random.random() < 0.8}
    if world.random.random() < 0.2:
        versions["gone"] = world.version
    metadata = world.random.choice(METADATA)
    return "put", (world.config(place, parent), checkpoint, dict(metadata), versions), {}


def a_put_writes(world: World, saver: Any) -> Call:
    place = world.place()
    checkpoint_id = world.an_id(place) or "00000000-none"
    channels = world.random.choices(CHANNELS, k=world.random.randrange(4))
    if world.random.random() < 0.2:
        channels = ["__interrupt__"]
    writes = [(channel, world.random.choice(VALUES)) for channel in channels]
    task_id, path = world.random.choice("abc"), world.random.choice(["", "~x", "~y"])
    arguments = (world.config(place, checkpoint_id), writes, task_id)
    return "put_writes", (*arguments, path) if world.random.random() < 0.7 else arguments, {}


def a_get(world: World, saver: Any) -> Call:
    place = world.place()
    return "get_tuple", (world.config(place, world.an_id(place)),), {}


def a_list(world: World, saver: Any) -> Call:
    place = world.place()
    options: dict[str, Any] = {}
    if world.random.random() < 0.3:
        options["limit"] = world.random.randrange(4)
    if world.random.random() < 0.3:
        options["filter"] = {"source": "loop"}
    before = world.an_id(place)
    if before and world.random.random() < 0.3:
        options["before"] = world.config(place, before)
    config = world.config(place, world.an_id(place) if world.random.random() < 0.2 else None)
    if world.random.random() < 0.2:
        del config["configurable"]["checkpoint_ns"]
    return "list", (config if world.random.random() < 0.9 else None,), options


def a_deletion(world: World, saver: Any) -> Call:
    return "delete_thread", (world.random.choice(world.thread_ids),), {}


CALLS: list[Callable[[World, Any], Call]] = [
    *[a_put] * 6,
    *[a_put_writes] * 5,
    *[a_get] * 4,
    *[a_list] * 3,
    a_deletion,
]


def calls(seed: int, saver: Any, length: int = 40, **options: Any) -> Iterator[Call]:
    """The calls of a program, each made when the one before has been answered."""
    world = World(random.Random(seed), **options)
    for _ in range(length):
        yield world.random.choice(CALLS)(world, saver)


def run(seed: int, saver: Any, **options: Any) -> list[Any]:
    """Run a program; `repr` tells types and the order of keys apart."""
    outcomes = []
    for method, arguments, named in calls(seed, saver, **options):
        try:
            answer = getattr(saver, method)(*arguments, **named)
            outcomes.append(repr(list(answer) if method == "list" else answer))
        except Exception as error:
            outcomes.append(f"{type(error).__name__}: {error}")
    return outcomes


async def arun(seed: int, saver: Any, **options: Any) -> list[Any]:
    """The same through the async interface."""
    outcomes = []
    for method, arguments, named in calls(seed, saver, **options):
        try:
            if method == "list":
                answer: Any = [each async for each in saver.alist(*arguments, **named)]
            else:
                answer = await getattr(saver, f"a{method}")(*arguments, **named)
            outcomes.append(repr(answer))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            outcomes.append(f"{type(error).__name__}: {error}")
    return outcomes


def names(*prefixes: str) -> list[str]:
    """The targets that replace methods of some savers, and what they use of the base's."""
    known = [target.name for target in fastgraph.status().targets]
    return [name for name in known if name.startswith((*prefixes, "get_checkpoint_metadata"))]


def fallbacks() -> dict[tuple[str, str], int]:
    return {
        (target.name, reason): count
        for target in fastgraph.status().targets
        for reason, count in target.fallbacks.items()
    }


def called(names: list[str]) -> dict[str, int]:
    return {target.name: target.calls for target in fastgraph.status().targets}


def failure(call: Callable[[], Any]) -> tuple[type, str]:
    """What a call fails with."""
    try:
        answer = call()
    except Exception as error:
        return type(error), str(error)
    raise AssertionError(f"it gave {answer!r}")


async def afailure(call: Awaitable[Any]) -> tuple[type, str]:
    """What an async call fails with."""
    try:
        answer = await call
    except Exception as error:
        return type(error), str(error)
    raise AssertionError(f"it gave {answer!r}")
