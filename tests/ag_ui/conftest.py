"""The way to the helpers; without AG-UI's packages there is nothing to test here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)

#: What the tests need; `test_packaging` sees to it that the `test` extra has all of it.
NEEDED = ("ag_ui_langgraph", "copilotkit")

collect_ignore_glob = (
    [] if all(importlib.util.find_spec(name) for name in NEEDED) else ["test_*.py"]
)
