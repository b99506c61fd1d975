from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def create_checkpoint(
    checkpoint: Any,
    channels: Any,
    step: int,
    *,
    id: str | None = None,
    updated_channels: Any = None,
    get_next_version: Any = None,
    channels_to_snapshot: Any = None,
    stored_versions: Any = None,
    trigger_to_nodes: Any = None,
) -> Any: ...
def create_upstreams(checkpoint: Any, channels: Any, *args: Any, **kwargs: Any) -> Any: ...
def copy_checkpoint(checkpoint: Any) -> Any: ...
def _put_checkpoint(self: Any, metadata: Any) -> None: ...
def make_create_checkpoint(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_copy_checkpoint(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_put_checkpoint(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def get_new_channel_versions(previous_versions: Any, current_versions: Any) -> Any: ...
def make_get_new_channel_versions(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def empty_checkpoint() -> Any: ...
def make_empty_checkpoint(
    original: Callable[[], Any], tally: Tally, variant: str
) -> Callable[[], Any]: ...
