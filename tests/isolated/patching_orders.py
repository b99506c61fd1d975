"""Import, patch and unpatch a fake framework in every order, each in a fork of its own.

Usage: patching_orders.py FRAMEWORK
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import traceback

import patching_fake

STEPS = ("import core", "import user", "patch", "patch", "unpatch", "unpatch")


def live(order: tuple[str, ...]) -> None:
    """Take the steps; after each, every module imported must hold the same function."""
    on = False
    for step in order:
        if step.startswith("import"):
            importlib.import_module(f"{name}.{step.split()[1]}")
        else:
            getattr(fastgraph, step)()
            on = step == "patch"
        assert fastgraph.is_patched() is on
        for module in ("core", "user"):
            loaded = sys.modules.get(f"{name}.{module}")
            assert loaded is None or loaded.work(1) == ("fast" if on else "stock", 1)
    core = importlib.import_module(f"{name}.core")
    assert importlib.import_module(f"{name}.user").work is core.work
    assert on or core.work.__code__.co_filename == core.__file__
    assert len(importlib.import_module(f"{name}.factories").built) == 1


name = sys.argv[1]
fastgraph = patching_fake.install(name)
fastgraph.status()  # imports once what every child needs, nothing of the framework
assert f"{name}.core" not in sys.modules
for order in sorted(set(itertools.permutations(STEPS))):
    child = os.fork()
    if child == 0:
        try:
            live(order)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, order
