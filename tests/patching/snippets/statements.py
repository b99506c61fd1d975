# ruff: noqa
# fmt: off
"""Definitions with the syntax upstreams use."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


@overload
def chosen(value: int) -> int: ...
@overload
def chosen(value: str) -> str: ...
def chosen(value):
    """The last definition counts."""
    return value


def parameters(a, /, b: int = 1, *args: Any, c, d: "str" = "e", **kwargs: Any) -> dict[str, Any]:
    first, *rest = args
    return {**kwargs, "a": a, **{"b": b}, "rest": [*rest, *args], "c": (c, d)}


def walrus(items):
    while (item := next(items, None)) is not None:
        yield (y := item), y
    return [last := i for i in items if (n := i) > 1 and n]


def matching(command):
    match command:
        case None | True | False:
            return 0
        case -1 | 1 + 2j | "text":
            return 1
        case [first, *_, last] if first:
            return 2
        case {"key": value, **rest}:
            return rest
        case Generic(a, b=c) as whole:
            return whole
        case (1 | 2) as number:
            return number
        case asyncio.Task:
            return 3
        case _:
            pass


@decorated(option=lambda x, *, y=1: x + y)
class Decorated(Generic[T], metaclass=type, option=1):
    """Docstring."""

    annotated: int
    valued: list[int] = []
    (parenthesized): int = 1

    @property
    def nested(self):
        """Docstring."""

        def inner():
            """Docstring."""
            nonlocal_value = 1

            def deepest():
                nonlocal nonlocal_value
                nonlocal_value += 1

            return deepest

        return inner

    class Inner:
        """Docstring."""

    def only_docstring(self):
        """Docstring."""


async def asynchronous(stream, lock):
    async with lock as a, stream:
        async for item in stream:
            yield await item
    result = [x async for x in stream if await x]
    await asyncio.gather(*result, return_exceptions=True)


def control(a, b):
    global T
    with (open(a) as f, open(b) as g):
        try:
            assert a < b <= 3, "message"
        except (ValueError, TypeError) as error:
            raise RuntimeError("x") from error
        except Exception:
            del a[1:2, ::3], b
        else:
            a @= b
        finally:
            print(f, g)
    for i, (j, k) in enumerate(a):  # type: ignore
        if not i:
            continue
        elif j is not k or j not in a and ~i:
            break
    else:
        a[i] = lambda: (yield)
    x = y = a if b else (a,)
    return {i: j for i, j in x if i for j in y}, {*a}, a.b.c[...], yield_(a)(*b, **a)
