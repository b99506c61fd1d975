"""Encoding by upstream and by fastgraph: what each gives, or raises."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import fastgraph

ENCODER = ["_msgpack_enc"]


@contextlib.contextmanager
def patched() -> Iterator[None]:
    """The compiled encoder, and nothing else, for as long as the block lasts."""
    with fastgraph.patched(ENCODER, strict=True):
        yield


def encoded(value: Any) -> Any:
    """What `dumps_typed` gives, or the class and the text of what it raises; and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result: Any = JsonPlusSerializer().dumps_typed(value)
        except BaseException as error:
            result = (type(error), str(error), error.__cause__, error.__context__)
    return result, [(warning.category, str(warning.message)) for warning in caught]


def both(value: Any) -> tuple[Any, Any]:
    """By upstream, and by the compiled encoder."""
    stock = encoded(value)
    with patched():
        return stock, encoded(value)


def assert_all_same(values: list[Any]) -> None:
    """Both give the same for each of many values."""
    stock = [encoded(value) for value in values]
    with patched():
        ours = [encoded(value) for value in values]
    for value, theirs, mine in zip(values, stock, ours, strict=True):
        assert mine == theirs, value


def assert_same(value: Any) -> Any:
    """Both give the same; returned is what."""
    stock, ours = both(value)
    assert ours == stock
    return stock[0]


def message_of(value: Any) -> str:
    """The note on what the compiled encoder raises."""
    with patched():
        try:
            JsonPlusSerializer().dumps_typed(value)
        except TypeError as error:
            return "\n".join(getattr(error, "__notes__", ["no note"]))
    return "no error"
