import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from fastgraph.kernels.tally import Tally

class ChunkWaiter(asyncio.Future[None]):
    def __init__(self, stream: Any, loop: asyncio.AbstractEventLoop) -> None: ...
    def look(self, getter: asyncio.Future[Any] | None = None) -> None: ...
    def give_up(self, getter: asyncio.Future[Any]) -> None: ...

class Chunks:
    def __init__(self, get_waiter: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None: ...

def atick(
    self: Any,
    tasks: Iterable[Any],
    *,
    reraise: bool = True,
    timeout: float | None = None,
    retry_policy: Any = None,
    get_waiter: Callable[[], Any] | None = None,
    schedule_task: Callable[..., Any],
) -> AsyncIterator[None]: ...
def make_atick(
    original: Callable[..., AsyncIterator[None]], tally: Tally, variant: str
) -> Callable[..., AsyncIterator[None]]: ...
