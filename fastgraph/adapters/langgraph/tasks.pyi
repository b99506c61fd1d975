from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgraph.kernels.tally import Tally

def prepare_single_task(
    task_path: tuple[Any, ...],
    task_id_checksum: str | None,
    *,
    checkpoint: Any,
    checkpoint_id_bytes: bytes,
    checkpoint_null_version: Any,
    pending_writes: list[Any],
    processes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Any,
    step: int,
    stop: int,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    input_cache: dict[Any, Any] | None = None,
    cache_policy: Any = None,
    retry_policy: Sequence[Any] = (),
) -> Any: ...
def make_prepare_single_task(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
