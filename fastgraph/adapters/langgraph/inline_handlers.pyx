"""Telling handlers that are called inline what happens, without a coroutine for each event.

In async runs upstream tells each handler in a coroutine, gathers those that are not called inline
and does so in a shielded task of its own when a run ends. Sync handlers that are to be called
inline are called directly, at a start by the task that awaits it, as upstream has it, and at an end
by a task like upstream's.

The handler that streams messages, which is upstream's own, waits for nothing, reads no context
variable and does not ask which task is running. It needs no task: it is called in the turn of the
event loop in which that task would call it, and the caller goes on in the turn in which the shield
would let it.

Domain: managers that are LangChain's own, with handlers that are all called inline and whose
methods are plain functions. Whatever else hears a run is told by upstream.
"""

import asyncio
from types import FunctionType as _FunctionType
from types import MethodType as _MethodType

from langchain_core.callbacks import manager as _manager
from langchain_core.callbacks.manager import AsyncCallbackManager as _AsyncCallbackManager
from langgraph.pregel import _messages

from fastgraph.adapters.langgraph.callbacks cimport (
    asks_stock,
    is_stock,
    new_run_id,
    plain,
    run_of,
)
from fastgraph.adapters.langgraph.turns cimport Act, new_task, plain_loop, shielded

cdef extern from "Python.h":
    object PyContext_CopyCurrent()
    int CO_COROUTINE

cdef object FunctionType = _FunctionType
cdef object MethodType = _MethodType
# Markers of `asyncio` and, from Python 3.12 on, of `inspect.markcoroutinefunction`.
cdef tuple COROUTINE_MARKS = ("_is_coroutine", "_is_coroutine_mark", "_is_coroutine_marker")

cdef object AsyncCallbackManager = _AsyncCallbackManager
cdef object AsyncChainRun = _manager.AsyncCallbackManagerForChainRun
cdef dict manager_names = _manager.__dict__
cdef object tell_all = _manager.ahandle_event
cdef object tell_one = _manager._ahandle_event_for_handler
cdef object MessagesHandler = _messages.StreamMessagesHandler
cdef object MessagesHandlerV2 = getattr(_messages, "StreamMessagesHandlerV2", MessagesHandler)
cdef object ends = MessagesHandler.on_chain_end


cdef bint is_own(object handler) except -1:
    """Whether a handler is upstream's and does as upstream wrote it."""
    cls = type(handler)
    return (
        (cls is MessagesHandler or cls is MessagesHandlerV2)
        and is_stock(cls, "on_chain_end", ends)
        and handler.run_inline is True
        and not handler.raise_error
        and not handler.ignore_chain
    )


cdef bint all_own(object handlers) except -1:
    """Whether all are upstream's own."""
    for handler in handlers:
        if not is_own(handler):
            return False
    return True


cdef bint is_inline(object handler, object method) except -1:
    """Whether upstream would call `method`, a handler's for an event, without waiting."""
    if handler.run_inline is not True or type(method) is not MethodType:
        return False
    function = method.__func__
    if type(function) is not FunctionType or function.__code__.co_flags & CO_COROUTINE:
        return False
    for mark in COROUTINE_MARKS:
        if mark in function.__dict__:
            return False
    return True


cdef bint tells_directly() except -1:
    """Whether upstream would tell handlers by its own functions."""
    return (
        asks_stock()
        and manager_names.get("ahandle_event") is tell_all
        and manager_names.get("_ahandle_event_for_handler") is tell_one
    )


cdef bint starts_inline(object manager) except -1:
    """Whether all handlers are told inline that a run starts, which `begun` does."""
    if type(manager) is not AsyncCallbackManager or type(manager.handlers) is not list:
        return False
    if not plain(manager) or not tells_directly():
        return False
    for handler in manager.handlers:
        if not is_inline(handler, handler.on_chain_start):
            return False
    return True


cdef bint ends_inline(object handlers) except -1:
    """Whether all handlers, maybe others than at the start, are told inline that a run ends."""
    for handler in handlers:
        if not is_inline(handler, handler.on_chain_end):
            return False
    return True


class Raising:
    """A handler of the given class that raises `error` at every event."""

    run_inline = True

    def __init__(self, handler, error):
        self.kind = type(handler)
        self.raise_error = handler.raise_error
        self.error = error

    @property
    def __class__(self):
        return self.kind

    def on_chain_start(self, *args, **kwargs):
        raise self.error

    def on_chain_end(self, *args, **kwargs):
        raise self.error


cdef int report(object handler, str event, object error) except -1:
    """Have upstream log that `handler` raised `error`."""
    try:
        tell_one(Raising(handler, error), event, None).send(None)
    except StopIteration:
        pass
    return 0


cdef object begun(object manager, object inputs, object run_id, object name):
    """`await manager.on_chain_start(None, inputs, ...)` of a manager that `starts_inline`."""
    if run_id is None:
        run_id = new_run_id()
    for handler in list(manager.handlers):
        try:
            if not handler.ignore_chain:
                handler.on_chain_start(
                    None,
                    inputs,
                    run_id=run_id,
                    parent_run_id=manager.parent_run_id,
                    tags=manager.tags,
                    metadata=manager.metadata,
                    name=name,
                )
        except Exception as error:
            report(handler, "on_chain_start", error)
    return run_of(manager, AsyncChainRun, run_id)


cdef int tell_end(object run, object outputs) except -1:
    for handler in list(run.handlers):
        try:
            if not handler.ignore_chain:
                handler.on_chain_end(
                    outputs,
                    run_id=run.run_id,
                    parent_run_id=run.parent_run_id,
                    tags=run.tags,
                )
        except Exception as error:
            report(handler, "on_chain_end", error)
    return 0


cdef class Ending(Act):
    """Tells the handlers of a run that it is over, in the turn in which upstream's task would."""

    cdef object run
    cdef object outputs

    cdef bint act(self) except -1:
        tell_end(self.run, self.outputs)
        return True


class AsyncCallbackManagerForChainRun:
    """For the name of the coroutine, which `Task.get_coro()` shows: upstream's."""

    async def on_chain_end(run, outputs):
        tell_end(run, outputs)


cdef object on_chain_end = AsyncCallbackManagerForChainRun.on_chain_end


cdef object finished(object run, object outputs):
    """What to await for `run.on_chain_end(outputs)`; None if nothing."""
    cdef Ending ending
    loop = plain_loop()
    if loop is None or type(run) is not AsyncChainRun or not tells_directly():
        return run.on_chain_end(outputs)
    if all_own(run.handlers):
        ending = Ending.__new__(Ending)
        ending.run = run
        ending.outputs = outputs
        return shielded(ending, loop)
    if ends_inline(run.handlers):
        return asyncio.shield(new_task(on_chain_end(run, outputs), PyContext_CopyCurrent()))
    return run.on_chain_end(outputs)
