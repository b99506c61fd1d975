from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

class ChannelTable(dict[str, Any]):
    """The channels of one run: the mapping upstream made, and what a superstep asks of it."""

    def __copy__(self) -> dict[str, Any]: ...

def invalidate_tables() -> None: ...
def channels_from_checkpoint(specs: Any, checkpoint: Any, **kwargs: Any) -> tuple[Any, Any]: ...
async def achannels_from_checkpoint(
    specs: Any, checkpoint: Any, **kwargs: Any
) -> tuple[Any, Any]: ...
def make_channels_from_checkpoint(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_achannels_from_checkpoint(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
