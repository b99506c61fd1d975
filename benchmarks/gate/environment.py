"""What a count depends on besides this repository: the interpreter, the compiler, the packages."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sysconfig
from collections.abc import Mapping
from importlib import metadata

#: Those whose code runs between the two lengths of a run.
PACKAGES = (
    "langgraph",
    "langgraph-checkpoint",
    "langgraph-prebuilt",
    "langchain-core",
    "ormsgpack",
    "pydantic",
    "pydantic-core",
    "xxhash",
)


def environment() -> dict[str, str]:
    """Return name -> version of everything that a count depends on."""
    found = {name: metadata.version(name) for name in PACKAGES}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "python": f"{python}, {platform.python_compiler()}",
        "compiler": compiler(),
        **found,
    }


def compiler() -> str:
    """The C compiler that extensions are built with, and its version."""
    command = shlex.split(sysconfig.get_config_var("CC") or "cc")
    try:
        done = subprocess.run([command[0], "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.splitlines()[0].strip()


def differing(recorded: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Say what is not as it was, one text each."""
    return [
        f"{name} {recorded.get(name, 'not recorded')} (here {present.get(name, 'none')})"
        for name in sorted(recorded.keys() | present.keys())
        if recorded.get(name) != present.get(name)
    ]
