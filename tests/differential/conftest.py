"""What generated programs leave to the tests after them: nothing."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator

import pytest

import fastgraph

pytest.importorskip("tools.differential", reason="the tools are in the checkout")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Random numbers go on where they were, nothing stays patched or out of collections."""
    state = random.getstate()
    yield
    random.setstate(state)
    gc.unfreeze()
    assert gc.isenabled()
    assert not fastgraph.is_patched()
