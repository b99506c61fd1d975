"""``fastgraph verify``: a graph of the user's on both engines, compared in all that can be seen."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fastgraph
from fastgraph import kernel_choice
from fastgraph.cli.engine import one_line
from fastgraph.cli.parser import CommandError, Commands, add_command, comma_separated

_DETAILS = """\
Runs the graph on stock LangGraph and patched, with clock, ids and random numbers fixed, by invoke,
stream (all modes, with subgraphs and a callback handler) and their async twins, and compares
results or errors, chunks, callback events, log records, warnings and what is stored.

The graph runs at least eight times: let its nodes talk to nothing that minds. A checkpointer is
replaced by one in memory. Graphs whose nodes themselves draw random ids or ask the time cannot be
told from an engine that differs; where stock differs from itself the way is called unsteady.

examples:
  fastgraph verify my_package.agent:graph --input in.json
  echo '{"question": "why?"}' | fastgraph verify agent.py:graph --input -
  fastgraph verify agent.py:graph --input in.json --config config.json --ways invoke,astream

The exit status is 0 if all ways are equal, 1 if one differs, 3 if one is unsteady.
"""
UNSTEADY = 3


def add_to(commands: Commands) -> None:
    """Add the command ``verify``."""
    parser = add_command(
        commands,
        "verify",
        execute,
        summary="run a graph on stock and patched, and compare all that can be seen",
        details=_DETAILS,
    )
    parser.add_argument("graph", help="module:name or file.py:name of a compiled graph")
    parser.add_argument(
        "--input", metavar="FILE", required=True, help="its input as JSON; - for standard input"
    )
    parser.add_argument("--config", metavar="FILE", help="the config of its runs as JSON")
    parser.add_argument(
        "--ways",
        type=comma_separated,
        metavar="WAYS",
        help="some of invoke,stream,ainvoke,astream; default: all",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(options: argparse.Namespace) -> int:
    """Verify a graph; prints a line for each way."""
    choice = kernel_choice.choose()
    if choice.kernels == "none":
        raise CommandError(f"there is nothing to compare: {choice.reason}")
    given = _read(options.input)
    config = None if options.config is None else _read(options.config)
    if config is not None and not isinstance(config, dict):
        raise CommandError(f"{options.config} is not a JSON object")
    graph = _load(options.graph)
    from fastgraph.verify.runs import WAYS, verify  # only now, for they import LangGraph

    unknown = sorted({*(options.ways or ())} - {*WAYS})
    if unknown:
        raise CommandError(f"there is no way {unknown[0]!r}; the ways are {', '.join(WAYS)}")
    if fastgraph.is_patched():
        fastgraph.unpatch()
    warnings.filterwarnings("ignore", category=fastgraph.FastgraphWarning)
    outcomes = verify(graph, given, config, options.ways or WAYS)
    if options.json:
        print(json.dumps({"outcomes": [asdict(outcome) for outcome in outcomes]}, indent=2))
    else:
        for outcome in outcomes:
            print(_line(outcome))
    verdicts = {outcome.verdict for outcome in outcomes}
    return 1 if "different" in verdicts else UNSTEADY if "unsteady" in verdicts else 0


def _line(outcome: Any) -> str:
    ended = f" (both end with {outcome.error})" if outcome.error else ""
    if outcome.verdict == "equal":
        return f"{outcome.way}: equal{ended}"
    if outcome.verdict == "unsteady":
        return f"{outcome.way}: unsteady, stock differs from itself {outcome.difference}"
    return f"{outcome.way}: different, stock and patched {outcome.difference}"


def _read(file: str) -> Any:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {one_line(error)}") from None


def _load(target: str) -> Any:
    where, separator, name = target.rpartition(":")
    if not separator or not where or not name:
        raise CommandError(f"expected module:name or file.py:name, not {target!r}")
    try:
        module = _module(where)
    except Exception as error:
        raise CommandError(f"{where}: {type(error).__name__}: {one_line(error)}") from error
    graph = getattr(module, name, None)
    if not callable(getattr(graph, "astream", None)) or not hasattr(graph, "checkpointer"):
        raise CommandError(f"{target} is not a compiled graph, but {type(graph).__name__}")
    return graph


def _module(where: str) -> Any:
    if not where.endswith(".py"):
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(where)
    path = Path(where).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise FileNotFoundError(where)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
