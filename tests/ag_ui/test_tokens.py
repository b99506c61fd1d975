"""A token on its way from the model to its event: turns, cancellations, who stands in between."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from ag_ui.core import EventType, TextMessageContentEvent
from ag_ui_langgraph import LangGraphAgent
from ag_ui_langgraph import agent as agent_module
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.callbacks.manager import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tracers.event_stream import _AstreamEventsCallbackHandler
from langgraph.graph import END, START, MessagesState, StateGraph

import fastgraph

ID = uuid.UUID(int=7)
PARENTS = [uuid.UUID(int=number) for number in (2**128 - 1, 1, 0x00112233445566778899AABBCCDDEEFF)]


def chunk(**fields: Any) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content="text", **fields))


class Listening(AsyncCallbackHandler):
    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)


def handler_of(**changes: Any) -> _AstreamEventsCallbackHandler:
    """The handler of `astream_events` in the middle of a model's run."""
    handler = _AstreamEventsCallbackHandler(**changes.pop("chosen", {}))
    run = {"name": "n", "tags": ["t"], "metadata": {}, "run_type": "chat_model", **changes}
    handler.run_map[ID] = run  # type: ignore[assignment]
    chain = [ID, *PARENTS]
    for child, parent in zip(chain, [*PARENTS, None], strict=True):
        handler.parent_map[child] = parent
    return handler


async def turns(seen: list[Any], number: int = 12) -> None:
    for turn in range(number):
        seen.append(f"turn {turn}")
        await asyncio.sleep(0)


async def read(handler: Any, seen: list[Any]) -> None:
    async for event in handler:
        seen.append(event)


def told(
    make: Callable[[], Any], given: Any, *, more: tuple[Any, ...] = (), cancelled: int | None = None
) -> list[Any]:
    """What is seen when a model tells of a token, and maybe is cancelled some turns later."""
    seen: list[Any] = []

    async def model(handler: Any) -> None:
        manager = AsyncCallbackManagerForLLMRun(
            run_id=ID, handlers=[handler, *more], inheritable_handlers=[], parent_run_id=PARENTS[0]
        )
        try:
            seen.append(await manager.on_llm_new_token("text", chunk=given))
        except asyncio.CancelledError as error:
            seen.append(f"cancelled {error.args}")
            raise
        finally:
            seen.append("done")

    async def main() -> None:
        handler = make()
        reader = asyncio.ensure_future(read(handler, seen))
        await asyncio.sleep(0)
        task = asyncio.ensure_future(model(handler))
        clock = asyncio.ensure_future(turns(seen))
        if cancelled is not None:
            for _ in range(cancelled):
                await asyncio.sleep(0)
            seen.append(task.cancel("enough"))
        seen.append(await asyncio.gather(task, return_exceptions=True))
        await clock
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    asyncio.run(main())
    return [str(each) for each in seen]


def fallbacks(name: str) -> int:
    (target,) = (each for each in fastgraph.status().targets if each.name == name)
    return sum(target.fallbacks.values())


def compare(*args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
    """What stock shows, which patched shows, too; whether that was done without upstream."""
    stock = told(*args, **kwargs)
    name = "ag-ui.AsyncCallbackManagerForLLMRun.on_llm_new_token"
    before = fallbacks(name)
    with fastgraph.patched([name], strict=True):
        assert told(*args, **kwargs) == stock
    return stock, fallbacks(name) == before


def test_a_token_is_told_in_the_same_turns() -> None:
    seen, compiled = compare(handler_of, chunk())
    assert compiled
    assert any("on_chat_model_stream" in line and str(PARENTS[2]) in line for line in seen)


@pytest.mark.parametrize("when", range(7))
def test_cancelled(when: int) -> None:
    seen, compiled = compare(handler_of, chunk(), cancelled=when)
    assert compiled
    if 0 < when < 4:
        assert any("cancelled ('enough',)" in line for line in seen)
    assert any("on_chat_model_stream" in line for line in seen) == (when > 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: handler_of(chosen={"include_names": ["other"]}),
        lambda: handler_of(chosen={"exclude_tags": ["t"]}),
        lambda: handler_of(run_type="llm"),
        lambda: handler_of(run_type="tool"),
        lambda: _AstreamEventsCallbackHandler(),
    ],
)
@pytest.mark.parametrize("given", [None, chunk()])
def test_other_runs_and_filters(make: Any, given: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    _, compiled = compare(make, given)
    assert not compiled
    messages = [record.getMessage() for record in caplog.records]
    assert messages[: len(messages) // 2] == messages[len(messages) // 2 :]


def test_a_tapped_run_a_circle_and_another_handler() -> None:
    def tapped() -> Any:
        handler = handler_of()
        handler.is_tapped[ID] = object()
        return handler

    def circle() -> Any:
        handler = handler_of()
        handler.parent_map[PARENTS[2]] = PARENTS[0]
        return handler

    def overridden() -> Any:
        handler: Any = handler_of()
        handler._send = lambda event, kind: None
        return handler

    for make in (tapped, circle, overridden):
        assert not compare(make, chunk())[1]
    assert not compare(handler_of, chunk(), more=(Listening(),))[1]


# The agent's part


async def nothing(state: MessagesState) -> dict[str, Any]:
    return {}


def graph() -> Any:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", nothing)
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder.compile()


class Loud(LangGraphAgent):
    """Has methods of its own on the way of a token."""

    def _get_reasoning_process(self, lane: Any = None) -> Any:
        return super()._get_reasoning_process(lane)

    def _dispatch_event(self, event: Any) -> Any:
        return [super()._dispatch_event(event)]


class Failing(LangGraphAgent):
    error: Any = StopAsyncIteration("own")

    def _dispatch_event(self, event: Any) -> Any:
        raise self.error


def begun(kind: type[LangGraphAgent] = LangGraphAgent, **run: Any) -> LangGraphAgent:
    made = kind(name="a", graph=graph(), **run.pop("agent", {}))
    made.active_run = {"id": "r", "reasoning_processes": {}, **run}  # type: ignore[assignment]
    made.messages_in_process = {
        "r": {"__root__": {"id": "m", "tool_call_id": None, "tool_call_name": None}}
    }
    return made


def token(given: Any = None, **changes: Any) -> dict[str, Any]:
    event = {
        "event": "on_chat_model_stream",
        "data": {"chunk": AIMessageChunk(content="text", id="c") if given is None else given},
        "metadata": {"langgraph_node": "node"},
        "run_id": "x",
    }
    return {**event, **changes}


def events_of(agent: Any, event: Any) -> list[str]:
    seen: list[Any] = []

    async def main() -> None:
        try:
            async for made in agent._handle_single_event(event, {}):
                seen.append(made)
        except Exception as error:
            seen.append(f"{type(error).__name__} {error} {error.__cause__!r}")

    asyncio.run(main())
    for made in list(seen):
        if hasattr(made, "model_fields_set"):
            seen.append((sorted(made.model_fields_set), list(made.__dict__), made.model_extra))
    seen.append((agent.active_run, agent.messages_in_process))
    return [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", repr(e)) for e in seen]


CASES: list[Callable[[], tuple[Any, Any]]] = [
    lambda: (begun(), token()),
    lambda: (begun(), token(AIMessageChunk(content=""))),
    lambda: (begun(), token(AIMessageChunk(content=[{"type": "text", "text": "t"}]))),
    lambda: (begun(), token(AIMessageChunk(content="t", response_metadata={"finish_reason": "s"}))),
    lambda: (begun(), token(AIMessageChunk(content="t", response_metadata={"finish_reason": ""}))),
    lambda: (
        begun(),
        token(AIMessageChunk(content="t", additional_kwargs={"reasoning_content": "why"})),
    ),
    lambda: (begun(), token(AIMessageChunk(content="t", additional_kwargs={"reasoning": "x"}))),
    lambda: (
        begun(),
        token(
            AIMessageChunk(
                content="t",
                usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
            )
        ),
    ),
    lambda: (
        begun(),
        token(
            AIMessageChunk(
                content="",
                tool_call_chunks=[{"name": "f", "args": "{", "id": "1", "index": 0}],
            )
        ),
    ),
    lambda: (begun(), token({"content": "dict"})),
    lambda: (begun(), token(metadata=None)),
    lambda: (begun(), token(metadata={"emit-messages": False})),
    lambda: (begun(), token(metadata={"emit-messages": 1})),
    lambda: (begun(), token(data={})),
    lambda: (begun(), token(event="on_chat_model_end")),
    lambda: (begun(reasoning_processes={"__root__": {"message_id": "q"}}), token()),
    lambda: (begun(reasoning_processes=None), token()),
    lambda: (begun(current_subagent_run_id="s"), token()),
    lambda: (
        begun(current_subagent_run_id="s", agent={"subagent_visibility": "attributed"}),
        token(),
    ),
    lambda: (begun(Loud), token()),
    lambda: (begun(Failing), token()),
]


@pytest.mark.parametrize("index", range(len(CASES)))
def test_what_becomes_of_a_token(index: int) -> None:
    stock = events_of(*CASES[index]())
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert events_of(*CASES[index]()) == stock


def test_a_token_is_done_without_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ag-ui.LangGraphAgent._handle_single_event"
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        before = fallbacks(name)
        events_of(begun(), token())
        assert fallbacks(name) == before
        monkeypatch.setattr(agent_module, "resolve_message_content", lambda content: "other")
        assert "other" in events_of(begun(), token())[0]


@pytest.mark.parametrize("how", ["aclose", "athrow", "asend", "anext", "late aclose", "late throw"])
def test_as_a_generator(how: str) -> None:
    def seen_of() -> list[str]:
        seen: list[Any] = []

        async def main() -> None:
            events: Any = begun()._handle_single_event(token(), {})
            if how.startswith("late"):
                seen.append(await anext(events))
            try:
                if how.endswith("aclose"):
                    seen.append(await events.aclose())
                elif how.endswith("throw"):
                    seen.append(await events.athrow(ValueError("thrown")))
                elif how == "asend":
                    seen.append(await events.asend(None))
            except ValueError as error:
                seen.append(error)
            for _ in range(3):
                seen.append(await anext(events, "over"))

        asyncio.run(main())
        return [repr(each) for each in seen]

    stock = seen_of()
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert seen_of() == stock


CHANGES: dict[str, list[Any]] = {
    "content": ["", "é", ["a"], [{"type": "text", "text": "t"}]],
    "additional_kwargs": [{"a": 1.5}, {"config": 1}, {"runtime": "r"}, {"a": {"b": 1}}, {1: 2}],
    "response_metadata": [{"m": None}, {"l": [1]}, {"u": uuid.UUID(int=1)}],
    "name": ["n"],
    "id": ["i"],
    "usage_metadata": [{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}],
    "tool_call_chunks": [[{"name": "f", "args": "{}", "id": "1", "index": 0}]],
    "chunk_position": ["last"],
    "own": [1, [AIMessageChunk(content="in")]],
}


class Mine(AIMessageChunk):
    mine: int = 1


@pytest.mark.parametrize("seed", range(60))
def test_chunks_are_made_json(seed: int) -> None:
    chance = random.Random(seed)
    names = chance.sample(sorted(CHANGES), chance.randint(0, 3))
    fields: dict[str, Any] = {"content": "text"}
    fields.update((name, chance.choice(CHANGES[name])) for name in names)
    made: Any = chance.choice([AIMessageChunk, AIMessageChunk, Mine])(**fields)
    if chance.random() < 0.2:
        made.name = 5
    if chance.random() < 0.1:
        del made.__dict__["id"]
    value = {"chunk": made, "path": ("a", 1, None), "tags": [], "twice": [made, made]}
    stock = repr(agent_module.make_json_safe(value))
    with fastgraph.patched(["ag-ui.make_json_safe"], strict=True):
        assert repr(agent_module.make_json_safe(value)) == stock


def test_a_class_that_is_changed_dumps_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with fastgraph.patched(["ag-ui.make_json_safe"], strict=True):
        assert agent_module.make_json_safe(AIMessageChunk(content="t"))["content"] == "t"
        monkeypatch.setattr(AIMessageChunk, "model_dump", lambda self: {"own": 1})
        assert agent_module.make_json_safe(AIMessageChunk(content="t")) == {"own": 1}
        monkeypatch.undo()
        assert agent_module.make_json_safe(AIMessageChunk(content="t"))["content"] == "t"


async def first_of(events: Any) -> Any:
    return await anext(events)


def test_a_request_between_two_engines() -> None:
    """The event of a token holds what Pydantic would have given it."""
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        made = asyncio.run(first_of(begun()._handle_single_event(token(), {})))
    theirs = TextMessageContentEvent(
        type=EventType.TEXT_MESSAGE_CONTENT, message_id="m", delta="text", raw_event=made.raw_event
    )
    assert made == theirs
    assert made.model_copy(deep=True) == theirs
    assert made.model_dump_json() == theirs.model_dump_json()
