"""LangGraph's graph of a program, whose nodes tell what they see."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import itertools
import logging
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.cache.memory import InMemoryCache
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, StreamWriter, interrupt

from fastgraph.verify.describing import Describer
from fastgraph.verify.handlers import AsyncRecorder, Recorder
from tools.differential import channels
from tools.differential.effects import Body, Call, GiveWay, Sleep, Wait, run_async, run_sync
from tools.differential.program import Graph, Node, Program, Return, Workflow

try:
    from langgraph.types import TimeoutPolicy
except ImportError:  # before LangGraph 1.2
    TimeoutPolicy = None
try:
    from langgraph.runtime import RunControl
except ImportError:
    RunControl = None

logger = logging.getLogger("langgraph.program")

HINTS: dict[str, Any] = {
    "config": RunnableConfig,
    "runtime": Runtime,
    "store": BaseStore,
    "writer": StreamWriter,
    "previous": Any,
}


BUILT_IN = (
    ValueError,
    KeyError,
    LookupError,
    ConnectionError,
    TimeoutError,
    RecursionError,
    KeyboardInterrupt,
)


class CustomError(Exception):
    """A user's own error."""

    def __init__(self, number: int) -> None:
        super().__init__("custom", number)
        self.number = number


def failure(kind: str) -> BaseException:
    """An error of a kind, made anew."""
    if kind == "custom":
        return CustomError(7)
    if kind == "CancelledError":
        return asyncio.CancelledError("by the node")
    if kind == "exit":
        return SystemExit(3)
    errors: dict[str, type[BaseException]] = {each.__name__: each for each in BUILT_IN}
    return errors[kind](f"{kind} of the node")


class FailingHandler(BaseCallbackHandler):
    """Fails when nodes end; the run goes on or not, as `raise_error` says."""

    run_inline = True

    def __init__(self, raise_error: bool) -> None:
        self.raise_error = raise_error

    def on_chain_end(self, outputs: Any, **told: Any) -> None:
        if "graph:step:2" in (told.get("tags") or ()):
            raise ValueError("a handler's own error")


@dataclasses.dataclass
class World:
    """What one side of a comparison has: its listeners, stores and counters."""

    program: Program
    saver: Any
    describe: Describer = dataclasses.field(default_factory=Describer)
    noted: list[Any] = dataclasses.field(default_factory=list)
    events: list[Any] = dataclasses.field(default_factory=list)
    control: Any = None
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    store: Any = dataclasses.field(default_factory=InMemoryStore)
    cache: Any = dataclasses.field(default_factory=InMemoryCache)
    faults: int = 0
    turn: Callable[[], int | None] = lambda: None
    used_threads: Callable[[], bool] = lambda: False
    lock: Any = dataclasses.field(default_factory=threading.Lock)

    def note(self, *what: Any) -> None:
        """Keep what user code sees."""
        with self.lock:
            self.noted.append([self.turn(), *self.describe.items(what)])

    def count(self, name: str) -> int:
        with self.lock:
            self.counts[name] += 1
            self.counts["all"] += 1
            return self.counts[name]

    def is_tired(self) -> bool:
        return self.counts["all"] - self.counts["at the start"] > MANY

    def rest(self) -> None:
        self.counts["at the start"] = self.counts["all"]

    def handlers(self) -> list[Any]:
        made = []
        for kind in self.program.handlers:
            if kind in ("failing", "raising"):
                made.append(FailingHandler(kind == "raising"))
            elif kind == "async":
                made.append(AsyncRecorder(self.describe, self.events))
            else:
                made.append(Recorder(self.describe, self.events, kind))
        return made


PRIVATE = "__pregel_"
#: After so many runs of nodes they lead nowhere any more: Sends that send grow without bounds.
MANY = 40


def told_config(config: Any) -> Any:
    """A config as a node sees it; of what is the engine's own only that it is there."""
    return {
        key: {name: "private" if name.startswith(PRIVATE) else each for name, each in value.items()}
        if key == "configurable"
        else value
        for key, value in config.items()
    }


class Acting:
    """The bodies of nodes and tasks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.helpers: dict[str, Any] = {}

    def acts(self, node: Node, given: dict[str, Any]) -> Body:
        """Carry out the acts of a node, one after the other."""
        world = self.world
        for act in node.acts:
            method = getattr(self, "act_" + act[0].replace(" ", "_"))
            result = method(node, *act[1:])
            if inspect.isgenerator(result):
                yield from result
        world.note(node.name, "has acted")

    def act_sleep(self, node: Node, seconds: float) -> Body:
        yield Sleep(seconds)

    def act_give_way(self, node: Node, times: int) -> Body:
        yield GiveWay(times)

    def act_write(self, node: Node, what: str) -> None:
        get_stream_writer()({node.name: what})

    def act_ask(self, node: Node, *questions: str) -> None:
        for question in questions:
            self.world.note(node.name, "answered", interrupt(f"{question} of {node.name}"))

    def act_fail(self, node: Node, kind: str) -> None:
        self.world.faults += 1
        raise failure(kind)

    def act_fail_until(self, node: Node, kind: str, times: int) -> None:
        if self.world.count(f"failures of {node.name}") <= times:
            self.world.faults += 1
            raise failure(kind)

    def act_put(self, node: Node, key: str) -> Body:
        store = get_store()
        value = {"by": node.name}
        yield Call(
            lambda: store.put(("program",), key, value),
            lambda: store.aput(("program",), key, value),
        )

    def act_log(self, node: Node, what: str) -> None:
        logger.info("%s of %s", what, node.name)

    def act_warn(self, node: Node, what: str) -> None:
        warnings.warn(f"{what} of {node.name}", UserWarning, stacklevel=2)

    def act_model(self, node: Node, what: str) -> Body:
        number = self.world.count("models")
        answer = AIMessage(f"{what} {node.name}", id=f"model-{number}")
        model = GenericFakeChatModel(messages=itertools.repeat(answer))
        message = yield Call(lambda: model.invoke(what), lambda: model.ainvoke(what))
        self.world.note(node.name, "was told", message)

    def act_beat(self, node: Node) -> None:
        from langgraph.runtime import get_runtime

        runtime = get_runtime()
        if hasattr(runtime, "heartbeat"):
            runtime.heartbeat()

    def act_spawn(self, node: Node) -> Body:
        """A task of the node's own, which outlives it."""
        if not node.is_sync:
            asyncio.get_running_loop().call_soon(self.world.note, node.name, "called soon")
        yield GiveWay(1)

    def act_drain(self, node: Node) -> None:
        if self.world.control is not None:
            self.world.control.request_drain(f"by {node.name}")

    def act_tell(self, node: Node) -> None:
        self.world.note(node.name, "config", told_config(get_config()))

    def act_nested(self, node: Node, what: str) -> Body:
        """Run a graph of its own within the node, in the node's context."""
        graph = self.helper(node.is_sync)
        given = {"items": [what]}
        result = yield Call(lambda: graph.invoke(given), lambda: graph.ainvoke(given))
        self.world.note(node.name, "ran", result)

    def helper(self, is_sync: bool) -> Any:
        if str(is_sync) not in self.helpers:
            node = Node("helped", acts=(("write", "help"),), is_sync=is_sync)
            builder: Any = StateGraph(channels.schema("dict", ("items",)))
            builder.add_node("helped", self.function(node, lambda number: {"items": ["helped"]}))
            self.helpers[str(is_sync)] = builder.add_edge(START, "helped").compile()
        return self.helpers[str(is_sync)]

    # Functions

    def told(self, node: Node, state: Any, given: dict[str, Any]) -> None:
        shown = {
            name: told_config(each) if name == "config" else self.shown(each)
            for name, each in given.items()
        }
        self.world.note(node.name, state, shown)

    def shown(self, given: Any) -> Any:
        if isinstance(given, Runtime):
            info = getattr(given, "execution_info", None)
            return ("runtime", given.context, given.previous, info, given.store is not None)
        if isinstance(given, BaseStore):
            return type(given).__name__
        return "writer" if callable(given) else given

    def body(self, node: Node, returns: Callable[[int], Any], state: Any, given: Any) -> Body:
        number = self.world.count(node.name)
        self.told(node, state, given)
        try:
            yield from self.acts(node, given)
        except asyncio.CancelledError:
            self.world.note(node.name, "cancelled")
            raise
        if "writer" in given:
            given["writer"](("written by", node.name))
        return returns(number)

    def function(self, node: Node, returns: Callable[[int], Any]) -> Any:
        """A function of the signature that the node has."""

        def run(state: Any, **given: Any) -> Any:
            return run_sync(self.body(node, returns, state, given))

        async def arun(state: Any, **given: Any) -> Any:
            return await run_async(self.body(node, returns, state, given))

        function: Any = run if node.is_sync else arun
        function.__name__ = function.__qualname__ = node.name
        kinds = inspect.Parameter
        parameters = [kinds("state", kinds.POSITIONAL_OR_KEYWORD)]
        parameters += [
            kinds(name, kinds.KEYWORD_ONLY, annotation=HINTS[name]) for name in node.takes
        ]
        function.__signature__ = inspect.Signature(parameters)
        return function


class Building(Acting):
    """The graph of a program."""

    def made(self) -> Any:
        program = self.world.program
        if program.graph is not None:
            made = self.graph(program.graph)
        else:
            assert program.workflow is not None
            made = self.workflow(program.workflow)
        if program.step_timeout is not None:
            made.step_timeout = program.step_timeout
        return made

    def goto(self, target: Any) -> Any:
        if isinstance(target, tuple):
            return Send(target[1], channels.values(target[2]))
        return END if target == "END" else target

    def gotos(self, targets: tuple[Any, ...]) -> list[Any]:
        return [] if self.world.is_tired() else [self.goto(target) for target in targets]

    def result(self, returned: Return) -> Any:
        update = channels.values(returned.writes)
        if returned.kind == "nothing":
            return None
        if returned.kind == "odd":
            return "not a state"
        if returned.kind == "update":
            return update
        command = Command(
            graph=Command.PARENT if returned.to_parent else None,
            update=update,
            goto=self.gotos(returned.goto),
        )
        first = channels.values(returned.writes[:1])
        return command if returned.kind == "command" else [first, command]

    def options(self, node: Node) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if node.attempts:
            policy = RetryPolicy(
                initial_interval=0, jitter=False, max_attempts=node.attempts, retry_on=Exception
            )
            options["retry_policy"] = policy
        if node.cached:
            options["cache_policy"] = CachePolicy(key_func=self.key)
        if node.timeout is not None and TimeoutPolicy is not None and not node.is_sync:
            name = "idle_timeout" if node.idle else "run_timeout"
            options["timeout"] = TimeoutPolicy(**{name: node.timeout})
        return options

    def key(self, *given: Any, **named: Any) -> str:
        return repr((self.world.describe.items(given), self.world.describe(named)))

    def node(self, builder: Any, node: Node) -> None:
        options = self.options(node)
        if node.graph is not None:
            options.pop("timeout", None)
            action = self.graph(node.graph, checkpointer=node.graph.checkpointer)
        else:
            action = self.function(
                node, lambda number: self.result(node.returns[(number - 1) % len(node.returns)])
            )
        if node.handled:
            handler = Node(f"{node.name} handler", is_sync=node.is_sync)
            options["error_handler"] = self.function(handler, lambda number: None)
        builder.add_node(node.name, action, defer=node.deferred, **options)

    def route(self, name: str, turns: tuple[tuple[Any, ...], ...], is_sync: bool) -> Any:
        def chosen(state: Any) -> Any:
            number = self.world.count(f"route of {name}")
            self.world.note("route", name, state)
            return self.gotos(turns[min(number, len(turns)) - 1]) or END

        async def achosen(state: Any) -> Any:
            return chosen(state)

        return chosen if is_sync else achosen

    def graph(self, graph: Graph, checkpointer: str | None = None) -> Any:
        world = self.world
        schema = channels.schema(graph.schema, graph.channels)
        context = {"context_schema": dict} if world.program.context else {}
        builder: Any = StateGraph(schema, **context)
        known = {node.name for node in graph.nodes}
        for node in graph.nodes:
            self.node(builder, node)
        for start in graph.starts:
            if start in known:
                builder.add_edge(START, start)
        for one, other in graph.edges:
            if {one, other} <= known:
                builder.add_edge(one, other)
        for ends, after in graph.joins:
            if {*ends, after} <= known:
                builder.add_edge(list(ends), after)
        for name, turns in graph.routes:
            if name in known:
                is_sync = next(node.is_sync for node in graph.nodes if node.name == name)
                builder.add_conditional_edges(name, self.route(name, turns, is_sync), [*known, END])
        if checkpointer is not None:
            keeps = {"inherited": None, "own": True, "none": False}[checkpointer]
            compiled = builder.compile(checkpointer=keeps)
        else:
            compiled = builder.compile(
                checkpointer=world.saver,
                store=world.store,
                cache=world.cache,
                interrupt_before=[name for name in graph.before if name in known],
                interrupt_after=[name for name in graph.after if name in known],
            )
        for node in graph.nodes:
            if node.tagged:  # for which a builder has no argument
                compiled.nodes[node.name].tags = ["tag", f"of {node.name}"]
        return compiled

    # Workflows

    def task(self, node: Node) -> Any:
        def returns(number: int) -> Any:
            writes = node.returns[0].writes if node.returns else ()
            return [node.name, [drawn for _, drawn in writes]]

        function = self.function(dataclasses.replace(node, takes=()), returns)
        options = self.options(node)
        return task(name=node.name, **options)(function)

    def workflow(self, workflow: Workflow) -> Any:
        world = self.world
        tasks = [self.task(node) for node in workflow.tasks]
        is_sync = not world.program.is_async
        node = Node("flow", takes=workflow.takes, is_sync=is_sync)

        def body(given: Any, injected: dict[str, Any]) -> Body:
            world.note("flow", given)
            self.told(node, given, injected)
            results: list[Any] = []
            for index, (kind, *rest) in enumerate(workflow.body):
                if kind in ("call", "gather", "start"):
                    calls = [tasks[one](index) for one in rest if one < len(tasks)]
                    if kind != "start" and calls:
                        results.append((yield Wait(calls)))
                else:
                    acting = Node("flow", acts=((kind, *rest),), is_sync=is_sync)
                    yield from self.acts(acting, injected)
            world.note("flow ends", results)
            if workflow.ends == "final":
                return entrypoint.final(value=results, save=len(results))
            return injected.get("previous") if workflow.ends == "previous" else results

        def flow(given: Any, **injected: Any) -> Any:
            return run_sync(body(given, injected))

        async def aflow(given: Any, **injected: Any) -> Any:
            return await run_async(body(given, injected))

        function: Any = flow if is_sync else aflow
        function.__signature__ = self.function(node, lambda number: None).__signature__
        options: dict[str, Any] = {"store": world.store, "cache": world.cache}
        if workflow.attempts:
            options["retry_policy"] = RetryPolicy(
                initial_interval=0, jitter=False, max_attempts=workflow.attempts
            )
        if workflow.timeout is not None and TimeoutPolicy is not None:
            options["timeout"] = TimeoutPolicy(run_timeout=workflow.timeout)
        return entrypoint(checkpointer=world.saver, **options)(function)


def built(world: World) -> Any:
    """The graph of a world's program."""
    with contextlib.suppress(AttributeError):
        world.control = None
    return Building(world).made()
