"""The gate: what trips it, what does not, and what it refuses to compare."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

gate = pytest.importorskip(
    "benchmarks.gate.__main__",
    reason="the benchmarks are in the checkout",
    exc_type=ModuleNotFoundError,
)
from benchmarks.codec.corpora import CORPORA  # noqa: E402
from benchmarks.gate.baseline import BASELINE, Baseline, compared, table, tripped  # noqa: E402
from benchmarks.gate.environment import differing, environment  # noqa: E402
from benchmarks.gate.rows import CODEC, ROWS, SUPERSTEP, Row  # noqa: E402
from benchmarks.superstep.rows import PROGRAMS  # noqa: E402
from benchmarks.superstep.rows import ROWS as SUPERSTEPS  # noqa: E402

BEFORE = {row.name: 100_000 + 10 * number for number, row in enumerate(ROWS)}
RANGES = {name: (count, count) for name, count in BEFORE.items()}


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "kept" / "baseline.json"
    Baseline(environment(), RANGES).write(path)
    return path


def counting(monkeypatch: pytest.MonkeyPatch, factors: dict[str, float]) -> None:
    """Let the gate count what is in the baseline, times a factor."""

    def counted(rows: list[Row], jobs: int, layout: int = 0) -> dict[str, int]:
        return {row.name: round(BEFORE[row.name] * factors.get(row.name, 1.0)) for row in rows}

    monkeypatch.setattr(gate, "counted", counted)
    monkeypatch.setattr(gate.shutil, "which", lambda name: f"/usr/bin/{name}")


def test_the_baseline_has_the_rows_that_are_counted() -> None:
    assert list(Baseline.read(BASELINE).instructions) == [row.name for row in ROWS]


def test_rows_name_programs_that_exist_and_have_no_threads() -> None:
    threaded = {row.program for row in SUPERSTEPS if row.threads}
    for row in ROWS:
        if row.child == SUPERSTEP:
            assert row.program in PROGRAMS
            assert row.program not in threaded
        else:
            assert row.child == CODEC
            assert row.program.partition("/")[2] in CORPORA
        assert row.sizes[0] < row.sizes[1]


def test_the_same_counts_pass(baseline, monkeypatch, capsys) -> None:
    counting(monkeypatch, {})
    assert gate.main(["--baseline", str(baseline)]) == 0
    assert "FAILED" not in capsys.readouterr().out


@pytest.mark.parametrize("factor", [1.029, 0.971, 0.5])
def test_what_is_within_the_tolerance_or_cheaper_passes(
    baseline, monkeypatch, capsys, factor
) -> None:
    counting(monkeypatch, {ROWS[0].name: factor})
    assert gate.main(["--baseline", str(baseline)]) == 0
    assert ("less: renew" in capsys.readouterr().out) is (factor == 0.5)


def test_five_percent_more_trips_it_and_names_the_row(baseline, monkeypatch, capsys) -> None:
    counting(monkeypatch, {ROWS[3].name: 1.05})
    assert gate.main(["--baseline", str(baseline)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith(f"perf-gate: FAILED: {ROWS[3].name};")
    (line,) = (line for line in out.splitlines() if "+5.00%" in line)
    assert line.startswith(ROWS[3].name) and line.endswith("MORE")


def test_a_layout_of_memory_that_costs_more_does_not_trip_it(baseline, monkeypatch) -> None:
    asked: list[tuple[int, list[str]]] = []

    def counted(rows: list[Row], jobs: int, layout: int = 0) -> dict[str, int]:
        asked.append((layout, [row.name for row in rows]))
        unlucky = {ROWS[1].name: 1.06} if layout < 5 else {}
        return {row.name: round(BEFORE[row.name] * unlucky.get(row.name, 1)) for row in rows}

    monkeypatch.setattr(gate, "counted", counted)
    monkeypatch.setattr(gate.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert gate.main(["--baseline", str(baseline)]) == 0
    assert asked[1:] == [(4, [ROWS[1].name]), (5, [ROWS[1].name])]


def test_the_tolerance_is_beyond_the_range_of_the_layouts() -> None:
    before = {"row": (100, 106)}
    for now, verdict in [(98, "same"), (96, "less"), (103, "same"), (109, "same"), (110, "more")]:
        (change,) = compared(before, {"row": now})
        assert change.verdict() == verdict, now


def test_a_row_on_one_side_only_trips_it() -> None:
    changes = compared({"old": (10, 10), "both": (9, 11)}, {"both": 10, "new": 10})
    assert [change.name for change in tripped(changes)] == ["new", "old"]
    assert "not in the baseline" in table(changes)


def test_a_part_of_the_rows_misses_nothing(baseline, monkeypatch) -> None:
    counting(monkeypatch, {})
    assert gate.main(["--baseline", str(baseline), "--only", "codec"]) == 0


def test_it_does_not_compare_counts_of_something_else(baseline, monkeypatch, capsys) -> None:
    counting(monkeypatch, {})
    kept = json.loads(baseline.read_text())
    kept["environment"]["langgraph"] = "1.0.0"
    baseline.write_text(json.dumps(kept))
    assert gate.main(["--baseline", str(baseline)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "langgraph 1.0.0 (here " in err and "make perf-baseline" in err


def test_an_update_writes_what_the_next_run_is_held_against(tmp_path, monkeypatch) -> None:
    counting(monkeypatch, {})
    path = tmp_path / "own.json"
    assert gate.main(["--update", "--baseline", str(path)]) == 0
    assert Baseline.read(path) == Baseline(environment(), RANGES)
    assert not differing(Baseline.read(path).environment, environment())


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "there is no baseline"), ("{", "is not a baseline")]
)
def test_a_baseline_that_is_none(tmp_path, monkeypatch, capsys, text, reason) -> None:
    counting(monkeypatch, {})
    path = tmp_path / "baseline.json"
    if text is not None:
        path.write_text(text)
    assert gate.main(["--baseline", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("perf-gate: error: ") and err.count("\n") == 1
    assert reason in err


def test_without_valgrind_it_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setattr(gate.shutil, "which", lambda name: None)
    assert gate.main([]) == 2
    assert capsys.readouterr().err == (
        "perf-gate: error: valgrind is not installed: apt-get install valgrind\n"
    )


@pytest.mark.parametrize("options", [["--only", "no such row"], ["--update", "--only", "codec"]])
def test_options_that_make_no_sense(options, capsys) -> None:
    assert gate.main(options) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_every_row_is_counted_once_however_many_processes(jobs) -> None:
    batches = gate.batches(ROWS, jobs)
    assert sorted(row.name for batch in batches for row in batch) == sorted(BEFORE)
    assert all(len({row.child for row in batch}) == 1 for batch in batches)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_program_slowed_by_five_percent_trips_it_under_callgrind(tmp_path) -> None:
    rows = [
        Row("as it was", "tests.benchmarks.slowed", "work", (2, 12)),
        Row("again", "tests.benchmarks.slowed", "work", (2, 12)),
        Row("slowed", "tests.benchmarks.slowed", "slowed", (2, 12)),
    ]
    found = gate.counted(rows, jobs=1)
    was = found["as it was"]
    changes = compared(dict.fromkeys(found, (was, was)), found)
    assert [change.name for change in tripped(changes)] == ["slowed"]
    assert found["slowed"] / was == pytest.approx(1.05, abs=0.01)
