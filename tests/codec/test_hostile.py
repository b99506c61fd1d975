"""Bytes that nobody's encoder wrote: upstream's error, or its value, and the process goes on."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import tracemalloc
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import codec_types as types
import numpy
import ormsgpack
import pytest
from decoding import OURS, Record, check, ext, obj, pack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Send

import fastgraph
from fastgraph.kernels.msgpack_reader import Reader

MANY = settings(
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SERIALIZER = JsonPlusSerializer(allowed_msgpack_modules=True)
STRICT = JsonPlusSerializer(allowed_msgpack_modules=None)

MARKERS = [bytes([marker]) for marker in range(256)]
NIL, UUID = b"\xc0", obj(0, pack("uuid"), pack("UUID"), pack("0" * 32))


def names(module: str, name: str) -> tuple[bytes, bytes]:
    return pack(module), pack(name)


#: This release dies of an array that is announced to be larger than memory.
SURVIVES = ormsgpack.__version__ != "1.12.2"
HUGE = (b"\xdd", b"\xdf", b"\xdc")


def same(source: bytes) -> Record | None:
    if not SURVIVES and any(marker in source for marker in HUGE):
        Record(OURS, SERIALIZER, ("msgpack", source))
        return None
    check(STRICT, ("msgpack", source))
    return check(SERIALIZER, ("msgpack", source))


# Bytes of any kind

PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(MARKERS),
    st.sampled_from([NIL, UUID, b"\x93", b"\x94", b"\xa3abc", b"\x81", b"\xa1a"]),
    st.builds(ext, st.integers(-128, 127), st.binary(max_size=20)),
    st.builds(obj, st.integers(0, 7), *[st.sampled_from([*names("builtins", "set"), UUID])] * 3),
)


@MANY
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_any_bytes(source):
    same(source)


VALUES = [
    HumanMessage("é", id="1"),
    AIMessage(
        "a",
        tool_calls=[{"name": "f", "args": {"a": [1]}, "id": "1"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    ToolMessage("a", tool_call_id="1", artifact={"a": types.Plainly(1)}),
    {"a": [1, 2.5, None, b"bytes", "text" * 20], ("t", 1): numpy.arange(3)},
    [types.Simple(name="n"), types.Plainly({1, 2}), types.Point(1), Send("n", 1), types.Plain.A],
    [datetime(2024, 1, 2, tzinfo=ZoneInfo("UTC")), timedelta(1), time(1), Decimal(1), Path("a")],
    _DeltaSnapshot(
        [Command(update={"a": 1}), Interrupt(value=1, id="1"), types.SimpleV1(name="a")]
    ),
]
SOURCES = [SERIALIZER.dumps_typed(value)[1] for value in VALUES]


def mutated(dice: random.Random) -> bytes:
    """What upstream wrote of a value, cut, changed or with something else in it."""
    source = bytearray(dice.choice(SOURCES))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(source) + 1)
        kind = dice.choice(["set", "flip", "cut", "remove", "insert"])
        if kind == "cut":
            del source[at:]
        elif kind == "remove":
            del source[at : at + dice.randint(1, 5)]
        elif kind == "insert":
            source[at:at] = dice.randbytes(dice.randint(1, 5))
        elif at < len(source):
            new = dice.randrange(256)
            source[at] = new if kind == "set" else source[at] ^ (1 << new % 8)
    return bytes(source)


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes(seed):
    dice = random.Random(seed)
    for _ in range(300):
        same(mutated(dice))


@pytest.mark.parametrize("source", SOURCES)
def test_every_cut_of_what_was_stored(source):
    for end in range(len(source)):
        same(source[:end])
    same(source + b"\xc1 what follows is not looked at")


# Lengths

WIDE = {
    "str": (b"\xd9", b"\xda", b"\xdb"),
    "bin": (b"\xc4", b"\xc5", b"\xc6"),
    "ext": (b"\xc7", b"\xc8", b"\xc9"),
    "array": (None, b"\xdc", b"\xdd"),
    "map": (None, b"\xde", b"\xdf"),
}


@pytest.mark.parametrize("kind", WIDE)
def test_lengths_beyond_the_end(kind):
    for marker, form in zip(WIDE[kind], (">B", ">H", ">I"), strict=True):
        if marker is None:
            continue
        most = 2 ** (8 * struct.calcsize(form)) - 1
        for length in (0, 1, 2, 3, most - 1, most):
            for rest in (b"", b"\x00", b"\x00ab", b"\x05" * 8, NIL * 300):
                same(marker + struct.pack(form, length) + rest)
                same(b"\x92" + UUID + marker + struct.pack(form, length) + rest)


def test_an_announced_length_allocates_nothing():
    announced = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
    announced += [
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x00",
        b"\xdd\xff\xff\xff\xff" * 1000,
    ]
    tracemalloc.start()
    try:
        for source in announced:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(ValueError, match=r"unexpected end of file|ecursion"):
                OURS(SERIALIZER, ("msgpack", source))
            assert tracemalloc.get_traced_memory()[1] - before < 2**20
    finally:
        tracemalloc.stop()


# Numbers, strings, keys


def test_numbers_of_each_width():
    for marker, form in zip(range(0xCA, 0xD4), "fdBHIQbhiq", strict=True):
        size = struct.calcsize(">" + form)
        patterns = [b"\x00", b"\xff", b"\x80", b"\x7f", b"\x01"]
        for first in patterns:
            for last in patterns:
                number = (first * size + last)[-size:]
                same(bytes([marker]) + (first * size)[:size])
                same(
                    bytes([marker]) + first[: size - 1] + number[-(size - 1) :]
                    if size > 1
                    else first
                )
                same(b"\x81" + bytes([marker]) + (first * size)[:size] + NIL)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"a" * 9 + b"\xe2\x82",
        b"\x80",
        "é".encode(),
        "日本".encode(),
        "🙂".encode(),
        b"\x00",
        b"a" * 31,
        b"\xf0\x9f\x98",
    ],
)
def test_strings_that_are_not_utf_8(text):
    for repeated in (text, text * 10, b"plain text " + text):
        source = b"\xda" + struct.pack(">H", len(repeated)) + repeated
        same(source)
        same(b"\x81" + source + NIL)
        same(b"\x92" + UUID + source)
        for code in range(6):
            same(obj(code, source, pack("UUID"), NIL))
            same(obj(code, pack("uuid"), source, NIL, source))
            same(obj(code, pack("uuid"), pack("UUID"), source, source))


KEYS = [NIL, b"\x01", b"\xff", b"\xc3", b"\xc2", b"\xca\x7f\xc0\x00\x00", b"\xc4\x01a", b"\xa1a"]
KEYS += [
    b"\x92\x01\xa1a",
    b"\x90",
    b"\x91\x90",
    b"\x81\x01\x02",
    b"\x80",
    UUID,
    b"\xc1",
    b"\xd4\x00a",
]
KEYS += [b"\xcb" + struct.pack(">d", value) for value in (1.0, float("nan"))]
KEYS += [bytes([marker]) + bytes(8) for marker in range(0xC0, 0xE0)]


def test_keys_of_any_kind():
    for key in KEYS:
        same(b"\x81" + key + b"\x05")
        same(b"\x81\x91" + key + b"\x05")
        for other in KEYS:
            same(b"\x82" + key + b"\x05" + other + UUID)


# Nesting

LEVELS = (1, 2, 500, 1021, 1022, 1023, 1024, 5000, 1_000_000)


@pytest.mark.parametrize("level", [b"\x91", b"\x81\x01", b"\xdd\x00\x00\x00\x01", b"\x92\x01"])
@pytest.mark.parametrize("end", [NIL, b"", b"\x90", UUID, b"\xc1"])
def test_containers_in_containers(level, end):
    for levels in LEVELS:
        same(level * levels + end)
        same(b"\x81" + level * levels + end + NIL)
        same(obj(0, *names("builtins", "list"), level * levels + end))


def wrapped(levels: int, inside: bytes, code: int = 0, around: bytes = b"") -> bytes:
    """Objects in objects, made from the inside out in a time that grows with their size."""
    head = b"".join(names("builtins", "list"))
    start = bytes([0x94 if code in (3, 5) else 0x93]) + head + around
    sizes, size = [], len(inside)
    for _ in range(levels):
        size += len(start)
        sizes.append(size)
        size += 6
    heads = [b"\xc9" + struct.pack(">Ib", size, code) + start for size in reversed(sizes)]
    return b"".join(heads) + inside


@pytest.mark.parametrize("code", range(8))
def test_objects_in_objects(code):
    for levels in (1, 2, 10, 100):
        if code != 7:
            same(wrapped(levels, NIL, code))
    snapshots = NIL
    for _ in range(100):
        snapshots = ext(7, snapshots)
        same(snapshots)


PROGRAM = """
import logging, sys, threading
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Send
import fastgraph
from test_hostile import wrapped, NIL
fastgraph.patch(["JsonPlusSerializer.loads_typed"], strict=True)
logging.disable()
def decode():
    serializer = JsonPlusSerializer()
    for levels in (900, 3000, 1000000):
        lists, maps = b"\\x91" * 1000, b"\\x81\\x01" * 500
        for inside, around in ((NIL, b""), (b"", b""), (NIL, lists), (NIL, maps)):
            source = wrapped(levels if not around else 3000, inside, 0, around)
            serializer.loads_typed(("msgpack", source))
    print("decoded", flush=True)
decode()
thread = threading.Thread(target=decode)
thread.start()
thread.join()
"""


def test_the_process_outlives_any_nesting():
    # Upstream's does not: containers in objects in objects overflow its stack.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(Path(fastgraph.__file__).parents[1]), str(Path(__file__).parent)]
            ),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["decoded", "decoded"]


# What objects do while they are made


class Told(BaseException):
    pass


def told(payload: Any = None, **fields: Any) -> Any:
    calls.append(payload)
    raise {"base": Told, "exit": SystemExit, "interrupt": KeyboardInterrupt}.get(payload, NameError)


calls: list[Any] = []


@pytest.mark.parametrize("payload", ["base", "exit", "interrupt", "error"])
@pytest.mark.parametrize("code", range(6))
def test_what_a_constructor_raises(payload, code, monkeypatch):
    monkeypatch.setattr(types, "told", told, raising=False)
    source = obj(code, *names("codec_types", "told"), pack(payload), pack("mro"))
    for data in (source, b"\x92" + source + NIL, obj(0, *names("builtins", "list"), source)):
        calls.clear()
        same(data)
        assert len(calls) in (0, 2, 4)  # each decoding called it once, or both of a model's ways


def test_nothing_is_called_twice_for_the_sake_of_an_error(monkeypatch):
    def counted(payload: Any) -> Any:
        calls.append(payload)
        return payload

    monkeypatch.setattr(types, "counted", counted, raising=False)
    made = obj(0, *names("codec_types", "counted"), pack(1))
    for broken in (b"\xc1", b"", b"\xa5abc", b"\x81" + UUID, b"\xa1\xff", b"\x91" * 2000):
        calls.clear()
        with pytest.raises(ValueError):  # noqa: PT011 - which one is compared elsewhere
            OURS(SERIALIZER, ("msgpack", b"\x92" + made + broken))
        assert calls == [1]
        same(b"\x92" + made + broken)


# The reader by itself


@MANY
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_the_reader_reads_what_ormsgpack_reads(source):
    def read(function: Any) -> Any:
        try:
            return repr(function(source))
        except ValueError:
            return ValueError

    expected = read(lambda each: ormsgpack.unpackb(each, option=ormsgpack.OPT_NON_STR_KEYS))
    assert read(lambda each: Reader(each).read()) == expected


def test_the_reader_goes_on_where_it_was():
    reader = Reader(b"\x01\xa1a\x91\xc0")
    assert [reader.read(), reader.read(), reader.read()] == [1, "a", [None]]
    with pytest.raises(ValueError, match="end before"):
        reader.read()
    with pytest.raises(TypeError):
        Reader(None)
