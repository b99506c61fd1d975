from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_on_llm_new_token(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
