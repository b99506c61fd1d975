"""Random graphs, checkpoints and supersteps, and one side's copy of them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from adapter_channels import channel_kinds, heard, make_channels, values_for
from adapter_shapes import shape
from adapter_sides import STOCK, Functions, invalidate_tables, observe
from hypothesis import strategies as st
from langchain_core.runnables import RunnableLambda
from langgraph._internal import _constants as constants
from langgraph.channels.base import BaseChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.managed.base import ManagedValue
from langgraph.managed.is_last_step import RemainingStepsManager
from langgraph.pregel._read import PregelNode

CHECKPOINT_ID = "1ef4f797-8335-6428-8001-8a1503f9b875"
SPECIAL = [constants.NO_WRITES, constants.RESUME, constants.INTERRUPT, constants.ERROR]
UNKNOWN = "nowhere"


class Heard(ManagedValue[Any]):
    """A managed value that is heard when somebody reads it."""

    @staticmethod
    def get(scratchpad: Any) -> Any:
        heard.append(("managed", scratchpad.step))
        return f"at step {scratchpad.step}"


MANAGED: dict[str, type[ManagedValue[Any]]] = {"steps": RemainingStepsManager, "loud": Heard}

# Versions


def counting(current: int | None, channel: None) -> int:
    return 1 if current is None else current + 1


def floating(current: float | None, channel: None) -> float:
    return 0.5 if current is None else current + 0.5


def standing_still(current: int | None, channel: None) -> int:
    return 7


def going_down(current: int | None, channel: None) -> int:
    return 100 if current is None else current - 1


def alternating(current: float | None, channel: None) -> float:
    """Versions of two types that compare, 1 and 1.0, of which the first has to win."""
    return 1.0 if current is None else (int(current) + 1 if current % 2 else float(current))


def unknown(current: Any, channel: None) -> None:
    return None


def failing(current: Any, channel: None) -> Any:
    if current is not None and current >= 2:
        raise RuntimeError("no more versions")
    return counting(current, channel)


#: Name -> (how the next version is made, versions that a checkpoint starts with).
VERSIONINGS: dict[str, tuple[Callable[..., Any] | None, st.SearchStrategy[Any]]] = {
    "int": (counting, st.integers(1, 4)),
    "float": (floating, st.sampled_from([0.5, 1.0, 2.5])),
    "str": (InMemorySaver().get_next_version, st.sampled_from(["1.1", "2.2", "02.2"])),
    "from int to str": (InMemorySaver().get_next_version, st.integers(1, 3)),
    "int among float": (alternating, st.sampled_from([1, 1.0, 2, 2.0])),
    "constant": (standing_still, st.integers(5, 9)),
    "falling": (going_down, st.integers(90, 100)),
    "of nothing": (unknown, st.integers(1, 3)),
    "None": (counting, st.none()),
    "failing": (failing, st.integers(0, 1)),
    "off": (None, st.integers(1, 3)),
}

# Tasks


class Task(NamedTuple):
    """As much of a task as its writes need."""

    path: tuple[Any, ...]
    name: str
    writes: Any
    triggers: Any


@dataclass(frozen=True)
class Graph:
    """What stays the same over a run."""

    kinds: dict[str, str]
    primed: dict[str, list[list[Any]]]
    nodes: dict[str, PregelNode]
    versioning: str
    versions: dict[str, Any]
    seen: dict[str, dict[str, Any]]
    seed: int

    @property
    def trigger_to_nodes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, node in self.nodes.items():
            for trigger in node.triggers:
                found.setdefault(trigger, []).append(name)
        return found


paths = st.one_of(
    st.tuples(st.just(constants.PULL), st.sampled_from(["n1", "n2", "a"])),
    st.tuples(st.just(constants.PUSH), st.integers(0, 11), st.booleans()),
    st.tuples(
        st.just(constants.PUSH),
        st.tuples(st.just(constants.PULL), st.sampled_from(["n1", "n2"])),
        st.integers(0, 11),
        st.booleans(),
    ),
    st.tuples(st.just(constants.INTERRUPT), st.integers(0, 2)),
    st.just(()),
)


@st.composite
def tasks(draw: st.DrawFn, kinds: dict[str, str]) -> Task:
    """A task that wrote to some channels, among them some that are none."""
    targets = [*kinds, *SPECIAL]
    if draw(st.integers(0, 9)) == 0:
        targets.append(UNKNOWN)
    writes = []
    for name in draw(st.lists(st.sampled_from(targets), max_size=4)):
        value = values_for(name, kinds[name]) if name in kinds else st.none()
        writes.append((name, draw(value)))
    triggers = draw(st.lists(st.sampled_from([*kinds, constants.PUSH, UNKNOWN]), max_size=3))
    made = draw(st.sampled_from([list, tuple, deque]))
    name = draw(st.sampled_from(["n1", "n2", constants.INPUT]))
    return Task(draw(paths), name, made(writes), draw(st.sampled_from([list, tuple]))(triggers))


def mapped(value: Any) -> Any:
    heard.append(("mapped", shape(value)))
    return {"mapped": value}


def exploding(value: Any) -> Any:
    heard.append(("exploding", shape(value)))
    raise LookupError("mapper")


def passed_on(value: Any) -> Any:
    return value


@st.composite
def graph_nodes(draw: st.DrawFn, names: list[str]) -> dict[str, PregelNode]:
    """Nodes that read and are triggered by some of the channels."""
    found = {}
    for node in draw(st.permutations(["n1", "n2", "n3", "n0"])):
        readable = [*names, *MANAGED]
        if draw(st.integers(0, 19)) == 0:
            readable.append(UNKNOWN)
        reads: Any = draw(st.lists(st.sampled_from(readable), max_size=4))
        if draw(st.booleans()):
            reads = draw(st.sampled_from([*names, UNKNOWN]))
        found[node] = PregelNode(
            channels=reads,
            triggers=draw(st.lists(st.sampled_from(names), max_size=3)) if names else [],
            mapper=draw(st.sampled_from([None, None, mapped, mapped, exploding])),
            bound=draw(st.sampled_from([None, RunnableLambda(passed_on)])),
            tags=draw(st.sampled_from([None, ["tag"]])),
        )
    return found


@st.composite
def graphs(draw: st.DrawFn, **options: Any) -> Graph:
    """A graph, the state its channels are in, and the versions so far."""
    kinds = draw(channel_kinds(**options))
    names = list(kinds)
    versioning = draw(st.sampled_from(sorted(VERSIONINGS)))
    version = VERSIONINGS[versioning][1]
    versions, seen = {}, {}
    if draw(st.booleans()):
        keys = st.sampled_from([*names, "removed"])
        versions = draw(st.dictionaries(keys, version, max_size=len(names) + 1))
        reader = st.sampled_from(["n1", "n2", constants.INTERRUPT])
        seen = draw(st.dictionaries(reader, st.dictionaries(keys, version)))
    return Graph(
        kinds=kinds,
        primed={
            name: draw(st.lists(st.lists(values_for(name, kind), max_size=2), max_size=2))
            for name, kind in kinds.items()
        },
        nodes=draw(graph_nodes(names)),
        versioning=versioning,
        versions=versions,
        seen=seen,
        seed=draw(st.integers(0, 3)),
    )


# One side of a run


def loaded(versions: dict[str, Any]) -> dict[str, Any]:
    """Versions as from a saver: equal ones are different objects."""
    return {
        name: "".join(list(version)) if isinstance(version, str) else version
        for name, version in versions.items()
    }


@dataclass
class Side:
    """A graph's run, driven by the functions of one side."""

    graph: Graph
    functions: Functions
    tabled: bool = False
    channels: Any = field(init=False)
    checkpoint: dict[str, Any] = field(init=False)
    updated: set[str] | None = None
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.checkpoint = {
            "v": 4,
            "id": CHECKPOINT_ID,
            "ts": "2026-01-01T00:00:00+00:00",
            "channel_values": {},
            "channel_versions": loaded(self.graph.versions),
            "versions_seen": {name: loaded(seen) for name, seen in self.graph.seen.items()},
        }
        self.channels = make_channels(self.graph.kinds, self.graph.primed)
        if self.tabled and self.functions is not STOCK:
            self.channels = self._table(self.channels)
        self.random = random.Random(self.graph.seed)

    def _table(self, made: dict[str, BaseChannel]) -> Any:
        """A run's own table, with the channels that `made` holds."""
        specs = {name: _Spec(channel) for name, channel in made.items()}
        checkpoint = {"channel_versions": {}, "channel_values": {}}
        channels, _ = self.functions.channels_from_checkpoint(specs, checkpoint)
        return channels

    @property
    def state(self) -> Any:
        return shape(
            {"checkpoint": self.checkpoint, "channels": self.channels, "updated": self.updated}
        )

    def next_version(self) -> Callable[..., Any] | None:
        make = VERSIONINGS[self.graph.versioning][0]
        if make is None:
            return None

        def heard_next_version(current: Any, channel: None) -> Any:
            heard.append(("next version", shape(current), channel))
            state = random.getstate()
            random.setstate(self.random.getstate())
            try:
                return make(current, channel)
            finally:
                self.random.setstate(random.getstate())
                random.setstate(state)

        return heard_next_version

    def perform(self, action: Callable[[Side], Any]) -> dict[str, Any]:
        seen = observe(self.functions, lambda: action(self))
        heard.clear()
        seen["state"] = self.state
        return seen

    def switch_to(self, functions: Functions) -> None:
        self.functions = functions
        invalidate_tables()


class _Spec(BaseChannel):
    """Gives a channel that is there already, as the state of a checkpoint."""

    __slots__ = ("made",)

    def __init__(self, made: BaseChannel) -> None:
        self.made = made

    ValueType = UpdateType = None

    def from_checkpoint(self, checkpoint: Any) -> BaseChannel:
        return self.made

    def get(self) -> Any:
        raise NotImplementedError

    def update(self, values: Any) -> bool:
        raise NotImplementedError


def trigger_mappings(graph: Graph) -> st.SearchStrategy[Mapping[str, list[str]]]:
    known = graph.trigger_to_nodes
    return st.sampled_from([known, known, {}, MappingProxyType(known)])
