"""A user's code fails at its nth call: nodes, edges, reducers, channels, callbacks, serializers.

Stock and patched show the same, and what is taken up afterwards ends as if nothing had happened.
"""

from __future__ import annotations

import pytest
from faults_worlds import INJECTED, Case, assert_same, calls, on_stock, spread

POINTS = [
    "node.plan", "node.work", "node.join", "node.question", "edge", "reducer",
    "channel.update", "channel.checkpoint", "channel.from_checkpoint", "channel.get",
    "channel.finish", "value.dump", "value.init", "serializer.dumps", "serializer.loads",
    "handler.start", "handler.end", "handler.error",
    "saver.get_tuple", "saver.put", "saver.put_writes",
]  # fmt: skip
ENGINES = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def case_of(point: str, *, is_async: bool) -> Case:
    return Case(
        is_async=is_async,
        handler=True if point.startswith("handler") else None,
        serializer=point.startswith("serializer"),
        concurrency=None if is_async else 1,
        mode="updates",
    )


def each_call_fails(case: Case, point: str, errors: tuple[str, ...], most: int | None) -> None:
    for error in errors:
        for at in spread(calls(case)[point], most):
            failing = Case(**{**case.__dict__, "point": point, "at": at, "error": error})
            assert_same(failing)
            INJECTED[f"{error} raised in {point.partition('.')[0]}s"] += 1


@ENGINES
@pytest.mark.parametrize("point", POINTS)
def test_an_error_at_each_call(point: str, is_async: bool, most: int | None) -> None:
    errors = ("error",) if most else ("error", "memory", "os", "cancelled")
    each_call_fails(case_of(point, is_async=is_async), point, errors, most)


@ENGINES
@pytest.mark.parametrize("durability", ["async", "exit"])
@pytest.mark.parametrize("point", ["saver.put", "saver.put_writes", "value.dump", "node.work"])
def test_an_error_in_each_durability(
    point: str, durability: str, is_async: bool, most: int | None
) -> None:
    case = case_of(point, is_async=is_async)
    case = Case(**{**case.__dict__, "durability": durability})
    each_call_fails(case, point, ("error",), most)


@ENGINES
@pytest.mark.parametrize("graph", ["nested", "functional"])
def test_an_error_in_subgraphs_and_tasks(graph: str, is_async: bool, most: int | None) -> None:
    # Without a limit: a task that waits for one that waits for its turn never ends.
    case = Case(graph=graph, is_async=is_async)
    for point in ("node.plan", "node.work", "reducer", "saver.put", "saver.put_writes"):
        each_call_fails(case, point, ("error",), most)


@ENGINES
@pytest.mark.parametrize("point", ["node.plan", "node.work", "edge", "reducer", "handler.start"])
@pytest.mark.parametrize("error", ["keyboard", "exit"])
def test_the_process_is_asked_to_end(
    error: str, point: str, is_async: bool, most: int | None
) -> None:
    each_call_fails(case_of(point, is_async=is_async), point, (error,), most)


@ENGINES
def test_a_handler_that_fails_quietly(is_async: bool, most: int | None) -> None:
    case = Case(is_async=is_async, handler=False, concurrency=None if is_async else 1)
    for point in ("handler.start", "handler.end"):
        each_call_fails(case, point, ("error",), most)


@ENGINES
def test_what_is_taken_up_ends_as_if_nothing_had_happened(is_async: bool, most: int | None) -> None:
    """On stock too, where each step is stored before the next: what the comparison relies on."""
    undisturbed = on_stock(case_of("node.work", is_async=is_async))["log"]
    for point in ("node.plan", "node.work", "node.join", "saver.put_writes"):
        case = case_of(point, is_async=is_async)
        for at in spread(calls(case)[point], most):
            shown = assert_same(Case(**{**case.__dict__, "point": point, "at": at}))
            assert shown["log"] == undisturbed
            INJECTED[f"error raised in {point.partition('.')[0]}s"] += 1
