"""Agents, their tools, models and messages: everybody sees what stock shows."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import random
import re
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from adapter_agents import (
    LONG,
    Model,
    Unmanaged,
    Writer,
    agent_with,
    asked,
    calls,
    tools_that_note,
    with_named_ids,
)
from langchain_core import globals as core_globals
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.language_models import chat_models
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables import config as core_config
from langchain_core.tools import base as tools_base
from langchain_core.tracers.context import collect_runs
from langchain_core.utils import _signature
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from pydantic import BaseModel, Field

import fastgraph

DONE = AIMessage("done", id="last")
PLAIN = ("plain", {"word": "w"})
TURNS: dict[str, list[Any]] = {
    "plain": [calls(PLAIN), calls(PLAIN), DONE],
    "side by side": [calls(PLAIN, ("nothing", {}), ("plain", {"word": "v", "times": 3})), DONE],
    "config": [calls(("configured", {"word": "w"})), calls(("wrapped", {"word": "w"})), DONE],
    "callbacks": [calls(("told", {"word": "w"})), DONE],
    "state": [calls(("stateful", {"word": "w", "state": "forged"})), DONE],
    "store": [calls(("stored", {"word": "w"})), DONE],
    "command": [calls(("commanding", {})), DONE],
    "two parts": [calls(("pair", {"word": "two"})), calls(("pair", {"word": "one"})), DONE],
    "errors": [calls(("failing", {"word": "w"})), calls(("sorry", {"word": "w"})), DONE],
    "arguments": [calls(("plain", {"times": "x"})), calls(("lenient", {"number": "x"})), DONE],
    "unknown": [calls(("unheard of", {})), DONE],
    "objects": [calls(("plain", {"word": "w", "more": [{"deep": 1}]})), DONE],
    "model fails": [ValueError("no model")],
}
HEARING = pytest.mark.parametrize("heard", [False, True], ids=["no handler", "handler"])
ASYNC = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@functools.cache
def replaced() -> tuple[str, ...]:
    """The targets that can be replaced in this release of LangGraph."""
    with fastgraph.patched() as status:
        return tuple(target.name for target in status.targets if target.active)


def same(scenario: Callable[[], Any]) -> Any:
    """What a scenario shows with stock, which is the same patched."""
    expected = scenario()
    assert scenario() == expected  # or there is nothing to compare
    with fastgraph.patched(replaced(), strict=True):
        assert scenario() == expected
    return expected


def outcome(act: Callable[[], Any]) -> str:
    """What an act returns or raises."""
    try:
        return f"returned {act()!r}"
    except Exception as error:
        notes = getattr(error, "__notes__", [])
        return f"raised {error!r} {notes!r} from {error.__cause__!r} in {error.__context__!r}"


def seen(
    answers: list[Any], is_async: bool, heard: bool, cls: Any = Model, **options: Any
) -> list[str]:
    """Everything that is seen of an agent's run."""
    log: list[str] = []
    agent = agent_with([_copied(answer) for answer in answers], log, cls, **options)
    config: Any = {**LONG, "tags": ["t"], "metadata": {"m": 1}, "max_concurrency": 1}
    if heard:
        config["callbacks"] = [Writer(log)]
    if is_async:
        result = outcome(lambda: asyncio.run(agent.ainvoke(asked(), config)))
    else:
        result = outcome(lambda: agent.invoke(asked(), config))
    return with_named_ids("\n".join([*log, result])).splitlines()


def _copied(answer: Any) -> Any:
    if isinstance(answer, Exception):
        return type(answer)(*answer.args)
    return answer.model_copy(deep=True)


@ASYNC
@HEARING
@pytest.mark.parametrize("turns", TURNS)
def test_an_agent_shows_the_same(turns: str, heard: bool, is_async: bool) -> None:
    shown = same(lambda: seen(TURNS[turns], is_async, heard))
    assert shown[-1].startswith("raised" if turns == "model fails" else "returned")
    assert any("on_chat_model_start" in line for line in shown) == heard


@ASYNC
@pytest.mark.parametrize("errors", [False, "told", (ValueError,), (KeyError,)], ids=repr)
def test_errors_of_tools_are_handled_the_same(errors: Any, is_async: bool) -> None:
    for turns in ("errors", "arguments", "unknown", "two parts"):
        same(lambda turns=turns: seen(TURNS[turns], is_async, False, handle_tool_errors=errors))


@ASYNC
def test_models_of_other_kinds_answer_the_same(is_async: bool) -> None:
    same(lambda: seen(TURNS["plain"], is_async, False, Unmanaged))
    same(lambda: seen(TURNS["plain"], is_async, True, Unmanaged))
    same(lambda: seen(TURNS["plain"], is_async, False, response_format={"title": "Said"}))
    same(lambda: seen(TURNS["plain"], is_async, False, prompt="a prompt", version="v1"))


def test_messages_are_streamed_the_same() -> None:
    def stream() -> str:
        log: list[str] = []
        agent = agent_with([_copied(answer) for answer in TURNS["plain"]], log)
        chunks = [
            (type(message).__name__, message.content, sorted(metadata.items()))
            for message, metadata in agent.stream(asked(), LONG, stream_mode="messages")
        ]
        return with_named_ids(repr((log, chunks)))

    assert "AIMessage" in same(stream)


def test_tools_and_models_by_themselves_do_the_same() -> None:
    def act() -> list[str]:
        log: list[str] = []
        results = []
        tools = {tool.name: tool for tool in tools_that_note(log)}
        outer = {"tags": ["outer"], "metadata": {"o": 1}, "run_name": "named"}
        for name, given in [
            ("plain", {"word": "w"}),
            ("plain", "w"),
            ("plain", {}),
            ("nothing", {}),
            ("lenient", {"number": "x"}),
            ("sorry", {"word": "w"}),
            ("failing", {"word": "w"}),
            ("patient", {"word": "w"}),
            ("pair", {"word": "one"}),
            ("commanding", {}),
            ("told", {"word": "w"}),
        ]:
            for handlers in ([], [Writer(log)]):
                config: Any = {**outer, "callbacks": handlers}
                run = RunnableLambda(lambda value, name=name: tools[name].invoke(value))
                results.append(outcome(lambda run=run, v=given, c=config: run.invoke(v, c)))
        model = Model(answers=[DONE, DONE, DONE, DONE], log=log)
        results.append(outcome(lambda: model.invoke("hi", {**outer, "callbacks": []})))
        results.append(outcome(lambda: model.generate([[HumanMessage("a")], [SystemMessage("b")]])))
        results.append(outcome(lambda: model.invoke("hi", ls_structured_output_format={"a": 1})))
        return with_named_ids("\n".join([*log, *results])).splitlines()

    same(act)


# Configs and managers

CONFIGS: list[Any] = [
    None,
    {},
    {"tags": ["a"], "metadata": {"x": 1}, "callbacks": [], "run_name": None, "own": 2},
    {"configurable": {"model": "m", "checkpoint_ns": "ns", "x": [1]}, "max_concurrency": 3},
    {"configurable": {"model": 3}, "metadata": {"model": "kept"}, "recursion_limit": 7},
    {"callbacks": CallbackManager([], tags=["t"], metadata={"lc_versions": {"a": "1"}})},
    {"callbacks": AsyncCallbackManager([]), "run_id": 4, "foreign": None, "tags": None},
    {"tags": ("a",)},
    {"metadata": None, "configurable": None},
]


def written(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, written(item)) for key, item in value.items()]
    if isinstance(value, (CallbackManager, AsyncCallbackManager)):
        return type(value).__name__, written(vars(value))
    return value


def completed(config: Any, outer: Any) -> str:
    """All that is made of a config within another one."""
    token = core_config.var_child_runnable_config.set(outer)
    try:
        whole = core_config.ensure_config(config)
        shared = [key for key in whole if config and whole[key] is config.get(key)]
        patched = core_config.patch_config(
            config, callbacks=CallbackManager([]), run_name="new", configurable={"y": 1}
        )
        managers = [
            core_config.get_callback_manager_for_config(whole),
            core_config.get_async_callback_manager_for_config(patched),
        ]
        return repr([written(whole), shared, written(patched), *map(written, managers)])
    finally:
        core_config.var_child_runnable_config.reset(token)


def test_configs_are_completed_the_same() -> None:
    def act() -> list[str]:
        pairs = [(config, outer) for config in CONFIGS for outer in CONFIGS]
        return [outcome(functools.partial(completed, *pair)) for pair in pairs]

    assert any(text.startswith("raised") for text in same(act))


@contextlib.contextmanager
def debugging() -> Iterator[None]:
    core_globals.set_debug(True)
    try:
        yield
    finally:
        core_globals.set_debug(False)


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(name, value)
        yield


def test_managers_are_configured_the_same() -> None:
    log: list[str] = []
    first, second = Writer(log), Writer(log)
    full = CallbackManager(
        [first],
        [first],
        tags=["t", "u"],
        inheritable_tags=["t"],
        metadata={"lc_versions": {"a": "1"}, "k": 0},
        inheritable_metadata={"lc_versions": {"a": "1"}},
    )
    of: list[Any] = [None, [], [first], full, AsyncCallbackManager([second])]

    def configured(inherited: Any, local: Any, **more: Any) -> str:
        found = []
        for cls in (CallbackManager, AsyncCallbackManager):
            manager = cls.configure(inherited, local, **more)
            found.append(written(manager))
            nested = manager.inheritable_metadata.get("lc_versions")
            found.append(nested is full.inheritable_metadata["lc_versions"])
        return repr(found)

    more: list[dict[str, Any]] = [
        {},
        {"verbose": True},
        {"inheritable_tags": ["u", "v"], "local_tags": ["w"]},
        {"inheritable_metadata": {"k": 1, "lc_versions": {"b": "2"}}, "local_metadata": {"l": 2}},
        {"langsmith_inheritable_metadata": {"s": 1}, "langsmith_inheritable_tags": ["s"]},
    ]
    surroundings: list[Any] = [
        contextlib.nullcontext,
        debugging,
        lambda: environment("LANGCHAIN_TRACING", "true"),
        lambda: environment("LANGCHAIN_TRACING", "false"),
        lambda: environment("LANGCHAIN_TRACING_V2", "false"),
    ]

    def act() -> list[str]:
        found = []
        for surrounding in surroundings:
            with surrounding():
                for inherited in of:
                    for local in of:
                        for options in more:
                            found.append(
                                outcome(
                                    lambda i=inherited, o=local, m=options: configured(i, o, **m)
                                )
                            )
        with collect_runs() as collector:
            manager = CallbackManager.configure(None, None)
            found.append(f"{[handler is collector for handler in manager.handlers]}")
        return [without_addresses(text) for text in found]

    assert any("StdOut" in text for text in same(act))


def without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)


# Signatures


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="annotations are made when asked for")
def test_signatures_follow_their_functions() -> None:
    def first(a: int, config: RunnableConfig, b: Any = 1, *, c: Any = None) -> None: ...

    def second(x: RunnableConfig | None, *args: Any) -> None: ...

    class Owner:
        def method(self, one: Some, run_manager: Any = None) -> None: ...  # noqa: F821

    def act() -> list[Any]:
        def function(a: int, config: RunnableConfig, b: Any = 1, *, c: Any = None) -> None: ...

        found: list[Any] = []

        def look() -> None:
            for callable_ in (function, second, Owner().method, Owner.method, len, Owner):
                found.append(outcome(lambda c=callable_: dict(_signature._signature_parameters(c))))
                found.append(outcome(lambda c=callable_: tools_base._get_runnable_config_param(c)))

        look()
        look()
        function.__defaults__ = (5,)
        look()
        function.__kwdefaults__ = {"c": 6}
        look()
        function.__annotations__ = {"a": "RunnableConfig", "b": str}
        look()
        globals()["Some"] = RunnableConfig
        look()
        globals()["Some"] = int
        look()
        del globals()["Some"]
        function.__annotations__ = {"a": Annotated["RunnableConfig", 1]}
        look()
        function.__code__ = first.__code__.replace(co_varnames=("z", "config", "b", "c"))
        look()
        function.__signature__ = _signature.inspect.Signature()
        look()
        return [without_addresses(text) for text in found]

    same(act)


def test_annotations_follow_their_models() -> None:
    def act() -> list[str]:
        class Plain(BaseModel):
            word: str = Field(alias="Word")
            more: Later | None = None  # noqa: F821

        found = []
        for _ in range(2):
            found.append(outcome(lambda: tools_base.get_all_basemodel_annotations(Plain)))
        Plain.model_rebuild(_types_namespace={"Later": int})
        found.append(outcome(lambda: tools_base.get_all_basemodel_annotations(Plain)))
        tools_base.get_all_basemodel_annotations(Plain).clear()
        found.append(outcome(lambda: tools_base.get_all_basemodel_annotations(Plain)))
        Plain.model_fields["word"].alias = None
        found.append(outcome(lambda: tools_base.get_all_basemodel_annotations(Plain)))
        found.append(outcome(lambda: tools_base.get_all_basemodel_annotations(3)))
        return [without_addresses(text) for text in found]

    same(act)


def a_function() -> weakref.ref[Any]:
    def function(a: int, config: RunnableConfig) -> None: ...

    _signature._signature_parameters(function)
    assert tools_base._get_runnable_config_param(function) == "config"
    return weakref.ref(function)


def a_model() -> weakref.ref[Any]:
    class Arguments(BaseModel):
        a: int

    assert list(tools_base.get_all_basemodel_annotations(Arguments)) == ["a"]
    return weakref.ref(Arguments)


def test_functions_and_models_are_not_kept() -> None:
    with fastgraph.patched(replaced(), strict=True):
        left = [a_function(), a_model()]
        gc.collect()
        assert [reference() for reference in left] == [None, None]


# What LangSmith is told of a model


def test_parameters_of_models_are_the_same() -> None:
    class ChatNamed(Model):
        model: str = "a model"
        max_tokens: Any = "many"

    class NamedChat(Model):
        @property
        def model_name(self) -> str:
            return "a property"

    models = [cls(answers=[], log=[]) for cls in (Model, ChatNamed, NamedChat)]
    given: list[dict[str, Any]] = [
        {},
        {"stop": ["."]},
        {"model": "other", "temperature": 1, "max_tokens": 5},
        {"model": 3, "temperature": "hot", "max_tokens": None},
    ]
    same(lambda: [repr(model._get_ls_params(**more)) for model in models for more in given])
    assert chat_models.BaseChatModel is Model.__mro__[1]


# Messages


def random_messages(rng: random.Random, size: int) -> list[Any]:
    kinds: list[Any] = [HumanMessage, AIMessage, SystemMessage]
    made: list[Any] = []
    for index in range(size):
        own = rng.choice([None, f"id{rng.randrange(8)}", f"own{index}"])
        if rng.random() < 0.1:
            made.append(ToolMessage("t", tool_call_id="c", id=own))
        else:
            made.append(rng.choice(kinds)(f"{index}", id=own))
    odd = rng.random()
    if odd < 0.1:
        made.append(RemoveMessage(id=rng.choice(["id1", REMOVE_ALL_MESSAGES, "none"])))
    elif odd < 0.2:
        made.append(rng.choice([AIMessageChunk("c", id="id2"), ("human", "pair"), {"role": "x"}]))
    return made


def reduced(seed: int) -> list[str]:
    """What a channel of messages makes of random updates."""
    rng = random.Random(seed)
    channel = BinaryOperatorAggregate(list, add_messages)
    found = []
    for _ in range(6):
        values: list[Any] = [random_messages(rng, rng.randrange(7)) for _ in range(2)]
        if rng.random() < 0.1:
            values.insert(1, rng.choice([HumanMessage("one"), None, {"__overwrite__": []}]))
        before = channel.value
        found.append(outcome(functools.partial(channel.update, values)))
        found.append(f"{before!r} {before is channel.value} {channel.value!r} {values!r}")
    return with_named_ids("\n".join(found)).splitlines()


def test_messages_are_reduced_the_same() -> None:
    shown = same(lambda: [line for seed in range(40) for line in reduced(seed)])
    assert any("raised" in line for line in shown)


# Sequences


@ASYNC
def test_sequences_show_the_same(is_async: bool) -> None:
    def act() -> list[str]:
        log: list[str] = []

        def step(value: Any, config: RunnableConfig) -> Any:
            log.append(f"{value!r} {sorted(config)} {config['tags']} {config['metadata']}")
            if value == "bad":
                raise ValueError(value)
            return value

        async def astep(value: Any, config: RunnableConfig) -> Any:
            await asyncio.sleep(0)
            return step(value, config)

        sequence = RunnableLambda(step, astep) | RunnableLambda(step, astep) | str
        found = []
        for value in ("good", "bad"):
            for handlers in ([], [Writer(log)]):
                config: Any = {"callbacks": handlers, "tags": ["t"], "metadata": {"m": 1}}
                if is_async:
                    found.append(
                        outcome(lambda v=value, c=config: asyncio.run(sequence.ainvoke(v, c)))
                    )
                else:
                    found.append(outcome(lambda v=value, c=config: sequence.invoke(v, c)))
        return with_named_ids("\n".join([*log, *found])).splitlines()

    assert any("on_chain_error" in line for line in same(act))


def test_the_event_loop_turns_as_often() -> None:
    async def counted(heard: bool) -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def step(value: Any) -> Any:
            return value

        counting = asyncio.ensure_future(count())
        sequence = RunnableLambda(step) | RunnableLambda(step)
        handler = Writer([])
        handler.run_inline = True
        config: Any = {"callbacks": [handler] if heard else []}
        await sequence.ainvoke(1, config)
        counting.cancel()
        return turns

    same(lambda: [asyncio.run(counted(heard)) for heard in (False, True)])
