from __future__ import annotations

import json
from pathlib import Path

from tools.conformance.calls import Calls, TargetCalls
from tools.conformance.comparison import compare, rerun
from tools.conformance.report import Report, SuiteReport, proof_lines, suite_lines
from tools.conformance.runner import Run


def suite(stock: dict[str, str], patched: dict[str, str], rerun_as: str = "failed") -> SuiteReport:
    comparison = rerun(compare(stock, patched), lambda test: rerun_as)
    return SuiteReport(
        name="langgraph",
        version="1.2.3",
        stock=stock,
        stock_origin="data",
        patched=Run(patched, Calls(), 12.0, Path("runs")),
        comparison=comparison,
    )


def called(calls: int) -> Calls:
    return Calls(1, {"compiled"}, {"apply_writes": TargetCalls(calls)})


def test_a_newly_failing_test_is_named_with_where_to_look() -> None:
    text = "\n".join(suite_lines(suite({"t::a": "passed"}, {"t::a": "failed"})))
    assert f"NEWLY FAILING: 1  (tracebacks: {Path('runs') / 'failures.txt'})" in text
    assert "t::a: passed on stock, failed patched, run again: failed, failed" in text


def test_a_rerun_that_passed_is_not_silent() -> None:
    text = "\n".join(suite_lines(suite({"t::a": "passed"}, {"t::a": "failed"}, rerun_as="passed")))
    assert "NEWLY FAILING" not in text
    assert "passed when run again, alone: 1" in text
    assert "t::a: passed on stock, failed patched, run again: passed" in text


def test_both_sides_are_counted() -> None:
    stock = {"a": "passed", "b": "failed", "c": "skipped", "d": "xfailed"}
    lines = list(suite_lines(suite(stock, {**stock, "b": "passed"})))
    assert lines[1].split()[:9] == [
        "stock",
        "1",
        "passed",
        "1",
        "failed",
        "1",
        "skipped",
        "1",
        "xfailed",
    ]
    assert lines[2].split()[:5] == ["patched", "2", "passed", "0", "failed"]
    assert "  fails on stock: b" in lines
    assert "  newly passing: 1" in lines


def test_long_lists_of_failures_say_that_nothing_was_run_again() -> None:
    tests = [f"t{number}" for number in range(30)]
    lines = list(suite_lines(suite(dict.fromkeys(tests, "passed"), {})))
    assert "    not run again: more than 25" in lines


def test_the_summary_sums_the_patched_sides() -> None:
    good = suite({"a": "passed", "b": "failed"}, {"a": "passed", "b": "failed"})
    bad = suite({"a": "passed"}, {"a": "failed"})
    assert Report([good]).summary == "1 passed, 0 failed"
    assert Report([good]).ok
    assert Report([good, bad]).summary == "1 passed, 1 failed"
    assert not Report([good, bad]).ok


def test_a_problem_fails_the_run() -> None:
    empty = SuiteReport("langgraph", "1.2.3", problems=["collected nothing"])
    assert not Report([empty]).ok
    assert "  PROBLEM: collected nothing" in list(suite_lines(empty))


def test_a_target_without_a_call_fails_a_complete_run_only() -> None:
    good = suite({"a": "passed"}, {"a": "passed"})
    assert Report([good], called(1)).ok
    assert not Report([good], called(0)).ok
    assert Report([good], called(0), complete=False).ok
    assert Report([good], called(0), excused={"apply_writes": "rare"}).ok


def test_the_proof_names_calls_fallbacks_and_gaps() -> None:
    good = suite({"a": "passed"}, {"a": "passed"})
    calls = called(1234)
    calls.targets["apply_writes"].fallbacks["debug"] = 2
    calls.targets["read"] = TargetCalls()
    text = "\n".join(proof_lines(Report([good], calls)))
    assert "over 1 workers (kernels: compiled)" in text
    assert "1,234 calls" in text
    assert "2 fallbacks: debug" in text
    assert "PROBLEM: no test called read" in text


def test_stock_alone_has_no_proof() -> None:
    assert list(proof_lines(Report([SuiteReport("langgraph", "1.2.3")]))) == []


def test_the_json_says_the_same() -> None:
    report = Report([suite({"a": "passed"}, {"a": "failed"})], called(1))
    data = json.loads(json.dumps(report.to_dict()))
    assert (data["ok"], data["passed"], data["failed"]) == (False, 0, 1)
    assert data["suites"][0]["newly_failing"][0]["reruns"] == ["failed", "failed"]
    assert data["proof"]["targets"]["apply_writes"]["calls"] == 1
