"""The way to the helpers. CI has AG-UI's packages: there, these tests are not to be left out."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)

collect_ignore_glob = []
if importlib.util.find_spec("ag_ui_langgraph") is None:
    if os.environ.get("CI"):
        raise pytest.UsageError("AG-UI's packages are not installed, and its tests would not run")
    collect_ignore_glob = ["test_*.py"]
