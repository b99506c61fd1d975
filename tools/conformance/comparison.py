"""Stock's outcomes against those of the patched run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tools.conformance.outcomes import (
    BAD,
    ERROR,
    FAILED,
    MISSING,
    PASSED,
    SKIPPED,
    XFAILED,
    XPASSED,
    Outcomes,
)

#: Above this many, failures are no coincidence and running them again is a waste.
MOST_RERUNS = 25
RERUNS = 2
#: A test that varies on stock gets more chances to do well once.
UNSTABLE_RERUNS = 5


@dataclass(frozen=True)
class Change:
    """A test that does not do on the patched side what it does on stock.

    Parameters
    ----------
    test : str
        Its id.
    stock, patched : str
        The outcomes.
    reruns : tuple of str
        What it did when it was run again, alone.
    unstable : bool
        Whether its outcome varies on stock; `stock` is then the best of them.
    """

    test: str
    stock: str
    patched: str
    reruns: tuple[str, ...] = ()
    unstable: bool = False

    @property
    def recovered(self) -> bool:
        """Whether it did well when it was run again."""
        return bool(self.reruns) and not is_worse(self.stock, self.reruns[-1])


@dataclass(frozen=True)
class Comparison:
    """What differs between the two sides of a suite."""

    stock: Outcomes
    patched: Outcomes
    newly_failing: tuple[Change, ...] = ()
    newly_passing: tuple[Change, ...] = ()
    recovered: tuple[Change, ...] = ()

    @property
    def passed(self) -> int:
        """How many tests pass on the patched side, re-runs included."""
        recovered = sum(change.reruns[-1] == PASSED for change in self.recovered)
        return count(self.patched, PASSED) + recovered


def count(outcomes: Outcomes, outcome: str) -> int:
    """Return how many tests have this outcome."""
    return sum(each == outcome for each in outcomes.values())


_BEST_FIRST = (PASSED, XPASSED, XFAILED, SKIPPED, FAILED, ERROR, MISSING)


def is_worse(stock: str, patched: str) -> bool:
    """Whether a test does worse than on stock."""
    if patched in BAD:
        return stock not in BAD
    if patched == SKIPPED:
        return stock in (PASSED, XFAILED, XPASSED)
    return patched == XFAILED and stock in (PASSED, XPASSED)


def compare(
    stock: Outcomes,
    patched: Outcomes,
    *,
    unstable: Mapping[str, Sequence[str]] | None = None,
    deselected: Collection[str] = (),
    partial: bool = False,
) -> Comparison:
    """Compare the outcomes of a suite, test by test.

    Parameters
    ----------
    stock, patched : dict
        Outcomes by test id.
    unstable : mapping, optional
        What was seen of each test whose outcome varies on stock.
    deselected : collection of str
        Tests that were left out on purpose.
    partial : bool
        Whether only a selection was run, so that tests may be missing.
    """
    varying = unstable or {}
    ids = sorted((stock.keys() | patched.keys()) - set(deselected))
    changes = [
        Change(
            test=test,
            stock=best(varying.get(test, [stock.get(test, MISSING)])),
            patched=patched.get(test, MISSING),
            unstable=test in varying,
        )
        for test in ids
        if not (partial and test not in patched)
    ]
    return Comparison(
        stock=stock,
        patched=patched,
        newly_failing=tuple(change for change in changes if counts(change)),
        newly_passing=tuple(
            change for change in changes if change.stock in BAD and change.patched == PASSED
        ),
    )


def best(outcomes: Sequence[str]) -> str:
    """Return the outcome that asks most of the patched side."""
    return min(outcomes, key=_BEST_FIRST.index)


def counts(change: Change) -> bool:
    """Whether a change counts: worse than on stock, or failing and not there on stock."""
    if change.stock == MISSING:
        return change.patched in BAD
    return is_worse(change.stock, change.patched)


def rerun(comparison: Comparison, run_alone: Callable[[str], str]) -> Comparison:
    """Run each newly failing test again, alone, before it counts.

    Parameters
    ----------
    comparison : Comparison
        Of the whole suite.
    run_alone : callable
        Runs one test on the patched side and returns its outcome.
    """
    if not 0 < len(comparison.newly_failing) <= MOST_RERUNS:
        return comparison
    changes = [_rerun(change, run_alone) for change in comparison.newly_failing]
    return replace(
        comparison,
        newly_failing=tuple(change for change in changes if not change.recovered),
        recovered=tuple(change for change in changes if change.recovered),
    )


def _rerun(change: Change, run_alone: Callable[[str], str]) -> Change:
    for _ in range(UNSTABLE_RERUNS if change.unstable else RERUNS):
        change = replace(change, reruns=(*change.reruns, run_alone(change.test)))
        if change.recovered:
            break
    return change
