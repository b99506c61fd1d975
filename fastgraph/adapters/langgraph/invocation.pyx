"""Invocation: a whole run for its result.

`invoke` is a stream of updates and values that is read for interrupts and for the last values, so
upstream builds the state and the updates of every superstep to throw them away. Here the run is
told that nobody else reads its stream (see `OutputKeys`).

Domain: the values of a list of output channels in the first streaming format, nothing printed, and
`stream` as LangGraph has it.
"""

import functools

from langgraph._internal import _constants
from langgraph.pregel import main as _main

from fastgraph.adapters.langgraph.outputs cimport RunState
from fastgraph.kernels.tally cimport Tally

from fastgraph.adapters.langgraph.outputs import OutputKeys

cdef str INTERRUPT = _constants.INTERRUPT
cdef object Graph = _main.Pregel

cdef object stock_invoke
cdef object stock_ainvoke
cdef Tally invoke_tally
cdef Tally ainvoke_tally


cdef bint is_upstreams(object graph, str method) except -1:
    """Whether the graph streams by upstream's own function, which nobody has wrapped."""
    function = getattr(type(graph), method)
    if function is not getattr(Graph, method) or method in graph.__dict__:
        return False
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename == _main.__file__


cdef str outside(
    object graph,
    str method,
    object stream_mode,
    object print_mode,
    object output_keys,
    object version,
    dict kwargs,
):
    """Why upstream has to run; None inside the domain."""
    if stream_mode != "values" or version != "v1":
        return "other than values in the first format"
    if print_mode or graph.debug:
        return "printed chunks"
    if kwargs:
        # A deprecated argument among them makes `stream` warn its caller, for which upstream's own
        # frame has to be there.
        return "further arguments"
    if type(output_keys) is not list:
        return "a single output channel"
    if not is_upstreams(graph, method):
        return "stream is not upstream's own"
    return None


cdef class Result:
    """What `invoke` keeps of the chunks: the interrupts and the last values."""

    cdef object latest
    cdef list interrupts

    def __cinit__(self):
        self.interrupts = []

    cdef int add(self, tuple chunk) except -1:
        mode, payload = chunk
        if mode == "values":
            self.latest = payload
        elif mode == "updates" and isinstance(payload, dict):
            interrupts = payload.get(INTERRUPT)
            if interrupts is not None:
                self.interrupts.extend(interrupts)
        return 0

    cdef object value(self):
        latest = self.latest
        if type(latest) is RunState:
            latest = (<RunState>latest).values()
        if not self.interrupts:
            return latest
        if isinstance(latest, dict):
            return {**latest, INTERRUPT: self.interrupts}
        return {INTERRUPT: self.interrupts}


def invoke(
    self,
    input,
    config=None,
    *,
    context=None,
    stream_mode="values",
    print_mode=(),
    output_keys=None,
    interrupt_before=None,
    interrupt_after=None,
    durability=None,
    control=None,
    version="v1",
    **kwargs,
):
    """Run the graph with a single input and config.

    Replaces `langgraph.pregel.main.Pregel.invoke`.
    """
    cdef Result result
    invoke_tally.calls += 1
    keys = self.output_channels if output_keys is None else output_keys
    reason = outside(self, "stream", stream_mode, print_mode, keys, version, kwargs)
    if reason is not None:
        invoke_tally.fell_back(reason)
        return stock_invoke(
            self, input, config, context=context, stream_mode=stream_mode, print_mode=print_mode,
            output_keys=output_keys, interrupt_before=interrupt_before,
            interrupt_after=interrupt_after, durability=durability, control=control,
            version=version, **kwargs,
        )
    result = Result.__new__(Result)
    for chunk in self.stream(
        input, config, context=context, stream_mode=["updates", "values"], print_mode=print_mode,
        output_keys=OutputKeys(keys), interrupt_before=interrupt_before,
        interrupt_after=interrupt_after, durability=durability, control=control,
    ):
        result.add(chunk)
    return result.value()


class Pregel:
    """A coroutine's name is its method's, in reprs, warnings and `Task.get_coro()`: upstream's."""

    async def ainvoke(
        self,
        input,
        config=None,
        *,
        context=None,
        stream_mode="values",
        print_mode=(),
        output_keys=None,
        interrupt_before=None,
        interrupt_after=None,
        durability=None,
        control=None,
        version="v1",
        **kwargs,
    ):
        """Run the graph with a single input and config, asynchronously.

        Replaces `langgraph.pregel.main.Pregel.ainvoke`.
        """
        cdef Result result
        ainvoke_tally.calls += 1
        keys = self.output_channels if output_keys is None else output_keys
        reason = outside(self, "astream", stream_mode, print_mode, keys, version, kwargs)
        if reason is not None:
            ainvoke_tally.fell_back(reason)
            return await stock_ainvoke(
                self, input, config, context=context, stream_mode=stream_mode,
                print_mode=print_mode, output_keys=output_keys,
                interrupt_before=interrupt_before, interrupt_after=interrupt_after,
                durability=durability, control=control, version=version, **kwargs,
            )
        result = Result.__new__(Result)
        async for chunk in self.astream(
            input, config, context=context, stream_mode=["updates", "values"],
            print_mode=print_mode, output_keys=OutputKeys(keys),
            interrupt_before=interrupt_before, interrupt_after=interrupt_after,
            durability=durability, control=control,
        ):
            result.add(chunk)
        return result.value()


ainvoke = Pregel.ainvoke


def make_invoke(original, Tally tally not None, str variant):
    global stock_invoke, invoke_tally
    stock_invoke, invoke_tally = original, tally
    # Public API: its help, signature and annotations are looked at.
    return functools.update_wrapper(invoke, original)


def make_ainvoke(original, Tally tally not None, str variant):
    global stock_ainvoke, ainvoke_tally
    stock_ainvoke, ainvoke_tally = original, tally
    return functools.update_wrapper(ainvoke, original)
