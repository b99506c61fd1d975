"""A small fake framework, new for each test, to patch and to abuse."""

from __future__ import annotations

import ast
import importlib
import itertools
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from fastgraph.adapters.target import BindingSite, Source, Target, Variant
from fastgraph.patching.fingerprint import fingerprint_of
from fastgraph.patching.switch import Switch

CORE = '''
    """The framework's core."""

    from dataclasses import dataclass
    from contextlib import contextmanager
    from typing import NamedTuple


    def work(value):
        """Work."""
        return ("stock", value)


    def helper(value):
        return value


    class Channel:
        def update(self, value):
            self.value = value


    @dataclass
    class Record:
        field: int = 0

        @contextmanager
        def opened(self):
            yield self


    class Row(NamedTuple):
        cell: int = 0


    class Loop:
        def tick(self):
            return ("stock", self)

        @staticmethod
        def still(value):
            return ("stock", value)

        @classmethod
        def made(cls, value):
            return ("stock", cls, value)


    class Derived(Loop):
        pass
'''

FACTORIES = """
    built = []


    def make_work(original, tally, variant):
        built.append((original, tally, variant))

        def work(value):
            tally.calls += 1
            if value == "odd":
                tally.fell_back("the value is odd")
                return original(value)
            return ("fast", value)

        return work


    def make_tick(original, tally, variant):
        return lambda self: ("fast", self)


    def make_made(original, tally, variant):
        return lambda cls, value: ("fast", cls, value)


    def make_nothing(original, tally, variant):
        return None


    def make_trouble(original, tally, variant):
        raise LookupError("no such luck\\nnone at all")
"""

_numbers = itertools.count()


class Fake:
    """A framework on disk, its modules, and targets describing it."""

    def __init__(self, directory: Path) -> None:
        self.name = f"fakeframework{next(_numbers)}"
        self.directory = directory / self.name
        self.version: str | None = "1.0"
        self.known_files: dict[str, dict[str, str]] = {}
        self.directory.mkdir()
        self.write("__init__", "")
        self.write("core", CORE)
        self.write("user", "from .core import work\n")
        self.write("factories", FACTORIES)
        self.write("broken", "import absent_dependency_of_broken\n")

    def write(self, module: str, text: str) -> None:
        (self.directory / f"{module}.py").write_text(textwrap.dedent(text))
        importlib.invalidate_caches()

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    @property
    def core(self) -> ModuleType:
        return self.module("core")

    @property
    def user(self) -> ModuleType:
        return self.module("user")

    @property
    def built(self) -> list[tuple[object, object, str]]:
        built: list[tuple[object, object, str]] = self.module("factories").built
        return built

    def site(self, label: str) -> BindingSite:
        module, _, attribute = label.partition(":")
        return BindingSite(f"{self.name}.{module}", attribute)

    def source(self, label: str) -> Source:
        module, _, qualname = label.partition(":")
        return Source(f"{self.name}.{module}", qualname)

    def fingerprint(self, source: Source) -> str:
        path = self.directory / f"{source.module.rpartition('.')[2]}.py"
        return fingerprint_of(ast.parse(path.read_text()), source.qualname)

    def target(
        self,
        name: str = "work",
        sites: tuple[str, ...] = ("core:work", "user:work"),
        sources: tuple[str, ...] = ("core:work", "core:helper", "core:Channel"),
        factory: str = "make_work",
        variants: tuple[Variant, ...] | None = None,
    ) -> Target:
        described = tuple(map(self.source, sources))
        if variants is None:
            known = {source.label: frozenset({self.fingerprint(source)}) for source in described}
            variants = (Variant("only", known),)
        return Target(
            name=name,
            framework=self.name,
            sites=tuple(map(self.site, sites)),
            sources=described,
            variants=variants,
            factories={"compiled": f"{self.name}.factories:{factory}"},
            summary="It works.",
            domain="All values.",
        )

    def switch(self, *targets: Target, optional: tuple[str, ...] = ()) -> Switch:
        return Switch(
            targets or [self.target()],
            known_files=lambda: self.known_files,
            version_of=lambda name: self.version,
            optional=optional,
        )


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.syspath_prepend(str(tmp_path))
    framework = Fake(tmp_path)
    yield framework
    for name in [name for name in sys.modules if name.partition(".")[0] == framework.name]:
        del sys.modules[name]
