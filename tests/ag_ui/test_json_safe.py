"""`make_json_safe` makes of everything what upstream's makes of it, and fails as it fails."""

from __future__ import annotations

import collections
import dataclasses
import random
import re
import sys
import threading
import types
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
from ag_ui_agents import VALUES, Mood, Record
from ag_ui_langgraph import utils
from langchain_core.messages import AIMessageChunk, HumanMessage

import fastgraph


class Text(str):
    __slots__ = ()


class Numbers(list[Any]):
    def __iter__(self) -> Any:
        return iter([1, "own"])


class Pairs(dict[Any, Any]):
    def items(self) -> Any:
        return [("own", (1,)), ("config", 2), (3, "runtime")]


class Asked:
    """Notes each attribute that it is asked for."""

    def __init__(self, **answers: Any) -> None:
        self.__dict__["asked"] = []
        self.__dict__["answers"] = answers

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        if name not in self.answers:
            raise AttributeError(name)
        return self.answers[name]


class Growing(dict[Any, Any]):
    """Has a key that adds another one while it is looked at."""


@dataclasses.dataclass
class Lock:
    lock: Any
    config: int = 1


def _grown() -> Any:
    value: dict[Any, Any] = {}

    class Adds:
        def model_dump(self) -> Any:
            value["more"] = 1
            return {}

    value["first"] = Adds()
    value["second"] = 2
    return value


def _raises(error: BaseException) -> Callable[[], Any]:
    def raises() -> Any:
        raise error

    return raises


MADE: list[Callable[[], Any]] = [
    *VALUES,
    lambda: Text("text"),
    lambda: {Text("config"): 1, "a": Text("b")},
    lambda: Numbers([5]),
    lambda: Pairs(a=1),
    lambda: (1, (2, frozenset({3}))),
    lambda: {1: 2, None: 3, 1.5: 4, False: 5},
    lambda: {(1, 2): 3},
    lambda: collections.OrderedDict(a=1, runtime=2),
    lambda: collections.deque([1, 2]),
    lambda: collections.namedtuple("Point", "x y")(1, 2),
    lambda: types.SimpleNamespace(a={"b": Mood.GOOD}),
    lambda: types.MappingProxyType({"a": 1}),
    lambda: uuid.UUID(int=5),
    lambda: Record,
    lambda: Lock,
    lambda: {"dataclass": Record("r", (1,), object)},
    lambda: AIMessageChunk(content="é", id="1", tool_call_chunks=[]),
    lambda: [HumanMessage(content=[{"type": "text", "text": "t"}], id="2")],
    lambda: b"bytes",
    lambda: 3 + 4j,
    lambda: Ellipsis,
    lambda: float("inf"),
    lambda: Asked(),
    lambda: Asked(model_dump=lambda: {"a": 1}),
    lambda: Asked(model_dump=_raises(ValueError()), to_dict=lambda: [1]),
    lambda: Asked(model_dump="not callable", dict=lambda: 5),
    lambda: Asked(model_dump=_raises(KeyboardInterrupt("stop"))),
    lambda: MagicMock(spec=str),
    lambda: MagicMock(spec=dict),
    lambda: _grown(),
    lambda: {"a": types.SimpleNamespace(b=_grown())},
]


def made_of(value: Any) -> tuple[Any, Any]:
    asked = getattr(value, "asked", None) if isinstance(value, Asked) else None
    try:
        result = utils.make_json_safe(value)
    except BaseException as error:
        return type(error), str(error), asked
    return repr(result), result is value, asked


def without_addresses(seen: Any) -> Any:
    return re.sub(r"0x[0-9a-f]+|id='\d+'", "", repr(seen))


@pytest.mark.parametrize("index", range(len(MADE)))
def test_each_kind_of_value(index: int) -> None:
    stock = made_of(MADE[index]())
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert without_addresses(made_of(MADE[index]())) == without_addresses(stock)


def _nested(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(MADE[:12])()
    parts = [_nested(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    kind = rng.randrange(4)
    if kind == 0:
        return parts
    if kind == 1:
        return tuple(parts)
    if kind == 2:
        return types.SimpleNamespace(parts=parts, again=parts)
    return dict(zip(["a", "config", "é", "b"], parts, strict=False))


def test_generated_values() -> None:
    def made() -> list[Any]:
        return [without_addresses(made_of(_nested(random.Random(seed), 5))) for seed in range(300)]

    stock = made()
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert made() == stock


def _deep(depth: int, kind: int) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        if kind == 0:
            value = {"a": value}
        elif kind == 1:
            value = [value]
        elif kind == 2:
            value = types.SimpleNamespace(a=value)
        else:
            value = Record(value)
    return value


def _shape(value: Any) -> int | str:
    """How deep a value is, and what is at its bottom."""
    depth = 0
    while not isinstance(value, str):
        value = next(iter(value.values() if isinstance(value, dict) else value))
        depth += 1
    return f"{depth} {value[:40]}"


def _shape_of(value: Any) -> object:
    try:
        return _shape(utils.make_json_safe(value))
    except RecursionError as error:
        return str(error)


@pytest.mark.parametrize("kind", range(4))
def test_too_deep_is_too_deep_at_the_same_depth(kind: int) -> None:
    limit = sys.getrecursionlimit()
    # What fails far down is shown by its repr, at each level anew: that takes upstream long.
    step = limit // 40 if kind < 2 else limit // 8
    depths = [30, 39, 40, 41, 42, 60, 100, *range(limit // 4, limit // 2 + 100, step), limit]
    stock = [_shape_of(_deep(depth, kind)) for depth in depths]
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert [_shape_of(_deep(depth, kind)) for depth in depths] == stock
    assert len(set(map(str, stock))) > 8


def test_a_cycle_far_down_is_found() -> None:
    value = inner = {}
    for _ in range(60):
        inner["a"] = inner = {}
    inner["back"] = value
    stock = utils.make_json_safe(value)
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert utils.make_json_safe(value) == stock


def test_little_room_on_the_stack() -> None:
    def at(room: int, value: Any) -> object:
        """Call with so many frames left, as far as that can be told."""
        if room:
            return at(room - 1, value)
        return _shape_of(value)

    limit = sys.getrecursionlimit()
    rooms = range(limit - 200, limit - 60, 3)

    def tried(room: int) -> object:
        try:
            return at(room, _deep(20, 0))
        except RecursionError:
            return "no room"

    stock = [tried(room) for room in rooms]
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert [tried(room) for room in rooms] == stock
    assert len(set(map(str, stock))) > 1


def test_containers_given() -> None:
    value = {"a": [1]}
    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        assert utils.make_json_safe(value, {id(value["a"])}) == {"a": "<recursive>"}


def test_threads() -> None:
    value = {"lock": Lock(threading.Lock()), "a": [{"b": (1, 2)}] * 50}
    stock = repr(utils.make_json_safe(value))
    found = []

    def work() -> None:
        found.extend(repr(utils.make_json_safe(value)) == stock for _ in range(200))

    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [True] * 800


def test_the_c_stack_is_spared() -> None:
    """With a high limit upstream goes as deep as there is memory."""
    limit = sys.getrecursionlimit()
    found = []

    def work() -> None:
        found.append(_shape(utils.make_json_safe(_deep(20_000, 1))))

    with fastgraph.patched(frameworks=["ag-ui"], strict=True):
        sys.setrecursionlimit(100_000)
        try:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        finally:
            sys.setrecursionlimit(limit)
    assert found == ["20000 bottom"]
