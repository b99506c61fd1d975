"""The command behind docs/codec.md: its rows, what it runs and how it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastgraph

command = pytest.importorskip(
    "benchmarks.codec.__main__",
    reason="the benchmarks are in the checkout",
    exc_type=ModuleNotFoundError,
)
from benchmarks import provenance  # noqa: E402
from benchmarks.codec.programs import program  # noqa: E402
from benchmarks.codec.results import Result, as_markdown, as_text  # noqa: E402
from benchmarks.codec.rows import ROWS, Row  # noqa: E402
from benchmarks.superstep import page  # noqa: E402


def result(row: Row) -> Result:
    return Result.of_pairs(row, [(2000.0, 100.0), (1500.0, 100.0), (2500.0, 100.0)], (8e6, 4e5))


@pytest.mark.parametrize("row", ROWS, ids=command.named)
def test_each_row_is_measured_and_told(row: Row) -> None:
    if row.what != "slim":
        program(row.what, row.of)(1)
        with fastgraph.patched():
            program(row.what, row.of)(1)
    told = as_markdown([result(row)], "Measured somewhere.")
    assert told.startswith("Measured somewhere.")
    assert row.of in told and ("20.00" in told or "95%" in told)


def test_slim_takes_fewer_bytes() -> None:
    exact, slim = command.sizes(next(row for row in ROWS if row.what == "slim"))
    assert slim < 0.6 * exact
    assert not fastgraph.is_patched()


def test_results_are_kept_and_told_without_measuring_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copy = tmp_path / "results.json", tmp_path / "page.md"
    results = [result(row) for row in ROWS]
    provenance.write(kept, "Measured then.", [each.to_dict() for each in results])
    copy.write_text(command.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", copy)
    assert command.main(["--given", str(kept), "--docs"]) == 0
    assert capsys.readouterr().out.strip() == as_text(results).strip()
    assert "Measured then." in copy.read_text(encoding="utf-8")
    assert "| bytes saved |" in copy.read_text(encoding="utf-8")
    assert "x" in page.renewed(copy.read_text(encoding="utf-8"), "x", "make codec")


def test_the_command_refuses_what_it_cannot_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "nothing"]) == 2
    assert command.main(["--quick", "--docs"]) == 2
    assert "no row is left" in capsys.readouterr().err
