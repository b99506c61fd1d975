"""Decoding with stock and with the replacement, and how the two are compared."""

from __future__ import annotations

import dataclasses
import logging
import struct
import warnings
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy
import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.event_hooks import register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

import fastgraph
from fastgraph.adapters.langgraph import decoder
from fastgraph.kernels.tally import Tally

Load = Callable[[JsonPlusSerializer, tuple[str, bytes]], Any]

STOCK: Load = vars(JsonPlusSerializer)["loads_typed"]
TARGET = "JsonPlusSerializer.loads_typed"


def ours() -> Load:
    """The replacement, which works without being in place, too."""
    try:
        with fastgraph.patched([TARGET], strict=True):
            found: Load = vars(JsonPlusSerializer)["loads_typed"]
    except fastgraph.PatchError:
        # The fuzzer builds the decoder alone, which patching takes for no extensions at all.
        found = decoder.make_loads_typed(STOCK, Tally(TARGET), "")
    return found


OURS = ours()

#: What has been warned of; the releases differ in how many there are.
SEEN = [each for name, each in vars(jsonplus).items() if name.startswith("_warned_")]


def pack(value: Any) -> bytes:
    """MessagePack of plain values, `Raw` among them as it is."""
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)


def ext(code: int, body: bytes) -> bytes:
    """An extension, by its longest header."""
    return b"\xc9" + struct.pack(">Ib", len(body), code) + body


def obj(code: int, *items: bytes) -> bytes:
    """An extension whose body is an array of encoded items."""
    return ext(code, bytes([0x90 | len(items)]) + b"".join(items))


class Record:
    """What a decoding gave, and what could be heard of it.

    Attributes
    ----------
    value, error : object
        One of the two.
    heard : list
        Events, log records and warnings, in order.
    """

    def __init__(self, load: Load, serializer: Any, data: Any) -> None:
        self.value = self.error = None
        self.heard: list[Any] = []
        handler = Hearing(self.heard)
        logger = logging.getLogger()
        forget = register_serde_event_listener(lambda event: self.heard.append(dict(event)))
        logger.addHandler(handler)
        for seen in SEEN:
            seen.clear()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.showwarning = self.warn
                try:
                    self.value = load(serializer, data)
                except BaseException as error:
                    self.error = error
        finally:
            logger.removeHandler(handler)
            forget()

    def warn(self, message: Any, category: Any, *place: Any, **more: Any) -> None:
        self.heard.append((category, str(message)))


class Hearing(logging.Handler):
    """Keeps log records."""

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(
            (record.name, record.levelname, record.getMessage(), record.exc_info is None)
        )


def check(serializer: Any, data: Any) -> Record:
    """Decode both ways and compare all that can be seen; what ours gave is returned."""
    stock, ours = Record(STOCK, serializer, data), Record(OURS, serializer, data)
    # What is told of may be a NaN, which does not equal itself.
    assert ours.heard == stock.heard or repr(ours.heard) == repr(stock.heard)
    assert type(ours.error) is type(stock.error), (ours.error, stock.error)
    if stock.error is not None:
        assert repr(ours.error.args) == repr(stock.error.args)
        assert ours.error.__cause__ is None and ours.error.__context__ is stock.error.__context__
    difference = differ(stock.value, ours.value, "value")
    assert difference is None, difference
    return ours


def differ(one: Any, other: Any, at: str) -> str | None:
    """Where two values differ: in type, in what they hold, or in its order."""
    left = [(one, other, at)]
    while left:
        one, other, at = left.pop()
        if isinstance(one, numpy.ndarray) and type(one) is type(other):
            one, other = facts(one), facts(other)
        sides = None if type(one) is not type(other) else parts(one, other)
        if sides is None:
            if not are_same(one, other):
                return f"{at}: {one!r} and {other!r}"
            continue
        if len(sides[0]) != len(sides[1]):
            return f"{at}: {len(sides[0])} and {len(sides[1])} parts"
        left += [(*pair, f"{at}[{i}]") for i, pair in enumerate(zip(*sides, strict=True))]
    return None


def are_same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        # The sign of zero counts, and which NaN it is.
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, Decimal):
        return repr(one) == repr(other)
    return bool(one is other or one == other)


def facts(array: Any) -> list[Any]:
    flags = array.flags
    return [
        array.dtype.str,
        array.shape,
        array.strides,
        (flags.writeable, flags.c_contiguous, flags.f_contiguous, flags.owndata, flags.aligned),
        type(array.base),
        array.tobytes() if array.dtype.kind != "O" else repr(array),
    ]


def parts(one: Any, other: Any) -> list[list[Any]] | None:
    """The parts of two values of one type; None where equality says it all."""
    # Equal sets that were made of the same values in the same order have the same order.
    if isinstance(one, dict):
        return [[*each.keys(), *each.values()] for each in (one, other)]
    if isinstance(one, (list, tuple, deque, set, frozenset)):
        return [list(each) for each in (one, other)]
    if isinstance(one, BaseModel):
        return [model_parts(each) for each in (one, other)]
    names = getattr(type(one), "__slots__", ())
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
    elif type(one).__eq__ is not object.__eq__ or isinstance(one, type):
        return None
    if not names and not hasattr(one, "__dict__"):
        return None
    return [
        [*(getattr(each, name, "unset") for name in names), getattr(each, "__dict__", None)]
        for each in (one, other)
    ]


def model_parts(model: Any) -> list[Any]:
    return [
        model.__dict__,
        list(model.__pydantic_fields_set__),
        model.__pydantic_extra__,
        model.__pydantic_private__,
    ]
