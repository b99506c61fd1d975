from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fastgraph.kernels.tally import Tally

def apply_writes(
    checkpoint: Any,
    channels: Mapping[str, Any],
    tasks: Iterable[Any],
    get_next_version: Callable[[Any, None], Any] | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]: ...
def make_apply_writes(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., set[str]]: ...
