"""Progress goes to standard error, the report to standard output."""

from __future__ import annotations

import sys


def progress(message: str) -> None:
    """Say what is going on."""
    print(message, file=sys.stderr, flush=True)


def say(message: str = "") -> None:
    """Add a line to the report."""
    print(message, flush=True)
