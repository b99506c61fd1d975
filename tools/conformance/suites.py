"""Upstream's test suites: which there are and what each one needs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tools.conformance.errors import ConformanceError


@dataclass(frozen=True)
class Suite:
    """The tests of one upstream distribution.

    Parameters
    ----------
    distribution : str
        Name on PyPI, which is the suite's name here.
    postgres, redis : bool
        Whether some of its tests talk to that server.
    sqlite_extensions : bool
        Whether some of its tests load extensions into sqlite3, which not every
        Python can.
    environment : mapping
        Variables that make upstream run all of its tests.
    configuration : str, optional
        The file that pytest takes for its configuration, where upstream's has
        none: else pytest looks for one further up, and finds ours.
    apart : bool
        Whether it is run only when it is named, in an environment of its own:
        what it needs shows in the outcomes of other suites (with `langchain`
        installed, its version is in every model's metadata).
    """

    distribution: str
    postgres: bool = False
    redis: bool = False
    sqlite_extensions: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    configuration: str | None = None
    apart: bool = False

    def without_servers(self) -> Suite:
        """Return the suite with those tests left out that need a server, as upstream can."""
        environment = {**self.environment, "NO_DOCKER": "true", "LANGGRAPH_TEST_FAST": "1"}
        return replace(self, postgres=False, redis=False, environment=environment)


SUITES = (
    Suite("langgraph", postgres=True, redis=True, environment={"NO_DOCKER": "false"}),
    Suite("langgraph-prebuilt", postgres=True, environment={"LANGGRAPH_TEST_FAST": "0"}),
    Suite("langgraph-checkpoint", redis=True),
    Suite("langgraph-checkpoint-sqlite", sqlite_extensions=True),
    Suite("langgraph-checkpoint-postgres", postgres=True),
    Suite("langgraph-checkpoint-conformance"),
    Suite("ag-ui-langgraph", configuration="pyproject.toml", apart=True),
)


def installed_version(distribution: str) -> str:
    """Return the version of `distribution` in this environment.

    Raises
    ------
    ConformanceError
        If it is not installed.
    """
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise ConformanceError(f"{distribution} is not installed in this environment") from None
