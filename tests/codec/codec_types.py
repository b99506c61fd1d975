"""The classes of the values that the codec's tests encode: stock reads them back by these names."""

from __future__ import annotations

import enum
import uuid
from collections import UserString, namedtuple
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from langgraph.types import Send
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
)
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1
from typing_extensions import TypedDict

# Subclasses of the native types.


class Text(str):
    """A `str` of a class of its own."""


class Number(int):
    """An `int` of a class of its own."""


class Real(float):
    """A `float` of a class of its own: msgpack does not take it."""


class Mapping(dict[Any, Any]):
    """A `dict` that says something else when asked than it holds."""

    def items(self) -> Any:
        return [("lie", 1)]

    def __iter__(self) -> Any:
        return iter(["lie"])


class Row(list[Any]):
    """A `list` that says something else when asked than it holds."""

    def __iter__(self) -> Any:
        return iter(["lie"])

    def __len__(self) -> int:
        return 7


class Pair(tuple[Any, ...]):
    """A `tuple` of a class of its own: msgpack does not take it."""


class Blob(bytes):
    """`bytes` of a class of its own: msgpack does not take it."""


# Enumerations.


class Plain(enum.Enum):
    A = 1
    B = "b"
    C = (1, "c")
    D = None


class Worded(str, enum.Enum):
    A = "a"
    B = "b"


class Counted(enum.IntEnum):
    ONE = 1
    TWO = 2


class Flags(enum.Flag):
    X = 1
    Y = 2


class ValueOfItsOwn(enum.Enum):
    A = 1

    @property
    def value(self) -> Any:
        return ["not", self._value_]


class OtherMeta(enum.EnumMeta):
    """Enumerations of a metaclass of their own are no enumerations to msgpack."""


class OfOtherMeta(str, enum.Enum, metaclass=OtherMeta):
    A = "a"


# Named tuples.

Old = namedtuple("Old", ["a", "b"])


class Point(NamedTuple):
    x: Any
    y: Any = 0


class Renamed(Point):
    """A named tuple that says itself what it is."""

    def _asdict(self) -> dict[str, Any]:
        return {"y": self.y, "x": self.x}


# Dataclasses.


@dataclass
class Plainly:
    a: Any
    b: Any = None


@dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any = 1


@dataclass(slots=True)
class Slotted:
    a: Any
    b: Any = "b"


@dataclass
class Partly:
    """Not all that it holds are fields that its `__init__` takes."""

    a: Any
    b: Any = field(default=2, init=False)
    c: Any = field(default=3, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.extra = "no field"


@dataclass(init=False)
class Half:
    """A dataclass without the value of its field."""

    a: Any

    def __repr__(self) -> str:
        return "Half()"


@dataclass
class Sub(Plainly):
    c: Any = 3


@dataclass
class Parcel:
    """A dataclass that looks like a `Send`, but cannot be hashed."""

    node: str
    arg: Any


@dataclass(frozen=True)
class HashedParcel:
    """A dataclass that is taken for a `Send`."""

    node: str
    arg: Any
    timeout: Any = None


@dataclass
class WithDict:
    """A dataclass with a method that pydantic 1 has."""

    a: Any

    def dict(self) -> Any:
        return {"from": "dict()", "a": self.a}


@dataclass
class WithDump:
    """A dataclass with a method that pydantic 2 has."""

    a: Any

    def model_dump(self) -> Any:
        return {"from": "model_dump()", "a": self.a}


# Whatever else upstream looks for.


class Asked:
    """No class of pydantic's, but it has the method."""

    def __init__(self, a: Any = None) -> None:
        self.a = a

    def get_secret_value(self) -> Any:
        return self.a


class Answering:
    """Says yes to whatever it is asked."""

    def __init__(self, a: Any) -> None:
        self.a = a

    def __getattr__(self, name: str) -> Any:
        if name == "dict":
            return lambda: {"a": self.a}
        raise AttributeError(name)


class OwnSend(Send):
    """A `Send` of a class of its own."""


class Packet:
    """Has what a `Send` has, and is no `Send`."""

    def __init__(self, node: str, arg: Any) -> None:
        self.node = node
        self.arg = arg


class OwnPath(type(Path())):  # type: ignore[misc]
    """A path of a class of its own."""


class OwnDateTime(datetime):
    """A `datetime` of a class of its own."""


class OwnUUID(uuid.UUID):
    """A `UUID` of a class of its own."""


class OwnSet(set[Any]):
    """A `set` of a class of its own."""


class Opaque:
    """Nothing that can be serialized."""


class OpaqueText(UserString):
    """Nothing that can be serialized either."""


class Raising:
    """Cannot say what it is."""

    def model_dump(self) -> Any:
        raise RuntimeError("no")


# pydantic 2.


class Simple(BaseModel):
    name: str
    age: int = 0


class Tool(TypedDict, total=False):
    name: str
    args: dict[str, Any]


class Various(BaseModel):
    text: str = ""
    count: int = 0
    ratio: float = 0.0
    flag: bool = False
    maybe: str | None = None
    anything: Any = None
    texts: list[str] = Field(default_factory=list)
    by_name: dict[str, Any] = Field(default_factory=dict)
    loose: dict[Any, Any] = Field(default_factory=dict)
    either: str | list[str | dict[str, Any]] = ""
    kind: Literal["a", "b"] = "a"
    tool: Tool | None = None
    pair: tuple[int, str] | None = None
    when: datetime | None = None
    ident: uuid.UUID | None = None
    raw: bytes = b""


class Nested(BaseModel):
    simple: Simple
    many: list[Simple] = Field(default_factory=list)
    anything: Any = None


class Child(Simple):
    nick: str | None = None


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: Any = None


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    a: int = Field(default=0, alias="theA")
    b: str = Field(default="", serialization_alias="theB")


class ByAlias(BaseModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    a: int = Field(default=0, alias="theA")


class Computed(BaseModel):
    a: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> int:
        return 2 * self.a


class FieldSerialized(BaseModel):
    a: int = 1

    @field_serializer("a")
    def say(self, value: int) -> str:
        return f"<{value}>"


class ModelSerialized(BaseModel):
    a: Any = 1

    @model_serializer
    def say(self) -> Any:
        return {"said": self.a}


class ModelWrapped(BaseModel):
    a: Any = 1

    @model_serializer(mode="wrap")
    def say(self, handler: Any) -> Any:
        return {**handler(self), "wrapped": True}


class OwnDump(BaseModel):
    a: Any = 1

    def model_dump(self, **options: Any) -> Any:
        return {"own": self.a}


class Excluding(BaseModel):
    a: Any = 1
    hidden: Any = Field(default=2, exclude=True)


class Private(BaseModel):
    a: Any = 1
    _b: Any = PrivateAttr(default=2)


class Secretive(BaseModel):
    key: SecretStr = SecretStr("s")
    a: Any = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = "rex"


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()
    other: Cat | Dog | str | None = None


class Rooted(RootModel[Any]):
    pass


class Chosen(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    plain: Plain = Plain.A
    worded: Worded = Worded.A


class Validated(BaseModel):
    a: str = "x"

    @field_validator("a")
    @classmethod
    def upper(cls, value: str) -> str:
        return value.upper()


class Recursive(BaseModel):
    value: Any = None
    below: list[Recursive] = Field(default_factory=list)


# pydantic 1.


class SimpleV1(BaseModelV1):
    name: str
    age: int = 0
    anything: Any = None


class AliasedV1(BaseModelV1):
    a: int = FieldV1(default=0, alias="theA")

    class Config:
        allow_population_by_field_name = True


class OwnDictV1(BaseModelV1):
    a: Any = 1

    def dict(self, **options: Any) -> Any:
        return {"own": self.a}


def instances() -> list[Any]:
    """One of each of the models that say themselves how they are written, and of their kind."""
    return [
        Aliased(a=1, b="b"),
        ByAlias(a=1),
        Computed(a=3),
        FieldSerialized(a=3),
        ModelSerialized(a=[3]),
        ModelWrapped(a={"b": 3}),
        OwnDump(a=3),
        Excluding(a=1, hidden="h"),
        Private(a=1),
        Secretive(a=1),
        Owner(),
        Owner(pet=Dog(), other=Cat()),
        Owner(other="none"),
        Rooted([1, "2"]),
        Rooted({"a": None}),
        Chosen(),
        Chosen(plain=Plain.C, worded=Worded.B),
        Validated(a="abc"),
        Recursive(value=1, below=[Recursive(), Recursive(value="x", below=[Recursive()])]),
        Child(name="c", nick="d"),
        Nested(simple=Child(name="c"), many=[Simple(name="x")]),
        SimpleV1(name="v1", anything=[1]),
        AliasedV1(a=3),
        OwnDictV1(a=3),
    ]
