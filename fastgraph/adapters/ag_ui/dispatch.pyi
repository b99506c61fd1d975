from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_dispatch_event(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
