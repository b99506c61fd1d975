"""An event loop whose time passes only when there is nothing else to do.

Sleeps and timeouts of seconds take none, and expire in an order that depends on nothing but the
program. Threads that the loop waits for are given real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class StuckError(RuntimeError):
    """The program waits for something that will not happen."""


class _Selector(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Asked once in each turn how long there is to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.turns = 0
        self.in_threads = 0
        self.idle_until: Callable[[], float | None] = lambda: None

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        ready = super().select(0)
        until = self.idle_until()
        if ready or (timeout == 0 and until is None):
            return ready
        if self.in_threads:
            # Whoever ends wakes the loop.
            return super().select(5)
        if timeout == 0 and until is not None:
            self.now = max(self.now, until)
        elif timeout is None:
            raise StuckError("the event loop has nothing to wait for")
        else:
            self.now += timeout
        return ready


class VirtualTime:
    """An event loop with a clock of its own, which counts its turns.

    It is exactly asyncio's own, which the patched engine looks into; what is special about it are
    its selector and two attributes.

    Parameters
    ----------
    ticks : bool
        Whether something happens in every turn, so that a run is not all that there is to do.
    """

    def __init__(self, ticks: bool = False) -> None:
        self.selector = _Selector()
        self.used_threads = False
        self.ticks = ticks
        self.ticker: asyncio.Handle | None = None
        self.loop: Any = asyncio.SelectorEventLoop(self.selector)
        self.loop.time = lambda: self.selector.now
        self.loop.run_in_executor = self._run_in_executor
        if ticks:
            self.selector.idle_until = self._idle_until
            self._tick()

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
        if loop._scheduled:
            when: float = loop._scheduled[0]._when
            return when
        if self.selector.in_threads:
            return self.selector.now
        raise StuckError("the event loop has nothing to wait for")

    def _run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self.used_threads = True
        self.selector.in_threads += 1
        future = type(self.loop).run_in_executor(self.loop, executor, func, *args)
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, future: Any) -> None:
        self.selector.in_threads -= 1
