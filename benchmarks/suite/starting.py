"""What comes before a run: importing, patching, compiling a graph."""

from __future__ import annotations

import fastgraph

from . import graphs
from .engine import ENGINE, only_patched, switch_on


class Compile:
    """Compiling a graph of so many nodes."""

    timeout = 300.0
    param_names = ("nodes",)
    params = ((10, 100, 1000),)

    def setup(self, nodes: int) -> None:
        switch_on()
        self.builder = graphs.chain(nodes)

    def teardown(self, nodes: int) -> None:
        fastgraph.unpatch()

    def time_compile(self, nodes: int) -> None:
        self.builder.compile()


class Patch:
    """Switching on and off, where it has been on before."""

    def setup(self) -> None:
        only_patched()
        fastgraph.patch()

    def teardown(self) -> None:
        fastgraph.unpatch()

    def time_off_and_on(self) -> None:
        fastgraph.unpatch()
        fastgraph.patch()


class Import:
    """In a process of its own: the program's start as its user waits for it."""

    def timeraw_langgraph(self) -> str:
        """LangGraph itself, patched if that is the engine."""
        also = "; import fastgraph; fastgraph.patch()" if ENGINE == "patched" else ""
        return f"import langgraph.graph{also}"

    def timeraw_fastgraph(self) -> str:
        """The package without LangGraph."""
        return "import fastgraph"

    def timeraw_patch(self) -> tuple[str, str]:
        """The first patch of a process."""
        return "fastgraph.patch()", "import langgraph.graph, fastgraph"
