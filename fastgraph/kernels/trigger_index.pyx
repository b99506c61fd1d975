"""The trigger index: from the channels that changed to the nodes that run next.

A node of a Pregel graph runs when one of the channels it subscribes to, its triggers, holds a
value that it has not seen. Asking every node costs as much as the graph is large; the index is
built once per graph and asks only the nodes behind the channels in question.
"""

from fastgraph.kernels.version_vector cimport VersionVector

__all__ = ("TriggerIndex",)


cdef class TriggerIndex:
    """An index from channels to the nodes that subscribe to them.

    Parameters
    ----------
    triggers : Mapping[str, Iterable[str]]
        For each node, in the graph's order, the channels that trigger it.

    Notes
    -----
    Immutable once built, so threads may share it.
    """

    def __init__(self, triggers):
        cdef dict nodes_of = {}
        self.triggers = {node: tuple(channels) for node, channels in triggers.items()}
        for node, channels in self.triggers.items():
            for channel in channels:
                nodes_of.setdefault(channel, {})[node] = None
        self.nodes_of = {channel: tuple(sorted(nodes)) for channel, nodes in nodes_of.items()}
        self.position = {node: i for i, node in enumerate(self.triggers)}

    def __len__(self):
        return len(self.triggers)

    def __repr__(self):
        return f"TriggerIndex(nodes={len(self.triggers)}, channels={len(self.nodes_of)})"

    @property
    def channels(self):
        """The channels that trigger at least one node."""
        return tuple(self.nodes_of)

    def nodes(self, channel):
        """The nodes that `channel` triggers, sorted by name; none for an unknown channel."""
        return self.nodes_of.get(channel, ())

    def updated(self, channels):
        """The nodes behind the channels that were written, sorted by name.

        Parameters
        ----------
        channels : Iterable[str]
            The channels written in the last superstep; unknown ones trigger nothing.

        Returns
        -------
        list of str
        """
        return self.updated_nodes(channels)

    def triggered(self, versions, seen, available):
        """The nodes that have not seen a channel's current version, in the graph's order.

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
        """
        if not isinstance(versions, VersionVector):
            raise TypeError(f"versions must be a VersionVector, not {type(versions).__name__}")
        return self.triggered_nodes(versions, seen, available)

    cdef list updated_nodes(self, object updated):
        cdef tuple nodes, first = None
        cdef set union = None
        for channel in updated:
            nodes = self.nodes_of.get(channel)
            if nodes is None:
                continue
            if first is None:
                first = nodes
            elif union is None:
                union = {*first, *nodes}
            else:
                union.update(nodes)
        if union is not None:
            return sorted(union)
        return [] if first is None else list(first)

    cdef list triggered_nodes(self, VersionVector versions, object seen, object available):
        cdef tuple nodes
        cdef set hits = set()
        cdef object null = versions.null_version()
        for channel in available:
            nodes = self.nodes_of.get(channel)
            if nodes is None:
                continue
            for node in nodes:
                if node in hits:
                    continue
                read = seen.get(node)
                if read is None or versions.ahead(channel, read, null):
                    hits.add(node)
        return sorted(hits, key=self.position.__getitem__) if len(hits) > 1 else list(hits)
