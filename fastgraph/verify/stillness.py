"""Ids, random numbers and the clock held still, so that what two runs store has the same bytes.

Two stock runs already differ: checkpoints carry a time and ids made of it, and channel versions
carry random numbers. Masking those would also hide a patch that spoils them, so their sources are
replaced instead, and every run draws the same ones in the same order. The functions that make ids
of them stay as they are.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone, tzinfo
from types import ModuleType
from typing import TYPE_CHECKING
from unittest import mock

from langgraph.checkpoint.base import id as checkpoint_ids

if TYPE_CHECKING:
    from typing_extensions import Self

NOW = datetime(2025, 1, 1, tzinfo=timezone.utc)


class StoppedTime:
    """Stands in for the module ``time`` where ids are made."""

    def __init__(self, now: datetime) -> None:
        self._nanoseconds = int(now.timestamp()) * 10**9

    def time_ns(self) -> int:
        return self._nanoseconds


def stopped_datetime(at: datetime) -> type[datetime]:
    """Make a class that stands in for ``datetime`` where the engine asks what time it is."""

    class StoppedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(at.timestamp(), tz)

    return StoppedDatetime


def modules_with_clock() -> list[ModuleType]:
    """Find the engine's modules that imported the class, which itself cannot be changed."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(("langgraph.pregel.", "fastgraph.adapters."))
        and getattr(module, "datetime", None) is datetime
    ]


@contextmanager
def stillness(seed: int = 0, now: datetime = NOW) -> Iterator[None]:
    """Start ids, random numbers and the clock again from the beginning.

    Parameters
    ----------
    seed : int
        Of the random numbers.
    now : datetime
        What time it is.
    """
    stopped = stopped_datetime(now)
    random_state = random.getstate()
    with ExitStack() as stack:
        stack.callback(random.setstate, random_state)
        random.seed(seed)
        # Of times that stand still uuid6 makes ids that count up, from the last one it gave.
        stack.enter_context(mock.patch.object(checkpoint_ids, "time", StoppedTime(now)))
        stack.enter_context(mock.patch.object(checkpoint_ids, "_last_v6_timestamp", None))
        for module in modules_with_clock():
            stack.enter_context(mock.patch.object(module, "datetime", stopped))
        yield
