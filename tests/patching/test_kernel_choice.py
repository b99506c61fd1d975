"""Which kernels run, given what is built, installed and asked for."""

from __future__ import annotations

import importlib
import sys

import pytest

from fastgraph import kernel_choice

NOT_BUILT, NO_NUMBA = "the extensions are not built", "numba is not installed"


def choose(
    monkeypatch: pytest.MonkeyPatch, asked: str, extensions: str | None, numba: str | None
) -> kernel_choice.KernelChoice:
    monkeypatch.setenv("FASTGRAPH_KERNELS", asked)
    monkeypatch.setattr(kernel_choice, "_extensions_missing", lambda: extensions)
    monkeypatch.setattr(kernel_choice, "_numba_missing", lambda: numba)
    return kernel_choice.choose()


@pytest.mark.parametrize(
    ("asked", "extensions", "numba", "kernels", "reason"),
    [
        ("auto", None, None, "compiled", "the extensions are built"),
        ("auto", None, NO_NUMBA, "compiled", "the extensions are built"),
        ("auto", NOT_BUILT, None, "numba", NOT_BUILT),
        ("auto", NOT_BUILT, NO_NUMBA, "none", f"{NOT_BUILT}; {NO_NUMBA}"),
        ("compiled", None, None, "compiled", "FASTGRAPH_KERNELS=compiled"),
        ("compiled", NOT_BUILT, None, "none", f"FASTGRAPH_KERNELS=compiled, but {NOT_BUILT}"),
        ("numba", None, None, "numba", "FASTGRAPH_KERNELS=numba"),
        ("numba", None, NO_NUMBA, "none", f"FASTGRAPH_KERNELS=numba, but {NO_NUMBA}"),
    ],
)
def test_choice(
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    extensions: str | None,
    numba: str | None,
    kernels: str,
    reason: str,
) -> None:
    choice = choose(monkeypatch, asked, extensions, numba)
    assert (choice.kernels, choice.reason) == (kernels, reason)
    assert choice.extensions_missing == extensions


def probe(monkeypatch: pytest.MonkeyPatch, name: str) -> str | None:
    monkeypatch.setattr(kernel_choice, "_PROBE", name)
    return kernel_choice._extensions_missing()


def test_an_interpreted_module_is_no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(monkeypatch, "fastgraph.settings") == NOT_BUILT


def test_a_missing_module_is_no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(monkeypatch, "fastgraph.kernels.nowhere") == NOT_BUILT


def test_an_extension_built_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("undefined symbol")

    monkeypatch.setattr(importlib, "import_module", fail)
    said = kernel_choice._extensions_missing()
    assert said == "the extensions do not import (ImportError: undefined symbol)"


def test_extensions_can_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGRAPH_NO_EXTENSIONS", "1")
    said = kernel_choice._extensions_missing()
    assert said == "the extensions are disabled by FASTGRAPH_NO_EXTENSIONS"


def test_numba_is_looked_for_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = "numba" in sys.modules
    kernel_choice._numba_missing()
    assert ("numba" in sys.modules) == loaded
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert kernel_choice._numba_missing() == NO_NUMBA
