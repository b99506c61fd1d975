"""The examples of the kernels' documentation do what they say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import fastgraph.kernels

PAGE = Path(__file__).parents[2] / "docs" / "kernels.md"


def examples():
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def needs(code):
    if "numba" in code:
        pytest.importorskip("numba")
    if re.search(r"kernels\.(version_vector|trigger_index)", code):
        pytest.importorskip("fastgraph.kernels.version_vector", reason="nothing was compiled")


@pytest.mark.parametrize("code", examples(), ids=lambda code: code.split()[1])
def test_the_examples_of_the_page_hold(code):
    needs(code)
    exec(compile(code, str(PAGE), "exec"), {})


def test_the_example_of_the_package_holds():
    needs(fastgraph.kernels.__doc__)
    assert doctest.testmod(fastgraph.kernels).failed == 0
    assert ">>> versions.maximum" in fastgraph.kernels.__doc__
