"""Versions as int64 ranks, so that comparing them is comparing numbers in an array."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import Any, TypeAlias

import numpy as np

from fastgraph.kernels.numba_core import Integers

Version: TypeAlias = int | float | str

_NUMBERS = frozenset({int, float, bool})
_TEXT = frozenset({str})


class UnrankableError(ValueError):
    """The versions have no order that ranks could keep: they are to be compared one by one."""


class Ranking:
    """The order of a set of versions.

    Each version it was made of has a rank, ascending. Any other version has the rank of the highest
    one below it, so that ``rank(known) > rank(any)`` says whether ``known > any``.

    Parameters
    ----------
    versions : Iterable[int | float | str]
        Ranked once, equal ones (1 and 1.0) alike.

    Raises
    ------
    UnrankableError
        If they cannot all be compared with each other, are not ordered (NaN), or are of other
        types, whose comparison could do anything.
    """

    __slots__ = ("_ordered", "_rank_of", "_types")

    def __init__(self, versions: Iterable[Version]) -> None:
        known = list(versions)
        self._types = _TEXT if known and type(known[0]) is str else _NUMBERS
        _require_order(known, self._types)
        distinct: set[Any] = set(known)  # all numbers or all text: comparable
        self._ordered: list[Any] = sorted(distinct)
        self._rank_of = {version: rank for rank, version in enumerate(self._ordered)}

    def __len__(self) -> int:
        return len(self._ordered)

    def ranks(self, versions: Collection[Version]) -> Integers:
        """Return the rank of each version, shape ``(len(versions),)``.

        Raises
        ------
        UnrankableError
            If one of them has no place in the order.
        """
        _require_order(versions, self._types)
        try:
            return np.fromiter(map(self._rank_of.__getitem__, versions), np.int64, len(versions))
        except KeyError:
            return np.fromiter(map(self._rank, versions), np.int64, len(versions))

    def add(self, version: Version) -> int | None:
        """Return the rank of a version that is known or above all that are; None for any other."""
        if type(version) not in self._types or version != version:
            return None
        rank = self._rank_of.get(version)
        if rank is None and (not self._ordered or version > self._ordered[-1]):
            rank = self._rank_of[version] = len(self._ordered)
            self._ordered.append(version)
        return rank

    def _rank(self, version: Version) -> int:
        rank = self._rank_of.get(version)
        return bisect_right(self._ordered, version) - 1 if rank is None else rank


def _require_order(versions: Iterable[Version], types: frozenset[type]) -> None:
    found = set(map(type, versions))
    if not found <= types:
        raise UnrankableError("the versions are not all numbers or all text")
    if float in found and any(version != version for version in versions):
        raise UnrankableError("NaN has no place in an order")
