"""The tool that gathers fingerprints, on wheels made for the occasion."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fastgraph.adapters.target import ABSENT, BindingSite, Source, Target, Variant

TOOL = Path(__file__).parents[2] / "tools" / "fingerprints.py"

OLD = 'def work(x):\n    """Old."""\n    return x\n'
RECOMMENTED = "def work(x):\n    # The same.\n    return x\n"
NEW = "@decorated\ndef work(x):\n    return x + 1\n\n\nclass Newer:\n    pass\n"

WORK = Source("langgraph.core", "work")
NEWER = Source("langgraph.core", "Newer")
SAVER = Source("langgraph.checkpoint.base", "Saver")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("_fingerprints_tool", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FRAMEWORKS", {"langgraph": framework("langgraph", target())})
    return module


def framework(name: str, *targets: Target) -> Any:
    return SimpleNamespace(name=name, distributions=(name,), targets=lambda: targets)


def target(*variants: Variant) -> Target:
    site = BindingSite(WORK.module, WORK.qualname)
    return Target(
        "work", "langgraph", (site,), (WORK, NEWER, SAVER), variants, {}, "It works.", "All values."
    )


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    directory = tmp_path / "wheels"
    directory.mkdir()
    for version, text in (("1.0.9", OLD), ("1.0.10", RECOMMENTED), ("1.1.0", NEW)):
        wheel(directory, "langgraph", version, {"langgraph/core.py": text})
    saver = {"langgraph/checkpoint/base/__init__.py": "class Saver:\n    pass\n"}
    wheel(directory, "langgraph_checkpoint", "2.0.0", saver)
    return directory


def wheel(directory: Path, name: str, version: str, files: dict[str, str]) -> None:
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)


def run(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path, *arguments: str) -> int:
    output = wheels.parent / "fingerprints.json"
    command = ["fingerprints.py", "--wheels", str(wheels), "--output", str(output), *arguments]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stopped:
        sys.exit(tool.main())
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.fixture
def written(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path) -> Any:
    assert run(tool, monkeypatch, wheels, "--also", "langgraph-checkpoint==2.0.0") == 0
    return json.loads((wheels.parent / "fingerprints.json").read_text())


def test_releases_by_source_and_fingerprint(written: Any) -> None:
    work = written["sources"][WORK.label]
    assert sorted(work.values()) == [["1.0.9", "1.0.10"], ["1.1.0"]]
    newer = written["sources"][NEWER.label]
    assert newer.pop(ABSENT) == ["1.0.9", "1.0.10"]
    assert list(newer.values()) == [["1.1.0"]]
    assert list(written["sources"][SAVER.label].values()) == [["2.0.0"]]


def test_fingerprints_by_file(written: Any, tool: ModuleType) -> None:
    files = {tool.Module("", text.encode()).digest: text for text in (OLD, RECOMMENTED, NEW)}
    found = {files.get(digest): file for digest, file in written["files"].items()}
    assert found[OLD]["path"] == "langgraph/core.py"
    assert found[OLD]["fingerprints"] == found[RECOMMENTED]["fingerprints"]
    assert found[NEW]["fingerprints"][NEWER.label] in written["sources"][NEWER.label]
    assert found[None]["path"] == "langgraph/checkpoint/base/__init__.py"


def test_lists_are_on_one_line(written: Any, wheels: Path) -> None:
    assert '["1.0.9", "1.0.10"]' in (wheels.parent / "fingerprints.json").read_text()


def test_check_of_a_fresh_file(
    written: Any, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path, capsys: Any
) -> None:
    capsys.readouterr()
    # The release of the other distribution is known from the file itself.
    assert run(tool, monkeypatch, wheels, "--check") == 0
    assert capsys.readouterr().out == ""


def test_check_of_a_stale_file(
    written: Any, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path, capsys: Any
) -> None:
    wheel(wheels, "langgraph", "1.2.0", {"langgraph/core.py": NEW})
    (wheels / "langgraph-1.0.9-py3-none-any.whl").unlink()
    before = (wheels.parent / "fingerprints.json").read_text()
    capsys.readouterr()
    assert run(tool, monkeypatch, wheels, "--check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("missing: ") and "1.2.0" in line]) == 2
    assert len([line for line in lines if line.startswith("stale: ") and "1.0.9" in line]) == 2
    assert (wheels.parent / "fingerprints.json").read_text() == before


def variant(written: Any, release: str) -> Variant:
    return Variant(
        "known",
        {
            label: frozenset(value for value, releases in values.items() if release in releases)
            for label, values in written["sources"].items()
        },
    )


def test_show(
    written: Any, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path, capsys: Any
) -> None:
    known = target(variant(written, "1.0.9"))
    monkeypatch.setitem(tool.FRAMEWORKS, "langgraph", framework("langgraph", known))
    capsys.readouterr()
    assert run(tool, monkeypatch, wheels, "--show", "1.0.10") == 0
    assert capsys.readouterr().out == "every target has a variant for langgraph 1.0.10\n"
    assert run(tool, monkeypatch, wheels, "--show", "1.1.0") == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("langgraph.core:work: ") and shown[0].endswith(" is unknown")
    assert shown[1] == "--- langgraph.core:work (langgraph 1.0.10)"
    assert "+@decorated" in shown and "+    return x + 1" in shown
    assert shown[-1] == "stock code runs with langgraph 1.1.0 for: work"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--releases", ">9"], "no release of langgraph is in the range >9"),
        (["--releases", "nine"], "Invalid specifier: 'nine'"),
        (["--show", "9.0"], "there is no wheel of langgraph 9.0 in "),
        (["--show", "new"], "Invalid version: 'new'"),
        (["--also", "langgraph-checkpoint"], "'langgraph-checkpoint' is not DIST==VERSION"),
    ],
)
def test_errors_are_one_line(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    wheels: Path,
    capsys: Any,
    arguments: list[str],
    said: str,
) -> None:
    assert run(tool, monkeypatch, wheels, *arguments) == 2
    output = capsys.readouterr()
    last = output.err.splitlines()[-1]
    assert last.startswith(f"fingerprints.py: error: {said}")
    assert output.out == ""


def test_a_release_beyond_the_pinned_one_is_not_read(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path
) -> None:
    constraints = wheels.parent / "constraints.txt"
    constraints.write_text(
        "# a comment\nother==9 ; python_version >= '3.13'\nlanggraph==1.0.10  # here\n"
    )
    assert run(tool, monkeypatch, wheels, "--also", "langgraph-checkpoint==2.0.0") == 0
    assert run(tool, monkeypatch, wheels, "--constraints", str(constraints)) == 0
    written = json.loads((wheels.parent / "fingerprints.json").read_text())
    assert [*written["sources"][WORK.label].values()] == [["1.0.9", "1.0.10"]]


def test_each_framework_by_its_own_distribution(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, wheels: Path, capsys: Any
) -> None:
    flow = Source("brainyflow", "Flow")
    site = BindingSite(flow.module, flow.qualname)
    other = Target("flow", "brainyflow", (site,), (flow,), (), {}, "It flows.", "All flows.")
    monkeypatch.setitem(tool.FRAMEWORKS, "brainyflow", framework("brainyflow", other))
    wheel(wheels, "brainyflow", "2.1.0", {"brainyflow.py": "class Flow:\n    pass\n"})
    assert run(tool, monkeypatch, wheels) == 2
    assert "--output is about one framework: add --framework" in capsys.readouterr().err
    assert run(tool, monkeypatch, wheels, "--framework", "brainyflow") == 0
    written = json.loads((wheels.parent / "fingerprints.json").read_text())
    assert [*written["sources"][flow.label].values()] == [["2.1.0"]]
    assert [*written["sources"]] == [flow.label]


def test_help() -> None:
    command = [sys.executable, str(TOOL), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--check" in done.stdout and "never imported" in done.stdout


def test_it_does_not_import_langgraph() -> None:
    code = (
        f"import runpy, sys; tool = runpy.run_path({str(TOOL)!r}); "
        "tool['FRAMEWORKS']['langgraph'].targets(); "
        "sys.exit(any(name.startswith('langgraph.') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
