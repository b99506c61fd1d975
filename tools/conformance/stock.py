"""What stock does, kept as data, so that a later run needs the patched side only."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.conformance.errors import ConformanceError
from tools.conformance.outcomes import MISSING, Outcomes

#: Their releases may change what upstream's tests see; kept for the record.
_SURROUNDINGS = ("langchain-core", "pydantic", "pytest")


@dataclass(frozen=True)
class Stock:
    """Outcomes of a suite on stock.

    Parameters
    ----------
    suite, version : str
        The release of upstream whose tests were run.
    python : str
        The version of Python.
    sqlite_extensions : bool
        Whether that Python's sqlite3 can load extensions.
    surroundings : dict
        Versions of other distributions.
    runs : int
        How often the suite was run to find unstable tests.
    outcomes : dict
        Outcome by test id; of an unstable test, the first that was seen.
    unstable : dict
        What was seen of each test whose outcome varied.
    """

    suite: str
    version: str
    python: str
    sqlite_extensions: bool
    surroundings: dict[str, str]
    runs: int
    outcomes: Outcomes
    unstable: dict[str, list[str]] = field(default_factory=dict)

    def misfit(self, *, needs_sqlite_extensions: bool) -> str | None:
        """Return why this Python's outcomes may differ; None when they may not."""
        if self.python.split(".")[:2] != list(platform.python_version_tuple()[:2]):
            return f"made on Python {self.python}, this is {platform.python_version()}"
        if needs_sqlite_extensions and self.sqlite_extensions != sqlite_extensions():
            return "made on a Python whose sqlite3 differs in loading extensions"
        return None

    def drift(self) -> list[str]:
        """Return what is installed in another version than it was made with."""
        now = surroundings()
        return [
            f"{name} {now.get(name, 'absent')} (stock: {version})"
            for name, version in self.surroundings.items()
            if now.get(name) != version
        ]


def sqlite_extensions() -> bool:
    """Whether sqlite3 was built with support for extensions."""
    return hasattr(sqlite3.Connection, "enable_load_extension")


def surroundings() -> dict[str, str]:
    """Return the versions of the distributions that are kept for the record."""
    return {name: version for name in _SURROUNDINGS if (version := _version(name))}


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def merge_runs(suite: str, version: str, runs: list[Outcomes]) -> Stock:
    """Merge several runs, telling apart the tests whose outcome varied."""
    ids = sorted(set().union(*runs))
    seen = {test: [run.get(test, MISSING) for run in runs] for test in ids}
    return Stock(
        suite=suite,
        version=version,
        python=platform.python_version(),
        sqlite_extensions=sqlite_extensions(),
        surroundings=surroundings(),
        runs=len(runs),
        outcomes={test: outcomes[0] for test, outcomes in seen.items()},
        unstable={test: outcomes for test, outcomes in seen.items() if len(set(outcomes)) > 1},
    )


def data_file(directory: Path, suite: str, version: str) -> Path:
    """Return where the data of a release is kept."""
    return directory / f"{suite}-{version}.json"


def load(path: Path) -> Stock | None:
    """Read the data of a release; None if there is none.

    Raises
    ------
    ConformanceError
        If the file is damaged.
    """
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        outcomes = _ungroup(data.pop("parameters"), data.pop("outcomes"))
        return Stock(outcomes=outcomes, **data)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ConformanceError(f"{path.name} is damaged: {error}") from error


def save(stock: Stock, path: Path) -> None:
    """Write the data of a release, the same bytes for the same outcomes."""
    parameters, groups = _group(stock.outcomes)
    data: dict[str, Any] = {
        "suite": stock.suite,
        "version": stock.version,
        "python": stock.python,
        "sqlite_extensions": stock.sqlite_extensions,
        "surroundings": stock.surroundings,
        "runs": stock.runs,
        "unstable": stock.unstable,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()]
    lines.append(f'"parameters": [\n{_lines(map(json.dumps, parameters))}\n]')
    lines.append(f'"outcomes": {{\n{_lines(_outcome_lines(groups))}\n}}')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


# Thousands of ids share a few hundred sets of parameters, so the file holds
# each set once: outcome -> module -> {function: index of its set}.
_Groups = dict[str, dict[str, dict[str, int]]]


def _group(outcomes: Outcomes) -> tuple[list[list[str]], _Groups]:
    nested: dict[str, dict[str, dict[str, list[str]]]] = {}
    for test in sorted(outcomes):
        module, function, parameter = _split(test)
        functions = nested.setdefault(outcomes[test], {}).setdefault(module, {})
        functions.setdefault(function, []).append(parameter)
    sets: dict[tuple[str, ...], int] = {}
    groups: _Groups = {}
    for outcome, modules in sorted(nested.items()):
        for module, functions in sorted(modules.items()):
            indices = groups.setdefault(outcome, {}).setdefault(module, {})
            for function, parameters in sorted(functions.items()):
                indices[function] = sets.setdefault(tuple(parameters), len(sets))
    return [list(parameters) for parameters in sets], groups


def _ungroup(parameters: list[list[str]], groups: _Groups) -> Outcomes:
    return {
        f"{module}{function}{parameter}": outcome
        for outcome, modules in groups.items()
        for module, functions in modules.items()
        for function, index in functions.items()
        for parameter in parameters[index]
    }


def _split(test: str) -> tuple[str, str, str]:
    """Cut an id in three that give it back when they are put together."""
    module, separator, rest = test.partition("::")
    name, bracket, parameter = rest.partition("[")
    return module, separator + name, bracket + parameter


def _outcome_lines(groups: _Groups) -> Iterable[str]:
    for outcome, modules in groups.items():
        lines = _lines(
            f"{json.dumps(m)}: {json.dumps(functions)}" for m, functions in modules.items()
        )
        yield f"{json.dumps(outcome)}: {{\n{lines}\n}}"


def _lines(entries: Iterable[str]) -> str:
    return ",\n".join(entries)
