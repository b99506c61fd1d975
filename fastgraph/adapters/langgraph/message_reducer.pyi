from collections.abc import Callable, Sequence
from typing import Any

from fastgraph.kernels.tally import Tally

def update(self: Any, values: Sequence[Any]) -> bool: ...
def make_update(
    original: Callable[..., bool], tally: Tally, variant: str
) -> Callable[..., bool]: ...
