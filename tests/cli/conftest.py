"""Runs the command line in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastgraph

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Give an environment that finds the package under test and says nothing else to Python."""
    unset = ("FASTGRAPH", "PYTEST", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return {
        **kept,
        "PYTHONPATH": str(Path(fastgraph.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(scope="session")
def status(environment: dict[str, str]) -> dict[str, Any]:
    """Give what patch() returns in a process of its own."""
    program = "import json, fastgraph; print(json.dumps(fastgraph.patch().to_dict()))"
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, check=True
    )
    found: dict[str, Any] = json.loads(process.stdout)
    return found


@pytest.fixture
def python(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the interpreter in the temporary directory."""

    def run(
        *arguments: str, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment | (env or {}),
            timeout=120,
        )

    return run


@pytest.fixture
def command(python: Run) -> Run:
    """Run ``python -m fastgraph``."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return python("-m", "fastgraph", *arguments, **options)

    return run


@pytest.fixture
def run_words(status: dict[str, Any]) -> list[str]:
    """Give the words that run a program patched without a line about targets that stay stock."""
    active = [target["name"] for target in status["targets"] if target["active"]]
    everything = len(active) == len(status["targets"])
    return ["-m", "fastgraph", "run"] + ([] if everything else ["--targets", ",".join(active)])


@pytest.fixture
def without_kernels() -> dict[str, str]:
    """Give variables with which no kernels are available, whatever is installed."""
    return {"FASTGRAPH_NO_EXTENSIONS": "1", "FASTGRAPH_KERNELS": "compiled"}
