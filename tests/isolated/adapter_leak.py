"""Runs graphs patched, again and again; says what is left of them. In a process of its own."""

import asyncio
import gc
import json
import operator
import sys
import weakref
from collections import Counter
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send, interrupt

import fastgraph

ROUNDS = 30
WARM_UP = 5


class Value:
    """A channel value that can be watched."""


def merged(left: list[Any], right: list[Any]) -> list[Any]:
    if right == ["bomb"]:
        raise ValueError("no bombs")
    return left + right


class State(TypedDict):
    n: int
    value: Any
    seen: Annotated[list[Any], merged]
    numbers: Annotated[list[int], operator.add]


def build(watched: list[weakref.ref[Any]], saver: Any) -> Any:
    def step(state: State) -> Any:
        value = Value()
        watched.append(weakref.ref(value))
        return {"n": state["n"] + 1, "value": value, "seen": [value], "numbers": [1]}

    def last(state: State) -> Any:
        if state["n"] < 0:
            return {"seen": ["bomb"]}
        return {"numbers": [interrupt("go on?") if saver else 1]}

    def again(state: State) -> Any:
        if 0 <= state["n"] < 4:
            return ["step", Send("last", state)] if state["n"] == 2 else "step"
        return "last"

    builder = StateGraph(State).add_node("step", step).add_node("last", last)
    builder.add_edge(START, "step").add_edge("last", END)
    builder.add_conditional_edges("step", again, ["step", "last"])
    graph = builder.compile(checkpointer=saver)
    watched.append(weakref.ref(graph))
    watched.append(weakref.ref(graph.nodes["step"]))
    return graph


def run(watched: list[weakref.ref[Any]]) -> None:
    graph = build(watched, None)
    graph.invoke({"n": 0})
    try:
        graph.invoke({"n": -5})
    except ValueError:
        pass
    else:
        raise AssertionError("the reducer did not raise")
    for chunk in graph.stream({"n": 0}):
        if chunk:
            break  # a run that is given up
    graph.with_config(tags=["copy"]).invoke({"n": 0})
    config = {"configurable": {"thread_id": "1"}}
    saved = build(watched, InMemorySaver(serde=Forgetful()))
    saved.invoke({"n": 0}, config)
    saved.invoke(Command(resume=1), config)
    saved.get_state(config)
    saved.update_state(config, {"n": 3}, as_node="step")
    asyncio.run(together(watched))
    converse(watched)


class Parrot(BaseChatModel):
    """Calls the tool once, then stops."""

    calls: list[Any]

    @property
    def _llm_type(self) -> str:
        return "parrot"

    def _generate(self, messages: list[Any], *args: Any, **more: Any) -> ChatResult:
        reply = AIMessage("", tool_calls=[self.calls.pop()] if self.calls else [])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def converse(watched: list[weakref.ref[Any]]) -> None:
    """An agent with a tool of its own, sync and async."""
    value = Value()

    def look(word: str, config: RunnableConfig) -> str:
        """Look at the value."""
        return f"{word} {value is None} {len(config)}"

    for is_async in (False, True):
        model = Parrot(calls=[{"name": "look", "args": {"word": "w"}, "id": "1"}])
        chain = RunnableLambda(lambda state: state["messages"]) | model

        def ask(state: Any, chain: Any = chain) -> Any:
            return {"messages": [chain.invoke(state)]}

        async def aask(state: Any, chain: Any = chain) -> Any:
            return {"messages": [await chain.ainvoke(state)]}

        tools = StructuredTool.from_function(look)
        builder = StateGraph(MessagesState).add_node("tools", ToolNode([tools]))
        builder.add_node("ask", aask if is_async else ask).add_edge(START, "ask")
        builder.add_conditional_edges("ask", tools_condition).add_edge("tools", "ask")
        graph = builder.compile()
        watched.extend(weakref.ref(item) for item in (graph, tools, model, value, look))
        asked = {"messages": [HumanMessage("?")]}
        done = asyncio.run(graph.ainvoke(asked)) if is_async else graph.invoke(asked)
        assert len(done["messages"]) == 4


async def together(watched: list[weakref.ref[Any]]) -> None:
    """Async runs: one by itself, two at once, one that fails and one that is cancelled."""

    async def step(state: State) -> Any:
        value = Value()
        watched.append(weakref.ref(value))
        await asyncio.sleep(0)
        if state["n"] < 0:
            raise ValueError("no")
        return {"n": state["n"] + 1, "value": value, "seen": [value]}

    async def again(state: State) -> str:
        return "step" if state["n"] < 4 else END

    builder = StateGraph(State).add_node("step", step).add_edge(START, "step")
    graph = builder.add_conditional_edges("step", again, ["step", END]).compile()
    watched.append(weakref.ref(graph))
    await graph.ainvoke({"n": 0})
    await asyncio.gather(*(graph.ainvoke({"n": n}) for n in (0, 1)))
    given_up = asyncio.ensure_future(graph.ainvoke({"n": 0}))
    for _ in range(9):
        await asyncio.sleep(0)
    given_up.cancel()
    failed = await asyncio.gather(given_up, graph.ainvoke({"n": -1}), return_exceptions=True)
    assert [type(error) for error in failed] == [asyncio.CancelledError, ValueError]
    handled = await graph.ainvoke({"n": 0}, {"callbacks": [BaseCallbackHandler()]})
    assert handled["n"] == 4


class Forgetful(JsonPlusSerializer):
    """A serializer that leaves out what cannot be stored."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return super().dumps_typed(plain(value))


def plain(value: Any) -> Any:
    if isinstance(value, Value):
        return "value"
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return Send(value.node, plain(value.arg)) if isinstance(value, Send) else value


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(item).__qualname__ for item in gc.get_objects())


def main() -> None:
    watched: list[weakref.ref[Any]] = []
    with fastgraph.patched():
        for _ in range(WARM_UP):  # what is made once is made now
            run(watched)
        before, blocks = kinds(), sys.getallocatedblocks()
        half = before
        for number in range(ROUNDS):
            if number == ROUNDS // 2:
                half = kinds()
            run(watched)
        after, blocks_after = kinds(), sys.getallocatedblocks()
    for reference in ("weakref", "ReferenceType"):  # the name depends on the Python
        after.pop(reference, None)
    # In both halves: what an interpreter makes once, it makes in one of them.
    grown = {
        kind: 2 * min(number - half[kind], half[kind] - before[kind])
        for kind, number in after.items()
    }
    report = {
        "watched": len(watched),
        "alive": sum(reference() is not None for reference in watched),
        # Among them the `partial` that the trigger index keeps for each graph it knows.
        "grown": {kind: number for kind, number in grown.items() if number >= ROUNDS},
        # The references that watch are there to stay.
        "blocks per round": (blocks_after - blocks) / ROUNDS - len(watched) / (ROUNDS + WARM_UP),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
