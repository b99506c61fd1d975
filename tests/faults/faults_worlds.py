"""A graph in which every part that is a user's can fail at its nth call, and what is seen of it.

A run meets the fault; then the fault is gone, and the run is taken up until it ends. Both are
described: results, chunks, errors, what was called in which order, log records and warnings, and
every byte that is stored after each.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import operator
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from unittest import mock

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.channels import LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

import fastgraph
from fastgraph.verify.describing import Describer
from fastgraph.verify.hearing import hearing
from fastgraph.verify.stillness import stillness
from fastgraph.verify.stored import stored
from tools.differential.execution import WARNED
from tools.differential.savers import Watched
from tools.differential.virtual_time import VirtualTime

#: What was injected, by kind; the conftest reports it.
INJECTED: Counter[str] = Counter()
#: How often stock is asked again when it may differ from itself: its sync nodes are threads.
AGAIN = 12


class FaultError(Exception):
    """What fails, fails with this, if with nothing else."""


class HangError(Exception):
    """Says to a saver that it does not answer."""


class SlowError(Exception):
    """Says to a saver that it takes its time."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "error": lambda: FaultError("as planned"),
    "memory": MemoryError,
    "os": lambda: OSError(28, "No space left on device"),
    "cancelled": lambda: asyncio.CancelledError("by the user's code"),
    "keyboard": KeyboardInterrupt,
    "exit": lambda: SystemExit(3),
    "hang": HangError,
    "slow": SlowError,
}


class Fuse:
    """Counts the calls at each point, and fails at one of them."""

    def __init__(self, point: str | None = None, at: int = 0, error: str = "error") -> None:
        self.point, self.at, self.error = point, at, error
        self.calls: Counter[str] = Counter()
        self.noted: list[str] = []
        self.blown = False
        self.lock = threading.Lock()
        #: What is done in place of raising an error.
        self.action: Callable[[], None] | None = None

    def __call__(self, point: str, note: str = "") -> None:
        with self.lock:
            self.calls[point] += 1
            self.noted.append(f"{point} {note}")
            blows = not self.blown and point == self.point and self.calls[point] == self.at
            self.blown = self.blown or blows
        if blows and self.action is not None:
            self.action()
        elif blows:
            raise ERRORS[self.error]()

    def is_gone(self) -> None:
        self.point = None


#: The last one is asked, by whatever runs.
FUSES = [Fuse()]


def ask(point: str, note: str = "") -> None:
    FUSES[-1](point, note)


# What can fail


def heard(kind: str, method: str, *given: Any) -> None:
    """What a saver is called for, before it does that."""
    ask(f"{kind}.{method.removeprefix('a')}")


class Fragile(BaseModel):
    """A value that may not let itself be stored, or loaded."""

    number: int

    def model_dump(self, **options: Any) -> Any:
        ask("value.dump", str(self.number))
        return super().model_dump(**options)

    def __init__(self, **given: Any) -> None:
        ask("value.init", str(given))
        super().__init__(**given)


class Serializer(JsonPlusSerializer):
    def dumps_typed(self, obj: Any) -> Any:
        ask("serializer.dumps", type(obj).__name__)
        return super().dumps_typed(obj)

    def loads_typed(self, data: Any) -> Any:
        ask("serializer.loads", data[0])
        return super().loads_typed(data)


class OwnChannel(LastValue):  # type: ignore[type-arg]
    """A user's subclass of a channel."""

    __slots__ = ()

    def update(self, values: Any) -> bool:
        ask("channel.update", repr(values))
        return super().update(values)

    def checkpoint(self) -> Any:
        ask("channel.checkpoint")
        return super().checkpoint()

    def from_checkpoint(self, checkpoint: Any) -> Any:
        ask("channel.from_checkpoint")
        return super().from_checkpoint(checkpoint)

    def get(self) -> Any:
        ask("channel.get")
        return super().get()

    def finish(self) -> bool:
        ask("channel.finish")
        return super().finish()


class Saver(Watched):
    """A saver that may fail, hang or be slow."""


def _method(name: str) -> Any:
    plain = getattr(InMemorySaver, name[1:])

    async def call(self: Saver, *args: Any, **named: Any) -> Any:
        try:
            self.told(name, args)
        except HangError:
            await asyncio.sleep(10**6)
        except SlowError:
            await asyncio.sleep(1)
        return plain(self, *args, **named)

    return call


for each in ("aget_tuple", "aput", "aput_writes"):
    setattr(Saver, each, _method(each))


class Handler(BaseCallbackHandler):
    """A user's handler whose errors are the run's."""

    run_inline = True

    def __init__(self, raise_error: bool) -> None:
        self.raise_error = raise_error

    def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        ask("handler.start", str(told.get("name")))

    def on_chain_end(self, outputs: Any, **told: Any) -> None:
        ask("handler.end")

    def on_chain_error(self, error: BaseException, **told: Any) -> None:
        ask("handler.error", repr(error))


def appended(left: list[Any], right: list[Any]) -> list[Any]:
    ask("reducer", repr(right))
    return operator.add(left, right)


class State(TypedDict):
    n: int
    log: Annotated[list[str], appended]
    messages: Annotated[list[Any], add_messages]
    own: Annotated[str, OwnChannel(str)]
    value: Any


def plan(state: State) -> Any:
    ask("node.plan")
    n = state["n"] + 1
    get_stream_writer()(n)
    return {"n": n, "log": [f"plan {n}"], "own": f"own {n}", "value": Fragile(number=n)}


def work(given: Any) -> Any:
    ask("node.work", str(given))
    name = f"{given['n']}.{given['part']}"
    return {"log": [f"work {name}"], "messages": [AIMessage(name, id=name)]}


def join(state: State) -> Any:
    ask("node.join", str(len(state["log"])))
    return None


def question(state: State) -> Any:
    ask("node.question")
    return {"log": [f"answer {interrupt(state['n'])}"]}


def route(state: State) -> Any:
    ask("edge")
    return [Send("work", {"n": state["n"], "part": part}) for part in range(3)]


def again(state: State) -> str:
    ask("edge")
    return "plan" if state["n"] < 2 else "question"


def as_async(function: Any) -> Any:
    async def run(given: Any) -> Any:
        await asyncio.sleep(0)
        return function(given)

    run.__name__ = function.__name__
    return run


def graph(saver: Any, *, is_async: bool) -> Any:
    """Two rounds of a fan-out, then a question to the user."""
    of: Any = as_async if is_async else (lambda function: function)
    builder = StateGraph(State)
    for name, function in (("plan", plan), ("work", work), ("join", join)):
        builder.add_node(name, of(function))
    builder.add_node("question", of(question)).add_edge(START, "plan")
    builder.add_conditional_edges("plan", of(route), ["work"]).add_edge("work", "join")
    builder.add_conditional_edges("join", of(again), ["plan", "question"])
    return builder.add_edge("question", END).compile(checkpointer=saver)


def nested(saver: Any, *, is_async: bool) -> Any:
    """The same as a subgraph."""
    builder = StateGraph(State).add_node("inner", graph(None, is_async=is_async))
    return builder.add_edge(START, "inner").add_edge("inner", END).compile(checkpointer=saver)


def functional(saver: Any, *, is_async: bool) -> Any:
    """An entrypoint that calls tasks."""

    @task
    def double(n: int) -> Any:
        return {"n": n * 2, "log": work({"n": n, "part": 0})["log"]}

    @task
    async def adouble(n: int) -> Any:
        await asyncio.sleep(0)
        return double.func(n)  # type: ignore[attr-defined]

    def ended(results: list[Any], previous: Any) -> Any:
        log = [line for each in results for line in each["log"]]
        return {"n": len(log), "log": [*((previous or {}).get("log") or []), *log]}

    if is_async:

        @entrypoint(checkpointer=saver)
        async def arun(given: Any, *, previous: Any = None) -> Any:
            ask("node.plan")
            return ended(await asyncio.gather(*[adouble(n) for n in range(3)]), previous)

        return arun

    @entrypoint(checkpointer=saver)
    def run(given: Any, *, previous: Any = None) -> Any:
        ask("node.plan")
        return ended([double(n).result() for n in range(3)], previous)

    return run


GRAPHS: dict[str, Any] = {"graph": graph, "nested": nested, "functional": functional}
GIVEN: Any = {"n": 0, "log": ["input"], "messages": [HumanMessage("hello", id="human")]}


@dataclass(frozen=True)
class Case:
    """What is run, and what happens to it."""

    graph: str = "graph"
    is_async: bool = False
    durability: str = "sync"
    mode: str | None = None
    handler: bool | None = None
    serializer: bool = False
    concurrency: int | None = None
    point: str | None = None
    at: int = 0
    error: str = "error"
    #: The turns of the event loop, of the run's beginning, in which it is cancelled.
    cancelled: tuple[int, ...] = ()
    #: Seconds after which the consumer gives up.
    timeout: float | None = None


class World:
    """One case on the engine that is in place."""

    def __init__(self, case: Case, saver: Any = None) -> None:
        self.case = case
        self.fuse = Fuse(case.point, case.at, case.error)
        serde = Serializer() if case.serializer else None
        self.saver = saver if saver is not None else Saver(heard)
        if serde is not None:
            self.saver.serde = serde
        self.graph = GRAPHS[case.graph](self.saver, is_async=case.is_async)
        self.describe = Describer()
        self.turns: int | None = 0

    def config(self) -> Any:
        config: dict[str, Any] = {"configurable": {"thread_id": "1"}}
        if self.case.handler is not None:
            config["callbacks"] = [Handler(self.case.handler)]
        if self.case.concurrency is not None:
            config["max_concurrency"] = self.case.concurrency
        return config

    def options(self) -> Any:
        options: dict[str, Any] = {"durability": self.case.durability}
        if self.case.mode is not None:
            options["stream_mode"] = self.case.mode
        return options

    # Sync

    def run(self, given: Any, chunks: list[Any]) -> Any:
        if self.case.mode is None:
            return self.graph.invoke(given, self.config(), **self.options())
        for chunk in self.graph.stream(given, self.config(), **self.options()):
            chunks.append(self.describe(chunk))
        return None

    def phase(self, given: Any) -> Any:
        chunks: list[Any] = []
        try:
            if self.case.is_async:
                ended = self.on_loop(lambda: self.arun(given, chunks))
            else:
                ended = self.run(given, chunks)
        except BaseException as error:
            said = self.describe.error(error)
            error.__traceback__ = None
            return ["error", said, chunks]
        return ["ended", self.describe(ended), chunks]

    def state(self) -> Any:
        if self.case.is_async:
            return self.on_loop(lambda: self.graph.aget_state(self.config()))
        return self.graph.get_state(self.config())

    # Async

    async def arun(self, given: Any, chunks: list[Any]) -> Any:
        if self.case.mode is None:
            return await self.graph.ainvoke(given, self.config(), **self.options())
        stream = self.graph.astream(given, self.config(), **self.options())
        async with contextlib.aclosing(stream):
            async for chunk in stream:
                chunks.append(self.describe(chunk))
        return None

    def on_loop(self, begin: Callable[[], Any]) -> Any:
        """Run on a loop of virtual time, to the end of all that was begun."""
        virtual = VirtualTime(ticks=True)
        loop = virtual.loop

        async def watched() -> Any:
            if self.cancels and self.case.timeout is not None:
                return await asyncio.wait_for(begin(), self.case.timeout)
            running = asyncio.ensure_future(begin())
            for count in range(max(self.case.cancelled, default=-1) + 1 if self.cancels else 0):
                if running.done():
                    break
                if count in self.case.cancelled:
                    self.fuse.blown = True
                    running.cancel(f"in turn {count}")
                await asyncio.sleep(0)
            return await running

        with mock.patch("time.monotonic", loop.time):
            asyncio.set_event_loop(loop)
            try:
                return loop.run_until_complete(watched())
            finally:
                self.turns = virtual.turn
                virtual.stop_ticking()
                left = asyncio.all_tasks(loop)
                for each in left:
                    each.cancel()
                for _ in range(5):
                    with contextlib.suppress(BaseException):
                        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
                loop.run_until_complete(loop.shutdown_asyncgens())
                asyncio.set_event_loop(None)
                loop.close()

    # Both phases

    cancels = False

    def relief(self) -> None:
        """End the fault, where that takes something."""

    def taken_up(self) -> Iterator[Any]:
        """Take the run up until that changes nothing: what is pending is not in `next`."""
        before = None
        for _ in range(6):
            state = self.state()
            id = state.config["configurable"].get("checkpoint_id")
            place = (id, len(state.interrupts))
            if id is not None and place == before:
                return
            before = place
            given = GIVEN if id is None else None
            yield self.phase(Command(resume="yes") if state.interrupts else given)

    def observed(self) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        FUSES.append(self.fuse)
        for name in WARNED:
            getattr(jsonplus, name, set()).clear()
        try:
            with stillness(), hearing(self.describe) as heard:
                self.cancels = True
                seen["first"] = self.phase(GIVEN)
                seen["turns"] = self.turns
                self.cancels = False
                seen["called"] = self.called()
                self.fuse.is_gone()
                self.relief()
                seen["stored"] = self.describe(stored(self.saver))
                seen["then"] = list(self.taken_up())
                values = self.state().values
                seen["final"] = self.describe(values)
                # Whose order is that in which tasks ended.
                seen["log"] = sorted(values.get("log", ()))
                seen["stored in the end"] = self.describe(stored(self.saver))
                gc.collect(0)
        finally:
            FUSES.pop()
        return {**seen, **heard}

    def called(self) -> list[str]:
        """In order; where nodes are threads, sorted."""
        called, self.fuse.noted = [self.describe.text(each) for each in self.fuse.noted], []
        return called if self.case.is_async else sorted(called)


def on_stock(case: Case) -> dict[str, Any]:
    return World(case).observed()


def on_patched(case: Case) -> dict[str, Any]:
    with fastgraph.patched():
        return World(case).observed()


def calls(case: Case) -> Counter[str]:
    """How often each point is reached in an undisturbed run, up to where it asks the user."""
    world = World(case)
    FUSES.append(world.fuse)
    try:
        with stillness():
            world.phase(GIVEN)
    finally:
        FUSES.pop()
    return world.fuse.calls


def differences(stock: dict[str, Any], patched: dict[str, Any]) -> Iterator[str]:
    for key, value in stock.items():
        if patched[key] != value:
            yield f"{key}:\n  stock   {value!r}\n  patched {patched[key]!r}"


def assert_same(case: Case) -> dict[str, Any]:
    """Run a case on both engines; returns what stock shows.

    Nodes in threads end in any order, on stock as well: then patched has to show something that
    stock shows, too.
    """
    stock, patched = on_stock(case), on_patched(case)
    if stock != patched and not case.is_async:
        for _ in range(AGAIN):
            stock = on_stock(case)
            if stock == patched:
                break
            patched = on_patched(case)
            if stock == patched:
                break
    assert stock == patched, "\n".join([repr(case), *differences(stock, patched)])
    return stock


def spread(count: int, most: int | None) -> list[int]:
    """Of 1 to `count`, all or some that are spread over them."""
    if most is None or count <= most:
        return list(range(1, count + 1))
    return sorted({1 + index * (count - 1) // (most - 1) for index in range(most)})
