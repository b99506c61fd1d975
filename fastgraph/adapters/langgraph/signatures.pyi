from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def get_all_basemodel_annotations(cls: Any, *, default_to_bound: bool = True) -> dict[str, Any]: ...
def make_signature_parameters(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_get_runnable_config_param(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_get_all_basemodel_annotations(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
