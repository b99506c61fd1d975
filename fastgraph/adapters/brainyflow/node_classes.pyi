from typing import Any, TypeVar

_Replacement = TypeVar("_Replacement")

class NodeClass:
    node_class: type
    own_view: bool
    generic: bool
    is_node: bool
    finds_next: bool
    clones: bool
    prep: object
    exec: object
    post: object
    raises_at_once: bool
    layering: int
    def __init__(self, cls: type) -> None: ...

def stands_in(cls: Any, method: str, replacement: _Replacement) -> _Replacement: ...
