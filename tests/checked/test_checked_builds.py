"""The commands that run the tests on checked extensions; the builds themselves they check."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from fastgraph import settings
from tools.checked import __main__ as command
from tools.checked import copies
from tools.checked.builds import BUILDS, Checked, Mistake

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]


def described_builds():
    spec = importlib.util.spec_from_file_location("_described", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BUILDS


def test_each_build_is_described_for_the_compiler_and_for_the_tests():
    assert tuple(described_builds()) == settings.BUILDS
    assert {"release", *BUILDS} == {*settings.BUILDS}


def test_a_release_build_is_not_taken_for_a_checked_one(tmp_path):
    built = tmp_path / "built.so"
    built.write_bytes(b"PyInit_it PyObject_GetAttr")
    assert not any(command.is_built_so(built, checked) for checked in BUILDS.values())
    for checked in BUILDS.values():
        built.write_bytes(b"".join(checked.marks[:-1]))
        assert not command.is_built_so(built, checked)
        built.write_bytes(b" ".join(checked.marks))
        assert command.is_built_so(built, checked)


@pytest.fixture
def probe(tmp_path):
    """A copy with a probe that is not compiled, and notices one mistake only."""
    package = tmp_path / "tools" / "checked"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "__init__.py").touch()
    (package / "probe.py").write_text(
        "import os, sys\n"
        "def silent(): pass\n"
        "def loud(): sys.exit('found it')\n"
        "def written(): open(os.environ['REPORT'] + '.1', 'w').write('found it')\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("call", "noticed"), [("silent", False), ("loud", True), ("written", True)]
)
def test_a_mistake_that_nobody_notices_is_told(probe, call, noticed):
    checked = Checked(marks=(), mistakes=(), environment={"REPORT": "{reports}/it"})
    mistake = Mistake(f"{call}()", "found it")
    assert command.notices(checked, mistake, probe) is noticed


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    (root / "fastgraph").mkdir(parents=True)
    (root / "fastgraph" / "one.pyx").write_text("1")
    (root / "fastgraph" / "one.so").write_text("release")
    (root / "build").mkdir()
    (root / "build" / "wheel").touch()
    monkeypatch.setattr(copies, "ROOT", root)
    return root


def test_a_copy_has_the_sources_and_keeps_what_is_built_of_them(checkout):
    copy = copies.up_to_date("debug")
    assert copy == checkout / "build" / "checked" / "debug"
    assert {path.name for path in copy.rglob("*")} == {"fastgraph", "one.pyx"}
    built = copy / "fastgraph" / "one.so"
    built.write_text("debug")
    source = checkout / "fastgraph" / "one.pyx"
    assert (copy / "fastgraph" / "one.pyx").stat().st_mtime_ns == source.stat().st_mtime_ns

    source.unlink()
    (checkout / "fastgraph" / "two.pyx").write_text("2")
    copies.up_to_date("debug")
    assert {path.name for path in copy.rglob("*")} == {"fastgraph", "one.so", "two.pyx"}
    assert built.read_text() == "debug"


def test_a_source_that_changed_is_copied_with_its_time(checkout):
    copies.up_to_date("debug")
    source = checkout / "fastgraph" / "one.pyx"
    source.write_text("3")
    os.utime(source, ns=(10**18, 10**18))
    copied = copies.up_to_date("debug") / "fastgraph" / "one.pyx"
    assert copied.read_text() == "3"
    assert copied.stat().st_mtime_ns == 10**18


def test_tests_that_are_listed_are_skipped_with_the_reason(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_it="def test_runs(): pass\ndef test_cannot(): assert False")
    pytester.makeconftest(
        "from tools.checked import builds\n"
        "builds.BUILDS['debug'].skipped.update({'test_it.py::test_cannot': 'is asleep'})\n"
    )
    options = ("-p", "tools.checked.skipping", "--checked-build", "debug", "-rs")
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *is asleep"])

    pytester.makepyfile(test_it="def test_runs(): pass")
    result = pytester.runpytest_subprocess(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no test test_it.py::test_cannot to skip"])


@pytest.mark.parametrize(
    "name", sorted({name for each in BUILDS.values() for name in each.skipped})
)
def test_what_is_skipped_exists(name):
    file, _, test = name.partition("::")
    assert (ROOT / file).is_file()
    assert f"def {test.partition('[')[0]}" in (ROOT / file).read_text(encoding="utf-8")
