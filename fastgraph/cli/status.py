"""``fastgraph status``: what patch() does in this environment, and why not where it does not."""

from __future__ import annotations

import argparse
import json

from fastgraph.cli.engine import patch_process
from fastgraph.cli.parser import Commands, add_command

_DETAILS = """\
The command patches its own process and prints the outcome, so it also proves that patching works.

examples:
  fastgraph status
  fastgraph status --json
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
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 if any target stays stock"
    )


def execute(options: argparse.Namespace) -> int:
    """Patch this process and print what came of it."""
    status = patch_process()
    print(json.dumps(status.to_dict(), indent=2) if options.json else status)
    return int(options.strict and any(target.stays_stock for target in status.targets))
