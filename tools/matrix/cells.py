"""The cells of the matrix: a Python and a release of LangGraph each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: The newest release of each older series, and releases on the way to the newest.
RELEASES = ("1.0.10", "1.1.10", "1.2.0", "1.2.8", "1.2.14", "1.2.18", "1.2.20", "1.2.22")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
#: Releases vary on this Python, Pythons with the newest release.
MAIN_PYTHON = "3.11"
#: On these, the newest ones, every target has to be active.
COMPLETE = RELEASES[-3:]


@dataclass(frozen=True)
class Cell:
    """One Python with one release."""

    python: str
    release: str

    def __str__(self) -> str:
        return f"langgraph {self.release}, Python {self.python}"

    @property
    def name(self) -> str:
        """The key of its result, and the name of its directory."""
        return f"{self.release}-py{self.python}"


def cells(releases: Sequence[str], pythons: Sequence[str]) -> Iterator[Cell]:
    """Yield the cells asked for: both default to the whole matrix, which is a cross.

    Parameters
    ----------
    releases, pythons : sequence of str
        The only ones that are wanted; with both, every pair of them.
    """
    if releases and pythons:
        yield from (Cell(python, release) for release in releases for python in pythons)
    elif pythons:
        yield from (Cell(python, RELEASES[-1]) for python in pythons)
    else:
        yield from (Cell(MAIN_PYTHON, release) for release in reversed(releases or RELEASES))
        if not releases:
            yield from (Cell(each, RELEASES[-1]) for each in PYTHONS if each != MAIN_PYTHON)
