"""`codec="slim"`: what it leaves out, stock fills in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import codec_types as types
import codec_values as values
import pytest
from codec_engines import ENCODER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel, Field, model_validator

import fastgraph

ours = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    assert not fastgraph.is_patched()


def slim(value: Any) -> bytes:
    with fastgraph.patched(ENCODER, strict=True, codec="slim"):
        return jsonplus._msgpack_enc(value)


def read(data: bytes) -> Any:
    """By stock, since nothing is patched."""
    return JsonPlusSerializer().loads_typed(("msgpack", data))


def state(value: Any) -> Any:
    """All that a value is made of, since NaN is not equal to itself, and a class may say more."""
    if isinstance(value, BaseModel):
        held = {name: state(each) for name, each in value.__dict__.items()}
        return (type(value), held, state(value.__pydantic_extra__))
    if isinstance(value, dict):
        return {repr(key): state(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return (type(value), [state(each) for each in value])
    return (type(value), repr(value))


def assert_read_alike(value: Any) -> None:
    """Stock reads the same from slim bytes as from its own."""
    assert state(read(slim(value))) == state(read(jsonplus._msgpack_enc(value)))


@settings(ours, max_examples=60)
@given(st.lists(values.messages(), max_size=6))
def test_stock_reads_messages_alike(messages: list[Any]) -> None:
    try:
        jsonplus._msgpack_enc(messages)
    except TypeError:
        return
    assert_read_alike(messages)


@settings(ours, max_examples=60)
@given(st.lists(values.models(values.json_like()), max_size=6))
def test_stock_reads_models_alike(models: list[Any]) -> None:
    try:
        jsonplus._msgpack_enc(models)
    except TypeError:
        return
    assert_read_alike(models)


@settings(ours, max_examples=60)
@given(st.lists(values.values(), max_size=4))
def test_what_is_no_model_is_written_as_ever(made: list[Any]) -> None:
    try:
        exact = jsonplus._msgpack_enc(made)
    except TypeError:
        with pytest.raises(TypeError):
            slim(made)
        return
    assert len(slim(made)) <= len(exact)


MESSAGES = [
    HumanMessage("hi", id="1"),
    AIMessage(
        "",
        id="2",
        tool_calls=[{"name": "search", "args": {"q": "x"}, "id": "c"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    ToolMessage("found", tool_call_id="c", id="3"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type)
def test_messages_are_equal_and_smaller(message: Any) -> None:
    data = slim(message)
    assert read(data) == message
    assert len(data) < 0.75 * len(jsonplus._msgpack_enc(message))
    assert b"response_metadata" not in data and b"content" in data


def test_a_field_that_is_not_at_its_default_stays() -> None:
    message = HumanMessage("hi", name="me", response_metadata={"a": 1})
    assert b"response_metadata" in slim(message) and b"name" in slim(message)
    assert b"additional_kwargs" not in slim(message)
    assert b"count" in slim(types.Various(count=1)) and b"ratio" not in slim(types.Various())
    assert b"flag" in slim(types.Various(flag=True))
    # True is not 1, although it is equal to it.
    assert b"count" in slim(types.Various.model_construct(count=False))


class Asking(BaseModel):
    """Looks at what it is given: a field that is missing would make a difference."""

    a: int = 1

    @model_validator(mode="before")
    @classmethod
    def look(cls, data: Any) -> Any:
        return {"a": 7} if "a" not in data else data


class Demanding(BaseModel):
    a: int = 1

    def __init__(self, a: int) -> None:
        super().__init__(a=a)


class Aliased(BaseModel):
    a: int = Field(default=1, alias="b")


@pytest.mark.parametrize(
    "model",
    [
        Asking(a=1),
        Demanding(1),
        Aliased(),
        types.Validated(),
        types.FieldSerialized(),
        types.Computed(),
        types.OwnDump(),
        RemoveMessage(id="1"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_classes_with_a_say_of_their_own_are_written_in_full(model: Any) -> None:
    assert slim(model) == jsonplus._msgpack_enc(model)


def test_a_list_that_is_the_default_is_nobody_elses() -> None:
    data = slim([types.Various(), types.Various()])
    first, second = read(data)
    first.texts.append("mine")
    assert second.texts == []


def test_it_is_off_by_default_and_after() -> None:
    exact = jsonplus._msgpack_enc(MESSAGES)
    with fastgraph.patched(ENCODER):
        assert jsonplus._msgpack_enc(MESSAGES) == exact
        with fastgraph.patched(ENCODER, codec="slim"):
            assert len(jsonplus._msgpack_enc(MESSAGES)) < len(exact)
            fastgraph.patch(ENCODER)  # says nothing about the codec
            assert len(jsonplus._msgpack_enc(MESSAGES)) < len(exact)
            with fastgraph.patched(ENCODER, codec="exact"):
                assert jsonplus._msgpack_enc(MESSAGES) == exact
            assert len(jsonplus._msgpack_enc(MESSAGES)) < len(exact)
        assert jsonplus._msgpack_enc(MESSAGES) == exact
        fastgraph.patch(ENCODER, codec="slim")
        fastgraph.unpatch()
        assert jsonplus._msgpack_enc(MESSAGES) == exact
        fastgraph.patch(ENCODER)
        assert jsonplus._msgpack_enc(MESSAGES) == exact


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="no codec 'thin'; the codecs are exact, slim"):
        fastgraph.patch(codec="thin")  # type: ignore[arg-type]
