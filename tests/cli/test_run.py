"""What ``fastgraph run`` adds to running a program: the patch, its options and its errors."""

from __future__ import annotations

import json
import sys

import pytest

from fastgraph.cli.run import split_program

REPORT = """\
import json, sys, fastgraph
print(json.dumps([t.name for t in fastgraph.status().targets if t.active]))
print(json.dumps(sys.argv[1:]))
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(REPORT)
    return path


@pytest.fixture
def patchable(status):
    """Give the names of the targets that can be patched here."""
    return [target["name"] for target in status["targets"] if target["active"]]


def json_lines(process):
    return [json.loads(line) for line in process.stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["run", "a.py", "--strict", "--help"], 2),
        (["run", "--strict", "a.py", "--", "x"], 3),
        (["run", "--targets", "a,b", "a.py", "x"], 4),
        (["run", "--targets=a,b", "a.py", "x"], 3),
        (["run", "-m", "module", "-m", "x"], 3),
        (["run", "-mmodule", "x"], 2),
        (["run", "-c", "code", "-x"], 3),
        (["run", "-", "-x"], 2),
        (["run", "--", "-odd.py", "x"], 3),
        (["run", "--", "a.py", "--", "x"], 3),
        (["run", "--help"], 2),
        (["run"], 1),
        (["status", "--json"], 2),
        ([], 0),
    ],
)
def test_words_after_the_target_are_the_programs(arguments, own):
    assert split_program(arguments) == (arguments[:own], arguments[own:])


def test_program_runs_patched(python, run_words, program, patchable):
    result = python(*run_words, "program.py", "--help", "--", "-m")
    assert (result.returncode, result.stderr) == (0, "")
    assert json_lines(result) == [patchable, ["--help", "--", "-m"]]


def test_two_dashes_end_the_options(command, program):
    program.rename(program.with_name("-odd.py"))
    result = command("run", "--", "-odd.py", "--", "x")
    assert json_lines(result)[1] == ["--", "x"]


def test_targets_selects(command, program, patchable):
    selected = patchable[:2]
    assert selected
    result = command("run", "--targets", ", ".join(selected), "program.py")
    assert json_lines(result)[0] == selected


def test_strict_runs_only_where_everything_is_active(command, program, status, patchable):
    result = command("run", "--strict", "program.py")
    if len(patchable) == len(status["targets"]):
        assert (result.returncode, result.stderr) == (0, "")
        assert json_lines(result)[0] == patchable
    else:
        assert (result.returncode, result.stdout) == (2, "")
        assert_one_error(result)


def test_strict_is_about_the_targets_asked_for(command, program, patchable):
    assert patchable
    result = command("run", "--strict", "--targets", patchable[0], "program.py")
    assert (result.returncode, result.stderr) == (0, "")
    assert json_lines(result)[0] == patchable[:1]


def test_a_target_that_stays_stock_is_one_warning(python, tmp_path, status):
    name = status["targets"][0]["name"]
    # Somebody else's wrapper keeps the target stock.
    (tmp_path / "wrapped.py").write_text(f"""\
import sys
from langgraph.pregel import _algo
stock = _algo.{name}
_algo.{name} = lambda *args, **kwargs: stock(*args, **kwargs)
from fastgraph.cli import main
sys.exit(main(["run", "--targets", {name!r}, "-c", "print('ran')"]))
""")
    result = python("wrapped.py")
    assert (result.returncode, result.stdout) == (0, "ran\n")
    assert result.stderr == f"fastgraph: warning: 1 of 1 targets stay stock: {name}\n"


def test_strict_refuses_before_the_program_starts(command, program, without_kernels):
    result = command("run", "--strict", "program.py", env=without_kernels)
    assert (result.returncode, result.stdout) == (2, "")
    assert_one_error(result)
    assert "FASTGRAPH_NO_EXTENSIONS" in result.stderr


def test_without_kernels_the_program_runs_stock_and_a_line_says_so(
    command, program, without_kernels
):
    result = command("run", "program.py", "x", env=without_kernels)
    assert result.returncode == 0
    assert json_lines(result) == [[], ["x"]]
    assert result.stderr.startswith("fastgraph: warning: stock in place: ")
    assert result.stderr.count("\n") == 1


def test_without_kernels_warnings_may_be_errors(python, program, without_kernels):
    flags = ("-W", "error::RuntimeWarning")
    result = python(*flags, "-m", "fastgraph", "run", "program.py", env=without_kernels)
    assert result.returncode == 0
    assert result.stderr.count("\n") == 1


def test_unknown_target_is_an_error(command, program):
    result = command("run", "--targets", "no_such_target", "program.py")
    assert (result.returncode, result.stdout) == (2, "")
    assert_one_error(result)
    assert "no_such_target" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--strict"),
        ("run", "--unknown", "program.py"),
        ("run", "--targets"),
        ("run", "--targets", " ,", "program.py"),
        ("run", "-m"),
    ],
)
def test_misuse_is_one_line(command, program, arguments):
    result = command(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert_one_error(result)


def test_bad_setting_is_one_line(command, program):
    result = command("run", "program.py", env={"FASTGRAPH_KERNELS": "steam"})
    assert (result.returncode, result.stdout) == (2, "")
    assert_one_error(result)
    assert "FASTGRAPH_KERNELS" in result.stderr


def test_console_script_is_as_good_as_the_module(python, run_words, tmp_path):
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "fastgraph").write_text(
        "import sys\nfrom fastgraph.cli import main\nsys.exit(main())\n"
    )
    (tmp_path / "fails.py").write_text("import sys\nprint(sys.path[0], sys.argv)\n1/0")
    plain = python("fails.py", "x")
    script = python("bin/fastgraph", *run_words[2:], "fails.py", "x")
    assert (script.returncode, script.stdout, script.stderr) == (
        plain.returncode,
        plain.stdout,
        plain.stderr,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_console_script_ends_by_sigint_too(python, tmp_path):
    (tmp_path / "script").write_text(
        "import sys\nfrom fastgraph.cli import main\nsys.exit(main())\n"
    )
    plain = python("-c", "raise KeyboardInterrupt")
    script = python("script", "run", "-c", "raise KeyboardInterrupt")
    assert script.returncode == plain.returncode < 0


def test_inspect_flag_reaches_the_namespace_of_the_program(python, tmp_path):
    (tmp_path / "program.py").write_text("value = 42")
    result = python("-i", "-m", "fastgraph", "run", "program.py", stdin="print(value)\n")
    assert result.returncode == 0
    assert "42" in result.stdout
    assert "SystemExit" not in result.stderr


def test_interpreter_is_started_once(python, tmp_path):
    (tmp_path / "program.py").write_text(
        "import sys, os\nprint(sys.orig_argv[1:4], os.getppid() == int(sys.argv[1]))"
    )
    launcher = (
        "import os, subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-m', 'fastgraph', 'run', 'program.py',"
        " str(os.getpid())], capture_output=True, text=True, check=True).stdout, end='')"
    )
    assert python("-c", launcher).stdout == "['-m', 'fastgraph', 'run'] True\n"


def assert_one_error(process):
    assert process.stderr.startswith("fastgraph: error: ")
    assert process.stderr.count("\n") == 1
