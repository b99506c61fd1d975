"""Concurrent nodes, the runner and the consumer take turns as they do on stock, turn by turn."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from adapter_turns import trace_of

import fastgraph


@pytest.fixture(autouse=True)
def _random_numbers_go_on() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)


@pytest.mark.filterwarnings("ignore")  # of coroutines and exceptions that nobody waits for
@pytest.mark.parametrize("kind", ["nodes", "calls"])
@pytest.mark.parametrize("seed", range(40))
def test_everything_happens_in_the_same_turn(seed: int, kind: str) -> None:
    expected = trace_of(seed, kind)
    assert trace_of(seed, kind) == expected  # or there is nothing to compare
    with fastgraph.patched():
        assert trace_of(seed, kind) == expected
