from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def merge_configs(*configs: dict[str, Any] | None) -> dict[str, Any]: ...
def make_merge_configs(
    original: Callable[..., dict[str, Any]], tally: Tally, variant: str
) -> Callable[..., dict[str, Any]]: ...
