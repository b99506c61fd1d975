"""Uses the kernels many times and prints what is left over, as JSON.

For each scenario: ``blocks``, the allocated blocks that a second half of the calls left behind,
and ``references`` to an object that went through all of them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CALLS = 3000

VERSION = f"{70:032}.{0.5:016}"


class Box:
    __slots__ = ("value",)


def vectors(vector_class: Any) -> Callable[[], None]:
    versions = {f"c{i}": f"{i:032}" for i in range(30)}

    def scenario() -> None:
        vector = vector_class(versions)
        vector.bump(["c1", "c2", "new"], VERSION)
        assert vector.maximum is VERSION
        vector["c1"] = "0"
        assert vector.snapshot().maximum is VERSION
        assert vector.newer(versions) and not vector.newer(vector.to_dict())
        assert vector_class.over(dict(versions)).newer({}, ["c3"])
        vector["c1"] = 7
        with contextlib.suppress(TypeError):
            vector.newer(dict.fromkeys(versions, VERSION))
        repr(vector), list(vector), "c1" in vector, vector.null

    return scenario


def indexes(vector_class: Any, index_class: Any) -> Callable[[], None]:
    graph = {f"n{i}": [f"c{i % 7}", f"c{i % 5}"] for i in range(40)}
    vector = vector_class({f"c{i}": VERSION for i in range(6)})
    seen = {f"n{i}": {"c1": VERSION, "c2": ""} for i in range(20)}

    def scenario() -> None:
        index = index_class(graph)
        assert index.updated(["c1", "c2", "unknown"])
        assert index.triggered(vector, seen, ["c1", "c2", "c6", "unknown"])
        with contextlib.suppress(TypeError):
            index.triggered(vector, {"n1": {"c1": 5}}, ["c1"])
        index.channels, index.nodes("c1"), repr(index)

    return scenario


def slots(slot_class: Any) -> Callable[[], None]:
    def scenario() -> None:
        box, slot = Box(), slot_class(Box, "value")
        with contextlib.suppress(AttributeError):
            slot.read(box)
        for value in (VERSION, None, VERSION, [box]):
            slot.write(box, value)
            assert slot.read(box) is value
        slot.write(box, VERSION)
        for wrong in (object(), Box):
            with contextlib.suppress(TypeError):
                slot.write(wrong, VERSION)
            with contextlib.suppress(TypeError):
                slot_class(wrong, "missing")

    return scenario


def tallies(tally_class: Any) -> Callable[[], None]:
    def scenario() -> None:
        tally = tally_class("name")
        tally.calls += 1
        tally.fell_back(VERSION)
        assert tally.fallbacks == {VERSION: 1}
        tally.reset()

    return scenario


def scenarios() -> Iterator[tuple[str, Callable[[], None]]]:
    from fastgraph.kernels import tally

    yield "tally", tallies(tally.Tally)
    # Where nothing was compiled, what follows is there for the next kind.
    if importlib.util.find_spec("fastgraph.kernels.version_vector") is not None:
        from fastgraph.kernels.slots import Slot
        from fastgraph.kernels.trigger_index import TriggerIndex
        from fastgraph.kernels.version_vector import VersionVector

        yield "slots", slots(Slot)
        yield "vector", vectors(VersionVector)
        yield "index", indexes(VersionVector, TriggerIndex)
    if importlib.util.find_spec("numba") is not None:
        from fastgraph.kernels import numba_trigger_index, numba_version_vector

        yield "numba vector", vectors(numba_version_vector.VersionVector)
        yield (
            "numba index",
            indexes(numba_version_vector.VersionVector, numba_trigger_index.TriggerIndex),
        )


def repeat(scenario: Callable[[], None]) -> None:
    for _ in range(CALLS):
        scenario()
    gc.collect()


def resident_bytes() -> int:
    """What the process holds in memory, with NumPy's buffers; 0 where it is not told."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def left_over(scenario: Callable[[], None]) -> dict[str, int]:
    repeat(scenario)
    before = (sys.getallocatedblocks(), sys.getrefcount(VERSION), resident_bytes())
    repeat(scenario)
    after = (sys.getallocatedblocks(), sys.getrefcount(VERSION), resident_bytes())
    blocks, references, resident = (now - then for now, then in zip(after, before, strict=True))
    return {"blocks": blocks, "references": references, "bytes": resident}


if __name__ == "__main__":
    json.dump({name: left_over(scenario) for name, scenario in scenarios()}, sys.stdout)
