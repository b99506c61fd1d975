"""Outputs: what a finished task's writes become for those who stream updates.

Domain of `output_writes`: the writes of one task that neither failed nor was interrupted.
Interrupts and errors, which are rare and have rules of their own, are upstream's.
"""

from langgraph._internal import _constants
from langgraph.constants import TAG_HIDDEN as _TAG_HIDDEN
from langgraph.pregel import _loop

from fastgraph.adapters.langgraph.channels cimport (
    AGGREGATE,
    LAST_VALUE,
    OPAQUE,
    ChannelTable,
    Kind,
    available,
    kind_of,
    read,
)
from fastgraph.kernels.tally cimport Tally

cdef object TAG_HIDDEN = _TAG_HIDDEN
cdef str INTERRUPT = _constants.INTERRUPT
cdef str ERROR = _constants.ERROR
cdef str RETURN = _constants.RETURN
cdef str CONF = _constants.CONF
cdef str STREAM = _constants.CONFIG_KEY_STREAM

cdef object stock
cdef Tally tally_


cdef bint hidden(object config) except -1:
    return config is not None and TAG_HIDDEN in config.get("tags", ())


cdef list own_updates(object output_keys, object writes):
    """What a task's writes show of it: the value it returned, or its writes to output channels."""
    cdef dict latest = {}
    cdef list every = []
    cdef bint repeated = False
    for channel, value in writes:
        if channel == RETURN:
            return [value]
    if isinstance(output_keys, str):
        return [value for channel, value in writes if channel == output_keys]
    # A wide state's keys as a set: a list would be searched for each write.
    keys = output_keys if len(writes) < 4 else frozenset(output_keys)
    for channel, value in writes:
        if channel in keys:
            repeated = repeated or channel in latest
            latest[channel] = value
            every.append((channel, value))
    if repeated:
        return [{channel: value} for channel, value in every]
    return [latest] if latest else []


cdef dict update_chunk(object name, object output_keys, object writes, bint cached):
    """The chunk of `stream_mode="updates"` for one task."""
    cdef list updates = own_updates(output_keys, writes)
    cdef object shown = updates
    if len(updates) == 0:
        shown = None
    elif len(updates) == 1:
        shown = updates[0]
    chunk = {name: shown}
    if cached:
        chunk["__metadata__"] = {"cached": cached}
    return chunk


cdef bint wants(object stream, str mode) except -1:
    """Whether who reads the stream, if there is one, asked for the mode."""
    return stream is not None and mode in stream.modes


# What `invoke` reads

class OutputKeys(list):
    """The output channels of a run whose stream only `invoke` reads, and only for the result.

    Carries that knowledge through upstream's `stream` to the loop. Such a run streams interrupts as
    ever, but no updates, and in place of the state after each superstep once a `RunState`.
    """

    __slots__ = ()


cdef class RunState:
    """The state of a run's output channels, read when it is asked for."""

    def __init__(self, *args):
        raise TypeError("made by the loop of a run")

    cdef dict values(self):
        """`read_channels` of the channels as they are now."""
        cdef dict found = {}
        cdef Kind kind
        for name in self.output_keys:
            channel = self.channels[name]
            kind = kind_of(channel)
            if available(kind, channel):
                found[name] = read(kind, channel)
        return found


cdef bint is_read_by_invoke(object loop) except -1:
    """Whether nobody but `invoke` reads what the loop streams."""
    return type(loop.output_keys) is OutputKeys and STREAM not in loop.config[CONF]


cdef bint keeps_values(ChannelTable table, object output_keys) except -1:
    """Whether the output channels change only by writes that leave them with a value.

    Then the state after the last superstep that streamed it is the state at the end.
    """
    cdef Kind kind
    if table.keeps_outputs < 0:
        table.keeps_outputs = 1
        for name in output_keys:
            kind = kind_of(table[name]) if name in table else OPAQUE
            if kind != LAST_VALUE and kind != AGGREGATE:
                table.keeps_outputs = 0
                break
    return table.keeps_outputs == 1


cdef bint announce(object loop, ChannelTable table) except -1:
    """Stream once where the state is to be read; False if it has to be streamed as it is now."""
    cdef RunState state
    if not is_read_by_invoke(loop) or not keeps_values(table, loop.output_keys):
        return False
    if table.announced is not table.epoch:
        state = RunState.__new__(RunState)
        state.channels = table
        state.output_keys = loop.output_keys
        loop.stream((loop.checkpoint_ns, "values", state))
        table.announced = table.epoch
    return True


# Streaming

cdef int emit_values(object loop, ChannelTable table, object output_keys, dict tasks) except -1:
    """Stream the state after a superstep whose tasks wrote to an output channel.

    `PregelLoop._emit("values", map_output_values, ...)`; that an output channel was updated does
    not say that a task wrote to it.
    """
    cdef frozenset names
    stream = loop.stream
    if not wants(stream, "values"):
        return 0
    names = table.output_names(output_keys)
    for task in tasks.values():
        for channel, _ in task.writes:
            if channel in names:
                if announce(loop, table):
                    return 0
                loop._emit(
                    "values", _loop.map_output_values, output_keys, True, table
                )
                return 0
    return 0


def output_writes(self, task_id, writes, *, cached=False):
    """Stream what a task wrote.

    Replaces `langgraph.pregel._loop.PregelLoop.output_writes`.
    """
    tally_.calls += 1
    task = self.tasks.get(task_id)
    if not task or hidden(task.config):
        return
    if writes[0][0] == INTERRUPT or writes[0][0] == ERROR:
        tally_.fell_back("an interrupt or an error")
        return stock(self, task_id, writes, cached=cached)
    modes = None if self.stream is None else self.stream.modes
    if modes is not None and ("tasks" in modes or "debug" in modes):
        tally_.fell_back("tasks are streamed, too")
        return stock(self, task_id, writes, cached=cached)
    if modes is None or "updates" not in modes or is_read_by_invoke(self):
        return
    chunk = update_chunk(task.name, self.output_keys, writes, cached)
    self.stream((self.checkpoint_ns, "updates", chunk))


def make_output_writes(original, Tally tally not None, str variant):
    global stock, tally_
    stock, tally_ = original, tally
    return output_writes
