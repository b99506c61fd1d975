"""The channel version vector over NumPy arrays: the API of `version_vector`, without extensions.

The dict stays the truth here too. Beside it the vector keeps the rank of each version in an int64
array, from when it is first asked something until a version does not fit in.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from fastgraph.kernels.numba_core import Integers, any_newer, first_maximum
from fastgraph.kernels.numba_ranking import Ranking, UnrankableError, Version

__all__ = ("VersionVector",)


class VersionVector:
    """Channel versions with a maximum found by numba.

    Parameters
    ----------
    versions : Mapping[str, int | float | str], optional
        The versions to start from; copied, in their order.

    Notes
    -----
    One thread uses it at a time: looking may build the ranks. Versions without a common order (of
    other types, NaN) are compared in Python, one by one, with what that raises.
    """

    __slots__ = ("_ranked", "_versions")

    def __init__(self, versions: Mapping[str, Version] | None = None) -> None:
        self._versions: dict[str, Version] = dict(versions) if versions is not None else {}
        self._ranked: _Ranked | None = None

    @staticmethod
    def over(versions: dict[str, Version]) -> VersionVector:
        """Return a vector that stands over `versions` itself and writes through to it.

        Raises
        ------
        TypeError
            If `versions` is not a dict.
        """
        if type(versions) is not dict:
            raise TypeError(f"versions must be a dict, not {type(versions).__name__}")
        vector = VersionVector()
        vector._versions = versions
        return vector

    def __len__(self) -> int:
        return len(self._versions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __contains__(self, channel: object) -> bool:
        return channel in self._versions

    def __getitem__(self, channel: str) -> Version:
        return self._versions[channel]

    def __setitem__(self, channel: str, version: Version) -> None:
        self._versions[channel] = version
        if self._ranked is not None and not self._ranked.put(channel, version):
            self._ranked = None

    def __repr__(self) -> str:
        return f"VersionVector({self._versions!r})"

    @property
    def maximum(self) -> Version | None:
        """The highest version, the first of them in channel order; None if there is no channel.

        Raises
        ------
        TypeError
            If two versions cannot be compared.
        """
        if not self._versions:
            return None
        try:
            ranked = _ranked(self)
        except UnrankableError:
            values: list[Any] = list(self._versions.values())
            highest: Version = max(values)
            return highest
        return self._versions[ranked.channels[first_maximum(ranked.ranks)]]

    @property
    def null(self) -> Version | None:
        """What a channel without a version compares as; None if there is no channel."""
        for version in self._versions.values():
            return type(version)()
        return None

    def bump(self, channels: Iterable[str], version: Version) -> None:
        """Give each of `channels` the same `version`."""
        for channel in channels:
            self[channel] = version

    def newer(self, seen: Mapping[str, Version], channels: Iterable[str] | None = None) -> bool:
        """Tell whether one of `channels` (default: all) is ahead of what `seen` says was read.

        Parameters
        ----------
        seen : Mapping[str, int | float | str]
            The versions that a node has seen.
        channels : Iterable[str], optional
            The channels to look at; one that has no version is never ahead.

        Raises
        ------
        TypeError
            If two versions cannot be compared (a saver that changed its type of version).
        """
        if channels is None:
            names, current = list(self._versions), list(self._versions.values())
        else:
            names = [channel for channel in channels if channel in self._versions]
            current = [self._versions[channel] for channel in names]
        reads: list[Any] = list(map(seen.get, names, repeat(self.null)))
        try:
            # All of them have their ranks at hand; some have to be looked up.
            ranks = _ranked(self).ranks if channels is None else ranks_in(self, current)
            return any_newer(ranks, ranks_in(self, reads))
        except UnrankableError:
            return any(map(operator.gt, current, reads))

    def snapshot(self) -> VersionVector:
        """Return a vector of its own with the versions as they are now."""
        return VersionVector(self._versions)

    def to_dict(self) -> dict[str, Version]:
        """Return the versions as a plain dict of its own: same order, same objects."""
        return self._versions.copy()


def versions_of(vector: VersionVector, channels: Iterable[str]) -> list[Any]:
    """Return the version of each channel, the null version for one that has none."""
    null = vector.null
    return [vector._versions.get(channel, null) for channel in channels]


def ranks_in(vector: VersionVector, versions: Collection[Version]) -> Integers:
    """Return the ranks of any `versions` among those of `vector`, shape ``(len(versions),)``.

    Raises
    ------
    UnrankableError
        If they and the vector's have no common order.
    """
    return _ranked(vector).ranking.ranks(versions)


@dataclass
class _Ranked:
    """The versions of a vector as numbers, in the order of its channels."""

    channels: list[str]
    positions: dict[str, int]
    ranking: Ranking
    ranks: Integers  # shape (channels,)

    def put(self, channel: str, version: Version) -> bool:
        """Take in a version; False if it does not fit and everything has to be ranked again."""
        position, rank = self.positions.get(channel), self.ranking.add(version)
        if position is None or rank is None or self._outgrown():
            return False
        self.ranks[position] = rank
        return True

    def _outgrown(self) -> bool:
        # A vector that lives long would collect every version there ever was.
        return len(self.ranking) > 4 * len(self.channels) + 64


def _ranked(vector: VersionVector) -> _Ranked:
    ranked, versions = vector._ranked, vector._versions
    # Somebody else may have added a channel to a dict that the vector only stands over.
    if ranked is None or len(ranked.channels) != len(versions):
        ranked = vector._ranked = _rank(versions, vector.null)
    return ranked


def _rank(versions: dict[str, Version], null: Version | None) -> _Ranked:
    # The null version is compared with like the others, so it needs a place of its own.
    ranking = Ranking([*versions.values(), *([] if null is None else [null])])
    return _Ranked(
        channels=list(versions),
        positions={channel: position for position, channel in enumerate(versions)},
        ranking=ranking,
        ranks=ranking.ranks(versions.values()),
    )
