"""``fastgraph status``: what patch() does in this environment, and why not where it does not."""

from __future__ import annotations

import argparse
import json

from fastgraph.cli.engine import patch_process
from fastgraph.cli.parser import Commands, add_command, add_frameworks

_DETAILS = """\
The command patches its own process and prints the outcome, so it also proves that patching works.

examples:
  fastgraph status
  fastgraph status --json
  fastgraph status --frameworks langgraph
  fastgraph status --strict > /dev/null || echo "some targets would run stock"

The exit status is 0, or 1 with --strict if any target stays stock. One whose package is not
installed, or that this release of LangGraph does without, does not count.
"""


def add_to(commands: Commands) -> None:
    """Add the command ``status``."""
    parser = add_command(
        commands,
        "status",
        execute,
        summary="show versions, kernels and what patch() replaces here",
        details=_DETAILS,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_frameworks(parser)
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 if any target stays stock"
    )


def execute(options: argparse.Namespace) -> int:
    """Patch this process and print what came of it."""
    status = patch_process(frameworks=options.frameworks)
    if options.frameworks is not None:
        status = status.only(options.frameworks)
    print(json.dumps(status.to_dict(), indent=2) if options.json else status)
    stock = any(target.stays_stock for target in status.targets)
    # One that was asked for by its name; otherwise what is not installed does not count.
    absent = options.frameworks is not None and bool(status.missing)
    return int(options.strict and (stock or absent))
