"""Fingerprints: the same on every Python, and blind to what does not matter."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastgraph.adapters.target import ABSENT
from fastgraph.patching.fingerprint import find, fingerprint, fingerprint_of

SNIPPETS = Path(__file__).parent / "snippets"
# Every Python must arrive at these values; they only change, with
# every fingerprint recorded, when the serialization does.
EXPECTED = json.loads((SNIPPETS / "expected.json").read_text())


def definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield prefix + node.name
            yield from definitions(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_python_agrees(name: str) -> None:
    tree = ast.parse((SNIPPETS / name).read_text(encoding="utf-8"))
    found = {qualname: fingerprint_of(tree, qualname) for qualname in definitions(tree.body)}
    assert found == EXPECTED[name]


def of(source: str, name: str = "f") -> str:
    return fingerprint_of(ast.parse(textwrap.dedent(source)), name)


BASE = "def f(a, b=1):\n    return a + b"


@pytest.mark.parametrize(
    "same",
    [
        'def f(a, b=1):\n    """Documented."""\n    return a + b',
        "def f(a,\n      b=1,):\n    # commented\n    return (a\n            + b)",
        "import x\n\n\ndef f(a, b=1): return a + b",
        "def f(): pass\ndef f(a, b=1):\n    return a + b",
        "f = None\ndef f(a, b=1):\n    return a + b",
        "def f(a, b=1):\n    return a + b\ndef g():\n    f = 1\n    return f",
    ],
)
def test_what_does_not_matter(same: str) -> None:
    assert of(same) == of(BASE)


@pytest.mark.parametrize(
    "different",
    [
        "def f(a, b=2):\n    return a + b",
        "def f(a, b=1):\n    return b + a",
        "def f(a, b=1) -> int:\n    return a + b",
        "@decorator\ndef f(a, b=1):\n    return a + b",
        "async def f(a, b=1):\n    return a + b",
        "def f(a, b=True):\n    return a + b",
        "def f(a, b=1.0):\n    return a + b",
        "def f(a, b='1'):\n    return a + b",
        "def f(a, b=b'1'):\n    return a + b",
        "def f(a, *, b=1):\n    return a + b",
    ],
)
def test_what_matters(different: str) -> None:
    assert of(different) != of(BASE)


def test_strings_are_compared_by_value_not_by_spelling() -> None:
    assert of("def f(): return 'a' u'b' \"c\"") == of("def f(): return '''abc'''")
    assert of("def f(): return f'a{x:}' 'b'") == of("def f(): return f'a{x}b'")
    assert of("def f(): return f'a'") != of("def f(): return 'a'")


def test_a_string_after_the_docstring_counts() -> None:
    assert of("def f():\n 'doc'\n 'more'") != of("def f():\n 'doc'")


def test_docstrings_inside_are_dropped_too() -> None:
    documented = "class C:\n 'doc'\n def m(self):\n  'doc'\n  return 1"
    assert of(documented, "C") == of("class C:\n def m(self):\n  return 1", "C")


@pytest.mark.parametrize(
    "rebound",
    [
        "f = g",
        "f: int = 1",
        "from x import f",
        "import y as f",
        "del f",
        "if x:\n    def f(): pass",
        "try:\n    from x import f\nexcept ImportError:\n    pass",
    ],
)
def test_a_name_bound_to_something_else_later_has_no_definition(rebound: str) -> None:
    assert of(f"{BASE}\n{rebound}") == ABSENT


def test_absent_definitions() -> None:
    tree = ast.parse("class C:\n    x = 1\n    def m(self): pass\nv = 1")
    assert find(tree, "C.m") is not None
    assert [fingerprint_of(tree, name) for name in ("C.x", "C.n", "D.m", "v")] == [ABSENT] * 4


def test_a_fingerprint_is_sixteen_hexadecimal_digits() -> None:
    assert len(fingerprint(ast.parse(""))) == 16
    int(of(BASE), 16)
