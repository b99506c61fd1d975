"""The requests that are measured: a model that streams so many tokens, as server-sent events."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

from ag_ui.core import RunAgentInput, UserMessage
from ag_ui.encoder import EventEncoder
from ag_ui_langgraph import LangGraphAgent
from copilotkit import LangGraphAGUIAgent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

AGENTS = {"ag-ui-langgraph": LangGraphAgent, "copilotkit": LangGraphAGUIAgent}

_threads = itertools.count()


class Tokens(GenericFakeChatModel):
    """Streams so many tokens, in no time."""

    tokens: int

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for number in range(self.tokens):
            message = AIMessageChunk(content=f"tok{number} ", id="answer")
            chunk = ChatGenerationChunk(message=message)
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def agent(kind: str, tokens: int) -> LangGraphAgent:
    """An agent of one node that asks the model."""
    model = Tokens(messages=iter(()), tokens=tokens)

    async def call(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node("model", call)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return AGENTS[kind](name="agent", graph=builder.compile(checkpointer=InMemorySaver()))


async def answer(agent: LangGraphAgent) -> list[str]:
    """Let an agent answer one request in a thread of its own, as AG-UI's endpoint does."""
    number = next(_threads)
    encoder = EventEncoder(accept="text/event-stream")
    request = RunAgentInput(
        thread_id=f"thread {number}",
        run_id=f"run {number}",
        state={},
        messages=[UserMessage(id="question", role="user", content="hello")],
        tools=[],
        context=[],
        forwarded_props={},
    )
    return [encoder.encode(event) async for event in agent.clone().run(request)]


def answers(agent: LangGraphAgent, times: int) -> None:
    """Answer so many requests."""

    async def each() -> None:
        for _ in range(times):
            await answer(agent)

    asyncio.run(each())


def run(program: str, times: int) -> None:
    """Run a program such as ``copilotkit/200`` so many times."""
    kind, _, tokens = program.partition("/")
    answers(agent(kind, int(tokens)), times)
