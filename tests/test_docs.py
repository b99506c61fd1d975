"""What the documentation says against what is: the parts that a program can compare."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastgraph
from fastgraph import cli, settings

target_table = pytest.importorskip(
    "tools.target_table", reason="the tools are in the checkout", exc_type=ModuleNotFoundError
)

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGES.md", *DOCS.glob("*.md")]
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in cli._parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def test_the_table_of_targets_is_fresh() -> None:
    page = text_of(target_table.PAGE)

    assert target_table.renewed(page) == page, "run make tables"


def test_every_setting_is_documented() -> None:
    known = {
        value
        for value in vars(settings).values()
        if isinstance(value, str) and value.startswith("FASTGRAPH")
    }
    documented = set(re.findall(r"^`(FASTGRAPH\w*)`$", text_of(DOCS / "settings.md"), re.MULTILINE))

    assert known == documented


def test_every_variable_named_exists() -> None:
    settings_page = set(re.findall(r"FASTGRAPH\w*", text_of(DOCS / "settings.md")))
    named = {name for page in PAGES for name in re.findall(r"\bFASTGRAPH\w*", text_of(page))}

    assert named <= settings_page


@pytest.mark.parametrize(("name", "parser"), list(commands()))
def test_every_command_and_option_is_documented(name: str, parser: argparse.ArgumentParser) -> None:
    page = text_of(DOCS / "command-line.md")

    section = page.partition(f"## `{name}`")[2].partition("\n## ")[0]
    assert section
    options = {option for action in parser._actions for option in action.option_strings}
    missing = {option for option in options - {"-h", "--help"} if option not in section}
    assert not missing


def test_every_option_of_the_pytest_plugin_is_documented() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "fastgraph.pytest_plugin", "--help"],
        cwd=DOCS,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    options = set(re.findall(r"--fastgraph-[a-z-]+", shown))
    assert options
    assert options == set(
        re.findall(
            r"^`(--fastgraph-[a-z-]+)(?: NAMES)?`$",
            text_of(DOCS / "pytest-plugin.md"),
            re.MULTILINE,
        )
    )


def test_every_public_name_is_documented() -> None:
    page = text_of(DOCS / "api.md")
    documented = re.findall(r"^\.\. (?:auto\w+|data):: (\w+)", page, re.MULTILINE)

    assert sorted(documented) == sorted(fastgraph.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(page)))

    for link in links:
        path, _, _ = link.partition("#")
        if path and "://" not in link:
            assert (page.parent / path).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE))

    assert named <= targets


def test_make_help_lists_every_target() -> None:
    makefile = text_of(ROOT / "Makefile").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)

    assert sorted(phony.split()) == sorted(explained)


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "quickstart.md"], ids=["README", "q"])
def test_examples_run(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)
    assert blocks
    env = {name: value for name, value in os.environ.items() if not name.startswith("FASTGRAPH")}

    done = subprocess.run(
        [sys.executable, "-W", "error::fastgraph.FastgraphWarning", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_nothing_is_left_to_fill_in() -> None:
    assert not [page.name for page in PAGES if "{{" in text_of(page)]
