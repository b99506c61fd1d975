"""Events as server-sent events: upstream's bytes, and what it says of what it cannot write."""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import ag_ui.core as core
import pytest
from ag_ui.core import EventType, RawEvent, StateSnapshotEvent, TextMessageContentEvent
from ag_ui.encoder import EventEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

import fastgraph
from fastgraph.kernels.json_writer import dumps


def written(event: Any) -> Any:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            text: Any = EventEncoder().encode(event)
        except Exception as error:
            text = f"{type(error).__name__} {error}"
    return text, [str(warning.message) for warning in warned]


def compare(event: Any) -> str:
    stock = written(event)
    with fastgraph.patched(["ag-ui.EventEncoder._encode_sse"], strict=True):
        assert written(event) == stock
    return str(stock[0])


class Mine(TextMessageContentEvent):
    more: int = 1


def content(**changes: Any) -> TextMessageContentEvent:
    event = TextMessageContentEvent(message_id="m", delta="d")
    for name, value in changes.items():
        setattr(event, name, value)
    return event


ODD: list[Any] = [
    content(delta="é\ud800"), content(delta=5), content(delta=None), content(message_id=b"m"),
    content(timestamp=2**70), content(timestamp=1.5), content(timestamp=True), content(timestamp=7),
    content(raw_event={1: 2, None: [math.nan, math.inf]}), content(raw_event={}),
    content(raw_event=[10**30, -0.0, 1e16, 1e-7]), content(raw_event=object()),
    content(metadata={"a": 1}), content(subagent_run_id="s"), content(subagent_run_id=""),
    content(more="extra"), content(type=EventType.RAW), content(type="TEXT_MESSAGE_CONTENT"),
    Mine(message_id="m", delta="d"), TextMessageContentEvent.model_construct(delta="d"),
    TextMessageContentEvent.model_construct(delta="d", message_id="m"),
    RawEvent(event=None), RawEvent(event=(1, [2])),
    RawEvent(event={"a": {1}}), RawEvent(event=b"e"),
    core.CustomEvent(name="n", value=None), core.RunErrorEvent(message="m", code="c"),
    core.MessagesSnapshotEvent(messages=[core.UserMessage(id="1", content="é")]),
    core.RunStartedEvent(thread_id="t", run_id="r"), core.TextMessageStartEvent(message_id="m"),
    core.ReasoningEncryptedValueEvent(subtype="message", entity_id="e", encrypted_value="v"),
    core.StateDeltaEvent(delta=[{"op": "add", "path": "/a", "value": 1}]),
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(ODD)))
def test_odd_events(index: int) -> None:
    compare(ODD[index])


@pytest.mark.parametrize("depth", [3, 90, 99, 100, 101, 200, 260])
def test_nested(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    compare(StateSnapshotEvent(snapshot=value))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats()
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN)
def test_plain_values(value: Any) -> None:
    found = dumps(value)
    if found is None:  # an integer or a text outside the domain
        return
    assert found == to_json(value, inf_nan_mode="null")


def test_each_byte_of_text() -> None:
    rng = random.Random(1)
    text = "".join(map(chr, range(0x250))) + "".join(
        chr(rng.randrange(0x10FFFF)) for _ in range(99)
    )
    text = text.encode("utf-8", "ignore").decode()
    assert dumps({text: text}) == to_json({text: text})


def test_own_encoders() -> None:
    class Own(EventEncoder):
        def _encode_sse(self, event: Any) -> str:
            return "own " + super()._encode_sse(event)

    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert Own().encode(content()).startswith("own data: ")
