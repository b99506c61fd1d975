"""The agent which ``fastgraph demo`` times: a model without network that calls tools in turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition

Agent = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]

_CITIES = ("Lisbon", "Oslo", "Quito", "Hanoi", "Accra")


_CallId = Annotated[str, InjectedToolCallId]


@tool
def temperature(city: str, call: _CallId) -> ToolMessage:
    """Look up the temperature of a city in degrees Celsius."""
    return _answer(call, f"{sum(map(ord, city)) % 40} degrees in {city}")


@tool
def population(city: str, call: _CallId) -> ToolMessage:
    """Look up how many people live in a city."""
    return _answer(call, f"{len(city) * 137_000} people in {city}")


def _answer(call: str, text: str) -> ToolMessage:
    # A message without an id is given one while a thread in the background stores it, so that
    # what it stores would depend on which of the two comes first.
    return ToolMessage(text, id=f"answer-{call}", tool_call_id=call)


class ScriptedModel(BaseChatModel):
    """A chat model that asks for two tools in each of so many turns and then answers."""

    turns: int

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Accept any tools: the script says which ones are called."""
        return self.bind()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        reply = AIMessage(
            content="" if turn < self.turns else f"Done after {len(messages)} messages.",
            id=f"reply-{turn}",
            tool_calls=_tool_calls(turn) if turn < self.turns else [],
        )
        return ChatResult(generations=[ChatGeneration(message=reply)])


def _tool_calls(turn: int) -> list[ToolCall]:
    arguments = {"city": _CITIES[turn % len(_CITIES)]}
    return [
        ToolCall(name=each.name, args=arguments, id=f"call-{turn}-{each.name}")
        for each in (temperature, population)
    ]


def build_agent(turns: int, saver: BaseCheckpointSaver[str]) -> Agent:
    """Build the agent: a model node and a tool node in a loop.

    Parameters
    ----------
    turns
        How often the model asks for tools before it answers.
    saver
        Keeps the checkpoint of every superstep.

    Returns
    -------
    Agent
        The compiled graph.
    """
    tools = [temperature, population]
    model = ScriptedModel(turns=turns).bind_tools(tools)

    def call_model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    # The same loop as langgraph.prebuilt.create_react_agent, which is deprecated.
    graph = StateGraph(MessagesState)
    graph.add_node("agent", call_model)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    return graph.compile(checkpointer=saver)


def supersteps(turns: int) -> int:
    """Count the supersteps of one run: a model and a tool step per turn, and the answer."""
    return 2 * turns + 1


def run_agent(agent: Agent, thread: str, turns: int) -> dict[str, Any]:
    """Run one conversation from its beginning; returns the final state."""
    question = HumanMessage("How warm and how large are the cities?", id="question")
    # LangGraph counts the step that finds nothing left to do against the limit as well.
    limit = supersteps(turns) + 1
    return agent.invoke(
        {"messages": [question]},
        {"configurable": {"thread_id": thread}, "recursion_limit": limit},
    )
