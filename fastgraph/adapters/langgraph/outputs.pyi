from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def output_writes(self: Any, task_id: str, writes: Any, *, cached: bool = False) -> None: ...
def make_output_writes(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
