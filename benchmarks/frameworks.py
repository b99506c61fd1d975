"""The commands of the other frameworks, as parts of the report.

Each runs in a process of its own: AG-UI's, and BrainyFlow's on Python 3.13, in the environment that
`make .venv-brainyflow/.built` makes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks import provenance
from benchmarks.superstep import page

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
COMMAND = "make bench, brainyflow"
#: Where the Makefile sets BrainyFlow up.
PYTHON = Path(os.environ.get("ON_BRAINYFLOW", ROOT / ".venv-brainyflow" / "bin" / "python"))
ABOUT = """
import platform
from importlib import metadata
print(platform.python_version(), f"brainyflow {metadata.version('brainyflow')}", sep="\\n")
"""


def parsed(name: str, arguments: list[str] | None, renewed: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=name)
    if name == "ag-ui":
        parser.add_argument("--seconds", action="store_true", help="count no instructions")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of a row (default: 9)")
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    page.add_options(parser, renewed)
    return parser.parse_args(arguments)


def ag_ui(arguments: list[str] | None = None) -> int:
    """Measure requests through AG-UI; renews docs/ag-ui.md."""
    options = parsed("ag-ui", arguments, ROOT / "docs" / "ag-ui.md")
    if why := page.why_not(options):
        return refused("ag-ui", why)
    if find_spec("ag_ui_langgraph") is None or find_spec("copilotkit") is None:
        return refused("ag-ui", "its packages are not installed: make .venv/.with-benchmarks")
    command = [sys.executable, "-m", "benchmarks.ag_ui", "--rounds", str(options.rounds)]
    words = ("seconds", "docs", "though_busy")
    command += [f"--{word.replace('_', '-')}" for word in words if getattr(options, word)]
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    if done.returncode:
        return refused("ag-ui", "its command failed")
    keep(options.json, *done.stdout.partition("\n")[::2])
    return 0


def brainyflow(arguments: list[str] | None = None) -> int:
    """Measure nodes of BrainyFlow; renews its table in docs/benchmarks.md."""
    options = parsed("brainyflow", arguments, PAGE)
    if why := page.why_not(options):
        return refused("brainyflow", why)
    if not PYTHON.exists():
        return refused("brainyflow", f"there is no {PYTHON}: make .venv-brainyflow/.built")
    command = [str(PYTHON), "-m", "benchmarks.brainyflow", "--rounds", str(options.rounds)]
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    about = subprocess.run([str(PYTHON), "-c", ABOUT], check=False, capture_output=True, text=True)
    if done.returncode or about.returncode:
        return refused("brainyflow", "its command failed")
    table = done.stdout.strip()
    print(table)
    note = f"{options.rounds} rounds per row, 3 of chains from 1,000 on; processor time."
    source = provenance.said("make bench", *about.stdout.split("\n")[:2], note)
    keep(options.json, source, table)
    return page.renew(options, f"{source}\n\n{table}", PAGE, COMMAND)


def keep(path: Path | None, source: str, table: str) -> None:
    """Keep a table, line by line."""
    if path:
        provenance.write(path, source, [{"line": line} for line in table.strip().split("\n")])


def refused(name: str, why: str) -> int:
    print(f"{name}: error: {why}", file=sys.stderr)
    return 2
