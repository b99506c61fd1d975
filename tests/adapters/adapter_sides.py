"""The two sides of every comparison: upstream's functions and what replaces them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapter_channels import heard
from adapter_shapes import shape
from langgraph.pregel import _algo, _checkpoint
from langgraph.pregel._log import logger

import fastgraph
from fastgraph.adapters.langgraph.channels import invalidate_tables

__all__ = ["OURS", "STOCK", "Functions", "engine", "invalidate_tables", "mixed", "observe"]

ALGO = (
    "apply_writes",
    "prepare_next_tasks",
    "prepare_single_task",
    "_triggers",
    "_scratchpad",
    "_proc_input",
    "local_read",
    "should_interrupt",
)
CHECKPOINT = ("channels_from_checkpoint", "create_checkpoint")
ASYNC_CHECKPOINT = "achannels_from_checkpoint"


class Functions:
    """The functions of one side, as attributes under upstream's names."""

    def __init__(self) -> None:
        self.names = [*ALGO, *CHECKPOINT]
        if hasattr(_checkpoint, ASYNC_CHECKPOINT):
            self.names.append(ASYNC_CHECKPOINT)
        for name in self.names:
            setattr(self, name, getattr(_algo if name in ALGO else _checkpoint, name))


def _taken() -> tuple[Functions, Functions]:
    if fastgraph.is_patched():
        raise RuntimeError("the tests need upstream's own functions to compare with")
    stock = Functions()
    with fastgraph.patched():
        ours = Functions()
    # How a task is prepared differs too much between releases to be replaced in all of them.
    for name in sorted({*stock.names} - {"prepare_single_task"}):
        if getattr(stock, name) is getattr(ours, name):
            raise RuntimeError(f"{name} was not replaced")
    return stock, ours


STOCK, OURS = _taken()


def mixed(replaced: Iterable[str]) -> Functions:
    """One side's functions for some names, the other's for the rest."""
    functions = Functions()
    for name in functions.names:
        setattr(functions, name, getattr(OURS if name in replaced else STOCK, name))
    return functions


@contextlib.contextmanager
def engine(functions: Functions) -> Iterator[None]:
    """Have upstream's own calls from function to function reach one side."""
    before = {name: getattr(_algo, name) for name in ALGO}
    for name in ALGO:
        setattr(_algo, name, getattr(functions, name))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(_algo, name, function)


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[object, ...]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(
            (
                record.name,
                record.levelname,
                record.getMessage(),
                record.funcName,
                record.pathname,
                record.lineno,
            )
        )


def observe(functions: Functions, action: Callable[[], Any]) -> dict[str, Any]:
    """What can be seen of an action of one side: result or error, log records, calls made."""
    handler = _Records()
    logger.addHandler(handler)
    heard.clear()
    seen: dict[str, Any] = {}
    try:
        with engine(functions):
            seen["result"] = shape(action())
    except Exception as error:
        seen["error"] = shape(error)
    finally:
        logger.removeHandler(handler)
    seen["records"] = handler.seen
    seen["heard"] = list(heard)
    return seen
