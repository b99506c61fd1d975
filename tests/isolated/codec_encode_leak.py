"""Encodes values again and again, those that fail too; says what each leaves. In a process of its
own, since what is counted is the process's memory."""

import gc
import json
import sys
import warnings
from collections import deque
from typing import Any

import codec_types as types
import numpy
from codec_values import TOO_LARGE, nested
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, Interrupt, Send

import fastgraph

ROUNDS = 40

INNER: list[Any] = [
    1,
    2**70,
    types.Opaque(),
    types.Raising(),
    {"\ud800": 1},
    {types.Opaque(): 1},
    {(1, types.Opaque()): 1},
    memoryview(b"abcd")[::2],
]


def wraps(value: Any) -> list[Any]:
    return [
        [value],
        (value,),
        {"k": value},
        {types.Plain.A: value},
        types.Plainly(value),
        types.Slotted(value),
        types.Point(value),
        types.Old(value, 1),
        Send("n", value),
        Command(update={"a": value}),
        Interrupt(value),
        deque([value]),
        types.Extra(a=value),
        types.Simple.model_construct(name=value),
        types.OwnDump(a=value),
        types.SimpleV1(name="x", anything=value),
        types.Asked(value),
        types.Answering(value),
        types.OwnSend("n", value),
        types.Packet("n", value),
        types.Row([value]),
        HumanMessage("x", additional_kwargs={"a": value}),
        AIMessage("x", tool_calls=[{"name": "n", "args": {"a": value}, "id": None}]),
        ValueError(value),
        numpy.array([value, 1], dtype=object) if not isinstance(value, dict) else [value],
    ]


def single() -> list[Any]:
    return [
        *types.instances(),
        types.Half(),
        numpy.arange(1000),
        numpy.arange(1000)[::2],
        numpy.array(["2020-01-01"], dtype="M8[D]"),
        nested(1, 300, lambda value: [value]),
        nested(1, 400, types.Plainly),
        TOO_LARGE[0],
    ]


def blocks_of(encode: Any, value: Any) -> tuple[float, bool]:
    """The blocks that one call leaves, and whether it fails."""
    failed = False
    for number in range(2 * ROUNDS):
        if number == ROUNDS:
            gc.collect()
            before = sys.getallocatedblocks()
        try:
            encode(value)
        except TypeError:
            failed = True
    gc.collect()
    return (sys.getallocatedblocks() - before) / ROUNDS, failed


def main() -> None:
    warnings.simplefilter("ignore")
    encode = JsonPlusSerializer().dumps_typed
    cases = [wrapped for value in INNER for wrapped in wraps(value)] + single()
    leaking, failing = {}, 0
    with fastgraph.patched(["_msgpack_enc"], strict=True):
        for number, value in enumerate(cases):
            left, failed = blocks_of(encode, value)
            failing += failed
            if left >= 0.5:
                leaking[f"{number} {type(value).__name__}"] = left
    json.dump({"cases": len(cases), "failing": failing, "leaking": leaking}, sys.stdout)


if __name__ == "__main__":
    main()
