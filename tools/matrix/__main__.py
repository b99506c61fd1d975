"""Run the package on several Pythons and releases of LangGraph.

Each cell of the matrix, a Python with a release, gets environments of its own. What was run before
is not run again, so that an interrupted matrix goes on where it was; --again runs it anew.
Results are kept in tools/matrix/results.json, and in a table of docs/releases.md.

python -m tools.matrix
python -m tools.matrix --only 1.2.8 --part upstream --again
python -m tools.matrix --python 3.12 --own tests/kernels tests/codec

Exits with 1 if a part fails, with 2 if one cannot be run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tools.matrix import page
from tools.matrix.cells import PYTHONS, RELEASES, Cell, cells
from tools.matrix.errors import MatrixError
from tools.matrix.parts import PARTS, Options, carried_out
from tools.matrix.places import ROOT

RESULTS = ROOT / "tools" / "matrix" / "results.json"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tools.matrix",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="RELEASE",
        help=f"this release of LangGraph; repeatable; default: {', '.join(RELEASES)}",
    )
    made.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="VERSION",
        help=f"this Python; repeatable; default: {', '.join(PYTHONS)}",
    )
    made.add_argument(
        "--part",
        action="append",
        choices=tuple(PARTS),
        default=[],
        help=f"this part; repeatable; default: {', '.join(PARTS)}",
    )
    made.add_argument("--again", action="store_true", help="run what was run before, too")
    made.add_argument("--programs", type=int, default=400, help="how many; default: 400")
    made.add_argument("--first", type=int, default=60000, help="their first seed")
    made.add_argument("--workers", type=int, default=2, help="processes of a part; default: 2")
    made.add_argument(
        "--servers", action="store_true", help="upstream's tests with PostgreSQL and Redis, too"
    )
    made.add_argument(
        "--own",
        nargs="+",
        default=["tests"],
        metavar="PATH",
        help="the parts of the own suite that are run; default: all",
    )
    made.add_argument(
        "--quick-own", action="store_true", help="without the slow tests of the own suite"
    )
    made.add_argument("--directory", type=Path, default=ROOT / "build" / "matrix")
    made.add_argument("--list", action="store_true", help="say what was not run, and run nothing")
    made.add_argument("--page", action="store_true", help="only renew the table")
    return made


def _load() -> dict[str, dict[str, Any]]:
    if not RESULTS.exists():
        return {}
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results


def _keep(cell: Cell, part: str, found: dict[str, Any]) -> None:
    results = _load()  # as another process may have added to it
    results.setdefault(cell.name, {})[part] = found
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    page.renew(results)


def _run_part(part: str, cell: Cell, options: Options) -> int:
    """Run one part of a cell; returns an exit status."""
    print(f"{cell}: {part}", file=sys.stderr, flush=True)
    try:
        found = carried_out(part, cell, options)
    except MatrixError as error:
        print(f"error: {cell}: {part}: {error}", file=sys.stderr, flush=True)
        return 2
    _keep(cell, part, found)
    said = "ok" if found["ok"] else "FAILED"
    print(f"{cell}: {part}: {said} in {found['seconds']} s", flush=True)
    return 0 if found["ok"] else 1


def main() -> int:
    """Run the command and return its exit status."""
    given = parser().parse_args()
    if given.page:
        page.renew(_load())
        return 0
    chosen = tuple(given.own) + (("-m", "not slow") if given.quick_own else ())
    options = Options(
        directory=given.directory.resolve(),
        programs=given.programs,
        first=given.first,
        workers=given.workers,
        servers=given.servers,
        own=chosen,
    )
    status = 0
    for cell in cells(given.only, given.python):
        for part in given.part or PARTS:
            if part in _load().get(cell.name, {}) and not given.again:
                continue
            if given.list:
                print(f"{cell}: {part}")
            else:
                status = max(status, _run_part(part, cell, options))
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MatrixError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
