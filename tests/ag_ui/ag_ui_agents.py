"""Agents made up from a number: what their graphs do, and the requests they answer.

Everything is async: with threads, the order of events is another each time on stock, too.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.util
import random
import uuid
from collections.abc import Callable
from typing import Annotated, Any
from typing import TypedDict as PlainTypedDict

from ag_ui.core import ResumeEntry, RunAgentInput, Tool, UserMessage
from ag_ui_langgraph import LangGraphAgent
from ag_ui_models import Scripted, calls, reasoning, text
from langchain_core.callbacks import adispatch_custom_event
from langchain_core.messages import AnyMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class Mood(enum.Enum):
    GOOD = "good"
    ODD = 7


class Model(BaseModel):
    name: str = "model"
    values: list[float] = [1.5, 1e16, float("inf")]
    mood: Mood = Mood.GOOD


@dataclasses.dataclass
class Record:
    name: str
    parts: tuple[int, ...] = (1, 2)
    runtime: object = None


class Bare:
    """Shown by its attributes."""

    def __init__(self) -> None:
        self.inner = {"number": 2**70, None: frozenset({1})}


class Broken:
    """Every way to show it fails but the last one."""

    __slots__ = ()

    def model_dump(self) -> Any:
        raise RuntimeError("no dump")

    def to_dict(self) -> Any:
        raise ValueError("no dict")

    def __repr__(self) -> str:
        return "<Broken>"


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    tools: list[Any]
    notes: dict[str, Any]
    count: int


class PlainState(PlainTypedDict):
    """A state that Pydantic refuses before Python 3.12, which AG-UI warns of."""

    messages: Annotated[list[AnyMessage], add_messages]
    notes: dict[str, Any]
    count: int


class Input(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages]
    topic: str = "none"


def _cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {"runtime": 1}
    value["self"] = value
    return value


VALUES: list[Callable[[], Any]] = [
    lambda: {"a": [1, 2.5, None, True], "é": "\n"},
    lambda: Mood.ODD,
    lambda: Model(),
    lambda: Record("r"),
    lambda: Bare(),
    lambda: Broken(),
    lambda: {uuid.UUID(int=7): (1, (2, {3}))},
    lambda: float("nan"),
    lambda: [[[[]]]],
    lambda: {"config": 1, "kept": b"bytes"},
    lambda: _cyclic(),
    lambda: 2**65,
]


@tool
async def echo(value: str) -> str:
    """Say it again."""
    return value * 2


@tool
async def failing(value: str) -> str:
    """Fail."""
    raise ValueError(f"cannot do {value}")


@tool
async def blocks(value: str) -> list[Any]:
    """Answer in blocks."""
    return [{"type": "text", "text": value}, {"type": "other", "data": 1}]


TOOLS: list[BaseTool] = [echo, failing, blocks]

Node = Callable[..., Any]


def _chat(chunks: list[Any], rng: random.Random) -> Node:
    model = Scripted(chunks=chunks, streams=rng.random() < 0.9)
    metadata: dict[str, Any] = {}
    for key in ("emit-messages", "emit-tool-calls", "copilotkit:emit-messages"):
        if rng.random() < 0.1:
            metadata[key] = False
    if rng.random() < 0.15:
        metadata["predict_state"] = [
            {"tool": "echo", "state_key": "count", "tool_argument": "value"}
        ]
    bound = model.with_config(metadata=metadata) if metadata else model

    async def chat(state: Any) -> Any:
        messages = state["messages"] if isinstance(state, dict) else state.messages
        return {"messages": [await bound.ainvoke(messages)]}

    return chat


def _notes(rng: random.Random) -> Node:
    made = [rng.choice(VALUES) for _ in range(rng.randint(1, 3))]
    count = rng.randrange(5)

    async def notes(state: Any) -> Any:
        return {"notes": {f"note {i}": make() for i, make in enumerate(made)}, "count": count}

    return notes


def _custom(rng: random.Random) -> Node:
    kind = rng.randrange(5)
    value = rng.choice(VALUES)

    async def custom(state: Any) -> Any:
        if kind == 0:
            data = {"message_id": "manual", "message": "by hand"}
            await adispatch_custom_event("manually_emit_message", data)
        elif kind == 1:
            call = {"id": "manual", "name": "echo", "args": {"value": 1}}
            await adispatch_custom_event("manually_emit_tool_call", call)
        elif kind == 2:
            await adispatch_custom_event("manually_emit_state", {"count": 9, "notes": {}})
        elif kind == 3:
            await adispatch_custom_event("exit", {"exit": True})
        else:
            await adispatch_custom_event("mine", value())
        return {"count": 1}

    return custom


def _asking(rng: random.Random) -> Node:
    value = rng.choice([{"question": "é?"}, "plain", ["a", 1], Record("asked")])

    async def asking(state: Any) -> Any:
        answer = interrupt(value)
        return {"notes": {"answer": answer}}

    return asking


def _raising(rng: random.Random) -> Node:
    error = rng.choice([ValueError("broken é"), RuntimeError(), KeyError("k")])

    async def raising(state: Any) -> Any:
        raise error

    return raising


def _command(rng: random.Random) -> Node:
    @tool
    async def handing(value: str) -> Command[Any]:
        """Update the state."""
        message = ToolMessage(content="handed", tool_call_id=value, id="handed")
        return Command(update={"messages": [message], "count": 3})

    async def command(state: Any) -> Any:
        done = await handing.ainvoke({"value": "some-call"})
        return Command(update=done.update)

    return command


def _piece(rng: random.Random, name: str, depth: int) -> Any:
    """One node: a function, or a graph of its own."""
    kind = rng.choices(
        ["text", "reasoning", "calls", "notes", "custom", "asking", "raising", "command", "graph"],
        [5, 3, 4, 3, 3, 1.5, 0.7, 1, 2 if depth == 0 else 0],
    )[0]
    if kind == "text":
        return _chat(text(rng, name), rng)
    if kind == "reasoning":
        return _chat(reasoning(rng, name), rng)
    if kind == "calls":
        return _chat(calls(rng, name, [each.name for each in TOOLS]), rng)
    if kind == "graph":
        return _graph(rng, depth + 1, name)
    return {
        "notes": _notes, "custom": _custom, "asking": _asking, "raising": _raising,
        "command": _command,
    }[kind](rng)  # fmt: skip


def _graph(rng: random.Random, depth: int, prefix: str) -> Any:
    state = PlainState if rng.random() < 0.15 else State
    builder: Any = StateGraph(state, input_schema=Input if rng.random() < 0.2 else None)
    before = START
    for index in range(rng.randint(1, 4 - depth)):
        name = f"{prefix}n{index}"
        builder.add_node(name, _piece(rng, name, depth))
        builder.add_edge(before, name)
        before = name
        if rng.random() < 0.35:
            tools = f"{prefix}t{index}"
            builder.add_node(tools, ToolNode(TOOLS, handle_tool_errors=rng.random() < 0.8))
            builder.add_conditional_edges(name, _has_calls, {True: tools, False: END})
            before = tools
    builder.add_edge(before, END)
    return builder.compile(checkpointer=InMemorySaver() if depth == 0 else None)


# Async: a sync one is called in a thread, and how many turns of the loop that takes is chance.
async def _has_calls(state: Any) -> bool:
    return bool(getattr(state["messages"][-1], "tool_calls", None))


def agent(seed: int) -> tuple[LangGraphAgent, list[RunAgentInput]]:
    """Make an agent and its requests; the same from the same number."""
    rng = random.Random(seed)
    graph = _graph(rng, 0, "")
    kind: Any = LangGraphAgent
    options: dict[str, Any] = {}
    if rng.random() < 0.25 and importlib.util.find_spec("copilotkit"):
        from copilotkit import LangGraphAGUIAgent

        kind = LangGraphAGUIAgent
    else:
        options = {
            "emit_raw_events": rng.random() < 0.8,
            "emit_interrupt_outcome": rng.random() < 0.5,
            "subagent_visibility": rng.choice(["inline", "inline", "attributed", "hidden"]),
        }
    made = kind(name="generated", graph=graph, **options)
    return made, [_request(rng, turn) for turn in range(rng.randint(1, 3))]


def _request(rng: random.Random, turn: int) -> RunAgentInput:
    props: dict[str, Any] = {}
    resume = None
    if turn and rng.random() < 0.5:
        if rng.random() < 0.5:
            props = {"command": {"resume": rng.choice(["yes", {"é": 1}])}}
        else:
            resume = [ResumeEntry(interrupt_id="any", status="resolved", payload={"ok": True})]
    if rng.random() < 0.2:
        props["streamSubgraphs"] = rng.random() < 0.5
    messages = [
        UserMessage(id=f"u{index}", role="user", content=f"message {index}")
        for index in range(turn + 1)
    ]
    return RunAgentInput(
        thread_id="thread",
        run_id=f"run {turn}",
        state={"count": 0} if rng.random() < 0.5 else {},
        messages=messages,
        tools=[Tool(name="front", description="", parameters={})] if rng.random() < 0.3 else [],
        context=[],
        forwarded_props=props,
        resume=resume,
    )
