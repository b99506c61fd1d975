"""The functional API and raw Pregel: whole runs, stock against patched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from equivalence_scenarios import Scenarios, assert_same, asynchronous, saved, sync
from equivalence_ways import Drive, Way
from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    Topic,
    UntrackedValue,
)
from langgraph.func import entrypoint, task
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt

SCENARIOS = Scenarios()


def alone(way: Way) -> bool:
    """Sync ways in which the tasks of an entrypoint find a thread."""
    return sync(way)


def unlimited(drive: Drive) -> dict[str, Any]:
    """Tasks need threads beside that of the entrypoint that waits for them."""
    return drive.config(max_concurrency=None)


@SCENARIOS.add(alone)
def tasks_one_by_one(drive: Drive) -> None:
    @task
    def double(number: int) -> int:
        drive.note("double", number)
        return number * 2

    @task(name="renamed")
    def add(left: int, *, right: int = 1) -> int:
        return left + right

    @entrypoint(checkpointer=drive.saver)
    def work(number: int, *, previous: Any = None) -> Any:
        found = [double(i).result() for i in range(number)]
        total = add(sum(found), right=3).result()
        return entrypoint.final(value={"total": total, "previous": previous}, save=number)

    for number in (0, 3):
        drive.run(work, number, unlimited(drive))
    if drive.saver:
        drive.history(work)


@SCENARIOS.add(asynchronous)
def async_tasks_at_once(drive: Drive) -> None:
    @task
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        drive.note("double", number)
        return number * 2

    @task
    async def twice(number: int) -> int:
        return await double(await double(number))

    @entrypoint(checkpointer=drive.saver)
    async def work(number: int, *, previous: Any = None) -> Any:
        drive.note("begins", previous)
        both = await asyncio.gather(*(double(i) for i in range(number)), twice(number))
        return {"both": both, "then": await twice(1)}

    for number in (0, 3):
        drive.run(work, number)
    if drive.saver:
        drive.history(work)


@SCENARIOS.add(alone)
def tasks_that_fail(drive: Drive) -> None:
    tries: list[int] = []
    policy = RetryPolicy(initial_interval=0.0001, jitter=False, retry_on=LookupError)

    @task(retry_policy=policy)
    def flaky(number: int) -> int:
        tries.append(number)
        if len(tries) < 3:
            raise LookupError("again")
        return number

    @task
    def failing(number: int) -> int:
        raise KeyError(number)

    @entrypoint(checkpointer=drive.saver)
    def work(number: int) -> Any:
        found = flaky(number).result()
        try:
            failing(1).result()
        except KeyError as error:
            drive.note("caught", error)
        return found if number else failing(2).result()

    drive.run(work, 1, unlimited(drive))
    drive.run(work, 0, unlimited(drive))


@SCENARIOS.add(asynchronous)
def async_tasks_that_fail(drive: Drive) -> None:
    @task
    async def failing(number: int) -> int:
        await asyncio.sleep(0)
        raise KeyError(number)

    @entrypoint(checkpointer=drive.saver)
    async def work(number: int) -> Any:
        found = await asyncio.gather(failing(1), failing(2), return_exceptions=True)
        drive.note("caught", found)
        return await failing(3)

    drive.run(work, 1)


@SCENARIOS.add(lambda way: saved(way) and sync(way))
def interrupts_within_tasks(drive: Drive) -> None:
    @task
    def note(number: int) -> int:
        drive.note("task runs", number)
        return number

    @task
    def ask(question: str) -> Any:
        return interrupt(question)

    @entrypoint(checkpointer=drive.saver)
    def work(number: int) -> Any:
        first = note(number).result()
        answer = ask("in a task").result()
        return first, answer, interrupt("in the entrypoint"), note(9).result()

    drive.run(work, 5, unlimited(drive))
    for answer in ("one", "two"):
        drive.run(work, Command(resume=answer), unlimited(drive))
        drive.state(work, unlimited(drive))


@SCENARIOS.add(lambda way: saved(way) and asynchronous(way))
def interrupts_within_async_tasks(drive: Drive) -> None:
    @task
    async def note(number: int) -> int:
        drive.note("task runs", number)
        return number

    @task
    async def ask(question: str) -> Any:
        return interrupt(question)

    @entrypoint(checkpointer=drive.saver)
    async def work(number: int) -> Any:
        numbers = await asyncio.gather(note(number), note(number + 1))
        return numbers, await ask("in a task"), interrupt("in the entrypoint")

    drive.run(work, 5)
    for answer in ("one", "two"):
        drive.run(work, Command(resume=answer))


@SCENARIOS.add(lambda way: sync(way) and not way.streams_within_tasks)
def cached_tasks(drive: Drive) -> None:
    from langgraph.cache.memory import InMemoryCache

    @task(cache_policy=CachePolicy())
    def double(number: int) -> int:
        drive.note("computes", number)
        return number * 2

    @entrypoint(checkpointer=drive.saver, cache=InMemoryCache())
    def work(numbers: list[int]) -> Any:
        return [double(number).result() for number in numbers]

    drive.run(work, [1, 2], unlimited(drive))
    drive.run(work, [2, 3], unlimited(drive))


@SCENARIOS.add(lambda way: sync(way) and saved(way))
def an_entrypoint_run_again_after_a_failure(drive: Drive) -> None:
    runs: list[int] = []

    @task
    def expensive(number: int) -> int:
        drive.note("expensive", number)
        return number

    @entrypoint(checkpointer=drive.saver)
    def work(number: int) -> Any:
        found = expensive(number).result() + expensive(number + 1).result()
        runs.append(1)
        if len(runs) == 1:
            raise LookupError("once")
        return found

    drive.run(work, 3, unlimited(drive))
    drive.run(work, None, unlimited(drive))


def raw_graph(drive: Drive, **options: Any) -> Any:
    def upper(text: str) -> str:
        return text.upper()

    def count(texts: list[str]) -> int:
        return len(texts)

    def added(left: int, right: int) -> int:
        return left + right

    return Pregel(
        nodes={
            "one": NodeBuilder().subscribe_only("in").do(drive.node(upper)).write_to("mid", "all"),
            "two": NodeBuilder().subscribe_to("mid").do(drive.node(repr)).write_to("out", "all"),
            "three": NodeBuilder()
            .subscribe_only("all")
            .do(drive.node(count))
            .write_to("count", doubled=lambda number: number * 2, any=lambda number: None),
        },
        channels={
            "in": EphemeralValue(str),
            "mid": Topic(str),
            "all": Topic(str, accumulate=True),
            "count": LastValue(int),
            "doubled": BinaryOperatorAggregate(int, added),
            "any": AnyValue(int),
            "once": UntrackedValue(int),
            "out": LastValue(str),
        },
        input_channels="in",
        output_channels=["out", "count", "doubled"],
        checkpointer=drive.saver,
        **options,
    )


@SCENARIOS.add()
def raw_pregel(drive: Drive) -> None:
    graph = raw_graph(drive)
    for word in ("a", "b"):
        drive.run(graph, word)
    if drive.saver:
        drive.history(graph)


@SCENARIOS.add()
def raw_pregel_with_several_inputs(drive: Drive) -> None:
    def join(given: dict[str, Any]) -> str:
        return "".join(sorted(map(str, given.values())))

    graph = Pregel(
        nodes={
            "join": NodeBuilder()
            .subscribe_to("a", "b")
            .read_from("c")
            .do(drive.node(join))
            .write_to("out"),
            "echo": NodeBuilder().subscribe_only("out").write_to("echo"),
        },
        channels={name: LastValue(str) for name in ("a", "b", "c", "out", "echo")},
        input_channels=["a", "b", "c"],
        output_channels="echo",
        stream_channels=["out", "echo"],
        checkpointer=drive.saver,
    )
    for given in ({"a": "1"}, {"a": "1", "b": "2"}, {"c": "3"}, {"nowhere": 1}, None):
        drive.run(graph, given)


@pytest.mark.parametrize(("scenario", "way"), SCENARIOS.cases, ids=SCENARIOS.ids)
def test_a_run_is_the_same(scenario: Any, way: Any) -> None:
    assert_same(scenario, way)
