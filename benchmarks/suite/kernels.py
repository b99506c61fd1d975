"""The kernels by implementation and size, without any framework."""

from __future__ import annotations

import importlib
from typing import Any

IMPLEMENTATIONS = {
    "compiled": ("fastgraph.kernels.version_vector", "fastgraph.kernels.trigger_index"),
    "numba": ("fastgraph.kernels.numba_version_vector", "fastgraph.kernels.numba_trigger_index"),
}


def classes(implementation: str) -> tuple[Any, Any]:
    """The version vector and the trigger index; a benchmark without its extra is skipped."""
    vectors, indexes = IMPLEMENTATIONS[implementation]
    try:
        return (
            importlib.import_module(vectors).VersionVector,
            importlib.import_module(indexes).TriggerIndex,
        )
    except ImportError as error:
        raise NotImplementedError(str(error)) from error  # asv's word for "does not apply"


class Kernels:
    """A graph in which each node has a channel of its own."""

    param_names = ("implementation", "size")
    params = (tuple(IMPLEMENTATIONS), (10, 100, 1000, 10_000))

    def setup(self, implementation: str, size: int) -> None:
        vector, index = classes(implementation)
        self.names = [f"channel{number}" for number in range(size)]
        self.vector = vector({name: number + 1 for number, name in enumerate(self.names)})
        self.index = index({f"node{number}": [name] for number, name in enumerate(self.names)})
        self.seen = {f"node{number}": {name: number + 1} for number, name in enumerate(self.names)}
        self.next_version = size

    def time_put_and_maximum(self, implementation: str, size: int) -> None:
        self.next_version += 1
        self.vector[self.names[0]] = self.next_version
        assert self.vector.maximum == self.next_version

    def time_newer(self, implementation: str, size: int) -> None:
        self.vector.newer({})

    def time_updated(self, implementation: str, size: int) -> None:
        assert len(self.index.updated(self.names[:1])) == 1

    def time_triggered(self, implementation: str, size: int) -> None:
        self.index.triggered(self.vector, self.seen, self.names[:1])
