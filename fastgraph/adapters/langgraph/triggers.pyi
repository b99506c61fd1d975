from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgraph.kernels.tally import Tally

def _triggers(
    channels: Mapping[str, Any],
    versions: Mapping[str, Any],
    seen: Mapping[str, Any] | None,
    null_version: Any,
    proc: Any,
) -> bool: ...
def make_triggers(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., bool]: ...
def prepare_next_tasks(
    checkpoint: Any,
    pending_writes: list[Any],
    processes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Any,
    step: int,
    stop: int,
    *,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
    updated_channels: set[str] | None = None,
    retry_policy: Sequence[Any] = (),
    cache_policy: Any = None,
) -> dict[str, Any]: ...
def make_prepare_next_tasks(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., dict[str, Any]]: ...
