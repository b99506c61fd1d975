"""Decodings of each kind, again and again; says what is left of them. In a process of its own."""

import gc
import json
import logging
import sys
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import ormsgpack
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send
from pydantic import BaseModel

import fastgraph

ROUNDS = 2000
WARM_UP = 50


@dataclass
class Point:
    x: Any
    y: Any = None


class Model(BaseModel):
    a: int


def failing(*args: Any, **kwargs: Any) -> None:
    raise KeyError("as asked")


def ending(*args: Any, **kwargs: Any) -> None:
    raise KeyboardInterrupt


here = types.ModuleType("leaking")
here.__dict__.update(Point=Point, Model=Model, failing=failing, ending=ending, number=1)
sys.modules["leaking"] = here
Point.__module__ = Model.__module__ = "leaking"

PERMISSIVE = JsonPlusSerializer(allowed_msgpack_modules=True)
STRICT = JsonPlusSerializer(allowed_msgpack_modules=None)
CUSTOM = JsonPlusSerializer(__unpack_ext_hook__=lambda code, data: (code, data))


def body(code: int, *items: Any) -> bytes:
    inner = PERMISSIVE.dumps_typed(items)[1]
    return ormsgpack.packb(ormsgpack.Ext(code, inner))


MESSAGES = [
    HumanMessage("a" * 100, id="1"),
    AIMessage("b" * 100, tool_calls=[{"name": "f", "args": {"a": 1}, "id": "1"}]),
    ToolMessage("c" * 100, tool_call_id="1", artifact=[1]),
]
VALUES = [
    MESSAGES,
    [Point(1, "x" * 100), Model(a=1), Send("n", {"a": [1]}), _DeltaSnapshot([1])],
    {"a" * 100: [1.5, 2**40, None, b"b" * 100], ("t", 2**40): numpy.arange(100), 1: {"é" * 50}},
]
STORED = [PERMISSIVE.dumps_typed(value)[1] for value in VALUES]
BODIES = [
    body(code, module, name, payload, method)
    if code in (3, 5)
    else body(code, module, name, payload)
    for code in range(7)
    for module, name, payload, method in [
        ("leaking", "failing", {"a": "x" * 100}, "m"),
        ("leaking", "ending", {"a": "x" * 100}, "m"),
        ("leaking", "Point", {"z" * 70: ["x" * 100]}, "m"),
        ("leaking", "Point", {1: 2}, "m"),
        ("leaking", "Model", {"a": "x" * 100}, "__init__"),
        ("leaking", "number", {"a": "x" * 100}, "m"),
        ("leaking", "none", {"a": "x" * 100}, None),
        ("nowhere" * 20, "none", ["x" * 100], 1),
        ("uuid", "UUID", "g" * 32, 1),
        ("datetime", "datetime", "x" * 100, "fromisoformat"),
        (1, ["unhashable"], "x" * 100, {}),
        ("<f8", [3], "C", b"x" * 100),
        ("langchain_core.messages.ai", "AIMessage", {"content": ["x" * 100], "id": 1}, "m"),
        ("langchain_core.messages.ai", "AIMessage", {"content": 5, "tool_calls": [{}]}, "m"),
    ]
]
SHORT = [body(code, *["x" * 100] * count) for code in range(8) for count in range(4)]
CUT = [source[:end] for source in STORED for end in range(0, len(source), 7)]
BROKEN = [
    b"\x92" + STORED[1] + end
    for end in (b"\xc1", b"", b"\x81" + BODIES[0], b"\x91" * 2000, b"\xa1\xff", b"\xc7\x01\x07\xc1")
]


def decode(serializer: Any, sources: list[bytes]) -> Callable[[], None]:
    def run() -> None:
        for source in sources:
            try:
                serializer.loads_typed(("msgpack", source))
            except ValueError:
                continue

    return run


def other_forms() -> None:
    for data in (("null", b""), ("bytes", b"a"), ("json", b"{}"), ("other", b""), None):
        try:
            PERMISSIVE.loads_typed(data)
        except (NotImplementedError, TypeError):
            continue


SCENARIOS = {
    "stored": decode(PERMISSIVE, STORED),
    "stored, strictly": decode(STRICT, STORED),
    "stored, by a hook": decode(CUSTOM, STORED),
    "failing": decode(PERMISSIVE, BODIES),
    "failing, strictly": decode(STRICT, BODIES),
    "too short": decode(PERMISSIVE, SHORT),
    "cut": decode(PERMISSIVE, CUT),
    "broken after objects": decode(PERMISSIVE, BROKEN),
    "other forms": other_forms,
}


def watched_classes_die() -> bool:
    """Whether a class that was decoded is gone once its module has dropped it."""
    source = PERMISSIVE.dumps_typed(Point(1))[1].replace(b"Point", b"Brief")

    class Brief:
        def __init__(self, **fields: Any) -> None:
            self.fields = fields

    here.__dict__["Brief"] = Brief
    made = PERMISSIVE.loads_typed(("msgpack", source))
    assert type(made) is Brief
    watch = weakref.ref(Brief)
    del here.__dict__["Brief"], Brief, made
    gc.collect()
    return watch() is None


def main() -> None:
    logging.disable()
    fastgraph.patch(["JsonPlusSerializer.loads_typed"], strict=True)
    report: dict[str, Any] = {"classes die": watched_classes_die()}
    for name, run in SCENARIOS.items():
        rounds = ROUNDS // 20 if name in ("cut", "failing", "failing, strictly") else ROUNDS // 4
        for _ in range(WARM_UP // 5):
            run()
        gc.collect()
        blocks, counted = sys.getallocatedblocks(), sys.getrefcount(None)
        for _ in range(rounds):
            run()
        gc.collect()
        report[name] = {
            "blocks per round": (sys.getallocatedblocks() - blocks) / rounds,
            "references to None per round": (sys.getrefcount(None) - counted) / rounds,
        }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
