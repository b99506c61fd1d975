"""The ``fastgraph`` command line, one module per command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fastgraph._version import __version__
from fastgraph.cli import bench, demo, profile, run, status, verify
from fastgraph.cli.parser import CommandError, Parser

__all__ = ["main"]

_EXAMPLES = """\
examples:
  fastgraph status                 what patch() does here, and why not where it does not
  fastgraph run agent.py --verbose run a program patched, unmodified
  fastgraph run -m my_package      the same for a module
  fastgraph verify app:graph --input in.json
                                   run a graph on both engines and compare
  fastgraph demo                   time a tool-calling agent, stock against patched
  fastgraph bench agent:graph      the same for a graph of your own
  fastgraph profile agent:graph    where the time of its supersteps goes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        The words after the program's name; by default those of this process.

    Returns
    -------
    int
        The exit status. ``run`` may also leave by whatever the program it runs raises.
    """
    own, program = run.split_program(sys.argv[1:] if arguments is None else list(arguments))
    options = _parser().parse_args(own)
    options.program_arguments = program
    try:
        exit_code: int = options.execute(options)
        if options.execute is not run.execute:
            sys.stdout.flush()
    except CommandError as error:
        print(f"fastgraph: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        if options.execute is run.execute:
            raise
        # Its reader has enough, as `head` does. What is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return exit_code


def _parser() -> Parser:
    parser = Parser(
        prog="fastgraph",
        description="Opt-in engine for LangGraph: the same results, compiled hot paths.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastgraph {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True, title="commands")
    for command in (run, status, verify, demo, bench, profile):
        command.add_to(commands)
    return parser
