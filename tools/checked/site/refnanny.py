"""Cython's reference nanny, which writes what it finds where the caller of the tests looks.

Extensions of a debug build import it by this name. By itself it prints, which tests capture.
"""

from __future__ import annotations

import builtins
import os


def report(*said: object) -> None:
    """Append to the file that is looked at in the end."""
    with open(os.environ["FASTGRAPH_TEST_REFNANNY"], "a", encoding="utf-8") as found:
        found.write(" ".join(map(str, said)) + "\n")


_print, builtins.print = builtins.print, report  # bound when the extension is imported
try:
    from Cython.Runtime.refnanny import RefNannyAPI
finally:
    builtins.print = _print

__all__ = ["RefNannyAPI"]
