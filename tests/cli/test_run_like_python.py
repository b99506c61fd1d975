"""Programs run by ``fastgraph run`` and by ``python``: same output, errors and exit status."""

from __future__ import annotations

import py_compile
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

NAMESPACE = """\
import sys, os
print(sys.argv, sys.path[0], sorted(name for name in globals() if name.startswith('__')))
print(__name__, __file__, __package__, __cached__, __doc__, type(__loader__), __builtins__)
print(__spec__ and (__spec__.name, __spec__.origin, __spec__.parent))
import __main__
print(__main__ is sys.modules['__main__'], vars(__main__) is globals())
print(sys.flags)
"""

PROGRAMS = {
    "namespace": NAMESPACE,
    "reads_stdin": "import sys; print(sys.stdin.read()); print(input.__name__)",
    "uncaught": "print('before')\ndef f(): return 1 / 0\nf()",
    "chained": "try:\n  1/0\nexcept Exception as error:\n  raise ValueError('x') from error",
    "context": "try:\n  1/0\nexcept Exception:\n  {}['key']",
    "in_exec": "exec('1/0')",
    "missing_import": "import no_such_module_anywhere",
    "base_exception": "class Stop(BaseException): pass\nraise Stop(1)",
    "in_asyncio": "import asyncio\nasync def main(): raise ValueError\nasyncio.run(main())",
    "in_thread": "import threading\nt = threading.Thread(target=lambda: 1/0, name='T')\n"
    "t.start()\nt.join()",
    "unraisable": "class A:\n  def __del__(self): 1/0\na = A()\ndel a",
    "syntax_error": "print(1)\nfoo(\n",
    "indentation_error": "if 1:\nx\n",
    "tab_error": "if 1:\n        x = 1\n\ty = 2\n",
    "return_outside": "return 1",
    "syntax_warning": "x = 1 is 1\nprint(x)",
    "deprecation": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "no_future": "def f(x: undefined): pass",
    "exit_number": "import sys; sys.exit(3)",
    "exit_text": "print('out')\nraise SystemExit('bye')",
    "exit_none": "raise SystemExit",
    "exit_object": "raise SystemExit((1, 2))",
    "exit_in_hook": "import sys\ndef hook(*a): sys.exit(9)\nsys.excepthook = hook\n1/0",
    "os_exit": "import os; print('out', flush=True); os._exit(7)",
    "interrupt": "print('out')\nraise KeyboardInterrupt",
    "own_hook": "import sys, traceback\ndef hook(kind, error, trace):\n"
    "  print(len(traceback.extract_tb(trace)), file=sys.stderr)\n"
    "  traceback.print_exception(kind, error, trace)\nsys.excepthook = hook\n1/0",
    "last_traceback": "import atexit, sys, traceback\n"
    "atexit.register(lambda: print(sys.excepthook is sys.__excepthook__))\n"
    "atexit.register(lambda: traceback.print_tb(sys.last_traceback))\n1/0",
    "end_order": "import atexit, threading, time\natexit.register(print, 'atexit')\n"
    "def work():\n  time.sleep(.2)\n  print('thread', threading.main_thread().is_alive())\n"
    "threading.Thread(target=work).start()\nprint('end')\n1/0",
    "finalizer": "class A:\n  def __del__(self): print('del')\na = A()",
    "closed_stdout": "import sys; print('x'); sys.stdout.close()",
    "pickle": "import pickle\nclass A: pass\n"
    "print(type(pickle.loads(pickle.dumps(A()))) is A, A.__module__)",
    "source": "import inspect\nclass A: pass\nprint(inspect.getsource(A))",
}

POSIX_PROGRAMS = {
    "sigint": "import atexit, os, signal\natexit.register(print, 'atexit')\n"
    "os.kill(os.getpid(), signal.SIGINT)",
    "sigterm": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
}

SPAWN = """\
import multiprocessing
def square(x): return x * x
if __name__ == '__main__':
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        print(pool.map(square, [1, 2, 3]))
"""

LAUNCHES = ("relative", "module", "package", "directory", "zip", "symlink", "pyc", "code", "stdin")

ADDRESS = re.compile(rb"0x[0-9a-fA-F]+")


@pytest.fixture
def outcome(environment, tmp_path):
    """Run the interpreter; gives exit status, output and errors, these merged on demand."""

    def run(arguments, stdin="a line\n", merged=False):
        process = subprocess.run(
            [sys.executable, *arguments],
            input=stdin.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            cwd=tmp_path,
            env=environment,
            check=False,
            timeout=120,
        )
        texts = (process.stdout, process.stderr or b"")
        return process.returncode, *(ADDRESS.sub(b"0x", text) for text in texts)

    return run


@pytest.fixture
def same(outcome, run_words):
    """Assert that a program ends the same with and without fastgraph; gives how it ends."""

    def check(*arguments, flags=(), **options):
        plain = outcome([*flags, *arguments], **options)
        assert outcome([*flags, *run_words, *arguments], **options) == plain
        return plain

    return check


def write(directory: Path, text: str) -> Path:
    path = directory / "program.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_script_ends_as_under_python(name, same, tmp_path):
    write(tmp_path, PROGRAMS[name])
    same("program.py", "an argument", "--strict", "-m")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", POSIX_PROGRAMS)
def test_signals_end_it_as_under_python(name, same, tmp_path):
    write(tmp_path, POSIX_PROGRAMS[name])
    # Whoever runs the tests in the background ignores Ctrl-C, and so would the programs.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert same("program.py")[0] < 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("launch", [("program.py",), ("-m", "program"), ("-",)])
@pytest.mark.parametrize("name", ["uncaught", "exit_text", "end_order"])
def test_output_and_errors_keep_their_order(name, launch, same, tmp_path):
    write(tmp_path, PROGRAMS[name])
    assert same(*launch, stdin=PROGRAMS[name], merged=True)[0] == 1


@pytest.mark.parametrize("text", [NAMESPACE + "1/0", "foo(\n"], ids=["runs", "does not compile"])
@pytest.mark.parametrize("launch", LAUNCHES)
def test_every_launch_is_as_under_python(launch, text, same, tmp_path):
    path = write(tmp_path, text)
    if launch == "code":
        # It has no __file__, and Python 3.13 shows its lines in tracebacks.
        code = text.replace("__file__, ", "").replace("__cached__, ", "").replace("1/0", "")
        same("-c", code, "x")
    elif launch == "stdin":
        same("-", "x", "--", "-y", stdin=text)
    else:
        same(*laid_out(launch, path), "x", "--", "-y")


def laid_out(launch: str, path: Path) -> list[str]:
    """Make the program available for a kind of launch; returns the words that start it."""
    directory, text = path.parent, path.read_text()
    if launch == "relative":
        (directory / "sub").mkdir()
        return ["./sub/../program.py"]
    if launch == "module":
        return ["-m", "program"]
    if launch in ("package", "directory"):
        (directory / "app").mkdir()
        (directory / "app" / "__main__.py").write_text(text)
        return ["-m", "app"] if launch == "package" else ["app"]
    if launch == "zip":
        with zipfile.ZipFile(directory / "app.zip", "w") as archive:
            archive.writestr("__main__.py", text)
        return ["app.zip"]
    if launch == "symlink":
        (directory / "links").mkdir()
        (directory / "links" / "link.py").symlink_to(path)
        return ["links/link.py"]
    # Without a text that compiles this is a file that does not exist.
    py_compile.compile(str(path), str(directory / "program.pyc"), quiet=2)
    return ["program.pyc"]


@pytest.mark.parametrize("launch", ["module", "relative"])
def test_spawned_processes_find_the_program(launch, same, tmp_path):
    ended = same(*laid_out(launch, write(tmp_path, SPAWN)))
    assert ended == (0, b"[1, 4, 9]\n", b"")


@pytest.mark.parametrize("flags", [("-u", "-O"), ("-X", "dev"), ("-W", "error"), ("-B", "-q")])
def test_flags_of_the_interpreter_apply(flags, same, tmp_path):
    write(tmp_path, NAMESPACE + "import warnings\nassert False\nwarnings.warn('old')")
    same("program.py", flags=flags)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="-P is new in Python 3.11")
@pytest.mark.parametrize("launch", ["relative", "directory", "module"])
def test_safe_path_keeps_the_program_out_of_sys_path(launch, same, tmp_path):
    text = "import sys; print(sys.path, sys.argv)"
    same(*laid_out(launch, write(tmp_path, text)), flags=("-P",))


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.py",),
        ("-m", "no_such_module"),
        ("-m", "no.such.module"),
        ("-m", "json"),
        ("-m", ".relative"),
        ("empty",),
    ],
)
def test_what_cannot_be_run_is_reported_as_python_does(arguments, same, tmp_path):
    (tmp_path / "empty").mkdir()
    assert same(*arguments)[0] == (2 if arguments == ("missing.py",) else 1)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and pipes of POSIX")
def test_broken_pipe_is_reported_as_python_does(environment, run_words, tmp_path):
    write(tmp_path, "print('x' * 100)")
    outcomes = []
    for start in (["program.py"], [*run_words, "program.py"]):
        process = subprocess.Popen(
            [sys.executable, *start],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment,
        )
        process.stdout.close()
        outcomes.append((process.stderr.read(), process.wait(120)))
        process.stderr.close()
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] == 120
