"""Channel writers: what a node's output writes to which channels.

Upstream runs a writer as a runnable of its own and makes two lists of entries for it. A plain
writer shows its config to nobody and never waits, so sync and async runs write here directly.

Domain: exactly `ChannelWrite`, with entries of exactly upstream's types.
"""

from types import CodeType, FunctionType

from langchain_core.runnables.base import Runnable as _Runnable
from langgraph._internal import _constants
from langgraph.graph import state as _state
from langgraph.pregel import _write
from langgraph.types import Send as _Send

from cpython.object cimport PyObject

cdef extern from "Python.h":
    bint PyFunction_Check(object o)
    PyObject* PyFunction_GetCode(object function) except NULL
    PyObject* PyFunction_GetClosure(object function)

cdef object Runnable = _Runnable
cdef object Send = _Send
cdef object ChannelWrite = _write.ChannelWrite
cdef object ChannelWriteEntry = _write.ChannelWriteEntry
cdef object ChannelWriteTupleEntry = _write.ChannelWriteTupleEntry
cdef object PASSTHROUGH = _write.PASSTHROUGH
cdef object SKIP_WRITE = _write.SKIP_WRITE
cdef str CONF = _constants.CONF
cdef str SEND = _constants.CONFIG_KEY_SEND
cdef str TASKS = _constants.TASKS


cdef object nested_code(object method, str name):
    """The code of the function `name` that a method of upstream's defines, if it does."""
    if type(method) is FunctionType:
        for constant in method.__code__.co_consts:
            if type(constant) is CodeType and constant.co_name == name:
                return constant
    return None


cdef bint runs(object function, object code) noexcept:
    """Whether `function` is a Python function with this code."""
    return (
        code is not None
        and PyFunction_Check(function)
        and PyFunction_GetCode(function) == <PyObject*>code
    )


cdef Py_ssize_t cell_of(object code, tuple names):
    """Which cell of a function with `code` has the first of the names that it has; -1 if none."""
    for name in names:
        if code is not None and name in code.co_freevars:
            return code.co_freevars.index(name)
    return -1


# How a state graph maps what a node returns to updates of channels and to where to go next.
cdef object updates_code = nested_code(_state.CompiledStateGraph.attach_node, "_get_updates")
cdef Py_ssize_t updates_cell = cell_of(updates_code, ("output_key_set", "output_keys"))
cdef object control_branch = _state._control_branch


cdef bint is_runnable(object value) except -1:
    """Whether a node returned something to run; asking the ABC is for what is not plain data."""
    cdef object kind = type(value)
    if kind is dict or value is None or kind is str or kind is list or kind is tuple:
        return False
    return isinstance(value, Runnable)


cdef bint writes_channels(object step) except -1:
    """Whether `step` is a plain channel writer, which shows its config to nobody."""
    return type(step) is ChannelWrite and not step.trace and not step.kwargs


cdef bint known_entries(object entries) except -1:
    """Whether upstream would accept all entries: none for the reserved channel, none unknown."""
    if type(entries) is not list and type(entries) is not tuple:
        return False
    for entry in entries:
        kind = type(entry)
        if kind is ChannelWriteEntry:
            if (<tuple>entry)[0] == TASKS:
                return False
        elif kind is not ChannelWriteTupleEntry and not isinstance(entry, Send):
            return False
    return True


cdef int add_entry(list writes, tuple entry, object value) except -1:
    """Add what a `ChannelWriteEntry` (channel, value, skip_none, mapper) writes."""
    written = value if entry[1] is PASSTHROUGH else entry[1]
    mapper = entry[3]
    if mapper is not None:
        written = mapper(written)
    if written is SKIP_WRITE or (written is None and entry[2]):
        return 0
    writes.append((entry[0], written))
    return 0


cdef int add_extracted(list writes, tuple entry, object value) except -1:
    """Add what a `ChannelWriteTupleEntry` (mapper, value, static) writes."""
    mapper = entry[0]
    given = value if entry[1] is PASSTHROUGH else entry[1]
    if type(given) is dict:
        if mapper is control_branch:
            return 0  # only commands and packets go anywhere
        if updates_cell >= 0 and runs(mapper, updates_code):
            keys = (<tuple><object>PyFunction_GetClosure(mapper))[updates_cell].cell_contents
            for key, update in (<dict>given).items():
                if key in keys:
                    writes.append((key, update))
            return 0
    extracted = mapper(given)
    if extracted:
        writes.extend(extracted)
    return 0


cdef list assembled(object entries, object value):
    """The writes of a channel writer for its input."""
    cdef list writes = []
    for entry in entries:
        kind = type(entry)
        if kind is ChannelWriteEntry:
            add_entry(writes, <tuple>entry, value)
        elif kind is ChannelWriteTupleEntry:
            add_extracted(writes, <tuple>entry, value)
        else:
            writes.append((TASKS, entry))
    return writes


cdef bint write_channels(object step, object value, dict config) except -1:
    """`step.invoke(value, config)` of a plain channel writer; False if upstream has to do it."""
    entries = step.writes
    if not known_entries(entries):
        return False
    send = config[CONF][SEND]
    send(assembled(entries, value))
    return True


cdef bint write_entries(object entries, dict config) except -1:
    """`ChannelWrite.do_write(config, entries)`; False if upstream has to do it.

    None of the entries has to pass its input through, for there is none.
    """
    if not known_entries(entries):
        return False
    send = config[CONF][SEND]
    send(assembled(entries, PASSTHROUGH))
    return True
