"""Whole lives of a patch, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ISOLATED = Path(__file__).parents[1] / "isolated"
ROOT = ISOLATED.parents[1]

# The table describes sources that exist by the time it is imported.
TABLE = """
    import ast
    from pathlib import Path

    from fastgraph.patching.fingerprint import fingerprint_of
    from fastgraph.adapters.target import BindingSite, Source, Target, Variant

    NAME = __package__
    SOURCE = Source(f"{NAME}.core", "work")
    TREE = ast.parse((Path(__file__).parent / "core.py").read_text())
    KNOWN = {SOURCE.label: frozenset({fingerprint_of(TREE, "work")})}
    TARGETS = (
        Target(
            name="work",
            framework=NAME,
            sites=(BindingSite(f"{NAME}.core", "work"), BindingSite(f"{NAME}.user", "work")),
            sources=(SOURCE,),
            variants=(Variant("only", KNOWN),),
            factories={"compiled": f"{NAME}.factories:make_work"},
            summary="It works.",
            domain="All values.",
        ),
    )
"""


def run(script: str, *arguments: str, path: Path | None = None, **environ: str) -> Any:
    search = [str(ROOT), *([str(path)] if path else []), os.environ.get("PYTHONPATH", "")]
    clean = {name: value for name, value in os.environ.items() if "FASTGRAPH" not in name}
    environment = {**clean, **environ, "PYTHONPATH": os.pathsep.join(filter(None, search))}
    command = [sys.executable, "-W", "error", str(ISOLATED / script), *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def succeeds(script: str, *arguments: str, path: Path | None = None, **environ: str) -> None:
    done = run(script, *arguments, path=path, **environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.fixture
def framework(fake: Any) -> Any:
    fake.write("table", TABLE)
    return fake


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_every_order_of_importing_patching_and_unpatching(framework: Any) -> None:
    succeeds("patching_orders.py", framework.name, path=framework.directory.parent)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_while_the_lock_is_held(framework: Any) -> None:
    succeeds("patching_fork.py", framework.name, path=framework.directory.parent)


def test_patching_inside_an_import_that_patching_waits_for(framework: Any) -> None:
    # `user` is imported by patch() and waits for `plugin`, which patches.
    lines = ("import meeting", "meeting.both.wait()", "from .core import work")
    framework.write("user", "\n".join([*lines, "from . import plugin"]))
    framework.write("plugin", "import meeting\nmeeting.both.wait()\nmeeting.patch()\n")
    succeeds("patching_imports.py", framework.name, path=framework.directory.parent)


def test_fastgraph_is_light() -> None:
    succeeds("patching_light.py")


def test_patching_on_import_without_kernels() -> None:
    succeeds("patching_on_import.py", FASTGRAPH="1", FASTGRAPH_NO_EXTENSIONS="1")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"FASTGRAPH": "maybe"}, "ValueError: FASTGRAPH='maybe' is not understood"),
        (
            {"FASTGRAPH": "1", "FASTGRAPH_KERNELS": "cuda"},
            "ValueError: FASTGRAPH_KERNELS='cuda' is not understood",
        ),
        (
            {
                "FASTGRAPH": "1",
                "FASTGRAPH_NO_EXTENSIONS": "1",
                "FASTGRAPH_REQUIRE_EXTENSIONS": "1",
            },
            "contradict each other",
        ),
    ],
)
def test_an_environment_not_understood_is_said_on_import(
    environ: dict[str, str], said: str
) -> None:
    done = run("patching_on_import.py", **environ)
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]
