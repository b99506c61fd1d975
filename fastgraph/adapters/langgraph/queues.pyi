from collections.abc import Callable, Iterable
from typing import Any

from fastgraph.kernels.tally import Tally

def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None: ...
def drained(
    stream: Any,
    kind: type,
    getter: Callable[[], Any],
    stream_mode: Any,
    stream_subgraphs: bool,
    version: str,
    output_mapper: Callable[[Any], Any] | None,
    state_mapper: Callable[[Any], Any] | None,
) -> Iterable[Any]: ...
def _output(
    stream_mode: Any,
    print_mode: Any,
    stream_subgraphs: bool,
    getter: Callable[[], Any],
    empty_exc: type[Exception],
    version: str = "v1",
    output_mapper: Callable[[Any], Any] | None = None,
    state_mapper: Callable[[Any], Any] | None = None,
) -> Iterable[Any]: ...
def make_put(original: Callable[..., None], tally: Tally, variant: str) -> Callable[..., None]: ...
def make_output(
    original: Callable[..., Iterable[Any]], tally: Tally, variant: str
) -> Callable[..., Iterable[Any]]: ...
