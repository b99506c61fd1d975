"""Channels of every type, plain and user-defined, and values that they take or refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from adapter_shapes import Token, shape
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph._internal._constants import TASKS
from langgraph._internal._typing import MISSING
from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.channels.base import BaseChannel
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValueAfterFinish
from langgraph.errors import EmptyChannelError
from langgraph.graph.message import add_messages
from langgraph.types import Send

try:
    from langgraph.types import Overwrite
except ImportError:  # before LangGraph 1.1
    Overwrite = list
try:
    from langgraph.channels.delta import DeltaChannel
except ImportError:  # before LangGraph 1.2
    DeltaChannel = None

#: What user code heard, in the order of the calls.
heard: list[Any] = []

BOMB = "bomb"


class Name(str):
    """A channel or node name that is not exactly a `str`."""

    __slots__ = ()


class Loud:
    """A user's channel: everything that it is asked or told is heard."""

    __slots__ = ()

    def update(self, values: Sequence[Any]) -> bool:
        heard.append((self.key, "update", shape(values)))
        return super().update(values)

    def get(self) -> Any:
        heard.append((self.key, "get"))
        return super().get()

    def is_available(self) -> bool:
        heard.append((self.key, "is_available"))
        return super().is_available()

    def consume(self) -> bool:
        heard.append((self.key, "consume"))
        return super().consume()

    def finish(self) -> bool:
        heard.append((self.key, "finish"))
        return super().finish()

    def copy(self) -> Any:
        heard.append((self.key, "copy"))
        return super().copy()

    def checkpoint(self) -> Any:
        heard.append((self.key, "checkpoint"))
        return super().checkpoint()


class LoudLastValue(Loud, LastValue):
    __slots__ = ()


class LoudEphemeralValue(Loud, EphemeralValue):
    __slots__ = ()


class LoudTopic(Loud, Topic):
    __slots__ = ()


class LoudBarrier(Loud, NamedBarrierValue):
    __slots__ = ()


class LoudAfterFinish(Loud, LastValueAfterFinish):
    __slots__ = ()


class LoudAggregate(Loud, BinaryOperatorAggregate):
    __slots__ = ()


class Whimsical(Loud, BaseChannel):
    """Answers with things that are merely true or false, and changes when nobody wrote to it."""

    __slots__ = ("values",)

    def __init__(self, typ: Any, key: str = "") -> None:
        self.typ, self.key, self.values = typ, key, []

    ValueType = UpdateType = property(lambda self: self.typ)

    def from_checkpoint(self, checkpoint: Any) -> Whimsical:
        made = type(self)(self.typ, self.key)
        made.values = [] if checkpoint is MISSING else list(checkpoint)
        return made

    def update(self, values: Sequence[Any]) -> Any:
        heard.append((self.key, "update", shape(values)))
        if BOMB in values:
            raise ValueError("no bombs")
        self.values.extend(values)
        if not values and self.values:
            self.values.pop()
            return "something left" if self.values else [None]
        return list(values)

    def get(self) -> Any:
        heard.append((self.key, "get"))
        if not self.values:
            raise EmptyChannelError
        return tuple(self.values)

    def is_available(self) -> Any:
        heard.append((self.key, "is_available"))
        return len(self.values)

    def consume(self) -> Any:
        heard.append((self.key, "consume"))
        return self.values and self.values.pop()

    def finish(self) -> Any:
        heard.append((self.key, "finish"))
        if len(self.values) > 2:
            self.values.clear()
            return 1
        return 0

    def checkpoint(self) -> Any:
        heard.append((self.key, "checkpoint"))
        return list(self.values)


class Bag(list):
    """A user's class for an aggregate; making one is heard."""

    def __init__(self, *args: Any) -> None:
        heard.append(("Bag", len(args)))
        super().__init__(*args)


def joined(left: Any, right: Any) -> Any:
    heard.append(("joined", shape(left), shape(right)))
    if right == BOMB:
        raise ValueError("no bombs")
    return [*left, *(right if isinstance(right, list) else [right])]


def added(left: int, right: int) -> int:
    heard.append(("added", left, right))
    return left + right


def folded(left: Any, rights: Sequence[Any]) -> Any:
    heard.append(("folded", shape(left), shape(rights)))
    if BOMB in rights:
        raise ValueError("no bombs")
    return [*left, *rights]


tokens = st.integers(0, 3).map([Token(number) for number in range(4)].__getitem__)
anything = st.one_of(tokens, st.none(), st.integers(0, 2), st.just([]), st.just(MISSING))
listed = st.one_of(st.lists(tokens, max_size=2), tokens, st.just(BOMB))
overwrites = st.lists(tokens, max_size=2).map(Overwrite)
folding = st.one_of(tokens, st.just(BOMB), overwrites)
topical = st.one_of(tokens, st.lists(tokens, max_size=2))
numbers = st.one_of(st.integers(-2, 2), st.just(BOMB))
reduced = st.one_of(listed, overwrites)
named = st.sampled_from(["a", "b", "b", "stranger"])
messages = st.sampled_from(
    [
        make(id=id)
        for id in ("m1", "m2")
        for make in (partial(HumanMessage, "hi"), partial(AIMessage, "ho"), RemoveMessage)
    ]
)
sends = st.one_of(
    st.tuples(st.sampled_from(["n1", "n2", "unknown"]), tokens).map(lambda pair: Send(*pair)),
    tokens,  # not a Send, which upstream logs and ignores
)
NAMES = {"a", "b"}

#: Kind -> (how to make the channel, what to write to it).
KINDS: dict[str, tuple[Callable[[], BaseChannel], st.SearchStrategy[Any]]] = {
    "last": (lambda: LastValue(object), anything),
    "ephemeral": (lambda: EphemeralValue(object), anything),
    "ephemeral of any": (lambda: EphemeralValue(object, guard=False), anything),
    "any": (lambda: AnyValue(object), anything),
    "untracked": (lambda: UntrackedValue(object), anything),
    "untracked of any": (lambda: UntrackedValue(object, guard=False), anything),
    "list": (lambda: BinaryOperatorAggregate(list, joined), reduced),
    "int": (lambda: BinaryOperatorAggregate(int, added), numbers),
    "bag": (lambda: BinaryOperatorAggregate(Bag, joined), reduced),
    "no default": (lambda: BinaryOperatorAggregate(int | list, joined), reduced),
    "messages": (lambda: BinaryOperatorAggregate(list, add_messages), messages),
    "topic": (lambda: Topic(object), topical),
    "accumulating topic": (lambda: Topic(object, accumulate=True), topical),
    "after finish": (lambda: LastValueAfterFinish(object), anything),
    "barrier": (lambda: NamedBarrierValue(str, NAMES), named),
    "empty barrier": (lambda: NamedBarrierValue(str, set()), named),
    "barrier after finish": (lambda: NamedBarrierValueAfterFinish(str, NAMES), named),
    "loud last": (lambda: LoudLastValue(object), anything),
    "loud ephemeral": (lambda: LoudEphemeralValue(object), anything),
    "loud topic": (lambda: LoudTopic(object), topical),
    "loud barrier": (lambda: LoudBarrier(str, NAMES), named),
    "loud after finish": (lambda: LoudAfterFinish(object), anything),
    "loud list": (lambda: LoudAggregate(list, joined), reduced),
    "whimsical": (lambda: Whimsical(object), st.one_of(tokens, st.just(BOMB))),
}
if DeltaChannel is not None:
    KINDS["delta"] = (lambda: DeltaChannel(folded, list, snapshot_frequency=2), folding)

QUIET = [kind for kind in KINDS if "loud" not in kind and kind != "whimsical"]

NAME_POOL = ["a", "b", "c", "d", Name("e"), "branch:to:n1", "branch:to:n2"]


@st.composite
def channel_kinds(draw: st.DrawFn, kinds: Sequence[str] = tuple(KINDS)) -> dict[str, str]:
    """Channel name -> kind, in a random order, sometimes with the channel for `Send`s."""
    names = draw(st.lists(st.sampled_from(NAME_POOL), unique=True, max_size=len(NAME_POOL)))
    found = {name: draw(st.sampled_from(kinds)) for name in names}
    if draw(st.booleans()):
        found[TASKS] = "topic"
    return found


def values_for(name: str, kind: str) -> st.SearchStrategy[Any]:
    return sends if name == TASKS else KINDS[kind][1]


def make_channels(kinds: dict[str, str], primed: dict[str, list[list[Any]]]) -> dict[str, Any]:
    """Channels in the state that the updates `primed` leave them in, quietly."""
    made = {}
    for name, kind in kinds.items():
        channel = KINDS[kind][0]()
        channel.key = name
        for values in primed.get(name, ()):
            try:
                channel.update(values)
            except Exception:
                continue  # what it refuses leaves it as it is
        made[name] = channel
    heard.clear()
    return made
