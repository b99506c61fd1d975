"""What generated flows do not have: length, depth, hostile memories, nodes that are not trusted."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import itertools
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastgraph
from fastgraph.adapters import FRAMEWORKS

if (why_not := FRAMEWORKS["brainyflow"].why_not) is not None:
    pytest.skip(f"brainyflow: {why_not}", allow_module_level=True)

import brainyflow as bf

from fastgraph.adapters.brainyflow.node_classes import NodeClass

ISOLATED = Path(__file__).parents[1] / "isolated"


@pytest.fixture
def patched() -> Iterator[None]:
    with fastgraph.patched(frameworks=["brainyflow"], strict=True):
        yield


@pytest.fixture(params=["stock", "patched"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "stock":
        yield "stock"
    else:
        with fastgraph.patched(frameworks=["brainyflow"], strict=True):
            yield "patched"


class Count(bf.Node):
    async def prep(self, memory: Any) -> int:
        return memory.count

    async def exec(self, count: int) -> int:
        return count + 1

    async def post(self, memory: Any, count: int, more: int) -> None:
        memory.count = more


def chained(nodes: list[Any]) -> Any:
    for before, after in itertools.pairwise(nodes):
        before >> after
    return nodes[0]


@pytest.mark.parametrize("flow", [bf.Flow, bf.ParallelFlow])
def test_a_chain_that_stock_overflows_on(flow: Any, patched: None) -> None:
    length = 10_000 if flow is bf.Flow else 100
    store = {"count": 0}
    tree = asyncio.run(flow(chained([Count() for _ in range(length)])).run(store))
    depth = 0
    while tree is not None:
        depth += 1
        tree = tree["triggered"]["default"][0] if tree["triggered"] else None
    assert (store["count"], depth) == (length, length)


def test_a_long_chain_of_nodes_that_look_around(patched: None) -> None:
    class Looks(Count):
        async def post(self, memory: Any, count: int, more: int) -> None:
            memory.seen = [*memory.seen, len(self.successors)]
            memory.count = more

    store: dict[str, Any] = {"count": 0, "seen": []}
    asyncio.run(bf.Flow(chained([Looks() for _ in range(500)])).run(store))
    assert store["seen"] == [1] * 499 + [0]


def test_a_long_chain_is_cloned(patched: None) -> None:
    clone = chained([Count() for _ in range(20_000)]).clone()
    for _ in range(19_999):
        [clone] = clone.successors["default"]
    assert clone.successors == {}


def test_nothing_is_kept(patched: None) -> None:
    kept: list[Any] = []

    class Kept(Count):
        async def post(self, memory: Any, count: int, more: int) -> None:
            kept.append(weakref.ref(self))
            if more < 5:
                self.trigger("again", {"x": [more]})
            memory.count = more

    node = Kept()
    node - "again" >> node
    asyncio.run(bf.Flow(node).run({"count": 0}))
    gc.collect()
    assert len(kept) == 5
    assert [ref() for ref in kept] == [None] * 5


def test_flows_in_flows_without_end_are_no_crash() -> None:
    done = subprocess.run(
        [sys.executable, str(ISOLATED / "brainyflow_deep.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "RecursionError\n"), done.stderr


def memory_of(local: Any, shared: Any) -> Any:
    memory = bf.Memory(shared)
    object.__setattr__(memory, "_local", local)
    return memory


class Odd(dict[str, Any]):
    def __contains__(self, key: object) -> bool:
        return key != "hidden" and super().__contains__(key)


@pytest.mark.parametrize("make", [dict, Odd])
@pytest.mark.parametrize("key", ["a", "b", "x", "hidden", "global", "_local", "clone", 1, [], None])
def test_memory_access(make: Any, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> list[Any]:
        found = []
        for act in (
            lambda memory: memory[key],
            lambda memory: getattr(memory, key),
            lambda memory: key in memory,
            lambda memory: memory.__setitem__(key, 5),
            lambda memory: setattr(memory, key, 6),
            lambda memory: memory.__delitem__(key),
            lambda memory: delattr(memory, key),
            lambda memory: memory.clone({"b": 3, "__orig_class__": 4}),
            lambda memory: memory.local[key],
        ):
            memory = memory_of(make(a=1, hidden=2), make(a=3, b=4, hidden=5))
            try:
                result = act(memory)
            except Exception as error:
                result = (type(error), str(error))
            if inspect.ismethod(result):
                result = result.__name__
            if isinstance(result, bf.Memory):
                result = (result._local, type(result))
            found.append((result, memory._local, memory._global))
        return found

    stock = everything()
    with fastgraph.patched(frameworks=["brainyflow"], strict=True):
        assert repr(everything()) == repr(stock)


def test_half_a_memory_recurses_as_upstreams_does(engine: str) -> None:
    with pytest.raises(RecursionError):
        copy.copy(bf.Memory({}))
    with pytest.raises(RecursionError):
        _ = bf.Memory.__new__(bf.Memory).anything


def test_an_error_names_the_stores(engine: str) -> None:
    for shared, said in (({}, "store"), ({"a": 1}, "stores")):
        with pytest.raises(AttributeError, match=f"^Key 'x' not found in {said}$"):
            _ = bf.Memory(shared).x


def test_methods_stay_coroutine_functions(patched: None) -> None:
    assert inspect.iscoroutinefunction(bf.Flow.exec_runner)
    assert inspect.iscoroutinefunction(bf.Flow.run_node)


def test_a_warning_is_given_once_per_place(engine: str, recwarn: pytest.WarningsRecorder) -> None:
    class Lost(bf.Node):
        async def post(self, memory: Any, prepared: Any, done: Any) -> None:
            self.trigger("nowhere")

    node = Lost()
    node >> Lost()
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        vars(bf).pop("__warningregistry__", None)
        flow = bf.Flow(node)
        for _ in range(3):
            asyncio.run(flow.run({}))
    [warning] = caught
    assert "Action 'nowhere' not found" in str(warning.message)
    assert warning.filename == bf.__file__
    assert (
        "get_next_nodes(action)" in Path(bf.__file__).read_text().splitlines()[warning.lineno - 1]
    )


def test_a_warning_as_an_error(engine: str) -> None:
    class Lost(bf.Node):
        async def post(self, memory: Any, prepared: Any, done: Any) -> None:
            self.trigger("nowhere")

    node = Lost()
    node >> Lost()
    with pytest.raises(UserWarning, match="Flow ends for node Lost#"):
        asyncio.run(bf.Flow(node).run({}))


def test_cancelling_a_run(engine: str) -> None:
    seen: list[object] = []

    class Waits(bf.Node):
        async def exec(self, prepared: Any) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                await asyncio.sleep(0)
                raise

    async def cancelled() -> None:
        task = asyncio.ensure_future(bf.ParallelFlow(chained([bf.Node(), Waits()])).run({}))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert seen == ["cancelled"]


def test_a_class_that_changes_is_seen(patched: None) -> None:
    class Changes(bf.Node):
        async def exec(self, prepared: Any) -> str:
            return "first"

        async def post(self, memory: Any, prepared: Any, done: str) -> None:
            memory.done = done

    flow, store = bf.Flow(Changes()), {}
    asyncio.run(flow.run(store))

    async def exec_(self: Any, prepared: Any) -> int:
        return len(self.successors)

    Changes.exec = exec_  # type: ignore[method-assign, assignment]
    before = dict(store)
    asyncio.run(flow.run(store))
    assert (before["done"], store["done"]) == ("first", 0)
    assert not NodeClass(Changes).own_view


def helper(node: Any) -> int:
    return len(node.successors)


class Sees:
    """Methods, each of them as a node's `exec`, and whether they see more than their node."""

    async def augments(self, x: Any) -> None:
        self.a += x if x else await asyncio.sleep(0, 1)
        self.b[x] += 1
        self.c.append(self.a)

    async def compares(self, x: Any) -> bool:
        return self.a == x and (self.b or self.c) is not None

    async def calls(self, x: Any) -> Any:
        return self.augments_itself() + x

    def augments_itself(self) -> int:
        self.a -= 1
        return int(self.a)

    async def triggers(self, x: Any) -> None:
        self.trigger("default", {"x": self.a})

    async def names_its_class(self, x: Any) -> None:
        return [self.a for _ in range(3)] and None

    SAFE = (augments, compares, calls, triggers)

    async def successors_(self, x: Any) -> None:
        print(self.successors)

    async def helps(self, x: Any) -> None:
        helper(self)

    async def returns(self, x: Any) -> Any:
        return self

    async def renames(self, x: Any) -> None:
        me = self
        me.a = 1

    async def either(self, x: Any) -> Any:
        return (x if self.a else self).successors

    async def closes(self, x: Any) -> Any:
        return lambda: self.successors

    async def looks_at_frames(self, x: Any) -> Any:
        return locals()

    async def dicts(self, x: Any) -> Any:
        return self.__dict__

    async def hands_on_a_method(self, x: Any) -> Any:
        return self.augments_itself

    async def goes_on(self, x: Any) -> None:
        self.on("default", x)

    async def finds(self, x: Any) -> Any:
        return self.get_next_nodes()

    async def clones(self, x: Any) -> Any:
        return self.clone()

    async def walks(self, x: Any) -> Any:
        return (again := self) and again

    async def matches(self, x: Any) -> Any:
        match self:
            case object(successors=found):
                return found

    async def gathers(*both: Any) -> Any:
        return both[0].successors

    async def by_name(self, x: Any) -> Any:
        return getattr(self, "successors")  # noqa: B009

    async def sets_a_method(self, x: Any) -> None:
        self.exec = x  # type: ignore[attr-defined]

    UNSAFE = (
        successors_, helps, returns, renames, either, closes, looks_at_frames, dicts,
        hands_on_a_method, goes_on, finds, clones, walks, matches, gathers, by_name, sets_a_method,
    )  # fmt: skip


def node_class(method: Any) -> type:
    body = {"exec": method, "augments_itself": Sees.augments_itself}
    return type("Made", (bf.Node,), body)


@pytest.mark.parametrize("method", Sees.SAFE, ids=lambda method: method.__name__)
def test_methods_that_see_only_their_node(method: Any, patched: None) -> None:
    assert NodeClass(node_class(method)).own_view


@pytest.mark.parametrize("method", Sees.UNSAFE, ids=lambda method: method.__name__)
def test_methods_that_may_see_more(method: Any, patched: None) -> None:
    assert not NodeClass(node_class(method)).own_view


def test_super_is_followed(patched: None) -> None:
    class Calls(Count):
        async def exec(self, count: int) -> int:
            return 1 + await super().exec(count)

    class Looks(Count):
        async def exec(self, count: int) -> int:
            return len(self.successors)

    class CallsLooks(Looks):
        async def exec(self, count: int) -> int:
            return await super().exec(count)

    assert NodeClass(Calls).own_view
    assert not NodeClass(CallsLooks).own_view


@pytest.mark.parametrize(
    "body",
    [
        {"__setattr__": lambda self, name, value: object.__setattr__(self, name, value)},
        {"__getattr__": lambda self, name: 1},
        {"__del__": lambda self: None},
        {"__eq__": lambda self, other: self is other, "__hash__": lambda self: 1},
        {"__bool__": lambda self: True},
        {"__new__": lambda cls: object.__new__(cls)},
        {"shown": property(lambda self: 1)},
    ],
    ids=lambda body: next(iter(body)),
)
def test_classes_whose_copies_are_noticed(body: Any, patched: None) -> None:
    assert not NodeClass(type("Made", (Count,), body)).own_view


class Lends(bf.Node):
    """Hands its list to others, and is met again."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        memory.seen.append(list(self.kept))
        memory.lent = self.kept
        if len(memory.seen) < 4:
            self.trigger("on")


class Borrows(bf.Node):
    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        memory.lent.append(len(memory.seen))


def test_what_others_do_to_a_list_is_not_seen_by_its_node(engine: str) -> None:
    lends, borrows = Lends(), Borrows()
    lends - "on" >> borrows
    borrows >> lends
    store: dict[str, Any] = {"seen": []}
    asyncio.run(bf.Flow(lends).run(store))
    assert store["seen"] == [[], [], [], []]
    assert lends.kept == []


class Tells(bf.Node):
    """Says how often it ran, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.kept: list[int] = []

    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        self.count += 1
        self.kept.append(self.count)
        memory.seen.append((self.count, len(self.kept), "x" in memory.local))
        memory.x = 0


class Twice(bf.Node):
    async def post(self, memory: Any, prepared: Any, done: Any) -> None:
        self.trigger("on", {"x": 1})
        self.trigger("on", {"x": 2})


@pytest.mark.parametrize("flow", [bf.Flow, bf.ParallelFlow])
def test_a_node_that_is_triggered_twice_starts_anew(flow: Any, engine: str) -> None:
    start, first, second = Twice(), Tells(), Tells()
    start - "on" >> first
    start - "on" >> second
    first >> Tells()
    store: dict[str, Any] = {"seen": []}
    asyncio.run(flow(start).run(store))
    assert sorted(store["seen"]) == [(1, 1, False)] * 2 + [(1, 1, True)] * 4


def test_what_others_see_of_a_clone_is_in_upstreams_order(engine: str) -> None:
    class Looks(Count):
        async def post(self, memory: Any, prepared: Any, done: Any) -> None:
            [after] = self.successors["default"]
            memory.seen = [list(vars(self))[-1], list(vars(after))[-1]]

    store: dict[str, Any] = {"count": 0}
    asyncio.run(bf.Flow(chained([Count(), Looks(), Count()])).run(store))
    assert store["seen"] == ["successors", "successors"]


def test_an_error_of_post_is_not_one_of_exec(engine: str) -> None:
    class Fails(Count):
        async def post(self, memory: Any, count: int, more: int) -> None:
            await asyncio.sleep(0)
            raise ValueError("late")

    with pytest.raises(ValueError, match="late") as raised:
        asyncio.run(bf.Flow(Fails()).run({"count": 0}))
    assert not hasattr(raised.value, "retry_count")


def test_a_run_that_cannot_be_awaited(engine: str) -> None:
    class Nothing(bf.Node):
        def run(self, memory: Any, propagate: bool = False) -> None:  # type: ignore[override]
            return None

    with pytest.raises(TypeError, match="NoneType can't be used in 'await' expression"):
        asyncio.run(bf.Flow(Nothing()).run({}))


def test_successors_that_change_while_they_are_cloned(engine: str) -> None:
    before = bf.Node()

    class Adds(bf.Node):
        def clone(self, seen: Any = None) -> Any:
            before.on(f"more {len(before.successors)}", bf.Node())
            return super().clone(seen)

    before >> Adds()
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        asyncio.run(bf.Flow(before).run({}))


def test_a_class_that_gets_a_property_is_seen(engine: str) -> None:
    class Plain(Count):
        def __init__(self) -> None:
            super().__init__()
            self.shown = 1

    flow = bf.Flow(Plain())
    asyncio.run(flow.run({"count": 0}))
    Plain.shown = property(lambda self: 2)  # type: ignore[assignment]
    with pytest.raises(AttributeError, match="has no setter"):
        asyncio.run(flow.run({"count": 0}))


def test_a_class_that_gets_another_base_is_seen(engine: str) -> None:
    class First(Count):
        pass

    class Second(Count):
        async def exec(self, count: int) -> int:
            return count + len(self.successors) + 10

    class Changes(First):
        pass

    flow, store = bf.Flow(Changes()), {"count": 0}
    asyncio.run(flow.run(store))
    Changes.__bases__ = (Second,)
    asyncio.run(flow.run(store))
    assert store["count"] == 11


def test_a_class_that_changes_between_its_methods(engine: str) -> None:
    class Changes(Count):
        async def prep(self, memory: Any) -> int:
            Changes.exec = changed  # type: ignore[method-assign, assignment]
            return memory.count

    async def changed(self: Any, count: int) -> int:
        return count + 10 + len(self.successors)

    store: dict[str, Any] = {"count": 0}
    asyncio.run(bf.Flow(chained([Changes(), Count()])).run(store))
    assert store["count"] == 12
