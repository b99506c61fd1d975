"""What can go wrong with a conformance run itself."""

from __future__ import annotations


class ConformanceError(Exception):
    """The run cannot go on; the message is one line for the terminal."""
