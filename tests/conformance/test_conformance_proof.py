from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.conformance.calls import Calls, needlessly_excused, read_calls, uncalled


def status(name: str, calls: int, **fallbacks: int) -> dict[str, Any]:
    target = {
        "name": name,
        "active": True,
        "reason": None,
        "calls": calls,
        "fallbacks": fallbacks,
    }
    return {"kernels": "compiled", "targets": [target]}


def test_the_calls_of_all_workers_add_up(tmp_path: Path) -> None:
    for number, calls in enumerate((3, 4)):
        path = tmp_path / f"status-gw{number}.json"
        path.write_text(json.dumps(status("apply_writes", calls, debug=1)))
    calls_read = read_calls(tmp_path)
    assert calls_read.workers == 2
    assert calls_read.active() == ["apply_writes"]
    assert calls_read.to_dict()["targets"] == {
        "apply_writes": {"calls": 7, "fallbacks": {"debug": 2}, "inactive": []}
    }


def test_suites_merge() -> None:
    total, suite = Calls(), Calls()
    suite.add(status("a", 1, x=2))
    total.merge(suite)
    total.merge(suite)
    assert total.targets["a"].calls == 2
    assert total.targets["a"].fallbacks == {"x": 4}
    assert total.workers == 2


def test_a_target_that_one_worker_left_stock_is_not_active() -> None:
    calls = Calls()
    calls.add(status("a", 1))
    other = status("a", 0)
    other["targets"][0].update(active=False, reason="unknown source")
    calls.add(other)
    assert calls.active() == []
    assert calls.targets["a"].inactive == {"unknown source"}


def test_targets_without_a_call_are_found() -> None:
    calls = Calls()
    calls.add(status("a", 0))
    calls.add(status("b", 1))
    assert uncalled(calls, {}) == ["a"]
    assert uncalled(calls, {"a": "rare"}) == []


def test_needless_excuses_are_found() -> None:
    calls = Calls()
    calls.add(status("a", 0))
    calls.add(status("b", 1))
    assert needlessly_excused(calls, ["a", "b", "c"]) == ["b", "c"]
