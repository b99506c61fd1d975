"""MessagePack as the specification has it: the shortest form of each value."""

from __future__ import annotations

import struct
from typing import Any

import pytest

pytest.importorskip("fastgraph.kernels.msgpack_writer", reason="nothing was compiled")
from fastgraph.kernels.msgpack_writer import Writer


def written(method: str, *arguments: Any) -> bytes:
    writer = Writer()
    getattr(writer, method)(*arguments)
    assert len(writer) > 0
    return writer.take()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (255, "ccff"),
        (256, "cd0100"),
        (65535, "cdffff"),
        (65536, "ce00010000"),
        (2**32 - 1, "ceffffffff"),
        (2**32, "cf0000000100000000"),
        (2**64 - 1, "cf" + 8 * "ff"),
        (-1, "ff"),
        (-32, "e0"),
        (-33, "d0df"),
        (-128, "d080"),
        (-129, "d1ff7f"),
        (-32768, "d18000"),
        (-32769, "d2ffff7fff"),
        (-(2**31), "d280000000"),
        (-(2**31) - 1, "d3ffffffff7fffffff"),
        (-(2**63), "d38000000000000000"),
    ],
)
def test_integers(number: int, expected: str) -> None:
    assert written("integer", number).hex() == expected


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_integers_beyond(number: int) -> None:
    with pytest.raises(OverflowError):
        Writer().integer(number)


def head(length: int, short: tuple[int, int] | None, *marks: int | None) -> bytes:
    """A head by the specification: a short form, then marks for 1, 2 and 4 bytes of length."""
    if short is not None and length < short[1]:
        return bytes([short[0] | length])
    for mark, form, limit in zip(marks, (">B", ">H", ">I"), (2**8, 2**16, 2**32), strict=True):
        if mark is not None and length < limit:
            return bytes([mark]) + struct.pack(form, length)
    raise AssertionError(length)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536])
def test_lengths(length: int) -> None:
    assert written("text", "x" * length) == head(length, (0xA0, 32), 0xD9, 0xDA, 0xDB) + (
        b"x" * length
    )
    blob = b"\0" * length
    assert written("blob", blob) == head(length, None, 0xC4, 0xC5, 0xC6) + blob
    assert written("array", length) == head(length, (0x90, 16), None, 0xDC, 0xDD)
    assert written("map", length) == head(length, (0x80, 16), None, 0xDE, 0xDF)


@pytest.mark.parametrize("expected", [2, 3, 4, 6])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 8, 16, 17, 255, 256, 65535, 65536])
def test_an_extension_whatever_head_was_expected(length: int, expected: int) -> None:
    fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}
    start = bytes([fixed[length]]) if length in fixed else head(length, None, 0xC7, 0xC8, 0xC9)
    body = bytes(number % 251 for number in range(length))
    writer = Writer()
    writer.nil()
    writer.ext(7, body, expected)
    writer.boolean(True)
    assert writer.take() == b"\xc0" + start + b"\x07" + body + b"\xc3"


def test_other_values() -> None:
    assert written("nil") == b"\xc0"
    assert written("boolean", False) == b"\xc2"
    assert written("real", -0.0) == b"\xcb\x80" + 7 * b"\0"
    assert written("text", "é🙂") == b"\xa6" + "é🙂".encode()


def test_what_cannot_be_written() -> None:
    writer = Writer()
    with pytest.raises(UnicodeEncodeError):
        writer.text("\ud800")
    with pytest.raises(ValueError, match="not negative"):
        writer.array(-1)
    with pytest.raises(ValueError, match="from 0 to 127"):
        writer.ext(128, b"")
    with pytest.raises(TypeError):
        writer.text(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        writer.integer("1")  # type: ignore[arg-type]
    assert writer.take() == b""


def test_results_small_and_large_are_the_writers_no_more() -> None:
    writer = Writer()
    for size in (3, 600, 5000, 2_000_000, 10):
        text = "x" * size
        writer.text(text)
        first = writer.take()
        kept = bytes(bytearray(first))
        writer.text("y" * size)
        assert writer.take() != first
        assert first == kept and len(writer) == 0
