"""Running a node: the sequence of its function and its writers, in their callback runs.

Domain: exactly `RunnableSeq` without trace transforms; any `RunnableCallable`, as long as its
config is a plain dict. Handlers get the same events from the same managers; what is left out is
work that nobody can see: child runs of channel writers, which have no callbacks and show their
config to no one, and a context manager around each call.
"""

import inspect

from langchain_core.runnables.base import Runnable as _Runnable
from langchain_core.runnables.config import var_child_runnable_config as _child_config
from langchain_core.tracers.langchain import LangChainTracer as _LangChainTracer
from langgraph._internal import _constants, _runnable
from langgraph._internal._typing import MISSING as _MISSING
from langgraph.pregel import _write
from langgraph.types import Send as _Send

from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContextVar_Set(object var, object value)
    int PyContextVar_Reset(object var, object token) except -1

cdef object Runnable = _Runnable
cdef object LangChainTracer = _LangChainTracer
cdef object child_config_var = _child_config
cdef object MISSING = _MISSING
cdef object Send = _Send
cdef object required = inspect.Parameter.empty
cdef object RunnableSeq = _runnable.RunnableSeq
cdef object ChannelWrite = _write.ChannelWrite
cdef object ChannelWriteEntry = _write.ChannelWriteEntry
cdef object ChannelWriteTupleEntry = _write.ChannelWriteTupleEntry
cdef object PASSTHROUGH = _write.PASSTHROUGH
cdef object SKIP_WRITE = _write.SKIP_WRITE
cdef str CONF = _constants.CONF
cdef str RUNTIME = _constants.CONFIG_KEY_RUNTIME
cdef str NODE_ERROR = getattr(_constants, "CONFIG_KEY_NODE_ERROR", "__pregel_node_error")
cdef str SEND = _constants.CONFIG_KEY_SEND
cdef str TASKS = _constants.TASKS

cdef object stock_seq_invoke
cdef object stock_callable_invoke
cdef Tally seq_tally
cdef Tally callable_tally


# The context of a run

cdef object traced_run(object run_manager):
    """The LangSmith run of the first tracer among the handlers, if there is one."""
    for handler in run_manager.handlers:
        if isinstance(handler, LangChainTracer):
            return handler.run_map.get(str(run_manager.run_id))
    return None


cdef object in_config_context(object config, object run, object function, tuple args, dict kwargs):
    """Call `function` in a copy of the context in which `config` is the runnables' own.

    As `set_config_context` does it: set before, reset after, also when the call raises.
    """
    context = PyContext_CopyCurrent()
    PyContext_Enter(context)
    try:
        if run is not None:
            token = _runnable._set_config_context(config, run)
        else:
            token = PyContextVar_Set(child_config_var, config)
        try:
            return function(*args, **kwargs)
        finally:
            if run is not None:
                _runnable._unset_config_context(token, run)
            else:
                PyContextVar_Reset(child_config_var, token)
    finally:
        PyContext_Exit(context)


cdef dict with_callbacks(dict config, object callbacks):
    """`patch_config(config, callbacks=callbacks)`."""
    cdef dict patched = config.copy()
    if callbacks is not None:
        # The name and id of the run were for the callbacks that are replaced.
        patched["callbacks"] = callbacks
        patched.pop("run_name", None)
        patched.pop("run_id", None)
    return patched


cdef bint is_runnable(object value) except -1:
    """Whether a node returned something to run; asking the ABC is for what is not plain data."""
    cdef object kind = type(value)
    if kind is dict or value is None or kind is str or kind is list or kind is tuple:
        return False
    return isinstance(value, Runnable)


# Channel writers

cdef bint writes_channels(object step) except -1:
    """Whether `step` is a plain channel writer, which shows its config to nobody."""
    return type(step) is ChannelWrite and not step.trace and not step.kwargs


cdef list assembled(object entries, object value):
    """The writes of a channel writer for its input; None where upstream is going to object."""
    cdef list writes = []
    for entry in entries:
        if type(entry) is ChannelWriteEntry and entry.channel == TASKS:
            return None
    for entry in entries:
        kind = type(entry)
        if kind is ChannelWriteTupleEntry:
            extracted = entry.mapper(value if entry.value is PASSTHROUGH else entry.value)
            if extracted:
                writes.extend(extracted)
        elif kind is ChannelWriteEntry:
            written = value if entry.value is PASSTHROUGH else entry.value
            if entry.mapper is not None:
                written = entry.mapper(written)
            if written is SKIP_WRITE or (entry.skip_none and written is None):
                continue
            writes.append((entry.channel, written))
        else:
            writes.append((TASKS, entry))
    return writes


cdef bint known_entries(object entries) except -1:
    if type(entries) is not list and type(entries) is not tuple:
        return False
    for entry in entries:
        kind = type(entry)
        if (
            kind is not ChannelWriteTupleEntry
            and kind is not ChannelWriteEntry
            and not isinstance(entry, Send)
        ):
            return False
    return True


cdef bint write_channels(object step, object value, dict config) except -1:
    """`step.invoke(value, config)` of a plain channel writer; False if upstream has to do it."""
    cdef list writes
    entries = step.writes
    if not known_entries(entries):
        return False
    writes = assembled(entries, value)
    if writes is None:
        return False
    config[CONF][SEND](writes)
    return True


# RunnableSeq.invoke

cdef bint traces_as_is(object sequence) except -1:
    """Whether the sequence records its input and output untransformed, as nearly all do."""
    if sequence.trace_inputs is not None:
        return False
    policy = getattr(sequence, "trace_policy", None)  # from LangGraph 1.2.19 on
    if policy is not None:
        return policy.process_inputs is None and policy.process_outputs is None
    return getattr(sequence, "trace_outputs", None) is None


cdef object run_step(Py_ssize_t index, object step, object value, dict config, object run_manager):
    """One step after the first: a writer, or a branch, which may show its config to a path."""
    if writes_channels(step) and not is_runnable(value) and write_channels(step, value, config):
        return value
    return step.invoke(
        value, with_callbacks(config, run_manager.get_child(f"seq:step:{index + 1}"))
    )


def seq_invoke(self, input, config=None, **kwargs):
    """Run the steps of a sequence one after the other.

    Replaces `langgraph._internal._runnable.RunnableSeq.invoke`.
    """
    cdef Py_ssize_t index
    cdef list steps
    cdef dict own

    seq_tally.calls += 1
    if type(self) is not RunnableSeq or type(config) is not dict or type(self.steps) is not list:
        seq_tally.fell_back("a subclass, or no plain config")
        return stock_seq_invoke(self, input, config, **kwargs)
    if not traces_as_is(self):
        seq_tally.fell_back("a trace transform")
        return stock_seq_invoke(self, input, config, **kwargs)
    manager = _runnable.get_callback_manager_for_config(config)
    run_manager = manager.on_chain_start(
        None,
        input,
        name=config.get("run_name") or self.get_name(),
        run_id=config.pop("run_id", None),
    )
    value = input
    steps = self.steps
    try:
        own = with_callbacks(config, run_manager.get_child("seq:step:1"))
        value = in_config_context(
            own, traced_run(run_manager), steps[0].invoke, (value, own), kwargs
        )
        for index in range(1, len(steps)):
            value = run_step(index, steps[index], value, own, run_manager)
    except BaseException as error:
        run_manager.on_chain_error(error)
        raise
    run_manager.on_chain_end(value)
    return value


def make_seq_invoke(original, Tally tally not None, str variant):
    global stock_seq_invoke, seq_tally
    stock_seq_invoke, seq_tally = original, tally
    return seq_invoke


# RunnableCallable.invoke

cdef object injected(object config, object runtime, str keyword, str attribute):
    """What the config has for an injected parameter, `MISSING` if nothing."""
    if keyword == "config":
        return config
    if keyword == "error":
        return config.get(CONF, {}).get(NODE_ERROR, MISSING)
    if not runtime:
        return MISSING
    if keyword == "runtime":
        return runtime
    return getattr(runtime, attribute, MISSING)


cdef int inject(object self, object config, dict kwargs) except -1:
    """Add the parameters that the function asks for by name."""
    cdef dict accepts = self.func_accepts
    if not accepts:
        return 0
    runtime = config.get(CONF, {}).get(RUNTIME)
    for keyword, (attribute, default) in accepts.items():
        if keyword in kwargs:
            continue
        value = injected(config, runtime, keyword, attribute)
        if value is MISSING:
            if default is required:
                raise ValueError(f"Missing required config key '{attribute}' for '{self.name}'.")
            value = default
        kwargs[keyword] = value
    return 0


cdef object traced_call(object self, object input, dict config, tuple args, dict kwargs):
    """Call the function as a run of its own."""
    manager = _runnable.get_callback_manager_for_config(config, self.tags)
    run_manager = manager.on_chain_start(
        None,
        input,
        name=config.get("run_name") or self.get_name(),
        run_id=config.pop("run_id", None),
    )
    try:
        value = in_config_context(
            with_callbacks(config, run_manager.get_child()),
            traced_run(run_manager),
            self.func,
            args,
            kwargs,
        )
    except BaseException as error:
        run_manager.on_chain_error(error)
        raise
    run_manager.on_chain_end(value)
    return value


def callable_invoke(self, input, config=None, **kwargs):
    """Call the function with its input and with what it asks to be given.

    Replaces `langgraph._internal._runnable.RunnableCallable.invoke`.
    """
    cdef tuple args = (input,)
    cdef dict given

    callable_tally.calls += 1
    if self.func is None or type(config) is not dict or self.explode_args:
        callable_tally.fell_back("no function, no plain config, or exploded arguments")
        return stock_callable_invoke(self, input, config, **kwargs)
    given = {**self.kwargs, **kwargs}
    inject(self, config, given)
    if self.trace:
        value = traced_call(self, input, config, args, given)
    else:
        value = self.func(*args, **given)
    if self.recurse and is_runnable(value):
        return value.invoke(input, config)
    return value


def make_callable_invoke(original, Tally tally not None, str variant):
    global stock_callable_invoke, callable_tally
    stock_callable_invoke, callable_tally = original, tally
    return callable_invoke
