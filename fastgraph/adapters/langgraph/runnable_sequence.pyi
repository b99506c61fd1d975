from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any: ...
def make_invoke(original: Callable[..., Any], tally: Tally, variant: str) -> Callable[..., Any]: ...
