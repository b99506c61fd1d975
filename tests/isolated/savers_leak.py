"""Programs on a saver, again and again; says what is left of them. In a process of its own.

python savers_leak.py {memory,sqlite,async}
"""

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Callable

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from savers_programs import afailure, arun, failure, run

import fastgraph

ROUNDS = 60
WARM_UP = 30
SEEDS = 3


class Unserializable:
    def __reduce__(self) -> object:
        raise TypeError("not today")


CONFIG = {"configurable": {"thread_id": "1", "checkpoint_ns": "", "checkpoint_id": "c"}}
WRITES = [("a", 1), ("b", Unserializable())]


def in_memory() -> None:
    saver = InMemorySaver()
    for seed in range(SEEDS):
        run(seed, saver)
    failure(lambda: saver.put_writes(CONFIG, WRITES, "task"))
    failure(lambda: saver.get_tuple({"configurable": {}}))
    for thread_id in ("one", "two", "1"):
        saver.delete_thread(thread_id)


def in_sqlite() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        for seed in range(SEEDS):
            run(seed, saver)
        failure(lambda: saver.put_writes(CONFIG, WRITES, "task"))
        failure(lambda: saver.get_tuple({"configurable": {}}))


async def in_async_sqlite() -> None:
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        for seed in range(SEEDS):
            await arun(seed, saver)
        await afailure(saver.aput_writes(CONFIG, WRITES, "task"))
        await afailure(saver.aget_tuple({"configurable": {}}))
        cancelled = asyncio.ensure_future(saver.aget_tuple(CONFIG))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])


KINDS: dict[str, Callable[[], object]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
    "async": lambda: asyncio.run(in_async_sqlite()),
}


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(item).__qualname__ for item in gc.get_objects())


def main(name: str) -> None:
    fastgraph.patch()
    for _ in range(WARM_UP):  # what is made once is made now
        KINDS[name]()
    before, blocks, counted = kinds(), sys.getallocatedblocks(), sys.getrefcount(None)
    half = before
    for number in range(ROUNDS):
        if number == ROUNDS // 2:
            half = kinds()
        KINDS[name]()
    after, blocks_after, counted_after = kinds(), sys.getallocatedblocks(), sys.getrefcount(None)
    report = {
        "grown": {
            each: number - before[each]
            for each, number in after.items()
            # In both halves: what an interpreter makes once, it makes in one of them.
            if min(number - half[each], half[each] - before[each]) >= ROUNDS // 2
        },
        "blocks per round": (blocks_after - blocks) / ROUNDS,
        "references to None per round": (counted_after - counted) / ROUNDS,
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
