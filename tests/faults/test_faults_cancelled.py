"""A run is cancelled in each turn of the event loop, or its consumer gives up on a saver."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from faults_worlds import INJECTED, Case, World, assert_same, calls, on_patched, on_stock, spread

CASES = {
    "invoked": Case(is_async=True),
    "streamed": Case(is_async=True, mode="updates", handler=True),
    "nested": Case(is_async=True, graph="nested", mode="values"),
    "functional": Case(is_async=True, graph="functional"),
    "without waiting for the saver": Case(is_async=True, durability="async"),
    "stored in the end": Case(is_async=True, durability="exit", mode="debug"),
}
#: Of these turns the quick run takes one.
STRIDE = 16


@pytest.mark.parametrize("name", CASES)
def test_cancelled_in_each_turn(name: str, most: int | None) -> None:
    case = CASES[name]
    undisturbed = on_stock(case)["log"]
    stride = 1 if most is None else STRIDE
    for turn in itertools.count(0, stride):
        shown = assert_same(replace(case, cancelled=(turn,)))
        if shown["first"][0] == "ended":
            break
        assert shown["first"][1][0] == "CancelledError"
        # Nothing is lost, and nothing is applied twice, wherever it was cancelled.
        assert shown["log"] == undisturbed
        INJECTED["cancellations"] += 1
        assert turn < 1000
    assert turn > 10


@pytest.mark.parametrize("name", CASES)
def test_cancelled_again_while_it_is_cancelled(name: str, most: int | None) -> None:
    for turn in range(3, 60, 29 if most else 1):
        for later in (1, 2, 3):
            assert_same(replace(CASES[name], cancelled=(turn, turn + later)))
            INJECTED["cancellations"] += 2


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("point", ["saver.get_tuple", "saver.put", "saver.put_writes"])
@pytest.mark.parametrize("error", ["hang", "slow"])
def test_a_saver_that_does_not_answer(
    error: str, point: str, durability: str, most: int | None
) -> None:
    case = Case(is_async=True, durability=durability, timeout=30)
    for at in spread(calls(case)[point], most):
        shown = assert_same(replace(case, point=point, at=at, error=error))
        if error == "hang" and durability == "sync":
            assert shown["first"][1][0] == "TimeoutError"
        INJECTED[f"savers that {'hang' if error == 'hang' else 'are slow'}"] += 1


def test_a_world_that_is_not_disturbed_asks_the_user() -> None:
    """Or there would be nothing to disturb."""
    for case in CASES.values():
        shown = on_patched(case)
        assert shown == on_stock(case)
        assert shown["first"][0] == "ended"
        assert World(case).case is case
