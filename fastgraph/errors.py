"""What fastgraph raises and warns with."""

from __future__ import annotations

from collections.abc import Mapping


class PatchError(RuntimeError):
    """The patch was required and could not be applied; nothing was changed.

    Attributes
    ----------
    reasons : dict of str to str
        Why, by target name. Empty when the reason concerns no single target.
    """

    def __init__(self, message: str, reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reasons = dict(reasons or {})


class FastgraphWarning(RuntimeWarning):
    """fastgraph was asked for and stock code runs instead."""
