from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.conformance.comparison import (
    MOST_RERUNS,
    Comparison,
    compare,
    is_worse,
    rerun,
)


def failing(comparison: Comparison) -> list[str]:
    return [change.test for change in comparison.newly_failing]


def answers(*outcomes: str) -> Callable[[str], str]:
    left = list(outcomes)
    return lambda test: left.pop(0)


@pytest.mark.parametrize(
    ("stock", "patched"),
    [
        ("passed", "failed"),
        ("passed", "error"),
        ("passed", "skipped"),
        ("passed", "missing"),
        ("passed", "xfailed"),
        ("skipped", "failed"),
        ("xfailed", "failed"),
        ("xfailed", "skipped"),
    ],
)
def test_worse_than_on_stock(stock: str, patched: str) -> None:
    assert is_worse(stock, patched)
    assert failing(compare({"t": stock}, {"t": patched})) == ["t"]


@pytest.mark.parametrize(
    ("stock", "patched"),
    [
        ("passed", "passed"),
        ("failed", "failed"),
        ("failed", "error"),
        ("failed", "missing"),
        ("error", "passed"),
        ("skipped", "skipped"),
        ("skipped", "passed"),
        ("xfailed", "xpassed"),
    ],
)
def test_no_worse_than_on_stock(stock: str, patched: str) -> None:
    assert not is_worse(stock, patched)
    assert failing(compare({"t": stock}, {"t": patched})) == []


def test_a_test_that_is_gone_on_the_patched_side_fails() -> None:
    comparison = compare({"a": "passed", "b": "passed"}, {"a": "passed"})
    assert [(each.test, each.patched) for each in comparison.newly_failing] == [("b", "missing")]


def test_a_test_unknown_to_stock_counts_only_when_it_fails() -> None:
    comparison = compare({}, {"a": "passed", "b": "failed", "c": "skipped"})
    assert failing(comparison) == ["b"]


def test_a_selection_may_lack_tests() -> None:
    stock = {"a": "passed", "b": "passed"}
    assert failing(compare(stock, {"a": "failed"}, partial=True)) == ["a"]


def test_deselected_tests_are_left_out() -> None:
    assert failing(compare({"a": "passed"}, {}, deselected=["a"])) == []


def test_newly_passing_tests_are_told() -> None:
    comparison = compare({"a": "failed", "b": "passed"}, {"a": "passed", "b": "passed"})
    assert [change.test for change in comparison.newly_passing] == ["a"]
    assert comparison.passed == 2


def test_a_test_that_does_well_alone_does_not_count_and_is_told() -> None:
    comparison = compare({"a": "passed"}, {"a": "failed"})
    after = rerun(comparison, answers("failed", "passed"))
    assert failing(after) == []
    (change,) = after.recovered
    assert change.reruns == ("failed", "passed")
    assert after.passed == 1


def test_a_test_that_keeps_failing_counts() -> None:
    after = rerun(compare({"a": "passed"}, {"a": "failed"}), answers("failed", "missing"))
    assert failing(after) == ["a"]
    assert after.newly_failing[0].reruns == ("failed", "missing")
    assert after.recovered == ()


def test_an_unstable_test_has_to_do_well_once() -> None:
    unstable = {"a": ["failed", "passed"]}
    comparison = compare({"a": "failed"}, {"a": "failed"}, unstable=unstable)
    assert failing(comparison) == ["a"]
    assert comparison.newly_failing[0].unstable
    after = rerun(comparison, answers("failed", "failed", "failed", "failed", "passed"))
    assert failing(after) == []
    assert len(after.recovered[0].reruns) == 5


def test_many_failures_are_not_run_again() -> None:
    tests = [f"t{number}" for number in range(MOST_RERUNS + 1)]
    comparison = compare(dict.fromkeys(tests, "passed"), dict.fromkeys(tests, "failed"))
    assert rerun(comparison, answers()) is comparison


def test_without_failures_nothing_is_run_again() -> None:
    comparison = compare({"a": "passed"}, {"a": "passed"})
    assert rerun(comparison, answers()) is comparison
