"""The command behind docs/superstep.md: its rows, what it runs and how it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastgraph

command = pytest.importorskip(
    "benchmarks.superstep.__main__",
    reason="the benchmarks are in the checkout",
    exc_type=ModuleNotFoundError,
)
from benchmarks import provenance  # noqa: E402
from benchmarks.superstep import page, timing  # noqa: E402
from benchmarks.superstep.results import Result, as_markdown, as_text  # noqa: E402
from benchmarks.superstep.rows import PROGRAMS, ROWS, Row, program  # noqa: E402


def result(row: Row) -> Result:
    return Result.of(row, [(400.0, 100.0), (300.0, 100.0), (500.0, 100.0)])


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_runs_on_both_sides(name: str) -> None:
    program(name)(2)
    with fastgraph.patched():
        program(name)(2)


@pytest.mark.parametrize("how", ["growth", "calls", "seconds"])
def test_rounds_take_turns(how: str) -> None:
    row = next(row for row in ROWS if row.how == how)
    small = Row(row.name, row.how, row.program, row.wanted, (1, 2))
    pairs = timing.measured(small, rounds=2)
    assert len(pairs) == 2
    assert not fastgraph.is_patched()


def test_rows_are_told_apart() -> None:
    names = [(row.name, row.how) for row in ROWS]
    assert len(set(names)) == len(names)
    assert {row.program for row in ROWS if row.how in ("instructions", "seconds")} <= {*PROGRAMS}


def test_what_is_reached_is_held_against_what_is_wanted() -> None:
    faster = result(Row("loop of one node, sync", "instructions", "sync loop", 6))
    assert faster.reached == 4
    assert faster.met is False
    flat = Result.of(
        next(row for row in ROWS if row.how == "growth"), [(3.0, 1.2), (3.0, 1.1), (3.0, 1.3)]
    )
    assert flat.reached == pytest.approx(1.2)
    assert flat.met is True


def test_results_are_kept_and_told_without_measuring_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [result(row) for row in ROWS]
    kept, copy = tmp_path / "results.json", tmp_path / "page.md"
    provenance.write(kept, "Measured by hand.", [each.to_dict() for each in results])
    copy.write_text(page.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", copy)
    assert command.main(["--given", str(kept), "--docs"]) == 1  # rows are missed
    assert as_text(results) in capsys.readouterr().out
    assert as_markdown(results, "Measured by hand.") in copy.read_text(encoding="utf-8")
    assert page.renewed(copy.read_text(encoding="utf-8"), "x").count("| Work |") == 0


def test_the_page_has_a_place_for_the_table() -> None:
    renewed = page.renewed(page.PAGE.read_text(encoding="utf-8"), "| a table |")
    assert renewed.count("| a table |") == 1


@pytest.mark.parametrize("options", [["--only", "nothing like it"], ["--quick", "--docs"]])
def test_options_that_make_no_sense(options: list[str]) -> None:
    assert command.main(options) == 2
