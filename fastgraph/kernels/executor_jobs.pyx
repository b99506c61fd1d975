"""Jobs of thread pools: handed over, run and answered without a future of Python's for each step.

`ThreadPoolExecutor.submit` makes a future and a work item, and counts idle threads, in some twenty
Python calls; the worker that runs the job makes a dozen more. A `Job` does what a work item does,
with the same futures, locks and errors; a `LoopJob` answers a future of an event loop, without the
future of another kind that asyncio chains to it.

Domain: CPython 3.10 to 3.13, whose executors, work items and futures do the same; functions of
`concurrent.futures` and `threading` that nobody has replaced, executors that are neither shut down
nor broken. Outside it nothing is handed over, and the caller takes Python's own way.

A future's state is changed under its own lock, as another thread may be about to cancel it. What
belongs to a job is the worker's alone once it is handed over.
"""

import sys
from asyncio import futures as _loop_futures
from concurrent.futures import Future as _Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import _base
from concurrent.futures import thread as _thread
from functools import partial as _partial

from fastgraph.kernels.kept_threads cimport adjust, hires, took_idle

__all__ = ("Job", "LoopJob", "run_in_executor", "submit")

cdef object partial = _partial
cdef object Future = _Future
cdef object stock_submit = ThreadPoolExecutor.submit
cdef object stock_adjust = ThreadPoolExecutor._adjust_thread_count
cdef object stock_begin = _Future.set_running_or_notify_cancel
cdef object stock_finish = _Future.set_result
cdef object converted = getattr(_loop_futures, "_convert_future_exc", None)
cdef dict thread_names = _thread.__dict__
cdef dict base_names = _base.__dict__
cdef object WorkItem = getattr(_thread, "_WorkItem", None)
cdef object stock_run = getattr(WorkItem, "run", None)
cdef str PENDING = _base.PENDING
cdef str RUNNING = _base.RUNNING
cdef str FINISHED = _base.FINISHED
cdef bint is_known = (
    sys.implementation.name == "cpython"
    and (3, 10) <= sys.version_info[:2] <= (3, 13)
    and converted is not None
    # Not somebody's who came first.
    and all(
        getattr(function, "__globals__", None) is names
        for function, names in (
            (stock_submit, thread_names),
            (stock_adjust, thread_names),
            (stock_run, thread_names),
            (stock_begin, base_names),
            (stock_finish, base_names),
        )
    )
)


cdef bint runs_jobs(object executor) except -1:
    """Whether an executor's threads run what is in its queue as Python has them do."""
    return (
        is_known
        and isinstance(executor, ThreadPoolExecutor)
        and type(executor)._adjust_thread_count is stock_adjust
        and thread_names["_WorkItem"] is WorkItem
        and WorkItem.run is stock_run
        and base_names["Future"] is Future
        and Future.set_running_or_notify_cancel is stock_begin
        and Future.set_result is stock_finish
    )


# Handing over

cdef int have_thread(object executor) except -1:
    """`executor._adjust_thread_count()`."""
    own = (<dict>executor.__dict__).get("_adjust_thread_count")
    if own is not None and hires(own):
        adjust(executor)
    elif own is not None or not took_idle(executor._idle_semaphore):
        executor._adjust_thread_count()
    return 0


cdef bint handed_over(object executor, object job) except -1:
    """Put a job into the queue of an executor; whether it takes any."""
    shutdown_lock = executor._shutdown_lock
    global_lock = thread_names["_global_shutdown_lock"]
    shutdown_lock.acquire()
    try:
        global_lock.acquire()
        try:
            if executor._broken or executor._shutdown or thread_names["_shutdown"]:
                return False
            executor._work_queue.put(job)
            have_thread(executor)
        finally:
            global_lock.release()
    finally:
        shutdown_lock.release()
    return True


# What a worker does

cdef bint begun(object future) except -1:
    """`future.set_running_or_notify_cancel()`."""
    condition = future._condition
    condition.acquire()
    try:
        if future._state is PENDING:
            future._state = RUNNING
            return True
    finally:
        condition.release()
    return future.set_running_or_notify_cancel()


cdef int finish(object future, object result) except -1:
    """`future.set_result(result)`."""
    condition = future._condition
    condition.acquire()
    try:
        if future._state is not RUNNING or future._waiters or condition._waiters:
            # The lock can be taken again by the thread that has it.
            future.set_result(result)
            return 0
        future._result = result
        future._state = FINISHED
    finally:
        condition.release()
    if future._done_callbacks:
        future._invoke_callbacks()
    return 0


cdef class Job:
    """A call of a function that a future tells the result of, as `submit` makes it.

    Replaces `concurrent.futures.thread._WorkItem`.
    """

    def run(self):
        """Run it, unless it was cancelled."""
        if not begun(self.future):
            return
        try:
            result = self.function(*self.args, **self.kwargs)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            finish(self.future, result)


cdef object submitted(object executor, object function, tuple args, dict kwargs):
    """The future of `executor.submit(function, *args, **kwargs)`; None outside the domain."""
    cdef Job job
    if not runs_jobs(executor):
        return None
    job = Job.__new__(Job)
    job.future = Future()
    job.function = function
    job.args = args
    job.kwargs = kwargs
    return job.future if handed_over(executor, job) else None


cdef class LoopJob:
    """A call of a function that a future of an event loop tells the result of.

    Replaces `_WorkItem` and the future that `asyncio.wrap_future` chains to the loop's. The loop
    is told in one callback and the future's task goes on a turn later, as with the chain.
    """

    def __cinit__(self):
        self.is_pending = True

    @property
    def future(self):
        """What an executor cancels, or fails, that drops its jobs: this."""
        return self

    def run(self):
        """Run it, unless nobody waits any more."""
        if not self.begins():
            return
        try:
            self.result = self.function(*self.args, **self.kwargs)
        except BaseException as error:
            self.error = error
        self.function = self.args = self.kwargs = None
        self.tell()

    cdef bint begins(self) except -1:
        if not self.is_pending:
            return False
        self.is_pending = False
        return not self.waiting.cancelled()

    cdef int tell(self) except -1:
        """Have the loop tell the future, unless the loop is closed."""
        if self.loop.is_closed():
            return 0
        try:
            self.loop.call_soon_threadsafe(self)
        except RuntimeError:
            if not self.loop.is_closed():
                raise
        return 0

    def __call__(self):
        """In the loop's thread."""
        waiting, self.waiting = self.waiting, None
        if not waiting.cancelled():
            if self.is_dropped:
                waiting.cancel()
            elif self.error is not None:
                waiting.set_exception(converted(self.error))
            else:
                waiting.set_result(self.result)
        self.result = self.error = None

    def cancel(self):
        """Cancel what has not begun, from any thread; whether it could be."""
        if not self.is_pending:
            return False
        self.is_pending = False
        self.is_dropped = True
        self.tell()
        return True

    def set_exception(self, error):
        """Fail what has not begun, from any thread."""
        self.is_pending = False
        self.error = error
        self.tell()


cdef object awaited(
    object loop, object executor, object function, tuple args, dict kwargs
):
    """The future of `loop.run_in_executor(executor, function...)`; None outside the domain."""
    cdef LoopJob job
    if not runs_jobs(executor) or type(executor).submit is not stock_submit:
        return None
    job = LoopJob.__new__(LoopJob)
    job.loop = loop
    job.waiting = waiting = loop.create_future()
    job.function = function
    job.args = args
    job.kwargs = kwargs
    return waiting if handed_over(executor, job) else None


def submit(executor, function, /, *args, **kwargs):
    """Run a function in a thread of an executor.

    Parameters
    ----------
    executor : concurrent.futures.ThreadPoolExecutor
        Outside the domain above, its own `submit` is called.
    function : callable
        Called with the other arguments.

    Returns
    -------
    concurrent.futures.Future
        Of what the function returns or raises.

    Raises
    ------
    RuntimeError
        If the executor is shut down, as `submit` does.
    """
    if not isinstance(executor, ThreadPoolExecutor):
        raise TypeError(f"a ThreadPoolExecutor is needed, not {type(executor).__name__!r}")
    future = submitted(executor, function, args, kwargs)
    return executor.submit(function, *args, **kwargs) if future is None else future


def run_in_executor(loop, executor, function, /, *args, **kwargs):
    """Run a function in a thread of an executor, for a coroutine to await.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The running loop.
    executor : concurrent.futures.ThreadPoolExecutor
        Outside the domain above, the loop's own `run_in_executor` is called.
    function : callable
        Called with the other arguments.

    Returns
    -------
    asyncio.Future
        Of what the function returns or raises.
    """
    if not isinstance(executor, ThreadPoolExecutor):
        raise TypeError(f"a ThreadPoolExecutor is needed, not {type(executor).__name__!r}")
    future = awaited(loop, executor, function, args, kwargs)
    if future is None:
        return loop.run_in_executor(executor, partial(function, *args, **kwargs))
    return future
