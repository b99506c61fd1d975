"""Whether two runs of a graph gave the same, given what two stock runs have in common."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

Agreement: TypeAlias = Literal["equal", "equal but for ids and times", "not comparable", "differ"]

#: What engine and models make anew in each run: ids, times, threads' names, addresses.
_MADE_ANEW = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{32}\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b0x[0-9a-f]{6,}\b"
    r"|\b0\d{31}\.0\.\d+"
    r"|fastgraph-check-\w+"
)


def agreement(run: Callable[[str], Any], patched: Callable[[str], Any]) -> Agreement:
    """Compare a patched run with stock ones.

    Parameters
    ----------
    run, patched
        Run the graph once, stock and patched; each is given a name no other run has.

    Returns
    -------
    Agreement
        ``not comparable`` where two stock runs already differ in more than ids and times.
    """
    first, second = _seeded(run, "check-first"), _seeded(run, "check-second")
    ours = _seeded(patched, "check-patched")
    if first == second:
        return "equal" if ours == first else "differ"
    first, second, ours = (_masked(each) for each in (first, second, ours))
    if first != second:
        return "not comparable"
    return "equal but for ids and times" if ours == first else "differ"


def _seeded(run: Callable[[str], Any], name: str) -> Any:
    state = random.getstate()
    random.seed(0)
    try:
        return plain(run(name))
    finally:
        random.setstate(state)


def plain(value: Any) -> Any:
    """Reduce a value to lists, tuples and text, which compare by all that can be seen."""
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return (type(value).__name__, repr(value))
    if isinstance(value, BaseModel):
        return (type(value).__name__, plain(dict(value)))
    if is_dataclass(value) and not isinstance(value, type):
        members = {each.name: getattr(value, each.name) for each in fields(value)}
        return (type(value).__name__, plain(members))
    if isinstance(value, Mapping):
        return [(plain(key), plain(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [plain(each) for each in value])
    if isinstance(value, (set, frozenset)):
        return (type(value).__name__, sorted(map(repr, value)))
    return (type(value).__name__, re.sub(r" at 0x[0-9a-f]+", "", repr(value)))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _MADE_ANEW.sub("*", value)
    if isinstance(value, (list, tuple)):
        return [_masked(each) for each in value]
    return value
