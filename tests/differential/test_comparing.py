"""The comparison itself: it notices what differs, and rules out what stock cannot agree on."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

import fastgraph
from tools.differential import comparison, execution
from tools.differential.comparison import compared, differs
from tools.differential.program import Action, Graph, Node, Program, Return, parsed
from tools.differential.reduction import reduced
from tools.differential.soak import Report, batches
from tools.differential.virtual_time import StuckError, VirtualTime

TOTAL = Return(writes=(("total", 1),))
PLAIN = Program(
    graph=Graph(("total", "items"), nodes=(Node("a", returns=(TOTAL,)), Node("b"))),
    is_async=True,
    saver="memory",
    script=(Action(given=(("total", 1),)), Action("history")),
)


def spoiled(monkeypatch: pytest.MonkeyPatch, spoil: Any) -> None:
    """Have the patched engine show something else."""
    stock = execution.observed

    def observed(program: Program) -> dict[str, Any]:
        seen = stock(program)
        return spoil(program, seen) if fastgraph.is_patched() else seen

    monkeypatch.setattr(comparison, "observed", observed)


def test_equal_programs_are_equal_and_counted() -> None:
    (verdict,) = compared([PLAIN])

    assert verdict and verdict.kind == "equal"
    assert verdict.counts == {"actions": 2, "steps": 1, "faults": 0}


@pytest.mark.parametrize("part", ["seen", "noted", "events", "stored", "records", "warnings"])
def test_a_difference_in_any_part_is_noticed(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    spoiled(monkeypatch, lambda program, seen: {**seen, part: "other"})

    (verdict,) = compared([PLAIN])

    assert verdict.kind == "different" and not verdict
    assert verdict.difference.startswith(f"in {part}: ") and "'other'" in verdict.difference


def test_what_stock_does_not_agree_on_is_ruled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    stock = execution.observed
    monkeypatch.setattr(
        comparison, "observed", lambda program: {**stock(program), "noted": next(numbers)}
    )

    (verdict,) = compared([PLAIN])

    assert verdict.kind == "race" and verdict
    assert not differs(PLAIN)


def test_an_order_of_threads_that_patched_runs_do_not_always_show_is_ruled_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shows = itertools.chain([True], itertools.repeat(False))
    spoiled(monkeypatch, lambda program, seen: {**seen, "noted": 1} if next(shows) else seen)
    threaded = replace(PLAIN, is_async=False)

    assert [verdict.kind for verdict in compared([threaded])] == ["race"]

    shows = itertools.chain([True], itertools.repeat(False))
    assert [verdict.kind for verdict in compared([PLAIN])] == ["different"]


def test_a_program_is_made_as_small_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(program: Program, seen: dict[str, Any]) -> dict[str, Any]:
        assert program.graph is not None
        named = any(node.name == "b" for node in program.graph.nodes)
        return {**seen, "noted": "other"} if named else seen

    spoiled(monkeypatch, spoil)

    small = reduced(PLAIN, differs)

    # Without "a", where it starts, it is no graph.
    assert small == Program(graph=Graph(nodes=(Node("a"), Node("b"))))
    assert parsed(repr(small)) == small


def test_a_sleep_takes_no_time_and_ends_in_order() -> None:
    virtual, ended = VirtualTime(), []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append((seconds, virtual.loop.time()))

    async def all_of_them() -> None:
        await asyncio.gather(sleep(500), sleep(20), sleep(3000))

    virtual.loop.run_until_complete(all_of_them())
    virtual.loop.close()

    assert ended == [(20, 20), (500, 500), (3000, 3000)]


@pytest.mark.parametrize("ticks", [False, True])
def test_threads_work_one_after_the_other_when_the_loop_has_nothing_else_to_do(
    ticks: bool,
) -> None:
    virtual, order = VirtualTime(ticks), []

    async def call(number: int) -> None:
        await virtual.loop.run_in_executor(None, order.append, f"in thread {number}")
        order.append(f"after {number}")

    async def everything() -> None:
        calls = [asyncio.ensure_future(call(number)) for number in range(3)]
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("nothing else to do")
        await asyncio.sleep(100)
        order.append("later")
        await asyncio.gather(*calls)

    assert not virtual.used_threads
    virtual.loop.run_until_complete(everything())
    virtual.stop_ticking()
    virtual.loop.close()

    assert virtual.used_threads and virtual.turn is None
    assert order[0] == "nothing else to do" and order[-1] == "later"
    assert [each for each in order if "thread" in each] == [f"in thread {n}" for n in range(3)]
    for number in range(3):
        assert order.index(f"after {number}") < order.index("later")


def test_what_a_closed_loop_left_in_the_queue_never_runs() -> None:
    virtual, ran = VirtualTime(), []

    async def leave() -> None:
        virtual.loop.run_in_executor(None, ran.append, 1)

    virtual.loop.run_until_complete(leave())
    threads = list(virtual.loop._default_executor._threads)
    virtual.loop.close()
    for thread in threads:
        thread.join(10)

    assert threads and not any(thread.is_alive() for thread in threads)
    assert ran == []


@pytest.mark.parametrize("ticks", [False, True])
def test_a_program_that_waits_for_nothing_is_stuck(ticks: bool) -> None:
    virtual = VirtualTime(ticks)

    async def wait() -> None:
        await virtual.loop.create_future()

    with pytest.raises(StuckError):
        virtual.loop.run_until_complete(wait())
    virtual.stop_ticking()
    for task in asyncio.all_tasks(virtual.loop):
        task.cancel()
    virtual.loop.run_until_complete(asyncio.sleep(0))
    virtual.loop.close()


def test_a_report_counts_what_was_compared() -> None:
    report = Report()
    counts = {"actions": 3, "steps": 5, "faults": 1}
    for seed, kind in enumerate(["equal", "race", "different"]):
        report.add([{"seed": seed, "kind": kind, "difference": "where", "counts": counts}])

    assert "3 programs, 9 actions, 15 steps of nodes, 3 faults injected" in str(report)
    assert "1 differences, 1 ruled out" in str(report)
    assert report.different == [(2, "where")]


def test_batches_are_those_asked_for() -> None:
    assert list(batches(5, 250)) == [(5, 100), (105, 100), (205, 50)]
