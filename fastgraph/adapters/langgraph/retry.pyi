from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def run_with_retry(task: Any, retry_policy: Any, configurable: Any = None) -> Any: ...
def make_run_with_retry(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
