from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fastgraph.kernels.tally import Tally

def should_interrupt(
    checkpoint: Any, interrupt_nodes: str | Sequence[str], tasks: Iterable[Any]
) -> list[Any]: ...
def make_should_interrupt(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., list[Any]]: ...
