from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

WATCHED: list[str]

def msgpack_enc(data: Any) -> bytes: ...
def switched() -> None: ...
def make_msgpack_enc(
    original: Callable[[Any], bytes], tally: Tally, variant: str
) -> Callable[[Any], bytes]: ...
