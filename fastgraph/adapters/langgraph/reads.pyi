from collections.abc import Callable, Mapping
from typing import Any

from fastgraph.kernels.tally import Tally

def local_read(
    scratchpad: Any,
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    task: Any,
    select: list[str] | str,
    fresh: bool = False,
) -> Any: ...
def make_local_read(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def _proc_input(
    proc: Any,
    managed: Mapping[str, Any],
    channels: Mapping[str, Any],
    *,
    for_execution: bool,
    scratchpad: Any,
    input_cache: dict[Any, Any] | None,
) -> Any: ...
def make_proc_input(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
