"""Where two observations differ first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHOWN = 600


def difference(one: Any, other: Any, path: str = "") -> str:
    """Tell where two descriptions differ first, and how.

    Parameters
    ----------
    one, other
        Descriptions, of which at least one thing differs.
    path : str
        How to get there from what is being compared.

    Returns
    -------
    str
        The path to the difference, and both sides, cut to a length that can be read.
    """
    if type(one) is type(other) and isinstance(one, dict) and one.keys() == other.keys():
        for key, value in one.items():
            if value != other[key]:
                return difference(value, other[key], f"{path}[{key!r}]")
    if type(one) is type(other) and isinstance(one, (list, tuple)):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return difference(left, right, f"{path}[{index}]")
        if len(one) != len(other):
            rest = [*one[len(other) :], *other[len(one) :]]
            return (
                f"{path}: {len(one)} and {len(other)} items, beginning with {rest[0]!r:.{_SHOWN}}"
            )
    return f"{path}: {one!r:.{_SHOWN}} and {other!r:.{_SHOWN}}"


def first_difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """Tell in which part two observations differ first and where, or None if they are equal."""
    for part, seen in expected.items():
        if found[part] != seen:
            return f"in {part}{difference(seen, found[part])}"
    return None
