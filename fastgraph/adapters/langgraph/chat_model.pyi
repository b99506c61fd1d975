from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_generate(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_get_ls_params(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
