"""Runs upstream's tests in a process of their own, on stock or patched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.conformance import sdists, terminal
from tools.conformance.calls import Calls, read_calls
from tools.conformance.errors import ConformanceError
from tools.conformance.outcomes import MISSING, PASSED, Outcomes, count_done, read_outcomes
from tools.conformance.suites import Suite

STOCK = "stock"
PATCHED = "patched"

_PLUGINS = Path(__file__).parent / "plugins"
_ENGINE_PLUGIN = "fastgraph.pytest_plugin"
_PROGRESS_SECONDS = 30.0
_INTERRUPT_SECONDS = 10.0
# FASTGRAPH=1 would patch the stock side too, PYTEST_ADDOPTS may leave tests out,
# and with the others set upstream's tests would trace to somebody's account.
_UNWANTED_VARIABLES = ("FASTGRAPH", "PYTEST_ADDOPTS", "LANGCHAIN_", "LANGSMITH_")
# Everything but "usage error" and "internal error" leaves outcomes behind.
_UNUSABLE_EXITS = {3: "pytest broke down", 4: "pytest did not accept its arguments"}


@dataclass(frozen=True)
class Servers:
    """URIs of the servers, None where no suite of the run needs one."""

    postgres: str | None = None
    redis: str | None = None


@dataclass(frozen=True)
class Plan:
    """How to run one suite.

    Parameters
    ----------
    suite : Suite
        The suite.
    version : str
        The release whose tests are run, which is the installed one.
    cache : Path
        Directory for archives, unpacked tests and results.
    servers : Servers
        What its tests are led to.
    workers : int
        How many processes run tests.
    minutes : float
        After these, the run is given up.
    select : str or None
        A ``-k`` expression.
    deselected : tuple of str
        Ids that are left out.
    tests : tuple of str
        Ids of the only tests that are run; all if there are none.
    strict : bool
        Whether the patched side is refused if a target would stay stock.
    """

    suite: Suite
    version: str
    cache: Path
    servers: Servers = Servers()
    workers: int = 2
    minutes: float = 40.0
    select: str | None = None
    deselected: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    strict: bool = True


@dataclass(frozen=True)
class Run:
    """What came of running one suite on one engine.

    Parameters
    ----------
    outcomes : dict
        By test id.
    calls : Calls
        What the workers said about the targets.
    seconds : float
        How long it took.
    directory : Path
        Where ``output.txt`` and ``failures.txt`` are.
    problem : str or None
        Why the run cannot be relied on.
    """

    outcomes: Outcomes
    calls: Calls
    seconds: float
    directory: Path
    problem: str | None = None


def run_suite(plan: Plan, engine: str, label: str | None = None) -> Run:
    """Run a suite on an engine.

    Parameters
    ----------
    plan : Plan
        The suite and how to run it.
    engine : {"stock", "patched"}
        Which engine executes the graphs.
    label : str, optional
        Name of the directory for the results, in place of the engine's.

    Returns
    -------
    Run
        With a problem when tests may be lacking or the engine was not the one asked for.
    """
    root = sdists.unpacked_tests(plan.suite.distribution, plan.version, plan.cache)
    directory = plan.cache / "runs" / plan.suite.distribution / (label or engine)
    _clear(directory)
    arguments = [*_arguments(plan, engine, directory), "-n", str(plan.workers)]
    arguments += plan.tests or ["tests"]
    if plan.select is not None:
        arguments += ["-k", plan.select]
    terminal.progress(f"{plan.suite.distribution} {plan.version}: running on {label or engine}")
    begin = time.monotonic()
    problem = _execute(arguments, root, _environment(plan), directory, plan.minutes * 60)
    run = Run(
        outcomes=read_outcomes(directory / "results.jsonl"),
        calls=read_calls(directory),
        seconds=time.monotonic() - begin,
        directory=directory,
        problem=problem,
    )
    return _checked(run, engine, plan)


def run_alone(plan: Plan, engine: str, test: str) -> str:
    """Run one test in a process of its own and return its outcome.

    The calls it makes are not counted: the proof is the whole run's.
    """
    root = sdists.unpacked_tests(plan.suite.distribution, plan.version, plan.cache)
    directory = plan.cache / "runs" / plan.suite.distribution / f"{engine}-alone"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.jsonl").unlink(missing_ok=True)
    terminal.progress(f"{plan.suite.distribution}: once more, alone: {test}")
    arguments = [*_arguments(plan, engine, directory), "-n", "0", test]
    _execute(arguments, root, _environment(plan), directory, plan.minutes * 60)
    return read_outcomes(directory / "results.jsonl").get(test, MISSING)


def check_engine_installed() -> None:
    """Make sure that upstream's tests will find the engine.

    Raises
    ------
    ConformanceError
        If it cannot be imported away from this directory.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import {_ENGINE_PLUGIN}"],
        # Not from here: the source tree may lack the compiled extensions.
        cwd=_PLUGINS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ConformanceError(f"fastgraph is not usable from this environment: {last}")


def _arguments(plan: Plan, engine: str, directory: Path) -> list[str]:
    arguments = ["-p", "conformance_recorder", f"--conformance-results={directory}"]
    if plan.suite.configuration is not None:
        arguments += ["-c", plan.suite.configuration]
    if engine == PATCHED:
        arguments += ["-p", _ENGINE_PLUGIN, *(["--fastgraph-strict"] if plan.strict else [])]
    if plan.servers != Servers():
        arguments += ["-p", "conformance_servers"]
    if plan.suite.postgres and plan.servers.postgres:
        arguments += [f"--conformance-postgres={plan.servers.postgres}"]
    if plan.suite.redis and plan.servers.redis:
        arguments += [f"--conformance-redis={plan.servers.redis}"]
    for test in plan.deselected:
        arguments += [f"--conformance-deselect={test}"]
    return arguments


def _environment(plan: Plan) -> Mapping[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED_VARIABLES)
    }
    paths = [str(_PLUGINS), *filter(None, [kept.get("PYTHONPATH")])]
    environment = {
        **kept,
        **plan.suite.environment,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    if plan.servers.postgres:
        environment["LANGGRAPH_BENCH_POSTGRES_URI"] = plan.servers.postgres
    return environment


def _execute(
    arguments: Sequence[str],
    root: Path,
    environment: Mapping[str, str],
    directory: Path,
    seconds: float,
) -> str | None:
    """Run pytest to its end; returns why its results cannot be relied on."""
    with (directory / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own, so that it can be ended with its workers,
            # one of which may hang.
            start_new_session=True,
        )
        try:
            code = _wait(process, directory, seconds)
        except BaseException:
            _end(process)
            raise
    if code is None:
        return f"given up after {seconds / 60:.0f} minutes"
    if code < 0:
        return f"pytest was ended by signal {-code}"
    return _UNUSABLE_EXITS.get(code)


def _wait(process: subprocess.Popen[bytes], directory: Path, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_PROGRESS_SECONDS, max(0.1, deadline - time.monotonic())))
            break
        terminal.progress(f"  {count_done(directory / 'results.jsonl')} tests done")
    if process.returncode is None:
        _end(process)
        return None
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_INTERRUPT_SECONDS)


def _checked(run: Run, engine: str, plan: Plan) -> Run:
    # A selection may be of other suites' tests.
    if run.problem is not None or (plan.select is not None and not run.outcomes):
        return run
    if not run.outcomes:
        return replace(run, problem="collected nothing")
    # Such a stock would ask nothing of the patched side; of single tests it may.
    if engine == STOCK and not plan.tests and PASSED not in run.outcomes.values():
        return replace(run, problem="no test passed")
    # The status of a stock run is only there if something loaded the engine.
    if engine == STOCK and run.calls.active():
        return replace(run, problem="the stock side was patched")
    if engine == PATCHED and not run.calls.active():
        return replace(run, problem="no worker was patched")
    return run


def _clear(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        path.unlink()
