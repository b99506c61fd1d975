from collections.abc import Callable
from typing import Any

from fastgraph.kernels.tally import Tally

def make_getattr(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_getitem(
    original: Callable[..., Any], tally: Tally, variant: str
) -> Callable[..., Any]: ...
def make_setattr(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def make_setitem(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def make_delattr(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def make_delitem(
    original: Callable[..., None], tally: Tally, variant: str
) -> Callable[..., None]: ...
def make_contains(
    original: Callable[..., bool], tally: Tally, variant: str
) -> Callable[..., bool]: ...
def make_clone(original: Callable[..., Any], tally: Tally, variant: str) -> Callable[..., Any]: ...
