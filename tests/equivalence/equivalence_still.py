"""Ids and clock held still, so that what two runs store has the same bytes."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import pytest
from adapter_drivers import StoppedClock, hold_still
from langgraph.pregel import _retry

SEED = 11


@contextlib.contextmanager
def stillness() -> Iterator[None]:
    """Start ids, random numbers and the clock again from the beginning."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        hold_still(monkeypatch)
        if hasattr(_retry, "datetime"):
            monkeypatch.setattr(_retry, "datetime", StoppedClock)
        random.seed(SEED)
        yield
