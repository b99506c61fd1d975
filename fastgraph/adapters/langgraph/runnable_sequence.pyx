"""LangChain's sequences, such as an agent's prompt and model.

A run that nobody is told of is not made, and the context of a step is a copy of the current one in
which its config is set, without a context manager around it.

Domain: exactly `RunnableSequence`, without LangSmith's tracer among the handlers.
"""

from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables import base as _base
from langchain_core.tracers.langchain import LangChainTracer as _LangChainTracer

from fastgraph.adapters.langgraph.callbacks cimport (
    child_of,
    end_late,
    fail_late,
    is_quiet,
    new_run_id,
)
from fastgraph.adapters.langgraph.core_config cimport with_callbacks
from fastgraph.adapters.langgraph.nodes cimport call_in_context
from fastgraph.kernels.tally cimport Tally

cdef object CallbackManager = _CallbackManager
cdef object LangChainTracer = _LangChainTracer
cdef object RunnableSequence = _base.RunnableSequence
cdef dict base_names = _base.__dict__

cdef object stock_invoke
cdef Tally invoke_tally


cdef bint has_tracer(object manager) except -1:
    for handler in manager.handlers:
        if isinstance(handler, LangChainTracer):
            return True
    return False


cdef object step_result(
    Py_ssize_t index, object step, object value, dict config, dict kwargs
):
    """Invoke a step in the context of its config."""
    return call_in_context(
        config, None, step.invoke, (value, config), kwargs if index == 0 else None
    )


cdef object quiet_sequence(object self, object value, dict config, dict kwargs, object manager):
    """Run the steps with nobody to tell of it."""
    cdef Py_ssize_t index = 0
    run_id = config.pop("run_id", None)
    if run_id is None:
        run_id = new_run_id()
    try:
        for step in self.steps:
            config = with_callbacks(
                config, child_of(manager, run_id, CallbackManager, f"seq:step:{index + 1}")
            )
            value = step_result(index, step, value, config, kwargs)
            index += 1
    except BaseException as error:
        fail_late(manager, run_id, error)
        raise
    end_late(manager, run_id, value)
    return value


cdef object told_sequence(object self, object value, dict config, dict kwargs, object manager):
    """Run the steps and tell the handlers."""
    cdef Py_ssize_t index = 0
    run = manager.on_chain_start(
        None,
        value,
        name=config.get("run_name") or self.get_name(),
        run_id=config.pop("run_id", None),
    )
    try:
        for step in self.steps:
            config = with_callbacks(config, run.get_child(f"seq:step:{index + 1}"))
            value = step_result(index, step, value, config, kwargs)
            index += 1
    except BaseException as error:
        run.on_chain_error(error)
        raise
    run.on_chain_end(value)
    return value


def invoke(self, input, config=None, **kwargs):
    """Invoke the steps one after the other.

    Replaces `langchain_core.runnables.base.RunnableSequence.invoke`.
    """
    invoke_tally.calls += 1
    if type(self) is not RunnableSequence:
        invoke_tally.fell_back("a subclass")
        return stock_invoke(self, input, config, **kwargs)
    complete = base_names["ensure_config"](config)
    manager = base_names["get_callback_manager_for_config"](complete)
    if type(complete) is not dict or has_tracer(manager):
        invoke_tally.fell_back("LangSmith's tracer")
        return stock_invoke(self, input, config, **kwargs)
    if is_quiet(manager):
        return quiet_sequence(self, input, complete, kwargs, manager)
    return told_sequence(self, input, complete, kwargs, manager)


def make_invoke(original, Tally tally not None, str variant):
    global stock_invoke, invoke_tally
    stock_invoke, invoke_tally = original, tally
    return invoke
