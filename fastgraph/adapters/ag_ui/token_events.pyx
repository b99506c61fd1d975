"""How a token gets from a model to the stream of events that AG-UI reads: `astream_events`, v2.

Upstream tells its handler in a task of its own, which it gathers; the handler names the run and
those around it, and sends the event to a queue as a thread would, by a socket that wakes the loop.
The handler waits for nothing and does not ask which task is running: here it needs none. Its event
is made in the turn of the event loop in which that task would make it, gets to the queue in the
next one, and the caller goes on in the one after that, as upstream's gathering lets it. A
cancellation meets what it waits for as it meets the gathering: before its turn the handler hears
nothing, afterwards the caller alone is cancelled.

Domain: LangChain's own run manager with nobody to tell but the handler of `astream_events`, which
leaves no event out and is read by the same loop, asyncio's own and not in debug mode.
"""

import asyncio
import uuid
from asyncio import base_events
from collections import deque as _deque

from cpython.object cimport PyObject, PyObject_Hash, PyTypeObject

from langchain_core.callbacks import manager as _manager
from langchain_core.outputs import ChatGenerationChunk as _ChatGenerationChunk
from langchain_core.runnables.utils import _RootEventFilter
from langchain_core.tracers import event_stream, memory_stream

from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    PyObject* _PyType_Lookup(PyTypeObject* cls, object name)
    PyObject* _PyDict_GetItem_KnownHash(object mapping, object key, Py_hash_t hash) except? NULL
    object PyObject_GenericGetAttr(object, object)
    object PyObject_GenericGetDict(object, void*)

cdef object UUID = uuid.UUID
cdef object deque = _deque
cdef object RunManager = _manager.AsyncCallbackManagerForLLMRun
cdef object Handler = event_stream._AstreamEventsCallbackHandler
cdef object SendStream = memory_stream._SendStream
cdef object Queue = asyncio.Queue
cdef object Event = asyncio.Event
cdef object Filter = _RootEventFilter
cdef object Chunk = _ChatGenerationChunk
cdef object CancelledError = asyncio.CancelledError
cdef object get_running_loop = asyncio.get_running_loop
cdef object Loop = getattr(asyncio, "_UnixSelectorEventLoop", None) or getattr(
    getattr(asyncio, "unix_events", None), "_UnixSelectorEventLoop", None
)
cdef dict asyncio_names = asyncio.__dict__
cdef dict manager_names = _manager.__dict__
cdef object gather = asyncio.gather
cdef object tell_all = _manager.ahandle_event
cdef object tell_one = _manager._ahandle_event_for_handler
cdef object stock_on_new_token
cdef Tally token_tally

#: Methods that are done without here, by class: somebody may have replaced one.
cdef list OWN = [
    (cls, name, cls.__dict__[name])
    for cls, names in (
        (Handler, ("on_llm_new_token", "_send", "_get_parent_ids")),
        (SendStream, ("send_nowait",)),
        (Filter, ("include_event",)),
        (Queue, ("put_nowait", "_put", "_wakeup_next", "full")),
    )
    for name in names
]
cdef list OF_LOOP = [
    (name, getattr(base_events.BaseEventLoop, name))
    for name in ("call_soon", "create_task", "create_future", "_run_once")
]
if Loop is not None:
    OF_LOOP.append(("call_soon_threadsafe", base_events.BaseEventLoop.call_soon_threadsafe))


cdef bint is_own() except -1:
    """Whether nobody has replaced what is done without here."""
    for cls, name, function in OWN:
        if _PyType_Lookup(<PyTypeObject*>cls, name) != <PyObject*>function:
            return False
    return (
        asyncio_names.get("gather") is gather
        and manager_names.get("ahandle_event") is tell_all
        and manager_names.get("_ahandle_event_for_handler") is tell_one
    )


cdef bint is_plain(object loop) except -1:
    """Whether a loop is asyncio's own, makes tasks and queues callbacks as that does."""
    cdef dict own
    if type(loop) is not Loop:
        return False
    for name, function in OF_LOOP:
        if _PyType_Lookup(<PyTypeObject*>Loop, name) != <PyObject*>function:
            return False
    own = loop.__dict__
    if own.get("_task_factory", loop) is not None or own.get("_debug") is not False:
        return False
    for name, _ in OF_LOOP:
        if name in own:
            return False
    return own.get("_closed") is False


# Runs by their ids

cdef inline Py_hash_t hash_of(object run_id) except? -1:
    """`hash(run_id)` of a `UUID`."""
    return PyObject_Hash(PyObject_GenericGetAttr(run_id, "int"))


cdef str text_of(object run_id):
    """`str(run_id)` of a `UUID`."""
    cdef bytes digits = PyObject_GenericGetAttr(run_id, "int").to_bytes(16, "big").hex().encode()
    cdef const char* hexadecimal = digits
    cdef char[36] text
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t index
    for index in range(32):
        if index == 8 or index == 12 or index == 16 or index == 20:
            text[at] = c"-"
            at += 1
        text[at] = hexadecimal[index]
        at += 1
    return text[:36].decode("ascii")


cdef list parents_of(dict parents, object run_id):
    """`handler._get_parent_ids(run_id)`; None outside the domain."""
    cdef list ids = []
    cdef PyObject* found
    cdef str text
    while True:
        if type(run_id) is not UUID:
            return None
        found = _PyDict_GetItem_KnownHash(parents, run_id, hash_of(run_id))
        if found is NULL or <object>found is None:
            break
        run_id = <object>found
        if type(run_id) is not UUID:
            return None
        text = text_of(run_id)
        if text in ids:
            return None
        ids.append(text)
    ids.reverse()
    return ids


# The handler

cdef bint is_bare(object handler) except -1:
    """Whether a handler is as its class has it, by itself."""
    cdef dict own = handler.__dict__
    for name in ("on_llm_new_token", "_send", "_get_parent_ids"):
        if name in own:
            return False
    return handler.run_inline is False and handler.ignore_llm is False


cdef bint lets_all_through(object chosen) except -1:
    """Whether a filter leaves no event out."""
    cdef dict own
    if type(chosen) is not Filter:
        return False
    own = chosen.__dict__
    if len(own) != 6:
        return False
    for value in own.values():
        if value is not None:
            return False
    return True


cdef class Put:
    """Puts an event into a queue, as `put_nowait` does."""

    cdef object queue
    cdef dict event

    def __call__(self):
        cdef dict own = self.queue.__dict__
        waiting = own.get("_queue")
        finished = own.get("_finished")
        getters = own.get("_getters")
        if not (
            type(waiting) is deque
            and type(getters) is deque
            and type(finished) is Event
            and own.get("_maxsize") == 0
            and not own.get("_is_shutdown")
        ):
            self.queue.put_nowait(self.event)
            return
        waiting.append(self.event)
        own["_unfinished_tasks"] += 1
        finished._value = False
        while getters:
            getter = getters.popleft()
            if not getter.done():
                getter.set_result(None)
                break


cdef bint sent(object stream, dict event, object loop) except -1:
    """`stream.send_nowait(event)` to a reader on the running loop; False outside the domain."""
    cdef Put put
    cdef dict own
    if type(stream) is not SendStream:
        return False
    own = stream.__dict__
    queue = own.get("_queue")
    if own.get("_reader_loop") is not loop or type(queue) is not Queue or "send_nowait" in own:
        return False
    if "put_nowait" in (<dict>queue.__dict__):
        return False
    put = Put.__new__(Put)
    put.queue = queue
    put.event = event
    # The loop is running: it needs nobody to wake it.
    loop.call_soon(put)
    return True


cdef bint told(object handler, object chunk, object run_id, object loop) except -1:
    """`handler.on_llm_new_token(...)`; False outside the domain, with nothing done."""
    cdef dict own = handler.__dict__
    cdef dict run
    cdef PyObject* found
    cdef Py_hash_t known
    runs, tapped, parents = own.get("run_map"), own.get("is_tapped"), own.get("parent_map")
    if type(runs) is not dict or type(tapped) is not dict or type(parents) is not dict:
        return False
    if type(run_id) is not UUID or type(chunk) is not Chunk:
        return False
    known = hash_of(run_id)
    found = _PyDict_GetItem_KnownHash(runs, run_id, known)
    if found is NULL or type(<object>found) is not dict:
        return False
    run = <dict><object>found
    if _PyDict_GetItem_KnownHash(tapped, run_id, known) is not NULL:
        return False
    if run.get("run_type") != "chat_model" or not lets_all_through(own.get("root_event_filter")):
        return False
    ids = parents_of(<dict>parents, run_id)
    message = (<dict>PyObject_GenericGetDict(chunk, NULL)).get("message")
    if ids is None or message is None:
        return False
    try:
        event = {
            "event": "on_chat_model_stream",
            "data": {"chunk": message},
            "run_id": text_of(run_id),
            "name": run["name"],
            "tags": run["tags"],
            "metadata": run["metadata"],
            "parent_ids": ids,
        }
    except KeyError:
        return False
    return sent(own.get("send_stream"), event, loop)


cdef class Telling:
    """What a caller waits for while the handler is told: what its task uses of a future.

    Called in the turn in which upstream's task would tell the handler, and in the next one, in
    which it would be noticed that it is done.
    """

    cdef object loop
    cdef object handler
    cdef object token
    cdef object chunk
    cdef object run_id
    cdef object parent_run_id
    cdef object tags
    cdef object error
    cdef list callbacks
    cdef bint has_told
    cdef bint is_done
    cdef bint is_awaited
    cdef bint is_cancelled
    cdef object message
    cdef public bint _asyncio_future_blocking

    cdef int tell(self) except -1:
        if told(self.handler, self.chunk, self.run_id, self.loop):
            return 0
        token_tally.fell_back("another run, chunk, filter or queue")
        try:
            tell_one(
                self.handler,
                "on_llm_new_token",
                "ignore_llm",
                self.token,
                chunk=self.chunk,
                run_id=self.run_id,
                parent_run_id=self.parent_run_id,
                tags=self.tags,
            ).send(None)
        except StopIteration:
            pass
        except Exception as error:
            self.error = error
        return 0

    def __call__(self):
        if self.has_told:
            self.is_done = True
            for callback, context in self.callbacks:
                self.loop.call_soon(callback, self, context=context)
            self.callbacks.clear()
            return
        self.has_told = True
        try:
            if not self.is_cancelled:
                self.tell()
        finally:
            self.loop.call_soon(self)

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if self.is_awaited:
            self.result()
            raise StopIteration
        self.is_awaited = self._asyncio_future_blocking = True
        return self

    def get_loop(self):
        return self.loop

    def add_done_callback(self, callback, *, context=None):
        self.callbacks.append((callback, context))

    def done(self):
        return self.is_done

    def cancelled(self):
        return self.is_done and self.is_cancelled

    def result(self):
        """Nothing, or what the handler raised, or the cancellation."""
        if self.is_cancelled:
            raise CancelledError() if self.message is None else CancelledError(self.message)
        if self.error is not None:
            raise self.error

    def cancel(self, msg=None):
        """Have the handler hear nothing, if it has not yet."""
        if self.has_told:
            return False
        self.is_cancelled = True
        self.message = msg
        return True


cdef Telling telling(object manager, object handlers, object token, object chunk, dict rest):
    """What to await for `ahandle_event(...)` of a token; None outside the domain."""
    cdef Telling made
    if type(manager) is not RunManager or type(handlers) is not list or len(<list>handlers) != 1:
        return None
    if rest or not is_own():
        return None
    handler = (<list>handlers)[0]
    if type(handler) is not Handler or not is_bare(handler):
        return None
    loop = get_running_loop()
    if not is_plain(loop):
        return None
    made = Telling.__new__(Telling)
    made.loop = loop
    made.handler = handler
    made.chunk = chunk
    made.run_id = manager.run_id
    made.token = token
    made.parent_run_id = manager.parent_run_id
    made.tags = manager.tags
    made.callbacks = []
    loop.call_soon(made)
    return made


class AsyncCallbackManagerForLLMRun:
    """For the name of the coroutine, which `Task.get_coro()` shows: upstream's."""

    async def on_llm_new_token(self, token, *, chunk=None, **kwargs):
        """Tell the handlers of a run that its model has a new token.

        Replaces `langchain_core.callbacks.manager.AsyncCallbackManagerForLLMRun.on_llm_new_token`.
        """
        token_tally.calls += 1
        made = telling(self, self.handlers, token, chunk, kwargs)
        if made is None:
            token_tally.fell_back("other handlers, or another loop")
            return await stock_on_new_token(self, token, chunk=chunk, **kwargs)
        await made


def make_on_llm_new_token(original, Tally tally not None, str variant):
    global stock_on_new_token, token_tally
    stock_on_new_token, token_tally = original, tally
    return AsyncCallbackManagerForLLMRun.on_llm_new_token
