from collections.abc import Iterable, Mapping

from fastgraph.kernels.version_vector import VersionVector, _Version

__all__ = ("TriggerIndex",)

class TriggerIndex:
    """An index from channels to the nodes that subscribe to them."""

    def __init__(self, triggers: Mapping[str, Iterable[str]]) -> None: ...
    def __len__(self) -> int: ...
    @property
    def channels(self) -> tuple[str, ...]: ...
    def nodes(self, channel: str) -> tuple[str, ...]: ...
    def updated(self, channels: Iterable[str]) -> list[str]: ...
    def triggered(
        self,
        versions: VersionVector,
        seen: Mapping[str, Mapping[str, _Version]],
        available: Iterable[str],
    ) -> list[str]: ...
