"""What every command shares on its command line: the parser, the error, the help's layout."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn, TypeAlias

Execute = Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """A command cannot go on; its text is one line for the user."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, the same for every command."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line instead of the usage and a line."""
        self.exit(2, f"fastgraph: error: {message} (see {self.prog} --help)\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_command(
    commands: Commands, name: str, execute: Execute, *, summary: str, details: str
) -> Parser:
    """Add one command.

    Parameters
    ----------
    commands
        What ``add_subparsers`` of the main parser returned.
    name
        The word that selects the command.
    execute
        Runs the command and returns its exit status.
    summary
        One line, listed by ``fastgraph --help``.
    details
        Examples and notes, printed as they are below the options.

    Returns
    -------
    Parser
        The command's own parser, to which it adds its options.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(execute=execute)
    return parser


def add_frameworks(parser: Parser) -> None:
    """Add the option that chooses frameworks."""
    parser.add_argument(
        "--frameworks",
        type=comma_separated,
        metavar="NAMES",
        help="patch only these frameworks, separated by commas; by default every one that is "
        "installed and supported",
    )


def positive_int(text: str) -> int:
    """Parse a whole number of at least 1.

    Raises
    ------
    argparse.ArgumentTypeError
        If the text is anything else.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not {text!r}")
    return int(text)


def comma_separated(text: str) -> list[str]:
    """Split ``a,b``, dropping blanks around the names.

    Raises
    ------
    argparse.ArgumentTypeError
        If no name is left.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("expected names separated by commas")
    return names
