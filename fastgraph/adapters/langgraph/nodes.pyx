"""Running a node: the sequence of its function and its writers, in their callback runs.

Handlers get the same events from the same managers. What is left out is work that nobody can see:
run managers without handlers, child runs of channel writers and branches, which have no callbacks
and show their config to no one, and a context manager around each call.

Domain: exactly `RunnableSeq` without trace transforms; any `RunnableCallable`, as long as its
config is a plain dict.
"""

import inspect

from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables.config import var_child_runnable_config as _child_config
from langchain_core.tracers.langchain import LangChainTracer as _LangChainTracer
from langgraph._internal import _constants, _runnable
from langgraph._internal._typing import MISSING as _MISSING
from langgraph.pregel import _write

from fastgraph.adapters.langgraph.branches cimport Branch, branch_of
from fastgraph.adapters.langgraph.callbacks cimport (
    child_of,
    end_late,
    fail_late,
    grandchild_of,
    is_quiet,
    new_run_id,
    ready_manager,
)
from fastgraph.adapters.langgraph.channel_writes cimport (
    is_runnable,
    write_channels,
    writes_channels,
)
from fastgraph.kernels.tally cimport Tally

from cpython.object cimport PyObject

cdef extern from "Python.h":
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContextVar_Set(object var, object value)
    int PyMethod_Check(object o)
    PyObject* PyMethod_GET_FUNCTION(object o)
    object PyObject_Call(object function, object args, object kwargs)

cdef object CallbackManager = _CallbackManager
cdef object LangChainTracer = _LangChainTracer
cdef object child_config_var = _child_config
cdef object MISSING = _MISSING
cdef object required = inspect.Parameter.empty
cdef object RunnableSeq = _runnable.RunnableSeq
cdef object RunnableCallable = _runnable.RunnableCallable
cdef object ChannelWrite = _write.ChannelWrite
cdef str CONF = _constants.CONF
cdef str RUNTIME = _constants.CONFIG_KEY_RUNTIME
cdef str NODE_ERROR = getattr(_constants, "CONFIG_KEY_NODE_ERROR", "__pregel_node_error")

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


cdef object enter(dict config, object run):
    """Enter a copy of the context in which `config` is the runnables' own; the copy.

    Upstream resets the variable in the copy afterwards. Nothing else ever refers to the copy of a
    sync call, so there is nobody to see that it is not reset.
    """
    context = PyContext_CopyCurrent()
    PyContext_Enter(context)
    try:
        if run is None:
            PyContextVar_Set(child_config_var, config)
        else:
            _runnable._set_config_context(config, run)
    except BaseException:
        PyContext_Exit(context)
        raise
    return context


cdef object call_in_context(
    dict config, object run, object function, object args, dict kwargs
):
    """Call a function in the context of `config`."""
    context = enter(config, run)
    try:
        return PyObject_Call(function, args, kwargs)
    finally:
        PyContext_Exit(context)


cdef object step_in_context(dict config, object run, object step, object value, dict kwargs):
    """Invoke a runnable in the context of `config`."""
    context = enter(config, run)
    try:
        return call_step(step, value, config, kwargs)
    finally:
        PyContext_Exit(context)


cdef dict with_callbacks(dict config, object callbacks):
    """`patch_config(config, callbacks=callbacks)`."""
    cdef dict patched = config.copy()
    if callbacks is not None:
        # The name and id of the run were for the callbacks that are replaced.
        patched["callbacks"] = callbacks
        if "run_name" in patched:
            del patched["run_name"]
        if "run_id" in patched:
            del patched["run_id"]
    return patched


cdef bint is_method(object bound, object function) noexcept:
    """Whether `bound` is the method of some instance that `function` is."""
    return PyMethod_Check(bound) and PyMethod_GET_FUNCTION(bound) == <PyObject*>function


cdef object call_step(object step, object value, dict config, dict kwargs):
    """`step.invoke(value, config, **kwargs)`."""
    method = step.invoke
    if is_method(method, own_callable_invoke):
        return invoked(step, value, config, kwargs)
    return method(value, config, **kwargs) if kwargs else method(value, config)


# Branches

cdef bint hides_config(object path, dict config) except -1:
    """Whether nobody gets to see the config with which a path of a branch is called.

    Its function sees the config of the runs below the path's own.
    """
    return (
        type(path) is RunnableCallable
        and path.trace
        and not path.tags
        and not path.explode_args
        and "config" not in path.func_accepts
        and not config.get("tags")
    )


cdef dict step_config(dict config, object source, object run_id, str tag, bint was_started):
    """The config of a step of the run `run_id`; of a step whose run was started, if so."""
    manager = child_of(source, run_id, CallbackManager, tag)
    if was_started and config.get("metadata"):
        manager.add_metadata(config["metadata"])
    return with_callbacks(config, manager)


cdef object quiet_answer(
    Branch branch, object value, dict config, object source, object run_id, str tag
):
    """`path.invoke(value, config)` for a path without handlers, whose step has no manager yet."""
    cdef dict given, own
    path = branch.path
    if (
        not hides_config(path, config)
        or path.func is None
        or not is_method(path.invoke, own_callable_invoke)
        or tag in source.inheritable_tags
    ):
        return call_step(path, value, step_config(config, source, run_id, tag, False), None)
    callable_tally.calls += 1
    given = (<dict>path.kwargs).copy()
    inject(path, config, given)
    own = with_callbacks(
        config,
        grandchild_of(source, new_run_id(), CallbackManager, config.get("metadata")),
    )
    answer = call_in_context(own, None, path.func, (value,), given)
    if path.recurse and is_runnable(answer):
        return answer.invoke(value, step_config(config, source, run_id, tag, True))
    return answer


cdef object run_branch(
    Branch branch, object value, dict config, object source, object run_id, object run, str tag
):
    """`step.invoke(value, config)` of a step that is a branch; `run` is None if it is quiet."""
    if run is not None:
        config = with_callbacks(config, run.get_child(tag))
    state = branch.state(value, config)
    if run is not None:
        answer = call_step(branch.path, state, config, None)
    else:
        answer = quiet_answer(branch, state, config, source, run_id, tag)
    entries = branch.go(answer, config)
    if entries is None:
        return value
    if run is None:
        config = step_config(config, source, run_id, tag, True)
    return ChannelWrite(entries).invoke(value, config)


# RunnableSeq.invoke

cdef bint traces_as_is(object sequence) except -1:
    """Whether the sequence records its input and output untransformed, as nearly all do."""
    if sequence.trace_inputs is not None:
        return False
    policy = getattr(sequence, "trace_policy", None)  # from LangGraph 1.2.19 on
    if policy is not None:
        return policy.process_inputs is None and policy.process_outputs is None
    return getattr(sequence, "trace_outputs", None) is None


cdef object run_step(
    Py_ssize_t index, object step, object value, dict config, object source, object run_id,
    object run,
):
    """One step after the first: a writer, or a branch, which may show its config to a path."""
    cdef Branch branch
    cdef str tag
    if is_runnable(value):
        branch = None
    elif writes_channels(step) and write_channels(step, value, config):
        return value
    else:
        branch = branch_of(step, False)
    tag = f"seq:step:{index + 1}"
    if branch is not None:
        return run_branch(branch, value, config, source, run_id, run, tag)
    if run is not None:
        config = with_callbacks(config, run.get_child(tag))
    else:
        config = step_config(config, source, run_id, tag, False)
    return call_step(step, value, config, None)


cdef object quiet_sequence(object self, object value, dict config, dict kwargs, object manager):
    """Run the steps with nobody to tell of it."""
    cdef list steps = self.steps
    cdef dict own
    cdef Py_ssize_t index
    run_id = config.pop("run_id", None)
    if run_id is None:
        run_id = new_run_id()
    try:
        own = with_callbacks(config, child_of(manager, run_id, CallbackManager, "seq:step:1"))
        value = step_in_context(own, None, steps[0], value, kwargs)
        for index in range(1, len(steps)):
            value = run_step(index, steps[index], value, own, manager, run_id, None)
    except BaseException as error:
        fail_late(manager, run_id, error)
        raise
    end_late(manager, run_id, value)
    return value


cdef object told_sequence(object self, object value, dict config, dict kwargs, object manager):
    """Run the steps and tell the handlers."""
    cdef list steps = self.steps
    cdef dict own
    cdef Py_ssize_t index
    run = manager.on_chain_start(
        None,
        value,
        name=config.get("run_name") or self.get_name(),
        run_id=config.pop("run_id", None),
    )
    try:
        own = with_callbacks(config, run.get_child("seq:step:1"))
        value = step_in_context(own, traced_run(run), steps[0], value, kwargs)
        for index in range(1, len(steps)):
            value = run_step(index, steps[index], value, own, None, None, run)
    except BaseException as error:
        run.on_chain_error(error)
        raise
    run.on_chain_end(value)
    return value


def seq_invoke(self, input, config=None, **kwargs):
    """Run the steps of a sequence one after the other.

    Replaces `langgraph._internal._runnable.RunnableSeq.invoke`.
    """
    seq_tally.calls += 1
    if type(self) is not RunnableSeq or type(config) is not dict or type(self.steps) is not list:
        seq_tally.fell_back("a subclass, or no plain config")
        return stock_seq_invoke(self, input, config, **kwargs)
    if not traces_as_is(self):
        seq_tally.fell_back("a trace transform")
        return stock_seq_invoke(self, input, config, **kwargs)
    manager = ready_manager(config, None, CallbackManager)
    if is_quiet(manager):
        return quiet_sequence(self, input, config, kwargs, manager)
    return told_sequence(self, input, config, kwargs, manager)


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


cdef object told_call(object self, object input, dict config, dict kwargs, object manager):
    """Call the function as a run of its own and tell the handlers."""
    run = manager.on_chain_start(
        None,
        input,
        name=config.get("run_name") or self.get_name(),
        run_id=config.pop("run_id", None),
    )
    try:
        value = call_in_context(
            with_callbacks(config, run.get_child()), traced_run(run), self.func, (input,), kwargs
        )
    except BaseException as error:
        run.on_chain_error(error)
        raise
    run.on_chain_end(value)
    return value


cdef object traced_call(object self, object input, dict config, dict kwargs):
    """Call the function as a run of its own."""
    manager = ready_manager(config, self.tags, CallbackManager)
    if not is_quiet(manager):
        return told_call(self, input, config, kwargs, manager)
    run_id = config.pop("run_id", None)
    if run_id is None:
        run_id = new_run_id()
    try:
        value = call_in_context(
            with_callbacks(config, child_of(manager, run_id, CallbackManager, None)),
            None,
            self.func,
            (input,),
            kwargs,
        )
    except BaseException as error:
        fail_late(manager, run_id, error)
        raise
    end_late(manager, run_id, value)
    return value


cdef bint writes_alone(object self, object value, dict config) except -1:
    """Whether it is a channel writer, as the node is that a graph starts with, and has written."""
    return (
        writes_channels(self) and not is_runnable(value) and write_channels(self, value, config)
    )


cdef object invoked(object self, object input, object config, dict kwargs):
    """`self.invoke(input, config, **kwargs)` of a `RunnableCallable`."""
    cdef dict given

    callable_tally.calls += 1
    if self.func is None or type(config) is not dict or self.explode_args:
        callable_tally.fell_back("no function, no plain config, or exploded arguments")
        return stock_callable_invoke(self, input, config, **(kwargs or {}))
    if not kwargs and writes_alone(self, input, config):
        return input
    given = dict(self.kwargs)
    if kwargs:
        given.update(kwargs)
    inject(self, config, given)
    if self.trace:
        value = traced_call(self, input, config, given)
    elif given:
        value = PyObject_Call(self.func, (input,), given)
    else:
        value = self.func(input)
    if self.recurse and is_runnable(value):
        return value.invoke(input, config)
    return value


def callable_invoke(self, input, config=None, **kwargs):
    """Call the function with its input and with what it asks to be given.

    Replaces `langgraph._internal._runnable.RunnableCallable.invoke`.
    """
    return invoked(self, input, config, kwargs)


cdef object own_callable_invoke = callable_invoke


def make_callable_invoke(original, Tally tally not None, str variant):
    global stock_callable_invoke, callable_tally
    stock_callable_invoke, callable_tally = original, tally
    return callable_invoke
