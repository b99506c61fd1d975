from typing import Any

class Plan:
    """How the instances of one class are written."""

    @property
    def slim(self) -> bool: ...

class Leaves:
    """What a model's fields may hold beside the native types."""

def plan_of(cls: type[Any], slim: bool) -> Plan | None: ...
