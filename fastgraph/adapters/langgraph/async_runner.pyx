"""The runner of async runs: running a superstep's tasks and handing their writes on.

What is left out: for a single task everything that only several need; for many tasks
`asyncio.wait`. Where chunks are streamed while nodes run, what waits for them is a future, not a
task.

How concurrent nodes, the runner and the consumer take turns can be seen, so each step happens in
the same iteration of the event loop, and there in the same place, as upstream.

Domain: all calls. The runner brings its own future that waits for chunks if the event loop makes
plain tasks.
"""

import asyncio

from langgraph._internal import _constants, _queue
from langgraph.pregel import _runner

from fastgraph.adapters.langgraph.async_futures cimport Entry, Futures, error_of
from fastgraph.adapters.langgraph.async_tasks cimport Start, calls_of, start_of
from fastgraph.adapters.langgraph.runner cimport goes_to_handler, trim
from fastgraph.kernels.tally cimport Tally

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
    cdef Start starting
    cdef Entry entry
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
                try:
                    handler_task = await self.aschedule_error_handler(task, error)
                except BaseException as thrown:
                    # An interpreted coroutine gives what is thrown into it the error it handles.
                    if thrown.__context__ is None and thrown is not error:
                        thrown.__context__ = error
                    raise
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
        starting = start_of(self, retry_policy, futures, schedule_task, reraise)
        for task in tasks:
            if starting is not None:
                starting.run(futures, task)
            else:
                start(self, task, retry_policy, futures, schedule_task, reraise)
        starting = None
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
            for entry in finished:
                future, task = entry.future, entry.task
                entry.take()
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
            finished = entry = future = task = None
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
