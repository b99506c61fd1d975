from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def ensure_config(config: Any = None) -> dict[str, Any]: ...
def patch_config(
    config: Any,
    *,
    callbacks: Any = None,
    recursion_limit: int | None = None,
    max_concurrency: int | None = None,
    run_name: str | None = None,
    configurable: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def make_ensure_config(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_patch_config(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
