"""Background tasks: handing a coroutine to the event loop, a function to a run's threads.

Domain, async: coroutines that are made in the loop's own thread, on Pythons whose tasks take a
context and start in the loop's next iteration (3.11; later ones may start them at once). The task
is the one upstream makes, from the same coroutine, in the same context.

Domain, sync: executors as LangChain makes them, which the engine and `ToolNode` make anew for each
run and each call. Their threads are kept for the next one, see `fastgraph.kernels.kept_threads`.
A run's executor is made when there is something for it. The engine's jobs copy the context once
more than is needed: the function runs in the copy made here, within one that nothing else is run
in.
"""

import _thread
import asyncio
from concurrent.futures import Future as _Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures._base import FINISHED as _FINISHED

from langchain_core.runnables.config import (
    ContextThreadPoolExecutor as _ContextThreadPoolExecutor,
)
from langchain_core.runnables.config import get_executor_for_config as _get_executor_for_config
from langgraph._internal import _future
from langgraph.errors import GraphBubbleUp as _GraphBubbleUp
from langgraph.pregel import _executor

from fastgraph.adapters.langgraph.callbacks cimport is_stock
from fastgraph.adapters.langgraph.nodes cimport is_method
from fastgraph.kernels.executor_jobs cimport submitted
from fastgraph.kernels.kept_threads cimport keeps_threads
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyContext_CopyCurrent()

cdef object Future = _Future
cdef str FINISHED = _FINISHED
cdef object running_loop = asyncio._get_running_loop
cdef object iscoroutine = asyncio.iscoroutine
cdef object GraphBubbleUp = _GraphBubbleUp
cdef object AsyncBackgroundExecutor = _executor.AsyncBackgroundExecutor
# Python 3.10 has no contexts for tasks; from 3.12 on, tasks may be started at once.
cdef bint has_contexts = not _future.CONTEXT_NOT_SUPPORTED
cdef bint has_eager_tasks = not _future.EAGER_NOT_SUPPORTED

cdef object BackgroundExecutor = _executor.BackgroundExecutor
cdef object get_executor_for_config = _get_executor_for_config
cdef object allocate_lock = _thread.allocate_lock
cdef object ContextThreadPoolExecutor = _ContextThreadPoolExecutor
# What is left out; somebody may have put something else in its place.
cdef object submit_in_context = _ContextThreadPoolExecutor.submit
cdef object submit_job = ThreadPoolExecutor.submit

cdef object stock_submit
cdef object stock_thread_submit
cdef object stock_thread_done
cdef object stock_init
cdef Tally submit_tally
cdef object stock_context_submit
cdef object stock_done
cdef Tally done_tally
cdef Tally context_submit_tally
cdef Tally thread_submit_tally
cdef Tally thread_done_tally
cdef Tally init_tally


def submit(
    self,
    fn,
    *args,
    __name__=None,
    __cancel_on_exit__=False,
    __reraise_on_exit__=True,
    __next_tick__=False,
    **kwargs,
):
    """Run a coroutine function in the background.

    Replaces `langgraph.pregel._executor.AsyncBackgroundExecutor.submit`.
    """
    submit_tally.calls += 1
    loop = self.loop
    if has_eager_tasks and not __next_tick__:
        reason = "a task that starts at once"
    elif not has_contexts:
        reason = "a Python without contexts for tasks"
    elif running_loop() is not loop:
        reason = "not in the loop's thread"
    else:
        reason = None
    if reason is not None:
        submit_tally.fell_back(reason)
        return stock_submit(
            self,
            fn,
            *args,
            __name__=__name__,
            __cancel_on_exit__=__cancel_on_exit__,
            __reraise_on_exit__=__reraise_on_exit__,
            __next_tick__=__next_tick__,
            **kwargs,
        )
    coroutine = fn(*args, **kwargs)
    if self.semaphore:
        coroutine = _executor.gated(self.semaphore, coroutine)
    context = PyContext_CopyCurrent()
    if iscoroutine(coroutine):
        try:
            task = loop.create_task(coroutine, name=__name__, context=context)
        except RuntimeError:
            coroutine.close()
            raise
    else:
        task = _executor.run_coroutine_threadsafe(
            coroutine, loop, name=__name__, context=context, lazy=__next_tick__
        )
    self.tasks[task] = (__cancel_on_exit__, __reraise_on_exit__)
    task.add_done_callback(self.done)
    return task


cdef object background_of(object submit):
    """The executor whose method `submit` is, if it does what is done here and no more."""
    if not is_method(submit, own_submit):
        return None
    executor = submit.__self__
    if (
        not has_contexts
        or has_eager_tasks
        or type(executor) is not AsyncBackgroundExecutor
        or not is_stock(AsyncBackgroundExecutor, "done", own_done)
        or executor.semaphore is not None
        or type(executor.tasks) is not dict
        or running_loop() is not executor.loop
    ):
        return None
    return executor


cdef int keep(object executor, object task, tuple on_exit) except -1:
    """Keep a task until it ends: whether to cancel it on exit, and to raise its error there."""
    submit_tally.calls += 1
    (<dict>executor.tasks)[task] = on_exit
    return 0


cdef int forget(object executor, object task) except -1:
    """Forget a task that ended."""
    done(executor, task)
    return 0


def done(self, task):
    """Forget a task that succeeded, was interrupted or was cancelled.

    Replaces `langgraph.pregel._executor.AsyncBackgroundExecutor.done`.
    """
    done_tally.calls += 1
    if task.cancelled():
        # Its coroutine may die here without ever having run, and the warning of that names the
        # frame: upstream's.
        done_tally.fell_back("the task was cancelled")
        return stock_done(self, task)
    error = task.exception()
    if not error or isinstance(error, GraphBubbleUp):
        self.tasks.pop(task)


cdef bint is_plain(object executor) except -1:
    """Whether an executor is LangChain's, and submits as it does."""
    held = ContextThreadPoolExecutor.submit
    return (
        type(executor) is ContextThreadPoolExecutor
        and ThreadPoolExecutor.submit is submit_job
        and (held is submit_in_context or held is own_context_submit)
    )


cdef object job_of(object executor, object function, tuple args, dict kwargs):
    """The future of a job that was handed to an executor."""
    future = submitted(executor, function, args, kwargs)
    return submit_job(executor, function, *args, **kwargs) if future is None else future


def context_submit(self, func, *args, **kwargs):
    """Run a function in a thread, in a copy of the context.

    Replaces `langchain_core.runnables.config.ContextThreadPoolExecutor.submit`.
    """
    context_submit_tally.calls += 1
    if not is_plain(self):
        context_submit_tally.fell_back("a subclass, or somebody else's executor")
        return stock_context_submit(self, func, *args, **kwargs)
    keeps_threads(self)
    return job_of(self, PyContext_CopyCurrent().run, (func, *args), kwargs)


cdef object own_context_submit = context_submit


def make_context_submit(original, Tally tally not None, str variant):
    global stock_context_submit, context_submit_tally
    stock_context_submit, context_submit_tally = original, tally
    return context_submit


cdef object own_submit = submit
cdef object own_done = done


# The executor of a sync run

cdef class LateExecutor:
    """The executor of a run, made when the run has something for it.

    A run without a saver and with one task at a time has nothing; making an executor asks the
    system for the number of its processors. What LangGraph submits, shuts down and looks at is
    there, should it be switched back to its own functions meanwhile.
    """

    cdef object lock
    cdef object workers
    cdef object prefix
    cdef object executor
    cdef bint is_over

    cdef object made(self):
        """From any thread, once."""
        if self.executor is None:
            with self.lock:
                if self.executor is None:
                    executor = ContextThreadPoolExecutor(self.workers, self.prefix)
                    if self.is_over:
                        executor.shutdown()
                    self.executor = executor
        return self.executor

    def submit(self, *args, **kwargs):
        return self.made().submit(*args, **kwargs)

    @property
    def _max_workers(self):
        return self.made()._max_workers

    def __exit__(self, *error):
        """Wait for the threads, if there are any."""
        self.is_over = True
        if self.executor is not None:
            self.executor.__exit__(*error)
        return False


cdef str executor_outside(object config):
    """Why the executor has to be made at once; None inside the domain."""
    if type(config) is not dict:
        return "a config of another type"
    workers = (<dict>config).get("max_concurrency")
    if workers is not None and (type(workers) is not int or workers < 1):
        return "a max_concurrency that is refused"
    if _executor.get_executor_for_config is not get_executor_for_config:
        return "somebody else's executor"
    return None


def thread_init(self, config):
    """Prepare a run's background tasks.

    Replaces `langgraph.pregel._executor.BackgroundExecutor.__init__`.
    """
    cdef LateExecutor executor
    init_tally.calls += 1
    reason = executor_outside(config)
    if reason is not None or type(self) is not BackgroundExecutor:
        init_tally.fell_back(reason or "a subclass")
        stock_init(self, config)
        return
    executor = LateExecutor.__new__(LateExecutor)
    executor.lock = allocate_lock()
    executor.workers = (<dict>config).get("max_concurrency")
    # Every executor of the process takes a number for the names of its threads.
    executor.prefix = f"ThreadPoolExecutor-{ContextThreadPoolExecutor._counter()}"
    self.stack = self.executor = executor
    self.tasks = {}


def make_thread_init(original, Tally tally not None, str variant):
    global stock_init, init_tally
    stock_init, init_tally = original, tally
    return thread_init


def thread_submit(
    self,
    fn,
    *args,
    __name__=None,
    __cancel_on_exit__=False,
    __reraise_on_exit__=True,
    __next_tick__=False,
    **kwargs,
):
    """Run a function in one of the run's threads.

    Replaces `langgraph.pregel._executor.BackgroundExecutor.submit`.
    """
    thread_submit_tally.calls += 1
    executor = self.executor
    if type(executor) is LateExecutor:
        executor = (<LateExecutor>executor).made()
    if not is_plain(executor):
        thread_submit_tally.fell_back("an executor of another kind")
        return stock_thread_submit(
            self,
            fn,
            *args,
            __name__=__name__,
            __cancel_on_exit__=__cancel_on_exit__,
            __reraise_on_exit__=__reraise_on_exit__,
            __next_tick__=__next_tick__,
            **kwargs,
        )
    keeps_threads(executor)
    run = PyContext_CopyCurrent().run
    if __next_tick__:
        task = job_of(executor, _executor.next_tick, (run, fn, *args), kwargs)
    else:
        task = job_of(executor, run, (fn, *args), kwargs)
    self.tasks[task] = (__cancel_on_exit__, __reraise_on_exit__)
    task.add_done_callback(self.done)
    return task


def thread_done(self, task):
    """Forget a task that succeeded or was interrupted.

    Replaces `langgraph.pregel._executor.BackgroundExecutor.done`.
    """
    thread_done_tally.calls += 1
    # A future calls back when it is finished or cancelled, and then no more changes.
    if type(task) is not Future or task._state != FINISHED:
        thread_done_tally.fell_back("the task was cancelled")
        stock_thread_done(self, task)
        return
    error = task._exception
    if error is None or isinstance(error, GraphBubbleUp):
        self.tasks.pop(task)


def make_thread_done(original, Tally tally not None, str variant):
    global stock_thread_done, thread_done_tally
    stock_thread_done, thread_done_tally = original, tally
    return thread_done


def make_thread_submit(original, Tally tally not None, str variant):
    global stock_thread_submit, thread_submit_tally
    stock_thread_submit, thread_submit_tally = original, tally
    return thread_submit


def make_submit(original, Tally tally not None, str variant):
    global stock_submit, submit_tally
    stock_submit, submit_tally = original, tally
    return submit


def make_done(original, Tally tally not None, str variant):
    global stock_done, done_tally
    stock_done, done_tally = original, tally
    return done
