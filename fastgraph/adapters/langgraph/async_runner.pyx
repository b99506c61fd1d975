"""The runner of async runs: running a superstep's tasks and handing their writes on.

What is left out: for a single task everything that only several need; for many tasks
`asyncio.wait`, which registers a callback with every remaining future at each completion and
takes it back again: here each future has one. Where chunks are streamed while nodes run, what
waits for them is a future, not a task.

How concurrent nodes, the runner and the consumer take turns can be seen, so each step happens in
the same iteration of the event loop, and there in the same place, as upstream: a runner that
`asyncio.wait` holds goes on in the second iteration after the one in which the first of the
futures it waits for was done; at once it goes on never. What is done by then, committed or not,
counts as finished together. Futures added meanwhile are not waited for.

Domain: all calls. The runner brings its own future that waits for chunks if the event loop makes
plain tasks.
"""

import asyncio
from functools import partial as _partial

from langgraph._internal import _constants, _queue
from langgraph.pregel import _runner

from fastgraph.adapters.langgraph.runner cimport goes_to_handler, trim
from fastgraph.kernels.tally cimport Tally

cdef extern from "Python.h":
    object PyWeakref_NewRef(object referent, object callback)

cdef object partial = _partial
cdef object Future = asyncio.Future
cdef object AsyncQueue = _queue.AsyncQueue
# What `ChunkWaiter` stands for; somebody may have put something else in its place.
cdef object upstreams_wait = _queue.AsyncQueue.wait
cdef str CALL = _constants.CONFIG_KEY_CALL

cdef Tally tick_tally
cdef bint streams_before_raising


# Waiting for chunks

class ChunkWaiter(Future):
    """Done when there is a chunk in the queue.

    Behaves as a task that runs `AsyncQueue.wait`, in the same iterations of the event loop: it
    looks in the next one for the first time, then in the one after a chunk came, and a cancelled
    one is done in the next iteration.
    """

    def __init__(self, stream, loop):
        super().__init__(loop=loop)
        self.stream = stream
        self.getter = None
        self.is_to_end = False
        loop.call_soon(self.look)

    def look(self, getter=None):
        stream = self.stream
        self.getter = None
        if self.is_to_end:
            if getter is not None:
                self.give_up(getter)
            Future.cancel(self)
        elif stream.empty():
            self.getter = self.get_loop().create_future()
            stream._getters.append(self.getter)
            self.getter.add_done_callback(self.look)
        else:
            self.set_result(None)

    def give_up(self, getter):
        stream = self.stream
        if getter in stream._getters:
            stream._getters.remove(getter)
        if not stream.empty() and not getter.cancelled():
            # Woken for a chunk that somebody else may want.
            stream._wakeup_next(stream._getters)

    def cancel(self, msg=None):
        if self.done():
            return False
        self.is_to_end = True
        if self.getter is not None:
            self.getter.cancel()
        return True


cdef class Chunks:
    """Where the one waiter of a run's stream comes from."""

    cdef object get_waiter
    cdef object stream
    cdef object kept
    cdef object loop

    def __cinit__(self, get_waiter, loop):
        self.get_waiter = get_waiter
        self.loop = loop
        closure = getattr(get_waiter, "__closure__", None)
        if (
            closure is not None
            and len(closure) == 3
            and get_waiter.__code__.co_freevars == ("aioloop", "stream", "waiter")
            and closure[0].cell_contents is loop
            and type(closure[1].cell_contents) is AsyncQueue
            and AsyncQueue.wait is upstreams_wait
            and loop.get_task_factory() is None
        ):
            self.stream = closure[1].cell_contents
            # The variable that upstream keeps the waiter in, for its cleanup to find.
            self.kept = closure[2]

    cdef object waiter(self):
        if self.kept is None:
            return self.get_waiter()
        waiter = self.kept.cell_contents
        if waiter is None or waiter.done():
            waiter = ChunkWaiter(self.stream, self.loop)
            self.kept.cell_contents = waiter
        return waiter


# The futures of a superstep

cdef class Entry:
    """A future of the superstep, called by it when it is done."""

    cdef Futures futures
    cdef object task
    # Whether being done is told the runner by a callback that comes later than this one.
    cdef Notice notice
    cdef bint tells_at_once
    cdef bint waited_for
    cdef bint wakes
    cdef bint is_settled
    # Whether the runner is through with it; it may have seen it done before this was called.
    cdef bint is_taken

    def __call__(self, future):
        cdef Futures futures = self.futures
        try:
            runner = futures.runner()
            if runner is not None:
                runner.commit(self.task, error_of(future))
        finally:
            self.is_settled = True
            futures.settle(self, future)
            if self.is_taken:
                self.let_go()

    cdef int take(self) except -1:
        self.wakes = False
        self.is_taken = True
        if self.is_settled or self.task is None:
            self.let_go()
        return 0

    cdef int let_go(self) except -1:
        """Hold nothing any more: the future keeps this object as long as it lives itself."""
        self.futures = None
        self.task = None
        self.notice = None
        return 0


cdef class Notice:
    """Wakes the runner where `asyncio.wait` would: after the callbacks there were before."""

    cdef Entry entry

    def __call__(self, future):
        cdef Entry entry = self.entry
        if entry.wakes and entry.futures is not None:
            entry.futures.wake()


cdef object error_of(object future):
    if future.cancelled():
        return asyncio.CancelledError()
    return future.exception()


cdef class Futures:
    """The futures of a superstep's tasks, and of the tasks that those call.

    Takes the place of upstream's `FuturesDict` in what calls use of it: to add a future together
    with its task.
    """

    cdef object __weakref__
    cdef object runner
    cdef object handled_exceptions
    cdef object loop
    cdef object sleeper
    cdef object event
    cdef dict running
    cdef set failed
    cdef Py_ssize_t unfinished
    cdef Py_ssize_t waited_for
    cdef bint all_finished
    cdef bint waits_for_all
    cdef bint closed

    def __cinit__(self, runner, loop):
        self.runner = PyWeakref_NewRef(runner, None)
        self.handled_exceptions = runner._handled_exception_ids
        self.loop = loop
        self.running = None

    def __len__(self):
        return 0 if self.running is None else len(self.running)

    def __bool__(self):
        return self.running is not None and len(self.running) > 0

    def __setitem__(self, future, task):
        self.add(future, task, False)

    def items(self):
        """Pairs of a future and its task, a waiter's task being None."""
        cdef Entry entry
        if self.running is None:
            return []
        return [(future, entry.task) for future, entry in list(self.running.items())]

    cdef int begin(self) except -1:
        self.running = {}
        self.failed = set()
        return 0

    cdef int add(self, object future, object task, bint tells_at_once) except -1:
        cdef Entry entry = Entry.__new__(Entry)
        if self.running is None:
            self.begin()
        entry.futures = self
        entry.task = task
        entry.tells_at_once = tells_at_once
        if not self.closed:
            self.running[future] = entry
        if task is not None:
            self.all_finished = False
            if self.event is not None:
                self.event.clear()
            self.unfinished += 1
            future.add_done_callback(entry)
        return 0

    cdef int fail(self, object error) except -1:
        """Count a task that failed without a future of its own among the failed ones."""
        future = self.loop.create_future()
        future.set_exception(error)
        self.failed.add(future)
        return 0

    cdef int settle(self, Entry entry, object future) except -1:
        """A task's future is done and what the task wrote is committed."""
        cdef bint stop = False
        self.unfinished -= 1
        if self.closed:
            return 0
        if not future.cancelled() and future.exception() is not None:
            self.failed.add(future)
        if self.failed:
            stop = self.should_stop(self.failed)
        if self.unfinished == 0 or stop:
            self.all_finished = True
            if self.event is not None:
                self.event.set()
            if self.waits_for_all:
                self.wake()
        if entry.tells_at_once and entry.wakes:
            self.wake()
        return 0

    cdef bint should_stop(self, set failed) except -1:
        return _runner._should_stop_others(
            failed, handled_exception_ids=self.handled_exceptions
        )

    def wake(self):
        if self.sleeper is not None and not self.sleeper.done():
            self.sleeper.set_result(None)

    # Called by the runner only

    cdef object sleep_until_done(self):
        """A future that is done when the runner is to look again, as in `asyncio.wait`."""
        cdef Entry entry
        cdef bint some_done = False
        self.sleeper = self.loop.create_future()
        self.waited_for = len(self.running)
        for future, entry in self.running.items():
            if not entry.waited_for and not entry.tells_at_once:
                entry.waited_for = entry.wakes = True
                entry.notice = Notice.__new__(Notice)
                entry.notice.entry = entry
                future.add_done_callback(entry.notice)
                continue
            entry.waited_for = True
            entry.wakes = not future.done()
            if not entry.wakes:
                some_done = True
        if some_done:
            self.loop.call_soon(self.wake)
        return self.sleeper

    cdef list take_finished(self):
        """What is done of what was waited for, as pairs with the tasks."""
        cdef Entry entry
        cdef list finished = []
        self.sleeper = None
        for future, entry in self.running.items():
            if entry.waited_for and future.done():
                finished.append((future, entry.task))
                entry.take()
        self.waited_for -= len(finished)
        return finished

    cdef int close(self) except -1:
        """Let go of the futures: their callbacks hold this object."""
        cdef Entry entry
        self.closed = True
        self.sleeper = None
        if self.running:
            for future, entry in list(self.running.items()):
                if entry.notice is not None:
                    # A waiter outlives the superstep.
                    future.remove_done_callback(entry.notice)
                entry.take()
            self.running.clear()
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


# What a task gets

cdef object calls_of(
    object runner, object task, object retry_policy, Futures futures, object schedule_task
):
    """What a task's `@task` calls go through."""
    return partial(
        _runner._acall,
        PyWeakref_NewRef(task, None),
        stream=runner.use_astream,
        retry_policy=retry_policy,
        futures=PyWeakref_NewRef(futures, None),
        schedule_task=schedule_task,
        submit=runner.submit,
        loop=futures.loop,
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
        _runner.arun_with_retry,
        task,
        retry_policy,
        stream=runner.use_astream,
        configurable={CALL: calls_of(runner, task, retry_policy, futures, schedule_task)},
        __name__=task.name,
        __cancel_on_exit__=True,
        __reraise_on_exit__=reraise,
    )
    futures.add(future, task, True)
    return 0


# The runner

async def atick(
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

    Replaces `langgraph.pregel._runner.PregelRunner.atick`.
    """
    cdef Futures futures
    cdef Chunks chunks = None
    cdef bint has_handler = False
    cdef bint has_chunk
    cdef list finished
    cdef set decisive
    cdef set handled

    tick_tally.calls += 1
    try:
        loop = asyncio.get_event_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    tasks = tuple(tasks)
    futures = Futures.__new__(Futures, self, loop)
    yield
    if not tasks:
        return
    if len(tasks) == 1 and get_waiter is None and timeout is None:
        task = tasks[0]
        try:
            await _runner.arun_with_retry(
                task,
                retry_policy,
                stream=self.use_astream,
                configurable={
                    CALL: calls_of(self, task, retry_policy, futures, schedule_task)
                },
            )
            self.commit(task, None)
        except Exception as error:
            self.commit(task, error)
            if goes_to_handler(self, task, error) and self.aschedule_error_handler is not None:
                self._handled_exception_ids.add(id(error))
                handler_task = await self.aschedule_error_handler(task, error)
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
        if get_waiter is not None:
            chunks = Chunks.__new__(Chunks, get_waiter, loop)
            futures.add(chunks.waiter(), None, False)
        for task in tasks:
            start(self, task, retry_policy, futures, schedule_task, reraise)
        end_time = timeout + loop.time() if timeout else None
        handled = set()
        while len(futures.running) > (1 if get_waiter is not None else 0):
            timer = None
            if end_time is not None:
                timer = loop.call_later(max(0, end_time - loop.time()), futures.wake)
            try:
                await futures.sleep_until_done()
            finally:
                if timer is not None:
                    timer.cancel()
            finished = futures.take_finished()
            if not finished:
                break
            decisive = set()
            has_chunk = False
            for future, task in finished:
                futures.running.pop(future)
                if task is None:
                    has_chunk = True
                    if futures.waited_for:
                        futures.add(chunks.waiter(), None, False)
                    continue
                error = error_of(future)
                if error and goes_to_handler(self, task, error):
                    self._handled_exception_ids.add(id(error))
                    _runner.SKIP_RERAISE_SET.add(future)
                    handled.add(future)
                    if self.aschedule_error_handler is not None:
                        handler_task = await self.aschedule_error_handler(task, error)
                        if handler_task:
                            start(
                                self, handler_task, retry_policy, futures, schedule_task, reraise
                            )
                elif error:
                    decisive.add(future)
                error = None
            finished = future = task = None
            if decisive and futures.should_stop(decisive):
                break
            yield
        if end_time is not None:
            futures.event = asyncio.Event()
            if futures.all_finished:
                futures.event.set()
            await asyncio.wait_for(futures.event.wait(), max(0, end_time - loop.time()))
        elif not futures.all_finished:
            futures.waits_for_all = True
            futures.sleeper = loop.create_future()
            await futures.sleeper
        yield
        for future in list(futures.running):
            future.cancel()
        # Otherwise nothing failed and nothing but a waiter is left.
        if futures.failed or len(futures.running) > (1 if get_waiter is not None else 0):
            try:
                _runner._panic_or_proceed(
                    futures.undecided(),
                    timeout_exc_cls=asyncio.TimeoutError,
                    panic=reraise,
                    handled_exception_ids=self._handled_exception_ids,
                    handled_futures=handled,
                )
            except Exception as error:
                trim(error)
                raise
    finally:
        futures.close()


def make_atick(original, Tally tally not None, str variant not None):
    """`variant`: "streams before it raises" or "raises at once"."""
    global tick_tally, streams_before_raising
    tick_tally = tally
    streams_before_raising = variant == "streams before it raises"
    return atick
