"""Conditional edges: the state that a path function is shown, and the writes that its answer means.

Upstream runs a branch as a runnable around its path, which is one as well. The engine recognizes a
branch among the steps of a node and does what is around the path itself.

Domain: exactly `BranchSpec`, bound as upstream binds it, with a reader of the channels or none.
"""

from functools import partial as _partial
from types import MethodType as _MethodType

from langgraph._internal import _constants, _runnable
from langgraph.constants import END as _END
from langgraph.constants import START as _START
from langgraph.errors import InvalidUpdateError as _InvalidUpdateError
from langgraph.graph import _branch
from langgraph.graph import state as _state
from langgraph.pregel import _read, _write
from langgraph.types import Send as _Send

from fastgraph.adapters.langgraph.channel_writes cimport nested_code, runs, write_entries

cdef object partial = _partial
cdef object MethodType = _MethodType
cdef object Send = _Send
cdef object BranchSpec = _branch.BranchSpec
cdef object RunnableCallable = _runnable.RunnableCallable
cdef object ChannelRead = _read.ChannelRead
cdef object ChannelWriteEntry = _write.ChannelWriteEntry
cdef object ChannelWrite = _write.ChannelWrite
cdef object PASSTHROUGH = _write.PASSTHROUGH
cdef object InvalidUpdateError = _InvalidUpdateError
cdef object START = _START
cdef object END = _END
cdef str CONF = _constants.CONF
cdef str READ = _constants.CONFIG_KEY_READ
cdef str SEND = _constants.CONFIG_KEY_SEND
cdef str TASKS = _constants.TASKS
cdef set READS = {"select", "fresh", "mapper"}
cdef object route = _branch.BranchSpec._route
cdef object aroute = _branch.BranchSpec._aroute
cdef object finish = _branch.BranchSpec._finish
cdef object starting_code = (
    nested_code(_state.CompiledStateGraph.attach_branch, "get_writes")
    if _state._CHANNEL_BRANCH_TO == "branch:to:{}"
    else None
)
cdef object do_read = _read.ChannelRead.do_read


cdef bint is_reader(object reader) except -1:
    """Whether `reader` reads channels and does nothing else with its config."""
    if reader is None:
        return True
    if type(reader) is not partial or reader.func is not do_read or reader.args:
        return False
    return "select" in reader.keywords and READS.issuperset(reader.keywords)


cdef object bound_spec(object function, object wanted):
    """The branch whose method `function` is; None if it is anything else."""
    if type(function) is not MethodType or function.__func__ is not wanted:
        return None
    spec = function.__self__
    return spec if type(spec) is BranchSpec and BranchSpec._finish is finish else None


cdef class Branch:
    """What a step of a node needs to know of a conditional edge."""

    cdef object state(self, object value, dict config):
        """What the path is given: the state with the task's own writes, or the node's output."""
        if self.reader is None:
            return value
        keywords = self.reader.keywords
        read = config.get(CONF, {}).get(READ)
        if read is None:
            state = self.reader(config)
        else:
            state = read(keywords["select"], keywords.get("fresh", False))
            mapper = keywords.get("mapper")
            if mapper:
                state = mapper(state)
        if self.input_schema is None and isinstance(state, dict) and isinstance(value, dict):
            return {**value, **state}
        return state

    cdef object destinations(self, object result):
        """Where the path wants to go, as upstream hands it on."""
        cdef list named = []
        answers = result if isinstance(result, (list, tuple)) else [result]
        if self.ends:
            for answer in answers:
                named.append(answer if isinstance(answer, Send) else self.ends[answer])
            answers = named
        for destination in answers:
            if destination is None or destination == START:
                raise ValueError("Branch did not return a valid destination")
        for destination in answers:
            if isinstance(destination, Send) and destination.node == END:
                raise InvalidUpdateError("Cannot send a packet to the END node")
        return answers

    cdef object go(self, object result, dict config):
        """Write what starts the destinations; the entries that need the node's output, if any."""
        destinations = self.destinations(result)
        if starts_nodes(self.writer):
            start(destinations, config)
            return None
        entries = self.writer(destinations, False)
        if not entries:
            return None
        if passes_through(entries):
            return entries
        if not write_entries(entries, config):
            ChannelWrite.do_write(config, entries)
        return None


cdef bint starts_nodes(object writer) noexcept:
    """Whether `writer` is the one that a state graph gives to its branches."""
    return starting_code is not None and runs(writer, starting_code)


cdef int start(object destinations, dict config) except -1:
    """Write to the channels that start the destinations, as a state graph's writer does."""
    cdef list writes = []
    for destination in destinations:
        if destination != END:
            if isinstance(destination, Send):
                writes.append((TASKS, destination))
            else:
                writes.append((f"branch:to:{destination}", None))
    if writes:
        config[CONF][SEND](writes)
    return 0


cdef Branch branch_of(object step, bint is_async):
    """The conditional edge that `step` is; None if it is anything else."""
    cdef Branch branch
    cdef dict given, accepts
    if type(step) is not RunnableCallable or step.trace or not step.recurse or step.explode_args:
        return None
    spec = bound_spec(step.afunc if is_async else step.func, aroute if is_async else route)
    if spec is None:
        return None
    given, accepts = step.kwargs, step.func_accepts
    if len(given) != 2 or "writer" not in given or "reader" not in given:
        return None
    if len(accepts) != 1 or "config" not in accepts or not is_reader(given["reader"]):
        return None
    branch = Branch.__new__(Branch)
    branch.path, branch.ends, branch.input_schema = spec
    branch.reader = given["reader"]
    branch.writer = given["writer"]
    return branch


cdef bint passes_through(object entries) except -1:
    """Whether an entry asks for the node's output."""
    for entry in entries:
        if isinstance(entry, ChannelWriteEntry) and entry.value is PASSTHROUGH:
            return True
    return False
