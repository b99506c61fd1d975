from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def get_checkpoint_metadata(config: Any, metadata: Any) -> dict[str, Any]: ...
def make_get_checkpoint_metadata(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_get_next_version(
    original: Callable[..., str], tally: Tally, variant: str
) -> Callable[..., str]: ...
