"""The futures of an async superstep: what its runner sleeps on, each with one callback.

`asyncio.wait` registers a callback with every remaining future at each completion, takes it back
again and asks all of them whether they are done. Here a future that ends is put on a list.

How the runner takes turns with the nodes can be seen, so it is woken where upstream's is: a runner
that `asyncio.wait` holds goes on in the second iteration of the event loop after the one in which
the first of the futures it waits for was done; at once it goes on never. What is done by then,
committed or not, counts as finished together. Futures added meanwhile are not waited for.
"""

import asyncio

from langgraph.pregel import _runner

cdef extern from "Python.h":
    object PyWeakref_NewRef(object referent, object callback)
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1

cdef object CancelledError = asyncio.CancelledError


cdef class Entry:
    """A future of the superstep, called by it when it is done."""

    def __call__(self, future):
        self.settle(future)

    cdef int settle(self, object future) except -1:
        """Commit what the task wrote."""
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
        return 0

    cdef int take(self) except -1:
        """The runner is through with it."""
        self.wakes = False
        self.is_taken = True
        if self.is_settled or self.task is None:
            self.let_go()
        return 0

    cdef int let_go(self) except -1:
        """Hold nothing any more: the future keeps this object as long as it lives itself."""
        self.futures = None
        self.future = None
        self.task = None
        self.notice = None
        return 0


cdef class Notice:
    """Wakes the runner where `asyncio.wait` would: after the callbacks there were before."""

    def __call__(self, future):
        cdef Entry entry = self.entry
        if entry.wakes and entry.futures is not None:
            entry.futures.wake()


cdef object error_of(object future):
    if future.cancelled():
        return CancelledError()
    return future.exception()


def _number(Entry entry not None):
    return entry.number


cdef list in_order(list entries):
    """The entries in the order in which they were added; most end in it."""
    cdef Entry entry
    cdef Py_ssize_t before = -1
    for entry in entries:
        if entry.number < before:
            return sorted(entries, key=_number)
        before = entry.number
    return entries


cdef class Futures:
    """The futures of a superstep's tasks, and of the tasks that those call.

    Takes the place of upstream's `FuturesDict` in what calls use of it: to add a future together
    with its task.
    """

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
        self.asked = {}
        self.added = []
        self.ended = []
        self.failed = set()
        return 0

    cdef int add(self, object future, object task, bint tells_at_once) except -1:
        cdef Entry entry = Entry.__new__(Entry)
        entry.tells_at_once = tells_at_once
        return self.enter(entry, future, task, None)

    cdef int enter(self, Entry entry, object future, object task, object context) except -1:
        """Add a future; `context` is what its callback is run in, a copy of the current if None."""
        if self.running is None:
            self.begin()
        entry.futures = self
        entry.future = future
        entry.task = task
        entry.number = self.count
        self.count += 1
        if not self.closed:
            self.running[future] = entry
            self.added.append(entry)
            if not entry.tells_its_end:
                self.asked[future] = entry
        if task is not None:
            self.all_finished = False
            if self.event is not None:
                self.event.clear()
            self.unfinished += 1
            if context is None:
                future.add_done_callback(entry)
            else:
                future.add_done_callback(entry, context=context)
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
        for entry in self.asked.values():
            if entry.waited_for or entry.tells_at_once:
                entry.wakes = not entry.future.done()
                some_done = some_done or not entry.wakes
        for entry in self.added:
            if entry.tells_its_end:
                entry.wakes = True
            elif not entry.tells_at_once:
                entry.wakes = True
                entry.notice = Notice.__new__(Notice)
                entry.notice.entry = entry
                entry.future.add_done_callback(entry.notice)
            entry.waited_for = True
        self.added.clear()
        for entry in self.ended:
            entry.wakes = False
            some_done = True
        if some_done:
            self.loop.call_soon(self.wake)
        return self.sleeper

    cdef list take_finished(self):
        """What is done of what was waited for; the caller is to `take` each of it."""
        cdef Entry entry
        cdef list finished, left = []
        self.sleeper = None
        finished = [
            entry for entry in self.asked.values() if entry.waited_for and entry.future.done()
        ]
        for entry in self.ended:
            (finished if entry.waited_for else left).append(entry)
        self.ended = left
        for entry in finished:
            entry.wakes = False
            entry.is_taken = True
            del self.running[entry.future]
            if not entry.tells_its_end:
                del self.asked[entry.future]
        self.waited_for -= len(finished)
        return in_order(finished)

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
        if self.running is not None:
            self.asked.clear()
            self.added.clear()
            self.ended.clear()
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
