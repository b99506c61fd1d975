"""Decoding with stock and with the replacement, and how the two are compared."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import struct
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy
import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.event_hooks import register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from fastgraph.adapters.langgraph import decoder
from fastgraph.kernels.tally import Tally

Load = Callable[[JsonPlusSerializer, tuple[str, bytes]], Any]

STOCK: Load = vars(JsonPlusSerializer)["loads_typed"]
OURS: Load = decoder.make_loads_typed(STOCK, Tally("loads_typed"), "")

SEEN = ("_warned_unregistered_types", "_warned_blocked_types", "_warned_unreconstructable_types")


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
        for name in SEEN:
            getattr(jsonplus, name).clear()
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
    assert ours.heard == stock.heard
    assert type(ours.error) is type(stock.error), (ours.error, stock.error)
    if stock.error is not None:
        assert repr(ours.error.args) == repr(stock.error.args)
        assert ours.error.__cause__ is None and ours.error.__context__ is stock.error.__context__
    difference = differ(stock.value, ours.value, "value")
    assert difference is None, difference
    return ours


def differ(one: Any, other: Any, at: str) -> str | None:
    """Where two values differ: in type, in what they hold, or in its order."""
    if type(one) is not type(other):
        return f"{at}: {type(one)} and {type(other)}: {one!r}, {other!r}"
    if isinstance(one, float):
        # The sign of zero counts, and which NaN it is.
        same = struct.pack("d", one) == struct.pack("d", other)
        return None if same else f"{at}: {one!r} and {other!r}"
    if isinstance(one, Decimal):
        return None if repr(one) == repr(other) else f"{at}: {one!r} and {other!r}"
    if isinstance(one, numpy.ndarray):
        return differ(facts(one), facts(other), at)
    pairs = parts(one, other)
    if pairs is None:
        return None if one == other or one is other else f"{at}: {one!r} and {other!r}"
    for step, first, second in pairs:
        difference = differ(first, second, f"{at}{step}")
        if difference is not None:
            return difference
    return None


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


def parts(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]] | None:
    """The parts of two values of one type, side by side; None where equality says it all."""
    if isinstance(one, dict):
        sides = [list(each.items()) for each in (one, other)]
    elif isinstance(one, (list, tuple, deque)):
        sides = [list(each) for each in (one, other)]
    elif isinstance(one, (set, frozenset)):
        # Equal sets that were made of the same values in the same order have the same order.
        sides = [list(each) for each in (one, other)]
    elif isinstance(one, BaseModel):
        sides = [model_parts(each) for each in (one, other)]
    elif dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        sides = [[getattr(each, name, "unset") for name in names] for each in (one, other)]
        sides[0].append(getattr(one, "__dict__", None))
        sides[1].append(getattr(other, "__dict__", None))
    elif hasattr(one, "__dict__") and type(one).__eq__ is object.__eq__:
        sides = [[each.__dict__] for each in (one, other)]
    elif type(one).__eq__ is object.__eq__ and getattr(type(one), "__slots__", ()):
        slots = type(one).__slots__
        sides = [[getattr(each, name, "unset") for name in slots] for each in (one, other)]
    else:
        return None
    length = ("len()", len(sides[0]), len(sides[1]))
    return itertools.chain(
        [length],
        ((f"[{i}]", *pair) for i, pair in enumerate(zip(*sides, strict=False))),
    )


def model_parts(model: Any) -> list[Any]:
    return [
        model.__dict__,
        list(model.__pydantic_fields_set__),
        model.__pydantic_extra__,
        model.__pydantic_private__,
    ]

