"""A clock that counts the turns of the event loop, and logs of what happens in which turn.

A turn is one pass over what is ready to run. Code that runs beside a graph can tell how many turns
the graph takes for what it does, and which of two things comes first within a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from equivalence_still import stillness

from fastgraph.verify.describing import Describer
from fastgraph.verify.hearing import hearing


class Turns:
    """Notes of several coroutines in one log, each with the turn that it was made in."""

    def __init__(self, ticks: bool = True) -> None:
        self.ticks = ticks
        self.turn = 0
        self.log: list[Any] = []
        self.describe = Describer()

    def note(self, *what: Any) -> None:
        self.log.append((self.turn, *self.describe.items(what)))

    async def rest(self, name: str, times: int) -> None:
        """Wait so many turns, with a note at each."""
        for index in range(times):
            self.note(name, index)
            await asyncio.sleep(0)

    def tick(self) -> None:
        self.turn += 1
        self.ticking = self.loop.call_soon(self.tick)

    async def observe(self, run: Coroutine[Any, Any, Any]) -> Any:
        if not self.ticks:
            return await run
        self.loop = asyncio.get_running_loop()
        self.tick()
        try:
            return await run
        finally:
            self.ticking.cancel()


Run = Callable[[Turns], Coroutine[Any, Any, Any]]


def seen_turns(run: Run, ticks: bool = True) -> Any:
    """The log of a run, how it ended, in which turn, and what was said aside.

    Without a clock that ticks in every turn a run may be all that the event loop has to do.
    """
    turns = Turns(ticks)
    with stillness(), hearing(turns.describe) as heard:
        try:
            ended: Any = asyncio.run(turns.observe(run(turns)))
        except Exception as error:
            ended = error
        ended = turns.describe(ended)
    return turns.log, ended, turns.turn, heard


async def cancelled_at(turn: int, turns: Turns, run: Awaitable[Any]) -> Any:
    """Cancel a run at a turn, counted from now; its end is noted."""
    task = asyncio.ensure_future(run)
    for _ in range(turn):
        if task.done():
            break
        await asyncio.sleep(0)
    turns.note("cancelling", task.done(), task.cancel())
    try:
        return await task
    except asyncio.CancelledError as error:
        turns.note("cancelled")
        return ("cancelled", error.args)
    finally:
        left = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        turns.note("left", sorted(each.get_coro().__qualname__ for each in left))
