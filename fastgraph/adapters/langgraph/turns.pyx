"""Turns of the event loop: tasks in the context of a run, and waits as long as upstream's.

Upstream tells async handlers of the end of a run in a shielded task of its own, also when there is
nobody to tell: the caller then goes on three turns of the event loop later. Other tasks see that,
so the same turns are waited here, by two callbacks and a future instead of a task, a coroutine, a
shield and a future. The callbacks are queued where upstream's task and its completion are, and a
cancellation meets a future where it meets upstream's shield.

Where nobody could see it, nothing is waited for: asyncio's own loop has nothing that is ready or
due, its selector has no event and the running task is not to be cancelled. Every node has a task
of its own, so other work still gets its turns in each superstep.

Domain: asyncio's own loops without a task factory and not in debug mode, Python 3.11 and newer. On
any other loop, or where asyncio's functions were replaced, upstream's task is made and shielded. On
3.10 upstream's own `shielded` is awaited: it first meets a TypeError, as `create_task` has no
`context` there, which every error of what it then awaits keeps as its context.
"""

import asyncio
import sys
from asyncio import base_events, futures, tasks

from langchain_core.callbacks import manager as core_manager
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
cdef object Handle = asyncio.Handle
cdef object CancelledError = asyncio.CancelledError
cdef object current_task = tasks.current_task
cdef dict current_tasks = tasks._current_tasks if sys.version_info < (3, 12) else {}
cdef bint may_be_eager = sys.version_info >= (3, 12)
cdef object eager_tasks = getattr(tasks, "_eager_tasks", None)
cdef bint looks_up_tasks = sys.version_info < (3, 12)
cdef object asyncio_create_task = asyncio.create_task
cdef object asyncio_shield = asyncio.shield
cdef dict asyncio_names = asyncio.__dict__
cdef dict tasks_names = tasks.__dict__
cdef dict futures_names = futures.__dict__
# Exactly this loop can be looked into; on Windows none can.
cdef object SelectorLoop = getattr(asyncio, "_UnixSelectorEventLoop", None) or getattr(
    getattr(asyncio, "unix_events", None), "_UnixSelectorEventLoop", None
)
cdef object base_call_soon = base_events.BaseEventLoop.call_soon
cdef object base_create_task = base_events.BaseEventLoop.create_task
cdef object base_create_future = base_events.BaseEventLoop.create_future
cdef object base_run_once = base_events.BaseEventLoop._run_once


cdef bint is_plain(object loop) except -1:
    """Whether tasks, futures and callbacks of `loop` are made and queued as asyncio's own are."""
    cdef dict own
    cls = type(loop)
    if not (
        asyncio_names.get("create_task") is asyncio_create_task
        and asyncio_names.get("shield") is asyncio_shield
        and is_stock(cls, "call_soon", base_call_soon)
        and is_stock(cls, "create_task", base_create_task)
        and is_stock(cls, "create_future", base_create_future)
        and is_stock(cls, "_run_once", base_run_once)
    ):
        return False
    own = loop.__dict__
    return (
        own.get("_task_factory", loop) is None
        and own.get("_debug") is False
        and "call_soon" not in own
        and "create_task" not in own
        and "create_future" not in own
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
    """Completes futures in the third turn from now, when upstream's shields would be through.

    Callbacks that stand next to each other in the queue stay so from turn to turn: they are one.
    """

    cdef object loop
    cdef list futures
    cdef bint is_last

    def __call__(self):
        cdef Wakes wakes
        if not self.is_last:
            self.is_last = True
            self.loop.call_soon(self)
            return
        wakes = None
        for future in self.futures:
            if type(future) is not Pause:
                wakes = None
                if not future.done():
                    future.set_result(None)
            elif not (<Pause>future).is_done:
                (<Pause>future).is_done = True
                if wakes is None:
                    wakes = Wakes.__new__(Wakes)
                    wakes.pauses = []
                    wakes.loop = self.loop
                    self.loop.call_soon(wakes)
                wakes.pauses.append(future)


cdef class Wakes:
    """Has tasks go on that stand next to each other in the queue."""

    cdef object loop
    cdef list pauses
    cdef Py_ssize_t next

    def __call__(self):
        cdef Pause pause
        try:
            while self.next < len(self.pauses):
                pause = self.pauses[self.next]
                self.pauses[self.next] = None
                self.next += 1
                pause.wake()
        finally:
            # A task ended with an exit or an interrupt of the keyboard.
            if self.next < len(self.pauses):
                self.loop.call_soon(self)


cdef class Pause:
    """A future of one task that waits the turns of a shield: what the task uses of a future."""

    cdef object loop
    cdef object callback
    cdef object context
    cdef object message
    cdef bint is_done
    cdef bint is_cancelled
    cdef public bint _asyncio_future_blocking

    cdef int wake(self) except -1:
        callback, context = self.callback, self.context
        self.callback = self.context = None
        if callback is not None:
            context.run(callback, self)
        return 0

    def get_loop(self):
        return self.loop

    def add_done_callback(self, callback, *, context):
        """Called once: a task waits in one place."""
        self.callback = callback
        self.context = context

    def done(self):
        return self.is_done

    def cancelled(self):
        return self.is_cancelled

    def result(self):
        """Nothing, or the cancellation."""
        if self.is_cancelled:
            raise CancelledError() if self.message is None else CancelledError(self.message)

    def cancel(self, msg=None):
        """Have the task go on in the next turn, cancelled."""
        if self.is_done:
            return False
        self.is_done = self.is_cancelled = True
        self.message = msg
        callback, context = self.callback, self.context
        self.callback = self.context = None
        if callback is not None:
            self.loop.call_soon(callback, self, context=context)
        return True


cdef Turns turns_at_the_end(object ready):
    """What is the last in the queue and has not had its first turn; None if it is not `Turns`."""
    cdef Turns turns
    if not ready:
        return None
    handle = ready[-1]
    if type(handle) is not Handle or type(handle._callback) is not Turns or handle._cancelled:
        return None
    turns = handle._callback
    return None if turns.is_last else turns


cdef class Act:
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
    return loop if joins_contexts and is_plain(loop) else None


cdef object shielded(Act act, object loop):
    """What to await for `act`; None if nothing, because nobody could see it.

    Where nobody sees when it acts, others may have something to do when it has; they come first.
    """
    cdef bint alone = is_alone(loop)
    if alone and (not act.act() or is_alone(loop)):
        return None
    act.has_acted = alone
    act.loop = loop
    act.future = futures_names["Future"](loop=loop)
    loop.call_soon(act)
    return act.future


async def _nothing():
    pass


cdef object upstreams_nothing = core_manager.shielded(_nothing)


cdef object shielded_nothing():
    """What to await instead of a shielded call that does nothing; None if nobody could see it."""
    if not joins_contexts:
        return upstreams_nothing()
    loop = get_running_loop()
    if not is_plain(loop):
        context = PyContext_CopyCurrent()
        return asyncio.shield(new_task(_nothing(), context))
    if is_alone(loop):
        return None
    future = futures_names["Future"](loop=loop)
    wait_for_turns(loop, future)
    return future


cdef object paused(object loop):
    """What a coroutine yields to its task instead of awaiting `shielded_nothing()`.

    None if nobody could see it; `loop` is plain.
    """
    cdef Pause pause
    if is_alone(loop):
        return None
    pause = Pause.__new__(Pause)
    pause.loop = loop
    pause._asyncio_future_blocking = True
    wait_for_turns(loop, pause)
    return pause


cdef int wait_for_turns(object loop, object future) except -1:
    cdef Turns turns = turns_at_the_end(loop._ready)
    if turns is None:
        turns = Turns.__new__(Turns)
        turns.loop = loop
        turns.futures = [future]
        loop.call_soon(turns)
    else:
        turns.futures.append(future)
    return 0


cdef object new_task(object coroutine, object context):
    """`asyncio.create_task(coroutine, context=context)`."""
    loop = get_running_loop()
    if not joins_contexts:
        return asyncio.create_task(coroutine)
    if is_plain(loop):
        return plain_task(coroutine, loop, None, context)
    return asyncio.create_task(coroutine, context=context)


cdef object plain_task(object coroutine, object loop, object name, object context):
    """`loop.create_task(coroutine, name=name, context=context)` of a plain loop."""
    if name is None:
        return tasks_names["Task"](coroutine, loop=loop, context=context)
    return tasks_names["Task"](coroutine, loop=loop, name=name, context=context)


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
