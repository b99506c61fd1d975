"""LangChain's sequences, such as an agent's prompt and model.

A run that nobody is told of is not made, and the context of a step is a copy of the current one in
which its config is set, without a context manager around it.

Domain: exactly `RunnableSequence`, without LangSmith's tracer among the handlers; async, from
Python 3.11 on, where a task takes its context. What suspends upstream suspends here for as many
turns of the loop.
"""

from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langchain_core.callbacks.manager import CallbackManager as _CallbackManager
from langchain_core.runnables import base as _base
from langchain_core.tracers.langchain import LangChainTracer as _LangChainTracer

from fastgraph.adapters.langgraph.callbacks cimport (
    child_of,
    end_late,
    fail_late,
    is_aquiet,
    is_quiet,
    new_run_id,
)
from fastgraph.adapters.langgraph.async_nodes cimport ended, failed
from fastgraph.adapters.langgraph.core_config cimport with_callbacks
from fastgraph.adapters.langgraph.inline_handlers cimport begun, finished, starts_inline
from fastgraph.adapters.langgraph.nodes cimport call_in_context
from fastgraph.adapters.langgraph.turns cimport (
    enter_scope,
    joins_contexts,
    leave_scope,
    new_task,
)
from fastgraph.kernels.tally cimport Tally

cdef object CallbackManager = _CallbackManager
cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object LangChainTracer = _LangChainTracer
cdef object Sequence = _base.RunnableSequence
cdef dict base_names = _base.__dict__

cdef object stock_invoke
cdef object stock_ainvoke
cdef Tally invoke_tally
cdef Tally ainvoke_tally


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
    if type(self) is not Sequence:
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


# Async

cdef object child_manager(object manager, object run_id, object run, Py_ssize_t index):
    """The manager for a step of the run, which is `run_id` where nobody is told of it."""
    cdef str tag = f"seq:step:{index + 1}"
    if run is not None:
        return run.get_child(tag)
    return child_of(manager, run_id, AsyncCallbackManager, tag)


class RunnableSequence:
    """A coroutine's name is its method's, in reprs, warnings and `Task.get_coro()`: upstream's."""

    async def ainvoke(self, input, config=None, **kwargs):
        """Invoke the steps one after the other, each in a task of its own.

        Replaces `langchain_core.runnables.base.RunnableSequence.ainvoke`.
        """
        cdef Py_ssize_t index = 0

        ainvoke_tally.calls += 1
        if type(self) is not Sequence or not joins_contexts:
            ainvoke_tally.fell_back("a subclass, or a Python without contexts for tasks")
            return await stock_ainvoke(self, input, config, **kwargs)
        own = base_names["ensure_config"](config)
        manager = base_names["get_async_callback_manager_for_config"](own)
        if type(own) is not dict or has_tracer(manager):
            ainvoke_tally.fell_back("LangSmith's tracer")
            return await stock_ainvoke(self, input, config, **kwargs)
        run = run_id = None
        if is_aquiet(manager):
            run_id = own.pop("run_id", None)
            if run_id is None:
                run_id = new_run_id()
        elif starts_inline(manager):
            name = own.get("run_name") or self.get_name()
            run = begun(manager, input, own.pop("run_id", None), name)
        else:
            run = await manager.on_chain_start(
                None,
                input,
                name=own.get("run_name") or self.get_name(),
                run_id=own.pop("run_id", None),
            )
        value = input
        try:
            for step in self.steps:
                own = with_callbacks(own, child_manager(manager, run_id, run, index))
                scope = enter_scope(own, None)
                try:
                    if index == 0:
                        waiting = step.ainvoke(value, own, **kwargs)
                    else:
                        waiting = step.ainvoke(value, own)
                    value = await new_task(waiting, scope[0])
                finally:
                    leave_scope(scope, None)
                index += 1
        except BaseException as error:
            waiting = failed(manager, run_id, error) if run is None else run.on_chain_error(error)
            if waiting is not None:
                try:
                    await waiting
                except BaseException as thrown:
                    # An interpreted coroutine gives what is thrown into it the error it handles.
                    if thrown.__context__ is None and thrown is not error:
                        thrown.__context__ = error
                    raise
            raise
        waiting = ended(manager, run_id, value) if run is None else finished(run, value)
        if waiting is not None:
            await waiting
        return value


ainvoke = RunnableSequence.ainvoke


def make_ainvoke(original, Tally tally not None, str variant):
    global stock_ainvoke, ainvoke_tally
    stock_ainvoke, ainvoke_tally = original, tally
    return ainvoke
