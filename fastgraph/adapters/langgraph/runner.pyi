from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def commit(self: Any, task: Any, exception: BaseException | None) -> None: ...
def make_commit(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
