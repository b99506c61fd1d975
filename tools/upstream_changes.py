#!/usr/bin/env python
"""Say within minutes what a new release of LangGraph changes for fastgraph.

python -m tools.upstream_changes 1.2.23

Three parts, each of which can be left out:

- fingerprints: which of the sources that replacements rely on moved since the release before, each
  with the difference, and which targets have no variant for the release. Parsed, not imported.
- targets: what `fastgraph status` says in an environment with the release, its checkpoint and
  prebuilt libraries and the newest langchain-core.
- conformance: whether the release's own suite passes patched, with the targets that do not fit
  left stock, and generated programs are the same on both engines.

To see what a release changed when it was new, --known names the newest one that is to be taken as
known, whose fingerprints then are the only ones that count. The other two parts go by the table.

Exits with 0 if nothing is unknown, 1 if targets stay stock, 2 if something fails or cannot be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from fastgraph.adapters import FRAMEWORKS
from fastgraph.adapters.target import Source, Target
from tools.fingerprints import (
    Release,
    ToolError,
    Wheel,
    Wheels,
    difference,
    distribution_of,
)
from tools.matrix import parts as matrix
from tools.matrix.cells import MAIN_PYTHON, Cell
from tools.matrix.errors import MatrixError
from tools.matrix.places import ROOT

MAIN = "langgraph"
PARTS = ("fingerprints", "targets", "conformance")


@dataclass
class Changes:
    """What moved from one release to another.

    Parameters
    ----------
    moved : dict
        By source, the difference as lines of a unified diff.
    leaning : dict
        By source that moved, the targets whose replacements rely on it.
    unfitting : list of str
        Targets of which no variant is proven for the release.
    """

    moved: dict[str, list[str]] = field(default_factory=dict)
    leaning: dict[str, list[str]] = field(default_factory=dict)
    unfitting: list[str] = field(default_factory=list)

    def lines(self, before: Release, asked: Release) -> Iterator[str]:
        """Yield a report."""
        yield f"{len(self.moved)} sources moved from {before} to {asked}"
        for label, diff in self.moved.items():
            yield ""
            yield f"{label}, relied on by {', '.join(self.leaning[label])}"
            yield from diff
        yield ""
        if self.unfitting:
            yield f"{len(self.unfitting)} targets stay stock: {', '.join(self.unfitting)}"
        else:
            yield f"every target has a variant for {asked}"


def changes(targets: Iterable[Target], before: Wheel, asked: Wheel, *, strict: bool) -> Changes:
    """Compare two releases, source by source.

    Parameters
    ----------
    targets : iterable of Target
        The table.
    before, asked : Wheel
        The releases.
    strict : bool
        Take only the fingerprints of `before` as known, not those of the table.
    """
    found = Changes()
    for target in targets:
        moved = [source for source in _sources(target) if _has_moved(source, before, asked)]
        for source in moved:
            if source.label not in found.moved:
                found.moved[source.label] = list(difference(source, before, asked))
            found.leaning.setdefault(source.label, []).append(target.name)
        values = {source.label: asked.fingerprint(source) for source in _sources(target)}
        known = any(variant.reproduces(values) for variant in target.variants)
        if moved if strict else not known:
            found.unfitting.append(target.name)
    return found


def _sources(target: Target) -> list[Source]:
    return [source for source in target.sources if distribution_of(source.module) == MAIN]


def _has_moved(source: Source, before: Wheel, asked: Wheel) -> bool:
    return before.fingerprint(source) != asked.fingerprint(source)


def _fingerprints(given: argparse.Namespace) -> bool:
    """Print what moved; returns whether every target fits."""
    wheels = Wheels(given.wheels or given.cache, download=given.wheels is None)
    asked = Release(MAIN, Version(given.release))
    older = [
        release
        for release in wheels.releases(
            MAIN, SpecifierSet(f">=1.0,<={given.known or given.release}")
        )
        if release.version < asked.version
    ]
    if not older:
        raise ToolError(f"there is no release before {asked}")
    before = older[-1]
    found = changes(
        FRAMEWORKS[MAIN].targets(),
        wheels.open(before),
        wheels.open(asked),
        strict=given.known is not None,
    )
    print("\n".join(found.lines(before, asked)), flush=True)
    return not found.unfitting


def _options(given: argparse.Namespace) -> matrix.Options:
    return matrix.Options(
        directory=given.directory.resolve(),
        programs=given.programs,
        first=70000,
        workers=given.workers,
        servers=False,
        own=(),
    )


def _targets(cell: Cell, given: argparse.Namespace) -> bool:
    found = matrix.targets(cell, _options(given))
    print(f"{cell}: {found['active']} targets active, with {_versions(found)}", flush=True)
    for name, reason in found["stock"].items():
        print(f"  {name} stays stock: {reason}", flush=True)
    return not found["stock"]


def _versions(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found["versions"].items())


def _conformance(cell: Cell, given: argparse.Namespace) -> bool:
    suite = matrix.upstream(cell, _options(given))
    print(f"upstream's suite, patched: {json.dumps(suite)}", flush=True)
    programs = matrix.programs(cell, _options(given))
    print(f"generated programs: {programs['report']}", flush=True)
    return bool(suite["ok"] and programs["ok"])


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tools.upstream_changes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("release", metavar="RELEASE", help="of LangGraph, as 1.2.23")
    made.add_argument("--known", metavar="RELEASE", help="the newest that is taken as known")
    made.add_argument("--part", action="append", choices=PARTS, help="only this; repeatable")
    made.add_argument("--programs", type=int, default=200, help="how many; default: 200")
    made.add_argument("--workers", type=int, default=2, help="processes; default: 2")
    made.add_argument(
        "--cache",
        type=Path,
        default=ROOT / "build" / "wheels",
        metavar="DIR",
        help="download the wheels into DIR; default: build/wheels",
    )
    made.add_argument("--wheels", type=Path, metavar="DIR", help="take them from DIR instead")
    made.add_argument("--directory", type=Path, default=ROOT / "build" / "matrix")
    return made


def run(given: argparse.Namespace) -> int:
    """Do what the command line asks."""
    wanted = given.part or PARTS
    cell = Cell(MAIN_PYTHON, given.release)
    fits = passes = True
    if "fingerprints" in wanted:
        fits = _fingerprints(given)
    if "targets" in wanted:
        fits = _targets(cell, given) and fits
    if "conformance" in wanted:
        passes = _conformance(cell, given)
    if not passes:
        return 2
    return 0 if fits else 1


def main() -> int:
    """Run the tool and return its exit status."""
    try:
        return run(parser().parse_args())
    except (ToolError, MatrixError, InvalidVersion) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
