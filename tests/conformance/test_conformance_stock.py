from __future__ import annotations

import json
import platform
from dataclasses import replace
from pathlib import Path

import pytest

from tools.conformance import stock
from tools.conformance.errors import ConformanceError

OUTCOMES = {
    "tests/a.py::test_one[memory]": "passed",
    "tests/a.py::test_one[sqlite-[nested]::x]": "passed",
    "tests/a.py::test_two[memory]": "failed",
    "tests/a.py::TestClass::test_three": "skipped",
    "tests/b.py": "error",
}


def made() -> stock.Stock:
    return stock.merge_runs("langgraph", "1.2.3", [OUTCOMES, OUTCOMES])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = stock.data_file(tmp_path, "langgraph", "1.2.3")
    stock.save(made(), path)
    assert path.name == "langgraph-1.2.3.json"
    assert stock.load(path) == made()


def test_the_same_outcomes_are_the_same_bytes(tmp_path: Path) -> None:
    stock.save(made(), tmp_path / "one")
    backwards = dict(reversed(OUTCOMES.items()))
    stock.save(replace(made(), outcomes=backwards), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_tests_with_the_same_parameters_share_them(tmp_path: Path) -> None:
    ids = [f"tests/a.py::test_{n}[{p}]" for n in range(3) for p in ("x", "y")]
    merged = stock.merge_runs("s", "1", [dict.fromkeys(ids, "passed")])
    stock.save(merged, tmp_path / "data")
    assert json.loads((tmp_path / "data").read_text())["parameters"] == [["[x]", "[y]"]]


def test_outcomes_that_vary_are_recorded_as_unstable() -> None:
    runs = [{"a": "passed", "b": "passed"}, {"a": "failed"}]
    merged = stock.merge_runs("s", "1", runs)
    assert merged.outcomes == {"a": "passed", "b": "passed"}
    assert merged.unstable == {"a": ["passed", "failed"], "b": ["passed", "missing"]}
    assert merged.runs == 2


def test_no_data_is_none(tmp_path: Path) -> None:
    assert stock.load(tmp_path / "absent.json") is None


@pytest.mark.parametrize("text", ["{", "{}", '{"outcomes": {}, "parameters": [], "x": 1}'])
def test_damaged_data_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s-1.json"
    path.write_text(text)
    with pytest.raises(ConformanceError, match=r"s-1\.json is damaged"):
        stock.load(path)


def test_data_fits_the_python_it_was_made_on() -> None:
    assert made().python == platform.python_version()
    assert made().misfit(needs_sqlite_extensions=True) is None


def test_data_of_another_python_does_not_fit() -> None:
    old = replace(made(), python="3.9.1")
    assert "made on Python 3.9.1" in str(old.misfit(needs_sqlite_extensions=False))
    other = replace(made(), sqlite_extensions=not stock.sqlite_extensions())
    assert "sqlite3" in str(other.misfit(needs_sqlite_extensions=True))
    assert other.misfit(needs_sqlite_extensions=False) is None


def test_drift_names_what_is_installed_otherwise() -> None:
    assert made().drift() == []
    (change,) = replace(made(), surroundings={"pytest": "0.1"}).drift()
    assert change.startswith("pytest ")
    assert change.endswith("(stock: 0.1)")


def test_the_data_in_the_repository_loads() -> None:
    files = sorted((Path(stock.__file__).parent / "stock").glob("*.json"))
    for path in files:
        data = stock.load(path)
        assert data is not None
        assert stock.data_file(path.parent, data.suite, data.version) == path
        assert "passed" in data.outcomes.values()
