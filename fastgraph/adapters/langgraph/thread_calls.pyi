from collections.abc import Awaitable, Callable
from typing import Any

async def run_in_executor(
    afunc: Callable[..., Awaitable[Any]],
    function: Callable[..., Any],
    value: Any,
    given: dict[str, Any],
) -> Any: ...
