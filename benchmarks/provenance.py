"""Where figures come from: said above every generated table, and kept beside them in JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from fastgraph.cli.bench_result import machine

#: The average load of a machine that does something besides; the measurement itself is one.
BUSY = 1.5


def measured(command: str, packages: Sequence[str], *, note: str = "") -> str:
    """Say by which command, when, on what and with which versions figures were measured."""
    return said(command, platform.python_version(), versions(packages), note)


def versions(packages: Sequence[str]) -> str:
    """The versions of packages that are installed."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in packages)


def said(command: str, python: str, versions: str, note: str = "") -> str:
    """Say the same of what another interpreter measured."""
    day = datetime.now(timezone.utc).date().isoformat()
    source = f"Measured by `{command}` on {day}: {machine()}; CPython {python}, {versions}."
    return " ".join(filter(None, (source, note, busy())))


def load() -> float:
    """The average load of the last five minutes."""
    try:
        return os.getloadavg()[1]
    except (AttributeError, OSError):  # not on Windows
        return 0.0


def busy() -> str:
    """Say so if other work ran on the machine: times then mean little."""
    found = load()
    if found < BUSY:
        return ""
    return f"**The machine was busy (load {found:.1f}): the times are to be measured again.**"


def write(path: Path, provenance: str, results: Sequence[dict[str, Any]]) -> None:
    """Keep results together with where they come from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"measured": provenance, "results": list(results)}
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return where results come from, and the results."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return kept["measured"], kept["results"]
