#!/usr/bin/env python
"""Compare generated BrainyFlow programs, stock against patched.

A seed makes a program: a graph of nodes, with loops, branches, flows in flows, gathered or one
after the other, whose nodes count, trigger with forked data, wait, fail, are tried again, keep and
hand on what is theirs, look at their neighbours, and override what upstream lets them. It is run on
both engines; all that a user can see has to be the same: the tree or the error, what the nodes
saw, in which turn of the event loop and in which task, the memory, the warnings, and the nodes that
the program was made of.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import itertools
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brainyflow as bf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import fastgraph

ACTIONS = ("default", "left", "right", "nowhere", "", None)


class World:
    """What one run of a program leaves behind."""

    def __init__(self) -> None:
        self.trace: list[Any] = []
        self.turn = 0
        self.first_task = 0
        self.background: list[asyncio.Task[None]] = []

    def note(self, *facts: object) -> None:
        try:
            task = asyncio.current_task()
        except RuntimeError:  # while the program is made
            task = None
        number = None if task is None else number_of(task) - self.first_task
        self.trace.append((self.turn, number, *map(plain, facts)))


world = World()


def number_of(task: asyncio.Task[Any]) -> int:
    """Tell how many tasks were made before this one."""
    return int(task.get_name().rpartition("-")[2])


class Thing:
    """A value whose copying is noticed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __deepcopy__(self, memo: dict[int, Any]) -> Thing:
        world.note("copied", self.number)
        return Thing(self.number + 1)


class FailureError(Exception):
    pass


def plain(value: Any, depth: int = 6) -> Any:
    """Say of a value what does not depend on where it lies in memory."""
    if depth == 0:
        return "..."
    if isinstance(value, bf.BaseNode):
        return ("node", vars(value).get("name"))
    if isinstance(value, bf.Memory):
        return ("memory", plain(value._local, depth - 1))
    if isinstance(value, Thing):
        return ("thing", value.number)
    if isinstance(value, BaseException):
        return failure(value)
    if isinstance(value, dict):
        return [(plain(key, depth - 1), plain(held, depth - 1)) for key, held in value.items()]
    if isinstance(value, (list, tuple)):
        return [plain(held, depth - 1) for held in value]
    if isinstance(value, set):
        return sorted(map(repr, value))
    return value.__qualname__ if callable(value) else repr(value)


def failure(error: BaseException | None) -> Any:
    if error is None:
        return None
    return (
        type(error).__name__,
        str(error),
        getattr(error, "retry_count", None),
        failure(error.__context__),
        failure(error.__cause__),
        error.__suppress_context__,
    )


class Act(bf.Node):
    """Does what its script says; uses nothing of itself but attributes."""

    def __init__(self, name: str, script: tuple[tuple[Any, ...], ...], **retry: Any) -> None:
        super().__init__(**retry)
        self.name = name
        self.script = script
        self.count = 0
        self.kept: list[Any] = []
        self.notes: dict[str, Any] = {}
        self.seen: set[int] = set()

    async def prep(self, memory: Any) -> Any:
        world.note("prep", self.name, self.count, self.kept, self.notes, self.cur_retry, memory)
        world.note("has seen", self.seen, self._triggers, self._locked)
        for step in self.script:
            if step[0] == "wait":
                for _ in range(step[1]):
                    await asyncio.sleep(0)
            elif step[0] == "fail early" and self.count >= step[1]:
                raise FailureError(self.name)
        return (self.name, self.count)

    async def exec(self, prepared: Any) -> Any:
        self.count += 1
        self.seen.add(self.count)
        for step in self.script:
            if step[0] == "fail" and self.cur_retry < step[1]:
                world.note("fails", self.name, self.cur_retry, sys.exc_info()[0] is None)
                raise FailureError(f"{self.name} {self.cur_retry}")
        return self.count

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        world.note("post", self.name, prepared, done)
        for step in self.script:
            kind = step[0]
            if kind == "set":
                memory[step[1]] = self.count
            elif kind == "add":
                memory.total = memory.total + 1 if "total" in memory else 0
            elif kind == "log":
                memory.log.append(self.name)
            elif kind == "delete" and step[1] in memory:
                del memory[step[1]]
            elif kind == "missing":
                try:
                    world.note("missing", memory[step[1]], getattr(memory, step[1], "none"))
                except KeyError as error:
                    world.note("missing", error)
            elif kind == "keep":
                self.kept.append(step[1])
                self.notes["last"] = step[1]
            elif kind == "nest":
                self.notes["nested"] = [self.count, [self.name]]
            elif kind == "lend":
                memory.lent = self.kept
                memory.lent_notes = self.notes
                memory.lent_seen = self.seen
            elif kind == "borrow" and "lent" in memory:
                memory.lent.append(self.name)
                memory.lent_notes[self.name] = self.count
                memory.lent_seen.add(-self.count)
            elif kind == "grow" and step[1] in memory and isinstance(memory[step[1]], list):
                memory[step[1]].append(self.name)
                if isinstance(memory[step[1]][0], list):
                    memory[step[1]][0].append(self.count)
            elif kind == "thing":
                self.kept.append(Thing(self.count))
            elif kind == "memory":
                self.held = memory
            elif kind == "old memory" and "held" in memory:
                memory.held.shared = self.name
            elif kind == "trigger" and self.count <= step[3]:
                self.trigger(step[1], copy.copy(step[2]))
            elif kind == "fork" and self.count <= 2:
                for number in range(step[2]):
                    self.trigger(step[1], {**step[3], "number": number})
            elif kind == "trigger thing":
                self.trigger(step[1], {"thing": Thing(0)})
            elif kind == "fail late" and self.count >= step[1]:
                raise FailureError(f"late {self.name}")
            elif kind == "background":
                world.background.append(asyncio.ensure_future(self.later()))
            elif kind == "wait after":
                for _ in range(step[1]):
                    await asyncio.sleep(0)

    async def later(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            self.count += 100
            self.kept.append("later")


class Caught(Act):
    """Falls back, with or without another error."""

    async def exec_fallback(self, prepared: Any, error: Exception) -> Any:
        world.note("fallback", self.name, error, sys.exc_info()[0])
        await asyncio.sleep(0)
        world.note("fallback", sys.exc_info()[0])
        if ("no way", 1) in self.script:
            raise KeyError(self.name)
        return "fallen back"


class Looks(Act):
    """Looks at its neighbours, and changes them."""

    async def prep(self, memory: Any) -> Any:
        around = [node for nodes in self.successors.values() for node in nodes if node]
        world.note("looks", [node.name for node in around], [node is self for node in around])
        world.note("sees", [getattr(node, "count", None) for node in around])
        for node in around:
            node.touched = getattr(node, "touched", 0) + 1
        return await super().prep(memory)


class Leaks(Act):
    """Gives itself away, and the one before too."""

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        if "leaked" in memory:
            world.note("leaked", memory.leaked.count, memory.leaked is self)
            memory.leaked.count += 10
            memory.leaked.kept.append("leaked")
        memory.leaked = self
        await super().post(memory, prepared, done)


class Calls(Act):
    """Calls methods of its own."""

    def doubled(self) -> int:
        return self.count * 2

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        self.count += self.doubled() % 3
        await super().post(memory, prepared, done)


class Stored(Act):
    """Keeps a method where others find it."""

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        memory.method = self.later
        await super().post(memory, prepared, done)
        if "method" in memory:
            await memory.method()


class Runs(Act):
    async def run(self, memory: Any, propagate: bool = False) -> Any:
        world.note("run", self.name, propagate)
        return await super().run(memory, propagate)


class Tries(Act):
    async def exec_runner(self, memory: Any, prepared: Any) -> Any:
        world.note("exec_runner", self.name)
        return await super().exec_runner(memory, prepared)


class Clones(Act):
    def clone(self, seen: Any = None) -> Any:
        world.note("clone", self.name, None if seen is None else len(seen))
        return super().clone(seen)


class Lists(Act):
    def list_triggers(self, memory: Any) -> Any:
        return [*super().list_triggers(memory), ("left", memory.clone({"listed": self.name}))]


class Finds(Act):
    def get_next_nodes(self, action: Any = "default") -> Any:
        world.note("next", self.name, action)
        return super().get_next_nodes(action)


class Sets(Act):
    def __setattr__(self, name: str, value: Any) -> None:
        if name == "count":
            world.note("sets", name, value)
        super().__setattr__(name, value)


class Shows(Act):
    calls = 0

    @property
    def shown(self) -> int:
        return len(self.successors)

    async def exec(self, prepared: Any) -> Any:
        Shows.calls += 1
        world.note("shown", self.shown, Shows.calls)
        return await super().exec(prepared)


class Bare(bf.Node):
    """Nothing but upstream's methods."""

    def __init__(self, name: str, script: Any, **retry: Any) -> None:
        super().__init__(**retry)
        self.name = name


class NotAsync(Act):
    def exec(self, prepared: Any) -> Any:  # type: ignore[override]
        return 5


class Watched(bf.Flow):
    async def run_node(self, node: Any, memory: Any) -> Any:
        world.note("run_node", getattr(node, "name", None))
        return await super().run_node(node, memory)


class Posts(bf.Flow):
    async def prep(self, memory: Any) -> Any:
        memory.flows = memory.flows + 1 if "flows" in memory else 1

    async def post(self, memory: Any, prepared: Any, tree: Any) -> None:
        world.note("flow", tree, self._triggers, self.visit_counts)
        self.trigger("left", {"of": "flow"})


class Reversed(bf.Flow):
    async def run_tasks(self, tasks: Any) -> Any:
        results = [await task() for task in reversed(tasks)]
        return results[::-1]


PLAIN = (Act, Act, Act, Act, Bare, Caught, Calls)
OTHERS = (
    Looks, Leaks, Stored, Runs, Tries, Clones, Lists, Finds, Sets, Shows, NotAsync,
)  # fmt: skip
FLOWS = (bf.Flow, bf.Flow, bf.ParallelFlow, bf.ParallelFlow, Posts, Watched, Reversed)


class Maker:
    """Makes the program of a seed, the same each time."""

    FORKED = ({"a": "local"}, {"x": [1]}, {"a": 2, "list": [[2]]})

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = (f"n{number}" for number in itertools.count())
        self.nodes: list[Any] = []
        # Most programs have no nodes that leave the compiled path.
        self.odd = self.random.choice((0.0, 0.0, 0.1, 0.3))
        self.loops = self.random.choice((0.0, 0.1, 0.3))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def flow(self, depth: int = 0) -> Any:
        nodes = [self.node(depth) for _ in range(self.random.randint(1, 7))]
        for index, node in enumerate(nodes):
            action = self.action()
            for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
                # Often several nodes follow upon the same action.
                action = action if self.chance(0.3) else self.action()
                back = self.chance(self.loops)
                among = nodes[: index + 1] if back else nodes[index + 1 :]
                if among:
                    node.on(action, self.random.choice(among))
            if self.chance(0.01):
                node.on("default", None)
        if len(nodes) > 1 and self.chance(0.2):
            self.lend(*self.random.sample(nodes, 2))
        leading = [node for node in nodes if node.successors and hasattr(node, "script")]
        if leading and self.chance(0.3):
            node = self.random.choice(leading)
            action = self.random.choice(list(node.successors))
            node.script += (("fork", action, 2, self.random.choice(self.FORKED)),)
        options = {"max_visits": self.random.randint(1, 6)} if self.chance(0.8) else None
        kind = self.random.choice(FLOWS if depth or self.chance(0.5) else FLOWS[:4])
        flow = kind(nodes[0], options)
        flow.name = next(self.names)
        self.nodes.append(flow)
        return flow

    def lend(self, lender: Any, borrower: Any) -> None:
        """Have a node change what another one has lent it, and lead back to that one."""
        lends, borrows = getattr(lender, "script", None), getattr(borrower, "script", None)
        if lends is None or borrows is None:
            return
        keeps = (("keep", self.random.randint(0, 9)),) if self.chance(0.5) else ()
        lender.script = (*lends, *keeps, ("lend",))
        borrower.script = (*borrows, ("borrow",))
        action = self.action()
        lender.on(action, borrower)
        if action not in ("default", None, ""):
            lender.script += (("trigger", action, None, 3),)
        borrower.on("default", lender)

    def action(self) -> Any:
        return self.random.choice(("default", "default", "left", "right", "", None))

    def node(self, depth: int) -> Any:
        if depth < 2 and self.chance(0.1):
            return self.flow(depth + 1)
        kind = self.random.choice(OTHERS if self.chance(self.odd) else PLAIN)
        retry: dict[str, Any] = {}
        if self.chance(0.2):
            retry = {"max_retries": self.random.randint(0, 3)}
        node: Any = kind(next(self.names), self.script(), **retry)
        if self.chance(0.02):
            node.held = self.random.choice([[Thing(1)], {"thing": Thing(2)}, [node], {1: [2]}])
        if self.chance(0.01):
            node.exec = shadowing
        if self.chance(0.02) and self.nodes:
            node._node_order = self.random.choice(self.nodes)._node_order
        self.nodes.append(node)
        return node

    def script(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(self.step() for _ in range(self.random.choice((0, 1, 2, 3, 4))))

    def step(self) -> tuple[Any, ...]:
        pick = self.random
        step: Callable[[], tuple[Any, ...]] = pick.choice(
            (
                lambda: ("wait", pick.randint(1, 3)),
                lambda: ("wait after", pick.randint(1, 3)),
                lambda: ("set", pick.choice(("a", "b", "c"))),
                lambda: ("add",),
                lambda: ("log",),
                lambda: ("delete", pick.choice(("a", "b", "x"))),
                lambda: ("missing", pick.choice(("a", "x", "zzz"))),
                lambda: ("keep", pick.randint(0, 9)),
                lambda: ("nest",),
                lambda: ("lend",),
                lambda: ("borrow",),
                lambda: ("grow", pick.choice(("x", "list", "log"))),
                lambda: ("fork", self.action(), pick.randint(2, 3), pick.choice(self.FORKED)),
                self.trigger,
                self.trigger,
                self.trigger,
                self.rare,
            )
        )
        return step()

    def trigger(self) -> tuple[Any, ...]:
        data = self.random.choice(
            (None, {"x": self.random.randint(0, 9)}, {"x": [1], "a": "local"}, {"list": [[2]]})
        )
        return ("trigger", self.random.choice(ACTIONS), data, self.random.randint(1, 4))

    def rare(self) -> tuple[Any, ...]:
        pick = self.random
        return pick.choice(
            (
                ("fail", pick.randint(1, 2)),
                ("fail early", pick.randint(0, 3)),
                ("fail late", pick.randint(1, 3)),
                ("set", "global"),
                ("no way", 1),
                ("thing",),
                ("memory",),
                ("old memory",),
                ("background",),
                ("trigger thing", pick.choice(ACTIONS)),
            )
        )


async def shadowing(prepared: Any) -> Any:
    world.note("shadowing", prepared)
    return "shadowed"


def made(seed: int) -> tuple[Any, list[Any], dict[str, Any]]:
    maker = Maker(seed)
    bf.BaseNode._next_id = 0
    flow = maker.flow()
    return flow, maker.nodes, {"log": [], "a": 1}


async def ticking() -> None:
    while True:
        await asyncio.sleep(0)
        world.turn += 1


async def ran(flow: Any, store: dict[str, Any]) -> Any:
    current = asyncio.current_task()
    assert current is not None
    world.first_task = number_of(current)
    clock = asyncio.ensure_future(ticking())
    try:
        return ("tree", plain(await flow.run(store), 60))
    except RecursionError:
        raise
    except Exception as error:
        return ("error", failure(error))
    finally:
        # What was left running ends, so that it is compared too.
        for _ in range(40):
            await asyncio.sleep(0)
        clock.cancel()
        others = [task for task in asyncio.all_tasks() if task not in (current, clock)]
        for result in await asyncio.gather(*others, return_exceptions=True):
            world.note("left over", result)


def observed(seed: int, runs: int = 2) -> list[Any]:
    """Run the program of a seed, some times in a row on the same nodes."""
    global world
    Shows.calls, world = 0, World()
    flow, nodes, store = made(seed)
    seen: list[Any] = []
    for _ in range(runs):
        world = World()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            result = asyncio.run(ran(flow, store))
        seen.append(result)
        seen.append(world.trace)
        seen.append([(str(each.message), each.filename, each.lineno) for each in warned])
        seen.append(plain(store))
        seen.append([plain(vars(node)) for node in nodes])
    return seen


@contextmanager
def patched() -> Iterator[None]:
    with fastgraph.patched(frameworks=["brainyflow"], strict=True):
        yield


def difference(seed: int) -> str | None:
    """Say how a program differs between the engines, None if it does not or stock overflows."""
    try:
        stock = observed(seed)
    except RecursionError:
        return None
    with patched():
        ours = observed(seed)
    if stock == ours:
        return None
    return f"seed {seed}: {first_difference(stock, ours)}"


def first_difference(stock: Any, ours: Any) -> str:
    if isinstance(stock, (list, tuple)) and isinstance(ours, (list, tuple)):
        for index, (left, right) in enumerate(zip(stock, ours, strict=False)):
            if left != right:
                return f"[{index}] {first_difference(left, right)}"
        longer = stock if len(stock) > len(ours) else ours
        which = "stock" if longer is stock else "patched"
        return f"only {which} goes on with {longer[min(len(stock), len(ours))]!r}"
    return f"stock {stock!r}, patched {ours!r}"


def compare(first: int, programs: int, *, most: int = 10) -> list[str]:
    """Compare programs; the first differences."""
    found: list[str] = []
    for seed in range(first, first + programs):
        said = difference(seed)
        if said is not None:
            found.append(said)
            if len(found) == most:
                break
    return found


def fallbacks() -> dict[str, tuple[int, dict[str, int]]]:
    """How often replacements ran, so that a comparison of stock with stock is noticed."""
    status = fastgraph.status().only(["brainyflow"])
    return {target.name: (target.calls, target.fallbacks) for target in status.targets}


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--programs", type=int, default=20_000, help="how many seeds")
    parser.add_argument("--most", type=int, default=10, help="differences to stop at")
    options = parser.parse_args()
    found = compare(options.first, options.programs, most=options.most)
    for line in found:
        print(line)
    counted = fallbacks()
    runs, stock = counted["Flow.exec_runner"]
    print(
        f"{options.programs} programs from seed {options.first} compared, twice each, "
        f"{len(found)} differ; {runs} runs of flows patched, {sum(stock.values())} of them stock's"
    )
    return 1 if found or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
