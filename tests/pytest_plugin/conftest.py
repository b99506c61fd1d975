"""Inner pytest processes that find the package under test and nothing that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastgraph


@pytest.fixture(autouse=True)
def environment(monkeypatch, pytester):
    """Let the inner processes find the package under test and nothing that changes it."""
    # With CI set, pytest repeats each failure in full in its summary.
    ours = ("FASTGRAPH", "FASTGRAPH_NO_EXTENSIONS", "FASTGRAPH_KERNELS", "FASTGRAPH_VERIFY")
    for name in (*ours, "PYTHONWARNINGS", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("FASTGRAPH_REQUIRE_EXTENSIONS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(fastgraph.__file__).parents[1]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\n")


@pytest.fixture
def without_kernels(monkeypatch):
    """Make no kernels available to the inner processes."""
    monkeypatch.setenv("FASTGRAPH_NO_EXTENSIONS", "1")
    monkeypatch.setenv("FASTGRAPH_KERNELS", "compiled")
