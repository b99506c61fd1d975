"""The matrix: its cells, its page, and what is said of a new release; nothing is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tools.matrix", reason="the tools are in the checkout")

from fastgraph.adapters.target import BindingSite, Source, Target, Variant
from tools import upstream_changes
from tools.matrix import __main__ as matrix
from tools.matrix import page, parts
from tools.matrix.cells import COMPLETE, PYTHONS, RELEASES, Cell, cells
from tools.matrix.errors import MatrixError


def test_the_whole_matrix_is_every_release_and_every_python() -> None:
    every = list(cells((), ()))
    assert {cell.release for cell in every} == {*RELEASES}
    assert {cell.python for cell in every if cell.release == RELEASES[-1]} == {*PYTHONS}
    assert len(every) == len({cell.name for cell in every}) == len(RELEASES) + len(PYTHONS) - 1


def test_a_choice_is_every_pair_of_it() -> None:
    assert list(cells(["1.2.8"], ["3.10", "3.13"])) == [
        Cell("3.10", "1.2.8"),
        Cell("3.13", "1.2.8"),
    ]
    assert [cell.python for cell in cells(["1.2.8"], ())] == ["3.11"]
    assert [cell.release for cell in cells((), ["3.12"])] == [RELEASES[-1]]


def test_the_page_is_that_of_the_results() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    results = json.loads(matrix.RESULTS.read_text(encoding="utf-8"))
    assert "\n".join(page.lines(results)) in text


def test_what_was_not_run_is_said_so() -> None:
    rows = [line for line in page.lines({}) if line.startswith("| 1.")]
    assert len(rows) == len(list(cells((), ())))
    assert all(row.count(page.NOT_RUN) == 5 for row in rows)


def test_on_the_newest_releases_every_target_was_active() -> None:
    results = json.loads(matrix.RESULTS.read_text(encoding="utf-8"))
    for release in COMPLETE:
        found = results[Cell("3.11", release).name]["targets"]
        assert found["strict"] and not found["stock"], release


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "releases.md"
    place.write_text("nothing\n")
    with pytest.raises(MatrixError, match="lacks the marks"):
        page.renew({}, place)


def test_outcomes_of_the_own_suite_are_counted(tmp_path: Path) -> None:
    results = tmp_path / "own.xml"
    results.write_text(
        '<testsuites><testsuite><testcase classname="a" name="one"/>'
        '<testcase classname="a" name="two"><failure>no</failure></testcase>'
        '<testcase classname="a" name="three"><skipped/></testcase></testsuite></testsuites>'
    )
    found = parts._outcomes(results)
    assert (found["passed"], found["failed"], found["skipped"]) == (1, 1, 1)
    assert found["failing"] == ["a::two"] and not found["ok"]


WORK = Source("langgraph.core", "work")


class FakeWheel:
    """A release with one function."""

    def __init__(self, version: str, text: str) -> None:
        self.release, self.lines = version, text.splitlines()

    def fingerprint(self, source: Source) -> str:
        return "-".join(self.lines)

    def text(self, source: Source) -> list[str]:
        return self.lines


@pytest.mark.parametrize(
    ("strict", "unfitting"), [(False, []), (True, ["work"])], ids=["known", "as if it were new"]
)
def test_what_moved_is_told_with_its_difference(strict: bool, unfitting: list[str]) -> None:
    variant = Variant("only", {WORK.label: frozenset({"old", "new"})})
    site = BindingSite(WORK.module, WORK.qualname)
    target = Target("work", "langgraph", (site,), (WORK,), (variant,), {}, "Works.", "All.")
    before: Any = FakeWheel("1.0", "old")
    asked: Any = FakeWheel("1.1", "new")
    found = upstream_changes.changes([target], before, asked, strict=strict)
    assert found.unfitting == unfitting
    assert found.moved[WORK.label][-2:] == ["-old", "+new"]
    assert found.leaning == {WORK.label: ["work"]}
    assert not upstream_changes.changes([target], before, before, strict=strict).moved


def test_a_release_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["upstream", "1.2.23", "--part", "fingerprints", "--wheels", str(tmp_path)]
    monkeypatch.setattr("sys.argv", command)
    assert upstream_changes.main() == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_reasons_do_not_say_where_an_environment_is() -> None:
    reason = "cannot import name 'x' from 'y' (/some/where/lib/python3.11/site-packages/y/z.py)"

    assert parts._placeless(reason) == "cannot import name 'x' from 'y' (y/z.py)"
