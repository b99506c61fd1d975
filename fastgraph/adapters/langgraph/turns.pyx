"""Turns of the event loop: tasks in the context of a run, and waits as long as upstream's.

Upstream tells async handlers of the end of a run in a shielded task of its own, also when there is
nobody to tell: the caller then goes on three turns of the event loop later. Other tasks see that,
so the same turns are waited here, by two callbacks and a future instead of a task, a coroutine, a
shield and a future. The callbacks are queued where upstream's task and its completion are, and a
cancellation meets a future where it meets upstream's shield.

Where nobody could see it, nothing is waited for: asyncio's own loop has nothing that is ready or
due, its selector has no event and the running task is not to be cancelled. Every node has a task
of its own, so other work still gets its turns in each superstep.

Domain: asyncio's own loops without a task factory and not in debug mode; on any other loop, or
where asyncio's functions were replaced, upstream's task is made and shielded.
"""

import asyncio
import sys
from asyncio import base_events, tasks

from langchain_core.runnables.config import var_child_runnable_config as _child_config
from langgraph._internal import _runnable

from fastgraph.adapters.langgraph.callbacks cimport is_stock

cdef extern from "Python.h":
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContextVar_Set(object var, object value)
    int PyContextVar_Reset(object var, object token) except -1

cdef bint joins_contexts = sys.version_info >= (3, 11)  # create_task(context=...)
cdef object child_config_var = _child_config
cdef object get_running_loop = asyncio.get_running_loop
cdef object current_task = tasks.current_task
cdef dict current_tasks = tasks._current_tasks if sys.version_info < (3, 12) else {}
cdef bint may_be_eager = sys.version_info >= (3, 12)
cdef object eager_tasks = getattr(tasks, "_eager_tasks", None)
cdef bint looks_up_tasks = sys.version_info < (3, 12)
cdef object asyncio_create_task = asyncio.create_task
cdef object asyncio_shield = asyncio.shield
cdef dict asyncio_names = asyncio.__dict__
cdef dict tasks_names = tasks.__dict__
# Exactly this loop can be looked into; on Windows none can.
cdef object SelectorLoop = getattr(asyncio, "_UnixSelectorEventLoop", None) or getattr(
    getattr(asyncio, "unix_events", None), "_UnixSelectorEventLoop", None
)
cdef object base_call_soon = base_events.BaseEventLoop.call_soon
cdef object base_create_task = base_events.BaseEventLoop.create_task
cdef object base_run_once = base_events.BaseEventLoop._run_once


cdef bint has_own(object loop, str name) except -1:
    """Whether `loop` itself, not its class, has an attribute of that name."""
    return name in <dict>loop.__dict__


cdef bint is_plain(object loop) except -1:
    """Whether tasks and callbacks of `loop` are queued as asyncio's own loops do it."""
    cls = type(loop)
    return (
        asyncio_names.get("create_task") is asyncio_create_task
        and asyncio_names.get("shield") is asyncio_shield
        and is_stock(cls, "call_soon", base_call_soon)
        and is_stock(cls, "create_task", base_create_task)
        and is_stock(cls, "_run_once", base_run_once)
        and loop._task_factory is None
        and not loop._debug
        and not has_own(loop, "call_soon")
        and not has_own(loop, "create_task")
    )


cdef object running_task(object loop):
    """`current_task(loop)`, which before Python 3.12 is a Python function around a dict."""
    return current_tasks.get(loop) if looks_up_tasks else current_task(loop)


cdef bint is_due(object loop) except -1:
    """Whether the first timer is to go off in the next turn."""
    return loop._scheduled[0]._when < loop.time() + loop._clock_resolution


cdef bint has_events(object selector) except -1:
    """Whether the selector has an event, besides one that wakes the loop."""
    descriptors = getattr(selector, "_fd_to_key", None)
    if descriptors is not None and len(descriptors) == 1:
        return False
    return bool(selector.select(0))


cdef bint is_eager(object task) except -1:
    """Whether `task` takes its first step inside another's, which goes on when it waits."""
    if not may_be_eager:
        return False
    return eager_tasks is None or task in eager_tasks


cdef bint is_alone(object loop) except -1:
    """Whether the next turns of `loop` would have nothing to do but to come back here."""
    if type(loop) is not SelectorLoop or not joins_contexts:
        return False
    if loop._ready or loop._stopping or (loop._scheduled and is_due(loop)):
        return False
    task = running_task(loop)
    if task is None or task._must_cancel or is_eager(task):
        return False
    return not has_events(loop._selector)


cdef class Turns:
    """What upstream does in a shielded task: acts in the next turn and is through in the third."""

    cdef bint act(self) except -1:
        """Do it; whether there was something to do."""
        return False

    def __call__(self):
        if self.has_acted:
            if not self.future.done():
                self.future.set_result(None)
            return
        self.has_acted = True
        self.act()
        self.loop.call_soon(self)


cdef object plain_loop():
    """The running loop if `shielded` knows how it queues, else None."""
    loop = get_running_loop()
    return loop if is_plain(loop) else None


cdef object shielded(Turns turns, object loop):
    """What to await for `turns`; None if nothing, because nobody could see it.

    Where nobody sees when it acts, others may have something to do when it has; they come first.
    """
    cdef bint alone = is_alone(loop)
    if alone and (not turns.act() or is_alone(loop)):
        return None
    turns.has_acted = alone
    turns.loop = loop
    turns.future = loop.create_future()
    loop.call_soon(turns)
    return turns.future


async def _nothing():
    pass


cdef object shielded_nothing():
    """What to await instead of a shielded call that does nothing; None if nobody could see it."""
    loop = plain_loop()
    if loop is None:
        return asyncio.shield(new_task(_nothing(), PyContext_CopyCurrent()))
    return shielded(Turns.__new__(Turns), loop)


cdef object new_task(object coroutine, object context):
    """`asyncio.create_task(coroutine, context=context)`."""
    loop = get_running_loop()
    if not joins_contexts:
        return asyncio.create_task(coroutine)
    if is_plain(loop):
        return tasks_names["Task"](coroutine, loop=loop, context=context)
    return asyncio.create_task(coroutine, context=context)


# The context of a run

cdef tuple enter_scope(dict config, object run):
    """A copy of the context in which `config` is the runnables' own, and how to undo that."""
    context = PyContext_CopyCurrent()
    if run is not None:
        return context, context.run(_runnable._set_config_context, config, run)
    PyContext_Enter(context)
    try:
        token = PyContextVar_Set(child_config_var, config)
    finally:
        PyContext_Exit(context)
    return context, token


cdef int leave_scope(tuple scope, object run) except -1:
    """Reset in the copy what was set: its task may be over, but somebody may have kept it."""
    context, token = scope
    if run is not None:
        context.run(_runnable._unset_config_context, token, run)
        return 0
    PyContext_Enter(context)
    try:
        PyContextVar_Reset(child_config_var, token)
    finally:
        PyContext_Exit(context)
    return 0
