"""What is run in a cell; each part returns what it found as data."""

from __future__ import annotations

import datetime
import json
import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.matrix.cells import COMPLETE, Cell
from tools.matrix.errors import MatrixError
from tools.matrix.places import must, python_of, run, sources_digest, tree

#: The most failures of a run that are kept by name.
_LISTED = 20


@dataclass(frozen=True)
class Options:
    """How the parts are run.

    Parameters
    ----------
    directory : Path
        For copies, environments and logs.
    programs, first : int
        How many generated programs, from which seed on.
    workers : int
        Processes of a part.
    servers : bool
        Whether upstream's tests that need PostgreSQL or Redis are run too.
    own : tuple of str
        Arguments of pytest: the paths of the own suite that are run, ``-m`` and such.
    """

    directory: Path
    programs: int
    first: int
    workers: int
    servers: bool
    own: tuple[str, ...]


Found = dict[str, Any]


def targets(cell: Cell, options: Options) -> Found:
    """Which targets are active, and why the others are not."""
    python = python_of(cell, "upstream", options.directory)
    place = tree(cell.python, options.directory)
    done = run([python, "-m", "fastgraph", "status", "--json"], cwd=place)
    status = json.loads(must(done, "fastgraph status"))
    active = [target["name"] for target in status["targets"] if target["active"]]
    stock = {t["name"]: _placeless(t["reason"]) for t in status["targets"] if not t["active"]}
    strict = run([python, "-m", "fastgraph", "status", "--strict"], cwd=place).returncode == 0
    return {
        "kernels": status["kernels"],
        "versions": _versions(python),
        "active": len(active),
        "stock": stock,
        "ok": strict if cell.release in COMPLETE else bool(active),
        "strict": strict,
    }


def _placeless(reason: str) -> str:
    """A reason without where the environment happens to be."""
    return re.sub(r"/\S*/site-packages/", "", reason)


def _versions(python: Path) -> dict[str, str]:
    names = ("langgraph", "langgraph-checkpoint", "langgraph-prebuilt", "langchain-core")
    code = (
        "import importlib.metadata as m, json, platform;"
        f"print(json.dumps({{n: m.version(n) for n in {names!r}}}"
        "| {'python': platform.python_version()}))"
    )
    versions: dict[str, str] = json.loads(must(run([python, "-c", code]), "versions"))
    return versions


def programs(cell: Cell, options: Options) -> Found:
    """Generated programs, stock against patched."""
    python = python_of(cell, "own", options.directory)
    command: list[object] = [python, "-m", "tools.differential", "compare"]
    command += ["--first", options.first, "--programs", options.programs]
    command += ["--jobs", options.workers]
    log = options.directory / cell.name / "programs.txt"
    done = run(command, cwd=tree(cell.python, options.directory), output=log)
    lines = done.stdout.strip().splitlines()
    if not lines or " programs, " not in lines[-1]:
        raise MatrixError(f"the comparison of programs broke down, see {log}")
    seeds = [line.split(":")[0] for line in lines if line.startswith("seed ")]
    return {
        "first": options.first,
        "report": lines[-1],
        "different": seeds,
        "ok": done.returncode == 0,
    }


def upstream(cell: Cell, options: Options) -> Found:
    """LangGraph's own suite of the release, patched; what fails is run on stock too."""
    python = python_of(cell, "upstream", options.directory)
    place = options.directory / cell.name
    report = place / "conformance.json"
    report.unlink(missing_ok=True)
    command: list[object] = [python, "-m", "tools.conformance", "--suite", "langgraph"]
    command += ["--engine", "suspects", "--workers", options.workers]
    command += ["--cache", place / "conformance", "--json", report]
    if cell.release not in COMPLETE:
        command.append("--not-strict")
    if not options.servers:
        command.append("--no-servers")
    log = place / "upstream.txt"
    done = run(command, cwd=tree(cell.python, options.directory), output=log)
    if not report.exists():
        must(done, f"upstream's suite, see {log}")
    data = json.loads(report.read_text(encoding="utf-8"))
    (suite,) = data["suites"]
    patched = suite.get("patched", {})
    return {
        "servers": options.servers,
        "passed": data["passed"],
        "skipped": patched.get("skipped", 0),
        "failing_on_stock_too": patched.get("failed", 0) - _once_failed(suite),
        "newly_failing": [change["test"] for change in suite.get("newly_failing", [])],
        "problems": suite["problems"],
        "ok": data["ok"],
    }


def _once_failed(suite: Found) -> int:
    return len(suite.get("newly_failing", [])) + len(suite.get("passed_when_run_again", []))


def own(cell: Cell, options: Options) -> Found:
    """The package's own suite, or the parts of it that are asked for."""
    python = python_of(cell, "own", options.directory)
    place = options.directory / cell.name
    results = place / "own.xml"
    results.unlink(missing_ok=True)
    command: list[object] = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-n", options.workers, "--dist", "loadfile", f"--junit-xml={results}"]
    command += options.own
    log = place / "own.txt"
    done = run(
        command,
        cwd=tree(cell.python, options.directory),
        output=log,
        FASTGRAPH_REQUIRE_EXTENSIONS="1",
    )
    if not results.exists():
        must(done, f"the own suite, see {log}")
    return {"arguments": list(options.own), **_outcomes(results)}


def _outcomes(results: Path) -> Found:
    failed, skipped, passed = [], 0, 0
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed.append(f"{case.get('classname')}::{case.get('name')}")
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return {
        "passed": passed,
        "skipped": skipped,
        "failed": len(failed),
        "failing": failed[:_LISTED],
        "ok": not failed and passed > 0,
    }


Part = Callable[[Cell, Options], Found]
PARTS: dict[str, Part] = {
    "targets": targets,
    "programs": programs,
    "upstream": upstream,
    "own": own,
}


def carried_out(part: str, cell: Cell, options: Options) -> Found:
    """Run a part of a cell, and say when it was and how long it took."""
    begin = time.monotonic()
    found = PARTS[part](cell, options)
    return {
        **found,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "seconds": round(time.monotonic() - begin),
        "sources": sources_digest(),
    }
