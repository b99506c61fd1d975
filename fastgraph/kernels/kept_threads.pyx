"""Threads of executors, kept from one executor for the next.

Starting a thread and waiting until it is gone takes longer than most of what executors are made
for. Here an executor's thread is a `threading.Thread` like any
other, with its name, its identity and its end, for as long as the executor has it; what is kept is
the operating system's thread below it, which is idle between two of them and belongs to nobody.

What one thread leaves behind does not reach the next: each runs in an empty context, and the
values of `threading.local` go with the thread that set them. Idle threads are in no list of
Python's, end by themselves after `IDLE_SECONDS`, and are ended before a fork and before the
interpreter exits. Nothing is bounded: an executor gets as many threads as it asks for.

Domain: CPython 3.10 to 3.12, whose threads keep their locals in a dict and end with a lock;
`threading` and `concurrent.futures` as they come, and no trace function for new threads.

Under the GIL, appending to a list and popping from it are atomic; so a thread is either idle or
taken, never both.
"""

import _thread
import atexit
import os
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as _futures
from contextvars import Context as _Context

from cpython.dict cimport PyDict_Clear
from cpython.object cimport PyObject

cdef extern from "Python.h":
    PyObject* PyThreadState_GetDict()

__all__ = ("IDLE_SECONDS", "MOST_IDLE", "end_idle", "idle_threads", "keep_threads")

IDLE_SECONDS = 10.0
MOST_IDLE = 64

cdef object Thread = threading.Thread
cdef object Context = _Context
cdef object start_new_thread = getattr(threading, "_start_new_thread", None)  # gone in 3.13
cdef object thread_start = threading.Thread.start
cdef object thread_bootstrap = threading.Thread._bootstrap
cdef object thread_bootstrap_inner = getattr(threading.Thread, "_bootstrap_inner", None)
cdef object allocate_lock = _thread.allocate_lock
cdef object get_native_id = getattr(threading, "get_native_id", lambda: None)
cdef object set_sentinel = getattr(_thread, "_set_sentinel", None)
cdef object Semaphore = threading.Semaphore
cdef object semaphore_acquire = threading.Semaphore.acquire
cdef object stock_adjust = ThreadPoolExecutor._adjust_thread_count
cdef dict threading_names = threading.__dict__
cdef dict futures_names = _futures.__dict__
cdef bint is_known = (
    sys.implementation.name == "cpython"
    and (3, 10) <= sys.version_info[:2] <= (3, 12)
    and set_sentinel is not None
    and thread_bootstrap_inner is not None
    and hasattr(threading, "_maintain_shutdown_locks")
    # Other kinds of threads, as gevent's, come from functions that are not built in.
    and type(start_new_thread) is type(len)
)

cdef list idle = []
# How often this process was forked off: a thread that came through a fork is alone there.
cdef long forks = 0


cdef class Place:
    """A thread of the operating system, and what it is to be next."""

    cdef object wake
    cdef object begun
    cdef object alive
    cdef object thread
    cdef object stack_size
    cdef object ident


cdef bint is_plain() except -1:
    """Whether threads are started as Python starts them, with nobody looking on."""
    return (
        is_known
        and threading_names["Thread"] is Thread
        and threading_names["_start_new_thread"] is start_new_thread
        and threading_names["_trace_hook"] is None
        and threading_names["_profile_hook"] is None
        and Thread.start is thread_start
        and Thread._bootstrap is thread_bootstrap
        and Thread._bootstrap_inner is thread_bootstrap_inner
    )


# In the thread itself

cdef int leave(object thread) except -1:
    """What the end of a thread does to its locals and its trace functions."""
    cdef PyObject* values
    if sys.gettrace() is not None:
        sys.settrace(None)
    if sys.getprofile() is not None:
        sys.setprofile(None)
    values = PyThreadState_GetDict()
    if values != NULL:
        # Whatever their destructors store is gone with the next one.
        PyDict_Clear(<object>values)
    thread._delete()
    return 0


cdef object be(object thread):
    """Be the thread until it ends; the lock that tells of its end."""
    thread._native_id = get_native_id()
    try:
        Context().run(thread.run)
    except BaseException:
        thread._invoke_excepthook(thread)
    leave(thread)
    return thread._tstate_lock


cdef bint withdraws(Place place) except -1:
    """Whether an idle thread is still nobody's, and now can never be anybody's."""
    try:
        idle.remove(place)
    except ValueError:
        # It was taken just now.
        place.wake.acquire()
        return False
    return True


def _serve(Place place):
    cdef long forks_before = forks
    cdef bint stays = True
    place.alive = set_sentinel()
    place.alive.acquire()
    while stays and (place.wake.acquire(True, IDLE_SECONDS) or not withdraws(place)):
        thread = place.thread
        place.thread = None
        if thread is None:
            break
        begun = place.begun
        place.begun = None
        begun.release()
        ended = be(thread)
        thread = None
        stays = forks == forks_before and len(idle) < MOST_IDLE
        if stays:
            idle.append(place)
        # Whoever waits for the thread's end goes on now.
        ended.release()
        ended = None


# In the thread that starts it

cdef Place taken(object stack_size):
    """An idle place with a stack of that size; None if there is none."""
    cdef Place place
    cdef Py_ssize_t index
    for index in range(len(idle) - 1, -1, -1):
        try:
            place = idle.pop(index)
        except IndexError:
            continue
        if place.stack_size == stack_size:
            return place
        idle.insert(0, place)
    return None


cdef int enter(object thread, object ident) except -1:
    """Give `thread` what `Thread.start` waits for: its identity, and a lock that tells its end."""
    lock = thread._tstate_lock = allocate_lock()
    lock.acquire()
    if not thread.daemon:
        with threading._shutdown_locks_lock:
            threading._maintain_shutdown_locks()
            threading._shutdown_locks.add(lock)
    thread._ident = ident
    with threading._active_limbo_lock:
        threading._active[ident] = thread
    thread._started.set()
    return 0


cdef int start(object thread) except -1:
    """`thread.start()`."""
    cdef Place place
    stack_size = threading.stack_size()
    place = taken(stack_size)
    if place is None:
        place = Place.__new__(Place)
        place.stack_size = stack_size
        place.wake = allocate_lock()
        place.wake.acquire()
        place.ident = start_new_thread(_serve, (place,))
    enter(thread, place.ident)
    begun = place.begun = allocate_lock()
    begun.acquire()
    place.thread = thread
    place.wake.release()
    # As `Thread.start` does: the thread gets to run first, and an executor whose job is done by
    # the time of the next takes no second thread.
    begun.acquire()
    return 0


cdef class _Hiring:
    """`ThreadPoolExecutor._adjust_thread_count` of one executor, with kept threads.

    Holds the executor weakly: one that is lost without `shutdown` lets its threads go.
    """

    cdef object executor

    def __call__(self):
        executor = self.executor()
        if executor is not None:
            adjust(executor)


cdef bint took_idle(object semaphore) except -1:
    """`semaphore.acquire(timeout=0)`, without the wait for what is not there."""
    cdef bint taken = False
    if type(semaphore) is not Semaphore or Semaphore.acquire is not semaphore_acquire:
        return semaphore.acquire(timeout=0)
    lock = semaphore._cond
    lock.acquire()
    try:
        if semaphore._value > 0:
            semaphore._value -= 1
            taken = True
    finally:
        lock.release()
    return taken


cdef bint hires(object adjusting) except -1:
    """Whether it is what an executor has that keeps threads."""
    return type(adjusting) is _Hiring


cdef int adjust(object executor) except -1:
    """Have a thread for one more job, kept or new, unless one is idle or there are enough."""
    if took_idle(executor._idle_semaphore):
        return 0
    if is_plain():
        hire(executor)
    else:
        stock_adjust(executor)
    return 0


cdef int hire(object executor) except -1:
    count = len(executor._threads)
    if count < executor._max_workers:
        queue = executor._work_queue
        # The callback wakes the thread when the executor is lost.
        lost = weakref.ref(executor, lambda _, queue=queue: queue.put(None))
        thread = Thread(
            name=f"{executor._thread_name_prefix or executor}_{count}",
            target=futures_names["_worker"],
            args=(lost, queue, executor._initializer, executor._initargs),
        )
        start(thread)
        executor._threads.add(thread)
        futures_names["_threads_queues"][thread] = queue
    return 0


cdef bint keeps_threads(object executor) except -1:
    """Have `executor` use kept threads; whether it does."""
    cdef _Hiring hiring
    names = executor.__dict__
    if "_adjust_thread_count" in names:
        return type(names["_adjust_thread_count"]) is _Hiring
    if not is_known or type(executor)._adjust_thread_count is not stock_adjust:
        return False
    hiring = _Hiring.__new__(_Hiring)
    hiring.executor = weakref.ref(executor)
    names["_adjust_thread_count"] = hiring
    return True


def keep_threads(executor):
    """Have an executor take its threads from those that are kept, and give them back.

    Parameters
    ----------
    executor : concurrent.futures.ThreadPoolExecutor
        May have threads already; they are not touched.

    Returns
    -------
    bool
        Whether it does; not so outside the domain above.
    """
    if not isinstance(executor, ThreadPoolExecutor):
        raise TypeError(f"a ThreadPoolExecutor is needed, not {type(executor).__name__!r}")
    return keeps_threads(executor)


def idle_threads():
    """The number of threads that are idle now."""
    return len(idle)


def end_idle():
    """End the threads that are idle, and wait until they are gone."""
    cdef Place place
    cdef list ending = []
    while idle:
        try:
            place = idle.pop()
        except IndexError:
            break
        ending.append(place)
        place.wake.release()
    for place in ending:
        if place.alive is not None:
            place.alive.acquire()


def _forked():
    global forks
    forks += 1
    idle.clear()


atexit.register(end_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=end_idle, after_in_child=_forked)
