"""Draws programs from a random source: a seeded one, or Hypothesis's."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any, TypeVar

from tools.differential.program import (
    Act,
    Action,
    Graph,
    Node,
    Program,
    Return,
    Workflow,
    Writes,
    parts,
)

T = TypeVar("T")

#: Channels by kind, with values to write: the first is one that always can be.
VALUES: dict[str, tuple[Any, ...]] = {
    "last": (1, 2, "text", None),
    "total": (1, 2, ("overwrite", 7)),
    "items": (("one",), ("two", "three"), ("overwrite", ())),
    "messages": (
        ("human", "question", "m1"),
        ("ai", "answer", "m2"),
        ("ai", "changed", "m1"),
        ("ai", "calls", "m3"),
        ("remove", "", "m1"),
        ("human", "without id", None),
    ),
    "topic": ((1,), (2, 3)),
    "kept": ((1,), (2, 3)),
    "passing": (1, 2),
    "guarded": (1, 2),
    "any": (1, 2),
    "untracked": (1, "two"),
    "latched": (1, 2, 3),
    "brittle": (1, 2, 4),
    "plain": (1, 2),
    "delta": (("d",), ("e", "f")),
    "stubborn": (1, 2),
}
#: Those in which everything is kept.
GROWING = ("items", "kept", "delta")
#: Those that refuse a second write in a superstep.
ALONE = ("last", "guarded", "plain", "untracked")
SYNC_MODES = ("values", "updates", "tasks", "checkpoints", "debug")
MODES = (*SYNC_MODES, "custom", "messages")
TAKES = ("config", "runtime", "store", "writer", "previous")
NAMES = "abcdefghijkl"
ERRORS = (
    "ValueError",
    "KeyError",
    "LookupError",
    "ConnectionError",
    "TimeoutError",
    "RecursionError",
    "CancelledError",
    "custom",
    "exit",
    "KeyboardInterrupt",
)
ACTS = (
    "sleep",
    "write",
    "ask",
    "fail",
    "fail until",
    "put",
    "log",
    "warn",
    "model",
    "beat",
    "give way",
    "spawn",
    "drain",
    "tell",
    "nested",
)
ACTIONS = (
    "again",
    "resume",
    "resume",
    "resume by id",
    "run",
    "goto",
    "update",
    "travel",
    "fork",
    "state",
    "history",
)
RESUMES = ("resume", "resume by id")


class Chance:
    """Draws from a random source."""

    def __init__(self, source: random.Random) -> None:
        self.source = source

    def __call__(self, probability: float) -> bool:
        return self.source.random() < probability

    def number(self, low: int, high: int) -> int:
        return self.source.randint(low, high)

    def one(self, of: Sequence[T]) -> T:
        return of[self.source.randrange(len(of))]

    def some(self, of: Sequence[T], most: int, least: int = 0) -> tuple[T, ...]:
        """Different ones of them, in their order."""
        count = min(self.number(least, most), len(of))
        chosen = sorted(self.source.sample(range(len(of)), count))
        return tuple(of[index] for index in chosen)


class Drawing:
    """One program being drawn; what is dangerous in numbers is counted."""

    def __init__(self, source: random.Random) -> None:
        self.chance = Chance(source)
        self.is_async = self.chance(0.6)
        # Where a saver keeps it, some things go wrong that otherwise do not.
        self.saver = self.chance.one(
            ("none", "memory", "memory", "memory", "watched", "slow", "failing", "sqlite")
        )
        if self.saver == "sqlite" and self.is_async:
            self.saver = "memory"
        # Of several failures of a superstep the one that counts is the first in a set.
        self.failures = 1 if self.chance(0.4) else 0
        self.threads = not self.is_async
        self.limit = self.chance.one((4, 8, 12))
        self.is_workflow = self.chance(0.22)

    # Values

    def write(self, channel: str) -> Any:
        values = VALUES[channel]
        if channel == "messages" and self.threads and self.saver != "none":
            # Given an id while a thread stores it: with or without it, on stock, too.
            values = values[:-1]
        if self.failures and self.chance(0.02) and self.saver != "none" and channel == "last":
            self.failures -= 1
            return ("lock",)  # which cannot be stored
        return self.chance.one(values)

    def writes(self, channels: Sequence[str], most: int = 3) -> Writes:
        # Mostly not those that two nodes of a superstep must not both write.
        safe = [channel for channel in channels if channel not in ALONE]
        chosen = self.chance.some(channels if self.chance(0.1) or not safe else safe, most)
        return tuple((channel, self.write(channel)) for channel in chosen)

    # Nodes

    def act(self, in_graph: bool) -> Act | None:
        chance = self.chance
        kind = chance.one(ACTS)
        if kind == "sleep":
            return (kind, chance.one((0.001, 0.002)) if self.threads else chance.number(1, 5))
        if kind == "give way":
            return (kind, chance.number(1, 4))
        if kind == "ask":
            # Without a saver it is an error, of which there are others.
            if self.saver == "none" and not chance(0.05):
                return None
            return (kind, *[f"question {n}" for n in range(chance.number(1, 2))])
        if kind in ("fail", "fail until"):
            if not self.failures:
                return None
            self.failures -= 1
            error = chance.one(ERRORS)
            return (kind, error) if kind == "fail" else (kind, error, chance.number(1, 2))
        if kind == "drain" and not chance(0.3):
            return None
        if kind == "nested" and not (in_graph and chance(0.3)):
            return None
        if kind in ("write", "put", "log", "warn", "model", "nested"):
            return (kind, chance.one(("x", "y")))
        return (kind,)

    def acts(self, most: int, in_graph: bool = True) -> tuple[Act, ...]:
        drawn = [self.act(in_graph) for _ in range(self.chance.number(0, most))]
        return tuple(act for act in drawn if act is not None)

    def target(self, names: Sequence[str], channels: Sequence[str], inside: bool = False) -> Any:
        if self.chance(0.25):
            return "END"
        name = self.chance.one(names)
        if self.chance(0.35):
            return ("send", name, self.writes(channels))
        return name

    def returned(self, names: Sequence[str], channels: Sequence[str], nested: bool) -> Return:
        kind = self.chance.one(("update",) * 8 + ("command", "list", "nothing"))
        if self.failures and self.chance(0.03):
            self.failures -= 1
            kind = "odd"
        goto: tuple[Any, ...] = ()
        if kind in ("command", "list"):
            goto = tuple(self.target(names, channels) for _ in range(self.chance.number(0, 2)))
        to_parent = nested and kind == "command" and self.chance(0.4)
        return Return(kind, self.writes(channels), goto, to_parent)

    def node(self, name: str, names: Sequence[str], channels: Sequence[str], depth: int) -> Node:
        chance = self.chance
        graph = None
        if depth < 2 and chance(0.12):
            graph = self.graph(depth + 1)
        timeout = chance.one((2, 3)) if self.is_async and chance(0.08) else None
        acts = self.acts(3)
        takes = chance.some(TAKES[:4], 4) if chance(0.4) else ()
        attempts = chance.one((0, 0, 0, 0, 2, 3))
        if any(act[0] == "fail until" for act in acts) and chance(0.5):
            # Looks at what an attempt is told of itself.
            attempts, takes = attempts or 3, tuple(dict.fromkeys((*takes, "runtime")))
        return Node(
            name=name,
            acts=acts,
            returns=tuple(
                self.returned(names, channels, depth > 0) for _ in range(chance.number(1, 2))
            ),
            takes=takes,
            is_sync=not self.is_async or chance(0.08),
            attempts=attempts,
            cached=chance(0.06),
            timeout=timeout,
            idle=timeout is not None and chance(0.4),
            deferred=chance(0.07),
            handled=chance(0.05),
            tagged=chance(0.08),
            graph=graph,
        )

    # Graphs

    def graph(self, depth: int = 0) -> Graph:
        chance = self.chance
        names = NAMES[: chance.one((1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 12) if not depth else (1, 2, 3))]
        names = tuple(name if not depth else name + str(depth) for name in names)
        # What a subgraph gives back is added to what it was given: with each turn twice as much.
        doubled = GROWING if depth and self.limit > 4 else ()
        channels = chance.some([channel for channel in VALUES if channel not in doubled], 7, 1)
        later = [(one, other) for index, one in enumerate(names) for other in names[index + 1 :]]
        # A chain mostly, so that most supersteps have something to do.
        edges = [pair for pair in itertools.pairwise(names) if chance(0.5)]
        edges += [chance.one(later) for _ in range(chance.number(0, 2)) if later]
        joins = []
        if len(names) > 2 and chance(0.3):
            joins.append((chance.some(names[:-1], 3, 2), names[-1]))
        routes = []
        for name in chance.some(names, 2):
            turns = tuple(
                tuple(self.target(names, channels) for _ in range(chance.number(1, 3)))
                for _ in range(chance.number(1, 3))
            )
            routes.append((name, turns))
        if chance(0.06):  # a loop up to the limit
            edges.append((names[-1], names[0]))
        breaks = self.saver != "none" and not depth
        return Graph(
            channels=channels,
            schema=chance.one(("dict",) * 8 + ("dataclass", "model")),
            nodes=tuple(self.node(name, names, channels, depth) for name in names),
            starts=chance.some(names[:3], 2, 1),
            edges=tuple(dict.fromkeys(edges)),
            joins=tuple(joins),
            routes=tuple(routes),
            before=chance.some(names, 1) if breaks and chance(0.1) else (),
            after=chance.some(names, 1) if breaks and chance(0.1) else (),
            checkpointer=chance.one(("inherited", "inherited", "own", "none")),
        )

    # Workflows

    def workflow(self) -> Workflow:
        chance = self.chance
        tasks = tuple(
            Node(
                name=f"t{index}",
                acts=self.acts(2, in_graph=False),
                returns=(Return("update", (("last", chance.one((1, "two", (3,)))),)),),
                is_sync=not self.is_async,
                attempts=chance.one((0, 0, 0, 2)),
                cached=chance(0.1),
                timeout=chance.one((2, 3)) if self.is_async and chance(0.1) else None,
            )
            for index in range(chance.number(1, 4))
        )
        body: list[Act] = []
        for _ in range(chance.number(1, 5)):
            kind = chance.one(("call", "call", "gather", "gather", "start", "act"))
            if kind == "gather" and self.threads and not chance(0.05):
                kind = "call"  # in threads they would end in any order
            numbers = [chance.number(0, len(tasks) - 1) for _ in range(chance.number(1, 5))]
            if kind == "act":
                body += self.acts(1, in_graph=False)
            elif kind == "start":
                # Not waited for, in threads: how far it came when the run ends is chance.
                if self.is_async and chance(0.3):
                    body.append((kind, numbers[0]))
            else:
                body.append((kind, *numbers[: 1 if kind == "call" else None]))
        return Workflow(
            tasks=tasks,
            body=tuple(body),
            takes=chance.some(TAKES, 5) if chance(0.4) else (),
            ends=chance.one(("value", "value", "final", "previous")),
            attempts=chance.one((0, 0, 0, 2)),
            timeout=4 if self.is_async and chance(0.05) else None,
        )

    # Scripts

    def modes(self, parallel: bool) -> tuple[str, ...]:
        if self.chance(0.35):
            return ()
        known = SYNC_MODES if self.threads and parallel and not self.chance(0.1) else MODES
        return self.chance.some(known, self.chance.one((1, 1, 2, len(known))), 1)

    def concurrency(self, waits: bool) -> int | None:
        """How many tasks run at a time: in threads one, so that they end in one order.

        What is streamed from within tasks is waited for in a thread of its own, without which
        stock never ends; a task that waits for another needs as many as there are.
        """
        if self.is_async:
            return self.chance.one((None, None, None, 1, 2)) if not self.is_workflow else None
        if self.is_workflow:
            return None
        return 2 if waits else 1

    def running(self, kind: str, given: Any, parallel: bool, **more: Any) -> Action:
        chance = self.chance
        modes = self.modes(parallel)
        durability = None
        if self.saver != "none":
            # What a thread stores meanwhile of what changes is chance on stock, too.
            durability = chance.one(("sync", "sync", "exit", None if self.is_async else "sync"))
        quiet = not self.threads or not parallel
        subgraphs = bool(modes) and quiet and chance(0.3)
        return Action(
            kind=kind,
            given=given,
            modes=modes,
            version=chance.one(("v1", "v1", "v2")),
            subgraphs=subgraphs,
            concurrency=self.concurrency(bool({"custom", "messages"} & {*modes}) or subgraphs),
            durability=durability,
            stop_after=chance.number(1, 3) if modes and chance(0.06) else None,
            cancel_at=chance.number(0, 60) if self.is_async and chance(0.1) else None,
            drain_at=chance.number(1, 3) if modes and chance(0.06) else None,
            **more,
        )

    def script(
        self, channels: Sequence[str], names: Sequence[str], parallel: bool, asks: bool
    ) -> Any:
        chance = self.chance

        def given() -> Any:
            return self.writes(channels, 4) or ((channels[0], self.write(channels[0])),)

        actions = [self.running("run", given(), parallel)]
        if self.saver == "none":
            return (*actions, *[self.running("run", given(), parallel)] * chance.number(0, 1))
        for _ in range(chance.number(1, 4)):
            kind = chance.one(RESUMES if asks and chance(0.5) else ACTIONS)
            if kind in ("again", "resume", "resume by id"):
                actions.append(self.running(kind, chance.one(("yes", 7)), parallel))
            elif kind == "run":
                actions.append(self.running(kind, given(), parallel))
            elif kind == "goto" and names:
                actions.append(self.running(kind, chance.one(names), parallel))
            elif kind == "travel":
                back = chance.number(1, 4)
                actions.append(self.running(kind, None, parallel, back=back))
            elif kind in ("update", "fork"):
                as_node = chance.one(names) if names and chance(0.5) else None
                back = chance.number(1, 3) if kind == "fork" else 0
                actions.append(Action(kind, given(), as_node=as_node, back=back))
            elif kind in ("state", "history"):
                actions.append(Action(kind, subgraphs=kind == "state" and chance(0.5)))
        actions.append(Action("history"))
        return tuple(actions)

    # Programs

    def step_timeout(self, graph: Graph | None) -> float:
        seconds = self.chance.one((3, 6))
        in_threads = any(isinstance(part, Node) and part.is_sync for part in parts(graph))
        # Not together with the end of a sleep where a superstep takes turns that are chance.
        return seconds + 0.5 if in_threads else seconds

    def program(self) -> Program:
        chance = self.chance
        handlers = []
        if chance(0.35):
            known = ("inline", "async", "failing", "raising") if self.is_async else ("inline",)
            handlers = list(chance.some((*known, "plain"), 2, 1))
        graph = workflow = None
        if not self.is_workflow:
            graph = self.graph()
            channels: Sequence[str] = graph.channels
            names = [node.name for node in graph.nodes]
            parallel = len(names) > 1
        else:
            workflow = self.workflow()
            channels, names = ("last",), []
            parallel = len(workflow.tasks) > 1 or len(workflow.body) > 1
        asks = any(
            type(part) is tuple and part[:1] == ("ask",) for part in parts(graph or workflow)
        )
        return Program(
            graph=graph,
            workflow=workflow,
            is_async=self.is_async,
            saver=self.saver,
            fails_at=chance.number(1, 12) if self.saver == "failing" else 0,
            handlers=tuple(handlers),
            limit=self.limit,
            step_timeout=self.step_timeout(graph) if self.is_async and chance(0.08) else None,
            context=chance(0.2),
            ticks=self.is_async and chance(0.5),
            script=self.script(channels, names, parallel, asks),
        )


def drawn(source: random.Random) -> Program:
    """A program drawn from a random source."""
    return Drawing(source).program()


def program_of(seed: int) -> Program:
    """The program of a seed, always the same."""
    return drawn(random.Random(seed))
