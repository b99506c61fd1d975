"""An event loop whose time passes only when there is nothing else to do.

Sleeps and timeouts of seconds take none, and expire in an order that depends on nothing but the
program. So do calls in threads: the loop waits for each, one after the other, as soon as it has
nothing else to do.
"""

from __future__ import annotations

import asyncio
import queue
import selectors
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: In seconds of the real clock; no call in a thread takes that long.
CALLS_END = 30


class StuckError(RuntimeError):
    """The program waits for something that will not happen."""


class Turnstile:
    """The queue of an executor of one thread, which lets one job through when it is told to.

    Has what an executor and its thread call of a `queue.SimpleQueue`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: deque[Any] = deque()
        self._allowed = 0
        self._ended = 0
        self._is_at_work = False
        self.was_used = False

    def put(self, job: Any) -> None:
        with self._changed:
            if job is None:
                self._jobs.clear()  # the thread is to end; nobody waits for these
            else:
                self.was_used = True
            self._jobs.append(job)
            self._changed.notify_all()

    def get(self, block: bool = True) -> Any:
        """Called by the thread when it has nothing to do."""
        with self._changed:
            if self._is_at_work:
                self._is_at_work = False
                self._ended += 1
                self._changed.notify_all()
            # None, which ends the thread, is no job.
            while not (self._jobs and (self._allowed or self._jobs[0] is None)):
                self._changed.wait()
            job = self._jobs.popleft()
            if job is not None:
                self._allowed -= 1
                self._is_at_work = True
            return job

    def get_nowait(self) -> Any:
        # The thread asks again with `get`.
        raise queue.Empty

    def let_one_through(self) -> bool:
        """Run the first job to its end; whether there was one."""
        with self._changed:
            if not self._jobs:
                return False
            ended = self._ended + 1
            self._allowed += 1
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._ended >= ended, CALLS_END):
                raise StuckError("a call in a thread does not end")
            return True

    @property
    def is_empty(self) -> bool:
        return not self._jobs


class _Selector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Asked once in each turn how long there is to wait."""

    def __init__(self, jobs: Turnstile) -> None:
        super().__init__()
        self.jobs = jobs
        self.now = 0.0
        self.turns = 0
        self.idle_until: Callable[[], float | None] = lambda: None

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        ready = super().select(0)
        until = self.idle_until()
        if ready or (timeout == 0 and until is None):
            return ready
        if self.jobs.let_one_through():
            return super().select(0)
        if timeout == 0 and until is not None:
            self.now = max(self.now, until)
        elif timeout is None:
            raise StuckError("the event loop has nothing to wait for")
        else:
            self.now += timeout
        return ready


class VirtualTime:
    """An event loop with a clock of its own, which counts its turns.

    It is exactly asyncio's own with an executor that is exactly Python's, into both of which the
    patched engine looks; what is special about them are a selector, a queue and the clock.

    Parameters
    ----------
    ticks : bool
        Whether something happens in every turn, so that a run is not all that there is to do.
    """

    def __init__(self, ticks: bool = False) -> None:
        self.jobs = Turnstile()
        self.selector = _Selector(self.jobs)
        self.ticks = ticks
        self.ticker: asyncio.Handle | None = None
        self.loop: Any = asyncio.SelectorEventLoop(self.selector)
        self.loop.time = lambda: self.selector.now
        executor: Any = ThreadPoolExecutor(1)
        executor._work_queue = self.jobs
        self.loop.set_default_executor(executor)
        if ticks:
            self.selector.idle_until = self._idle_until
            self._tick()

    @property
    def used_threads(self) -> bool:
        """Whether something was called in a thread, after which turns are no longer the same."""
        return self.jobs.was_used

    @property
    def turn(self) -> int | None:
        """The number of this turn, where it depends on nothing but the engine.

        Once time has passed it does not: time passes when nothing is left to do, and a turn in
        which the engine only tidies up is one more here, but takes no time on a real clock.
        """
        if not self.ticks or self.used_threads or self.selector.now:
            return None
        return self.selector.turns

    def _tick(self) -> None:
        self.ticker = self.loop.call_soon(self._tick)

    def stop_ticking(self) -> None:
        if self.ticker is not None:
            self.ticker.cancel()
            self.ticker = None
            self.selector.idle_until = lambda: None

    def _idle_until(self) -> float | None:
        """When there is something to do besides ticking; None if there is now."""
        loop = self.loop
        if list(loop._ready) != [self.ticker]:
            return None
        if not self.jobs.is_empty:
            now: float = self.selector.now
            return now
        if loop._scheduled:
            when: float = loop._scheduled[0]._when
            return when
        raise StuckError("the event loop has nothing to wait for")
