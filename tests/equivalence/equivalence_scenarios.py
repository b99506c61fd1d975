"""Scenarios by the dozen, each compared in the ways that apply to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equivalence_ways import WAYS, Scenario, Way, observed

import fastgraph


def difference(one: Any, other: Any, path: str = "") -> str:
    """Where two descriptions differ first, and how."""
    if type(one) is type(other) and isinstance(one, dict) and one.keys() == other.keys():
        for key, value in one.items():
            if value != other[key]:
                return difference(value, other[key], f"{path}[{key!r}]")
    if type(one) is type(other) and isinstance(one, list | tuple):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return difference(left, right, f"{path}[{index}]")
        if len(one) != len(other):
            rest = [*one[len(other) :], *other[len(one) :]]
            return f"{path}: {len(one)} and {len(other)} items, beginning with {rest[0]!r:.600}"
    return f"{path}: {one!r:.600} and {other!r:.600}"


def assert_equal(found: dict[str, Any], expected: dict[str, Any], sides: str) -> None:
    """Two observations are the same, or it is said in which part and where they are not."""
    for part, seen in expected.items():
        same = found[part] == seen
        assert same, f"{sides} in {part}{difference(seen, found[part])}"


def assert_same(scenario: Scenario, way: Way) -> dict[str, Any]:
    """Run a scenario stock, stock again and patched: all that can be seen is the same."""
    expected = observed(scenario, way)
    assert_equal(observed(scenario, way), expected, "stock differs from stock")
    with fastgraph.patched():
        found = observed(scenario, way)
    assert_equal(found, expected, "patched differs from stock")
    return expected


class Scenarios:
    """The scenarios of one file."""

    def __init__(self) -> None:
        self.cases: list[tuple[Scenario, Way]] = []

    def add(self, when: Callable[[Way], bool] = lambda way: True) -> Callable[[Scenario], Scenario]:
        """Register a scenario in each way that fits."""

        def register(scenario: Scenario) -> Scenario:
            self.cases += [(scenario, way) for way in WAYS if when(way)]
            return scenario

        return register

    @property
    def ids(self) -> list[str]:
        return [f"{scenario.__name__}, {way}" for scenario, way in self.cases]


def saved(way: Way) -> bool:
    """Whether a saver keeps what the run does."""
    return way.durability is not None


def ordered(way: Way) -> bool:
    """Whether tasks of one superstep end in an order that stock, too, keeps to."""
    return not way.sync_nodes if way.is_async else not way.streams_within_tasks


def sync(way: Way) -> bool:
    return not way.is_async


def asynchronous(way: Way) -> bool:
    return way.is_async and not way.sync_nodes
