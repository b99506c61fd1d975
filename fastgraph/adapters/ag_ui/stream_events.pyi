from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

class Events:
    """The events that are made of a token."""

def make_capture_task_tool_dispatch(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_capture_subagent_task_meta(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_finish_subagent_on_task_end(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_reconcile_subagents(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_handle_single_event(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
