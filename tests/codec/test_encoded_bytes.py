"""The bytes are upstream's: on values that were thought of, and on very many that were not."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import gc
import sys
import uuid
import weakref
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import codec_types as types
import codec_values as values
import numpy
import pytest
from codec_engines import assert_all_same, assert_same, encoded, patched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.types import Send
from pydantic import BaseModel, Field

import fastgraph

ours = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("kind", ["natives", "values", "models", "graph_types", "standard"])
@settings(ours, max_examples=12)
@given(data=st.data())
def test_each_kind_of_value_is_encoded_alike(kind: str, data: st.DataObject) -> None:
    strategy = getattr(values, kind)
    needs_inner = kind in ("models", "graph_types", "standard")
    each = strategy(values.scalars()) if needs_inner else strategy()
    assert_all_same(data.draw(st.lists(each, max_size=8)))


@settings(ours, max_examples=40)
@given(st.lists(values.messages(), max_size=8))
def test_messages_are_encoded_alike(messages: list[Any]) -> None:
    assert_all_same(messages)


@pytest.mark.parametrize("number", [*values.EDGES, True, False])
def test_integers_at_each_width(number: int) -> None:
    assert_same(number)
    assert_same({number: [number]})
    assert_same(types.Number(number))


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 32, 255, 256, 65535, 65536, 70000])
def test_lengths_at_each_width(length: int) -> None:
    assert_same("x" * length)
    assert_same("é" * length)
    assert_same([b"x" * length])
    assert_same([None] * length)
    assert_same((None,) * length)
    assert_same(dict.fromkeys(range(length)))
    # Extensions of each width, and of the lengths that have a head of their own.
    assert_same(types.Asked("x" * length))
    assert_same(jsonplus._DeltaSnapshot("x" * max(0, length - 1)))


@pytest.mark.parametrize("length", range(1, 19))
def test_extensions_of_the_lengths_with_heads_of_their_own(length: int) -> None:
    assert_same(jsonplus._DeltaSnapshot([None] * (length - 1)))


@pytest.mark.parametrize("name", values.WRAPS)
@pytest.mark.parametrize("depth", [1, 80, 126, 127, 128, 253, 254, 255, 256, 257])
def test_nesting_up_to_the_limit_and_beyond(name: str, depth: int) -> None:
    if name in ("dataclass", "Send", "model", "deque") and depth > 100:
        depth = 100 + depth % 10  # the interpreter's own limit comes first
    for innermost in (1, {}, [], "x", {(1,): ((),)}):
        assert_same(values.nested(innermost, depth, values.WRAPS[name]))


def test_the_count_of_containers_starts_again_in_each_extension() -> None:
    inner = values.nested(1, 250, values.WRAPS["list"])
    assert_same(values.nested(types.Plainly(inner), 250, values.WRAPS["list"]))
    too_deep = values.nested(1, 255, values.WRAPS["list"])
    kind, text, *_ = assert_same([types.Plainly(too_deep)])
    assert (kind, text) == (TypeError, "Type is not msgpack serializable: Plainly")
    assert_same({values.nested(1, 253, values.WRAPS["tuple"]): 1})
    assert_same({values.nested(1, 254, values.WRAPS["tuple"]): 1})
    assert_same({values.nested(1, 255, values.WRAPS["tuple"]): 1})


@pytest.mark.parametrize("name", ["list", "tuple", "dict", "dataclass", "Send", "deque"])
def test_nesting_very_deep_is_an_error_and_no_crash(name: str) -> None:
    depth = 1_000_000 if name == "list" else 100_000
    value = values.nested(1, depth, values.WRAPS[name])
    with patched(), pytest.raises(TypeError):
        jsonplus._msgpack_enc(value)
    while value != 1:  # the interpreter's own way to free it is no matter of ours
        value = unwrapped(value)


def unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return value["k"]
    if isinstance(value, types.Plainly):
        return value.a
    return value.arg if isinstance(value, Send) else value[0]


def test_deep_containers_in_deep_extensions_are_an_error_and_no_crash() -> None:
    value: Any = 1
    for _ in range(300):
        value = types.Plainly(values.nested(value, 250, values.WRAPS["list"]))
    with patched(), pytest.raises(TypeError, match="serializable: Plainly"):
        jsonplus._msgpack_enc(value)


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert_same(loop)
    knot: dict[str, Any] = {}
    knot["knot"] = types.Plainly([knot])
    assert_same(knot)
    loop.clear()
    knot.clear()


@pytest.mark.parametrize("model", types.instances(), ids=lambda model: type(model).__name__)
def test_models_that_say_themselves_how_they_are_written(model: Any) -> None:
    assert_same(model)
    assert_same([model, model])


def test_dates_and_times_at_their_ends() -> None:
    utc, zone = datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
    for at in (
        datetime.datetime.min,
        datetime.datetime.max,
        datetime.datetime(9, 8, 7, 6, 5, 4, 3),
    ):
        for tzinfo in (None, utc, zone):
            assert_same(at.replace(tzinfo=tzinfo, fold=1))
            assert_same({at.replace(tzinfo=tzinfo): 1})
    assert_same([datetime.date.min, datetime.date.max, datetime.time.max])
    assert_same([datetime.timedelta.min, datetime.timedelta.max, datetime.timedelta(0)])


class Zone(datetime.tzinfo):
    """A zone of a user's, which upstream asks through `isoformat`."""

    asked = 0

    def utcoffset(self, _: Any) -> datetime.timedelta:
        Zone.asked += 1
        return datetime.timedelta(hours=2)

    def tzname(self, _: Any) -> str:
        return "mine"

    def dst(self, _: Any) -> None:
        return None


def test_a_zone_of_a_users_is_asked_as_often() -> None:
    at = datetime.datetime(2020, 1, 2, tzinfo=Zone())
    for value in (at, [types.Various(anything=at)], types.Plainly(at), {at: at}):
        asked = []
        for engine in (encoded, encoded_patched):
            Zone.asked = 0
            engine(value)
            asked.append(Zone.asked)
        assert asked[0] == asked[1] > 0
        assert_same(value)


def encoded_patched(value: Any) -> Any:
    with patched():
        return encoded(value)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (300, 40), (2, 0, 3)])
def test_arrays_of_either_order(order: Any, shape: tuple[int, ...]) -> None:
    array = numpy.arange(int(numpy.prod(shape)), dtype="<i4").reshape(shape, order=order)
    for value in (array, array.T, array[::-1] if shape else array, [array, array]):
        assert_same(value)
    assert_same(array.astype(">f8"))


def test_an_array_whose_memory_nobody_may_have() -> None:
    kind, *_ = assert_same(numpy.array(["2020-01-01"], dtype="M8[D]"))
    assert kind is TypeError
    assert_same(numpy.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))


def test_a_released_buffer() -> None:
    """Releases of `ormsgpack` before 1.13 still read the memory."""
    buffer = memoryview(b"abc")
    buffer.release()
    with patched(), pytest.raises(TypeError, match="Failed to get buffer from memoryview"):
        jsonplus._msgpack_enc([buffer])


def test_no_array_is_copied_more_than_once() -> None:
    import tracemalloc

    array = numpy.zeros(4_000_000, dtype="u1")
    with patched():
        jsonplus._msgpack_enc(array)
        tracemalloc.start()
        jsonplus._msgpack_enc(array)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1.1 * array.nbytes


# What runs while it is encoded.


class Meddling:
    """Does something when it is asked what it is."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def model_dump(self) -> Any:
        self.act()
        return {"a": 1}


def grow(holder: Any) -> None:
    if isinstance(holder, list):
        holder.extend(range(100))
    else:
        holder.update((f"new {number}", number) for number in range(100))


def replace(holder: Any) -> None:
    if isinstance(holder, list):
        holder[-1] = "replaced"
    else:
        holder["last"] = "replaced"


@pytest.mark.parametrize("act", [grow, replace])
@pytest.mark.parametrize("kind", ["list", "dict"])
def test_a_container_that_is_changed_while_it_is_encoded(kind: str, act: Any) -> None:
    def build() -> Any:
        holder: Any = [] if kind == "list" else {}
        meddler = Meddling(lambda: act(holder))
        if kind == "list":
            holder.extend([1, meddler, 2, "last"])
        else:
            holder.update(first=1, meddler=meddler, last="last")
        return holder

    stock = encoded(build())
    with patched():
        assert encoded(build()) == stock


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_a_container_that_is_emptied_while_it_is_encoded(kind: str) -> None:
    """Upstream reads memory that is no longer the list's; here it is an error."""
    holder: Any = [] if kind == "list" else {}
    meddler = Meddling(holder.clear)
    if kind == "list":
        holder.extend([meddler, *([str(n)] for n in range(1000))])
    else:
        holder.update({"meddler": meddler}, **{str(n): [str(n)] for n in range(1000)})
    del meddler
    with patched():
        if kind == "list":
            with pytest.raises(TypeError, match="list changed size"):
                jsonplus._msgpack_enc(holder)
        else:
            jsonplus._msgpack_enc(holder)
    assert len(holder) == 0


def test_the_fields_of_an_object_are_read_before_the_first_is_encoded() -> None:
    def build() -> Any:
        value = types.Plainly(None, b="before")
        value.a = Meddling(lambda: setattr(value, "b", "after"))
        return value

    stock = encoded(build())
    assert b"before" in stock[0][1]
    with patched():
        assert encoded(build()) == stock


# Classes that change, and instances that are not as their class says.


def test_a_class_that_changes() -> None:
    @dataclasses.dataclass
    class Changing:
        a: Any

    Changing.__module__ = "somewhere"
    value = Changing([1])
    assert_same(value)
    Changing.__name__ = "Renamed"
    assert b"Renamed" in assert_same(value)[1]
    Changing.__module__ = "elsewhere"
    assert b"elsewhere" in assert_same(value)[1]
    Changing.dict = lambda self: {"now": self.a}  # type: ignore[attr-defined]
    assert b"now" in assert_same(value)[1]
    Changing.model_dump = lambda self: {"then": self.a}  # type: ignore[attr-defined]
    assert b"then" in assert_same(value)[1]
    del Changing.model_dump, Changing.dict  # type: ignore[attr-defined]
    Changing.__getattr__ = lambda self, name: {}[name]  # type: ignore[attr-defined]
    assert_same(value)


def test_a_model_whose_class_changes() -> None:
    class Base(BaseModel):
        a: int = 1

    class Below(Base):
        b: list[Base] = Field(default_factory=list)

    value = Below(b=[Base()])
    assert_same(value)
    Base.model_dump = lambda self, **_: {"own": 1}  # type: ignore[method-assign]
    assert b"own" in assert_same(value)[1]
    del Base.model_dump
    assert_same(value)


def test_an_instance_with_attributes_that_its_class_has_not() -> None:
    for name in ("model_dump", "get_secret_value", "dict", "_asdict", "node", "arg"):
        for cls in (types.Plainly, types.Partly, types.Frozen):
            value = cls(1)
            object.__setattr__(value, name, lambda: "mine")
            assert_same(value)
            object.__setattr__(value, name, None)
            assert_same(value)
    error = ValueError("a")
    error.node, error.arg = "node", 1  # type: ignore[attr-defined]
    assert b"ValueError" in assert_same(error)[1]
    frozen = types.Frozen(1)
    object.__setattr__(frozen, "node", "n")
    assert_same(frozen)
    object.__setattr__(frozen, "arg", None)
    assert_same(frozen)


def test_a_send_without_its_parts() -> None:
    send = Send("node", 1)
    del send.arg
    assert_same(send)
    del send.node
    assert_same([send])


def test_an_enumeration_whose_values_are_what_not() -> None:
    class Odd(enum.Enum):
        LIST = [1, 2]  # noqa: RUF012
        LARGE = 2**70
        ITEM = Decimal("1.5")

    Odd.__module__ = "somewhere"
    for member in Odd:
        assert_same(member)
        assert_same({member: 1})


def test_messages_past_validation() -> None:
    message = AIMessage("x", tool_calls=[{"name": "n", "args": {}, "id": None}])
    message.content = 5  # type: ignore[assignment]
    (_, warned) = encoded_patched(message)
    assert warned, "pydantic's own warning"
    assert_same(message)
    for name, value in (("id", 7), ("name", b"x"), ("tool_calls", None), ("new", 1)):
        other = HumanMessage("x")
        other.__dict__[name] = value
        assert_same(other)
    other.__pydantic_extra__ = None  # type: ignore[assignment]
    assert_same(other)


def test_classes_come_and_go() -> None:
    """Nothing is kept of a class that is gone, and a new one in its place is another."""
    gone = []
    with patched():
        for number in range(300):
            if number % 2:
                cls: Any = dataclasses.make_dataclass("Passing", [f"field_{number}"])
            else:
                cls = type("Model", (BaseModel,), {"__annotations__": {f"a{number}": int}})
            value = cls(**{f"a{number}": 1}) if number % 2 == 0 else cls(number)
            assert f"{number}".encode() in jsonplus._msgpack_enc(value)
            gone.append(weakref.ref(cls))
            del cls, value
            gc.collect() if number % 50 == 49 else None
        gc.collect()
    assert sum(ref() is not None for ref in gone) < 5


def test_no_string_keeps_more_than_with_upstream() -> None:
    """Text in ASCII is written from its own memory: it gets no second form to keep."""
    text = "".join(["x"] * 1000)
    size = sys.getsizeof(text)
    with patched():
        jsonplus._msgpack_enc([text])
    assert sys.getsizeof(text) == size


def test_it_was_not_upstream_that_encoded() -> None:
    with patched():
        before = counted()
        jsonplus._msgpack_enc([uuid.uuid4(), types.Plainly(1)])
        after = counted()
    assert after.calls == before.calls + 1 and after.fallbacks == before.fallbacks


def counted() -> fastgraph.TargetStatus:
    return next(each for each in fastgraph.status().targets if each.name == "_msgpack_enc")
