"""Calling a sync function from the event loop: a node's, or a branch's, in an async run.

LangChain runs it in a thread of the loop's executor, in a copy of the context. So it is here, by a
job that answers the loop's future itself (see `fastgraph.kernels.executor_jobs`).

Domain: asyncio's own loops, not in debug mode, whose executor is Python's and was made by an
earlier call; functions that LangGraph wrapped to be called in a thread. Anything else is awaited as
LangGraph has it.
"""

import asyncio
import functools
from asyncio import base_events

from langchain_core.runnables import config as _core_config

from fastgraph.adapters.langgraph.callbacks cimport is_stock
from fastgraph.adapters.langgraph.turns cimport is_plain
from fastgraph.kernels.executor_jobs cimport awaited

cdef extern from "Python.h":
    object PyContext_CopyCurrent()

cdef object partial = functools.partial
cdef object get_running_loop = asyncio.get_running_loop
cdef object upstreams = _core_config.run_in_executor
cdef object base_run = base_events.BaseEventLoop.run_in_executor


cdef object sync_function(object afunc):
    """What `partial(run_in_executor, None, function)` calls in a thread; None for anything else."""
    cdef tuple args
    if type(afunc) is not partial or afunc.func is not upstreams or afunc.keywords:
        return None
    args = afunc.args
    return args[1] if len(args) == 2 and args[0] is None else None


cdef object executor_of(object loop):
    """The executor that `loop.run_in_executor` takes; None if it has none, or looks first."""
    if not is_plain(loop) or not is_stock(type(loop), "run_in_executor", base_run):
        return None
    if "run_in_executor" in loop.__dict__ or loop.is_closed() or loop._executor_shutdown_called:
        return None
    return loop._default_executor


cdef class _Guarded:
    """A function whose `StopIteration`, which no future takes, is a `RuntimeError`."""

    cdef object function

    def __call__(self, *args, **kwargs):
        try:
            return self.function(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError from error


async def run_in_executor(afunc, function, value, dict given):
    """Run a function in a thread of the loop's executor, in a copy of the context.

    As `langchain_core.runnables.config.run_in_executor` does, whose name a task shows.
    """
    cdef _Guarded guarded
    loop = get_running_loop()
    executor = executor_of(loop)
    if executor is None:
        return await afunc(value, **given)
    guarded = _Guarded.__new__(_Guarded)
    guarded.function = function
    waiting = awaited(loop, executor, PyContext_CopyCurrent().run, (guarded, value), given)
    if waiting is None:
        return await afunc(value, **given)
    return await waiting


cdef object called(object afunc, object value, dict given):
    """`afunc(value, **given)`, a coroutine of an async function or of a call in a thread."""
    function = sync_function(afunc)
    if function is not None:
        return run_in_executor(afunc, function, value, given)
    if given:
        return afunc(value, **given)
    return afunc(value)
