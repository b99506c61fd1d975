"""The values that are encoded and decoded, the same ones every time."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Send
from pydantic import BaseModel


@dataclass
class Step:
    """A dataclass as states have them."""

    name: str
    number: int
    tags: list[str]


class Fact(BaseModel):
    """A small model."""

    name: str
    number: int
    tags: list[str] = []


def chat(length: int = 300) -> list[AnyMessage]:
    """A question, a call of a tool with what it took, and its answer, again and again."""
    turns: list[AnyMessage] = []
    for number in range(length // 3):
        call_id = f"call_{name(number)[-12:]}"
        call = {"name": "weather", "args": {"city": f"city {number}"}, "id": call_id}
        used = {"input_tokens": 100 + number, "output_tokens": 20, "total_tokens": 120 + number}
        turns += [
            HumanMessage(f"What is the weather in city {number}?", id=name(number)),
            AIMessage("", id=f"run-{name(number)}", tool_calls=[call], usage_metadata=used),
            ToolMessage(
                "Sunny, 25 degrees", tool_call_id=call_id, id=name(~number), name="weather"
            ),
        ]
    return turns


def chat_without_ids() -> list[AnyMessage]:
    """The same before a graph has given its messages ids."""
    return [message.model_copy(update={"id": None}) for message in chat()]


def name(number: int) -> str:
    return str(uuid.UUID(int=number % 2**128))


def uuids() -> list[uuid.UUID]:
    dice = random.Random(1)
    return [uuid.UUID(int=dice.getrandbits(128)) for _ in range(1000)]


def moments() -> list[datetime]:
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    return [start + timedelta(seconds=number, microseconds=number) for number in range(1000)]


def steps() -> list[Step]:
    return [Step(f"step {number}", number, ["a", "b"]) for number in range(300)]


def sends() -> list[Send]:
    return [Send("node", {"number": number, "text": "text"}) for number in range(300)]


def facts() -> list[Fact]:
    return [Fact(name=f"fact {number}", number=number, tags=["a"]) for number in range(300)]


def plain() -> dict[str, Any]:
    """35 kB of what a JSON document may have."""
    dice = random.Random(2)
    return {
        "users": [
            {
                "id": number,
                "name": f"user {number}",
                "active": number % 2 == 0,
                "score": dice.random() * 100,
                "tags": ["a", "bc", "def"],
                "address": {"city": "Bern", "zip": "3000", "lines": [f"street {number}", None]},
            }
            for number in range(335)
        ]
    }


def array() -> Any:
    import numpy

    return numpy.random.default_rng(3).random(32768)


CORPORA: Mapping[str, Callable[[], Any]] = {
    "300 chat messages": chat,
    "300 chat messages without ids": chat_without_ids,
    "1,000 UUIDs": uuids,
    "1,000 datetimes": moments,
    "300 dataclasses": steps,
    "300 Sends": sends,
    "300 small pydantic models": facts,
    "plain state of 35 kB": plain,
    "NumPy array of 256 kB": array,
}
