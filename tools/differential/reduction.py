"""Makes a program that differs smaller, as long as it goes on to differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from tools.differential.program import Program


def smaller(part: Any) -> Iterator[Any]:
    """Everything that is one step smaller: an item less, a field as by default."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if value == field.default and not dataclasses.is_dataclass(value):
                continue
            if value != field.default:
                yield from _replaced(part, field.name, [field.default])
            yield from _replaced(part, field.name, smaller(value))
    elif isinstance(part, tuple):
        if len(part) > 3:
            yield part[: len(part) // 2]
            yield part[len(part) // 2 :]
        for index in range(len(part)):
            yield (*part[:index], *part[index + 1 :])
        for index, item in enumerate(part):
            for less in smaller(item):
                yield (*part[:index], less, *part[index + 1 :])
    elif isinstance(part, int) and not isinstance(part, bool) and part > 1:
        yield part // 2
        yield part - 1


def _replaced(part: Any, name: str, values: Any) -> Iterator[Any]:
    for value in values:
        try:
            yield dataclasses.replace(part, **{name: value})
        except ValueError:
            continue


def reduced(program: Program, differs: Callable[[Program], bool], most: int = 2000) -> Program:
    """The smallest program found that still differs.

    Parameters
    ----------
    program : Program
        One that differs.
    differs : callable
        Whether a smaller one does; what cannot be built or run does not.
    most : int
        How many programs are tried.
    """
    tried = 0
    found = True
    while found:
        found = False
        for less in smaller(program):
            tried += 1
            if tried > most:
                return program
            try:
                found = differs(less)
            except Exception:  # not a program any more
                continue
            if found:
                program = less
                break
    return program
