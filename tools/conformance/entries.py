"""The two lists of exceptions, each entry with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.conformance.errors import ConformanceError

_SEPARATOR = " # "


def read_deselected(path: Path, suites: frozenset[str]) -> dict[str, dict[str, str]]:
    """Read ``<suite> <test id> # <reason>`` lines, as reasons by id by suite.

    Raises
    ------
    ConformanceError
        If an entry has no reason, or names no suite.
    """
    deselected: dict[str, dict[str, str]] = {}
    for where, entry, reason in _entries(path):
        suite, _, test = entry.partition(" ")
        if suite not in suites or not test.strip():
            raise ConformanceError(f"{where}: an entry is '<suite> <test id> # <reason>'")
        deselected.setdefault(suite, {})[test.strip()] = reason
    return deselected


def read_uncalled(path: Path) -> dict[str, str]:
    """Read ``<target> # <reason>`` lines.

    Raises
    ------
    ConformanceError
        If an entry has no reason.
    """
    return {entry: reason for _, entry, reason in _entries(path)}


def _entries(path: Path) -> Iterator[tuple[str, str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # From the right: a test id may hold the separator, a reason need not.
        entry, separator, reason = line.rpartition(_SEPARATOR)
        if not separator or not entry.strip() or not reason.strip():
            raise ConformanceError(f"{path.name}:{number}: the entry gives no reason")
        yield f"{path.name}:{number}", entry.strip(), reason.strip()
