"""What nodes and tasks do, written once for both colours.

A node's body is a generator of effects; `run_sync` and `run_async` carry them out, each in its way,
and send back what came of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

Body = Generator[Any, Any, Any]


@dataclass
class Sleep:
    seconds: float

    def sync(self) -> Any:
        time.sleep(min(self.seconds, 0.002))

    async def run(self) -> Any:
        await asyncio.sleep(self.seconds)


@dataclass
class GiveWay:
    times: int

    def sync(self) -> Any:
        pass

    async def run(self) -> Any:
        for _ in range(self.times):
            await asyncio.sleep(0)


@dataclass
class Call:
    """Something that has a sync and an async way."""

    now: Callable[[], Any]
    soon: Callable[[], Any]

    def sync(self) -> Any:
        return self.now()

    async def run(self) -> Any:
        return await self.soon()


@dataclass
class Wait:
    """Waits for futures of tasks, as a user does."""

    futures: list[Any]

    def sync(self) -> Any:
        return [future.result() for future in self.futures]

    async def run(self) -> Any:
        if len(self.futures) == 1:
            return [await self.futures[0]]
        return list(await asyncio.gather(*self.futures))


def run_sync(body: Body) -> Any:
    """Carry out what a body asks for."""
    step, answer = body.send, None
    while True:
        try:
            effect = step(answer)
        except StopIteration as end:
            return end.value
        try:
            step, answer = body.send, effect.sync()
        except BaseException as error:
            step, answer = body.throw, error


async def run_async(body: Body) -> Any:
    """The same, waiting."""
    step, answer = body.send, None
    while True:
        try:
            effect = step(answer)
        except StopIteration as end:
            return end.value
        try:
            step, answer = body.send, await effect.run()
        except BaseException as error:
            step, answer = body.throw, error
