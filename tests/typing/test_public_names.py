from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fastgraph

HERE = Path(__file__).resolve().parent
USES = HERE / "public_names.py"


@pytest.mark.slow
def test_mypy_accepts_the_uses_and_finds_the_mistakes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), str(USES)],
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_is_used() -> None:
    tree = ast.parse(USES.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    assert set(fastgraph.__all__) <= used
