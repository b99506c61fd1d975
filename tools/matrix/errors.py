"""What can go wrong with the matrix itself."""

from __future__ import annotations


class MatrixError(Exception):
    """A cell cannot be run; the message is one line for the terminal."""
