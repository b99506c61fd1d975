"""Counts of what the replacements did.

`tally.pxd` gives the same class C fields when this file is compiled, so that a
replacement counts a call with one C increment.
"""

from __future__ import annotations

import os
import threading


class Tally:
    """Calls into one target, and how many of them fell back to stock code.

    Attributes
    ----------
    name : str
        The target counted.
    calls : int
        Calls into the replacement, fallbacks included. Replacements increment
        it directly; interpreted replacements may lose counts under threads.
    """

    __slots__ = ("_fallbacks", "calls", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self._fallbacks: dict[str, int] = {}

    def fell_back(self, reason: str) -> None:
        """Count one call that stock code handled, under `reason`."""
        with _lock:
            self._fallbacks[reason] = self._fallbacks.get(reason, 0) + 1

    @property
    def fallbacks(self) -> dict[str, int]:
        """A copy of the fallbacks counted, by reason."""
        with _lock:
            return dict(self._fallbacks)

    def reset(self) -> None:
        """Start again from zero."""
        with _lock:
            self.calls = 0
            self._fallbacks.clear()


def _renew_lock() -> None:
    global _lock
    # Reentrant: a finalizer or a signal handler may run a replacement while
    # its own thread is counting.
    _lock = threading.RLock()


_lock = threading.RLock()

# One lock for all tallies, so that a forked child has a single one to renew.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
