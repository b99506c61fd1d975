"""A program as data: a graph, how it is run, and the script of what is done with it.

Everything is a frozen dataclass with defaults, tuples and plain values, so that a program prints
as an expression that makes it again, and can be made smaller field by field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: What a node or task does, in order: a word and what it takes.
Act = tuple[Any, ...]
#: What is written: pairs of a channel and a value.
Writes = tuple[tuple[str, Any], ...]


class Part:
    """Prints only what is not as it is by default."""

    def __repr__(self) -> str:
        shown = [
            f"{each.name}={getattr(self, each.name)!r}"
            for each in dataclasses.fields(self)  # type: ignore[arg-type]
            if getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Return(Part):
    """What a node returns once.

    Attributes
    ----------
    kind : str
        "update", "command", "list" (of its first write and a command), "nothing" or "odd" (which
        LangGraph refuses).
    goto : tuple
        Of a command: names, or ("send", name, payload).
    to_parent : bool
        Whether the command is for the graph around.
    """

    kind: str = "update"
    writes: Writes = ()
    goto: tuple[Any, ...] = ()
    to_parent: bool = False


@dataclass(frozen=True, repr=False)
class Node(Part):
    """A node of a graph; one with a `graph` is that subgraph, one that is `tagged` has a tag."""

    name: str = "a"
    acts: tuple[Act, ...] = ()
    returns: tuple[Return, ...] = (Return(),)
    takes: tuple[str, ...] = ()
    is_sync: bool = False
    attempts: int = 0
    cached: bool = False
    timeout: float | None = None
    idle: bool = False
    deferred: bool = False
    handled: bool = False
    tagged: bool = False
    graph: Graph | None = None


@dataclass(frozen=True, repr=False)
class Graph(Part):
    """A state graph.

    Attributes
    ----------
    schema : str
        "dict", "dataclass" or "model".
    routes : tuple
        Of each node with conditional edges: its name, and turn by turn where it leads.
    checkpointer : str
        Of a subgraph: "inherited", "own" or "none".
    """

    channels: tuple[str, ...] = ("last",)
    schema: str = "dict"
    nodes: tuple[Node, ...] = (Node(),)
    starts: tuple[str, ...] = ("a",)
    edges: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    routes: tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    checkpointer: str = "inherited"


@dataclass(frozen=True, repr=False)
class Workflow(Part):
    """An entrypoint of the functional API and its tasks.

    Attributes
    ----------
    body : tuple
        Acts, and ("call", task), ("gather", tasks), ("start", task) without waiting for it.
    ends : str
        "value", "final" (which saves another value) or "previous".
    """

    tasks: tuple[Node, ...] = ()
    body: tuple[Act, ...] = ()
    takes: tuple[str, ...] = ()
    ends: str = "value"
    attempts: int = 0
    timeout: float | None = None


@dataclass(frozen=True, repr=False)
class Action(Part):
    """One thing done with the thread.

    Attributes
    ----------
    kind : str
        "run" (with `given`), "again" (without input), "resume", "resume by id", "goto" (a command
        as input), "update", "travel" (run from an earlier checkpoint), "fork" (update an earlier
        one), "state", "history".
    given : Any
        Writes, or the answer.
    modes : tuple of str
        What is streamed; without any the graph is invoked.
    stop_after : int, optional
        After how many chunks the consumer leaves.
    cancel_at : int, optional
        In which turn of the event loop the run is cancelled.
    back : int
        How many checkpoints before the latest.
    """

    kind: str = "run"
    given: Any = ()
    modes: tuple[str, ...] = ()
    version: str = "v1"
    subgraphs: bool = False
    durability: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    stop_after: int | None = None
    cancel_at: int | None = None
    drain_at: int | None = None
    as_node: str | None = None
    back: int = 0
    concurrency: int | None = None


@dataclass(frozen=True, repr=False)
class Program(Part):
    """A graph or workflow, how it is compiled and run, and the script.

    Attributes
    ----------
    saver : str
        "none", "memory", "watched" (its calls are heard), "slow", "failing" or "sqlite".
    fails_at : int
        At which call a failing saver fails.
    handlers : tuple of str
        "inline", "plain", "async", "failing" or "raising".
    ticks : bool
        Whether something else happens in every turn of the event loop.
    """

    graph: Graph | None = None
    workflow: Workflow | None = None
    is_async: bool = False
    saver: str = "none"
    fails_at: int = 0
    handlers: tuple[str, ...] = ()
    limit: int = 12
    step_timeout: float | None = None
    context: bool = False
    ticks: bool = False
    script: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        if (self.graph is None) == (self.workflow is None):
            raise ValueError("a program has either a graph or a workflow")


def parts(part: Any) -> Iterator[Any]:
    """A part of a program, and all parts in it."""
    yield part
    if dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from parts(getattr(part, field.name))
    elif isinstance(part, tuple):
        for item in part:
            yield from parts(item)


def parsed(text: str) -> Program:
    """The program that a `repr` is of."""
    names = {each.__name__: each for each in (Program, Graph, Node, Return, Workflow, Action)}
    made = eval(text, {"__builtins__": {}}, names)
    if not isinstance(made, Program):
        raise TypeError(f"this is no program: {text[:80]}")
    return made
