import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

class Job:
    @property
    def future(self) -> Future[Any]: ...
    def run(self) -> None: ...

class LoopJob:
    @property
    def future(self) -> LoopJob: ...
    def run(self) -> None: ...
    def __call__(self) -> None: ...
    def cancel(self) -> bool: ...
    def set_exception(self, error: BaseException) -> None: ...

def submit(
    executor: ThreadPoolExecutor, function: Callable[..., T], /, *args: Any, **kwargs: Any
) -> Future[T]: ...
def run_in_executor(
    loop: asyncio.AbstractEventLoop,
    executor: ThreadPoolExecutor,
    function: Callable[..., T],
    /,
    *args: Any,
    **kwargs: Any,
) -> asyncio.Future[T]: ...
