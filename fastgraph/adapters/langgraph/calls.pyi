import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def prepare_push_task_functional(
    task_path: Any,
    task_id_checksum: str | None,
    *,
    checkpoint: Any,
    checkpoint_id_bytes: bytes,
    pending_writes: Any,
    channels: Any,
    managed: Any,
    config: Any,
    step: int,
    stop: int,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    cache_policy: Any = None,
    retry_policy: Any = (),
    parent_ns: str,
    task_id_func: Callable[..., str],
) -> Any: ...
def _call(
    task: Any,
    func: Callable[..., Any],
    input: Any,
    *,
    retry_policy: Any = None,
    cache_policy: Any = None,
    timeout: Any = None,
    callbacks: Any = None,
    futures: Any,
    schedule_task: Callable[..., Any],
    submit: Any,
) -> concurrent.futures.Future[Any]: ...
def _acall(
    task: Any,
    func: Callable[..., Any],
    input: Any,
    *,
    retry_policy: Any = None,
    cache_policy: Any = None,
    timeout: Any = None,
    callbacks: Any = None,
    futures: Any,
    schedule_task: Callable[..., Any],
    submit: Any,
    loop: asyncio.AbstractEventLoop,
    stream: bool = False,
) -> asyncio.Future[Any] | concurrent.futures.Future[Any]: ...
async def _acall_impl(
    destination: asyncio.Future[Any] | concurrent.futures.Future[Any],
    task: Any,
    func: Callable[..., Any],
    input: Any,
    *,
    retry_policy: Any = None,
    cache_policy: Any = None,
    timeout: Any = None,
    callbacks: Any = None,
    futures: Any,
    schedule_task: Callable[..., Any],
    submit: Any,
    loop: asyncio.AbstractEventLoop,
    stream: bool = False,
) -> None: ...
def make_prepare_push_task_functional(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_call(original: Callable[..., Any], tally: Tally, variant: str) -> Callable[..., Any]: ...
def make_acall(original: Callable[..., Any], tally: Tally, variant: str) -> Callable[..., Any]: ...
def make_acall_impl(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
