"""Patch in one thread, and in another one inside an import the first one waits for.

Usage: patching_imports.py FRAMEWORK
The framework's module `user` waits for `meeting.both` and then imports
`plugin`; `plugin` is that user code which patches while it is imported.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType

import patching_fake

name = sys.argv[1]
fastgraph = patching_fake.install(name)
meeting = ModuleType("meeting")
meeting.both = threading.Barrier(2)  # type: ignore[attr-defined]
meeting.patch = fastgraph.patch  # type: ignore[attr-defined]
sys.modules["meeting"] = meeting

threads = [
    threading.Thread(target=fastgraph.patch, daemon=True),
    threading.Thread(target=importlib.import_module, args=(f"{name}.plugin",), daemon=True),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(timeout=60)
    assert not thread.is_alive(), "deadlock"
core, user = (importlib.import_module(f"{name}.{module}") for module in ("core", "user"))
fastgraph.patch()
assert core.work(1) == user.work(1) == ("fast", 1), fastgraph.status().to_dict()
[target] = fastgraph.status().targets
assert [site.state for site in target.sites] == ["ours", "ours"]
fastgraph.unpatch()
assert core.work(1) == user.work(1) == ("stock", 1)
