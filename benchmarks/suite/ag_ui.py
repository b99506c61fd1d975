"""Requests through AG-UI: a model that streams one token or many, as server-sent events."""

from __future__ import annotations

from importlib.util import find_spec

import fastgraph

from .engine import switch_on

PROGRAMS = (
    "ag-ui-langgraph/1",
    "ag-ui-langgraph/200",
    "copilotkit/1",
    "copilotkit/200",
)


class AgUi:
    """A request to an agent of one node."""

    timeout = 300.0
    param_names = ("program",)
    params = (PROGRAMS,)

    def setup(self, program: str) -> None:
        if find_spec("ag_ui_langgraph") is None or find_spec("copilotkit") is None:
            raise NotImplementedError("AG-UI's packages are not installed")
        from benchmarks.ag_ui import requests

        switch_on()
        kind, _, tokens = program.partition("/")
        self.agent = requests.agent(kind, int(tokens))
        self.answers = requests.answers
        self.answers(self.agent, 1)

    def teardown(self, program: str) -> None:
        fastgraph.unpatch()

    def time_request(self, program: str) -> None:
        self.answers(self.agent, 1)

    def peakmem_request(self, program: str) -> None:
        self.answers(self.agent, 1)
