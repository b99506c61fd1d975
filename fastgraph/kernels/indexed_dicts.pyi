from collections import defaultdict
from typing import Any, TypeVar

_V = TypeVar("_V")

class GroupedDict(defaultdict[Any, _V]):
    def drop_group(self, first: str) -> bool: ...

class LatestDict(dict[Any, _V]):
    def latest(self) -> Any: ...
