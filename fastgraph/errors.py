"""What fastgraph raises and warns with."""

from __future__ import annotations

from collections.abc import Mapping


class PatchError(RuntimeError):
    """The patch was required and could not be applied; nothing was changed.

    Attributes
    ----------
    reasons : dict of str to str
        Why, by the name of a target or of a framework that is not there. Empty
        when the reason concerns none of them.
    """

    def __init__(self, message: str, reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reasons = dict(reasons or {})


def explained(reasons: Mapping[str, str]) -> str:
    """Say that nothing was patched and why, one line per name."""
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    return "nothing was patched, because\n  " + "\n  ".join(lines)


class FastgraphWarning(RuntimeWarning):
    """fastgraph was asked for and stock code runs instead."""
