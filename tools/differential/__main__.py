"""Generated programs on stock LangGraph and on the patched one.

python -m tools.differential compare --programs 2000
python -m tools.differential compare --steps 1000000 --jobs 8
python -m tools.differential steady --rounds 20
python -m tools.differential show 17
python -m tools.differential reduce 17
python -m tools.differential mutations

Exits with 1 if anything differs, or if a mutation is not noticed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.differential import mutations, steadiness
from tools.differential.comparison import compared, differs
from tools.differential.generator import program_of
from tools.differential.program import Program
from tools.differential.reduction import reduced
from tools.differential.soak import ROOT, batch, soak

REGRESSIONS = ROOT / "tests" / "differential" / "regressions.txt"


def _keep(program: Program, because: str) -> None:
    with REGRESSIONS.open("a", encoding="utf-8") as file:
        file.write(f"# {because}\n{program!r}\n")


def _compare(given: argparse.Namespace) -> int:
    report = soak(
        first=given.first,
        programs=given.programs,
        steps=given.steps,
        minutes=given.minutes,
        jobs=given.jobs,
    )
    print(report)
    if given.races:
        for seed, difference in report.races:
            print(f"race, seed {seed}: {difference}")
    if given.keep:
        for seed, _ in report.different:
            _keep(reduced(program_of(seed), differs), f"seed {seed}")
    return 1 if report.different else 0


def _batch(given: argparse.Namespace) -> int:
    print(json.dumps({"results": batch(given.first, given.count)}))
    return 0


def _rounds(given: argparse.Namespace) -> int:
    found = steadiness.rounds(given.engine, given.first, given.programs, given.count)
    print(json.dumps({"rounds": found}))
    return 0


def _steady(given: argparse.Namespace) -> int:
    return steadiness.report(given.first, given.programs, given.rounds)


def _show(given: argparse.Namespace) -> int:
    program = program_of(given.seed)
    print(program)
    (verdict,) = compared([program])
    print(verdict.kind, verdict.difference)
    return 0 if verdict else 1


def _reduce(given: argparse.Namespace) -> int:
    program = reduced(program_of(given.seed), differs)
    print(program)
    (verdict,) = compared([program])
    print(verdict.kind, verdict.difference)
    if given.keep and not verdict:
        _keep(program, f"seed {given.seed}")
    return 0


def _mutate(given: argparse.Namespace) -> int:
    return mutations.run(given.programs, given.only, Path(given.scratch) if given.scratch else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.differential",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("compare", help="compare many programs")
    command.add_argument("--first", type=int, default=0, help="the first seed; default: 0")
    command.add_argument("--programs", type=int, help="how many; default: no limit")
    command.add_argument("--steps", type=int, help="until so many steps of nodes were taken")
    command.add_argument("--minutes", type=float, help="so long")
    command.add_argument("--jobs", type=int, default=2, help="processes at a time; default: 2")
    command.add_argument("--keep", action="store_true", help="keep what differs as regressions")
    command.add_argument("--races", action="store_true", help="say where stock differs from itself")
    command.set_defaults(execute=_compare)
    command = commands.add_parser("batch", help="compare the programs of some seeds; prints JSON")
    command.add_argument("first", type=int)
    command.add_argument("count", type=int)
    command.set_defaults(execute=_batch)
    command = commands.add_parser("steady", help="whether memory stays flat, round by round")
    command.add_argument("--first", type=int, default=0, help="the first seed; default: 0")
    command.add_argument("--programs", type=int, default=40, help="in a round; default: 40")
    command.add_argument("--rounds", type=int, default=20, help="default: 20")
    command.set_defaults(execute=_steady)
    command = commands.add_parser("rounds", help="run programs in rounds on one engine")
    command.add_argument("engine", choices=("stock", "patched"))
    for name in ("first", "programs", "count"):
        command.add_argument(name, type=int)
    command.set_defaults(execute=_rounds)
    for name, execute in (("show", _show), ("reduce", _reduce)):
        command = commands.add_parser(name, help=f"{name} the program of a seed")
        command.add_argument("seed", type=int)
        command.add_argument("--keep", action="store_true", help="keep it as a regression")
        command.set_defaults(execute=execute)
    command = commands.add_parser("mutations", help="whether deliberate mistakes are noticed")
    command.add_argument("--programs", type=int, default=400, help="at most; default: 400")
    command.add_argument("--only", help="those whose name contains this")
    command.add_argument("--scratch", help="where to build; default: a temporary directory")
    command.set_defaults(execute=_mutate)
    return parser


def main() -> int:
    given = _parser().parse_args()
    status: int = given.execute(given)
    return status


if __name__ == "__main__":
    sys.exit(main())
