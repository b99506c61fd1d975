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
from langgraph.pregel import _read, _write
from langgraph.types import Send as _Send

cdef object partial = _partial
cdef object MethodType = _MethodType
cdef object Send = _Send
cdef object BranchSpec = _branch.BranchSpec
cdef object RunnableCallable = _runnable.RunnableCallable
cdef object ChannelRead = _read.ChannelRead
cdef object ChannelWriteEntry = _write.ChannelWriteEntry
cdef object PASSTHROUGH = _write.PASSTHROUGH
cdef object InvalidUpdateError = _InvalidUpdateError
cdef object START = _START
cdef object END = _END
cdef str CONF = _constants.CONF
cdef str READ = _constants.CONFIG_KEY_READ
cdef set READS = {"select", "fresh", "mapper"}
cdef object route = _branch.BranchSpec._route
cdef object aroute = _branch.BranchSpec._aroute
cdef object finish = _branch.BranchSpec._finish
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

    cdef object entries(self, object result):
        """The entries to write for where the path wants to go."""
        cdef list destinations = []
        answers = result if isinstance(result, (list, tuple)) else (result,)
        for answer in answers:
            if self.ends and not isinstance(answer, Send):
                answer = self.ends[answer]
            destinations.append(answer)
        for destination in destinations:
            if destination is None or destination == START:
                raise ValueError("Branch did not return a valid destination")
        for destination in destinations:
            if isinstance(destination, Send) and destination.node == END:
                raise InvalidUpdateError("Cannot send a packet to the END node")
        # Without ends upstream hands on the path's own list or tuple.
        given = destinations if self.ends or answers is not result else result
        return self.writer(given, False)


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
    branch.spec = spec
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
