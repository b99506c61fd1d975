"""Triggers with the numba kernels: upstream prepares the tasks, of fewer nodes.

Where upstream does not know what was updated, at both ends of a run, it asks every node of the
graph. The index tells which ones need to be asked; upstream's own function then walks those, so
nothing of what it does is repeated here. All other calls go to it as they came.

`should_interrupt` has no replacement of this kind: ranking the versions, which stock code changes
between two calls, takes longer than comparing them once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langgraph._internal._constants import TASKS
from langgraph.channels.any_value import AnyValue
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue, LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue

from fastgraph.kernels.numba_trigger_index import TriggerIndex
from fastgraph.kernels.numba_version_vector import VersionVector
from fastgraph.kernels.tally import Tally

try:
    from langgraph.channels.delta import DeltaChannel
except ImportError:  # before LangGraph 1.2
    DeltaChannel = LastValue  # type: ignore[assignment, misc]

#: How many nodes a graph needs for the index to be faster (``benchmarks/kernels_by_size.py``).
THRESHOLD = 32

#: Asking one of exactly these whether it is available runs nobody's code.
BUILT_IN = frozenset(
    {
        AnyValue,
        BinaryOperatorAggregate,
        DeltaChannel,
        EphemeralValue,
        LastValue,
        LastValueAfterFinish,
        NamedBarrierValue,
        NamedBarrierValueAfterFinish,
        Topic,
        UntrackedValue,
    }
)

#: Copies of a graph (`with_config`) share their nodes but not their `trigger_to_nodes`.
COPIES = 8


def make_prepare_next_tasks(
    original: Callable[..., dict[str, Any]], tally: Tally, variant: str
) -> Callable[..., dict[str, Any]]:
    """Make the replacement for `langgraph.pregel._algo.prepare_next_tasks`."""
    indexes = GraphIndexes()

    def prepare_next_tasks(
        checkpoint: Any,
        pending_writes: Any,
        processes: Any,
        channels: Any,
        *args: Any,
        trigger_to_nodes: Any = None,
        updated_channels: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        tally.calls += 1
        nodes = processes
        # With both of these, or without versions, upstream asks few nodes or none as it is.
        if checkpoint["channel_versions"] and not (updated_channels and trigger_to_nodes):
            reason = outside(checkpoint, processes, channels, trigger_to_nodes)
            if reason is None:
                try:
                    index = indexes.of(processes, trigger_to_nodes)
                    nodes = triggered(index, checkpoint, processes, channels)
                except Exception:  # a missing channel, say: upstream raises it from its own line
                    reason = "the index could not tell"
            if reason is not None:
                tally.fell_back(reason)
        return original(
            checkpoint,
            pending_writes,
            nodes,
            channels,
            *args,
            trigger_to_nodes=trigger_to_nodes,
            updated_channels=updated_channels,
            **kwargs,
        )

    return prepare_next_tasks


def outside(checkpoint: Any, processes: Any, channels: Any, trigger_to_nodes: Any) -> str | None:
    """Tell why upstream has to ask every node; None if the index can."""
    if len(processes) < THRESHOLD:
        return f"fewer than {THRESHOLD} nodes"
    if not trigger_to_nodes:
        return "trigger_to_nodes is not given"
    mappings = (checkpoint, checkpoint["channel_versions"], checkpoint["versions_seen"])
    if any(type(mapping) is not dict for mapping in (*mappings, processes, channels)):
        return "the checkpoint, nodes or channels are not in dicts"
    if not BUILT_IN.issuperset(map(type, channels.values())):
        return "a channel is not of a built-in type"
    if TASKS in channels and channels[TASKS].is_available():
        return "Sends are pending"
    return None


def triggered(
    index: TriggerIndex,
    checkpoint: Mapping[str, Any],
    nodes: Mapping[str, Any],
    channels: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the nodes that are triggered, in the graph's order.

    Raises
    ------
    Exception
        Whatever a graph raises that lacks a channel or whose versions cannot be compared.
    """
    available = [name for name in index.channels if channels[name].is_available()]
    versions = checkpoint["channel_versions"]
    # Ranking all of them would take longer than the rest. The first says what the null version is.
    asked = {
        name: versions[name] for name in (next(iter(versions)), *available) if name in versions
    }
    names = index.triggered(VersionVector(asked), checkpoint["versions_seen"], available)
    return {name: nodes[name] for name in names}


class GraphIndexes:
    """The trigger index of each graph, built when first asked for, as `validate()` saw the graph.

    A graph's nodes are in a plain dict, which cannot be referred to weakly; its first node can, and
    dies with it. Two threads may both build an index for a new graph; either will do.
    """

    def __init__(self) -> None:
        self._known: weakref.WeakKeyDictionary[
            Any, list[tuple[Mapping[str, Sequence[str]], int, TriggerIndex]]
        ] = weakref.WeakKeyDictionary()

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def of(
        self, nodes: Mapping[str, Any], trigger_to_nodes: Mapping[str, Sequence[str]]
    ) -> TriggerIndex:
        """Return the index of a graph of one node or more."""
        known = self._known.setdefault(next(iter(nodes.values())), [])
        for table, count, index in known:
            # `validate()` makes a new table, so the same one is the same graph.
            if table is trigger_to_nodes and count == len(nodes):
                return index
        index = TriggerIndex({name: node.triggers for name, node in nodes.items()})
        known.append((trigger_to_nodes, len(nodes), index))
        del known[:-COPIES]
        return index
