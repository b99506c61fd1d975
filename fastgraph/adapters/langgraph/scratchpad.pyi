from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def _scratchpad(
    parent_scratchpad: Any,
    pending_writes: list[Any],
    task_id: str,
    task_checkpoint_ns: str,
    resume_map: dict[str, Any] | None,
    step: int,
    stop: int,
) -> Any: ...
def make_scratchpad(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
