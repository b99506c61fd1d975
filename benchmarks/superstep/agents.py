"""The prebuilt agent with a model that calls one tool for so many turns, without network."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.prebuilt import create_react_agent

from benchmarks.suite.graphs import UNLIMITED


@tool
def look_up(word: str) -> str:
    """Look up a word."""
    return word


class Caller(BaseChatModel):
    """Asks for a tool in each of so many turns, and sees the last few messages only."""

    turns: int
    done: int = 0

    @property
    def _llm_type(self) -> str:
        return "caller"

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        self.done += 1
        calls = [ToolCall(name="look_up", args={"word": "w"}, id=f"call{self.done}")]
        reply = AIMessage("", tool_calls=calls if self.done <= self.turns else [])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def agent(turns: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and what most people run
        return create_react_agent(Caller(turns=turns), [look_up])


def asked() -> dict[str, Any]:
    return {"messages": [HumanMessage("?")]}


def react_agent(size: int) -> None:
    agent(size).invoke(asked(), UNLIMITED)


def async_react_agent(size: int) -> None:
    asyncio.run(agent(size).ainvoke(asked(), UNLIMITED))


def streamed_react_agent(size: int) -> None:
    for _ in agent(size).stream(asked(), UNLIMITED, stream_mode="messages"):
        pass
