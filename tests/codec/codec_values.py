"""What the codec's tests encode and decode: Hypothesis strategies over all that upstream takes.

`anything()` is all of it, at any depth, with what cannot be serialized among it. The others are
its parts.
"""

from __future__ import annotations

import random
import re
from collections import OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import codec_types as types
import numpy
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)
from langgraph.checkpoint.serde import types as serde_types
from langgraph.store.base import Item
from langgraph.types import Command, Interrupt, Overwrite, Send, StateSnapshot, TimeoutPolicy
from pydantic import SecretBytes, SecretStr

Strategy = st.SearchStrategy[Any]

#: Where the encoding of an integer changes its width, and the ends of what msgpack has.
WIDTHS = (0, 2**5, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**53, 2**63, 2**64)
EDGES = sorted({sign * (at + off) for at in WIDTHS for off in (-1, 0, 1) for sign in (1, -1)})
INTS = [number for number in EDGES if -(2**63) <= number < 2**64]
TOO_LARGE = [number for number in EDGES if number not in INTS] + [10**30, -(10**30)]
FLOATS = [0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7976931348623157e308]
#: Where the encoding of a length changes its width.
LENGTHS = (0, 1, 15, 16, 31, 32, 255, 256)
TEXTS = [
    "",
    "a",
    "é",
    "ß" * 20,
    "日本語",
    "🙂" * 9,
    "nul\0nul",
    "\ud800",
    "a\udfffb",
    "\x7f\x80\xff",
]
TEXTS += ["x" * length for length in LENGTHS]

Deep = Callable[[Any], Any]


def made(build: Callable[..., Any], *given: Strategy, **named: Strategy) -> Strategy:
    """`st.builds`, with nothing inferred from annotations."""
    return st.tuples(st.tuples(*given), st.fixed_dictionaries(named)).map(
        lambda both: build(*both[0], **both[1])
    )


# Native values.


def ints() -> Strategy:
    return st.sampled_from(INTS) | st.integers(-(2**63), 2**64 - 1)


def floats() -> Strategy:
    return st.sampled_from(FLOATS) | st.floats()


def texts() -> Strategy:
    """Among them such as have lone surrogates."""
    return st.sampled_from(TEXTS) | st.text(st.characters(), max_size=40)


def sound_texts() -> Strategy:
    """Without surrogates, as keys of a dict have to be."""
    return st.text(max_size=20) | st.sampled_from([text for text in TEXTS if text.isprintable()])


def blobs() -> Strategy:
    return st.binary(max_size=40) | st.sampled_from([b"x" * length for length in LENGTHS])


def scalars() -> Strategy:
    return st.one_of(st.none(), st.booleans(), ints(), floats(), texts(), blobs())


def keys() -> Strategy:
    """What a dict may have as a key, of which msgpack makes another one here and there."""
    return st.one_of(
        sound_texts(),
        ints(),
        floats(),
        blobs(),
        st.booleans(),
        st.none(),
        st.tuples(sound_texts(), ints()),
        st.tuples(st.tuples(ints()), texts()),
        made(types.Text, texts()),
        made(types.Number, ints()),
        st.sampled_from([*types.Plain, *types.Worded, *types.Counted, *types.ValueOfItsOwn]),
        st.sampled_from([UUID(int=7), date(2020, 1, 2), datetime(2020, 1, 2, 3), time(1, 2)]),
        st.sampled_from([datetime(2020, 1, 2, tzinfo=timezone.utc), memoryview(b"key")]),
    )


def bad_keys() -> Strategy:
    """What a dict may have as a key, and msgpack does not take."""
    return st.sampled_from(
        [
            2**70,
            "\ud800",
            frozenset({1}),
            (1, frozenset()),
            types.Real(1.5),
            types.Frozen(1),
            Decimal(1),
            types.Pair((1,)),
            types.Blob(b"b"),
            time(1, tzinfo=timezone.utc),
            types.OfOtherMeta.A,
            int,
        ]
    )


def subclasses(inner: Strategy) -> Strategy:
    """Instances of subclasses of the native types, which have their raw content written."""
    return st.one_of(
        made(types.Text, texts()),
        made(types.Number, ints()),
        made(types.Row, st.lists(inner, max_size=3)),
        made(types.Mapping, st.dictionaries(sound_texts(), inner, max_size=3)),
        made(OrderedDict, st.dictionaries(sound_texts(), inner, max_size=3)).map(moved),
        made(defaultdict, st.just(list), st.dictionaries(sound_texts(), inner, max_size=3)),
        st.sampled_from([*types.OfOtherMeta]),
    )


def moved(ordered: OrderedDict[Any, Any]) -> OrderedDict[Any, Any]:
    """Its order as it says is no longer that of its memory."""
    if ordered:
        ordered.move_to_end(next(iter(ordered)))
    return ordered


def buffers() -> Strategy:
    return st.one_of(
        blobs().map(bytearray),
        blobs().map(memoryview),
        blobs().map(lambda blob: memoryview(bytearray(blob))),
    )


def containers(inner: Strategy) -> Strategy:
    return st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, min_size=15, max_size=17),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(sound_texts(), inner, max_size=5),
        st.dictionaries(keys(), inner, max_size=4),
        subclasses(inner),
    )


def natives() -> Strategy:
    """What needs no extension code."""
    return st.recursive(scalars() | buffers(), containers, max_leaves=12)


def json_like() -> Strategy:
    """What a field that may be anything holds as a rule."""
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-1000, 2**40) | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63) - 1]),
        st.floats(),
        st.text(max_size=9) | st.just("\ud800"),
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=5,
    )


# The standard library.

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]


def zones() -> Strategy:
    """Zones that upstream can write: those of odd seconds, and named ones, among them."""
    return st.one_of(
        st.just(timezone.utc),
        st.sampled_from([timezone(timedelta(minutes=m)) for m in (-720, -30, 0, 345, 840)]),
        st.just(timezone(timedelta(hours=1), "named")),
        st.just(timezone(timedelta(hours=1, seconds=3, microseconds=4))),
        st.sampled_from(ZONES).map(ZoneInfo),
    )


def times() -> Strategy:
    return st.one_of(
        st.datetimes(timezones=st.none() | zones()),
        st.datetimes().map(lambda at: at.replace(microsecond=0, tzinfo=timezone.utc)),
        st.dates(),
        st.times(timezones=st.none() | zones()),
        st.times().map(lambda at: at.replace(fold=1)),
        st.timedeltas(),
        zones(),
    )


def standard(inner: Strategy) -> Strategy:
    """Values of classes of the standard library."""
    hashable = st.one_of(st.none(), ints(), texts(), st.tuples(ints(), texts()), times())
    return st.one_of(
        times(),
        st.uuids(),
        st.decimals(),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
        st.lists(inner, max_size=4).map(deque),
        st.lists(st.text("ab.c/", max_size=4), max_size=3).map(lambda parts: Path(*parts)),
        st.sampled_from([re.compile("a+", re.I | re.X), re.compile(b"b"), re.compile("(é)")]),
        st.ip_addresses(),
        st.sampled_from([ip_network("10.0.0.0/8"), ip_network("fe80::/10")]),
        st.sampled_from([ip_interface("10.0.0.1/8"), ip_interface("fe80::1/10")]),
        st.just(ip_address("fe80::1%eth0")),
        st.sampled_from([*types.Plain, *types.Worded, *types.Counted, *types.ValueOfItsOwn]),
        st.sampled_from([types.Flags.X, types.Flags.X | types.Flags.Y]),
        made(types.Old, inner, inner),
        made(types.Point, inner),
        made(types.Renamed, inner, inner),
        made(ValueError, inner),
        st.just(KeyError("k")),
        st.just(OSError(2, "no such file")),
    )


def own_classes() -> Strategy:
    """Subclasses of what upstream knows."""
    return st.one_of(
        st.just(types.OwnDateTime(2020, 1, 2, tzinfo=timezone.utc)),
        st.just(types.OwnUUID(int=5)),
        made(types.OwnSet, st.sets(st.integers(0, 9), max_size=1)),
        st.just(types.OwnPath("a", "b")),
        made(types.OwnSend, st.just("node"), scalars()),
    )


# Dataclasses, and what is none.


def structures(inner: Strategy) -> Strategy:
    return st.one_of(
        made(types.Plainly, inner, inner),
        made(types.Frozen, inner),
        made(types.Slotted, inner, inner),
        made(types.Partly, inner),
        made(types.Sub, inner, inner),
        made(types.Parcel, st.just("node"), inner),
        made(types.HashedParcel, st.just("node"), inner, st.none() | ints()),
        made(types.WithDict, inner),
        made(types.WithDump, inner),
        made(types.Asked, inner),
        made(types.Answering, inner),
        made(types.Packet, texts(), inner),
        made(shadowing, inner),
    )


def shadowing(value: Any) -> Any:
    """A dataclass whose instance has what its class has not."""
    shadowed = types.Plainly(value)
    shadowed.dict = lambda: {"shadow": value}  # type: ignore[attr-defined]
    return shadowed


# NumPy.


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    kinds = ["<i4", ">i4", "u1", "f8", ">f2", "?", "c8", "S3", "U2", "i8,f4", "V5"]
    dtype = numpy.dtype(draw(st.sampled_from(kinds)))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    size = int(numpy.prod(shape)) if shape else 1
    seed = random.Random(draw(st.integers(0, 2**16)))
    flat = numpy.frombuffer(seed.randbytes(size * dtype.itemsize), dtype=dtype)
    if dtype.kind in "?U":
        flat = numpy.zeros(size, dtype=dtype)
    shaped = flat.reshape(shape)
    how = draw(st.sampled_from(["as it is", "Fortran", "transposed", "every other", "reversed"]))
    if how == "Fortran":
        return numpy.asfortranarray(shaped)
    if how == "transposed":
        return shaped.T
    if how == "every other" and shape:
        return shaped[::2]
    if how == "reversed" and shape:
        return shaped[::-1]
    return shaped


def numeric() -> Strategy:
    """Arrays; and what NumPy has besides, most of which is not taken."""
    others = [
        numpy.float64(1.5),
        numpy.int32(3),
        numpy.bool_(True),
        numpy.str_("s"),
        numpy.array(5),
        numpy.array(["2020-01-01"], dtype="M8[D]"),
        numpy.ma.masked_array([1, 2], mask=[0, 1]),
        numpy.arange(2000, dtype="i8"),
    ]
    return arrays() | st.sampled_from(others)


# pydantic.


def models(inner: Strategy) -> Strategy:
    text, number = st.text(max_size=20), st.integers(-(2**63), 2**63 - 1)
    jsons = json_like()
    return st.one_of(
        made(types.Simple, name=text, age=number),
        made(types.Simple, name=text),
        made(types.Child, name=text, nick=st.none() | text),
        various(),
        made(types.Nested, simple=made(types.Simple, name=text), anything=inner),
        made(
            types.Nested,
            simple=made(types.Child, name=text),
            many=st.lists(made(types.Simple, name=text), max_size=3),
            anything=jsons,
        ),
        made(types.Extra, a=inner, b=jsons, c=inner),
        made(types.Extra, a=jsons),
        made(types.Rooted, inner),
        made(types.ModelSerialized, a=inner),
        made(types.ModelWrapped, a=inner),
        made(types.OwnDump, a=inner),
        made(types.Excluding, a=inner, hidden=inner),
        made(types.Private, a=inner),
        made(types.Secretive, a=inner),
        made(types.Recursive, value=inner),
        made(types.SimpleV1, name=text, anything=inner),
        made(types.OwnDictV1, a=inner),
        st.sampled_from(types.instances()),
        st.sampled_from([SecretStr("secret"), SecretBytes(b"secret")]),
        # Past validation: what a field holds need not be what it says.
        made(types.Simple.model_construct, name=inner, age=inner),
        made(types.Various.model_construct, text=inner, by_name=inner, kind=inner, tool=inner),
        made(types.Simple.model_construct, age=number),
        made(reordered, jsons),
    )


def reordered(value: Any) -> Any:
    """A model whose fields are held in another order than they are declared in."""
    model = types.Various(anything=value, text="t")
    held = model.__dict__
    held["text"] = held.pop("text")
    return model


@st.composite
def various(draw: st.DrawFn) -> Any:
    text, jsons = st.text(max_size=9), json_like()
    fields: dict[str, Strategy] = {
        "text": text,
        "count": st.integers(-(2**63), 2**63 - 1),
        "ratio": st.floats() | st.integers(0, 9),
        "flag": st.booleans(),
        "maybe": st.none() | text,
        "anything": jsons,
        "texts": st.lists(text, max_size=3),
        "by_name": st.dictionaries(text, jsons, max_size=3),
        "loose": st.dictionaries(text | st.integers(0, 9), jsons, max_size=3),
        "either": text | st.lists(text | st.dictionaries(text, jsons, max_size=2), max_size=3),
        "kind": st.sampled_from(["a", "b"]),
        "tool": st.none() | st.fixed_dictionaries({"name": text}, optional={"args": st.just({})}),
        "pair": st.none() | st.tuples(st.integers(0, 9), text),
        "when": st.none() | st.datetimes(),
        "ident": st.none() | st.uuids(),
        "raw": st.binary(max_size=9),
    }
    names = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=6))
    return types.Various(**{name: draw(fields[name]) for name in names})


# LangChain.


WORDS = st.text(max_size=20)
JSON = json_like()
JSONS = st.dictionaries(st.text(max_size=6), JSON, max_size=3)
BLOCKS = st.lists(
    WORDS | st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}), max_size=3
)
IDENTS = st.none() | st.text("abc-", max_size=6)
ARTIFACTS = JSON | standard(JSON) | st.just(types.Simple(name="x"))
#: What any message may have, each of them seldom.
COMMON: dict[str, Strategy] = {
    "id": WORDS,
    "name": WORDS,
    "additional_kwargs": JSONS,
    "response_metadata": JSONS,
    "extra_of_its_own": JSON,
}
COMMON_NAMES = st.sets(st.sampled_from(sorted(COMMON)), max_size=3)


@st.composite
def messages(draw: st.DrawFn) -> Any:
    common: dict[str, Any] = {"content": draw(WORDS | BLOCKS)}
    for name in draw(COMMON_NAMES):
        common[name] = draw(COMMON[name])
    make = draw(st.sampled_from(MESSAGES))
    return make(draw, common)


def call(draw: st.DrawFn) -> dict[str, Any]:
    called: dict[str, Any] = {"name": "tool", "args": draw(JSONS), "id": draw(IDENTS)}
    if draw(st.booleans()):
        called["type"] = "tool_call"
    return called


def usage(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return None
    used: dict[str, Any] = {"input_tokens": 3, "output_tokens": 300, "total_tokens": 303}
    if draw(st.booleans()):
        used["input_token_details"] = {"cache_read": 1}
    return used


#: For a tool call: a key that it has not, a value of another type, another order.
LATER: list[Any] = [{"unknown": "key"}, {"id": 5}, {"name": "new"}, {"args": {"a": (1, 2)}}]


def ai(draw: st.DrawFn, common: dict[str, Any]) -> Any:
    calls = [call(draw) for _ in range(draw(st.integers(0, 2)))]
    message = AIMessage(**common, tool_calls=calls, usage_metadata=usage(draw))
    if calls and draw(st.booleans()):
        # Nobody validates what is put into a message later.
        message.tool_calls[0].update(draw(st.sampled_from(LATER)))
    if draw(st.integers(0, 4)) == 0:
        message.invalid_tool_calls.append(
            {"name": "n", "args": "{", "id": None, "error": "bad", "type": "invalid_tool_call"}
        )
    return message


def ai_chunk(draw: st.DrawFn, common: dict[str, Any]) -> Any:
    chunks = [
        {
            "name": "tool",
            "args": '{"a": 1',
            "id": draw(IDENTS),
            "index": n,
            "type": "tool_call_chunk",
        }
        for n in range(draw(st.integers(0, 2)))
    ]
    return AIMessageChunk(**common, tool_call_chunks=chunks, usage_metadata=usage(draw))


def tool(draw: st.DrawFn, common: dict[str, Any]) -> Any:
    more: dict[str, Any] = {"tool_call_id": draw(st.text("abc", min_size=1, max_size=5))}
    if draw(st.booleans()):
        more["artifact"] = draw(
            json_like() | standard(json_like()) | st.just(types.Simple(name="x"))
        )
    if draw(st.integers(0, 2)) == 0:
        more["status"] = "error"
    return draw(st.sampled_from([ToolMessage, ToolMessageChunk]))(**common, **more)


MESSAGES: list[Callable[[Any, dict[str, Any]], Any]] = [
    lambda draw, common: HumanMessage(**common),
    lambda draw, common: HumanMessageChunk(**common),
    lambda draw, common: SystemMessage(**common),
    lambda draw, common: SystemMessageChunk(**common),
    lambda draw, common: ChatMessage(**common, role="r"),
    lambda draw, common: ChatMessageChunk(**common, role="r"),
    lambda draw, common: FunctionMessage(**{**common, "name": "f"}),
    lambda draw, common: FunctionMessageChunk(**{**common, "name": "f"}),
    lambda draw, common: RemoveMessage(id="1"),
    ai,
    ai,
    ai_chunk,
    tool,
]


def documents() -> Strategy:
    return made(
        Document,
        page_content=st.text(max_size=20),
        metadata=st.dictionaries(st.text(max_size=5), json_like(), max_size=3),
        id=st.none() | st.text("ab", max_size=3),
    )


# LangGraph.

AT = datetime(2020, 1, 2, tzinfo=timezone.utc)


def graph_types(inner: Strategy) -> Strategy:
    return st.one_of(
        made(Send, texts(), inner),
        made(Send, st.just("node"), inner, timeout=st.sampled_from([1.5, timedelta(seconds=3)])),
        made(Interrupt, inner, id=st.text("ab", min_size=1, max_size=4)),
        made(Command, update=inner, goto=st.just("node")),
        made(Command, resume=inner),
        made(Overwrite, inner),
        st.just(TimeoutPolicy(run_timeout=1.0)),
        made(
            Item,
            value=st.dictionaries(st.text(max_size=5), inner, max_size=2),
            key=st.just("key"),
            namespace=st.just(("a", "b")),
            created_at=st.just(AT),
            updated_at=st.just(AT),
        ),
        made(serde_types._DeltaSnapshot, inner),
        made(StateSnapshot, inner, *[st.none()] * 7),
    )


# Together.


def leaves() -> Strategy:
    return st.one_of(
        scalars(), buffers(), standard(scalars()), messages(), numeric(), own_classes(), documents()
    )


def grown(inner: Strategy) -> Strategy:
    return st.one_of(
        containers(inner), standard(inner), structures(inner), models(inner), graph_types(inner)
    )


def values() -> Strategy:
    """All that upstream takes, nested. A few of them fail, as whatever a class of a user does."""
    return st.recursive(leaves(), grown, max_leaves=8)


def unserializable() -> Strategy:
    """What upstream refuses."""
    return st.one_of(
        st.sampled_from(TOO_LARGE),
        made(types.Opaque),
        made(types.Raising),
        made(types.OpaqueText, st.just("text")),
        made(types.Real, floats()),
        made(types.Pair, st.just((1, 2))),
        made(types.Blob, blobs()),
        st.dictionaries(bad_keys(), scalars(), min_size=1, max_size=2),
        st.just(memoryview(b"abcdef")[::2]),
        st.sampled_from([1j, range(3), int, types.Simple, types.Plainly, print, ..., object()]),
        st.just(PurePosixPath("a")),
        made(UserDict),
        made(types.Half),
        st.sampled_from([256, 300, 1000]).map(lambda depth: nested(1, depth, lambda v: [v])),
    )


def nested(value: Any, depth: int, wrap: Deep) -> Any:
    """A value within as many of something."""
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS: dict[str, Deep] = {
    "list": lambda value: [value],
    "tuple": lambda value: (value,),
    "dict": lambda value: {"k": value},
    "dataclass": lambda value: types.Plainly(value),
    "Send": lambda value: Send("n", value),
    "model": lambda value: types.Extra.model_construct(a=value),
    "list of subclass": lambda value: types.Row([value]),
    "deque": lambda value: deque([value]),
}


def anything() -> Strategy:
    """All of it, at any depth."""
    return st.recursive(leaves() | unserializable(), grown, max_leaves=8) | values()


def combined(pool: list[Any], seed: int, count: int) -> list[Any]:
    """Make as many values out of those of a pool, for what generating each by itself would cost."""
    dice = random.Random(seed)
    names = [name for name in WRAPS if name != "model"]
    built = []
    for _ in range(count):
        value = dice.choice(pool)
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            if dice.random() < 0.4:
                others = dice.sample(pool, min(len(pool), dice.randrange(4)))
                value = [value, *others] if dice.random() < 0.5 else {"a": value, "b": others}
            else:
                value = WRAPS[dice.choice(names)](value)
        built.append(value)
    return built
