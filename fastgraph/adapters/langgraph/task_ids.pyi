from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def task_path_str(tup: Any) -> str: ...
def make_task_path_str(
    original: Callable[[Any], str], tally: Tally, variant: str
) -> Callable[[Any], str]: ...
