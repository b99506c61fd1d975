"""The way to the helpers, and the budget of the generated graphs."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import fastgraph

HERE = Path(__file__).parent
for directory in (HERE, HERE.parent / "adapters"):
    if str(directory) not in sys.path:
        sys.path.append(str(directory))

settings.register_profile(
    "equivalence",
    deadline=None,  # a build machine's clock is no oracle
    max_examples=40,
    derandomize=True,  # what a build says does not depend on the day
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Random numbers go on where they were, and nothing stays patched."""
    state = random.getstate()
    yield
    random.setstate(state)
    assert not fastgraph.is_patched()
