"""``fastgraph verify``: a graph of the user's on both engines, compared in all that can be seen."""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import asdict
from typing import Any

import fastgraph
from fastgraph import kernel_choice
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
    # Only now, for they import LangGraph.
    from fastgraph.cli.graph_argument import load_graph, read_config, read_input
    from fastgraph.verify.runs import WAYS, verify

    given = json.loads(read_input(options.input))
    config = None if options.config is None else read_config(options.config)
    graph = load_graph(options.graph)

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
