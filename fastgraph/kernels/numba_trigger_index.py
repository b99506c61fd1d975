"""The trigger index over NumPy arrays: the API of `trigger_index`, without extensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fastgraph.kernels.numba_core import NEVER, Integers, nodes_behind, triggered_nodes
from fastgraph.kernels.numba_ranking import UnrankableError, Version
from fastgraph.kernels.numba_version_vector import VersionVector, ranks_in, versions_of

__all__ = ("TriggerIndex",)


class TriggerIndex:
    """An index from channels to the nodes that subscribe to them.

    Parameters
    ----------
    triggers : Mapping[str, Iterable[str]]
        For each node, in the graph's order, the channels that trigger it.

    Notes
    -----
    Immutable once built, so threads may share it.
    """

    __slots__ = (
        "_by_channel",
        "_by_name",
        "_by_node",
        "_channels",
        "_edges_of",
        "_nodes",
        "_nodes_of",
    )

    def __init__(self, triggers: Mapping[str, Iterable[str]]) -> None:
        channels_of = {node: tuple(channels) for node, channels in triggers.items()}
        edges = [(node, channel) for node in channels_of for channel in channels_of[node]]
        # Channel -> its number. Nodes have two: their place in the graph, and among the names.
        self._channels = {name: i for i, name in enumerate(dict.fromkeys(c for _, c in edges))}
        self._nodes = list(channels_of)
        self._by_name = sorted(channels_of)
        # Channel -> the edges that lead to it, with the node each comes from.
        self._edges_of: dict[str, list[tuple[int, str]]] = {name: [] for name in self._channels}
        for edge, (node, channel) in enumerate(edges):
            self._edges_of[channel].append((edge, node))
        self._nodes_of = {
            channel: tuple(sorted({node for _, node in subscribed}))
            for channel, subscribed in self._edges_of.items()
        }
        self._by_node = _compressed(channels_of.values(), self._channels)
        self._by_channel = _compressed(
            self._nodes_of.values(), {name: i for i, name in enumerate(self._by_name)}
        )

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"TriggerIndex(nodes={len(self._nodes)}, channels={len(self._channels)})"

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that trigger at least one node."""
        return tuple(self._channels)

    def nodes(self, channel: str) -> tuple[str, ...]:
        """Return the nodes that `channel` triggers, sorted by name; none for an unknown one."""
        return self._nodes_of.get(channel, ())

    def updated(self, channels: Iterable[str]) -> list[str]:
        """Return the nodes behind the channels that were written, sorted by name.

        Parameters
        ----------
        channels : Iterable[str]
            The channels written in the last superstep; unknown ones trigger nothing.

        Returns
        -------
        list of str
        """
        numbers = [self._channels[name] for name in channels if name in self._channels]
        indptr, indices = self._by_channel
        behind = nodes_behind(indptr, indices, len(self._nodes), np.array(numbers, np.int64))
        return [self._by_name[i] for i in behind]

    def triggered(
        self,
        versions: VersionVector,
        seen: Mapping[str, Mapping[str, Version]],
        available: Iterable[str],
    ) -> list[str]:
        """Return the nodes that have not seen a channel's current version, in the graph's order.

        Parameters
        ----------
        versions : VersionVector
            The current versions.
        seen : Mapping[str, Mapping[str, int | float | str]]
            For each node that ran, the versions it has seen. A node that is missing has not run,
            and runs as soon as one of its triggers is available, with or without a version.
        available : Iterable[str]
            The channels that hold a value.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError
            If `versions` is not this kind of vector, or two versions cannot be compared.
        """
        if not isinstance(versions, VersionVector):
            raise TypeError(f"versions must be a VersionVector, not {type(versions).__name__}")
        names = [name for name in available if name in self._channels]
        try:
            found = self._found(versions, seen, names)
        except UnrankableError:
            return self._compared(versions, seen, names)
        return [self._nodes[i] for i in found]

    def _found(
        self,
        versions: VersionVector,
        seen: Mapping[str, Mapping[str, Version]],
        available: Sequence[str],
    ) -> Integers:
        """The places of the triggered nodes, by rank."""
        indptr, indices = self._by_node
        numbers = [self._channels[name] for name in available]
        mask = np.zeros(len(self._channels), np.bool_)
        mask[numbers] = True
        edges, reads = self._reads(versions.null, seen, available)
        seen_ranks = np.full(indices.size, NEVER, np.int64)
        current = np.zeros(len(self._channels), np.int64)
        # Where no node has run there is nothing to compare, and maybe nothing to rank.
        if reads:
            seen_ranks[edges] = ranks_in(versions, reads)
            current[numbers] = ranks_in(versions, versions_of(versions, available))
        return triggered_nodes(indptr, indices, current, seen_ranks, mask)

    def _reads(
        self,
        null: Version | None,
        seen: Mapping[str, Mapping[str, Version]],
        available: Sequence[str],
    ) -> tuple[list[int], list[Any]]:
        """What each node that ran has seen of its available channels, with the edges."""
        edges, reads = [], []
        for channel in available:
            for edge, node in self._edges_of[channel]:
                read = seen.get(node)
                if read is not None:
                    edges.append(edge)
                    reads.append(read.get(channel, null))
        return edges, reads

    def _compared(
        self,
        versions: VersionVector,
        seen: Mapping[str, Mapping[str, Version]],
        available: Sequence[str],
    ) -> list[str]:
        """The triggered nodes by comparing objects, as versions without an order need it."""
        null = versions.null
        hits: set[str] = set()
        for channel, version in zip(available, versions_of(versions, available), strict=True):
            for node in self._nodes_of[channel]:
                if node in hits:
                    continue
                read: Any = seen.get(node)
                if read is None or version > read.get(channel, null):
                    hits.add(node)
        return [node for node in self._nodes if node in hits]


def _compressed(
    rows: Iterable[Sequence[str]], number_of: Mapping[str, int]
) -> tuple[Integers, Integers]:
    """The rows as (indptr, indices), shapes ``(rows + 1,)`` and ``(edges,)``."""
    lengths, indices = [0], []
    for row in rows:
        lengths.append(len(row))
        indices.extend([number_of[name] for name in row])
    return np.cumsum(lengths, dtype=np.int64), np.array(indices, np.int64)
