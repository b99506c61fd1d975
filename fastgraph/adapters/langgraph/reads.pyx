"""Reads: what a task is given as its input, and what it sees when it asks for the state.

Domain of `local_read`: channels in a plain dict and, for a fresh read, no channel whose copy runs
somebody's code. Upstream copies every channel for each conditional edge, to apply the task's own
writes to the copies; only the selected channels can be seen, and most need no copy to be read.
"""

import collections.abc
from copy import copy as _copy

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject

from langgraph._internal._typing import MISSING as _MISSING
from langgraph.channels.binop import _strip_extras
from langgraph.errors import EmptyChannelError as _EmptyChannelError

from fastgraph.adapters.langgraph.channels cimport (
    AGGREGATE,
    ANY_VALUE,
    DELTA,
    EPHEMERAL,
    LAST_VALUE,
    OPAQUE,
    UNTRACKED,
    ChannelTable,
    Kind,
    available,
    held,
    kind_of,
    read,
)
from fastgraph.kernels.tally cimport Tally

cdef object MISSING = _MISSING
cdef object EmptyChannelError = _EmptyChannelError
cdef object shallow_copy = _copy

# An aggregate calls its value type when it is copied. These do nothing but make an empty value.
cdef set PLAIN_TYPES = {
    bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple,
    collections.abc.Mapping, collections.abc.MutableMapping, collections.abc.MutableSequence,
    collections.abc.MutableSet, collections.abc.Sequence, collections.abc.Set,
}

cdef object stock_local_read
cdef object stock_proc_input
cdef Tally read_tally
cdef Tally input_tally


cdef object current(object channel):
    """The channel's value, `MISSING` if it is empty."""
    cdef Kind kind = kind_of(channel)
    if is_one_value(kind):
        return held(kind, channel)
    try:
        return channel.get()
    except EmptyChannelError:
        return MISSING


cdef inline bint is_one_value(Kind kind) noexcept:
    return (
        kind == LAST_VALUE or kind == EPHEMERAL or kind == AGGREGATE or kind == UNTRACKED
        or kind == ANY_VALUE or kind == DELTA
    )


# local_read

cdef bint copies_silently(object channel) except -1:
    """Whether copying the channel and telling the copy of no writes runs upstream's code alone."""
    cdef Kind kind = kind_of(channel)
    if kind == OPAQUE or kind == DELTA:
        return False
    if kind != AGGREGATE:
        return True
    value_type = _strip_extras(channel.typ)
    # What `typing` offers beside classes cannot be called without arguments.
    return (
        value_type in PLAIN_TYPES
        or not callable(value_type)
        or type(value_type).__module__ in ("typing", "typing_extensions")
    )


cdef bint all_copy_silently(object channels) except -1:
    cdef ChannelTable table
    if type(channels) is ChannelTable:
        table = <ChannelTable>channels
        table.ensure()
        if table.copies_silently < 0:
            table.copies_silently = all([copies_silently(c) for c in table.values()])
        return table.copies_silently
    return all([copies_silently(c) for c in (<dict>channels).values()])


cdef dict own_writes(object task, object names):
    """What the task itself wrote to the channels of `names`, by channel."""
    cdef dict groups = {}
    cdef PyObject* found
    for channel, value in task.writes:
        found = PyDict_GetItemWithError(groups, channel)
        if found != NULL:
            (<list>found).append(value)
        elif channel in names:
            groups[channel] = [value]
    return groups


cdef object written(object channel, list values):
    """The value the channel would have after `values`; `MISSING` if empty."""
    cdef Kind kind = kind_of(channel)
    cdef Py_ssize_t count = 0 if values is None else len(values)
    if kind == LAST_VALUE or kind == UNTRACKED:
        if count == 0:
            return held(kind, channel)
        if count == 1:
            return values[0]
    elif kind == EPHEMERAL or kind == ANY_VALUE:
        if count == 0:  # its value was for the step that is ending
            return MISSING
        if count == 1:
            return values[0]
    elif kind == AGGREGATE and count == 0:
        return held(kind, channel)
    duplicate = channel.copy()
    duplicate.update([] if values is None else values)
    return current(duplicate)


cdef dict fresh_values(object channels, list names, dict writes):
    """The values with the task's own writes applied.

    Reducers run in the channels' order upstream; with fewer than two of them no order can be seen.
    A name that is not a channel is left for the reader to stumble over.
    """
    cdef dict values = {}
    cdef set wanted
    if len(writes) < 2:
        for name in names:
            if name in channels and name not in values:
                values[name] = written(channels[name], writes.get(name))
        return values
    wanted = set(names)
    for name in channels:
        if name in wanted:
            values[name] = written(channels[name], writes.get(name))
    return values


def local_read(scratchpad, channels, managed, task, select, fresh=False):
    """The state as the task sees it, with its own writes applied if `fresh`.

    Replaces `langgraph.pregel._algo.local_read`.
    """
    cdef bint single = isinstance(select, str)
    cdef list names, managed_names
    cdef dict values, fresh_by_name = None

    read_tally.calls += 1
    if type(channels) is not ChannelTable and type(channels) is not dict:
        read_tally.fell_back("channels are not a dict")
        return stock_local_read(scratchpad, channels, managed, task, select, fresh)
    if fresh and not all_copy_silently(channels):
        read_tally.fell_back("copying a channel runs its own code")
        return stock_local_read(scratchpad, channels, managed, task, select, fresh)

    if single:
        names, managed_names = [select], []
    else:
        managed_names = [name for name in select if name in managed] if managed else []
        names = [name for name in select if name not in managed] if managed_names else list(select)
    if fresh:
        fresh_by_name = fresh_values(channels, names, own_writes(task, names))
    if single:
        value = fresh_by_name[select] if fresh else current(channels[select])
        return None if value is MISSING else value
    values = {}
    for name in names:
        value = fresh_by_name[name] if fresh else current(channels[name])
        if value is not MISSING:
            values[name] = value
    for name in managed_names:
        values[name] = managed[name].get(scratchpad)
    return values


def make_local_read(original, Tally tally not None, str variant):
    global stock_local_read, read_tally
    stock_local_read, read_tally = original, tally
    return local_read


# _proc_input

def _proc_input(proc, managed, channels, *, for_execution, scratchpad, input_cache):
    """The input of a task of the node `proc`: the values of the channels it reads.

    Replaces `langgraph.pregel._algo._proc_input`.
    """
    cdef Kind kind

    input_tally.calls += 1
    if input_cache is not None and proc.input_cache_key in input_cache:
        return shallow_copy(input_cache[proc.input_cache_key])
    names = proc.channels
    if isinstance(names, list):
        value = {}
        for name in names:
            if name in channels:
                channel = channels[name]
                kind = kind_of(channel)
                if available(kind, channel):
                    value[name] = read(kind, channel)
            else:
                value[name] = managed[name].get(scratchpad)
    elif isinstance(names, str):
        if names not in channels:
            return MISSING
        channel = channels[names]
        kind = kind_of(channel)
        if not available(kind, channel):
            return MISSING
        value = read(kind, channel)
    else:
        input_tally.fell_back("channels of the node are neither a list nor a name")
        return stock_proc_input(
            proc, managed, channels,
            for_execution=for_execution, scratchpad=scratchpad, input_cache=input_cache,
        )
    if for_execution and proc.mapper is not None:
        value = proc.mapper(value)
    if input_cache is not None:
        input_cache[proc.input_cache_key] = value
    return value


def make_proc_input(original, Tally tally not None, str variant):
    global stock_proc_input, input_tally
    stock_proc_input, input_tally = original, tally
    return _proc_input
