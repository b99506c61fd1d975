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


def measured(command: str, packages: Sequence[str], *, note: str = "") -> str:
    """Say by which command, when, on what and with which versions figures were measured."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    day = datetime.now(timezone.utc).date().isoformat()
    return " ".join(
        filter(
            None,
            (
                f"Measured by `{command}` on {day}: {machine()}; "
                f"CPython {platform.python_version()}, {versions}.",
                note,
                busy(),
            ),
        )
    )


def busy() -> str:
    """Say so if other work ran on the machine: times then mean little."""
    try:
        load = os.getloadavg()[1]
    except (AttributeError, OSError):  # not on Windows
        return ""
    if load < 1.5:  # the measurement itself is one
        return ""
    return f"**The machine was busy (load {load:.1f}): the times are to be measured again.**"


def write(path: Path, provenance: str, results: Sequence[dict[str, Any]]) -> None:
    """Keep results together with where they come from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"measured": provenance, "results": list(results)}
    path.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return where results come from, and the results."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return kept["measured"], kept["results"]
