"""The budget of the property tests, and the way to their helpers."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)

settings.register_profile(
    "adapters",
    deadline=None,  # a build machine's clock is no oracle
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("adapters")
