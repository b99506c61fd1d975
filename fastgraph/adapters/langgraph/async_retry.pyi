from collections.abc import Callable, Coroutine
from typing import Any

from fastgraph.kernels.tally import Tally

async def arun_with_retry(
    task: Any, retry_policy: Any, stream: bool = False, configurable: Any = None
) -> Any: ...
def arun_with_cache(
    task: Any,
    retry_policy: Any,
    stream: bool = False,
    match_cached_writes: Any = None,
    configurable: Any = None,
) -> Coroutine[Any, Any, Any]: ...
def make_arun_with_retry(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
