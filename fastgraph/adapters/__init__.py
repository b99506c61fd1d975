"""The frameworks fastgraph has an adapter for, none of them imported here."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fastgraph.adapters.target import Target


@dataclass(frozen=True)
class Framework:
    """Where to find a framework and its adapter.

    Attributes
    ----------
    name : str
        What `Target.framework` says, and how users name it.
    probe : str
        Its module; present means the framework is installed.
    distributions : tuple of str
        Whose versions a status reports; the framework's own comes first.
    table : str
        ``"package.module:ATTRIBUTE"`` of the tuple of targets.
    fingerprints : str
        ``"package:file"`` of the upstream files known, as
        ``tools/fingerprints.py`` writes it.
    optional : tuple of str
        Packages of its that it does without, some of whose functions are in
        the table.
    codec : str, optional
        ``"package.module:function"`` that is told by its name how to write
        checkpoints, once something of it is in place.
    title : str, optional
        How its authors write its name; as `name` by default.
    python : tuple of int
        The first Python that it runs on, where its metadata does not say so.
    """

    name: str
    probe: str
    distributions: tuple[str, ...]
    table: str
    fingerprints: str
    optional: tuple[str, ...] = ()
    codec: str = ""
    title: str = ""
    python: tuple[int, int] = (3, 10)

    @property
    def why_not(self) -> str | None:
        """Why nothing of it can be replaced here, None if it can."""
        if not self.installed:
            return "not installed"
        if sys.version_info < self.python:
            return "needs Python {}.{}".format(*self.python)
        return None

    @property
    def installed(self) -> bool:
        """Whether the framework can be imported; it is not."""
        try:
            return importlib.util.find_spec(self.probe) is not None
        except (ModuleNotFoundError, ValueError):  # ValueError: a module without a spec
            return False

    @property
    def version(self) -> str | None:
        """The version installed, as far as its metadata tells."""
        return _version(self.distributions[0])

    def versions(self) -> dict[str, str]:
        """Return the version of each distribution that is installed."""
        found = {name: _version(name) for name in self.distributions}
        return {name: version for name, version in found.items() if version is not None}

    def targets(self) -> tuple[Target, ...]:
        """Load the table of what can be replaced."""
        module, _, attribute = self.table.partition(":")
        targets: tuple[Target, ...] = getattr(importlib.import_module(module), attribute)
        return targets

    def write(self, codec: str) -> None:
        """Write checkpoints so; what was never loaded writes none."""
        module, _, function = self.codec.partition(":")
        if module in sys.modules:
            getattr(sys.modules[module], function)(codec)

    def known_files(self) -> Mapping[str, Mapping[str, str]]:
        """Load the fingerprints by label, by the SHA-256 of the upstream file."""
        from importlib import resources  # slow to import, and of no use before

        package, _, file = self.fingerprints.partition(":")
        resource = resources.files(package).joinpath(file)
        # Only a shortcut past parsing: without it patching works the same.
        if not resource.is_file():
            return {}
        files = json.loads(resource.read_text(encoding="utf-8"))["files"]
        return {digest: known["fingerprints"] for digest, known in files.items()}


FRAMEWORKS: Mapping[str, Framework] = {
    "langgraph": Framework(
        name="langgraph",
        probe="langgraph.pregel",
        distributions=(
            "langgraph",
            "langgraph-checkpoint",
            "langgraph-checkpoint-sqlite",
            "langgraph-checkpoint-postgres",
            "langgraph-prebuilt",
            "langchain-core",
        ),
        table="fastgraph.adapters.langgraph.targets:TARGETS",
        fingerprints="fastgraph.adapters.langgraph:fingerprints.json",
        optional=("langgraph.checkpoint.sqlite", "langgraph.checkpoint.postgres"),
        codec="fastgraph.adapters.langgraph.encoded_classes:write",
        title="LangGraph",
    ),
    "ag-ui": Framework(
        name="ag-ui",
        probe="ag_ui_langgraph",
        distributions=("ag-ui-langgraph", "ag-ui-protocol", "copilotkit"),
        table="fastgraph.adapters.ag_ui.targets:TARGETS",
        fingerprints="fastgraph.adapters.ag_ui:fingerprints.json",
        title="AG-UI",
    ),
    "brainyflow": Framework(
        name="brainyflow",
        probe="brainyflow",
        distributions=("brainyflow",),
        table="fastgraph.adapters.brainyflow.targets:TARGETS",
        fingerprints="fastgraph.adapters.brainyflow:fingerprints.json",
        title="BrainyFlow",
        # The defaults of its type variables; its metadata names no Python.
        python=(3, 13),
    ),
}


@cache
def _version(distribution: str) -> str | None:
    from importlib import metadata  # slow to import, and of no use before

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
