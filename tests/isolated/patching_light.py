"""Importing fastgraph and asking for the status import nothing heavy."""

from __future__ import annotations

import sys

import fastgraph

HEAVY = {"langchain_core", "numba", "numpy"}


def loaded() -> set[str]:
    langgraph = {name for name in sys.modules if name.startswith("langgraph.")}
    return langgraph | HEAVY & set(sys.modules)


assert not loaded(), loaded()
status = fastgraph.status()
assert not loaded(), loaded()
assert status.targets
assert {target.reason for target in status.targets} == {"not patched"}
assert "langgraph" in status.frameworks
assert not fastgraph.is_patched()
assert not fastgraph.unpatch().targets[0].active
assert not loaded(), loaded()
