from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def create_checkpoint(checkpoint: Any, channels: Any, *args: Any, **kwargs: Any) -> Any: ...
def make_create_checkpoint(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
