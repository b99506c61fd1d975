from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_encode_sse(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
