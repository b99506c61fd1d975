"""The implementations of the kernels installed here, for the tests that hold for each."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "kernels",
    deadline=None,  # a build machine's clock is no oracle
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("kernels")

IMPLEMENTATIONS = {
    "compiled": ("fastgraph.kernels.version_vector", "fastgraph.kernels.trigger_index"),
    "numba": ("fastgraph.kernels.numba_version_vector", "fastgraph.kernels.numba_trigger_index"),
}


# For the session, because hypothesis wants no fixture that is made anew for each test.
@pytest.fixture(scope="session", params=IMPLEMENTATIONS)
def kernels(request: pytest.FixtureRequest) -> SimpleNamespace:
    """`VersionVector` and `TriggerIndex` of one implementation."""
    if request.param == "numba":
        pytest.importorskip("numba")
    vectors, indexes = (
        pytest.importorskip(module, reason="the extensions are not built")
        for module in IMPLEMENTATIONS[request.param]
    )
    return SimpleNamespace(
        name=request.param, VersionVector=vectors.VersionVector, TriggerIndex=indexes.TriggerIndex
    )
