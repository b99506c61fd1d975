"""The runner of sync runs: running a superstep's tasks and handing their writes on.

What is left out: for a single task everything that only several need (an event, a lock, a table
of futures); for many tasks the wait that is armed anew on every remaining future at each
completion: here each future reports once, to a lock that the runner sleeps on. Where chunks are
streamed while nodes run, the same lock is released by the stream's queue, so no job that waits
for chunks goes through the thread pool.

Domain of `tick`: all calls. The runner waits for chunks itself only where it can be told apart
from upstream's waiter job by nobody: no `max_concurrency` (the waiter takes up one of its
workers), and a worker left for each task.
Domain of `commit`: tasks that succeeded. Failures, interrupts and cancellations are upstream's.
"""

import threading
import time
import weakref
from concurrent.futures import Future as _Future
from functools import partial as _partial

from langgraph._internal import _constants, _queue
from langgraph.constants import TAG_HIDDEN as _TAG_HIDDEN
from langgraph.errors import GraphBubbleUp as _GraphBubbleUp
from langgraph.pregel import _executor, _runner

from fastgraph.adapters.langgraph.tasks cimport config_slot, id_slot, writes_slot
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyWeakref_NewRef(object referent, object callback)

cdef object allocate_lock = threading.Lock
cdef object monotonic = time.monotonic
cdef object WeakMethod = weakref.WeakMethod
cdef object weakref_call = weakref.ref.__call__
cdef object Future = _Future
cdef object partial = _partial
cdef object GraphBubbleUp = _GraphBubbleUp
cdef object TAG_HIDDEN = _TAG_HIDDEN
cdef object BackgroundExecutor = _executor.BackgroundExecutor
cdef object SyncQueue = _queue.SyncQueue
# What a waiter job runs; somebody may have put something else in its place.
cdef object upstreams_wait = _queue.SyncQueue.wait
cdef str NO_WRITES = _constants.NO_WRITES
cdef str CALL = _constants.CONFIG_KEY_CALL
# From LangGraph 1.2.13 on, a task that left only these is marked as finished, too.
cdef object CONTROL_WRITES = getattr(_runner, "CONTROL_WRITES", ())

cdef object stock_commit
cdef Tally commit_tally
cdef Tally tick_tally
cdef bint streams_before_raising


# The runner's sleep

cdef class Alarm:
    """What a runner sleeps on: a lock that whoever has news releases, once per sleep.

    It stands among the waiters of a queue's condition, too, which `release` them. Nothing here is
    guarded but by the GIL: a check and the assignment after it run no Python code between them.
    """

    cdef object lock
    cdef bint set

    def __cinit__(self):
        self.lock = allocate_lock()
        self.lock.acquire()
        self.set = False

    cdef void arm(self):
        self.set = True

    def release(self):
        if self.set:
            self.set = False
            self.lock.release()

    cdef int disarm(self) except -1:
        """Go on without a sleep, or after one that was timed out."""
        if self.set:
            self.set = False
        else:
            self.lock.acquire()
        return 0

    cdef int sleep(self, object timeout) except -1:
        """Sleep until released, or until the time is over."""
        if not self.lock.acquire(True, -1 if timeout is None else timeout):
            self.disarm()
        return 0


# The futures of a superstep

cdef class Entry:
    """A future of the superstep, called by it when it is done."""

    cdef Futures futures
    cdef object task
    cdef bint waited_for
    cdef bint is_settled

    def __call__(self, future):
        cdef Futures futures = self.futures
        if futures is None:
            return
        if self.task is None:
            futures.report(self, future)
            return
        try:
            runner = futures.runner()
            if runner is not None:
                runner.commit(self.task, error_of(future))
        finally:
            self.is_settled = True
            futures.settle(self, future)

    cdef int let_go(self) except -1:
        """Hold nothing any more: the future keeps this object as long as it lives itself."""
        self.futures = None
        self.task = None
        return 0


cdef object error_of(object future):
    if type(future) is Future and future._state == "FINISHED":
        return future._exception
    return _runner._exception(future)


cdef class Futures:
    """The futures of a superstep's tasks, and of the tasks that those call.

    Takes the place of upstream's `FuturesDict` in what calls use of it: to add a future together
    with its task. All but the runner's own methods may be called in any thread.
    """

    cdef object __weakref__
    cdef object runner
    cdef object handled_exceptions
    cdef dict running
    cdef list added
    cdef list finished
    cdef set failed
    cdef Alarm alarm
    cdef Py_ssize_t unfinished
    # Of those running, how many the runner waits for: not those added since it began to.
    cdef Py_ssize_t waited_for
    cdef bint all_finished
    cdef bint waits_for_all
    cdef bint closed

    def __cinit__(self, runner):
        self.runner = PyWeakref_NewRef(runner, None)
        self.handled_exceptions = runner._handled_exception_ids
        self.running = None

    def __len__(self):
        return 0 if self.running is None else len(self.running)

    def __bool__(self):
        return self.running is not None and len(self.running) > 0

    def __setitem__(self, future, task):
        self.add(future, task)

    def items(self):
        """Pairs of a future and its task, a waiter's task being None."""
        cdef Entry entry
        if self.running is None:
            return []
        return [(future, entry.task) for future, entry in list(self.running.items())]

    cdef int begin(self) except -1:
        self.running = {}
        self.added = []
        self.finished = []
        self.failed = set()
        self.alarm = Alarm()
        return 0

    cdef int add(self, object future, object task) except -1:
        cdef Entry entry = Entry.__new__(Entry)
        if self.running is None:
            self.begin()
        entry.futures = self
        entry.task = task
        if not self.closed:
            self.running[future] = entry
            self.added.append(entry)
        if task is not None:
            self.all_finished = False
            self.unfinished += 1
        future.add_done_callback(entry)
        return 0

    cdef int fail(self, object error) except -1:
        """Count a task that failed without a future of its own among the failed ones."""
        future = Future()
        future.set_exception(error)
        self.failed.add(future)
        return 0

    cdef int settle(self, Entry entry, object future) except -1:
        """A task's future is done and what the task wrote is committed."""
        cdef bint stop = False
        self.unfinished -= 1
        if self.closed:
            entry.let_go()
            return 0
        if not future.cancelled() and error_of(future) is not None:
            self.failed.add(future)
        if self.failed:
            stop = self.should_stop(self.failed)
        if self.unfinished == 0 or stop:
            self.all_finished = True
        self.report(entry, future)
        return 0

    cdef bint should_stop(self, set failed) except -1:
        return _runner._should_stop_others(
            failed, handled_exception_ids=self.handled_exceptions
        )

    cdef int report(self, Entry entry, object future) except -1:
        if self.closed:
            return 0
        self.finished.append(future)
        if self.all_finished if self.waits_for_all else entry.waited_for:
            self.alarm.release()
        return 0

    # Called by the runner only

    cdef list next_finished(self, object count, object end_time):
        """Sleep until a task finishes or a chunk comes; None when the time is over."""
        cdef Entry entry
        for entry in self.added:
            entry.waited_for = True
        self.added.clear()
        self.waited_for = len(self.running)
        while True:
            timeout = time_left(end_time)
            self.alarm.arm()
            if self.finished:
                self.alarm.disarm()
            elif count is None:
                self.alarm.sleep(timeout)
            else:
                self.sleep_on(count, timeout)
            if self.finished or (count is not None and count._value != 0):
                break
            if end_time is not None and monotonic() >= end_time:
                return None
        finished = self.finished
        self.finished = []
        return finished

    cdef int sleep_on(self, object count, object timeout) except -1:
        """Sleep, to be woken by the queue that `count` counts, too."""
        condition = count._cond
        waiters = condition._waiters
        with condition:
            has_chunk = count._value != 0
            if not has_chunk:
                waiters.append(self.alarm)
        if has_chunk:
            self.alarm.disarm()
            return 0
        try:
            self.alarm.sleep(timeout)
        finally:
            with condition:
                if self.alarm in waiters:
                    waiters.remove(self.alarm)
        return 0

    cdef object take(self, object future):
        """Remove a future; its task, None for a waiter."""
        cdef Entry entry = self.running.pop(future)
        task = entry.task
        if entry.waited_for:
            self.waited_for -= 1
        entry.let_go()
        return task

    cdef int wait_for_all(self, object end_time) except -1:
        """Sleep until all tasks are committed, or one fails, or the time is over."""
        self.waits_for_all = True
        while not self.all_finished:
            timeout = time_left(end_time)
            self.alarm.arm()
            if self.all_finished:
                self.alarm.disarm()
                break
            self.alarm.sleep(timeout)
            if end_time is not None and monotonic() >= end_time:
                break
        return 0

    cdef int close(self) except -1:
        """Let go of the futures: their callbacks hold this object."""
        cdef Entry entry
        self.closed = True
        self.finished = None
        if self.running:
            for entry in list(self.running.values()):
                # A waiter outlives the superstep. A task that does has still to be committed.
                if entry.is_settled or entry.task is None:
                    entry.let_go()
            self.running.clear()
            self.added.clear()
        if self.failed:
            self.failed.clear()
        return 0

    cdef set undecided(self):
        """The futures that can still change how the superstep ends."""
        cdef Entry entry
        cdef set futures = set(self.failed)
        for future, entry in list(self.running.items()):
            if entry.task is not None:
                futures.add(future)
        return futures


cdef object time_left(object end_time):
    return None if end_time is None else max(0, end_time - monotonic())


# Waiting for chunks without a waiter

cdef object count_of(object runner, object get_waiter, tuple tasks):
    """The semaphore of the run's stream, if the runner may wait on it itself; None if not."""
    closure = getattr(get_waiter, "__closure__", None)
    if (
        closure is None
        or len(closure) != 3
        or get_waiter.__code__.co_freevars != ("loop", "stream", "waiter")
        or closure[2].cell_contents is not None
    ):
        return None
    stream = closure[1].cell_contents
    executor = getattr(runner.submit(), "__self__", None)
    if type(stream) is not SyncQueue or type(executor) is not BackgroundExecutor:
        return None
    if SyncQueue.wait is not upstreams_wait:
        return None
    workers = getattr(executor.executor, "_max_workers", 0)
    for task in tasks:
        if len(tasks) >= workers or task.config.get("max_concurrency") is not None:
            return None
    return stream._count


# What a task gets, what its failure means

cdef object calls_of(
    object runner, object task, object retry_policy, Futures futures, object schedule_task
):
    """What a task's `@task` calls go through."""
    return partial(
        _runner._call,
        PyWeakref_NewRef(task, None),
        retry_policy=retry_policy,
        futures=PyWeakref_NewRef(futures, None),
        schedule_task=schedule_task,
        submit=runner.submit,
    )


cdef int start(
    object runner,
    object task,
    object retry_policy,
    Futures futures,
    object schedule_task,
    object reraise,
) except -1:
    future = runner.submit()(
        _runner.run_with_retry,
        task,
        retry_policy,
        configurable={CALL: calls_of(runner, task, retry_policy, futures, schedule_task)},
        __reraise_on_exit__=reraise,
    )
    futures.add(future, task)
    return 0


cdef int trim(object error) except -1:
    """Leave out upstream's own frames from the start of a traceback."""
    traceback = error.__traceback__
    if traceback is None:
        return 0
    while traceback.tb_next is not None:
        if not traceback.tb_frame.f_code.co_filename.endswith(_runner.EXCLUDED_FRAME_FNAMES):
            break
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    return 0


cdef bint goes_to_handler(object runner, object task, object error) except -1:
    return not isinstance(error, GraphBubbleUp) and runner._should_route_to_error_handler(task)


# The runner

def tick(
    self,
    tasks,
    *,
    reraise=True,
    timeout=None,
    retry_policy=None,
    get_waiter=None,
    schedule_task,
):
    """Run the tasks of a superstep, giving control back when there may be chunks to stream.

    Replaces `langgraph.pregel._runner.PregelRunner.tick`.
    """
    cdef Futures futures
    cdef bint has_handler = False
    cdef bint has_chunk
    cdef list finished
    cdef set decisive
    cdef set handled

    tick_tally.calls += 1
    tasks = tuple(tasks)
    futures = Futures.__new__(Futures, self)
    yield
    if not tasks:
        return
    if len(tasks) == 1 and timeout is None and get_waiter is None:
        task = tasks[0]
        try:
            _runner.run_with_retry(
                task,
                retry_policy,
                configurable={
                    CALL: calls_of(self, task, retry_policy, futures, schedule_task)
                },
            )
            self.commit(task, None)
        except Exception as error:
            self.commit(task, error)
            if goes_to_handler(self, task, error) and self.schedule_error_handler is not None:
                self._handled_exception_ids.add(id(error))
                handler_task = self.schedule_error_handler(task, error)
                if handler_task:
                    tasks = (handler_task,)
                    has_handler = True
            if reraise and futures:
                if id(error) not in self._handled_exception_ids:
                    # Raised again when what the task called is done.
                    futures.fail(error)
            elif reraise and id(error) not in self._handled_exception_ids:
                if streams_before_raising:
                    yield
                trim(error)
                raise
        if not has_handler:
            if not futures:
                return
            # The task called others.
            tasks = ()
    if futures.running is None:
        futures.begin()
    try:
        count = None
        if get_waiter is not None:
            count = count_of(self, get_waiter, tasks)
            if count is None:
                futures.add(get_waiter(), None)
        for task in tasks:
            start(self, task, retry_policy, futures, schedule_task, reraise)
        end_time = timeout + monotonic() if timeout else None
        handled = set()
        while len(futures.running) > (1 if get_waiter is not None and count is None else 0):
            finished = futures.next_finished(count, end_time)
            if finished is None:
                break
            decisive = set()
            has_chunk = False
            for future in finished:
                task = futures.take(future)
                if task is None:
                    has_chunk = True
                    continue
                error = error_of(future)
                if error and goes_to_handler(self, task, error):
                    self._handled_exception_ids.add(id(error))
                    _runner.SKIP_RERAISE_SET.add(future)
                    handled.add(future)
                    if self.schedule_error_handler is not None:
                        handler_task = self.schedule_error_handler(task, error)
                        if handler_task:
                            start(
                                self, handler_task, retry_policy, futures, schedule_task, reraise
                            )
                elif error:
                    decisive.add(future)
                error = None
            if has_chunk and futures.waited_for:
                futures.add(get_waiter(), None)
            finished = future = task = None
            if decisive and futures.should_stop(decisive):
                break
            yield
        futures.wait_for_all(end_time)
        yield
        # Otherwise nothing failed and nothing is left to cancel.
        if futures.failed or futures.running:
            try:
                _runner._panic_or_proceed(
                    futures.undecided(),
                    panic=reraise,
                    handled_exception_ids=self._handled_exception_ids,
                    handled_futures=handled,
                )
            except Exception as error:
                trim(error)
                raise
    finally:
        futures.close()


cdef bint wrote_output(object writes) except -1:
    for channel, _ in writes:
        if channel not in CONTROL_WRITES:
            return True
    return False


cdef int put_writes(object reference, object task_id, object writes) except -1:
    """`reference()(task_id, writes)` for the loop's weakly held method, without making that."""
    if type(reference) is WeakMethod:
        function = reference._func_ref()
        loop = weakref_call(reference)
        if function is not None and loop is not None:
            function(loop, task_id, writes)
            return 0
    reference()(task_id, writes)
    return 0


def commit(self, task, exception):
    """Save what a task wrote.

    Replaces `langgraph.pregel._runner.PregelRunner.commit`.
    """
    commit_tally.calls += 1
    if exception:
        commit_tally.fell_back("the task did not succeed")
        return stock_commit(self, task, exception)
    node_finished = self.node_finished
    if node_finished:
        config = config_slot.get(task)
        if config is None or TAG_HIDDEN not in config.get("tags", []):
            node_finished(task.name)
    writes = writes_slot.get(task)
    if not wrote_output(writes):
        writes.append((NO_WRITES, None))
    put_writes(self.put_writes, id_slot.get(task), writes)


def make_tick(original, Tally tally not None, str variant not None):
    """`variant`: "streams before it raises" or "raises at once"."""
    global tick_tally, streams_before_raising
    tick_tally = tally
    streams_before_raising = variant == "streams before it raises"
    return tick


def make_commit(original, Tally tally not None, str variant):
    global stock_commit, commit_tally
    stock_commit, commit_tally = original, tally
    return commit
