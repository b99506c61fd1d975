"""Static interrupts: whether a superstep has to stop before or after one of its nodes."""

from langgraph._internal._constants import INTERRUPT as _INTERRUPT
from langgraph._internal._typing import EMPTY_SEQ as _EMPTY_SEQ
from langgraph.constants import TAG_HIDDEN as _TAG_HIDDEN

from fastgraph.kernels.tally cimport Tally
from fastgraph.kernels.version_vector cimport VersionVector

cdef object INTERRUPT = _INTERRUPT
cdef object EMPTY_SEQ = _EMPTY_SEQ
cdef object TAG_HIDDEN = _TAG_HIDDEN

cdef object stock
cdef Tally tally_


cdef bint updated_since_interrupt(dict checkpoint) except -1:
    """Whether a channel has a newer version than the last interrupt saw."""
    cdef VersionVector vector = VersionVector.over(checkpoint["channel_versions"])
    # A graph without versions compares nothing, but upstream would have made a null version.
    return vector.newer(checkpoint["versions_seen"].get(INTERRUPT, {}))


cdef bint visible(object task) except -1:
    config = task.config
    return not config or TAG_HIDDEN not in config.get("tags", EMPTY_SEQ)


def should_interrupt(checkpoint, interrupt_nodes, tasks):
    """The tasks to interrupt at; none unless something was updated since the last interrupt.

    Replaces `langgraph.pregel._algo.should_interrupt`.
    """
    tally_.calls += 1
    if type(checkpoint) is not dict or type(checkpoint["channel_versions"]) is not dict:
        tally_.fell_back("checkpoint or its versions are not a dict")
        return stock(checkpoint, interrupt_nodes, tasks)
    if not updated_since_interrupt(checkpoint):
        return []
    if interrupt_nodes == "*":
        return [task for task in tasks if visible(task)]
    return [task for task in tasks if task.name in interrupt_nodes]


def make_should_interrupt(original, Tally tally not None, str variant):
    global stock, tally_
    stock, tally_ = original, tally
    return should_interrupt
