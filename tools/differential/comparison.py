"""Runs a program on both engines and tells whether anything differs."""

from __future__ import annotations

import contextlib
import faulthandler
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import fastgraph
from fastgraph.verify.comparison import first_difference
from tools.differential.execution import observed
from tools.differential.program import Program

#: How often stock is run again to see whether it differs from itself. An order that two addresses
#: decide may stay the same for dozens of runs.
STOCK_AGAIN = 60
#: How often a sync program is run again patched.
PATCHED_AGAIN = 20
#: In seconds; no program takes that long.
HANGS = 120
#: In seconds, how long a thread may keep others waiting; one after the other in repeated runs.
SWITCHES = (0.005, 0.000_001, 0.1)


@dataclass(frozen=True)
class Verdict:
    """What a comparison said.

    Attributes
    ----------
    kind : str
        "equal", "different", or "race" where stock differs from itself.
    difference : str
        The first one, with both sides.
    counts : dict
        Actions, steps and faults of the program.
    """

    kind: str
    difference: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.kind != "different"


def patched_view(program: Program) -> dict[str, Any]:
    """What is seen of a program on the patched engine."""
    with fastgraph.patched():
        return observed(program)


@contextlib.contextmanager
def guarded(seconds: float = HANGS) -> Iterator[None]:
    """Say where every thread is if programs hang, and end."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def disturbed(number: int) -> Iterator[None]:
    """Have threads take turns more often or less, so that rare orders of theirs show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHES[number % len(SWITCHES)])
    try:
        yield
    finally:
        sys.setswitchinterval(before)


#: Sizes of which the allocator keeps blocks of their own, in bytes, and what a `bytes` has of it.
_SIZES, _HEAD = range(48, 513, 16), 33


def litter(number: int) -> list[Any]:
    """Objects of all small sizes, of each another number each time."""
    found: list[Any] = [object() for _ in range(97 * number + 1)]
    for size in _SIZES:
        found += [bytes(size - _HEAD) for _ in range((7 * number + size // 16) % 13 + 1)]
    return found


def judged(program: Program, expected: dict[str, Any], found: dict[str, Any]) -> Verdict:
    """Compare two observations; where they differ, stock is held against itself.

    A program on which stock does not agree with itself proves nothing and is ruled out. So is a
    sync one, whose nodes run in threads, if its patched runs do not always differ.
    """
    different, counts = first_difference(expected, found), expected["counts"]
    if different is None:
        return Verdict("equal", "", counts)
    kept = []  # so that addresses, which order sets, are others each time
    for number in range(STOCK_AGAIN):
        kept.append(litter(number))
        with disturbed(number):
            racing = first_difference(expected, observed(program))
        if racing is not None:
            return Verdict("race", racing, counts)
    if not program.is_async:
        # Rare orders of threads need not show in as few runs of stock; but if patched runs are
        # mostly as stock's, what differed is an order of threads, too.
        with fastgraph.patched():
            for number in range(PATCHED_AGAIN):
                with disturbed(number):
                    agrees = first_difference(expected, observed(program)) is None
                if agrees:
                    return Verdict("race", different, counts)
    return Verdict("different", different, counts)


def compared(programs: Iterable[Program]) -> list[Verdict]:
    """Run programs on stock, then on the patched engine, and judge each."""
    programs = list(programs)
    with guarded(HANGS + len(programs)):
        expected = [observed(program) for program in programs]
        with fastgraph.patched():
            found = [observed(program) for program in programs]
        return [judged(*each) for each in zip(programs, expected, found, strict=True)]


def differs(program: Program) -> bool:
    """Whether a program differs when patched, and stock agrees with itself."""
    with guarded():
        expected = observed(program)
        if first_difference(expected, patched_view(program)) is None:
            return False
        return all(first_difference(expected, observed(program)) is None for _ in range(3))
