"""The options that say which graph is run, on what, and how."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastgraph.cli.names import chosen
from fastgraph.cli.parser import CommandError, Parser

if TYPE_CHECKING:
    from fastgraph.cli.graph_argument import Graph
    from fastgraph.cli.workload import Case, Workload


def add_case_options(parser: Parser, *, several: bool) -> None:
    """Add them; of a mode, stream mode and saver there may be several, separated by commas."""
    more = ", separated by commas" if several else ""
    parser.add_argument(
        "graph", metavar="module:graph", help="a compiled graph; or path/to/file.py:graph"
    )
    parser.add_argument("--input", metavar="FILE", help="the graph's input as JSON; - for stdin")
    parser.add_argument("--config", metavar="FILE", help="the config as JSON")
    parser.add_argument("--mode", help=f"sync, async{more}; by default what the nodes allow")
    parser.add_argument(
        "--stream-mode",
        default="invoke",
        help="invoke (default), values, updates, messages, custom, tasks, checkpoints, "
        f"debug{more}",
    )
    parser.add_argument(
        "--saver",
        default="own",
        help=f"own (default: as the graph was compiled), none, memory, sqlite, postgres{more}",
    )
    parser.add_argument("--postgres", metavar="ADDRESS", help="the database of --saver postgres")
    parser.add_argument("--durability", help="when checkpoints are written: sync, async or exit")


@dataclass(frozen=True)
class Request:
    """What the options ask for, found and read.

    Attributes
    ----------
    spec : str
        What the user calls the graph.
    graph : Graph
        The graph.
    given : str
        The input as JSON.
    config : dict
        The config.
    cases : list of Case
        The ways in which it is to be run.
    durability, postgres : str or None
        As the user gave them.
    """

    spec: str
    graph: Graph
    given: str
    config: dict[str, Any]
    cases: list[Case]
    durability: str | None
    postgres: str | None

    def opened(self, case: Case) -> AbstractContextManager[Workload]:
        """Open what a case needs."""
        from fastgraph.cli import workload

        return workload.opened(
            self.spec,
            self.graph,
            self.given,
            self.config,
            case,
            durability=self.durability,
            postgres=self.postgres,
        )


def request(options: argparse.Namespace) -> Request:
    """Check and read what the options name; names before files, and files before the graph.

    Raises
    ------
    CommandError
        If a name, a file or the graph is not what it should be.
    """
    # Not for the help of other commands: this imports LangGraph.
    from fastgraph.cli import workload
    from fastgraph.cli.graph_argument import load_graph, read_config, read_input

    modes = None if options.mode is None else chosen("--mode", options.mode, workload.MODES)
    stream_modes = chosen("--stream-mode", options.stream_mode, workload.STREAM_MODES)
    savers = chosen("--saver", options.saver, workload.SAVERS)
    if options.durability not in (None, *workload.DURABILITIES):
        raise CommandError(
            f"--durability is one of {', '.join(workload.DURABILITIES)}, not {options.durability!r}"
        )
    if "postgres" in savers and options.postgres is None:
        raise CommandError("--saver postgres needs --postgres with the address of a database")
    if options.input == options.config == "-":
        raise CommandError("--input and --config cannot both be standard input")
    given, config = read_input(options.input), read_config(options.config)
    graph = load_graph(options.graph)
    cases = workload.cases(modes or [workload.default_mode(graph)], stream_modes, savers)
    return Request(options.graph, graph, given, config, cases, options.durability, options.postgres)
