"""Environment variables: what is understood, and what is said about the rest."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fastgraph import settings

FLAGS = {
    settings.PATCH_ON_IMPORT: settings.patch_on_import,
    settings.NO_EXTENSIONS: settings.extensions_disabled,
    settings.REQUIRE_EXTENSIONS: settings.extensions_required,
    settings.VERIFY: settings.verify,
}


@pytest.mark.parametrize("variable", FLAGS)
@pytest.mark.parametrize("value", ["1", "true", "YES", "On", " 1 "])
def test_yes(variable: str, value: str) -> None:
    assert FLAGS[variable]({variable: value}) is True


@pytest.mark.parametrize("variable", FLAGS)
@pytest.mark.parametrize("value", ["0", "false", "No", "OFF", "", "  "])
def test_no(variable: str, value: str) -> None:
    assert FLAGS[variable]({variable: value}) is False
    assert FLAGS[variable]({}) is False


@pytest.mark.parametrize("variable", FLAGS)
@pytest.mark.parametrize("value", ["2", "y", "enabled", "1,0"])
def test_anything_else_is_an_error_that_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{variable}='{value}' is not understood; use 1/true"):
        FLAGS[variable]({variable: value})


@pytest.mark.parametrize("read", [settings.extensions_disabled, settings.extensions_required])
def test_extensions_cannot_be_both_forbidden_and_required(read: object) -> None:
    both = {settings.NO_EXTENSIONS: "1", settings.REQUIRE_EXTENSIONS: "1"}
    assert callable(read)
    with pytest.raises(ValueError, match="NO_EXTENSIONS and FASTGRAPH_REQUIRE_EXTENSIONS"):
        read(both)
    assert read({**both, settings.NO_EXTENSIONS: "0"}) in (True, False)


@pytest.mark.parametrize(
    ("value", "meant"),
    [("", "auto"), ("auto", "auto"), ("Compiled", "compiled"), (" numba ", "numba")],
)
def test_kernels(value: str, meant: str) -> None:
    assert settings.kernels({settings.KERNELS: value}) == meant
    assert settings.kernels({}) == "auto"


def test_unknown_kernels() -> None:
    with pytest.raises(ValueError, match=r"^FASTGRAPH_KERNELS='cuda' .* auto, compiled, numba$"):
        settings.kernels({settings.KERNELS: "cuda"})


def test_builds() -> None:
    assert settings.build({}) == "release"
    assert settings.build({settings.BUILD: " Debug "}) == "debug"
    with pytest.raises(ValueError, match=r"^FASTGRAPH_BUILD='fast' .* release, sanitized, debug$"):
        settings.build({settings.BUILD: "fast"})


def test_the_environment_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.KERNELS, "numba")
    assert settings.kernels() == "numba"
    monkeypatch.delenv(settings.KERNELS)
    assert settings.kernels() == "auto"


def test_the_build_can_load_the_file_by_path() -> None:
    spec = importlib.util.spec_from_file_location("_anything", settings.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.extensions_disabled({}) is False


def test_it_imports_neither_fastgraph_nor_anybody_else() -> None:
    code = (
        "import runpy, sys; before = set(sys.modules); "
        f"runpy.run_path({settings.__file__!r}); "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "sys.exit(bool(new - set(sys.stdlib_module_names)))"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_nothing_else_reads_the_environment() -> None:
    package = Path(settings.__file__).parent
    readers = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv\b", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["settings.py"]
