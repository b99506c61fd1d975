"""A virtual environment per rival, with the release of LangGraph that is installed here."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"

#: LangGraph's modules that a superstep goes through, compiled as they are.
MODULES = (
    "pregel/_algo",
    "pregel/_loop",
    "pregel/_runner",
    "pregel/_retry",
    "pregel/_io",
    "pregel/_checkpoint",
    "pregel/_write",
    "_internal/_config",
    "_internal/_runnable",
    "channels/last_value",
    "channels/binop",
    "channels/ephemeral_value",
    "channels/topic",
)


class CannotSetUpError(Exception):
    """An environment could not be made."""


def python_with(directory: Path, *packages: str) -> str:
    """Make an environment with LangGraph and these packages, once; returns its interpreter."""
    python = directory / "bin" / "python"
    ready = directory / ".ready"
    if not ready.exists():
        run(sys.executable, "-m", "venv", str(directory))
        langgraph = f"langgraph=={metadata.version('langgraph')}"
        install = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*install, "-c", str(CONSTRAINTS), langgraph, *packages)
        ready.touch()
    return str(python)


def python_with_compiled_stock(directory: Path) -> str:
    """Make an environment whose LangGraph went through Cython unchanged."""
    python = python_with(directory, "Cython", "setuptools")
    done = directory / ".compiled"
    if not done.exists():
        where = "import langgraph.pregel as p, pathlib; print(pathlib.Path(p.__file__).parents[1])"
        package = Path(run(python, "-c", where).strip())
        sources = [f"{package.name}/{name}.py" for name in MODULES]
        # Its annotations are for type checkers; taken for C types they would change what runs.
        compiled = ("-m", "Cython.Build.Cythonize", "-3", "-i", "-X", "annotation_typing=False")
        # Not from within the package, whose `types` would be taken for Python's own.
        run(python, *compiled, *sources, cwd=package.parent)
        done.touch()
    return python


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise CannotSetUpError(f"{' '.join(command[:4])} ...: {last}")
    return done.stdout
