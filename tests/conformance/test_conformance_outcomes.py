from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.conformance.outcomes import count_done, merge_phases, read_outcomes


def phase(when: str, outcome: str, *, xfail: bool = False) -> dict[str, Any]:
    return {"id": "a::b", "when": when, "outcome": outcome, "xfail": xfail}


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ([("setup", "passed"), ("call", "passed"), ("teardown", "passed")], "passed"),
        ([("setup", "passed"), ("call", "failed"), ("teardown", "passed")], "failed"),
        ([("setup", "failed"), ("teardown", "passed")], "error"),
        ([("setup", "passed"), ("call", "passed"), ("teardown", "failed")], "error"),
        ([("setup", "skipped"), ("teardown", "passed")], "skipped"),
        ([("setup", "passed"), ("call", "skipped"), ("teardown", "passed")], "skipped"),
        ([("collect", "failed")], "error"),
        ([("collect", "skipped")], "skipped"),
        ([("???", "failed")], "failed"),
        ([("setup", "passed"), ("call", "retried"), ("call", "passed")], "passed"),
        ([("setup", "passed"), ("call", "failed"), ("call", "passed")], "passed"),
    ],
)
def test_the_phases_of_a_test_make_one_outcome(
    phases: list[tuple[str, str]], expected: str
) -> None:
    assert merge_phases(phase(*each) for each in phases) == {"a::b": expected}


def test_expected_failures_are_told_from_skips_and_passes() -> None:
    assert merge_phases([phase("call", "skipped", xfail=True)]) == {"a::b": "xfailed"}
    assert merge_phases([phase("call", "passed", xfail=True)]) == {"a::b": "xpassed"}


def test_a_test_that_never_got_to_its_call_has_no_outcome() -> None:
    assert merge_phases([phase("setup", "passed")]) == {}


def test_outcomes_are_read_line_by_line(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps(phase("call", "passed")) + "\n")
    assert read_outcomes(results) == {"a::b": "passed"}


def test_half_a_line_is_no_outcome(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps(phase("call", "passed")) + '\n{"id": "a::c"')
    assert read_outcomes(results) == {"a::b": "passed"}


def test_tests_are_done_after_their_teardown(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    assert count_done(results) == 0
    lines = [json.dumps(phase(when, "passed")) for when in ("setup", "call", "teardown", "setup")]
    results.write_text("\n".join(lines) + "\n")
    assert count_done(results) == 1


def test_no_results_are_no_outcomes(tmp_path: Path) -> None:
    assert read_outcomes(tmp_path / "results.jsonl") == {}
