"""What cannot be serialized: upstream's error, and a note that says where the value is."""

from __future__ import annotations

import pickle
from collections import deque
from typing import Any

import codec_types as types
import pytest
from codec_engines import assert_same, encoded, message_of, patched
from codec_values import TOO_LARGE, bad_keys, nested, unserializable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel
from typing_extensions import TypedDict

OPAQUE = types.Opaque()


def deque_of(value: Any) -> Any:
    return deque([value])


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: [1, {"k": v}], types.Plainly, deque_of])
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(value=unserializable() | st.dictionaries(bad_keys(), st.none(), min_size=1))
def test_the_error_is_upstreams(wrap: Any, value: Any) -> None:
    (kind, text, cause, context) = assert_same(wrap(value))
    assert kind is TypeError and text and cause is None and context is None


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (OPAQUE, "at the value (Opaque)"),
        ([1, OPAQUE], "at the value -> [1] (Opaque)"),
        ({"a": (0, {"b c": OPAQUE})}, "at the value -> ['a'] -> [1] -> ['b c'] (Opaque)"),
        ({5: OPAQUE}, "at the value -> [5] (Opaque)"),
        ({("t",): OPAQUE}, "at the value -> [tuple] (Opaque)"),
        ([types.Plainly(1, b=[OPAQUE])], "at the value -> [0] -> .b -> [0] (Opaque)"),
        (types.Point(1, OPAQUE), "at the value -> .y (Opaque)"),
        (Send("n", [OPAQUE]), "at the value -> .arg -> [0] (Opaque)"),
        (Command(update={"x": OPAQUE}), "at the value -> .update -> ['x'] (Opaque)"),
        (Interrupt(OPAQUE), "at the value -> .value (Opaque)"),
        (deque([0, OPAQUE]), "at the value -> [1] (Opaque)"),
        (types.OwnDump(a={"k": OPAQUE}), "at the value -> .own -> ['k'] (Opaque)"),
        (types.Nested(simple=types.Simple(name="s"), anything=[OPAQUE]), ".anything -> [0]"),
        (types.SimpleV1(name="x", anything=OPAQUE), "at the value -> .anything (Opaque)"),
        ([types.OwnSend("n", {"k": OPAQUE})], "at the value -> [0] -> [1] -> ['k'] (Opaque)"),
        ([2**70], "at the value -> [0]"),
        ({"a": {"\ud800": 1}}, "at the value -> ['a'] -> ['\\ud800']"),
        ([types.Raising()], "at the value -> [0] (Raising)"),
        ({"v": 1, "channel_values": {"docs": [0, types.Plainly(OPAQUE)]}}, 'channel "docs" -> [1]'),
    ],
)
def test_the_note_tells_the_way(value: Any, path: str) -> None:
    note = message_of(value)
    assert path in note
    assert note.startswith("at ") and "\n" not in note


def test_a_long_way_is_told_from_its_ends() -> None:
    note = message_of(nested({"k": OPAQUE}, 100, lambda value: [value]))
    assert note.startswith("at the value -> [0] -> ") and note.endswith("['k'] (Opaque)")
    assert "(85 more)" in note


def test_what_a_user_wrote_is_not_asked_for_the_note() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise AssertionError("asked")

        __str__ = __repr__

        def __hash__(self) -> int:
            return 1

    assert "[Shy]" in message_of({types.Plain.A: {1: Shy()}, (1, 2): [Shy()]}).replace(
        "(Shy)", "[Shy]"
    )


class State(TypedDict):
    docs: Any


def graph_of(saver: Any) -> Any:
    def node(_: State) -> Any:
        return {"docs": [0, 1, 2, types.Plainly(OPAQUE)]}

    builder: Any = StateGraph(State).add_node("node", node).add_edge(START, "node")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "encrypted"])
def test_the_note_names_the_channel(kind: str) -> None:
    class Cipher:
        def encrypt(self, text: bytes) -> tuple[str, bytes]:
            return "none", text

        def decrypt(self, name: str, text: bytes) -> bytes:
            return text

    config = {"configurable": {"thread_id": "1"}}
    with SqliteSaver.from_conn_string(":memory:") as sqlite:
        savers = {
            "memory": InMemorySaver(),
            "sqlite": sqlite,
            "encrypted": InMemorySaver(serde=EncryptedSerializer(Cipher())),
        }
        with patched(), pytest.raises(TypeError) as caught:
            graph_of(savers[kind]).invoke({"docs": None}, config, durability="sync")
    assert str(caught.value) == "Type is not msgpack serializable: Plainly"
    assert caught.value.__notes__[0] == 'at channel "docs" -> [3] -> .a (Opaque)'


def test_stock_has_no_note() -> None:
    with pytest.raises(TypeError) as caught:
        JsonPlusSerializer().dumps_typed([OPAQUE])
    assert not hasattr(caught.value, "__notes__")


def test_pickle_takes_what_msgpack_does_not() -> None:
    serde = JsonPlusSerializer(pickle_fallback=True)
    with patched():
        kind, data = serde.dumps_typed([1, TOO_LARGE[0], types.Opaque])
    assert kind == "pickle" and pickle.loads(data) == [1, TOO_LARGE[0], types.Opaque]


class Counting(BaseModel):
    """Says how often it was asked."""

    a: Any = None
    asked: list[str] = []

    def model_dump(self, **_: Any) -> Any:
        type(self).calls.append("asked")  # type: ignore[attr-defined]
        return {"a": self.a}


@pytest.mark.parametrize("inner", [1, OPAQUE, [2**70]])
def test_nobody_is_asked_twice(inner: Any) -> None:
    counts = []
    for engine in (encoded, in_patched):
        Counting.calls = []  # type: ignore[attr-defined]
        engine([types.Plainly(Counting(a=inner)), OPAQUE])
        counts.append(len(Counting.calls))  # type: ignore[attr-defined]
    assert counts == [1, 1]


def in_patched(value: Any) -> Any:
    with patched():
        return encoded(value)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, RecursionError])
def test_whatever_an_object_raises_is_swallowed_as_upstream_does(error: Any) -> None:
    class Raises:
        def model_dump(self) -> Any:
            raise error("no")

    assert_same([Raises()])
    assert_same({"a": types.Plainly(Raises())})


def test_an_error_is_not_chained_to_what_its_object_raised() -> None:
    def encode_while(error: Exception) -> None:
        try:
            raise error
        except ValueError:
            JsonPlusSerializer().dumps_typed([types.Raising()])

    outer = ValueError("outer")
    with patched(), pytest.raises(TypeError) as caught:
        encode_while(outer)
    assert caught.value.__context__ is outer and caught.value.__cause__ is None
