"""The stream of a run: the queue that chunks wait in, and handing them to the consumer.

The engine looks into the queue two or three times per superstep and mostly finds it empty; a look
costs no lock, no generator and no exception then. What is in it comes out in the same order, and
the semaphore is counted down under the same lock, so stock code may work on the same queue.
"""

import asyncio
import queue
import types

from langgraph._internal import _constants, _queue
from langgraph.pregel import main

from fastgraph.kernels.tally cimport Tally

cdef object Empty = queue.Empty
cdef object QueueEmpty = asyncio.QueueEmpty
cdef object MethodType = types.MethodType
cdef object SyncQueue = _queue.SyncQueue
cdef object AsyncQueue = _queue.AsyncQueue
cdef str INTERRUPT = _constants.INTERRUPT

cdef object stock_output
cdef Tally put_tally
cdef Tally output_tally


cdef object taken(object stream):
    """The next item of a sync queue; raises `Empty` as its `get` does."""
    count = stream._count
    if count._value == 0:
        raise Empty
    # The condition's own `with` takes this lock, too, by way of two functions.
    lock = count._cond._lock
    lock.acquire()
    try:
        value = count._value
        if value:
            count._value = value - 1
    finally:
        lock.release()
    items = stream._queue
    if not value or not items:
        raise Empty
    return items.popleft()


def put(self, item, block=True, timeout=None):
    """Append an item and wake who waits for one.

    Replaces `langgraph._internal._queue.SyncQueue.put`.
    """
    put_tally.calls += 1
    self._queue.append(item)
    count = self._count
    condition = count._cond
    lock = condition._lock
    lock.acquire()
    try:
        count._value += 1
        if condition._waiters:
            condition.notify()
    finally:
        lock.release()


cdef inline bint is_empty(object stream, object kind) except -1:
    if kind is SyncQueue:
        return stream._count._value == 0
    return not stream._queue


cdef inline object next_of(object stream, object kind, object getter):
    if kind is SyncQueue:
        return taken(stream)
    if stream._putters:
        return getter()
    return stream._queue.popleft()


cdef object as_v2(mode, namespace, payload, output_mapper, state_mapper):
    if mode == "values":
        interrupts = ()
        if isinstance(payload, dict):
            interrupts = payload.pop(INTERRUPT, ())
            if output_mapper:
                payload = output_mapper(payload)
        return {"type": mode, "ns": namespace, "data": payload, "interrupts": interrupts}
    if mode in ("checkpoints", "debug") and state_mapper:
        main._coerce_checkpoint_values(payload, state_mapper)
    return {"type": mode, "ns": namespace, "data": payload}


def drained(
    stream, kind, getter, stream_mode, stream_subgraphs, version, output_mapper, state_mapper
):
    """Yield what is in the queue, as the consumer asked for it."""
    cdef bint v2 = version == "v2"
    cdef bint with_mode = isinstance(stream_mode, list)
    cdef bint with_namespace = bool(stream_subgraphs)

    while not is_empty(stream, kind):
        try:
            item = next_of(stream, kind, getter)
        except (Empty, QueueEmpty):
            return
        namespace, mode, payload = item
        if mode not in stream_mode:
            continue
        if v2:
            yield as_v2(mode, namespace, payload, output_mapper, state_mapper)
        elif with_mode:
            yield (namespace, mode, payload) if with_namespace else (mode, payload)
        elif with_namespace:
            yield (namespace, payload)
        else:
            yield payload


def _output(
    stream_mode,
    print_mode,
    stream_subgraphs,
    getter,
    empty_exc,
    version="v1",
    output_mapper=None,
    state_mapper=None,
):
    """Hand what is in the queue to the consumer.

    Replaces `langgraph.pregel.main._output`. Returns an iterator, and no more than an empty tuple
    if there is nothing to hand out.
    """
    output_tally.calls += 1
    stream = getter.__self__ if type(getter) is MethodType else None
    kind = type(stream)
    if kind is not SyncQueue and kind is not AsyncQueue:
        output_tally.fell_back("a queue of another kind")
    elif is_empty(stream, kind):
        return ()
    elif print_mode:
        output_tally.fell_back("chunks are printed")
    else:
        return drained(
            stream,
            kind,
            getter,
            stream_mode,
            stream_subgraphs,
            version,
            output_mapper,
            state_mapper,
        )
    return stock_output(
        stream_mode,
        print_mode,
        stream_subgraphs,
        getter,
        empty_exc,
        version,
        output_mapper,
        state_mapper,
    )


def make_put(original, Tally tally not None, str variant):
    global put_tally
    put_tally = tally
    return put


def make_output(original, Tally tally not None, str variant):
    global stock_output, output_tally
    stock_output, output_tally = original, tally
    return _output
