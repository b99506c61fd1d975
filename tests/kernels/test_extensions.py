"""The list of extensions in setup.py, the sources on disk and what is loaded are the same."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from pathlib import Path

import pytest

import fastgraph

CHECKOUT = Path(__file__).parents[2]
PACKAGE = Path(fastgraph.__file__).parent


def extensions():
    """`EXTENSIONS` of setup.py: module name -> source."""
    tree = ast.parse((CHECKOUT / "setup.py").read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "EXTENSIONS":
            return ast.literal_eval(statement.value)
    raise AssertionError("setup.py has no EXTENSIONS")


def built():
    """The modules of the installed package that have an extension file."""
    return {
        "fastgraph." + ".".join((*path.relative_to(PACKAGE).parts[:-1], path.name.split(".")[0]))
        for suffix in EXTENSION_SUFFIXES
        for path in PACKAGE.rglob(f"*{suffix}")
    }


def test_every_source_on_disk_is_an_extension_and_the_other_way_round():
    sources = CHECKOUT / "fastgraph"
    # A Python file with a .pxd beside it is compiled too.
    augmented = (path.with_suffix(".py") for path in sources.rglob("*.pxd"))
    found = {*sources.rglob("*.pyx"), *(path for path in augmented if path.exists())}
    assert {path.relative_to(CHECKOUT).as_posix() for path in found} == set(extensions().values())


def test_every_extension_is_named_after_its_source():
    for module, source in extensions().items():
        assert Path(source).with_suffix("").parts == tuple(module.split("."))


def test_every_extension_has_its_types_declared():
    for source in extensions().values():
        if source.endswith(".pyx"):
            assert (CHECKOUT / source).with_suffix(".pyi").exists(), source


def test_all_of_the_extensions_are_built_or_none():
    assert built() in (set(), set(extensions()))


@pytest.mark.parametrize("name", extensions())
def test_what_is_loaded_is_the_extension(name):
    if not built():
        pytest.skip("the extensions are not built")
    module = importlib.import_module(name)
    assert isinstance(module.__loader__, ExtensionFileLoader)
    assert module.__file__.endswith(tuple(EXTENSION_SUFFIXES))
    assert module.__spec__.name == name


def check_alone(code):
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_importing_the_kernels_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules)\n"
        "import fastgraph.kernels\n"
        "loaded = set(sys.modules) - before\n"
        "heavy = {'numba', 'numpy', 'langgraph', 'langchain_core'}\n"
        "assert not heavy & loaded, heavy & loaded\n"
        "kernels = {name for name in loaded if name.startswith('fastgraph.kernels.')}\n"
        # The tally is part of patching.
        "assert kernels <= {'fastgraph.kernels.tally'}, kernels\n"
    )
    check_alone(code)


@pytest.mark.parametrize(
    "module", ["slots", "version_vector", "trigger_index", "tally", "msgpack_reader"]
)
def test_a_kernel_by_itself_needs_no_framework(module):
    if module != "tally" and not built():
        pytest.skip("the extensions are not built")
    code = (
        "import sys\n"
        f"import fastgraph.kernels.{module}\n"
        "heavy = {'numba', 'numpy', 'langgraph', 'langchain_core'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    check_alone(code)
