"""Puts a fake framework from the module search path in the place of all others."""

from __future__ import annotations

import sys
from types import ModuleType


def install(name: str) -> ModuleType:
    """Make `name` the only framework of this process; return fastgraph."""
    import fastgraph
    from fastgraph import adapters, kernel_choice

    adapters.FRAMEWORKS = {  # type: ignore[misc]
        name: adapters.Framework(
            name=name,
            probe=f"{name}.core",
            distributions=("pytest",),
            table=f"{name}.table:TARGETS",
            fingerprints=f"{name}:fingerprints.json",
        )
    }
    choice = kernel_choice.KernelChoice("compiled", "this is a test", None)
    kernel_choice.choose = lambda: choice  # type: ignore[assignment]
    assert f"{name}.core" not in sys.modules
    return fastgraph
