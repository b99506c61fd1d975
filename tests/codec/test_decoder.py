"""What is decoded: the values, types, events, log records and warnings of stock."""

from __future__ import annotations

import copy
import importlib
import sys
import uuid
from datetime import datetime, timezone
from typing import Any

import codec_types as types
import codec_values as codec
import ormsgpack
import pytest
from decoding import OURS, STOCK, TARGET, Record, check, differ, ext, obj, pack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde import _msgpack, event_hooks, jsonplus
from langgraph.checkpoint.serde.base import SerializerCompat
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, Interrupt, Send

import fastgraph
from fastgraph.adapters.langgraph import decoded_models

QUICK = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

PERMISSIVE = JsonPlusSerializer(allowed_msgpack_modules=True)
STRICT = JsonPlusSerializer(allowed_msgpack_modules=None)
LISTED = JsonPlusSerializer(
    allowed_msgpack_modules=[types.Plainly, types.Simple, (types.Point.__module__, "Point")]
)
SERIALIZERS = [PERMISSIVE, STRICT, LISTED]
STORED = [
    uuid.UUID(int=7),
    datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=timezone.utc),
    Send("node", {"a": [1]}),
    Command(update={"a": 1}, goto=[Send("n", 1)]),
    Interrupt(value="?", id="1"),
    types.Plainly(1),
    types.Simple(name="b"),
    {1, 2},
]


def stored(value: Any) -> tuple[str, bytes]:
    return PERMISSIVE.dumps_typed(value)


def falls_back(serializer: Any, data: Any) -> int:
    """How often a decoding is left to upstream."""

    def counted() -> tuple[int, int]:
        (target,) = [each for each in fastgraph.status().targets if each.name == TARGET]
        return target.calls, sum(target.fallbacks.values())

    calls, fallbacks = counted()
    OURS(serializer, data)
    calls_now, fallbacks_now = counted()
    assert calls_now == calls + 1
    return fallbacks_now - fallbacks


# Values


@QUICK
@given(codec.anything())
def test_whatever_upstream_stores_is_decoded_as_upstream_does(value):
    try:
        data = stored(value)
    except Exception:
        return
    for serializer in SERIALIZERS:
        check(serializer, data)


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_values_are_decoded_as_upstream_does(seed):
    for value in codec.combined(types.instances() + STORED, seed, 400):
        try:
            data = stored(value)
        except Exception:
            continue
        check(PERMISSIVE, data)


@pytest.mark.parametrize("value", STORED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_nothing_of_this_takes_upstreams_way(value, serializer):
    assert falls_back(serializer, stored([value, value])) == 0


def test_objects_can_be_changed_afterwards_without_anybody_noticing():
    message = AIMessage("a", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "1"}])
    data = stored([message, message])
    one, other = check(PERMISSIVE, data).value
    again = copy.deepcopy(other)
    one.additional_kwargs["a"] = 1
    one.tool_calls[0]["args"]["a"] = 2
    one.tool_calls.append("new")
    one.response_metadata["b"] = 1
    one.__pydantic_extra__["c"] = 1
    one.id = "changed"
    one.extra_one = 1
    assert differ(again, other, "other") is None
    assert "id" in one.model_fields_set and one.model_copy() == one
    assert OURS(PERMISSIVE, data)[0] == again


# Messages


def message_of(cls: type[BaseMessage], fields: dict[str, Any]) -> tuple[str, bytes]:
    """Any fields under a message's class, as no encoder would write them."""
    return stored_as(5, cls.__module__, cls.__name__, fields, "model_validate_json")


def stored_as(code: int, *body: Any) -> tuple[str, bytes]:
    """An extension with any body."""
    return "msgpack", ext(code, stored(body)[1])


MESSAGES = [HumanMessage, SystemMessage, AIMessage, ToolMessage]
ODD: Any = st.sampled_from(
    [
        None,
        True,
        0,
        1.5,
        "",
        "text",
        b"bytes",
        [],
        {},
        ["a"],
        [1],
        {"a": 1},
        {1: 2},
        [{}, "a"],
        "human",
        "system",
        "ai",
        "tool",
        "success",
        "error",
        "tool_call",
        2**60,
        {"tool_calls": []},
        {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
        [["nested"]],
        [{"name": "f", "args": {}, "id": "1"}],
        types.Plainly(1),
        uuid.UUID(int=1),
    ]
)
ORDERED = [{"name": "f", "args": {"a": 1}, "id": None, "type": "tool_call"}]
CALLS = st.lists(
    st.one_of(
        st.sampled_from(ORDERED),
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.sampled_from(["1", None, 1]),
                "name": st.sampled_from(["f", None, b"f"]),
                "args": st.sampled_from([{}, {"a": 1}, {1: 2}, {b"k": 1}, "a", None, [["a", 1]]]),
                "type": st.sampled_from(["tool_call", "other", None]),
                "extras": st.sampled_from([None, {"a": 1}]),
                "error": st.sampled_from([None, "error"]),
                "index": st.just(1),
            },
        ),
        ODD,
    ),
    max_size=3,
)
NUMBERS = st.sampled_from([0, -1, 2**40, True, 1.0, 1.5, None, "1", b"1"])
DETAILS = st.one_of(
    st.dictionaries(
        st.sampled_from(["audio", "cache_creation", "cache_read", "reasoning", "own", 1]),
        NUMBERS,
        max_size=4,
    ),
    ODD,
)
USAGE = st.one_of(
    st.permutations(["input_tokens", "output_tokens", "total_tokens", "own", "input_token_details"])
    .flatmap(lambda order: st.tuples(*[st.tuples(st.just(k), st.just(1)) for k in order]))
    .map(dict),
    st.dictionaries(
        st.sampled_from(["input_tokens", "output_tokens", "total_tokens"]), NUMBERS, max_size=3
    ),
    st.tuples(DETAILS, DETAILS, st.booleans(), st.booleans()).map(
        lambda parts: {
            "input_tokens": 1,
            "output_tokens": 2,
            "total_tokens": 3,
            **({"input_token_details": parts[0]} if parts[2] else {}),
            "output_token_details": parts[1],
            **({"own": parts[0]} if parts[3] else {}),
        }
    ),
    ODD,
)


@st.composite
def fields(draw: st.DrawFn) -> tuple[type[BaseMessage], dict[str, Any]]:
    """Fields as they are stored, a few of them changed, left out, added or moved."""
    cls = draw(st.sampled_from(MESSAGES))
    given: dict[str, Any] = {
        "content": draw(st.sampled_from(["text", "", "é", ["a", {"type": "text"}], [{1: 2}], []])),
        "additional_kwargs": draw(st.sampled_from([{}, {"a": {}}, {"tool_calls": []}])),
        "response_metadata": {"model": "m"},
        "type": cls.model_fields["type"].default,
        "name": draw(st.sampled_from([None, "name"])),
        "id": draw(st.sampled_from([None, "id", 3])),
    }
    if cls is AIMessage:
        given["tool_calls"] = draw(CALLS)
        given["invalid_tool_calls"] = draw(st.one_of(st.just([]), CALLS))
        given["usage_metadata"] = draw(USAGE)
    elif cls is ToolMessage:
        given["tool_call_id"] = draw(st.sampled_from(["1", "", 1, 1.5, None]))
        given["artifact"] = draw(ODD)
        given["status"] = draw(st.sampled_from(["success", "error", "other"]))
    for name in draw(st.lists(st.sampled_from(sorted(given)), max_size=2)):
        given[name] = draw(ODD)
    for name in draw(st.lists(st.sampled_from(sorted(given)), max_size=3)):
        given.pop(name, None)
    if draw(st.integers(0, 9)) == 0:
        given[draw(st.sampled_from(["own", "content_blocks", "self", "tool_call_chunks"]))] = draw(
            ODD
        )
    if draw(st.booleans()):
        given = dict(draw(st.permutations(list(given.items()))))
    return cls, given


@settings(QUICK, max_examples=600)
@given(fields())
def test_messages_of_any_fields_are_made_as_their_classes_make_them(message):
    check(PERMISSIVE, message_of(*message))


@QUICK
@given(st.lists(codec.messages(), max_size=4))
def test_stored_messages_are_made_as_their_classes_make_them(messages):
    try:
        data = stored(messages)
    except Exception:
        return
    check(PERMISSIVE, data)


def test_every_maker_is_in_use():
    # One that fails its trial is left out.
    assert {maker.cls for maker in decoded_models.known_makers()} == {uuid.UUID, Send, *MESSAGES}


def test_a_message_of_the_usual_form_is_made_directly(monkeypatch):
    called = []
    validator = AIMessage.__pydantic_validator__
    data = stored(AIMessage("a", id="1", tool_calls=[ORDERED[0]]))
    message = OURS(PERMISSIVE, data)
    maker = next(m for m in decoded_models.known_makers() if m.cls is AIMessage)
    made = maker.made(dict(message.__dict__))
    assert differ(message, made, "made") is None
    # Whoever changes the class is asked.
    monkeypatch.setattr(
        BaseMessage, "__init__", lambda self, **kwargs: called.append(kwargs), raising=True
    )
    assert maker.made(dict(message.__dict__)) is None
    OURS(PERMISSIVE, data)
    assert len(called) == 1
    assert AIMessage.__pydantic_validator__ is validator


@pytest.mark.parametrize("digits", ["0" * 32, "F" * 32, "0123456789abcdefABCDEF0123456789"])
@pytest.mark.parametrize(
    "change", [str, lambda d: d[:-1], lambda d: d + "0", lambda d: d[:-1] + "g"]
)
def test_uuids_of_any_digits(digits, change):
    check(PERMISSIVE, stored_as(0, "uuid", "UUID", change(digits)))


@pytest.mark.parametrize(
    "digits",
    [
        None,
        1,
        b"0" * 32,
        "{" + "0" * 32 + "}",
        "urn:uuid:" + "0" * 32,
        "_" * 32,
        "0_" * 16,
        "0x" + "0" * 30,
        " " * 31 + "1",
        "+" + "0" * 31,
        "٣" * 32,
        "0" * 31 + "é",
        [],
        {},
    ],
)
def test_uuids_of_anything_else(digits):
    check(PERMISSIVE, stored_as(0, "uuid", "UUID", digits))


@pytest.mark.parametrize(
    "arguments", [["n", 1], ["n"], ["n", 1, None], ["n", 1, 5.0], [], "ab", "abc", {}, None, 1]
)
def test_sends_of_any_arguments(arguments):
    check(PERMISSIVE, stored_as(1, "langgraph.types", "Send", arguments))
    check(STRICT, stored_as(1, "langgraph.types", "Send", arguments))


# What may be loaded

NAMES = [
    ("uuid", "UUID"),
    ("datetime", "datetime"),
    ("builtins", "set"),
    ("builtins", "eval"),
    ("os", "getcwd"),
    ("codec_types", "Plainly"),
    ("codec_types", "Simple"),
    ("codec_types", "SimpleV1"),
    ("codec_types", "nothing"),
    ("no_such_module_at_all", "name"),
    ("langgraph.types", "Send"),
    ("", ""),
    (".relative", "name"),
    ("os", "path.join"),
    ("os", "__dict__"),
    ("os", "__class__"),
    (None, "name"),
    (b"os", b"getcwd"),
    (["unhashable"], "name"),
    ({}, {}),
    ("os", 1),
    (1.5, ["a"]),
    ("codec_types", "Raising"),
]
PAYLOADS: list[Any] = [None, 1, "a", "0" * 32, [1], {"a": 1}, {1: 2}, [["a", 1]], b"b", {}]


@pytest.mark.parametrize("code", range(-1, 9))
@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_every_name_is_allowed_or_not_as_upstream_decides(code, serializer):
    for module, name in NAMES:
        for payload in PAYLOADS:
            for method in ("fromisoformat", "now", "mro", None, 1, []):
                check(serializer, stored_as(code, module, name, payload, method))
            check(serializer, stored_as(code, module, name, payload))
        for rest in ([], [1, 2, 3, 4]):
            check(serializer, stored_as(code, module, name, *rest))


@pytest.mark.parametrize("code", range(9))
def test_bodies_of_any_form(code):
    bodies: list[Any] = [None, 1, "", "ab", "abc", "abcd", b"abc", [], {}, [1], ["os"], 1.5, True]
    bodies += [{0: "os", 1: "getcwd", 2: 1, 3: 4}, ["os", "getcwd"], [["os"], "x", 1]]
    bodies += [("a",) * 20, ["<f8", [1], "C", b"1" * 8], ["<f8", [2], "C", b"1" * 8], "<f8C"]
    bodies += [
        types.Plainly(1),
        [types.Plainly(1)] * 4,
        uuid.UUID(int=1),
        ["<f8", [1], "C", b"1" * 8],
    ]
    bodies += [
        ["<f8", [2], "C", b"1" * 8],
        ["O", [1], "C", b"1" * 8],
        ["<f8", 1, None, "x"],
        "<f8C",
    ]
    for body in bodies:
        for serializer in SERIALIZERS:
            check(serializer, ("msgpack", ext(code, stored(body)[1])))


def test_a_blocked_class_is_neither_looked_up_nor_called(tmp_path, monkeypatch):
    (tmp_path / "codec_trap.py").write_text("raise AssertionError('it was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for code in (0, 1, 2, 3, 4, 5):
        record = check(STRICT, stored_as(code, "codec_trap", "Trap", {"a": 1}, "method"))
        assert record.value == {"a": 1} and record.heard
    assert "codec_trap" not in sys.modules


def test_events_and_warnings_come_for_every_object_that_upstream_tells_of():
    record = check(PERMISSIVE, stored([types.Plainly(1), types.Plainly(2), types.Simple(name="b")]))
    assert [each["kind"] for each in record.heard if isinstance(each, dict)] == [
        "msgpack_unregistered_allowed"
    ] * 3
    # Without a listener, and with all warnings given, nothing is left to tell.
    OURS(PERMISSIVE, stored([types.Plainly(1)]))
    record = Record(OURS, PERMISSIVE, stored([types.Plainly(1)]))
    assert len(record.heard) == 2


def test_what_is_safe_is_looked_up_each_time(monkeypatch):
    data = stored([types.Plainly(1), uuid.UUID(int=1), STORED[1]])
    for safe in (
        frozenset(),
        {("codec_types", "Plainly")},
        frozenset({("codec_types", "Plainly")}),
    ):
        check(STRICT, data)
        monkeypatch.setattr(_msgpack, "SAFE_MSGPACK_TYPES", safe)
        check(STRICT, data)
        monkeypatch.setattr(_msgpack, "SAFE_MSGPACK_METHODS", safe)
        check(STRICT, data)
    STRICT_AGAIN = JsonPlusSerializer(allowed_msgpack_modules=[types.Plainly])  # noqa: N806
    allowed = STRICT_AGAIN._allowed_msgpack_modules
    check(STRICT_AGAIN, data)
    allowed.clear()
    assert check(STRICT_AGAIN, data).heard
    check(STRICT_AGAIN.with_msgpack_allowlist([types.Plainly, uuid.UUID]), data)


def test_a_class_that_was_replaced_in_its_module_is_found(monkeypatch):
    data = stored([types.Plainly(1), types.Plainly(2)])
    assert type(OURS(PERMISSIVE, data)[0]) is types.Plainly

    class Other:
        def __init__(self, **fields: Any) -> None:
            self.fields = fields

    monkeypatch.setattr(types, "Plainly", Other)
    assert type(check(PERMISSIVE, data).value[0]) is Other
    monkeypatch.delattr(types, "Plainly")
    check(PERMISSIVE, data)
    monkeypatch.setitem(sys.modules, "codec_types", None)
    check(PERMISSIVE, data)


# Other serializers


def upper(code: int, data: bytes) -> Any:
    return code, data


class Subclass(JsonPlusSerializer):
    pass


class Overriding(JsonPlusSerializer):
    @property
    def _unpack_ext_hook(self) -> Any:
        self.asked += 1
        return upper

    @_unpack_ext_hook.setter
    def _unpack_ext_hook(self, value: Any) -> None:
        self.asked = 0


class Untyped:
    def dumps(self, value: Any) -> bytes:
        return pack(value)

    def loads(self, data: bytes) -> Any:
        return ormsgpack.unpackb(data)


class Reversing:
    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "reversed", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return ciphertext[::-1]


def test_a_hook_of_the_users_is_called_by_upstream():
    serializer = JsonPlusSerializer(__unpack_ext_hook__=upper)
    check(serializer, stored(STORED))
    assert falls_back(serializer, stored(STORED)) == 1
    check(serializer, stored({"a": [1]}))
    # One that only looks like upstream's.
    copied = type(upper)(
        PERMISSIVE._unpack_ext_hook.__code__, {}, closure=PERMISSIVE._unpack_ext_hook.__closure__
    )
    check(JsonPlusSerializer(__unpack_ext_hook__=copied), stored(STORED))


def test_subclasses_and_serializers_around():
    check(Subclass(), stored(STORED))
    assert falls_back(Subclass(), stored(STORED)) == 0
    overriding = Overriding()
    OURS(overriding, stored(STORED))
    assert overriding.asked == 1
    check(overriding, stored(STORED))
    bare = JsonPlusSerializer.__new__(JsonPlusSerializer)
    check(bare, stored(1))
    assert SerializerCompat(Untyped()).loads_typed(("x", pack([1]))) == [1]
    with fastgraph.patched():
        encrypted = EncryptedSerializer(Reversing())
        assert encrypted.loads_typed(encrypted.dumps_typed(STORED[:4])) == STORED[:4]


@pytest.mark.parametrize(
    "data",
    [
        ("null", b""),
        ("bytes", b"abc"),
        ("bytearray", b"abc"),
        ("json", b'{"a": [1]}'),
        ("json", b'{"lc": 2, "type": "constructor", "id": ["uuid", "UUID"], "args": ["x"]}'),
        ("pickle", b"\x80\x04N."),
        ("other", b""),
        ("msgpack", bytearray(b"\x91\x01")),
        ("msgpack", memoryview(b"\x91\x01")),
        ("msgpack", memoryview(b"\x91\x01\x01\x01")[::2]),
        ("msgpack", "text"),
        ("msgpack", None),
        ["msgpack", b"\x91\x01"],
        ("msgpack",),
        ("msgpack", b"", b""),
        None,
        (1, b""),
    ],
)
def test_other_forms_are_upstreams(data):
    for serializer in (PERMISSIVE, JsonPlusSerializer(pickle_fallback=True)):
        check(serializer, data)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (jsonplus, "_DeltaSnapshot"),
        (jsonplus, "_reconstruction_fallback"),
        (jsonplus, "_send_from_args"),
        (jsonplus, "_warn_once"),
        (jsonplus, "emit_serde_event"),
        (event_hooks, "_listeners"),
        (importlib, "import_module"),
    ],
)
def test_a_part_that_somebody_replaced_is_used(monkeypatch, module, name):
    data = stored([jsonplus._DeltaSnapshot(STORED), Send("a", types.Plainly(1))])
    if not hasattr(module, name):
        pytest.skip("this release does without")
    extra = obj(1, pack("langgraph.types"), pack("Send"), pack([]))
    original = getattr(module, name)
    OURS(PERMISSIVE, data)
    heard: list[Any] = []

    def instead(*args: Any, **kwargs: Any) -> Any:
        heard.append(args)
        return original(*args, **kwargs)

    class Listeners(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            heard.append("asked")
            return super().__iter__()

    monkeypatch.setattr(module, name, Listeners() if name == "_listeners" else instead)
    for load in (STOCK, OURS):
        heard.clear()
        load(PERMISSIVE, data)
        load(PERMISSIVE, ("msgpack", extra))
        if load is STOCK:
            expected = list(map(repr, heard))
    assert heard and list(map(repr, heard)) == expected


def test_another_unpackb_is_used(monkeypatch):
    monkeypatch.setattr(ormsgpack, "unpackb", lambda *args, **kwargs: "instead")
    assert OURS(PERMISSIVE, stored(1)) == "instead"
    monkeypatch.undo()
    monkeypatch.setattr(jsonplus, "ormsgpack", type("Other", (), vars(ormsgpack)))
    check(PERMISSIVE, stored(STORED))


def test_serializers_made_before_and_after_are_both_decoded_here():
    before, data = JsonPlusSerializer(), stored(STORED)
    with fastgraph.patched():
        assert fastgraph.is_patched("JsonPlusSerializer.loads_typed")
        for serializer in (before, JsonPlusSerializer(), copy.copy(before)):
            assert differ(serializer.loads_typed(data), STOCK(before, data), "value") is None
            assert falls_back(serializer, data) == 0
