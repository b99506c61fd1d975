from __future__ import annotations

from pathlib import Path

import pytest

from tools.conformance.entries import read_deselected, read_uncalled
from tools.conformance.errors import ConformanceError

HERE = Path(__file__).resolve().parents[2] / "tools" / "conformance"
SUITES = frozenset({"langgraph"})


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "deselect.txt"
    path.write_text(text)
    return path


def test_comments_and_blank_lines_are_no_entries(tmp_path: Path) -> None:
    assert read_deselected(written(tmp_path, "# nothing\n\n  # here\n"), SUITES) == {}


def test_a_missing_file_has_no_entries(tmp_path: Path) -> None:
    assert read_uncalled(tmp_path / "uncalled.txt") == {}


def test_an_entry_has_a_suite_an_id_and_a_reason(tmp_path: Path) -> None:
    path = written(tmp_path, "langgraph tests/a.py::b[x # y] # it is late\n")
    expected = {"langgraph": {"tests/a.py::b[x # y]": "it is late"}}
    assert read_deselected(path, SUITES) == expected


@pytest.mark.parametrize("line", ["langgraph a::b", "langgraph a::b #", "langgraph a::b # "])
def test_an_entry_without_a_reason_is_an_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConformanceError, match=r"deselect\.txt:2: the entry gives no reason"):
        read_deselected(written(tmp_path, f"# header\n{line}\n"), SUITES)


@pytest.mark.parametrize("line", ["other a::b # why", "langgraph # why"])
def test_an_entry_without_a_suite_or_an_id_is_an_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConformanceError, match=r"deselect\.txt:1: an entry is"):
        read_deselected(written(tmp_path, line + "\n"), SUITES)


def test_uncalled_targets_have_reasons(tmp_path: Path) -> None:
    path = written(tmp_path, "apply_writes # nobody writes\n")
    assert read_uncalled(path) == {"apply_writes": "nobody writes"}


def test_no_test_of_upstreams_is_left_out() -> None:
    assert read_deselected(HERE / "deselect.txt", SUITES) == {}
