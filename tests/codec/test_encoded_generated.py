"""The bytes are upstream's on very many values: 200,000 unless the environment says otherwise."""

from __future__ import annotations

import os
from typing import Any

import codec_values as values
import pytest
from codec_engines import assert_all_same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: How many values one example is made into, and how many examples there are: 200,000 by default.
EACH = 250
EXAMPLES = int(os.environ.get("FASTGRAPH_TEST_CODEC_VALUES", "200000")) // EACH


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    pool=st.lists(values.anything() | values.messages(), min_size=4, max_size=10),
    seed=st.integers(0, 2**32),
)
def test_generated_values_are_encoded_alike(pool: list[Any], seed: int) -> None:
    made = values.combined(pool, seed, EACH)
    assert len(made) == EACH
    assert_all_same(made)
