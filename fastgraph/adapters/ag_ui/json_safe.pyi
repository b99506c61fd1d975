from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_json_safe(value: Any, _seen: set[int] | None = None) -> Any: ...
def make_make_json_safe(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
