from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

PROVEN_ORMSGPACK: dict[str, bool]

def loads_typed(self: Any, data: tuple[str, bytes]) -> Any: ...
def make_loads_typed(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
