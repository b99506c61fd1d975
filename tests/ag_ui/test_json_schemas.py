"""The schemas that AG-UI asks a graph for: upstream's, made once, for no longer than the state."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Annotated, Any

from ag_ui_agents import Input, State
from ag_ui_langgraph import LangGraphAgent
from langchain_core.messages import AnyMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from pydantic import BaseModel, Field
from typing_extensions import NotRequired, TypedDict

import fastgraph


def compiled(state: Any, **schemas: Any) -> Any:
    builder: Any = StateGraph(state, **schemas)
    builder.add_node("node", lambda state: {})
    builder.add_edge(START, "node")
    return builder.compile()


def both(graph: Any) -> tuple[Any, Any]:
    return graph.get_input_jsonschema(), graph.get_output_jsonschema()


def fallbacks() -> int:
    target = next(t for t in fastgraph.status().targets if t.name == "ag-ui._get_json_schema")
    return sum(target.fallbacks.values())


def compare(graph: Any, *, known: bool) -> None:
    """Ask twice and once more; the third time upstream is asked only if it has to be."""
    stock = both(graph)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert both(graph) == stock
        assert both(graph) == stock
        before = fallbacks()
        assert both(graph) == stock
        assert (fallbacks() == before) is known


class Described(TypedDict):
    """Has a text of its own."""

    messages: Annotated[list[AnyMessage], add_messages]
    topic: Annotated[str, Field(description="what about", title="Topic")]
    more: NotRequired[dict[str, Inner]]


class Inner(TypedDict):
    number: int


class Extra(BaseModel):
    model_config = {"json_schema_extra": lambda schema: schema.update(asked=len(ASKED))}
    number: int = 1


class Hooked(BaseModel):
    number: int = 1

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        ASKED.append(1)
        return {**handler(core), "asked": len(ASKED)}


class Holding(TypedDict):
    hooked: Hooked


class Defaulting(BaseModel):
    values: list[Any] = [object]


ASKED: list[int] = []


def test_states_by_their_classes() -> None:
    compare(compiled(State), known=True)
    compare(compiled(State, input_schema=Input), known=True)
    compare(compiled(Described), known=True)


def test_states_with_code_of_their_own() -> None:
    for state in (Hooked, Holding):
        graph = compiled(state)
        with fastgraph.patched(frameworks=["ag-ui"], strict=True):
            both(graph)
            before = len(ASKED)
            asked = both(graph)
            assert len(ASKED) > before
            assert both(graph) != asked
    graph = compiled(Extra)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        both(graph)
        ASKED.append(1)
        assert graph.get_input_jsonschema()["asked"] == len(ASKED)


def test_a_default_that_upstream_warns_of() -> None:
    graph = compiled(Defaulting)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        for _ in range(3):
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                graph.get_input_jsonschema()
            assert [w.category.__name__ for w in warned] == ["PydanticJsonSchemaWarning"]


def test_what_is_given_away_is_the_callers() -> None:
    graph = compiled(State)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        stock = both(graph)
        graph.get_input_jsonschema()["properties"].clear()
        assert both(graph) == stock


def test_changed_annotations() -> None:
    class Changing(TypedDict):
        first: int

    Changing.__annotations__["first"] = int
    graph = compiled(Changing)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        both(graph)
        assert both(graph)[0]["properties"]["first"]["type"] == "integer"
        Changing.__annotations__["first"] = str
        assert both(graph)[0]["properties"]["first"]["type"] == "string"
        Changing.__doc__ = "Now described."
        assert both(graph)[0]["description"] == "Now described."


def test_a_rebuilt_model() -> None:
    class Rebuilt(BaseModel):
        number: int = 1

    graph = compiled(Rebuilt)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        both(graph)
        both(graph)
        Rebuilt.model_fields["number"].description = "a number"
        Rebuilt.model_rebuild(force=True)
        assert both(graph)[0] == Rebuilt.model_json_schema()


def test_nothing_outlives_its_state() -> None:
    class Short(TypedDict):
        model: Any

    class Rest(BaseModel):
        number: int = 1

    Short.__annotations__["model"] = Rest
    graph = compiled(Short)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        both(graph)
        both(graph)
        gone = weakref.ref(Short), weakref.ref(Rest), weakref.ref(graph)
        del graph, Short, Rest
        for _ in range(3):
            gc.collect()
        stock_keeps = [reference() for reference in gone]
    del stock_keeps[:]
    kept = [reference() for reference in gone if reference() is not None]
    from fastgraph.adapters.ag_ui import json_schemas

    assert not any(holder is json_schemas for one in kept for holder in gc.get_referrers(one))
    assert gone[2]() is None


def test_keys_and_warnings_of_an_agent() -> None:
    agent = LangGraphAgent(name="a", graph=compiled(State))

    def seen() -> Any:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            keys = agent.get_schema_keys({})
        return keys, [(str(w.message), w.filename, w.lineno) for w in warned]

    stock = seen()
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert [seen(), seen(), seen()] == [stock] * 3
