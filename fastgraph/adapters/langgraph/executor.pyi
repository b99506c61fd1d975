import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def submit(
    self: Any,
    fn: Callable[..., Any],
    *args: Any,
    __name__: str | None = None,
    __cancel_on_exit__: bool = False,
    __reraise_on_exit__: bool = True,
    __next_tick__: bool = False,
    **kwargs: Any,
) -> asyncio.Future[Any]: ...
def done(self: Any, task: asyncio.Future[Any]) -> None: ...
def thread_submit(
    self: Any,
    fn: Callable[..., Any],
    *args: Any,
    __name__: str | None = None,
    __cancel_on_exit__: bool = False,
    __reraise_on_exit__: bool = True,
    __next_tick__: bool = False,
    **kwargs: Any,
) -> concurrent.futures.Future[Any]: ...
def make_thread_submit(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_submit(original: Callable[..., Any], tally: Tally, variant: str) -> Callable[..., Any]: ...
def make_done(original: Callable[..., None], tally: Tally, variant: str) -> Callable[..., None]: ...
def thread_done(self: Any, task: concurrent.futures.Future[Any]) -> None: ...
def make_thread_done(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def thread_init(self: Any, config: Any) -> None: ...
def make_thread_init(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
