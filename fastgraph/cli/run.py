"""``fastgraph run``: an unmodified program, patched, that otherwise behaves as under ``python``.

The program runs in this interpreter. Three things make it look as if ``python`` had started it:
a ``__main__`` module of its own, ``sys.argv`` and ``sys.path[0]``, and tracebacks that begin with
the program's first frame. Its exceptions are left to the interpreter, which knows about exit
codes, SIGINT, ``sys.excepthook``, threads and ``atexit``; only the frames below it are cut off.

A program can still tell: the frames below it are on the stack (``traceback.print_stack``, a
warning's ``stacklevel``, the recursion limit), ``sys.orig_argv`` and ``sys.modules`` name
fastgraph, ``__file__`` stays defined while ``atexit`` runs, a hook in ``sys.excepthook`` that
itself fails shows one frame more, and a source file that is not in its encoding is reported in
other words. From Python 3.13 on tracebacks do not show the lines of ``-c``.
"""

from __future__ import annotations

import argparse
import builtins
import io
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import ModuleType, TracebackType
from typing import Any

from fastgraph.api import CODECS
from fastgraph.cli.engine import patch_process, why_stock
from fastgraph.cli.parser import (
    CommandError,
    Commands,
    add_command,
    add_frameworks,
    comma_separated,
)

_Program = Callable[[], None]
_ExceptHook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_DETAILS = """\
Everything after the target goes to the program, as it does with python.

examples:
  fastgraph run agent.py --verbose
  fastgraph run --strict -m my_package serve --port 8000
  fastgraph run --targets apply_writes,prepare_next_tasks agent.py
  fastgraph run -- -oddly-named.py
  python -X dev -u -m fastgraph run agent.py    (options of the interpreter)

The exit status is the program's own; it is 2 if fastgraph itself refuses to start it.
Processes the program forks are patched too; those it starts afresh (subprocess, or the spawn
method of multiprocessing) run stock unless they patch.
"""


def add_to(commands: Commands) -> None:
    """Add the command ``run``."""
    parser = add_command(
        commands,
        "run",
        execute,
        summary="run a Python program patched, without changing it",
        details=_DETAILS,
    )
    parser.usage = (
        "fastgraph run [--strict] [--frameworks NAMES] [--targets NAMES] [--codec CODEC]\n"
        "                     (target | -m MODULE | -c CODE) ..."
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse to run if any target would stay stock"
    )
    add_frameworks(parser)
    parser.add_argument(
        "--targets",
        type=comma_separated,
        metavar="NAMES",
        help="patch only these targets, separated by commas",
    )
    parser.add_argument(
        "--codec",
        choices=CODECS,
        help="how checkpoints are written: byte for byte as stock does it, which is the default, "
        "or without what stock fills in",
    )
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m")
    program.add_argument("-c", dest="code", metavar="CODE", help="run a text, as python -c")
    program.add_argument(
        "target", nargs="?", help="a script, a directory or zip file with __main__.py, or - (stdin)"
    )


def split_program(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split the command line after the target, so that nobody reads the program's own words.

    Parameters
    ----------
    arguments
        The words of any command.

    Returns
    -------
    tuple of two lists
        The words for fastgraph and, for the command ``run``, those for the program.
    """
    if arguments[:1] != ["run"]:
        return arguments, []
    end = _end_of_target(arguments)
    return arguments[:end], arguments[end:]


def _end_of_target(arguments: Sequence[str]) -> int:
    words = iter(enumerate(arguments[1:], start=1))
    for index, word in words:
        if word in {"--frameworks", "--targets", "--codec"}:
            next(words, None)
        elif word in {"-m", "-c", "--"}:
            return index + 2
        elif word == "-" or not word.startswith("-") or word.startswith(("-m", "-c")):
            return index + 1
    return len(arguments)


def execute(options: argparse.Namespace) -> int:
    """Run the program; returns only if the program reaches its end."""
    run_program = _prepared(options)
    # Patched only now: the imports have to see the program's sys.path, as they do without us.
    _patch(options)
    _run_as_main(run_program)
    return 0


def _prepared(options: argparse.Namespace) -> _Program:
    arguments: list[str] = options.program_arguments
    if options.module is not None:
        return _module(options.module, arguments)
    if options.code is not None:
        return _text(options.code, arguments)
    if options.target == "-":
        return _standard_input(arguments)
    if pkgutil.get_importer(_absolute(options.target)) is not None:
        return _directory_or_zip(options.target, arguments)
    return _script(options.target, arguments)


def _patch(options: argparse.Namespace) -> None:
    status = patch_process(
        options.targets, frameworks=options.frameworks, strict=options.strict, codec=options.codec
    )
    reason = why_stock(status, options.targets, options.frameworks)
    if reason is not None:
        print(f"fastgraph: warning: {reason}", file=sys.stderr)


def _module(name: str, arguments: list[str]) -> _Program:
    _become(["-m", *arguments], first_path=os.getcwd())
    return lambda: _run_module(name, alter_argv=True)


def _directory_or_zip(path: str, arguments: list[str]) -> _Program:
    location = _absolute(path)
    _become([path, *arguments], first_path=location)
    if sys.path[0] != location:  # -I and -P keep it out, but it is where __main__ comes from.
        sys.path.insert(0, location)
    return lambda: _run_module("__main__", alter_argv=False)


def _text(code: str, arguments: list[str]) -> _Program:
    namespace = _become(["-c", *arguments], first_path="")
    return lambda: _run_source(code, "<string>", namespace)


def _standard_input(arguments: list[str]) -> _Program:
    if sys.stdin.isatty():
        raise CommandError("the target - is a program on standard input, which is a terminal")
    source = sys.stdin.buffer.read()
    namespace = _become(["-", *arguments], first_path="")
    namespace.update(__file__="<stdin>", __cached__=None)
    return lambda: _run_file(lambda: _run_source(source, "<stdin>", namespace))


def _script(path: str, arguments: list[str]) -> _Program:
    location = _absolute(path)
    source = _read(location)
    namespace = _become([path, *arguments], first_path=os.path.dirname(os.path.realpath(path)))
    namespace.update(__file__=location, __cached__=None)
    if location.endswith(".pyc"):
        compiled = SourcelessFileLoader("__main__", location)
        namespace["__loader__"] = compiled
        return lambda: _run_file(lambda: _run_compiled(compiled, namespace))
    namespace["__loader__"] = SourceFileLoader("__main__", location)
    return lambda: _run_file(lambda: _run_source(source, location, namespace))


def _become(arguments: list[str], *, first_path: str) -> dict[str, Any]:
    """Make this process the program's; returns the namespace of its new ``__main__``."""
    sys.argv = arguments
    # -I, -P and PYTHONSAFEPATH are there so that no such entry exists.
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = first_path
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    namespace = vars(main)
    namespace.update(__loader__=BuiltinImporter, __annotations__={}, __builtins__=builtins)
    return namespace


def _absolute(path: str) -> str:
    """Make a path absolute the way the interpreter does, which keeps ``./`` and ``../``."""
    if os.name == "nt":
        return os.path.abspath(path)
    return os.getcwd() if path == "." else os.path.join(os.getcwd(), path)


def _read(location: str) -> bytes:
    try:
        with io.open_code(location) as file:
            return file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.orig_argv[0]}: can't open file {location!r}: {reason}", file=sys.stderr)
        sys.exit(2)


def _run_module(name: str, *, alter_argv: bool) -> None:
    # What python -m itself calls: the same look-up, messages and frames in tracebacks.
    runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined]


def _run_source(source: str | bytes, filename: str, namespace: dict[str, Any]) -> None:
    exec(compile(source, filename, "exec", dont_inherit=True), namespace)


def _run_compiled(loader: SourcelessFileLoader, namespace: dict[str, Any]) -> None:
    code = loader.get_code("__main__")
    assert code is not None
    exec(code, namespace)


def _run_file(run_program: _Program) -> None:
    try:
        run_program()
    finally:
        # The interpreter does this after a file, so that output precedes the traceback.
        for stream in (sys.stderr, sys.stdout):
            with suppress(Exception):
                stream.flush()


def _run_as_main(run_program: _Program) -> None:
    try:
        run_program()
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook = _without_own_frames(sys.excepthook)
        raise


def _without_own_frames(hook: _ExceptHook) -> _ExceptHook:
    """Wrap the program's hook; the interpreter is about to call it and nothing else will."""

    def excepthook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        sys.excepthook = hook
        trace = sys.last_traceback = _frames_of_program(trace)
        hook(kind, error.with_traceback(trace), trace)

    return excepthook


def _frames_of_program(trace: TracebackType | None) -> TracebackType | None:
    """Cut the traceback off after this module's last frame."""
    program = trace
    while trace is not None:
        if trace.tb_frame.f_globals is globals():
            program = trace.tb_next
        trace = trace.tb_next
    return program
